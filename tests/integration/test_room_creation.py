"""Creates and ensures against a scripted server: which requests are sent, recorded and paid for."""

import asyncio
import errno
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal

import aiohttp
import pytest

from telnyx_rooms_async import (
    APIConnectionError,
    Attempt,
    AuthenticationError,
    Clock,
    NameTakenError,
    NotFoundError,
    OutcomeUnknownError,
    RoomsClient,
)
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock
from tests.helpers.scripted_server import Reply, ScriptedServer

OnLostResponse = Literal["find", "find_then_resend", "raise"]

LOST = ScriptedServer.raw(b"")
FAILED = ScriptedServer.http(500)
REFUSED = ScriptedServer.http(401, b"{}")
GONE = ScriptedServer.http(404, b"{}")
TAKEN = ScriptedServer.http(
    422,
    b'{"errors":[{"code":"10027","title":"unique_name has already been taken",'
    b'"source":{"pointer":"/unique_name"}}]}',
)


def room(number: int = 1, *, at: float = 1000.0, **fields: object) -> dict[str, object]:
    created_at = datetime.fromtimestamp(at, UTC).isoformat()
    return {"id": f"room-{number}", "unique_name": "Weekly", "created_at": created_at, **fields}


def listed(*rooms: dict[str, object]) -> Reply:
    meta = {"total_results": len(rooms), "total_pages": 1, "page_number": 1}
    return ScriptedServer.http(200, json.dumps({"data": rooms, "meta": meta}).encode())


CREATED = ScriptedServer.http(201, json.dumps({"data": room()}).encode())
NOTHING = listed()
OURS = listed(room())
ANOTHER = listed(room(at=0.0))


@pytest.fixture
def attempts() -> list[Attempt]:
    """Return the attempts that the client reported."""
    return []


@pytest.fixture
def client(scripted_server: ScriptedServer, fake_clock: FakeClock, attempts: list[Attempt]) -> RoomsClient:
    return RoomsClient(
        "KEY", base_url=scripted_server.url, clock=fake_clock.clock, on_attempt=attempts.append
    )


def methods(scripted_server: ScriptedServer) -> str:
    """Return the first letters of the requests: ``PG`` for a POST and a GET."""
    return "".join(chr(request[0]) for request in scripted_server.requests)


async def create(client: RoomsClient, on_lost_response: OnLostResponse = "find", **fields: Any) -> str:
    async with client:
        room = await client.rooms.create(unique_name="Weekly", on_lost_response=on_lost_response, **fields)
    return room.id


@pytest.mark.parametrize("name", ["on_request_headers_sent", "on_request_end"])
async def test_hook_that_fails_with_an_oserror_creates_no_second_room(telnyx: Emulator, name: str) -> None:
    failures = [OSError(errno.ENOSPC, "No space left on device")]

    async def hook(*_: object) -> None:
        if failures:
            raise failures.pop()

    hooks = aiohttp.TraceConfig()
    getattr(hooks, name).append(hook)
    clock = Clock(sleep=lambda _: asyncio.sleep(0))
    client = RoomsClient(telnyx.api_key, base_url=telnyx.url, trace_configs=[hooks], clock=clock)
    async with client:
        room = await client.rooms.create("Weekly", on_lost_response="find_then_resend")
    assert [room.id] == [existing.id for existing in telnyx.rooms]


@pytest.mark.parametrize(
    ("on_lost_response", "script", "sent"),
    [
        ("find", [LOST, ScriptedServer.http(401), ScriptedServer.http(200, b"{"), OURS], "PGGG"),
        ("find", [LOST, listed(room(2, at=0.0), room(1))], "PG"),
        ("find_then_resend", [LOST, OURS], "PG"),
        ("find_then_resend", [LOST, NOTHING, NOTHING, NOTHING, TAKEN, OURS], "PGGGPG"),
        ("find_then_resend", [LOST, NOTHING, NOTHING, NOTHING, LOST, NOTHING, OURS], "PGGGPGG"),
        ("find_then_resend", [LOST, *[NOTHING] * 3, ScriptedServer.http(429), CREATED], "PGGGPP"),
    ],
)
async def test_every_request_of_a_create_is_an_attempt_with_a_number(
    client: RoomsClient,
    scripted_server: ScriptedServer,
    attempts: list[Attempt],
    *,
    on_lost_response: OnLostResponse,
    script: list[Reply],
    sent: str,
) -> None:
    scripted_server.respond_with(*script)
    assert await create(client, on_lost_response) == "room-1"
    assert methods(scripted_server) == sent
    assert [attempt.number for attempt in attempts] == list(range(1, len(sent) + 1))
    assert "".join(attempt.method[0] for attempt in attempts) == sent


