"""Bodies of success that are odd, wrong, broken or without end."""

import gzip
import tracemalloc
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from telnyx_rooms_async import (
    APIResponseValidationError,
    NotFoundError,
    OutcomeUnknownError,
    ResponseTooLargeError,
    Room,
)
from tests.helpers.case import Case, create, delete, ids_of, read
from tests.helpers.faulty import Trick
from tests.helpers.ledger import CANARY_TOKEN, HEALTHY, Asked, http
from tests.helpers.tricks import as_chunks, drips, pours, rewrites, says, tells
from tests.helpers.ways import BOMB, MEBI, TOO_LARGE, Way, changed, reshaped, with_raw, zipped

deeds = pytest.mark.parametrize("deed", [read, create], ids=lambda deed: deed.__name__)
METHODS = {read: "GET", create: "POST"}

# --- good enough --------------------------------------------------------------------------------------------

NULLS = dict.fromkeys(
    [
        "unique_name",
        "max_participants",
        "enable_recording",
        "created_at",
        "updated_at",
        "active_session_id",
        "webhook_event_url",
        "webhook_event_failover_url",
        "webhook_timeout_secs",
        "record_type",
        "sessions",
    ]
)
GOOD: dict[str, Trick] = {
    "nulls in optional fields": changed(**NULLS),
    "only an id": reshaped(lambda told: {"data": {"id": told["data"]["id"]}}),
    "unknown fields": changed(colour="red", shape={"sides": [1, 2, {"x": None}]}),
    "unknown fields beside data": reshaped(lambda told: {**told, "meta": None, "links": [1]}),
    "an unknown record type": changed(record_type="palace"),
    "an unknown status": changed(sessions=[{"id": "s", "record_type": "seance"}]),
    "a date without fractions": changed(created_at="2021-04-25T12:00:00Z"),
    "a date with a space": changed(created_at="2021-04-25 12:00:00.123456Z"),
    "a date in another zone": changed(created_at="2021-04-25T14:00:00+02:00"),
    "BOM": rewrites(lambda answer: http(200, b"\xef\xbb\xbf" + answer.partition(b"\r\n\r\n")[2])),
    "white space around": rewrites(
        lambda answer: http(200, b" \r\n\t" + answer.partition(b"\r\n\r\n")[2] + b"\n ")
    ),
    "no Content-Type": rewrites(lambda answer: answer.replace(b"Content-Type: application/json\r\n", b"")),
    "another Content-Type": rewrites(lambda answer: answer.replace(b"application/json", b"text/html")),
    "an unknown charset": rewrites(
        lambda answer: answer.replace(b"application/json", b"application/json; charset=x")
    ),
    "gzip": zipped(lambda packed: packed),
    "chunks": rewrites(as_chunks),
    "a byte at a time": drips("body", 0.01),
    "no length, closed at the end": rewrites(
        lambda answer: b"HTTP/1.0 200 OK\r\n\r\n" + answer.partition(b"\r\n\r\n")[2], "close"
    ),
    "deflate": rewrites(
        lambda answer: http(200, zlib.compress(answer.partition(b"\r\n\r\n")[2]), Content_Encoding="deflate")
    ),
}


@pytest.mark.parametrize("trick", GOOD.values(), ids=GOOD)
@deeds
async def test_what_is_good_enough(case: Case, trick: Trick, deed: Any) -> None:
    """It is a success, with one request."""
    case.server.plays(trick)
    room = await case.succeeds(deed)
    assert isinstance(room, Room)
    assert room.id == (HEALTHY if deed is read else case.server.ledger.ids[0])
    case.saw(METHODS[deed], rooms=deed is create)


async def test_a_duplicate_key(case: Case) -> None:
    """The last one counts."""
    case.server.plays(with_raw(b'1, "max_participants": 2'))
    assert (await case.succeeds(read)).max_participants == 2
    case.saw("GET")


# --- of the wrong shape -------------------------------------------------------------------------------------

ALL_WRONG = changed(id=None, max_participants="7", enable_recording=1, created_at="yesterday", unique_name=[])
PATHS = {
    "$.data.id: expected string, got null",
    "$.data.max_participants: expected integer, got string",
    "$.data.enable_recording: expected boolean, got integer",
    "$.data.created_at: expected an RFC 3339 instant, got another string",
    "$.data.unique_name: expected string, got array",
}


async def test_every_misfit_is_named(case: Case) -> None:
    """The error names the path of each, and the request."""
    case.server.plays(ALL_WRONG)
    error = await case.fails(APIResponseValidationError, read)
    assert (set(error.misfits), error.status) == (PATHS, 200)
    case.saw("GET")


