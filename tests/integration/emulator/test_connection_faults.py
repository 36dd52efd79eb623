"""Connections that the emulator closes, seen byte by byte."""

import asyncio
import re
import socket

import pytest
from attrs import frozen
from yarl import URL

from telnyx_rooms_async.emulator import Emulator, Fault
from telnyx_rooms_async.emulator.faults import Cut
from tests.helpers.clocks import wait_until
from tests.helpers.http_client import open_session

CUTS: tuple[Cut, ...] = ("before", "after", "headers", "body")


@frozen
class RawResponse:
    """Everything received on a connection until it was closed."""

    data: bytes
    was_reset: bool


async def send(telnyx: Emulator, method: str, path: str, body: bytes = b"") -> RawResponse:
    """Send one request over a socket."""
    loop = asyncio.get_running_loop()
    head = f"{method} {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {telnyx.api_key}\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    with socket.socket() as connection:
        connection.settimeout(0)
        await loop.sock_connect(connection, ("127.0.0.1", URL(telnyx.url).port))
        await loop.sock_sendall(connection, head.encode() + body)
        data = b""
        try:
            while chunk := await loop.sock_recv(connection, 65536):
                data += chunk
        except ConnectionResetError:
            return RawResponse(data, was_reset=True)
        return RawResponse(data, was_reset=False)


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(("cut", "rooms"), [("before", 0), ("after", 1)])
async def test_no_response(telnyx: Emulator, cut: Cut, rooms: int, *, reset: bool) -> None:
    telnyx.inject(Fault(cut=cut, reset=reset))
    body = b'{"unique_name": "%s"}' % (b"x" * 500_000)
    assert await send(telnyx, "POST", "/v2/rooms", body) == RawResponse(b"", was_reset=reset)
    assert len(telnyx.rooms) == rooms
    assert [request.body for request in telnyx.requests] == [body]


@pytest.mark.parametrize("reset", [False, True])
async def test_half_of_the_body_and_of_the_headers(telnyx: Emulator, *, reset: bool) -> None:
    telnyx.inject(Fault(cut="body", reset=reset))
    response = await send(telnyx, "POST", "/v2/rooms", b"{}")
    assert response.was_reset == reset
    head, _, body = response.data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 201 Created\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    assert length is not None
    assert len(body) == int(length[1]) // 2 > 100
    assert body.startswith(b'{"data":{"id":"' + (telnyx.rooms[0].id or "").encode())
    telnyx.inject(Fault(cut="headers", reset=reset))
    response = await send(telnyx, "POST", "/v2/rooms", b"{}")
    assert response == RawResponse(b"HTTP/1.1 201 Created\r\nContent-Ty", was_reset=reset)
    assert len(telnyx.rooms) == 2


async def test_response_without_body_is_cut_in_its_headers(telnyx: Emulator) -> None:
    telnyx.seed(1)
    telnyx.inject(Fault(cut="body"))
    response = await send(telnyx, "DELETE", f"/v2/rooms/{telnyx.rooms[0].id}")
    assert response.data == b"HTTP/1.1 204 No Content\r\nContent-Ty"
    assert telnyx.rooms == ()
    telnyx.inject(Fault(cut="before"), operation="download")
    assert await send(telnyx, "GET", "/media/none") == RawResponse(b"", was_reset=False)


@pytest.mark.parametrize("after", [False, True])
async def test_error_response_is_cut(telnyx: Emulator, *, after: bool) -> None:
    telnyx.inject(Fault(status=500, cut="body", after=after, headers={"cf-ray": "8a"}, retry_after=3))
    response = await send(telnyx, "POST", "/v2/rooms", b"{}")
    assert response.data.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"cf-ray: 8a\r\n" in response.data
    assert b"Retry-After: 3\r\n" in response.data
    assert b'\r\n\r\n{"errors":[{"code"' in response.data
    assert not response.data.endswith(b"}")
    assert len(telnyx.rooms) == after


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("cut", CUTS)
async def test_client_may_have_gone_before_the_cut(
    cut: Cut, caplog: pytest.LogCaptureFixture, *, reset: bool
) -> None:
    slept = asyncio.Event()

    async def sleep(_: float) -> None:
        request.cancel()
        await asyncio.wait([request])
        server = telnyx._runner.server if telnyx._runner else None
        assert server is not None
        await wait_until(lambda: not any(connection.transport for connection in server.connections))
        slept.set()

    async with Emulator(sleep=sleep) as telnyx, open_session(telnyx) as session:
        telnyx.inject(Fault(cut=cut, reset=reset, delay=1))
        request = asyncio.create_task(session.get("rooms"))
        await slept.wait()
    assert telnyx.pending_faults == ()
    assert caplog.records == []
