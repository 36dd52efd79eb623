"""Answers of every status: what each comes to, and what is read of its body."""

import json
from typing import Any

import pytest

from telnyx_rooms_async import (
    APIConnectionError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NameTakenError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RoomsClient,
    TelnyxRoomsError,
    UnexpectedRedirectError,
    UnprocessableEntityError,
)
from tests.helpers.fast_forward import FastForwardLoop
from tests.helpers.fault_case import FaultCase, create, delete, read
from tests.helpers.fault_server import FaultServer, ServerFault, run_fault_server
from tests.helpers.room_store import SECRET_TOKEN, http_response
from tests.helpers.server_faults import respond, send_interim, send_raw, truncate

METHODS = {read: "GET", create: "POST", delete: "DELETE"}
actions = pytest.mark.parametrize("action", [read, create], ids=lambda action: action.__name__)

# --- refusals -----------------------------------------------------------------------------------------------

REFUSALS: dict[int, type[TelnyxRoomsError]] = {
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


@pytest.mark.parametrize(("status", "kind"), REFUSALS.items(), ids=map(str, REFUSALS))
@pytest.mark.parametrize("action", METHODS, ids=lambda action: action.__name__)
async def test_a_refusal_is_final(case: FaultCase, status: int, kind: type[Any], action: Any) -> None:
    """It is a typed error after one request, of a create too."""
    case.server.store.seed()
    told = {"errors": [{"code": "10000", "title": "No", "detail": "Not so", "source": {"pointer": "/x"}}]}
    case.server.inject_always(respond(status, told, X_Request_Id="req-7", X_Should_Retry="true"))
    error = await case.expect_error(kind, action)
    assert (error.status, error.code, error.title, error.detail) == (status, "10000", "No", "Not so")
    assert (error.pointer, error.request_id, len(error.attempts)) == ("/x", "req-7", 1)
    assert error.budget_exhausted is False
    case.expect_requests(METHODS[action])


async def test_the_last_answer_is_kept(case: FaultCase) -> None:
    """When the last try brings none, the error is the last answer, with all tries in it."""
    case.server.inject(respond(500), respond(502, X_Request_Id="req-2"), truncate("before"))
    error = await case.expect_error(InternalServerError, read)
    assert (error.status, error.request_id) == (502, "req-2")
    assert [attempt.status or attempt.failure for attempt in error.attempts] == [500, 502, "lost"]
    case.expect_requests("GET GET GET")


async def test_503_with_a_hint(case: FaultCase) -> None:
    """A create that meets it for ever is unknown: no look-up was answered, so it is not sent again."""
    case.server.inject_always(respond(503, Retry_After="1"))
    error = await case.expect_error(OutcomeUnknownError, create)
    assert isinstance(error.__cause__, InternalServerError)
    assert (error.__cause__.retry_after, len(error.attempts)) == (1, 4)
    case.expect_requests("POST GET GET GET", rooms=0)


# --- the bodies of refusals ---------------------------------------------------------------------------------

DEEP = b'{"errors":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
ENTRY = {"code": "10005", "title": "Resource not found"}
BODIES: dict[str, tuple[int, object, int]] = {
    "404 bare object": (404, ENTRY, 1),
    "422 array": (422, {"errors": [ENTRY, ENTRY]}, 2),
    "422 object of lists": (422, {"errors": {"max_participants": ["too few", "odd"]}}, 2),
    "400 message": (400, {"message": "Error", "success": False}, 1),
    "400 message in data": (400, {"data": {"message": "Error"}}, 1),
    "401 empty": (401, b"", 0),
    "403 HTML": (403, f"<html>{SECRET_TOKEN}</html>".encode(), 0),
    "404 20 MB": (404, b"<html>" + SECRET_TOKEN.encode() * 600_000, 0),
    "422 20 MB of JSON": (422, b'{"errors":[' + b'{"code":"1"},' * 1_500_000 + b'{"code":"1"}]}', 0),
    "422 many entries": (422, {"errors": [ENTRY] * 400}, 50),
    "400 deep nesting": (400, DEEP, 0),
    "404 wrong charset": (404, json.dumps(ENTRY).encode("utf-16"), 0),
    "422 latin-1": (422, b'{"title": "caf\xe9"}', 0),
    "404 BOM": (404, b"\xef\xbb\xbf" + json.dumps(ENTRY).encode(), 1),
    "404 wrong types": (404, {"errors": [None, 7, [], {"code": [], "title": {}}]}, 0),
    "404 a list": (404, [SECRET_TOKEN], 0),
    "404 text": (404, f'"{SECRET_TOKEN}"'.encode(), 0),
    "404 null": (404, b"null", 0),
    "404 control characters": (404, {"title": "a\r\nb\x1b[31m\u202e" * 200}, 1),
}


@pytest.mark.parametrize(("status", "body", "entries"), BODIES.values(), ids=BODIES)
@actions
async def test_the_body_of_a_refusal(
    case: FaultCase, status: int, body: object, entries: int, action: Any
) -> None:
    """It is typed by its status, with the entries that can be read, and a message of bounded length."""
    case.server.inject_always(respond(status, body))
    error = await case.expect_error(REFUSALS[status], action)
    assert isinstance(error, APIStatusError)
    assert (error.status, len(error.errors)) == (status, entries)
    case.expect_requests(METHODS[action])


BROKEN: dict[str, ServerFault] = {
    "cut": send_raw(b"HTTP/1.1 404 X\r\nContent-Length: 99\r\n\r\n{"),
    "reset": send_raw(b"HTTP/1.1 404 X\r\nContent-Length: 99\r\n\r\n{", "reset"),
    "corrupt gzip": respond(404, b"\x1f\x8b nothing", Content_Encoding="gzip"),
    "unknown encoding": respond(404, b"??", Content_Encoding="zebra"),
}


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN)
@actions
async def test_the_broken_body_of_a_refusal(case: FaultCase, fault: ServerFault, action: Any) -> None:
    """The status says enough."""
    case.server.inject_always(fault.uncommitted)
    error = await case.expect_error(NotFoundError, action)
    assert error.errors == ()
    case.expect_requests(METHODS[action])


