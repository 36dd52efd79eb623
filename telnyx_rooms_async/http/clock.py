"""Time and randomness as a value, so that tests can replace them."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from attrs import frozen


def _now() -> float:
    # Looked up at each call: freezegun replaces `time.time` itself, not what was bound to it before.
    return time.time()


@frozen(kw_only=True)
class Clock:
    """Injectable time and randomness, for tests.

    Example:
        >>> clock = Clock(random=lambda: 0.0)  # no random part in any pause
    """

    monotonic: Callable[[], float] = time.monotonic
    """Seconds on a clock that never goes back."""
    now: Callable[[], float] = _now
    """Seconds since the epoch, to read dates in headers."""
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    random: Callable[[], float] = random.random
    """A random number from 0 to 1, for the length of a pause."""
