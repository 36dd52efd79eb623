"""The protocol without I/O: building calls, reading outcomes, and turning pages."""

import json
import posixpath
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import event, given
from hypothesis import strategies as st

from telnyx_rooms_async import errors
from telnyx_rooms_async.core import endpoints
from telnyx_rooms_async.core.http_messages import Call, Failure, Response
from telnyx_rooms_async.core.protocol import at, build, build_custom, page_number, page_size, read
from telnyx_rooms_async.core.requests import RoomBody, RoomsQuery
from telnyx_rooms_async.errors import (
    Attempt,
    FailureKind,
    InvalidArgumentError,
    OutcomeUnknownError,
    TelnyxRoomsError,
)
from telnyx_rooms_async.models import ActionResult, Page, PageMeta, Room, RoomSession
from tests.helpers.responses import respond

ROOM_ID = "0ccc7b54-4df3-4bca-a65a-3da1ecc777f0"

# --- build ------------------------------------------------------------------------------------------------


BAD_IDS = [
    *("", ".", "..", "%2e", "%2E%2E", "a/b", "a\\b", "/", "../rooms", "a?b", "a#b", "a b", "a\r\nb", "a\n"),
    *("\na", "a\0b", "a\x7fb", "{room_id}", "é", "\uff0e\uff0e", "\ud800", "a" * 256, "a" * 20_480),
    *(b"a", None, 7, True, ["a"], RoomSession(id="a")),
]


@pytest.mark.parametrize("room_id", BAD_IDS, ids=[ascii(value)[:20].replace("\\", "|") for value in BAD_IDS])
def test_invalid_id_is_refused_by_its_name(room_id: Any) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        build(endpoints.RETRIEVE_ROOM, room_id=room_id)
    (problem,) = caught.value.problems
    assert problem.startswith("room_id ")
    assert len(problem) <= 120


@pytest.mark.parametrize(
    ("room_id", "segment"),
    [
        (UUID(ROOM_ID.upper()), ROOM_ID),
        (Room(id=ROOM_ID), ROOM_ID),
        ("...", "..."),
        ("..a", "..a"),
        ("a.b_c~d-e", "a.b_c~d-e"),
        ("a" * 255, "a" * 255),
    ],
    ids=["UUID", "room", "three dots", "leading dots", "unreserved characters", "longest"],
)
def test_id_is_a_segment_of_the_path(room_id: object, segment: str) -> None:
    assert build(endpoints.RETRIEVE_ROOM, room_id=room_id).request.path == f"/rooms/{segment}"


@given(st.text() | st.text(".%/\\?#& ~a2eE\n\0", max_size=6) | st.from_regex(r"[A-Za-z0-9._~-]{1,20}"))
def test_any_id_is_refused_or_stays_in_its_segment(room_id: str) -> None:
    try:
        path = build(endpoints.LIST_ROOM_SESSIONS, room_id=room_id).request.path
    except InvalidArgumentError:
        event("refused")
        return
    event("accepted")
    assert path.split("/") == ["", "rooms", room_id, "sessions"]
    assert posixpath.normpath(unquote(path)) == path


def test_all_invalid_arguments_are_named_at_once() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        build(
            endpoints.UPDATE_ROOM,
            query=RoomsQuery(page_size=0, unique_name=""),
            body=RoomBody(max_participants=51),
            room_id="..",
        )
    names = [problem.partition(" ")[0] for problem in caught.value.problems]
    assert names == ["room_id", "page_size", "unique_name", "max_participants"]
    with pytest.raises(InvalidArgumentError, match="room_id must be given"):
        build(endpoints.RETRIEVE_ROOM)


# --- read: responses --------------------------------------------------------------------------------------

LIST: Call[Page[Room]] = build(endpoints.LIST_ROOMS, query=RoomsQuery())
CREATE: Call[Room] = build(endpoints.CREATE_ROOM, body=RoomBody())
CREATE_NAMED: Call[Room] = build(endpoints.CREATE_ROOM, body=RoomBody(unique_name="Weekly"))
RETRIEVE: Call[Room] = build(endpoints.RETRIEVE_ROOM, room_id=ROOM_ID)
UPDATE: Call[Room] = build(endpoints.UPDATE_ROOM, body=RoomBody(), room_id=ROOM_ID)
DELETE: Call[None] = build(endpoints.DELETE_ROOM, room_id=ROOM_ID)
END: Call[ActionResult] = build(endpoints.END_SESSION, session_id="a-session")
CUSTOM_GET, CUSTOM_POST, CUSTOM_DELETE = (
    build_custom(method, "/rooms/a") for method in ("GET", "POST", "DELETE")
)

