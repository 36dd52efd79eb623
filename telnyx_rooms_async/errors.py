"""Exceptions of the library, in one tree.

Each exception is plain data: its fields are its arguments, it can be pickled and copied, and it holds no API
key, no token and no body. Fields are positional, because keyword-only ones do not pickle, and not frozen,
because tools add notes to exceptions.
"""

import enum
from collections.abc import Mapping
from itertools import islice
from typing import ClassVar, Final

from attrs import frozen

from telnyx_rooms_async.models import ErrorDetail, Value


class FailureKind(enum.StrEnum):
    """Why a request has no usable response."""

    CONNECT = "connect"
    """Refused, unknown host, or no connection in time: nothing was sent."""
    TLS = "tls"
    """The TLS handshake failed, for a certificate that is not accepted: nothing was sent."""
    PROXY_AUTHENTICATION = "proxy authentication"
    """The proxy refused the credentials in its URL, or requires credentials: nothing was sent."""
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


@frozen(kw_only=True, eq=False, repr=False)
class RateLimit(Value):
    """Rate limit of the account as one response states it; None for a missing or unreadable number.

    Example:
        >>> telnyx.limit(100, seconds=60)  # the emulator
        >>> room = await client.rooms.retrieve(room_id)
        >>> client.rate_limit
        RateLimit(limit=100, remaining=99, reset=60.0)
    """

    limit: int | None = None
    """Requests per window."""
    remaining: int | None = None
    """Requests left in the window, at the time of the response."""
    reset: float | None = None
    """Seconds until the next window, at the time of the response."""


@frozen(kw_only=True, eq=False, repr=False)
class Attempt(Value):
    """Record of one attempt: metadata only, no body, no API key.

    Example:
        >>> attempts = []
        >>> async with RoomsClient(on_attempt=attempts.append) as client:
        ...     room = await client.rooms.retrieve(room_id)
        >>> [(attempt.operation, attempt.status, attempt.wait) for attempt in attempts]
        [('ViewRoom', 200, None)]
    """

    number: int
    """Counted from 1."""
    operation: str
    """Operation id in the Telnyx API reference: ``ViewRoom``; ``download`` for the download of a file."""
    method: str
    """``"GET"``, ``"POST"``, …"""
    template: str
    """Path before ids are filled in: ``/rooms/{room_id}``; ``{download_url}`` for a file."""
    status: int | None = None
    """Status of the response, or None without one."""
    failure: FailureKind | None = None
    """Why there is no response, or None with a response."""
    sent: bool
    """Whether the server may have processed it; ``False`` is certain."""
    elapsed: float
    """Seconds from the wait for a connection to the last byte read."""
    wait: float | None = None
    """Seconds until the next attempt, or None for the last attempt."""
    request_id: str | None = None
    """Id of the request at Telnyx, for its support."""
    rate_limit: RateLimit | None = None
    """The rate limit that the response states."""
    budget_exhausted: bool = False
    """Whether the next attempt was left out because the retry budget of the client is spent."""


