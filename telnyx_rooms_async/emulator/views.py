"""How the emulated Telnyx shows what it remembers, in the field names of its API reference."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias, TypeVar

from telnyx_rooms_async.emulator.account import ParticipantState, RoomState, SessionState
from telnyx_rooms_async.emulator.checks import Query

View: TypeAlias = Mapping[str, object]
State = TypeVar("State")


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
        "created_at": _instant(room.created_at),
        "updated_at": _instant(room.updated_at),
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
        "created_at": _instant(session.created_at),
        "updated_at": _instant(session.updated_at),
        "record_type": "room_session",
    }
    if session.ended_at is not None:
        view["ended_at"] = _instant(session.ended_at)
    if include_participants:
        view["participants"] = [participant_view(person) for person in session.participants]
    return view


def participant_view(person: ParticipantState) -> View:
    """Show a participant."""
    view = {
        "id": person.id,
        "session_id": person.session_id,
        "context": person.context,
        "joined_at": _instant(person.joined_at),
        "updated_at": _instant(person.updated_at),
        "record_type": "room_participant",
    }
    return view if person.left_at is None else {**view, "left_at": _instant(person.left_at)}


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


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
