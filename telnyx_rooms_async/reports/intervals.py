"""Spans of time: their union, and how many overlap."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeVar, cast

from attrs import field, frozen

from telnyx_rooms_async.errors import InvalidArgumentError

Instant = TypeVar("Instant", int, datetime)


def check_aware(name: str, instant: datetime) -> None:
    """Refuse a time without a time zone: Python would take it for the local time of this machine.

    Raises:
        InvalidArgumentError: the time has no time zone, or is no `datetime`.
    """
    if not isinstance(cast("object", instant), datetime):
        raise InvalidArgumentError((f"{name} must be a timezone-aware datetime, not {instant!r}",))
    if instant.utcoffset() is None:
        raise InvalidArgumentError((f"{name} must be timezone-aware, not {instant.isoformat()!r}",))


def in_utc(instant: datetime) -> datetime:
    """Convert a time to UTC: Python compares two times of one zone by their wall clocks, which change."""
    if instant.tzinfo is UTC:
        return instant
    check_aware("a time of a report", instant)
    return instant.astimezone(UTC)


@frozen(order=True)
class Interval:
    """A span of time, from `start` to just before `end`, which is not before `start`. Both are in UTC.

    Raises:
        InvalidArgumentError: a time has no time zone.

    Example:
        >>> start = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
        >>> Interval(start, start + timedelta(minutes=20)).duration
        datetime.timedelta(seconds=1200)
    """

    start: datetime = field(converter=in_utc)
    """Included."""
    end: datetime = field(converter=in_utc)
    """Excluded."""

    @property
    def duration(self) -> timedelta:
        """The elapsed time, 0 or more."""
        return self.end - self.start

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


def merged(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Return the union of intervals, in order: none of the result overlap or touch each other."""
    return tuple(Interval(*span) for span in union((interval.start, interval.end) for interval in intervals))


def union(spans: Iterable[tuple[Instant, Instant]]) -> list[tuple[Instant, Instant]]:
    """Return the same as `merged`, of pairs of a start and an end."""
    result: list[tuple[Instant, Instant]] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


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
