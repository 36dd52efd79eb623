"""Lists that change while they are read, and servers with wrong page metadata."""

from collections.abc import Callable
from typing import Any

import pytest

from telnyx_rooms_async import PaginationError, Room, RoomsClient
from tests.helpers.fault_case import FaultCase, ids_of
from tests.helpers.fault_server import ServerFault
from tests.helpers.response_faults import LOST, ResponseFault, change_body
from tests.helpers.room_store import RecordedRequest, RoomStore
from tests.helpers.server_faults import delay, only_when


async def tens(client: RoomsClient) -> list[str]:
    """List all rooms, ten a page."""
    return await ids_of(client, page_size=10)


def seed(case: FaultCase, count: int) -> list[object]:
    """Replace all rooms by new ones."""
    case.server.store.rooms.clear()
    return [room["id"] for room in case.server.store.seed(count)]


def on_page(number: int, action: Callable[[], object]) -> Callable[[RecordedRequest], object]:
    """Call `action` before each request for a page."""
    return lambda request: action() if request.query.get("page[number]") == str(number) else None


# --- meta ---------------------------------------------------------------------------------------------------

META: dict[str, Callable[[dict[str, Any]], object]] = {
    "missing": lambda _: ...,
    "null": lambda _: None,
    "a list": lambda _: [1, 2],
    "text": lambda _: "45 rooms",
    "empty": lambda _: {},
    "page_number stuck": lambda meta: meta | {"page_number": 1},
    "page_number null": lambda meta: meta | {"page_number": None},
    "page_number text": lambda meta: meta | {"page_number": "two"},
    "page_number huge": lambda meta: meta | {"page_number": 10**30},
    "totals 0": lambda meta: meta | {"total_pages": 0, "total_results": 0},
    "totals negative": lambda meta: meta | {"total_pages": -1, "total_results": -45},
    "totals huge": lambda meta: meta | {"total_pages": 10**18, "total_results": 10**18},
    "totals null": lambda meta: meta | {"total_pages": None, "total_results": None},
    "totals text": lambda meta: meta | {"total_pages": "5", "total_results": "45"},
    "totals beyond JavaScript": lambda meta: meta | {"total_pages": 10**400, "total_results": 10**400},
    "only total_pages": lambda meta: {"total_pages": meta["total_pages"]},
    "only total_results": lambda meta: {"total_results": meta["total_results"]},
    "total_pages of another size": lambda meta: meta | {"total_pages": 2},
    "page_size of another size": lambda meta: meta | {"page_size": 20},
    "page_size 0": lambda meta: meta | {"page_size": 0},
}


