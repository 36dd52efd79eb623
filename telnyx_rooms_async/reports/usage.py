"""Usage: sessions, people, participant minutes, recordings and compositions, by room, day or month."""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from hashlib import blake2b
from os import PathLike
from typing import Any, ClassVar, Final, Literal, TypeAlias, cast, get_args

from attrs import asdict, define, field, fields, frozen, setters

from telnyx_rooms_async.errors import InvalidArgumentError
from telnyx_rooms_async.models import RoomComposition, RoomRecording, RoomSession
from telnyx_rooms_async.reports.attendance import (
    Identity,
    check_arguments,
    check_zone,
    identity_of,
    participants_of,
    span_of,
)
from telnyx_rooms_async.reports.intervals import in_utc, union
from telnyx_rooms_async.reports.table import DECIMAL_PLACES, Table

By: TypeAlias = Literal["room", "day", "month"]

_MINUTE: Final = timedelta(minutes=1)
_MINUTE_MICROSECONDS: Final = 60_000_000
_MICROSECOND: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CHUNK: Final = 50_000
"""Values that are sorted or compared at a time."""


def _exact_price(value: object) -> Decimal:
    if isinstance(value, bool | float) or not isinstance(value, Decimal | int | str):
        problem = f"a price must be a Decimal such as Decimal('0.002'), or its text, not {value!r}"
        raise InvalidArgumentError((problem,))
    try:
        price = Decimal(value)
        is_valid = price.is_finite() and price >= 0 and round(price, DECIMAL_PLACES) == price
    except InvalidOperation:  # of other text, or too many digits
        is_valid = False
    if not is_valid:
        limits = f"0 or more, below 1e16, with at most {DECIMAL_PLACES} decimal places"
        raise InvalidArgumentError((f"a price must be {limits}, not {value!r}",))
    return Decimal(value)


@frozen(kw_only=True)
class Prices:
    """Prices per started minute, for an estimate of the cost. Missing prices count as zero.

    Raises:
        InvalidArgumentError: a price is negative, or a float, which has no exact decimal value.

    Example:
        >>> Prices(participant_minute="0.002")
        Prices(participant_minute=Decimal('0.002'), ...)
    """

    participant_minute: Decimal = field(default=Decimal(), converter=_exact_price)
    """For each minute of a participant."""
    recorded_minute: Decimal = field(default=Decimal(), converter=_exact_price)
    """For each minute of a recording."""
    composed_minute: Decimal = field(default=Decimal(), converter=_exact_price)
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
    sessions: int
    """Sessions that started."""
    people: int
    """Distinct people, by their identity."""
    participant_time: timedelta
    """Sum of the times between the joining and leaving of each participant."""
    billed_minutes: int
    """Participant minutes, rounded up for each participant."""
    peak: int
    """The highest number of people at the same time. A person in two sessions at once counts twice."""
    recorded_minutes: int
    """Minutes of recordings, rounded up for each file."""
    recorded_megabytes: Decimal
    """Size of the recordings."""
    composed_minutes: int
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

    columns: ClassVar[Mapping[str, type]] = {
        "key": str,
        "sessions": int,
        "people": int,
        "participant_minutes": float,
        "billed_minutes": int,
        "peak": int,
        "recorded_minutes": int,
        "recorded_megabytes": Decimal,
        "composed_minutes": int,
        "cost": Decimal,
    }

    by: By
    """What has a row: ``"room"``, ``"day"`` or ``"month"``."""
    rows: tuple[UsageRow, ...]
    """By key."""
    total: UsageRow
    """People count once, although several rows count them."""
    prices: Prices | None = None
    """For `UsageRow.cost`; None without prices."""

    def records(self) -> list[dict[str, Any]]:
        """Return the rows and the total; participant minutes are exact to the microsecond."""
        records: list[dict[str, Any]] = []
        for row in (*self.rows, self.total):
            values = asdict(row)
            values["participant_minutes"] = row.participant_time / _MINUTE
            values["cost"] = None if self.prices is None else row.cost(self.prices)
            records.append({name: values[name] for name in self.columns})
        return records

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        *rows, total = self.to_rows()
        return {"by": self.by, "rows": rows, "total": total}

    def write_chart(self, path: str | PathLike[str], *, dark: bool = False) -> None:
        """Draw the participant minutes of each row, and what they cost (extra ``charts``).

        The same report gives the same SVG.

        Args:
            path: of an ``.svg`` or ``.png`` file, which is complete or not there.
            dark: for a dark background.

        Raises:
            ConfigurationError: matplotlib is not installed.
            InvalidArgumentError: the name of the file does not end in ``.svg`` or ``.png``.
            OSError: the file cannot be written.
        """
        from telnyx_rooms_async.reports import charts  # noqa: PLC0415 - the extra may be missing

        charts.write_usage(self, path, dark=dark)

    def __rich__(self) -> object:
        """Return the chart for a terminal: ``rich.print(usage)``."""
        from telnyx_rooms_async.reports import terminal  # noqa: PLC0415 - only rich calls this

        return terminal.UsageChart(self)


