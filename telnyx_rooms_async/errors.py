"""What may go wrong: one tree, split by whose fault it is.

    TelnyxRoomsError
    ├── ConfigurationError, InvalidArgumentError,      you: nothing was sent
    │   ClientClosedError, WrongEventLoopError
    ├── APIConnectionError                             the network
    │   └── ConnectError (TLSError), ConnectionLostError, APITimeoutError
    ├── APIResponseError                               an answer that cannot be used
    │   └── APIResponseValidationError, ResponseTooLargeError, MalformedResponseError,
    │       UnexpectedRedirectError
    ├── APIStatusError (see statuses)                  Telnyx said no: one class a status
    ├── OutcomeUnknownError                            it may have been done
    ├── NotReadyError                                  there is no file yet
    ├── PaginationError                                the pages do not add up
    ├── ReadOnlyError, UnexpectedCountError,           what you guarded against (see job_errors)
    │   JournalError
    └── WebhookError (…SignatureError, …PayloadError)  a webhook that cannot be taken

Each is plain data: its fields are its arguments, it pickles and copies, and its attributes hold no key,
no token and no body. Fields stay positional: keyword-only ones do not pickle. They are not frozen: tools
hang notes on exceptions. A class without fields of its own is not decorated.
"""

import enum
from collections.abc import Mapping
from itertools import islice
from typing import ClassVar, Final

from attrs import define, frozen

from telnyx_rooms_async.models import ErrorDetail

# --- attempts ---------------------------------------------------------------------------------------------


class Reason(enum.StrEnum):
    """Why a request has no usable response."""

    CONNECT = "connect"
    """Refused, unknown host, or no connection in time: nothing was sent."""
    TLS = "tls"
    """The server's certificate or TLS handshake was refused: nothing was sent."""
    LOST = "lost"
    """The connection was reset or closed before the response was complete."""
    TIMEOUT = "timeout"
    """No complete response in time."""
    MALFORMED = "malformed"
    """The response is not HTTP."""
    UNREADABLE = "unreadable"
    """The body's compression is corrupt or cut off."""
    TOO_LARGE = "too large"
    """The body is larger than the limit."""


@frozen(kw_only=True)
class RateLimit:
    """The rate limit of the account as one response states it; None for a missing or unreadable number."""

    limit: int | None = None
    """Requests per window."""
    remaining: int | None = None
    """Requests left in the window, at the time of the response."""
    reset: float | None = None
    """Seconds until the next window, at the time of the response."""


@frozen(kw_only=True)
class Attempt:
    """The record of one attempt: metadata only, no body, no API key."""

    number: int
    """The first attempt is 1."""
    operation: str
    """The operation id in the Telnyx API reference: ``ViewRoom``; ``download`` for the download of a file."""
    method: str
    template: str
    """The path before ids are filled in: ``/rooms/{room_id}``; ``{download_url}`` for a file."""
    status: int | None = None
    """The status of the response, or None without a response."""
    failure: Reason | None = None
    """Why there is no response, or None with a response."""
    sent: bool
    """Whether the server may have processed it; ``False`` is certain."""
    elapsed: float
    """Seconds from the wait for a connection to the last byte read."""
    wait: float | None = None
    """Seconds until the next attempt, or None for the last attempt."""
    request_id: str | None = None
    rate_limit: RateLimit | None = None
    """The rate limit that the response stated, if any."""
    budget_exhausted: bool = False
    """Whether the next attempt was left out because the retry budget of the client is spent."""


# --- the tree ---------------------------------------------------------------------------------------------

_MESSAGE_LIMIT = 300


def one_line(text: str, limit: int = _MESSAGE_LIMIT) -> str:
    """Escape what does not print, line breaks and hidden marks alike, and cut what is too long to log."""
    shown = (mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text)
    line = "".join(islice(shown, limit + 1))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def tries(attempts: tuple[Attempt, ...]) -> str:
    """Say how often it was tried, when more than once."""
    return f" after {len(attempts)} attempts" if len(attempts) > 1 else ""


