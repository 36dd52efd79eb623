"""Listings: items, pages, counts, lists that change, and loops that are left early."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from telnyx_rooms_async import (
    APIResponseValidationError,
    InvalidArgumentError,
    Listing,
    ResponseTooLargeError,
    Room,
    RoomsClient,
)
from telnyx_rooms_async.emulator import Emulator, Fault


async def test_all_items_are_yielded_once_with_one_request_per_page(
    client: RoomsClient, telnyx: Emulator
) -> None:
    telnyx.seed(600)
    ids = [room.id async for room in client.rooms.list()]
    assert ids == [room.id for room in telnyx.rooms]
    assert len(set(ids)) == 600
    assert [dict(request.query)["page[number]"] for request in telnyx.requests] == ["1", "2", "3"]


async def test_listing_is_lazy_and_can_be_iterated_again(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.seed(3)
    listing = client.rooms.list(page_size=2)
    assert telnyx.requests == []
    assert repr(listing) == "<Listing ListRooms /rooms?page%5Bnumber%5D=1&page%5Bsize%5D=2>"
    for _ in range(2):
        assert len([room async for room in listing]) == 3
    assert len(telnyx.requests) == 4


@pytest.mark.parametrize("iterate", [aiter, lambda listing: listing.pages()], ids=["items", "pages"])
async def test_context_manager_closes_iterations_that_were_left_early(
    client: RoomsClient, telnyx: Emulator, iterate: Callable[[Listing[Room]], AsyncGenerator[object, None]]
) -> None:
    telnyx.seed(20)
    async with client.rooms.list(page_size=5).prefetch(3) as listing:
        iterations = [iterate(listing) for _ in range(2)]
        for iteration in iterations:
            await anext(iteration)
        tasks = asyncio.all_tasks()
    assert [[item async for item in iteration] for iteration in iterations] == [[], []]
    assert asyncio.all_tasks() <= tasks
    assert len([room async for room in listing]) == 20
    await listing.aclose()


async def test_pages_have_their_meta(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.seed(5)
    pages = [page async for page in client.rooms.list(page_size=2).pages(start=2)]
    assert [len(page.data) for page in pages] == [2, 1]
    assert [page.meta.page_number for page in pages] == [2, 3]
    assert (pages[0].meta.total_pages, pages[0].meta.total_results, pages[0].meta.page_size) == (3, 5, 2)


async def test_single_page_of_any_size(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.seed(5)
    listing = client.rooms.list(page_size=2)
    assert len((await listing.page(3)).data) == 1
    assert len((await listing.page(1, 4)).data) == 4
    assert (await listing.page(9)).data == ()


async def test_count_is_one_small_request(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.seed(5)
    assert await client.rooms.list().count() == 5
    assert [dict(request.query)["page[size]"] for request in telnyx.requests] == ["1"]
    assert await client.rooms.list(unique_name="Room 3").count() == 1


@pytest.mark.parametrize("number", [0, -1, True, "1", 1.5])
async def test_invalid_page_number_is_refused_before_a_request(
    client: RoomsClient, telnyx: Emulator, number: int
) -> None:
    listing = client.rooms.list()
    with pytest.raises(InvalidArgumentError, match="page_number"):
        listing.pages(number)
    with pytest.raises(InvalidArgumentError, match="page_number"):
        await listing.page(number)
    with pytest.raises(InvalidArgumentError, match="page_size"):
        await listing.page(1, 251)
    assert telnyx.requests == []


async def test_count_without_a_total_is_an_error(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.inject(Fault(body={"data": [], "meta": {}}))
    with pytest.raises(APIResponseValidationError, match="total_results: missing"):
        await client.rooms.list().count()


async def test_too_large_page_of_one_item_is_an_error(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.inject(Fault(body={"data": "x" * 2**23}), times=None)
    with pytest.raises(ResponseTooLargeError):
        await anext(aiter(client.rooms.list(page_size=4)))
    assert len(telnyx.requests) == 3


@pytest.mark.parametrize("pages", [1, 3])
async def test_too_large_pages_are_requested_in_smaller_ones(
    client: RoomsClient, telnyx: Emulator, pages: int
) -> None:
    for number in range(10):
        await client.rooms.create(unique_name=f"{number}{'x' * 900_000}")
    telnyx.requests.clear()
    ids = [room.id async for room in client.rooms.list().prefetch(pages)]
    assert ids == [room.id for room in telnyx.rooms]
    sizes = [dict(request.query)["page[size]"] for request in telnyx.requests]
    assert sizes == ["250", "125", "25", "5", "5"]


# --- lists that change ------------------------------------------------------------------------------------


@pytest.mark.parametrize("pages", [2, 5])
@pytest.mark.parametrize("size", [7, 50])
async def test_loop_that_deletes_every_item_leaves_none(
    client: RoomsClient, telnyx: Emulator, pages: int, size: int
) -> None:
    telnyx.seed(200)
    before = [room.id for room in telnyx.rooms]
    seen: list[str] = []
    async for room in client.rooms.list(page_size=size).prefetch(pages):
        seen.append(room.id)
        await client.rooms.delete(room)
    assert telnyx.rooms == ()
    assert sorted(seen) == sorted(before)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("change", ["create", "delete"])
async def test_items_that_outlive_the_iteration_are_yielded_once(
    client: RoomsClient, telnyx: Emulator, change: str, seed: int
) -> None:
    random_source = random.Random(f"{seed}{change}")
    telnyx.seed(60)
    before = {room.id for room in telnyx.rooms}
    seen: list[str] = []
    async for room in client.rooms.list(page_size=random_source.randint(2, 9)).prefetch(3):
        seen.append(room.id)
        if len(seen) % 5 == 0 and change == "create":
            await client.rooms.create()
        elif random_source.random() < 0.3 and change == "delete":
            await client.rooms.delete(random_source.choice(telnyx.rooms))
    assert len(seen) == len(set(seen))
    assert before & {room.id for room in telnyx.rooms} <= set(seen)


@pytest.mark.parametrize(
    ("limit", "sizes"),
    [(1, ["1"]), (7, ["7"]), (250, ["250"]), (251, ["250", "250"]), (1000, ["250"] * 3)],
)
@pytest.mark.parametrize("pages", [1, 4])
async def test_limited_listing_requests_no_more_than_it_yields(
    client: RoomsClient, telnyx: Emulator, limit: int, sizes: list[str], pages: int
) -> None:
    telnyx.seed(600)
    listing = client.rooms.list().prefetch(pages).limit(limit)
    assert await listing.all() == list(telnyx.rooms[:limit])
    assert [dict(request.query)["page[size]"] for request in telnyx.requests] == sizes
    assert [room async for page in listing.pages() for room in page.data] == list(telnyx.rooms[:limit])


async def test_first_item_and_all_items(client: RoomsClient, telnyx: Emulator) -> None:
    assert await client.rooms.list().first() is None
    telnyx.seed(5)
    assert await client.rooms.list().first() == telnyx.rooms[0]
    assert await client.rooms.list().all() == list(telnyx.rooms)
    assert await client.rooms.list().all(limit=2) == list(telnyx.rooms[:2])
    assert await client.rooms.list().limit(2).all(limit=3) == list(telnyx.rooms[:2])
    assert await client.rooms.list().limit(2).limit(3).all() == list(telnyx.rooms[:2])
    assert [len(telnyx.requests), dict(telnyx.requests[1].query)["page[size]"]] == [6, "1"]


@pytest.mark.parametrize("items", [0, -1, True, "2"])
async def test_invalid_limit_is_refused_before_a_request(client: RoomsClient, items: int) -> None:
    with pytest.raises(InvalidArgumentError, match="items must be a whole number of at least 1"):
        client.rooms.list().limit(items)


async def test_listing_that_is_taken_for_a_value_says_what_to_write(client: RoomsClient) -> None:
    listing: Any = client.rooms.list()
    with pytest.raises(TypeError, match=r"await listing.first\(\)"):
        bool(listing)
    with pytest.raises(TypeError, match="async for room in listing"):
        await listing


async def test_snapshot_survives_a_pass_that_the_list_changes_too_fast_for(
    client: RoomsClient, telnyx: Emulator
) -> None:
    telnyx.seed(3)
    endless = {"data": [], "meta": {"total_results": 3, "total_pages": 1}}
    telnyx.inject(Fault(body=endless), times=3)
    assert await client.rooms.list().snapshot() == list(telnyx.rooms)
