"""A part of the account's rate limit: several clients on one account, none of which knows of the others."""

from heapq import heappop, heappush
from math import floor, inf
from typing import Final

from attrs import define, field

from telnyx_rooms_async.core.messages import RateLimit
from telnyx_rooms_async.core.ratelimit import LONGEST_PAUSE, ROUNDED_DOWN, Pace

_ROUNDING: Final = 1e-9
"""100 times 0.29 is a little less than 29."""


@define(kw_only=True)
class SharedPace(Pace):
    """A `Pace` that also keeps to its share of every window of the server.

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
        wait, held = Pace.delay(self, now), self._held
        while held and held[0] <= now:
            heappop(held)
        if wait is None or self.in_flight + len(held) < self._places:
            return wait
        return max(wait, held[0] - now) if held else None

    def learn(self, told: RateLimit | None, sent_at: float, now: float) -> None:
        """Take notice of an answer, and keep its place for as long as its window may last."""
        Pace.learn(self, told, sent_at, now)
        if told is not None and told.limit:
            self._places = max(1, floor(self.share * told.limit + _ROUNDING))
        if told is not None and told.reset is not None:
            self._reset = min(told.reset or ROUNDED_DOWN, LONGEST_PAUSE)
        self.lose(now)

    def lose(self, now: float) -> None:
        """Keep the place of one who came back without news, and may have been counted."""
        if self._reset:
            heappush(self._held, now + self._reset)
