"""Faults of a server: wrong, partial, slow and endless responses."""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Literal, TypeAlias

from tests.helpers.fault_server import Connection, FaultServer, ServerFault
from tests.helpers.room_store import SECRET_TOKEN, RecordedRequest, http_response

Then: TypeAlias = Literal["keep", "close", "reset", "hang"]
Place: TypeAlias = Literal["before", "headers", "body", "chunk"]

SECRET_HEADER = f"X-Note: {SECRET_TOKEN}\r\n".encode()


async def _finish(connection: Connection, then: Then) -> bool:
    if then == "reset":
        connection.reset()
    if then == "hang":
        await connection.hang()
    return then == "keep"


def rewrite_response(change: Callable[[bytes], bytes], then: Then = "keep") -> ServerFault:
    """Change the correct response."""

    async def respond(connection: Connection, response: bytes) -> bool:
        await connection.send(change(response))
        return await _finish(connection, then)

    return ServerFault(respond)


def send_raw(data: bytes, then: Then = "close") -> ServerFault:
    """Send any bytes instead of the response."""
    return rewrite_response(lambda _: data, then)


def respond(status: int, body: object = None, **headers: str) -> ServerFault:
    """Send another well-formed response; the request is not carried out."""
    return send_raw(http_response(status, body, **headers), "keep").uncommitted


def replace_body(body: object, **headers: str) -> ServerFault:
    """Keep the status and send another body."""
    return rewrite_response(lambda response: http_response(int(response.split(b" ", 2)[1]), body, **headers))


def set_date(date: Callable[[], str]) -> ServerFault:
    """Respond correctly with this header ``Date``."""
    return rewrite_response(
        lambda response: response.replace(b"\r\n", f"\r\nDate: {date()}\r\n".encode("latin-1"), 1)
    )


def truncate(place: Place, then: Then = "close") -> ServerFault:
    """Send a part of the response."""
    return rewrite_response(lambda response: _truncated(response, place), then)


def _truncated(response: bytes, place: Place) -> bytes:
    head, _, body = response.partition(b"\r\n\r\n")
    match place:
        case "before":
            return b""
        case "headers":
            return head.replace(b"\r\n", b"\r\n" + SECRET_HEADER, 1)[:80]
        case "body":
            return head + b"\r\n\r\n" + body[: len(body) // 2]
        case "chunk":
            return as_chunks(response)[: -len(body) // 2]


def as_chunks(response: bytes) -> bytes:
    """Split the body of a response into two chunks."""
    head, _, body = response.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    parts = (body[:10], body[10:], b"")
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return b"\r\n".join([*lines, b"Transfer-Encoding: chunked"]) + b"\r\n\r\n" + chunks


def send_slowly(place: Literal["headers", "body"], seconds: float = 1.0) -> ServerFault:
    """Send the head or the body byte by byte."""

    async def respond(connection: Connection, response: bytes) -> bool:
        head, end, body = response.partition(b"\r\n\r\n")
        if place == "body":
            await connection.send(head + end)
        for byte in body if place == "body" else response:
            await connection.send(bytes([byte]))
            await asyncio.sleep(seconds)
        return False

    return ServerFault(respond)


def send_interim(*responses: bytes) -> ServerFault:
    """Send interim responses before the final one."""
    return rewrite_response(lambda response: b"".join(responses) + response)


def send_interim_forever(interim: bytes) -> ServerFault:
    """Send two interim responses a second, and no final one."""

    async def respond(connection: Connection, _: bytes) -> bool:
        while not connection.writer.is_closing():
            await connection.send(interim)
            await asyncio.sleep(0.5)
        return False

    return ServerFault(respond)


def send_endlessly(head: bytes, piece: bytes, pieces: int | None = None) -> ServerFault:
    """Send a head and then a piece again and again."""

    async def respond(connection: Connection, _: bytes) -> bool:
        await connection.send(head)
        for _number in count() if pieces is None else range(pieces):
            await connection.send(piece)
        return False

    return ServerFault(respond)


def delay(seconds: float) -> ServerFault:
    """Respond correctly after a delay."""

    async def respond(connection: Connection, response: bytes) -> bool:
        await asyncio.sleep(seconds)
        await connection.send(response)
        return True

    return ServerFault(respond)


def only_when(
    server: FaultServer, is_match: Callable[[RecordedRequest], bool], fault: ServerFault
) -> ServerFault:
    """Inject a fault into matching requests only."""

    async def respond(connection: Connection, response: bytes) -> bool:
        if is_match(server.requests[-1]):
            return await fault.respond(connection, response)
        await connection.send(response)
        return True

    return ServerFault(respond)


HANG = send_raw(b"", "hang")
