"""Servers on free local ports: aiohttp and ASGI apps, webhook receivers."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from socketserver import ThreadingMixIn
from typing import Any, Literal, TypeAlias
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import uvicorn
from aiohttp import web
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Route

from telnyx_rooms_async.integrations.aiohttp_web import aiohttp_handler, router_context
from telnyx_rooms_async.integrations.asgi import asgi_app, client_lifespan
from telnyx_rooms_async.webhooks import EventRouter, Webhooks
from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY

ServeReceiver: TypeAlias = Callable[..., AbstractAsyncContextManager[str]]
"""Serves a webhook receiver for a router and yields its URL."""


@asynccontextmanager
async def run_aiohttp_app(app: web.Application, **options: Any) -> AsyncIterator[str]:
    """Serve an aiohttp.web app; yield its URL."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, **options)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def run_asgi_app(app: Any, lifespan: Literal["on", "off"] = "on") -> AsyncIterator[str]:
    """Serve an ASGI app with its lifespan; yield its URL."""
    config = uvicorn.Config(app, lifespan=lifespan, log_level="critical", ws="none")
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        await server.startup(sockets=[listener])  # `serve` would look every 0.1 s whether it is to end
        assert server.started, "uvicorn did not start"
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            await server.shutdown(sockets=[listener])


class ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *args: object) -> None: ...


@asynccontextmanager
async def run_wsgi_app(app: Any) -> AsyncIterator[str]:
    """Serve a WSGI app in threads; yield its URL."""
    with make_server("127.0.0.1", 0, app, ThreadingServer, QuietHandler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            await asyncio.to_thread(thread.join)


def aiohttp_receiver(router: EventRouter, public_key: str = PUBLIC_KEY, **options: Any) -> Any:
    """Serve a receiver with aiohttp.web."""
    app = web.Application()
    app.cleanup_ctx.append(router_context(router))
    app.router.add_post("/telnyx/", aiohttp_handler(router, Webhooks(public_key), **options))
    return run_aiohttp_app(app)


def _fastapi_receiver(router: EventRouter, public_key: str = PUBLIC_KEY, **options: Any) -> Any:
    app = FastAPI(lifespan=client_lifespan(router))
    app.mount("/telnyx", asgi_app(router, Webhooks(public_key), **options))
    return run_asgi_app(app)


def _starlette_receiver(router: EventRouter, public_key: str = PUBLIC_KEY, **options: Any) -> Any:
    receiver = asgi_app(router, Webhooks(public_key), **options)
    return run_asgi_app(Starlette(routes=[Route("/telnyx/", receiver)], lifespan=client_lifespan(router)))


def _asgi_receiver(router: EventRouter, public_key: str = PUBLIC_KEY, **options: Any) -> Any:
    return run_asgi_app(asgi_app(router, Webhooks(public_key), **options))


RECEIVERS: dict[str, ServeReceiver] = {
    "aiohttp.web": aiohttp_receiver,
    "FastAPI": _fastapi_receiver,
    "Starlette": _starlette_receiver,
    "ASGI": _asgi_receiver,
}
