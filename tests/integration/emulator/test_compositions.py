"""Compositions, as the emulator makes, shows and deletes them."""

from typing import Any
from uuid import uuid4

import pytest

from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock
from tests.helpers.http_client import HttpClient

WHOLE: dict[str, Any] = {"main": {"width": 1280, "height": 720, "video_sources": ["*"]}}


@pytest.fixture
async def session_id(telnyx: Emulator, room_id: str, time: FakeClock) -> str:
    """Record a session of a minute."""
    alice = telnyx.join(room_id)
    time.advance(seconds=60)
    telnyx.leave(alice.id)
    return alice.session_id or ""


async def test_a_composition_as_the_api_shows_it(api: HttpClient, session_id: str, room_id: str) -> None:
    """A 202 has the defaults, and neither a length nor a link yet."""
    answer = await api.post("room_compositions", {"session_id": session_id, "video_layout": WHOLE})
    assert answer.status == 202
    assert answer.data == {
        "id": answer.data["id"],
        "room_id": room_id,
        "session_id": session_id,
        "user_id": answer.data["user_id"],
        "status": "enqueued",
        "format": "mp4",
        "resolution": "1280x720",
        "video_layout": {"main": {**WHOLE["main"], "x_pos": 0, "y_pos": 0, "z_pos": 0}},
        "audio_sources": None,
        "duration_secs": None,
        "size_mb": None,
        "download_url": None,
        "webhook_event_url": None,
        "webhook_event_failover_url": "",
        "webhook_timeout_secs": None,
        "started_at": None,
        "ended_at": None,
        "completed_at": None,
        "created_at": "2021-04-25T12:01:00.000000Z",
        "updated_at": "2021-04-25T12:01:00.000000Z",
        "record_type": "room_composition",
    }


async def test_what_was_asked_for_comes_back(api: HttpClient, telnyx: Emulator, session_id: str) -> None:
    """Every field of the body is a field of the composition, the sound among them."""
    video = (await api.get("room_recordings", {"filter[type]": "video"})).ids
    region = {
        "width": 16, "height": 16, "x_pos": -5, "y_pos": 1280, "z_pos": 99,
        "max_columns": 1, "max_rows": 1000, "video_sources": video,
    }  # fmt: skip
    asked = {
        "session_id": session_id,
        "video_layout": {"one": region, "two": {**region, "z_pos": -99}},
        "audio_sources": ["*"],
        "format": "mp4",
        "resolution": "800x600",
        "webhook_event_url": "https://example.com/hook",
        "webhook_event_failover_url": None,
        "webhook_timeout_secs": 30,
    }
    made = (await api.post("room_compositions", asked)).data
    assert {name: made[name] for name in asked} == asked


async def test_a_composition_is_made_by_the_clock(
    api: HttpClient, telnyx: Emulator, session_id: str, time: FakeClock
) -> None:
    """Enqueued for two seconds, processed until ten, then completed with a length, a size and a link."""
    made = (await api.post("room_compositions", {"session_id": session_id})).data
    path, seen = f"room_compositions/{made['id']}", []
    with pytest.raises(LookupError):
        telnyx.media(made["id"])
    for seconds in (0, 1.9, 0.1, 7.9, 0.1):
        time.advance(seconds=seconds)
        seen.append((await api.get(path)).data["status"])
    assert seen == ["enqueued", "enqueued", "processing", "processing", "completed"]
    done = (await api.get(path)).data
    assert (done["duration_secs"], done["size_mb"]) == (60, 1.3)
    assert done["started_at"] == "2021-04-25T12:01:02.000000Z"
    assert done["completed_at"] == done["ended_at"] == done["updated_at"] == "2021-04-25T12:01:10.000000Z"
    assert telnyx.media(made["id"]).content_type == "video/mp4"
    time.advance(seconds=1)
    assert (await api.get(path)).data["download_url"] != done["download_url"]


async def test_a_session_that_goes_on_is_composed_so_far(
    api: HttpClient, telnyx: Emulator, room_id: str, time: FakeClock
) -> None:
    """The length is that of the session until the composition was asked for."""
    alice = telnyx.join(room_id)
    time.advance(seconds=30)
    made = (await api.post("room_compositions", {"session_id": alice.session_id})).data
    time.advance(seconds=10)
    assert (await api.get(f"room_compositions/{made['id']}")).data["duration_secs"] == 30


