"""The figures, for people and for machines."""

import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from attrs import asdict
from cattrs import structure

from benchmarks.cases import CASES, Case
from benchmarks.contenders import ENTRANTS
from benchmarks.figures import Spread, Standing

_PACKAGES: Final = (
    "telnyx-rooms-async",
    "aiohttp",
    "attrs",
    "cattrs",
    "msgspec",
    "telnyx",
    "httpx",
    "httpx-aiohttp",
    "pydantic",
    "uvloop",
)
_MIB: Final = 2**20
Results = Mapping[str, Sequence[Standing]]


def surroundings() -> dict[str, object]:
    """Tell where and when, and the version of everything that counts."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {
            "cpu": _cpu(),
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}",
        },
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "versions": {package: _version(package) for package in _PACKAGES},
    }


def caption() -> str:
    """Tell where and when in one line."""
    where = f"{_cpu()}, {os.cpu_count()} cores, {platform.system()}"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    packages = ", ".join(f"{name} {_version(name)}" for name in ("aiohttp", "telnyx", "httpx"))
    return f"{where}; {python}; {packages}; {datetime.now(UTC).date().isoformat()}"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def write_json(path: Path, results: Results, missing: Mapping[str, str]) -> None:
    """Write all figures, those of each round included, beside those of other cases that were made here."""
    around = surroundings()
    kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    is_here = all(kept.get(name) == around[name] for name in ("machine", "python", "versions"))
    cases = {
        name: {
            "title": CASES[name].title,
            "unit": CASES[name].unit,
            "reference": CASES[name].reference,
            "standings": [asdict(standing) for standing in standings],
        }
        for name, standings in results.items()
    }
    before: dict[str, Any] = kept["cases"] if is_here else {}
    both = before | cases
    in_order = {name: both[name] for name in CASES if name in both}
    path.write_text(json.dumps(around | {"missing": missing, "cases": in_order}, indent=1) + "\n")


def read_json(path: Path) -> dict[str, list[Standing]]:
    """Read the figures that are kept."""
    cases = json.loads(path.read_text())["cases"]
    return {name: structure(case["standings"], list[Standing]) for name, case in cases.items()}


_COLUMNS: Final = "{:34} {:7} {:>10} {:>16} {:>7} {:>10} {:>7} {:>8} {:>8} {:>8} {:>6}"
_HEADINGS: Final = (
    "",
    "loop",
    "CPU",
    "middle half",
    "ratio",
    "wall",
    "ratio",
    "sockets",
    "peak",
    "growth",
    "failed",
)


def table(case: Case, standings: Sequence[Standing]) -> Iterator[str]:
    """Yield the lines of one case."""
    yield f"\n{case.title} (each {case.unit}; ratios to {ENTRANTS[case.reference].title})"
    yield _COLUMNS.format(*_HEADINGS).rstrip()
    for standing in standings:
        yield _COLUMNS.format(
            ENTRANTS[standing.entrant].title,
            standing.loop,
            duration(standing.cpu.median) if standing.cpu else "-",
            f"{duration(standing.cpu.low)}-{duration(standing.cpu.high)}" if standing.cpu else "-",
            _ratio(standing.cpu_ratio),
            duration(standing.wall.median) if standing.wall else "-",
            _ratio(standing.wall_ratio),
            standing.sockets,
            f"{standing.memory_peak / _MIB:.0f} MB" if standing.memory_peak else "",
            f"{standing.memory_growth / _MIB:.1f} MB" if standing.memory_peak else "",
            standing.failures or "",
        ).rstrip()
        if standing.failure:
            yield f"    {standing.failure}"
        if standing.warnings:
            yield f"    {standing.warnings} warnings logged"
    if case.latency_ms and case.unit == "room":
        yield from _round_trips(case, standings)


def _round_trips(case: Case, standings: Sequence[Standing]) -> Iterator[str]:
    """Yield what a whole list comes to, in times the latency."""
    for standing in standings:
        if standing.wall is None:
            continue
        trips = standing.wall.median * case.rooms / (case.latency_ms / 1000)
        yield f"    {ENTRANTS[standing.entrant].title}: {trips:.1f} round trips"


def duration(seconds: float) -> str:
    """Print a time in the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} us"


def each(unit: str) -> str:
    """Name one of them: ``a call``, ``an import``."""
    return f"{'an' if unit[0] in 'aeiou' else 'a'} {unit}"


def _ratio(ratio: Spread | None) -> str:
    return times(ratio.median) if ratio else ""


def times(ratio: float) -> str:
    """Print a ratio with as many digits as mean something."""
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"  # noqa: PLR2004 - two digits before the point
