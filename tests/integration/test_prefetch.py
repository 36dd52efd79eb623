"""Pages ahead: the next one is on its way while the loop works on this one, and nothing is left of it."""

import asyncio
import gc
import re
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from attrs import define, field

from telnyx_rooms_async import (
    Attempt,
    ClientClosedError,
    InternalServerError,
    InvalidArgumentError,
    RetryPolicy,
    RoomsClient,
)
from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.web_servers import run_raw_server


@define
class Slow:
    """A server of rooms that answers when it is let, and tells how many requests it holds."""

    rooms: int = 10
    spoilt: int | None = None
    """A page that is no answer."""
    url: str = ""
    asked: list[int] = field(factory=list[int])
    held: list[int] = field(factory=list[int])
    most: int = 0
    _free: asyncio.Event = field(factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve pages of two."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                found = re.search(rb"page%5Bnumber%5D=(\d+)", head)
                assert found
                number = int(found[1])
                self.asked.append(number)
                self.held.append(number)
                self.most = max(self.most, len(self.held))
                await self._free.wait()
                self.held.remove(number)
                ids = [f'{{"id":"{each}"}}' for each in range(2 * number - 2, min(2 * number, self.rooms))]
                meta = f'{{"total_results":{self.rooms},"total_pages":{self.rooms // 2},"page_size":2}}'
                data = "7" if number == self.spoilt else f"[{','.join(ids)}]"
                body = f'{{"data":{data},"meta":{meta}}}'.encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    async def holds(self, *numbers: int) -> None:
        """Wait until exactly these pages are asked for."""
        while sorted(self.held) != list(numbers):
            await asyncio.sleep(0)

    def free(self) -> None:
        """Answer all that is held, and all that comes until it is held again."""
        self._free.set()

    def hold(self) -> None:
        """Answer no more."""
        self._free.clear()


@pytest.fixture
async def slow() -> AsyncIterator[Slow]:
    """A slow server."""
    it = Slow()
    async with run_raw_server(it.serve) as url:
        it.url = f"{url}/v2"
        yield it


@pytest.fixture
async def client(slow: Slow) -> AsyncIterator[RoomsClient]:
    """A client of it."""
    async with RoomsClient("KEY", base_url=slow.url) as rooms_client:
        yield rooms_client


async def test_the_next_page_is_on_its_way_while_the_loop_works(client: RoomsClient, slow: Slow) -> None:
    """The second item of a page finds the next page asked for, and no page beyond it."""
    slow.free()
    seen: list[str] = []
    async for room in client.rooms.list(page_size=2):
        seen.append(room.id)
        if room.id == "1":
            slow.hold()
            await slow.holds(2)
            assert slow.most == 1
            slow.free()
    assert seen == [str(number) for number in range(10)]
    assert slow.most == 1


async def test_a_page_that_comes_early_asks_for_no_other(slow: Slow) -> None:
    """While the loop works on a page the next may come, and the one after it is not asked for."""
    came: list[Attempt] = []
    slow.free()
    async with RoomsClient("KEY", base_url=slow.url, on_attempt=came.append) as client:
        async for room in client.rooms.list(page_size=2):
            if room.id == "1":
                while len(came) < 2:
                    await asyncio.sleep(0)
                for _ in range(20):
                    await asyncio.sleep(0)
                assert slow.asked == [1, 2]
    assert slow.asked == [1, 2, 3, 4, 5]


async def test_the_first_item_alone_costs_one_request(client: RoomsClient, slow: Slow) -> None:
    """A loop that is left at its first item does not ask for the next page."""
    slow.free()
    async for _ in client.rooms.list(page_size=2):
        slow.hold()
        break
    await asyncio.sleep(0.01)
    assert slow.held == []


@pytest.mark.parametrize("ending", ["break", "an exception"])
async def test_a_loop_left_early_leaves_no_page_on_its_way(
    client: RoomsClient, slow: Slow, ending: str
) -> None:
    """Leaving the loop in any way ends the request for the next page, and its task."""
    slow.free()
    before = asyncio.all_tasks()
    with suppress(ZeroDivisionError):
        async for room in client.rooms.list(page_size=2).prefetch(3):
            if room.id == "1":
                slow.hold()
                await slow.holds(2, 3, 4)
                if ending == "break":
                    break
                _ = 1 / 0
    gc.collect()
    while asyncio.all_tasks() - before - {asyncio.current_task()}:
        await asyncio.sleep(0)
        slow.free()


async def test_pages_at_once_come_in_order(client: RoomsClient, slow: Slow) -> None:
    """Once the total is known so many pages are asked for at once, and they come in their order."""
    slow.free()
    seen: list[str] = []
    async for page in client.rooms.list(page_size=2).prefetch(3).pages():
        seen += [room.id for room in page.data]
        if len(seen) == 2:
            slow.hold()
            await slow.holds(2, 3, 4)
            slow.free()
    assert seen == [str(number) for number in range(10)]
    assert slow.most == 3


@pytest.mark.parametrize("pages", [0, 101, True, 2.5, None])
def test_too_many_at_once_are_refused(client: RoomsClient, pages: int) -> None:
    """A number of pages that makes no sense is refused before anything is sent."""
    with pytest.raises(InvalidArgumentError, match="from 1 to 100"):
        client.rooms.list().prefetch(pages)


async def test_closing_ends_the_page_on_its_way(client: RoomsClient, slow: Slow) -> None:
    """A client that is closed in the middle of a loop ends the loop with ClientClosedError."""
    slow.free()

    async def loop() -> None:
        async for room in client.rooms.list(page_size=2):
            if room.id == "1":
                slow.hold()
                await slow.holds(2)
                await client.close()

    with pytest.raises(ClientClosedError):
        await loop()


async def test_deleting_concurrently_leaves_nothing() -> None:
    """A loop that deletes what it sees while pages are fetched ahead reaches every room."""
    async with Emulator() as telnyx, RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
        for at_once in (1, 4):
            telnyx.seed(100)
            async for room in client.rooms.list(page_size=10).prefetch(at_once):
                await client.rooms.delete(room.id)
            assert telnyx.rooms == ()


async def test_a_page_that_fails_is_told_when_its_turn_comes() -> None:
    """What came before a page that cannot be read is delivered first."""
    async with Emulator() as telnyx, RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
        telnyx.seed(10)
        telnyx.script(Fault())
        telnyx.script(Fault(status=500), times=None)
        rooms = aiter(client.with_options(retry=RetryPolicy(attempts=1)).rooms.list(page_size=2))
        assert [(await anext(rooms)).unique_name for _ in range(2)] == ["Room 1", "Room 2"]
        with pytest.raises(InternalServerError):
            await anext(rooms)
