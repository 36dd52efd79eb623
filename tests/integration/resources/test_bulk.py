"""Many rooms and sessions at once, against the emulator over a socket."""

from datetime import date
from typing import Any

import pytest

from telnyx_rooms_async import (
    InvalidArgumentError,
    NameTakenError,
    NotFoundError,
    RoomFields,
    RoomsClient,
    UnexpectedCountError,
    batch,
)
from telnyx_rooms_async.emulator import Emulator, Fault


def named(count: int) -> list[RoomFields]:
    """Name some rooms."""
    return [{"unique_name": f"Room {number}", "max_participants": 2 + number % 40} for number in range(count)]


def methods(telnyx: Emulator) -> list[str]:
    """Tell what has been sent."""
    return [request.method for request in telnyx.requests]


async def test_many_rooms_are_created(client: RoomsClient, telnyx: Emulator) -> None:
    """Each body is one request and one room, and its outcome holds both."""
    bodies = named(100)
    outcomes = [each async for each in client.rooms.create_many(bodies, ordered=True)]
    assert [each.item for each in outcomes] == bodies
    created = sorted(telnyx.rooms, key=lambda room: int(str(room.unique_name).removeprefix("Room ")))
    assert [each.unwrap() for each in outcomes] == created
    assert [(room.unique_name, room.max_participants) for room in created] == [
        (body["unique_name"], body["max_participants"]) for body in bodies
    ]
    assert methods(telnyx) == ["POST"] * 100


async def test_a_bad_body_is_a_failure_of_its_own(client: RoomsClient, telnyx: Emulator) -> None:
    """It is told with its index, nothing is sent for it, and the others are created."""
    bodies: list[Any] = [{}, {"max_participants": 51}, {"capacity": 3, "colour": "red"}, 7, {5: 6}, {}]
    outcomes = [each async for each in client.rooms.create_many(bodies, ordered=True)]
    assert [each.ok for each in outcomes] == [True, False, False, False, False, True]
    errors = [each.error for each in outcomes if isinstance(each, batch.Failed)]
    assert all(isinstance(error, InvalidArgumentError) for error in errors)
    assert [str(error) for error in errors] == [
        "max_participants must be an int from 2 to 50, not 51",
        "a room has no field 'capacity'; a room has no field 'colour'",
        "a room must be given by its fields, not 7",
        "a room has no field 5",
    ]
    assert methods(telnyx) == ["POST", "POST"]


@pytest.mark.parametrize(
    ("bodies", "options"),
    [
        (7, {}),
        ("Weekly", {}),
        ([], {"limit": 0}),
        ([], {"max_failures": 0}),
        ([], {"on_lost_response": "guess"}),
    ],
)
async def test_a_wrong_option_is_refused_at_the_call(client: RoomsClient, bodies: Any, options: Any) -> None:
    """Nobody has to iterate to learn of it."""
    with pytest.raises(InvalidArgumentError):
        client.rooms.create_many(bodies, **options)


async def test_a_lost_answer_makes_no_second_room(client: RoomsClient, telnyx: Emulator) -> None:
    """Each creation keeps the promises of a single one."""
    telnyx.script(Fault(cut="after"), times=3, operation="CreateRoom")
    outcomes = [each async for each in client.rooms.create_many(named(10))]
    assert [each.ok for each in outcomes] == [True] * 10
    assert len(telnyx.rooms) == 10


async def test_creation_stops_after_so_many_failures(client: RoomsClient, telnyx: Emulator) -> None:
    """What was refused is yielded, and raised together at the end."""
    outcomes: list[batch.Outcome[RoomFields, object]] = []

    async def create() -> None:
        async for each in client.rooms.create_many([{"unique_name": "Weekly"}] * 50, limit=1, max_failures=2):
            outcomes.append(each)  # noqa: PERF401 - a comprehension would lose them with the error

    with pytest.raises(ExceptionGroup, match="stopped after 2 failures") as stopped:
        await create()
    assert [each.ok for each in outcomes] == [True, False, False]
    assert [type(error) for error in stopped.value.exceptions] == [NameTakenError] * 2
    assert len(telnyx.requests) == 3


async def test_many_rooms_are_updated(client: RoomsClient, telnyx: Emulator) -> None:
    """A change is an id and the fields that are to be different."""
    telnyx.seed(3)
    ids = [room.id for room in telnyx.rooms]
    changes: list[Any] = [(ids[0], {"max_participants": 7}), (ids[1], {"enable_recording": True}), ids[2]]
    outcomes = [each async for each in client.rooms.update_many(changes, ordered=True)]
    assert [each.ok for each in outcomes] == [True, True, False]
    assert telnyx.rooms[0].max_participants == 7
    assert telnyx.rooms[1].enable_recording is True
    with pytest.raises(InvalidArgumentError, match="a change must be"):
        outcomes[2].unwrap()


