"""RoomTracker: the live state of a room, computed from its webhook events. No I/O.

The newest event of each type is kept for each session, participant and recording, and the state is computed
from these. So the order and the repetition of events make no difference.
"""

from bisect import bisect_left
from collections.abc import Hashable
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

from attrs import define, field

from telnyx_rooms_async.core.validators import RoomId, exact_room_id, one_id
from telnyx_rooms_async.errors import InvalidArgumentError
from telnyx_rooms_async.models import RecordingStatus, RoomParticipant, RoomRecording, RoomSession
from telnyx_rooms_async.settings import check_count
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

V = TypeVar("V")

_MIN: Final = datetime.min.replace(tzinfo=UTC)
_MAX: Final = datetime.max.replace(tzinfo=UTC)


class RoomTracker:
    """Computes the state of one room from its events, which can be late, repeated or in any order.

    The cost of an event does not depend on the number of sessions, and properties are cheap to read. Events
    of other rooms are ignored. What happened before the first event is unknown, as is the deletion of a
    recording, for which Telnyx sends no event.

    Args:
        room_id: the id of the room, or the `Room`.
        limit: number of sessions to keep. The oldest session that ended is forgotten first, with its
            recordings.

    Raises:
        InvalidArgumentError: `room_id` is not an id.
        ConfigurationError: the limit is not an integer, 1 or more.

    Example:
        >>> tracker = RoomTracker(room_id)
        >>> ids = {"room_id": room_id, "session_id": "2", "participant_id": "3"}
        >>> joined = ParticipantJoinedPayload(**ids, context="Alice")
        >>> change = tracker.feed(RoomParticipantJoined(id="1", payload=joined))
        >>> [participant.context for participant in tracker.participants]
        ['Alice']
    """

    def __init__(self, room_id: RoomId, *, limit: int = 1000) -> None:
        exact = exact_room_id(room_id)
        if problem := one_id(exact):
            raise InvalidArgumentError((f"room_id {problem}",))
        self.room_id: str = str(exact)
        check_count(limit=limit)
        self._limit = int(limit)
        self._sessions: Final[dict[str, _Session]] = {}
        self._by_start = _SortedIndex[_Session]()
        """Sessions that certainly belong to the room, by their start."""
        self._by_age = _SortedIndex[_Session]()
        """All sessions in the order in which they are forgotten."""
        self._recordings = _SortedIndex[RoomRecording]()
        self._forgotten_until = _MIN

    def __repr__(self) -> str:
        return f"<RoomTracker of {self.room_id}: {len(self._sessions)} sessions>"

    def feed(self, event: Event) -> None:
        """Update the state with an event."""
        match event:
            case RoomSessionStarted() | RoomSessionEnded():
                subject_id = event.payload.session_id
            case RoomParticipantJoined() | RoomParticipantLeft():
                subject_id = event.payload.participant_id
            case RoomRecordingStarted() | RoomRecordingCompleted():
                subject_id = event.payload.recording_id
            case _:
                return
        room_id, session_id = event.payload.room_id, event.payload.session_id
        if subject_id is None or session_id is None or room_id not in (None, self.room_id):
            return
        session = self._sessions.get(session_id)
        if session is None:
            if _time(event) < self._forgotten_until:
                return
            session = self._sessions[session_id] = _Session(session_id, self.room_id)
        session.is_confirmed |= room_id is not None
        session.add(event, subject_id)
        self._by_age.set(session_id, (not session.is_ended, session.last_event_at), session)
        if session.is_confirmed:
            started_at = session.first_event_at if session.started is None else _time(session.started)
            self._by_start.set(session_id, (started_at, not session.is_ended), session)
            for recording in session.changed_recordings.values():
                started_at = recording.started_at or recording.completed_at or _MIN
                self._recordings.set((session_id, recording.id), (started_at, recording.id), recording)
            session.changed_recordings.clear()
        if len(self._sessions) > self._limit:
            self._forget(self._by_age.values[0])

    @property
    def session(self) -> RoomSession | None:
        """The active session, or None."""
        current = self._current
        if current is None:
            return None
        created_at = current.started.occurred_at if current.started else None
        return RoomSession(id=current.id, room_id=self.room_id, active=True, created_at=created_at)

    @property
    def participants(self) -> tuple[RoomParticipant, ...]:
        """The participants of the active session, in the order in which they joined."""
        current = self._current
        return tuple(current.present.values) if current else ()

    @property
    def recordings(self) -> tuple[RoomRecording, ...]:
        """All recordings, in the order in which they started."""
        return tuple(self._recordings.values)

    @property
    def _current(self) -> "_Session | None":
        """The session that started last, unless it ended: a room has one session at a time."""
        sessions = self._by_start.values
        return sessions[-1] if sessions and not sessions[-1].is_ended else None

    def _forget(self, session: "_Session") -> None:
        self._forgotten_until = max(self._forgotten_until, session.last_event_at)
        del self._sessions[session.id]
        self._by_age.discard(session.id)
        self._by_start.discard(session.id)
        for recording_id in session.recording_ids:
            self._recordings.discard((session.id, recording_id))


