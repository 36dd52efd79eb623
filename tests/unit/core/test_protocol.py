"""Three verbs: what is built, what an outcome comes to, and which page is next."""

import json
import posixpath
import re
from collections.abc import Callable, Mapping
from datetime import date
from types import NoneType
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import attrs
import pytest
from attrs import evolve
from hypothesis import event, given
from hypothesis import strategies as st

from telnyx_rooms_async.core.custom_request import build_raw
from telnyx_rooms_async.core.endpoints import (
    CREATE_ROOM,
    DELETE_ROOM,
    END_SESSION,
    ENDPOINTS,
    LIST_ROOM_SESSIONS,
    LIST_ROOMS,
    RETRIEVE_ROOM,
    UPDATE_ROOM,
    Endpoint,
)
from telnyx_rooms_async.core.http_messages import (
    Attempt,
    Call,
    Failure,
    Reason,
    Request,
    Response,
    RetrySafety,
)
from telnyx_rooms_async.core.protocol import at, build, page_size, read, request_id
from telnyx_rooms_async.core.requests import PageQuery, RoomBody, RoomQuery, RoomSessionsQuery, RoomsQuery
from telnyx_rooms_async.core.retry import was_not_processed
from telnyx_rooms_async.core.validators import UNSET, DateFilter
from telnyx_rooms_async.errors import (
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ConnectError,
    ConnectionLostError,
    InternalServerError,
    InvalidArgumentError,
    MalformedResponseError,
    NameTakenError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitError,
    ResponseTooLargeError,
    SessionEndedError,
    TelnyxRoomsError,
    TLSError,
    UnexpectedRedirectError,
    UnprocessableEntityError,
)
from telnyx_rooms_async.models import ActionResult, ErrorDetail, Page, PageMeta, Room, RoomSession

ROOM_ID = "0ccc7b54-4df3-4bca-a65a-3da1ecc777f0"

# --- build ------------------------------------------------------------------------------------------------


def test_build_list_rooms() -> None:
    """ListRooms is a GET with all its filters in the query."""
    query = RoomsQuery(
        page_number=2,
        page_size=25,
        created_at=DateFilter(gte=date(2021, 4, 25), lte=date(2021, 4, 30)),
        updated_at=date(2021, 5, 1),
        unique_name="My room",
        include_sessions=True,
    )
    assert build(LIST_ROOMS, query=query) == Call(
        operation="ListRooms",
        template="/rooms",
        request=Request(
            method="GET",
            path="/rooms",
            query=(
                ("page[number]", "2"),
                ("page[size]", "25"),
                ("filter[date_created_at][gte]", "2021-04-25"),
                ("filter[date_created_at][lte]", "2021-04-30"),
                ("filter[date_updated_at][eq]", "2021-05-01"),
                ("filter[unique_name]", "My room"),
                ("include_sessions", "true"),
            ),
            body=None,
        ),
        answer=Page[Room],
        repeat=RetrySafety.IDEMPOTENT,
    )


@pytest.mark.parametrize(
    ("call", "bare"),
    [
        pytest.param(
            lambda body: build(CREATE_ROOM, body=body),
            Call(
                operation="CreateRoom",
                template="/rooms",
                request=Request(method="POST", path="/rooms"),
                answer=Room,
                repeat=RetrySafety.IF_NOT_SENT,
            ),
            id="create",
        ),
        pytest.param(
            lambda body: build(UPDATE_ROOM, body=body, room_id=ROOM_ID),
            Call(
                operation="UpdateRoom",
                template="/rooms/{room_id}",
                request=Request(method="PATCH", path=f"/rooms/{ROOM_ID}"),
                answer=Room,
                repeat=RetrySafety.IDEMPOTENT,
            ),
            id="update",
        ),
    ],
)
@pytest.mark.parametrize(
    ("body", "written"),
    [
        pytest.param(RoomBody(), {}, id="empty"),
        pytest.param(
            RoomBody(
                unique_name="Zoë",
                max_participants=2,
                enable_recording=False,
                webhook_event_url="https://example.com",
                webhook_event_failover_url=None,
                webhook_timeout_secs=None,
            ),
            {
                "unique_name": "Zoë",
                "max_participants": 2,
                "enable_recording": False,
                "webhook_event_url": "https://example.com",
                "webhook_event_failover_url": None,
                "webhook_timeout_secs": None,
            },
            id="everything",
        ),
        pytest.param(
            RoomBody(webhook_timeout_secs=0, unique_name=UNSET), {"webhook_timeout_secs": 0}, id="zero"
        ),
    ],
)
def test_build_create_and_update(
    call: Callable[[RoomBody], Call[Room]], bare: Call[Room], body: RoomBody, written: dict[str, object]
) -> None:
    """CreateRoom and UpdateRoom send what was set as JSON, and an empty object when nothing was."""
    built = call(body)
    assert built.request.body is not None
    assert json.loads(built.request.body) == written
    assert attrs.evolve(built, request=attrs.evolve(built.request, body=None)) == bare


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        (None, ()),
        (RoomQuery(), ()),
        (RoomQuery(include_sessions=True), (("include_sessions", "true"),)),
    ],
    ids=["none", "plain", "with-sessions"],
)
def test_build_retrieve_room(query: RoomQuery | None, pairs: tuple[tuple[str, str], ...]) -> None:
    """ViewRoom is a GET of the room's path."""
    assert build(RETRIEVE_ROOM, query=query, room_id=ROOM_ID) == Call(
        operation="ViewRoom",
        template="/rooms/{room_id}",
        request=Request(method="GET", path=f"/rooms/{ROOM_ID}", query=pairs),
        answer=Room,
        repeat=RetrySafety.IDEMPOTENT,
    )