def _hashes(values: Iterable[int] = ()) -> "array[int]":
    return array("Q", values)


def _instants(values: Iterable[int] = ()) -> "array[int]":
    return array("q", values)


@define(eq=False, on_setattr=setters.NO_OP)
class _Period:
    """Sums of a room, day or month."""

    sessions: int = 0
    microseconds: int = 0
    """Sum of the stays of participants."""
    billed_minutes: int = 0
    recorded_minutes: int = 0
    recorded_megabytes: Decimal = field(default=Decimal(), converter=Decimal)
    composed_minutes: int = 0
    people: "array[int]" = field(factory=_hashes, converter=_hashes)
    """A hash of the identity of each person, sometimes repeated."""
    starts: "array[int]" = field(factory=_instants, converter=_instants)
    """Microseconds since 1970 at which people came, for the peak."""
    ends: "array[int]" = field(factory=_instants, converter=_instants)
    distinct: int = 0
    """Length of `people` after repetitions were removed last."""

    def add_person(self, identity: int, start: int, end: int) -> None:
        self.people.append(identity)
        if len(self.people) > 2 * self.distinct + 1000:
            self.people = _hashes(set(self.people))
            self.distinct = len(self.people)
        self.starts.append(start)
        self.ends.append(end)

    def add(self, other: "_Period") -> None:
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def to_dict(self) -> dict[str, Any]:
        def plain(_period: object, _field: object, value: object) -> object:
            if isinstance(value, array):
                return cast("array[int]", value).tolist()
            return str(value) if isinstance(value, Decimal) else value

        return asdict(self, value_serializer=plain)


_Part: TypeAlias = tuple[_Period, int, int]
"""The part of a stay that is in a period, from start to end."""


_SUMS: Final = [name.name for name in fields(_Period) if name.name != "distinct"]


