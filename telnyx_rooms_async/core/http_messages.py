"""HTTP messages as values: requests, responses and failures, and the calls that they belong to."""

import enum
from collections.abc import Mapping
from typing import Generic, TypeVar
from urllib.parse import quote, urlencode

from attrs import AttrsInstance, field, frozen

from telnyx_rooms_async.errors import FailureKind

T_co = TypeVar("T_co", covariant=True)


def _size(body: bytes | None) -> str:
    """Return the length of a body as its repr: the body may hold a token."""
    return "None" if body is None else f"<{len(body)} bytes>"


@frozen(kw_only=True)
class Request:
    """One HTTP request, relative to the base URL and without the key."""

    method: str
    path: str = field(repr=False)
    """Percent-encoded and absolute: ``/rooms/0ccc7b54``. It may hold a token that was passed as an id."""
    query: tuple[tuple[str, str], ...] = ()
    """Names and values, not yet encoded."""
    body: bytes | None = field(default=None, repr=_size)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Parts of it that are removed from an error response that repeats them."""

    @property
    def query_string(self) -> str:
        """The encoded query, without the question mark."""
        return urlencode(self.query, quote_via=quote) if self.query else ""

    @property
    def target(self) -> str:
        """The path and the encoded query, as in the request line."""
        return f"{self.path}?{self.query_string}" if self.query else self.path


@frozen(kw_only=True)
class Response:
    """A complete HTTP response of any status.

    Example:
        >>> response = await client.request("GET", "/rooms")
        >>> response.status, response.header("content-type")
        (200, 'application/json')
    """

    status: int
    """Status code."""
    raw_headers: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)
    """Names and values in the order of the response."""
    body: bytes = field(default=b"", repr=_size)
    """Body, decompressed."""

    def header(self, name: str) -> str | None:
        """Return the first header of that name, in any case, or None."""
        lower_name = name.lower().encode()
        for header_name, value in self.raw_headers:
            if header_name.lower() == lower_name:
                return value.decode("latin-1")
        return None

    @property
    def headers(self) -> Mapping[str, str]:
        """All headers under lower-case names; of a repeated header, the last value."""
        return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in self.raw_headers}


@frozen(kw_only=True)
class Failure:
    """The outcome of a request without a usable response."""

    reason: FailureKind
    sent: bool
    """Whether the server may have received the request; ``False`` is certain."""
    detail: str = ""
    """One line of text."""
    deadline: bool = False
    """Whether the time of the whole call is over, not only that of the attempt."""


class RetrySafety(enum.Enum):
    """When a failed request may be sent again."""

    IDEMPOTENT = "always"
    """Always: a second request has no further effect."""
    IF_NOT_SENT = "unsent"
    """Only when the server certainly did not process it: a second request could create a second object."""


@frozen(kw_only=True)
class Call(Generic[T_co]):
    """A request, and how its response is read."""

    operation: str
    template: str
    request: Request
    response_type: type[T_co]
    retry_safety: RetrySafety
    query: AttrsInstance | None = field(default=None, eq=False, repr=False)
    """The filter that `request.query` was encoded from: other pages of a list are requested with it."""
    unique_name: str | None = field(default=None, eq=False, repr=False)
    """The name in the body, for `OutcomeUnknownError.unique_name`."""
