"""Polling: call a function until it returns something, with growing pauses."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from telnyx_rooms_async.core.validators import checked_seconds
from telnyx_rooms_async.errors import APITimeoutError
from telnyx_rooms_async.http.api_session import ApiSession

T = TypeVar("T")

_FIRST_PAUSE: Final = 1.0
_PAUSE_GROWTH: Final = 1.5
_MAX_PAUSE: Final = 10.0
_LAST_REQUEST_SECONDS: Final = 1.0


async def poll(
    api: ApiSession, function: Callable[[], Awaitable[T | None]], *, timeout: float, failure: str
) -> T:
    """Return the first result that is not None.

    The function is called first at once, and last after `timeout` seconds, with pauses that grow from 1 to 10
    seconds; up to half of each is left out at random. `failure` is the message of the `APITimeoutError`.
    """
    clock, pause = api.clock, _FIRST_PAUSE
    deadline = clock.monotonic() + checked_seconds("timeout", timeout)
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
