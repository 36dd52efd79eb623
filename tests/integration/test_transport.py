"""Faults of the wire, from a server of raw sockets: what each comes to, and how often it is tried."""

import asyncio
import gzip
import io
import json
import math
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import aiohttp
import pytest
import trustme

from telnyx_rooms_async import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    ClientClosedError,
    ConnectError,
    ConnectionLostError,
    MalformedResponseError,
    OutcomeUnknownError,
    Response,
    ResponseTooLargeError,
    RetryPolicy,
    Room,
    RoomsClient,
    TelnyxRoomsError,
    TLSError,
    UnexpectedRedirectError,
)
from telnyx_rooms_async.core.http_messages import Request
from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.http.connection import attempt_timeout
from telnyx_rooms_async.http.in_flight import InFlightCalls
from telnyx_rooms_async.http.transport import AiohttpTransport
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


LOST = {
    "closed before the answer": ScriptedServer.raw(b""),
    "reset before the answer": ScriptedServer.raw(b"", "reset"),
    "closed in the headers": ScriptedServer.raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "closed in the body": ScriptedServer.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
    "closed in a chunk": ScriptedServer.raw(chunked(b'{"data":')),
}


@pytest.mark.parametrize("reply", LOST.values(), ids=LOST)
async def test_a_lost_connection_is_tried_three_times(
    scripted_server: ScriptedServer, fake_clock: FakeClock, reply: Reply
) -> None:
    """A read whose answers keep getting lost ends with ConnectionLostError after 3 requests, not 6."""
    scripted_server.respond_with(reply)
    error = await outcome(make_client(scripted_server, fake_clock))
    assert type(error) is ConnectionLostError
    assert error.sent is True
    assert len(scripted_server.requests) == 3
    assert [attempt.failure for attempt in error.attempts] == ["lost"] * 3
    assert fake_clock.sleeps == [0.25, 0.5]


@pytest.mark.parametrize("reply", LOST.values(), ids=LOST)
async def test_a_connection_lost_once_costs_one_more_request(
    scripted_server: ScriptedServer, fake_clock: FakeClock, reply: Reply
) -> None:
    """A read whose answer is lost once succeeds with the second request, the same bytes as the first."""
    scripted_server.respond_with(reply, OK)
    assert await outcome(make_client(scripted_server, fake_clock)) == Room(id="a-room", unique_name="Weekly")
    assert len(scripted_server.requests) == 2
    assert scripted_server.requests[0] == scripted_server.requests[1]


@pytest.mark.parametrize("reply", LOST.values(), ids=LOST)
async def test_a_create_is_not_repeated_once_it_may_have_arrived(
    scripted_server: ScriptedServer, fake_clock: FakeClock, reply: Reply
) -> None:
    """A create whose answer is lost is sent once, and told as an unknown outcome with its name."""
    scripted_server.respond_with(reply, ScriptedServer.http(201, ROOM))
    async with make_client(scripted_server, fake_clock) as client:
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.rooms.create(unique_name="Weekly", on_lost_response="raise")
    assert len(scripted_server.requests) == 1
    assert (caught.value.operation, caught.value.unique_name) == ("CreateRoom", "Weekly")
    assert isinstance(caught.value.__cause__, ConnectionLostError)
    assert len(caught.value.attempts) == 1


