"""Events of the emulator: their content, and when they are due."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from aiohttp import ClientSession

from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock, wait_until
from tests.helpers.http_client import HttpClient
from tests.helpers.webhook_listener import WebhookListener


def payloads(receiver: WebhookListener, event_type: str) -> list[Any]:
    return [webhook.data["payload"] for webhook in receiver.received if webhook.event_type == event_type]


async def test_events_of_a_session(
    telnyx: Emulator, receiver: WebhookListener, webhook_room: str, clock: FakeClock
) -> None:
    alice = telnyx.join(webhook_room, context="Alice")
    clock.advance(seconds=60)
    telnyx.leave(alice.id)
    await telnyx.flush_webhooks()
    session = {"room_id": webhook_room, "session_id": alice.session_id}
    participant = {**session, "participant_id": alice.id}
    audio, video = (payload["recording_id"] for payload in payloads(receiver, "recording.started"))
    left = {"context": "Alice", "duration_secs": 60, "left_reason": "left"}
    ended = {"duration_secs": 60, "ended_reason": "all participants left"}
    assert [(webhook.event_type, webhook.data["payload"]) for webhook in receiver.received] == [
        ("session.started", session),
        ("participant.joined", {**participant, "context": "Alice"}),
        ("recording.started", {**participant, "recording_id": audio, "type": "audio"}),
        ("recording.started", {**participant, "recording_id": video, "type": "video"}),
        ("participant.left", {**participant, **left}),
        ("session.ended", {**session, **ended}),
    ]
    last = receiver.received[-1]
    assert last.json == {
        "data": {
            "record_type": "event",
            "event_type": "video.room.session.ended",
            "id": last.data["id"],
            "occurred_at": "2021-04-25T12:01:00.000000Z",
            "payload": last.data["payload"],
        },
        "meta": {"attempt": 1, "delivered_to": receiver.url + "/hook"},
    }
    assert last.headers["User-Agent"] == "telnyx-webhooks"
    assert last.headers["Content-Type"] == "application/json"
    assert len({str(UUID(webhook.data["id"])) for webhook in receiver.received}) == 6


async def test_recording_completed_is_due_five_seconds_after_leaving(
    telnyx: Emulator, receiver: WebhookListener, webhook_room: str, clock: FakeClock
) -> None:
    alice = telnyx.join(webhook_room)
    clock.advance(seconds=60)
    telnyx.leave(alice.id)
    clock.advance(seconds=4.9)
    await telnyx.flush_webhooks()
    assert payloads(receiver, "recording.completed") == []
    clock.advance(seconds=100)
    await telnyx.flush_webhooks()
    audio, video = payloads(receiver, "recording.completed")
    assert receiver.received[-1].data["occurred_at"] == "2021-04-25T12:01:05.000000Z"
    assert audio == {
        "room_id": webhook_room,
        "session_id": alice.session_id,
        "participant_id": alice.id,
        "recording_id": audio["recording_id"],
        "type": "audio",
        "codec": "opus",
        "duration_secs": 60,
        "size_mb": 0.34,
        "download_url": audio["download_url"],
    }
    async with ClientSession() as session, session.get(video["download_url"]) as response:
        assert await response.read() == bytes(telnyx.media(video["recording_id"]))


async def test_composition_completed_goes_to_its_url_and_deleted_files_send_no_event(
    api: HttpClient, telnyx: Emulator, receiver: WebhookListener, webhook_room: str, clock: FakeClock
) -> None:
    alice = telnyx.join(webhook_room)
    telnyx.leave(alice.id)
    body = {"session_id": alice.session_id, "resolution": "640x480"}
    composition_id = (
        await api.post("room_compositions", {**body, "webhook_event_url": receiver.url + "/own"})
    ).data["id"]
    await api.post("room_compositions", body)
    deleted = (await api.post("room_compositions", {**body, "webhook_event_url": receiver.url})).data
    await api.delete(f"room_compositions/{deleted['id']}")
    await api.delete("room_recordings", {"filter[type]": "video"})
    clock.advance(seconds=10)
    await telnyx.flush_webhooks()
    completed = {hook.event_type: hook for hook in receiver.received if hook.event_type.endswith("completed")}
    assert sorted(completed) == ["composition.completed", "recording.completed"]
    assert len(receiver.received) == 8
    webhook = completed["composition.completed"]
    assert (webhook.path, webhook.data["occurred_at"]) == ("/own", "2021-04-25T12:00:10.000000Z")
    composition = (await api.get(f"room_compositions/{composition_id}")).data
    names = ("room_id", "session_id", "format", "resolution", "duration_secs", "size_mb", "download_url")
    assert webhook.data["payload"] == {
        "composition_id": composition_id,
        **{name: composition[name] for name in names},
    }


@pytest.mark.parametrize(
    ("method", "path", "ended_reason"),
    [
        ("POST", "room_sessions/{session}/actions/end", "Ended from API"),
        ("POST", "room_sessions/{session}/actions/kick", "all participants left"),
        ("DELETE", "rooms/{room}", "Ended from API"),
    ],
    ids=["end", "kick", "delete"],
)
async def test_reasons_and_recordings_of_removed_participants(
    api: HttpClient,
    telnyx: Emulator,
    receiver: WebhookListener,
    webhook_room: str,
    clock: FakeClock,
    *,
    method: str,
    path: str,
    ended_reason: str,
) -> None:
    alice, _ = telnyx.join(webhook_room), telnyx.join(webhook_room)
    await api(method, path.format(session=alice.session_id, room=webhook_room), {"participants": "all"})
    clock.advance(seconds=5)
    await telnyx.flush_webhooks()
    left = payloads(receiver, "participant.left")
    assert [payload["left_reason"] for payload in left] == ["kicked", "kicked"]
    assert [payload["ended_reason"] for payload in payloads(receiver, "session.ended")] == [ended_reason]
    assert len(payloads(receiver, "recording.completed")) == 4


async def test_url_is_that_of_the_room_when_the_event_is_due(
    api: HttpClient, telnyx: Emulator, receiver: WebhookListener
) -> None:
    room_id = (await api.post("rooms", {"webhook_event_url": receiver.url})).data["id"]
    alice = telnyx.join(room_id)
    await telnyx.flush_webhooks()
    await api("PATCH", f"rooms/{room_id}", {"webhook_event_url": None})
    telnyx.leave(alice.id)
    await telnyx.flush_webhooks()
    await api("PATCH", f"rooms/{room_id}", {"webhook_event_url": receiver.url + "/new"})
    telnyx.join(room_id)
    await telnyx.flush_webhooks()
    assert [webhook.path for webhook in receiver.received] == ["/", "/", "/new", "/new"]


async def test_events_are_sent_without_flush(
    telnyx: Emulator, receiver: WebhookListener, webhook_room: str, clock: FakeClock
) -> None:
    alice = await asyncio.to_thread(telnyx.join, webhook_room)
    await wait_until(lambda: len(receiver.received) == 4)
    telnyx.leave(alice.id)
    clock.advance(seconds=4.95)
    telnyx.join(webhook_room)
    await wait_until(lambda: receiver.event_types.count("participant.joined") == 2)
    assert "recording.completed" not in receiver.event_types
    clock.advance(seconds=0.05)
    await wait_until(lambda: receiver.event_types.count("recording.completed") == 2)
