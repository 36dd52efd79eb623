"""Lists that change while they are read, and servers with wrong page metadata."""

from collections.abc import Callable
from typing import Any

import pytest

from telnyx_rooms_async import PaginationError, RoomsClient
from tests.helpers.fault_case import FaultCase, ids_of
from tests.helpers.fault_server import ServerFault
from tests.helpers.faults import change_body, delay, truncate
from tests.helpers.room_store import RecordedRequest


async def tens(client: RoomsClient) -> list[str]:
    return await ids_of(client, page_size=10)


def seed(case: FaultCase, count: int) -> list[object]:
    """Replace all rooms by new ones."""
    case.server.store.rooms.clear()
    return [room["id"] for room in case.server.store.seed(count)]


def on_page(number: int, action: Callable[[], object]) -> Callable[[RecordedRequest], object]:
    """Call `action` before each request for a page."""
    return lambda request: action() if request.query.get("page[number]") == str(number) else None


# --- meta ---------------------------------------------------------------------------------------------------


def rooms_on_page(meta: dict[str, int]) -> int:
    """Count the rooms on the page that the correct `meta` describes."""
    before = (meta["page_number"] - 1) * meta["page_size"]
    return min(max(0, meta["total_results"] - before), meta["page_size"])


META: dict[str, Callable[[dict[str, Any]], object]] = {
    "missing": lambda _: ...,
    "null": lambda _: None,
    "a list": lambda _: [1, 2],
    "text": lambda _: "45 rooms",
    "empty": lambda _: {},
    "page_number stuck": lambda meta: meta | {"page_number": 1},
    "page_number null": lambda meta: meta | {"page_number": None},
    "page_number text": lambda meta: meta | {"page_number": "two"},
    "totals 0": lambda meta: meta | {"total_pages": 0, "total_results": 0},
    "totals negative": lambda meta: meta | {"total_pages": -1, "total_results": -45},
    "totals huge": lambda meta: meta | {"total_pages": 10**18, "total_results": 10**18},
    "totals null": lambda meta: meta | {"total_pages": None, "total_results": None},
    "totals text": lambda meta: meta | {"total_pages": "5", "total_results": "45"},
    "only total_pages": lambda meta: {"total_pages": meta["total_pages"]},
    "only total_results": lambda meta: {"total_results": meta["total_results"]},
    "total_pages of another size": lambda meta: meta | {"total_pages": 2},
    "one page less": lambda meta: meta | {"total_pages": meta["total_pages"] - 1},
    "one page more": lambda meta: meta | {"total_pages": meta["total_pages"] + 1},
    "total_results of the page": lambda meta: meta | {"total_results": rooms_on_page(meta)},
    "page_size of the page": lambda meta: meta | {"page_size": rooms_on_page(meta)},
    "page_size 0": lambda meta: meta | {"page_size": 0},
    "page_size huge": lambda meta: meta | {"page_size": 10**6},
}


