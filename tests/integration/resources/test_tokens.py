"""Tokens, against the emulator over a socket."""

import asyncio
import logging
import pickle
import traceback
from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from uuid import uuid4

import pytest

from telnyx_rooms_async import (
    AccessToken,
    ClientClosedError,
    ClientToken,
    Clock,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    RetryPolicy,
    RoomsClient,
    TelnyxRoomsError,
)
from telnyx_rooms_async.emulator import Emulator, Fault
from telnyx_rooms_async.resources import tokens
from tests.helpers.clocks import FakeClock


@pytest.fixture
async def room_id(client: RoomsClient, telnyx: Emulator) -> str:
    """A room to join."""
    room = await client.rooms.create()
    telnyx.requests.clear()
    return room.id


async def test_create(client: RoomsClient, telnyx: Emulator, room_id: str, time: FakeClock) -> None:
    """A pair of tokens comes with the times at which they expire."""
    pair = await client.tokens.create(room_id, token_ttl_secs=10, refresh_token_ttl_secs=60)
    sent = telnyx.requests[-1]
    assert (sent.method, sent.path) == ("POST", f"/v2/rooms/{room_id}/actions/generate_join_client_token")
    assert sent.json == {"token_ttl_secs": 10, "refresh_token_ttl_secs": 60}
    assert type(pair) is ClientToken
    assert pair.token != pair.refresh_token
    assert pair.token_expires_at == time.now + timedelta(seconds=10)
    assert pair.refresh_token_expires_at == time.now + timedelta(seconds=60)
    assert (pair.expires_in(time.now), pair.expires_in(time.now + timedelta(seconds=11))) == (10.0, -1.0)
    await client.tokens.create(room_id)
    assert telnyx.requests[-1].body == b"{}"
    with pytest.raises(NotFoundError):
        await client.tokens.create(uuid4())


def test_a_token_of_unknown_time() -> None:
    """When the server did not say when a token expires, neither do we."""
    pair = ClientToken(token="x")
    assert pair.expires_in(FakeClock().now.astimezone(UTC)) is None


async def test_refresh(client: RoomsClient, telnyx: Emulator, room_id: str, time: FakeClock) -> None:
    """A refresh token gets another access token, until its own time is over."""
    pair = await client.tokens.create(room_id)
    assert pair.refresh_token is not None
    time.advance(seconds=60)
    renewed = await client.tokens.refresh(room_id, pair.refresh_token, token_ttl_secs=3600)
    assert telnyx.requests[-1].path == f"/v2/rooms/{room_id}/actions/refresh_client_token"
    assert telnyx.requests[-1].json == {"refresh_token": pair.refresh_token, "token_ttl_secs": 3600}
    assert type(renewed) is AccessToken
    assert renewed.token != pair.token
    assert renewed.expires_in(time.now) == 3600
    time.advance(seconds=3600)
    with pytest.raises(PermissionDeniedError):
        await client.tokens.refresh(room_id, pair.refresh_token)


BAD_TIMES = {"token_ttl_secs": (9, 3601, True, "600"), "refresh_token_ttl_secs": (59, 86401, None)}


@pytest.mark.parametrize(("name", "values"), BAD_TIMES.items())
async def test_bad_times_are_refused(
    client: RoomsClient, telnyx: Emulator, name: str, values: tuple[object, ...]
) -> None:
    """Times out of their documented bounds are told by their name, and no request leaves."""
    for value in values:
        with pytest.raises(InvalidArgumentError, match=f"^{name} must be an int from"):
            await client.tokens.create("a-room", **{name: value})  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(InvalidArgumentError, match=r"^token_ttl_secs"):
        await client.tokens.refresh("a-room", "CANARY", token_ttl_secs=9)
    assert telnyx.requests == []