async def test_many_rooms_are_deleted(client: RoomsClient, telnyx: Emulator) -> None:
    """One that was not there is a failure, and the others are gone."""
    telnyx.seed(3)
    ids = [room.id for room in telnyx.rooms]
    ids.insert(1, "0ccc7b54-4df3-4bca-a65a-3da1ecc777f0")
    outcomes = [each async for each in client.rooms.delete_many(ids, ordered=True)]
    assert [each.ok for each in outcomes] == [True, False, True, True]
    with pytest.raises(NotFoundError):
        outcomes[1].unwrap()
    assert telnyx.rooms == ()


async def test_many_sessions_are_ended(client: RoomsClient, telnyx: Emulator) -> None:
    """Each ends, and its room stays."""
    telnyx.seed(3)
    ids = [str(telnyx.join(room.id).session_id) for room in telnyx.rooms]
    outcomes = [each async for each in client.sessions.end_many(ids)]
    assert [each.ok for each in outcomes] == [True] * 3
    assert [room.active_session_id for room in telnyx.rooms] == [None] * 3
    assert [each.ok async for each in client.sessions.end_many(ids)] == [False] * 3


async def test_everything_is_deleted_when_it_is_asked_for(client: RoomsClient, telnyx: Emulator) -> None:
    """The rooms are collected first, over all pages."""
    telnyx.seed(600)
    outcomes = [each async for each in client.rooms.delete_all(everything=True, expect=600)]
    assert [each.ok for each in outcomes] == [True] * 600
    assert len({each.item.id for each in outcomes}) == 600
    assert telnyx.rooms == ()


async def test_a_filter_selects_what_is_deleted(client: RoomsClient, telnyx: Emulator) -> None:
    """The others stay."""
    telnyx.seed(3)
    room = await client.rooms.create(unique_name="Weekly")
    outcomes = [each async for each in client.rooms.delete_all(unique_name="Weekly", expect=1)]
    assert [each.item for each in outcomes] == [room]
    assert len(telnyx.rooms) == 3
    assert [each async for each in client.rooms.delete_all(created_at=date(1999, 1, 1))] == []


async def test_a_server_that_does_not_know_the_filter_is_not_trusted(
    client: RoomsClient, telnyx: Emulator
) -> None:
    """Only a room of exactly the name is deleted, whatever the list holds."""
    telnyx.seed(2)
    rooms = [{"id": room.id, "unique_name": room.unique_name} for room in telnyx.rooms]
    body = {"data": rooms, "meta": {"page_number": 1, "total_pages": 1, "total_results": 2}}
    telnyx.script(Fault(body=body), operation="ListRooms", times=None)
    name = telnyx.rooms[0].unique_name
    assert [each.ok async for each in client.rooms.delete_all(unique_name=name)] == [True]
    assert len(telnyx.rooms) == 1


@pytest.mark.parametrize("expected", [0, 2, 4])
async def test_another_number_than_expected_deletes_nothing(
    client: RoomsClient, telnyx: Emulator, expected: int
) -> None:
    """A filter that selects more, or fewer, than thought is found out before it does harm."""
    telnyx.seed(3)
    with pytest.raises(UnexpectedCountError, match=f"expected {expected}, found 3: nothing was deleted"):
        await anext(client.rooms.delete_all(everything=True, expect=expected))
    assert "DELETE" not in methods(telnyx)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"everything": False},
        {"everything": 1},
        {"everything": "no"},
        {"everything": True, "unique_name": "Weekly"},
        {"unique_name": ""},
        {"everything": True, "expect": -1},
        {"everything": True, "expect": True},
        {"everything": True, "limit": 0},
    ],
)
async def test_a_deletion_that_is_not_clear_is_refused_at_the_call(client: RoomsClient, options: Any) -> None:
    """Everything is deleted only by who says so in so many words."""
    with pytest.raises(InvalidArgumentError):
        client.rooms.delete_all(**options)


async def test_a_room_that_somebody_else_deletes_meanwhile_is_deleted(
    client: RoomsClient, telnyx: Emulator
) -> None:
    """It is gone, which was asked for."""
    telnyx.seed(3)
    first, *_ = telnyx.rooms
    telnyx.script(Fault(status=404), operation="DeleteRoom", when=lambda sent: first.id in sent.path)
    assert [each.ok async for each in client.rooms.delete_all(everything=True)] == [True] * 3
