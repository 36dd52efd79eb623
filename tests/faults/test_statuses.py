"""Error statuses, error bodies, interim responses and redirects."""

import json
from typing import Any

import pytest

from telnyx_rooms_async import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    TelnyxRoomsError,
    UnexpectedRedirectError,
    UnprocessableEntityError,
)
from tests.helpers.fault_case import METHODS, FaultCase, create, delete, read, read_and_create
from tests.helpers.fault_server import FaultServer, ServerFault
from tests.helpers.faults import respond, rewrite_response, send_raw
from tests.helpers.raw_server import running
from tests.helpers.room_store import SECRET_TOKEN

# --- error statuses -----------------------------------------------------------------------------------------

ERROR_STATUSES: dict[int, type[TelnyxRoomsError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: APIStatusError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: APIStatusError,
    409: ConflictError,
    410: APIStatusError,
    418: APIStatusError,
    422: UnprocessableEntityError,
    451: APIStatusError,
    501: InternalServerError,
}


@pytest.mark.parametrize(("status", "error_class"), ERROR_STATUSES.items(), ids=map(str, ERROR_STATUSES))
@pytest.mark.parametrize("action", [read, create, delete], ids=lambda action: action.__name__)
async def test_an_error_status_is_raised_after_one_request(
    case: FaultCase, status: int, error_class: type[Any], action: Any
) -> None:
    case.server.store.seed()
    body = {"errors": [{"code": "10000", "title": "No", "detail": "Not so", "source": {"pointer": "/x"}}]}
    case.server.inject_always(respond(status, body, X_Request_Id="req-7", X_Should_Retry="true"))
    error = await case.expect_error(error_class, action)
    assert (error.status_code, error.code, error.title, error.detail) == (status, "10000", "No", "Not so")
    assert (error.pointer, error.request_id, len(error.attempts)) == ("/x", "req-7", 1)
    assert error.budget_exhausted is False
    case.expect_requests(METHODS.get(action, "DELETE"))


# --- error bodies -------------------------------------------------------------------------------------------

DEEP = b'{"errors":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
ENTRY = {"code": "10005", "title": "Resource not found"}
ERROR_BODIES: dict[str, tuple[int, object, int]] = {
    "404 bare object": (404, ENTRY, 1),
    "422 array": (422, {"errors": [ENTRY, ENTRY]}, 2),
    "422 object of lists": (422, {"errors": {"max_participants": ["too few", "odd"]}}, 2),
    "400 message": (400, {"message": "Error", "success": False}, 1),
    "401 empty": (401, b"", 0),
    "403 HTML": (403, f"<html>{SECRET_TOKEN}</html>".encode(), 0),
    "404 20 MB": (404, b"<html>" + SECRET_TOKEN.encode() * 600_000, 0),
    "422 20 MB of JSON": (422, b'{"errors":[' + b'{"code":"1"},' * 1_500_000 + b'{"code":"1"}]}', 0),
    "422 of 64 KiB": (422, b'{"message": "'.ljust(2**16 - 2, b"x") + b'"}', 1),
    "422 of more than 64 KiB": (422, b'{"message": "'.ljust(2**16 - 1, b"x") + b'"}', 0),
    "422 many entries": (422, {"errors": [ENTRY] * 400}, 50),
    "400 deep nesting": (400, DEEP, 0),
    "404 wrong charset": (404, json.dumps(ENTRY).encode("utf-16"), 0),
    "404 control characters": (404, {"title": "a\r\nb\x1b[31m\u202e" * 200}, 1),
}


@pytest.mark.parametrize(("status", "body", "entries"), ERROR_BODIES.values(), ids=ERROR_BODIES)
@read_and_create
async def test_an_error_body_of_any_shape_is_typed_by_its_status(
    case: FaultCase, status: int, body: object, entries: int, action: Any
) -> None:
    case.server.inject_always(respond(status, body))
    error = await case.expect_error(ERROR_STATUSES[status], action)
    assert isinstance(error, APIStatusError)
    assert (error.status_code, len(error.errors)) == (status, entries)
    case.expect_requests(METHODS[action])


BROKEN_BODIES: dict[str, ServerFault] = {
    "cut": send_raw(b"HTTP/1.1 404 X\r\nContent-Length: 99\r\n\r\n{"),
    "reset": send_raw(b"HTTP/1.1 404 X\r\nContent-Length: 99\r\n\r\n{", "reset"),
    "corrupt gzip": respond(404, b"\x1f\x8b nothing", Content_Encoding="gzip"),
    "unknown encoding": respond(404, b"??", Content_Encoding="zebra"),
}


@pytest.mark.parametrize("fault", BROKEN_BODIES.values(), ids=BROKEN_BODIES)
@read_and_create
async def test_a_broken_error_body_is_typed_by_its_status(
    case: FaultCase, fault: ServerFault, action: Any
) -> None:
    case.server.inject_always(fault.uncommitted)
    error = await case.expect_error(NotFoundError, action)
    assert error.errors == ()
    case.expect_requests(METHODS[action])


# --- interim responses --------------------------------------------------------------------------------------


@read_and_create
async def test_interim_responses_are_skipped(case: FaultCase, action: Any) -> None:
    interim = b"".join(b"HTTP/1.1 %d Wait\r\n\r\n" % status for status in (100, 102, 103))
    case.server.inject(rewrite_response(lambda response: interim + response))
    await case.expect_result(action)
    case.expect_requests(METHODS[action], rooms=action is create)


# --- redirects ----------------------------------------------------------------------------------------------

LOCATIONS = [
    *("/v2/rooms/a-healthy-room", "/v2/rooms", "https://example.com/v2/rooms", "file:///etc/passwd"),
    *("", "http://[", "ELSEWHERE"),
]


@pytest.mark.parametrize("location", LOCATIONS)
@read_and_create
async def test_redirects_are_never_followed(case: FaultCase, location: str, action: Any) -> None:
    async with running(FaultServer()) as elsewhere:
        target = elsewhere.url if location == "ELSEWHERE" else location
        statuses = [300, 301, 302, 303, 304, 307, 308]
        for status in statuses:
            case.server.inject(respond(status, Location=f"{target}?pin={SECRET_TOKEN}"))
            error = await case.expect_error(UnexpectedRedirectError, action)
            assert (elsewhere.connections, error.status_code) == (0, status)
    case.expect_requests(" ".join([METHODS[action]] * len(statuses)), rooms=0)
