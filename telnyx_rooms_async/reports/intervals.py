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
    """A span of time, from `start` to just before `end`, which is not before `start`. Both are in UTC."""

    start: datetime = field(converter=_in_utc)
    end: datetime = field(converter=_in_utc)

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


def split_by_day(interval: Interval, zone: tzinfo) -> Iterator[tuple[date, Interval]]:
    """Yield the parts of an interval by day of a time zone. A day has 23 or 25 hours when clocks change."""
    day, start = interval.start.astimezone(zone).date(), interval.start
    while True:
        midnight = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
        if midnight >= interval.end:
            yield day, Interval(start, interval.end)
            return
        # In a zone that skips midnight, the next day begins later, but no part is lost or counted twice.
        yield day, Interval(start, max(start, midnight))
        day, start = day + timedelta(days=1), max(start, midnight)
