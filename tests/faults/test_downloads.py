"""Downloads that are slow, cut, changed or endless."""

import asyncio
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from telnyx_rooms_async import (
    APITimeoutError,
    ConnectionLostError,
    DownloadedFile,
    InternalServerError,
    MalformedResponseError,
    ResponseTooLargeError,
    RoomsClient,
)
from tests.helpers.clocks import wait_until
from tests.helpers.fault_case import FaultCase, read
from tests.helpers.fault_server import FILES, FaultServer, ServerFault
from tests.helpers.faults import HANG, delay, respond, send_endlessly, send_raw, send_slowly
from tests.helpers.raw_server import Connection
from tests.helpers.room_store import FILM

ENDLESS = 10**9
"""The size of a file that is never complete."""


def send_pieces(
    server: FaultServer, total: int, piece: int, *, seconds: float = 0.0, count: int = ENDLESS
) -> ServerFault:
    """Send pieces with pauses from the first requested byte, then close the connection."""

    async def send(connection: Connection, _: bytes) -> bool:
        head = server.requests[-1].head.decode("latin-1")
        range_header = re.search(r"(?i)\r\nrange: bytes=(\d+)-", head)
        start = int(range_header[1]) if range_header else 0
        status = f"206 Part\r\nContent-Range: bytes {start}-{total - 1}/{total}" if range_header else "200 OK"
        lines = f'HTTP/1.1 {status}\r\nETag: "v1"\r\nContent-Length: {total - start}\r\n\r\n'
        await connection.send(lines.encode())
        for _number in range(count):
            await connection.send(bytes(piece))
            if seconds:
                await asyncio.sleep(seconds)
        return False

    return ServerFault(send)


async def download(client: RoomsClient) -> DownloadedFile:
    return await client.recordings.download("a-recording", io.BytesIO())


SLOW: dict[str, Callable[[FaultServer], ServerFault]] = {
    "1 B/s": lambda server: send_pieces(server, ENDLESS, 1, seconds=1.0),
    "1000 B/s": lambda server: send_pieces(server, ENDLESS, 1000, seconds=1.0),
    "100 B/s with cuts": lambda server: send_pieces(server, ENDLESS, 100, seconds=1.0, count=20),
    "hang": lambda server: HANG,
    "1 B/s in headers": lambda server: send_slowly("headers"),
}


@pytest.mark.parametrize("make", SLOW.values(), ids=SLOW)
async def test_download_that_is_too_slow_ends_at_the_deadline(
    case: FaultCase, make: Callable[[FaultServer], ServerFault]
) -> None:
    case.server.inject_always(make(case.server), on=FILES)
    error = await case.expect_error(APITimeoutError, download)
    assert error.deadline
    assert "less than 1024 bytes a second came for 45 s" in str(error)
    case.expect_at_most(5)


async def test_file_smaller_than_one_second_at_the_lowest_rate_may_take_the_whole_timeout(
    case: FaultCase,
) -> None:
    case.server.inject_always(send_slowly("body", 3.0), on=FILES)
    file = await case.expect_result(download)
    assert file.size == len(FILM)
    case.expect_requests("GET GET")


async def test_download_may_take_longer_than_the_timeout_while_it_makes_progress(case: FaultCase) -> None:
    total = 2048 * 300
    case.server.inject_always(send_pieces(case.server, total, 2048, seconds=1.0, count=300), on=FILES)
    start_time = case.clock.seconds
    assert (await download(case.client)).size == total
    assert case.clock.seconds - start_time > 6 * 45
    case.expect_requests("GET GET")


async def test_time_of_writer_and_progress_is_not_the_time_of_the_store(case: FaultCase) -> None:
    class Slow:
        async def write(self, data: bytes, /) -> None:
            await asyncio.sleep(100)

    async def progress(_done: int, _total: int | None) -> None:
        await asyncio.sleep(100)

    file = await case.client.recordings.download("a-recording", Slow(), progress=progress)
    assert file.size == len(FILM)
    case.expect_requests("GET GET")


