"""What the README says of the official SDK and of this library: both against the same emulator."""

import asyncio
import copy
import pickle
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import pytest
import telnyx as sdk

from telnyx_rooms_async import (
    APIResponseValidationError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    Room,
    RoomsClient,
)
from telnyx_rooms_async.emulator import Emulator, Fault


@pytest.fixture
async def official(telnyx: Emulator) -> AsyncIterator[sdk.AsyncTelnyx]:
    """Make the rival's client, with its own patience."""
    async with sdk.AsyncTelnyx(api_key=telnyx.api_key, base_url=telnyx.url) as client:
        yield client


@pytest.fixture
async def ours(telnyx: Emulator) -> AsyncIterator[RoomsClient]:
    """Make ours, with its own patience."""
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
        yield client


async def test_a_creation_whose_answer_is_lost(
    telnyx: Emulator, ours: RoomsClient, official: sdk.AsyncTelnyx
) -> None:
    """The SDK sends it again: a second room, or an error though the room is there. Ours is the room."""
    lost = Fault(cut="after")
    telnyx.script(lost, operation="CreateRoom")
    await official.rooms.create()
    assert len(telnyx.rooms) == 2
    telnyx.script(lost, operation="CreateRoom")
    with pytest.raises(sdk.UnprocessableEntityError):
        await official.rooms.create(unique_name="Weekly")
    assert [room.unique_name for room in telnyx.rooms] == [None, None, "Weekly"]

    telnyx.script(lost, operation="CreateRoom")
    with pytest.raises(OutcomeUnknownError):
        await ours.rooms.create()
    assert len(telnyx.rooms) == 4
    telnyx.script(lost, operation="CreateRoom")
    room = await ours.rooms.create(unique_name="Daily")
    assert telnyx.rooms[-1] == room
    assert len(telnyx.rooms) == 5


async def test_600_rooms(telnyx: Emulator, ours: RoomsClient, official: sdk.AsyncTelnyx) -> None:
    """By default the SDK asks 30 times for pages of 20, ours three times for pages of 250."""
    telnyx.seed(600)
    assert len([room async for room in official.rooms.list()]) == 600
    assert len(telnyx.requests) == 30
    telnyx.requests.clear()
    assert len([room async for room in ours.rooms.list()]) == 600
    assert len(telnyx.requests) == 3


async def test_a_loop_that_deletes_what_it_sees(
    telnyx: Emulator, ours: RoomsClient, official: sdk.AsyncTelnyx
) -> None:
    """Under the SDK's loop the pages slide away, and rooms are left; under ours none is."""
    telnyx.seed(100)
    async for room in official.rooms.list(page_size=10):
        await official.rooms.delete(room.id or "")
    assert len(telnyx.rooms) == 50
    async for each in ours.rooms.list(page_size=10):
        await ours.rooms.delete(each.id)
    assert telnyx.rooms == ()


async def test_an_answer_of_wrong_types(
    telnyx: Emulator, ours: RoomsClient, official: sdk.AsyncTelnyx
) -> None:
    """The SDK hands over whatever came; ours says where it is wrong."""
    odd = Fault(status=200, body={"data": {"id": "a", "max_participants": "many", "created_at": "soon"}})
    telnyx.script(odd, times=2)
    room: Any = (await official.rooms.retrieve("a")).data
    assert (room.max_participants, room.created_at) == ("many", "soon")
    with pytest.raises(APIResponseValidationError) as caught:
        await ours.rooms.retrieve("a")
    assert [misfit.split(":")[0] for misfit in caught.value.misfits] == [
        "$.data.max_participants",
        "$.data.created_at",
    ]


async def test_a_token_in_a_log(telnyx: Emulator, ours: RoomsClient, official: sdk.AsyncTelnyx) -> None:
    """Printed, the SDK's answer shows the token; ours does not."""
    telnyx.seed(1)
    room_id = telnyx.rooms[0].id
    pair = (await official.rooms.actions.generate_join_client_token(room_id)).data
    assert pair is not None
    assert str(pair.token) in repr(pair)
    ours_pair = await ours.tokens.create(room_id)
    assert ours_pair.token not in repr(ours_pair)


async def test_an_error_in_another_process(ours: RoomsClient, official: sdk.AsyncTelnyx) -> None:
    """The SDK's errors cannot be unpickled; ours come out as they went in."""
    with pytest.raises(sdk.NotFoundError) as theirs:
        await official.rooms.retrieve("a")
    # Without what others in this process may have taught pickle about exceptions, as Dask does.
    pickler = pickle.Pickler(told := BytesIO())
    pickler.dispatch_table = {}
    pickler.dump(theirs.value)
    with pytest.raises(TypeError):
        pickle.loads(told.getvalue())
    with pytest.raises(NotFoundError) as caught:
        await ours.rooms.retrieve("a")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


async def test_values_that_change(telnyx: Emulator, ours: RoomsClient, official: sdk.AsyncTelnyx) -> None:
    """The SDK's models can be changed by mistake, and have no hash; ours are frozen."""
    telnyx.seed(1)
    room_id = telnyx.rooms[0].id
    theirs = (await official.rooms.retrieve(room_id)).data
    assert theirs is not None
    theirs.max_participants = 5
    with pytest.raises(TypeError):
        hash(theirs)
    room = await ours.rooms.retrieve(room_id)
    with pytest.raises(AttributeError):
        room.max_participants = 5  # type: ignore[misc]  # the mistake
    assert {room, copy.copy(room)} == {room}
    assert isinstance(room, Room)


async def test_calls_beyond_the_rate_limit(
    telnyx: Emulator, ours: RoomsClient, official: sdk.AsyncTelnyx
) -> None:
    """The SDK sends what will be refused; ours sends what the account has left, and the rest when it may."""
    telnyx.limit(20, seconds=60)
    calls = [official.with_options(max_retries=0).rooms.retrieve("a") for _ in range(30)]
    theirs = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(error) for error in theirs].count(sdk.RateLimitError) == 10
    assert len(telnyx.requests) == 30

    telnyx.limit(20, seconds=60)
    telnyx.requests.clear()
    hasty = ours.with_options(timeout=5)
    results = await asyncio.gather(*(hasty.rooms.retrieve("a") for _ in range(30)), return_exceptions=True)
    assert [type(error) for error in results].count(RateLimitError) == 10  # without time to wait
    assert len(telnyx.requests) == 20
