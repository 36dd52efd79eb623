"""The figures as one picture, which is legible at the width of a README."""

# matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.contenders import CONTENDERS
from benchmarks.results import NAMED_PACKAGES, Results, Standing, duration, environment, times

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


def draw(path: Path, results: Results) -> None:
    """Draw the CPU of the contenders as multiples of bare aiohttp, as SVG."""
    names = [name for name in _CASES if name in results]
    # Text becomes outlines: no other font cuts it off. The same figures make the same file.
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "benchmarks", "font.size": 12}):
        figure = Figure(figsize=(9, 0.95 * len(names) + 1.7), layout="constrained")
        axes = figure.add_subplot()
        for place, (entrant, colour) in enumerate(_BARS.items()):
            bars: dict[float, Standing] = {}
            for index, name in enumerate(names):
                standing = _asyncio_standing(results, name, entrant)
                if standing is not None:
                    bars[index + (place - 1.5) * _HEIGHT] = standing
            ratios = [_ratio(standing) for standing in bars.values()]
            is_ours = entrant == "ours"
            contender = CONTENDERS[entrant].title
            drawn = axes.barh(list(bars), ratios, height=_HEIGHT * 0.92, color=colour, label=contender)
            labels = [_label(standing, entrant) for standing in bars.values()]
            axes.bar_label(drawn, labels, padding=4, fontsize=11, fontweight="bold" if is_ours else "normal")
        axes.set_yticks(range(len(names)), [_CASES[name] for name in names])
        axes.invert_yaxis()
        axes.set_xlim(0, axes.get_xlim()[1] * 1.08)
        axes.xaxis.set_visible(False)
        axes.tick_params(left=False)
        for side in ("top", "right", "bottom"):
            axes.spines[side].set_visible(False)
        title = "CPU of the client, as a multiple of bare aiohttp: less is better"
        figure.legend(loc="outside upper center", ncols=2, frameon=False, title=title, title_fontsize=13)
        here = environment()
        packages = ", ".join(f"{name} {here['versions'][name]}" for name in NAMED_PACKAGES)
        figure.supxlabel(f"{here['python']}; {packages}; {here['date']}", fontsize=9, color="#42526e")
        figure.savefig(path, format="svg", metadata={"Date": None})


def _asyncio_standing(results: Results, case: str, entrant: str) -> Standing | None:
    found = (one for one in results[case] if (one.loop, one.entrant) == ("asyncio", entrant))
    return next((standing for standing in found if standing.cpu_ratio), None)


def _ratio(standing: Standing) -> float:
    return standing.cpu_ratio.median if standing.cpu_ratio else 0.0


def _label(standing: Standing, entrant: str) -> str:
    """Return the multiple; of the reference its time."""
    if entrant == "bare" and standing.cpu:
        return duration(standing.cpu.median)
    return f"×{times(_ratio(standing))}"  # noqa: RUF001 - the sign for times
