"""Connections that the emulator cuts, byte by byte, and what a client makes of them."""

import asyncio
import re
import socket

import aiohttp
import pytest
from aiohttp import ClientSession
from attrs import frozen

from telnyx_rooms_async import ConnectionLostError, OutcomeUnknownError, RetryPolicy, RoomsClient
from telnyx_rooms_async.emulator import Emulator, Fault
from telnyx_rooms_async.emulator.faults import Cut
from tests.helpers.clocks import FakeClock
from tests.helpers.http_client import HttpClient

CUTS: tuple[Cut, ...] = ("before", "after", "headers", "body")


@frozen
class Heard:
    """What came over a connection until its end."""

    data: bytes
    was_reset: bool


async def say(telnyx: Emulator, method: str, path: str, body: bytes = b"") -> Heard:
    """Send one request by hand, and listen until the other side ends the connection."""
    loop = asyncio.get_running_loop()
    port = int(telnyx.url.removesuffix("/v2").rpartition(":")[2])
    head = f"{method} {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {telnyx.api_key}\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    with socket.socket() as connection:
        connection.settimeout(0)
        await loop.sock_connect(connection, ("127.0.0.1", port))
        await loop.sock_sendall(connection, head.encode() + body)
        data = b""
        try:
            while piece := await loop.sock_recv(connection, 65536):
                data += piece
        except ConnectionResetError:
            return Heard(data, was_reset=True)
        return Heard(data, was_reset=False)


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(("cut", "rooms"), [("before", 0), ("after", 1)])
async def test_no_answer(telnyx: Emulator, cut: Cut, rooms: int, *, reset: bool) -> None:
    """Not a byte comes; the operation was carried out or not; the request is recorded."""
    telnyx.script(Fault(cut=cut, reset=reset))
    assert await say(telnyx, "POST", "/v2/rooms", b'{"unique_name": "Weekly"}') == Heard(b"", was_reset=reset)
    assert len(telnyx.rooms) == rooms
    assert [request.json for request in telnyx.requests] == [{"unique_name": "Weekly"}]


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("cut", ["before", "after"])
async def test_no_answer_and_no_record(cut: Cut, *, reset: bool) -> None:
    """An emulator that keeps no record cuts in the same way, after the whole body has come."""
    async with Emulator(recording=False) as telnyx:
        telnyx.script(Fault(cut=cut, reset=reset))
        body = b'{"unique_name": "%s"}' % (b"x" * 500_000)
        assert await say(telnyx, "POST", "/v2/rooms", body) == Heard(b"", was_reset=reset)


@pytest.mark.parametrize("reset", [False, True])
async def test_half_a_body(telnyx: Emulator, *, reset: bool) -> None:
    """The headers promise the whole, and half of it comes."""
    telnyx.script(Fault(cut="body", reset=reset))
    heard = await say(telnyx, "POST", "/v2/rooms", b"{}")
    assert heard.was_reset == reset
    head, _, body = heard.data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 201 Created\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    assert length is not None
    assert len(body) == int(length[1]) // 2 > 100
    assert body.startswith(b'{"data":{"id":"' + telnyx.rooms[0].id.encode())


async def test_half_of_one_byte(telnyx: Emulator) -> None:
    """Of a single byte none comes, but the headers do."""
    telnyx.script(Fault(cut="body", body=b"x"))
    heard = await say(telnyx, "GET", "/v2/rooms")
    assert heard.data.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Length: 1\r\n" in heard.data
    assert heard.data.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("reset", [False, True])
async def test_half_the_headers(telnyx: Emulator, *, reset: bool) -> None:
    """The answer ends in the name of a header."""
    telnyx.script(Fault(cut="headers", reset=reset))
    heard = await say(telnyx, "POST", "/v2/rooms", b"{}")
    assert heard == Heard(b"HTTP/1.1 201 Created\r\nContent-Ty", was_reset=reset)
    assert len(telnyx.rooms) == 1


async def test_an_answer_without_a_body(telnyx: Emulator) -> None:
    """Where there is no body to break off, the headers are."""
    telnyx.seed(1)
    telnyx.script(Fault(cut="body"))
    heard = await say(telnyx, "DELETE", f"/v2/rooms/{telnyx.rooms[0].id}")
    assert heard.data == b"HTTP/1.1 204 No Content\r\nContent-Ty"
    assert telnyx.rooms == ()


