"""An emulator whose time the test turns, asked by plain HTTP."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from telnyx_rooms_async.emulator import Emulator
from tests.helpers.plain import Plain
from tests.helpers.turning import TurnedClock


@pytest.fixture
def time() -> TurnedClock:
    """The time of the emulator: noon of 25 April 2021, until it is turned."""
    return TurnedClock()


@pytest.fixture
async def telnyx(time: TurnedClock) -> AsyncIterator[Emulator]:
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
def ask(http: ClientSession) -> Plain:
    """Ask, and read the whole answer."""
    return Plain(http)


@pytest.fixture
async def room_id(ask: Plain) -> str:
    """Make a room that records."""
    answer = await ask.post("rooms", {"enable_recording": True})
    made: str = answer.data["id"]
    return made
