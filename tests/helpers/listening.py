"""A receiver of webhooks: a real server that keeps what comes, and answers what it is told."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from attrs import define, field, frozen
from nacl.signing import VerifyKey

from telnyx_rooms_async.core.codec import parse


@frozen
class Arrived:
    """A webhook as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The envelope."""
        return parse(self.body)

    @property
    def data(self) -> Any:
        """What is under ``data``."""
        return self.json["data"]

    @property
    def kind(self) -> str:
        """The event type without what all of them begin with."""
        kind: str = self.data["event_type"]
        return kind.removeprefix("video.room.")

    def verify(self, public_key: str) -> None:
        """Check the signature with an Ed25519 of other people than those who signed."""
        signed = self.headers["telnyx-timestamp"].encode() + b"|" + self.body
        signature = base64.b64decode(self.headers["telnyx-signature-ed25519"], validate=True)
        VerifyKey(base64.b64decode(public_key, validate=True)).verify(signed, signature)


@define
class Listener:
    """Answers each webhook with the next status of its path: 200 when none is left, and never to a 0."""

    url: str
    arrived: list[Arrived] = field(factory=list[Arrived])
    statuses: dict[str, list[int]] = field(factory=dict[str, list[int]])

    @property
    def kinds(self) -> list[str]:
        """What came, in its order."""
        return [each.kind for each in self.arrived]

    async def handle(self, request: web.Request) -> web.Response:
        """Serve one webhook."""
        self.arrived.append(Arrived(request.path, dict(request.headers), await request.read()))
        statuses = self.statuses.get(request.path, [])
        status = statuses.pop(0) if statuses else 200
        if not status:
            await asyncio.Event().wait()
        return web.Response(status=status, text="thank you", headers={"Location": f"{self.url}/elsewhere"})


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    """Listen on a free port of this machine."""
    listener = Listener("")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", listener.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield listener
    finally:
        await runner.cleanup()
