"""A Telnyx and a client that share one clock, which a test turns and pauses turn too."""

from collections.abc import AsyncIterator

import pytest

from telnyx_rooms_async import Clock, RoomsClient
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

    async def sleep(seconds: float) -> None:
        time.advance(seconds=seconds)

    def now() -> float:
        return time.now.timestamp()

    clock = Clock(monotonic=now, now=now, sleep=sleep, random=lambda: 0.0)
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url, clock=clock) as rooms_client:
        yield rooms_client
