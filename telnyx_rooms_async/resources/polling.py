"""Polling: call a function until it returns something, with growing pauses."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar, cast

from telnyx_rooms_async.core.validators import short_repr
from telnyx_rooms_async.errors import APITimeoutError, InvalidArgumentError
from telnyx_rooms_async.http.clock import Clock

T = TypeVar("T")

_FIRST_PAUSE: Final = 1.0
_PAUSE_GROWTH: Final = 1.5
_MAX_PAUSE: Final = 10.0
_LAST_REQUEST_SECONDS: Final = 1.0
_MAX_TIMEOUT: Final = 2**31


async def poll(
    function: Callable[[], Awaitable[T | None]], *, timeout: float, clock: Clock, failure: str
) -> T:
    """Return the first result that is not None.

    Pauses grow from 1 to 10 seconds; up to half of each is left out at random.

    Args:
        function: called first at once, and last at the deadline.
        timeout: seconds in all.
        clock: time and randomness.
        failure: the message when there was no result.

    Raises:
        InvalidArgumentError: `timeout` is not a positive number.
        APITimeoutError: there was no result in time; ``.deadline`` is True.
    """
    seconds = cast("object", timeout)
    if type(seconds) is bool or not isinstance(seconds, int | float) or not 0 < seconds < _MAX_TIMEOUT:
        raise InvalidArgumentError(
            (f"timeout must be a positive number of seconds, not {short_repr(timeout)}",)
        )
    deadline = clock.monotonic() + timeout
    pause = _FIRST_PAUSE
    while True:
        result = await _within(max(deadline - clock.monotonic(), _LAST_REQUEST_SECONDS), function)
        if result is not None:
            return result
        time_left = deadline - clock.monotonic()
        if time_left <= 0:
            raise APITimeoutError(f"{failure} in {timeout} s", deadline=True)
        await clock.sleep(min(time_left, pause * (1 - clock.random() / 2)))
        pause = min(_MAX_PAUSE, pause * _PAUSE_GROWTH)


async def _within(seconds: float, function: Callable[[], Awaitable[T | None]]) -> T | None:
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await function()
    except TimeoutError:
        if not limit.expired():  # the deadline of the call itself
            raise
        return None
