"""Requests on the wire: headers, connections, and aiohttp's own retries.

Faults of connections and responses, deadlines and cancelled calls are in tests/faults.
"""

import asyncio
from typing import Any

import aiohttp
import pytest

from telnyx_rooms_async import (
    ConnectError,
    ConnectionLostError,
    RetryPolicy,
    RoomsClient,
    UnprocessableEntityError,
)
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock, wait_until
from tests.helpers.raw_server import Connection, RawServer, http_response, running
from tests.helpers.scripted_server import ScriptedServer

ROOM = b'{"data":{"id":"a-room"}}'
OK = ScriptedServer.http(200, ROOM)
HANG = ScriptedServer.raw(b"", "hang")
ONCE = RetryPolicy(max_attempts=1)


def new_client(server: ScriptedServer, fake_clock: FakeClock, **options: Any) -> RoomsClient:
    """Return a client that does not sleep between attempts."""
    return RoomsClient("KEY", base_url=server.url, clock=fake_clock.clock, **options)


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


async def test_response_header_of_60_kilobytes_is_read(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    header = f"default-src {'a' * 60_000}"
    scripted_server.respond_with(ScriptedServer.http(200, ROOM, Content_Security_Policy=header))
    async with new_client(scripted_server, fake_clock) as client:
        response = await client.request("GET", "/rooms/a-room")
    assert response.headers["Content-Security-Policy"] == header


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


class EarlyServer(RawServer):
    """Responds when it has read the headers, and then reads the body."""

    async def serve_requests(self, connection: Connection) -> None:
        await connection.reader.readuntil(b"\r\n\r\n")
        await connection.send(http_response(422), "hang")


async def test_call_whose_response_comes_early_ends_when_its_request_is_sent() -> None:
    async with running(EarlyServer()) as server, RoomsClient("KEY", base_url=server.url) as client:
        server.shrink_buffers()
        with pytest.raises(UnprocessableEntityError):
            await client.rooms.create(unique_name="x" * 8_000_000)
        assert asyncio.all_tasks() - server.tasks == {asyncio.current_task()}


async def test_value_error_of_a_trace_hook_is_raised_as_it_is(telnyx: Emulator) -> None:
    async def fail(*_: object) -> None:
        raise ValueError("of the hook")

    hooks = aiohttp.TraceConfig()
    hooks.on_request_start.append(fail)
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url, trace_configs=[hooks]) as client:
        with pytest.raises(ValueError, match="of the hook"):
            await client.rooms.create()
    assert telnyx.requests == []
