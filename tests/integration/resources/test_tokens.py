"""Client tokens, against the emulator."""

import asyncio
import gc
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from telnyx_rooms_async import (
    AccessToken,
    CallNext,
    ClientClosedError,
    ClientToken,
    Clock,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    Request,
    Response,
    RetryPolicy,
    Room,
    RoomsClient,
    TelnyxRoomsError,
)
from telnyx_rooms_async.emulator import Emulator, Fault
from telnyx_rooms_async.resources import auto_refreshed_token
from tests.helpers.clocks import FakeClock, wait_until


@pytest.fixture
async def room_id(client: RoomsClient, telnyx: Emulator) -> str:
    room = await client.rooms.create()
    telnyx.requests.clear()
    return room.id


@pytest.fixture
def wait_for_refresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let callers with a valid token wait for its refresh, however slow the machine is."""
    monkeypatch.setattr(auto_refreshed_token, "_REFRESH_WAIT", 60)


CREATE, REFRESH = "generate_join_client_token", "refresh_client_token"


def actions(telnyx: Emulator) -> list[str]:
    return [request.path.rpartition("/")[2] for request in telnyx.requests]


async def test_create_returns_tokens_with_their_expiry(
    client: RoomsClient, telnyx: Emulator, room_id: str, time: FakeClock
) -> None:
    token = await client.tokens.create(room_id, token_ttl_secs=10, refresh_token_ttl_secs=60)
    assert type(token) is ClientToken
    assert token.token != token.refresh_token
    assert token.token_expires_at == time.now + timedelta(seconds=10)
    assert token.refresh_token_expires_at == time.now + timedelta(seconds=60)
    await client.tokens.create(room_id)
    assert telnyx.requests[-1].body == b"{}"
    with pytest.raises(NotFoundError):
        await client.tokens.create(uuid4())


async def test_refresh_returns_a_new_token_until_the_refresh_token_expires(
    client: RoomsClient, room_id: str, time: FakeClock
) -> None:
    first = await client.tokens.create(room_id)
    assert first.refresh_token is not None
    time.advance(seconds=60)
    second = await client.tokens.refresh(room_id, first.refresh_token, token_ttl_secs=3600)
    assert type(second) is AccessToken
    assert second.token != first.token
    assert second.expires_in(time.now) == 3600
    time.advance(seconds=3600)
    with pytest.raises(PermissionDeniedError):
        await client.tokens.refresh(room_id, first.refresh_token)


async def test_refresh_returns_a_replaced_refresh_token(
    client: RoomsClient, telnyx: Emulator, room_id: str
) -> None:
    telnyx.inject(Fault(status=201, body={"data": {"token": "T", "refresh_token": "CANARY"}}))
    token = await client.tokens.refresh(room_id, "old")
    assert isinstance(token, ClientToken)
    assert token.refresh_token == "CANARY"
    assert "CANARY" not in repr(token)


@pytest.mark.parametrize(
    ("name", "values"),
    [("token_ttl_secs", (9, 3601, True, "600")), ("refresh_token_ttl_secs", (59, 86401, None))],
)
async def test_invalid_lifetimes_are_refused_before_a_request(
    client: RoomsClient, telnyx: Emulator, name: str, values: tuple[object, ...]
) -> None:
    for value in values:
        with pytest.raises(InvalidArgumentError, match=f"^{name} must be an int from"):
            await client.tokens.create("a-room", **{name: value})  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(InvalidArgumentError, match=r"^token_ttl_secs"):
        await client.tokens.refresh("a-room", "CANARY", token_ttl_secs=9)
    with pytest.raises(InvalidArgumentError, match="refresh_token must be"):
        await client.tokens.refresh("a-room", "")
    with pytest.raises(InvalidArgumentError, match="token_ttl_secs must be"):
        async with client.tokens.auto_refresh("a-room", token_ttl_secs=9):
            pytest.fail("entered")
    assert telnyx.requests == []


# --- auto_refresh -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("wait_for_refresh")
async def test_kept_token_is_refreshed_after_nine_tenths_of_its_lifetime(
    client: RoomsClient, telnyx: Emulator, room_id: str, time: FakeClock
) -> None:
    async with client.tokens.auto_refresh(room_id, token_ttl_secs=100, refresh_token_ttl_secs=1000) as kept:
        first = await kept.token()
        time.advance(seconds=89)
        assert await kept.token() == first
        time.advance(seconds=1)
        second = await kept.token()
        assert second != first
        time.advance(seconds=900)
        await kept.token()
        assert first not in f"{kept!r} {vars(kept)!r}"
    assert actions(telnyx) == [CREATE, REFRESH, CREATE]


@pytest.mark.usefixtures("wait_for_refresh")
@pytest.mark.parametrize("status", [401, 403, 422])
async def test_rejected_refresh_token_is_replaced(
    client: RoomsClient, telnyx: Emulator, room_id: str, time: FakeClock, status: int
) -> None:
    async with client.tokens.auto_refresh(room_id, token_ttl_secs=100) as kept:
        first = await kept.token()
        time.advance(seconds=95)
        telnyx.inject(Fault(status=status), operation="RefreshRoomClientToken")
        assert await kept.token() != first
    assert actions(telnyx) == [CREATE, REFRESH, CREATE]


async def test_valid_token_is_kept_although_its_refresh_token_has_expired(
    client: RoomsClient, telnyx: Emulator, room_id: str, time: FakeClock
) -> None:
    async with client.tokens.auto_refresh(room_id, token_ttl_secs=3600, refresh_token_ttl_secs=60) as kept:
        for _ in range(30):
            time.advance(seconds=100)
            assert type(await kept.token()) is str
    assert len(telnyx.requests) == 1


@pytest.mark.usefixtures("wait_for_refresh")
async def test_replaced_refresh_token_is_used_for_the_next_refresh(
    client: RoomsClient, telnyx: Emulator, room_id: str, time: FakeClock
) -> None:
    for number in (1, 2):
        body = {"data": {"token": f"access-{number}", "refresh_token": f"refresh-{number}"}}
        telnyx.inject(Fault(status=201, body=body), operation="RefreshRoomClientToken")
    async with client.tokens.auto_refresh(room_id, token_ttl_secs=600) as kept:
        for number in (1, 2):
            time.advance(seconds=541)
            assert await kept.token() == f"access-{number}"
    assert telnyx.requests[-1].json["refresh_token"] == "refresh-1"


async def test_error_is_raised_when_the_token_has_expired_and_the_next_call_tries_again(
    client: RoomsClient, room_id: str, time: FakeClock
) -> None:
    with pytest.raises(NotFoundError):
        async with client.tokens.auto_refresh(uuid4()):
            pytest.fail("entered")
    async with client.tokens.auto_refresh(room_id) as kept:
        await client.rooms.delete(room_id)
        time.advance(seconds=3600)
        for _ in range(2):
            with pytest.raises(NotFoundError):
                await kept.token()


@pytest.mark.parametrize(
    "fault",
    [*(Fault(status=status) for status in (401, 403, 404, 408, 422, 429, 500, 503)), Fault(cut="before")],
    ids=lambda fault: str(fault.status or fault.cut),
)
@pytest.mark.usefixtures("wait_for_refresh")
async def test_valid_token_is_returned_while_its_refresh_fails(
    client: RoomsClient, telnyx: Emulator, room_id: str, time: FakeClock, fault: Fault
) -> None:
    no_retries = client.with_options(retry=RetryPolicy(max_attempts=1))
    async with no_retries.tokens.auto_refresh(room_id, token_ttl_secs=600) as kept:
        first = await kept.token()
        telnyx.inject(fault, times=None)
        time.advance(seconds=541)
        assert {await kept.token() for _ in range(3)} == {first}
        time.advance(seconds=58)
        assert await kept.token() == first
        time.advance(seconds=1)
        with pytest.raises(TelnyxRoomsError):
            await kept.token()
        telnyx.clear_faults()
        time.advance(seconds=60)  # a 429 pauses the client
        assert await kept.token() != first


async def test_failed_refresh_is_logged_without_id_or_token(
    client: RoomsClient, telnyx: Emulator, room_id: str, time: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with client.with_options(retry=RetryPolicy(max_attempts=1)).tokens.auto_refresh(room_id) as kept:
        await kept.token()
        telnyx.inject(Fault(status=500))
        time.advance(seconds=560)
        await kept.token()
    assert caplog.messages == [
        "client token not refreshed (InternalServerError); it is valid for another 40 s"
    ]


async def test_refresh_that_fails_for_an_error_of_the_program_is_logged(
    telnyx: Emulator, time: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    is_failing = False

    async def fail(request: Request, call_next: CallNext) -> Response:
        if is_failing:
            raise ZeroDivisionError
        return await call_next(request)

    unhandled: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    async with RoomsClient(
        telnyx.api_key, base_url=telnyx.url, clock=time.clock, middleware=[fail]
    ) as client:
        room = await client.rooms.create()
        async with client.tokens.auto_refresh(room) as kept:
            first = await kept.token()
            is_failing = True
            time.advance(seconds=560)
            assert await kept.token() == first
            assert "client token not refreshed (ZeroDivisionError)" in caplog.text
            time.advance(seconds=40)
            with pytest.raises(ZeroDivisionError):
                await kept.token()
    gc.collect()
    assert unhandled == []


async def test_block_that_is_cancelled_while_it_ends_leaves_no_refresh(
    telnyx: Emulator, time: FakeClock
) -> None:
    is_blocked, is_ending, can_end = False, asyncio.Event(), asyncio.Event()

    async def block(request: Request, call_next: CallNext) -> Response:
        try:
            return await (asyncio.Future[Response]() if is_blocked else call_next(request))
        finally:
            if is_blocked:
                is_ending.set()
                await can_end.wait()

    async def use(client: RoomsClient, room: Room) -> None:
        nonlocal is_blocked
        async with client.tokens.auto_refresh(room) as kept:
            is_blocked = True
            time.advance(seconds=600)
            await kept.token()

    async with RoomsClient(
        telnyx.api_key, base_url=telnyx.url, clock=time.clock, middleware=[block]
    ) as client:
        user = asyncio.create_task(use(client, await client.rooms.create()))
        await wait_until(lambda: is_blocked)
        for _ in range(2):
            user.cancel()
            await is_ending.wait()
            await asyncio.wait([user], timeout=0.05)
        assert not user.done()
        can_end.set()
        with pytest.raises(asyncio.CancelledError):
            await user


@pytest.fixture
def released() -> asyncio.Event:
    """Return the event for which the responses of refreshes wait."""
    return asyncio.Event()


@pytest.fixture
async def slow(time: FakeClock, released: asyncio.Event) -> AsyncIterator[Emulator]:
    async def sleep(_: float) -> None:
        await released.wait()

    async with Emulator(clock=time, sleep=sleep) as emulator:
        emulator.seed(1)
        emulator.inject(Fault(delay=1), times=None, operation="RefreshRoomClientToken")
        yield emulator


@pytest.fixture
async def slow_client(slow: Emulator, time: FakeClock) -> AsyncIterator[RoomsClient]:
    clock = Clock(monotonic=time.time)
    async with RoomsClient(slow.api_key, base_url=slow.url, clock=clock, attempt_timeout=300) as client:
        yield client


async def test_callers_with_a_valid_token_do_not_wait_for_a_slow_refresh(
    slow_client: RoomsClient, slow: Emulator, released: asyncio.Event, time: FakeClock
) -> None:
    async with (
        asyncio.timeout(60),
        slow_client.tokens.auto_refresh(slow.rooms[0].id, token_ttl_secs=600) as kept,
    ):
        first = await kept.token()
        time.advance(seconds=541)
        assert set(await asyncio.gather(*(kept.token() for _ in range(20)))) == {first}
        assert {await kept.token() for _ in range(1000)} == {first}
        await wait_until(lambda: len(slow.requests) == 2)
        released.set()
        while await kept.token() == first:
            await asyncio.sleep(0)
    assert len(slow.requests) == 2


async def test_callers_with_an_expired_token_wait_and_the_cancellation_of_one_affects_no_other(
    slow_client: RoomsClient, slow: Emulator, released: asyncio.Event, time: FakeClock
) -> None:
    async with slow_client.tokens.auto_refresh(slow.rooms[0].id, token_ttl_secs=600) as kept:
        first = await kept.token()
        time.advance(seconds=600)
        callers = [asyncio.create_task(kept.token()) for _ in range(20)]
        await wait_until(lambda: len(slow.requests) == 2)
        callers[0].cancel()
        released.set()
        cancelled, *others = await asyncio.gather(*callers, return_exceptions=True)
        assert isinstance(cancelled, asyncio.CancelledError)
        assert len(set(others)) == 1
        assert first not in others
    assert len(slow.requests) == 2


async def test_refresh_is_cancelled_at_the_end_of_the_block(
    slow_client: RoomsClient, slow: Emulator, released: asyncio.Event, time: FakeClock
) -> None:
    async with slow_client.tokens.auto_refresh(slow.rooms[0].id, token_ttl_secs=600) as kept:
        first = await kept.token()
        time.advance(seconds=541)
        others = asyncio.all_tasks()
        await kept.token()
        await wait_until(lambda: len(slow.requests) == 2)
        (refresh,) = {task for task in asyncio.all_tasks() - others if "refresh" in repr(task)}
    assert refresh.cancelled()
    assert await kept.token() == first
    time.advance(seconds=60)
    with pytest.raises(ClientClosedError):
        await kept.token()
    assert len(slow.requests) == 2
