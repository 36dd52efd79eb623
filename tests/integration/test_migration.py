"""The table of the official SDK's names beside ours: each row is run with both, against the emulator."""

import ast
import inspect
import json
import re
from collections.abc import AsyncIterable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

import aiohttp
import attrs
import httpx
import pytest
import telnyx as sdk
from attrs import frozen
from telnyx._response import AsyncAPIResponse
from telnyx.pagination import AsyncDefaultFlatPagination
from telnyx.resources import room_compositions, room_participants, room_recordings, webhooks
from telnyx.resources.rooms import actions, rooms, sessions
from telnyx.resources.rooms.sessions import actions as session_actions

import telnyx_rooms_async as ours
from telnyx_rooms_async import RetryPolicy, RoomsClient
from telnyx_rooms_async.emulator import Emulator, Fault
from telnyx_rooms_async.models import Model
from telnyx_rooms_async.webhooks import Event, RoomSessionEnded, Webhooks
from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY, sign
from tests.helpers.clocks import FakeClock

TABLE: Final = (Path(ours.__file__).parent / "resources" / "MIGRATION.md").read_text()


@frozen
class Row:
    """Code of the official SDK, and ours that does the same."""

    theirs: str
    ours: str


def rows(title: str) -> list[Any]:
    """Return the rows under a heading. Cells hold code, and perhaps words."""
    section = re.split(r"^## ", TABLE.partition(f"## {title}\n")[2], flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    cells = [line.strip("| ").split(" | ") for line in lines if not line.startswith("| `telnyx` |")]
    pairs = [(re.findall("`([^`]+)`", left), re.findall("`([^`]+)`", right)) for left, right in cells]
    return [pytest.param(Row(name, right[0]), id=name) for left, right in pairs for name in left]


SECRETS: Final = frozenset({"token", "refresh_token", "download_url"})


async def stage(telnyx: Emulator, clock: FakeClock) -> dict[str, object]:
    """Make a room with an active session, an ended one, recordings and a composition; return their ids."""
    telnyx.seed(3)
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
        room = await client.rooms.create("Weekly", enable_recording=True)
        alice = telnyx.join(room.id, context="Alice")
        clock.advance(seconds=60)
        telnyx.leave(alice.id)
        bob = telnyx.join(room.id, context="Bob")
        composition = await client.compositions.create(alice.session_id or "", resolution="640x480")
        clock.advance(seconds=10)
        recordings = await client.recordings.list().all()
        tokens = await client.tokens.create(room)
    body, headers = sign(RoomSessionEnded(id="an-event"))
    return {
        "room_id": room.id,
        "session_id": bob.session_id,
        "ended_id": alice.session_id,
        "participant_id": bob.id,
        "recording_id": recordings[0].id,
        "composition_id": composition.id,
        "refresh_token": tokens.refresh_token,
        "text": body.decode(),
        "headers": headers,
        "public_key": PUBLIC_KEY,
        "json": json,
    }


async def evaluate(code: str, names: dict[str, object]) -> object:
    """Evaluate an expression that may await, and return its value; of a list, its items."""
    value: Any = eval(compile(code, "guide", "eval", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    if inspect.iscoroutine(value):
        value = await value
    return [item async for item in value] if isinstance(value, AsyncIterable) else value


def plain(value: object) -> object:
    """Return JSON data without nulls, ids and secrets, which differ between two emulators."""
    if isinstance(value, sdk.BaseModel):
        value = value.to_dict(mode="json")
    elif isinstance(value, Model):
        value = value.to_dict()
    if isinstance(value, Mapping):
        fields = {name: "***" if name in SECRETS else plain(field) for name, field in value.items()}
        return {name: field for name, field in fields.items() if field is not None}
    if isinstance(value, bytes):
        value = value.decode()
    if isinstance(value, str):
        return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "an-id", value)
    return [plain(item) for item in value] if isinstance(value, Sequence) else value


def sent(telnyx: Emulator) -> list[object]:
    """Return the requests, without the page sizes, in which the clients differ."""
    return [
        plain(
            {
                "method": request.method,
                "path": request.path,
                "query": sorted(pair for pair in request.query if not pair[0].startswith("page[")),
                "body": request.json if request.body else None,
                "header": request.headers.get("x-team"),
            }
        )
        for request in telnyx.requests
    ]


@asynccontextmanager
async def their_client(**options: Any) -> Any:
    clock = FakeClock()
    async with Emulator(clock=clock) as telnyx:
        names = {**await stage(telnyx, clock), "telnyx": sdk, "Room": sdk.types.Room, "httpx": httpx}
        names["AsyncTelnyx"] = sdk.AsyncTelnyx
        async with sdk.AsyncTelnyx(
            api_key=telnyx.api_key, base_url=telnyx.url, max_retries=0, **options
        ) as client:
            page = await client.rooms.list(page_size=2)
            raw = await client.rooms.with_raw_response.retrieve(str(names["room_id"]))
            with pytest.raises(sdk.NotFoundError) as caught:
                await client.rooms.retrieve("a-room")
            names |= {"client": client, "page": page, "room": page.data[0], "response": raw}
            names["error"] = caught.value
            telnyx.requests.clear()
            yield telnyx, names


@asynccontextmanager
async def our_client() -> Any:
    clock = FakeClock()
    async with Emulator(clock=clock) as telnyx:
        own = {name: getattr(ours, name) for name in ours.__all__}
        names = {**await stage(telnyx, clock), **own, "attrs": attrs, "date": date}
        names |= {"Webhooks": Webhooks, "Event": Event}
        once = RetryPolicy(max_attempts=1)
        async with RoomsClient(telnyx.api_key, base_url=telnyx.url, retry=once) as client:
            page = await client.rooms.list(page_size=2).page(1)
            raw = await client.with_raw_response.rooms.retrieve(str(names["room_id"]))
            with pytest.raises(ours.NotFoundError) as caught:
                await client.rooms.retrieve("a-room")
            names |= {"client": client, "page": page, "room": page.data[0], "response": raw}
            names["error"] = caught.value
            telnyx.requests.clear()
            yield telnyx, names


@pytest.mark.parametrize("row", rows("Clients and options"))
async def test_client_sends_the_same(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[object] = []
    for code, stage_client in ((row.theirs, their_client), (row.ours, our_client)):
        async with stage_client() as (telnyx, names), aiohttp.ClientSession() as session:
            monkeypatch.setenv("TELNYX_API_KEY", telnyx.api_key)
            monkeypatch.setenv("TELNYX_BASE_URL", telnyx.url)
            names |= {"api_key": telnyx.api_key, "base_url": telnyx.url, "session": session}
            client: Any = await evaluate(code, names)
            async with client:
                await client.rooms.retrieve(names["room_id"])
            requests.append(sent(telnyx))
    assert requests[0] == requests[1]


@pytest.mark.parametrize("row", [*rows("Calls"), *rows("Operations")])
async def test_operation_sends_the_same_and_returns_the_same(row: Row) -> None:
    async with their_client() as (telnyx, names):
        their_value, their_requests = await evaluate(row.theirs, names), sent(telnyx)
    async with our_client() as (telnyx, names):
        our_value, our_requests = await evaluate(row.ours, names), sent(telnyx)
    assert our_requests == their_requests
    if our_value is not None:  # an action returns nothing
        assert plain(our_value) == plain(their_value)


VALUES: Final = ("Pages and models", "Raw responses", "Webhooks", "Attributes of errors")


@pytest.mark.parametrize("row", [row for title in VALUES for row in rows(title)])
async def test_name_has_the_same_value(row: Row) -> None:
    async with their_client() as (_, names):
        theirs = plain(await evaluate(row.theirs, names))
    async with our_client() as (_, names):
        assert plain(await evaluate(row.ours, names)) == theirs


FAULTS: Final = {
    "BadRequestError": Fault(status=400),
    "AuthenticationError": Fault(status=401),
    "PermissionDeniedError": Fault(status=403),
    "ConflictError": Fault(status=409),
    "UnprocessableEntityError": Fault(status=422),
    "RateLimitError": Fault(status=429, retry_after=3600),
    "InternalServerError": Fault(status=503),
    "APIConnectionError": Fault(cut="before"),
    "APITimeoutError": Fault(delay=3600),
    "APIResponseValidationError": Fault(body={"data": {"id": 7}}),
}
"""The others are base classes, or `NotFoundError`."""


@pytest.mark.parametrize("row", rows("Errors"))
async def test_same_fault_raises_the_error_of_the_same_row(row: Row) -> None:
    fault = FAULTS.get(row.ours, Fault(status=404))
    name = row.theirs.removeprefix("telnyx.")
    timeout = 0.5 if fault.delay else 30.0
    async with their_client(_strict_response_validation=True) as (telnyx, names):
        telnyx.inject(fault)
        with pytest.raises(getattr(sdk, name)):
            await names["client"].rooms.retrieve(names["room_id"], timeout=timeout)
    async with our_client() as (telnyx, names):
        telnyx.inject(fault)
        with pytest.raises(getattr(ours, row.ours)):
            await names["client"].with_options(timeout=timeout).rooms.retrieve(names["room_id"])


def test_every_error_of_the_official_sdk_has_a_row() -> None:
    errors = {name for name in sdk.__all__ if name.endswith("Error") and not name.startswith("WebSocket")}
    unused = {"APIWebhookValidationError"}  # it is never raised
    assert {name for name in errors - unused if f"`telnyx.{name}`" not in TABLE} == set()


NAMES: Final[dict[str, type]] = {
    "client.rooms": rooms.AsyncRoomsResource,
    "client.rooms.actions": actions.AsyncActionsResource,
    "client.rooms.sessions": sessions.sessions.AsyncSessionsResource,
    "client.rooms.sessions.actions": session_actions.AsyncActionsResource,
    "client.room_participants": room_participants.AsyncRoomParticipantsResource,
    "client.room_recordings": room_recordings.AsyncRoomRecordingsResource,
    "client.room_compositions": room_compositions.AsyncRoomCompositionsResource,
    "client.webhooks": webhooks.AsyncWebhooksResource,
    "page": AsyncDefaultFlatPagination,
    "room": sdk.BaseModel,
    "response": AsyncAPIResponse,
}
"""Classes of the official SDK whose names have a row, and the code before a name."""
WITHOUT_ROW: Final = frozenset(
    {
        *("close", "is_closed", "iter_bytes", "iter_lines", "iter_text"),  # our responses hold no connection
        *("http_request", "http_version", "url", "with_streaming_response"),
        "with_raw_response",  # ours is one of the client, and not one for each resource
    }
)


OPTIONS_WITHOUT_ROW: Final = frozenset(
    {
        *("client_id", "client_secret", "websocket_base_url"),  # of other products
        *("set_default_headers", "set_default_query"),  # a view never takes headers away
        "public_key",  # an argument of `Webhooks`
    }
)


@pytest.mark.parametrize("function", [sdk.AsyncTelnyx, sdk.AsyncTelnyx.copy, rooms.AsyncRoomsResource.delete])
def test_every_option_of_the_official_sdk_has_a_row(function: Callable[..., object]) -> None:
    options = {name for name in inspect.signature(function).parameters if name != "self" and name[0] != "_"}
    assert {name for name in options - OPTIONS_WITHOUT_ROW if f"{name}=" not in TABLE} <= {"room_id"}


@pytest.mark.parametrize("prefix", NAMES)
def test_every_name_of_the_official_sdk_has_a_row(prefix: str) -> None:
    names = {f"{prefix}.{name}" for name in public_names(NAMES[prefix]) if name not in WITHOUT_ROW}
    assert {name for name in names - NAMES.keys() if name.lower() not in TABLE.lower()} == set()


def public_names(cls: type) -> Iterator[str]:
    """Yield the public names that the SDK itself defines."""
    for base in cls.__mro__:
        if base.__module__.startswith("telnyx") and (base is cls or base is not sdk.BaseModel):
            yield from (name for name in vars(base) if not name.startswith(("_", "model_")))
