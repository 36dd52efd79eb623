"""A server that records webhooks and answers with given statuses."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from attrs import define, field, frozen
from nacl.signing import VerifyKey

from tests.helpers.web_servers import run_aiohttp_app


@frozen
class ReceivedWebhook:
    """A webhook as it arrived."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        return self.json["data"]

    @property
    def event_type(self) -> str:
        """The event type without ``video.room.``."""
        event_type: str = self.data["event_type"]
        return event_type.removeprefix("video.room.")

    def verify(self, public_key: str) -> None:
        """Check the signature with libsodium, which the emulator does not use."""
        signed = self.headers["telnyx-timestamp"].encode() + b"|" + self.body
        signature = base64.b64decode(self.headers["telnyx-signature-ed25519"], validate=True)
        VerifyKey(base64.b64decode(public_key, validate=True)).verify(signed, signature)


@define
class WebhookListener:
    """Answers a webhook with the next status of its path: 200 when none is left; 0 never answers."""

    url: str
    received: list[ReceivedWebhook] = field(factory=list[ReceivedWebhook])
    statuses: dict[str, list[int]] = field(factory=dict[str, list[int]])

    @property
    def event_types(self) -> list[str]:
        """In order of arrival."""
        return [webhook.event_type for webhook in self.received]

    async def handle(self, request: web.Request) -> web.Response:
        self.received.append(ReceivedWebhook(request.path, dict(request.headers), await request.read()))
        statuses = self.statuses.get(request.path, [])
        status = statuses.pop(0) if statuses else 200
        if not status:
            await asyncio.Event().wait()
        return web.Response(status=status, text="thank you", headers={"Location": f"{self.url}/elsewhere"})


@asynccontextmanager
async def listen_for_webhooks() -> AsyncIterator[WebhookListener]:
    """Run a listener on a free port."""
    listener = WebhookListener("")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", listener.handle)
    async with run_aiohttp_app(app, handler_cancellation=True) as listener.url:
        yield listener