class _SortedIndex(Generic[V]):
    """Values by name, in the order of their sort keys. A change needs a logarithmic number of comparisons."""

    def __init__(self) -> None:
        self.values: list[V] = []
        self._sort_keys: dict[Hashable, Any] = {}
        self._order: list[tuple[Any, Hashable]] = []

    def set(self, name: Hashable, sort_key: object, value: V) -> None:
        """Add or replace a value."""
        self.discard(name)
        self._sort_keys[name] = sort_key
        position = bisect_left(self._order, (sort_key, name))
        self._order.insert(position, (sort_key, name))
        self.values.insert(position, value)

    def discard(self, name: Hashable) -> None:
        """Remove a value if it is there."""
        if name in self._sort_keys:
            position = bisect_left(self._order, (self._sort_keys.pop(name), name))
            del self._order[position], self.values[position]


@define(eq=False)
class _Session:
    """The events of one session."""

    id: str
    room_id: str
    is_confirmed: bool = False
    """Whether an event said that the session belongs to the room; a room id can be missing."""
    is_ended: bool = False
    started: Event | None = None
    first_event_at: datetime = _MAX
    last_event_at: datetime = _MIN
    present: _SortedIndex[RoomParticipant] = field(factory=_SortedIndex[RoomParticipant])
    recording_ids: set[str] = field(factory=set[str])
    changed_recordings: dict[str, RoomRecording] = field(factory=dict[str, RoomRecording])
    """Recordings that the tracker does not have yet."""
    _newest: dict[tuple[type[Event], str], Any] = field(factory=dict[tuple[type[Event], str], Any])
    """The newest event of each type for each participant or recording."""

    def add(self, event: Event, subject_id: str) -> None:
        self.first_event_at = min(self.first_event_at, _time(event))
        self.last_event_at = max(self.last_event_at, _time(event))
        known = self._newest.get((type(event), subject_id))
        if known is not None and _sort_key(event) <= _sort_key(known):
            return
        self._newest[type(event), subject_id] = event
        match event:
            case RoomSessionStarted():
                self.started = event
            case RoomSessionEnded():
                self.is_ended = True
            case RoomParticipantJoined() | RoomParticipantLeft():
                self._update_participant(subject_id)
            case _:
                self._update_recording(subject_id)

    def _update_participant(self, participant_id: str) -> None:
        joined: RoomParticipantJoined | None = self._newest.get((RoomParticipantJoined, participant_id))
        left: RoomParticipantLeft | None = self._newest.get((RoomParticipantLeft, participant_id))
        if joined is None or (left is not None and _time(left) >= _time(joined)):
            self.present.discard(participant_id)
            return
        participant = RoomParticipant(
            id=participant_id,
            session_id=self.id,
            context=joined.payload.context,
            joined_at=joined.occurred_at,
        )
        self.present.set(participant_id, _sort_key(joined), participant)

    def _update_recording(self, recording_id: str) -> None:
        started: RoomRecordingStarted | None = self._newest.get((RoomRecordingStarted, recording_id))
        completed: RoomRecordingCompleted | None = self._newest.get((RoomRecordingCompleted, recording_id))
        first = started.payload if started else RecordingStartedPayload()
        last = completed.payload if completed else RecordingCompletedPayload()
        self.recording_ids.add(recording_id)
        self.changed_recordings[recording_id] = RoomRecording(
            id=recording_id,
            room_id=self.room_id,
            session_id=self.id,
            participant_id=last.participant_id or first.participant_id,
            type=last.type or first.type,
            status=RecordingStatus.COMPLETED if completed else RecordingStatus.PROCESSING,
            codec=last.codec,
            duration_secs=last.duration_secs,
            size_mb=last.size_mb,
            download_url=last.download_url,
            started_at=started.occurred_at if started else None,
            completed_at=completed.occurred_at if completed else None,
        )


def _time(event: Event) -> datetime:
    return _MIN if event.occurred_at is None else event.occurred_at


def _sort_key(event: Event) -> tuple[datetime, str]:
    return _time(event), event.id
