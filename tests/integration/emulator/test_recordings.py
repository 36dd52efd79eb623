"""Recordings, as the emulator makes, shows and deletes them."""

from uuid import uuid4

import pytest

from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock
from tests.helpers.http_client import HttpClient


@pytest.fixture
async def ids(api: HttpClient, telnyx: Emulator, room_id: str, time: FakeClock) -> list[str]:
    """Record Alice for a minute and Bob for two, each in two files that are completed."""
    alice, bob = telnyx.join(room_id, context="Alice"), telnyx.join(room_id, context="Bob")
    time.advance(seconds=60)
    telnyx.leave(alice.id)
    time.advance(seconds=60)
    telnyx.leave(bob.id)
    time.advance(seconds=5)
    return (await api.get("room_recordings")).ids


async def test_who_joins_a_recording_room_is_recorded(
    api: HttpClient, telnyx: Emulator, room_id: str
) -> None:
    """One file of sound and one of picture each, from the join on; without recording there is none."""
    alice = telnyx.join(room_id)
    await api("PATCH", f"rooms/{room_id}", {"enable_recording": False})
    telnyx.join(room_id)
    found = (await api.get("room_recordings")).data
    assert [(each["type"], each["codec"]) for each in found] == [("audio", "opus"), ("video", "vp8")]
    assert found[0] == {
        "id": found[0]["id"],
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


async def test_a_recording_is_completed_after_its_participant_left(
    api: HttpClient, telnyx: Emulator, room_id: str, time: FakeClock
) -> None:
    """Five seconds after leaving, and not before, there are a length, a size and a link."""
    alice = telnyx.join(room_id)
    time.advance(seconds=60)
    telnyx.leave(alice.id)
    path = f"room_recordings/{(await api.get('room_recordings')).ids[1]}"
    time.advance(seconds=4.9)
    under_way = (await api.get(path)).data
    assert (under_way["status"], under_way["download_url"]) == ("processing", None)
    assert under_way["ended_at"] == under_way["updated_at"] == "2021-04-25T12:01:00.000000Z"
    time.advance(seconds=0.1)
    done = (await api.get(path)).data
    assert (done["status"], done["duration_secs"], done["size_mb"]) == ("completed", 60, 1.3)
    assert done["completed_at"] == done["updated_at"] == "2021-04-25T12:01:05.000000Z"
    assert done["download_url"].startswith(telnyx.url.removesuffix("v2") + "media/")


async def test_every_answer_has_a_fresh_link(api: HttpClient, ids: list[str], time: FakeClock) -> None:
    """A link is made for each answer, and is good for an hour from then."""
    path = f"room_recordings/{ids[0]}"
    first = (await api.get(path)).data["download_url"]
    time.advance(seconds=1)
    assert (await api.get(path)).data["download_url"] != first


async def test_recordings_are_filtered(
    api: HttpClient, telnyx: Emulator, room_id: str, ids: list[str]
) -> None:
    """Recordings are selected by each of their filters, durations in both ways that the API documents."""
    audio_of_alice, video_of_alice, audio_of_bob, video_of_bob = ids
    recording = (await api.get(f"room_recordings/{audio_of_bob}")).data
    carol = telnyx.join(room_id)
    of_carol = (await api.get("room_recordings", {"filter[participant_id]": carol.id})).ids
    of_bob = [audio_of_bob, video_of_bob]
    for query, found in (
        ({"filter[room_id]": room_id}, [*ids, *of_carol]),
        ({"filter[room_id]": str(uuid4())}, []),
        ({"filter[session_id]": recording["session_id"]}, ids),
        ({"filter[participant_id]": recording["participant_id"]}, of_bob),
        ({"filter[status]": "processing"}, of_carol),
        ({"filter[status]": "completed", "filter[type]": "audio"}, [audio_of_alice, audio_of_bob]),
        ({"filter[status]": "lost"}, []),
        ({"filter[date_started_at][eq]": "2021-04-25"}, [*ids, *of_carol]),
        ({"filter[date_started_at][gte]": "2021-04-26"}, []),
        ({"filter[date_ended_at][lte]": "2021-04-25"}, ids),
        ({"filter[duration_secs][eq]": "60"}, [audio_of_alice, video_of_alice]),
        ({"filter[duration_secs][gte]": "61"}, of_bob),
        ({"filter[duration_secs][lte]": "119"}, [audio_of_alice, video_of_alice]),
        ({"filter[duration_secs]": "61"}, of_bob),
        ({"filter[duration_secs]": "0"}, ids),
    ):
        assert (await api.get("room_recordings", query)).ids == found, query


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("filter[duration_secs][gte]", "long"),
        ("filter[duration_secs]", "-1"),
        ("filter[date_started_at][eq]", "today"),
        ("page[size]", "0"),
    ],
)
async def test_filters_that_cannot_be_read(api: HttpClient, name: str, value: str) -> None:
    """A 422 names the parameter."""
    answer = await api.get("room_recordings", {name: value})
    assert (answer.status, answer.error_sources) == (422, [name])


async def test_a_recording_is_deleted(api: HttpClient, telnyx: Emulator, ids: list[str]) -> None:
    """It is gone with its file, and the others stay."""
    path = f"room_recordings/{ids[0]}"
    answer = await api.delete(path)
    assert (answer.status, answer.body) == (204, None)
    assert (await api.get(path)).status == (await api.delete(path)).status == 404
    with pytest.raises(LookupError, match="no completed recording"):
        telnyx.media(ids[0])
    assert (await api.get("room_recordings")).ids == ids[1:]


async def test_recordings_are_deleted_by_filter(api: HttpClient, ids: list[str]) -> None:
    """All that match are deleted, and counted in a 201."""
    answer = await api.delete("room_recordings", {"filter[type]": "video"})
    assert (answer.status, answer.data) == (201, {"room_recordings": 2})
    assert (await api.get("room_recordings")).ids == [ids[0], ids[2]]
    again = await api.delete("room_recordings", {"filter[type]": "video"})
    assert (again.status, again.data) == (201, {"room_recordings": 0})


@pytest.mark.parametrize(
    "query",
    [{}, {"page[size]": "1"}, {"filter[room]": "unknown"}, {"filter[date_started_at][eq]": "today"}],
)
async def test_nothing_is_deleted_without_a_filter(
    api: HttpClient, ids: list[str], query: dict[str, str]
) -> None:
    """Without a filter, or with one that is not known or cannot be read, it is a 422."""
    assert (await api.delete("room_recordings", query)).status == 422
    assert (await api.get("room_recordings")).ids == ids
