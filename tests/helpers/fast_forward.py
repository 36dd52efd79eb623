"""An event loop that does not wait: when only a timer is left, time jumps to it.

Everything that asyncio counts in seconds is affected, aiohttp's timeouts included: a test can keep the
defaults of a client and is still fast. Bytes on their way over loopback are waited for.
"""

import asyncio
import selectors
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from attrs import define, field

from telnyx_rooms_async import Clock
from tests.helpers.clocks import EPOCH

_SHORT_WAIT: Final = 0.0005
_LONG_WAIT: Final = 0.004
_LONG_TIMER: Final = 1.5
_DEADLOCK: Final = 10.0


@define(eq=False, repr=False)
class FastForwardLoop:
    """The time of a patched event loop, for its client and its server."""

    random: Callable[[], float] = lambda: 0.5
    sleeps: list[float] = field(factory=list[float])
    _skipped: float = 0.0
    _start: float = 0.0
    _threads: int = 0
    _loop_time: Callable[[], float] = lambda: 0.0
    _select: Callable[[float | None], list[Any]] = lambda _: []

    @classmethod
    def real_time(cls) -> "FastForwardLoop":
        """Return the time of the running loop, unpatched."""
        time = cls()
        time._loop_time = asyncio.get_running_loop().time
        time._start = time._loop_time()
        return time

    @property
    def clock(self) -> Clock:
        return Clock(monotonic=self.seconds, now=self.now, sleep=self.sleep, random=self._random)

    def _random(self) -> float:
        return self.random()

    def seconds(self) -> float:
        return self._loop_time() + self._skipped

    def now(self) -> float:
        return EPOCH + self.seconds() - self._start

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        await asyncio.sleep(seconds)

    @contextmanager
    def patch(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        patched: Any = loop
        selector: selectors.BaseSelector = patched._selector
        self._select, self._loop_time, run_in_thread = selector.select, loop.time, loop.run_in_executor
        self._start = self._loop_time()

        def run_in_executor(*args: Any) -> asyncio.Future[Any]:
            self._threads += 1
            future = run_in_thread(*args)
            future.add_done_callback(self._thread_ended)
            return future

        patched.time, patched.run_in_executor = self.seconds, run_in_executor
        selector.select = self._fast_select  # type: ignore[method-assign]  # patched for one test
        yield
        del patched.time, patched.run_in_executor, selector.select

    def _thread_ended(self, _: object) -> None:
        self._threads -= 1

    def _fast_select(self, timeout: float | None = None) -> list[Any]:
        if self._threads:  # threads take real time
            return self._select(timeout)
        if timeout is None:
            if ready := self._select(_DEADLOCK):
                return ready
            raise AssertionError("the loop waits for a byte that never comes, and no timer is set")
        wait = _SHORT_WAIT if timeout < _LONG_TIMER else _LONG_WAIT
        if timeout <= wait:
            return self._select(timeout)
        if ready := self._select(wait):
            return ready
        self._skipped += timeout - wait
        return []


async def wait_until(condition: Callable[[], bool]) -> None:
    """Run other tasks until a condition holds."""
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("the condition never held")