@define(slots=False, repr=False)
class TelnyxRoomsError(Exception):
    """Whatever this library raises, cancellation aside."""

    def __str__(self) -> str:
        return one_line(self._sentence())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    said: ClassVar[str] = "failed"

    def _sentence(self) -> str:
        return self.said


@define(slots=False, repr=False)
class ConfigurationError(TelnyxRoomsError, ValueError):
    """The client cannot be made like this: its key, its base URL or an option."""

    problem: str

    def _sentence(self) -> str:
        return self.problem


@define(slots=False, repr=False)
class InvalidArgumentError(TelnyxRoomsError, ValueError):
    """An argument is out of its bounds or of the wrong kind. Nothing was sent."""

    problems: tuple[str, ...]
    """One sentence for each argument that is wrong."""

    def _sentence(self) -> str:
        return "; ".join(self.problems)


class ClientClosedError(TelnyxRoomsError, RuntimeError):
    """The client is closed, or the session it was given is. A call that went on may have been carried out."""

    said: ClassVar[str] = "the client is closed: make a new one"


NO_EVENT_LOOP: Final = "no asyncio event loop is running: call this from asyncio, not from trio or plain code"


@define(slots=False, repr=False)
class WrongEventLoopError(TelnyxRoomsError, RuntimeError):
    """No asyncio event loop is running, or another one than that which has the client in use.

    After the loop that has the client in use has stopped, the client may move to another one.
    """

    problem: str = "the client belongs to another event loop: make one client for each loop"

    def _sentence(self) -> str:
        return self.problem


class Tried:
    """What a request comes to: it knows its attempts."""

    attempts: tuple[Attempt, ...]

    @property
    def budget_exhausted(self) -> bool:
        """Whether it would have been tried again, had the client's budget for that not been spent."""
        return any(attempt.budget_exhausted for attempt in self.attempts[-1:])


@define(slots=False, repr=False)
class APIConnectionError(Tried, TelnyxRoomsError):
    """No complete answer came."""

    detail: str = ""
    sent: bool = False
    """Whether the server may have acted on the request; ``False`` is certain."""
    attempts: tuple[Attempt, ...] = ()

    said: ClassVar[str] = "no answer"

    def _sentence(self) -> str:
        tail = f": {self.detail}" if self.detail else ""
        return f"{self.said}{tries(self.attempts)}{tail}"


class ConnectError(APIConnectionError):
    """No connection: refused, unknown host, or none free in time. Nothing was sent."""

    said: ClassVar[str] = "could not connect"


class TLSError(ConnectError):
    """The server's certificate or handshake is not acceptable. Nothing was sent; never retried."""

    said: ClassVar[str] = "could not connect securely"


class ConnectionLostError(APIConnectionError):
    """The connection was reset or closed before the answer was complete."""

    said: ClassVar[str] = "the connection was lost"


@define(slots=False, repr=False)
class APITimeoutError(APIConnectionError, TimeoutError):
    """No complete answer in time."""

    deadline: bool = False
    """``True`` when the time of the whole call ran out, ``False`` when that of one attempt did."""

    said: ClassVar[str] = "timed out"


@define(slots=False, repr=False)
class APIResponseError(Tried, TelnyxRoomsError):
    """An answer came that cannot be used."""

    detail: str = ""
    status: int | None = None
    request_id: str | None = None
    attempts: tuple[Attempt, ...] = ()

    said: ClassVar[str] = "unusable answer"

    def _sentence(self) -> str:
        status = f" (status {self.status})" if self.status else ""
        return f"{self.said}{status}{tries(self.attempts)}: {self.detail}"


@define(slots=False, repr=False)
class APIResponseValidationError(APIResponseError):
    """The answer is not JSON, or not of the shape that the API documents."""

    misfits: tuple[str, ...] = ()
    """What is wrong and where: ``"$.data.id: expected string, got null"``."""

    said: ClassVar[str] = "unreadable answer"


class ResponseTooLargeError(APIResponseError):
    """The answer outgrew the limit of 8 MiB, or a file the ``max_bytes`` of its download."""

    said: ClassVar[str] = "the answer is too large"


class MalformedResponseError(APIResponseError):
    """What came is not HTTP."""

    said: ClassVar[str] = "the answer is not HTTP"


