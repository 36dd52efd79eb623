"""ASGI (FastAPI, Starlette and others): an app for webhooks, and a lifespan with a client. No framework."""

from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from typing import Any, Final, TypeAlias

from attrs import frozen

from telnyx_rooms_async.client import RoomsClient
from telnyx_rooms_async.settings import check_not_negative
from telnyx_rooms_async.webhooks.receiver import BODY_TIMEOUT, SHUTDOWN_GRACE, Receiver, response_headers
from telnyx_rooms_async.webhooks.router import EventRouter
from telnyx_rooms_async.webhooks.signature import Webhooks

# Declared as in Starlette, so that strict type checkers accept the app there.
Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_UNREAD: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.UNSUPPORTED_MEDIA_TYPE})
"""Statuses of requests whose body is not read: the connection cannot be used again."""


def asgi_app(
    router: EventRouter,
    webhooks: Webhooks,
    *,
    background: bool = False,
    body_timeout: float = BODY_TIMEOUT,
) -> "WebhookApp":
    """Return an ASGI app that receives webhooks, to mount in another app.

    The statuses of its responses are listed in `telnyx_rooms_async.integrations`.

    Mounted at ``/telnyx`` in FastAPI or Starlette, its URL is ``/telnyx/``: without the slash, requests are
    redirected, and Telnyx does not follow redirects. A ``Route`` of Starlette has no such redirect.

    Args:
        router: runs the handlers of events.
        webhooks: verifies the signatures.
        background: respond before the handlers run. The router must then be entered, by the lifespan of the
            surrounding app (see `client_lifespan`); an app that is served directly enters it itself. An event
            whose handler fails is lost.
        body_timeout: seconds for the body to arrive.

    Raises:
        ConfigurationError: the timeout is not positive.

    Example:
        >>> from fastapi import FastAPI
        >>> app = FastAPI()
        >>> app.mount("/telnyx", asgi_app(EventRouter(), Webhooks()))
    """
    return WebhookApp(Receiver(router, webhooks, background, body_timeout))


@frozen(eq=False)
class WebhookApp:
    """The ASGI app of `asgi_app`. Not a function, since a ``Route`` of Starlette would call one otherwise."""

    _receiver: Receiver

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan of the app when it is served directly."""
        match scope["type"]:
            case "lifespan":
                await receive()
                async with self._receiver.router:
                    await send({"type": "lifespan.startup.complete"})
                    await receive()
                await send({"type": "lifespan.shutdown.complete"})
            case "http":
                try:
                    status = await self._receiver.receive(scope["method"], scope["headers"], _chunks(receive))
                except _DisconnectedError:
                    return
                headers = {"Content-Length": "0", **response_headers(status)}
                if status in _UNREAD:
                    headers["Connection"] = "close"
                encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
                await send({"type": "http.response.start", "status": int(status), "headers": encoded})
                await send({"type": "http.response.body", "body": b""})
            case _:
                await send({"type": "websocket.close", "code": 1000})


class _DisconnectedError(Exception):
    """The client has gone: no response is sent."""


async def _chunks(receive: Receive) -> AsyncGenerator[bytes]:
    has_more = True
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _DisconnectedError
        has_more = message.get("more_body", False)
        yield message.get("body", b"")
        del message  # error reports show the locals of this frame


def client_lifespan(
    *routers: EventRouter, client: RoomsClient | None = None, grace: float = SHUTDOWN_GRACE
) -> Callable[[object], AbstractAsyncContextManager[dict[str, RoomsClient]]]:
    """Return a lifespan with a client: ``FastAPI(lifespan=client_lifespan())``.

    In Starlette and FastAPI the client is ``request.state.telnyx``. At shutdown the routers first complete
    their background tasks; then the calls of the client have `grace` seconds before it is closed.

    An app with a lifespan of its own enters this one in it, and yields its state too::

        @asynccontextmanager
        async def lifespan(app):
            async with client_lifespan()(app) as state, open_database() as database:
                yield {**state, "database": database}

    Args:
        routers: routers to enter with the app.
        client: the client; default: a new ``RoomsClient()``.
        grace: seconds for the calls of the client to complete at shutdown.

    Raises:
        ConfigurationError: the grace is not a number from 0.

    Example:
        >>> from fastapi import FastAPI
        >>> app = FastAPI(lifespan=client_lifespan())
    """
    check_not_negative(grace=grace)

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncGenerator[dict[str, RoomsClient]]:
        telnyx = RoomsClient() if client is None else client
        async with AsyncExitStack() as stack:
            stack.push_async_callback(telnyx.close, grace=grace)
            for router in routers:
                await stack.enter_async_context(router)
            yield {"telnyx": telnyx}

    return lifespan
