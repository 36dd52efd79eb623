"""The figures as one picture."""

# matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.cases import CASES
from benchmarks.contenders import CONTENDERS
from benchmarks.results import Results, Standing, duration, environment, one, times

_CASES: Final = ("retrieve-32", "create", "page", "list", "webhook", "import")
_COLUMNS: Final = 2
_DARK, _GREEN, _PALE = "#42526e", "#00875a", "#b0b7c3"
_COLOURS: Final = {"ours": _GREEN, "ours-8": _GREEN} | dict.fromkeys(
    ("sdk", "sdk-aiohttp", "sdk-httpx"), _PALE
)


def draw(path: Path, results: Results) -> None:
    """Draw the CPU that each contender takes, a panel a case, as SVG."""
    names = [name for name in _CASES if name in results]
    rows = -(-len(names) // _COLUMNS)
    # Text stays text, and the same figures make the same file.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "benchmarks", "font.size": 9}):
        figure = Figure(figsize=(11, 1.9 * rows + 0.5), layout="constrained")
        for index, name in enumerate(names):
            standings = [standing for standing in results[name] if standing.loop == "asyncio"]
            _panel(figure.add_subplot(rows, _COLUMNS, index + 1), name, standings)
        figure.suptitle("CPU of the client, and how many times that of the first bar", fontsize=11)
        here = environment()
        packages = ", ".join(f"{name} {here['versions'][name]}" for name in ("aiohttp", "telnyx", "httpx"))
        machine = f"{here['machine']['cpu']}, {here['machine']['cores']} cores, {here['machine']['system']}"
        caption = f"{machine}; {here['python']}; {packages}; {here['date']}"
        figure.supxlabel(caption, fontsize=7, color=_DARK)
        figure.savefig(path, format="svg", metadata={"Date": None})


def _panel(axes: Axes, name: str, standings: Sequence[Standing]) -> None:
    titles = [CONTENDERS[standing.entrant].title for standing in standings]
    widths = [standing.cpu.median if standing.cpu else 0.0 for standing in standings]
    colours = [_COLOURS.get(standing.entrant, _DARK) for standing in standings]
    bars = axes.barh(titles, widths, color=colours, height=0.7)
    axes.bar_label(bars, [_label(standing) for standing in standings], padding=4)
    title = f"{CASES[name].title} ({one(CASES[name].unit)})"
    axes.set_title(title, loc="left", fontsize=9, fontweight="bold")
    axes.invert_yaxis()
    axes.set_xlim(0, max(widths) * 1.4)
    axes.xaxis.set_visible(False)
    axes.tick_params(left=False)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)


def _label(standing: Standing) -> str:
    if standing.cpu is None or standing.cpu_ratio is None:
        return standing.failure
    return f"{duration(standing.cpu.median)}  ×{times(standing.cpu_ratio.median)}"  # noqa: RUF001 - the sign for times
