"""Bodies of rooms for Dask jobs, their requests, and the outcomes of a job as a list."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from telnyx_rooms_async import RoomFields
from telnyx_rooms_async.emulator import Emulator


def room_bodies(count: int) -> list[RoomFields]:
    """Make bodies of rooms with different names."""
    return [{"unique_name": f"Room {number}"} for number in range(count)]


async def collect(job: AsyncIterator[Any]) -> list[Any]:
    """Collect the outcomes of a job."""
    return [outcome async for outcome in job]


async def collect_until_error(job: AsyncIterator[Any]) -> tuple[list[Any], Exception]:
    """Collect the outcomes of a job that raises, and its error."""
    outcomes: list[Any] = []
    try:
        async for outcome in job:
            outcomes.append(outcome)  # noqa: PERF401 - a comprehension would lose them to the error
    except Exception as error:  # noqa: BLE001 - returned to the test
        return outcomes, error
    raise AssertionError("the job ended without an error")


async def wait_for_requests(telnyx: Emulator, count: int) -> None:
    """Wait until the workers have sent a number of requests."""
    while len(telnyx.requests) < count:
        await asyncio.sleep(0.01)
