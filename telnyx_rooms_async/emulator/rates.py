"""How many requests are let in, and what is said of it on every answer. No HTTP."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil

from attrs import define, field, frozen

from telnyx_rooms_async.emulator.bounds import is_seconds, is_whole, must_be

_MOST = 10**9


@frozen(kw_only=True)
class Allowance:
    """What one request is told."""

    limit: int
    used: int
    reset: int
    """Seconds, rounded up, until all may come again."""

    @property
    def is_spent(self) -> bool:
        """Whether this request is one too many."""
        return self.used > self.limit

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the answer."""
        told = {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(max(self.limit - self.used, 0)),
            "x-ratelimit-reset": str(self.reset),
        }
        return {**told, "Retry-After": str(self.reset)} if self.is_spent else told


@define(kw_only=True)
class RateWindow:
    """So many requests in so many seconds; the first one after a window opens the next.

    Raises:
        ValueError: a field cannot be so; the field is named.
    """

    requests: int = field(
        validator=must_be("a whole number, 0 or more", lambda value: is_whole(value, 0, _MOST))
    )
    seconds: float = field(
        validator=must_be(
            f"a number of seconds, more than 0 and at most {_MOST}",
            lambda value: is_seconds(value, _MOST) and value != 0,
        )
    )
    _opened: datetime | None = field(default=None, init=False)
    _used: int = field(default=0, init=False)

    def admit(self, now: datetime) -> Allowance:
        """Count a request."""
        length = timedelta(seconds=self.seconds)
        # A clock that was turned back opens a window too, or it could stay shut for long.
        if self._opened is None or not self._opened <= now < self._opened + length:
            self._opened, self._used = now, 0
        self._used += 1
        reset = ceil((self._opened + length - now).total_seconds())
        return Allowance(limit=self.requests, used=self._used, reset=reset)
