"""What a server may answer, between two requests, to who makes sure of a room."""

import json

import pytest

from telnyx_rooms_async import NameTakenError, NotFoundError, RoomsClient
from tests.helpers.ticker import Ticker
from tests.helpers.wire import Reply, Wire

TAKEN = Wire.http(422, b'{"errors":[{"title":"unique_name","detail":"unique_name has already been taken"}]}')
GONE = Wire.http(404, b"{}")


def listed(*names: str) -> Reply:
    """Answer with rooms of these names."""
    rooms = [{"id": f"the-{name}", "unique_name": name, "max_participants": 10} for name in names]
    meta = {"page_number": 1, "page_size": 250, "total_pages": 1, "total_results": len(rooms)}
    return Wire.http(200, json.dumps({"data": rooms, "meta": meta}).encode())


def room(status: int, name: str) -> Reply:
    """Answer with one room."""
    return Wire.http(status, json.dumps({"data": {"id": f"the-{name}", "unique_name": name}}).encode())


def asked(wire: Wire) -> list[str]:
    """The methods of all requests, in their order."""
    return [request.split(b" ", 1)[0].decode() for request in wire.requests]


@pytest.fixture
def client(wire: Wire, ticker: Ticker) -> RoomsClient:
    """A client of the scripted server, that never really sleeps."""
    return RoomsClient("KEY", base_url=wire.url, clock=ticker.clock)


async def test_a_room_that_shows_late(wire: Wire, client: RoomsClient) -> None:
    """A name that is taken by a room that does not show yet is looked for a few times."""
    wire.plays(listed(), TAKEN, listed(), listed(), listed("Weekly"))
    async with client:
        ensured = await client.rooms.ensure("Weekly")
    assert (ensured.action, ensured.room.id) == ("unchanged", "the-Weekly")
    assert asked(wire) == ["GET", "POST", "GET", "GET", "GET"]


async def test_a_server_that_knows_no_case(wire: Wire, client: RoomsClient) -> None:
    """A name that is taken by a room of another spelling is refused as the server refuses it."""
    wire.plays(listed("WEEKLY"), TAKEN, *[listed("WEEKLY")] * 4)
    async with client:
        with pytest.raises(NameTakenError):
            await client.rooms.ensure("Weekly")
    assert asked(wire) == ["GET", "POST", *["GET"] * 4]


async def test_a_room_that_is_deleted_before_its_update(wire: Wire, client: RoomsClient) -> None:
    """It is created again."""
    wire.plays(listed("Weekly"), GONE, listed(), room(201, "Weekly"))
    async with client:
        ensured = await client.rooms.ensure("Weekly", max_participants=20)
    assert ensured.action == "created"
    assert asked(wire) == ["GET", "PATCH", "GET", "POST"]


async def test_a_room_that_comes_and_goes(wire: Wire, client: RoomsClient) -> None:
    """After three rounds it is given up."""
    wire.plays(*[listed("Weekly"), GONE] * 3)
    async with client:
        with pytest.raises(NotFoundError):
            await client.rooms.ensure("Weekly", max_participants=20)
    assert len(wire.requests) == 6


async def test_a_filter_that_finds_more(wire: Wire, client: RoomsClient) -> None:
    """Of rooms that the server takes for matches the one of exactly this name is it."""
    wire.plays(listed("Weekly 2", "weekly", "Weekly"))
    async with client:
        assert (await client.rooms.ensure("Weekly")).room.id == "the-Weekly"
