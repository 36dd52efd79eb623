"""A room is created once: what is sent when the answer is lost, and what the caller is told."""

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from telnyx_rooms_async import (
    APIConnectionError,
    Attempt,
    AuthenticationError,
    ConnectionLostError,
    InternalServerError,
    NameTakenError,
    OutcomeUnknownError,
    RoomsClient,
)
from tests.helpers.clocks import FakeClock
from tests.helpers.scripted_server import Reply, ScriptedServer

OnLostResponse = Literal["find", "find_then_resend", "raise"]

LOST = ScriptedServer.raw(b"")
FAILED = ScriptedServer.http(500)
TAKEN = ScriptedServer.http(
    422,
    b'{"errors":[{"code":"10027","title":"unique_name has already been taken",'
    b'"source":{"pointer":"/unique_name"}}]}',
)


def room(number: int = 1, *, at: float = 1000.0, **fields: object) -> dict[str, object]:
    """Make a room as the server tells of it."""
    made = datetime.fromtimestamp(at, UTC).isoformat()
    return {"id": f"room-{number}", "unique_name": "Weekly", "created_at": made, **fields}


def found(*rooms: dict[str, object]) -> Reply:
    """Answer a look."""
    meta = {"total_results": len(rooms), "total_pages": 1, "page_number": 1}
    return ScriptedServer.http(200, json.dumps({"data": rooms, "meta": meta}).encode())


MADE = ScriptedServer.http(201, json.dumps({"data": room()}).encode())
NOTHING = found()
OURS = found(room())
ANOTHER = found(room(at=0.0))


@pytest.fixture
def client(scripted_server: ScriptedServer, fake_clock: FakeClock) -> RoomsClient:
    """A client that never really sleeps."""
    return RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock)


def methods(scripted_server: ScriptedServer) -> str:
    """Tell what was asked, in its order: P for a POST, G for a GET."""
    return "".join(chr(request[0]) for request in scripted_server.requests)


async def create(client: RoomsClient, on_lost_response: OnLostResponse, **fields: Any) -> str:
    """Create the room, close the client, and return its id."""
    async with client:
        return (
            await client.rooms.create(unique_name="Weekly", on_lost_response=on_lost_response, **fields)
        ).id


FOUND: dict[str, tuple[OnLostResponse, list[Reply], str]] = {
    "at once": ("find", [MADE], "P"),
    "at the first look": ("find", [LOST, OURS], "PG"),
    "at the second look": ("find", [FAILED, NOTHING, OURS], "PGG"),
    "at the third look": ("find", [FAILED, NOTHING, LOST, OURS], "PGGG"),
    "after looks that fail": (
        "find",
        [LOST, ScriptedServer.http(401), ScriptedServer.http(200, b"{"), OURS],
        "PGGG",
    ),
    "among others of the name": ("find", [LOST, found(room(2, at=0.0), room(1))], "PG"),
    "without another request": ("find_then_resend", [LOST, OURS], "PG"),
    "when it is sent again": ("find_then_resend", [LOST, NOTHING, NOTHING, NOTHING, MADE], "PGGGP"),
    "when its name is taken": ("find_then_resend", [LOST, NOTHING, NOTHING, NOTHING, TAKEN, OURS], "PGGGPG"),
    "when the second is lost": (
        "find_then_resend",
        [LOST, NOTHING, NOTHING, NOTHING, LOST, NOTHING, OURS],
        "PGGGPGG",
    ),
    "when the second is slowed down": (
        "find_then_resend",
        [LOST, NOTHING, NOTHING, NOTHING, ScriptedServer.http(429), MADE],
        "PGGGPP",
    ),
}


@pytest.mark.parametrize(("on_lost_response", "script", "sent"), FOUND.values(), ids=FOUND)
async def test_the_room_is_returned(
    scripted_server: ScriptedServer,
    fake_clock: FakeClock,
    on_lost_response: OnLostResponse,
    script: list[Reply],
    sent: str,
) -> None:
    """The room is found with just these requests; the hook has seen them all, numbered through."""
    attempts: list[Attempt] = []
    client = RoomsClient(
        "KEY", base_url=scripted_server.url, clock=fake_clock.clock, on_attempt=attempts.append
    )
    scripted_server.respond_with(*script)
    assert await create(client, on_lost_response) == "room-1"
    assert methods(scripted_server) == sent
    assert [each.number for each in attempts] == list(range(1, len(sent) + 1))
    assert "".join(each.method[0] for each in attempts) == sent


UNKNOWN: dict[str, tuple[OnLostResponse, list[Reply], str]] = {
    "not there": ("find", [LOST, NOTHING], "PGGG"),
    "looks that fail": ("find", [FAILED], "PGGG"),
    "another one": ("find", [LOST, ANOTHER], "PGGG"),
    "other settings": ("find", [LOST, found(room(max_participants=9))], "PGGG"),
    "lost twice": ("find_then_resend", [LOST, NOTHING, NOTHING, NOTHING, FAILED, NOTHING], "PGGGPGGG"),
    "nobody looks": ("raise", [LOST], "P"),
}