LOST = Failure(reason=FailureKind.LOST, sent=True)
NOT_SENT = Failure(reason=FailureKind.CONNECT, sent=False)


def attempts_with(*outcomes: Response | Failure) -> tuple[Attempt, ...]:
    """Return the records of attempts with these outcomes."""
    return tuple(
        Attempt(
            number=number,
            operation="any",
            method="any",
            template="/any",
            sent=outcome.sent if isinstance(outcome, Failure) else outcome.status != 429,
            elapsed=0.1,
        )
        for number, outcome in enumerate(outcomes, 1)
    )


def raised_by(call: Call[Any], outcome: Response | Failure, *before: Response | Failure) -> TelnyxRoomsError:
    """Return the error of the last of several attempts."""
    attempts = attempts_with(*before, outcome)
    with pytest.raises(TelnyxRoomsError) as caught:
        read(call, outcome, attempts)
    assert vars(caught.value)["attempts"] == attempts
    return caught.value


@pytest.mark.parametrize(
    ("call", "body", "result"),
    [
        (
            LIST,
            b'{"data":[{"id":"a"}],"meta":{"total_pages":1}}',
            Page(data=(Room(id="a"),), meta=PageMeta(total_pages=1)),
        ),
        (CREATE, b'{"data":{"id":"a"}}', Room(id="a")),
        (RETRIEVE, b'{"data":{"id":"a"}}', Room(id="a")),
        (DELETE, b"", None),
        (CUSTOM_GET, b"<html>", respond(200, b"<html>")),
        (CUSTOM_POST, b"<html>", respond(200, b"<html>")),
    ],
    ids=["list", "create", "retrieve", "delete", "custom GET", "custom POST"],
)
@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_success_returns_the_result_of_the_operation(
    call: Call[object], body: bytes, result: object, status: int
) -> None:
    expected = evolve(result, status=status) if isinstance(result, Response) else result
    assert read(call, respond(status, body)) == expected


def test_validation_error_has_fifty_problems_at_most() -> None:
    session = {"id": "a", "participants": [{"id": 7}] * 40}
    body = json.dumps({"data": {"id": "b", "sessions": [session, session]}}).encode()
    error = raised_by(RETRIEVE, respond(200, body))
    assert isinstance(error, errors.APIResponseValidationError)
    assert len(error.problems) == 50
    assert "79 more" in error.detail


def test_error_of_a_response_in_html_says_so() -> None:
    error = raised_by(RETRIEVE, respond(200, b"<html>", Content_Type="text/html; charset=utf-8"))
    assert str(error).endswith("the response is text/html; charset=utf-8, not JSON: check the base URL")


@pytest.mark.parametrize("name", ["x-request-id", "request-id", "telnyx-request-id", "x-telnyx-request-id"])
@pytest.mark.parametrize("spell", [str.lower, str.upper], ids=["lower case", "upper case"])
def test_request_id_has_four_names(name: str, spell: Callable[[str], str]) -> None:
    response = Response(status=500, raw_headers=((b"cf-ray", b"other"), (spell(name).encode(), b"req-1")))
    assert response.request_id == "req-1"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(b"a\x1b[31mred", "a\\x1b[31mred"), (b"a\x9b31m", "a\\x9b31m"), (b"z" * 7000, "z" * 99 + "…")],
    ids=["escape", "C1 control", "long"],
)
def test_request_id_is_escaped_and_cut(value: bytes, shown: str) -> None:
    assert Response(status=200, raw_headers=((b"X-Request-Id", value),)).request_id == shown


# --- read: failures ---------------------------------------------------------------------------------------

FAILURES: dict[FailureKind, type[TelnyxRoomsError]] = {
    FailureKind.CONNECT: errors.ConnectError,
    FailureKind.TLS: errors.TLSError,
    FailureKind.PROXY_AUTHENTICATION: errors.ProxyAuthenticationError,
    FailureKind.LOST: errors.ConnectionLostError,
    FailureKind.TIMEOUT: errors.APITimeoutError,
    FailureKind.MALFORMED: errors.MalformedResponseError,
    FailureKind.UNREADABLE: errors.APIResponseValidationError,
    FailureKind.TOO_LARGE: errors.ResponseTooLargeError,
}