def one_line(text: str, limit: int = 300) -> str:
    """Return text for one line of a log: unprintable characters escaped, and cut to a length."""
    printable = (char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    line = "".join(islice(printable, limit + 1))
    return line if len(line) <= limit else line[: limit - 1] + "…"


_NO_HEADERS: Final[Mapping[str, str]] = {}


class TelnyxRoomsError(Exception):
    """Base class of all exceptions of this library.

    Example:
        >>> try:
        ...     await client.rooms.create("Weekly")
        ... except NameTakenError as error:
        ...     print(error.status_code, error.code)
        ... except TelnyxRoomsError as error:
        ...     print(error)
        422 10027
    """

    _summary: ClassVar[str] = "failed"

    def __init__(self, *fields: object) -> None:
        # Sets `args`, from which pickle and copy make the exception again. Not `super()`: of a TimeoutError
        # it is that of OSError, which takes the first field for an errno.
        BaseException.__init__(self, *fields)

    @property
    def message(self) -> str:
        """What happened, in one line of at most 300 characters, as ``str(error)``."""
        return one_line(self._message())

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def _message(self) -> str:
        return self._summary


class ConfigurationError(TelnyxRoomsError, ValueError):
    """The API key, the base URL or an option of a client is invalid."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem: str = problem
        """What is wrong, without the value of a secret."""

    def _message(self) -> str:
        return self.problem


class InvalidArgumentError(TelnyxRoomsError, ValueError):
    """An argument is invalid. Nothing was sent."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(problems)
        self.problems: tuple[str, ...] = problems
        """One sentence for each invalid argument."""

    def _message(self) -> str:
        return "; ".join(self.problems)


class ClientClosedError(TelnyxRoomsError, RuntimeError):
    """The client, or its borrowed session, is closed. The server may have processed a call in flight."""

    _summary: ClassVar[str] = "the client is closed: make a new one"


NO_EVENT_LOOP: Final = "no asyncio event loop is running: call this from asyncio, not from trio or plain code"


class WrongEventLoopError(TelnyxRoomsError, RuntimeError):
    """No asyncio event loop is running, or the client is in use by another event loop.

    A client can move to another event loop after its own has stopped.
    """

    def __init__(
        self, problem: str = "the client belongs to another event loop: make one client for each loop"
    ) -> None:
        super().__init__(problem)
        self.problem: str = problem
        """What is wrong."""

    def _message(self) -> str:
        return self.problem


class _RequestError:
    """Mixin of exceptions with a record of attempts."""

    attempts: tuple[Attempt, ...]
    """Every attempt of the call, in order."""

    @property
    def budget_exhausted(self) -> bool:
        """Whether the next attempt was left out because the retry budget of the client is spent."""
        return any(attempt.budget_exhausted for attempt in self.attempts[-1:])

    def _after_attempts(self) -> str:
        return f" after {len(self.attempts)} attempts" if len(self.attempts) > 1 else ""


class APIConnectionError(_RequestError, TelnyxRoomsError):
    """There is no complete response."""

    _summary: ClassVar[str] = "no response"

    def __init__(self, detail: str = "", sent: bool = False, attempts: tuple[Attempt, ...] = ()) -> None:
        super().__init__(detail, sent, attempts)
        self.detail: str = detail
        """What the connection reported."""
        self.sent: bool = sent
        """Whether the server may have processed the request; ``False`` is certain."""
        self.attempts: tuple[Attempt, ...] = attempts
        """Every attempt of the call, in order."""

    def _message(self) -> str:
        tail = f": {self.detail}" if self.detail else ""
        return f"{self._summary}{self._after_attempts()}{tail}"


class ConnectError(APIConnectionError):
    """There is no connection: refused, unknown host, or none free in time. Nothing was sent."""

    _summary: ClassVar[str] = "could not connect"


class TLSError(ConnectError):
    """The TLS handshake failed, for a certificate of the server or of the client. Never retried.

    The server processed nothing.
    """

    _summary: ClassVar[str] = "could not connect securely"


class ProxyAuthenticationError(ConnectError):
    """The proxy requires a user and a password, or refused them (407). Nothing was sent; never retried."""

    _summary: ClassVar[str] = "the proxy refused the credentials"


class ConnectionLostError(APIConnectionError):
    """The connection was reset or closed before the response was complete."""

    _summary: ClassVar[str] = "the connection was lost"


class APITimeoutError(APIConnectionError, TimeoutError):
    """There is no complete response in time."""

    _summary: ClassVar[str] = "timed out"

    def __init__(
        self, detail: str = "", sent: bool = False, attempts: tuple[Attempt, ...] = (), deadline: bool = False
    ) -> None:
        super().__init__(detail, sent, attempts)
        TelnyxRoomsError.__init__(self, detail, sent, attempts, deadline)
        self.deadline: bool = deadline
        """True if the time of the whole call is over, False if only that of the attempt is."""


class APIResponseError(_RequestError, TelnyxRoomsError):
    """The response cannot be used."""

    _summary: ClassVar[str] = "unusable response"

    def __init__(
        self,
        detail: str = "",
        status_code: int | None = None,
        request_id: str | None = None,
        attempts: tuple[Attempt, ...] = (),
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> None:
        super().__init__(detail, status_code, request_id, attempts, headers)
        self.detail: str = detail
        """What is wrong with the response."""
        self.status_code: int | None = status_code
        """Status of the response."""
        self.request_id: str | None = request_id
        """Id of the request at Telnyx, for its support."""
        self.attempts: tuple[Attempt, ...] = attempts
        """Every attempt of the call, in order."""
        self.headers: Mapping[str, str] = headers
        """Of the response; names are found in any case."""

    def _message(self) -> str:
        status = f" (status {self.status_code})" if self.status_code else ""
        return f"{self._summary}{status}{self._after_attempts()}: {self.detail}"


class APIResponseValidationError(APIResponseError):
    """The response is not JSON, or does not have the documented shape."""

    _summary: ClassVar[str] = "invalid response"

    def __init__(
        self,
        detail: str = "",
        status_code: int | None = None,
        request_id: str | None = None,
        attempts: tuple[Attempt, ...] = (),
        headers: Mapping[str, str] = _NO_HEADERS,
        problems: tuple[str, ...] = (),
    ) -> None:
        super().__init__(detail, status_code, request_id, attempts, headers)
        TelnyxRoomsError.__init__(self, detail, status_code, request_id, attempts, headers, problems)
        self.problems: tuple[str, ...] = problems
        """The path and the problem of each wrong value: ``"$.data.id: expected string, got null"``."""


class ResponseTooLargeError(APIResponseError):
    """The response is larger than 8 MiB, or a file larger than the ``max_bytes`` of its download."""

    _summary: ClassVar[str] = "the response is too large"


class MalformedResponseError(APIResponseError):
    """The response is not HTTP."""

    _summary: ClassVar[str] = "the response is not HTTP"


class UnexpectedRedirectError(APIResponseError):
    """The response is a redirect, which the API never sends. It was not followed."""

    _summary: ClassVar[str] = "unexpected redirect, check the base URL"


class OutcomeUnknownError(_RequestError, TelnyxRoomsError):
    """The server may have processed a request that must not be sent twice. ``__cause__`` is the reason."""

    def __init__(
        self,
        operation: str,
        unique_name: str | None = None,
        attempts: tuple[Attempt, ...] = (),
        room_ids: tuple[str, ...] = (),
    ) -> None:
        super().__init__(operation, unique_name, attempts, room_ids)
        self.operation: str = operation
        """Operation id in the Telnyx API reference: ``CreateRoom``."""
        self.unique_name: str | None = unique_name
        """Requested name of a room: look for it before trying again."""
        self.attempts: tuple[Attempt, ...] = attempts
        """Every attempt of the call, in order."""
        self.room_ids: tuple[str, ...] = room_ids
        """Ids of the rooms of which one may be the result, if there are several."""

    def _message(self) -> str:
        message = f"{self.operation} may or may not have been processed"
        sent = [attempt for attempt in self.attempts if attempt.sent and attempt.operation == self.operation]
        if any(attempt.failure is FailureKind.LOST for attempt in sent):
            message += " (the connection was lost: the server may close one that was idle)"
        if self.room_ids:
            return f"{message}; it may be any of {', '.join(self.room_ids)}"
        if self.unique_name:
            message += f"; look for unique_name {self.unique_name!r} before trying again"
            if self.operation == "CreateRoom" and len(sent) == 1:
                message += ', or use on_lost_response="find_then_resend"'
        return message


class NotReadyError(TelnyxRoomsError):
    """The recording or composition is not completed, so there is no file to download yet."""

    def __init__(self, id: str, status: str | None = None) -> None:
        super().__init__(id, status)
        self.id: str = id
        """Id of the recording or composition."""
        self.status: str | None = status
        """``"processing"``, for example."""

    def _message(self) -> str:
        return f"{self.id} is {self.status or 'in an unknown state'}: there is no file to download yet"


class PaginationError(TelnyxRoomsError):
    """The pages of a list contradict each other."""

    def __init__(self, seen: int, expected: int | None = None, is_changing: bool = False) -> None:
        super().__init__(seen, expected, is_changing)
        self.seen: int = seen
        """Number of different items that were received."""
        self.expected: int | None = expected
        """Total that the server states, if any."""
        self.is_changing: bool = is_changing
        """Whether a snapshot failed because the list changed during each of its passes."""

    def _message(self) -> str:
        if self.is_changing:
            return f"the list kept changing while it was read: {self.seen} items in the last pass"
        of = "" if self.expected is None else f" of {self.expected}"
        return f"the pages contradict each other: {self.seen} different items{of} were received"


class WebhookError(TelnyxRoomsError):
    """A webhook is not accepted. The message shows nothing of its body, its signature or a key."""

    _summary: ClassVar[str] = "the webhook is not accepted"

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(problems)
        self.problems: tuple[str, ...] = problems
        """One sentence for each problem; of a body the path and the problem: ``"$.data.id: missing"``."""

    def _message(self) -> str:
        return f"{self._summary}: {'; '.join(self.problems)}"


class WebhookSignatureError(WebhookError):
    """The signature is not valid, or too old. The body was not read."""

    _summary: ClassVar[str] = "the signature of the webhook is not valid"


class WebhookPayloadError(WebhookError):
    """The signature is valid, but the body is not an event."""

    _summary: ClassVar[str] = "the webhook is not an event"


class EventClaimedError(WebhookError):
    """Another worker is handling the event at the moment, as the event store says."""


class APIStatusError(_RequestError, TelnyxRoomsError):
    """The response has an error status."""

    _advice: ClassVar[str] = ""

    def __init__(
        self,
        status_code: int,
        errors: tuple[ErrorDetail, ...] = (),
        request_id: str | None = None,
        retry_after: float | None = None,
        attempts: tuple[Attempt, ...] = (),
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> None:
        super().__init__(status_code, errors, request_id, retry_after, attempts, headers)
        self.status_code: int = status_code
        """Status of the response: 404, for example."""
        self.errors: tuple[ErrorDetail, ...] = errors
        """Entries of the body, in any of its shapes."""
        self.request_id: str | None = request_id
        """Id of the request at Telnyx, for its support."""
        self.retry_after: float | None = retry_after
        """Seconds that the server asks to wait, if any."""
        self.attempts: tuple[Attempt, ...] = attempts
        """Every attempt of the call, in order."""
        self.headers: Mapping[str, str] = headers
        """Of the response; names are found in any case: ``error.headers.get("Retry-After")``."""

    @property
    def _first(self) -> ErrorDetail:
        return self.errors[0] if self.errors else ErrorDetail()

    @property
    def code(self) -> str | None:
        """Code of Telnyx in the first entry: ``"10005"``."""
        return self._first.code

    @property
    def title(self) -> str | None:
        """Title of the first entry: ``"Resource not found"``."""
        return self._first.title

    @property
    def detail(self) -> str | None:
        """Explanation in the first entry."""
        return self._first.detail

    @property
    def pointer(self) -> str | None:
        """JSON pointer of the first entry to a field of the body: ``"/unique_name"``."""
        return self._first.pointer

    @property
    def parameter(self) -> str | None:
        """Query parameter in the first entry: ``"page[size]"``."""
        return self._first.parameter

    def _message(self) -> str:
        explanation = ": ".join(filter(None, (self.title, self.detail))) or "without an explanation"
        facts = (
            self.pointer or self.parameter,
            self.code and f"code {self.code}",
            self.request_id and f"request {self.request_id}",
            self._advice,
        )
        context = ", ".join(filter(None, facts))
        message = f"{self.status_code} {explanation}{self._after_attempts()}"
        return f"{message} ({context})" if context else message


class BadRequestError(APIStatusError):
    """400: the server does not understand the request."""


class AuthenticationError(APIStatusError):
    """401: the API key is missing, wrong or revoked."""

    _advice: ClassVar[str] = "check the API key"


class PermissionDeniedError(APIStatusError):
    """403: the API key has no permission for this."""


class NotFoundError(APIStatusError):
    """404: the object does not exist, or no longer. If it is a list, the base URL is wrong."""

    def _message(self) -> str:
        is_list = bool(self.attempts) and self.attempts[-1].operation.startswith("List")
        return f"{super()._message()}; check the base URL" if is_list else super()._message()


class ConflictError(APIStatusError):
    """409: the object is being changed by another request."""


class UnprocessableEntityError(APIStatusError):
    """422: the server refuses the value of a field or a parameter."""


class NameTakenError(UnprocessableEntityError):
    """422: another room of the account has this ``unique_name``."""


class SessionEndedError(UnprocessableEntityError):
    """422: the session has already ended."""

    _advice: ClassVar[str] = "the session has ended already"


class RateLimitError(APIStatusError):
    """429: too many requests.

    Without attempts, nothing was sent: the server had asked for a pause that is longer than the rest of the
    call's time. ``.retry_after`` is the pause in seconds.
    """

    _advice: ClassVar[str] = "make fewer requests at a time"


class InternalServerError(APIStatusError):
    """5xx: the server failed."""


class ReadOnlyError(TelnyxRoomsError, RuntimeError):
    """A read-only client was asked to send a request that could change something. Nothing was sent."""

    def __init__(self, method: str, path: str) -> None:
        super().__init__(method, path)
        self.method: str = method
        """Method of the request that was not sent."""
        self.path: str = path
        """Its path."""

    def _message(self) -> str:
        return f"the client is read-only: {self.method} {self.path} was not sent"


class UnexpectedCountError(TelnyxRoomsError):
    """The number of rooms to delete is not the expected one. Nothing was deleted."""

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(expected, actual)
        self.expected: int = expected
        """Number of rooms that was expected."""
        self.actual: int = actual
        """Number of rooms that the filter matches."""

    def _message(self) -> str:
        return f"expected {self.expected}, found {self.actual}: nothing was deleted"


class JournalError(TelnyxRoomsError):
    """A journal cannot be used: other input, another account or base URL, in use, or the disk is full."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path: str = path
        """Path of the journal."""
        self.problem: str = problem
        """What is wrong."""

    def _message(self) -> str:
        return f"journal {self.path}: {self.problem}"
