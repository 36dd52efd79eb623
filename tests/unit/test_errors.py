"""The tree of errors: its shape, its messages, and that each error survives pickle and copy."""

import copy
import pickle
import re
from collections.abc import Callable, Iterator

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from telnyx_rooms_async import errors
from telnyx_rooms_async import errors as job_errors
from telnyx_rooms_async import errors as statuses
from telnyx_rooms_async.core.codec import encode
from telnyx_rooms_async.core.error_mapping import error_details
from telnyx_rooms_async.core.http_messages import Attempt, Reason
from telnyx_rooms_async.errors import (
    APIConnectionError,
    APIResponseError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    ConfigurationError,
    ConflictError,
    ConnectError,
    ConnectionLostError,
    InternalServerError,
    InvalidArgumentError,
    JournalError,
    MalformedResponseError,
    NameTakenError,
    NotFoundError,
    NotReadyError,
    OutcomeUnknownError,
    PaginationError,
    PermissionDeniedError,
    RateLimitError,
    ReadOnlyError,
    ResponseTooLargeError,
    SessionEndedError,
    TelnyxRoomsError,
    TLSError,
    UnexpectedCountError,
    UnexpectedRedirectError,
    UnprocessableEntityError,
    WebhookError,
    WebhookPayloadError,
    WebhookSignatureError,
    WrongEventLoopError,
)
from telnyx_rooms_async.models import ErrorDetail

TREE = {
    "TelnyxRoomsError": {
        "ConfigurationError",
        "InvalidArgumentError",
        "JournalError",
        "ReadOnlyError",
        "UnexpectedCountError",
        "ClientClosedError",
        "WrongEventLoopError",
        "APIConnectionError",
        "APIResponseError",
        "APIStatusError",
        "OutcomeUnknownError",
        "NotReadyError",
        "PaginationError",
        "WebhookError",
    },
    "APIConnectionError": {"ConnectError", "ConnectionLostError", "APITimeoutError"},
    "ConnectError": {"TLSError"},
    "APIResponseError": {
        "APIResponseValidationError",
        "ResponseTooLargeError",
        "MalformedResponseError",
        "UnexpectedRedirectError",
    },
    "APIStatusError": {
        "BadRequestError",
        "AuthenticationError",
        "PermissionDeniedError",
        "NotFoundError",
        "ConflictError",
        "UnprocessableEntityError",
        "RateLimitError",
        "InternalServerError",
    },
    "UnprocessableEntityError": {"NameTakenError", "SessionEndedError"},
    "WebhookError": {"WebhookSignatureError", "WebhookPayloadError"},
}


def descend(kind: type[TelnyxRoomsError]) -> Iterator[type[TelnyxRoomsError]]:
    """Yield a class and all that grow from it in the three files of the tree."""
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ in (errors.__name__, job_errors.__name__, statuses.__name__):
            yield from descend(child)


CLASSES = list(descend(TelnyxRoomsError))


def test_the_tree() -> None:
    """The tree is as drawn, no branch more and none less."""
    grown = {
        kind.__name__: {child.__name__ for child in kind.__subclasses__() if child in CLASSES}
        for kind in CLASSES
    }
    assert {parent: children for parent, children in grown.items() if children} == TREE


@pytest.mark.parametrize(
    ("base", "kinds"),
    [
        (ValueError, {ConfigurationError, InvalidArgumentError}),
        (RuntimeError, {ReadOnlyError, ClientClosedError, WrongEventLoopError}),
        (TimeoutError, {APITimeoutError}),
        (OSError, {APITimeoutError}),
        (ConnectionError, set()),
        (LookupError, set()),
    ],
)
def test_builtin_bases(base: type[Exception], kinds: set[type[TelnyxRoomsError]]) -> None:
    """These classes, and no other, are also errors of Python's own kinds."""
    assert {kind for kind in CLASSES if issubclass(kind, base)} == kinds


ATTEMPTS = (
    Attempt(
        number=1,
        operation="CreateRoom",
        method="POST",
        template="/rooms",
        failure=Reason.CONNECT,
        sent=False,
        elapsed=0.25,
        wait=0.5,
    ),
    Attempt(
        number=2,
        operation="CreateRoom",
        method="POST",
        template="/rooms",
        status=503,
        sent=True,
        elapsed=1.5,
        request_id="req-2",
    ),
)
LOST_CREATE = evolve(ATTEMPTS[0], failure=Reason.LOST, sent=True, wait=None)
ENTRIES = (
    ErrorDetail(
        code="10005", title="Title", detail="Detail", pointer="/a", meta={"url": "https://x", "n": [1]}
    ),
    ErrorDetail(parameter="page[size]"),
)


