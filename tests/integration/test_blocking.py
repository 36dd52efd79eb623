"""Nothing blocks the event loop: blockbuster raises when a blocking function is called in it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx

from telnyx_rooms_async import NotFoundError, RoomFields, RoomsClient
from telnyx_rooms_async.batch import Journal
from telnyx_rooms_async.emulator import Emulator
from telnyx_rooms_async.webhooks import EventRouter, RoomSessionEnded, Webhooks
from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY, sign


@pytest.fixture
def _no_blocking(telnyx: Emulator) -> Iterator[None]:
    with blockbuster_ctx("telnyx_rooms_async"):
        yield


@pytest.mark.usefixtures("_no_blocking")
async def test_calls_lists_and_errors_do_not_block(telnyx: Emulator, client: RoomsClient) -> None:
    telnyx.seed(3)
    rooms = [room async for room in client.rooms.list(page_size=1)]
    assert await client.rooms.retrieve(rooms[0].id) == rooms[0]
    assert (await client.rooms.ensure("Weekly")).action == "created"
    with pytest.raises(NotFoundError):
        await client.rooms.retrieve("nowhere")


@pytest.mark.usefixtures("_no_blocking")
async def test_bulk_operation_with_a_journal_does_not_block(client: RoomsClient, tmp_path: Path) -> None:
    rooms: list[RoomFields] = [{"unique_name": f"Room {number}"} for number in range(5)]
    journal = Journal(tmp_path / "journal")
    outcomes = [outcome async for outcome in client.rooms.create_many(rooms, journal=journal)]
    assert all(outcome.ok for outcome in outcomes)


@pytest.mark.usefixtures("_no_blocking")
async def test_reports_do_not_block(telnyx: Emulator, client: RoomsClient, tmp_path: Path) -> None:
    telnyx.join((await client.rooms.create()).id, context="Alice")
    today = datetime.now(UTC).date()
    for journal in (None, tmp_path / "journal"):
        usage = await client.reports.usage(created_at=today, journal=journal)
        assert usage.total.people == 1


async def test_download_to_a_path_does_not_block(tmp_path: Path) -> None:
    now = datetime(2021, 4, 25, tzinfo=UTC)
    async with (
        Emulator(clock=lambda: now) as telnyx,
        RoomsClient(telnyx.api_key, base_url=telnyx.url) as client,
    ):
        room = await client.rooms.create(enable_recording=True)
        participant = telnyx.join(room.id)
        now += timedelta(minutes=1)
        telnyx.leave(participant.id)
        now += timedelta(minutes=1)
        with blockbuster_ctx("telnyx_rooms_async"):
            recordings = [recording async for recording in client.recordings.list()]
            await client.recordings.download(recordings[0].id, tmp_path / "file.webm")
    assert (tmp_path / "file.webm").stat().st_size > 0


@pytest.mark.usefixtures("_no_blocking")
async def test_webhooks_do_not_block() -> None:
    router, handled = EventRouter(), list[str]()

    @router.on(RoomSessionEnded)
    async def ended(event: RoomSessionEnded) -> None:
        handled.append(event.id)

    body, headers = sign(RoomSessionEnded(id="an-event"))
    await router.dispatch(Webhooks(PUBLIC_KEY).unwrap(body, headers))
    assert handled == ["an-event"]