def test_build_delete_room() -> None:
    """DeleteRoom is a DELETE without a body, and answers nothing."""
    assert build(DELETE_ROOM, room_id=ROOM_ID) == Call(
        operation="DeleteRoom",
        template="/rooms/{room_id}",
        request=Request(method="DELETE", path=f"/rooms/{ROOM_ID}"),
        answer=NoneType,
        repeat=RetrySafety.IDEMPOTENT,
    )


def test_build_list_room_sessions() -> None:
    """RetrieveListRoomSessions is a GET below the room, with all its filters in the query."""
    query = RoomSessionsQuery(
        created_at=DateFilter(eq=date(2021, 4, 25)),
        updated_at=DateFilter(gte=date(2021, 4, 26)),
        ended_at=DateFilter(lte=date(2021, 4, 27)),
        active=False,
        include_participants=True,
    )
    assert build(LIST_ROOM_SESSIONS, query=query, room_id=ROOM_ID) == Call(
        operation="RetrieveListRoomSessions",
        template="/rooms/{room_id}/sessions",
        request=Request(
            method="GET",
            path=f"/rooms/{ROOM_ID}/sessions",
            query=(
                ("page[number]", "1"),
                ("page[size]", "250"),
                ("filter[date_created_at][eq]", "2021-04-25"),
                ("filter[date_updated_at][gte]", "2021-04-26"),
                ("filter[date_ended_at][lte]", "2021-04-27"),
                ("filter[active]", "false"),
                ("include_participants", "true"),
            ),
        ),
        answer=Page[RoomSession],
        repeat=RetrySafety.IDEMPOTENT,
    )


@pytest.mark.parametrize(
    "room_id",
    [
        pytest.param("", id="empty"),
        pytest.param(".", id="dot"),
        pytest.param("..", id="dot-dot"),
        pytest.param("%2e", id="percent-dot"),
        pytest.param("%2E%2E", id="percent-dot-dot"),
        pytest.param("a/b", id="slash"),
        pytest.param("a\\b", id="backslash"),
        pytest.param("/", id="only-a-slash"),
        pytest.param("../rooms", id="upwards"),
        pytest.param("a?b", id="question-mark"),
        pytest.param("a#b", id="hash"),
        pytest.param("a b", id="space"),
        pytest.param("a\r\nb", id="line-break"),
        pytest.param("a\n", id="line-feed-behind"),
        pytest.param("\na", id="line-feed-before"),
        pytest.param("a\0b", id="nul"),
        pytest.param("a\x7fb", id="delete"),
        pytest.param("{room_id}", id="braces"),
        pytest.param("é", id="not-ascii"),
        pytest.param("\uff0e\uff0e", id="wide-dots"),
        pytest.param("\ud800", id="surrogate"),
        pytest.param("a" * 256, id="256-characters"),
        pytest.param("a" * 20_480, id="20-KB"),
        pytest.param(b"a", id="bytes"),
        pytest.param(None, id="none"),
        pytest.param(7, id="int"),
        pytest.param(True, id="bool"),
        pytest.param(["a"], id="list"),
        pytest.param(RoomSession(id="a"), id="session"),
    ],
)
@pytest.mark.parametrize(
    "endpoint",
    [RETRIEVE_ROOM, UPDATE_ROOM, DELETE_ROOM, LIST_ROOM_SESSIONS],
    ids=lambda endpoint: endpoint.operation,
)
def test_ids_that_are_refused(endpoint: Endpoint[object], room_id: Any) -> None:
    """An id that could lead elsewhere is refused with its name, before anything is built."""
    with pytest.raises(InvalidArgumentError) as caught:
        build(endpoint, room_id=room_id)
    (problem,) = caught.value.problems
    assert problem.startswith("room_id must be a Telnyx id such as '0ccc7b54-…', not ")
    assert len(problem) <= 120


