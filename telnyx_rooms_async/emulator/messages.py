"""HTTP messages: requests as they arrived, responses in JSON, and errors with the codes of Telnyx."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, Self, TypeAlias
from uuid import uuid4

from aiohttp import web
from attrs import define, field, frozen

from telnyx_rooms_async.serialization import encode_json, parse_json

JsonObject: TypeAlias = Mapping[str, object]


@frozen(kw_only=True)
class RecordedRequest:
    """A request as the emulator received it. The repr shows no secrets.

    Example:
        >>> room = await client.rooms.update(room_id, max_participants=25)
        >>> telnyx.requests[-1].method, telnyx.requests[-1].json
        ('PATCH', {'max_participants': 25})
    """

    method: str
    """``"GET"``, ``"POST"``, …"""
    path: str
    """Decoded, with the ``/v2`` of the base URL; ``/media/…`` for a file."""
    # Presigned links have secrets in the query, token refreshes in the body.
    query: tuple[tuple[str, str], ...] = field(repr=False)
    """Decoded names and values, in order."""
    headers: Mapping[str, str] = field(repr=False)
    """By lower-case name."""
    body: bytes = field(repr=False)
    """Body as it was received."""
    target: str = field(repr=False)
    """Path and query, encoded as in the request line."""

    @classmethod
    async def read(cls, request: web.Request) -> Self:
        """Read a request to its end, and return it."""
        return cls(
            method=request.method,
            path=request.path,
            query=tuple(request.query.items()),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
            target=request.raw_path,
        )

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON may be anything
        """The body as plain data.

        Raises:
            DecodeError: the body is not JSON.
        """
        return parse_json(self.body)


def json_response(status: int, body: JsonObject | bytes | None) -> web.Response:
    """Return a response with a new request id. Bytes are sent as they are, also as JSON."""
    headers = {"x-request-id": str(uuid4())}
    if not body:
        return web.Response(status=status, headers=headers)
    raw = body if isinstance(body, bytes) else encode_json(body)
    return web.Response(status=status, headers=headers, body=raw, content_type="application/json")


# --- errors -----------------------------------------------------------------------------------------------

_ERROR_PAGES: Final = "https://developers.telnyx.com/docs/overview/errors/"
_CODES: Final = {
    401: ("10009", "Authentication failed"),
    403: ("10010", "Authorization failed"),
    404: ("10005", "Resource not found"),
    408: ("10008", "Request timeout"),
    409: ("10036", "Resource is being processed"),
    422: ("10027", "Unprocessable Entity"),
    429: ("10011", "Too many requests"),
    503: ("10016", "Service Unavailable"),
}


@define(slots=False)
class ApiError(Exception):
    """An error response, raised by whatever handles a request."""

    status: int
    body: JsonObject

    @property
    def detail(self) -> str:
        """What is wrong, in one line."""
        entries: Any = self.body.get("errors", [self.body])
        return "; ".join(entry["detail"] for entry in entries)

    def response(self) -> web.Response:
        """Return the response."""
        return json_response(self.status, self.body)


def error_entry(code: str, title: str, detail: str, **source: str) -> JsonObject:
    """Return one entry; its source is a ``pointer`` into the body or the name of a ``parameter``."""
    entry = {"code": code, "title": title, "detail": detail, "meta": {"url": _ERROR_PAGES + code}}
    return {**entry, "source": source} if source else entry


def api_error(status: int, detail: str) -> ApiError:
    """Return an error that is not about a single value, with the code and title that Telnyx has for it."""
    is_client_error = status < HTTPStatus.INTERNAL_SERVER_ERROR
    default = ("10015", "Bad Request") if is_client_error else ("10007", "Unexpected error")
    return ApiError(status, {"errors": [error_entry(*_CODES.get(status, default), detail)]})


def unprocessable(entries: Iterable[JsonObject]) -> ApiError:
    """Return a 422 with one entry for each invalid value."""
    return ApiError(422, {"errors": list(entries)})


def forbidden() -> ApiError:
    """Return a 403, which is documented as one entry without an envelope."""
    detail = "The refresh token is not valid, has expired, or is for another room."
    return ApiError(403, error_entry(*_CODES[403], detail))


def not_found() -> ApiError:
    """Return a 404, which is documented as one entry without an envelope."""
    return ApiError(404, error_entry(*_CODES[404], "The requested resource or URL could not be found."))
