"""Recording with vcrpy: a cassette is plain YAML, and is replayed without a server."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import vcr

from telnyx_rooms_async import RoomsClient
from telnyx_rooms_async.emulator import Emulator


async def make_requests(client: RoomsClient) -> tuple[int, bytes]:
    """Make requests with and without a body, list several pages, and download a file."""
    room = await client.rooms.create(unique_name="Weekly")
    await client.rooms.delete(room.id)
    rooms = [room async for room in client.rooms.list(page_size=2)]
    recordings = [recording async for recording in client.recordings.list()]
    file = io.BytesIO()
    await client.recordings.download(recordings[0].id, file)
    return len(rooms), file.getvalue()


async def test_cassette_is_saved_and_replayed(tmp_path: Path) -> None:
    path = tmp_path / "cassette.yaml"
    now = datetime(2021, 4, 25, tzinfo=UTC)
    async with Emulator(clock=lambda: now) as telnyx:
        telnyx.seed(3)
        key, url = telnyx.api_key, telnyx.url
        async with RoomsClient(key, base_url=url) as client:
            room = await client.rooms.create(enable_recording=True)
        participant = telnyx.join(room.id)
        now += timedelta(minutes=1)
        telnyx.leave(participant.id)
        now += timedelta(minutes=1)
        with vcr.use_cassette(str(path)):
            async with RoomsClient(key, base_url=url) as client:
                recorded = await make_requests(client)
    assert "!!python" not in path.read_text()
    with vcr.use_cassette(str(path), record_mode="none"):
        async with RoomsClient(key, base_url=url) as client:
            assert await make_requests(client) == recorded
