"""Recordings and compositions, against the emulator."""

from pathlib import Path

import pytest

from telnyx_rooms_async import (
    APITimeoutError,
    CompositionStatus,
    InvalidArgumentError,
    NotFoundError,
    NotReadyError,
    RecordingStatus,
    RecordingType,
    RoomRecording,
    RoomsClient,
)
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock


@pytest.fixture
async def session_id(client: RoomsClient, telnyx: Emulator, time: FakeClock) -> str:
    """Return the id of a recorded session of one minute, whose files are ready."""
    room = await client.rooms.create(unique_name="Surgery", enable_recording=True)
    alice = telnyx.join(room.id, context="Alice")
    time.advance(seconds=60)
    telnyx.leave(alice.id)
    time.advance(seconds=600)
    telnyx.requests.clear()
    assert alice.session_id is not None
    return alice.session_id


@pytest.fixture
async def recording(client: RoomsClient, telnyx: Emulator, session_id: str) -> RoomRecording:
    recording = (await client.recordings.list(session_id=session_id).page(1)).data[0]
    telnyx.requests.clear()
    return recording


async def test_delete_matching_returns_the_number_of_deleted_recordings(
    client: RoomsClient, session_id: str
) -> None:
    assert await client.recordings.delete_matching(session_id=session_id, type="audio") == 1
    assert await client.recordings.delete_matching(session_id=session_id, type="audio") == 0
    assert [recording.type async for recording in client.recordings.list()] == ["video"]


async def test_delete_matching_needs_a_filter(client: RoomsClient, telnyx: Emulator) -> None:
    with pytest.raises(InvalidArgumentError, match="at least one filter"):
        await client.recordings.delete_matching()
    assert telnyx.requests == []


async def test_recordings_are_listed_downloaded_and_deleted(
    client: RoomsClient, telnyx: Emulator, session_id: str, tmp_path: Path
) -> None:
    recordings = [recording async for recording in client.recordings.list(session_id=session_id)]
    assert {recording.type for recording in recordings} == {RecordingType.AUDIO, RecordingType.VIDEO}
    for recording in recordings:
        assert (recording.status, recording.duration_secs) == (RecordingStatus.COMPLETED, 60)
        assert "http" not in repr(recording)
        again = await client.recordings.retrieve(recording.id)
        assert (again.id, again.size_mb) == (recording.id, recording.size_mb)
        file = await client.recordings.download(recording.id, tmp_path / recording.id)
        assert file.size == (tmp_path / recording.id).stat().st_size > 0
        assert "authorization" not in telnyx.requests[-1].headers
        assert telnyx.api_key not in str(dict(telnyx.requests[-1].headers))
    await client.recordings.delete(recordings[0].id)
    with pytest.raises(NotFoundError):
        await client.recordings.delete(recordings[0].id)
    with pytest.raises(NotFoundError):
        await client.recordings.download(recordings[0].id, tmp_path / "gone")


async def test_file_size_is_exact_and_renews_an_expired_link(
    client: RoomsClient, telnyx: Emulator, recording: RoomRecording, time: FakeClock
) -> None:
    media = telnyx.media(recording.id)
    item, store = f"/v2/room_recordings/{recording.id}", f"/media/{recording.id}"
    for size in (media.size, 10**12, 0):
        media.size = size
        assert await client.recordings.file_size(recording) == size
    assert [request.path for request in telnyx.requests] == [store] * 3
    telnyx.requests.clear()
    time.advance(seconds=3600)
    assert await client.recordings.file_size(recording) == 0
    assert [request.path for request in telnyx.requests] == [store, item, store]


@pytest.mark.parametrize(
    ("resolution", "size"), [({}, (1280, 720)), ({"resolution": "800x600"}, (800, 600))], ids=str
)
async def test_default_layout_has_all_videos_and_all_audio_in_full_size(
    client: RoomsClient,
    telnyx: Emulator,
    session_id: str,
    resolution: dict[str, str],
    size: tuple[int, int],
) -> None:
    composition = await client.compositions.create(session_id, **resolution)  # type: ignore[arg-type]  # of one key
    assert telnyx.requests[-1].json == {
        "session_id": session_id,
        "video_layout": {"all": {"width": size[0], "height": size[1], "video_sources": ["*"]}},
        "audio_sources": ["*"],
        **resolution,
    }
    assert composition.status == CompositionStatus.ENQUEUED
    assert (composition.audio_sources, composition.download_url) == (("*",), None)


async def test_composition_is_awaited_downloaded_listed_and_deleted(
    client: RoomsClient, session_id: str, tmp_path: Path
) -> None:
    composition = await client.compositions.create(session_id)
    with pytest.raises(NotReadyError):
        await client.compositions.download(composition.id, tmp_path / "meeting.mp4")
    with pytest.raises(APITimeoutError, match=r"was not finished in 0\.5 s") as caught:
        await client.compositions.wait(composition.id, timeout=0.5)
    assert caught.value.deadline is True
    assert (await client.compositions.wait(composition.id)).status == CompositionStatus.COMPLETED
    file = await client.compositions.download(composition.id, tmp_path / "meeting.mp4")
    assert (file.content_type, file.path) == ("video/mp4", tmp_path / "meeting.mp4")
    listing = client.compositions.list(session_id=session_id, status=CompositionStatus.COMPLETED)
    assert [found.id async for found in listing] == [composition.id]
    await client.compositions.delete(composition.id)
    with pytest.raises(NotFoundError):
        await client.compositions.retrieve(composition.id)
