"""Responses that leave open whether a create was carried out, and what a read makes of them."""

import gzip
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

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
from tests.helpers.room_store import HEALTHY_ROOM_ID, SECRET_TOKEN, http_response
from tests.helpers.server_faults import (
    HANG,
    SECRET_HEADER,
    replace_body,
    rewrite_response,
    send_endlessly,
    send_interim_forever,
    send_raw,
    send_slowly,
    truncate,
)


@frozen
class ResponseFault:
    """A fault, the error of a read that always meets it, and the number of its attempts."""

    fault: ServerFault
    error: type[TelnyxRoomsError]
    attempts: int


def _with_error(
    error: type[TelnyxRoomsError], attempts: int, **faults: ServerFault
) -> dict[str, ResponseFault]:
    return {name.replace("_", " "): ResponseFault(fault, error, attempts) for name, fault in faults.items()}


LOST: Final = _with_error(
    ConnectionLostError,
    3,
    closed_before_headers=truncate("before"),
    reset_before_headers=truncate("before", "reset"),
    closed_in_headers=truncate("headers"),
    reset_in_headers=truncate("headers", "reset"),
    closed_in_the_body=truncate("body"),
    reset_in_the_body=truncate("body", "reset"),
    chunked_cut=truncate("chunk"),
    chunked_reset=truncate("chunk", "reset"),
)

