"""Bodies of successful responses: unusual, invalid, broken and endless ones."""

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
from tests.helpers.fault_case import FaultCase, create, delete, ids_of, read
from tests.helpers.fault_server import ServerFault
from tests.helpers.response_faults import (
    BOMB,
    MEBI,
    TOO_LARGE,
    ResponseFault,
    change_body,
    change_fields,
    gzip_body,
    raw_value,
)
from tests.helpers.room_store import HEALTHY_ROOM_ID, SECRET_TOKEN, RecordedRequest, http_response
from tests.helpers.server_faults import (
    as_chunks,
    replace_body,
    rewrite_response,
    send_endlessly,
    send_raw,
    send_slowly,
)

actions = pytest.mark.parametrize("action", [read, create], ids=lambda action: action.__name__)
METHODS = {read: "GET", create: "POST"}

# --- valid bodies -------------------------------------------------------------------------------------------

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
VALID: dict[str, ServerFault] = {
    "nulls in optional fields": change_fields(**NULLS),
    "only an id": change_body(lambda payload: {"data": {"id": payload["data"]["id"]}}),
    "unknown fields": change_fields(colour="red", shape={"sides": [1, 2, {"x": None}]}),
    "unknown fields beside data": change_body(lambda payload: {**payload, "meta": None, "links": [1]}),
    "an unknown record type": change_fields(record_type="palace"),
    "an unknown status": change_fields(sessions=[{"id": "s", "record_type": "seance"}]),
    "a date without fractions": change_fields(created_at="2021-04-25T12:00:00Z"),
    "a date with a space": change_fields(created_at="2021-04-25 12:00:00.123456Z"),
    "a date in another zone": change_fields(created_at="2021-04-25T14:00:00+02:00"),
    "BOM": rewrite_response(
        lambda response: http_response(200, b"\xef\xbb\xbf" + response.partition(b"\r\n\r\n")[2])
    ),
    "white space around": rewrite_response(
        lambda response: http_response(200, b" \r\n\t" + response.partition(b"\r\n\r\n")[2] + b"\n ")
    ),
    "no Content-Type": rewrite_response(
        lambda response: response.replace(b"Content-Type: application/json\r\n", b"")
    ),
    "another Content-Type": rewrite_response(
        lambda response: response.replace(b"application/json", b"text/html")
    ),
    "an unknown charset": rewrite_response(
        lambda response: response.replace(b"application/json", b"application/json; charset=x")
    ),
    "gzip": gzip_body(lambda compressed: compressed),
    "chunks": rewrite_response(as_chunks),
    "a byte at a time": send_slowly("body", 0.01),
    "no length, closed at the end": rewrite_response(
        lambda response: b"HTTP/1.0 200 OK\r\n\r\n" + response.partition(b"\r\n\r\n")[2], "close"
    ),
    "deflate": rewrite_response(
        lambda response: http_response(
            200, zlib.compress(response.partition(b"\r\n\r\n")[2]), Content_Encoding="deflate"
        )
    ),
}


@pytest.mark.parametrize("fault", VALID.values(), ids=VALID)
@actions
async def test_an_unusual_but_valid_response_is_accepted(
    case: FaultCase, fault: ServerFault, action: Any
) -> None:
    case.server.inject(fault)
    room = await case.expect_result(action)
    assert isinstance(room, Room)
    assert room.id == (HEALTHY_ROOM_ID if action is read else case.server.store.ids[0])
    case.expect_requests(METHODS[action], rooms=action is create)


async def test_the_last_of_duplicate_keys_counts(case: FaultCase) -> None:
    case.server.inject(raw_value(b'1, "max_participants": 2'))
    assert (await case.expect_result(read)).max_participants == 2
    case.expect_requests("GET")


# --- invalid bodies -----------------------------------------------------------------------------------------

ALL_FIELDS_INVALID = change_fields(
    id=None, max_participants="7", enable_recording=1, created_at="yesterday", unique_name=[]
)
PATHS = {
    "$.data.id: expected string, got null",
    "$.data.max_participants: expected integer, got string",
    "$.data.enable_recording: expected boolean, got integer",
    "$.data.created_at: expected an RFC 3339 instant, got another string",
    "$.data.unique_name: expected string, got array",
}


async def test_a_validation_error_names_every_path(case: FaultCase) -> None:
    case.server.inject(ALL_FIELDS_INVALID)
    error = await case.expect_error(APIResponseValidationError, read)
    assert (set(error.misfits), error.status) == (PATHS, 200)
    case.expect_requests("GET")