async def test_no_token_is_shown(
    client: RoomsClient, telnyx: Emulator, room_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Tokens are in no repr, error, traceback with locals, pickle of an error, or log."""
    caplog.set_level(logging.DEBUG)
    pair = await client.tokens.create(room_id)
    assert pair.refresh_token is not None
    renewed = await client.tokens.refresh(room_id, pair.refresh_token)
    secrets = {pair.token, pair.refresh_token, renewed.token}
    told = f"{pair!r} {renewed!r} {telnyx.requests!r}"
    for room, token in ((room_id, "CANARY-1"), ("a/b", "CANARY-2"), (room_id, "")):
        with pytest.raises(TelnyxRoomsError) as caught:
            await client.tokens.refresh(room, token)
        assert caught.value.__traceback__ is not None
        below = caught.value.__traceback__.tb_next
        report = traceback.TracebackException(type(caught.value), caught.value, below, capture_locals=True)
        told += f"{caught.value!r} {vars(caught.value)}" + "".join(report.format())
        told += str(pickle.dumps(caught.value))
    told += "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert not [secret for secret in (*secrets, "CANARY-1", "CANARY-2") if secret in told]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers with a valid token wait for its renewal, however slow this machine is."""
    monkeypatch.setattr(tokens, "_RENEWAL_WAIT", 60)


@pytest.mark.usefixtures("patient")
async def test_keep_renews_when_it_is_time(
    client: RoomsClient, telnyx: Emulator, room_id: str, time: FakeClock
) -> None:
    """A kept token is renewed by the call that finds nine tenths of its time gone, and not before."""
    async with client.tokens.keep(room_id, token_ttl_secs=100, refresh_token_ttl_secs=1000) as kept:
        first = await kept.token()
        time.advance(seconds=89)
        assert await kept.token() == first
        assert len(telnyx.requests) == 1
        time.advance(seconds=1)
        second = await kept.token()
        assert second != first
        assert telnyx.requests[-1].path.endswith("refresh_client_token")
        time.advance(seconds=900)
        await kept.token()
        assert telnyx.requests[-1].path.endswith("generate_join_client_token")
        assert len(telnyx.requests) == 3
        assert first not in f"{kept!r} {vars(kept)!r}"


@pytest.mark.usefixtures("patient")
async def test_keep_asks_once_for_many(
    client: RoomsClient, telnyx: Emulator, room_id: str, time: FakeClock
) -> None:
    """However many tasks need a token when it is time, one request is made."""
    async with client.tokens.keep(room_id) as kept:
        time.advance(seconds=540)
        tokens = await asyncio.gather(*(kept.token() for _ in range(20)))
    assert len(set(tokens)) == 1
    assert len(telnyx.requests) == 2


@pytest.mark.usefixtures("patient")
async def test_keep_makes_a_new_pair_when_refreshing_is_refused(
    client: RoomsClient, telnyx: Emulator, room_id: str, time: FakeClock
) -> None:
    """A refresh token that is no longer good is replaced."""
    async with client.tokens.keep(room_id, token_ttl_secs=100) as kept:
        time.advance(seconds=95)
        kept._refresh_token = type(kept._refresh_token)("no longer good")
        assert await kept.token()
    paths = [request.path.rpartition("/")[2] for request in telnyx.requests]
    assert paths == ["generate_join_client_token", "refresh_client_token", "generate_join_client_token"]


async def test_keep_of_a_room_that_is_gone(client: RoomsClient, room_id: str, time: FakeClock) -> None:
    """An error is raised to the caller who asked, and the next call tries again."""
    with pytest.raises(NotFoundError):
        async with client.tokens.keep(uuid4()):
            pytest.fail("entered")
    async with client.tokens.keep(room_id) as kept:
        await client.rooms.delete(room_id)
        time.advance(seconds=3600)
        for _ in range(2):
            with pytest.raises(NotFoundError):
                await kept.token()


@pytest.mark.parametrize("token", [None, 5, [], b"x", ""])
async def test_what_is_no_refresh_token_is_not_sent(
    client: RoomsClient, telnyx: Emulator, room_id: str, token: str
) -> None:
    """A refresh token is text: anything else is refused, and not turned into text first."""
    with pytest.raises(InvalidArgumentError, match="refresh_token must be"):
        await client.tokens.refresh(room_id, token)
    assert telnyx.requests == []


async def test_keep_replaces_a_pair_no_sooner_than_it_must(
    client: RoomsClient, telnyx: Emulator, room_id: str, time: FakeClock
) -> None:
    """A token that is still good is not thrown away because its refresh token is not."""
    async with client.tokens.keep(room_id, token_ttl_secs=3600, refresh_token_ttl_secs=60) as kept:
        for _ in range(30):
            time.advance(seconds=100)
            assert type(await kept.token()) is str
    assert len(telnyx.requests) == 1
    with pytest.raises(InvalidArgumentError, match="token_ttl_secs must be"):
        async with client.tokens.keep(room_id, token_ttl_secs=9):
            pytest.fail("entered")


@pytest.mark.parametrize(
    "fault",
    [*(Fault(status=status) for status in (401, 403, 404, 408, 422, 429, 500, 503)), Fault(cut="before")],
    ids=lambda fault: str(fault.status or fault.cut),
)
@pytest.mark.usefixtures("patient")
async def test_keep_returns_the_valid_token_while_its_renewal_fails(
    client: RoomsClient, telnyx: Emulator, room_id: str, time: FakeClock, fault: Fault
) -> None:
    """Whatever the reason is; once the token has expired it is raised, and it is over when the fault is."""
    hasty = client.with_options(retry=RetryPolicy(attempts=1))
    async with hasty.tokens.keep(room_id, token_ttl_secs=600) as kept:
        first = await kept.token()
        telnyx.script(fault, times=None)
        time.advance(seconds=541)
        assert {await kept.token() for _ in range(3)} == {first}
        time.advance(seconds=58)
        assert await kept.token() == first
        time.advance(seconds=1)
        with pytest.raises(TelnyxRoomsError):
            await kept.token()
        telnyx.unscript()
        time.advance(seconds=60)  # a 429 stops the client for a while
        assert await kept.token() != first


async def test_keep_warns_of_a_renewal_that_fails(
    client: RoomsClient, telnyx: Emulator, room_id: str, time: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure that is not raised is logged, without an id or a token."""
    async with client.with_options(retry=RetryPolicy(attempts=1)).tokens.keep(room_id) as kept:
        await kept.token()
        telnyx.script(Fault(status=500))
        time.advance(seconds=560)
        await kept.token()
    assert caplog.messages == ["client token not renewed (InternalServerError); it is valid for another 40 s"]


class RateLimiter:
    """Holds back the answers that a `Fault` delays, until it is opened."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.reached = asyncio.Event()

    async def sleep(self, _: float) -> None:
        """Wait until the gate is open, whatever the delay is."""
        self.reached.set()
        await self.opened.wait()


@pytest.fixture
def rate_limiter() -> RateLimiter:
    """What holds back delayed answers."""
    return RateLimiter()


@pytest.fixture
async def slow(time: FakeClock, rate_limiter: RateLimiter) -> AsyncIterator[Emulator]:
    """A Telnyx that answers a refresh when the gate is opened."""
    async with Emulator(clock=time, sleep=rate_limiter.sleep) as emulator:
        emulator.seed(1)
        emulator.script(Fault(delay=1), times=None, operation="RefreshRoomClientToken")
        yield emulator


@pytest.fixture
async def waiting(slow: Emulator, time: FakeClock) -> AsyncIterator[RoomsClient]:
    """A client of the slow Telnyx."""

    def monotonic() -> float:
        return time.now.timestamp()

    clock = Clock(monotonic=monotonic)
    async with RoomsClient(slow.api_key, base_url=slow.url, clock=clock, attempt_timeout=300) as client:
        yield client


def renewals() -> list[str]:
    """Name the tasks that renew a token."""
    return [
        name for task in asyncio.all_tasks() if "AutoRefreshedToken._try_to_renew" in (name := repr(task))
    ]


async def test_keep_does_not_wait_for_a_slow_renewal(
    waiting: RoomsClient, slow: Emulator, rate_limiter: RateLimiter, time: FakeClock
) -> None:
    """Callers of a valid token have it while its only renewal goes on, and the new one after that."""
    async with asyncio.timeout(60), waiting.tokens.keep(slow.rooms[0].id, token_ttl_secs=600) as kept:
        first = await kept.token()
        time.advance(seconds=541)
        assert set(await asyncio.gather(*(kept.token() for _ in range(20)))) == {first}
        assert {await kept.token() for _ in range(1000)} == {first}
        await rate_limiter.reached.wait()
        assert len(renewals()) == 1
        rate_limiter.opened.set()
        while await kept.token() == first:
            await asyncio.sleep(0)
    assert len(slow.requests) == 2


async def test_keep_waits_for_a_slow_renewal_of_an_expired_token(
    waiting: RoomsClient, slow: Emulator, rate_limiter: RateLimiter, time: FakeClock
) -> None:
    """Callers whose token has expired wait for the one renewal; one that gives up does not end it."""
    async with waiting.tokens.keep(slow.rooms[0].id, token_ttl_secs=600) as kept:
        first = await kept.token()
        time.advance(seconds=600)
        callers = [asyncio.create_task(kept.token()) for _ in range(20)]
        await rate_limiter.reached.wait()
        callers[0].cancel()
        rate_limiter.opened.set()
        cancelled, *others = await asyncio.gather(*callers, return_exceptions=True)
        assert isinstance(cancelled, asyncio.CancelledError)
        assert len(set(others)) == 1
        assert first not in others
    assert len(slow.requests) == 2


async def test_keep_ends_a_renewal_with_its_block(
    waiting: RoomsClient, slow: Emulator, rate_limiter: RateLimiter, time: FakeClock
) -> None:
    """No task outlives the block, and none is started after it; a valid token is still returned."""
    async with waiting.tokens.keep(slow.rooms[0].id, token_ttl_secs=600) as kept:
        first = await kept.token()
        time.advance(seconds=541)
        await kept.token()
        await rate_limiter.reached.wait()
        assert renewals()
    assert not renewals()
    assert await kept.token() == first
    assert not renewals()
    time.advance(seconds=60)
    with pytest.raises(ClientClosedError):
        await kept.token()
    assert len(slow.requests) == 2


@pytest.mark.usefixtures("patient")
async def test_keep_uses_the_refresh_token_that_an_answer_replaces(
    client: RoomsClient, telnyx: Emulator, room_id: str, time: FakeClock
) -> None:
    """A refresh token that comes with a refreshed token is the one for the next refresh."""
    for number in (1, 2):
        answer = {"data": {"token": f"access-{number}", "refresh_token": f"refresh-{number}"}}
        telnyx.script(Fault(status=201, body=answer), operation="RefreshRoomClientToken")
    async with client.tokens.keep(room_id, token_ttl_secs=600) as kept:
        time.advance(seconds=541)
        assert await kept.token() == "access-1"
        time.advance(seconds=541)
        assert await kept.token() == "access-2"
    assert telnyx.requests[-1].json["refresh_token"] == "refresh-1"


@pytest.mark.usefixtures("patient")
async def test_keep_returns_no_expired_token_after_its_block(
    client: RoomsClient, room_id: str, time: FakeClock
) -> None:
    """Also when nothing was being renewed at the end of the block."""
    async with client.tokens.keep(room_id) as kept:
        first = await kept.token()
    assert await kept.token() == first
    time.advance(seconds=600)
    with pytest.raises(ClientClosedError):
        await kept.token()


async def test_refresh_returns_a_refresh_token_that_is_replaced(
    client: RoomsClient, telnyx: Emulator, room_id: str
) -> None:
    """Whoever refreshes by hand gets the new refresh token too, and it is not shown."""
    telnyx.script(Fault(status=201, body={"data": {"token": "T", "refresh_token": "CANARY"}}))
    renewed = await client.tokens.refresh(room_id, "old")
    assert isinstance(renewed, ClientToken)
    assert renewed.refresh_token == "CANARY"
    assert "CANARY" not in repr(renewed)
