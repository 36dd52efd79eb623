"""Faults of a server: wrong, partial, slow and endless responses, and what a read makes of them."""

import asyncio
import gzip
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias

from attrs import frozen

from telnyx_rooms_async import (
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    ConnectionLostError,
    InternalServerError,
    MalformedResponseError,
    ResponseTooLargeError,
    TelnyxRoomsError,
)
from tests.helpers.fault_server import ServerFault
from tests.helpers.raw_server import Connection, Then, http_response
from tests.helpers.room_store import HEALTHY_ROOM_ID, SECRET_TOKEN

Place: TypeAlias = Literal["before", "headers", "body", "chunk"]
MEBI: Final = 2**20
OK_HEAD: Final = b"HTTP/1.1 200 OK\r\n"
SECRET_HEADER: Final = f"X-Note: {SECRET_TOKEN}\r\n".encode()


# --- one response -------------------------------------------------------------------------------------------


def rewrite_response(change: Callable[[bytes], bytes], then: Then = "keep") -> ServerFault:
    """Change the correct response."""

    async def respond(connection: Connection, response: bytes) -> bool:
        return await connection.send(change(response), then)

    return ServerFault(respond)


def send_raw(data: bytes, then: Then = "close") -> ServerFault:
    """Send any bytes instead of the response."""
    return rewrite_response(lambda _: data, then)


def respond(status: int, body: object = None, **headers: str) -> ServerFault:
    """Send another well-formed response; the request is not carried out."""
    return send_raw(http_response(status, body, **headers), "keep").uncommitted


def replace_body(body: object, **headers: str) -> ServerFault:
    """Keep the status and send another body."""
    return rewrite_response(lambda response: http_response(_status(response), body, **headers))


def change_body(change: Callable[[Any], object]) -> ServerFault:
    """Change the decoded body of the response, if it has one."""

    def rewrite(response: bytes) -> bytes:
        body = response.partition(b"\r\n\r\n")[2]
        return http_response(_status(response), change(json.loads(body))) if body[:1] == b"{" else response

    return rewrite_response(rewrite)


def change_fields(**fields: object) -> ServerFault:
    """Change fields of the room in the response."""
    return change_body(lambda body: {**body, "data": body["data"] | fields})


def raw_value(value: bytes) -> ServerFault:
    """Respond with a room that has raw bytes for a value."""
    body = b'{"data": {"id": "%s", "pin": "%s", "max_participants": %s}}'
    return replace_body(body % (HEALTHY_ROOM_ID.encode(), SECRET_TOKEN.encode(), value))


def gzip_body(change: Callable[[bytes], bytes]) -> ServerFault:
    """Compress the body, and change the compressed bytes."""

    def rewrite(response: bytes) -> bytes:
        compressed = change(gzip.compress(response.partition(b"\r\n\r\n")[2]))
        return http_response(_status(response), compressed, Content_Encoding="gzip")

    return rewrite_response(rewrite)


def insert_header(line: bytes, then: Then = "hang") -> ServerFault:
    """Insert a header line before those of the correct response."""
    return rewrite_response(lambda response: response.replace(b"\r\n", b"\r\n" + line + b"\r\n", 1), then)


def set_date(date: Callable[[], str]) -> ServerFault:
    """Respond correctly with this header ``Date``."""
    return rewrite_response(
        lambda response: response.replace(b"\r\n", f"\r\nDate: {date()}\r\n".encode("latin-1"), 1)
    )


def truncate(place: Place, then: Then = "close") -> ServerFault:
    """Send a part of the response."""

    def cut(response: bytes) -> bytes:
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

    return rewrite_response(cut, then)


def as_chunks(response: bytes) -> bytes:
    """Split the body of a response into two chunks."""
    head, _, body = response.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:10], body[10:], b""))
    return b"\r\n".join([*lines, b"Transfer-Encoding: chunked"]) + b"\r\n\r\n" + chunks


def _status(response: bytes) -> int:
    return int(response.split(b" ", 2)[1])


# --- slow and endless responses -----------------------------------------------------------------------------


def delay(seconds: float) -> ServerFault:
    """Respond correctly after a delay."""

    async def respond(connection: Connection, response: bytes) -> bool:
        await asyncio.sleep(seconds)
        return await connection.send(response)

    return ServerFault(respond)


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


def send_endlessly(head: bytes, piece: bytes, seconds: float | None = None) -> ServerFault:
    """Send a head, and then a piece again and again until the client closes."""

    async def respond(connection: Connection, _: bytes) -> bool:
        await connection.send(head)
        while not connection.writer.is_closing():
            await connection.send(piece)
            if seconds:
                await asyncio.sleep(seconds)
        return False

    return ServerFault(respond)


HANG: Final = send_raw(b"", "hang")


# --- all faults that leave open whether a create was carried out --------------------------------------------


@frozen
class ResponseFault:
    """A fault, and the error of a read that always meets it."""

    fault: ServerFault
    error: type[TelnyxRoomsError]


def _with_error(error: type[TelnyxRoomsError], faults: Mapping[str, ServerFault]) -> dict[str, ResponseFault]:
    return {name: ResponseFault(fault, error) for name, fault in faults.items()}


