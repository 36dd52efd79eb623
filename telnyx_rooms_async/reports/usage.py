"""Usage: sessions, people, participant minutes, recordings and compositions, by room, day or month."""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from hashlib import blake2b
from typing import Any, ClassVar, Final, Literal, TypeAlias

from attrs import Factory, define, evolve, frozen

from telnyx_rooms_async.models import RoomComposition, RoomRecording, RoomSession
from telnyx_rooms_async.reports.attendance import Identity, identity_of, stay_of
from telnyx_rooms_async.reports.intervals import Interval, days_of, merged
from telnyx_rooms_async.reports.table import Table

By: TypeAlias = Literal["room", "day", "month"]

_MINUTE: Final = timedelta(minutes=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_CHUNK: Final = 50_000
"""Values that are sorted or compared at a time."""


@frozen(kw_only=True)
class Prices:
    """Prices per started minute, for an estimate of the cost. Missing prices count as zero.

    Example:
        >>> Prices(participant_minute=Decimal("0.002"))
        Prices(participant_minute=Decimal('0.002'), ...)
    """

    participant_minute: Decimal = Decimal()
    """For each minute of a participant."""
    recorded_minute: Decimal = Decimal()
    """For each minute of a recording."""
    composed_minute: Decimal = Decimal()
    """For each minute of a composition."""


@frozen(kw_only=True)
class UsageRow:
    """The usage of one room, day or month, or of all.

    Example:
        >>> usage = await client.reports.usage()
        >>> usage.total.cost(Prices(participant_minute=Decimal("0.002"))) > 0
        True
    """

    key: str
    """Id of the room, ``"2026-03-01"``, ``"2026-03"`` or ``"total"``."""
    sessions: int = 0
    """Sessions that started."""
    people: int = 0
    """Distinct people, by their identity."""
    participant_time: timedelta = timedelta()
    """Sum of the times between the joining and leaving of each participant."""
    billed_minutes: int = 0
    """Participant minutes, rounded up for each participant."""
    peak: int = 0
    """The highest number of people at the same time."""
    recorded_minutes: int = 0
    """Minutes of recordings, rounded up for each file."""
    recorded_megabytes: Decimal = Decimal()
    """Size of the recordings."""
    composed_minutes: int = 0
    """Minutes of compositions, rounded up for each."""

    def cost(self, prices: Prices) -> Decimal:
        """Return the estimated cost."""
        return (
            self.billed_minutes * prices.participant_minute
            + self.recorded_minutes * prices.recorded_minute
            + self.composed_minutes * prices.composed_minute
        )


@frozen(kw_only=True)
class Usage(Table):
    """What an account used, with a row for each room, day or month in which something happened.

    Example:
        >>> usage = await client.reports.usage(by="room")
        >>> [row.sessions for row in usage.rows]
        [1, 1]
    """

    columns: ClassVar = (
        "key", "sessions", "people", "participant_minutes", "billed_minutes", "peak",
        "recorded_minutes", "recorded_megabytes", "composed_minutes", "cost",
    )  # fmt: skip

    rows: tuple[UsageRow, ...]
    """By key."""
    total: UsageRow
    """People count once, although several rows count them."""
    prices: Prices | None = None
    """For `UsageRow.cost`; None without prices."""

    def records(self) -> list[dict[str, Any]]:
        """Return the rows and the total; participant minutes are exact to the microsecond."""
        return [
            {
                "key": row.key,
                "sessions": row.sessions,
                "people": row.people,
                "participant_minutes": row.participant_time / _MINUTE,
                "billed_minutes": row.billed_minutes,
                "peak": row.peak,
                "recorded_minutes": row.recorded_minutes,
                "recorded_megabytes": row.recorded_megabytes,
                "composed_minutes": row.composed_minutes,
                "cost": None if self.prices is None else row.cost(self.prices),
            }
            for row in (*self.rows, self.total)
        ]


@define(eq=False)
class _Period:
    """Sums of a room, day or month."""

    sessions: int = 0
    participant_time: timedelta = timedelta()
    billed_minutes: int = 0
    recorded_minutes: int = 0
    recorded_megabytes: Decimal = Decimal()
    composed_minutes: int = 0
    people: "array[int]" = Factory(lambda: array("Q"))
    """A hash of the identity of each person, sometimes repeated."""
    distinct: int = 0
    """Length of `people` after repetitions were removed last."""
    starts: "array[int]" = Factory(lambda: array("q"))
    """Microseconds at which people came, for the peak."""
    ends: "array[int]" = Factory(lambda: array("q"))

    def add_person(self, identity: int, interval: Interval) -> None:
        self.people.append(identity)
        if len(self.people) > 2 * self.distinct + 1000:
            self.people = array("Q", set(self.people))
            self.distinct = len(self.people)
        self.starts.append((interval.start - _EPOCH) // _MICROSECOND)
        self.ends.append((interval.end - _EPOCH) // _MICROSECOND)


class UsageMeter:
    """Adds up usage in flat memory: some 100 bytes for each session and person.

    Sessions count on the day on which they started, recordings and compositions likewise; participants on
    the days on which they were present. Midnight is that of the time zone. A session that is added twice
    counts once. The rounded minutes of a participant that stays past midnight are those of the whole stay.

    Args:
        by: what has a row: ``"room"``, ``"day"`` or ``"month"``.
        zone: time zone of days and months.
        as_of: timezone-aware: people that have not left count as present until then.
        identity: how people are recognised, as in `attendance_of`.

    Example:
        >>> from telnyx_rooms_async import RoomParticipant
        >>> meter = UsageMeter(by="day", as_of=datetime(2026, 3, 2, tzinfo=UTC))
        >>> joined = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
        >>> alice = RoomParticipant(id="1", joined_at=joined, left_at=joined + timedelta(minutes=20.5))
        >>> meter.add_session(RoomSession(id="a", created_at=joined, participants=(alice,)))
        >>> meter.usage().total.billed_minutes
        21
    """

    def __init__(self, *, by: By, as_of: datetime, zone: tzinfo = UTC, identity: Identity = None) -> None:
        self._by = by
        self._as_of = as_of
        self._zone = zone
        self._identity: Identity = identity
        self._periods: defaultdict[str, _Period] = defaultdict(_Period)
        self._sessions: set[int] = set()
        self._day = Interval(as_of, as_of)
        """The day of the last interval: most intervals are within it."""
        self._period = _Period()

    def add_session(self, session: RoomSession) -> None:
        """Add a session with its participants."""
        if _hash(session.id) in self._sessions:
            return
        self._sessions.add(_hash(session.id))
        stays: dict[str, dict[str, Interval]] = {}
        for participant in session.participants or ():
            person = identity_of(participant, self._identity)
            stays.setdefault(person, {})[participant.id] = stay_of(participant, session, self._as_of)
        first = min((stay for of_person in stays.values() for stay in of_person.values()), default=None)
        started_at = session.created_at or (None if first is None else first.start)
        self._at(started_at, session.room_id).sessions += 1
        for person, of_person in stays.items():
            identity, intervals = _hash(person), of_person.values()
            for interval in intervals:
                self._add_minutes(interval, session.room_id)
            for interval in intervals if len(intervals) == 1 else merged(intervals):
                for period, part in self._split(interval, session.room_id):
                    period.add_person(identity, part)

    def _add_minutes(self, stay: Interval, room_id: str | None) -> None:
        elapsed, billed = timedelta(), 0
        for period, part in self._split(stay, room_id):
            period.participant_time += part.duration
            elapsed += part.duration
            up_to_now = -(-elapsed // _MINUTE)
            period.billed_minutes += up_to_now - billed
            billed = up_to_now

    def add_recording(self, recording: RoomRecording) -> None:
        """Add a recording."""
        period = self._at(recording.started_at or recording.created_at, recording.room_id)
        period.recorded_minutes += -(-(recording.duration_secs or 0) // 60)
        period.recorded_megabytes += Decimal(str(recording.size_mb or 0))

    def add_composition(self, composition: RoomComposition) -> None:
        """Add a composition."""
        period = self._at(composition.started_at or composition.created_at, composition.room_id)
        period.composed_minutes += -(-(composition.duration_secs or 0) // 60)

    def usage(self, prices: Prices | None = None) -> Usage:
        """Return what was added so far."""
        rows = tuple(_row(key, [self._periods[key]]) for key in sorted(self._periods))
        return Usage(rows=rows, total=_row("total", list(self._periods.values())), prices=prices)

    def _split(self, interval: Interval, room_id: str | None) -> Iterable[tuple[_Period, Interval]]:
        """Return the periods of an interval with its parts in them."""
        if self._by == "room":
            return ((self._periods[room_id or ""], interval),)
        if interval.start in self._day and interval.end <= self._day.end:
            return ((self._period, interval),)
        parts: list[tuple[_Period, Interval]] = []
        for date, day in days_of(interval, self._zone):
            self._day = day
            self._period = self._periods[date.isoformat()[: 10 if self._by == "day" else 7]]
            part = Interval(max(interval.start, day.start), min(interval.end, day.end))
            parts.append((self._period, part))
        return parts

    def _at(self, instant: datetime | None, room_id: str | None) -> _Period:
        started_at = instant or self._as_of
        ((period, _),) = self._split(Interval(started_at, started_at), room_id)
        return period


def _hash(text: str) -> int:
    """Return 64 bits, which are equal for two of a million texts with a probability of 3 in 100 million."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def _row(key: str, periods: Sequence[_Period]) -> UsageRow:
    """Return the sums of periods."""
    row = UsageRow(
        key=key,
        people=_count_distinct([period.people for period in periods]),
        peak=_peak([period.starts for period in periods], [period.ends for period in periods]),
    )
    for period in periods:
        row = evolve(
            row,
            sessions=row.sessions + period.sessions,
            participant_time=row.participant_time + period.participant_time,
            billed_minutes=row.billed_minutes + period.billed_minutes,
            recorded_minutes=row.recorded_minutes + period.recorded_minutes,
            recorded_megabytes=row.recorded_megabytes + period.recorded_megabytes,
            composed_minutes=row.composed_minutes + period.composed_minutes,
        )
    return row


def _count_distinct(arrays: "Sequence[array[int]]") -> int:
    """Count different values, a part of them at a time: a set takes ten times the memory of an array."""
    parts = sum(map(len, arrays)) // _CHUNK + 1
    return sum(
        len({value for values in arrays for value in values if value % parts == part})
        for part in range(parts)
    )


def _peak(starts: "Sequence[array[int]]", ends: "Sequence[array[int]]") -> int:
    """Return the highest number of simultaneous intervals, some of which are sorted at a time."""
    count = sum(map(len, starts))
    if not count:
        return 0
    windows = count // _CHUNK + 1
    first, last = min(map(min, filter(None, starts))), max(map(max, filter(None, starts)))
    width = (last - first) // windows + 1
    peak = present = 0
    for window in range(first, first + windows * width, width):
        in_window = range(window, window + width)
        changes = [(start, 1) for values in starts for start in values if start in in_window]
        changes += [(end, -1) for values in ends for end in values if end in in_window]
        for _, change in sorted(changes):  # at the same instant, the ends come first
            present += change
            peak = max(peak, present)
    return peak
