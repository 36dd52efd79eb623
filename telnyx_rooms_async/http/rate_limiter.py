"""The queue in front of the rate limit, which every request of a client passes."""

import asyncio
import math
from heapq import heappop, heappush
from itertools import count
from typing import Final

from telnyx_rooms_async.core.rate_limit import RateLimitWindow
from telnyx_rooms_async.errors import RateLimit
from telnyx_rooms_async.http.clock import Clock

_RESOLUTION: Final = 0.001
"""Seconds by which a wake-up may be late."""
_REFUSALS_WITHIN: Final = 1.0
"""Seconds. Two refusals in that time are not of single requests."""


class _Waiter:
    """A queued request."""

    def __init__(self) -> None:
        self.is_admitted = False
        self.is_gone = False
        self.wake: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        """True to look at the window again, False when the time is up."""


class RateLimiter:
    """FIFO queue in front of a `RateLimitWindow`, without a background task.

    The first waiter sleeps until the window reopens; when it is admitted or cancelled, the next one takes
    over. Each request that is admitted must be released, by one of `release`, `release_unsent` and `discard`.
    While the `queue` is empty, requests may use the `window` directly.
    """

    def __init__(self, capacity: int, clock: Clock, share: float = 1.0) -> None:
        self._capacity, self._clock, self._share = capacity, clock, share
        self.window: RateLimitWindow = RateLimitWindow(capacity, share)
        # Ordered by the start of the call, so that a retry goes before calls that began later.
        self.queue: list[tuple[float, int, _Waiter]] = []
        self._numbers = count()
        self._sleeper: _Waiter | None = None
        self._sleeps_until = math.inf
        self._refused_at = -math.inf

    def for_other_account(self) -> "RateLimiter":
        """Return a new rate limiter with the same options."""
        return RateLimiter(self._capacity, self._clock, self._share)

    async def acquire(self, started: float, deadline: float) -> bool:
        """Wait for admission of a call that began at `started`; return False if the deadline is too early."""
        waiter = _Waiter()
        heappush(self.queue, (started, next(self._numbers), waiter))
        is_done = False
        try:
            self.admit_queued()
            while not waiter.is_admitted and await self._wait(waiter, deadline):
                pass
            is_done = waiter.is_admitted
        finally:
            waiter.is_gone = not is_done
            if waiter.is_admitted and not is_done:
                self.window.refund()
            self.admit_queued()
        return is_done

    def delay(self) -> float | None:
        """Return the seconds until the window opens, or None if that depends on requests in flight."""
        return self.window.delay(self._clock.monotonic())

    def release(self, limit: RateLimit | None, sent_at: float, now: float, pause: float | None) -> bool:
        """Release the place of a request with a response, which may ask all requests to pause.

        Returns:
            Whether all requests are held for that pause: not for one that is too long.
        """
        self.window.complete(limit, sent_at, now)
        is_paused = pause is not None and self.window.pause(pause, now)
        self.admit_queued()
        return is_paused

    def note_refusal(self, now: float) -> bool:
        """Note that the server refused a request; return whether it refused another one just before."""
        is_again = now - self._refused_at <= _REFUSALS_WITHIN
        self._refused_at = now
        return is_again

    def release_unsent(self) -> None:
        """Release the place of a request that was not sent, so the server has not counted it."""
        self.window.refund()
        self.admit_queued()

    def discard(self) -> None:
        """Release the place of a request without an outcome, which the server may have counted."""
        self.window.discard(self._clock.monotonic())
        self.admit_queued()

    def reset(self) -> None:
        """Forget the requests of an event loop that has stopped."""
        self.queue.clear()
        self.window.in_flight = 0
        self._sleeper, self._sleeps_until = None, math.inf

    def admit_queued(self) -> None:
        """Admit waiters while the window is open; one of the others sleeps until it opens."""
        while self.queue:
            waiter = self.queue[0][2]
            now = self._clock.monotonic()
            if waiter.is_gone:
                heappop(self.queue)
                continue
            delay = self.window.delay(now)
            if delay == 0:
                heappop(self.queue)
                self.window.acquire(now, waiting=len(self.queue))
                waiter.is_admitted = True
                _wake(waiter, is_in_time=True)
                continue
            if delay is not None and now + delay < self._sleeps_until - _RESOLUTION:
                # The sleeper sleeps too long, or there is none.
                _wake(self._sleeper or waiter, is_in_time=True)
            return

    async def _wait(self, waiter: _Waiter, deadline: float) -> bool:
        """Wait for a change; return False if the request cannot be admitted in time."""
        now = self._clock.monotonic()
        delay, time_left = self.window.delay(now), deadline - now
        if time_left <= (delay or 0.0):
            return False
        loop = asyncio.get_running_loop()
        if waiter.wake.done():
            waiter.wake = loop.create_future()
        if delay is None or self._sleeper:
            timer = loop.call_later(time_left, _wake, waiter)
            try:
                return await waiter.wake
            finally:
                timer.cancel()
        self._sleeper, self._sleeps_until = waiter, now + delay
        sleep = asyncio.ensure_future(self._clock.sleep(delay))
        try:
            await asyncio.wait((sleep, waiter.wake), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._sleeper, self._sleeps_until = None, math.inf
            sleep.cancel()
            await asyncio.wait((sleep,))
        self.admit_queued()
        return True


def _wake(waiter: _Waiter, *, is_in_time: bool = False) -> None:
    if not waiter.wake.done():
        waiter.wake.set_result(is_in_time)
