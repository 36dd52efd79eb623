"""For aiohttp.web."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final

from aiohttp import web

from telnyx_rooms_async.client import RoomsClient
from telnyx_rooms_async.router import EventRouter
from telnyx_rooms_async.web.receiving import BODY_LIMIT, GRACE, Receiver
from telnyx_rooms_async.webhooks import Webhooks

CLIENT: Final = web.AppKey("CLIENT", RoomsClient)
"""Where an app keeps its client: ``request.app[CLIENT]``."""


def aiohttp_handler(
    router: EventRouter, webhooks: Webhooks, *, background: bool = False
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Make a handler that receives webhooks, for ``app.router.add_post``.

    It answers 200 when the event is handled, 400 when it is not Telnyx's or not an event, 413 when the body
    is longer than 1 MiB, and 500 when handling it failed: Telnyx then delivers it again.

    Args:
        router: has the handlers.
        webhooks: has the key.
        background: whether to answer before the handlers run. The router must then be entered:
            ``app.cleanup_ctx.append(router_context(router))``. An event whose handler fails is lost.
    """
    receiver = Receiver(router, webhooks, background)

    async def receive(request: web.Request) -> web.Response:
        body = await _body(request)
        if body is None:
            return web.Response(status=413)
        return web.Response(status=await receiver.receive(body, request.headers))

    return receive


async def _body(request: web.Request) -> bytes | None:
    """Read the body, unless it is too long; the app's own limit may be another one."""
    if request.content.at_eof():  # it is empty, or a middleware has read it
        body = await request.read()
        return body if len(body) <= BODY_LIMIT else None
    read = bytearray()
    async for chunk in request.content.iter_any():
        read += chunk
        if len(read) > BODY_LIMIT:
            return None
    return bytes(read)


async def client_context(app: web.Application) -> AsyncGenerator[None]:
    """Have a client for as long as the app lasts: ``app.cleanup_ctx.append(client_context)``.

    It is ``app[CLIENT]``: one that is put there before, or else ``RoomsClient()``. At the end its calls in
    flight have 10 seconds; then it is closed.
    """
    if CLIENT not in app:
        app[CLIENT] = RoomsClient()
    try:
        yield
    finally:
        await app[CLIENT].close(grace=GRACE)


def router_context(router: EventRouter) -> Callable[[web.Application], AsyncGenerator[None]]:
    """Enter a router with an app: ``app.cleanup_ctx.append(router_context(router))``.

    Append it after what its handlers use, such as `client_context`: what came last ends first.
    """

    async def context(_: web.Application) -> AsyncGenerator[None]:
        async with router:
            yield

    return context