@pytest.mark.parametrize("reason", FailureKind)
@pytest.mark.parametrize("sent", [True, False])
def test_failure_raises_the_class_of_its_reason(reason: FailureKind, *, sent: bool) -> None:
    error = raised_by(RETRIEVE, Failure(reason=reason, sent=sent, detail="one line", deadline=True), LOST)
    assert type(error) is FAILURES[reason]
    assert vars(error)["detail"] == "one line"
    assert vars(error).get("sent", sent) is sent
    assert vars(error).get("deadline", True) is True


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (LIST, ["page_size"]),
        (
            build(endpoints.LIST_ROOMS, query=RoomsQuery(include_sessions=True)),
            ["page_size", "include_sessions"],
        ),
        (at(LIST, 1, 1), []),
        (RETRIEVE, []),
    ],
    ids=["list", "list with sessions", "page of one", "no list"],
)
def test_too_large_response_names_the_arguments_that_make_it_smaller(
    call: Call[object], parts: list[str]
) -> None:
    error = raised_by(call, Failure(reason=FailureKind.TOO_LARGE, sent=True, detail="9 MiB"))
    assert [name for name in ("page_size", "include_sessions") if name in str(error)] == parts


# --- read: what an earlier attempt has done -----------------------------------------------------------------

GONE = respond(404)
OVER = respond(422, b'{"errors":[{"code":"1","title":"No private_ip for room"}]}')


@pytest.mark.parametrize(
    "before",
    [
        [LOST],
        [Failure(reason=FailureKind.TIMEOUT, sent=True)],
        [respond(500)],
        [respond(503, retry_after="1")],
        [LOST, NOT_SENT],
        [LOST, respond(429)],
        [respond(429), LOST],
    ],
    ids=["lost", "timeout", "500", "503", "lost, unsent", "lost, 429", "429, lost"],
)
@pytest.mark.parametrize(
    ("call", "outcome", "result"),
    [(DELETE, GONE, None), (CUSTOM_DELETE, GONE, GONE), (END, GONE, None), (END, OVER, None)],
    ids=["delete", "custom delete", "end, gone", "end, over"],
)
def test_retried_delete_or_end_succeeds_when_the_first_attempt_did_it(
    call: Call[object], outcome: Response, result: object, before: list[Response | Failure]
) -> None:
    assert read(call, outcome, attempts_with(*before, outcome)) == result


@pytest.mark.parametrize(
    ("call", "outcome", "before", "cl"),
    [
        (DELETE, GONE, [], errors.NotFoundError),
        (DELETE, GONE, [NOT_SENT, respond(429)], errors.NotFoundError),
        (CUSTOM_DELETE, GONE, [respond(429)], errors.NotFoundError),
        (DELETE, respond(403), [LOST], errors.PermissionDeniedError),
        (DELETE, respond(410), [LOST], errors.APIStatusError),
        (DELETE, OVER, [LOST], errors.SessionEndedError),
        (RETRIEVE, GONE, [LOST], errors.NotFoundError),
        (UPDATE, GONE, [LOST], errors.NotFoundError),
        (END, OVER, [NOT_SENT], errors.SessionEndedError),
        (END, respond(422), [LOST], errors.UnprocessableEntityError),
        (END, respond(403), [LOST], errors.PermissionDeniedError),
    ],
)
def test_refusal_is_raised_when_no_earlier_attempt_can_have_done_it(
    call: Call[object], outcome: Response, before: list[Response | Failure], cl: type[TelnyxRoomsError]
) -> None:
    assert type(raised_by(call, outcome, *before)) is cl


# --- read: unknown outcomes ---------------------------------------------------------------------------------

UNKNOWN: dict[str, tuple[Response | Failure, type[TelnyxRoomsError]]] = {
    **{str(status): (respond(status), errors.InternalServerError) for status in (500, 502, 503, 504, 520)},
    "600": (respond(600), errors.APIStatusError),
    "408": (respond(408), errors.APIStatusError),
    "503 with hint": (respond(503, retry_after="5"), errors.InternalServerError),
    **{
        str(reason): (Failure(reason=reason, sent=True), FAILURES[reason])
        for reason in (
            FailureKind.LOST,
            FailureKind.TIMEOUT,
            FailureKind.MALFORMED,
            FailureKind.UNREADABLE,
            FailureKind.TOO_LARGE,
        )
    },
    "201 empty": (respond(201), errors.APIResponseValidationError),
    "201 HTML": (respond(201, b"<html>"), errors.APIResponseValidationError),
    "200 without id": (respond(200, b'{"data":{}}'), errors.APIResponseValidationError),
}