@pytest.mark.parametrize("after", [False, True])
async def test_a_refusal_that_is_broken_off(telnyx: Emulator, *, after: bool) -> None:
    """A scripted status can be cut too."""
    telnyx.script(Fault(status=500, cut="body", after=after, headers={"cf-ray": "8a"}, retry_after=3))
    heard = await say(telnyx, "POST", "/v2/rooms", b"{}")
    assert heard.data.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"cf-ray: 8a\r\n" in heard.data
    assert b"Retry-After: 3\r\n" in heard.data
    assert b'\r\n\r\n{"errors":[{"code"' in heard.data
    assert not heard.data.endswith(b"}")
    assert len(telnyx.rooms) == after


@pytest.mark.parametrize("cut", CUTS)
async def test_a_late_cut(cut: Cut) -> None:
    """A delay comes before the cut, whatever is cut."""
    fake_clock = FakeClock()
    async with Emulator(sleep=fake_clock.sleep) as telnyx:
        telnyx.script(Fault(cut=cut, delay=7))
        await say(telnyx, "GET", "/v2/rooms")
    assert fake_clock.sleeps == [7]


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("cut", CUTS)
async def test_a_client_that_has_gone(cut: Cut, caplog: pytest.LogCaptureFixture, *, reset: bool) -> None:
    """Nobody is there any more to be cut off: nothing happens, and nothing is logged."""
    over = asyncio.Event()

    async def sleep(_: float) -> None:
        asked.cancel()
        await asyncio.wait([asked])
        assert telnyx._runner is not None
        assert telnyx._runner.server is not None
        while any(each.transport for each in telnyx._runner.server.connections):
            await asyncio.sleep(0)
        over.set()

    async with Emulator(sleep=sleep) as telnyx, ClientSession() as session:
        telnyx.script(Fault(cut=cut, reset=reset, delay=1))
        headers = {"Authorization": f"Bearer {telnyx.api_key}"}
        asked = asyncio.create_task(session.get(f"{telnyx.url}/rooms", headers=headers))
        await over.wait()
    assert telnyx.scripted == ()
    assert caplog.records == []


async def test_a_download_that_is_not_begun(telnyx: Emulator) -> None:
    """The store can hang up too, before it answers."""
    telnyx.script(Fault(cut="before"), operation="download")
    assert await say(telnyx, "GET", "/media/none") == Heard(b"", was_reset=False)
    assert telnyx.scripted == ()


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("cut", CUTS)
async def test_the_next_request_is_well(
    telnyx: Emulator, http: ClientSession, api: HttpClient, cut: Cut, *, reset: bool
) -> None:
    """Any client notices, and finds the emulator whole right after."""
    telnyx.script(Fault(cut=cut, reset=reset))
    with pytest.raises(aiohttp.ClientError):
        await (await http.post("rooms", json={})).read()
    assert (await api.get("rooms")).status == 200


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("cut", ["after", "headers", "body"])
async def test_a_create_whose_answer_is_lost(telnyx: Emulator, cut: Cut, *, reset: bool) -> None:
    """The room is there, and was asked for once."""
    telnyx.script(Fault(cut=cut, reset=reset), operation="CreateRoom")
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url, clock=FakeClock().clock) as client:
        try:
            await client.rooms.create(unique_name="Weekly")
        except OutcomeUnknownError as error:
            assert error.unique_name == "Weekly"  # noqa: PT017 - a client may as well find the room by its name
    assert [room.unique_name for room in telnyx.rooms] == ["Weekly"]
    assert [request.method for request in telnyx.requests].count("POST") == 1


@pytest.mark.parametrize("cut", CUTS)
async def test_a_read_that_is_cut(telnyx: Emulator, cut: Cut) -> None:
    """A read is tried again as often as the client does, and each try meets the fault."""
    async with RoomsClient(
        telnyx.api_key, base_url=telnyx.url, clock=FakeClock().clock, retry=RetryPolicy(attempts=3)
    ) as client:
        telnyx.script(Fault(cut=cut), times=2, operation="ListRooms")
        assert await client.rooms.list().count() == 0
        assert len(telnyx.requests) == 3
        telnyx.script(Fault(cut=cut), times=None, operation="ListRooms")
        with pytest.raises(ConnectionLostError):
            await client.rooms.list().count()
        assert len(telnyx.requests) == 6