@pytest.mark.parametrize(
    ("room_id", "path"),
    [
        (ROOM_ID, f"/rooms/{ROOM_ID}"),
        (UUID(ROOM_ID), f"/rooms/{ROOM_ID}"),
        (Room(id=ROOM_ID), f"/rooms/{ROOM_ID}"),
        (UUID("0CCC7B54-4DF3-4BCA-A65A-3DA1ECC777F0"), f"/rooms/{ROOM_ID}"),
        ("a", "/rooms/a"),
        ("...", "/rooms/..."),
        (".a", "/rooms/.a"),
        ("..a", "/rooms/..a"),
        ("a.b_c~d-e", "/rooms/a.b_c~d-e"),
        ("a" * 255, "/rooms/" + "a" * 255),
    ],
    ids=[
        "text",
        "uuid",
        "room",
        "upper-case-uuid",
        "short",
        "three-dots",
        "dot-a",
        "dots-a",
        "unreserved",
        "longest",
    ],
)
def test_ids_that_are_taken(room_id: str | UUID, path: str) -> None:
    """An id of unreserved characters stands in the path as it is, and a UUID as its text."""
    assert build(RETRIEVE_ROOM, room_id=room_id).request.path == path


@given(st.text() | st.text(".%/\\?#& ~a2eE\n\0", max_size=6) | st.from_regex(r"[A-Za-z0-9._~-]{1,20}"))
def test_an_id_stays_in_its_segment(room_id: str) -> None:
    """An id that is taken is one segment of the path, however a server may read it."""
    try:
        request = build(LIST_ROOM_SESSIONS, query=PageQuery(), room_id=room_id).request
    except InvalidArgumentError:
        event("refused")
        return
    event("taken")
    assert request.path.split("/") == ["", "rooms", room_id, "sessions"]
    assert posixpath.normpath(unquote(request.path)) == request.path
    assert request.target == f"{request.path}?page%5Bnumber%5D=1&page%5Bsize%5D=250"


def test_everything_that_is_wrong_is_told_at_once() -> None:
    """The problems of the ids, the query and the body come together."""
    with pytest.raises(InvalidArgumentError) as caught:
        build(
            UPDATE_ROOM,
            query=RoomsQuery(page_size=0, unique_name=""),
            body=RoomBody(max_participants=51),
            room_id="..",
        )
    assert caught.value.problems == (
        "room_id must be a Telnyx id such as '0ccc7b54-…', not '..'",
        "page_size must be an int from 1 to 250, not 0",
        "unique_name must be a non-empty Unicode string, not ''",
        "max_participants must be an int from 2 to 50, not 51",
    )


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"webhook_event_url": "https://example.com/\ud800"}, id="url"),
        pytest.param({"webhook_event_failover_url": "https://example.com/\udfff"}, id="failover-url"),
        pytest.param({"unique_name": "\ud800"}, id="name"),
    ],
)
def test_what_cannot_be_encoded_is_refused(fields: Mapping[str, Any]) -> None:
    """A lone surrogate in a text of the body is an invalid argument."""
    with pytest.raises(InvalidArgumentError):
        build(CREATE_ROOM, body=RoomBody(**fields))


# --- read: answers ----------------------------------------------------------------------------------------

LIST: Call[Page[Room]] = build(LIST_ROOMS, query=RoomsQuery())
CREATE: Call[Room] = build(CREATE_ROOM, body=RoomBody())
CREATE_NAMED: Call[Room] = build(CREATE_ROOM, body=RoomBody(unique_name="Weekly"))
RETRIEVE: Call[Room] = build(RETRIEVE_ROOM, room_id=ROOM_ID)
UPDATE: Call[Room] = build(UPDATE_ROOM, body=RoomBody(), room_id=ROOM_ID)
DELETE: Call[None] = build(DELETE_ROOM, room_id=ROOM_ID)
SESSIONS: Call[Page[RoomSession]] = build(LIST_ROOM_SESSIONS, query=RoomSessionsQuery(), room_id=ROOM_ID)
ALL: dict[str, Call[Any]] = {
    call.operation: call for call in (LIST, CREATE, RETRIEVE, UPDATE, DELETE, SESSIONS)
}
EVERY_CALL = pytest.mark.parametrize("operation", ALL)
REPEATABLE = pytest.mark.parametrize(
    "operation", [name for name, call in ALL.items() if call.repeat is RetrySafety.IDEMPOTENT]
)

ROOM_BODY = b'{"data":{"id":"a"}}'


def answer(status: int, body: bytes = b"", **headers: str) -> Response:
    """Return an answer with headers, underscores for hyphens."""
    raw = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    return Response(status=status, raw_headers=raw, body=body)


def tried(*outcomes: Response | Failure) -> tuple[Attempt, ...]:
    """Return the records of tries that came to these outcomes."""
    return tuple(
        Attempt(
            number=number,
            operation="any",
            method="any",
            template="/any",
            status=outcome.status if isinstance(outcome, Response) else None,
            failure=outcome.reason if isinstance(outcome, Failure) else None,
            sent=not was_not_processed(outcome),
            elapsed=0.1,
        )
        for number, outcome in enumerate(outcomes, 1)
    )


