"""HTTP messages as values: requests, responses and failures, and the calls that they belong to."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar, cast
from urllib.parse import quote, urlencode

from attrs import AttrsInstance, evolve, field, frozen

from telnyx_rooms_async.core.endpoints import Endpoint
from telnyx_rooms_async.core.validators import exact_text
from telnyx_rooms_async.errors import APIResponseValidationError, ConfigurationError, FailureKind, one_line
from telnyx_rooms_async.models import Value
from telnyx_rooms_async.serialization import DecodeError, parse_json

RawHeaders: TypeAlias = tuple[tuple[bytes, bytes], ...]
"""Names and values in the order of the response."""
T_co = TypeVar("T_co", covariant=True)

_HEADER_NAME: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_HEADER_VALUE: Final = r"[!-~](?:[\t -~]*[!-~])?"
_CLIENT_HEADERS: Final = frozenset(
    {
        *("authorization", "proxy-authorization", "host", "accept-encoding", "connection", "expect"),
        *("content-encoding", "content-length", "content-type", "te", "trailer", "transfer-encoding"),
        *("upgrade", "keep-alive"),
    }
)
"""Headers that the client sets: another value would break the request, or send it as another user."""
_SHORTEST_SECRET: Final = 8
"""Characters. A shorter header value, such as "1", occurs in any text, and is not removed from errors."""


_MAX_REQUEST_ID: Final = 100
_REQUEST_ID_HEADERS: Final = frozenset(
    {b"x-request-id", b"request-id", b"telnyx-request-id", b"x-telnyx-request-id"}
)
"""Telnyx documents none of them; all were seen in programs that use its API."""


def _size(body: bytes | None) -> str:
    """Return the length of a body as its repr: the body may hold a token."""
    return "None" if body is None else f"<{len(body)} bytes>"


def checked_headers(headers: object) -> dict[str, str]:
    """Return headers by name, without the values of those that are given twice in different case.

    Raises:
        ConfigurationError: they are no mapping of text to text that can be sent, or the client itself sets
            one of them. No value is shown.
    """
    checked: dict[str, tuple[str, str]] = {}
    try:
        pairs = [
            (exact_text(name), exact_text(value))
            for name, value in cast("Mapping[object, object]", headers).items()
        ]
    except Exception:  # noqa: BLE001 - a user's mapping can raise anything, and other objects have no items
        raise ConfigurationError("headers must be a mapping of names to values") from None
    for name, value in pairs:
        if not (isinstance(name, str) and re.fullmatch(_HEADER_NAME, name)):
            raise ConfigurationError("a header name must be text such as 'X-Team'")
        if name.lower() in _CLIENT_HEADERS:
            raise ConfigurationError(f"the header {name} is set by the client, and cannot be another one")
        if not (isinstance(value, str) and re.fullmatch(_HEADER_VALUE, value)):
            raise ConfigurationError(f"the value of the header {name} must be text of ASCII characters")
        checked[name.lower()] = name, value
    return dict(checked.values())


def merged_headers(headers: Mapping[str, str], added: Mapping[str, str]) -> dict[str, str]:
    """Return headers with added ones, which replace those of the same name in any case."""
    names = {name.lower() for name in added}
    return {name: value for name, value in headers.items() if name.lower() not in names} | dict(added)


@frozen(eq=False, repr=False)
class Request(Value):
    """One HTTP request, relative to the base URL and without the key.

    Example:
        >>> Request(method="GET", path="/rooms", query=(("page[size]", "1"),)).target
        '/rooms?page%5Bsize%5D=1'
    """

    method: str
    """``"GET"``, ``"POST"``, …"""
    path: str = field(repr=False)
    """Percent-encoded and absolute: ``/rooms/0ccc7b54``. It may hold a token that was passed as an id."""
    query: tuple[tuple[str, str], ...] = ()
    """Names and values, not yet encoded."""
    body: bytes | None = field(default=None, repr=_size)
    """JSON, or None for no body."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Parts of it that are removed from an error response that repeats them."""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Further headers: the transport adds those of authorization, content and connection."""

    def with_headers(self, headers: Mapping[str, str]) -> "Request":
        """Return the request with further headers, which replace those of the same name in any case.

        Raises:
            ConfigurationError: a header cannot be sent, or is one that the client itself sets.

        Example:
            >>> request = Request(method="GET", path="/rooms").with_headers({"X-Correlation-Id": "7f3a"})
            >>> request.headers
            (('X-Correlation-Id', '7f3a'),)
        """
        added = checked_headers(headers)
        merged = merged_headers(dict(self.headers), added)
        secrets = (value for value in added.values() if len(value) >= _SHORTEST_SECRET)
        return evolve(self, headers=tuple(merged.items()), secrets=(*self.secrets, *secrets))

    @property
    def query_string(self) -> str:
        """The encoded query, without the question mark."""
        return urlencode(self.query, quote_via=quote) if self.query else ""

    @property
    def target(self) -> str:
        """The path and the encoded query, as in the request line."""
        return f"{self.path}?{self.query_string}" if self.query else self.path


@frozen(eq=False, repr=False)
class Headers(Mapping[str, str], Value):
    """Headers of a response. Names are found in any case; of a repeated header, the first value counts.

    Example:
        >>> headers = Headers(((b"Retry-After", b"3"),))
        >>> headers["retry-after"], headers.get("X-Request-Id"), dict(headers)
        ('3', None, {'retry-after': '3'})
    """

    raw: RawHeaders = field(default=(), repr=False)
    """Names and values in the order of the response."""

    def __getitem__(self, name: str) -> str:
        lower_name = name.lower().encode()
        for header_name, value in self.raw:
            if header_name.lower() == lower_name:
                return value.decode("latin-1")
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter({name.decode("latin-1").lower(): None for name, _ in self.raw})

    def __len__(self) -> int:
        return len(set(self))


@frozen(eq=False, repr=False)
class Response(Value):
    """A complete HTTP response of any status.

    Example:
        >>> response = await client.request("GET", "/rooms", query={"page[size]": 1})
        >>> response.status, response.json()["meta"]["total_results"]
        (200, 2)
    """

    status: int
    """Status code."""
    raw_headers: RawHeaders = field(default=(), repr=False)
    """Names and values in the order of the response."""
    body: bytes = field(default=b"", repr=_size)
    """Body, decompressed."""

    @property
    def headers(self) -> Headers:
        """All headers."""
        return Headers(self.raw_headers)

    @property
    def request_id(self) -> str | None:
        """Telnyx's id of the request, under any of the header names that Telnyx may use."""
        values = (value for name, value in self.raw_headers if name.lower() in _REQUEST_ID_HEADERS)
        return next((one_line(value.decode("latin-1"), _MAX_REQUEST_ID) for value in values), None)

    def json(self) -> Any:  # noqa: ANN401 - JSON can be any value
        """Return the body as dicts, lists, strings, numbers, booleans and None.

        Raises:
            APIResponseValidationError: the body is empty or not JSON.
        """
        try:
            return parse_json(self.body)
        except DecodeError as error:
            problems = error.args
        raise APIResponseValidationError(problems[0], self.status, self.request_id, problems=problems)


@frozen(eq=False, repr=False)
class Failure(Value):
    """The outcome of a request without a usable response."""

    reason: FailureKind
    sent: bool
    """Whether the server may have received the request; ``False`` is certain."""
    detail: str = ""
    """One line of text."""
    deadline: bool = False
    """Whether the time of the whole call is over, not only that of the attempt."""


class Call(NamedTuple, Generic[T_co]):
    """A request, and the operation that it belongs to."""

    endpoint: Endpoint[T_co]
    request: Request
    query: AttrsInstance | None = None
    """The filter that `request.query` was encoded from: other pages of a list are requested with it."""

    @property
    def unique_name(self) -> str | None:
        """The name of a room in the body, for `OutcomeUnknownError.unique_name`."""
        fields = parse_json(self.request.body) if self.request.body else None
        name = cast("dict[str, object]", fields).get("unique_name") if isinstance(fields, dict) else None
        return name if isinstance(name, str) else None
