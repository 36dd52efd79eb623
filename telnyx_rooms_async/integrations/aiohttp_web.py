"""For aiohttp.web."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.http import HttpProcessingError

from telnyx_rooms_async.client import RoomsClient
from telnyx_rooms_async.webhooks.parsing import Webhooks
from telnyx_rooms_async.webhooks.receiver import BODY_LIMIT, BODY_TIMEOUT, GRACE, Receiver
from telnyx_rooms_async.webhooks.router import EventRouter

CLIENT: Final = web.AppKey("CLIENT", RoomsClient)
"""Where an app keeps its client: ``request.app[CLIENT]``."""


def aiohttp_handler(
    router: EventRouter,
    webhooks: Webhooks,
    *,
    background: bool = False,
    body_timeout: float = BODY_TIMEOUT,
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Make a handler that receives webhooks, for ``app.router.add_post``.

    It answers 200 when the event is handled, 400 when it is not Telnyx's or not an event, 408 when the body
    takes too long, 413 when it is longer than 1 MiB, 415 when it is compressed, and 500 when handling it
    failed: Telnyx then delivers it again.

    aiohttp logs requests that it cannot parse, which anybody can send, as errors of the server. From the
    first handler on its logger ``aiohttp.server`` has a filter that lowers these records to ``INFO``.

    Args:
        router: has the handlers.
        webhooks: has the key.
        background: whether to answer before the handlers run. The router must then be entered:
            ``app.cleanup_ctx.append(router_context(router))``. An event whose handler fails is lost.
        body_timeout: seconds for the body to arrive.

    Raises:
        ConfigurationError: the timeout is not positive.
    """
    receiver = Receiver(router, webhooks, background, body_timeout)
    logging.getLogger("aiohttp.server").addFilter(_CLIENT_FAULTS)

    async def receive(request: web.Request) -> web.Response:
        body = await _read(receiver, request)
        if isinstance(body, HTTPStatus):
            return await _refuse(request, body)
        receiving = receiver.receive(body, request.headers)
        del body  # tools that report an error show the locals of its frames
        return web.Response(status=await receiving)

    return receive


class _ClientFaults(logging.Filter):
    """Lowers to INFO what aiohttp logs about a request that is not HTTP, or whose body cannot be unpacked."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is still to be logged."""
        error = record.exc_info and record.exc_info[1]
        if not isinstance(error, HttpProcessingError | web.RequestPayloadError):
            return True
        record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
        return logging.getLogger(record.name).isEnabledFor(record.levelno)


_CLIENT_FAULTS: Final = _ClientFaults()
_BROKEN: Final = (ConnectionError, web.RequestPayloadError, HttpProcessingError)
"""What a body raises that is cut off, or cannot be parsed or unpacked."""
_LINGER: Final = 1.0
"""Seconds for whoever sends too long a body to read why it is refused, before the connection is closed."""


async def _read(receiver: Receiver, request: web.Request) -> bytes | HTTPStatus:
    """Read the body; return the status instead of one that is not to be read, or cannot be."""
    status = receiver.refusal(request.method, request.headers.items())
    if status is not None:
        return status
    try:
        async with asyncio.timeout(receiver.body_timeout):
            body = await _body(request)
    except TimeoutError:
        body = HTTPStatus.REQUEST_TIMEOUT
    except _BROKEN:
        body = HTTPStatus.BAD_REQUEST
    if isinstance(body, HTTPStatus):
        receiver.log_refusal(body)
    return body


async def _body(request: web.Request) -> bytes | HTTPStatus:
    """Read the body, unless it is too long; the app's own limit may be another one."""
    read = bytearray()
    try:
        if request.content.at_eof():  # it is empty, or a middleware has read it
            read += await request.read()
        while len(read) <= BODY_LIMIT:
            if request.content.at_eof():
                return bytes(read)
            read += await request.content.readany()
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    finally:
        read.clear()  # tools that report an error show the locals of its frames


async def _refuse(request: web.Request, status: HTTPStatus) -> web.Response:
    """Answer a request whose body was not read, and close its connection.

    Otherwise aiohttp would go on for ten seconds to read what is slow, broken or endless, and log its faults.
    """
    response = web.Response(status=status)
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = "POST"
        return response
    response.force_close()
    with suppress(TimeoutError, *_BROKEN):
        await response.prepare(request)
        await response.write_eof()
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            async with asyncio.timeout(_LINGER):
                while not request.content.at_eof():
                    await request.content.readany()
    request.protocol.force_close()
    return response


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