def test_every_operation_is_read() -> None:
    """The calls below are those of rooms; the others are read by the same rules."""
    assert set(ALL) == {row.operation for row in ENDPOINTS if re.match("/rooms(?!.*/actions)", row.path)}


@pytest.mark.parametrize(
    ("call", "body", "value"),
    [
        (
            LIST,
            b'{"data":[{"id":"a"}],"meta":{"total_pages":1}}',
            Page(data=(Room(id="a"),), meta=PageMeta(total_pages=1)),
        ),
        (CREATE, ROOM_BODY, Room(id="a")),
        (RETRIEVE, ROOM_BODY, Room(id="a")),
        (UPDATE, ROOM_BODY, Room(id="a")),
        (DELETE, b"", None),
        (SESSIONS, b'{"data":[{"id":"a"}]}', Page(data=(RoomSession(id="a"),))),
    ],
    ids=ALL,
)
@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_success_is_the_model_of_its_answer(
    call: Call[object], body: bytes, value: object, status: int
) -> None:
    """A 2xx, whichever it is, comes to the model of the operation."""
    assert read(call, answer(status, body), tried(answer(status))) == value


def test_a_raw_success_is_the_response_itself() -> None:
    """A raw call comes to the response, its body unread."""
    response = answer(200, b"<html>")
    assert read(build_raw("GET", "/rooms"), response) is response
    assert read(build_raw("POST", "/rooms"), response) is response


@pytest.mark.parametrize(
    ("body", "misfits", "detail"),
    [
        (b"", ("$: the body is empty",), "$: the body is empty"),
        (b"null", ("$: expected object, got null",), "$: expected object, got null"),
        (b"{}", ("$.data: missing",), "$.data: missing"),
        (
            b'{"data":{"id":7,"unique_name":7,"created_at":7}}',
            (
                "$.data.id: expected string, got integer",
                "$.data.unique_name: expected string, got integer",
                "$.data.created_at: expected string, got integer",
            ),
            "$.data.id: expected string, got integer; and 2 more",
        ),
        (
            b'{"data":{"id":7,"max_participants":"7"}}',
            (
                "$.data.id: expected string, got integer",
                "$.data.max_participants: expected integer, got string",
            ),
            "$.data.id: expected string, got integer; and 1 more",
        ),
    ],
    ids=["empty", "null", "no-data", "several", "two"],
)
def test_an_answer_that_does_not_fit(body: bytes, misfits: tuple[str, ...], detail: str) -> None:
    """A 2xx whose body does not fit is told with every misfit, the status and the request id."""
    attempts = tried(answer(200))
    with pytest.raises(APIResponseValidationError) as caught:
        read(RETRIEVE, answer(200, body, x_request_id="req-1"), attempts)
    error = caught.value
    assert (error.misfits, error.detail, error.status) == (misfits, detail, 200)
    assert (error.request_id, error.attempts) == ("req-1", attempts)


def test_of_very_many_misfits_the_first_are_told() -> None:
    """An error holds fifty misfits at most, in whichever lists they are, and counts the others."""
    session = {"id": "a", "participants": [{"id": 7}] * 40}
    body = json.dumps({"data": {"id": "b", "sessions": [session, session]}}).encode()
    with pytest.raises(APIResponseValidationError) as caught:
        read(RETRIEVE, answer(200, body))
    assert len(caught.value.misfits) == 50
    assert caught.value.detail == (
        "$.data.sessions[0].participants[0].id: expected string, got integer; and 79 more"
    )


# --- read: refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequestError),
        (401, AuthenticationError),
        (402, APIStatusError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (408, APIStatusError),
        (409, ConflictError),
        (418, APIStatusError),
        (422, UnprocessableEntityError),
        (429, RateLimitError),
        (500, InternalServerError),
        (501, InternalServerError),
        (503, InternalServerError),
        (599, InternalServerError),
        (600, APIStatusError),
    ],
)
@REPEATABLE
def test_a_refusal_is_the_class_of_its_status(
    operation: str, status: int, kind: type[APIStatusError]
) -> None:
    """An error status raises exactly its class, with what the body and the headers say."""
    body = b'{"errors":[{"code":"1","title":"No"}]}'
    attempts = tried(answer(status))
    with pytest.raises(APIStatusError) as caught:
        read(ALL[operation], answer(status, body, request_id="req-1", retry_after="7"), attempts)
    error = caught.value
    assert type(error) is kind
    assert error.errors == (ErrorDetail(code="1", title="No"),)
    assert (error.status, error.request_id, error.retry_after) == (status, "req-1", 7.0)
    assert error.attempts == attempts
    assert error.__cause__ is None


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[" * 200_000, b"\xff", b"null", b"[]"],
    ids=["empty", "html", "deep", "bytes", "null", "list"],
)
def test_an_unreadable_refusal_is_typed_by_its_status(body: bytes) -> None:
    """An error whose body says nothing is of the class of its status, without entries."""
    with pytest.raises(NotFoundError) as caught:
        read(RETRIEVE, answer(404, body))
    assert caught.value.errors == ()
    assert caught.value.request_id is None
    assert caught.value.retry_after is None


