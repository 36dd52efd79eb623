"""What must be so on any machine, by a wide margin: else something is broken, here or in the library."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from benchmarks.figures import Standing

# The most of bare aiohttp's CPU that ours may take.
_LIMITS: Final = {"retrieve-32": 5.0, "create": 5.0, "page": 5.0, "list": 10.0, "decode": 5.0}
# Ours beats the SDK in these.
_WINS: Final = ("retrieve-1", "retrieve-32", "create", "page", "decode", "list", "import")


def faults(results: Mapping[str, Sequence[Standing]]) -> Iterator[str]:
    """Tell what is not as it must be."""
    for case, standings in results.items():
        for standing in standings:
            if standing.failures:
                yield f"{case}: {standing.entrant}: {standing.failures} failures: {standing.failure}"
        plain = {standing.entrant: standing for standing in standings}
        if "ours" not in plain:
            yield f"{case}: ours is missing"
            continue
        ours = plain["ours"]
        limit = _LIMITS.get(case)
        if limit and ours.cpu_ratio and ours.cpu_ratio.median > limit:
            yield f"{case}: {ours.cpu_ratio.median:.1f} times the CPU of the reference, over {limit}"
        rival = plain.get("sdk-aiohttp") or plain.get("sdk")
        if case in _WINS and ours.cpu and rival and rival.cpu and ours.cpu.median > rival.cpu.median:
            yield f"{case}: more CPU than the SDK"
