"""Texts of charts for people."""

import unicodedata
from datetime import datetime, timedelta, tzinfo
from typing import Final

from telnyx_rooms_async.reports.attendance import Attendance
from telnyx_rooms_async.reports.usage import Usage

JOINERS: Final = "\u200c\u200d"
"""Characters without a width that form emoji and Persian words."""


def printable(text: str) -> str:
    """Return text in one line, without characters that control a terminal, reorder text, or break XML."""
    kept = (
        "\ufffd" if unicodedata.category(character) in ("Cc", "Cs", "Cn") else character
        for character in " ".join(text.split())
        if unicodedata.category(character) != "Cf" or character in JOINERS
    )
    return "".join(kept)


def duration_text(duration: timedelta) -> str:
    """Return a duration, rounded down: ``"45 s"``, ``"12 min"`` or ``"1 h 05 min"``."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    if not minutes:
        return f"{seconds} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02} min" if hours else f"{minutes} min"


def attendance_title(attendance: Attendance, zone: tzinfo) -> str:
    """Return the days, the number of people, the peak and the sum."""
    parts = [
        _counted(len(attendance.attendees), "person", "people"),
        f"at most {attendance.peak} at the same time",
        f"{duration_text(attendance.duration)} in all",
    ]
    if attendance.attendees:
        first, last = (instant.astimezone(zone).date().isoformat() for instant in bounds(attendance))
        parts.insert(0, f"{_range(first, last)} {zone}")
    return " · ".join(parts)


def usage_title(usage: Usage) -> str:
    """Return the days or months, and the totals."""
    total = usage.total
    parts = [
        _counted(total.billed_minutes, "participant minute", "participant minutes"),
        _counted(total.sessions, "session", "sessions"),
        _counted(total.people, "person", "people"),
    ]
    if usage.rows and usage.by != "room":
        parts.insert(0, _range(usage.rows[0].key, usage.rows[-1].key))
    if usage.prices is not None:
        parts.append(f"cost {total.cost(usage.prices):,f}")
    return " · ".join(parts)


def bounds(attendance: Attendance) -> tuple[datetime, datetime]:
    """Return when the first person joined, and when the last one left."""
    intervals = [interval for attendee in attendance.attendees for interval in attendee.intervals]
    first = min((interval.start for interval in intervals), default=attendance.as_of)
    return first, max((interval.end for interval in intervals), default=attendance.as_of)


def _counted(count: int, singular: str, plural: str) -> str:
    return f"{count:,} {singular if count == 1 else plural}"


def _range(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"
