"""Responses: JSON bodies, extra headers, and error envelopes with the codes of Telnyx."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import Final, TypeAlias
from uuid import uuid4

from aiohttp import web
from attrs import define

from telnyx_rooms_async.serialization import encode_json

ErrorEntry: TypeAlias = Mapping[str, object]
_ERROR_PAGES = "https://developers.telnyx.com/docs/overview/errors/"
_EXTRA_HEADERS: Final = web.RequestKey("extra_headers", dict[str, str])


def json_response(status: int, body: Mapping[str, object] | bytes | None) -> web.Response:
    """Return a response with a new request id. Bytes are sent as they are, also as JSON."""
    headers = {"x-request-id": str(uuid4())}
    if not body:
        return web.Response(status=status, headers=headers)
    raw = body if isinstance(body, bytes) else encode_json(body)
    return web.Response(status=status, headers=headers, body=raw, content_type="application/json")


def add_headers(request: web.Request, headers: Mapping[str, str]) -> None:
    """Set headers of the response to a request; they replace those of the same name."""
    request[_EXTRA_HEADERS] = {**request.get(_EXTRA_HEADERS, {}), **headers}


def header_signal(
    now: Callable[[], datetime],
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Return a handler for ``on_response_prepare`` that sets the date and the headers of `add_headers`.

    Args:
        now: returns the current time in UTC.
    """

    async def on_response_prepare(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = format_datetime(now(), usegmt=True)
        response.headers.update(request.get(_EXTRA_HEADERS, {}))

    return on_response_prepare


# --- errors -----------------------------------------------------------------------------------------------


@define(slots=False)
class ApiError(Exception):
    """An error response, raised by whatever handles a request."""

    status: int
    body: Mapping[str, object]

    def response(self) -> web.Response:
        """Return the response."""
        return json_response(self.status, self.body)


def error_entry(code: str, title: str, detail: str, **source: str) -> ErrorEntry:
    """Return one entry; its source is a ``pointer`` into the body or the name of a ``parameter``."""
    entry = {"code": code, "title": title, "detail": detail, "meta": {"url": _ERROR_PAGES + code}}
    return {**entry, "source": source} if source else entry


def unauthorized() -> ApiError:
    """Return a 401 for a missing or wrong API key."""
    return _error(401, "10009", "Authentication failed", "The API key is missing or not valid.")


def forbidden() -> ApiError:
    """Return a 403, which is documented as one entry without an envelope."""
    detail = "The refresh token is not valid, has expired, or is for another room."
    return ApiError(403, error_entry("10010", "Authorization failed", detail))


def not_found() -> ApiError:
    """Return a 404, which is documented as one entry without an envelope."""
    return ApiError(404, error_entry("10005", "Resource not found", "There is no resource at this URL."))


def not_json() -> ApiError:
    """Return a 400 for a body that is not a JSON object."""
    return _error(400, "10023", "Invalid JSON", "The body is not a JSON object.")


def unprocessable(entries: Sequence[ErrorEntry]) -> ApiError:
    """Return a 422 with one entry for each invalid value."""
    return ApiError(422, {"errors": list(entries)})


def unprocessable_request(detail: str) -> ApiError:
    """Return a 422 that is not about a single value."""
    return _error(422, "10027", "Unprocessable Entity", detail)


def too_many_requests() -> ApiError:
    """Return a 429 for a request above the rate limit."""
    return _error(429, "10011", "Too many requests", "The maximum number of requests is exceeded.")


def not_implemented(detail: str) -> ApiError:
    """Return a 501 for an operation that needs an extra which is not installed."""
    return _error(501, "10007", "Unexpected error", detail)


_TITLES: Final = {
    401: ("10009", "Authentication failed"),
    403: ("10010", "Authorization failed"),
    404: ("10005", "Resource not found"),
    408: ("10008", "Request timeout"),
    409: ("10036", "Resource is being processed"),
    422: ("10027", "Unprocessable Entity"),
    429: ("10011", "Too many requests"),
    503: ("10016", "Service unavailable"),
}


def injected_error(status: int) -> ApiError:
    """Return an error of any status, with the code and title that Telnyx has for it."""
    is_client_error = status < HTTPStatus.INTERNAL_SERVER_ERROR
    default = ("10015", "Bad request") if is_client_error else ("10007", "Unexpected error")
    code, title = _TITLES.get(status, default)
    return _error(status, code, title, "This error was injected by a Fault of the emulator.")


def _error(status: int, code: str, title: str, detail: str) -> ApiError:
    return ApiError(status, {"errors": [error_entry(code, title, detail)]})
