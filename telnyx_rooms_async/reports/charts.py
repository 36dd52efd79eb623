"""Charts as SVG or PNG (extra ``charts``)."""

# matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import threading
import unicodedata
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from os import PathLike
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from telnyx_rooms_async.atomic_write import AtomicFile
from telnyx_rooms_async.errors import ConfigurationError, InvalidArgumentError
from telnyx_rooms_async.reports.attendance import Attendance
from telnyx_rooms_async.reports.labels import (
    JOINERS,
    attendance_title,
    bounds,
    duration_text,
    printable,
    usage_title,
)
from telnyx_rooms_async.reports.usage import Usage

try:
    from matplotlib import dates, style
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties, findfont, get_font
    from matplotlib.ticker import MaxNLocator
except ModuleNotFoundError:
    hint = "charts need the extra \"charts\": pip install 'telnyx-rooms-async[charts]'"
    raise ConfigurationError(hint) from None

_dates: Any = dates
"""matplotlib leaves this module without types."""
_FONT_SIZE: Final = 9.0
"""In points, of which an inch has 72."""
_MARGIN: Final = 0.2
"""In inches, as all lengths below."""
_HEADER: Final = 0.45
_ROW: Final = 0.26
_PLOT_WIDTH: Final = 6.4
_PLOT_HEIGHT: Final = 1.1
_LABELS_HEIGHT: Final = 0.45
_VALUES_WIDTH: Final = 0.95
_NAME_MIN: Final = 0.6
_NAME_MAX: Final = 2.9
_GAP: Final = 0.15
_ROWS_MAX: Final = 200
"""Rows of a chart: a larger picture is of no use."""
_WIDE_CHARACTER: Final = 1.3
"""Width of emoji and Chinese characters, which the font does not have, in units of the font size."""
_SETTINGS_LOCK: Final = threading.Lock()
"""matplotlib has one set of settings for all threads."""


@frozen
class _Theme:
    background: str
    text: str
    muted: str
    grid: str
    bar: str
    edge: str


_LIGHT: Final = _Theme("#ffffff", "#1f2937", "#6b7280", "#e5e7eb", "#60a5fa", "#1d4ed8")
_DARK: Final = _Theme("#111827", "#f3f4f6", "#9ca3af", "#374151", "#3b82f6", "#bfdbfe")


def write_attendance(
    attendance: Attendance, path: str | PathLike[str], *, zone: tzinfo = UTC, dark: bool = False
) -> None:
    """Draw a bar for each stay of each person, and below the number of people over time."""
    attendees = attendance.attendees[:_ROWS_MAX]
    title = _with_left_out(attendance_title(attendance, zone), len(attendance.attendees) - len(attendees))
    names = [attendee.identity for attendee in attendees]
    heights = (len(attendees) * _ROW, _PLOT_HEIGHT)
    with _chart(path, title, heights, names, dark=dark) as (theme, (bars, curve)):
        _set_time_axis(bars, attendance, zone)
        bars.set_ylim(max(len(attendees), 1) - 0.5, -0.5)
        bars.tick_params(labelbottom=False, left=False, labelleft=False)
        for row, attendee in enumerate(attendees):
            spans = [(_number(stay.start), _number(stay.end)) for stay in attendee.intervals]
            widths = [(start, end - start) for start, end in spans]
            bars.broken_barh(widths, (row - 0.3, 0.6), facecolor=theme.bar, linewidth=0)
            edges = [instant for span in spans for instant in span]
            if attendee.is_present:
                bars.plot([edges.pop()], [row], ">", color=theme.edge, markersize=4)
            bars.plot(edges, [row] * len(edges), "|", color=theme.edge, markersize=9)
            _add_value(bars, row, duration_text(attendee.duration), theme)
        _draw_concurrency(curve, attendance, theme, zone)
        curve.set_ylabel("people", color=theme.muted)


def write_usage(usage: Usage, path: str | PathLike[str], *, dark: bool = False) -> None:
    """Draw a bar for the participant minutes of each room, day or month."""
    if usage.by != "room":
        with _chart(path, usage_title(usage), (2.4,), dark=dark) as (theme, (plot,)):
            _draw_periods(plot, usage, theme)
        return
    rows = sorted(usage.rows, key=lambda row: (-row.billed_minutes, row.key))[:_ROWS_MAX]
    title = _with_left_out(usage_title(usage), len(usage.rows) - len(rows))
    names = [row.key or "-" for row in rows]
    with _chart(path, title, (len(rows) * _ROW,), names, dark=dark) as (theme, (plot,)):
        plot.barh(range(len(rows)), [row.billed_minutes for row in rows], height=0.6, color=theme.bar)
        plot.set_ylim(max(len(rows), 1) - 0.5, -0.5)
        plot.set_xlim(left=0)
        plot.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        plot.xaxis.set_major_formatter("{x:,.0f}")
        plot.tick_params(left=False, labelleft=False)
        for number, row in enumerate(rows):
            _add_value(plot, number, f"{row.billed_minutes:,} min", theme)


