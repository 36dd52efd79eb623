"""What the tests of the web apps may ask for: each server in turn, and somebody who posts to it."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from tests.helpers.embedded import SERVERS, Serve


@pytest.fixture(params=list(SERVERS.values()), ids=list(SERVERS))
def serve(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Each of the servers in turn."""
    monkeypatch.setenv("TELNYX_API_KEY", "KEY0123")
    server: Serve = request.param
    return server


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    """Somebody who posts."""
    async with ClientSession() as session:
        yield session
