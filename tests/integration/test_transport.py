"""Faults of the wire, from a server of raw sockets: what each comes to, and how often it is tried."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from telnyx_rooms_async import (
    APIConnectionError,
    APITimeoutError,
    ConnectError,
    RetryPolicy,
    Room,
    RoomsClient,
    TelnyxRoomsError,
)
from tests.helpers.clocks import FakeClock
from tests.helpers.scripted_server import Reply, ScriptedServer

ROOM = b'{"data":{"id":"a-room","unique_name":"Weekly"}}'
OK = ScriptedServer.http(200, ROOM)


def make_client(scripted_server: ScriptedServer, fake_clock: FakeClock, **options: object) -> RoomsClient:
    """Make a client that never really sleeps."""
    return RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock, **options)  # type: ignore[arg-type]  # whatever a client takes


async def outcome(client: RoomsClient) -> Room | TelnyxRoomsError:
    """Read a room, and return what comes."""
    async with client:
        try:
            return await client.rooms.retrieve("a-room")
        except TelnyxRoomsError as error:
            return error


def chunked(*parts: bytes) -> bytes:
    """Write an answer in chunks, without its end."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


async def test_no_retry_starts_that_would_pass_the_deadline(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    scripted_server.respond_with(ScriptedServer.http(503))
    error = await outcome(make_client(scripted_server, fake_clock, timeout=0.2))
    assert len(scripted_server.requests) == 1
    assert fake_clock.sleeps == []
    assert "503" in str(error)


async def test_cookies_are_not_stored(scripted_server: ScriptedServer, fake_clock: FakeClock) -> None:
    scripted_server.respond_with(ScriptedServer.http(200, ROOM, Set_Cookie="track=1; Path=/"))
    # By name: aiohttp's own jar would not keep the cookies of a bare address either.
    url = scripted_server.url.replace("127.0.0.1", "localhost")
    async with RoomsClient("KEY", base_url=url, clock=fake_clock.clock) as client:
        await client.rooms.retrieve("a-room")
        await client.rooms.retrieve("a-room")
    assert all(b"cookie" not in request.lower() for request in scripted_server.requests)


async def test_the_headers_of_a_request(scripted_server: ScriptedServer, fake_clock: FakeClock) -> None:
    scripted_server.respond_with(OK)
    await outcome(make_client(scripted_server, fake_clock))
    lines = scripted_server.requests[0].decode().split("\r\n")
    assert lines[0] == "GET /v2/rooms/a-room HTTP/1.1"
    assert "Authorization: Bearer KEY" in lines
    assert "Accept: application/json" in lines
    assert any(line.startswith("User-Agent: telnyx-rooms-async/") for line in lines)


async def test_proxy_variables_are_used_only_with_trust_env(
    scripted_server: ScriptedServer, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted_server.respond_with(OK)
    monkeypatch.setenv("http_proxy", scripted_server.url.removesuffix("/v2"))
    target = "http://elsewhere.localhost:9/v2"
    ignored = await outcome(RoomsClient("KEY", base_url=target, clock=fake_clock.clock, allow_insecure=True))
    assert isinstance(ignored, APIConnectionError)
    assert scripted_server.requests == []
    trusting = RoomsClient(
        "KEY", base_url=target, clock=fake_clock.clock, trust_env=True, allow_insecure=True
    )
    assert isinstance(await outcome(trusting), Room)
    assert scripted_server.requests[0].startswith(
        b"GET http://elsewhere.localhost:9/v2/rooms/a-room HTTP/1.1\r\n"
    )


@pytest.fixture
async def proxy(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ScriptedServer]:
    """A server that the environment has for a proxy."""
    it = ScriptedServer()
    server = await asyncio.start_server(it.serve, "127.0.0.1", 0)
    it.port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("http_proxy", it.url.removesuffix("/v2"))
    yield it
    server.close()


async def downloaded(base_url: str, fake_clock: FakeClock) -> bytes:
    """Download a file by a client that trusts its environment."""
    file = io.BytesIO()
    options: dict[str, Any] = {"trust_env": True, "allow_insecure": True}
    async with RoomsClient("KEY", base_url=base_url, clock=fake_clock.clock, **options) as client:
        await client.recordings.download("it", file)
    return file.getvalue()


def link_to(url: str) -> Reply:
    """Answer with a recording whose file is there."""
    recording = {"id": "it", "status": "completed", "download_url": url}
    return ScriptedServer.http(200, json.dumps({"data": recording}).encode())


async def test_a_download_from_a_host_in_no_proxy_is_direct(
    scripted_server: ScriptedServer,
    proxy: ScriptedServer,
    fake_clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    proxy.respond_with(link_to(f"http://127.0.0.1:{scripted_server.port}/file"))
    scripted_server.respond_with(ScriptedServer.http(200, b"file"))
    assert await downloaded("http://api.localhost:9/v2", fake_clock) == b"file"
    assert [request.partition(b" HTTP")[0] for request in (*proxy.requests, *scripted_server.requests)] == [
        b"GET http://api.localhost:9/v2/room_recordings/it",
        b"GET /file",
    ]


async def test_a_download_uses_the_proxy_of_its_own_host(
    scripted_server: ScriptedServer,
    proxy: ScriptedServer,
    fake_clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    scripted_server.respond_with(link_to("http://store.localhost:9/file"))
    proxy.respond_with(ScriptedServer.http(200, b"file"))
    assert await downloaded(scripted_server.url, fake_clock) == b"file"
    assert [request.partition(b" HTTP")[0] for request in (*scripted_server.requests, *proxy.requests)] == [
        b"GET /v2/room_recordings/it",
        b"GET http://store.localhost:9/file",
    ]


async def test_connections_are_limited_and_reused(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    scripted_server.respond_with(OK)
    most = 0
    async with make_client(scripted_server, fake_clock, max_connections=2) as client:

        async def call() -> None:
            nonlocal most
            await client.rooms.retrieve("a-room")
            most = max(most, scripted_server.open_connections)

        await asyncio.gather(*(call() for _ in range(50)))
    assert len(scripted_server.requests) == 50
    assert most == 2


async def test_a_call_without_a_connection_of_a_shared_pool_was_not_sent(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    scripted_server.respond_with(ScriptedServer.raw(b"", "hang"))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        others = asyncio.create_task(session.get(scripted_server.url))
        while not scripted_server.requests:
            await asyncio.sleep(0)
        options = {"attempt_timeout": 0.2, "session": session, "retry": RetryPolicy(attempts=1)}
        async with make_client(scripted_server, fake_clock, **options) as client:
            with pytest.raises(ConnectError) as caught:
                await client.rooms.create()
        assert caught.value.sent is False
        others.cancel()
        with pytest.raises(asyncio.CancelledError):
            await others
    assert len(scripted_server.requests) == 1


async def test_an_error_does_not_contain_received_bytes(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    scripted_server.respond_with(
        ScriptedServer.raw(chunked(b'{"data":{"token":"CANARY') + b"not a size CANARY\r\n")
    )
    error = await outcome(make_client(scripted_server, fake_clock))
    assert isinstance(error, TelnyxRoomsError)
    assert "CANARY" not in f"{error} {vars(error)}"


async def test_a_wait_is_bounded_by_its_own_time(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    scripted_server.respond_with(ScriptedServer.raw(b"", "hang"))
    client = RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock)
    async with asyncio.timeout(10), client:  # a call alone would take 15 s
        fake_clock.seconds -= 0.01
        waiting = asyncio.create_task(client.compositions.wait("a-composition", timeout=0.05))
        while not scripted_server.requests:
            await asyncio.sleep(0)
        fake_clock.seconds += 1
        with pytest.raises(APITimeoutError, match="was not done in"):
            await waiting
