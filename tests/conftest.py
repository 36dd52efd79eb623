"""Fixtures of all tests: an emulator, a client of it, a scripted server and a clock."""

import gc
import logging
import os
from collections.abc import AsyncIterator, Callable, Generator
from functools import wraps
from unittest.mock import Mock

import pytest
from aiohttp import ClientResponse
from hypothesis import HealthCheck, Phase, settings

from telnyx_rooms_async import RoomsClient
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock
from tests.helpers.raw_server import running
from tests.helpers.scripted_server import ScriptedServer

collect_ignore = ["docs/quickstart"]  # run as a suite of its own by docs/test_quickstart.py
# A busy machine is no failure.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")
settings.register_profile("quick", max_examples=25)
# mutmut only needs to know whether a test fails: examples are not shrunk, and always the same.
settings.register_profile("mutate", derandomize=True, database=None, phases=(Phase.explicit, Phase.generate))


def _is_no_slow_callback(record: logging.LogRecord) -> bool:
    return record.msg != "Executing %s took %.3f seconds"


# In development mode asyncio reports slow callbacks, which a busy machine has, also on stderr of programs.
logging.getLogger("asyncio").addFilter(_is_no_slow_callback)


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Start one worker more than there are processors: a suite often waits for processes and sockets."""
    workers = yield
    return workers if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else workers + 1


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Import the tests without garbage collection, which would take nearly half of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the developer's own key, URL and proxies, and settings of Python from programs."""
    for name in (
        "PYTHONDEVMODE",
        "PYTHONDONTWRITEBYTECODE",  # else every program compiles the package again
        "TELNYX_API_KEY",
        "TELNYX_BASE_URL",
        "TELNYX_ALLOW_INSECURE",
        "TELNYX_PUBLIC_KEY",
        "TELNYX_CA_FILE",
        "TELNYX_CLIENT_CERT",
        "TELNYX_PROXY",
        *("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"),
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def patched_aioresponses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pass the `stream_writer` that aiohttp 3.14 requires and aioresponses 0.7.9 does not know."""
    make: Callable[..., None] = ClientResponse.__init__

    @wraps(make)
    def init(self: ClientResponse, *args: object, **options: object) -> None:
        make(self, *args, **{"stream_writer": Mock(output_size=0), **options})

    monkeypatch.setattr(ClientResponse, "__init__", init)


@pytest.fixture
async def telnyx() -> AsyncIterator[Emulator]:
    """An emulator on a free port."""
    async with Emulator() as emulator:
        yield emulator


@pytest.fixture
async def client(telnyx: Emulator) -> AsyncIterator[RoomsClient]:
    """A client of the emulator."""
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url) as rooms_client:
        yield rooms_client


@pytest.fixture
async def scripted_server() -> AsyncIterator[ScriptedServer]:
    """A scripted server on a free port."""
    async with running(ScriptedServer(script=[ScriptedServer.http(204)])) as server:
        yield server


@pytest.fixture
def fake_clock() -> FakeClock:
    """A clock that only the test moves."""
    return FakeClock(1000.0)
