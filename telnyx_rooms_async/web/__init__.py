"""In a web app: receivers for webhooks, and clients that live as long as the app.

For aiohttp.web `aiohttp_handler` and `client_context`; for ASGI (FastAPI, Starlette, Litestar, Quart)
`asgi_app` and `client_lifespan`.
"""

from telnyx_rooms_async.integrations.aiohttp_web import (
    CLIENT,
    aiohttp_handler,
    client_context,
    router_context,
)
from telnyx_rooms_async.integrations.asgi import ASGIReceiver, asgi_app, client_lifespan
from telnyx_rooms_async.webhooks.receiver import BODY_LIMIT

__all__ = [
    "BODY_LIMIT",
    "CLIENT",
    "ASGIReceiver",
    "aiohttp_handler",
    "asgi_app",
    "client_context",
    "client_lifespan",
    "router_context",
]
