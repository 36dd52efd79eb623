"""Ways to answer a request badly."""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Literal, TypeAlias

from tests.helpers.faulty import Faulty, Line, Trick
from tests.helpers.ledger import CANARY_TOKEN, Asked, http

Then: TypeAlias = Literal["keep", "close", "reset", "hang"]
Place: TypeAlias = Literal["before", "headers", "body", "chunk"]

LEAKY = f"X-Note: {CANARY_TOKEN}\r\n".encode()
"""A header with a canary in it: what was received is shown nowhere."""


async def _leave(line: Line, then: Then) -> bool:
    if then == "reset":
        line.reset()
    if then == "hang":
        await line.hang()
    return then == "keep"


def rewrites(change: Callable[[bytes], bytes], then: Then = "keep") -> Trick:
    """Change the honest answer."""

    async def play(line: Line, answer: bytes) -> bool:
        await line.send(change(answer))
        return await _leave(line, then)

    return Trick(play)


def says(data: bytes, then: Then = "close") -> Trick:
    """Send any bytes in place of the answer."""
    return rewrites(lambda _: data, then)


def answers(status: int, told: object = None, **headers: str) -> Trick:
    """Send another answer, well-formed; what was asked is not done."""
    return says(http(status, told, **headers), "keep").uncommitted


def tells(told: object, **headers: str) -> Trick:
    """Keep the status, and send another body."""
    return rewrites(lambda answer: http(int(answer.split(b" ", 2)[1]), told, **headers))


def dated(date: Callable[[], str]) -> Trick:
    """Answer honestly, with this header ``Date``."""
    return rewrites(lambda answer: answer.replace(b"\r\n", f"\r\nDate: {date()}\r\n".encode("latin-1"), 1))


def cuts(place: Place, then: Then = "close") -> Trick:
    """Send a part of the answer."""
    return rewrites(lambda answer: _part(answer, place), then)


def _part(answer: bytes, place: Place) -> bytes:
    head, _, body = answer.partition(b"\r\n\r\n")
    half = body[: len(body) // 2]
    match place:
        case "before":
            return b""
        case "headers":
            return head.replace(b"\r\n", b"\r\n" + LEAKY, 1)[:80]
        case "body":
            return head + b"\r\n\r\n" + half
        case "chunk":
            return as_chunks(answer)[: -len(body) // 2]


def as_chunks(answer: bytes) -> bytes:
    """Send the body in two chunks, without a length."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    parts = (body[:10], body[10:], b"")
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return b"\r\n".join([*lines, b"Transfer-Encoding: chunked"]) + b"\r\n\r\n" + chunks


def drips(place: Literal["headers", "body"], seconds: float = 1.0) -> Trick:
    """Send a byte a second, from the first byte or from that of the body."""

    async def play(line: Line, answer: bytes) -> bool:
        head, end, body = answer.partition(b"\r\n\r\n")
        if place == "body":
            await line.send(head + end)
        for byte in body if place == "body" else answer:
            await line.send(bytes([byte]))
            await asyncio.sleep(seconds)
        return False

    return Trick(play)


def hints(*interim: bytes) -> Trick:
    """Send interim answers first."""
    return rewrites(lambda answer: b"".join(interim) + answer)


def hints_for_ever(interim: bytes) -> Trick:
    """Send interim answers, two a second, and nothing else."""

    async def play(line: Line, _: bytes) -> bool:
        while not line.writer.is_closing():
            await line.send(interim)
            await asyncio.sleep(0.5)
        return False

    return Trick(play)


def pours(head: bytes, piece: bytes, pieces: int | None = None) -> Trick:
    """Send a head, and then a piece again and again, without end unless told."""

    async def play(line: Line, _: bytes) -> bool:
        await line.send(head)
        for _number in count() if pieces is None else range(pieces):
            await line.send(piece)
        return False

    return Trick(play)


def late(seconds: float) -> Trick:
    """Answer honestly, after a while."""

    async def play(line: Line, answer: bytes) -> bool:
        await asyncio.sleep(seconds)
        await line.send(answer)
        return True

    return Trick(play)


def when(server: Faulty, fits: Callable[[Asked], bool], trick: Trick) -> Trick:
    """Play a trick on the requests that fit, and answer the others honestly."""

    async def play(line: Line, answer: bytes) -> bool:
        if fits(server.requests[-1]):
            return await trick.play(line, answer)
        await line.send(answer)
        return True

    return Trick(play)


HANGS = says(b"", "hang")
