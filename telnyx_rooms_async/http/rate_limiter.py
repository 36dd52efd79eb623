"""The gate that all calls of a client go through, one after the other when it is not open."""

import asyncio
import math
from heapq import heappop, heappush
from itertools import count
from typing import Final

from attrs import define

from telnyx_rooms_async.core.http_messages import RateLimit
from telnyx_rooms_async.core.rate_limit import RateLimitWindow
from telnyx_rooms_async.http.clock import Clock

_MOMENT: Final = 0.001


@define(eq=False, repr=False)
class _Turn:
    """One who waits."""

    wake: asyncio.Future[bool]
    """Whether there is something to look at; ``False`` when its time is up."""
    admitted: bool = False
    gone: bool = False


class RateLimiter:
    """Holds calls back while `RateLimitWindow` says so.

    Nobody works for the gate. Of those who wait the first watches the clock for all; who goes away,
    through the gate or for good, hands on to the next. When it is open and nobody waits, nothing is
    awaited.
    """

    def __init__(self, capacity: int, clock: Clock, share: float = 1.0) -> None:
        self._clock = clock
        self._window = RateLimitWindow(capacity=capacity) if share == 1 else _shared(capacity, share)
        # The call that began first goes first, even when it comes back to try again.
        self._queue: list[tuple[float, int, _Turn]] = []
        self._numbers = count()
        self._watcher: _Turn | None = None
        self._watched_until = math.inf

    @property
    def rate_limit(self) -> RateLimit | None:
        """The newest word of the server."""
        return self._window.told

    def enter_at_once(self, now: float) -> bool:
        """Go through if the gate is open and nobody waits, and tell whether."""
        if self._queue or self._window.delay(now) != 0:
            return False
        self._window.enter(now)
        return True

    async def enter(self, since: float, deadline: float) -> bool:
        """Go through when it is the turn of one who came at `since`; ``False`` if that is not in time."""
        turn = _Turn(asyncio.get_running_loop().create_future())
        heappush(self._queue, (since, next(self._numbers), turn))
        passed = False
        try:
            self._admit()
            while not turn.admitted and await self._wait(turn, deadline):
                pass
            passed = turn.admitted
        finally:
            turn.gone = not passed
            if turn.admitted and not passed:
                self._window.leave()
            self._admit()
        return passed

    def delay(self) -> float | None:
        """Return the seconds until the gate opens, or ``None`` when that hangs on the calls in flight."""
        return self._window.delay(self._clock.monotonic())

    def leave(self) -> None:
        """Come back without news: whoever went through comes back, this way or the other."""
        self._window.leave()
        self._window.lose(self._clock.monotonic())
        self._admit()

    def leave_unsent(self) -> None:
        """Come back without having sent anything: nobody has counted it."""
        self._window.take_back()
        self._admit()

    def leave_with(self, told: RateLimit | None, sent_at: float, now: float, pause: float | None) -> bool:
        """Come back with news.

        Args:
            told: what the answer told of the rate limit, if there was one and it did.
            sent_at: when it was asked.
            now: when it came back.
            pause: how long the server wants nobody to come, if it said so.

        Returns:
            Whether the gate keeps that pause; one that is too long is not for all.
        """
        self._window.leave()
        self._window.learn(told, sent_at, now)
        kept = pause is not None and self._window.stop(pause, now)
        self._admit()
        return kept

    def forget(self) -> None:
        """Start afresh: the event loop of those who were on their way is gone."""
        self._queue.clear()
        self._window.forget()
        self._watcher, self._watched_until = None, math.inf

    def _admit(self) -> None:
        """Let through who may go, and see to it that somebody watches the clock for the rest."""
        while self._queue:
            turn = self._queue[0][2]
            now = self._clock.monotonic()
            if turn.gone:
                heappop(self._queue)
                continue
            delay = self._window.delay(now)
            if delay == 0:
                heappop(self._queue)
                self._window.enter(now, waiting=len(self._queue))
                turn.admitted = True
                _wake(turn)
                continue
            if delay is not None and now + delay < self._watched_until - _MOMENT:
                _wake(self._watcher or turn)  # who watches has slept too long, or nobody watches
            return

    async def _wait(self, turn: _Turn, deadline: float) -> bool:
        """Wait a while, and tell whether there is any use in it."""
        now = self._clock.monotonic()
        delay, left = self._window.delay(now), deadline - now
        if left <= (delay or 0.0):
            return False
        loop = asyncio.get_running_loop()
        if turn.wake.done():
            turn.wake = loop.create_future()
        if delay is None or self._watcher:
            # By hand: with a timeout of asyncio, and a heap of attrs, a call that waits took a third more.
            timer = loop.call_later(left, _tell_that_time_is_up, turn)
            try:
                return await turn.wake
            finally:
                timer.cancel()
        self._watcher, self._watched_until = turn, now + delay
        nap = asyncio.ensure_future(self._clock.sleep(delay))
        try:
            await asyncio.wait((nap, turn.wake), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._watcher, self._watched_until = None, math.inf
            nap.cancel()
            await asyncio.wait((nap,))
        self._admit()
        return True


def _shared(capacity: int, share: float) -> RateLimitWindow:
    from telnyx_rooms_async.core.rate_limit import SharedRateLimitWindow  # noqa: PLC0415 - few share, and its import takes time

    return SharedRateLimitWindow(capacity=capacity, share=share)


def _wake(turn: _Turn) -> None:
    if not turn.wake.done():
        turn.wake.set_result(True)


def _tell_that_time_is_up(turn: _Turn) -> None:
    if not turn.wake.done():
        turn.wake.set_result(False)
