"""Polling: call a function until it returns something, with growing pauses."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar, cast

from telnyx_rooms_async.core.validators import short_repr
from telnyx_rooms_async.errors import APITimeoutError, InvalidArgumentError
from telnyx_rooms_async.http.api_session import ApiSession

T = TypeVar("T")

_FIRST_PAUSE: Final = 1.0
_PAUSE_GROWTH: Final = 1.5
_MAX_PAUSE: Final = 10.0
_LAST_REQUEST_SECONDS: Final = 1.0
_MAX_TIMEOUT: Final = 2**31


async def poll(
    api: ApiSession, function: Callable[[], Awaitable[T | None]], *, timeout: float, failure: str
) -> T:
    """Return the first result that is not None.

    The function is called first at once, and last after `timeout` seconds, with pauses that grow from 1 to 10
    seconds; up to half of each is left out at random. `failure` is the message of the `APITimeoutError`.
    """
    seconds = cast("object", timeout)
    if type(seconds) is bool or not isinstance(seconds, int | float) or not 0 < seconds < _MAX_TIMEOUT:
        raise InvalidArgumentError(
            (f"timeout must be a positive number of seconds, not {short_repr(timeout)}",)
        )
    clock, pause = api.clock, _FIRST_PAUSE
    deadline = clock.monotonic() + timeout
    with api.in_flight_calls:
        while True:
            limit = asyncio.timeout(max(deadline - clock.monotonic(), _LAST_REQUEST_SECONDS))
            try:
                async with limit:
                    if (result := await function()) is not None:
                        return result
            except TimeoutError:
                if not limit.expired():  # the deadline of the call itself
                    raise
            if (time_left := deadline - clock.monotonic()) <= 0:
                raise APITimeoutError(f"{failure} in {timeout} s", deadline=True)
            await clock.sleep(min(time_left, pause * (1 - clock.random() / 2)))
            pause = min(_MAX_PAUSE, pause * _PAUSE_GROWTH)