LOST: Final = _with_error(
    ConnectionLostError,
    {
        "closed before headers": truncate("before"),
        "reset before headers": truncate("before", "reset"),
        "closed in headers": truncate("headers"),
        "reset in headers": truncate("headers", "reset"),
        "closed in the body": truncate("body"),
        "reset in the body": truncate("body", "reset"),
        "chunked cut": truncate("chunk"),
    },
)
SLOW: Final = _with_error(
    APITimeoutError,
    {
        "hang": HANG,
        "hang in headers": truncate("headers", "hang"),
        "hang in the body": truncate("body", "hang"),
        "a byte a second in headers": send_slowly("headers"),
        "a byte a second in the body": send_slowly("body"),
        "endless 1xx": send_endlessly(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", seconds=0.5),
    },
)
MALFORMED: Final = _with_error(
    MalformedResponseError,
    {
        "no HTTP at all": send_raw(f"220 {SECRET_TOKEN} ready\r\n\r\n".encode(), "hang"),
        "broken status line": send_raw(b"HTTP/1.1 banana\r\n" + SECRET_HEADER + b"\r\n", "hang"),
        "a status of four digits": send_raw(b"HTTP/1.1 2000 OK\r\n" + SECRET_HEADER + b"\r\n", "hang"),
        "two Content-Lengths": insert_header(b"Content-Length: 3"),
        "CL with TE": insert_header(b"Transfer-Encoding: chunked"),
        "a header without a name": insert_header(f": {SECRET_TOKEN}".encode()),
        "a header without a colon": insert_header(SECRET_TOKEN.encode()),
        "a NUL in a header": insert_header(f"X-Note: {SECRET_TOKEN}\0".encode()),
        "a huge header": insert_header(b"X-Long: " + SECRET_TOKEN.encode() * 10_000),
        "headers without end": send_endlessly(OK_HEAD, SECRET_HEADER * 100),
        "a bare 101": send_raw(b"HTTP/1.1 101 Switch\r\n\r\n", "keep"),
        "unsolicited 101": send_raw(
            b"HTTP/1.1 101 Switch\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", "hang"
        ),
    },
)
INVALID: Final = _with_error(
    APIResponseValidationError,
    {
        "empty": replace_body(b""),
        "HTML": replace_body(f"<html>{SECRET_TOKEN}</html>".encode()),
        "a list": change_body(lambda body: [body]),
        "a list of data": change_body(lambda body: {"data": [body["data"]]}),
        "a string": replace_body(SECRET_TOKEN),
        "a number": replace_body(7),
        "null": replace_body(b"null"),
        "null data": replace_body({"data": None}),
        "no data": change_body(lambda body: body["data"]),
        "null id": change_fields(id=None),
        "text for a number": change_fields(max_participants="ten"),
        "a bad date": change_fields(created_at="yesterday"),
        "NaN": raw_value(b"NaN"),
        "a 5 000-digit integer": raw_value(b"9" * 5_000),
        "200 000 levels": raw_value(b"[" * 200_000 + b"]" * 200_000),
        "a lone surrogate": raw_value(b'10, "unique_name": "\\ud800"'),
        "UTF-16": replace_body(
            json.dumps({"data": {"id": HEALTHY_ROOM_ID, "pin": SECRET_TOKEN}}).encode("utf-16"),
            Content_Type="application/json; charset=utf-16",
        ),
        "latin-1": replace_body(
            b'{"data": {"id": "%s", "unique_name": "caf\xe9"}}' % HEALTHY_ROOM_ID.encode(),
            Content_Type="application/json; charset=latin-1",
        ),
    },
)
CORRUPT: Final = _with_error(
    APIResponseValidationError,
    {
        "truncated gzip": gzip_body(lambda compressed: compressed[:-20]),
        "gzip without its checksum": gzip_body(lambda compressed: compressed[:-8]),
        "corrupt gzip": gzip_body(lambda compressed: compressed[:20] + b"\xff" * 8 + compressed[28:]),
        "gzip in 17 parts": gzip_body(lambda compressed: gzip.compress(b" ") * 16 + compressed),
        "no gzip at all": gzip_body(lambda _: SECRET_TOKEN.encode()),
    },
)
ERROR_STATUSES: Final = {
    str(status): ResponseFault(
        send_raw(http_response(status, f"<html>{SECRET_TOKEN}</html>".encode()), "keep"),
        APIStatusError if status == 408 else InternalServerError,
    )
    for status in (408, 500, 502, 503, 504)
}


def oversized(head: bytes) -> dict[str, ServerFault]:
    """Make responses with this status line whose bodies are too large."""
    bomb = gzip.compress(b"0" * (64 * MEBI))
    piece = b"x" * 65_536
    gzip_head = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    return {
        "gzip bomb": send_raw(head + gzip_head + bomb, "keep"),
        "endless body": send_endlessly(head + b"Connection: close\r\n\r\n", piece),
        "endless chunks": send_endlessly(
            head + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + piece + b"\r\n"
        ),
        "huge Content-Length": send_endlessly(head + b"Content-Length: 999999999999\r\n\r\n", piece),
    }


TOO_LARGE: Final = _with_error(ResponseTooLargeError, oversized(OK_HEAD))

RETRIED: Final = {**LOST, **SLOW, **CORRUPT, **ERROR_STATUSES}
"""Faults after which a read is retried."""
NOT_RETRIED: Final = {**MALFORMED, **INVALID, **TOO_LARGE}
"""Faults after which a read is not retried."""
RESPONSE_FAULTS: Final = {**RETRIED, **NOT_RETRIED}
