"""What the tests of the shell may ask for: a scripted server, and a clock of their own."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.helpers.ticker import Ticker
from tests.helpers.wire import Wire


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """A scripted server on a free port."""
    it = Wire([Wire.http(204)])
    server = await asyncio.start_server(it.serve, "127.0.0.1", 0)
    it.port = server.sockets[0].getsockname()[1]
    yield it
    server.close()


@pytest.fixture
def ticker() -> Ticker:
    """A clock of the test's own."""
    return Ticker()
