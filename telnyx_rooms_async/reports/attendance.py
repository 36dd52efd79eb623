"""Attendance: the people in a session, when they were present, and for how long."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from attrs import field, frozen

from telnyx_rooms_async.models import RoomParticipant, RoomSession
from telnyx_rooms_async.reports.intervals import Interval, concurrency, merged, total
from telnyx_rooms_async.reports.table import Table
from telnyx_rooms_async.serialization import DecodeError, converter

Identity: TypeAlias = str | Callable[[RoomParticipant], str | None] | None
"""How participants are recognised: None by their ``context``; a text by that field of a JSON ``context``;
or a function. A participant without an identity is recognised by its id."""


@frozen(kw_only=True)
class Attendee:
    """A person in a session, under all ids with which the person joined.

    Example:
        >>> attendance = await client.reports.session_attendance(session_id)
        >>> attendance.attendees[0].identity, attendance.attendees[0].last_left_at
        ('Alice', None)
    """

    identity: str
    """How the person is recognised: by default the ``context`` of the participant."""
    participants: tuple[RoomParticipant, ...]
    """One for each time that the person joined, in the order of time."""
    intervals: tuple[Interval, ...]
    """When the person was present, in order and without overlaps. A stay of no length is an interval, too."""
    reconnects: int
    """How often the person joined again after having left. Joining with a second device is no reconnect."""
    is_present: bool
    """Whether the person had not left at the time of the report."""

    @property
    def duration(self) -> timedelta:
        """The time present; simultaneous stays count once."""
        return total(self.intervals)

    @property
    def first_joined_at(self) -> datetime:
        """When the person joined first."""
        return self.intervals[0].start

    @property
    def last_left_at(self) -> datetime | None:
        """When the person left last; None while present."""
        return None if self.is_present else self.intervals[-1].end


@frozen(kw_only=True)
class Attendance(Table):
    """The people in one or more sessions.

    Example:
        >>> from datetime import UTC, datetime
        >>> def at(minute: int) -> datetime:
        ...     return datetime(2026, 3, 1, 9, minute, tzinfo=UTC)
        >>> session = RoomSession(
        ...     id="a",
        ...     ended_at=at(50),
        ...     participants=(
        ...         RoomParticipant(id="1", context="Alice", joined_at=at(0), left_at=at(20)),
        ...         RoomParticipant(id="2", context="Alice", joined_at=at(30)),
        ...     ),
        ... )
        >>> (alice,) = attendance_of([session], as_of=at(59)).attendees
        >>> alice.duration.total_seconds(), alice.reconnects
        (2400.0, 1)
    """

    columns = ("identity", "first_joined_at", "last_left_at", "seconds", "joins", "reconnects")

    attendees: tuple[Attendee, ...]
    """By the time at which they joined first, then by identity."""
    as_of: datetime = field(eq=False)
    """The time of the report: people that have not left count as present until then."""

    def present_at(self, instant: datetime) -> tuple[Attendee, ...]:
        """Return the people present at an instant, which is timezone-aware."""
        return tuple(
            attendee
            for attendee in self.attendees
            if any(instant in interval for interval in attendee.intervals)
        )

    @property
    def concurrency(self) -> tuple[tuple[datetime, int], ...]:
        """Each instant at which the number of people changed, and the number from then on."""
        return tuple(concurrency(interval for attendee in self.attendees for interval in attendee.intervals))

    @property
    def peak(self) -> int:
        """The highest number of people at the same time."""
        return max((count for _, count in self.concurrency), default=0)

    @property
    def duration(self) -> timedelta:
        """The sum of the times present: 3 people for 10 minutes are 30 minutes."""
        return sum((attendee.duration for attendee in self.attendees), timedelta())

    def records(self) -> list[dict[str, Any]]:
        """Return a row for each attendee."""
        return [
            {
                "identity": attendee.identity,
                "first_joined_at": attendee.first_joined_at,
                "last_left_at": attendee.last_left_at,
                "seconds": attendee.duration.total_seconds(),
                "joins": len(attendee.participants),
                "reconnects": attendee.reconnects,
            }
            for attendee in self.attendees
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the whole report as plain JSON types."""
        intervals = [converter.unstructure(attendee.intervals) for attendee in self.attendees]
        return {
            "as_of": converter.unstructure(self.as_of),
            "peak": self.peak,
            "seconds": self.duration.total_seconds(),
            "attendees": [
                row | {"intervals": of_row} for row, of_row in zip(self.to_rows(), intervals, strict=True)
            ],
            "concurrency": [[converter.unstructure(instant), count] for instant, count in self.concurrency],
        }


def attendance_of(
    sessions: Iterable[RoomSession], *, as_of: datetime, identity: Identity = None
) -> Attendance:
    """Return the attendance of sessions, from the sessions with their participants.

    Times are in UTC. A participant that never left counts as present until its session ended, or until
    `as_of`. One that left before it joined, as clocks that differ may say, stayed for no time. A participant
    without a time of joining joined when its session began. Repeated participants count once, whatever their
    order.

    Args:
        sessions: with their participants (``include_participants=True``).
        as_of: timezone-aware: the time of the report.
        identity: how people are recognised: by default by their ``context``; a text such as ``"user_id"``
            names a field of a JSON ``context``; or a function of the participant.
    """
    stays: dict[str, dict[str, tuple[RoomParticipant, Interval, bool]]] = {}
    for session in sessions:
        for participant in session.participants or ():
            is_present = participant.left_at is None and session.ended_at is None
            stay = (participant, stay_of(participant, session, as_of), is_present)
            stays.setdefault(identity_of(participant, identity), {})[participant.id] = stay
    attendees = [_attendee(name, list(of_person.values())) for name, of_person in stays.items()]
    attendees.sort(key=lambda attendee: (attendee.first_joined_at, attendee.identity))
    return Attendance(attendees=tuple(attendees), as_of=as_of)


def stay_of(participant: RoomParticipant, session: RoomSession, as_of: datetime) -> Interval:
    """Return when a participant was in a session."""
    start = participant.joined_at or session.created_at or participant.left_at or as_of
    return Interval(start, max(start, participant.left_at or session.ended_at or as_of))


def _attendee(identity: str, stays: Sequence[tuple[RoomParticipant, Interval, bool]]) -> Attendee:
    ordered = sorted(stays, key=lambda stay: (stay[1], stay[0].id))
    left_at, reconnects = ordered[0][1].end, 0
    for _, interval, _ in ordered[1:]:
        reconnects += interval.start >= left_at
        left_at = max(left_at, interval.end)
    return Attendee(
        identity=identity,
        participants=tuple(participant for participant, _, _ in ordered),
        intervals=merged(interval for _, interval, _ in ordered),
        reconnects=reconnects,
        is_present=any(is_present for _, _, is_present in ordered),
    )


def identity_of(participant: RoomParticipant, identity: Identity) -> str:
    """Return by what a participant is recognised."""
    if callable(identity):
        name = identity(participant)
    elif identity is None:
        name = participant.context
    else:
        name = _json_field(participant.context, identity)
    return name or participant.id


def _json_field(context: str | None, name: str) -> str | None:
    try:
        fields = converter.loads((context or "").encode(), dict[str, object])
    except DecodeError:
        return None
    return None if fields.get(name) is None else str(fields[name])
