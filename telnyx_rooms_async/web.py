"""Former path of `telnyx_rooms_async.integrations.aiohttp_web` and `.asgi`."""

from telnyx_rooms_async.integrations.aiohttp_web import (
    CLIENT,
    aiohttp_handler,
    client_context,
    router_context,
)
from telnyx_rooms_async.integrations.asgi import WebhookApp, asgi_app, client_lifespan
from telnyx_rooms_async.webhooks.receiver import BODY_LIMIT

__all__ = [
    "BODY_LIMIT",
    "CLIENT",
    "WebhookApp",
    "aiohttp_handler",
    "asgi_app",
    "client_context",
    "client_lifespan",
    "router_context",
]
