"""How fast requests may be sent: rate-limit headers and the arithmetic of windows. Time is an argument."""

import re
from heapq import heappop, heappush
from math import inf
from typing import Final, TypeVar

from telnyx_rooms_async.core.http_messages import RawHeaders
from telnyx_rooms_async.errors import RateLimit

N = TypeVar("N", int, float)

_MAX_DIGITS: Final = 9
_COUNT: Final = rb" *([0-9]{1,9})(?![0-9])"
_SECONDS: Final = rb" *([0-9]{1,9}(?:\.[0-9]{1,30})?)(?![0-9.])"
LONGEST_PAUSE: Final = 60.0
"""Seconds. A longer pause fails the call that received it, and does not hold the other calls."""
_ROUNDED_RESET: Final = 1.0
"""Seconds for a reset of 0, which may have been rounded down from just under 1 s."""
_FIRST_RESPONSE_WAIT: Final = 5.0
"""Seconds to wait for the first response of a window, which states how long the window lasts."""
_SPREAD: Final = 1.0
"""Seconds over which requests resume that were held together."""
_PROBES: Final = 5
"""Requests in flight at once while no rate limit is known."""
_ROUNDING: Final = 1e-9
"""100 * 0.29 is a little less than 29."""
_RESPONSES_WITHOUT_LIMIT: Final = 25
"""Responses without a rate limit after which none is expected."""
_READ_INTERVAL: Final = 0.1
"""Seconds between two readings of the rate limit while many requests remain."""
_MANY: Final = 2
"""Many requests remain while there are more than this many times those that can be in flight at once."""


def rate_limit(headers: RawHeaders) -> RateLimit | None:
    """Read the ``x-ratelimit-…`` headers; None if there are none, or none can be read."""
    limit = remaining = reset = None
    for name, value in reversed(headers):  # of a repeated header, the first one counts
        match name.lower():
            case b"x-ratelimit-limit":
                limit = _number(value, int)
            case b"x-ratelimit-remaining":
                remaining = _number(value, int)
            case b"x-ratelimit-reset":
                reset = _number(value, float)
            case _:
                pass
    if limit is remaining is reset is None:
        return None
    return RateLimit(limit=limit, remaining=remaining, reset=reset)


def _number(text: bytes, number: type[N]) -> N | None:
    """Read a number, or the first one of a list of limits."""
    if len(text) <= _MAX_DIGITS and text.isdigit():
        return number(text)
    match = re.match(_COUNT if number is int else _SECONDS, text)
    return number(match[1]) if match else None


