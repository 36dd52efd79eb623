"""RoomTracker: the live state of a room, computed from its webhook events. No I/O.

The newest event of each type is kept for each session, participant and recording, and the state is computed
from these. So the order and the repetition of events make no difference.
"""

from bisect import bisect_left
from collections.abc import Hashable
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeAlias, TypeVar

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
V = TypeVar("V")
TrackedEvent: TypeAlias = (
    RoomSessionStarted
    | RoomSessionEnded
    | RoomParticipantJoined
    | RoomParticipantLeft
    | RoomRecordingStarted
    | RoomRecordingCompleted
)

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

    Example:
        >>> tracker = RoomTracker(room.id)
        >>> tracker.feed(event)
        >>> [participant.context for participant in tracker.participants]
        ['Alice']
    """

    def __init__(self, room_id: RoomId, *, limit: int = 1000) -> None:
        exact = exact_room_id(room_id)
        if problem := one_id(exact):
            raise InvalidArgumentError((f"room_id {problem}",))
        self.room_id: str = str(exact)
        self._limit = max(limit, 1)
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
        if not isinstance(event, TrackedEvent) or event.payload.room_id not in (None, self.room_id):
            return
        subject_id, session_id = _subject_id(event), event.payload.session_id
        if subject_id is None or session_id is None:
            return
        session = self._sessions.get(session_id)
        if session is None:
            if _time(event) < self._forgotten_until:
                return
            session = self._sessions[session_id] = _Session(session_id, self.room_id)
        session.add(event, subject_id)
        self._update_indexes(session)
        if len(self._sessions) > self._limit:
            self._forget_oldest()

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
        return current.present.values if current else ()

    @property
    def recordings(self) -> tuple[RoomRecording, ...]:
        """All recordings, in the order in which they started."""
        return self._recordings.values

    @property
    def _current(self) -> "_Session | None":
        """The session that started last, unless it ended: a room has one session at a time."""
        newest = self._by_start.last
        return None if newest is None or newest.is_ended else newest

    def _update_indexes(self, session: "_Session") -> None:
        self._by_age.set(session.id, (not session.is_ended, session.last_event_at, session.id), session)
        if not session.is_confirmed:
            return
        self._by_start.set(session.id, (session.started_at, not session.is_ended, session.id), session)
        for recording in session.take_changed_recordings():
            started_at = recording.started_at or recording.completed_at or _MIN
            self._recordings.set((session.id, recording.id), (started_at, recording.id), recording)

    def _forget_oldest(self) -> None:
        oldest = self._by_age.first
        self._forgotten_until = max(self._forgotten_until, oldest.last_event_at)
        del self._sessions[oldest.id]
        self._by_age.discard(oldest.id)
        self._by_start.discard(oldest.id)
        for recording_id in oldest.recording_ids:
            self._recordings.discard((oldest.id, recording_id))


class _SortedIndex(Generic[V]):
    """Values by name, in the order of their sort keys. A change needs a logarithmic number of comparisons."""

    def __init__(self) -> None:
        self._sort_keys: dict[Hashable, Any] = {}
        self._order: list[tuple[Any, Hashable]] = []
        self._values: list[V] = []

    def set(self, name: Hashable, sort_key: object, value: V) -> None:
        """Add or replace a value."""
        self.discard(name)
        position = bisect_left(self._order, (sort_key, name))
        self._sort_keys[name] = sort_key
        self._order.insert(position, (sort_key, name))
        self._values.insert(position, value)

    def discard(self, name: Hashable) -> None:
        """Remove a value if it is there."""
        if name in self._sort_keys:
            position = bisect_left(self._order, (self._sort_keys.pop(name), name))
            del self._order[position], self._values[position]

    @property
    def values(self) -> tuple[V, ...]:
        """All values in their order."""
        return tuple(self._values)

    @property
    def first(self) -> V:
        """The first value."""
        return self._values[0]

    @property
    def last(self) -> V | None:
        """The last value, if there is one."""
        return self._values[-1] if self._values else None


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
    _newest: dict[tuple[type[Event], str], Event] = field(factory=dict[tuple[type[Event], str], Event])
    """The newest event of each type for each participant or recording."""
    _changed_recordings: dict[str, RoomRecording] = field(factory=dict[str, RoomRecording])

    @property
    def started_at(self) -> datetime:
        """The start; while its event is missing, the latest possible start."""
        return self.first_event_at if self.started is None else _time(self.started)

    def add(self, event: TrackedEvent, subject_id: str) -> None:
        self.is_confirmed |= event.payload.room_id is not None
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

    def take_changed_recordings(self) -> tuple[RoomRecording, ...]:
        """Return the recordings that changed since the last call."""
        changed = tuple(self._changed_recordings.values())
        self._changed_recordings.clear()
        return changed

    def _newest_of(self, event_class: type[E], subject_id: str) -> E | None:
        event = self._newest.get((event_class, subject_id))
        return event if isinstance(event, event_class) else None

    def _update_participant(self, participant_id: str) -> None:
        joined = self._newest_of(RoomParticipantJoined, participant_id)
        left = self._newest_of(RoomParticipantLeft, participant_id)
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
        started = self._newest_of(RoomRecordingStarted, recording_id)
        completed = self._newest_of(RoomRecordingCompleted, recording_id)
        first = started.payload if started else RecordingStartedPayload()
        last = completed.payload if completed else RecordingCompletedPayload()
        self.recording_ids.add(recording_id)
        self._changed_recordings[recording_id] = RoomRecording(
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


def _subject_id(event: TrackedEvent) -> str | None:
    """Return the id of the session, participant or recording of an event."""
    match event:
        case RoomSessionStarted() | RoomSessionEnded():
            return event.payload.session_id
        case RoomParticipantJoined() | RoomParticipantLeft():
            return event.payload.participant_id
        case _:
            return event.payload.recording_id
