"""A function for the API key: when it is called, and how concurrent calls share a call of it."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from attrs import define, field

from telnyx_rooms_async import (
    APITimeoutError,
    Attempt,
    AuthenticationError,
    ConfigurationError,
    ConnectionLostError,
    NotFoundError,
    RetryPolicy,
    RoomFields,
    RoomsClient,
)
from telnyx_rooms_async.batch import Journal
from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.clocks import FakeClock, wait_until


@define(eq=False)
class KeyStore:
    """Returns the key that the emulator accepts, when the test allows it."""

    telnyx: Emulator
    calls: int = 0
    may_return: asyncio.Event = field(factory=asyncio.Event)

    async def get(self) -> str:
        self.calls += 1
        await self.may_return.wait()
        return self.telnyx.api_key


@pytest.fixture
def key_store(telnyx: Emulator) -> KeyStore:
    store = KeyStore(telnyx)
    store.may_return.set()
    return store


async def test_function_is_called_once_and_again_after_a_401(telnyx: Emulator) -> None:
    calls: list[int] = []

    def get_key() -> str:
        calls.append(len(telnyx.requests))
        return telnyx.api_key

    attempts: list[Attempt] = []
    async with RoomsClient(get_key, base_url=telnyx.url, on_attempt=attempts.append, max_retries=0) as client:
        assert calls == []
        await client.rooms.create()
        await client.with_options(read_only=True).rooms.list().count()
        telnyx.api_key = "A-NEW-KEY"
        room = await client.rooms.create(unique_name="Weekly")
        await client.rooms.delete(room)
    assert calls == [0, 3]
    assert [attempt.status for attempt in attempts] == [201, 200, 401, 201, 204]
    assert [attempt.wait for attempt in attempts] == [None, None, 0.0, None, None]
    assert telnyx.requests[-1].headers["authorization"] == "Bearer A-NEW-KEY"


async def test_key_that_stays_refused_is_looked_up_once_for_each_call(telnyx: Emulator) -> None:
    calls: list[str] = []

    def get_key() -> str:
        calls.append("call")
        return "ANOTHER-KEY"

    async with RoomsClient(get_key, base_url=telnyx.url) as client:
        for lookups in (2, 4):
            with pytest.raises(AuthenticationError) as caught:
                await client.rooms.retrieve("a-room")
            assert len(calls) == lookups
            assert [attempt.status for attempt in caught.value.attempts] == [401, 401]


async def test_refused_deletion_that_is_repeated_can_still_find_nothing(
    telnyx: Emulator, key_store: KeyStore
) -> None:
    async with RoomsClient(key_store.get, base_url=telnyx.url) as client:
        await client.rooms.list().count()
        telnyx.api_key = "A-NEW-KEY"
        with pytest.raises(NotFoundError):
            await client.rooms.delete("0ccc7b54-4df3-4bca-a65a-3da1ecc777f0")


async def test_error_after_a_new_key_is_not_that_of_the_old_key(
    telnyx: Emulator, key_store: KeyStore
) -> None:
    async with RoomsClient(key_store.get, base_url=telnyx.url, retry=RetryPolicy(max_attempts=1)) as client:
        await client.rooms.list().count()
        telnyx.inject(Fault(status=401))
        telnyx.inject(Fault(cut="before"))
        with pytest.raises(ConnectionLostError) as caught:
            await client.rooms.list().count()
        assert [attempt.sent for attempt in caught.value.attempts] == [False, True]


async def test_no_call_fails_while_the_key_is_rotated(telnyx: Emulator, key_store: KeyStore) -> None:
    async def reach(requests: int) -> None:
        await wait_until(lambda: len(telnyx.requests) >= requests)

    telnyx.seed(1)
    async with RoomsClient(key_store.get, base_url=telnyx.url, max_connections=20) as client:
        calls = [asyncio.create_task(client.rooms.retrieve(telnyx.rooms[0])) for _ in range(1000)]
        for number in (1, 2, 3):
            await reach(200 * number)
            telnyx.api_key = f"KEY-{number}"
        await asyncio.gather(*calls)
    assert key_store.calls == 1 + 3


async def test_calls_with_a_refused_key_wait_for_one_call_of_the_function(
    telnyx: Emulator, key_store: KeyStore
) -> None:
    """No call waits for a second one, and none sends the refused key while the function runs."""
    telnyx.seed(1)
    async with RoomsClient(key_store.get, base_url=telnyx.url, max_connections=20) as client:
        await client.rooms.list().count()
        telnyx.api_key = "A-NEW-KEY"
        key_store.may_return.clear()
        calls = [asyncio.create_task(client.rooms.retrieve(telnyx.rooms[0])) for _ in range(1000)]
        await wait_until(lambda: key_store.calls == 2)
        key_store.may_return.set()
        await asyncio.gather(*calls)
    assert key_store.calls == 2
    sent = Counter(request.headers["authorization"] for request in telnyx.requests)
    assert sent.pop("Bearer A-NEW-KEY") == 1000
    assert sent.total() <= 1 + 20  # as many as there are connections


async def test_cancelled_call_harms_no_other_call(telnyx: Emulator, key_store: KeyStore) -> None:
    key_store.may_return.clear()
    async with RoomsClient(key_store.get, base_url=telnyx.url) as client:
        leader, waiter, other = [asyncio.create_task(client.rooms.list().count()) for _ in range(3)]
        await wait_until(lambda: key_store.calls == 1)
        waiter.cancel()
        await asyncio.wait([waiter])
        leader.cancel()  # it runs the function, which another call starts again
        await asyncio.wait([leader])
        await wait_until(lambda: key_store.calls == 2)
        key_store.may_return.set()
        assert await other == 0
        assert (leader.cancelled(), waiter.cancelled()) == (True, True)
        assert await client.rooms.list().count() == 0
    assert key_store.calls == 2


async def test_error_of_the_function_is_raised_in_all_calls_that_wait(telnyx: Emulator) -> None:
    calls: list[str] = []

    async def get_key() -> str:
        calls.append("call")
        await asyncio.sleep(0)
        raise LookupError("the vault is sealed")

    async with RoomsClient(get_key, base_url=telnyx.url) as client:
        outcomes = await asyncio.gather(
            *(client.rooms.list().count() for _ in range(4)), return_exceptions=True
        )
        assert [str(outcome) for outcome in outcomes] == ["the vault is sealed"] * 4
        assert len(calls) == 1
        with pytest.raises(LookupError) as caught:
            await client.rooms.list().count()
        assert "get_key" in "".join(caught.value.__notes__)
    assert telnyx.requests == []


@pytest.mark.parametrize("key", [None, "", 7, b"KEY", "KEY CANARY", "'CANARY'", "CANARYé"], ids=ascii)
async def test_result_that_cannot_be_sent_is_refused_and_not_shown(telnyx: Emulator, key: Any) -> None:
    async with RoomsClient(lambda: key, base_url=telnyx.url) as client:
        with pytest.raises(ConfigurationError, match="API key") as caught:
            await client.rooms.list().count()
    assert "CANARY" not in str(caught.value)
    assert telnyx.requests == []


async def test_function_that_does_not_return_ends_with_the_timeout_of_the_call(
    telnyx: Emulator, fake_clock: FakeClock, key_store: KeyStore
) -> None:
    key_store.may_return.clear()
    async with RoomsClient(key_store.get, base_url=telnyx.url, clock=fake_clock.clock) as client:
        with fake_clock.fast_forward():
            with pytest.raises(APITimeoutError, match="API key") as caught:
                await client.rooms.list().count()
            assert (caught.value.sent, caught.value.deadline) == (False, True)
        key_store.may_return.set()
        assert await client.rooms.list().count() == 0


async def test_timeout_error_of_the_function_is_raised_as_it_is(telnyx: Emulator) -> None:
    async def get_key() -> str:
        raise TimeoutError("of the vault")

    async with RoomsClient(get_key, base_url=telnyx.url) as client:
        for _ in range(10):  # the place in the rate limiter is released
            with pytest.raises(TimeoutError, match="of the vault"):
                await client.rooms.list().count()


async def test_journal_of_a_client_with_a_function_is_not_bound_to_the_key(
    telnyx: Emulator, key_store: KeyStore, tmp_path: Any
) -> None:
    bodies: list[RoomFields] = [{"unique_name": f"Room {number}"} for number in range(3)]
    for skipped in (0, 3):
        journal = Journal(tmp_path / "rooms.journal")
        async with RoomsClient(key_store.get, base_url=telnyx.url) as client:
            await client.rooms.create_many(bodies, journal=journal)
        assert journal.skipped == skipped
        telnyx.api_key = "A-NEW-KEY"
    assert len(telnyx.rooms) == 3


async def test_view_has_a_function_of_its_own(telnyx: Emulator, client: RoomsClient) -> None:
    view = client.with_options(api_key=lambda: "A-NEW-KEY")
    telnyx.api_key = "A-NEW-KEY"
    assert await view.rooms.list().count() == 0
    with pytest.raises(AuthenticationError) as caught:
        await client.rooms.list().count()
    assert len(caught.value.attempts) == 1