WRONG_FIELDS: dict[str, tuple[dict[str, object], list[str]]] = {
    "a session that is no id": ({"session_id": "x"}, ["/session_id"]),
    "a session that is not there": ({"session_id": str(uuid4())}, ["/session_id"]),
    "three regions": ({"video_layout": {"a": {}, "b": {}, "c": {}}}, ["/video_layout"]),
    "no layout": ({"video_layout": []}, ["/video_layout"]),
    "no region": ({"video_layout": {"a": 7}}, ["/video_layout/a"]),
    "bounds": (
        {"video_layout": {"a/~": {"width": 15, "height": 15, "z_pos": -100, "max_rows": 0, "x_pos": "0"}}},
        [f"/video_layout/a~1~0/{name}" for name in ("height", "max_rows", "width", "x_pos", "z_pos")],
    ),
    "more bounds": (
        {"video_layout": {"a": {"z_pos": 100, "max_columns": 1001, "y_pos": None}}},
        [f"/video_layout/a/{name}" for name in ("max_columns", "y_pos", "z_pos")],
    ),
    "no sources": ({"video_layout": {"a": {"video_sources": "*"}}}, ["/video_layout/a/video_sources"]),
    "source of no text": (
        {"video_layout": {"a": {"video_sources": [1]}}},
        ["/video_layout/a/video_sources/0"],
    ),
    "source of another session": (
        {"video_layout": {"a": {"video_sources": ["*"]}, "b/c": {"video_sources": [str(uuid4())]}}},
        ["/video_layout/b~1c/video_sources"],
    ),
    "sound of some": ({"audio_sources": [str(uuid4())]}, ["/audio_sources"]),
    "another format": ({"format": "webm"}, ["/format"]),
    "a resolution too wide": ({"resolution": "1281x16"}, ["/resolution"]),
    "a resolution too small": ({"resolution": "15x720"}, ["/resolution"]),
    "a resolution too large": ({"resolution": "1280x721"}, ["/resolution"]),
    "no resolution": ({"resolution": 720}, ["/resolution"]),
    "webhooks": (
        {"webhook_event_url": "x", "webhook_event_failover_url": 1, "webhook_timeout_secs": 31},
        ["/webhook_event_failover_url", "/webhook_event_url", "/webhook_timeout_secs"],
    ),
}


@pytest.mark.parametrize(("fields", "blamed"), WRONG_FIELDS.values(), ids=WRONG_FIELDS)
async def test_a_body_with_wrong_fields(
    api: HttpClient, session_id: str, fields: dict[str, object], blamed: list[str]
) -> None:
    """A 422 points to each value that is not accepted, and nothing is made."""
    answer = await api.post("room_compositions", {"session_id": session_id, **fields})
    assert (answer.status, answer.error_sources) == (422, blamed)
    assert (await api.get("room_compositions")).data == []


async def test_a_body_without_a_session(api: HttpClient) -> None:
    """The session is required."""
    assert (await api.post("room_compositions", {})).error_sources == ["/session_id"]


async def test_a_session_without_pictures(api: HttpClient, session_id: str) -> None:
    """What has no video recording cannot be composed."""
    await api.delete("room_recordings", {"filter[type]": "video"})
    answer = await api.post("room_compositions", {"session_id": session_id, "video_layout": WHOLE})
    assert (answer.status, answer.body["errors"][0]["code"]) == (422, "10027")


async def test_compositions_are_filtered(
    api: HttpClient, telnyx: Emulator, room_id: str, session_id: str, time: FakeClock
) -> None:
    """Compositions are selected by session, by status and by day; an unknown status is a 422."""
    first = (await api.post("room_compositions", {"session_id": session_id})).data["id"]
    time.advance(seconds=86400)
    other = telnyx.join(room_id).session_id or ""
    second = (await api.post("room_compositions", {"session_id": other})).data["id"]
    for query, found in (
        ({}, [first, second]),
        ({"filter[session_id]": other}, [second]),
        ({"filter[status]": "completed"}, [first]),
        ({"filter[status]": "processing"}, []),
        ({"filter[status]": "enqueued"}, [second]),
        ({"filter[date_created_at][lte]": "2021-04-25"}, [first]),
    ):
        assert (await api.get("room_compositions", query)).ids == found, query
    answer = await api.get("room_compositions", {"filter[status]": "failed"})
    assert (answer.status, answer.error_sources) == (422, ["filter[status]"])


async def test_a_composition_is_deleted(api: HttpClient, session_id: str) -> None:
    """It is gone, and the recordings stay."""
    made = (await api.post("room_compositions", {"session_id": session_id})).data
    path = f"room_compositions/{made['id']}"
    answer = await api.delete(path)
    assert (answer.status, answer.body) == (204, None)
    assert (await api.get(path)).status == (await api.delete(path)).status == 404
    assert len((await api.get("room_recordings")).ids) == 2
