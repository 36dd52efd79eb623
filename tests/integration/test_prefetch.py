"""When the pages of a listing are requested, and how their requests end."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from telnyx_rooms_async import Attempt, InternalServerError, InvalidArgumentError, RetryPolicy, RoomsClient
from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.clocks import wait_until


@pytest.fixture
def released() -> asyncio.Event:
    """Return the event for which the responses of the emulator wait."""
    event = asyncio.Event()
    event.set()
    return event


@pytest.fixture
async def telnyx(released: asyncio.Event) -> AsyncIterator[Emulator]:
    async def sleep(_: float) -> None:
        await released.wait()

    async with Emulator(sleep=sleep) as emulator:
        emulator.seed(10)
        emulator.inject(Fault(delay=1), times=None)
        yield emulator


def requested(telnyx: Emulator) -> list[int]:
    return [int(dict(request.query)["page[number]"]) for request in telnyx.requests]


async def test_one_page_is_requested_after_the_first_item(telnyx: Emulator) -> None:
    attempts: list[Attempt] = []
    ids: list[str] = []
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url, on_attempt=attempts.append) as client:
        async for room in client.rooms.list(page_size=2):
            ids.append(room.id)
            if len(ids) == 2:
                await wait_until(lambda: len(attempts) == 2)
                for _ in range(20):
                    await asyncio.sleep(0)
                assert requested(telnyx) == [1, 2]  # the response of page 2 causes no request of page 3
    assert ids == [room.id for room in telnyx.rooms]
    assert requested(telnyx) == [1, 2, 3, 4, 5]


async def test_prefetched_pages_are_yielded_in_order(
    client: RoomsClient, telnyx: Emulator, released: asyncio.Event
) -> None:
    ids: list[str] = []
    async for page in client.rooms.list(page_size=2).prefetch(3).pages():
        ids += [room.id for room in page.data]
        if len(ids) == 2:
            released.clear()
            await wait_until(lambda: sorted(requested(telnyx)) == [1, 2, 3, 4])
            released.set()
    assert ids == [room.id for room in telnyx.rooms]
    assert sorted(requested(telnyx)) == [1, 2, 3, 4, 5]


async def test_loop_that_ends_at_the_first_item_costs_one_request(
    client: RoomsClient, telnyx: Emulator
) -> None:
    async for _ in client.rooms.list(page_size=2):
        break
    await asyncio.sleep(0.01)
    assert requested(telnyx) == [1]


@pytest.mark.parametrize("ending", ["break", "an exception"])
async def test_loop_left_early_cancels_the_requests_in_flight(
    client: RoomsClient, telnyx: Emulator, released: asyncio.Event, ending: str
) -> None:
    before = asyncio.all_tasks()
    with suppress(ZeroDivisionError):
        async for _ in client.rooms.list(page_size=2).prefetch(3).pages():
            released.clear()
            await wait_until(lambda: sorted(requested(telnyx)) == [1, 2, 3, 4])
            if ending == "break":
                break
            _ = 1 / 0
    gc.collect()
    await wait_until(
        lambda: not [task for task in asyncio.all_tasks() - before if "_PageReader" in repr(task)]
    )


async def test_iteration_ends_when_its_listing_is_closed_by_another_task(
    client: RoomsClient, telnyx: Emulator, released: asyncio.Event
) -> None:
    listing = client.rooms.list(page_size=2).prefetch(3)
    ids: list[str] = []

    async def loop() -> None:
        async for room in listing:
            ids.append(room.id)
            released.clear()

    task = asyncio.create_task(loop())
    await wait_until(lambda: sorted(requested(telnyx)) == [1, 2, 3, 4])
    await listing.aclose()
    await listing.aclose()
    released.set()
    await task
    assert ids == [room.id for room in telnyx.rooms[:2]]


@pytest.mark.parametrize("pages", [0, 101, True, 2.5, None])
def test_invalid_number_of_pages_is_refused(client: RoomsClient, pages: int) -> None:
    with pytest.raises(InvalidArgumentError, match="from 1 to 100"):
        client.rooms.list().prefetch(pages)


async def test_items_before_a_failed_page_are_yielded_first(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.clear_faults()
    telnyx.inject(Fault())
    telnyx.inject(Fault(status=500), times=None)
    rooms = aiter(client.with_options(retry=RetryPolicy(max_attempts=1)).rooms.list(page_size=2))
    assert [await anext(rooms) for _ in range(2)] == list(telnyx.rooms[:2])
    with pytest.raises(InternalServerError):
        await anext(rooms)
