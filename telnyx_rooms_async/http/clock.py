"""Time: this machine's, with pauses and randomness, as tests can replace them; and the server's."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final

from attrs import frozen

from telnyx_rooms_async.core.retry import http_date

LOCAL_SKEW: Final = 5.0
"""Seconds by which two clocks may differ that were never compared."""
_TOLERANCE: Final = LOCAL_SKEW + 2.0
"""``Date`` has whole seconds, and the machine that writes it may not be the one that dates the rooms."""


def system_time() -> float:
    """Return the seconds since the epoch by the clock of this machine."""
    # Looked up at each call: freezegun replaces `time.time` itself, not what was bound to it before.
    return time.time()


@frozen(kw_only=True, eq=False, repr=False)
class Clock:
    """Injectable time and randomness, for tests.

    Example:
        >>> clock = Clock(random=lambda: 0.0)  # no random part in any pause
    """

    monotonic: Callable[[], float] = time.monotonic
    """Seconds on a clock that never goes back."""
    now: Callable[[], float] = system_time
    """Seconds since the epoch, to read dates in headers."""
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    """Waits for seconds."""
    random: Callable[[], float] = random.random
    """A random number from 0 to 1, for the length of a pause."""


class ServerClock:
    """The server's clock, as the ``Date`` headers of its responses show it. The local times are arguments.

    Every response is stored, which costs one assignment. Its ``Date`` is parsed when a time is asked for, and
    ignored when it is unreadable.
    """

    def __init__(self) -> None:
        self.newest: tuple[tuple[tuple[bytes, bytes], ...], float, float] | None = None
        """Headers of the newest response, and the monotonic times at which its request began and ended."""
        self._date: tuple[float, float, float] | None = None
        """The newest readable ``Date`` in seconds since the epoch, and the same two times."""

    def read(self) -> tuple[float, float, float] | None:
        """Parse the ``Date`` of the newest response, and return the newest one that could be parsed."""
        if self.newest is not None:
            headers, sent, received = self.newest
            self.newest = None
            text = next((value.decode("latin-1") for name, value in headers if name.lower() == b"date"), None)
            if (date := http_date(text)) is not None:
                self._date = date, sent, received
        return self._date

    def now(self, monotonic: float, local: float) -> float:
        """Return the server's time, in seconds since the epoch; the local time if no ``Date`` was seen."""
        if (read := self.read()) is None:
            return local
        date, _, received = read
        return date + monotonic - received

    def span(self, began: float, monotonic: float, local: float) -> tuple[float, float]:
        """Return the earliest and the latest date that the server may give a room made since `began`.

        `began` is a monotonic time; the present is `monotonic` and, in seconds since the epoch, `local`.
        """
        if (read := self.read()) is None:
            return local - (monotonic - began) - LOCAL_SKEW, local + LOCAL_SKEW
        # The header was written at some moment between the beginning and the end of its request.
        date, sent, received = read
        return date + began - received - _TOLERANCE, date + monotonic - sent + _TOLERANCE