@pytest.mark.parametrize(("on_lost_response", "script", "sent"), UNKNOWN.values(), ids=UNKNOWN)
async def test_the_outcome_is_unknown(
    client: RoomsClient,
    scripted_server: ScriptedServer,
    on_lost_response: OnLostResponse,
    script: list[Reply],
    sent: str,
) -> None:
    """When nothing is found, the error holds every request, the name, and what it grew from."""
    scripted_server.respond_with(*script)
    with pytest.raises(OutcomeUnknownError) as caught:
        await create(client, on_lost_response, max_participants=7)
    error = caught.value
    assert methods(scripted_server) == sent
    assert "".join(each.method[0] for each in error.attempts) == sent
    assert [each.number for each in error.attempts] == list(range(1, len(sent) + 1))
    assert (error.operation, error.unique_name, error.room_ids) == ("CreateRoom", "Weekly", ())
    assert isinstance(error.__cause__, ConnectionLostError | InternalServerError)


@pytest.mark.parametrize("on_lost_response", ["find", "find_then_resend"])
async def test_twins_are_named(
    client: RoomsClient, scripted_server: ScriptedServer, on_lost_response: OnLostResponse
) -> None:
    """When several may be it, none is chosen, none deleted, and nothing sent again: the error names them."""
    scripted_server.respond_with(LOST, found(room(1), room(2), room(3, at=0.0)))
    with pytest.raises(OutcomeUnknownError, match="any of room-1, room-2") as caught:
        await create(client, on_lost_response)
    assert (methods(scripted_server), caught.value.room_ids) == ("PG", ("room-1", "room-2"))
    assert [each.operation for each in caught.value.attempts] == ["CreateRoom", "ListRooms"]


@pytest.mark.parametrize("on_lost_response", ["find", "find_then_resend", "raise"])
async def test_a_room_without_a_name(
    client: RoomsClient, scripted_server: ScriptedServer, on_lost_response: OnLostResponse
) -> None:
    """A room that has no name can neither be found nor safely sent again."""
    scripted_server.respond_with(LOST, OURS)
    async with client:
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.rooms.create(on_lost_response=on_lost_response)
    assert (methods(scripted_server), caught.value.unique_name) == ("P", None)


# --- sent again, and told as it is --------------------------------------------------------------------------

REFUSED_AGAIN: dict[str, Reply] = {
    "a key that is no longer good": ScriptedServer.http(401),
    "no permission": ScriptedServer.http(403),
    "another error": ScriptedServer.http(400),
    "a limit": ScriptedServer.http(429, Retry_After="3600"),
    "out of service": ScriptedServer.http(503, Retry_After="3600"),
    "not implemented": ScriptedServer.http(501),
    "a redirect": ScriptedServer.http(302, Location="/v3"),
}


@pytest.mark.parametrize("reply", REFUSED_AGAIN.values(), ids=REFUSED_AGAIN)
async def test_a_refusal_of_the_second_says_nothing_of_the_first(
    client: RoomsClient, scripted_server: ScriptedServer, reply: Reply
) -> None:
    """When the room is sent again and refused, the first request may still have made it: that is told."""
    scripted_server.respond_with(LOST, NOTHING, NOTHING, NOTHING, reply)
    with pytest.raises(OutcomeUnknownError) as caught:
        await create(client, "find_then_resend")
    assert methods(scripted_server).count("P") == 2
    assert caught.value.attempts[0].sent


async def test_an_unsent_second_says_nothing_of_the_first(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """When the room cannot be sent again, the first request may still have made it: that is told."""
    server = await asyncio.start_server(scripted_server.serve, "127.0.0.1", 0)
    scripted_server.port = server.sockets[0].getsockname()[1]
    nothing = Reply(
        ScriptedServer.http(200, NOTHING.data.partition(b"\r\n\r\n")[2], Connection="close").data, "close"
    )
    scripted_server.respond_with(LOST, nothing)

    def watch(attempt: Attempt) -> None:
        if attempt.number == 4:
            server.close()

    client = RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock, on_attempt=watch)
    with pytest.raises(OutcomeUnknownError) as caught:
        await create(client, "find_then_resend")
    assert methods(scripted_server) == "PGGG"
    assert isinstance(caught.value.__cause__, APIConnectionError)


@pytest.mark.parametrize(
    "look", [FAILED, LOST, ScriptedServer.http(401), NOTHING], ids=["500", "lost", "401", "not there"]
)
async def test_a_name_that_is_taken_by_nobody_knows_whom(
    client: RoomsClient, scripted_server: ScriptedServer, look: Reply
) -> None:
    """When the name is taken at the second time, and no look tells by whom, then probably by ourselves."""
    scripted_server.respond_with(LOST, look, look, look, TAKEN, look)
    with pytest.raises(OutcomeUnknownError) as caught:
        await create(client, "find_then_resend")
    assert methods(scripted_server) == "PGGGPGGG"
    assert caught.value.unique_name == "Weekly"


