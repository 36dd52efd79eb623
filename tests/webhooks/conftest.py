"""Fixtures for web apps: every server in turn, and a session that posts to it."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from tests.helpers.web_servers import RECEIVERS, ServeReceiver


@pytest.fixture(params=list(RECEIVERS.values()), ids=list(RECEIVERS))
def serve(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ServeReceiver:
    """Serves a webhook receiver; one of the supported frameworks."""
    monkeypatch.setenv("TELNYX_API_KEY", "KEY0123")
    server: ServeReceiver = request.param
    return server


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    """A session that posts webhooks."""
    async with ClientSession() as session:
        yield session
