"""Listings over a socket while the list changes: page after page, several at once, and snapshots."""

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from itertools import count

import pytest
from attrs import define, field

from telnyx_rooms_async import PaginationError, RoomsClient
from tests.helpers.web_servers import run_raw_server

SEEDS = range(10)


@define
class Shelf:
    """An honest server of one list, which changes whenever it has been looked at."""

    rooms: list[str] = field(factory=list[str])
    change: Callable[[], None] = lambda: None
    """Called after each page that was made."""
    delay: Callable[[], float] = lambda: 0.0
    """How long a page is on its way, before it is made."""
    cap: int = 250
    pages: list[int] = field(factory=list[int])
    busy: int = 0
    busiest: int = 0
    url: str = ""
    _names: "count[int]" = field(factory=count)

    def create(self, where: float) -> None:
        """Put a new room in at such a share of the list."""
        self.rooms.insert(round(where * len(self.rooms)), f"new-{next(self._names)}")

    def delete(self, where: float) -> None:
        """Take a room out that stands at such a share of the list."""
        if self.rooms:
            del self.rooms[int(where * len(self.rooms))]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                writer.write(await (self._delete(head) if head.startswith("DELETE") else self._page(head)))
                await writer.drain()

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
        data = [{"id": each} for each in self.rooms[(number - 1) * size : number * size]]
        total = len(self.rooms)
        meta = {
            "page_number": number,
            "page_size": size,
            "total_results": total,
            "total_pages": -(-total // size),
        }
        self.change()
        body = json.dumps({"data": data, "meta": meta})
        return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    """An empty list on a free port."""
    it = Shelf()
    async with run_raw_server(it.serve) as url:
        it.url = f"{url}/v2"
        yield it


@pytest.fixture
async def client(shelf: Shelf) -> AsyncIterator[RoomsClient]:
    """A client of that list."""
    async with RoomsClient("KEY", base_url=shelf.url) as rooms_client:
        yield rooms_client


def names(number: int) -> list[str]:
    """Name so many rooms."""
    return [f"room-{each}" for each in range(number)]


at_once = pytest.mark.parametrize("at_once", [1, 2, 5], ids=lambda pages: f"{pages} at once")


@at_once
@pytest.mark.parametrize("size", [3, 7, 50, 250])
async def test_a_list_that_stands_still(shelf: Shelf, client: RoomsClient, at_once: int, size: int) -> None:
    """All come in the order of the server, one request a page, and no more pages at once than allowed."""
    shelf.rooms = names(120)
    dice = random.Random(size)
    shelf.delay = lambda: dice.choice([0.0, 0.001])
    listing = client.rooms.list(page_size=size).prefetch(at_once)
    assert [room.id async for room in listing] == shelf.rooms
    assert sorted(shelf.pages) == list(range(1, -(-120 // size) + 1))
    assert shelf.busiest <= at_once


@at_once
@pytest.mark.parametrize(("rooms", "size"), [(50, 7), (50, 250), (500, 50), (500, 250)])
async def test_deleting_what_is_listed(
    shelf: Shelf, client: RoomsClient, at_once: int, rooms: int, size: int
) -> None:
    """A loop that deletes each room as it comes leaves none, though pages are fetched ahead."""
    shelf.rooms = names(rooms)
    seen: list[str] = []
    async for room in client.rooms.list(page_size=size).prefetch(at_once):
        seen.append(room.id)
        await client.rooms.delete(room.id)
    assert shelf.rooms == []
    assert sorted(seen) == sorted(names(rooms))


@at_once
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("what", ["deletions", "creations"])
async def test_others_change_the_list(
    shelf: Shelf, client: RoomsClient, at_once: int, seed: int, what: str
) -> None:
    """Whatever others delete or create between two pages, what lives through comes, and comes once."""
    dice = random.Random(f"{seed}{what}")
    there = names(40)
    shelf.rooms = list(there)
    turns = iter(dice.choices([0, 0, 1, 2, 4], k=12))

    act = shelf.delete if what == "deletions" else shelf.create

    def change() -> None:
        for _ in range(next(turns, 0)):
            act(dice.choice([0.0, 0.999, dice.random()]))

    shelf.change = change
    shelf.delay = lambda: dice.choice([0.0, 0.001, 0.002])
    listing = client.rooms.list(page_size=dice.randint(2, 9)).prefetch(at_once)
    seen = [room.id async for room in listing]
    assert len(seen) == len(set(seen))
    assert set(there) & set(shelf.rooms) <= set(seen)


@pytest.mark.parametrize("seed", SEEDS)
async def test_others_delete_and_create_in_turn(shelf: Shelf, client: RoomsClient, seed: int) -> None:
    """Between two pages either deletions or creations: what lives through comes, and comes once."""
    dice = random.Random(seed)
    there = names(40)
    shelf.rooms = list(there)
    turns = iter(dice.choices([0, 0, 1, 2, 4], k=12))

    def change() -> None:
        act = dice.choice([shelf.delete, shelf.create])
        for _ in range(next(turns, 0)):
            act(dice.choice([0.0, 0.999, dice.random()]))

    shelf.change = change
    seen = [room.id async for room in client.rooms.list(page_size=dice.randint(2, 9))]
    assert len(seen) == len(set(seen))
    assert set(there) & set(shelf.rooms) <= set(seen)


# --- snapshots ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_snapshot_is_exact_under_swaps(shelf: Shelf, client: RoomsClient, seed: int) -> None:
    """While others swap rooms for new ones a snapshot reads on; when they have done it is exact, in order."""
    dice = random.Random(seed)
    shelf.rooms = names(dice.randint(1, 30))
    size = dice.randint(2, 8)
    # Swaps happen while the first four passes are read, at most.
    swaps = iter(range(dice.randint(0, 3 * -(-len(shelf.rooms) // size))))

    def swap() -> None:
        if next(swaps, None) is not None:
            shelf.delete(dice.random())
            shelf.create(dice.choice([0.0, 1.0, dice.random()]))

    shelf.change = swap
    assert [room.id for room in await client.rooms.list(page_size=size).snapshot()] == shelf.rooms


async def test_a_deletion_and_a_creation_that_cancel_out(shelf: Shelf, client: RoomsClient) -> None:
    """A room that slides over while another one takes the total's place is missed by a pass, and found."""
    shelf.rooms = list("abcd")
    swaps = iter([None])

    def swap() -> None:
        for _ in swaps:
            shelf.rooms = list("bcde")
            return

    shelf.change = swap
    assert [room.id for room in await client.rooms.list(page_size=2).snapshot()] == list("bcde")
    assert len(shelf.pages) == 6


async def test_a_snapshot_of_a_list_that_stands_still(shelf: Shelf, client: RoomsClient) -> None:
    """Two passes that find the same are enough."""
    shelf.rooms = names(5)
    assert [room.id for room in await client.rooms.list(page_size=2).snapshot()] == shelf.rooms
    assert shelf.pages == [1, 2, 3] * 2


async def test_a_snapshot_of_a_list_that_never_stands_still(shelf: Shelf, client: RoomsClient) -> None:
    """When six passes find six different lists, there is no snapshot."""
    shelf.rooms = names(4)

    def swap() -> None:
        shelf.delete(0.0)
        shelf.create(1.0)

    shelf.change = swap
    with pytest.raises(PaginationError):
        await client.rooms.list(page_size=2).snapshot()
    assert len(shelf.pages) == 12


async def test_a_snapshot_of_nothing(shelf: Shelf, client: RoomsClient) -> None:
    """An empty list twice is an empty snapshot."""
    assert await client.rooms.list().snapshot() == []
    assert shelf.pages == [1, 1]