@pytest.mark.parametrize("page_meta", META.values(), ids=META)
@pytest.mark.parametrize("count", [0, 10, 20, 45])
async def test_every_room_is_listed_once_whatever_meta_says(
    case: FaultCase, page_meta: Callable[[dict[str, Any]], object], count: int
) -> None:
    all_ids = seed(case, count)
    case.server.store.page_meta = page_meta
    assert await case.expect_result(tens) == all_ids
    pages = -(-count // 10)
    case.expect_at_most(max(1, pages) + 1)


# --- wrong pages --------------------------------------------------------------------------------------------


def shortened(to: int, pages: tuple[int, ...] = (1, 2, 3, 4)) -> ServerFault:
    """Answer with shorter pages and unchanged meta."""

    def shorten(body: Any) -> object:
        return {**body, "data": body["data"][:to]} if body["meta"]["page_number"] in pages else body

    return change_body(shorten)


@pytest.mark.parametrize("rooms", [0, 3])
@pytest.mark.parametrize("page", [1, 2, 3, 4])
async def test_one_short_page_loses_no_room_silently(case: FaultCase, page: int, rooms: int) -> None:
    all_ids = seed(case, 45)
    case.server.inject(*[delay(0)] * (page - 1), shortened(rooms))
    try:
        listed = await tens(case.client)
    except PaginationError as error:
        case.errors.append(error)
    else:
        assert sorted(listed) == all_ids
    case.expect_at_most(12)


@pytest.mark.parametrize(("page", "rooms", "seen"), [(1, 0, 0), (3, 0, 20), (1, 3, 38), (3, 3, 38)])
async def test_a_page_that_is_always_short_is_a_pagination_error(
    case: FaultCase, page: int, rooms: int, seen: int
) -> None:
    seed(case, 45)
    case.server.inject_always(shortened(rooms, pages=(page,)))
    error = await case.expect_error(PaginationError, tens)
    assert (error.seen, error.expected) == (seen, 45)
    case.expect_at_most(20)


@pytest.mark.parametrize("repeated", [1, 2])
async def test_pages_repeated_forever_are_a_pagination_error(case: FaultCase, repeated: int) -> None:
    seed(case, 45)
    pages: list[Any] = []

    def repeat(body: Any) -> object:
        pages.append(body["data"])
        return {**body, "data": pages[(len(pages) - 1) % repeated]}

    case.server.inject_always(change_body(repeat))
    error = await case.expect_error(PaginationError, tens)
    assert (error.seen, error.expected) == (10 * repeated, 45)
    case.expect_at_most(5 * repeated)


@pytest.mark.parametrize(
    ("newest_first", "seen"), [(False, 510), (True, 10)], ids=["at the end", "at the start"]
)
async def test_a_list_that_grows_endlessly_is_a_pagination_error(
    case: FaultCase, seen: int, *, newest_first: bool
) -> None:
    seed(case, 20)
    case.server.store.newest_first = newest_first
    case.server.on_request = lambda _: case.server.store.seed(10)
    error = await case.expect_error(PaginationError, tens)
    assert error.seen >= seen
    case.expect_at_most(250)


async def test_a_lost_page_is_requested_again(case: FaultCase) -> None:
    all_ids = seed(case, 45)
    case.server.inject(delay(0), delay(0), truncate("body"))
    assert await case.expect_result(tens) == all_ids
    case.expect_requests(" ".join(["GET"] * 6))


# --- deleting while listing ---------------------------------------------------------------------------------


orders = pytest.mark.parametrize("newest_first", [True, False], ids=["newest first", "oldest first"])


@orders
@pytest.mark.parametrize(("rooms", "size"), [(50, 10), (50, 7), (500, 250), (3, 1)])
@pytest.mark.parametrize("by_page", [False, True], ids=["room by room", "page by page"])
async def test_deleting_rooms_while_listing_leaves_none(
    case: FaultCase, rooms: int, size: int, *, newest_first: bool, by_page: bool
) -> None:
    case.server.store.newest_first = newest_first
    seed(case, rooms)

    async def delete_listed(client: RoomsClient) -> None:
        listing = client.rooms.list(page_size=size)
        if by_page:
            async for page in listing.pages():
                for room in page.data:
                    await client.rooms.delete(room.id)
        else:
            async for room in listing:
                await client.rooms.delete(room.id)

    await case.expect_result(delete_listed)
    assert case.server.store.rooms == []
    assert case.server.methods.count("DELETE") == rooms
    case.expect_at_most(rooms + 2 * -(-rooms // size) + 2)


# --- changes by other clients -------------------------------------------------------------------------------


def replace_rooms(case: FaultCase, deleted: int, created: int) -> None:
    """Delete the first rooms and create others, as another client does."""
    del case.server.store.rooms[:deleted]
    case.server.store.seed(created)


@orders
@pytest.mark.parametrize(("deleted", "created"), [(3, 0), (0, 3), (10, 0), (0, 10), (25, 0)])
async def test_no_surviving_room_is_missed_or_repeated(
    case: FaultCase, deleted: int, created: int, *, newest_first: bool
) -> None:
    case.server.store.newest_first = newest_first
    before = set(seed(case, 60))
    case.server.on_request = on_page(3, lambda: replace_rooms(case, deleted, created))
    listed = await case.expect_result(tens)
    assert before & set(case.server.store.ids) <= set(listed)
    assert len(listed) == len(set(listed))
    case.expect_at_most(30)


# --- snapshots ----------------------------------------------------------------------------------------------


async def snapshot(client: RoomsClient) -> list[str]:
    return [room.id for room in await client.rooms.list(page_size=10).snapshot()]


async def test_a_snapshot_of_a_stable_list_takes_two_passes(case: FaultCase) -> None:
    all_ids = seed(case, 45)
    assert await case.expect_result(snapshot) == all_ids
    case.expect_requests(" ".join(["GET"] * 10))


@orders
@pytest.mark.parametrize("swaps", [1, 4])
@pytest.mark.parametrize(("deleted", "created"), [(1, 1), (1, 3), (3, 1)])
async def test_a_snapshot_is_exact_after_deletions_and_creations_that_cancel_out(
    case: FaultCase, swaps: int, deleted: int, created: int, *, newest_first: bool
) -> None:
    case.server.store.newest_first = newest_first
    seed(case, 45)
    left = [None] * swaps

    def swap() -> None:
        if left:
            left.pop()
            replace_rooms(case, deleted, created)

    case.server.on_request = on_page(2, swap)
    listed = await case.expect_result(snapshot)
    assert sorted(map(str, listed)) == sorted(map(str, case.server.store.ids))
    assert left == []
    case.expect_at_most(6 * 9)


async def test_a_snapshot_of_a_changing_list_fails_after_six_passes(case: FaultCase) -> None:
    seed(case, 45)
    case.server.on_request = on_page(2, lambda: replace_rooms(case, 1, 1))
    await case.expect_error(PaginationError, snapshot)
    assert [request.query["page[number]"] for request in case.server.requests].count("1") == 6
    case.expect_at_most(6 * 6)