@pytest.mark.parametrize("page_meta", META.values(), ids=META)
@pytest.mark.parametrize("count", [0, 1, 10, 45, 50])
async def test_every_room_is_listed_once_whatever_meta_says(
    case: FaultCase, page_meta: Callable[[dict[str, Any]], object], count: int
) -> None:
    all_ids = seed(case, count)
    case.server.store.page_meta = page_meta
    assert await case.expect_result(tens) == all_ids
    pages = -(-count // 10)
    case.expect_at_most(max(1, pages) + 1)


async def test_correct_meta_saves_the_last_request(case: FaultCase) -> None:
    all_ids = seed(case, 45)
    assert await case.expect_result(tens) == all_ids
    case.expect_requests(" ".join(["GET"] * 5))


# --- wrong pages --------------------------------------------------------------------------------------------


async def expect_all_or_error(case: FaultCase, all_ids: list[object]) -> None:
    """List the rooms; expect all of them or a PaginationError."""
    try:
        listed = await tens(case.client)
    except PaginationError as error:
        case.errors.append(error)
    else:
        assert sorted(map(str, listed)) == sorted(map(str, all_ids))


def shortened(to: int) -> ServerFault:
    """Answer with a shorter page and unchanged meta."""
    return change_body(lambda body: {**body, "data": body["data"][:to]})


@pytest.mark.parametrize("rooms", [0, 3])
@pytest.mark.parametrize("page", [1, 2, 3, 4])
async def test_one_short_page_loses_no_room_silently(case: FaultCase, page: int, rooms: int) -> None:
    all_ids = seed(case, 45)
    correct = delay(0)
    case.server.inject(*[correct] * (page - 1), shortened(rooms))
    await expect_all_or_error(case, all_ids)
    case.expect_at_most(12)


@pytest.mark.parametrize(("page", "rooms", "seen"), [("1", 0, 0), ("3", 0, 20), ("1", 3, 38), ("3", 3, 38)])
async def test_a_page_that_is_always_short_is_a_pagination_error(
    case: FaultCase, page: str, rooms: int, seen: int
) -> None:
    seed(case, 45)
    case.server.inject_always(
        only_when(case.server, lambda request: request.query["page[number]"] == page, shortened(rooms))
    )
    error = await case.expect_error(PaginationError, tens)
    assert (error.seen, error.expected) == (seen, 45)
    case.expect_at_most(20)


async def test_a_page_repeated_forever_is_a_pagination_error(case: FaultCase) -> None:
    seed(case, 45)
    page: list[Any] = []

    def first(body: Any) -> object:
        page[:] = page or body["data"]
        return {**body, "data": page}

    case.server.inject_always(change_body(first))
    error = await case.expect_error(PaginationError, tens)
    assert (error.seen, error.expected) == (10, 45)
    case.expect_at_most(5)


async def test_two_alternating_pages_are_a_pagination_error(case: FaultCase) -> None:
    seed(case, 45)
    pages: list[Any] = []

    def circle(body: Any) -> object:
        pages.append(body["data"])
        return {**body, "data": pages[len(pages) % 2]} if len(pages) > 2 else body

    case.server.inject_always(change_body(circle))
    error = await case.expect_error(PaginationError, tens)
    assert (error.seen, error.expected) == (20, 45)
    case.expect_at_most(10)


async def test_endless_growth(case: FaultCase) -> None:
    seed(case, 20)
    case.server.on_request = lambda _: case.server.store.seed(10)
    error = await case.expect_error(PaginationError, tens)
    assert error.seen > 500
    case.expect_at_most(250)


async def test_endless_growth_at_the_front(case: FaultCase) -> None:
    seed(case, 20)
    case.server.store.newest_first = True
    case.server.on_request = lambda _: case.server.store.seed(10)
    error = await case.expect_error(PaginationError, tens)
    assert error.seen == 10
    case.expect_at_most(250)


@pytest.mark.parametrize("response_fault", LOST.values(), ids=LOST)
async def test_a_lost_page_is_requested_again(case: FaultCase, response_fault: ResponseFault) -> None:
    all_ids = seed(case, 45)
    correct = delay(0)
    case.server.inject(correct, correct, response_fault.fault)
    assert await case.expect_result(tens) == all_ids
    case.expect_requests(" ".join(["GET"] * 6))


# --- deleting while listing ---------------------------------------------------------------------------------


def deleting(page_size: int) -> Callable[[RoomsClient], Any]:
    """Delete every listed room."""

    async def action(client: RoomsClient) -> int:
        count = 0
        async for room in client.rooms.list(page_size=page_size):
            await client.rooms.delete(room.id)
            count += 1
        return count

    return action


def deleting_pages(page_size: int) -> Callable[[RoomsClient], Any]:
    """Delete a page of rooms at a time."""

    async def action(client: RoomsClient) -> int:
        count = 0
        async for page in client.rooms.list(page_size=page_size).pages():
            for room in page.data:
                await client.rooms.delete(room.id)
                count += 1
        return count

    return action


@pytest.mark.parametrize(
    "response_fault", [deleting, deleting_pages], ids=lambda response_fault: response_fault.__name__
)
@pytest.mark.parametrize("newest_first", [True, False], ids=["newest first", "oldest first"])
@pytest.mark.parametrize(("rooms", "size"), [(50, 10), (50, 20), (50, 7), (500, 250), (500, 50), (3, 1)])
async def test_deleting_while_listing(
    case: FaultCase, response_fault: Any, rooms: int, size: int, *, newest_first: bool
) -> None:
    case.server.store.newest_first = newest_first
    seed(case, rooms)
    assert await case.expect_result(response_fault(size)) == rooms
    assert case.server.store.rooms == []
    assert case.server.methods.count("DELETE") == rooms
    case.expect_at_most(rooms + 2 * -(-rooms // size) + 2)


# --- changes by other clients -------------------------------------------------------------------------------


def remove(store: RoomStore, place: int, count: int = 1) -> None:
    """Delete rooms as another client does."""
    del store.rooms[place : place + count]


@pytest.mark.parametrize("newest_first", [True, False], ids=["newest first", "oldest first"])
@pytest.mark.parametrize(("deleted", "created"), [(3, 0), (0, 3), (10, 0), (0, 10), (25, 0)])
async def test_no_surviving_room_is_missed_or_repeated(
    case: FaultCase, deleted: int, created: int, *, newest_first: bool
) -> None:
    store = case.server.store
    store.newest_first = newest_first
    before = set(seed(case, 60))

    def change() -> None:
        remove(store, 0, deleted)
        store.seed(created)

    case.server.on_request = on_page(3, change)
    listed = await case.expect_result(tens)
    survivors = before & set(store.ids)
    assert survivors <= set(listed)
    assert len(listed) == len(set(listed))
    case.expect_at_most(30)


# --- snapshots ----------------------------------------------------------------------------------------------


async def snapshot(client: RoomsClient) -> list[str]:
    """Take a snapshot of all rooms."""
    rooms: list[Room] = await client.rooms.list(page_size=10).snapshot()
    return [room.id for room in rooms]


async def test_a_snapshot_of_a_stable_list_takes_two_passes(case: FaultCase) -> None:
    all_ids = seed(case, 45)
    assert await case.expect_result(snapshot) == all_ids
    case.expect_requests(" ".join(["GET"] * 10))


@pytest.mark.parametrize("newest_first", [True, False], ids=["newest first", "oldest first"])
@pytest.mark.parametrize("swaps", [1, 2, 4])
@pytest.mark.parametrize(("deleted", "created"), [(1, 1), (1, 3), (3, 1)])
async def test_a_snapshot_is_exact_after_deletions_and_creations_that_cancel_out(
    case: FaultCase, swaps: int, deleted: int, created: int, *, newest_first: bool
) -> None:
    store = case.server.store
    store.newest_first = newest_first
    seed(case, 45)
    left = [None] * swaps

    def swap() -> None:
        if left:
            left.pop()
            remove(store, 0, deleted)
            store.seed(created)

    case.server.on_request = on_page(2, swap)
    listed = await case.expect_result(snapshot)
    assert sorted(map(str, listed)) == sorted(map(str, store.ids))
    assert left == []
    case.expect_at_most(6 * 9)


async def test_a_snapshot_of_a_changing_list_fails_after_six_passes(case: FaultCase) -> None:
    store = case.server.store
    seed(case, 45)

    def swap() -> None:
        remove(store, 0)
        store.seed()

    case.server.on_request = on_page(2, swap)
    await case.expect_error(PaginationError, snapshot)
    assert [request.query["page[number]"] for request in case.server.requests].count("1") == 6
    case.expect_at_most(6 * 6)
