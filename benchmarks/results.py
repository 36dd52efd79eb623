"""Medians and ratios of the samples: checked, as tables, stored, and in the guides."""

import json
import os
import platform
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final, TypeAlias

from attrs import asdict, frozen

from benchmarks.cases import CASES, Case
from benchmarks.contenders import CONTENDERS
from benchmarks.instructions import CALL_TITLES
from benchmarks.measuring import Sample

ROOT: Final = Path(__file__).parents[1]
PATH: Final = ROOT / "benchmarks" / "results" / "results.json"

# --- figures ------------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Spread:
    """The middle half of the rounds."""

    median: float
    low: float
    high: float


@frozen(kw_only=True)
class Standing:
    """The result of one contender in one case."""

    contender: str
    cpu: Spread | None
    """Seconds a unit; ``None`` when no round was finished."""
    wall: Spread | None
    cpu_ratio: Spread | None
    """CPU to that of the reference in the same round."""
    wall_ratio: Spread | None
    sockets: int
    memory_peak: int
    memory_growth: int
    failures: int
    failure: str
    samples: Sequence[Sample]


Results: TypeAlias = Mapping[str, Sequence[Standing]]
Figure: TypeAlias = Callable[[Sample], float]


def _cpu(sample: Sample) -> float:
    return sample.cpu / sample.units


def _wall(sample: Sample) -> float:
    return sample.wall / sample.units


def standings(case: Case, samples: Mapping[str, Sequence[Sample]]) -> list[Standing]:
    """Return the results of all contenders, failures included."""
    reference = samples.get(case.reference, ())
    return [_standing(contender, own, reference) for contender, own in samples.items()]


def _standing(contender: str, samples: Sequence[Sample], reference: Sequence[Sample]) -> Standing:
    def figures(figure: Figure) -> Spread | None:
        return _spread([figure(sample) for sample in samples if sample.units])

    def ratios(figure: Figure) -> Spread | None:
        pairs = [pair for pair in zip(samples, reference, strict=False) if pair[0].units and pair[1].units]
        return _spread([figure(sample) / figure(other) for sample, other in pairs])

    return Standing(
        contender=contender,
        cpu=figures(_cpu),
        wall=figures(_wall),
        cpu_ratio=ratios(_cpu),
        wall_ratio=ratios(_wall),
        sockets=max(sample.sockets for sample in samples),
        memory_peak=round(median(sample.memory_peak for sample in samples)),
        memory_growth=round(median(sample.memory_growth for sample in samples)),
        failures=sum(sample.failures for sample in samples),
        failure=next((sample.failure for sample in samples if sample.failure), ""),
        samples=samples,
    )


def _spread(values: Sequence[float]) -> Spread | None:
    if not values:
        return None
    low, middle, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else [*values] * 3
    return Spread(median=middle, low=low, high=high)


# --- a check of the figures ---------------------------------------------------------------------------------

# How many times the CPU of bare aiohttp this library may take, by a wide margin.
_LIMITS: Final = {"retrieve-32": 5.0, "create": 5.0, "page": 5.0, "list": 10.0}
# This library takes less CPU than the SDK in these.
_WINS: Final = ("retrieve-1", "retrieve-32", "create", "page", "list", "import")


def implausible(results: Results) -> Iterator[str]:
    """Describe what cannot be true on any machine: something is broken, here or in the library."""
    for case, standings_of_case in results.items():
        for standing in standings_of_case:
            if standing.failures:
                yield f"{case}: {standing.contender}: {standing.failures} failures: {standing.failure}"
        by_name = {standing.contender: standing for standing in standings_of_case}
        if "ours" not in by_name:
            yield f"{case}: ours is missing"
            continue
        ours, sdk = by_name["ours"], by_name.get("sdk-aiohttp") or by_name.get("sdk")
        limit = _LIMITS.get(case)
        if limit and ours.cpu_ratio and ours.cpu_ratio.median > limit:
            yield f"{case}: {ours.cpu_ratio.median:.1f} times the CPU of the reference, over {limit}"
        if case in _WINS and ours.cpu and sdk and sdk.cpu and ours.cpu.median > sdk.cpu.median:
            yield f"{case}: more CPU than the SDK"


# --- texts --------------------------------------------------------------------------------------------------


