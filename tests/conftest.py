"""What every room of the tests may ask for: an emulator, and a client that talks to it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import wraps
from unittest.mock import Mock

import pytest
from aiohttp import ClientResponse
from hypothesis import Phase, settings

from telnyx_rooms_async import RoomsClient
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.ticker import Ticker
from tests.helpers.wire import Wire

collect_ignore = ["docs/quickstart"]  # what is run as another suite, by docs/test_quickstart.py
# For mutmut: whether a test fails is all that it asks, so that none looks for the smallest example, and the
# same mutant always meets the same ones.
settings.register_profile(
    "mutate", derandomize=True, database=None, deadline=None, phases=(Phase.explicit, Phase.generate)
)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's own key, URL and proxies out of the tests."""
    for name in (
        "TELNYX_API_KEY",
        "TELNYX_BASE_URL",
        "TELNYX_ALLOW_INSECURE",
        "TELNYX_PUBLIC_KEY",
        "http_proxy",
        "https_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def aioresponses_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let aioresponses 0.7.9 make an aiohttp 3.14 response: it does not know the `stream_writer` yet."""
    make: Callable[..., None] = ClientResponse.__init__

    @wraps(make)
    def init(self: ClientResponse, *args: object, **options: object) -> None:
        make(self, *args, **{"stream_writer": Mock(output_size=0), **options})

    monkeypatch.setattr(ClientResponse, "__init__", init)


@pytest.fixture
async def telnyx() -> AsyncIterator[Emulator]:
    """A stateful Telnyx on a free port."""
    async with Emulator() as emulator:
        yield emulator


@pytest.fixture
async def client(telnyx: Emulator) -> AsyncIterator[RoomsClient]:
    """A client of that Telnyx."""
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url) as rooms_client:
        yield rooms_client


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