def connection(kind: type[APIConnectionError]) -> Callable[[str], TelnyxRoomsError]:
    """Return how to make a connection error about a text."""
    return lambda text: kind(text, True, ATTEMPTS)  # noqa: FBT003 - fields of errors stay positional


def response(kind: type[APIResponseError]) -> Callable[[str], TelnyxRoomsError]:
    """Return how to make an error about an unusable answer."""
    return lambda text: kind(text, 200, text, ATTEMPTS)


def status(code: int, kind: type[APIStatusError]) -> Callable[[str], TelnyxRoomsError]:
    """Return how to make a status error that quotes a text wherever it can."""
    return lambda text: kind(
        code, (ErrorDetail(code=text, title=text, detail=text, pointer=text), *ENTRIES), text, 2.5, ATTEMPTS
    )


# How to make an error of each class that quotes a text, in every field that may hold one.
MAKERS: dict[type[TelnyxRoomsError], Callable[[str], TelnyxRoomsError]] = {
    TelnyxRoomsError: lambda _: TelnyxRoomsError(),
    ConfigurationError: ConfigurationError,
    InvalidArgumentError: lambda text: InvalidArgumentError((text, text)),
    JournalError: lambda text: JournalError(text, text),
    UnexpectedCountError: lambda _: UnexpectedCountError(3, 5),
    ReadOnlyError: lambda text: ReadOnlyError("POST", text),
    ClientClosedError: lambda _: ClientClosedError(),
    WrongEventLoopError: lambda _: WrongEventLoopError(),
    APIConnectionError: connection(APIConnectionError),
    ConnectError: connection(ConnectError),
    TLSError: connection(TLSError),
    ConnectionLostError: connection(ConnectionLostError),
    APITimeoutError: lambda text: APITimeoutError(text, True, ATTEMPTS, True),  # noqa: FBT003 - positional
    APIResponseError: response(APIResponseError),
    APIResponseValidationError: lambda text: APIResponseValidationError(text, 200, text, ATTEMPTS, (text,)),
    ResponseTooLargeError: response(ResponseTooLargeError),
    MalformedResponseError: response(MalformedResponseError),
    UnexpectedRedirectError: response(UnexpectedRedirectError),
    APIStatusError: status(418, APIStatusError),
    BadRequestError: status(400, BadRequestError),
    AuthenticationError: status(401, AuthenticationError),
    PermissionDeniedError: status(403, PermissionDeniedError),
    NotFoundError: status(404, NotFoundError),
    ConflictError: status(409, ConflictError),
    UnprocessableEntityError: status(422, UnprocessableEntityError),
    NameTakenError: status(422, NameTakenError),
    SessionEndedError: status(422, SessionEndedError),
    RateLimitError: status(429, RateLimitError),
    InternalServerError: status(500, InternalServerError),
    OutcomeUnknownError: lambda text: OutcomeUnknownError(text, text, ATTEMPTS),
    NotReadyError: lambda text: NotReadyError(text, text),
    PaginationError: lambda _: PaginationError(3, 50),
    WebhookError: lambda text: WebhookError((text, text)),
    WebhookSignatureError: lambda text: WebhookSignatureError((text,)),
    WebhookPayloadError: lambda text: WebhookPayloadError((text, text)),
}


def test_every_class_is_tried() -> None:
    """The tests below make an error of each class of the tree."""
    assert set(MAKERS) == set(CLASSES)


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize(
    "through",
    [
        pytest.param(lambda error: pickle.loads(pickle.dumps(error)), id="pickle"),
        pytest.param(lambda error: pickle.loads(pickle.dumps(error, 2)), id="pickle-protocol-2"),
        pytest.param(copy.copy, id="copy"),
        pytest.param(copy.deepcopy, id="deepcopy"),
    ],
)
def test_errors_survive(
    kind: type[TelnyxRoomsError], through: Callable[[TelnyxRoomsError], TelnyxRoomsError]
) -> None:
    """An error that is pickled or copied keeps its class, its fields, its notes and its message."""
    error = MAKERS[kind]("a text")
    error.add_note("a note")
    other = through(error)
    assert other is not error
    assert type(other) is kind
    assert vars(other) == vars(error)
    assert other.args == error.args
    assert str(other) == str(error)
    assert repr(other) == repr(error)


