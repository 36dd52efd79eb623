"""How fast we may go: what the server tells, and the arithmetic of the gate. Time is an argument."""

import math
import re
from heapq import heappop, heappush
from math import floor, inf
from typing import Final

from attrs import define, field

from telnyx_rooms_async.core.http_messages import RateLimit, Response

_DIGITS: Final = 9
_COUNT: Final = re.compile(rb" *([0-9]{1,9})(?![0-9])")
_SECONDS: Final = re.compile(rb" *([0-9]{1,9}(?:\.[0-9]{1,30})?)(?![0-9.])")
_FIELDS: Final = {
    b"x-ratelimit-limit": "limit",
    b"x-ratelimit-remaining": "remaining",
    b"x-ratelimit-reset": "reset",
}
_LENGTHS: Final = frozenset(map(len, _FIELDS))
LONGEST_PAUSE: Final = 60.0
"""Seconds: who is to stay away for longer gets an error, and the others find out themselves."""
ROUNDED_DOWN: Final = 1.0
"""Seconds that may be behind a 0."""
_PATIENCE: Final = 5.0
"""Seconds that an answer is waited for, when it can tell how long the window lasts."""
_SPREAD: Final = 1.0
"""Seconds over which those who waited together resume."""
_FIRST_FEW: Final = 5
"""In flight at once while nothing is known of a limit: so many run into it at worst."""
_ENOUGH_SEEN: Final = 25
"""Answers without a word of a limit after which none is suspected."""


def rate_limit(response: Response) -> RateLimit | None:
    """Read the ``x-ratelimit-…`` headers, or return ``None`` when there are none that can be read."""
    told: dict[str, bytes] = {}
    for name, value in response.raw_headers:
        # Their lengths rule out almost all others, at a fraction of the cost of their names.
        if len(name) in _LENGTHS and (field := _FIELDS.get(name.lower())) is not None:
            told.setdefault(field, value)
    if not told:
        return None
    limit, remaining = _count(told.get("limit")), _count(told.get("remaining"))
    reset = _seconds(told.get("reset"))
    if limit is remaining is reset is None:
        return None
    return RateLimit(limit=limit, remaining=remaining, reset=reset)


def _count(text: bytes | None) -> int | None:
    """Read a count, or the first number of a list of limits."""
    if text is None:
        return None
    if len(text) <= _DIGITS and text.isdigit():  # as it mostly is
        return int(text)
    found = _COUNT.match(text)
    return int(found[1]) if found else None


def _seconds(text: bytes | None) -> float | None:
    if text is None:
        return None
    if len(text) <= _DIGITS and text.isdigit():
        return float(text)
    found = _SECONDS.match(text)
    return float(found[1]) if found else None


