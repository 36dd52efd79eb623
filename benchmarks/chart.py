"""The figures as one picture, which is legible at the width of a README."""

# matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false

from collections.abc import Mapping
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.contenders import CONTENDERS
from benchmarks.results import PATH, duration, provenance, times

_CASES: Final[Mapping[str, str]] = {
    "retrieve-32": "Retrieve a room",
    "create": "Create a room",
    "retrieve-32-tls": "Retrieve a room\nover TLS",
    "page": "A page of 250 rooms\nwith sessions",
    "list": "List 10 000 rooms",
}
_BARS: Final[Mapping[str, str]] = {
    "ours": "#00875a",
    "bare": "#42526e",
    "sdk-aiohttp": "#c1c7d0",
    "sdk-httpx": "#dfe1e6",
}
"""Contenders from the top, and their colours."""
_HEIGHT: Final = 0.2
"""Of a bar; the cases are 1 apart."""


def draw(stored: Mapping[str, Any]) -> None:
    """Draw the CPU of the contenders as multiples of bare aiohttp, as an SVG file beside the results."""
    names = [name for name in _CASES if name in stored["cases"]]
    # Text becomes outlines: no other font cuts it off. The same figures make the same file.
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "benchmarks", "font.size": 12}):
        figure = Figure(figsize=(9, 0.95 * len(names) + 1.7), layout="constrained")
        axes = figure.add_subplot()
        for place, (contender, colour) in enumerate(_BARS.items()):
            bars = {
                index + (place - 1.5) * _HEIGHT: standing
                for index, name in enumerate(names)
                for standing in stored["cases"][name]["standings"]
                if standing["contender"] == contender and standing["cpu_ratio"]
            }
            ratios = [standing["cpu_ratio"]["median"] for standing in bars.values()]
            title = CONTENDERS[contender].title
            drawn = axes.barh(list(bars), ratios, height=_HEIGHT * 0.92, color=colour, label=title)
            weight = "bold" if contender == "ours" else "normal"
            labels = [_label(standing) for standing in bars.values()]
            axes.bar_label(drawn, labels, padding=4, fontsize=11, fontweight=weight)
        axes.set_yticks(range(len(names)), [_CASES[name] for name in names])
        axes.invert_yaxis()
        axes.set_xlim(0, axes.get_xlim()[1] * 1.08)
        axes.xaxis.set_visible(False)
        axes.tick_params(left=False)
        for side in ("top", "right", "bottom"):
            axes.spines[side].set_visible(False)
        title = "CPU of the client, as a multiple of bare aiohttp: less is better"
        figure.legend(loc="outside upper center", ncols=2, frameon=False, title=title, title_fontsize=13)
        figure.supxlabel(provenance(stored).partition("; ")[2], fontsize=9, color="#42526e")
        figure.savefig(PATH.with_name("chart.svg"), format="svg", metadata={"Date": None})


def _label(standing: Mapping[str, Any]) -> str:
    """Return the multiple; of the reference its time."""
    if standing["contender"] == "bare":
        return duration(standing["cpu"]["median"])
    return f"×{times(standing['cpu_ratio']['median'])}"  # noqa: RUF001 - the sign for times
