import pytest
from aiohttp.test_utils import TestClient, TestServer
from app import make_app, over

from telnyx_rooms_async import RoomsClient
from telnyx_rooms_async.emulator import Emulator, Faults


@pytest.mark.asyncio
async def test_count(rooms_client: RoomsClient, telnyx_faults: Faults) -> None:
    await rooms_client.rooms.create(unique_name="Weekly")
    telnyx_faults.respond(503, "ListRooms")
    async with TestClient(TestServer(make_app())) as browser:
        assert await (await browser.get("/rooms")).json() == 1


@pytest.mark.asyncio
async def test_a_webhook_arrives(rooms_client: RoomsClient, telnyx_emulator: Emulator) -> None:
    async with TestClient(TestServer(make_app())) as browser:
        hook = str(browser.make_url("/telnyx/"))
        room = await rooms_client.rooms.create(unique_name="Weekly", webhook_event_url=hook)
        alice = telnyx_emulator.join(room.id, context="Alice")
        telnyx_emulator.leave(alice.id)
        await telnyx_emulator.flush_webhooks()
        assert over == [alice.session_id]


@pytest.mark.asyncio
async def test_forgery(telnyx_emulator: Emulator) -> None:
    async with TestClient(TestServer(make_app())) as browser:
        assert (await browser.post("/telnyx/", data=b"{}")).status == 400
