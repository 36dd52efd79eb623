"""Requests on the wire: headers, connections, deadlines, and the sizes of responses.

Faults of connections and responses are in tests/faults.
"""

import asyncio
import gzip
from typing import Any

import aiohttp
import pytest

from telnyx_rooms_async import (
    APITimeoutError,
    ConnectError,
    ConnectionLostError,
    InternalServerError,
    NotFoundError,
    RetryPolicy,
    Room,
    RoomsClient,
)
from tests.helpers.clocks import FakeClock, wait_until
from tests.helpers.scripted_server import ScriptedServer

ROOM = b'{"data":{"id":"a-room"}}'
OK = ScriptedServer.http(200, ROOM)
HANG = ScriptedServer.raw(b"", "hang")
ONCE = RetryPolicy(attempts=1)


def new_client(server: ScriptedServer, fake_clock: FakeClock, **options: Any) -> RoomsClient:
    """Return a client that does not sleep between attempts."""
    return RoomsClient("KEY", base_url=server.url, clock=fake_clock.clock, **options)


# --- requests and responses ---------------------------------------------------------------------------------


async def test_request_has_the_key_and_the_name_of_the_library(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    scripted_server.respond_with(OK)
    async with new_client(scripted_server, fake_clock) as client:
        await client.rooms.retrieve("a-room")
    lines = scripted_server.requests[0].decode().split("\r\n")
    assert lines[0] == "GET /v2/rooms/a-room HTTP/1.1"
    assert {"Authorization: Bearer KEY", "Accept: application/json"} <= set(lines)
    assert any(line.startswith("User-Agent: telnyx-rooms-async/") for line in lines)


LONG_HEADER = f"default-src {'a' * 60_000}"


@pytest.mark.parametrize(
    "reply",
    [
        ScriptedServer.http(200, gzip.compress(ROOM), Content_Encoding="gzip"),
        ScriptedServer.http(200, ROOM, Content_Security_Policy=LONG_HEADER),
        ScriptedServer.raw(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + OK.data),
    ],
    ids=["gzip", "header of 60 KB", "interim responses"],
)
async def test_unusual_response_is_read(
    scripted_server: ScriptedServer, fake_clock: FakeClock, reply: Any
) -> None:
    scripted_server.respond_with(reply)
    async with new_client(scripted_server, fake_clock) as client:
        assert await client.rooms.retrieve("a-room") == Room(id="a-room")


async def test_error_body_of_a_megabyte_does_not_hide_the_status(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    scripted_server.respond_with(ScriptedServer.http(404, b"<html>" * 200_000))
    async with new_client(scripted_server, fake_clock) as client:
        with pytest.raises(NotFoundError) as caught:
            await client.rooms.retrieve("a-room")
    assert caught.value.errors == ()


# --- connections ------------------------------------------------------------------------------------------


async def test_calls_share_at_most_max_connections(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    scripted_server.respond_with(OK)
    open_connections: list[int] = []
    async with new_client(scripted_server, fake_clock, max_connections=2) as client:

        async def call() -> None:
            await client.rooms.retrieve("a-room")
            open_connections.append(scripted_server.open_connections)

        await asyncio.gather(*(call() for _ in range(50)))
    assert len(scripted_server.requests) == 50
    assert max(open_connections) == 2


async def test_call_waits_for_a_connection_until_its_deadline(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    scripted_server.respond_with(HANG, OK)
    async with new_client(scripted_server, fake_clock, max_connections=1) as client:
        first = asyncio.create_task(client.rooms.retrieve("a-room"))
        await wait_until(lambda: len(scripted_server.requests) > 0)
        with pytest.raises(APITimeoutError) as caught:
            await client.with_options(timeout=0.05).rooms.create()
        assert (caught.value.sent, caught.value.deadline, caught.value.attempts) == (False, True, ())
        first.cancel()
        assert (await client.rooms.retrieve("a-room")).id == "a-room"
    assert len(scripted_server.requests) == 2


async def test_call_that_gets_no_connection_of_a_borrowed_session_was_not_sent(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    scripted_server.respond_with(HANG)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        other = asyncio.create_task(session.get(scripted_server.url))
        await wait_until(lambda: len(scripted_server.requests) > 0)
        client = new_client(scripted_server, fake_clock, session=session, retry=ONCE)
        with FakeClock().fast_forward(), pytest.raises(ConnectError) as caught:
            await client.rooms.create()
        assert caught.value.sent is False
        other.cancel()
        with pytest.raises(asyncio.CancelledError):
            await other
    assert len(scripted_server.requests) == 1


@pytest.mark.parametrize("is_borrowed", [True, False])
async def test_delete_is_not_resent_by_aiohttp_when_the_connection_breaks(
    scripted_server: ScriptedServer, fake_clock: FakeClock, *, is_borrowed: bool
) -> None:
    scripted_server.respond_with(OK, ScriptedServer.raw(b"", "close"))
    async with aiohttp.ClientSession() as session:
        borrowed = session if is_borrowed else None
        async with new_client(scripted_server, fake_clock, session=borrowed, retry=ONCE) as client:
            await client.rooms.retrieve("a-room")  # aiohttp resends only on a connection that was used before
            with pytest.raises(ConnectionLostError):
                await client.rooms.delete("a-room")
    assert [request.split()[0] for request in scripted_server.requests] == [b"GET", b"DELETE"]


async def test_cancelled_call_closes_its_connection(scripted_server: ScriptedServer) -> None:
    scripted_server.respond_with(HANG, OK)
    async with RoomsClient("KEY", base_url=scripted_server.url, retry=ONCE) as client:
        call = asyncio.create_task(client.rooms.retrieve("a-room"))
        await wait_until(lambda: len(scripted_server.requests) > 0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(client.rooms.retrieve("a-room"), 60)
        assert scripted_server.open_connections == 1


# --- deadlines --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "is_deadline", "requests"),
    [({"timeout": 10}, True, 1), ({"attempt_timeout": 10}, False, 3)],
    ids=["call", "attempt"],
)
async def test_timeout_error_says_which_time_ran_out(
    scripted_server: ScriptedServer,
    fake_clock: FakeClock,
    options: dict[str, Any],
    requests: int,
    *,
    is_deadline: bool,
) -> None:
    scripted_server.respond_with(HANG)
    with fake_clock.fast_forward():
        async with new_client(scripted_server, fake_clock, **options) as client:
            with pytest.raises(APITimeoutError) as caught:
                await client.rooms.retrieve("a-room")
    assert (caught.value.sent, caught.value.deadline) == (True, is_deadline)
    assert len(scripted_server.requests) == requests


async def test_call_is_not_retried_when_the_delay_would_outlast_its_deadline(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    scripted_server.respond_with(ScriptedServer.http(503))
    with fake_clock.fast_forward():
        async with new_client(scripted_server, fake_clock, timeout=0.2) as client:
            with pytest.raises(InternalServerError):
                await client.rooms.retrieve("a-room")
    assert len(scripted_server.requests) == 1
    assert fake_clock.sleeps == []


async def test_timeout_of_a_wait_bounds_its_calls(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    scripted_server.respond_with(HANG)
    with fake_clock.fast_forward():
        started = fake_clock.seconds
        async with new_client(scripted_server, fake_clock, timeout=1000, attempt_timeout=1000) as client:
            with pytest.raises(APITimeoutError):
                await client.compositions.wait("a-composition", timeout=60)
        assert 60 <= fake_clock.seconds - started < 70
