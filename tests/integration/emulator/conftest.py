"""An emulator whose time the test turns, asked by plain HTTP."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock
from tests.helpers.http_client import HttpClient


@pytest.fixture
def time() -> FakeClock:
    """The time of the emulator: noon of 25 April 2021, until it is turned."""
    return FakeClock()


@pytest.fixture
async def telnyx(time: FakeClock) -> AsyncIterator[Emulator]:
    """A stateful Telnyx whose time the test turns."""
    async with Emulator(clock=time) as emulator:
        yield emulator


@pytest.fixture
async def http(telnyx: Emulator) -> AsyncIterator[ClientSession]:
    """Plain aiohttp with the right key."""
    headers = {"Authorization": f"Bearer {telnyx.api_key}"}
    async with ClientSession(telnyx.url + "/", headers=headers) as session:
        yield session


@pytest.fixture
def api(http: ClientSession) -> HttpClient:
    """Ask, and read the whole answer."""
    return HttpClient(http)


@pytest.fixture
async def room_id(api: HttpClient) -> str:
    """Make a room that records."""
    answer = await api.post("rooms", {"enable_recording": True})
    made: str = answer.data["id"]
    return made
