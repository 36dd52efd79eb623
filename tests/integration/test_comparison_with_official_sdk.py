"""What the README says of the official SDK and of this library, both against the same emulator."""

import asyncio
import pickle
from collections.abc import AsyncIterator
from io import BytesIO

import pytest
import telnyx as sdk

from telnyx_rooms_async import Clock, NotFoundError, OutcomeUnknownError, RateLimitError, RoomsClient
from telnyx_rooms_async.emulator import Emulator, Fault


@pytest.fixture
async def client(telnyx: Emulator) -> AsyncIterator[RoomsClient]:
    """A client of this library, without delays between attempts."""
    clock = Clock(sleep=lambda _: asyncio.sleep(0))
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url, clock=clock) as client:
        yield client


@pytest.fixture
async def official(telnyx: Emulator, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[sdk.AsyncTelnyx]:
    """A client of the official SDK, without its delays between attempts."""
    async with sdk.AsyncTelnyx(api_key=telnyx.api_key, base_url=telnyx.url) as official:
        monkeypatch.setattr(official, "_calculate_retry_timeout", lambda *_: 0.0)
        yield official


async def test_create_whose_response_is_lost_is_duplicated_by_the_sdk_only(
    telnyx: Emulator, client: RoomsClient, official: sdk.AsyncTelnyx
) -> None:
    lost = Fault(cut="after")
    telnyx.inject(lost, operation="CreateRoom")
    await official.rooms.create()
    assert len(telnyx.rooms) == 2
    telnyx.inject(lost, operation="CreateRoom")
    with pytest.raises(sdk.UnprocessableEntityError):
        await official.rooms.create(unique_name="Weekly")
    assert [room.unique_name for room in telnyx.rooms] == [None, None, "Weekly"]

    telnyx.inject(lost, operation="CreateRoom")
    with pytest.raises(OutcomeUnknownError):
        await client.rooms.create()
    assert len(telnyx.rooms) == 4
    telnyx.inject(lost, operation="CreateRoom")
    room = await client.rooms.create(unique_name="Daily")
    assert telnyx.rooms[-1] == room
    assert len(telnyx.rooms) == 5


async def test_listing_600_rooms_takes_30_requests_of_the_sdk_and_3_of_this_library(
    telnyx: Emulator, client: RoomsClient, official: sdk.AsyncTelnyx
) -> None:
    telnyx.seed(600)
    assert len([room async for room in official.rooms.list()]) == 600
    assert len(telnyx.requests) == 30
    telnyx.requests.clear()
    assert len([room async for room in client.rooms.list()]) == 600
    assert len(telnyx.requests) == 3


async def test_loop_that_deletes_what_it_lists_leaves_rooms_with_the_sdk_only(
    telnyx: Emulator, client: RoomsClient, official: sdk.AsyncTelnyx
) -> None:
    telnyx.seed(40)
    async for theirs in official.rooms.list(page_size=10):
        await official.rooms.delete(theirs.id or "")
    assert len(telnyx.rooms) == 20
    async for room in client.rooms.list(page_size=10):
        await client.rooms.delete(room.id)
    assert telnyx.rooms == ()


async def test_token_is_printed_and_error_is_not_unpickled_with_the_sdk_only(
    telnyx: Emulator, client: RoomsClient, official: sdk.AsyncTelnyx
) -> None:
    telnyx.seed(1)
    room_id = telnyx.rooms[0].id
    theirs = (await official.rooms.actions.generate_join_client_token(room_id)).data
    assert theirs is not None
    assert str(theirs.token) in repr(theirs)
    ours = await client.tokens.create(room_id)
    assert ours.token not in repr(ours)

    with pytest.raises(sdk.NotFoundError) as their_error:
        await official.rooms.retrieve("a")
    # Without the reducers that other packages in this process, such as Dask, have registered.
    pickler = pickle.Pickler(pickled := BytesIO())
    pickler.dispatch_table = {}
    pickler.dump(their_error.value)
    with pytest.raises(TypeError):
        pickle.loads(pickled.getvalue())
    with pytest.raises(NotFoundError) as our_error:
        await client.rooms.retrieve("a")
    assert str(pickle.loads(pickle.dumps(our_error.value))) == str(our_error.value)


async def test_calls_beyond_the_rate_limit_are_sent_by_the_sdk_only(
    telnyx: Emulator, client: RoomsClient, official: sdk.AsyncTelnyx
) -> None:
    telnyx.limit(20, seconds=60)
    calls = [official.with_options(max_retries=0).rooms.retrieve("a") for _ in range(30)]
    theirs = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(error) for error in theirs].count(sdk.RateLimitError) == 10
    assert len(telnyx.requests) == 30

    telnyx.limit(20, seconds=60)
    telnyx.requests.clear()
    view = client.with_options(timeout=5)  # less than the time until more calls are allowed
    ours = await asyncio.gather(*(view.rooms.retrieve("a") for _ in range(30)), return_exceptions=True)
    assert [type(error) for error in ours].count(RateLimitError) == 10
    assert len(telnyx.requests) == 20