@pytest.mark.parametrize("kind", CLASSES)
def test_a_deep_copy_shares_nothing_mutable(kind: type[TelnyxRoomsError]) -> None:
    """What is hung on a copy of an error is not hung on the error."""
    error = MAKERS[kind]("a text")
    copy.deepcopy(error).add_note("a note")
    assert not hasattr(error, "__notes__")


def test_what_the_server_nests_does_not_break_pickle() -> None:
    """An error whose body holds a deeply nested ``meta`` can be pickled and copied like any other."""
    nested: object = 1
    for _ in range(500):
        nested = {"a": nested}
    error = BadRequestError(400, error_details(encode({"errors": [{"code": "1", "meta": {"a": nested}}]})))
    assert error.code == "1"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert str(copy.deepcopy(error)) == str(error)


@pytest.mark.parametrize("kind", CLASSES)
def test_messages_are_short_and_printable(kind: type[TelnyxRoomsError]) -> None:
    """A message has at most 300 characters and no control character, whatever the error quotes."""
    error = MAKERS[kind]("\x1b[31mred\r\nX-Header: \0\x7f\x85\u2028" * 100)
    assert 0 < len(str(error)) <= 300
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", str(error))
    assert repr(error) == f"{kind.__name__}({str(error)!r})"


@given(st.text(), st.sampled_from(CLASSES))
def test_no_text_breaks_a_message(text: str, kind: type[TelnyxRoomsError]) -> None:
    """Any text in an error comes to a message of at most 300 characters on one line."""
    said = str(MAKERS[kind](text))
    assert len(said) <= 300
    assert len(said.splitlines()) <= 1


def test_control_characters_are_escaped() -> None:
    """A control character shows as its escape, and the rest as it is."""
    assert str(ConfigurationError("a\r\nb\tc\0d\x1be\x7f\u202e\u2028 Zoë 会议 😀")) == (
        "a\\r\\nb\\tc\\x00d\\x1be\\x7f\\u202e\\u2028 Zoë 会议 😀"
    )


@pytest.mark.parametrize(
    ("length", "message"),
    [(300, "x" * 300), (301, "x" * 299 + "…"), (100_000, "x" * 299 + "…")],
    ids=["300", "301", "100000"],
)
def test_long_messages_are_cut(length: int, message: str) -> None:
    """A message of 300 characters is whole, and a longer one ends in an ellipsis."""
    assert str(ConfigurationError("x" * length)) == message