async def test_a_validation_error_in_a_page_names_the_index(case: FaultCase) -> None:
    case.server.inject(replace_body({"data": [{"id": "a"}, {"id": 7}], "meta": {}}))
    error = await case.expect_error(APIResponseValidationError, ids_of)
    assert error.misfits == ("$.data[1].id: expected string, got integer",)
    case.expect_requests("GET")


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
async def test_a_page_of_the_wrong_shape_is_not_an_empty_page(case: FaultCase, body: object) -> None:
    case.server.inject_always(replace_body(body))
    await case.expect_error(APIResponseValidationError, ids_of)
    case.expect_requests("GET")


async def test_the_body_of_a_delete_is_ignored(case: FaultCase) -> None:
    case.server.store.seed()
    case.server.inject(send_raw(http_response(200, f"<{SECRET_TOKEN}>".encode()), "keep"))
    await case.expect_result(delete)
    assert case.server.store.ids == []
    case.expect_requests("DELETE")


# --- too large ----------------------------------------------------------------------------------------------

OVERSIZED: dict[str, ResponseFault] = {
    **TOO_LARGE,
    "404 gzip bomb": ResponseFault(
        send_raw(
            b"HTTP/1.1 404 X\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB,
            "hang",
        ).uncommitted,
        NotFoundError,
        1,
    ),
    "404 endless body": ResponseFault(
        send_endlessly(b"HTTP/1.1 404 X\r\nConnection: close\r\n\r\n", b"x" * 65_536).uncommitted,
        NotFoundError,
        1,
    ),
    "404 huge Content-Length": ResponseFault(
        send_endlessly(b"HTTP/1.1 404 X\r\nContent-Length: 999999999999\r\n\r\n", b"x" * 65_536).uncommitted,
        NotFoundError,
        1,
    ),
}


@pytest.fixture
def _weighed() -> Iterator[None]:
    """Limit the memory that a test allocates."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - before <= 4 * 8 * MEBI


@pytest.mark.usefixtures("_weighed")
@pytest.mark.parametrize("response_fault", OVERSIZED.values(), ids=OVERSIZED)
async def test_a_response_that_is_too_large_is_rejected_while_it_is_read(
    case: FaultCase, response_fault: ResponseFault
) -> None:
    case.server.inject(response_fault.fault)
    await case.expect_error(response_fault.error, read)
    case.expect_requests("GET")


@pytest.mark.usefixtures("_weighed")
@pytest.mark.parametrize("committed", [True, False], ids=["committed", "lost"])
@pytest.mark.parametrize("response_fault", TOO_LARGE.values(), ids=TOO_LARGE)
async def test_a_create_is_looked_up_after_a_response_that_is_too_large(
    case: FaultCase, response_fault: ResponseFault, *, committed: bool
) -> None:
    case.server.inject(response_fault.fault if committed else response_fault.fault.uncommitted)
    if committed:
        await case.expect_result(create)
        case.expect_requests("POST GET", rooms=1)
    else:
        await case.expect_error(OutcomeUnknownError, create)
        case.expect_requests("POST GET GET GET")


SIZES = {"just as large": (0, Room), "a byte more": (1, ResponseTooLargeError)}


@pytest.mark.parametrize(("more", "error_class"), SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("compressed", [True, False], ids=["gzip", "plain"])
async def test_a_body_of_8_mebibytes_is_accepted_and_one_byte_more_is_not(
    case: FaultCase, more: int, error_class: type, *, compressed: bool
) -> None:
    body = b'{"data": {"id": "a"}}'.ljust(8 * MEBI + more)
    case.server.inject(
        replace_body(gzip.compress(body), Content_Encoding="gzip") if compressed else replace_body(body)
    )
    if error_class is Room:
        await case.expect_result(read)
    else:
        await case.expect_error(ResponseTooLargeError, read)
    case.expect_requests("GET")


async def test_a_connection_with_unread_bytes_is_not_reused(case: FaultCase) -> None:
    seen: list[RecordedRequest] = []
    case.server.on_request = seen.append
    case.server.inject(TOO_LARGE["a huge Content Length"].fault)
    await case.expect_error(ResponseTooLargeError, read)
    await case.expect_result(read)
    assert [request.connection for request in seen] == [1, 2]
    case.expect_requests("GET GET")
