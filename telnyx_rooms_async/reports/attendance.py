"""Attendance: the people in a session, when they were present, and for how long."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from os import PathLike
from typing import Any, ClassVar, Final, TypeAlias, TypeVar, cast

from attrs import evolve, field, frozen

from telnyx_rooms_async.errors import InvalidArgumentError
from telnyx_rooms_async.models import RoomParticipant, RoomSession
from telnyx_rooms_async.reports.intervals import Interval, check_aware, concurrency, in_utc, merged
from telnyx_rooms_async.reports.table import Table
from telnyx_rooms_async.serialization import DecodeError, converter

Identity: TypeAlias = str | Callable[[RoomParticipant], str | None] | None
"""How participants are recognised: None by their ``context``; a text by that field of a JSON ``context``;
or a function. A participant without an identity is recognised by its id."""
Version = TypeVar("Version", RoomParticipant, RoomSession)

IDENTITY_RULE: Final = "a field of the context, a function or None"
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@frozen(kw_only=True)
class Attendee:
    """A person in one or more sessions, under all ids with which the person joined.

    Example:
        >>> attendance = await client.sessions.attendance(session_id)
        >>> attendance.attendees[0].identity, attendance.attendees[0].last_left_at
        ('Alice', None)
    """

    identity: str
    """How the person is recognised: by default the ``context`` of the participant."""
    participants: tuple[RoomParticipant, ...]
    """The person's participants, one for each join, by the time of joining."""
    intervals: tuple[Interval, ...]
    """When the person was present, in order and without overlaps. A stay of no length is an interval, too."""
    sessions: int
    """Number of sessions in which the person was."""
    reconnects: int
    """How often the person joined a session again after having left it. A second device is no reconnect."""
    is_present: bool
    """Whether the person had not left at the time of the report."""

    @property
    def duration(self) -> timedelta:
        """The time present; simultaneous stays count once."""
        return sum((interval.duration for interval in self.intervals), timedelta())

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

    columns: ClassVar[Mapping[str, type]] = {
        "identity": str,
        "sessions": int,
        "first_joined_at": datetime,
        "last_left_at": datetime,
        "seconds": float,
        "joins": int,
        "reconnects": int,
    }

    sessions: tuple[RoomSession, ...]
    """By their start, without their participants."""
    attendees: tuple[Attendee, ...]
    """By the time at which they joined first, then by identity."""
    as_of: datetime = field(eq=False)
    """The time of the report: people that have not left count as present until then."""

    def present_at(self, instant: datetime) -> tuple[Attendee, ...]:
        """Return the people present at an instant.

        Raises:
            InvalidArgumentError: the instant has no time zone.
        """
        check_aware("instant", instant)
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
                "sessions": attendee.sessions,
                "first_joined_at": attendee.first_joined_at,
                "last_left_at": attendee.last_left_at,
                "seconds": attendee.duration.total_seconds(),
                "joins": len(attendee.participants),
                "reconnects": attendee.reconnects,
            }
            for attendee in self.attendees
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types, with intervals and concurrency."""
        return {
            "as_of": converter.unstructure(self.as_of),
            "sessions": [session.id for session in self.sessions],
            "peak": self.peak,
            "seconds": self.duration.total_seconds(),
            "attendees": [
                row | {"intervals": converter.unstructure(attendee.intervals)}
                for row, attendee in zip(self.to_rows(), self.attendees, strict=True)
            ],
            "concurrency": converter.unstructure(self.concurrency),
        }

    def write_chart(self, path: str | PathLike[str], *, zone: tzinfo = UTC, dark: bool = False) -> None:
        """Draw a bar for each stay of each person, and the number of people over time (extra ``charts``).

        SVG shows names in all scripts of the program that displays it, PNG in those of the font DejaVu Sans.
        The same report gives the same SVG.

        Args:
            path: of an ``.svg`` or ``.png`` file, which is complete or not there.
            zone: time zone of the labels.
            dark: for a dark background.

        Raises:
            ConfigurationError: matplotlib is not installed.
            InvalidArgumentError: the name of the file does not end in ``.svg`` or ``.png``.
            OSError: the file cannot be written.
        """
        from telnyx_rooms_async.reports import charts  # noqa: PLC0415 - the extra may be missing

        charts.write_attendance(self, path, zone=zone, dark=dark)

    def __rich__(self) -> object:
        """Return the chart for a terminal: ``rich.print(attendance)``, times in UTC."""
        from telnyx_rooms_async.reports import terminal  # noqa: PLC0415 - only rich calls this

        return terminal.AttendanceChart(self)


def attendance_of(
    sessions: Iterable[RoomSession], *, as_of: datetime, identity: Identity = None
) -> Attendance:
    """Return the attendance of sessions, from the sessions with their participants.

    Times are in UTC. A participant that never left counts as present until its session ended, or until
    `as_of`. A participant that left before it joined, by clocks that differ, stayed for no time. One without
    a time of joining joined when its session began. Of several versions of a session or participant, in any
    order, the version that was updated last counts.

    Args:
        sessions: with their participants (``include_participants=True``).
        as_of: timezone-aware: the time of the report.
        identity: how people are recognised: by default by their ``context``; a text such as ``"user_id"``
            names a field of a JSON ``context``; or a function of the participant.

    Raises:
        InvalidArgumentError: a session comes without participants, a time has no time zone, or `identity`
            is invalid.
    """
    check_arguments(as_of, identity)
    newest: dict[str, RoomSession] = {}
    participants: dict[str, dict[str, RoomParticipant]] = {}
    for session in sessions:
        newest[session.id] = _newer(newest.get(session.id, session), session)
        in_session = participants.setdefault(session.id, {})
        for participant in participants_of(session):
            in_session[participant.id] = _newer(in_session.get(participant.id, participant), participant)
    stays: dict[str, list[_Stay]] = {}
    for session in newest.values():
        for participant in participants[session.id].values():
            stay = _Stay(Interval(*span_of(participant, session, as_of)), participant, session)
            stays.setdefault(identity_of(participant, identity), []).append(stay)
    by_start = sorted(newest.values(), key=lambda session: (session.created_at or _NEVER, session.id))
    attendees = [_attendee(name, of_person) for name, of_person in stays.items()]
    attendees.sort(key=lambda attendee: (attendee.first_joined_at, attendee.identity))
    return Attendance(
        sessions=tuple(evolve(session, participants=None) for session in by_start),
        attendees=tuple(attendees),
        as_of=as_of,
    )


def check_arguments(as_of: datetime | None, identity: Identity) -> None:
    """Check the arguments of a report, before anything is requested for it.

    Raises:
        InvalidArgumentError: `as_of` has no time zone, or `identity` is invalid.
    """
    if as_of is not None:
        check_aware("as_of", as_of)
    if not is_identity(identity):
        raise InvalidArgumentError((f"identity must be {IDENTITY_RULE}, not {identity!r}",))


def check_zone(zone: object) -> None:
    """Check a time zone."""
    if not isinstance(zone, tzinfo):
        problem = f"zone must be a tzinfo such as ZoneInfo('Europe/Berlin'), not {zone!r}"
        raise InvalidArgumentError((problem,))


def is_identity(identity: object) -> bool:
    """Return whether people can be recognised by a value."""
    return identity is None or callable(identity) or (isinstance(identity, str) and identity != "")


def participants_of(session: RoomSession) -> tuple[RoomParticipant, ...]:
    """Return the participants of a session that was requested with them.

    Raises:
        InvalidArgumentError: it was requested without them, so that a report would miss people, or one of
            its times has no time zone.
    """
    if session.participants is None:
        problem = f"session {session.id} has no participants: request it with include_participants=True"
        raise InvalidArgumentError((problem,))
    for instant in (session.created_at, session.ended_at, session.updated_at):
        if instant is not None:
            check_aware(f"the times of session {session.id}", instant)
    return session.participants


def span_of(participant: RoomParticipant, session: RoomSession, as_of: datetime) -> tuple[datetime, datetime]:
    """Return when a participant was in a session, in UTC."""
    start = in_utc(participant.joined_at or session.created_at or participant.left_at or as_of)
    return start, max(start, in_utc(participant.left_at or _ended_at(session) or as_of))


def identity_of(participant: RoomParticipant, identity: Identity) -> str:
    """Return by what a participant is recognised."""
    if identity is None:
        name = participant.context
    elif callable(identity):
        name = identity(participant)
        if not isinstance(cast("object", name), str | None):
            raise InvalidArgumentError((f"identity must return text or None, not {name!r}",))
    else:
        name = _json_field(participant.context, identity)
    return name or participant.id


@frozen
class _Stay:
    interval: Interval
    participant: RoomParticipant
    session: RoomSession


def _attendee(identity: str, stays: Sequence[_Stay]) -> Attendee:
    ordered = sorted(stays, key=lambda stay: (stay.interval, stay.participant.id))
    reconnects = 0
    left_at: dict[str, datetime] = {}
    for stay in ordered:
        start, session_id = stay.interval.start, stay.session.id
        reconnects += session_id in left_at and start >= left_at[session_id]
        left_at[session_id] = max(left_at.get(session_id, start), stay.interval.end)
    return Attendee(
        identity=identity,
        participants=tuple(stay.participant for stay in ordered),
        intervals=merged(stay.interval for stay in ordered),
        sessions=len(left_at),
        reconnects=reconnects,
        is_present=any(
            stay.participant.left_at is None and _ended_at(stay.session) is None for stay in ordered
        ),
    )


def _ended_at(session: RoomSession) -> datetime | None:
    """Return when a session ended. If only that it ended is known, its last update stands for the end."""
    return session.ended_at or (session.updated_at if session.active is False else None)


def _newer(first: Version, second: Version) -> Version:
    return max(first, second, key=_age)


def _age(version: RoomParticipant | RoomSession) -> tuple[datetime, datetime]:
    end = version.left_at if isinstance(version, RoomParticipant) else version.ended_at
    return in_utc(version.updated_at or _NEVER), in_utc(end or _NEVER)


def _json_field(context: str | None, name: str) -> str | None:
    try:
        fields = converter.loads((context or "").encode(errors="surrogatepass"), dict[str, object])
    except DecodeError:
        return None
    return None if fields.get(name) is None else str(fields[name])
