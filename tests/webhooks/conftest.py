"""Fixtures for web apps: every server in turn, and a session that posts to it."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from tests.helpers.web_servers import RECEIVERS, ServeReceiver


@pytest.fixture(params=["aiohttp.web", "ASGI"])
def serve(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ServeReceiver:
    """Serves a webhook receiver. Requests reach the ASGI app in the same way in FastAPI and Starlette."""
    monkeypatch.setenv("TELNYX_API_KEY", "KEY0123")
    return RECEIVERS[request.param]


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    """A session that posts webhooks."""
    async with ClientSession() as session:
        yield session
