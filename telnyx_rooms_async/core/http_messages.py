"""What crosses the wire, as plain values: no I/O, no clock, no session."""

import enum
from collections.abc import Mapping
from typing import Generic, TypeVar
from urllib.parse import quote, urlencode

from attrs import AttrsInstance, field, frozen

T_co = TypeVar("T_co", covariant=True)


def _size(body: bytes | None) -> str:
    """Print a body as its length: it may hold a token."""
    return "None" if body is None else f"<{len(body)} bytes>"


@frozen(kw_only=True)
class Request:
    """One HTTP request, relative to the base URL and without the key."""

    method: str
    path: str = field(repr=False)
    """Percent-encoded and absolute: ``/rooms/0ccc7b54``. A user may pass a token where an id belongs."""
    query: tuple[tuple[str, str], ...] = ()
    """Names and values as they are, not yet encoded."""
    body: bytes | None = field(default=None, repr=_size)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What of it must not be shown, should a refusal repeat it."""

    @property
    def query_string(self) -> str:
        """The query as it stands in the request line, without the question mark."""
        return urlencode(self.query, quote_via=quote) if self.query else ""

    @property
    def target(self) -> str:
        """The path and the encoded query, as they stand in the request line."""
        return f"{self.path}?{self.query_string}" if self.query else self.path


@frozen(kw_only=True)
class Response:
    """One complete HTTP answer, whatever its status."""

    status: int
    raw_headers: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)
    """Names and values as they came, in their order."""
    body: bytes = field(default=b"", repr=_size)

    def header(self, name: str) -> str | None:
        """Return the first header of that name, whatever its case, or ``None``."""
        wanted = name.lower().encode()
        for found, value in self.raw_headers:
            if found.lower() == wanted:
                return value.decode("latin-1")
        return None

    @property
    def headers(self) -> Mapping[str, str]:
        """All headers under lower-case names; of a repeated one, the last."""
        return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in self.raw_headers}


class Reason(enum.StrEnum):
    """Why a request brought no answer."""

    CONNECT = "connect"
    """Refused, unknown host, or no connection in time: nothing was sent."""
    TLS = "tls"
    """The server's certificate or handshake was not acceptable: nothing was sent."""
    LOST = "lost"
    """The connection was reset or closed before the answer was complete."""
    TIMEOUT = "timeout"
    """No complete answer in time."""
    MALFORMED = "malformed"
    """What came is not HTTP."""
    UNREADABLE = "unreadable"
    """The body's compression is corrupt or cut off."""
    TOO_LARGE = "too large"
    """The body outgrew the limit."""


@frozen(kw_only=True)
class Failure:
    """What stands in for an answer that did not come."""

    reason: Reason
    sent: bool
    """Whether the server may have seen the request; ``False`` is certain."""
    detail: str = ""
    """One line for a person."""
    deadline: bool = False
    """Whether the time of the whole call ran out, not that of one attempt."""


@frozen(kw_only=True)
class RateLimit:
    """What an answer told of the account's rate limit; ``None`` is what it did not tell, or not readably."""

    limit: int | None = None
    """Requests in one window."""
    remaining: int | None = None
    """Requests left in this window, when the answer was written."""
    reset: float | None = None
    """Seconds until the next window, when the answer was written."""


@frozen(kw_only=True)
class Attempt:
    """The record of one try: metadata only, no body, no key."""

    number: int
    """Counted from 1."""
    operation: str
    """The operation id in the Telnyx API reference: ``ViewRoom``; ``download`` for a file of the store."""
    method: str
    template: str
    """The path before ids are filled in: ``/rooms/{room_id}``; ``{download_url}`` for a file."""
    status: int | None = None
    """The status of the answer, or ``None`` when none came."""
    failure: Reason | None = None
    """Why no answer came, or ``None`` when one did."""
    sent: bool
    """Whether the server may have acted on it; ``False`` is certain."""
    elapsed: float
    """Seconds from the wait for a connection to the last byte read."""
    wait: float | None = None
    """Seconds to wait before the next attempt, or ``None`` when it was the last."""
    request_id: str | None = None
    rate_limit: RateLimit | None = None
    """What the answer told of the rate limit, if it did."""
    budget_exhausted: bool = False
    """Whether there would have been another attempt, had the client's budget for them not been spent."""


class RetrySafety(enum.Enum):
    """When a failed request may be sent once more."""

    IDEMPOTENT = "always"
    """Doing it twice is doing it once."""
    IF_NOT_SENT = "unsent"
    """Only when the server certainly did not act on it: the second one would make a second thing."""


@frozen(kw_only=True)
class Call(Generic[T_co]):
    """One request to make, and how its answer is to be read."""

    operation: str
    template: str
    request: Request
    answer: type[T_co]
    repeat: RetrySafety
    query: AttrsInstance | None = field(default=None, eq=False, repr=False)
    """The filter that `request.query` was encoded from: other pages of a list are requested with it."""
    unique_name: str | None = field(default=None, eq=False, repr=False)
    """The name in the body, for `OutcomeUnknownError.unique_name`."""
