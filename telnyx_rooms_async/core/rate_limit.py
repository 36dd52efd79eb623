"""How fast requests may be sent: rate-limit headers and the arithmetic of windows. Time is an argument."""

import re
from collections.abc import Mapping
from heapq import heappop, heappush
from math import inf
from typing import Final, TypeVar

from attrs import define, field

from telnyx_rooms_async.core.http_messages import Response
from telnyx_rooms_async.errors import RateLimit

N = TypeVar("N", int, float)

_MAX_DIGITS: Final = 9
_COUNT: Final = re.compile(rb" *([0-9]{1,9})(?![0-9])")
_SECONDS: Final = re.compile(rb" *([0-9]{1,9}(?:\.[0-9]{1,30})?)(?![0-9.])")
_HEADERS: Final = {
    b"x-ratelimit-limit": "limit",
    b"x-ratelimit-remaining": "remaining",
    b"x-ratelimit-reset": "reset",
}
_HEADER_LENGTHS: Final = frozenset(map(len, _HEADERS))
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
_RESPONSES_WITHOUT_LIMIT: Final = 25
"""Responses without a rate limit after which none is expected."""


def rate_limit(response: Response) -> RateLimit | None:
    """Read the ``x-ratelimit-…`` headers; None if there are none, or none can be read."""
    values: dict[str, bytes] = {}
    for name, value in response.raw_headers:
        # The length rules out most other headers at a fraction of the cost.
        if len(name) in _HEADER_LENGTHS and (field_name := _HEADERS.get(name.lower())) is not None:
            values.setdefault(field_name, value)
    if not values:
        return None
    limit, remaining = _number(values, "limit", int), _number(values, "remaining", int)
    reset = _number(values, "reset", float)
    if limit is remaining is reset is None:
        return None
    return RateLimit(limit=limit, remaining=remaining, reset=reset)


def _number(values: Mapping[str, bytes], name: str, number: type[N]) -> N | None:
    """Read a number, or the first one of a list of limits."""
    if (text := values.get(name)) is None:
        return None
    if len(text) <= _MAX_DIGITS and text.isdigit():
        return number(text)
    match = (_COUNT if number is int else _SECONDS).match(text)
    return number(match[1]) if match else None


