"""What happens in the emulated account, as the seven kinds of events that tell of it. No HTTP.

Written from the schemas of the API reference: its examples carry wrong event types.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

from telnyx_rooms_async.emulator.states import (
    CompositionState,
    ParticipantState,
    RecordingState,
    SessionState,
)
from telnyx_rooms_async.emulator.views import Link, file_view
from telnyx_rooms_async.emulator.webhooks import WebhookEvent


class EventType(StrEnum):
    """The kinds of events."""

    SESSION_STARTED = "video.room.session.started"
    SESSION_ENDED = "video.room.session.ended"
    PARTICIPANT_JOINED = "video.room.participant.joined"
    PARTICIPANT_LEFT = "video.room.participant.left"
    RECORDING_STARTED = "video.room.recording.started"
    RECORDING_COMPLETED = "video.room.recording.completed"
    COMPOSITION_COMPLETED = "video.room.composition.completed"


# What production was seen to tell.
ALL_LEFT: Final = "all participants left"
ENDED_FROM_API: Final = "Ended from API"
LEFT: Final = "left"
KICKED: Final = "kicked"


def session_started(session: SessionState) -> WebhookEvent:
    """Tell that the first one came."""
    return _event(EventType.SESSION_STARTED, session.created_at, _of_session(session))


def session_ended(session: SessionState, at: datetime, reason: str) -> WebhookEvent:
    """Tell that the last one went, and why."""
    lasted = {"duration_secs": _seconds(session.created_at, at), "ended_reason": reason}
    return _event(EventType.SESSION_ENDED, at, {**_of_session(session), **lasted})


def participant_joined(person: ParticipantState, session: SessionState) -> WebhookEvent:
    """Tell that someone came."""
    return _event(EventType.PARTICIPANT_JOINED, person.joined_at, _of_participant(person, session))


def participant_left(
    person: ParticipantState, session: SessionState, at: datetime, reason: str
) -> WebhookEvent:
    """Tell that someone went, and why."""
    stayed = {"duration_secs": _seconds(person.joined_at, at), "left_reason": reason}
    return _event(EventType.PARTICIPANT_LEFT, at, {**_of_participant(person, session), **stayed})


def recording_started(recording: RecordingState) -> WebhookEvent:
    """Tell that someone's sound or picture is recorded."""
    return _event(EventType.RECORDING_STARTED, recording.started_at, _of_recording(recording))


def recording_completed(recording: RecordingState, at: datetime, link: Link) -> WebhookEvent:
    """Tell that a recording can be fetched."""
    made = {
        "codec": recording.codec,
        "duration_secs": recording.duration_secs,
        **file_view(recording.file, link),
    }
    return _event(EventType.RECORDING_COMPLETED, at, {**_of_recording(recording), **made})


def composition_completed(composition: CompositionState, at: datetime, link: Link) -> WebhookEvent:
    """Tell that a composition can be fetched."""
    payload = {
        "room_id": composition.room_id,
        "session_id": composition.session_id,
        "composition_id": composition.id,
        "format": composition.format,
        "resolution": composition.resolution,
        "duration_secs": composition.duration_secs,
        **file_view(composition.file, link),
    }
    return _event(EventType.COMPOSITION_COMPLETED, at, payload)


def _event(event_type: EventType, at: datetime, payload: dict[str, object]) -> WebhookEvent:
    return WebhookEvent.of({"event_type": event_type.value, "payload": payload}, at)


def _of_session(session: SessionState) -> dict[str, object]:
    return {"room_id": session.room_id, "session_id": session.id}


def _of_participant(person: ParticipantState, session: SessionState) -> dict[str, object]:
    return {**_of_session(session), "participant_id": person.id, "context": person.context}


def _of_recording(recording: RecordingState) -> dict[str, object]:
    return {
        "room_id": recording.room_id,
        "session_id": recording.session_id,
        "participant_id": recording.participant_id,
        "recording_id": recording.id,
        "type": recording.type,
    }


def _seconds(since: datetime, until: datetime) -> int:
    return int((until - since).total_seconds())
