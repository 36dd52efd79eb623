"""What Telnyx tells by itself: the events of a room, as inert, frozen values.

No field of a payload is certain: any may be missing or null, and is then ``None``. Reasons, types and
formats are open strings. Fields that are not listed here are passed over. Telnyx delivers events in any
order, some of them twice, some late, and at times one never: order them by ``occurred_at``, and know a
repeated one by its ``id``. There is none for a recording or a composition that failed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from attrs import field, frozen


@frozen(kw_only=True)
class Event:
    """Whatever Telnyx tells by itself."""

    id: str
    """The same in each delivery of the event."""
    event_type: str
    occurred_at: datetime | None = None
    attempt: int | None = field(default=None, eq=False)
    """Which delivery this is, as Telnyx counts; it tells no event from another."""


@frozen(kw_only=True)
class UnknownEvent(Event):
    """An event that this library has no class for."""

    payload: Mapping[str, object] = field(factory=dict[str, object], hash=False, repr=False)
    """As it came: whatever JSON holds."""


@frozen(kw_only=True)
class SessionStartedPayload:
    """Which session started, and where."""

    room_id: str | None = None
    session_id: str | None = None


@frozen(kw_only=True)
class RoomSessionStarted(Event):
    """Somebody joined a room in which nobody was."""

    event_type: str = "video.room.session.started"
    payload: SessionStartedPayload = SessionStartedPayload()


@frozen(kw_only=True)
class SessionEndedPayload:
    """Which session ended, and why."""

    room_id: str | None = None
    session_id: str | None = None
    duration_secs: int | None = None
    ended_reason: str | None = None
    """``"all participants left"``, ``"Ended from API"``, ``"stale"``, …"""


@frozen(kw_only=True)
class RoomSessionEnded(Event):
    """The last one left, or the session was ended."""

    event_type: str = "video.room.session.ended"
    payload: SessionEndedPayload = SessionEndedPayload()


@frozen(kw_only=True)
class ParticipantJoinedPayload:
    """Who joined."""

    room_id: str | None = None
    session_id: str | None = None
    participant_id: str | None = None
    context: str | None = None
    """What the joining client said of itself: ``"Alice"``, or any text, often JSON."""


@frozen(kw_only=True)
class RoomParticipantJoined(Event):
    """Somebody joined a session."""

    event_type: str = "video.room.participant.joined"
    payload: ParticipantJoinedPayload = ParticipantJoinedPayload()


@frozen(kw_only=True)
class ParticipantLeftPayload:
    """Who left, and why."""

    room_id: str | None = None
    session_id: str | None = None
    participant_id: str | None = None
    context: str | None = None
    duration_secs: int | None = None
    left_reason: str | None = None
    """``"left"``, ``"kick"``, ``"kicked"``, …"""


@frozen(kw_only=True)
class RoomParticipantLeft(Event):
    """Somebody left a session, or was sent out of it."""

    event_type: str = "video.room.participant.left"
    payload: ParticipantLeftPayload = ParticipantLeftPayload()


@frozen(kw_only=True)
class RecordingStartedPayload:
    """What is being recorded, and of whom."""

    room_id: str | None = None
    session_id: str | None = None
    participant_id: str | None = None
    recording_id: str | None = None
    type: str | None = None
    """``"audio"`` or ``"video"``: see `RecordingType`."""


@frozen(kw_only=True)
class RoomRecordingStarted(Event):
    """A recording began. It may be told after the end of it."""

    event_type: str = "video.room.recording.started"
    payload: RecordingStartedPayload = RecordingStartedPayload()


@frozen(kw_only=True)
class RecordingCompletedPayload:
    """What was recorded, and where it is."""

    room_id: str | None = None
    session_id: str | None = None
    participant_id: str | None = None
    recording_id: str | None = None
    type: str | None = None
    """``"audio"`` or ``"video"``. It has been seen to be missing here."""
    codec: str | None = None
    duration_secs: int | None = None
    size_mb: float | None = None
    download_url: str | None = field(default=None, repr=False)
    """A secret: whoever has it can download, for one hour."""


@frozen(kw_only=True)
class RoomRecordingCompleted(Event):
    """A recording can be downloaded."""

    event_type: str = "video.room.recording.completed"
    payload: RecordingCompletedPayload = RecordingCompletedPayload()


@frozen(kw_only=True)
class CompositionCompletedPayload:
    """What was composed, and where it is."""

    room_id: str | None = None
    """It has been seen to be missing: know the composition by its own id."""
    session_id: str | None = None
    composition_id: str | None = None
    download_url: str | None = field(default=None, repr=False)
    """A secret: whoever has it can download, for one hour."""
    duration_secs: int | None = None
    format: str | None = None
    resolution: str | None = None
    size_mb: float | None = None


@frozen(kw_only=True)
class RoomCompositionCompleted(Event):
    """A composition can be downloaded."""

    event_type: str = "video.room.composition.completed"
    payload: CompositionCompletedPayload = CompositionCompletedPayload()


EVENT_CLASSES: Final[Mapping[str, type[Event]]] = {
    "video.room.session.started": RoomSessionStarted,
    "video.room.session.ended": RoomSessionEnded,
    "video.room.participant.joined": RoomParticipantJoined,
    "video.room.participant.left": RoomParticipantLeft,
    "video.room.recording.started": RoomRecordingStarted,
    "video.room.recording.completed": RoomRecordingCompleted,
    "video.room.composition.completed": RoomCompositionCompleted,
}
"""By their names on the wire."""
