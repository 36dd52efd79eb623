"""For every framework that speaks ASGI, without knowing one."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from typing import Any, Final, TypeAlias, cast

from attrs import frozen

from telnyx_rooms_async.client import RoomsClient
from telnyx_rooms_async.webhooks.parsing import Webhooks
from telnyx_rooms_async.webhooks.receiver import BODY_LIMIT, BODY_TIMEOUT, GRACE, Receiver
from telnyx_rooms_async.webhooks.router import EventRouter

# As the frameworks declare them, so that strict type checkers let them meet.
Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_HEADERS: Final[Mapping[HTTPStatus, tuple[tuple[bytes, bytes], ...]]] = {
    HTTPStatus.METHOD_NOT_ALLOWED: ((b"allow", b"POST"),),
    # What still comes is not read.
    HTTPStatus.REQUEST_TIMEOUT: ((b"connection", b"close"),),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ((b"connection", b"close"),),
}


def asgi_app(
    router: EventRouter,
    webhooks: Webhooks,
    *,
    background: bool = False,
    body_timeout: float = BODY_TIMEOUT,
) -> "ASGIReceiver":
    """Make an ASGI app that receives webhooks, to mount in another.

    It answers 200 when the event is handled, 400 when it is not Telnyx's or not an event, 405 to what is no
    POST, 408 when the body takes too long, 413 when it is longer than 1 MiB, 415 when it is compressed, and
    500 when handling it failed: Telnyx then delivers it again. A mount in FastAPI or Starlette redirects
    ``/telnyx`` to ``/telnyx/``, and Telnyx follows no redirect: tell it the second one, or use a ``Route`` of
    Starlette.

    Args:
        router: has the handlers.
        webhooks: has the key.
        background: whether to answer before the handlers run. The router must then be entered: by the
            lifespan of the app that it is mounted in (`client_lifespan` can), by its own if it is served
            alone. An event whose handler fails is lost.
        body_timeout: seconds for the body to arrive.

    Raises:
        ConfigurationError: the timeout is not positive.
    """
    return ASGIReceiver(Receiver(router, webhooks, background, body_timeout))


@frozen(eq=False)
class ASGIReceiver:
    """What `asgi_app` makes. It is no function: so a ``Route`` of Starlette takes it as an app."""

    _receiver: Receiver

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan when it is served alone."""
        match scope["type"]:
            case "lifespan":
                await self._live(receive, send)
            case "http":
                await self._serve(scope, receive, send)
            case _:
                await send({"type": "websocket.close", "code": 1000})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Read twice, and some servers have an iterator.
        headers = tuple(cast("Iterable[tuple[bytes, bytes]]", scope["headers"]))
        status = self._receiver.refusal(scope["method"], headers)
        if status is not None:
            return await _answer(send, status)
        try:
            async with asyncio.timeout(self._receiver.body_timeout):
                body = await _body(receive)
        except TimeoutError:
            self._receiver.log_refusal(HTTPStatus.REQUEST_TIMEOUT)
            return await _answer(send, HTTPStatus.REQUEST_TIMEOUT)
        if body is None:
            return None
        if len(body) > BODY_LIMIT:
            self._receiver.log_refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return await _answer(send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        receiving = self._receiver.receive(body, headers)
        del body  # tools that report an error show the locals of its frames
        return await _answer(send, await receiving)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self._receiver.router:
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


async def _body(receive: Receive) -> bytes | None:
    """Read the body, or the beginning of one that is too long; ``None`` when the client hangs up."""
    read = bytearray()
    try:
        while len(read) <= BODY_LIMIT:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            read += message.get("body", b"")
            is_last = not message.get("more_body", False)
            del message
            if is_last:
                break
        return bytes(read)
    finally:
        read.clear()  # tools that report an error show the locals of its frames


async def _answer(send: Send, status: HTTPStatus) -> None:
    start = {"status": int(status), "headers": [(b"content-length", b"0"), *_HEADERS.get(status, ())]}
    await send({"type": "http.response.start", **start})
    await send({"type": "http.response.body", "body": b""})


def client_lifespan(
    client: RoomsClient | None = None, *routers: EventRouter, grace: float = GRACE
) -> Callable[[object], AbstractAsyncContextManager[dict[str, RoomsClient]]]:
    """Have a client for as long as the app lasts: ``FastAPI(lifespan=client_lifespan())``.

    In Starlette and FastAPI it is ``request.state.rooms``. At the end the routers finish what they handle
    in the background; then the client's calls in flight have their time, and it is closed.

    Args:
        client: ``RoomsClient()`` unless given.
        routers: are entered and left with the app.
        grace: seconds for the calls in flight.
    """

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncGenerator[dict[str, RoomsClient]]:
        rooms = RoomsClient() if client is None else client
        async with AsyncExitStack() as stack:
            stack.push_async_callback(rooms.close, grace=grace)
            for router in routers:
                await stack.enter_async_context(router)
            yield {"rooms": rooms}

    return lifespan
