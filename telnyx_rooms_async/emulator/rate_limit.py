"""Rate limit with fixed windows, and its response headers. No HTTP."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil

from attrs import define, field, frozen

from telnyx_rooms_async.emulator.faults import is_integer, is_number, validator

_MAX = 10**9


@frozen(kw_only=True)
class RateLimitStatus:
    """State of the limit after one request."""

    limit: int
    used: int
    reset: int
    """Seconds until the end of the window, rounded up."""

    @property
    def is_exceeded(self) -> bool:
        """Whether the request is above the limit."""
        return self.used > self.limit

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the response."""
        headers = {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(max(self.limit - self.used, 0)),
            "x-ratelimit-reset": str(self.reset),
        }
        return {**headers, "Retry-After": str(self.reset)} if self.is_exceeded else headers


@define(kw_only=True)
class RateLimit:
    """A number of requests in a fixed window, which the first request after its end opens again.

    Raises:
        ValueError: a field is not valid.
    """

    requests: int = field(
        validator=validator(f"an integer from 0 to {_MAX}", lambda value: is_integer(value, 0, _MAX))
    )
    seconds: float = field(
        validator=validator(
            f"a number of seconds above 0 and up to {_MAX}",
            lambda value: is_number(value, 0, _MAX) and value != 0,
        )
    )
    _window_start: datetime | None = field(default=None, init=False)
    _used: int = field(default=0, init=False)

    def count(self, now: datetime) -> RateLimitStatus:
        """Count a request at a time."""
        length = timedelta(seconds=self.seconds)
        start = self._window_start
        # A clock that was set back opens a window too: the old one could last for long.
        if start is None or not start <= now < start + length:
            self._window_start = start = now
            self._used = 0
        self._used += 1
        reset = ceil((start + length - now).total_seconds())
        return RateLimitStatus(limit=self.requests, used=self._used, reset=reset)
