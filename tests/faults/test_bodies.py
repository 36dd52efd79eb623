"""Bodies of successful responses: unusual, invalid, broken and endless ones."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from telnyx_rooms_async import (
    APIResponseValidationError,
    NotFoundError,
    OutcomeUnknownError,
    ResponseTooLargeError,
    Room,
)
from tests.helpers.fault_case import METHODS, FaultCase, create, delete, ids_of, read, read_and_create
from tests.helpers.fault_server import ServerFault
from tests.helpers.faults import (
    MEBI,
    TOO_LARGE,
    ResponseFault,
    as_chunks,
    change_fields,
    gzip_body,
    oversized,
    replace_body,
    rewrite_response,
    send_raw,
    send_slowly,
)
from tests.helpers.raw_server import Then, http_response
from tests.helpers.room_store import HEALTHY_ROOM_ID, SECRET_TOKEN

# --- valid bodies -------------------------------------------------------------------------------------------


def rewrite_body(change: Callable[[bytes], bytes], then: Then = "keep", **headers: str) -> ServerFault:
    """Change the encoded body of the response."""
    return rewrite_response(
        lambda response: http_response(200, change(response.partition(b"\r\n\r\n")[2]), **headers), then
    )


NULLS = dict.fromkeys(
    [
        *("unique_name", "max_participants", "enable_recording", "created_at", "updated_at", "record_type"),
        *("active_session_id", "webhook_event_url", "webhook_event_failover_url", "webhook_timeout_secs"),
        "sessions",
    ]
)
VALID: dict[str, ServerFault] = {
    "nulls in optional fields": change_fields(**NULLS),
    "unknown fields": change_fields(colour="red", shape={"sides": [1, 2, {"x": None}]}),
    "an unknown record type": change_fields(sessions=[{"id": "s", "record_type": "seance"}]),
    "BOM": rewrite_body(lambda body: b"\xef\xbb\xbf" + body),
    "white space around": rewrite_body(lambda body: b" \r\n\t" + body + b"\n "),
    "no Content-Type": rewrite_response(
        lambda response: response.replace(b"Content-Type: application/json\r\n", b"")
    ),
    "another Content-Type": rewrite_body(lambda body: body, Content_Type="text/html"),
    "an unknown charset": rewrite_body(lambda body: body, Content_Type="application/json; charset=x"),
    "gzip": gzip_body(lambda compressed: compressed),
    "gzip in two parts": gzip_body(lambda compressed: gzip.compress(b" ") + compressed),
    "not compressed": rewrite_body(lambda body: body, Content_Encoding="identity"),
    "deflate": rewrite_body(zlib.compress, Content_Encoding="deflate"),
    "chunks": rewrite_response(as_chunks),
    "a byte at a time": send_slowly("body", 0.01),
    "no length, closed at the end": rewrite_response(
        lambda response: b"HTTP/1.0 200 OK\r\n\r\n" + response.partition(b"\r\n\r\n")[2], "close"
    ),
}


@pytest.mark.parametrize("fault", VALID.values(), ids=VALID)
@read_and_create
async def test_an_unusual_but_valid_response_is_accepted(
    case: FaultCase, fault: ServerFault, action: Any
) -> None:
    case.server.inject(fault)
    room = await case.expect_result(action)
    assert room.id == (HEALTHY_ROOM_ID if action is read else case.server.store.ids[0])
    case.expect_requests(METHODS[action], rooms=action is create)


# --- invalid bodies -----------------------------------------------------------------------------------------


LISTS: dict[str, tuple[object, str]] = {
    "empty": (b"", ""),
    "HTML": (b"<html>", ""),
    "a bare list": ([{"id": "a"}], ""),
    "no data": ({"meta": {}}, ""),
    "null data": ({"data": None}, ""),
    "an object of data": ({"data": {"id": "a"}}, ""),
    "a wrong item": ({"data": [{"id": "a"}, {"id": 7}]}, "$.data[1].id: expected string, got integer"),
}


@pytest.mark.parametrize(("body", "misfit"), LISTS.values(), ids=LISTS)
async def test_a_page_of_the_wrong_shape_is_not_an_empty_page(
    case: FaultCase, body: object, misfit: str
) -> None:
    case.server.inject_always(replace_body(body))
    error = await case.expect_error(APIResponseValidationError, ids_of)
    assert not misfit or error.problems == (misfit,)
    case.expect_requests("GET")


async def test_the_body_of_a_delete_is_ignored(case: FaultCase) -> None:
    case.server.store.seed()
    case.server.inject(send_raw(http_response(200, f"<{SECRET_TOKEN}>".encode()), "keep"))
    await case.expect_result(delete)
    assert case.server.store.ids == []
    case.expect_requests("DELETE")


# --- too large ----------------------------------------------------------------------------------------------

OVERSIZED = TOO_LARGE | {
    f"404 {name}": ResponseFault(fault.uncommitted, NotFoundError)
    for name, fault in oversized(b"HTTP/1.1 404 X\r\n").items()
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
@pytest.mark.parametrize("name", OVERSIZED)
async def test_a_response_that_is_too_large_is_rejected_while_it_is_read(case: FaultCase, name: str) -> None:
    case.server.inject(OVERSIZED[name].fault)
    await case.expect_error(OVERSIZED[name].error, read)
    await case.expect_result(read)
    # A connection with unread bytes is not used again; a bomb is small on the wire.
    assert case.server.requests[1].connection == (1 if "bomb" in name else 2)
    case.expect_requests("GET GET")


@pytest.mark.usefixtures("_weighed")
async def test_a_create_is_unknown_after_a_response_that_is_too_large(case: FaultCase) -> None:
    case.server.inject(TOO_LARGE["gzip bomb"].fault.uncommitted)
    await case.expect_error(OutcomeUnknownError, create)
    case.expect_requests("POST GET GET GET")


@pytest.mark.parametrize(("more", "error_class"), [(0, None), (1, ResponseTooLargeError)])
@pytest.mark.parametrize("compressed", [True, False], ids=["gzip", "plain"])
async def test_a_body_of_8_mebibytes_is_accepted_and_one_byte_more_is_not(
    case: FaultCase, more: int, error_class: type[Exception] | None, *, compressed: bool
) -> None:
    body = b'{"data": {"id": "a"}}'.ljust(8 * MEBI + more)
    case.server.inject(
        replace_body(gzip.compress(body), Content_Encoding="gzip") if compressed else replace_body(body)
    )
    if error_class is None:
        assert await case.expect_result(read) == Room(id="a")
    else:
        await case.expect_error(error_class, read)
    case.expect_requests("GET")
