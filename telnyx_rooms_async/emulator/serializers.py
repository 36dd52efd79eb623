"""State as JSON objects, in the field names of the Telnyx API reference."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final, TypeAlias

from telnyx_rooms_async.emulator.media import MediaFile
from telnyx_rooms_async.emulator.models import (
    CompositionState,
    ParticipantState,
    RecordingState,
    RoomState,
    SessionState,
)
from telnyx_rooms_async.emulator.table import RecordT, Selection
from telnyx_rooms_async.emulator.validation import Query

JsonObject: TypeAlias = Mapping[str, object]
LinkFactory: TypeAlias = Callable[[str], str]
"""Returns the presigned URL of a file, by its id."""

_BYTES_PER_MB: Final = 1_000_000
_DEFAULT_POSITION: Final = {"x_pos": 0, "y_pos": 0, "z_pos": 0}


def serialize_room(room: RoomState, sessions: Iterable[SessionState] | None = None) -> JsonObject:
    """Return a room, with its sessions unless they are ``None``."""
    active = room.active_session
    fields: dict[str, object] = {
        "id": room.id,
        "unique_name": room.unique_name,
        "max_participants": room.max_participants,
        "enable_recording": room.enable_recording,
        "active_session_id": active.id if active else None,
        "webhook_event_url": room.webhook_event_url,
        "webhook_event_failover_url": room.webhook_event_failover_url,
        "webhook_timeout_secs": room.webhook_timeout_secs,
        "created_at": timestamp(room.created_at),
        "updated_at": timestamp(room.updated_at),
        "record_type": "room",
    }
    if sessions is not None:
        fields["sessions"] = [serialize_session(session) for session in sessions]
    return fields


def serialize_session(
    session: SessionState, participants: Iterable[ParticipantState] | None = None
) -> JsonObject:
    """Return a session, with its participants unless they are ``None``."""
    fields: dict[str, object] = {
        "id": session.id,
        "room_id": session.room_id,
        "active": session.active,
        "created_at": timestamp(session.created_at),
        "updated_at": timestamp(session.updated_at),
        "record_type": "room_session",
    }
    if session.ended_at is not None:
        fields["ended_at"] = timestamp(session.ended_at)
    if participants is not None:
        fields["participants"] = [serialize_participant(participant) for participant in participants]
    return fields


def serialize_participant(participant: ParticipantState) -> JsonObject:
    """Return a participant."""
    fields = {
        "id": participant.id,
        "session_id": participant.session_id,
        "context": participant.context,
        "joined_at": timestamp(participant.joined_at),
        "updated_at": timestamp(participant.updated_at),
        "record_type": "room_participant",
    }
    if participant.left_at is not None:
        fields["left_at"] = timestamp(participant.left_at)
    return fields


def serialize_recording(recording: RecordingState, now: datetime, link: LinkFactory) -> JsonObject:
    """Return a recording, with a new link to its file if it is completed."""
    completed_at = recording.completed_at(now)
    return {
        "id": recording.id,
        "room_id": recording.room_id,
        "session_id": recording.session_id,
        "participant_id": recording.participant_id,
        "type": recording.type,
        "status": recording.status(now),
        "codec": recording.codec,
        "duration_secs": recording.duration_secs if completed_at else None,
        **serialize_file(recording.file if completed_at else None, link),
        "started_at": timestamp(recording.started_at),
        "ended_at": timestamp(recording.ended_at),
        "completed_at": timestamp(completed_at),
        "created_at": timestamp(recording.started_at),
        "updated_at": timestamp(completed_at or recording.ended_at or recording.started_at),
        "record_type": "room_recording",
    }


def serialize_composition(composition: CompositionState, now: datetime, link: LinkFactory) -> JsonObject:
    """Return a composition, with a new link to its file if it is completed."""
    started_at, completed_at = composition.started_at(now), composition.completed_at(now)
    return {
        "id": composition.id,
        "room_id": composition.room_id,
        "session_id": composition.session_id,
        "user_id": composition.user_id,
        "status": composition.status(now),
        "format": composition.format,
        "resolution": composition.resolution,
        "video_layout": {
            name: {**_DEFAULT_POSITION, **region} for name, region in composition.video_layout.items()
        },
        "audio_sources": composition.audio_sources,
        "duration_secs": composition.duration_secs if completed_at else None,
        **serialize_file(composition.file if completed_at else None, link),
        "webhook_event_url": composition.webhook_event_url,
        "webhook_event_failover_url": composition.webhook_event_failover_url,
        "webhook_timeout_secs": composition.webhook_timeout_secs,
        "started_at": timestamp(started_at),
        "ended_at": timestamp(completed_at),
        "completed_at": timestamp(completed_at),
        "created_at": timestamp(composition.created_at),
        "updated_at": timestamp(completed_at or started_at or composition.created_at),
        "record_type": "room_composition",
    }


def serialize_page(
    selection: Selection[RecordT], query: Query, serialize: Callable[[RecordT], JsonObject]
) -> JsonObject:
    """Return the page of a selection that a query asks for.

    Raises:
        ApiError: 422, if a page parameter or a filter that was read before is not valid.
    """
    number = query.number("page[number]", default=1, high=2**53)
    size = query.number("page[size]", default=20, high=250)
    query.raise_if_invalid()
    meta = {
        "page_number": number,
        "page_size": size,
        "total_pages": -(-len(selection) // size),
        "total_results": len(selection),
    }
    return {"data": [serialize(record) for record in selection.page((number - 1) * size, size)], "meta": meta}


def serialize_file(file: MediaFile | None, link: LinkFactory) -> JsonObject:
    """Return size and link of a file, both ``None`` if there is no file."""
    if file is None:
        return {"size_mb": None, "download_url": None}
    return {"size_mb": round(file.size / _BYTES_PER_MB, 2), "download_url": link(file.id)}


def timestamp(moment: datetime | None) -> str | None:
    """Return a time in UTC as ISO 8601 with microseconds."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
