"""What the emulated Telnyx remembers: rooms, their sessions, and who is in them. No HTTP."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import uuid4

from attrs import define, field

Clock: TypeAlias = Callable[[], datetime]


def _new_id() -> str:
    return str(uuid4())


@define(kw_only=True)
class ParticipantState:
    """A participant as they are now."""

    id: str = field(factory=_new_id)
    session_id: str
    context: str
    joined_at: datetime
    updated_at: datetime
    left_at: datetime | None = None


@define(kw_only=True)
class SessionState:
    """A session as it is now."""

    id: str = field(factory=_new_id)
    room_id: str
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None = None
    participants: list[ParticipantState] = field(factory=list[ParticipantState], repr=False)

    @property
    def active(self) -> bool:
        """Whether it is going on."""
        return self.ended_at is None

    @property
    def present(self) -> Iterator[ParticipantState]:
        """Who is in it now."""
        return (person for person in self.participants if person.left_at is None)


@define(kw_only=True)
class RoomState:
    """A room as it is now."""

    id: str = field(factory=_new_id)
    unique_name: str | None = None
    max_participants: int = 10
    enable_recording: bool = False
    webhook_event_url: str | None = None
    webhook_event_failover_url: str | None = ""
    webhook_timeout_secs: int | None = None
    created_at: datetime
    updated_at: datetime
    sessions: list[SessionState] = field(factory=list[SessionState], repr=False)

    @property
    def active_session(self) -> SessionState | None:
        """The session that has not ended."""
        return next((session for session in self.sessions if session.active), None)


class Account:
    """One customer's rooms."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._names: dict[str, str] = {}
        self._participants: dict[str, tuple[SessionState, ParticipantState]] = {}
        self.rooms: dict[str, RoomState] = {}

    def is_name_free(self, name: str, *, for_room: str | None = None) -> bool:
        """Tell whether no room, other than the one it is for, has this name."""
        return self._names.get(name, for_room) == for_room

    def create_room(self, fields: dict[str, object]) -> RoomState:
        """Make a room out of checked fields."""
        now = self._now()
        room = RoomState(created_at=now, updated_at=now)
        self.rooms[room.id] = room
        self._change(room, fields)
        return room

    def update_room(self, room: RoomState, fields: dict[str, object]) -> None:
        """Set checked fields of a room."""
        self._change(room, fields)
        room.updated_at = self._now()

    def delete_room(self, room: RoomState) -> None:
        """Forget a room; its session ends, and its name is free again."""
        if room.active_session is not None:
            self._end(room.active_session)
        del self.rooms[room.id]
        self._names.pop(room.unique_name or "", None)

    def join(self, room_id: str, context: str) -> ParticipantState:
        """Let someone into a room; the first one in opens a session.

        Raises:
            LookupError: there is no such room.
            ValueError: the room is full.
        """
        room = self.rooms.get(room_id)
        if room is None:
            raise LookupError(f"no room has the id {room_id!r}")
        now = self._now()
        session = room.active_session
        if session is None:
            session = SessionState(room_id=room.id, created_at=now, updated_at=now)
            room.sessions.append(session)
        if sum(1 for _ in session.present) >= room.max_participants:
            raise ValueError(f"the room is full: it takes {room.max_participants}")
        person = ParticipantState(session_id=session.id, context=context, joined_at=now, updated_at=now)
        session.participants.append(person)
        session.updated_at = now
        self._participants[person.id] = session, person
        return person

    def leave(self, participant_id: str) -> None:
        """Let someone out; the last one out ends the session.

        Raises:
            LookupError: no such participant is in a session.
        """
        session, person = self._participants.get(participant_id, (None, None))
        if session is None or person is None or person.left_at is not None:
            raise LookupError(f"no participant in a session has the id {participant_id!r}")
        person.left_at = person.updated_at = session.updated_at = self._now()
        if not any(session.present):
            self._end(session)

    def _end(self, session: SessionState) -> None:
        now = self._now()
        for person in session.present:
            person.left_at = person.updated_at = now
        session.ended_at = session.updated_at = now

    def _change(self, room: RoomState, fields: dict[str, object]) -> None:
        self._names.pop(room.unique_name or "", None)
        for name, value in fields.items():
            setattr(room, name, value)
        if room.unique_name is not None:
            self._names[room.unique_name] = room.id

    def _now(self) -> datetime:
        return self._clock().astimezone(UTC)
