"""aiohttp.web: a request handler for webhooks, and a client that lives as long as the app."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.http import HttpProcessingError

from telnyx_rooms_async.client import RoomsClient
from telnyx_rooms_async.webhooks.receiver import (
    BODY_TIMEOUT,
    SHUTDOWN_GRACE,
    Receiver,
    RejectedRequestError,
    response_headers,
)
from telnyx_rooms_async.webhooks.router import EventRouter
from telnyx_rooms_async.webhooks.signature import Webhooks

CLIENT: Final = web.AppKey("CLIENT", RoomsClient)
"""Key of the client in an app: ``request.app[CLIENT]``."""

_BODY_ERRORS: Final = (ConnectionError, web.RequestPayloadError, HttpProcessingError)
"""Raised while a body is read that is cut off, malformed or wrongly compressed."""
_LINGER_SECONDS: Final = 1.0
"""Time for a client to read the response to its too large body, before the connection is closed."""


def aiohttp_handler(
    router: EventRouter,
    webhooks: Webhooks,
    *,
    background: bool = False,
    body_timeout: float = BODY_TIMEOUT,
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return a request handler that receives webhooks, for ``app.router.add_post``.

    The statuses of its responses are listed in `telnyx_rooms_async.integrations`.

    aiohttp itself logs malformed requests, which anyone can send, as errors of the logger ``aiohttp.server``.

    Args:
        router: runs the handlers of events.
        webhooks: verifies the signatures.
        background: respond before the handlers run. The router must then be entered:
            ``app.cleanup_ctx.append(router_context(router))``. An event whose handler fails is lost.
        body_timeout: seconds for the body to arrive.

    Raises:
        ConfigurationError: the timeout is not positive.

    Example:
        >>> app = web.Application()
        >>> route = app.router.add_post("/telnyx", aiohttp_handler(EventRouter(), Webhooks()))
    """
    receiver = Receiver(router, webhooks, background, body_timeout)

    async def handle(request: web.Request) -> web.Response:
        status = await receiver.receive(request.method, request.headers, _chunks(request))
        response = web.Response(status=status, headers=response_headers(status))
        if status != HTTPStatus.METHOD_NOT_ALLOWED and not request.content.at_eof():
            await _send_and_close(request, response)
        return response

    return handle


async def _chunks(request: web.Request) -> AsyncGenerator[bytes]:
    """Yield the body. The `client_max_size` of the app does not apply."""
    try:
        if request.content.at_eof():  # the body is empty, or a middleware has read it
            yield await request.read()
        while not request.content.at_eof():
            yield await request.content.readany()
    except _BODY_ERRORS:
        raise RejectedRequestError(HTTPStatus.BAD_REQUEST) from None


async def _send_and_close(request: web.Request, response: web.Response) -> None:
    """Respond to a request whose body was not read, and close its connection.

    Otherwise aiohttp would continue to read the body for ten seconds, and log its errors.
    """
    response.force_close()
    with suppress(TimeoutError, *_BODY_ERRORS):
        await response.prepare(request)
        await response.write_eof()
        if response.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            async with asyncio.timeout(_LINGER_SECONDS):
                while not request.content.at_eof():
                    await request.content.readany()
    request.protocol.force_close()


async def client_context(app: web.Application) -> AsyncGenerator[None]:
    """Provide a client for the lifetime of an app: ``app.cleanup_ctx.append(client_context)``.

    The client is ``app[CLIENT]``: the one that was set before, or else a new ``RoomsClient()``. At shutdown,
    its calls have 10 seconds to complete before it is closed.

    Example:
        >>> app = web.Application()
        >>> app.cleanup_ctx.append(client_context)
    """
    if CLIENT not in app:
        app[CLIENT] = RoomsClient()
    try:
        yield
    finally:
        await app[CLIENT].close(grace=SHUTDOWN_GRACE)


def router_context(router: EventRouter) -> Callable[[web.Application], AsyncGenerator[None]]:
    """Enter a router for the lifetime of an app: ``app.cleanup_ctx.append(router_context(router))``.

    Append it after the contexts that its handlers need, such as `client_context`: the last one ends first.
    """

    async def context(_: web.Application) -> AsyncGenerator[None]:
        async with router:
            yield

    return context
