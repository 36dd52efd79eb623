"""The figures of one round, and the watch that measures them in the process of the contender."""

import gc
import resource
import sys
import time

from attrs import frozen


@frozen(kw_only=True)
class Sample:
    """One round of one contender."""

    units: int
    """Number of calls, pages, rooms or imports; 0 when the whole round failed."""
    wall: float
    """Seconds."""
    cpu: float
    """Seconds of this process, all threads, user and system."""
    memory_peak: int = 0
    """Bytes of the whole process, at most."""
    memory_growth: int = 0
    """Bytes by which the peak rose during the measurement."""
    sockets: int = 0
    """The most connections open at once, as the server counts them."""
    failures: int = 0
    """How many of the units failed."""
    failure: str = ""
    """Text of the first failure."""


class Stopwatch:
    """Runs from its construction."""

    def __init__(self) -> None:
        gc.collect()  # garbage of earlier rounds is not measured
        self._memory = memory_peak()
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def seconds(self) -> float:
        """Return the wall time so far."""
        return time.perf_counter() - self._wall

    def sample(self, units: int, *, failures: tuple[str, ...] = ()) -> Sample:
        """Return the figures so far."""
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
    """Return the peak resident memory of this process in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def raise_file_limit() -> None:
    """Allow this process as many open files as the system does: 1 000 clients have a connection each."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