URL = "https://example.com/hook"


@pytest.mark.parametrize(
    ("wanted", "actual", "is_ours"),
    [
        ({}, {"max_participants": 8, "active_session_id": "a-session"}, True),
        ({}, {"created_at": None}, False),
        ({"max_participants": 7}, {"max_participants": 8}, False),
        ({"max_participants": 7}, {"max_participants": None}, False),
        ({"enable_recording": False}, {"enable_recording": None}, True),
        ({"enable_recording": False}, {"enable_recording": True}, False),
        ({"webhook_event_url": URL}, {"webhook_event_url": f"{URL}s"}, False),
        ({"webhook_event_url": URL}, {"webhook_event_url": None}, False),
        ({"webhook_event_failover_url": None}, {"webhook_event_failover_url": ""}, True),
        ({"webhook_event_failover_url": None}, {"webhook_event_failover_url": URL}, False),
        ({"webhook_timeout_secs": 0}, {"webhook_timeout_secs": 0}, True),
        ({"webhook_timeout_secs": 0}, {"webhook_timeout_secs": None}, False),
        ({"webhook_timeout_secs": None}, {"webhook_timeout_secs": 0}, False),
    ],
    ids=str,
)
async def test_room_whose_response_was_lost_has_all_requested_settings(
    client: RoomsClient,
    scripted_server: ScriptedServer,
    wanted: dict[str, Any],
    actual: dict[str, Any],
    *,
    is_ours: bool,
) -> None:
    scripted_server.respond_with(LOST, listed(room(**actual)))
    if is_ours:
        assert await create(client, **wanted) == "room-1"
    else:
        with pytest.raises(OutcomeUnknownError):
            await create(client, **wanted)


# --- the second request -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        *(ScriptedServer.http(status) for status in (400, 401, 403, 501)),
        ScriptedServer.http(429, Retry_After="3600"),
        ScriptedServer.http(503, Retry_After="3600"),
        ScriptedServer.http(302, Location="/v3"),
    ],
    ids=lambda reply: reply.data[9:12].decode(),
)
async def test_error_of_the_second_request_leaves_the_first_unknown(
    client: RoomsClient, scripted_server: ScriptedServer, reply: Reply
) -> None:
    scripted_server.respond_with(LOST, NOTHING, NOTHING, NOTHING, reply)
    with pytest.raises(OutcomeUnknownError) as caught:
        await create(client, "find_then_resend")
    assert methods(scripted_server).count("P") == 2
    assert caught.value.attempts[0].sent


async def test_unsent_second_request_leaves_the_first_unknown(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    nothing = Reply(
        ScriptedServer.http(200, NOTHING.data.partition(b"\r\n\r\n")[2], Connection="close").data, "close"
    )
    scripted_server.respond_with(LOST, nothing)

    def close_server(attempt: Attempt) -> None:
        if attempt.number == 4:
            scripted_server.stop_listening()

    client = RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock, on_attempt=close_server)
    with pytest.raises(OutcomeUnknownError) as caught:
        await create(client, "find_then_resend")
    assert methods(scripted_server) == "PGGG"
    assert isinstance(caught.value.__cause__, APIConnectionError)


@pytest.mark.parametrize(
    ("replies", "requests"),
    [([LOST, REFUSED], "PG"), ([LOST, NOTHING, NOTHING, NOTHING, REFUSED], "PGGGP")],
    ids=["look-up", "second request"],
)
async def test_error_of_the_key_function_leaves_a_lost_create_unknown(
    scripted_server: ScriptedServer, fake_clock: FakeClock, replies: list[Reply], requests: str
) -> None:
    scripted_server.respond_with(*replies)
    next_key = ["KEY"].pop
    client = RoomsClient(next_key, base_url=scripted_server.url, clock=fake_clock.clock)
    with pytest.raises(OutcomeUnknownError) as caught:
        await create(client, "find_then_resend")
    assert caught.value.unique_name == "Weekly"
    assert isinstance(caught.value.__cause__, IndexError)
    assert methods(scripted_server) == requests


