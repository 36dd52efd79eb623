"""How the emulated Telnyx shows what it remembers, in the field names of its API reference."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias, TypeVar

from telnyx_rooms_async.emulator.media import MediaFile
from telnyx_rooms_async.emulator.queries import Query
from telnyx_rooms_async.emulator.states import (
    CompositionState,
    ParticipantState,
    RecordingState,
    RoomState,
    SessionState,
)

View: TypeAlias = Mapping[str, object]
Link: TypeAlias = Callable[[str], str]
"""Makes the presigned URL of a file."""
State = TypeVar("State")

_BYTES_OF_A_MB: Final = 1_000_000
_CORNER: Final = {"x_pos": 0, "y_pos": 0, "z_pos": 0}
"""Where a region is unless it is told."""


def room_view(room: RoomState, *, include_sessions: bool = False) -> View:
    """Show a room; its sessions only when asked for."""
    active = room.active_session
    view: dict[str, object] = {
        "id": room.id,
        "unique_name": room.unique_name,
        "max_participants": room.max_participants,
        "enable_recording": room.enable_recording,
        "active_session_id": active.id if active else None,
        "webhook_event_url": room.webhook_event_url,
        "webhook_event_failover_url": room.webhook_event_failover_url,
        "webhook_timeout_secs": room.webhook_timeout_secs,
        "created_at": instant(room.created_at),
        "updated_at": instant(room.updated_at),
        "record_type": "room",
    }
    if include_sessions:
        view["sessions"] = [session_view(session) for session in room.sessions]
    return view


def session_view(session: SessionState, *, include_participants: bool = False) -> View:
    """Show a session; its participants only when asked for."""
    view: dict[str, object] = {
        "id": session.id,
        "room_id": session.room_id,
        "active": session.active,
        "created_at": instant(session.created_at),
        "updated_at": instant(session.updated_at),
        "record_type": "room_session",
    }
    if session.ended_at is not None:
        view["ended_at"] = instant(session.ended_at)
    if include_participants:
        view["participants"] = [participant_view(person) for person in session.participants]
    return view


def participant_view(person: ParticipantState) -> View:
    """Show a participant."""
    view = {
        "id": person.id,
        "session_id": person.session_id,
        "context": person.context,
        "joined_at": instant(person.joined_at),
        "updated_at": instant(person.updated_at),
        "record_type": "room_participant",
    }
    return view if person.left_at is None else {**view, "left_at": instant(person.left_at)}


def recording_view(recording: RecordingState, now: datetime, link: Link) -> View:
    """Show a recording; when it is completed, with a link that is good for an hour from now."""
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
        **file_view(recording.file if completed_at else None, link),
        "started_at": instant(recording.started_at),
        "ended_at": instant(recording.ended_at),
        "completed_at": instant(completed_at),
        "created_at": instant(recording.started_at),
        "updated_at": instant(completed_at or recording.ended_at or recording.started_at),
        "record_type": "room_recording",
    }


def composition_view(composition: CompositionState, now: datetime, link: Link) -> View:
    """Show a composition; when it is completed, with a link that is good for an hour from now."""
    started_at, completed_at = composition.started_at(now), composition.completed_at(now)
    return {
        "id": composition.id,
        "room_id": composition.room_id,
        "session_id": composition.session_id,
        "user_id": composition.user_id,
        "status": composition.status(now),
        "format": composition.format,
        "resolution": composition.resolution,
        "video_layout": {name: {**_CORNER, **told} for name, told in composition.video_layout.items()},
        "audio_sources": composition.audio_sources,
        "duration_secs": composition.duration_secs if completed_at else None,
        **file_view(composition.file if completed_at else None, link),
        "webhook_event_url": composition.webhook_event_url,
        "webhook_event_failover_url": composition.webhook_event_failover_url,
        "webhook_timeout_secs": composition.webhook_timeout_secs,
        "started_at": instant(started_at),
        "ended_at": instant(completed_at),
        "completed_at": instant(completed_at),
        "created_at": instant(composition.created_at),
        "updated_at": instant(completed_at or started_at or composition.created_at),
        "record_type": "room_composition",
    }


def page_view(found: Sequence[State], query: Query, show: Callable[[State], View]) -> View:
    """Show the page of what was found that the query asks for.

    Raises:
        RefusalError: 422, for what is wrong with the page or any filter read before.
    """
    number, size = query.number("page[number]", 1, 2**53), query.number("page[size]", 20, 250)
    query.refuse_if_wrong()
    first = (number - 1) * size
    meta = {
        "page_number": number,
        "page_size": size,
        "total_pages": -(-len(found) // size),
        "total_results": len(found),
    }
    return {"data": [show(each) for each in found[first : first + size]], "meta": meta}


def file_view(file: MediaFile | None, link: Link) -> View:
    """Show the two fields that tell of a file."""
    if file is None:
        return {"size_mb": None, "download_url": None}
    return {"size_mb": round(file.size / _BYTES_OF_A_MB, 2), "download_url": link(file.id)}


def instant(moment: datetime | None) -> str | None:
    """Show when something was."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