def duration(seconds: float) -> str:
    """Format a time in the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} us"


def times(ratio: float) -> str:
    """Format a ratio with as many digits as mean something."""
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"  # noqa: PLR2004 - two digits before the point


def one(unit: str) -> str:
    """Return ``a call``, ``an import``."""
    return f"{'an' if unit[0] in 'aeiou' else 'a'} {unit}"


_COLUMNS: Final = "{:34} {:>10} {:>16} {:>7} {:>10} {:>7} {:>8} {:>8} {:>8} {:>6}"
_HEADINGS: Final = ("", "CPU", "middle half", "ratio", "wall", "ratio", "sockets", "peak", "growth", "failed")
_MIB: Final = 2**20


def table(case: Case, results: Sequence[Standing]) -> Iterator[str]:
    """Yield the lines of one case for the terminal."""
    yield f"\n{case.title} (per {case.unit}; ratios to {CONTENDERS[case.reference].title})"
    yield _COLUMNS.format(*_HEADINGS).rstrip()
    for standing in results:
        cpu, wall = standing.cpu, standing.wall
        yield _COLUMNS.format(
            CONTENDERS[standing.contender].title,
            duration(cpu.median) if cpu else "-",
            f"{duration(cpu.low)}-{duration(cpu.high)}" if cpu else "-",
            times(standing.cpu_ratio.median) if standing.cpu_ratio else "",
            duration(wall.median) if wall else "-",
            times(standing.wall_ratio.median) if standing.wall_ratio else "",
            standing.sockets,
            f"{standing.memory_peak / _MIB:.0f} MB" if standing.memory_peak else "",
            f"{standing.memory_growth / _MIB:.1f} MB" if standing.memory_peak else "",
            standing.failures or "",
        ).rstrip()
        if standing.failure:
            yield f"    {standing.failure}"
        if case.latency_ms and case.unit == "room" and wall:
            yield f"    {wall.median * case.rooms / (case.latency_ms / 1000):.1f} round trips"


_HEADINGS_OF_GUIDES: Final = (
    "| | bare aiohttp + json | this library | `telnyx` on aiohttp | `telnyx` by default |\n"
    "|---|---|---|---|---|\n"
)
_README_ROWS: Final = ("retrieve-32", "create", "page")
_CLIENT_ROWS: Final = ("first-call", "first-call-tls", "clients-1000", "clients-1000-calls")
_GUIDE_ROWS: Final = (
    ("cpu", ("retrieve-1", "retrieve-32", "retrieve-32-tls", "create", "page", "list", "webhook", "import")),
    ("cpu", _CLIENT_ROWS),
    ("wall", ("list-50ms", "burst-10000-50ms", "create-10000-20ms")),
    ("memory", _CLIENT_ROWS[2:]),
)
_CONTENDERS_OF_COLUMNS: Final = (("ours",), ("sdk-aiohttp",), ("sdk-httpx", "sdk"))


def guides(stored: Mapping[str, Any]) -> Mapping[Path, str]:
    """Return the texts of README.md and of the guide to the benchmarks with the stored figures in them."""
    readme, guide = ROOT / "README.md", ROOT / "benchmarks" / "README.md"
    short = _replace_rows(readme.read_text("utf-8"), _rows(stored, (("cpu", _README_ROWS),)))
    for words, name in (("room takes ", "retrieve-32"), ("250 rooms ", "page")):
        if name in stored["cases"]:
            ratio = _cells(stored["cases"][name], "cpu")[2].removeprefix("× ")  # noqa: RUF001 - the sign for times
            short = re.sub(rf"(?<={words})[\d.]+(?= times)", ratio, short)
    rows = chain(_rows(stored, _GUIDE_ROWS), _instruction_rows(stored))
    full = _replace_rows(guide.read_text("utf-8"), rows)
    full = re.sub(r"^.* cores; .*$", provenance(stored), full, flags=re.MULTILINE)
    return {readme: short, guide: full}


def provenance(stored: Mapping[str, Any]) -> str:
    """Return the machine, the versions and the date of the stored results."""
    machine = stored["machine"]
    packages = ", ".join(f"{name} {stored['versions'][name]}" for name in _NAMED_PACKAGES)
    return f"{machine['cpu']}, {machine['cores']} cores; {stored['python']}; {packages}; {stored['date']}."


def _replace_rows(text: str, rows: Iterable[str]) -> str:
    """Return a text with other rows in its table of figures."""
    head, body = _HEADINGS_OF_GUIDES, r"\A(?:\|.*\n)*"
    before, _, after = text.partition(head)
    return before + head + "".join(f"{row}\n" for row in rows) + re.sub(body, "", after)


def _rows(stored: Mapping[str, Any], rows: Iterable[tuple[str, Sequence[str]]]) -> Iterator[str]:
    cases = stored["cases"]
    for figure, names in rows:
        yield from (f"| {' | '.join(_cells(cases[name], figure))} |" for name in names if name in cases)


def _instruction_rows(stored: Mapping[str, Any]) -> Iterator[str]:
    for call, counts in stored.get("instructions", {}).items():
        ratio = times(counts["ours"] / counts["bare"])
        bare = f"{counts['bare'] / 1000:,.0f} 000".replace(",", " ")
        yield f"| {CALL_TITLES[call]}: instructions a call | {bare} | × {ratio} | | |"  # noqa: RUF001 - the sign for times


def _cells(case: Mapping[str, Any], figure: str) -> list[str]:
    by_name = {result["contender"]: result for result in case["standings"]}
    reference = case["reference"]
    base = _figure(by_name[reference], figure)
    beside = "" if reference == "bare" else f", beside {CONTENDERS[reference].title}"
    title = f"{case['title']}{beside}: {_FIGURES[figure]} {one(case['unit'])}"
    cells = [title, f"{base / 1000:.3g} KB" if figure == "memory" else duration(base)]
    for names in _CONTENDERS_OF_COLUMNS:
        measured = [by_name[name] for name in names if name in by_name and by_name[name]["cpu"]]
        cells.append(f"× {times(_ratio(measured[0], figure, base))}" if measured and base else "")  # noqa: RUF001 - the sign for times
    return cells


_FIGURES: Final = {"cpu": "CPU", "wall": "wall time", "memory": "memory"}


def _figure(result: Mapping[str, Any], figure: str) -> float:
    """Return seconds or bytes a unit."""
    if figure == "memory":
        return float(result["memory_growth"] / result["samples"][0]["units"])
    return float(result[figure]["median"])


def _ratio(result: Mapping[str, Any], figure: str, base: float) -> float:
    """Return the median of the ratios in each round; of memory the ratio of the medians."""
    return _figure(result, figure) / base if figure == "memory" else result[f"{figure}_ratio"]["median"]


# --- the stored results -------------------------------------------------------------------------------------

_NAMED_PACKAGES: Final = ("aiohttp", "cattrs", "telnyx", "httpx", "httpx-aiohttp")
"""The packages of the contenders, whose versions the texts state."""
_PACKAGES: Final = (
    *("telnyx-rooms-async", "aiohttp", "attrs", "cattrs", "msgspec", "telnyx", "httpx", "httpx-aiohttp"),
    "pydantic",
)


def environment() -> dict[str, Any]:
    """Return the date, the machine and the versions of everything that counts."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {
            "cpu": _cpu_name(),
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}",
        },
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "versions": {package: _version(package) for package in _PACKAGES},
    }


def _cpu_name() -> str:
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


def store(
    results: Results, instructions: Mapping[str, object], missing: Mapping[str, str]
) -> Mapping[str, Any]:
    """Write all figures, samples included, beside those of other cases with the same machine and versions."""
    stored = read() if PATH.exists() else {}
    here = environment()
    is_same = all(stored.get(name) == here[name] for name in ("machine", "python", "versions"))
    cases: dict[str, Any] = stored["cases"] if is_same else {}
    for name, standings_of_case in results.items():
        cases[name] = {
            "title": CASES[name].title,
            "unit": CASES[name].unit,
            "reference": CASES[name].reference,
            "standings": [asdict(standing) for standing in standings_of_case],
        }
    kept: dict[str, object] = stored.get("instructions", {}) if is_same else {}
    document: dict[str, Any] = here | {
        "missing": missing,
        "instructions": kept | dict(instructions),
        "cases": {name: cases[name] for name in CASES if name in cases},
    }
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    return document


def read() -> dict[str, Any]:
    """Return the stored results."""
    stored: dict[str, Any] = json.loads(PATH.read_text("utf-8"))
    return stored