@pytest.mark.parametrize("call", [CREATE_NAMED, UPDATE], ids=["create", "update"])
def test_a_taken_name(call: Call[Room]) -> None:
    """A 422 about a taken name is a NameTakenError, also for a POST."""
    body = b'{"errors":{"unique_name_not_unique_for_user_id":["in use"]}}'
    with pytest.raises(NameTakenError) as caught:
        read(call, answer(422, body))
    assert caught.value.code == "unique_name_not_unique_for_user_id"


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 399])
@EVERY_CALL
def test_a_redirect_is_never_followed(operation: str, status: int) -> None:
    """A redirect raises an error of its own, for a POST too."""
    response = answer(status, location="https://example.com/elsewhere", x_request_id="req-1")
    with pytest.raises(UnexpectedRedirectError) as caught:
        read(ALL[operation], response, tried(response))
    assert (caught.value.status, caught.value.request_id) == (status, "req-1")
    assert len(caught.value.attempts) == 1
    assert "elsewhere" not in str(caught.value)
    assert caught.value.detail == "the API itself never redirects"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after_ms": "1500"}, 1.5),
        ({"retry_after": "3600"}, 3600.0),
        ({"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 10.0),
        ({"x_ratelimit_reset": "4"}, 4.0),
        ({"retry_after": "soon"}, None),
        ({}, None),
    ],
    ids=["milliseconds", "seconds", "date", "reset", "nonsense", "none"],
)
@pytest.mark.parametrize("call", [LIST, CREATE], ids=["list", "create"])
def test_a_rate_limit_tells_how_long(
    call: Call[object], headers: dict[str, str], seconds: float | None
) -> None:
    """A 429 carries the seconds that the server asks to wait."""
    with pytest.raises(RateLimitError) as caught:
        read(call, answer(429, b"", **headers), now=1445412470.0)
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("name", ["x-request-id", "request-id", "telnyx-request-id", "x-telnyx-request-id"])
@pytest.mark.parametrize("spelt", [str.lower, str.upper, str.title], ids=["lower", "upper", "title"])
def test_the_request_id_has_four_names(name: str, spelt: Any) -> None:
    """The id of the request is read from any of four headers, whatever their case."""
    response = Response(status=500, raw_headers=((b"cf-ray", b"other"), (spelt(name).encode(), b"req-1")))
    assert request_id(response) == "req-1"


def test_without_a_request_id_there_is_none() -> None:
    """A response with none of the four headers has no request id."""
    assert request_id(answer(500, cf_ray="a", x_request="b", my_request_id="c")) is None


# --- read: failures ---------------------------------------------------------------------------------------

FAILURES = [
    pytest.param(Reason.CONNECT, False, ConnectError, id="connect"),
    pytest.param(Reason.TLS, False, TLSError, id="tls"),
    pytest.param(Reason.LOST, True, ConnectionLostError, id="lost"),
    pytest.param(Reason.LOST, False, ConnectionLostError, id="lost-unsent"),
    pytest.param(Reason.TIMEOUT, True, APITimeoutError, id="timeout"),
    pytest.param(Reason.TIMEOUT, False, APITimeoutError, id="timeout-unsent"),
    pytest.param(Reason.MALFORMED, True, MalformedResponseError, id="malformed"),
    pytest.param(Reason.UNREADABLE, True, APIResponseValidationError, id="unreadable"),
    pytest.param(Reason.TOO_LARGE, True, ResponseTooLargeError, id="too-large"),
]


def test_every_reason_is_tried() -> None:
    """The table of failures has every reason there is."""
    assert {failure.values[0] for failure in FAILURES} == set(Reason)


