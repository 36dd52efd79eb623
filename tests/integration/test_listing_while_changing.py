"""Listings over a socket while the list changes: page after page, several at once, and snapshots."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Callable
from itertools import count

import pytest
from attrs import define, field

from telnyx_rooms_async import RoomsClient
from tests.helpers.raw_server import Connection, RawServer, http_response, running

SEEDS = range(10)


@define(eq=False)
class ChangingList(RawServer):
    rooms: list[str] = field(factory=list[str])
    change: Callable[[], None] = lambda: None
    """Called after number page that was made."""
    delay: Callable[[], float] = lambda: 0.0
    """How long a page is on its way, before changing is made."""
    cap: int = 250
    pages: list[int] = field(factory=list[int])
    busy: int = 0
    busiest: int = 0
    _names: "count[int]" = field(factory=count)

    def create(self, where: float) -> None:
        self.rooms.insert(round(where * len(self.rooms)), f"new-{next(self._names)}")

    def delete(self, where: float) -> None:
        if self.rooms:
            del self.rooms[int(where * len(self.rooms))]

    async def respond(self, connection: Connection, head: bytes, body: bytes) -> bool:
        answer = self._delete if head.startswith(b"DELETE") else self._page
        return await connection.send(await answer(head.decode()))

    async def _delete(self, head: str) -> bytes:
        await asyncio.sleep(self.delay())
        self.rooms.remove(head.split()[1].rpartition("/")[2])
        return b"HTTP/1.1 204 No Content\r\n\r\n"

    async def _page(self, head: str) -> bytes:
        number, size = (int(found) for found in re.findall(r"page%5B(?:number|size)%5D=(\d+)", head))
        self.busy += 1
        self.busiest = max(self.busy, self.busiest)
        await asyncio.sleep(self.delay())
        self.busy -= 1
        self.pages.append(number)
        size = min(size, self.cap)
        data = [{"id": number} for number in self.rooms[(number - 1) * size : number * size]]
        total = len(self.rooms)
        meta = {
            "page_number": number,
            "page_size": size,
            "total_results": total,
            "total_pages": -(-total // size),
        }
        self.change()
        return http_response(200, {"data": data, "meta": meta})


@pytest.fixture
async def changing_list() -> AsyncIterator[ChangingList]:
    async with running(ChangingList()) as changing:
        yield changing


@pytest.fixture
async def client(changing_list: ChangingList) -> AsyncIterator[RoomsClient]:
    async with RoomsClient("KEY", base_url=changing_list.url) as rooms_client:
        yield rooms_client


def names(number: int) -> list[str]:
    return [f"room-{number}" for number in range(number)]


prefetch = pytest.mark.parametrize("prefetch", [2, 5], ids=lambda pages: f"{pages} at once")


@prefetch
@pytest.mark.parametrize("size", [3, 7, 50, 250])
async def test_unchanged_list_costs_one_request_per_page(
    changing_list: ChangingList, client: RoomsClient, prefetch: int, size: int
) -> None:
    changing_list.rooms = names(120)
    random_source = random.Random(size)
    changing_list.delay = lambda: random_source.choice([0.0, 0.001])
    listing = client.rooms.list(page_size=size).prefetch(prefetch)
    assert [room.id async for room in listing] == changing_list.rooms
    assert sorted(changing_list.pages) == list(range(1, -(-120 // size) + 1))
    assert changing_list.busiest <= prefetch


@prefetch
@pytest.mark.parametrize(("rooms", "size"), [(50, 7), (50, 250), (500, 50), (500, 250)])
async def test_loop_that_deletes_every_item_leaves_none(
    changing_list: ChangingList, client: RoomsClient, prefetch: int, rooms: int, size: int
) -> None:
    changing_list.rooms = names(rooms)
    seen: list[str] = []
    async for room in client.rooms.list(page_size=size).prefetch(prefetch):
        seen.append(room.id)
        await client.rooms.delete(room.id)
    assert changing_list.rooms == []
    assert sorted(seen) == sorted(names(rooms))


@prefetch
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("what", ["deletions", "creations"])
async def test_items_that_outlive_the_iteration_are_yielded_once(
    changing_list: ChangingList, client: RoomsClient, prefetch: int, seed: int, what: str
) -> None:
    random_source = random.Random(f"{seed}{what}")
    at_the_start = names(40)
    changing_list.rooms = list(at_the_start)
    turns = iter(random_source.choices([0, 0, 1, 2, 4], k=12))

    act = changing_list.delete if what == "deletions" else changing_list.create

    def change() -> None:
        for _ in range(next(turns, 0)):
            act(random_source.choice([0.0, 0.999, random_source.random()]))

    changing_list.change = change
    changing_list.delay = lambda: random_source.choice([0.0, 0.001, 0.002])
    listing = client.rooms.list(page_size=random_source.randint(2, 9)).prefetch(prefetch)
    seen = [room.id async for room in listing]
    assert len(seen) == len(set(seen))
    assert set(at_the_start) & set(changing_list.rooms) <= set(seen)


# --- snapshots ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
async def test_snapshot_is_exact_while_items_are_replaced(
    changing_list: ChangingList, client: RoomsClient, seed: int
) -> None:
    random_source = random.Random(seed)
    changing_list.rooms = names(random_source.randint(1, 30))
    size = random_source.randint(2, 8)
    # Swaps happen while the first four passes are read, at most.
    swaps = iter(range(random_source.randint(0, 3 * -(-len(changing_list.rooms) // size))))

    def swap() -> None:
        if next(swaps, None) is not None:
            changing_list.delete(random_source.random())
            changing_list.create(random_source.choice([0.0, 1.0, random_source.random()]))

    changing_list.change = swap
    assert [room.id for room in await client.rooms.list(page_size=size).snapshot()] == changing_list.rooms
