"""The shop window: what can be imported, what that costs, and what is written on it."""

import inspect
import pickle
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest

import telnyx_rooms_async
from telnyx_rooms_async import (
    Page,
    PageMeta,
    RetryPolicy,
    Room,
    RoomParticipant,
    RoomsClient,
    RoomSession,
    RoomSessionEnded,
    SessionEndedPayload,
)

NAMES = telnyx_rooms_async.__all__


def test_names_are_listed_once_and_in_order() -> None:
    """The public names are one sorted list: constants, classes, functions."""
    assert sorted(NAMES, key=lambda name: (not name.isupper(), name)) == NAMES
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_there_and_explained(name: str) -> None:
    """Each public name can be imported, and each public class and method says what it is."""
    it = getattr(telnyx_rooms_async, name)
    if not inspect.isclass(it):
        return
    assert it.__doc__
    assert it.__doc__.strip()
    for member_name, member in vars(it).items():
        if not member_name.startswith("_") and inspect.isfunction(member):
            assert member.__doc__, f"{name}.{member_name}"


def test_every_exception_is_public() -> None:
    """Whatever the library raises can be caught by a name from its front."""

    def below(kind: type[BaseException]) -> set[type[BaseException]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    missing = {kind.__name__ for kind in below(telnyx_rooms_async.TelnyxRoomsError)} - set(NAMES)
    assert missing == set()


def test_version_is_that_of_pyproject() -> None:
    """The constant is kept in step with the distribution; other names are not made up."""
    project = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text("utf-8"))[
        "project"
    ]
    assert telnyx_rooms_async.__version__ == project["version"]
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = telnyx_rooms_async.nothing  # type: ignore[attr-defined]  # as a type checker says, too


NO_METADATA = """
import importlib.metadata as metadata
import sys

def find_none(name):
    raise metadata.PackageNotFoundError(name)

metadata.version = metadata.distribution = find_none
"""


@pytest.mark.parametrize(
    ("program", "printed"),
    [
        ("import telnyx_rooms_async; print(telnyx_rooms_async.__version__)", "{version}"),
        (
            "from telnyx_rooms_async.__main__ import main; sys.argv[1:] = ['--version']; main()",
            "telnyx-rooms {version}",
        ),
    ],
    ids=["__version__", "--version"],
)
def test_version_without_metadata(program: str, printed: str) -> None:
    """A frozen program has no metadata of its packages, and neither has a folder on PYTHONPATH."""
    result = subprocess.run(
        [sys.executable, "-c", NO_METADATA + program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == printed.format(version=telnyx_rooms_async.__version__)


def test_the_import_is_light() -> None:
    """Importing the package loads no extra, and neither a server nor the emulator."""
    program = "import sys, telnyx_rooms_async; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    heavy = {
        "typer",
        "rich",
        "cryptography",
        "redis",
        "distributed",
        "aiohttp.web",
        "telnyx_rooms_async.emulator",
        "telnyx_rooms_async.integrations.asgi",
        "telnyx",
        "pytest",
    }
    assert heavy & set(loaded.split()) == set()


VALUES = [
    Room(id="a", created_at=datetime(2021, 4, 25, tzinfo=UTC), sessions=(RoomSession(id="b"),)),
    RoomParticipant(id="c", context="Alice"),
    Page(data=(Room(id="a"),), meta=PageMeta(total_pages=1)),
    RetryPolicy(attempts=5),
    RoomSessionEnded(id="a", payload=SessionEndedPayload(duration_secs=3)),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_are_values(
    value: Room | RoomParticipant | Page[Room] | RetryPolicy | RoomSessionEnded,
) -> None:
    """A value is frozen, equal to its copy, hashable, and survives pickling."""
    name = attrs.fields(type(value))[0].name
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(value, name, "changed")
    again = pickle.loads(pickle.dumps(value))
    assert (again, hash(again)) == (value, hash(value))
    assert attrs.evolve(value) == value


def test_a_value_cannot_gain_attributes() -> None:
    """A misspelt attribute is an error, not a new one."""
    with pytest.raises(AttributeError):
        Room(id="a").unique_nam = "x"  # type: ignore[attr-defined]  # wrong on purpose


def test_the_client_says_where_it_leads() -> None:
    """A client's repr names its base URL and nothing else."""
    assert repr(RoomsClient("KEY0123")) == "<RoomsClient https://api.telnyx.com/v2>"