class UsageMeter:
    """Adds up usage in flat memory: some 100 bytes for each session and person.

    Sessions and recordings count on the day on which they started, compositions on the day on which they
    were created, and participants on the days on which they were present, in the time zone. A session,
    recording or composition that is added again does not count again. The rounded minutes of a participant
    that stays past midnight are those of the whole stay.

    Args:
        by: what has a row: ``"room"``, ``"day"`` or ``"month"``.
        as_of: timezone-aware: people that have not left count as present until then.
        zone: time zone of days and months.
        identity: how people are recognised, as in `attendance_of`.

    Raises:
        InvalidArgumentError: `by` is not one of the three, `as_of` has no time zone, `zone` is not a
            `tzinfo`, or `identity` is invalid.

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
        if by not in get_args(By):
            raise InvalidArgumentError((f"by must be 'room', 'day' or 'month', not {by!r}",))
        check_zone(zone)
        check_arguments(as_of, identity)
        self._by: By = by
        self._as_of = as_of
        self._zone = zone
        self._identity: Identity = identity
        self._periods: defaultdict[str, _Period] = defaultdict(_Period)
        self._added: set[int] = set()
        """Hashes of the ids of what was added."""
        # Most stays are in the same day as the one before.
        self._period = _Period()
        self._period_start = self._period_end = 0

    def add_session(self, session: RoomSession) -> None:
        """Add a session with its participants.

        Raises:
            InvalidArgumentError: the session comes without participants, or a time has no time zone.
        """
        participants = {participant.id: participant for participant in participants_of(session)}
        stays: dict[str, list[tuple[int, int]]] = {}
        for participant in participants.values():
            start, end = span_of(participant, session, self._as_of)
            person = identity_of(participant, self._identity)
            stays.setdefault(person, []).append((_microseconds(start), _microseconds(end)))
        # Nothing is added before this line, at which no participant can be refused any more.
        if not self._is_new(session):
            return
        room_id = session.room_id or ""
        started_at = _microseconds(session.created_at or self._as_of)
        if session.created_at is None:
            started_at = min([started_at, *(start for spans in stays.values() for start, _ in spans)])
        self._period_at(started_at, room_id).sessions += 1
        for person, spans in stays.items():
            identity = _hash_person(person)
            parts: Sequence[_Part] = ()
            for span in spans:
                parts = self._add_minutes(*span, room_id)
            if len(spans) > 1:
                parts = [part for span in union(spans) for part in self._split(*span, room_id)]
            for period, part_start, part_end in parts:
                period.add_person(identity, part_start, part_end)

    def _is_new(self, item: RoomSession | RoomRecording | RoomComposition) -> bool:
        """Return whether an item was not added before, and take it as added."""
        known = len(self._added)
        self._added.add(_hash(f"{type(item).__name__} {item.id}"))
        return len(self._added) > known

    def _add_minutes(self, start: int, end: int, room_id: str) -> Sequence[_Part]:
        """Add the minutes of a stay to the periods in which it is, and return its parts in them."""
        parts = self._split(start, end, room_id)
        billed = 0
        for period, part_start, part_end in parts:
            period.microseconds += part_end - part_start
            billed_so_far = -((start - part_end) // _MINUTE_MICROSECONDS)
            period.billed_minutes += billed_so_far - billed
            billed = billed_so_far
        return parts

    def add_recording(self, recording: RoomRecording) -> None:
        """Add a recording."""
        started_at = _microseconds(in_utc(recording.started_at or recording.created_at or self._as_of))
        if self._is_new(recording):
            period = self._period_at(started_at, recording.room_id or "")
            period.recorded_minutes += -(-(recording.duration_secs or 0) // 60)
            period.recorded_megabytes += round(Decimal(str(recording.size_mb or 0)), 6)

    def add_composition(self, composition: RoomComposition) -> None:
        """Add a composition."""
        created_at = _microseconds(in_utc(composition.created_at or composition.started_at or self._as_of))
        if self._is_new(composition):
            period = self._period_at(created_at, composition.room_id or "")
            period.composed_minutes += -(-(composition.duration_secs or 0) // 60)

    def usage(self, prices: Prices | None = None) -> Usage:
        """Return what was added so far."""
        rows = tuple(
            _row(key, [self._periods[key]], _peak([self._periods[key]])) for key in sorted(self._periods)
        )
        periods = list(self._periods.values())
        # Stays are split at the ends of days and months, so that only those of one period are simultaneous.
        peak = _peak(periods) if self._by == "room" else max((row.peak for row in rows), default=0)
        total = _row("total", periods, peak)
        return Usage(by=self._by, rows=rows, total=total, prices=prices)

    def to_dict(self) -> dict[str, Any]:
        """Return the sums so far as plain JSON types, for `add_dict` of a meter with the same arguments."""
        return {key: period.to_dict() for key, period in self._periods.items()}

    def add_dict(self, sums: Mapping[str, Any]) -> None:
        """Add the sums of another meter, which added other sessions, recordings and compositions."""
        for key, period in sums.items():
            self._periods[key].add(_Period(**period))

    def _split(self, start: int, end: int, room_id: str) -> Sequence[_Part]:
        """Return the periods of a span, and its parts in them."""
        if self._by == "room":
            return ((self._periods[room_id], start, end),)
        parts: list[_Part] = []
        while True:
            if not self._period_start <= start < self._period_end:
                self._open_period(start)
            parts.append((self._period, start, min(end, self._period_end)))
            if end <= self._period_end:
                return parts
            start = self._period_end

    def _open_period(self, instant: int) -> None:
        """Find the day or month of an instant."""
        first = (_EPOCH + instant * _MICROSECOND).astimezone(self._zone).date()
        if self._by == "month":
            first = first.replace(day=1)
        following = self._next(first)
        # Where clocks go back shortly after midnight, the last minutes of a day come twice. The next day
        # begins at the first midnight.
        while _midnight(following, self._zone) <= instant:
            first, following = following, self._next(following)
        self._period = self._periods[first.isoformat()[: 10 if self._by == "day" else 7]]
        self._period_start, self._period_end = _midnight(first, self._zone), _midnight(following, self._zone)

    def _next(self, first: date) -> date:
        """Return the first day of the next period."""
        return first + timedelta(days=1) if self._by == "day" else (first + timedelta(days=31)).replace(day=1)

    def _period_at(self, instant: int, room_id: str) -> _Period:
        ((period, _, _),) = self._split(instant, instant, room_id)
        return period


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND


def _midnight(day: date, zone: tzinfo) -> int:
    return _microseconds(datetime.combine(day, time(), zone).astimezone(UTC))


def _hash(text: str) -> int:
    """Return 64 bits, which are equal for two of a million texts with a probability of 3 in 100 million."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


