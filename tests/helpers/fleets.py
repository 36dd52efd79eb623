"""What the tests of a fleet share: rooms to be made, and jobs that are run to their end."""

from collections.abc import AsyncIterator
from typing import Any

from telnyx_rooms_async import RoomFields


def bodies_of(count: int) -> list[RoomFields]:
    """Name some rooms."""
    return [{"unique_name": f"Room {number}"} for number in range(count)]


async def all_of(job: AsyncIterator[Any]) -> list[Any]:
    """Run a job that ends well."""
    return [outcome async for outcome in job]


async def until_error(job: AsyncIterator[Any]) -> tuple[list[Any], Exception]:
    """Run a job that does not."""
    outcomes: list[Any] = []
    try:
        async for outcome in job:
            outcomes.append(outcome)  # noqa: PERF401 - it ends with an error
    except Exception as error:  # noqa: BLE001 - the test looks at it
        return outcomes, error
    raise AssertionError("it ended well")
