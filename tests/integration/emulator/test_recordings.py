"""Recordings of the emulator: creation and deletion."""

import pytest

from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock
from tests.helpers.http_client import HttpClient


@pytest.fixture
async def ids(api: HttpClient, telnyx: Emulator, room_id: str, clock: FakeClock) -> list[str]:
    """Audio and video of Alice, one minute, and of Bob, two minutes; all completed."""
    alice, bob = telnyx.join(room_id, context="Alice"), telnyx.join(room_id, context="Bob")
    clock.advance(seconds=60)
    telnyx.leave(alice.id)
    clock.advance(seconds=60)
    telnyx.leave(bob.id)
    clock.advance(seconds=5)
    return (await api.get("room_recordings")).ids


async def test_audio_and_video_of_a_participant_are_recorded(
    api: HttpClient, telnyx: Emulator, room_id: str
) -> None:
    alice = telnyx.join(room_id)
    await api("PATCH", f"rooms/{room_id}", {"enable_recording": False})
    telnyx.join(room_id)
    recordings = (await api.get("room_recordings")).data
    assert [(recording["type"], recording["codec"]) for recording in recordings] == [
        ("audio", "opus"),
        ("video", "vp8"),
    ]
    assert recordings[0] == {
        "id": recordings[0]["id"],
        "room_id": room_id,
        "session_id": alice.session_id,
        "participant_id": alice.id,
        "type": "audio",
        "status": "processing",
        "codec": "opus",
        "duration_secs": None,
        "size_mb": None,
        "download_url": None,
        "started_at": "2021-04-25T12:00:00.000000Z",
        "ended_at": None,
        "completed_at": None,
        "created_at": "2021-04-25T12:00:00.000000Z",
        "updated_at": "2021-04-25T12:00:00.000000Z",
        "record_type": "room_recording",
    }


async def test_recording_is_completed_five_seconds_after_leaving(
    api: HttpClient, telnyx: Emulator, room_id: str, clock: FakeClock
) -> None:
    alice = telnyx.join(room_id)
    clock.advance(seconds=60)
    telnyx.leave(alice.id)
    path = f"room_recordings/{(await api.get('room_recordings')).ids[1]}"
    clock.advance(seconds=4.9)
    processing = (await api.get(path)).data
    assert (processing["status"], processing["download_url"]) == ("processing", None)
    assert processing["ended_at"] == processing["updated_at"] == "2021-04-25T12:01:00.000000Z"
    clock.advance(seconds=0.1)
    completed = (await api.get(path)).data
    assert (completed["status"], completed["duration_secs"], completed["size_mb"]) == ("completed", 60, 1.3)
    assert completed["completed_at"] == completed["updated_at"] == "2021-04-25T12:01:05.000000Z"
    link = completed["download_url"]
    assert link.startswith(telnyx.url.removesuffix("v2") + "media/")
    clock.advance(seconds=1)
    assert (await api.get(path)).data["download_url"] != link


async def test_recordings_are_deleted_by_id_or_filter(
    api: HttpClient, telnyx: Emulator, room_id: str, ids: list[str]
) -> None:
    path = f"room_recordings/{ids[0]}"
    response = await api.delete(path)
    assert (response.status, response.body) == (204, None)
    assert (await api.get(path)).status == (await api.delete(path)).status == 404
    with pytest.raises(LookupError, match="no completed recording"):
        telnyx.media(ids[0])
    carol = telnyx.join(room_id)  # her recordings have not ended
    for deleted in (3, 0):
        response = await api.delete("room_recordings", {"filter[type]": "video"})
        assert (response.status, response.data) == (201, {"room_recordings": deleted})
    telnyx.leave(carol.id)
    remaining = (await api.get("room_recordings")).data
    assert [recording["id"] for recording in remaining][:1] == ids[2:3]
    assert {recording["type"] for recording in remaining} == {"audio"}


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"page[size]": "1"},
        {"filter[room]": "unknown"},
        {"filter[date_started_at][eq]": "today"},
        {"filter[type]": "audio", "page[size]": "251"},
    ],
    ids=["none", "page", "unknown filter", "invalid filter", "invalid page"],
)
async def test_deletion_needs_a_valid_filter(api: HttpClient, ids: list[str], query: dict[str, str]) -> None:
    assert (await api.delete("room_recordings", query)).status == 422
    assert (await api.get("room_recordings")).ids == ids