@define(kw_only=True, eq=False, repr=False)
class RateLimitWindow:
    """Decides when the next request may be sent. Pure arithmetic, for one account and one clock.

    Three limits apply: the number of connections; a pause that the server asked for; and, in each window of
    the rate limit, the number of requests that the server says remain, less those that are still in flight.

    The server states the end of a window in rounded seconds, so its end is only known to lie between two
    times. The window here ends at the later one, and a response counts for the next window only if its own
    end is certainly later than that.
    """

    capacity: int
    """Requests in flight at once."""
    in_flight: int = field(default=0, init=False)
    last_seen: RateLimit | None = field(default=None, init=False)
    """The rate limit of the newest response that stated one."""
    _probing_left: int = field(default=_RESPONSES_WITHOUT_LIMIT, init=False)
    _paused_until: float = field(default=-inf, init=False)
    _spread_until: float = field(default=-inf, init=False)
    _limit: int = field(default=0, init=False)
    _permits: float = field(default=inf, init=False)
    """Requests that may still be sent in this window."""
    _period: float = field(default=0.0, init=False)
    _started: float = field(default=-inf, init=False)
    _ends: float = field(default=inf, init=False)
    """The latest time at which this window may end."""
    _earliest_end: float = field(default=-inf, init=False)
    _end_is_estimated: bool = field(default=True, init=False)
    """Whether no response of this window has stated its end."""
    _resets_are_rounded: bool = field(default=True, init=False)
    """Whether all resets so far were whole seconds, which may have been rounded up."""

    def delay(self, now: float) -> float | None:
        """Return the seconds until the next request may be sent; None if it must wait for one in flight.

        The next window starts here, when this one is over.
        """
        ends = self._ends
        if self._end_is_estimated and self.in_flight:
            ends += _FIRST_RESPONSE_WAIT
        if now >= ends:
            self._start_window(now)
            ends = self._ends
        if self.in_flight >= self.capacity or (self._probing_left and self.in_flight >= _PROBES):
            return None
        if now < self._paused_until:
            return self._paused_until - now
        return 0.0 if self._permits >= 1 else max(ends - now, 0.001)

    def try_acquire(self, now: float) -> bool:
        """Count a request as sent if it may be sent now; return whether it is."""
        if self.delay(now) != 0:
            return False
        self.in_flight += 1
        self._permits -= 1
        return True

    def acquire(self, now: float, *, waiting: int = 0) -> None:
        """Count a request of a queue as sent.

        Args:
            now: the present.
            waiting: how many requests wait behind it; after a pause, they are spread over some time.
        """
        self.in_flight += 1
        self._permits -= 1
        if waiting and now < self._spread_until:
            self._paused_until = now + (self._spread_until - now) / (waiting + 1)

    def complete(self, limit: RateLimit | None, sent_at: float, now: float) -> None:
        """Count a request as answered, and take the rate limit of its response into account, if any."""
        if self.in_flight:  # a request of a stopped event loop may be released late
            self.in_flight -= 1
        if self._probing_left:
            self._probing_left -= 1
        if limit is None:
            return
        self.last_seen = limit
        if limit.limit == 0 or limit.remaining is None or limit.reset is None:
            return  # incomplete
        if limit.reset <= LONGEST_PAUSE:
            self._update_window(limit.limit, limit.remaining, limit.reset or _ROUNDED_RESET, sent_at, now)

    def discard(self, now: float) -> None:  # noqa: ARG002 - for the subclass
        """Count a request without a response as no longer in flight; the server may have counted it."""
        if self.in_flight:
            self.in_flight -= 1

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

    def _update_window(
        self, limit: int | None, remaining: int, reset: float, sent_at: float, now: float
    ) -> None:
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

    def _start_window(self, now: float) -> None:
        self._started = now
        self._ends, self._earliest_end = now + self._period, -inf
        self._end_is_estimated = True
        if self._permits < 1:  # the last window held requests back
            self._spread_until = now + min(_SPREAD, self._period)
        self._permits = self._limit - self.in_flight


_ROUNDING: Final = 1e-9
"""100 * 0.29 is a little less than 29."""


@define(kw_only=True)
class SharedRateLimitWindow(RateLimitWindow):
    """A `RateLimitWindow` that keeps to a share of each window of the server.

    A request holds a place until the window that counted it is certainly over: its response has come, and
    the seconds of the ``reset`` in that response have passed. There are as many places as the share allows,
    so no window counts more requests than that, without communication between the clients.
    """

    share: float
    """Above 0, and below 1."""
    _places: float = field(default=inf, init=False)
    _held_until: list[float] = field(factory=list[float], init=False)
    """When the places of requests with a response become free: a heap."""
    _reset: float = field(default=0.0, init=False)
    """The newest ``reset``, in seconds."""

    def delay(self, now: float) -> float | None:
        """Return the seconds until the next request may be sent; None if it must wait for one in flight."""
        delay, held_until = RateLimitWindow.delay(self, now), self._held_until
        while held_until and held_until[0] <= now:
            heappop(held_until)
        if delay is None or self.in_flight + len(held_until) < self._places:
            return delay
        return max(delay, held_until[0] - now) if held_until else None

    def complete(self, limit: RateLimit | None, sent_at: float, now: float) -> None:
        """Take the rate limit of a response into account, and hold its place while its window may last."""
        RateLimitWindow.complete(self, limit, sent_at, now)
        if limit is not None and limit.limit:
            self._places = max(1, int(self.share * limit.limit + _ROUNDING))
        if limit is not None and limit.reset is not None:
            self._reset = min(limit.reset or _ROUNDED_RESET, LONGEST_PAUSE)
        self._hold(now)

    def discard(self, now: float) -> None:
        """Hold the place of a request that the server may have counted."""
        RateLimitWindow.discard(self, now)
        self._hold(now)

    def _hold(self, now: float) -> None:
        if self._reset:
            heappush(self._held_until, now + self._reset)
