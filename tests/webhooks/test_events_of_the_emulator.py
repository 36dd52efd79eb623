"""From a room to an app: what happens in the emulator arrives, is handled once, and makes the same state."""

import random
from collections import Counter

from attrs import evolve

from telnyx_rooms_async import (
    Event,
    EventRouter,
    Room,
    RoomParticipant,
    RoomRecording,
    RoomRecordingCompleted,
    RoomsClient,
    RoomSession,
    RoomTracker,
    Webhooks,
)
from telnyx_rooms_async.emulator import Emulator, WebhookFault
from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY, signed
from tests.helpers.clocks import FakeClock
from tests.helpers.web_servers import ServeReceiver

ROOMS = 5
PEOPLE = 200


def live(telnyx: Emulator, clock: FakeClock, rooms: list[Room], dice: random.Random) -> None:
    """Let people come and go, most of them alone and for a short while; some stay."""
    present: list[str] = []
    for number in range(PEOPLE):
        clock.advance(seconds=1)
        room = rooms[dice.randrange(ROOMS)]
        present.append(telnyx.join(room.id, context=f"Person {number}").id)
        while len(present) > dice.randrange(12):
            clock.advance(seconds=1)
            telnyx.leave(present.pop(dice.randrange(len(present))))
    clock.advance(seconds=2)
    for _ in range(3):
        telnyx.join(rooms[0].id, context="Who stays")


def known(recording: RoomRecording) -> RoomRecording:
    """Return what events can tell of a recording: its codec only at the end, and never the same link."""
    return evolve(
        recording,
        codec=recording.codec if recording.status == "completed" else None,
        download_url=None,
        ended_at=None,
        created_at=None,
        updated_at=None,
        record_type=None,
    )


async def fetched(
    client: RoomsClient, room: Room
) -> tuple[RoomSession | None, list[RoomParticipant], list[RoomRecording]]:
    """Ask for what a timeline knows."""
    sessions = [session async for session in client.rooms.sessions(room.id, active=True)]
    people = [
        evolve(person, updated_at=None, record_type=None)
        for session in sessions
        async for person in client.sessions.participants(session.id)
        if person.left_at is None
    ]
    recordings = [known(recording) async for recording in client.recordings.list(room_id=room.id)]
    bare = [evolve(session, updated_at=None, record_type=None) for session in sessions]
    return next(iter(bare), None), people, recordings


async def test_a_thousand_events_are_handled_once(serve: ServeReceiver) -> None:
    """Of 1000 events and more a third comes twice and shuffled: each is handled once, the state is true."""
    clock, router = FakeClock(), EventRouter()
    handled: Counter[str] = Counter()
    timelines: dict[str, RoomTracker] = {}
    dice = random.Random(6)

    @router.on(Event)
    async def handle(event: Event) -> None:
        handled[event.id] += 1
        for timeline in timelines.values():
            timeline.feed(event)

    async with Emulator(clock=clock) as telnyx, RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
        async with serve(router, telnyx.public_key) as url:
            rooms = [
                await client.rooms.create(
                    unique_name=f"Room {number}",
                    max_participants=50,
                    enable_recording=True,
                    webhook_event_url=f"{url}/telnyx/?room={number}",
                )
                for number in range(ROOMS)
            ]
            timelines.update({room.id: RoomTracker(room.id) for room in rooms})
            telnyx.script_webhooks(
                WebhookFault(copies=2, shuffled=True),
                times=None,
                when=lambda event: int(event.id[-4:], 16) % 3 == 0,
            )
            live(telnyx, clock, rooms, dice)
            await telnyx.settle()
            clock.advance(seconds=60)  # so that recordings are completed
            await telnyx.settle()
        told = Counter(delivery.event.id for delivery in telnyx.deliveries)
        assert {delivery.status for delivery in telnyx.deliveries} == {200}
        assert len(told) > 1000
        assert 0.25 < sum(times == 2 for times in told.values()) / len(told) < 0.42
        assert handled == dict.fromkeys(told, 1)
        for room in rooms:
            session, people, recordings = await fetched(client, room)
            timeline = timelines[room.id]
            assert timeline.session == session
            assert {it.id: it for it in timeline.participants} == {it.id: it for it in people}
            assert {it.id: known(it) for it in timeline.recordings} == {it.id: it for it in recordings}
        assert any(timeline.session for timeline in timelines.values())
        assert {it.status for it in timelines[rooms[0].id].recordings} == {"completed", "processing"}


async def test_what_is_signed_by_hand_is_what_the_emulator_sends(
    client: RoomsClient, telnyx: Emulator
) -> None:
    """An event reads the same, signed for a test or delivered; the key that the account shows verifies it."""
    webhooks = Webhooks(await client.public_key())
    delivery = await telnyx.deliver(
        "video.room.recording.completed", {"recording_id": "r", "size_mb": 5.6}, url="http://127.0.0.1:9/hook"
    )
    event = webhooks.unwrap(delivery.body, delivery.headers)
    assert isinstance(event, RoomRecordingCompleted)
    assert (event.payload.recording_id, event.payload.size_mb) == ("r", 5.6)
    again = await telnyx.deliver(event, url="http://127.0.0.1:9/hook")
    assert webhooks.unwrap(again.body, again.headers) == event
    assert Webhooks(PUBLIC_KEY).unwrap(*signed(event)) == event