class UnexpectedRedirectError(APIResponseError):
    """The API does not redirect, so this did not come from it. Nothing was sent elsewhere."""

    said: ClassVar[str] = "unexpected redirect, check the base URL"


@define(slots=False, repr=False)
class OutcomeUnknownError(Tried, TelnyxRoomsError):
    """It may have been carried out, and again could be twice. ``__cause__`` is what it grew from."""

    operation: str
    """The operation id in the Telnyx API reference: ``CreateRoom``."""
    unique_name: str | None = None
    """The name that was asked for: look for it before trying again."""
    attempts: tuple[Attempt, ...] = ()
    room_ids: tuple[str, ...] = ()
    """Rooms of which any may be the one, when several were found."""

    def _sentence(self) -> str:
        sent = [each for each in self.attempts if each.sent and each.operation == self.operation]
        is_lost = any(each.failure is Reason.LOST for each in sent)
        why = " (the connection was lost: the server may close one that was idle)" if is_lost else ""
        resend = ', or use on_lost_response="find_then_resend"' if len(sent) == 1 else ""
        named = f"; look for unique_name {self.unique_name!r} before trying again" if self.unique_name else ""
        advice = f"{named}{resend}" if named and self.operation == "CreateRoom" else named
        found = f"; it may be any of {', '.join(self.room_ids)}" if self.room_ids else ""
        return f"{self.operation} may or may not have been carried out{why}{found or advice}"


@define(slots=False, repr=False)
class NotReadyError(TelnyxRoomsError):
    """The recording or composition is not completed, so there is no file to download yet."""

    id: str
    status: str | None = None
    """How far it is: ``"processing"``."""

    def _sentence(self) -> str:
        return f"{self.id} is {self.status or 'in an unknown state'}: there is no file to download yet"


@define(slots=False, repr=False)
class PaginationError(TelnyxRoomsError):
    """The server's pages repeat themselves."""

    seen: int
    """How many different items came."""
    expected: int | None = None
    """How many the server spoke of, if it did."""
    is_changing: bool = False
    """Whether a snapshot failed because the list changed during each of its passes."""

    def _sentence(self) -> str:
        if self.is_changing:
            return f"the list kept changing while it was read: {self.seen} items in the last pass"
        of = "" if self.expected is None else f" of {self.expected}"
        return f"the server's pages do not add up: {self.seen} different items{of} came"


@define(slots=False, repr=False)
class WebhookError(TelnyxRoomsError):
    """A webhook cannot be taken. Nothing of its body, its signature or a key is shown."""

    problems: tuple[str, ...]
    """One sentence for each; of a body what is wrong and where: ``"$.data.id: missing"``."""

    said: ClassVar[str] = "the webhook cannot be taken"

    def _sentence(self) -> str:
        return f"{self.said}: {'; '.join(self.problems)}"


class WebhookSignatureError(WebhookError):
    """Nothing proves that it comes from Telnyx, and comes now. The body was not read."""

    said: ClassVar[str] = "the webhook's signature does not hold"


class WebhookPayloadError(WebhookError):
    """It comes from Telnyx, and is not JSON, or not of the shape of an event."""

    said: ClassVar[str] = "the webhook is unreadable"


@define(slots=False, repr=False)
class APIStatusError(Tried, TelnyxRoomsError):
    """Telnyx answered with an error status."""

    status: int
    errors: tuple[ErrorDetail, ...] = ()
    """The entries of the body, in any of its documented shapes; ``()`` when there are none to read."""
    request_id: str | None = None
    retry_after: float | None = None
    """Seconds that the server asked to wait, if it did."""
    attempts: tuple[Attempt, ...] = ()

    advice: ClassVar[str] = ""

    @property
    def _first(self) -> ErrorDetail:
        return self.errors[0] if self.errors else ErrorDetail()

    @property
    def code(self) -> str | None:
        """Telnyx's code in the first entry: ``"10005"``."""
        return self._first.code

    @property
    def title(self) -> str | None:
        """The title of the first entry: ``"Resource not found"``."""
        return self._first.title

    @property
    def detail(self) -> str | None:
        """The explanation in the first entry."""
        return self._first.detail

    @property
    def pointer(self) -> str | None:
        """The field of the body that the first entry means: ``"/unique_name"``."""
        return self._first.pointer

    @property
    def parameter(self) -> str | None:
        """The query parameter that the first entry means: ``"page[size]"``."""
        return self._first.parameter

    def _sentence(self) -> str:
        said = ": ".join(filter(None, (self.title, self.detail)))
        facts = (
            self.pointer or self.parameter,
            self.code and f"code {self.code}",
            self.request_id and f"request {self.request_id}",
            self.advice,
        )
        tail = ", ".join(filter(None, facts))
        head = f"{self.status} {said or 'without an explanation'}{tries(self.attempts)}"
        return f"{head} ({tail})" if tail else head


