"""Medians of the samples, with their spread, and ratios within each round."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median, quantiles

from attrs import frozen

from benchmarks.cases import Case
from benchmarks.measuring import Sample
from benchmarks.race import Row


@frozen(kw_only=True)
class Spread:
    """The middle half of the rounds."""

    median: float
    low: float
    high: float


@frozen(kw_only=True)
class Standing:
    """What one contender came to in one case."""

    entrant: str
    loop: str
    cpu: Spread | None
    """Seconds a unit; ``None`` when no round was finished."""
    wall: Spread | None
    cpu_ratio: Spread | None
    """CPU to that of the reference in the same round on the same loop."""
    wall_ratio: Spread | None
    sockets: int
    memory_peak: int
    memory_growth: int
    failures: int
    failure: str
    warnings: int
    samples: Sequence[Sample]


def standings(case: Case, samples: Mapping[Row, Sequence[Sample]]) -> list[Standing]:
    """Return what each contender came to; one that never finished a round has no place, but a failure."""
    return [
        _standing(row, mine, samples.get(Row(row.loop, case.reference), ())) for row, mine in samples.items()
    ]


def _standing(row: Row, mine: Sequence[Sample], reference: Sequence[Sample]) -> Standing:
    return Standing(
        entrant=row.entrant,
        loop=row.loop,
        cpu=spread([cpu_of(sample) for sample in mine if finished(sample)]),
        wall=spread([wall_of(sample) for sample in mine if finished(sample)]),
        cpu_ratio=_ratio(cpu_of, mine, reference),
        wall_ratio=_ratio(wall_of, mine, reference),
        sockets=max(sample.sockets for sample in mine),
        memory_peak=round(median(sample.memory_peak for sample in mine)),
        memory_growth=round(median(sample.memory_growth for sample in mine)),
        failures=sum(sample.failures for sample in mine),
        failure=next((sample.failure for sample in mine if sample.failure), ""),
        warnings=sum(sample.warnings for sample in mine),
        samples=mine,
    )


def finished(sample: Sample) -> bool:
    """Tell whether a round came to its end."""
    return sample.units > 0


def cpu_of(sample: Sample) -> float:
    """Return the CPU seconds a unit."""
    return sample.cpu / sample.units


def wall_of(sample: Sample) -> float:
    """Return the wall seconds a unit."""
    return sample.wall / sample.units


def _ratio(
    figure: Callable[[Sample], float], mine: Sequence[Sample], reference: Sequence[Sample]
) -> Spread | None:
    pairs = [pair for pair in zip(mine, reference, strict=False) if all(map(finished, pair))]
    return spread([figure(sample) / figure(limit) for sample, limit in pairs])


def spread(values: Sequence[float]) -> Spread | None:
    """Return the median and the quartiles, or ``None`` of nothing."""
    if not values:
        return None
    middle = median(values)
    low, _, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else (middle, middle, middle)
    return Spread(median=middle, low=low, high=high)