class RateLimitWindow:
    """Decides when the next request may be sent. Pure arithmetic, for one account and one clock.

    Three limits apply: the number of connections; a pause that the server asked for; and, in each window of
    the rate limit, the number of requests that the server says remain, less those that are still in flight.

    The server states the end of a window in rounded seconds, so its end is only known to lie between two
    times. The window here ends at the later one, and a response counts for the next window only if its own
    end is certainly later than that.

    With a share below 1, a request also holds a place until the window that counted it is certainly over: its
    response has come, and the seconds of the ``reset`` in that response have passed. There are as many places
    as the share allows, so no window counts more requests than that, without communication between clients.

    Args:
        capacity: requests in flight at once.
        share: the share of each window that is used, above 0 and up to 1.
    """

    def __init__(self, capacity: int, share: float = 1.0) -> None:
        self.in_flight: int = 0
        self._capacity = capacity
        self._probing_left = _RESPONSES_WITHOUT_LIMIT
        self._paused_until = self._spread_until = -inf
        self._last_seen: RateLimit | None = None
        # Headers of a newer response, and when those of the next one are read.
        self._unread: RawHeaders = ()
        self._next_reading = -inf
        self._limit = 0
        # Of the present window: the requests that may still be sent, and when it began.
        self._permits = inf
        self._started = -inf
        # Its end is at the latest, and at the earliest; whether no response of it has stated its end.
        self._ends, self._earliest_end = inf, -inf
        self._end_is_estimated = True
        self._period = 0.0
        # Whether all resets so far were whole seconds, which may have been rounded up.
        self._resets_are_rounded = True
        self._share = share
        self._places = inf
        # When the places of requests with a response become free: a heap.
        self._held_until: list[float] = []
        self._hold_time = 0.0

    @property
    def last_seen(self) -> RateLimit | None:
        """The rate limit of the newest response that stated one."""
        self._last_seen = rate_limit(self._unread) or self._last_seen
        self._unread = ()
        return self._last_seen

    def delay(self, now: float) -> float | None:
        """Return the seconds until the next request may be sent; None if it must wait for one in flight.

        The next window starts here, when this one is over.
        """
        ends, in_flight = self._ends, self.in_flight
        if self._end_is_estimated and in_flight:
            ends += _FIRST_RESPONSE_WAIT
        if now >= ends:
            self._started, self._end_is_estimated = now, True
            self._ends = ends = now + self._period
            self._earliest_end = -inf
            if self._permits < 1:  # the last window held requests back
                self._spread_until = now + min(_SPREAD, self._period)
            self._permits = self._limit - in_flight
        if in_flight >= self._capacity or (self._probing_left and in_flight >= _PROBES):
            return None
        if now < self._paused_until:
            delay = self._paused_until - now
        else:
            delay = 0.0 if self._permits >= 1 else max(ends - now, 0.001)
        if self._share == 1:
            return delay
        held_until = self._held_until
        while held_until and held_until[0] <= now:
            heappop(held_until)
        if in_flight + len(held_until) < self._places:
            return delay
        return max(delay, held_until[0] - now) if held_until else None

    def try_acquire(self, now: float) -> bool:
        """Count a request as sent if it may be sent now; return whether it is."""
        if self.delay(now) != 0:
            return False
        self.in_flight += 1
        self._permits -= 1
        return True

    def acquire(self, now: float, *, waiting: int = 0) -> None:
        """Count a request of a queue as sent; after a pause, those `waiting` behind it are spread."""
        self.in_flight += 1
        self._permits -= 1
        if waiting and now < self._spread_until:
            self._paused_until = now + (self._spread_until - now) / (waiting + 1)

    def receive(self, headers: RawHeaders, sent_at: float, now: float) -> None:
        """Count a request as answered. While many requests remain, few of the responses are read."""
        has_many = self._permits > _MANY * self._capacity and not self._end_is_estimated
        if has_many and self._share == 1 and now < self._next_reading:
            self._unread = headers
            if self.in_flight:  # a request of a stopped event loop may be released late
                self.in_flight -= 1
        else:
            self._next_reading = now + _READ_INTERVAL
            self.complete(rate_limit(headers), sent_at, now)

    def complete(self, limit: RateLimit | None, sent_at: float, now: float) -> None:
        """Count a request as answered, and take the rate limit of its response into account, if any."""
        if self.in_flight:
            self.in_flight -= 1
        if self._probing_left:
            self._probing_left -= 1
        if limit is not None:
            self._update(limit, sent_at, now)
        if self._hold_time:
            heappush(self._held_until, now + self._hold_time)

    def discard(self, now: float) -> None:
        """Count a request without a response as no longer in flight; the server may have counted it."""
        if self.in_flight:
            self.in_flight -= 1
        if self._hold_time:
            heappush(self._held_until, now + self._hold_time)

    def refund(self) -> None:
        """Release a request that was never sent, so that no window counts it."""
        if self.in_flight:
            self.in_flight -= 1
            self._permits += 1

    def pause(self, seconds: float, now: float) -> bool:
        """Hold all requests for some seconds; return False, and do nothing, if that is too long."""
        if seconds > LONGEST_PAUSE + _SPREAD:
            return False
        self._paused_until = max(self._paused_until, now + seconds)
        self._spread_until = self._paused_until + _SPREAD
        return True

    def _update(self, stated: RateLimit, sent_at: float, now: float) -> None:
        self._last_seen, self._unread = stated, ()
        limit, remaining = stated.limit, stated.remaining
        reset = None if stated.reset is None else stated.reset or _ROUNDED_RESET
        if self._share < 1 and limit:
            self._places = max(1, int(self._share * limit + _ROUNDING))
        if self._share < 1 and reset is not None:
            self._hold_time = min(reset, LONGEST_PAUSE)
        if limit == 0 or remaining is None or reset is None or reset > LONGEST_PAUSE:
            return
        self._probing_left = 0
        self._limit = limit or max(self._limit, remaining + 1)
        # The response was written between `sent_at` and now.
        self._resets_are_rounded &= reset.is_integer()
        earliest_end, latest_end = sent_at + reset - float(self._resets_are_rounded), now + reset
        if earliest_end > self._ends:  # the server is in the next window already
            self._started, self._permits, self._end_is_estimated = now, inf, True
            self._earliest_end = earliest_end
        elif sent_at < self._started or latest_end < self._earliest_end:
            return  # the response is, or may be, of the window before
        # The server may or may not have counted the requests in flight.
        self._permits = min(self._permits, remaining - self.in_flight)
        self._earliest_end = max(self._earliest_end, earliest_end)
        self._ends = latest_end if self._end_is_estimated else min(self._ends, latest_end)
        self._period = reset if self._end_is_estimated else max(self._period, reset)
        self._end_is_estimated = False
