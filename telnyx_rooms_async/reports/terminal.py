"""Charts for a terminal, by rich."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Final

from attrs import frozen
from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from telnyx_rooms_async.reports.attendance import Attendance, Attendee
from telnyx_rooms_async.reports.labels import (
    attendance_title,
    bounds,
    duration_text,
    printable,
    usage_title,
)
from telnyx_rooms_async.reports.usage import Usage

_WIDTH_MAX: Final = 120
"""A pipe has no width."""
_NAME_MAX: Final = 36
_GAP: Final = "  "
_BAR: Final = "cyan"
_MUTED: Final = "dim"
_SHADES: Final = (" ", "▒", "▓", "█")
"""A cell in which a person was never, less than half of the time, longer, and always present."""
_LEVELS: Final = " ▁▂▃▄▅▆▇█"
_ASCII: Final = str.maketrans("▒▓█▁▂▃▄▅▆▇·…", "-+#._-=+*#-~")


@frozen
class AttendanceChart:
    """A line for each person with bars while present, and a line with the number of people."""

    attendance: Attendance
    zone: tzinfo = UTC

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines, in the width of the terminal."""
        attendees = self.attendance.attendees
        names = [printable(attendee.identity) for attendee in attendees]
        values = [duration_text(attendee.duration) for attendee in attendees]
        layout = _Layout.of(names, values, options)
        yield layout.title(attendance_title(self.attendance, self.zone))
        if not attendees:
            return
        first, last = bounds(self.attendance)
        span = (last - first) or timedelta(seconds=1)
        edges = [first + span * number / layout.plot for number in range(layout.plot + 1)]
        for name, value, attendee in zip(names, values, attendees, strict=True):
            yield layout.line(name, _presence(attendee, edges), value)
        peak = self.attendance.peak
        yield layout.line("", _levels(self.attendance, peak, edges), f"at most {peak}")
        start, end = (instant.astimezone(self.zone) for instant in (first, last))
        form = "%H:%M" if start.date() == end.date() else "%Y-%m-%d %H:%M"
        axis, end_label = f"{start:{form}}", f"{end:{form}}"
        if len(axis) + len(end_label) < layout.plot:
            axis += end_label.rjust(layout.plot - len(axis))
        yield layout.line("", axis, "", _MUTED)


@frozen
class UsageChart:
    """A line for each room, day or month with a bar for its participant minutes."""

    usage: Usage

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines, in the width of the terminal."""
        rows = self.usage.rows
        prices = self.usage.prices
        names = [printable(row.key) for row in rows]
        minutes = [f"{row.billed_minutes:,} min" for row in rows]
        costs = ["" if prices is None else f"{_GAP}{row.cost(prices):,f}" for row in rows]
        width, cost_width = max(map(len, minutes), default=0), max(map(len, costs), default=0)
        values = [
            text.rjust(width) + cost.rjust(cost_width) for text, cost in zip(minutes, costs, strict=True)
        ]
        layout = _Layout.of(names, values, options)
        yield layout.title(usage_title(self.usage))
        highest = max((row.billed_minutes for row in rows), default=0) or 1
        for name, row, value in zip(names, rows, values, strict=True):
            cells = -(-row.billed_minutes * layout.plot // highest)
            yield layout.line(name, "█" * cells, value)


@frozen
class _Layout:
    """Columns for the name, the plot and the value, as wide as the terminal."""

    name: int
    plot: int
    encoding: str

    @classmethod
    def of(cls, names: Sequence[str], values: Sequence[str], options: ConsoleOptions) -> "_Layout":
        width = min(options.max_width, _WIDTH_MAX)
        name = min(max(map(cell_len, names), default=0), _NAME_MAX, width // 3)
        value = max([len("at most 00"), *map(cell_len, values)])
        return cls(name, max(width - name - value - 2 * len(_GAP), 8), options.encoding)

    def line(self, name: str, plot: str, value: str, style: str = _BAR) -> Text:
        name = self._encodable(name)
        if cell_len(name) > self.name:
            name = set_cell_size(name, self.name - 1) + self._encodable("…")
        parts = (
            set_cell_size(name, self.name) + _GAP,
            (self._encodable(set_cell_size(plot, self.plot)), style),
            (f"{_GAP}{value}", _MUTED),
        )
        return Text.assemble(*parts, no_wrap=True, overflow="crop")

    def title(self, text: str) -> Text:
        return Text(self._encodable(text), "bold")

    def _encodable(self, text: str) -> str:
        """Replace characters that the terminal cannot show."""
        if self.encoding.startswith("utf"):
            return text
        return text.translate(_ASCII).encode(self.encoding, "replace").decode(self.encoding)


def _presence(attendee: Attendee, edges: Sequence[datetime]) -> str:
    """Return a character for each cell: how much of it a person was present."""
    cells: list[str] = []
    intervals = list(reversed(attendee.intervals))
    for start, end in pairwise(edges):
        overlaps: list[timedelta] = []
        while intervals and (intervals[-1].start < end or end == edges[-1]):
            interval = intervals[-1]
            overlaps.append(min(interval.end, end) - max(interval.start, start))
            if interval.end > end:
                break
            intervals.pop()
        share = sum(overlaps, timedelta()) / (end - start)
        cells.append(_SHADES[1 + (2 * share >= 1) + (share >= 1)] if overlaps else _SHADES[0])
    return "".join(cells)


def _levels(attendance: Attendance, peak: int, edges: Sequence[datetime]) -> str:
    """Return a character for each cell: the highest number of people in it."""
    changes = list(reversed(attendance.concurrency))
    count, cells = 0, list[str]()
    for end in edges[1:]:
        highest = count
        while changes and changes[-1][0] < end:
            _, count = changes.pop()
            highest = max(highest, count)
        cells.append(_LEVELS[-(-highest * (len(_LEVELS) - 1) // max(peak, 1))])
    return "".join(cells)