_hash_person: Final = lru_cache(maxsize=4096)(_hash)


def _row(key: str, periods: Sequence[_Period], peak: int) -> UsageRow:
    """Return the sums of periods."""
    return UsageRow(
        key=key,
        sessions=sum(period.sessions for period in periods),
        people=_count_distinct([period.people for period in periods]),
        participant_time=sum(period.microseconds for period in periods) * _MICROSECOND,
        billed_minutes=sum(period.billed_minutes for period in periods),
        peak=peak,
        recorded_minutes=sum(period.recorded_minutes for period in periods),
        recorded_megabytes=sum((period.recorded_megabytes for period in periods), Decimal()),
        composed_minutes=sum(period.composed_minutes for period in periods),
    )


def _count_distinct(arrays: "Sequence[array[int]]") -> int:
    """Count different values, a part of them at a time: a set takes ten times the memory of an array."""
    parts = sum(map(len, arrays)) // _CHUNK + 1
    return sum(
        len({value for values in arrays for value in values if value % parts == part})
        for part in range(parts)
    )


def _peak(periods: Sequence[_Period]) -> int:
    """Return the highest number of simultaneous stays, some of which are sorted at a time."""
    starts = [period.starts for period in periods if period.starts]
    ends = [period.ends for period in periods if period.ends]
    if not starts:
        return 0
    windows = sum(map(len, starts)) // _CHUNK + 1
    first, last = min(map(min, starts)), max(map(max, starts))
    width = (last - first) // windows + 1
    peak = present = 0
    for window in range(first, first + windows * width, width):
        # Odd numbers are starts: at the same instant, the ends come first.
        after = window + width
        changes = [2 * start + 1 for values in starts for start in values if window <= start < after]
        changes += [2 * end for values in ends for end in values if window <= end < after]
        for change in sorted(changes):
            present += 1 if change % 2 else -1
            peak = max(peak, present)
    return peak
