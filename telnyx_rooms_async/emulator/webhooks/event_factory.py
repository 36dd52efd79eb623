"""Events of the emulator, as the schemas of the API reference define them. No HTTP.

The examples of the API reference have wrong event types, and are not followed.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self, cast
from uuid import uuid4

from attrs import AttrsInstance, asdict, field, frozen, has

from telnyx_rooms_async.emulator.models import (
    CompositionState,
    ParticipantState,
    RecordingState,
    SessionState,
)
from telnyx_rooms_async.emulator.serializers import LinkFactory, serialize_file, timestamp
from telnyx_rooms_async.serialization import encode_json

_EVENT_ATTRIBUTES: Final = ("record_type", "event_type", "id", "occurred_at")

# Reasons as seen in production.
ALL_LEFT: Final = "all participants left"
ENDED_FROM_API: Final = "Ended from API"
LEFT: Final = "left"
KICKED: Final = "kicked"


class EventType(StrEnum):
    """Event types of Telnyx Video."""

    SESSION_STARTED = "video.room.session.started"
    SESSION_ENDED = "video.room.session.ended"
    PARTICIPANT_JOINED = "video.room.participant.joined"
    PARTICIPANT_LEFT = "video.room.participant.left"
    RECORDING_STARTED = "video.room.recording.started"
    RECORDING_COMPLETED = "video.room.recording.completed"
    COMPOSITION_COMPLETED = "video.room.composition.completed"


@frozen(kw_only=True)
class WebhookEvent:
    """An event. All deliveries of it have the same id."""

    event_type: str
    id: str
    # Payloads have links to recordings.
    data: Mapping[str, object] = field(repr=False)
    """Everything under ``data`` in the envelope."""

    @classmethod
    def create(cls, data: Mapping[str, object], now: datetime) -> Self:
        """Return an event with its type and payload from `data`, and generate what is missing.

        Raises:
            ValueError: there is no event type.
        """
        event_type = data.get("event_type")
        if not isinstance(event_type, str):
            raise ValueError(f"event_type must be a string, not {event_type!r}")  # noqa: TRY004 - a value in a mapping
        event_id = data.get("id", str(uuid4()))
        defaults: dict[str, object] = {
            "record_type": "event",
            "event_type": event_type,
            "id": event_id,
            "occurred_at": timestamp(now),
            "payload": {},
        }
        return cls(event_type=event_type, id=str(event_id), data={**defaults, **data})

    @property
    def payload(self) -> Mapping[str, Any]:
        """The payload; empty if it is not an object."""
        payload = self.data["payload"]
        return cast("Mapping[str, Any]", payload) if isinstance(payload, Mapping) else {}

    def envelope(self, attempt: int, url: str) -> bytes:
        """Return the body of an attempt."""
        return encode_json({"data": self.data, "meta": {"attempt": attempt, "delivered_to": url}})


def to_event(source: object, payload: object, now: datetime) -> WebhookEvent:
    """Return the event that an object describes.

    Args:
        source: an event; a mapping, with or without envelope; an object with the attributes of an event; or
            an event type.
        payload: payload for an event type.
        now: time of the event, unless `source` has one.

    Raises:
        ValueError: there is no event type.
    """
    if isinstance(source, WebhookEvent):
        return source
    if isinstance(source, str):
        return WebhookEvent.create({"event_type": source, "payload": _fields(payload)}, now)
    if isinstance(source, Mapping):
        mapping = cast("Mapping[str, object]", source)
        data = mapping.get("data")
        return WebhookEvent.create(
            cast("Mapping[str, object]", data) if isinstance(data, Mapping) else mapping, now
        )
    attributes = {name: getattr(source, name, None) for name in _EVENT_ATTRIBUTES}
    data = {name: value for name, value in attributes.items() if value is not None}
    return WebhookEvent.create({**data, "payload": _fields(getattr(source, "payload", None))}, now)


def _fields(payload: object) -> Mapping[str, object]:
    """Return the fields of a mapping or an object, those of an object without ``None``."""
    if payload is None or isinstance(payload, Mapping):
        return cast("Mapping[str, object]", payload or {})
    fields = asdict(cast("AttrsInstance", payload)) if has(type(payload)) else vars(payload)
    return {name: value for name, value in fields.items() if value is not None}


# --- one function for each event type ---------------------------------------------------------------------


def session_started(session: SessionState) -> WebhookEvent:
    """Return the event of a session that started."""
    return _event(EventType.SESSION_STARTED, session.created_at, _session_fields(session))


def session_ended(session: SessionState, at: datetime, reason: str) -> WebhookEvent:
    """Return the event of a session that ended."""
    payload = {
        **_session_fields(session),
        "duration_secs": _seconds(session.created_at, at),
        "ended_reason": reason,
    }
    return _event(EventType.SESSION_ENDED, at, payload)


def participant_joined(participant: ParticipantState, session: SessionState) -> WebhookEvent:
    """Return the event of a participant that joined."""
    payload = _participant_fields(participant, session)
    return _event(EventType.PARTICIPANT_JOINED, participant.joined_at, payload)


def participant_left(
    participant: ParticipantState, session: SessionState, at: datetime, reason: str
) -> WebhookEvent:
    """Return the event of a participant that left."""
    payload = {
        **_participant_fields(participant, session),
        "duration_secs": _seconds(participant.joined_at, at),
        "left_reason": reason,
    }
    return _event(EventType.PARTICIPANT_LEFT, at, payload)


def recording_started(recording: RecordingState) -> WebhookEvent:
    """Return the event of a recording that started."""
    return _event(EventType.RECORDING_STARTED, recording.started_at, _recording_fields(recording))


def recording_completed(recording: RecordingState, at: datetime, link: LinkFactory) -> WebhookEvent:
    """Return the event of a recording that is completed."""
    payload = {
        **_recording_fields(recording),
        "codec": recording.codec,
        "duration_secs": recording.duration_secs,
        **serialize_file(recording.file, link),
    }
    return _event(EventType.RECORDING_COMPLETED, at, payload)


def composition_completed(composition: CompositionState, at: datetime, link: LinkFactory) -> WebhookEvent:
    """Return the event of a composition that is completed."""
    payload = {
        "room_id": composition.room_id,
        "session_id": composition.session_id,
        "composition_id": composition.id,
        "format": composition.format,
        "resolution": composition.resolution,
        "duration_secs": composition.duration_secs,
        **serialize_file(composition.file, link),
    }
    return _event(EventType.COMPOSITION_COMPLETED, at, payload)


def _event(event_type: EventType, at: datetime, payload: dict[str, object]) -> WebhookEvent:
    return WebhookEvent.create({"event_type": event_type.value, "payload": payload}, at)


def _session_fields(session: SessionState) -> dict[str, object]:
    return {"room_id": session.room_id, "session_id": session.id}


def _participant_fields(participant: ParticipantState, session: SessionState) -> dict[str, object]:
    return {
        **_session_fields(session),
        "participant_id": participant.id,
        "context": participant.context,
    }


def _recording_fields(recording: RecordingState) -> dict[str, object]:
    return {
        "room_id": recording.room_id,
        "session_id": recording.session_id,
        "participant_id": recording.participant_id,
        "recording_id": recording.id,
        "type": recording.type,
    }


def _seconds(since: datetime, until: datetime) -> int:
    return int((until - since).total_seconds())
