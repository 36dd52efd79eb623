"""The kept figures as the table of the README. It is made of the file, so that a test can compare the two."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from benchmarks.contenders import ENTRANTS
from benchmarks.report import duration, each, times

_CPU: Final = ("retrieve-1", "retrieve-32", "create", "page", "list", "webhook", "import")
_WALL: Final = ("list-50ms", "burst-10000-50ms", "create-10000-20ms")
_COLUMNS: Final = (("ours",), ("sdk-aiohttp",), ("sdk-httpx", "sdk"))
Kept = Mapping[str, Any]


def lines(kept: Kept) -> Iterator[str]:
    """Yield the lines of the table, and where and when it was made."""
    yield "| | bare aiohttp + json | this library | `telnyx` on aiohttp | `telnyx` by default |"
    yield "|---|---|---|---|---|"
    for figure, names in (("cpu", _CPU), ("wall", _WALL)):
        for name in names:
            if name in kept["cases"]:
                yield from _row(kept["cases"][name], figure)
    yield ""
    versions, machine = kept["versions"], kept["machine"]
    packages = ", ".join(f"{name} {versions[name]}" for name in ("aiohttp", "telnyx", "httpx"))
    yield f"{machine['cpu']}, {machine['cores']} cores; {kept['python']}; {packages}; {kept['date']}."


def _row(case: Kept, figure: str) -> Iterator[str]:
    standings = {each["entrant"]: each for each in case["standings"] if each["loop"] == "asyncio"}
    reference = standings[case["reference"]][figure]["median"]
    ratios = [_ratio(standings, names, figure) for names in _COLUMNS]
    which = "CPU" if figure == "cpu" else "wall time"
    beside = "" if case["reference"] == "bare" else f", beside {ENTRANTS[case['reference']].title}"
    what = f"{case['title']}{beside}: {which} {each(case['unit'])}"
    yield f"| {what} | {duration(reference)} | {' | '.join(ratios)} |"


def _ratio(standings: Mapping[str, Kept], names: Sequence[str], figure: str) -> str:
    for name in names:
        if name in standings and standings[name][f"{figure}_ratio"]:
            return f"× {times(standings[name][f'{figure}_ratio']['median'])}"  # noqa: RUF001 - the sign for times
    return ""