async def test_a_dead_kept_alive_connection_costs_one_more_request(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """A kept connection that the server closed is noticed, and the request made anew on another."""
    scripted_server.respond_with(OK, ScriptedServer.raw(b""), OK)
    async with make_client(scripted_server, fake_clock) as client:
        await client.rooms.retrieve("a-room")
        await client.rooms.retrieve("a-room")
    assert len(scripted_server.requests) == 3


async def test_nobody_listens(fake_clock: FakeClock) -> None:
    """A refused connection is a ConnectError after 3 tries; nothing was sent."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    error = await outcome(RoomsClient("KEY", base_url=f"http://127.0.0.1:{port}", clock=fake_clock.clock))
    assert type(error) is ConnectError
    assert error.sent is False
    assert len(error.attempts) == 3


async def test_a_create_that_was_never_sent_is_repeated(fake_clock: FakeClock) -> None:
    """A create is tried three times where nobody listens: no room can have been made."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    async with RoomsClient("KEY", base_url=f"http://127.0.0.1:{port}", clock=fake_clock.clock) as client:
        with pytest.raises(ConnectError) as caught:
            await client.rooms.create()
    assert len(caught.value.attempts) == 3


async def test_an_unknown_host(fake_clock: FakeClock) -> None:
    """A name that does not resolve is a ConnectError."""
    error = await outcome(RoomsClient("KEY", base_url="https://nowhere.invalid", clock=fake_clock.clock))
    assert type(error) is ConnectError


async def test_an_untrusted_server(scripted_server: ScriptedServer, fake_clock: FakeClock) -> None:
    """A server whose certificate nobody vouches for is a TLSError after one try, and sees no request."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with await asyncio.start_server(scripted_server.serve, "127.0.0.1", 0, ssl=context) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v2"
        error = await outcome(RoomsClient("KEY", base_url=url, clock=fake_clock.clock))
    assert type(error) is TLSError
    assert error.sent is False
    assert len(error.attempts) == 1
    assert scripted_server.requests == []


HANGS = {
    "no answer": ScriptedServer.raw(b"", "hang"),
    "half the headers": ScriptedServer.raw(b"HTTP/1.1 200 OK\r\nConte", "hang"),
    "half the body": ScriptedServer.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "hang"),
    "one interim answer": ScriptedServer.raw(b"HTTP/1.1 103 Early Hints\r\n\r\n", "hang"),
}


@pytest.mark.parametrize("reply", HANGS.values(), ids=HANGS)
async def test_a_server_that_hangs(
    scripted_server: ScriptedServer, fake_clock: FakeClock, reply: Reply
) -> None:
    """An attempt without a complete answer in time is an APITimeoutError; it was sent."""
    scripted_server.respond_with(reply)
    error = await outcome(make_client(scripted_server, fake_clock, attempt_timeout=0.05))
    assert type(error) is APITimeoutError
    assert isinstance(error, TimeoutError)
    assert (error.sent, error.deadline) == (True, False)
    assert len(scripted_server.requests) == 3


async def test_the_deadline_of_the_whole_call(scripted_server: ScriptedServer, fake_clock: FakeClock) -> None:
    """When less time is left than an attempt may take, the error says that the call's time ran out."""
    scripted_server.respond_with(ScriptedServer.raw(b"", "hang"))
    async with asyncio.timeout(5):  # an attempt alone would take 15 s
        error = await outcome(make_client(scripted_server, fake_clock, timeout=0.05))
    assert isinstance(error, APITimeoutError)
    assert error.deadline is True


async def test_no_pause_is_begun_that_would_outlast_the_call(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """A failure whose pause would end after the deadline is raised at once."""
    scripted_server.respond_with(ScriptedServer.http(503))
    error = await outcome(make_client(scripted_server, fake_clock, timeout=0.2))
    assert len(scripted_server.requests) == 1
    assert fake_clock.sleeps == []
    assert "503" in str(error)


MALFORMED = {
    "no HTTP at all": b"220 ftp.example.com ready\r\n\r\n",
    "a broken status line": b"HTTP/1.1 banana\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    "a header without a name": b"HTTP/1.1 200 OK\r\n: nothing\r\n\r\n",
    "a header without end": b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n",
    "an upgrade nobody asked for": b"HTTP/1.1 101 Switch\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
async def test_what_is_not_http_is_not_tried_again(
    scripted_server: ScriptedServer, fake_clock: FakeClock, data: bytes
) -> None:
    """An answer that breaks HTTP is a MalformedResponseError after one request."""
    scripted_server.respond_with(ScriptedServer.raw(data))
    error = await outcome(make_client(scripted_server, fake_clock))
    assert type(error) is MalformedResponseError
    assert len(scripted_server.requests) == 1
    assert len(str(error)) <= 300


async def test_interim_answers_are_passed_over(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """A few 1xx answers before the real one change nothing."""
    scripted_server.respond_with(
        ScriptedServer.raw(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + OK.data)
    )
    assert isinstance(await outcome(make_client(scripted_server, fake_clock)), Room)


REDIRECTS = [301, 302, 303, 304, 307, 308]


@pytest.mark.parametrize("status", REDIRECTS)
async def test_no_redirect_is_followed(
    scripted_server: ScriptedServer, fake_clock: FakeClock, status: int
) -> None:
    """A redirect is an error after one request: the key goes nowhere else."""
    scripted_server.respond_with(ScriptedServer.http(status, Location=scripted_server.url + "/elsewhere"), OK)
    error = await outcome(make_client(scripted_server, fake_clock))
    assert type(error) is UnexpectedRedirectError
    assert error.status == status
    assert len(scripted_server.requests) == 1


async def test_a_redirected_create_is_no_unknown_outcome(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """A create that is redirected was not carried out."""
    scripted_server.respond_with(ScriptedServer.http(307, Location=scripted_server.url + "/elsewhere"))
    async with make_client(scripted_server, fake_clock) as client:
        with pytest.raises(UnexpectedRedirectError):
            await client.rooms.create()


async def test_an_answer_without_end_is_cut_off(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """A body beyond 8 MiB is refused while it is read."""
    scripted_server.respond_with(ScriptedServer.http(200, b'{"data":"' + b"x" * (8 * 2**20) + b'"}'))
    error = await outcome(make_client(scripted_server, fake_clock))
    assert type(error) is ResponseTooLargeError
    assert len(scripted_server.requests) == 1


async def test_a_bomb_is_cut_off(scripted_server: ScriptedServer, fake_clock: FakeClock) -> None:
    """A small body that unpacks to more than 8 MiB is refused just so."""
    scripted_server.respond_with(
        ScriptedServer.http(200, gzip.compress(b"0" * (64 * 2**20)), Content_Encoding="gzip")
    )
    assert type(await outcome(make_client(scripted_server, fake_clock))) is ResponseTooLargeError


async def test_a_large_error_body_keeps_its_status(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """An error body is read up to 64 KiB, and typed by its status."""
    scripted_server.respond_with(ScriptedServer.http(404, b"<html>" * 200_000))
    error = await outcome(make_client(scripted_server, fake_clock))
    assert type(error).__name__ == "NotFoundError"
    assert str(error) == "404 without an explanation"


async def test_a_corrupt_compression_is_tried_again(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """A body that cannot be unpacked is an APIResponseValidationError after 3 requests."""
    scripted_server.respond_with(
        ScriptedServer.http(200, b"\x1f\x8b not gzip at all", Content_Encoding="gzip")
    )
    error = await outcome(make_client(scripted_server, fake_clock))
    assert type(error) is APIResponseValidationError
    assert len(scripted_server.requests) == 3


async def test_a_compressed_answer_is_read(scripted_server: ScriptedServer, fake_clock: FakeClock) -> None:
    """A sound compressed body is read like any other."""
    scripted_server.respond_with(ScriptedServer.http(200, gzip.compress(ROOM), Content_Encoding="gzip"))
    assert isinstance(await outcome(make_client(scripted_server, fake_clock)), Room)


WRONG_SHAPES = {
    "empty": (b"", "$: the body is empty"),
    "HTML": (b"<html></html>", "$: JSON is malformed"),
    "list": (b"[]", "$: expected object, got array"),
    "null": (b"null", "$: expected object, got null"),
    "null id": (b'{"data":{"id":null}}', "$.data.id: expected string, got null"),
}


@pytest.mark.parametrize(("body", "misfit"), WRONG_SHAPES.values(), ids=WRONG_SHAPES)
async def test_a_success_of_the_wrong_shape(
    scripted_server: ScriptedServer, fake_clock: FakeClock, body: bytes, misfit: str
) -> None:
    """A 200 that is no room names the path of what does not fit, after one request."""
    scripted_server.respond_with(ScriptedServer.http(200, body, x_request_id="req-7"))
    error = await outcome(make_client(scripted_server, fake_clock))
    assert type(error) is APIResponseValidationError
    assert error.misfits[0].startswith(misfit)
    assert (error.status, error.request_id, len(scripted_server.requests)) == (200, "req-7", 1)


async def test_cookies_are_not_kept(scripted_server: ScriptedServer, fake_clock: FakeClock) -> None:
    """A cookie that the server sets is never sent back."""
    scripted_server.respond_with(ScriptedServer.http(200, ROOM, Set_Cookie="track=1; Path=/"))
    # By name: aiohttp's own jar would not keep the cookies of a bare address either.
    url = scripted_server.url.replace("127.0.0.1", "localhost")
    async with RoomsClient("KEY", base_url=url, clock=fake_clock.clock) as client:
        await client.rooms.retrieve("a-room")
        await client.rooms.retrieve("a-room")
    assert all(b"cookie" not in request.lower() for request in scripted_server.requests)


async def test_the_headers_of_a_request(scripted_server: ScriptedServer, fake_clock: FakeClock) -> None:
    """A request bears the key, says what it accepts, and names this library."""
    scripted_server.respond_with(OK)
    await outcome(make_client(scripted_server, fake_clock))
    lines = scripted_server.requests[0].decode().split("\r\n")
    assert lines[0] == "GET /v2/rooms/a-room HTTP/1.1"
    assert "Authorization: Bearer KEY" in lines
    assert "Accept: application/json" in lines
    assert any(line.startswith("User-Agent: telnyx-rooms-async/") for line in lines)


async def test_proxy_variables_count_only_when_trusted(
    scripted_server: ScriptedServer, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment's proxy is passed by unless trust_env says so."""
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
    about = {"id": "it", "status": "completed", "download_url": url}
    return ScriptedServer.http(200, json.dumps({"data": about}).encode())


async def test_a_store_that_needs_no_proxy(
    scripted_server: ScriptedServer,
    proxy: ScriptedServer,
    fake_clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A store that the environment exempts from the proxy of the API is asked directly."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    proxy.respond_with(link_to(f"http://127.0.0.1:{scripted_server.port}/file"))
    scripted_server.respond_with(ScriptedServer.http(200, b"file"))
    assert await downloaded("http://api.localhost:9/v2", fake_clock) == b"file"
    assert [request.partition(b" HTTP")[0] for request in (*proxy.requests, *scripted_server.requests)] == [
        b"GET http://api.localhost:9/v2/room_recordings/it",
        b"GET /file",
    ]


async def test_a_store_that_needs_a_proxy(
    scripted_server: ScriptedServer,
    proxy: ScriptedServer,
    fake_clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A store is asked by the proxy of the environment also when the API is exempted from it."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    scripted_server.respond_with(link_to("http://store.localhost:9/file"))
    proxy.respond_with(ScriptedServer.http(200, b"file"))
    assert await downloaded(scripted_server.url, fake_clock) == b"file"
    assert [request.partition(b" HTTP")[0] for request in (*scripted_server.requests, *proxy.requests)] == [
        b"GET /v2/room_recordings/it",
        b"GET http://store.localhost:9/file",
    ]


async def test_connections_are_bounded_and_reused(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """Fifty calls at once through two connections all succeed, over two sockets."""
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


async def test_cancellation_passes_untouched(scripted_server: ScriptedServer) -> None:
    """A cancelled call raises CancelledError, closes its socket, and the client goes on."""
    scripted_server.respond_with(ScriptedServer.raw(b"", "hang"), OK)
    async with RoomsClient("KEY", base_url=scripted_server.url, retry=RetryPolicy(attempts=1)) as client:
        call = asyncio.create_task(client.rooms.retrieve("a-room"))
        while not scripted_server.requests:
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        while scripted_server.open_connections:
            await asyncio.sleep(0)
        assert isinstance(await client.rooms.retrieve("a-room"), Room)


async def test_waiting_in_a_shared_pool_ends_before_the_attempt_does(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """A call that got no connection of a session that others use too knows that nothing was sent."""
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


async def test_a_call_beyond_the_connections_waits_its_turn(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """A call that has no connection waits for one as long as its whole time, and then was not sent."""
    scripted_server.respond_with(ScriptedServer.raw(b"", "hang"), ScriptedServer.http(200, ROOM))
    async with make_client(scripted_server, fake_clock, max_connections=1, attempt_timeout=0.2) as client:
        busy = asyncio.create_task(
            client.with_options(retry=RetryPolicy(attempts=1)).rooms.retrieve("a-room")
        )
        while not scripted_server.requests:
            await asyncio.sleep(0)
        with pytest.raises(APITimeoutError) as caught:
            await client.with_options(timeout=0.05).rooms.create()
        assert (caught.value.sent, caught.value.deadline, caught.value.attempts) == (False, True, ())
        assert (await client.rooms.retrieve("a-room")).id == "a-room"
        with pytest.raises(APITimeoutError):
            await busy
    assert len(scripted_server.requests) == 2


async def test_long_timeouts_are_not_rounded_up() -> None:
    """An attempt of more than 5 s ends when it says, not at the next whole second of the loop."""
    assert attempt_timeout(7.25).ceil_threshold == math.inf
    assert (attempt_timeout(7.25).total, attempt_timeout(7.25).connect) == (7.25, 5.0)


async def test_no_error_holds_what_was_received(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """A broken chunk is told without the bytes around it: they may be a token."""
    scripted_server.respond_with(
        ScriptedServer.raw(chunked(b'{"data":{"token":"CANARY') + b"not a size CANARY\r\n")
    )
    error = await outcome(make_client(scripted_server, fake_clock))
    assert isinstance(error, TelnyxRoomsError)
    assert "CANARY" not in f"{error} {vars(error)}"


@pytest.mark.parametrize("status", [404, 500])
async def test_a_refusal_with_a_corrupt_body_keeps_its_status(
    scripted_server: ScriptedServer, fake_clock: FakeClock, status: int
) -> None:
    """An error body that cannot be unpacked, or breaks off, is typed by its status."""
    corrupt = ScriptedServer.http(status, b"\x1f\x8b nothing", Content_Encoding="gzip")
    broken = ScriptedServer.raw(b"HTTP/1.1 %d X\r\nContent-Length: 99\r\n\r\n{" % status)
    for reply in (corrupt, broken):
        scripted_server.respond_with(reply)
        error = await outcome(make_client(scripted_server, fake_clock))
        assert isinstance(error, APIStatusError)
        assert error.status == status


async def test_a_long_error_body_is_cut(scripted_server: ScriptedServer) -> None:
    """Of an error body no more than 64 KiB is kept."""
    scripted_server.respond_with(ScriptedServer.http(400, b"x" * 100_000))
    transport = AiohttpTransport(
        api_key=Secret("KEY"),
        base_url=scripted_server.url,
        session=None,
        in_flight_calls=InFlightCalls(None, lambda: None),
        max_connections=1,
        trust_env=False,
    )
    response = await transport.send(Request(method="GET", path="/rooms"), 5.0)
    assert isinstance(response, Response)
    assert len(response.body) == 65_536
    await transport.close()


async def test_closing_ends_the_calls_in_flight(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """Calls in flight end at once when the client is closed, and none as if it had been cancelled."""
    scripted_server.respond_with(ScriptedServer.raw(b"", "hang"))
    client = make_client(scripted_server, fake_clock, max_connections=2)
    calls = [asyncio.create_task(client.rooms.retrieve("a-room")) for _ in range(4)]
    while len(scripted_server.requests) < 2:
        await asyncio.sleep(0)
    await client.close()
    ends = await asyncio.gather(*calls, return_exceptions=True)
    assert fake_clock.sleeps == []
    assert [type(end) for end in ends] == [ClientClosedError] * 4


async def test_a_wait_is_bounded_by_its_own_time(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """Waiting for something ends in its own time, though one call might take longer."""
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
