"""What the emulator tells of what happens, and when."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock
from tests.helpers.http_client import HttpClient
from tests.helpers.webhook_listener import WebhookListener, listen_for_webhooks


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookListener]:
    """Where the webhooks of the room go."""
    async with listen_for_webhooks() as listener:
        yield listener


@pytest.fixture
async def room_id(api: HttpClient, receiver: WebhookListener) -> str:
    """Make a room that records, and tells."""
    answer = await api.post("rooms", {"enable_recording": True, "webhook_event_url": receiver.url + "/hook"})
    made: str = answer.data["id"]
    return made


def payloads(receiver: WebhookListener, kind: str) -> list[Any]:
    """List what events of a kind told."""
    return [each.data["payload"] for each in receiver.received if each.event_type == kind]


async def test_a_meeting_is_told(
    telnyx: Emulator, receiver: WebhookListener, room_id: str, time: FakeClock
) -> None:
    """From the first one in to the last one out, events come in their order, with all that they tell."""
    alice = telnyx.join(room_id, context="Alice")
    time.advance(seconds=60)
    telnyx.leave(alice.id)
    await telnyx.settle()
    assert receiver.event_types == [
        "session.started",
        "participant.joined",
        "recording.started",
        "recording.started",
        "participant.left",
        "session.ended",
    ]
    session = {"room_id": room_id, "session_id": alice.session_id}
    person = {**session, "participant_id": alice.id}
    assert payloads(receiver, "session.started") == [session]
    assert payloads(receiver, "participant.joined") == [{**person, "context": "Alice"}]
    left = {"context": "Alice", "duration_secs": 60, "left_reason": "left"}
    assert payloads(receiver, "participant.left") == [{**person, **left}]
    ended = {"duration_secs": 60, "ended_reason": "all participants left"}
    assert payloads(receiver, "session.ended") == [{**session, **ended}]
    sound, picture = payloads(receiver, "recording.started")
    assert sound == {**person, "recording_id": sound["recording_id"], "type": "audio"}
    assert picture == {**person, "recording_id": picture["recording_id"], "type": "video"}


async def test_the_envelope(
    telnyx: Emulator, receiver: WebhookListener, room_id: str, time: FakeClock
) -> None:
    """An event has an id of its own, its instant by the clock of the emulator, and where it was sent."""
    telnyx.join(room_id)
    time.advance(seconds=1)
    await telnyx.settle()
    first = receiver.received[0]
    assert first.path == "/hook"
    assert first.json == {
        "data": {
            "record_type": "event",
            "event_type": "video.room.session.started",
            "id": first.data["id"],
            "occurred_at": "2021-04-25T12:00:00.000000Z",
            "payload": first.data["payload"],
        },
        "meta": {"attempt": 1, "delivered_to": receiver.url + "/hook"},
    }
    ids = {str(UUID(each.data["id"])) for each in receiver.received}
    assert len(ids) == 4
    assert first.headers["User-Agent"] == "telnyx-webhooks"
    assert first.headers["Content-Type"] == "application/json"


async def test_recordings_are_told_when_they_are_completed(
    telnyx: Emulator, receiver: WebhookListener, room_id: str, time: FakeClock
) -> None:
    """Five seconds after leaving, by the clock, and at once when it is turned and all settles."""
    alice = telnyx.join(room_id)
    time.advance(seconds=60)
    telnyx.leave(alice.id)
    time.advance(seconds=4.9)
    await telnyx.settle()
    assert payloads(receiver, "recording.completed") == []
    time.advance(seconds=100)
    await telnyx.settle()
    sound, picture = payloads(receiver, "recording.completed")
    assert receiver.received[-1].data["occurred_at"] == "2021-04-25T12:01:05.000000Z"
    assert (sound["type"], sound["codec"], sound["duration_secs"], sound["size_mb"]) == (
        "audio",
        "opus",
        60,
        0.34,
    )
    assert sorted(picture) == [
        "codec", "download_url", "duration_secs", "participant_id", "recording_id", "room_id", "session_id",
        "size_mb", "type",
    ]  # fmt: skip
    async with aiohttp.ClientSession() as anyone, anyone.get(picture["download_url"]) as response:
        assert await response.read() == bytes(telnyx.media(picture["recording_id"]))


async def test_a_composition_is_told_to_its_own_url(
    api: HttpClient, telnyx: Emulator, receiver: WebhookListener, room_id: str, time: FakeClock
) -> None:
    """A composition is told to the URL that it was asked for with; without one it is told nowhere."""
    alice = telnyx.join(room_id)
    telnyx.leave(alice.id)
    asked = {"session_id": alice.session_id, "resolution": "640x480"}
    composed = (
        await api.post("room_compositions", {**asked, "webhook_event_url": receiver.url + "/own"})
    ).data
    await api.post("room_compositions", asked)
    time.advance(seconds=10)
    await telnyx.settle()
    (told,) = [each for each in receiver.received if each.event_type == "composition.completed"]
    assert (told.path, told.data["occurred_at"]) == ("/own", "2021-04-25T12:00:10.000000Z")
    made = (await api.get(f"room_compositions/{composed['id']}")).data
    same = ("room_id", "session_id", "format", "resolution", "duration_secs", "size_mb")
    assert told.data["payload"] == {
        "composition_id": made["id"],
        "download_url": made["download_url"],
        **{name: made[name] for name in same},
    }


async def test_what_was_deleted_is_not_told(
    api: HttpClient, telnyx: Emulator, receiver: WebhookListener, room_id: str, time: FakeClock
) -> None:
    """A recording or a composition that is deleted before it is completed is not told of."""
    alice = telnyx.join(room_id)
    telnyx.leave(alice.id)
    asked = {"session_id": alice.session_id, "webhook_event_url": receiver.url}
    composed = (await api.post("room_compositions", asked)).data
    await api.delete(f"room_compositions/{composed['id']}")
    await api.delete("room_recordings", {"filter[type]": "video"})
    time.advance(seconds=10)
    await telnyx.settle()
    assert [kind for kind in receiver.event_types if kind.endswith("completed")] == ["recording.completed"]


@pytest.mark.parametrize(
    ("method", "path", "left", "ended"),
    [
        ("POST", "room_sessions/{}/actions/end", "kicked", "Ended from API"),
        ("POST", "room_sessions/{}/actions/kick", "kicked", "all participants left"),
        ("DELETE", "rooms/{}", "kicked", "Ended from API"),
    ],
)
async def test_reasons(
    api: HttpClient,
    telnyx: Emulator,
    receiver: WebhookListener,
    room_id: str,
    *,
    method: str,
    path: str,
    left: str,
    ended: str,
) -> None:
    """Who is sent out was kicked; a session that is ended, or whose room is deleted, ended from the API."""
    alice, _ = telnyx.join(room_id), telnyx.join(room_id)
    found = room_id if method == "DELETE" else alice.session_id
    await api(method, path.format(found), {"participants": "all"})
    await telnyx.settle()
    assert [each["left_reason"] for each in payloads(receiver, "participant.left")] == [left, left]
    assert [each["ended_reason"] for each in payloads(receiver, "session.ended")] == [ended]


async def test_recordings_of_a_deleted_room_are_told(
    api: HttpClient, telnyx: Emulator, receiver: WebhookListener, room_id: str, time: FakeClock
) -> None:
    """They stay, and so does where they are told."""
    telnyx.join(room_id)
    await api.delete(f"rooms/{room_id}")
    time.advance(seconds=5)
    await telnyx.settle()
    assert len(payloads(receiver, "recording.completed")) == 2


async def test_nothing_is_told_without_a_url(
    api: HttpClient, telnyx: Emulator, receiver: WebhookListener
) -> None:
    """The URL that counts is the one of the moment; none is none."""
    room = (await api.post("rooms", {"webhook_event_url": receiver.url})).data
    alice = telnyx.join(room["id"])
    await telnyx.settle()
    await api("PATCH", f"rooms/{room['id']}", {"webhook_event_url": None})
    telnyx.leave(alice.id)
    await telnyx.settle()
    await api("PATCH", f"rooms/{room['id']}", {"webhook_event_url": receiver.url + "/new"})
    telnyx.join(room["id"])
    await telnyx.settle()
    assert [each.path for each in receiver.received] == ["/", "/", "/new", "/new"]
    assert len(telnyx.deliveries) == 4


async def test_events_come_by_themselves(receiver: WebhookListener) -> None:
    """Nobody need settle: events are sent as they happen, and completions as the clock comes there."""
    time = FakeClock()
    async with Emulator(clock=time) as telnyx, aiohttp.ClientSession() as http:
        body = {"enable_recording": True, "webhook_event_url": receiver.url}
        headers = {"Authorization": f"Bearer {telnyx.api_key}"}
        async with http.post(f"{telnyx.url}/rooms", json=body, headers=headers) as response:
            room_id = (await response.json())["data"]["id"]
        alice = await asyncio.to_thread(telnyx.join, room_id)
        async with asyncio.timeout(5):
            while len(receiver.received) < 4:
                await asyncio.sleep(0.001)
        telnyx.leave(alice.id)
        time.advance(seconds=4.95)
        telnyx.join(room_id)
        async with asyncio.timeout(5):
            while receiver.event_types.count("participant.joined") < 2:
                await asyncio.sleep(0.001)
        # The emulator has looked at the clock, and will again in a twentieth of a second.
        assert "recording.completed" not in receiver.event_types
        time.advance(seconds=0.05)
        async with asyncio.timeout(5):
            while receiver.event_types.count("recording.completed") < 2:
                await asyncio.sleep(0.001)


async def test_events_that_happen_out_of_turn_are_sorted(
    telnyx: Emulator, receiver: WebhookListener, room_id: str, time: FakeClock
) -> None:
    """What came due while nobody looked is told before what happened after it."""
    alice = telnyx.join(room_id)
    telnyx.leave(alice.id)
    time.advance(seconds=60)
    telnyx.join(room_id)
    await telnyx.settle()
    moments = [each.data["occurred_at"] for each in receiver.received]
    assert moments == sorted(moments)
    assert len(set(moments)) == 3
