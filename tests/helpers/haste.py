"""Time that does not wait: when a loop has nothing to do but to wait for a timer, the timer is due at once.

All that asyncio counts in seconds is affected, aiohttp's timeouts included, so that a test can keep the
defaults of a client and still be fast. A byte that is on its way over loopback is waited for.
"""

import asyncio
import selectors
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from attrs import define, field

from telnyx_rooms_async import Clock

EPOCH: Final = 1_619_352_000.0
"""Noon of 25 April 2021: when a test begins."""
_MOMENT: Final = 0.0005
_LONG_MOMENT: Final = 0.004
_LONG: Final = 1.5
_FOR_EVER: Final = 10.0


@define(eq=False, repr=False)
class Haste:
    """The time of a hasty loop, as its client and its server are given it."""

    dice: Callable[[], float] = lambda: 0.5
    sleeps: list[float] = field(factory=list[float])
    _ahead: float = 0.0
    _began: float = 0.0
    _threads: int = 0
    _really: Callable[[], float] = lambda: 0.0
    _select: Callable[[float | None], list[Any]] = lambda _: []

    @classmethod
    def of_patience(cls) -> "Haste":
        """Tell the time of a loop that is left as it is."""
        it = cls()
        it._really = asyncio.get_running_loop().time
        it._began = it._really()
        return it

    @property
    def clock(self) -> Clock:
        """What a client is given."""
        return Clock(monotonic=self.seconds, now=self.now, sleep=self.sleep, dice=self.roll)

    def roll(self) -> float:
        """Roll the dice that there are at this moment."""
        return self.dice()

    def seconds(self) -> float:
        """Tell how far the loop is."""
        return self._really() + self._ahead

    def now(self) -> float:
        """Tell the time of day, in seconds since the epoch of computers."""
        return EPOCH + self.seconds() - self._began

    async def sleep(self, seconds: float) -> None:
        """Sleep, and keep a record of it."""
        self.sleeps.append(seconds)
        await asyncio.sleep(seconds)

    @contextmanager
    def runs(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """Make a loop hasty."""
        inside: Any = loop
        selector: selectors.BaseSelector = inside._selector
        self._select, self._really, in_thread = selector.select, loop.time, loop.run_in_executor
        self._began = self._really()

        def run_in_executor(*args: Any) -> asyncio.Future[Any]:
            self._threads += 1
            future = in_thread(*args)
            future.add_done_callback(self._thread_ended)
            return future

        inside.time, inside.run_in_executor = self.seconds, run_in_executor
        selector.select = self._hasty_select  # type: ignore[method-assign]  # what this is all about
        yield
        del inside.time, inside.run_in_executor, selector.select

    def _thread_ended(self, _: object) -> None:
        self._threads -= 1

    def _hasty_select(self, timeout: float | None = None) -> list[Any]:
        if self._threads:  # they take their real time
            return self._select(timeout)
        if timeout is None:
            if ready := self._select(_FOR_EVER):
                return ready
            raise AssertionError("nothing will ever happen in this loop")
        moment = _MOMENT if timeout < _LONG else _LONG_MOMENT
        if timeout <= moment or (ready := self._select(moment)):
            return self._select(timeout) if timeout <= moment else ready
        self._ahead += timeout - moment
        return []


async def until(condition: Callable[[], bool]) -> None:
    """Let others work until something is so."""
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")
