"""Webhooks: verified, parsed into typed events, and handled once.

    router = EventRouter()

    @router.on(RoomSessionEnded)
    async def ended(event: RoomSessionEnded) -> None:
        print(event.payload.session_id, event.payload.duration_secs)

    event = Webhooks().unwrap(body, headers)
    await router.dispatch(event)

The adapters for web frameworks are in `telnyx_rooms_async.integrations`, the event store for several
workers in `telnyx_rooms_async.webhooks.redis`, and signed webhooks for tests in
`telnyx_rooms_async.webhooks.testing`.

Guide: ``telnyx-rooms docs webhooks``, or the README.md of this folder.
"""

from telnyx_rooms_async.webhooks.events import (
    CompositionCompletedPayload,
    Event,
    ParticipantJoinedPayload,
    ParticipantLeftPayload,
    RecordingCompletedPayload,
    RecordingStartedPayload,
    RoomCompositionCompleted,
    RoomParticipantJoined,
    RoomParticipantLeft,
    RoomRecordingCompleted,
    RoomRecordingStarted,
    RoomSessionEnded,
    RoomSessionStarted,
    SessionEndedPayload,
    SessionStartedPayload,
    UnknownEvent,
)
from telnyx_rooms_async.webhooks.receiver import BODY_LIMIT
from telnyx_rooms_async.webhooks.room_tracker import RoomTracker
from telnyx_rooms_async.webhooks.router import EventRouter
from telnyx_rooms_async.webhooks.signature import Webhooks
from telnyx_rooms_async.webhooks.stores import EventStore, MemoryEventStore

__all__ = [
    "BODY_LIMIT",
    "CompositionCompletedPayload",
    "Event",
    "EventRouter",
    "EventStore",
    "MemoryEventStore",
    "ParticipantJoinedPayload",
    "ParticipantLeftPayload",
    "RecordingCompletedPayload",
    "RecordingStartedPayload",
    "RoomCompositionCompleted",
    "RoomParticipantJoined",
    "RoomParticipantLeft",
    "RoomRecordingCompleted",
    "RoomRecordingStarted",
    "RoomSessionEnded",
    "RoomSessionStarted",
    "RoomTracker",
    "SessionEndedPayload",
    "SessionStartedPayload",
    "UnknownEvent",
    "Webhooks",
]
