"""When the pages of a listing are requested, and how their requests end."""

import asyncio
import gc
import json
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
class HeldServer:
    """Serves pages of two rooms. While it is held, requests wait for their responses."""

    requested: list[int] = field(factory=list[int])
    waiting: list[int] = field(factory=list[int])
    max_waiting: int = 0
    url: str = ""
    _free: asyncio.Event = field(factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                number = int(re.findall(rb"page%5Bnumber%5D=(\d+)", head)[0])
                self.requested.append(number)
                self.waiting.append(number)
                self.max_waiting = max(self.max_waiting, len(self.waiting))
                await self._free.wait()
                self.waiting.remove(number)
                rooms = [{"id": str(2 * number - 2)}, {"id": str(2 * number - 1)}]
                meta = {"total_results": 10, "total_pages": 5, "page_size": 2}
                body = json.dumps({"data": rooms, "meta": meta}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    async def wait_for_requests(self, *numbers: int) -> None:
        while sorted(self.waiting) != list(numbers):
            await asyncio.sleep(0)

    def release(self) -> None:
        self._free.set()

    def hold(self) -> None:
        self._free.clear()


@pytest.fixture
async def held_server() -> AsyncIterator[HeldServer]:
    server = HeldServer()
    server.release()
    async with run_raw_server(server.serve) as url:
        server.url = f"{url}/v2"
        yield server


@pytest.fixture
async def client(held_server: HeldServer) -> AsyncIterator[RoomsClient]:
    async with RoomsClient("KEY", base_url=held_server.url) as rooms_client:
        yield rooms_client


async def test_next_page_is_requested_after_the_first_item(
    client: RoomsClient, held_server: HeldServer
) -> None:
    seen: list[str] = []
    async for room in client.rooms.list(page_size=2):
        seen.append(room.id)
        if room.id == "1":
            held_server.hold()
            await held_server.wait_for_requests(2)
            assert held_server.max_waiting == 1
            held_server.release()
    assert seen == [str(number) for number in range(10)]
    assert held_server.max_waiting == 1


async def test_early_response_requests_no_further_page(held_server: HeldServer) -> None:
    came: list[Attempt] = []
    async with RoomsClient("KEY", base_url=held_server.url, on_attempt=came.append) as client:
        async for room in client.rooms.list(page_size=2):
            if room.id == "1":
                while len(came) < 2:
                    await asyncio.sleep(0)
                for _ in range(20):
                    await asyncio.sleep(0)
                assert held_server.requested == [1, 2]
    assert held_server.requested == [1, 2, 3, 4, 5]


async def test_loop_that_ends_at_the_first_item_costs_one_request(
    client: RoomsClient, held_server: HeldServer
) -> None:
    async for _ in client.rooms.list(page_size=2):
        held_server.hold()
        break
    await asyncio.sleep(0.01)
    assert held_server.waiting == []


@pytest.mark.parametrize("ending", ["break", "an exception"])
async def test_loop_left_early_cancels_the_requests_in_flight(
    client: RoomsClient, held_server: HeldServer, ending: str
) -> None:
    before = asyncio.all_tasks()
    with suppress(ZeroDivisionError):
        async for room in client.rooms.list(page_size=2).prefetch(3):
            if room.id == "1":
                held_server.hold()
                await held_server.wait_for_requests(2, 3, 4)
                if ending == "break":
                    break
                _ = 1 / 0
    gc.collect()
    while asyncio.all_tasks() - before - {asyncio.current_task()}:
        await asyncio.sleep(0)
        held_server.release()


async def test_prefetched_pages_are_yielded_in_order(client: RoomsClient, held_server: HeldServer) -> None:
    seen: list[str] = []
    async for page in client.rooms.list(page_size=2).prefetch(3).pages():
        seen += [room.id for room in page.data]
        if len(seen) == 2:
            held_server.hold()
            await held_server.wait_for_requests(2, 3, 4)
            held_server.release()
    assert seen == [str(number) for number in range(10)]
    assert held_server.max_waiting == 3
    assert held_server.requested == [1, 2, 3, 4, 5]


async def test_iteration_ends_when_its_listing_is_closed_by_another_task(
    client: RoomsClient, held_server: HeldServer
) -> None:
    listing = client.rooms.list(page_size=2).prefetch(3)
    ids: list[str] = []

    async def loop() -> None:
        async for room in listing:
            ids.append(room.id)
            held_server.hold()

    task = asyncio.create_task(loop())
    await held_server.wait_for_requests(2, 3, 4)
    await listing.aclose()
    await listing.aclose()
    held_server.release()
    await task
    assert ids == ["0", "1"]


@pytest.mark.parametrize("pages", [0, 101, True, 2.5, None])
def test_invalid_number_of_pages_is_refused(client: RoomsClient, pages: int) -> None:
    with pytest.raises(InvalidArgumentError, match="from 1 to 100"):
        client.rooms.list().prefetch(pages)


async def test_closing_the_client_ends_the_iteration(client: RoomsClient, held_server: HeldServer) -> None:
    async def loop() -> None:
        async for room in client.rooms.list(page_size=2):
            if room.id == "1":
                held_server.hold()
                await held_server.wait_for_requests(2)
                await client.close()

    with pytest.raises(ClientClosedError):
        await loop()


async def test_items_before_a_failed_page_are_yielded_first() -> None:
    async with Emulator() as telnyx, RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
        telnyx.seed(10)
        telnyx.script(Fault())
        telnyx.script(Fault(status=500), times=None)
        rooms = aiter(client.with_options(retry=RetryPolicy(attempts=1)).rooms.list(page_size=2))
        assert [(await anext(rooms)).unique_name for _ in range(2)] == ["Room 1", "Room 2"]
        with pytest.raises(InternalServerError):
            await anext(rooms)
