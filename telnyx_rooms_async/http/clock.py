"""Time and chance, as a value that tests can replace."""

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
    """Where a client takes its time and its chance from: tests put their own in."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = _now
    """Seconds since the epoch, to read a date in ``Retry-After``."""
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    dice: Callable[[], float] = random.random
    """A number from 0 to 1 for every pause."""
