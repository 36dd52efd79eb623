"""What the tests of the web apps may ask for: each server in turn, and somebody who posts to it."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from tests.helpers.web_servers import RECEIVERS, ServeReceiver


@pytest.fixture(params=list(RECEIVERS.values()), ids=list(RECEIVERS))
def serve(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ServeReceiver:
    """Each of the servers in turn."""
    monkeypatch.setenv("TELNYX_API_KEY", "KEY0123")
    server: ServeReceiver = request.param
    return server


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    """Somebody who posts."""
    async with ClientSession() as session:
        yield session