@pytest.mark.parametrize(("reason", "sent", "kind"), FAILURES)
@REPEATABLE
def test_a_failure_is_the_class_of_its_reason(
    operation: str,
    reason: Reason,
    sent: bool,  # noqa: FBT001 - a column of the table
    kind: type[TelnyxRoomsError],
) -> None:
    """A failure raises exactly the class of its reason, with its detail and the attempts."""
    failure = Failure(reason=reason, sent=sent, detail="one line")
    attempts = tried(failure, failure)
    with pytest.raises(TelnyxRoomsError) as caught:
        read(ALL[operation], failure, attempts)
    facts = vars(caught.value)
    assert type(caught.value) is kind
    advice = "; ask with a smaller page_size" if reason is Reason.TOO_LARGE and "List" in operation else ""
    assert facts["detail"] == "one line" + advice
    assert facts["attempts"] == attempts
    assert facts.get("sent", sent) is sent
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("deadline", [True, False])
def test_a_timeout_tells_whose_time_ran_out(deadline: bool) -> None:  # noqa: FBT001 - a column
    """A timeout carries whether it was the deadline of the whole call."""
    failure = Failure(reason=Reason.TIMEOUT, sent=True, deadline=deadline)
    with pytest.raises(APITimeoutError) as caught:
        read(RETRIEVE, failure)
    assert caught.value.deadline is deadline


# --- read: a DELETE that finds nothing ----------------------------------------------------------------------

LOST = Failure(reason=Reason.LOST, sent=True)
IF_NOT_SENT = Failure(reason=Reason.CONNECT, sent=False)
GONE = answer(404)


@pytest.mark.parametrize(
    "before",
    [
        pytest.param([LOST], id="lost"),
        pytest.param([Failure(reason=Reason.TIMEOUT, sent=True)], id="timeout"),
        pytest.param([answer(500)], id="500"),
        pytest.param([answer(503)], id="503"),
        pytest.param([answer(408)], id="408"),
        pytest.param([LOST, IF_NOT_SENT], id="lost-then-unsent"),
        pytest.param([LOST, answer(429)], id="lost-then-429"),
        pytest.param([answer(429), LOST], id="429-then-lost"),
        pytest.param([answer(503, retry_after="1")], id="503-with-a-hint"),
    ],
)
def test_a_delete_that_was_repeated_and_finds_nothing_succeeded(before: list[Response | Failure]) -> None:
    """A 404 after a try that may have arrived means that it did."""
    assert read(DELETE, GONE, tried(*before, GONE)) is None
    assert read(build_raw("DELETE", "/rooms/a"), GONE, tried(*before, GONE)) is GONE


@pytest.mark.parametrize(
    "before",
    [
        pytest.param([], id="first-try"),
        pytest.param([answer(429)], id="after-429"),
        pytest.param([IF_NOT_SENT], id="after-unsent"),
        pytest.param([IF_NOT_SENT, answer(429)], id="after-unsent-and-429"),
    ],
)
@pytest.mark.parametrize("call", [DELETE, build_raw("DELETE", "/rooms/a")], ids=["delete", "raw"])
def test_a_delete_that_never_arrived_before_finds_nothing(
    call: Call[object], before: list[Response | Failure]
) -> None:
    """A 404 to the first try that arrived is a NotFoundError."""
    with pytest.raises(NotFoundError) as caught:
        read(call, GONE, tried(*before, GONE))
    assert len(caught.value.attempts) == len(before) + 1


def test_without_a_record_a_404_is_a_404() -> None:
    """A 404 of which no attempts are known is a NotFoundError."""
    with pytest.raises(NotFoundError):
        read(DELETE, GONE)


@pytest.mark.parametrize("status", [403, 409, 410, 500])
def test_only_a_404_means_that_it_is_gone(status: int) -> None:
    """Another refusal of a repeated DELETE is a refusal."""
    with pytest.raises(APIStatusError) as caught:
        read(DELETE, answer(status), tried(LOST, answer(status)))
    assert caught.value.status == status


@pytest.mark.parametrize("call", [RETRIEVE, UPDATE, SESSIONS], ids=["retrieve", "update", "sessions"])
def test_only_a_delete_is_done_when_nothing_is_there(call: Call[object]) -> None:
    """A 404 to any other repeated call is a NotFoundError."""
    with pytest.raises(NotFoundError):
        read(call, GONE, tried(LOST, GONE))


# --- read: a session that is over already -------------------------------------------------------------------

END: Call[ActionResult] = build(END_SESSION, room_session_id="a-session")
OVER = answer(422, b'{"errors":[{"code":"1","title":"No private_ip for room"}]}')


@pytest.mark.parametrize("found", [OVER, GONE], ids=["over", "gone"])
def test_an_end_that_was_repeated_and_finds_it_over_succeeded(found: Response) -> None:
    """A session that is over after a try that may have arrived was ended by it."""
    assert read(END, found, tried(LOST, found)) is None


@pytest.mark.parametrize(
    ("call", "found", "before", "kind"),
    [
        pytest.param(END, OVER, [], SessionEndedError, id="first-try"),
        pytest.param(END, OVER, [IF_NOT_SENT], SessionEndedError, id="after-unsent"),
        pytest.param(END, answer(422), [LOST], UnprocessableEntityError, id="another-refusal"),
        pytest.param(END, answer(403), [LOST], PermissionDeniedError, id="another-status"),
        pytest.param(DELETE, OVER, [LOST], SessionEndedError, id="not-an-end"),
        pytest.param(UPDATE, OVER, [LOST], SessionEndedError, id="not-an-end-nor-a-delete"),
    ],
)
def test_an_end_that_never_arrived_before_is_refused(
    call: Call[object], found: Response, before: list[Response | Failure], kind: type[APIStatusError]
) -> None:
    """That a session is over is an error to whoever did not end it with this call."""
    with pytest.raises(APIStatusError) as caught:
        read(call, found, tried(*before, found))
    assert type(caught.value) is kind