def check_name(path: str | PathLike[str]) -> str:
    """Return the suffix of the file of a chart.

    Raises:
        InvalidArgumentError: it is neither ``.svg`` nor ``.png``.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (".svg", ".png"):
        raise InvalidArgumentError((f"the name of a chart must end in .svg or .png, not {str(path)!r}",))
    return suffix


def _number(instant: datetime) -> float:
    """Return the position of a time on an axis."""
    return float(_dates.date2num(instant))


def _set_time_axis(plot: Axes, attendance: Attendance, zone: tzinfo) -> None:
    """Show the time from the first join to the last leave, with labels in a zone."""
    first, last = bounds(attendance)
    padding = max((last - first) * 0.02, timedelta(seconds=2))
    plot.set_xlim(_number(first - padding), _number(last + padding))
    # Between other limits, no interval of the locator fits some times, such as four hours, and it warns.
    locator = _dates.AutoDateLocator(tz=zone, minticks=4, maxticks=9)
    plot.xaxis.set_major_locator(locator)
    plot.xaxis.set_major_formatter(_dates.ConciseDateFormatter(locator, tz=zone, show_offset=False))


def _draw_concurrency(plot: Axes, attendance: Attendance, theme: _Theme, zone: tzinfo) -> None:
    """Draw the number of people as a step line, which ends at the time of the report."""
    _set_time_axis(plot, attendance, zone)
    changes = list(attendance.concurrency)
    present = sum(attendee.is_present for attendee in attendance.attendees)
    if present and changes:
        changes[-1] = (changes[-1][0], present)
    instants = [_number(instant) for instant, _ in changes]
    counts = [count for _, count in changes]
    if instants:
        plot.fill_between(instants, counts, step="post", color=theme.bar, alpha=0.35, linewidth=0)
        plot.step([instants[0], *instants], [0, *counts], where="post", color=theme.edge, linewidth=1.2)
    plot.set_ylim(0, max(counts, default=0) + 0.5)
    plot.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    plot.grid(axis="y")


def _draw_periods(plot: Axes, usage: Usage, theme: _Theme) -> None:
    """Draw a column for the participant minutes of each day or month."""
    if not usage.rows:
        plot.set_xticks([])
        return
    suffix, days = ("", 1) if usage.by == "day" else ("-01", 28)
    starts = [_number(datetime.fromisoformat(row.key + suffix)) for row in usage.rows]
    minutes = [row.billed_minutes for row in usage.rows]
    plot.bar(starts, minutes, width=0.8 * days, align="edge", color=theme.bar)
    plot.set_xlim(starts[0] - 0.5, max(starts[0] + 7, starts[-1] + 1.3 * days))
    locator = _dates.AutoDateLocator(tz=UTC, minticks=2, maxticks=10)
    locator.intervald = {key: values for key, values in locator.intervald.items() if key < 4}  # noqa: PLR2004 - at least days
    plot.xaxis.set_major_locator(locator)
    plot.xaxis.set_major_formatter(_dates.ConciseDateFormatter(locator, tz=UTC, show_offset=False))
    plot.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    plot.yaxis.set_major_formatter("{x:,.0f}")
    plot.grid(axis="y")


# --- layout -------------------------------------------------------------------------------------------------


def _add_plots(
    figure: Figure, theme: _Theme, title: str, heights: Sequence[float], names: Sequence[str], *, is_svg: bool
) -> list[Axes]:
    """Add a title, plots of some heights above each other, and names at the left of the rows of the first."""
    names = [_shortened(printable(name)) for name in names]
    left = _MARGIN + max(_NAME_MIN, 0.15 + max(map(_text_width, names), default=0))
    heights = [max(height, _ROW) for height in heights]
    width = left + _PLOT_WIDTH + _VALUES_WIDTH
    height = _HEADER + sum(heights) + _GAP * (len(heights) - 1) + _LABELS_HEIGHT
    figure.set_size_inches(width, height)
    title_at = (_MARGIN / width, 1 - 0.5 * _HEADER / height)
    figure.text(*title_at, title, va="center", color=theme.text, size=_FONT_SIZE + 1)
    for row, name in enumerate(names):
        y = height - _HEADER - (row + 0.5) * _ROW - 0.35 * _FONT_SIZE / 72
        shown = name if is_svg else _drawable(name)
        figure.add_artist(_Text(_MARGIN / width, y / height, shown, theme.text))
    plots: list[Axes] = []
    bottom = height - _HEADER
    for plot_height in heights:
        bottom -= plot_height
        rectangle = (left / width, bottom / height, _PLOT_WIDTH / width, plot_height / height)
        plots.append(figure.add_axes(rectangle))
        bottom -= _GAP
    return plots


def _add_value(plot: Axes, row: int, text: str, theme: _Theme) -> None:
    """Add a text at the right of a row."""
    plot.annotate(
        text, (1, row), xytext=(8, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
        va="center_baseline", color=theme.muted, annotation_clip=False,
    )  # fmt: skip


def _with_left_out(title: str, left_out: int) -> str:
    return f"{title} · {left_out} not shown" if left_out else title


class _Text(Artist):
    """Text at a position of the figure, which is not measured: the font does not have all characters."""

    def __init__(self, x: float, y: float, text: str, colour: str) -> None:
        super().__init__()
        self._position = (x, y)
        self._text = text
        self._colour = colour

    def draw(self, renderer: RendererBase) -> None:
        """Draw the text, without formulas between ``$``."""
        assert self.figure is not None  # noqa: S101 - it is drawn by its figure
        x, y = self.figure.transSubfigure.transform(self._position)
        _, height = renderer.get_canvas_width_height()
        context = renderer.new_gc()
        context.set_foreground(self._colour)
        renderer.draw_text(
            context, x, height - y if renderer.flipy() else y, self._text, FontProperties(size=_FONT_SIZE), 0
        )
        context.restore()


@contextmanager
def _chart(
    path: str | PathLike[str], title: str, heights: Sequence[float], names: Sequence[str] = (), *, dark: bool
) -> Generator[tuple[_Theme, list[Axes]], None, None]:
    """Yield the plots of a chart, which is written to a file when they are complete."""
    suffix = check_name(path)
    theme = _DARK if dark else _LIGHT
    settings = {
        "axes.edgecolor": theme.grid, "axes.facecolor": theme.background, "axes.axisbelow": True,
        "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False,
        "axes.grid": True, "axes.grid.axis": "x", "font.sans-serif": ["DejaVu Sans"],
        "font.size": _FONT_SIZE, "grid.color": theme.grid,
        "grid.linewidth": 0.6, "path.simplify": False, "svg.fonttype": "none", "svg.hashsalt": "telnyx-rooms",
        "xtick.color": theme.grid, "xtick.labelcolor": theme.muted, "ytick.color": theme.grid,
        "ytick.labelcolor": theme.muted, "ytick.left": False,
    }  # fmt: skip
    with _SETTINGS_LOCK, style.context(settings, after_reset=True):
        figure = Figure(facecolor=theme.background)
        yield theme, _add_plots(figure, theme, title, heights, names, is_svg=suffix == ".svg")
        metadata = {"Date": None, "Creator": None} if suffix == ".svg" else {"Software": None}
        with AtomicFile(Path(path)) as file:
            figure.savefig(file, format=suffix[1:], dpi=150, metadata=metadata)


# --- texts --------------------------------------------------------------------------------------------------


def _shortened(text: str) -> str:
    """Return text that fits into the column of names."""
    if _text_width(text) <= _NAME_MAX:
        return text
    while _text_width(f"{text}…") > _NAME_MAX:
        text = text[:-1].rstrip(JOINERS)
    return f"{text.rstrip()}…"


def _text_width(text: str) -> float:
    """Return the width in inches."""
    return sum(map(_character_width, text)) * _FONT_SIZE / 72


def _character_width(character: str) -> float:
    """Return the width in units of the font size."""
    if character in JOINERS:
        return 0.0
    font = get_font(findfont(FontProperties()))
    if not font.get_char_index(ord(character)):
        return 0.0 if unicodedata.category(character).startswith("M") else _WIDE_CHARACTER
    font.set_size(10, 72)
    return font.load_char(ord(character)).linearHoriAdvance / 65536 / 10


def _drawable(text: str) -> str:
    """Replace characters that the font does not have."""
    font = get_font(findfont(FontProperties()))
    characters = (
        character if font.get_char_index(ord(character)) else "□" * bool(_character_width(character))
        for character in text
    )
    return "".join(characters)
