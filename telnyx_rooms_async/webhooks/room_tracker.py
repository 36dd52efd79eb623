"""What events come to, in whatever order they arrive. No I/O.

Of each thing the newest event of each kind is kept, and everything else is worked out of these. So order
and repetition make no difference: the newest of a few is the same however they are shuffled.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, TypeAlias, TypeVar

from attrs import define, field

from telnyx_rooms_async.core.validators import RoomId, exact_room_id, one_id
from telnyx_rooms_async.errors import InvalidArgumentError
from telnyx_rooms_async.models import RecordingStatus, RoomParticipant, RoomRecording, RoomSession
from telnyx_rooms_async.webhooks.events import (
    Event,
    RecordingCompletedPayload,
    RecordingStartedPayload,
    RoomParticipantJoined,
    RoomParticipantLeft,
    RoomRecordingCompleted,
    RoomRecordingStarted,
    RoomSessionEnded,
    RoomSessionStarted,
)

E = TypeVar("E", bound=Event)
Known: TypeAlias = (
    RoomSessionStarted
    | RoomSessionEnded
    | RoomParticipantJoined
    | RoomParticipantLeft
    | RoomRecordingStarted
    | RoomRecordingCompleted
)

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@define
class _Session:
    """What is known of one session: the newest event of each kind, by the id of what it is about."""

    id: str
    newest: dict[tuple[type[Event], str], Event] = field(factory=dict[tuple[type[Event], str], Event])
    is_of_the_room: bool = False

    def take(self, event: Event, about: str) -> None:
        """Keep an event, unless a newer one is known."""
        key = (type(event), about)
        if key not in self.newest or _age(self.newest[key]) < _age(event):
            self.newest[key] = event

    def of(self, kind: type[E]) -> Mapping[str, E]:
        """Return the events of a kind, by the id of what they are about."""
        return {about: event for (_, about), event in self.newest.items() if isinstance(event, kind)}

    @property
    def started(self) -> Event | None:
        """The event that told of its start."""
        return self.newest.get((RoomSessionStarted, self.id))

    @property
    def ended(self) -> bool:
        """Whether its end was told."""
        return (RoomSessionEnded, self.id) in self.newest

    @property
    def started_at(self) -> datetime:
        """When it started; while that was not told, no later than this."""
        return min(map(_when, self.newest.values())) if self.started is None else _when(self.started)

    @property
    def last_told_at(self) -> datetime:
        """When the newest of its events happened."""
        return max(map(_when, self.newest.values()))


class RoomTracker:
    """The live state of one room, worked out of its events: in any order, late, or more than once.

    Events of other rooms are passed over. What happened before the first event is not known, nor that a
    recording was deleted, as Telnyx does not tell.

    Args:
        room_id: the id of the room, or the room.
        limit: how many sessions are kept; the oldest that ended are forgotten first, and their recordings
            with them.

    Raises:
        InvalidArgumentError: `room_id` is no id.
    """

    def __init__(self, room_id: RoomId, *, limit: int = 1000) -> None:
        exact = exact_room_id(room_id)
        if wrong := one_id(exact):
            raise InvalidArgumentError((f"room_id {wrong}",))
        self.room_id: str = str(exact)
        self._limit = max(limit, 1)
        self._sessions: Final[dict[str, _Session]] = {}
        self._forgotten_until = _LONG_AGO

    def __repr__(self) -> str:
        return f"<RoomTracker of {self.room_id}: {len(self._sessions)} sessions>"

    def feed(self, event: Event) -> None:
        """Take an event in."""
        if not isinstance(event, Known) or event.payload.room_id not in (None, self.room_id):
            return
        about, session_id = _about(event), event.payload.session_id
        if about is None or session_id is None:
            return
        if session_id not in self._sessions and _when(event) < self._forgotten_until:
            return
        session = self._sessions.setdefault(session_id, _Session(session_id))
        session.take(event, about)
        session.is_of_the_room |= event.payload.room_id is not None
        if len(self._sessions) > self._limit:
            self._forget_one()

    @property
    def session(self) -> RoomSession | None:
        """The session that goes on, if one does."""
        current = self._current
        if current is None:
            return None
        told = current.started
        created_at = told.occurred_at if told else None
        return RoomSession(id=current.id, room_id=self.room_id, active=True, created_at=created_at)

    @property
    def participants(self) -> tuple[RoomParticipant, ...]:
        """Who is in it now, in the order of their joining."""
        current = self._current
        if current is None:
            return ()
        left = current.of(RoomParticipantLeft)
        joined = sorted(current.of(RoomParticipantJoined).items(), key=lambda it: _age(it[1]))
        return tuple(
            RoomParticipant(
                id=about,
                session_id=current.id,
                context=event.payload.context,
                joined_at=event.occurred_at,
            )
            for about, event in joined
            if about not in left or _when(left[about]) < _when(event)
        )

    @property
    def recordings(self) -> tuple[RoomRecording, ...]:
        """All that were begun, in the order of their beginning."""
        found = (recording for session in self._all for recording in _recordings(session, self.room_id))
        return tuple(sorted(found, key=lambda it: (it.started_at or it.completed_at or _LONG_AGO, it.id)))

    @property
    def _all(self) -> list[_Session]:
        return [session for session in self._sessions.values() if session.is_of_the_room]

    @property
    def _current(self) -> _Session | None:
        """The session that started last, if it goes on: there is one at a time."""
        newest = max(self._all, key=lambda it: (it.started_at, not it.ended, it.id), default=None)
        return None if newest is None or newest.ended else newest

    def _forget_one(self) -> None:
        sessions = self._sessions.values()
        oldest = min(sessions, key=lambda it: (not it.ended, it.last_told_at, it.id))
        self._forgotten_until = max(self._forgotten_until, oldest.last_told_at)
        del self._sessions[oldest.id]


def _when(event: Event) -> datetime:
    return _LONG_AGO if event.occurred_at is None else event.occurred_at


def _age(event: Event) -> tuple[datetime, str]:
    return _when(event), event.id


def _about(event: Known) -> str | None:
    """Return the id of what an event is about."""
    match event:
        case RoomSessionStarted() | RoomSessionEnded():
            return event.payload.session_id
        case RoomParticipantJoined() | RoomParticipantLeft():
            return event.payload.participant_id
        case _:  # of a recording
            return event.payload.recording_id


def _recordings(session: _Session, room_id: str) -> Iterator[RoomRecording]:
    started = session.of(RoomRecordingStarted)
    completed = session.of(RoomRecordingCompleted)
    for recording_id in started.keys() | completed.keys():
        begun, done = started.get(recording_id), completed.get(recording_id)
        first = begun.payload if begun else RecordingStartedPayload()
        last = done.payload if done else RecordingCompletedPayload()
        yield RoomRecording(
            id=recording_id,
            room_id=room_id,
            session_id=session.id,
            participant_id=last.participant_id or first.participant_id,
            type=last.type or first.type,
            status=RecordingStatus.COMPLETED if done else RecordingStatus.PROCESSING,
            codec=last.codec,
            duration_secs=last.duration_secs,
            size_mb=last.size_mb,
            download_url=last.download_url,
            started_at=begun.occurred_at if begun else None,
            completed_at=done.occurred_at if done else None,
        )