# --- read: what may have been done --------------------------------------------------------------------------

UNKNOWN = [
    *(
        pytest.param(answer(status), InternalServerError, id=str(status))
        for status in (500, 502, 503, 504, 505, 520, 599)
    ),
    pytest.param(answer(600), APIStatusError, id="600"),
    pytest.param(answer(408), APIStatusError, id="408"),
    pytest.param(answer(503, retry_after_ms="5"), InternalServerError, id="503-without-retry-after"),
    pytest.param(answer(503, retry_after="5"), InternalServerError, id="503-with-retry-after"),
    pytest.param(answer(500, retry_after="5"), InternalServerError, id="500-with-retry-after"),
    pytest.param(LOST, ConnectionLostError, id="lost"),
    pytest.param(Failure(reason=Reason.TIMEOUT, sent=True), APITimeoutError, id="timeout"),
    pytest.param(Failure(reason=Reason.MALFORMED, sent=True), MalformedResponseError, id="malformed"),
    pytest.param(Failure(reason=Reason.UNREADABLE, sent=True), APIResponseValidationError, id="unreadable"),
    pytest.param(Failure(reason=Reason.TOO_LARGE, sent=True), ResponseTooLargeError, id="too-large"),
    pytest.param(answer(201), APIResponseValidationError, id="201-empty"),
    pytest.param(answer(201, b"<html>"), APIResponseValidationError, id="201-html"),
    pytest.param(answer(200, b'{"data":{}}'), APIResponseValidationError, id="200-misfit"),
    pytest.param(answer(204), APIResponseValidationError, id="204"),
]


@pytest.mark.parametrize(("outcome", "kind"), UNKNOWN)
@pytest.mark.parametrize(
    ("call", "name"), [(CREATE, None), (CREATE_NAMED, "Weekly")], ids=["nameless", "named"]
)
def test_what_may_have_made_something_is_unknown(
    call: Call[Room], name: str | None, outcome: Response | Failure, kind: type[TelnyxRoomsError]
) -> None:
    """A POST that may have been carried out is an OutcomeUnknownError, grown from the plain error."""
    attempts = tried(IF_NOT_SENT, outcome)
    with pytest.raises(OutcomeUnknownError) as caught:
        read(call, outcome, attempts)
    error = caught.value
    assert (error.operation, error.unique_name, error.attempts) == ("CreateRoom", name, attempts)
    assert type(error.__cause__) is kind
    assert vars(error.__cause__)["attempts"] == attempts


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        pytest.param(answer(400), BadRequestError, id="400"),
        pytest.param(answer(401), AuthenticationError, id="401"),
        pytest.param(answer(402), APIStatusError, id="402"),
        pytest.param(answer(403), PermissionDeniedError, id="403"),
        pytest.param(answer(404), NotFoundError, id="404"),
        pytest.param(answer(409), ConflictError, id="409"),
        pytest.param(answer(418), APIStatusError, id="418"),
        pytest.param(answer(422), UnprocessableEntityError, id="422"),
        pytest.param(answer(429), RateLimitError, id="429"),
        pytest.param(answer(501), InternalServerError, id="501"),
        pytest.param(answer(302), UnexpectedRedirectError, id="302"),
        pytest.param(IF_NOT_SENT, ConnectError, id="connect"),
        pytest.param(Failure(reason=Reason.TLS, sent=False), TLSError, id="tls"),
        pytest.param(Failure(reason=Reason.LOST, sent=False), ConnectionLostError, id="lost-unsent"),
        pytest.param(Failure(reason=Reason.TIMEOUT, sent=False), APITimeoutError, id="timeout-unsent"),
    ],
)
@pytest.mark.parametrize(
    "call", [CREATE, CREATE_NAMED, build_raw("POST", "/rooms")], ids=["nameless", "named", "raw"]
)
def test_what_certainly_made_nothing_is_known(
    call: Call[object], outcome: Response | Failure, kind: type[TelnyxRoomsError]
) -> None:
    """A POST that was refused or never arrived raises the plain error."""
    with pytest.raises(TelnyxRoomsError) as caught:
        read(call, outcome, tried(outcome))
    assert type(caught.value) is kind
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("told", "name"),
    [
        (None, None),
        ({}, None),
        ({"unique_name": "Weekly"}, "Weekly"),
        ({"unique_name": None}, None),
        ({"unique_name": 7}, None),
        ([{"unique_name": "Weekly"}], None),
        ("unique_name", None),
    ],
    ids=["no-body", "empty", "named", "null", "number", "list", "text"],
)
def test_a_raw_post_that_may_have_been_done(told: object, name: str | None) -> None:
    """The name is read from whatever body was sent."""
    with pytest.raises(OutcomeUnknownError) as caught:
        read(build_raw("POST", "/rooms", json=told), LOST)
    assert (caught.value.operation, caught.value.unique_name) == ("POST /rooms", name)


