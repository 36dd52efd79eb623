"""Exceptions: built-in base classes, pickling, and messages that are short, printable and complete."""

import copy
import pickle
import re
from collections.abc import Callable

import pytest
from attrs import evolve
from hypothesis import example, given, settings
from hypothesis import strategies as st

import telnyx_rooms_async
from telnyx_rooms_async import (
    APIConnectionError,
    APIResponseError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    Attempt,
    BadRequestError,
    ClientClosedError,
    ConfigurationError,
    ConnectError,
    ErrorDetail,
    InvalidArgumentError,
    JournalError,
    NotFoundError,
    NotReadyError,
    OutcomeUnknownError,
    PaginationError,
    RateLimitError,
    ReadOnlyError,
    TelnyxRoomsError,
    UnexpectedCountError,
    UnprocessableEntityError,
    WebhookError,
    WrongEventLoopError,
)
from telnyx_rooms_async.core.http_messages import Headers
from telnyx_rooms_async.errors import FailureKind

CLASSES: list[type[TelnyxRoomsError]] = [
    value
    for value in vars(telnyx_rooms_async).values()
    if isinstance(value, type) and issubclass(value, TelnyxRoomsError)
]
every_class = pytest.mark.parametrize("cl", CLASSES, ids=lambda cl: cl.__name__)

FIRST = Attempt(
    number=1,
    operation="CreateRoom",
    method="POST",
    template="/rooms",
    failure=FailureKind.CONNECT,
    sent=False,
    elapsed=0.25,
    wait=0.5,
)
LAST = evolve(FIRST, number=2, status=503, failure=None, sent=True, wait=None, request_id="req-2")
LOST = evolve(FIRST, failure=FailureKind.LOST, sent=True, wait=None)
DETAIL = ErrorDetail(code="10005", title="Title", detail="Detail", pointer="/a", meta={"url": "https://x"})

HEADERS = Headers(((b"Retry-After", b"3"),))


def make(cl: type[TelnyxRoomsError], text: str) -> TelnyxRoomsError:
    """Make an error of any class, with a text in every field that takes one."""
    fields: dict[type[TelnyxRoomsError], tuple[object, ...]] = {
        APITimeoutError: (text, True, (FIRST, LAST), True),
        APIConnectionError: (text, True, (FIRST, LAST)),
        APIResponseValidationError: (text, 200, text, (FIRST, LAST), HEADERS, (text,)),
        APIResponseError: (text, 200, text, (FIRST, LAST), HEADERS),
        APIStatusError: (
            418,
            (ErrorDetail(code=text, title=text, detail=text, pointer=text), DETAIL),
            text,
            2.5,
            (FIRST, LAST),
            HEADERS,
        ),
        ConfigurationError: (text,),
        InvalidArgumentError: ((text, text),),
        JournalError: (text, text),
        NotReadyError: (text, text),
        OutcomeUnknownError: (text, text, (FIRST, LAST)),
        PaginationError: (3, 50),
        ReadOnlyError: ("POST", text),
        UnexpectedCountError: (3, 5),
        WebhookError: ((text, text),),
    }
    return cl(*next((args for base, args in fields.items() if issubclass(cl, base)), ()))


@pytest.mark.parametrize(
    ("base", "classes"),
    [
        (ValueError, {ConfigurationError, InvalidArgumentError}),
        (RuntimeError, {ReadOnlyError, ClientClosedError, WrongEventLoopError}),
        (TimeoutError, {APITimeoutError}),
        (ConnectionError, set()),
        (LookupError, set()),
    ],
)
def test_builtin_base_classes(base: type[Exception], classes: set[type[TelnyxRoomsError]]) -> None:
    assert {cl for cl in CLASSES if issubclass(cl, base)} == classes


@every_class
@pytest.mark.parametrize(
    "duplicate",
    [
        pytest.param(lambda error: pickle.loads(pickle.dumps(error)), id="pickle"),
        pytest.param(copy.copy, id="copy"),
        pytest.param(copy.deepcopy, id="deepcopy"),
    ],
)
def test_copies_keep_class_fields_notes_and_message(
    cl: type[TelnyxRoomsError], duplicate: Callable[[TelnyxRoomsError], TelnyxRoomsError]
) -> None:
    error = make(cl, "a text")
    error.add_note("a note")
    other = duplicate(error)
    assert type(other) is cl
    assert (vars(other), other.args, str(other)) == (vars(error), error.args, str(error))
    assert other != error
    assert len({error, other}) == 2