async def test_a_name_that_is_taken_by_another(client: RoomsClient, scripted_server: ScriptedServer) -> None:
    """When the looks show that an older room has the name, it is an ordinary refusal."""
    scripted_server.respond_with(LOST, ANOTHER, ANOTHER, ANOTHER, TAKEN, ANOTHER)
    with pytest.raises(NameTakenError) as caught:
        await create(client, "find_then_resend")
    assert methods(scripted_server).startswith("PGGGP")
    assert len(caught.value.attempts) >= 5


@pytest.mark.parametrize("on_lost_response", ["find", "find_then_resend", "raise"])
@pytest.mark.parametrize(
    ("reply", "error"),
    [(TAKEN, NameTakenError), (ScriptedServer.http(401), AuthenticationError)],
    ids=["422", "401"],
)
async def test_a_refusal_at_once(
    client: RoomsClient,
    scripted_server: ScriptedServer,
    on_lost_response: OnLostResponse,
    reply: Reply,
    error: type[Exception],
) -> None:
    """What the server refuses at once was not made: nothing is looked for, nothing sent again."""
    scripted_server.respond_with(reply)
    with pytest.raises(error):
        await create(client, on_lost_response)
    assert methods(scripted_server) == "P"


async def test_nothing_is_sent_again_after_the_deadline(scripted_server: ScriptedServer) -> None:
    """When the time of the call is over, it is not used for another request."""
    scripted_server.respond_with(Reply(b"", "hang"))
    client = RoomsClient("KEY", base_url=scripted_server.url, timeout=0.2)
    with pytest.raises(OutcomeUnknownError) as caught:
        await create(client, "find_then_resend")
    assert (len(caught.value.attempts), methods(scripted_server)) == (1, "P")


# --- the budget ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_watched", [True, False], ids=["with a hook", "without"])
@pytest.mark.parametrize(
    ("script", "change"),
    [([MADE], 1), ([LOST, OURS], 0), ([LOST, NOTHING], 0), ([LOST, NOTHING, OURS], 0), ([LOST, FAILED], -42)],
    ids=["made", "found", "not found", "found later", "looks that fail"],
)
async def test_looks_are_paid_for(
    scripted_server: ScriptedServer,
    fake_clock: FakeClock,
    script: list[Reply],
    change: float,
    *,
    is_watched: bool,
) -> None:
    """A look costs what a repetition does, and is paid back once when it is answered; no more than that."""
    seen: list[Attempt] = []
    hook = seen.append if is_watched else None
    client = RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock, on_attempt=hook)
    budget = client._api.budget
    budget._level = 200.0
    scripted_server.respond_with(*script)
    with suppress(OutcomeUnknownError):
        await create(client, "find")
    passed = fake_clock.seconds - 1000
    assert 200 + change - 0.001 <= budget.level <= 200 + change + passed + 0.001


@pytest.mark.parametrize("on_lost_response", ["find", "find_then_resend"])
async def test_the_attempts_do_not_hang_on_who_watches(
    scripted_server: ScriptedServer, fake_clock: FakeClock, on_lost_response: OnLostResponse
) -> None:
    """The attempts in an error are the same with a hook and without."""
    seen: list[Attempt] = []
    told: list[list[tuple[int, str, int | None]]] = []
    for hook in (seen.append, None):
        scripted_server.respond_with(LOST, NOTHING)
        client = RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock, on_attempt=hook)
        with pytest.raises(OutcomeUnknownError) as caught:
            await create(client, on_lost_response)
        told.append([(each.number, each.operation, each.status) for each in caught.value.attempts])
    assert told[0] == told[1]


# --- an outage ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on_lost_response", ["find", "find_then_resend", "raise"])
@pytest.mark.parametrize("reply", [FAILED, LOST], ids=["500", "lost"])
async def test_an_outage_is_not_met_with_more_load(
    scripted_server: ScriptedServer, on_lost_response: OnLostResponse, reply: Reply
) -> None:
    """Five hundred creations in a full outage come to at most 560 requests, looks and all."""
    scripted_server.respond_with(reply)
    fake_clock = FakeClock(1000.0)

    async def no_time(_seconds: float) -> None:
        await asyncio.sleep(0)

    clock = fake_clock.clock
    client = RoomsClient(
        "KEY",
        base_url=scripted_server.url,
        clock=type(clock)(monotonic=clock.monotonic, now=clock.now, sleep=no_time),
    )
    async with client:
        creations = (
            client.rooms.create(unique_name=f"Room {number}", on_lost_response=on_lost_response)
            for number in range(500)
        )
        outcomes = await asyncio.gather(*creations, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {OutcomeUnknownError}
    assert methods(scripted_server).count("P") >= 500
    assert len(scripted_server.requests) <= 560