@pytest.mark.parametrize(("outcome", "cl"), UNKNOWN.values(), ids=UNKNOWN)
def test_create_that_may_have_been_processed_has_an_unknown_outcome(
    outcome: Response | Failure, cl: type[TelnyxRoomsError]
) -> None:
    error = raised_by(CREATE_NAMED, outcome, NOT_SENT)
    assert isinstance(error, OutcomeUnknownError)
    assert (error.operation, error.unique_name) == ("CreateRoom", "Weekly")
    assert type(error.__cause__) is cl
    assert type(raised_by(UPDATE, outcome)) is cl


KNOWN: dict[str, tuple[Response | Failure, type[TelnyxRoomsError]]] = {
    "400": (respond(400), errors.BadRequestError),
    "402": (respond(402), errors.APIStatusError),
    "409": (respond(409), errors.ConflictError),
    "429": (respond(429), errors.RateLimitError),
    "501": (respond(501), errors.InternalServerError),
    "302": (respond(302), errors.UnexpectedRedirectError),
    "name taken": (
        respond(422, b'{"errors":{"unique_name_not_unique_for_user_id":["in use"]}}'),
        errors.NameTakenError,
    ),
    **{
        f"{reason}, not sent": (Failure(reason=reason, sent=False), FAILURES[reason])
        for reason in (FailureKind.CONNECT, FailureKind.TLS, FailureKind.LOST, FailureKind.TIMEOUT)
    },
}


@pytest.mark.parametrize(("outcome", "cl"), KNOWN.values(), ids=KNOWN)
@pytest.mark.parametrize("call", [CREATE, CREATE_NAMED, CUSTOM_POST], ids=["nameless", "named", "custom"])
def test_create_that_was_not_processed_raises_the_plain_error(
    call: Call[object], outcome: Response | Failure, cl: type[TelnyxRoomsError]
) -> None:
    error = raised_by(call, outcome)
    assert type(error) is cl
    assert error.__cause__ is None


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (None, None),
        ({}, None),
        ({"unique_name": "Weekly"}, "Weekly"),
        ({"unique_name": 7}, None),
        ([{"unique_name": "Weekly"}], None),
        ("unique_name", None),
    ],
    ids=["no body", "empty", "named", "number", "list", "text"],
)
def test_unknown_outcome_of_a_custom_request_has_the_name_in_its_body(body: object, name: str | None) -> None:
    error = raised_by(build_custom("POST", "/rooms", json=body), LOST)
    assert isinstance(error, OutcomeUnknownError)
    assert (error.operation, error.unique_name) == ("POST /rooms", name)


# --- pages ------------------------------------------------------------------------------------------------


def test_list_without_a_query_is_its_first_page() -> None:
    call = build(endpoints.LIST_ROOMS)
    assert (page_number(call), page_size(call)) == (1, 250)


@pytest.mark.parametrize(
    ("number", "size", "expected"), [(2, None, (2, 25)), (7, 1, (7, 1)), (2**31 - 1, 250, (2**31 - 1, 250))]
)
def test_another_page_is_the_same_call_but_for_number_and_size(
    number: int, size: int | None, expected: tuple[int, int]
) -> None:
    query = RoomsQuery(page_number=2, page_size=25, created_at="2021-04-25", include_sessions=True)
    call = build(endpoints.LIST_ROOMS, query=query)
    page = at(call, number, size)
    assert (page_number(page), page_size(page)) == expected
    assert at(page, 2, 25).request == call.request


@pytest.mark.parametrize(
    ("number", "size", "names"),
    [
        *((number, None, ["page_number"]) for number in (0, -1, 2**31, True, 1.5, "1", None)),
        *((1, size, ["page_size"]) for size in (0, 251, True, "25")),
        (0, 0, ["page_number", "page_size"]),
    ],
)
def test_invalid_page_number_or_size_is_refused_by_its_name(number: Any, size: Any, names: list[str]) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        at(LIST, number, size)
    assert [problem.partition(" ")[0] for problem in caught.value.problems] == names