async def test_one_byte_an_attempt_ends_with_the_retry_budget(case: FaultCase) -> None:
    case.server.inject_always(send_pieces(case.server, ENDLESS, 1, count=1), on=FILES)
    error = await case.expect_error(ConnectionLostError, download)
    assert error.budget_exhausted
    case.expect_at_most(40)


async def test_cuts_of_a_download_that_makes_progress_do_not_end_it(case: FaultCase) -> None:
    size, count = 100_000, 60
    case.server.inject_always(send_pieces(case.server, size * count, size, count=1), on=FILES)
    assert (await download(case.client)).size == size * count
    assert case.client._api.budget.level > 400
    case.expect_requests(" ".join(["GET"] * (1 + count)))


async def test_wait_for_a_free_connection_is_not_the_time_of_the_store(case: FaultCase) -> None:
    case.new_client(max_connections=1)
    # Another name of this machine, so that the store has connections of its own.
    case.server.store.url = case.server.url.replace("127.0.0.1", "localhost")
    case.server.inject_always(send_slowly("body", 2.5), on=FILES)
    case.concurrent = True
    files = await asyncio.gather(*(download(case.client) for _ in range(4)))
    assert [file.size for file in files] == [len(FILM)] * 4
    case.expect_requests(" ".join(["GET"] * 8))


async def test_download_leaves_the_connections_of_calls_free(case: FaultCase) -> None:
    case.concurrent = True
    case.new_client(max_connections=2)
    case.server.store.url = case.server.url.replace("127.0.0.1", "localhost")
    case.server.inject(HANG, on=FILES)
    running = asyncio.create_task(download(case.client))
    await wait_until(lambda: len(case.server.requests) == 2)
    case.server.inject(delay(1), delay(1))
    await case.expect_result(lambda client: asyncio.gather(read(client), read(client)))
    assert case.seconds < 1.5
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    case.expect_requests("GET GET GET GET")


@pytest.mark.parametrize("hint", [40, 50])
async def test_pause_that_the_store_asks_for_ends_before_the_deadline(case: FaultCase, hint: int) -> None:
    case.server.inject(respond(503, Retry_After=str(hint)), on=FILES)
    case.recovery_delay = hint
    if hint < 45:
        assert (await case.expect_result(download)).size == len(FILM)
        case.expect_requests("GET GET GET")
    else:
        await case.expect_error(InternalServerError, download)
        case.expect_requests("GET GET")


# --- versions and limits ------------------------------------------------------------------------------------

MONDAY, TUESDAY = (
    "Last-Modified: Mon, 26 Apr 2021 12:00:00 GMT",
    "Last-Modified: Tue, 27 Apr 2021 12:00:00 GMT",
)
V1, V2, WEAK = 'ETag: "v1"', 'ETag: "v2"', 'ETag: W/"v1"'


def respond_in_turn(server: FaultServer, *responses: bytes) -> None:
    """Answer the requests for files with these responses; close the connection after each."""
    server.inject(*(send_raw(response) for response in responses), on=FILES)


def whole_film(body: bytes, *lines: str) -> bytes:
    """Make a response of the whole film that is cut after `body`."""
    return "\r\n".join(["HTTP/1.1 200 OK", f"Content-Length: {len(FILM)}", *lines, "", ""]).encode() + body


def rest_of_film(start: int, *lines: str) -> bytes:
    headers = [
        f"Content-Range: bytes {start}-{len(FILM) - 1}/{len(FILM)}",
        f"Content-Length: {len(FILM) - start}",
    ]
    return "\r\n".join(["HTTP/1.1 206 Part", *headers, *lines, "", ""]).encode() + FILM[start:]


