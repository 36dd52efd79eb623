"""An emulator and a client that share one clock, which the test and every pause move."""

from collections.abc import AsyncIterator

import pytest

from telnyx_rooms_async import RoomsClient
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock


@pytest.fixture
def time() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def telnyx(time: FakeClock) -> AsyncIterator[Emulator]:
    async with Emulator(clock=time) as emulator:
        yield emulator


@pytest.fixture
async def client(telnyx: Emulator, time: FakeClock) -> AsyncIterator[RoomsClient]:
    time.random = lambda: 0.0
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url, clock=time.clock) as rooms_client:
        yield rooms_client
