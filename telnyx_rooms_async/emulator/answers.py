"""What is sent: views and bytes as HTTP answers, with what a fault or the rate adds to their headers."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Final
from uuid import uuid4

from aiohttp import web

from telnyx_rooms_async.core.codec import encode

_EXTRA: Final = web.RequestKey("extra", dict[str, str])


def answer(status: int, body: Mapping[str, object] | bytes | None) -> web.Response:
    """Make an answer; a body that stands in bytes already is called JSON too."""
    headers = {"x-request-id": str(uuid4())}
    if not body:
        return web.Response(status=status, headers=headers)
    raw = body if isinstance(body, bytes) else encode(body)
    return web.Response(status=status, headers=headers, body=raw, content_type="application/json")


def add_headers(request: web.Request, headers: Mapping[str, str]) -> None:
    """Have the answer to a request carry these, in the place of its own of the same name."""
    request[_EXTRA] = {**request.get(_EXTRA, {}), **headers}


def stamp(now: Callable[[], datetime]) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Return a signal handler that adds headers just before they leave: the date, and those of `add_headers`.

    `now` returns the time in UTC.
    """

    async def on_response_prepare(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = format_datetime(now(), usegmt=True)
        response.headers.update(request.get(_EXTRA, {}))

    return on_response_prepare
