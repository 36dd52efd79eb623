"""An emulator with a clock that the test moves, and a plain HTTP client of it."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock
from tests.helpers.http_client import HttpClient, open_session
from tests.helpers.webhook_listener import WebhookListener, listen_for_webhooks


@pytest.fixture
def clock() -> FakeClock:
    """Starts at noon of 25 April 2021 UTC."""
    return FakeClock()


@pytest.fixture
async def telnyx(clock: FakeClock) -> AsyncIterator[Emulator]:
    async with Emulator(clock=clock) as emulator:
        yield emulator


@pytest.fixture
async def http(telnyx: Emulator) -> AsyncIterator[ClientSession]:
    async with open_session(telnyx) as session:
        yield session


@pytest.fixture
async def keyless_http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture
def api(http: ClientSession) -> HttpClient:
    return HttpClient(http)


@pytest.fixture
async def room_id(api: HttpClient) -> str:
    """A room with recording."""
    room = (await api.post("rooms", {"enable_recording": True})).data
    return str(room["id"])


@pytest.fixture
async def link(api: HttpClient, telnyx: Emulator, room_id: str, clock: FakeClock) -> str:
    """Link to a video of ten seconds, 300 000 bytes."""
    alice = telnyx.join(room_id)
    clock.advance(seconds=10)
    telnyx.leave(alice.id)
    clock.advance(seconds=5)
    (recording,) = (await api.get("room_recordings", {"filter[type]": "video"})).data
    return str(recording["download_url"])


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookListener]:
    async with listen_for_webhooks() as listener:
        yield listener


@pytest.fixture
async def webhook_room(api: HttpClient, receiver: WebhookListener) -> str:
    """A room with recording whose webhooks go to the receiver."""
    settings = {"webhook_event_url": receiver.url + "/hook", "max_participants": 50, "enable_recording": True}
    return str((await api.post("rooms", settings)).data["id"])
