"""Listings: pages that turn themselves, and loops that are left early."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress

import pytest

from telnyx_rooms_async import (
    APIResponseValidationError,
    InvalidArgumentError,
    NotFoundError,
    PaginationError,
    ResponseTooLargeError,
    RoomsClient,
)
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.scripted_server import Reply, ScriptedServer


async def test_600_rooms_come_in_three_requests(client: RoomsClient, telnyx: Emulator) -> None:
    """All rooms come, each once, in as few requests as pages of 250 allow."""
    telnyx.seed(600)
    ids = [room.id async for room in client.rooms.list()]
    assert ids == [room.id for room in telnyx.rooms]
    assert len(set(ids)) == 600
    assert [dict(request.query)["page[number]"] for request in telnyx.requests] == ["1", "2", "3"]


async def test_making_a_listing_sends_nothing(client: RoomsClient, telnyx: Emulator) -> None:
    """A listing is lazy, says what it lists, and can be iterated again."""
    telnyx.seed(3)
    listing = client.rooms.list(page_size=2)
    assert telnyx.requests == []
    assert repr(listing) == "<Listing ListRooms /rooms?page%5Bnumber%5D=1&page%5Bsize%5D=2>"
    for _ in range(2):
        assert len([room async for room in listing]) == 3
    assert len(telnyx.requests) == 4


async def test_a_loop_left_early_leaves_nothing_behind(client: RoomsClient, telnyx: Emulator) -> None:
    """After a break no task runs, no connection is in use, and no further page was fetched."""
    telnyx.seed(20)
    await client.rooms.list().count()  # the emulator serves each connection in a task of its own
    before = asyncio.all_tasks()
    async for _ in client.rooms.list(page_size=5):
        break
    for _ in range(3):
        await asyncio.sleep(0)  # asyncio itself closes the generator in its next rounds
    session = client._api.transport._session
    assert session is not None
    assert session.connector is not None
    assert not session.connector._acquired
    assert asyncio.all_tasks() == before
    assert len(telnyx.requests) == 2


async def test_a_listing_closes_at_once_when_held(client: RoomsClient, telnyx: Emulator) -> None:
    """Its iterator is an async generator, so aclosing ends it where the block ends."""
    telnyx.seed(20)
    async with aclosing(aiter(client.rooms.list(page_size=5))) as rooms:
        first = await anext(rooms)
    assert first == telnyx.rooms[0]
    assert [room async for room in rooms] == []


async def test_pages(client: RoomsClient, telnyx: Emulator) -> None:
    """Whole pages come with their meta, from any page on."""
    telnyx.seed(5)
    pages = [page async for page in client.rooms.list(page_size=2).pages(start=2)]
    assert [len(page.data) for page in pages] == [2, 1]
    assert [page.meta.page_number for page in pages] == [2, 3]
    assert (pages[0].meta.total_pages, pages[0].meta.total_results, pages[0].meta.page_size) == (3, 5, 2)


async def test_one_page(client: RoomsClient, telnyx: Emulator) -> None:
    """A page can be asked for alone, of its own size, and beyond the end it is empty."""
    telnyx.seed(5)
    listing = client.rooms.list(page_size=2)
    assert len((await listing.page(3)).data) == 1
    assert len((await listing.page(1, 4)).data) == 4
    assert (await listing.page(9)).data == ()


async def test_count(client: RoomsClient, telnyx: Emulator) -> None:
    """Counting costs one request, and honours the filters."""
    telnyx.seed(5)
    assert await client.rooms.list().count() == 5
    assert [dict(request.query)["page[size]"] for request in telnyx.requests] == ["1"]
    assert await client.rooms.list(unique_name="Room 3").count() == 1


@pytest.mark.parametrize("number", [0, -1, True, "1", 1.5])
async def test_a_bad_page_number_is_refused(client: RoomsClient, telnyx: Emulator, number: int) -> None:
    """Pages are counted from 1."""
    listing = client.rooms.list()
    with pytest.raises(InvalidArgumentError, match="page_number"):
        listing.pages(number)
    with pytest.raises(InvalidArgumentError, match="page_number"):
        await listing.page(number)
    with pytest.raises(InvalidArgumentError, match="page_size"):
        await listing.page(1, 251)
    assert telnyx.requests == []


async def test_an_error_comes_out_of_the_loop(client: RoomsClient) -> None:
    """What goes wrong with a page is raised where the loop asks for it."""
    with pytest.raises(NotFoundError):
        async for _ in client.rooms.sessions("no-such-room"):
            pass


def page(*ids: str, **meta: object) -> Reply:
    """Answer with a page of rooms."""
    return ScriptedServer.http(
        200, json.dumps({"data": [{"id": each} for each in ids], "meta": meta}).encode()
    )


@pytest.fixture
async def scripted(scripted_server: ScriptedServer) -> AsyncIterator[RoomsClient]:
    """A client of the scripted server."""
    async with RoomsClient("KEY", base_url=scripted_server.url) as rooms_client:
        yield rooms_client


ODD_META: dict[str, object] = {
    "missing": ...,
    "null": None,
    "a list": [1, 2],
    "a page number that is stuck": {"page_number": 1, "total_pages": 3},
    "a page number that is text": {"page_number": "two", "total_pages": 3},
    "a total of nothing": {"total_pages": 0, "total_results": 0},
    "a negative total": {"total_pages": -1},
    "a huge total": {"total_pages": 10**18},
}


@pytest.mark.parametrize("meta", ODD_META.values(), ids=ODD_META)
async def test_meta_is_only_a_hint(
    scripted: RoomsClient, scripted_server: ScriptedServer, meta: object
) -> None:
    """Every room comes once whatever the server says of its pages, for one request more at most."""
    bodies = [{"data": [{"id": each} for each in ids]} for ids in ("ab", "cd", "e", "")]
    if meta is not ...:
        bodies = [{**body, "meta": meta} for body in bodies]  # type: ignore[dict-item]  # odd on purpose
    scripted_server.respond_with(*(ScriptedServer.http(200, json.dumps(body).encode()) for body in bodies))
    assert "".join([room.id async for room in scripted.rooms.list(page_size=2)]) == "abcde"
    assert len(scripted_server.requests) in (3, 4)


async def test_an_item_that_slides_onto_the_next_page_comes_once(
    scripted: RoomsClient, scripted_server: ScriptedServer
) -> None:
    """When a room is created meanwhile, what slides down a page is not delivered again."""
    scripted_server.respond_with(page("a", "b", total_pages=2), page("b", "c", total_pages=2))
    assert [room.id async for room in scripted.rooms.list(page_size=2)] == ["a", "b", "c"]


async def test_a_server_that_repeats_its_page_for_ever(
    scripted: RoomsClient, scripted_server: ScriptedServer
) -> None:
    """Three pages in a row without anything new end the loop with an error, not in silence."""
    scripted_server.respond_with(page("a", "b", total_results=9))
    rooms = aiter(scripted.rooms.list(page_size=2))
    assert [(await anext(rooms)).id, (await anext(rooms)).id] == ["a", "b"]
    with pytest.raises(PaginationError) as caught:
        await anext(rooms)
    assert (caught.value.seen, caught.value.expected, len(scripted_server.requests)) == (2, 9, 4)


async def test_the_last_pages_may_bring_nothing_new(
    scripted: RoomsClient, scripted_server: ScriptedServer
) -> None:
    """What comes again at the very end is no reason to complain: the list is whole."""
    scripted_server.respond_with(*(page("a", "b", total_pages=4) for _ in range(4)))
    assert [room.id async for room in scripted.rooms.list(page_size=2)] == ["a", "b"]


async def test_a_count_that_the_server_does_not_tell(
    scripted: RoomsClient, scripted_server: ScriptedServer
) -> None:
    """Without a total there is nothing to return but an error that says so."""
    scripted_server.respond_with(page("a"))
    with pytest.raises(APIResponseValidationError, match="total_results: missing"):
        await scripted.rooms.list().count()


TOO_LARGE = ScriptedServer.http(200, b" " * (8 * 2**20 + 1))


async def test_too_large_response_says_which_arguments_make_it_smaller(
    scripted: RoomsClient, scripted_server: ScriptedServer
) -> None:
    """Where no smaller page can be requested, the error names the arguments to change."""
    scripted_server.respond_with(TOO_LARGE)
    with pytest.raises(
        ResponseTooLargeError, match=r"ask with a smaller page_size or without include_sessions$"
    ):
        await scripted.rooms.list(include_sessions=True).page(1)
    with pytest.raises(ResponseTooLargeError, match=r"ask without include_sessions$"):
        await scripted.rooms.retrieve("a-room", include_sessions=True)
    with pytest.raises(ResponseTooLargeError, match=r"bytes$"):
        await scripted.rooms.retrieve("a-room")


async def test_listing_ends_when_a_page_of_one_is_too_large(
    scripted: RoomsClient, scripted_server: ScriptedServer
) -> None:
    """Pages are made smaller down to one room, and the error is raised then."""
    scripted_server.respond_with(TOO_LARGE)
    with pytest.raises(ResponseTooLargeError):
        await anext(aiter(scripted.rooms.list(page_size=4)))
    assert len(scripted_server.requests) == 3


@pytest.mark.parametrize("ahead", [1, 3])
async def test_pages_that_are_too_large_are_requested_in_smaller_ones(ahead: int) -> None:
    """Rooms with many sessions can outgrow the limit of a response; each room still comes once."""
    padding = "x" * 100_000
    sizes: list[int] = []

    def page(request: bytes) -> bytes:
        target = request.split(b" ")[1].decode()
        query = dict(part.split("=") for part in target.partition("?")[2].split("&"))
        size, number = int(query["page%5Bsize%5D"]), int(query["page%5Bnumber%5D"])
        sizes.append(size)
        rooms = [
            {"id": f"room-{index}", "unique_name": padding}
            for index in range((number - 1) * size, min(number * size, 200))
        ]
        meta = {
            "total_results": 200,
            "total_pages": -(-200 // size),
            "page_number": number,
            "page_size": size,
        }
        return json.dumps({"data": rooms, "meta": meta}).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                body = page(await reader.readuntil(b"\r\n\r\n"))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with RoomsClient("KEY", base_url=url) as client:
        rooms = [room.id async for room in client.rooms.list(include_sessions=True).prefetch(ahead)]
    server.close()
    assert rooms == [f"room-{index}" for index in range(200)]
    assert sizes[0] == 250
    assert set(sizes) == {250, 125, 25}