@pytest.mark.parametrize(
    ("lines", "version"),
    [
        ([V1], '"v1"'),
        ([V1, MONDAY], '"v1"'),
        ([MONDAY], MONDAY.partition(": ")[2]),
        ([WEAK, MONDAY], MONDAY.partition(": ")[2]),
        ([WEAK], None),
        ([], None),
        (["ETag: unquoted"], None),
        (["Last-Modified: \xe9"], None),
    ],
)
async def test_resumption_names_the_version_that_has_begun(
    case: FaultCase, lines: list[str], version: str | None
) -> None:
    respond_in_turn(case.server, whole_film(FILM[:5], *lines), rest_of_film(5, *lines))
    target = io.BytesIO()
    await case.client.recordings.download("a-recording", target)
    assert target.getvalue() == FILM
    head = case.server.requests[-1].head.decode()
    assert "\r\nRange: bytes=5-\r\n" in head
    assert (re.findall(r"\r\nIf-Range: (.*?)\r\n", head) or [None]) == [version]
    case.expect_requests("GET GET GET")


CHANGED: list[tuple[list[str], bytes]] = [
    ([V1], whole_film(FILM, V2)),
    ([V1], whole_film(FILM)),
    ([V1, MONDAY], whole_film(FILM, V2, MONDAY)),
    ([V1], rest_of_film(5, V2)),
    ([V1], rest_of_film(5)),
    ([], rest_of_film(5, V1)),
    ([MONDAY], whole_film(FILM, TUESDAY)),
    ([MONDAY], whole_film(FILM)),
    ([MONDAY], rest_of_film(5, TUESDAY)),
]
UNCHANGED: list[tuple[list[str], bytes]] = [
    ([V1, MONDAY], rest_of_film(5, V1)),
    ([V1, MONDAY], rest_of_film(5, V1, TUESDAY)),
    ([MONDAY], rest_of_film(5)),
    ([MONDAY], whole_film(FILM, MONDAY)),
    ([V1], whole_film(FILM, V1)),
]


@pytest.mark.parametrize("responses", CHANGED + UNCHANGED)
async def test_file_that_changes_amid_the_download_is_never_mixed(
    case: FaultCase, tmp_path: Path, responses: tuple[list[str], bytes]
) -> None:
    first, then = responses
    respond_in_turn(case.server, whole_film(FILM[:5], *first, "Content-Type: video/mp4"), then)
    target = tmp_path / "film"
    if responses in CHANGED:
        await case.expect_error(
            MalformedResponseError, lambda client: client.recordings.download("a-recording", target)
        )
        assert list(tmp_path.iterdir()) == []
    else:
        file = await case.client.recordings.download("a-recording", target)
        assert (target.read_bytes(), file.content_type) == (FILM, "video/mp4")
    case.expect_requests("GET GET GET")


async def test_more_bytes_than_announced_are_refused(case: FaultCase) -> None:
    headers = f"Content-Range: bytes 5-{len(FILM) - 1}/{len(FILM)}\r\nTransfer-Encoding: chunked\r\n\r\n"
    more = b"64\r\n" + bytes(100) + b"\r\n"
    respond_in_turn(case.server, whole_film(FILM[:5]), f"HTTP/1.1 206 Part\r\n{headers}".encode() + more)
    target = io.BytesIO()
    error = await case.expect_error(
        MalformedResponseError, lambda client: client.recordings.download("a-recording", target)
    )
    assert "more than the announced 14 bytes came" in str(error)
    assert target.getvalue() == FILM[:5]
    case.expect_requests("GET GET GET")


async def test_max_bytes_bounds_a_file_of_unknown_length(case: FaultCase, tmp_path: Path) -> None:
    chunk = b"10000\r\n" + bytes(2**16) + b"\r\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    case.server.inject_always(send_endlessly(head, chunk), on=FILES)
    error = await case.expect_error(
        ResponseTooLargeError,
        lambda client: client.recordings.download("a-recording", tmp_path / "film", max_bytes=3_000_000),
    )
    assert "larger than max_bytes, which is 3000000" in str(error)
    assert list(tmp_path.iterdir()) == []
    case.expect_requests("GET GET")
