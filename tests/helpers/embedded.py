"""The same receiver of webhooks in each framework, behind a real server."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias

from aiohttp import web
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Route

from telnyx_rooms_async import EventRouter, Webhooks
from telnyx_rooms_async.integrations.aiohttp_web import aiohttp_handler, router_context
from telnyx_rooms_async.integrations.asgi import asgi_app, client_lifespan
from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY
from tests.helpers.serving import served_by_aiohttp, served_by_uvicorn

Serve: TypeAlias = Callable[..., AbstractAsyncContextManager[str]]
"""Serves a receiver for a router, and tells its URL."""


def by_aiohttp(router: EventRouter, public_key: str = PUBLIC_KEY, **options: Any) -> Any:
    """Serve with aiohttp.web."""
    app = web.Application()
    app.cleanup_ctx.append(router_context(router))
    app.router.add_post("/telnyx/", aiohttp_handler(router, Webhooks(public_key), **options))
    return served_by_aiohttp(app)


def by_fastapi(router: EventRouter, public_key: str = PUBLIC_KEY, **options: Any) -> Any:
    """Serve mounted in FastAPI."""
    app = FastAPI(lifespan=client_lifespan(None, router))
    app.mount("/telnyx", asgi_app(router, Webhooks(public_key), **options))
    return served_by_uvicorn(app)


def by_starlette(router: EventRouter, public_key: str = PUBLIC_KEY, **options: Any) -> Any:
    """Serve as a route of Starlette."""
    receiver = asgi_app(router, Webhooks(public_key), **options)
    return served_by_uvicorn(
        Starlette(routes=[Route("/telnyx/", receiver)], lifespan=client_lifespan(None, router))
    )


def alone(router: EventRouter, public_key: str = PUBLIC_KEY, **options: Any) -> Any:
    """Serve without a framework."""
    return served_by_uvicorn(asgi_app(router, Webhooks(public_key), **options))


SERVERS: dict[str, Serve] = {
    "aiohttp.web": by_aiohttp,
    "FastAPI": by_fastapi,
    "Starlette": by_starlette,
    "ASGI": alone,
}