@pytest.mark.parametrize(
    ("error", "message"),
    [
        pytest.param(TelnyxRoomsError(), "failed", id="root"),
        pytest.param(ConfigurationError("no API key"), "no API key", id="configuration"),
        pytest.param(
            InvalidArgumentError(("a must be b", "c must be d")), "a must be b; c must be d", id="argument"
        ),
        pytest.param(
            ReadOnlyError("POST", "/rooms"),
            "the client is read-only: POST /rooms was not sent",
            id="read-only",
        ),
        pytest.param(ClientClosedError(), "the client is closed: make a new one", id="closed"),
        pytest.param(
            WrongEventLoopError(),
            "the client belongs to another event loop: make one client for each loop",
            id="loop",
        ),
        pytest.param(APIConnectionError(), "no answer", id="connection"),
        pytest.param(ConnectError("refused"), "could not connect: refused", id="connect"),
        pytest.param(TLSError("expired"), "could not connect securely: expired", id="tls"),
        pytest.param(
            ConnectionLostError("reset", True, ATTEMPTS),  # noqa: FBT003 - positional
            "the connection was lost after 2 attempts: reset",
            id="lost",
        ),
        pytest.param(
            APITimeoutError("15 s", True, ATTEMPTS[:1]),  # noqa: FBT003 - positional
            "timed out: 15 s",
            id="timeout",
        ),
        pytest.param(APIResponseError("odd"), "unusable answer: odd", id="response"),
        pytest.param(
            APIResponseValidationError("$.data: missing", 200, "req-1", ATTEMPTS),
            "unreadable answer (status 200) after 2 attempts: $.data: missing",
            id="validation",
        ),
        pytest.param(ResponseTooLargeError("9 MiB"), "the answer is too large: 9 MiB", id="too-large"),
        pytest.param(MalformedResponseError("bad line"), "the answer is not HTTP: bad line", id="malformed"),
        pytest.param(
            UnexpectedRedirectError("moved", 302),
            "unexpected redirect, check the base URL (status 302): moved",
            id="redirect",
        ),
        pytest.param(
            OutcomeUnknownError("CreateRoom"), "CreateRoom may or may not have been carried out", id="unknown"
        ),
        pytest.param(
            OutcomeUnknownError("CreateRoom", "Weekly"),
            "CreateRoom may or may not have been carried out;"
            " look for unique_name 'Weekly' before trying again",
            id="unknown-with-a-name",
        ),
        pytest.param(
            OutcomeUnknownError("CreateRoom", "Weekly", (), ("id-1", "id-2")),
            "CreateRoom may or may not have been carried out; it may be any of id-1, id-2",
            id="unknown-with-rooms",
        ),
        pytest.param(
            OutcomeUnknownError("CreateRoom", "Weekly", (LOST_CREATE,)),
            "CreateRoom may or may not have been carried out"
            " (the connection was lost: the server may close one that was idle);"
            " look for unique_name 'Weekly' before trying again, or use on_lost_response=\"find_then_resend\"",
            id="unknown-with-a-name-and-lost",
        ),
        pytest.param(
            OutcomeUnknownError("CreateRoom", "Weekly", (LOST_CREATE, LOST_CREATE)),
            "CreateRoom may or may not have been carried out"
            " (the connection was lost: the server may close one that was idle);"
            " look for unique_name 'Weekly' before trying again",
            id="unknown-with-a-name-and-lost-twice",
        ),
        pytest.param(
            OutcomeUnknownError("CreateRoom", "Weekly", (evolve(LOST_CREATE, failure=Reason.TIMEOUT),)),
            "CreateRoom may or may not have been carried out;"
            " look for unique_name 'Weekly' before trying again, or use on_lost_response=\"find_then_resend\"",
            id="unknown-with-a-name-and-late",
        ),
        pytest.param(
            NotReadyError("id-1", "processing"),
            "id-1 is processing: there is no file to download yet",
            id="not-ready",
        ),
        pytest.param(
            NotReadyError("id-1"),
            "id-1 is in an unknown state: there is no file to download yet",
            id="not-ready-nobody-knows",
        ),
        pytest.param(
            PaginationError(3), "the server's pages do not add up: 3 different items came", id="pages"
        ),
        pytest.param(
            PaginationError(3, 0),
            "the server's pages do not add up: 3 different items of 0 came",
            id="pages-and-a-total",
        ),
        pytest.param(
            WebhookError(("Redis is down",)), "the webhook cannot be taken: Redis is down", id="webhook"
        ),
        pytest.param(
            WebhookSignatureError(("there is no header telnyx-timestamp",)),
            "the webhook's signature does not hold: there is no header telnyx-timestamp",
            id="signature",
        ),
        pytest.param(
            WebhookPayloadError(("$.data.id: missing", "$.data.event_type: missing")),
            "the webhook is unreadable: $.data.id: missing; $.data.event_type: missing",
            id="payload",
        ),
    ],
)
def test_message(error: TelnyxRoomsError, message: str) -> None:
    """Each class says what went wrong in one sentence."""
    assert str(error) == message


@pytest.mark.parametrize("kind", CLASSES)
def test_errors_can_be_raised_and_hung_with_notes(kind: type[TelnyxRoomsError]) -> None:
    """An error takes a traceback, a cause and a note, as Python and test runners want."""
    error = MAKERS[kind]("a text")
    cause = KeyError("cause")
    with pytest.raises(kind) as caught:
        raise error from cause
    caught.value.add_note("a note")
    assert caught.value is error
    assert error.__traceback__ is not None
    assert error.__cause__ is cause
    assert error.__notes__ == ["a note"]


@pytest.mark.parametrize("kind", CLASSES)
def test_errors_are_told_apart(kind: type[TelnyxRoomsError]) -> None:
    """Two errors of the same facts are two errors, and hash as such."""
    one, other = MAKERS[kind]("a text"), MAKERS[kind]("a text")
    assert one != other
    assert len({one, other}) == 2


def test_whether_the_budget_was_spent_is_told_by_the_last_attempt() -> None:
    """Only the last attempt was to be followed by another, which the budget did not allow."""
    first, last = ATTEMPTS
    spent = evolve(last, budget_exhausted=True)
    assert not ConnectError("refused").budget_exhausted
    assert not ConnectError("refused", False, (spent, first)).budget_exhausted  # noqa: FBT003 - positional
    assert ConnectError("refused", False, (first, spent)).budget_exhausted  # noqa: FBT003 - positional


def test_an_attempt_timeout_is_not_the_deadline() -> None:
    """A timeout tells whether one attempt or the whole call ran out of time."""
    assert APITimeoutError("late").deadline is False
    assert APITimeoutError("late", False, (), True).deadline is True  # noqa: FBT003 - positional
    assert ConnectError("refused").sent is False