@pytest.mark.parametrize("look", [FAILED, LOST, NOTHING], ids=["500", "lost", "not listed"])
async def test_taken_name_without_a_listed_room_is_unknown(
    client: RoomsClient, scripted_server: ScriptedServer, look: Reply
) -> None:
    scripted_server.respond_with(LOST, look, look, look, TAKEN, look)
    with pytest.raises(OutcomeUnknownError) as caught:
        await create(client, "find_then_resend")
    assert methods(scripted_server) == "PGGGPGGG"
    assert caught.value.unique_name == "Weekly"


async def test_name_taken_by_an_older_room_is_an_error(
    client: RoomsClient, scripted_server: ScriptedServer
) -> None:
    scripted_server.respond_with(LOST, ANOTHER, ANOTHER, ANOTHER, TAKEN, ANOTHER)
    with pytest.raises(NameTakenError) as caught:
        await create(client, "find_then_resend")
    assert methods(scripted_server) == "PGGGPGGG"
    assert len(caught.value.attempts) == 5


@pytest.mark.parametrize("on_lost_response", ["find", "find_then_resend", "raise"])
@pytest.mark.parametrize(
    ("reply", "error"),
    [(TAKEN, NameTakenError), (ScriptedServer.http(401), AuthenticationError)],
    ids=["422", "401"],
)
async def test_refused_create_is_not_looked_up(
    client: RoomsClient,
    scripted_server: ScriptedServer,
    on_lost_response: OnLostResponse,
    reply: Reply,
    error: type[Exception],
) -> None:
    scripted_server.respond_with(reply)
    with pytest.raises(error):
        await create(client, on_lost_response)
    assert methods(scripted_server) == "P"


# --- the retry budget -------------------------------------------------------------------------------------


@pytest.mark.parametrize("has_hook", [True, False], ids=["with a hook", "without"])
@pytest.mark.parametrize(
    ("script", "change"),
    [
        ([CREATED], 1),
        ([LOST, OURS], 0),
        ([LOST, NOTHING], 0),
        ([LOST, NOTHING, OURS], 0),
        ([LOST, FAILED], -42),
    ],
    ids=["created_at", "listed", "not listed", "listed later", "looks that fail"],
)
async def test_look_ups_are_paid_for_from_the_retry_budget(
    scripted_server: ScriptedServer,
    fake_clock: FakeClock,
    script: list[Reply],
    change: float,
    *,
    has_hook: bool,
) -> None:
    seen: list[Attempt] = []
    hook = seen.append if has_hook else None
    client = RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock, on_attempt=hook)
    budget = client._api.budget
    budget._level = 200.0
    scripted_server.respond_with(*script)
    with suppress(OutcomeUnknownError):
        await create(client)
    passed = fake_clock.seconds - 1000
    assert 200 + change - 0.001 <= budget.level <= 200 + change + passed + 0.001


# --- ensure -----------------------------------------------------------------------------------------------

OTHER_CASE = listed(room(unique_name="WEEKLY"))


@pytest.mark.parametrize(
    ("script", "action", "sent"),
    [
        ([NOTHING, TAKEN, NOTHING, NOTHING, OURS], "updated", "GPGGGP"),
        ([OURS, GONE, NOTHING, CREATED], "created", "GPGP"),
        ([listed(room(2, unique_name="Weekly 2"), room(3, unique_name="weekly"), room())], "updated", "GP"),
    ],
    ids=["listed late", "deleted before its update", "among similar names"],
)
async def test_ensure_finds_the_room_that_others_create_or_delete(
    client: RoomsClient, scripted_server: ScriptedServer, script: list[Reply], action: str, sent: str
) -> None:
    scripted_server.respond_with(*script, ScriptedServer.http(200, json.dumps({"data": room()}).encode()))
    async with client:
        ensured = await client.rooms.ensure("Weekly", max_participants=20)
    assert (ensured.action, ensured.room.id) == (action, "room-1")
    assert methods(scripted_server) == sent


@pytest.mark.parametrize(
    ("script", "error", "requests"),
    [
        ([OTHER_CASE, TAKEN, *[OTHER_CASE] * 4], NameTakenError, 6),
        ([OURS, GONE] * 3, NotFoundError, 6),
    ],
    ids=["name taken by another spelling", "deleted three times"],
)
async def test_ensure_fails_when_the_room_cannot_be_found(
    client: RoomsClient,
    scripted_server: ScriptedServer,
    script: list[Reply],
    error: type[Exception],
    requests: int,
) -> None:
    scripted_server.respond_with(*script)
    async with client:
        with pytest.raises(error):
            await client.rooms.ensure("Weekly", max_participants=20)
    assert len(scripted_server.requests) == requests