@define(kw_only=True, eq=False, repr=False)
class RateLimitWindow:
    """Who may go when: pure arithmetic, for one account and one clock.

    Three things hold calls back. There are only so many connections. The server may ask for a pause. And
    of each window of the rate limit as many are let through as the server said are left, less those whose
    answers are still to come.
    """

    capacity: int
    """Calls in flight at once."""
    in_flight: int = field(default=0, init=False)
    told: RateLimit | None = field(default=None, init=False)
    """The newest word of the server."""
    _unknown: int = field(default=_ENOUGH_SEEN, init=False)
    _resume: float = field(default=-math.inf, init=False)
    _spread_until: float = field(default=-math.inf, init=False)
    _limit: int = field(default=0, init=False)
    _tickets: float = field(default=math.inf, init=False)
    _period: float = field(default=0.0, init=False)
    _began: float = field(default=-math.inf, init=False)
    _ends: float = field(default=math.inf, init=False)
    _surely: float = field(default=-math.inf, init=False)
    """When the window ends at the earliest."""
    _is_guessed: bool = field(default=True, init=False)
    _resets_are_rounded: bool = field(default=True, init=False)
    """Whether all resets so far were whole seconds, which may have been rounded up."""

    def delay(self, now: float) -> float | None:
        """Return the seconds until the next one may go; ``None`` for: when someone comes back."""
        # How long a new window lasts is a guess until the first answer out of it: that is worth a wait.
        ends = self._ends + _PATIENCE if self._is_guessed and self.in_flight else self._ends
        if now >= ends:
            self._next_window(now)
            ends = self._ends
        if self.in_flight >= self.capacity or (self._unknown and self.in_flight >= _FIRST_FEW):
            return None
        if now < self._resume:
            return self._resume - now
        return 0.0 if self._tickets >= 1 else max(ends - now, 0.001)

    def enter(self, now: float, *, waiting: int = 0) -> None:
        """Let one go; those `waiting` behind follow at a distance when all were held up together."""
        self.in_flight += 1
        self._tickets -= 1
        if waiting and now < self._spread_until:
            self._resume = now + (self._spread_until - now) / (waiting + 1)

    def leave(self) -> None:
        """Take one back; one whose event loop is gone may come late, and was taken back already."""
        self.in_flight = max(0, self.in_flight - 1)

    def take_back(self) -> None:
        """Take one back that was never sent: in no window it counts."""
        if self.in_flight:
            self.in_flight -= 1
            self._tickets += 1

    def learn(self, told: RateLimit | None, sent_at: float, now: float) -> None:
        """Take notice of what an answer told, if it told something, to what was sent at `sent_at`."""
        if self._unknown:
            self._unknown -= 1
        if told is None:
            return
        self.told = told
        if told.limit == 0 or told.remaining is None or told.reset is None:
            return  # odd, or not enough to go by
        if told.reset <= LONGEST_PAUSE:
            self._count(told.limit, told.remaining, told.reset or ROUNDED_DOWN, sent_at, now)

    def stop(self, seconds: float, now: float) -> bool:
        """Let nobody go for so long, unless it is too long to be for all; tell whether it is so."""
        if seconds > LONGEST_PAUSE + _SPREAD:
            return False
        self._resume = max(self._resume, now + seconds)
        self._spread_until = self._resume + _SPREAD
        return True

    def lose(self, now: float) -> None:
        """Take notice of one who came back without news: nothing to learn of that."""

    def forget(self) -> None:
        """Take all back who were on their way: their event loop is gone."""
        self.in_flight = 0

    def _count(self, limit: int | None, remaining: int, reset: float, sent_at: float, now: float) -> None:
        self._unknown = 0
        self._limit = limit or max(self._limit, remaining + 1)
        # The answer was written at some time between `sent_at` and now; whole seconds may be rounded up.
        self._resets_are_rounded &= reset.is_integer()
        earliest, latest = sent_at + reset - float(self._resets_are_rounded), now + reset
        if earliest > self._ends:
            # The server is in its next window already.
            self._began, self._tickets, self._is_guessed, self._surely = now, math.inf, True, earliest
        elif sent_at < self._began or latest < self._surely:
            return  # it speaks, or may speak, of the last window
        # Those on their way may or may not be counted in what remains.
        self._tickets = min(self._tickets, remaining - self.in_flight)
        self._surely = max(self._surely, earliest)
        self._ends = latest if self._is_guessed else min(self._ends, latest)
        self._period = reset if self._is_guessed else max(self._period, reset)
        self._is_guessed = False

    def _next_window(self, now: float) -> None:
        self._began = now
        self._ends, self._surely = now + self._period, -math.inf
        self._is_guessed = True
        if self._tickets < 1:  # else nobody was held up by the last one
            self._spread_until = now + min(_SPREAD, self._period)
        # A limit is 1 at least: when nobody is on the way who could bring news, one goes and asks.
        self._tickets = self._limit - self.in_flight


_ROUNDING: Final = 1e-9
"""100 times 0.29 is a little less than 29."""


@define(kw_only=True)
class SharedRateLimitWindow(RateLimitWindow):
    """A `RateLimitWindow` that also keeps to its share of every window of the server.

    A request takes a place until the window that it was counted in is surely over: that is when its
    answer has come, and the seconds of that answer's ``reset`` have gone by since. There are as many
    places as the share comes to, so no window ever counts more of our requests than that, wherever it
    begins, however long the answers take, and without a word between the clients.
    """

    share: float
    """Above 0, and below 1."""
    _places: float = field(default=inf, init=False)
    _held: list[float] = field(factory=list[float], init=False)
    """When places become free whose requests are answered: a heap."""
    _reset: float = field(default=0.0, init=False)
    """Seconds: the newest word of how long a window goes on."""

    def delay(self, now: float) -> float | None:
        """Return the seconds until the next one may go; ``None`` for: when someone comes back."""
        wait, held = RateLimitWindow.delay(self, now), self._held
        while held and held[0] <= now:
            heappop(held)
        if wait is None or self.in_flight + len(held) < self._places:
            return wait
        return max(wait, held[0] - now) if held else None

    def learn(self, told: RateLimit | None, sent_at: float, now: float) -> None:
        """Take notice of an answer, and keep its place for as long as its window may last."""
        RateLimitWindow.learn(self, told, sent_at, now)
        if told is not None and told.limit:
            self._places = max(1, floor(self.share * told.limit + _ROUNDING))
        if told is not None and told.reset is not None:
            self._reset = min(told.reset or ROUNDED_DOWN, LONGEST_PAUSE)
        self.lose(now)

    def lose(self, now: float) -> None:
        """Keep the place of one who came back without news, and may have been counted."""
        if self._reset:
            heappush(self._held, now + self._reset)
