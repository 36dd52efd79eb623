"""Wait for something to happen on the server: ask, pause, ask again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from telnyx_rooms_async.core.validators import short_repr
from telnyx_rooms_async.errors import APITimeoutError, InvalidArgumentError
from telnyx_rooms_async.http.clock import Clock

T = TypeVar("T")

_FIRST_PAUSE: Final = 1.0
_GROWTH: Final = 1.5
_LONGEST_PAUSE: Final = 10.0
_LAST_LOOK: Final = 1.0
_LONGEST_WAIT: Final = 2**31


async def wait_for(ask: Callable[[], Awaitable[T | None]], *, seconds: float, clock: Clock, what: str) -> T:
    """Ask until there is an answer, after pauses that grow from 1 to 10 seconds, up to half of it random.

    Raises:
        InvalidArgumentError: `seconds` is no positive number.
        APITimeoutError: there was no answer in time; ``.deadline`` is ``True``.
    """
    if not _is_positive(seconds):
        raise InvalidArgumentError(
            (f"timeout must be a positive number of seconds, not {short_repr(seconds)}",)
        )
    deadline = clock.monotonic() + seconds
    pause = _FIRST_PAUSE
    while True:
        left = deadline - clock.monotonic()
        # The last look is at the deadline itself, and has a moment.
        answer = await _within(max(left, _LAST_LOOK), ask)
        if answer is not None:
            return answer
        left = deadline - clock.monotonic()
        if left <= 0:
            raise APITimeoutError(f"{what} in {seconds} s", deadline=True)
        await clock.sleep(min(left, pause * (1 - clock.dice() / 2)))
        pause = min(_LONGEST_PAUSE, pause * _GROWTH)


async def _within(seconds: float, ask: Callable[[], Awaitable[T | None]]) -> T | None:
    """Ask, and take no answer in time for none."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await ask()
    except TimeoutError:
        if not limit.expired():  # the call's own time ran out first
            raise
        return None


def _is_positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _LONGEST_WAIT
