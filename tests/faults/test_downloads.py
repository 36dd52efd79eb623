"""Downloads from a store that is slow, brings next to nothing, or has no end: they end in time."""

import asyncio
import io
import re
from collections.abc import AsyncIterator, Callable
from itertools import repeat

import pytest

from case import Case
from faulty import Faulty, Line, Trick
from ledger import Asked
from telnyx_rooms_async import (
    APITimeoutError,
    ConnectionLostError,
    DownloadedFile,
    InternalServerError,
    RoomsClient,
)
from tricks import HANGS, drips, when

ENDLESS = 10**9
"""Bytes of a file that never comes to its end."""


def on_files(server: Faulty, trick: Trick) -> None:
    """Answer the requests for files in this way from now on."""
    server.keeps_playing(when(server, lambda asked: asked.path.startswith("/files/"), trick))


def sends(server: Faulty, total: int, pieces: Callable[[int], AsyncIterator[int]]) -> Trick:
    """Send pieces of these sizes from the first byte that is asked for, then hang up."""

    async def play(line: Line, _: bytes) -> bool:
        head = server.requests[-1].head.decode("latin-1")
        found = re.search(r"(?i)\r\nrange: bytes=(\d+)-", head)
        start = int(found[1]) if found else 0
        status = f"206 Part\r\nContent-Range: bytes {start}-{total - 1}/{total}" if found else "200 OK"
        await line.send(
            f'HTTP/1.1 {status}\r\nETag: "v1"\r\nContent-Length: {total - start}\r\n\r\n'.encode()
        )
        async for size in pieces(start):
            await line.send(bytes(size))
        return False

    return Trick(play)


def paced(size: int, seconds: float, count: int | None = None) -> Callable[[int], AsyncIterator[int]]:
    """Return pieces of one size, a pause after each."""

    async def pieces(_: int) -> AsyncIterator[int]:
        for _number in repeat(None) if count is None else range(count):
            yield size
            await asyncio.sleep(seconds)

    return pieces


async def download(client: RoomsClient) -> DownloadedFile:
    """Download a file to memory."""
    return await client.recordings.download("a-recording", io.BytesIO())


@pytest.mark.parametrize(
    "make",
    [
        lambda server: sends(server, ENDLESS, paced(1, 1.0)),
        lambda server: sends(server, ENDLESS, paced(1, 2.0)),
        lambda server: sends(server, ENDLESS, paced(1000, 1.0)),
        lambda server: sends(server, ENDLESS, paced(100, 1.0, count=20)),
        lambda server: HANGS,
        lambda server: drips("headers"),
    ],
    ids=["1 B/s", "1 B in 2 s", "1000 B/s", "100 B/s with cuts", "hang", "1 B/s in headers"],
)
async def test_download_that_is_too_slow_ends_at_the_deadline(
    case: Case, make: Callable[[Faulty], Trick]
) -> None:
    """A store that brings less than 1024 bytes a second is given up after the timeout of the client."""
    on_files(case.server, make(case.server))
    error = await case.fails(APITimeoutError, download)
    assert error.deadline
    assert "less than 1024 bytes a second came for 45 s" in str(error)
    case.saw_at_most(5)


async def test_file_smaller_than_one_second_at_the_lowest_rate_may_take_the_whole_timeout(case: Case) -> None:
    """The rate is an average over the timeout: a short file that is slow comes in time."""
    on_files(case.server, drips("body", 3.0))
    file = await case.succeeds(download)
    assert file.size == len(b"the whole film")
    case.saw("GET GET")


async def test_download_may_take_longer_than_the_timeout_while_it_makes_progress(case: Case) -> None:
    """A large file at a low rate comes whole: the timeout bounds no download that goes on."""
    total = 2048 * 300
    on_files(case.server, sends(case.server, total, paced(2048, 1.0, count=300)))
    began = case.time.seconds()
    assert (await download(case.client)).size == total
    assert case.time.seconds() - began > 6 * 45
    case.saw("GET GET")


async def test_time_of_writer_and_progress_is_not_the_time_of_the_store(case: Case) -> None:
    """A writer that takes minutes, or a slow progress hook, does not make the store too slow."""

    class Slow:
        async def write(self, data: bytes, /) -> None:
            await asyncio.sleep(100)

    async def progress(_done: int, _total: int | None) -> None:
        await asyncio.sleep(100)

    file = await case.client.recordings.download("a-recording", Slow(), progress=progress)
    assert file.size == len(b"the whole film")
    case.saw("GET GET")


async def test_one_byte_an_attempt_ends_with_the_retry_budget(case: Case) -> None:
    """A store that brings one byte and hangs up is not asked for the rest of the file byte by byte."""
    on_files(case.server, sends(case.server, ENDLESS, paced(1, 0.0, count=1)))
    error = await case.fails(ConnectionLostError, download)
    assert error.budget_exhausted
    case.saw_at_most(40)


async def test_cuts_of_a_download_that_makes_progress_do_not_end_it(case: Case) -> None:
    """What repetitions took from the budget comes back with the bytes, so a large file survives 60 cuts."""
    size, count = 100_000, 60

    async def one(_: int) -> AsyncIterator[int]:
        yield size

    on_files(case.server, sends(case.server, size * count, one))
    assert (await download(case.client)).size == size * count
    assert case.client._caller.budget.level > 400
    case.saw(" ".join(["GET"] * (1 + count)))


async def test_wait_for_a_free_connection_is_not_the_time_of_the_store(case: Case) -> None:
    """Downloads that wait for others do not fail, however long those take."""
    case.uses(max_connections=1)
    # Another name of this machine, so that the store has connections of its own.
    case.server.ledger.url = case.server.url.replace("127.0.0.1", "localhost")
    on_files(case.server, drips("body", 2.5))
    case.at_once = True
    files = await asyncio.gather(*(download(case.client) for _ in range(4)))
    assert [file.size for file in files] == [len(b"the whole film")] * 4
    case.saw(" ".join(["GET"] * 8))


@pytest.mark.parametrize("hint", [40, 50])
async def test_pause_that_the_store_asks_for_ends_before_the_deadline(case: Case, hint: int) -> None:
    """A pause within the timeout of the client is kept; a longer one is not begun."""
    refused: list[Asked] = []

    async def play(line: Line, answer: bytes) -> bool:
        if refused:
            await line.send(answer)
        else:
            refused.append(case.server.requests[-1])
            await line.send(b"HTTP/1.1 503 Busy\r\nRetry-After: %d\r\nContent-Length: 0\r\n\r\n" % hint)
        return True

    on_files(case.server, Trick(play))
    case.rest = hint
    if hint < 45:
        assert (await case.succeeds(download)).size == len(b"the whole film")
        case.saw("GET GET GET")
    else:
        await case.fails(InternalServerError, download)
        case.saw("GET GET")
