"""Spans of time: merging, adding up, splitting at midnight, and how many overlap."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from attrs import field, frozen


def _in_utc(instant: datetime) -> datetime:
    """Python subtracts two datetimes of one zone by their wall clocks, which is wrong when clocks change."""
    return instant.astimezone(UTC)


@frozen(order=True)
class Interval:
    """A span of time, from `start` to just before `end`, which is not before `start`. Both are in UTC.

    Example:
        >>> start = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
        >>> Interval(start, start + timedelta(minutes=20)).duration
        datetime.timedelta(seconds=1200)
    """

    start: datetime = field(converter=_in_utc)
    """Included."""
    end: datetime = field(converter=_in_utc)
    """Excluded."""

    @property
    def duration(self) -> timedelta:
        """The elapsed time, 0 or more."""
        return self.end - self.start

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


def merged(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Return the union of intervals, in order: none of the result overlap or touch each other."""
    union: list[Interval] = []
    for interval in sorted(intervals):
        if union and interval.start <= union[-1].end:
            union[-1] = Interval(union[-1].start, max(union[-1].end, interval.end))
        else:
            union.append(interval)
    return tuple(union)


def total(intervals: Iterable[Interval]) -> timedelta:
    """Return the sum of the durations."""
    return sum((interval.duration for interval in intervals), timedelta())


def concurrency(intervals: Iterable[Interval]) -> Iterator[tuple[datetime, int]]:
    """Yield each instant at which the number of simultaneous intervals changes, and the new number."""
    changes: Counter[datetime] = Counter()
    for interval in intervals:
        changes[interval.start] += 1
        changes[interval.end] -= 1
    count = 0
    for instant in sorted(changes):
        if changes[instant]:
            count += changes[instant]
            yield instant, count


def days_of(interval: Interval, zone: tzinfo) -> Iterator[tuple[date, Interval]]:
    """Yield the days of a time zone in which an interval is; each has 23 to 25 hours when clocks change."""
    day = interval.start.astimezone(zone).date()
    start = _midnight(day, zone)
    while True:
        next_day = day + timedelta(days=1)
        end = max(start, _midnight(next_day, zone))
        yield day, Interval(start, end)
        if end >= interval.end:
            return
        day, start = next_day, end


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