async def test_a_misfit_in_a_list(case: Case) -> None:
    """Its place in the list is named, and none of the page is yielded."""
    case.server.plays(tells({"data": [{"id": "a"}, {"id": 7}], "meta": {}}))
    error = await case.fails(APIResponseValidationError, ids_of)
    assert error.misfits == ("$.data[1].id: expected string, got integer",)
    case.saw("GET")


LISTS: dict[str, object] = {
    "empty": b"",
    "HTML": b"<html>",
    "a bare list": [{"id": "a"}],
    "no data": {"meta": {}},
    "null data": {"data": None},
    "an object of data": {"data": {"id": "a"}},
    "nulls in data": {"data": [None]},
}


@pytest.mark.parametrize("body", LISTS.values(), ids=LISTS)
async def test_a_page_of_the_wrong_shape(case: Case, body: object) -> None:
    """It is told after one request, and not taken for an empty list."""
    case.server.keeps_playing(tells(body))
    await case.fails(APIResponseValidationError, ids_of)
    case.saw("GET")


async def test_a_delete_reads_no_body(case: Case) -> None:
    """What is said about a deletion is of no interest."""
    case.server.ledger.seed()
    case.server.plays(says(http(200, f"<{CANARY_TOKEN}>".encode()), "keep"))
    await case.succeeds(delete)
    assert case.server.ledger.ids == []
    case.saw("DELETE")


# --- too large ----------------------------------------------------------------------------------------------

OVERSIZED: dict[str, Way] = {
    **TOO_LARGE,
    "404 gzip bomb": Way(
        says(
            b"HTTP/1.1 404 X\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB,
            "hang",
        ).uncommitted,
        NotFoundError,
        1,
    ),
    "404 endless body": Way(
        pours(b"HTTP/1.1 404 X\r\nConnection: close\r\n\r\n", b"x" * 65_536).uncommitted, NotFoundError, 1
    ),
    "404 huge Content-Length": Way(
        pours(b"HTTP/1.1 404 X\r\nContent-Length: 999999999999\r\n\r\n", b"x" * 65_536).uncommitted,
        NotFoundError,
        1,
    ),
}


@pytest.fixture
def _weighed() -> Iterator[None]:
    """Bound what is allocated during a test."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - before <= 4 * 8 * MEBI


@pytest.mark.usefixtures("_weighed")
@pytest.mark.parametrize("way", OVERSIZED.values(), ids=OVERSIZED)
async def test_a_body_that_is_too_large(case: Case, way: Way) -> None:
    """It is refused while it is read, after one request; a refusal is typed by its status."""
    case.server.plays(way.trick)
    await case.fails(way.kind, read)
    case.saw("GET")


@pytest.mark.usefixtures("_weighed")
@pytest.mark.parametrize("committed", [True, False], ids=["committed", "lost"])
@pytest.mark.parametrize("way", TOO_LARGE.values(), ids=TOO_LARGE)
async def test_a_create_whose_answer_is_too_large(case: Case, way: Way, *, committed: bool) -> None:
    """It may have been carried out: it is looked up."""
    case.server.plays(way.trick if committed else way.trick.uncommitted)
    if committed:
        await case.succeeds(create)
        case.saw("POST GET", rooms=1)
    else:
        await case.fails(OutcomeUnknownError, create)
        case.saw("POST GET GET GET")


SIZES = {"just as large": (0, Room), "a byte more": (1, ResponseTooLargeError)}


@pytest.mark.parametrize(("more", "kind"), SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("packed", [True, False], ids=["gzip", "plain"])
async def test_the_limit_of_8_mebibytes(case: Case, more: int, kind: type, *, packed: bool) -> None:
    """A body of exactly that is read."""
    body = b'{"data": {"id": "a"}}'.ljust(8 * MEBI + more)
    case.server.plays(tells(gzip.compress(body), Content_Encoding="gzip") if packed else tells(body))
    if kind is Room:
        await case.succeeds(read)
    else:
        await case.fails(ResponseTooLargeError, read)
    case.saw("GET")


async def test_a_connection_with_more_on_it_is_dropped(case: Case) -> None:
    """After a body that was refused, the next call has a connection of its own."""
    seen: list[Asked] = []
    case.server.before = seen.append
    case.server.plays(TOO_LARGE["a huge Content Length"].trick)
    await case.fails(ResponseTooLargeError, read)
    await case.succeeds(read)
    assert [asked.line for asked in seen] == [1, 2]
    case.saw("GET GET")