@pytest.mark.parametrize(("outcome", "kind"), UNKNOWN)
@pytest.mark.parametrize("call", [RETRIEVE, UPDATE], ids=["retrieve", "update"])
def test_what_may_be_repeated_is_never_unknown(
    call: Call[Room], outcome: Response | Failure, kind: type[TelnyxRoomsError]
) -> None:
    """A call that can be made twice raises the plain error, whatever may have happened."""
    with pytest.raises(TelnyxRoomsError) as caught:
        read(call, outcome)
    assert type(caught.value) is kind


# --- at ---------------------------------------------------------------------------------------------------

FILTERED = build(
    LIST_ROOMS,
    query=RoomsQuery(page_number=2, page_size=25, created_at=date(2021, 4, 25), include_sessions=True),
)


@pytest.mark.parametrize(
    ("number", "size", "told"),
    [
        (1, None, ("1", "25")),
        (2, None, ("2", "25")),
        (7, 1, ("7", "1")),
        (2**31 - 1, 250, ("2147483647", "250")),
    ],
)
def test_at(number: int, size: int | None, told: tuple[str, str]) -> None:
    """Another page of a list is the same call with another number and size, all else in its place."""
    call = at(FILTERED, number, size)
    assert call.request.query == (
        ("page[number]", told[0]),
        ("page[size]", told[1]),
        ("filter[date_created_at][eq]", "2021-04-25"),
        ("include_sessions", "true"),
    )
    assert attrs.evolve(call, request=FILTERED.request) == FILTERED
    assert attrs.evolve(call.request, query=FILTERED.request.query) == FILTERED.request


@pytest.mark.parametrize(
    ("number", "size", "names"),
    [
        (0, None, ["page_number"]),
        (-1, None, ["page_number"]),
        (2**31, None, ["page_number"]),
        (True, None, ["page_number"]),
        (1.5, None, ["page_number"]),
        ("1", None, ["page_number"]),
        (None, None, ["page_number"]),
        (1, 0, ["page_size"]),
        (1, 251, ["page_size"]),
        (1, True, ["page_size"]),
        (1, "25", ["page_size"]),
        (0, 0, ["page_number", "page_size"]),
    ],
)
def test_pages_that_are_not_there(number: Any, size: Any, names: list[str]) -> None:
    """A number or a size out of bounds is refused, both told at once."""
    with pytest.raises(InvalidArgumentError) as caught:
        at(FILTERED, number, size)
    assert [problem.partition(" ")[0] for problem in caught.value.problems] == names


def test_a_body_too_deep_to_read_back_is_no_other_error() -> None:
    """An unknown outcome stays one when the name cannot be read out of the body that was sent."""
    call = evolve(
        build_raw("POST", "/rooms", json={}), request=Request(method="POST", path="/rooms", body=b"[" * 9**6)
    )
    with pytest.raises(OutcomeUnknownError) as caught:
        read(call, Failure(reason=Reason.LOST, sent=True))
    assert caught.value.unique_name is None


def test_a_list_without_a_query_is_its_first_page() -> None:
    """A paged call that is built without a query asks for the first page."""
    call = build(LIST_ROOMS)
    assert call.request.query == (("page[number]", "1"), ("page[size]", "250"))
    assert page_size(call) == 250


def test_an_id_that_is_missing() -> None:
    """An operation without its id is refused by the id's name."""
    with pytest.raises(InvalidArgumentError, match="room_id must be given"):
        build(RETRIEVE_ROOM)


def test_a_date_is_no_hint_without_a_clock() -> None:
    """Without the time a date in Retry-After cannot be read as seconds."""
    with pytest.raises(RateLimitError) as caught:
        read(RETRIEVE, answer(429, retry_after="Fri, 20 Nov 2026 10:00:00 GMT"))
    assert caught.value.retry_after is None


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"a\x1b[31mred", "a\\x1b[31mred"),
        (b"a\x9b31m", "a\\x9b31m"),
        (b"a\tb", "a\\tb"),
        (b"z" * 7000, "z" * 99 + "…"),
    ],
)
def test_request_ids_are_escaped_and_cut(value: bytes, shown: str) -> None:
    """The server's text reaches logs and terminals without control characters."""
    response = Response(status=200, raw_headers=((b"X-Request-Id", value),))
    assert request_id(response) == shown
