"""What one round brought, and the watch that measures it: in the contender's process, and nothing else."""

import gc
import resource
import sys
import time

from attrs import frozen


@frozen(kw_only=True)
class Sample:
    """One round of one contender."""

    units: int
    """How many calls, pages, rooms or imports; 0 when the whole round failed."""
    wall: float
    """Seconds."""
    cpu: float
    """Seconds of this process, all threads, user and system."""
    memory_peak: int = 0
    """Bytes of the whole process, at most."""
    memory_growth: int = 0
    """Bytes by which that peak rose while it was measured."""
    sockets: int = 0
    """The most connections open at once, as the server counts them."""
    failures: int = 0
    """How many of the units failed."""
    failure: str = ""
    """What the first failure said."""
    warnings: int = 0
    """How many warnings were logged: ours logs one for each attempt that it makes again."""


class Stopwatch:
    """Runs from the moment it is made."""

    def __init__(self) -> None:
        gc.collect()  # what was left over by others is not on our bill
        self._memory = memory_peak()
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def seconds(self) -> float:
        """Return the wall time so far."""
        return time.perf_counter() - self._wall

    def mark_memory(self) -> None:
        """Count the growth of the memory from here on."""
        self._memory = memory_peak()

    def sample(self, units: int, *, failures: tuple[str, ...] = ()) -> Sample:
        """Stop."""
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        peak = memory_peak()
        return Sample(
            units=units,
            wall=wall,
            cpu=cpu,
            memory_peak=peak,
            memory_growth=peak - self._memory,
            failures=len(failures),
            failure=failures[0] if failures else "",
        )


def memory_peak() -> int:
    """Return the most memory that this process ever had resident, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