SLOW: Final = _with_error(
    APITimeoutError,
    3,
    hang=HANG,
    hang_in_headers=truncate("headers", "hang"),
    hang_in_the_body=truncate("body", "hang"),
    hang_in_a_chunk=truncate("chunk", "hang"),
    a_byte_a_second_in_headers=send_slowly("headers"),
    a_byte_a_second_in_the_body=send_slowly("body"),
    endless_1xx=send_interim_forever(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
)

OK_HEAD: Final = b"HTTP/1.1 200 OK\r\n"


def _insert_headers(*lines: bytes) -> ServerFault:
    """Insert header lines before those of the correct response."""
    return rewrite_response(
        lambda response: response.replace(b"\r\n", b"\r\n" + b"".join(line + b"\r\n" for line in lines), 1),
        "hang",
    )


MALFORMED: Final = _with_error(
    MalformedResponseError,
    1,
    no_HTTP_at_all=send_raw(f"220 {SECRET_TOKEN} ready\r\n\r\n".encode(), "hang"),
    broken_status_line=send_raw(b"HTTP/1.1 banana\r\n" + SECRET_HEADER + b"\r\n", "hang"),
    a_status_of_four_digits=send_raw(b"HTTP/1.1 2000 OK\r\n" + SECRET_HEADER + b"\r\n", "hang"),
    two_Content_Lengths=_insert_headers(b"Content-Length: 3"),
    CL_with_TE=_insert_headers(b"Transfer-Encoding: chunked"),
    a_header_without_a_name=_insert_headers(f": {SECRET_TOKEN}".encode()),
    a_header_without_a_colon=_insert_headers(f"{SECRET_TOKEN}".encode()),
    a_NUL_in_a_header=_insert_headers(f"X-Note: {SECRET_TOKEN}\0".encode()),
    a_huge_header=_insert_headers(b"X-Long: " + SECRET_TOKEN.encode() * 10_000),
    headers_without_end=send_endlessly(OK_HEAD, SECRET_HEADER * 100),
    a_bare_101=send_raw(b"HTTP/1.1 101 Switch\r\n\r\n", "keep"),
    unsolicited_101=send_raw(b"HTTP/1.1 101 Switch\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", "hang"),
)


def change_fields(**fields: object) -> ServerFault:
    """Change fields of the room or of all rooms in the response."""

    def change(body: Any) -> object:
        rooms = body["data"]
        other = [room | fields for room in rooms] if isinstance(rooms, list) else rooms | fields
        return {**body, "data": other}

    return change_body(change)


def change_body(change: Callable[[Any], object]) -> ServerFault:
    """Change the decoded body of the response."""

    def rewrite(response: bytes) -> bytes:
        head, _, body = response.partition(b"\r\n\r\n")
        if not body.startswith(b"{"):
            return response
        return http_response(int(head.split(b" ", 2)[1]), change(json.loads(body)))

    return rewrite_response(rewrite)


def raw_value(value: bytes) -> ServerFault:
    """Respond with a room that has raw bytes for a value."""
    body = b'{"data": {"id": "%s", "pin": "%s", "max_participants": %s}}'
    return replace_body(body % (HEALTHY_ROOM_ID.encode(), SECRET_TOKEN.encode(), value))


UTF_16: Final = json.dumps({"data": {"id": HEALTHY_ROOM_ID, "pin": SECRET_TOKEN}}).encode("utf-16")
LATIN_1: Final = b'{"data": {"id": "%s", "unique_name": "caf\xe9"}}' % HEALTHY_ROOM_ID.encode()

INVALID: Final = _with_error(
    APIResponseValidationError,
    1,
    empty=replace_body(b""),
    HTML=replace_body(f"<html>{SECRET_TOKEN}</html>".encode()),
    a_list=change_body(lambda body: [body]),
    a_list_of_data=change_body(lambda body: {"data": [body["data"]]}),
    a_string=replace_body(SECRET_TOKEN),
    a_number=replace_body(7),
    null=replace_body(b"null"),
    null_data=replace_body({"data": None}),
    no_data=change_body(lambda body: body["data"]),
    null_id=change_fields(id=None),
    a_number_for_an_id=change_fields(id=7),
    text_for_a_number=change_fields(max_participants="ten"),
    a_bad_date=change_fields(created_at="yesterday"),
    NaN=raw_value(b"NaN"),
    a_5_000_digit_integer=raw_value(b"9" * 5_000),
    two_hundred_thousand_levels=raw_value(b"[" * 200_000 + b"]" * 200_000),
    a_lone_surrogate=raw_value(b'10, "unique_name": "\\ud800"'),
    UTF_16=replace_body(UTF_16, Content_Type="application/json; charset=utf-16"),
    latin_1=replace_body(LATIN_1, Content_Type="application/json; charset=latin-1"),
)


def gzip_body(change: Callable[[bytes], bytes]) -> ServerFault:
    """Compress the body, and change the compressed bytes."""

    def rewrite(response: bytes) -> bytes:
        head, _, body = response.partition(b"\r\n\r\n")
        return http_response(
            int(head.split(b" ", 2)[1]), change(gzip.compress(body)), Content_Encoding="gzip"
        )

    return rewrite_response(rewrite)


CORRUPT: Final = _with_error(
    APIResponseValidationError,
    3,
    truncated_gzip=gzip_body(lambda compressed: compressed[:-20]),
    gzip_without_its_checksum=gzip_body(lambda compressed: compressed[:-8]),
    corrupt_gzip=gzip_body(lambda compressed: compressed[:20] + b"\xff" * 8 + compressed[28:]),
    no_gzip_at_all=gzip_body(lambda _: SECRET_TOKEN.encode()),
)

MEBI: Final = 2**20
_GZIP_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: application/json\r\n"
BOMB: Final = gzip.compress(b"0" * (64 * MEBI))

TOO_LARGE: Final = _with_error(
    ResponseTooLargeError,
    1,
    gzip_bomb=send_raw(_GZIP_HEAD + b"Content-Length: %d\r\n\r\n" % len(BOMB) + BOMB, "keep"),
    an_endless_body=send_endlessly(OK_HEAD + b"Connection: close\r\n\r\n", b"x" * 65_536),
    endless_chunks=send_endlessly(
        OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    ),
    a_huge_Content_Length=send_endlessly(OK_HEAD + b"Content-Length: 999999999999\r\n\r\n", b"x" * 65_536),
)


def error_status(status: int) -> ServerFault:
    """Respond with an error status, although the request was carried out."""
    return send_raw(http_response(status, f"<html>{SECRET_TOKEN}</html>".encode()), "keep")


ERROR_STATUSES: Final[Mapping[str, ResponseFault]] = {
    str(status): ResponseFault(error_status(status), error, 3)
    for status, error in {
        500: InternalServerError,
        502: InternalServerError,
        503: InternalServerError,
        504: InternalServerError,
        408: APIStatusError,
    }.items()
}

RETRIED: Final[Mapping[str, ResponseFault]] = {**LOST, **SLOW, **CORRUPT, **ERROR_STATUSES}
"""Faults after which a read is retried."""
NOT_RETRIED: Final[Mapping[str, ResponseFault]] = {**MALFORMED, **INVALID, **TOO_LARGE}
"""Faults after which a read is not retried."""
RESPONSE_FAULTS: Final[Mapping[str, ResponseFault]] = {**RETRIED, **NOT_RETRIED}
"""All faults that leave open whether a create was carried out."""