NAMES_TAKEN: dict[str, object] = {
    "object of lists": {"errors": {"unique_name_not_unique_for_user_id": ["has already been taken"]}},
    "array": {"errors": [{"title": "has already been taken", "source": {"pointer": "/unique_name"}}]},
}


@pytest.mark.parametrize("body", NAMES_TAKEN.values(), ids=NAMES_TAKEN)
async def test_a_name_that_is_taken(case: FaultCase, body: object) -> None:
    """A duplicate name is an error of its own."""
    case.server.inject(respond(422, body))
    await case.expect_error(NameTakenError, create)
    case.expect_requests("POST")


# --- interim answers ----------------------------------------------------------------------------------------


@actions
async def test_a_few_1xx(case: FaultCase, action: Any) -> None:
    """They are passed over."""
    case.server.inject(
        send_interim(
            b"HTTP/1.1 100 Continue\r\n\r\n",
            b"HTTP/1.1 102 Processing\r\n\r\n",
            b"HTTP/1.1 103 Early\r\n\r\n",
        )
    )
    await case.expect_result(action)
    case.expect_requests(METHODS[action], rooms=action is create)


# --- redirects ----------------------------------------------------------------------------------------------

REDIRECTS = [300, 301, 302, 303, 304, 307, 308]
PLACES = {
    "the same server": "/v2/rooms/a-healthy-room",
    "another server": "ELSEWHERE",
    "https": "https://example.com/v2/rooms",
    "a file": "file:///etc/passwd",
    "nowhere": "",
    "a loop": "/v2/rooms",
    "no URL": "http://[",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("status", REDIRECTS)
@actions
async def test_any_redirect(
    case: FaultCase, time: FastForwardLoop, status: int, place: str, action: Any
) -> None:
    """It is an error after one request, and nothing is sent elsewhere."""
    async with run_fault_server(time) as elsewhere:
        location = elsewhere.url if place == "ELSEWHERE" else place
        case.server.inject_always(respond(status, Location=f"{location}?pin={SECRET_TOKEN}"))
        error = await case.expect_error(UnexpectedRedirectError, action)
        assert (elsewhere.connections, error.status) == (0, status)
    case.expect_requests(METHODS[action], rooms=0)


# --- cookies and proxies ------------------------------------------------------------------------------------


async def test_a_cookie(case: FaultCase) -> None:
    """A cookie is not stored: the next request is the same as the first."""
    case.server.host = "localhost"  # aiohttp keeps no cookies of a bare address
    case.new_client()
    case.server.inject_always(
        send_raw(http_response(200, {"data": {"id": "a"}}, Set_Cookie="pin=1; Path=/"), "keep")
    )
    await case.expect_result(read)
    await case.expect_result(read)
    assert case.server.requests[0].head == case.server.requests[1].head
    assert b"cookie" not in case.server.requests[1].head.lower()
    case.expect_requests("GET GET")


async def a_proxied_read(
    case: FaultCase, proxy: FaultServer, monkeypatch: pytest.MonkeyPatch, **options: bool
) -> None:
    """Make a client for a name that only the proxy knows."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url.removesuffix("/v2"))
    case.new_client(base_url="http://elsewhere.localhost:9/v2", allow_insecure=True, **options)


async def test_a_proxy_in_the_environment(
    case: FaultCase, time: FastForwardLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is ignored."""
    async with run_fault_server(time) as proxy:
        await a_proxied_read(case, proxy, monkeypatch)
        with pytest.raises(APIConnectionError):
            await read(case.client)
        assert proxy.connections == 0
    case.expect_requests("")
    case.new_client()


async def test_a_proxy_that_is_trusted(case: FaultCase, monkeypatch: pytest.MonkeyPatch) -> None:
    """With trust_env it is used."""
    await a_proxied_read(case, case.server, monkeypatch, trust_env=True)

    async def a_read(client: RoomsClient) -> int:
        return (await client.request("GET", "/rooms")).status

    case.server.inject(respond(204))
    assert await case.expect_result(a_read) == 204
    assert case.server.requests[0].target == "http://elsewhere.localhost:9/v2/rooms"
    case.expect_requests("GET")
    case.new_client()


# --- unknown statuses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [505, 520, 522, 524, 530, 599])
async def test_another_5xx(case: FaultCase, status: int) -> None:
    """It is an InternalServerError after one request; of a create the outcome is unknown."""
    case.server.inject_always(respond(status), on="GET")
    assert (await case.expect_error(InternalServerError, read)).status == status
    case.expect_requests("GET")
    await case.server.recover()
    case.server.inject(respond(status))
    await case.expect_error(OutcomeUnknownError, create)
    case.expect_requests("GET POST GET GET GET")


@pytest.mark.parametrize("status", [600, 999])
async def test_a_status_beyond_the_table(case: FaultCase, status: int) -> None:
    """It is an error of no class of its own."""
    case.server.inject(respond(status))
    assert (await case.expect_error(APIStatusError, read)).status == status
    case.expect_requests("GET")
