"""The ways to lose an answer, and what each means to a read."""

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
from tests.helpers.faulty import Trick
from tests.helpers.ledger import CANARY_TOKEN, HEALTHY, http
from tests.helpers.tricks import HANGS, LEAKY, cuts, drips, hints_for_ever, pours, rewrites, says, tells


@frozen
class Way:
    """What happens to an answer, what a read makes of it when it happens always, and how often it tries."""

    trick: Trick
    kind: type[TelnyxRoomsError]
    tries: int


def _all(kind: type[TelnyxRoomsError], tries: int, **tricks: Trick) -> dict[str, Way]:
    return {name.replace("_", " "): Way(trick, kind, tries) for name, trick in tricks.items()}


LOST: Final = _all(
    ConnectionLostError,
    3,
    closed_before_headers=cuts("before"),
    reset_before_headers=cuts("before", "reset"),
    closed_in_headers=cuts("headers"),
    reset_in_headers=cuts("headers", "reset"),
    closed_in_the_body=cuts("body"),
    reset_in_the_body=cuts("body", "reset"),
    chunked_cut=cuts("chunk"),
    chunked_reset=cuts("chunk", "reset"),
)

SLOW: Final = _all(
    APITimeoutError,
    3,
    hang=HANGS,
    hang_in_headers=cuts("headers", "hang"),
    hang_in_the_body=cuts("body", "hang"),
    hang_in_a_chunk=cuts("chunk", "hang"),
    a_byte_a_second_in_headers=drips("headers"),
    a_byte_a_second_in_the_body=drips("body"),
    endless_1xx=hints_for_ever(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
)

OK_HEAD: Final = b"HTTP/1.1 200 OK\r\n"


def _before_the_lengths(*lines: bytes) -> Trick:
    """Put header lines before those of the honest answer."""
    return rewrites(
        lambda answer: answer.replace(b"\r\n", b"\r\n" + b"".join(line + b"\r\n" for line in lines), 1),
        "hang",
    )


MALFORMED: Final = _all(
    MalformedResponseError,
    1,
    no_HTTP_at_all=says(f"220 {CANARY_TOKEN} ready\r\n\r\n".encode(), "hang"),
    broken_status_line=says(b"HTTP/1.1 banana\r\n" + LEAKY + b"\r\n", "hang"),
    a_status_of_four_digits=says(b"HTTP/1.1 2000 OK\r\n" + LEAKY + b"\r\n", "hang"),
    two_Content_Lengths=_before_the_lengths(b"Content-Length: 3"),
    CL_with_TE=_before_the_lengths(b"Transfer-Encoding: chunked"),
    a_header_without_a_name=_before_the_lengths(f": {CANARY_TOKEN}".encode()),
    a_header_without_a_colon=_before_the_lengths(f"{CANARY_TOKEN}".encode()),
    a_NUL_in_a_header=_before_the_lengths(f"X-Note: {CANARY_TOKEN}\0".encode()),
    a_huge_header=_before_the_lengths(b"X-Long: " + CANARY_TOKEN.encode() * 10_000),
    headers_without_end=pours(OK_HEAD, LEAKY * 100),
    a_bare_101=says(b"HTTP/1.1 101 Switch\r\n\r\n", "keep"),
    unsolicited_101=says(b"HTTP/1.1 101 Switch\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", "hang"),
)


def changed(**fields: object) -> Trick:
    """Answer with a room, or with a page of rooms, some of whose fields are different."""

    def change(told: Any) -> object:
        rooms = told["data"]
        other = [room | fields for room in rooms] if isinstance(rooms, list) else rooms | fields
        return {**told, "data": other}

    return reshaped(change)


def reshaped(change: Callable[[Any], object]) -> Trick:
    """Answer with another body, made out of the honest one."""

    def rewrite(answer: bytes) -> bytes:
        head, _, body = answer.partition(b"\r\n\r\n")
        if not body.startswith(b"{"):
            return answer
        return http(int(head.split(b" ", 2)[1]), change(json.loads(body)))

    return rewrites(rewrite)


def with_raw(value: bytes) -> Trick:
    """Answer with a room that has raw bytes for a value."""
    told = b'{"data": {"id": "%s", "pin": "%s", "max_participants": %s}}'
    return tells(told % (HEALTHY.encode(), CANARY_TOKEN.encode(), value))


UTF_16: Final = json.dumps({"data": {"id": HEALTHY, "pin": CANARY_TOKEN}}).encode("utf-16")
LATIN_1: Final = b'{"data": {"id": "%s", "unique_name": "caf\xe9"}}' % HEALTHY.encode()

MISSHAPEN: Final = _all(
    APIResponseValidationError,
    1,
    empty=tells(b""),
    HTML=tells(f"<html>{CANARY_TOKEN}</html>".encode()),
    a_list=reshaped(lambda told: [told]),
    a_list_of_data=reshaped(lambda told: {"data": [told["data"]]}),
    a_string=tells(CANARY_TOKEN),
    a_number=tells(7),
    null=tells(b"null"),
    null_data=tells({"data": None}),
    no_data=reshaped(lambda told: told["data"]),
    null_id=changed(id=None),
    a_number_for_an_id=changed(id=7),
    text_for_a_number=changed(max_participants="ten"),
    a_bad_date=changed(created_at="yesterday"),
    NaN=with_raw(b"NaN"),
    a_5_000_digit_integer=with_raw(b"9" * 5_000),
    two_hundred_thousand_levels=with_raw(b"[" * 200_000 + b"]" * 200_000),
    a_lone_surrogate=with_raw(b'10, "unique_name": "\\ud800"'),
    UTF_16=tells(UTF_16, Content_Type="application/json; charset=utf-16"),
    latin_1=tells(LATIN_1, Content_Type="application/json; charset=latin-1"),
)


def zipped(change: Callable[[bytes], bytes]) -> Trick:
    """Compress the body, and then break it."""

    def rewrite(answer: bytes) -> bytes:
        head, _, body = answer.partition(b"\r\n\r\n")
        return http(int(head.split(b" ", 2)[1]), change(gzip.compress(body)), Content_Encoding="gzip")

    return rewrites(rewrite)


CORRUPT: Final = _all(
    APIResponseValidationError,
    3,
    truncated_gzip=zipped(lambda packed: packed[:-20]),
    gzip_without_its_checksum=zipped(lambda packed: packed[:-8]),
    corrupt_gzip=zipped(lambda packed: packed[:20] + b"\xff" * 8 + packed[28:]),
    no_gzip_at_all=zipped(lambda _: CANARY_TOKEN.encode()),
)

MEBI: Final = 2**20
_GZIP_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: application/json\r\n"
BOMB: Final = gzip.compress(b"0" * (64 * MEBI))

TOO_LARGE: Final = _all(
    ResponseTooLargeError,
    1,
    gzip_bomb=says(_GZIP_HEAD + b"Content-Length: %d\r\n\r\n" % len(BOMB) + BOMB, "keep"),
    an_endless_body=pours(OK_HEAD + b"Connection: close\r\n\r\n", b"x" * 65_536),
    endless_chunks=pours(
        OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    ),
    a_huge_Content_Length=pours(OK_HEAD + b"Content-Length: 999999999999\r\n\r\n", b"x" * 65_536),
)


def failing(status: int) -> Trick:
    """Answer with an error status, though all was done."""
    return says(http(status, f"<html>{CANARY_TOKEN}</html>".encode()), "keep")


FAILING: Final[Mapping[str, Way]] = {
    str(status): Way(failing(status), kind, 3)
    for status, kind in {
        500: InternalServerError,
        502: InternalServerError,
        503: InternalServerError,
        504: InternalServerError,
        408: APIStatusError,
    }.items()
}

REPEATED: Final[Mapping[str, Way]] = {**LOST, **SLOW, **CORRUPT, **FAILING}
"""What a read is tried again for."""
FINAL: Final[Mapping[str, Way]] = {**MALFORMED, **MISSHAPEN, **TOO_LARGE}
"""What a read gives up at once for."""
WAYS: Final[Mapping[str, Way]] = {**REPEATED, **FINAL}
"""All that leaves open whether a create was carried out."""
