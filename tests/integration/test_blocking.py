"""Nothing blocks the event loop: neither at the first request nor later."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx

from telnyx_rooms_async import EventRouter, Journal, NotFoundError, RoomsClient, RoomSessionEnded, Webhooks
from telnyx_rooms_async.emulator import Emulator
from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY, signed


async def test_calls_lists_and_errors_do_not_block(telnyx: Emulator) -> None:
    """Imports, metadata and certificates are read before the first request, not during it."""
    telnyx.seed(3)
    with blockbuster_ctx("telnyx_rooms_async"):
        async with RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
            rooms = [room async for room in client.rooms.list(page_size=1)]
            assert await client.rooms.retrieve(rooms[0].id) == rooms[0]
            assert (await client.rooms.ensure("Weekly")).action == "created"
            with pytest.raises(NotFoundError):
                await client.rooms.retrieve("nowhere")


async def test_jobs_with_a_journal_do_not_block(telnyx: Emulator, tmp_path: Path) -> None:
    """A journal is written in a thread."""
    bodies = [{"unique_name": f"Room {number}"} for number in range(5)]
    with blockbuster_ctx("telnyx_rooms_async"):
        async with RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
            journal = Journal(tmp_path / "journal")
            outcomes = [outcome async for outcome in client.rooms.create_many(bodies, journal=journal)]  # type: ignore[arg-type]  # plain dicts
    assert all(outcome.ok for outcome in outcomes)


async def test_downloads_to_a_path_do_not_block(tmp_path: Path) -> None:
    """A file is opened, written and renamed in a thread."""
    now = [datetime(2021, 4, 25, tzinfo=UTC)]
    async with (
        Emulator(clock=lambda: now[0]) as telnyx,
        RoomsClient(telnyx.api_key, base_url=telnyx.url) as client,
    ):
        room = await client.rooms.create(enable_recording=True)
        person = telnyx.join(room.id)
        now[0] += timedelta(minutes=1)
        telnyx.leave(person.id)
        now[0] += timedelta(minutes=1)
        with blockbuster_ctx("telnyx_rooms_async"):
            recordings = [recording async for recording in client.recordings.list()]
            await client.recordings.download(recordings[0].id, tmp_path / "file.webm")
    assert (tmp_path / "file.webm").stat().st_size > 0


async def test_webhooks_do_not_block() -> None:
    """Verifying and dispatching an event compute only."""
    router, handled = EventRouter(), []

    @router.on(RoomSessionEnded)
    async def ended(event: RoomSessionEnded) -> None:
        handled.append(event.id)

    body, headers = signed(RoomSessionEnded(id="an-event"))
    webhooks = Webhooks(PUBLIC_KEY)
    with blockbuster_ctx("telnyx_rooms_async"):
        await router.dispatch(webhooks.unwrap(body, headers))
    assert handled == ["an-event"]