class BadRequestError(APIStatusError):
    """400: the request makes no sense to the server."""


class AuthenticationError(APIStatusError):
    """401: the key is missing, wrong or revoked."""

    advice: ClassVar[str] = "check the API key"


class PermissionDeniedError(APIStatusError):
    """403: the key is good, but not for this."""


class NotFoundError(APIStatusError):
    """404: there is no such thing, or no longer."""


class ConflictError(APIStatusError):
    """409: it is being changed by someone else."""


class UnprocessableEntityError(APIStatusError):
    """422: a field or a parameter has a value that the server refuses."""


class NameTakenError(UnprocessableEntityError):
    """422: another room of the account has this ``unique_name``."""


class SessionEndedError(UnprocessableEntityError):
    """422: the session is over already."""

    advice: ClassVar[str] = "the session has ended already"


class RateLimitError(APIStatusError):
    """429: too many requests.

    Without attempts nothing was sent: the server has said before that it would refuse, for longer than
    the call has time. ``.retry_after`` tells how long.
    """

    advice: ClassVar[str] = "make fewer requests at a time"


class InternalServerError(APIStatusError):
    """5xx: the server failed."""


_DUPLICATE_WORDS: Final = ("taken", "not_unique", "already", "duplicate")
_UNPROCESSABLE: Final = 422
_CLASSES: Final[Mapping[int, type[APIStatusError]]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    _UNPROCESSABLE: UnprocessableEntityError,
    429: RateLimitError,
} | dict.fromkeys(range(500, 600), InternalServerError)


def status_class(status: int, entries: tuple[ErrorDetail, ...] = ()) -> type[APIStatusError]:
    """Return the class for an error status; one without a class of its own is an `APIStatusError`."""
    if status == _UNPROCESSABLE and any(map(_is_name_taken, entries)):
        return NameTakenError
    if status == _UNPROCESSABLE and any(map(_is_session_over, entries)):
        return SessionEndedError
    return _CLASSES.get(status, APIStatusError)


def _is_name_taken(entry: ErrorDetail) -> bool:
    """Tell a duplicate name by its field and its words: Telnyx documents no code for it."""
    told = f"{entry.code} {entry.pointer} {entry.title} {entry.detail}".lower()
    return "unique_name" in told and any(word in told for word in _DUPLICATE_WORDS)


def _is_session_over(entry: ErrorDetail) -> bool:
    """Tell an ended session by the words that production has seen: "No private_ip for room"."""
    return "private_ip" in f"{entry.title} {entry.detail}".lower()


@define(slots=False, repr=False)
class ReadOnlyError(TelnyxRoomsError, RuntimeError):
    """The client is read-only, and this would have changed something. Nothing was sent."""

    method: str
    path: str

    def _sentence(self) -> str:
        return f"the client is read-only: {self.method} {self.path} was not sent"


@define(slots=False, repr=False)
class UnexpectedCountError(TelnyxRoomsError):
    """There are more or fewer than expected, so nothing was deleted."""

    expected: int
    found: int

    def _sentence(self) -> str:
        return f"expected {self.expected}, found {self.found}: nothing was deleted"


@define(slots=False, repr=False)
class JournalError(TelnyxRoomsError):
    """A journal cannot be used: other input, another base URL or API key, in use, or the disk is full."""

    path: str
    problem: str

    def _sentence(self) -> str:
        return f"journal {self.path}: {self.problem}"
