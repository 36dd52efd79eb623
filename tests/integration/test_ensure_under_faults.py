"""What a server may answer, between two requests, to who makes sure of a room."""

import json

import pytest

from telnyx_rooms_async import NameTakenError, NotFoundError, RoomsClient
from tests.helpers.clocks import FakeClock
from tests.helpers.scripted_server import Reply, ScriptedServer

TAKEN = ScriptedServer.http(
    422, b'{"errors":[{"title":"unique_name","detail":"unique_name has already been taken"}]}'
)
GONE = ScriptedServer.http(404, b"{}")


def listed(*names: str) -> Reply:
    rooms = [{"id": f"the-{name}", "unique_name": name, "max_participants": 10} for name in names]
    meta = {"page_number": 1, "page_size": 250, "total_pages": 1, "total_results": len(rooms)}
    return ScriptedServer.http(200, json.dumps({"data": rooms, "meta": meta}).encode())


def room(status: int, name: str) -> Reply:
    return ScriptedServer.http(
        status, json.dumps({"data": {"id": f"the-{name}", "unique_name": name}}).encode()
    )


def methods(scripted_server: ScriptedServer) -> list[str]:
    return [request.split(b" ", 1)[0].decode() for request in scripted_server.requests]


@pytest.fixture
def client(scripted_server: ScriptedServer, fake_clock: FakeClock) -> RoomsClient:
    return RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock)


async def test_created_room_that_is_listed_late_is_found(
    scripted_server: ScriptedServer, client: RoomsClient
) -> None:
    scripted_server.respond_with(listed(), TAKEN, listed(), listed(), listed("Weekly"))
    async with client:
        ensured = await client.rooms.ensure("Weekly")
    assert (ensured.action, ensured.room.id) == ("unchanged", "the-Weekly")
    assert methods(scripted_server) == ["GET", "POST", "GET", "GET", "GET"]


async def test_name_taken_by_another_spelling_is_an_error(
    scripted_server: ScriptedServer, client: RoomsClient
) -> None:
    scripted_server.respond_with(listed("WEEKLY"), TAKEN, *[listed("WEEKLY")] * 4)
    async with client:
        with pytest.raises(NameTakenError):
            await client.rooms.ensure("Weekly")
    assert methods(scripted_server) == ["GET", "POST", *["GET"] * 4]


async def test_room_deleted_before_its_update_is_created_again(
    scripted_server: ScriptedServer, client: RoomsClient
) -> None:
    scripted_server.respond_with(listed("Weekly"), GONE, listed(), room(201, "Weekly"))
    async with client:
        ensured = await client.rooms.ensure("Weekly", max_participants=20)
    assert ensured.action == "created"
    assert methods(scripted_server) == ["GET", "PATCH", "GET", "POST"]


async def test_room_deleted_in_three_rounds_is_not_found(
    scripted_server: ScriptedServer, client: RoomsClient
) -> None:
    scripted_server.respond_with(*[listed("Weekly"), GONE] * 3)
    async with client:
        with pytest.raises(NotFoundError):
            await client.rooms.ensure("Weekly", max_participants=20)
    assert len(scripted_server.requests) == 6


async def test_room_of_exactly_the_name_is_chosen(
    scripted_server: ScriptedServer, client: RoomsClient
) -> None:
    scripted_server.respond_with(listed("Weekly 2", "weekly", "Weekly"))
    async with client:
        assert (await client.rooms.ensure("Weekly")).room.id == "the-Weekly"
