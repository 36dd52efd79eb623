"""What goes from one process to another: settings, and every value. Errors: see tests/core/test_errors.py."""

import inspect
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin

import attrs
import pytest

import telnyx_rooms_async
from telnyx_rooms_async import Clock, ConfigurationError, ReadOnlyError, RetryPolicy, RoomsClient, Settings
from telnyx_rooms_async.core.http_messages import Reason
from telnyx_rooms_async.emulator import Emulator

CANARY = "KEY0123CANARY"
HERE_ONLY = {"session", "on_attempt", "trace_configs", "clock"}
"""What no other process could use."""
SAMPLES: dict[object, object] = {
    str: "a",
    int: 1,
    float: 0.5,
    bool: True,
    bytes: b"a",
    object: [1, {"a": None}],
    date: date(2021, 4, 25),
    datetime: datetime(2021, 4, 25, tzinfo=UTC),
    Path: Path("a"),
    Reason: Reason.LOST,
}


def sample(hint: Any) -> Any:
    """Make a value of a type, with every field of it filled."""
    if isinstance(hint, TypeVar) or hint in SAMPLES:
        return SAMPLES.get(hint, "anything")
    parts = get_args(hint)
    if get_origin(hint) is Literal:
        return parts[0]
    if get_origin(hint) is UnionType:
        return sample(next(part for part in parts if part is not NoneType))
    if get_origin(hint) is tuple:
        return tuple(sample(part) for part in parts if part is not Ellipsis)
    if get_origin(hint) is Mapping:
        return {"a": sample(parts[1])}
    return hint(**{field.name: sample(field.type) for field in attrs.fields(hint) if field.init})


PUBLIC: list[type] = [
    getattr(telnyx_rooms_async, name) for name in telnyx_rooms_async.__all__ if name != "UNSET"
]
VALUES: list[type] = [
    it
    for it in PUBLIC
    if attrs.has(it) and not issubclass(it, Exception) and it is not telnyx_rooms_async.Clock
]


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_every_value_survives(kind: type, protocol: int) -> None:
    """A value with all its fields filled is equal to what comes out of its pickle."""
    value = sample(kind)
    assert pickle.loads(pickle.dumps(value, protocol)) == value


def test_there_are_values() -> None:
    """The list above holds what it should."""
    assert {"Room", "RoomComposition", "RoomSessionEnded", "UnknownEvent", "Settings"} <= {
        kind.__name__ for kind in VALUES
    }


def test_unset_stays_the_one_it_is() -> None:
    """Whoever gets `UNSET` from another process can compare it by identity."""
    assert pickle.loads(pickle.dumps(telnyx_rooms_async.UNSET)) is telnyx_rooms_async.UNSET


# --- settings -----------------------------------------------------------------------------------------------


def test_settings_are_the_arguments_of_a_client() -> None:
    """Settings have every argument that another process can use, with its default."""
    arguments = inspect.signature(RoomsClient).parameters
    fields = {field.name: field.default for field in attrs.fields(Settings)}
    assert fields == {name: it.default for name, it in arguments.items() if name not in HERE_ONLY}
    there = inspect.signature(RoomsClient.from_settings).parameters
    assert set(there) - {"settings"} == HERE_ONLY
    for name in HERE_ONLY - {"clock"}:
        assert there[name].default is arguments[name].default
    clocks = [those["clock"].default for those in (there, arguments)]
    assert attrs.asdict(clocks[0]) == attrs.asdict(clocks[1]) == attrs.asdict(Clock())


def test_settings_do_not_show_the_key() -> None:
    """The key is in no repr, and survives the pickle redacted."""
    settings = Settings(api_key=CANARY)
    again = pickle.loads(pickle.dumps(settings))
    assert again == settings
    for it in (settings, again):
        assert CANARY not in repr(it) + repr(attrs.asdict(it))


async def test_a_client_of_settings(telnyx: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client of settings is as they say; a key that they have not is that of the environment."""
    settings = pickle.loads(pickle.dumps(Settings(base_url=telnyx.url, read_only=True, share=0.5)))
    with pytest.raises(ConfigurationError, match="TELNYX_API_KEY"):
        RoomsClient.from_settings(settings)
    monkeypatch.setenv("TELNYX_API_KEY", telnyx.api_key)
    seen: list[object] = []
    async with RoomsClient.from_settings(settings, on_attempt=seen.append) as client:
        assert await client.rooms.list().count() == 0
        with pytest.raises(ReadOnlyError):
            await client.rooms.create()
    assert len(seen) == 1


BAD: dict[str, Callable[[], Settings]] = {
    "a key that is none": lambda: Settings(api_key="a key"),
    "no text": lambda: Settings(api_key=7),  # type: ignore[arg-type]  # wrong on purpose
    "a share": lambda: Settings(api_key=CANARY, share=2),
    "a policy": lambda: Settings(api_key=CANARY, retry=RetryPolicy(attempts=0)),
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
def test_settings_are_checked_where_they_are_used(make: Callable[[], Settings]) -> None:
    """Settings that make no sense are refused by the client."""
    with pytest.raises(ConfigurationError) as caught:
        RoomsClient.from_settings(make())
    assert CANARY not in str(caught.value)


def test_another_process_makes_the_same_client() -> None:
    """Settings that were pickled here make a client in a fresh interpreter."""
    program = (
        "import pickle, sys; settings = pickle.load(sys.stdin.buffer); import telnyx_rooms_async as it;"
        "print(it.RoomsClient.from_settings(settings))"
    )
    settings = Settings(api_key=CANARY, base_url="https://example.com/v2")
    done = subprocess.run(
        [sys.executable, "-c", program], input=pickle.dumps(settings), capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == "<RoomsClient https://example.com/v2>"
