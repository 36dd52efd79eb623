"""Events of the emulator: received by an app, handled once, and tracked to the state that the API returns."""

import random
from collections import Counter

from attrs import evolve

from telnyx_rooms_async import Room, RoomParticipant, RoomRecording, RoomsClient, RoomSession
from telnyx_rooms_async.emulator import Emulator, WebhookFault
from telnyx_rooms_async.webhooks import Event, EventRouter, RoomRecordingCompleted, RoomTracker, Webhooks
from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY, sign
from tests.helpers.clocks import FakeClock
from tests.helpers.web_servers import aiohttp_receiver

ROOMS = 5
PARTICIPANTS = 40


def simulate(telnyx: Emulator, clock: FakeClock, rooms: list[Room], generator: random.Random) -> None:
    """Let participants join and leave, most of them alone and for a short time; some stay."""
    present: list[str] = []
    for number in range(PARTICIPANTS):
        clock.advance(seconds=1)
        room = rooms[generator.randrange(ROOMS)]
        present.append(telnyx.join(room.id, context=f"Participant {number}").id)
        while len(present) > generator.randrange(12):
            clock.advance(seconds=1)
            telnyx.leave(present.pop(generator.randrange(len(present))))
    clock.advance(seconds=2)
    for _ in range(3):
        telnyx.join(rooms[0].id, context="stays")


def without_unknown_fields(recording: RoomRecording) -> RoomRecording:
    """Remove what no event contains: the codec comes with the completion, and download links differ."""
    return evolve(
        recording,
        codec=recording.codec if recording.status == "completed" else None,
        download_url=None,
        ended_at=None,
        created_at=None,
        updated_at=None,
        record_type=None,
    )


async def fetch_state(
    client: RoomsClient, room: Room
) -> tuple[RoomSession | None, list[RoomParticipant], list[RoomRecording]]:
    """Fetch what a `RoomTracker` computes."""
    sessions = [session async for session in client.rooms.sessions(room.id, active=True)]
    participants = [
        evolve(participant, updated_at=None, record_type=None)
        for session in sessions
        async for participant in client.sessions.participants(session.id)
        if participant.left_at is None
    ]
    recordings = [
        without_unknown_fields(recording) async for recording in client.recordings.list(room_id=room.id)
    ]
    active = [evolve(session, updated_at=None, record_type=None) for session in sessions]
    return next(iter(active), None), participants, recordings


async def test_duplicated_and_reordered_events_are_handled_once() -> None:
    clock, router = FakeClock(), EventRouter()
    handled: Counter[str] = Counter()
    trackers: dict[str, RoomTracker] = {}

    @router.on(Event)
    async def handle(event: Event) -> None:
        handled[event.id] += 1
        for tracker in trackers.values():
            tracker.feed(event)

    async with Emulator(clock=clock) as telnyx, RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
        async with aiohttp_receiver(router, telnyx.public_key) as url:
            rooms = [
                await client.rooms.create(
                    unique_name=f"Room {number}",
                    max_participants=50,
                    enable_recording=True,
                    webhook_event_url=f"{url}/telnyx/?room={number}",
                )
                for number in range(ROOMS)
            ]
            trackers.update({room.id: RoomTracker(room.id) for room in rooms})
            telnyx.inject_webhook_faults(
                WebhookFault(duplicates=1, reordered=True),
                times=None,
                when=lambda event: int(event.id[-4:], 16) % 3 == 0,
            )
            with FakeClock().fast_forward():  # no delivery times out on a busy machine
                simulate(telnyx, clock, rooms, random.Random(6))
                await telnyx.flush_webhooks()
                clock.advance(seconds=60)  # recordings are completed
                await telnyx.flush_webhooks()
        deliveries = Counter(delivery.event.id for delivery in telnyx.deliveries)
        assert {delivery.status for delivery in telnyx.deliveries} == {200}
        assert len(deliveries) > 200
        assert 0.1 < sum(count == 2 for count in deliveries.values()) / len(deliveries) < 0.6
        assert handled == dict.fromkeys(deliveries, 1)
        for room in rooms:
            session, participants, recordings = await fetch_state(client, room)
            tracker = trackers[room.id]
            assert tracker.session == session
            assert {it.id: it for it in tracker.participants} == {it.id: it for it in participants}
            assert {it.id: without_unknown_fields(it) for it in tracker.recordings} == {
                it.id: it for it in recordings
            }
        assert any(tracker.session for tracker in trackers.values())
        assert {it.status for it in trackers[rooms[0].id].recordings} == {"completed", "processing"}


async def test_delivered_event_equals_the_signed_one(client: RoomsClient, telnyx: Emulator) -> None:
    webhooks = Webhooks(await client.public_key())
    delivery = await telnyx.deliver(
        "video.room.recording.completed", {"recording_id": "r", "size_mb": 5.6}, url="http://127.0.0.1:9/hook"
    )
    event = webhooks.unwrap(delivery.body, delivery.headers)
    assert isinstance(event, RoomRecordingCompleted)
    assert (event.payload.recording_id, event.payload.size_mb) == ("r", 5.6)
    again = await telnyx.deliver(event, url="http://127.0.0.1:9/hook")
    assert webhooks.unwrap(again.body, again.headers) == event
    assert Webhooks(PUBLIC_KEY).unwrap(*sign(event)) == event