@every_class
@given(st.text(st.characters(), max_size=20).map(lambda text: text * 100))
@settings(max_examples=10)
@example("\x1b[31mred\r\nX-Header: \0\x7f\x85\u2028" * 100)
def test_message_with_any_text_is_one_short_line(cl: type[TelnyxRoomsError], text: str) -> None:
    error = make(cl, text)
    assert len(str(error)) <= 300
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", str(error))
    assert error.message == str(error)
    assert repr(error) == f"{cl.__name__}({str(error)!r})"


MESSAGES: dict[str, tuple[TelnyxRoomsError, list[str]]] = {
    "all problems": (InvalidArgumentError(("a must be b", "c must be d")), ["a must be b; c must be d"]),
    "connection, once": (ConnectError("refused"), ["refused"]),
    "connection, twice": (ConnectError("refused", False, (FIRST, LAST)), ["refused", "2 attempts"]),  # noqa: FBT003 - positional
    "response": (APIResponseError("odd", 200, None, (FIRST, LAST)), ["odd", "200", "2 attempts"]),
    "response without status": (APIResponseError("odd"), ["odd"]),
    "status alone": (APIStatusError(418), ["418"]),
    "status with details": (
        NotFoundError(404, (DETAIL, ErrorDetail(title="second")), "req-1"),
        ["404", "Title", "Detail", "/a", "10005", "req-1"],
    ),
    "status with parameter": (
        BadRequestError(400, (ErrorDetail(title="Invalid filter", parameter="page[size]"),)),
        ["400", "Invalid filter", "page[size]"],
    ),
    "status after attempts": (RateLimitError(429, (), None, 2.5, (FIRST, LAST)), ["429", "2 attempts"]),
    "pages with total": (PaginationError(3, 0), ["3", "0"]),
    "pages without total": (PaginationError(3), ["3"]),
    "pages that keep changing": (PaginationError(3, is_changing=True), ["3", "changing"]),
    "not ready": (NotReadyError("id-1", "processing"), ["id-1", "processing"]),
    "not ready, status unknown": (NotReadyError("id-1"), ["id-1", "unknown"]),
    "unknown outcome": (OutcomeUnknownError("MuteParticipants"), ["MuteParticipants"]),
    "unknown outcome with candidates": (
        OutcomeUnknownError("CreateRoom", "Weekly", (), ("id-1", "id-2")),
        ["CreateRoom", "id-1", "id-2"],
    ),
    "unknown outcome with name": (
        OutcomeUnknownError("CreateRoom", "Weekly", (LOST, LOST)),
        ["CreateRoom", "'Weekly'", "idle"],
    ),
    "unknown outcome, sent once": (
        OutcomeUnknownError("CreateRoom", "Weekly", (LOST,)),
        ["CreateRoom", "'Weekly'", "idle", "find_then_resend"],
    ),
    "unknown outcome after timeout": (
        OutcomeUnknownError("CreateRoom", "Weekly", (evolve(LOST, failure=FailureKind.TIMEOUT),)),
        ["CreateRoom", "'Weekly'", "find_then_resend"],
    ),
}


@pytest.mark.parametrize(("error", "facts"), MESSAGES.values(), ids=MESSAGES)
def test_message_contains_the_facts(error: TelnyxRoomsError, facts: list[str]) -> None:
    assert [fact for fact in facts if fact not in str(error)] == []
    assert "None" not in str(error)
    assert ("2 attempts" in str(error)) is ("2 attempts" in facts)
    assert ("find_then_resend" in str(error)) is ("find_then_resend" in facts)


def test_first_entry_is_available_as_attributes() -> None:
    detail = ErrorDetail(code="1", title="T", detail="D", pointer="/p", parameter="q")
    error = UnprocessableEntityError(422, (detail, ErrorDetail(code="2", title="other")))
    assert (error.code, error.title, error.detail) == ("1", "T", "D")
    assert (error.pointer, error.parameter) == ("/p", "q")
    empty = APIStatusError(500)
    assert [empty.code, empty.title, empty.detail, empty.pointer, empty.parameter] == [None] * 5


def test_budget_exhausted_is_a_property_of_the_last_attempt() -> None:
    exhausted = evolve(LAST, budget_exhausted=True)
    assert not ConnectError("refused").budget_exhausted
    assert not ConnectError("refused", False, (exhausted, FIRST)).budget_exhausted  # noqa: FBT003 - positional
    assert ConnectError("refused", False, (FIRST, exhausted)).budget_exhausted  # noqa: FBT003 - positional
