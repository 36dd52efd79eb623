"""Compositions of the emulator: creation, validation and deletion."""

from typing import Any
from uuid import uuid4

import pytest

from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock
from tests.helpers.http_client import HttpClient

LAYOUT: dict[str, Any] = {"main": {"width": 1280, "height": 720, "video_sources": ["*"]}}


@pytest.fixture
async def session_id(telnyx: Emulator, room_id: str, clock: FakeClock) -> str:
    """A session of one minute with recordings."""
    alice = telnyx.join(room_id)
    clock.advance(seconds=60)
    telnyx.leave(alice.id)
    return alice.session_id or ""


async def test_new_composition_has_documented_fields_and_defaults(
    api: HttpClient, session_id: str, room_id: str
) -> None:
    response = await api.post("room_compositions", {"session_id": session_id, "video_layout": LAYOUT})
    assert response.status == 202
    assert response.data == {
        "id": response.data["id"],
        "room_id": room_id,
        "session_id": session_id,
        "user_id": response.data["user_id"],
        "status": "enqueued",
        "format": "mp4",
        "resolution": "1280x720",
        "video_layout": {"main": {**LAYOUT["main"], "x_pos": 0, "y_pos": 0, "z_pos": 0}},
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


async def test_fields_of_the_request_are_returned(api: HttpClient, session_id: str) -> None:
    video = (await api.get("room_recordings", {"filter[type]": "video"})).ids
    region = {
        "width": 16, "height": 16, "x_pos": -5, "y_pos": 1280, "z_pos": 99,
        "max_columns": 1, "max_rows": 1000, "video_sources": video,
    }  # fmt: skip
    body = {
        "session_id": session_id,
        "video_layout": {"one": region, "two": {**region, "z_pos": -99}},
        "audio_sources": ["*"],
        "format": "mp4",
        "resolution": "800x600",
        "webhook_event_url": "https://example.com/hook",
        "webhook_event_failover_url": None,
        "webhook_timeout_secs": 30,
    }
    composition = (await api.post("room_compositions", body)).data
    assert {name: composition[name] for name in body} == body


async def test_composition_is_completed_by_the_clock_and_deleted_without_its_recordings(
    api: HttpClient, telnyx: Emulator, session_id: str, clock: FakeClock
) -> None:
    composition_id = (await api.post("room_compositions", {"session_id": session_id})).data["id"]
    path, statuses = f"room_compositions/{composition_id}", []
    with pytest.raises(LookupError):
        telnyx.media(composition_id)
    for seconds in (0, 1.9, 0.1, 7.9, 0.1):
        clock.advance(seconds=seconds)
        statuses.append((await api.get(path)).data["status"])
    assert statuses == ["enqueued", "enqueued", "processing", "processing", "completed"]
    completed = (await api.get(path)).data
    assert (completed["duration_secs"], completed["size_mb"]) == (60, 1.3)
    assert completed["started_at"] == "2021-04-25T12:01:02.000000Z"
    end = "2021-04-25T12:01:10.000000Z"
    assert completed["completed_at"] == completed["ended_at"] == completed["updated_at"] == end
    assert telnyx.media(composition_id).content_type == "video/mp4"
    response = await api.delete(path)
    assert (response.status, response.body) == (204, None)
    assert (await api.get(path)).status == (await api.delete(path)).status == 404
    assert len((await api.get("room_recordings")).ids) == 2


INVALID: dict[str, tuple[dict[str, Any], list[str]]] = {
    "session id": ({"session_id": "x"}, ["/session_id"]),
    "unknown session": ({"session_id": str(uuid4())}, ["/session_id"]),
    "three regions": ({"video_layout": {"a": {}, "b": {}, "c": {}}}, ["/video_layout"]),
    "region type": ({"video_layout": {"a": 7}}, ["/video_layout/a"]),
    "low numbers": (
        {
            "video_layout": {
                "a/~": {"width": 15, "height": 15, "z_pos": -100, "max_rows": 0, "x_pos": "0", "?": 1}
            }
        },
        [f"/video_layout/a~1~0/{name}" for name in ("height", "max_rows", "width", "x_pos", "z_pos")],
    ),
    "source type": ({"video_layout": {"a": {"video_sources": [1]}}}, ["/video_layout/a/video_sources/0"]),
    "source of another session": (
        {"video_layout": {"a": {"video_sources": ["*"]}, "b/c": {"video_sources": [str(uuid4())]}}},
        ["/video_layout/b~1c/video_sources"],
    ),
    "some audio": ({"audio_sources": [str(uuid4())]}, ["/audio_sources"]),
    "format": ({"format": "webm"}, ["/format"]),
    "too wide": ({"resolution": "1281x16"}, ["/resolution"]),
    "too large": ({"resolution": "1280x721"}, ["/resolution"]),
    "webhooks": (
        {"webhook_event_url": "x", "webhook_event_failover_url": 1, "webhook_timeout_secs": 31},
        ["/webhook_event_failover_url", "/webhook_event_url", "/webhook_timeout_secs"],
    ),
}


@pytest.mark.parametrize(("fields", "pointers"), INVALID.values(), ids=INVALID)
async def test_invalid_fields_are_refused(
    api: HttpClient, session_id: str, fields: dict[str, Any], pointers: list[str]
) -> None:
    response = await api.post("room_compositions", {"session_id": session_id, **fields})
    assert (response.status, response.error_sources) == (422, pointers)
    assert (await api.get("room_compositions")).data == []


async def test_session_with_video_is_required(api: HttpClient, session_id: str) -> None:
    assert (await api.post("room_compositions", {})).error_sources == ["/session_id"]
    await api.delete("room_recordings", {"filter[type]": "video"})
    response = await api.post("room_compositions", {"session_id": session_id, "video_layout": LAYOUT})
    assert (response.status, response.body["errors"][0]["code"]) == (422, "10027")
