"""Webhook events: frozen attrs classes, one for each event type.

Every field of a payload can be missing or null, and is then ``None``. Reasons, types and formats are open
strings. Fields that are not listed here are ignored. Telnyx sends events in any order, sometimes twice,
late or not at all: order them by ``occurred_at``, and recognise a duplicate by its ``id``. There is no
event for a recording or a composition that failed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Self, cast

from attrs import field, fields, frozen

from telnyx_rooms_async.errors import WebhookPayloadError
from telnyx_rooms_async.models import Model
from telnyx_rooms_async.serialization import DecodeError, Envelope, converter, parse_json


@frozen(kw_only=True, eq=False, repr=False)
class Event(Model):
    """Base class of all events.

    Example:
        >>> event = RoomSessionEnded(id="1", payload=SessionEndedPayload(duration_secs=60))
        >>> Event.from_dict(event.to_dict()) == event
        True
    """

    id: str
    """The same in every delivery of the event."""
    event_type: str
    """``"video.room.session.ended"``, for example."""
    occurred_at: datetime | None = None
    """When it happened: a participant of `RoomParticipantJoined` joined at this time."""
    attempt: int | None = field(default=None, eq=False)
    """Number of the delivery, counted by Telnyx. It does not take part in comparisons."""

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> Self:
        """Return the event of `to_dict`; `Event.from_dict` returns an event of the class for its type.

        Raises:
            DecodeError: a ValueError that names the path of every value that does not fit.
        """
        if cls is Event:
            return cast("Self", _class_of(data).from_dict(data))
        return super().from_dict(data)


@frozen(kw_only=True, eq=False, repr=False)
class UnknownEvent(Event):
    """An event of a type without a class in this library."""

    payload: Mapping[str, object] = field(factory=dict[str, object], hash=False, repr=False)
    """The payload as parsed JSON."""


@frozen(kw_only=True, eq=False, repr=False)
class _SessionPayload(Model):
    room_id: str | None = None
    """Id of the room."""
    session_id: str | None = None
    """Id of the session."""


@frozen(kw_only=True, eq=False, repr=False)
class _ParticipantPayload(_SessionPayload):
    participant_id: str | None = None
    """Id of the participant."""


@frozen(kw_only=True, eq=False, repr=False)
class _RecordingPayload(_ParticipantPayload):
    recording_id: str | None = None
    """Id of the recording."""
    type: str | None = None
    """``"audio"`` or ``"video"``: see `RecordingType`. `RoomRecordingCompleted` sometimes lacks it."""


@frozen(kw_only=True, eq=False, repr=False)
class SessionStartedPayload(_SessionPayload):
    """Payload of `RoomSessionStarted`."""


@frozen(kw_only=True, eq=False, repr=False)
class RoomSessionStarted(Event):
    """A first participant joined the room, which started a session."""

    event_type: str = "video.room.session.started"
    payload: SessionStartedPayload = SessionStartedPayload()


@frozen(kw_only=True, eq=False, repr=False)
class SessionEndedPayload(_SessionPayload):
    """Payload of `RoomSessionEnded`."""

    duration_secs: int | None = None
    """Length in seconds."""
    ended_reason: str | None = None
    """``"all participants left"``, ``"Ended from API"``, ``"stale"``, …"""


@frozen(kw_only=True, eq=False, repr=False)
class RoomSessionEnded(Event):
    """The last participant left, or the session was ended."""

    event_type: str = "video.room.session.ended"
    payload: SessionEndedPayload = SessionEndedPayload()


@frozen(kw_only=True, eq=False, repr=False)
class ParticipantJoinedPayload(_ParticipantPayload):
    """Payload of `RoomParticipantJoined`."""

    context: str | None = None
    """Text that the joining client sent: ``"Alice"``, or anything else, often JSON."""


@frozen(kw_only=True, eq=False, repr=False)
class RoomParticipantJoined(Event):
    """A participant joined a session."""

    event_type: str = "video.room.participant.joined"
    payload: ParticipantJoinedPayload = ParticipantJoinedPayload()


@frozen(kw_only=True, eq=False, repr=False)
class ParticipantLeftPayload(_ParticipantPayload):
    """Payload of `RoomParticipantLeft`."""

    context: str | None = None
    """Text of the joining client."""
    duration_secs: int | None = None
    """Seconds from joining to leaving."""
    left_reason: str | None = None
    """``"left"``, ``"kick"``, ``"kicked"``, …"""


@frozen(kw_only=True, eq=False, repr=False)
class RoomParticipantLeft(Event):
    """A participant left a session, or was removed from it."""

    event_type: str = "video.room.participant.left"
    payload: ParticipantLeftPayload = ParticipantLeftPayload()


@frozen(kw_only=True, eq=False, repr=False)
class RecordingStartedPayload(_RecordingPayload):
    """Payload of `RoomRecordingStarted`."""


@frozen(kw_only=True, eq=False, repr=False)
class RoomRecordingStarted(Event):
    """A recording started. The event can arrive after `RoomRecordingCompleted`."""

    event_type: str = "video.room.recording.started"
    payload: RecordingStartedPayload = RecordingStartedPayload()


@frozen(kw_only=True, eq=False, repr=False)
class RecordingCompletedPayload(_RecordingPayload):
    """Payload of `RoomRecordingCompleted`."""

    codec: str | None = None
    """``"opus"``, ``"vp8"``, …"""
    duration_secs: int | None = None
    """Length in seconds."""
    size_mb: float | None = None
    """Size in megabytes, rounded."""
    download_url: str | None = field(default=None, repr=False)
    """A secret: the URL is enough to download the file, for one hour."""


@frozen(kw_only=True, eq=False, repr=False)
class RoomRecordingCompleted(Event):
    """A recording can be downloaded."""

    event_type: str = "video.room.recording.completed"
    payload: RecordingCompletedPayload = RecordingCompletedPayload()


@frozen(kw_only=True, eq=False, repr=False)
class CompositionCompletedPayload(_SessionPayload):
    """Payload of `RoomCompositionCompleted`. Its ``room_id`` is sometimes missing."""

    composition_id: str | None = None
    """Id of the composition."""
    download_url: str | None = field(default=None, repr=False)
    """A secret: the URL is enough to download the file, for one hour."""
    duration_secs: int | None = None
    """Length in seconds."""
    format: str | None = None
    """``"mp4"``."""
    resolution: str | None = None
    """Width and height in pixels: ``"1280x720"``."""
    size_mb: float | None = None
    """Size in megabytes, rounded."""


@frozen(kw_only=True, eq=False, repr=False)
class RoomCompositionCompleted(Event):
    """A composition can be downloaded."""

    event_type: str = "video.room.composition.completed"
    payload: CompositionCompletedPayload = CompositionCompletedPayload()


EVENT_CLASSES: Final[Mapping[str, type[Event]]] = {
    fields(event_class).event_type.default: event_class
    for event_class in (
        RoomSessionStarted,
        RoomSessionEnded,
        RoomParticipantJoined,
        RoomParticipantLeft,
        RoomRecordingStarted,
        RoomRecordingCompleted,
        RoomCompositionCompleted,
    )
}
"""The class of each event type."""


def parse_event(body: bytes) -> Event:
    """Parse the body of a verified webhook into the class of its ``event_type``, or an `UnknownEvent`.

    Raises:
        WebhookPayloadError: the body is not JSON, or not an event.
    """
    try:
        envelope = parse_json(body)
        body_fields = _as_dict(envelope)
        # Examples of the API reference show the event without the envelope.
        data = body_fields if "event_type" in body_fields else _as_dict(body_fields.get("data"))
        data = {name: value for name, value in data.items() if value is not None}
        if data:
            attempt = _as_dict(body_fields.get("meta")).get("attempt")
            envelope = {"data": {**data, "attempt": attempt if type(attempt) is int else None}}
        envelope_of: Any = Envelope  # a type checker cannot follow a class that is chosen here
        event: Event = converter.structure_json(envelope, envelope_of[_class_of(data)]).data
    except DecodeError as error:
        raise WebhookPayloadError(error.args) from None
    if not event.id:
        raise WebhookPayloadError(("$.data.id: empty",))
    return event


def _class_of(data: Mapping[str, object]) -> type[Event]:
    return EVENT_CLASSES.get(str(data.get("event_type")), UnknownEvent)


def _as_dict(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
