"""A canary key, looked for wherever a program may show what it holds."""

import asyncio
import json
import logging
import pickle
import traceback
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from telnyx_rooms_async import (
    ConfigurationError,
    RetryPolicy,
    RoomsClient,
    TelnyxRoomsError,
    UnprocessableEntityError,
)
from telnyx_rooms_async.core.endpoints import REFRESH_TOKEN
from telnyx_rooms_async.core.params import RefreshBody
from telnyx_rooms_async.core.protocol import build
from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.emulator import Emulator
from ticker import Ticker
from wire import Reply, Wire

CANARY = "KEY0123CANARY"


def told_by(error: BaseException) -> Iterator[str]:
    """Yield all that an exception, its chain and its traceback with locals say, the test aside."""
    assert error.__traceback__ is not None
    below = error.__traceback__.tb_next
    yield from traceback.TracebackException(type(error), error, below, capture_locals=True).format()
    link: BaseException | None = error
    while link is not None:
        yield f"{link} {link!r} {link.args!r} {vars(link)!r}"
        link = link.__cause__ or link.__context__


ANSWERS = {
    "an echo": Wire.http(401, b'{"errors":[{"detail":"KEY0123CANARY is not a key"}]}'),
    "a refusal": Wire.http(401),
    "a failure": Wire.http(500),
    "nothing": Wire.raw(b""),
    "garbage": Wire.raw(b"garbage\r\n\r\n"),
    "no JSON": Wire.http(200, b"<html>"),
    "a redirect": Wire.http(302, Location="http://example.com"),
    "no end": Wire.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "hang"),
    "a corrupt body": Wire.http(200, b"\x1f\x8b nothing", Content_Encoding="gzip"),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_no_error_shows_the_key(
    wire: Wire, ticker: Ticker, answer: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever goes wrong, the key is in no message, repr, attribute, local, chain, pickle or log."""
    caplog.set_level(logging.DEBUG)
    wire.plays(answer)
    async with RoomsClient(CANARY, base_url=wire.url, clock=ticker.clock, attempt_timeout=0.05) as client:
        for call in (client.rooms.retrieve("a-room"), client.rooms.create(unique_name="Weekly")):
            with pytest.raises(TelnyxRoomsError) as caught:
                await call
            assert CANARY not in "".join(told_by(caught.value))
            assert CANARY.encode() not in pickle.dumps(caught.value)
        assert CANARY not in repr(client) + repr(vars(client)) + repr(client.with_options(timeout=1))
    assert CANARY.encode() in wire.requests[0]
    assert caplog.records
    assert all(CANARY not in f"{record.getMessage()} {vars(record)}" for record in caplog.records)


TOKENS = {
    "plain": "REFRESH-CANARY",
    "what JSON escapes": 'CANARY"\\/é\n',
}


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
@pytest.mark.parametrize("is_ascii", [True, False], ids=["ascii", "utf-8"])
@pytest.mark.parametrize("is_web", [True, False], ids=["a web server's JSON", "JSON"])
async def test_no_error_shows_a_refresh_token(
    wire: Wire, ticker: Ticker, token: str, caplog: pytest.LogCaptureFixture, *, is_ascii: bool, is_web: bool
) -> None:
    """A refusal that repeats the token is told without it, however the server has spelt it."""
    caplog.set_level(logging.DEBUG)
    said = json.dumps({"errors": [{"detail": f"{token} is not known"}]}, ensure_ascii=is_ascii)
    wire.plays(Wire.http(422, (said.replace("/", r"\/") if is_web else said).encode()))
    async with RoomsClient("KEY", base_url=wire.url, clock=ticker.clock) as client:
        with pytest.raises(UnprocessableEntityError) as caught:
            await client.tokens.refresh("a-room", token)
    assert caught.value.detail == "*** is not known"
    assert "CANARY" not in "".join(told_by(caught.value)) + caplog.text
    assert b"CANARY" not in pickle.dumps(caught.value)
    assert b"CANARY" in wire.requests[0]


HOOK = "https://user:CANARY@example.com/hook?token=CANARY"


@pytest.mark.parametrize(
    "url", [HOOK, HOOK.replace("https", "ftp"), HOOK[8:], HOOK.encode(), [HOOK]], ids=repr
)
async def test_no_error_shows_the_secrets_of_a_webhook_url(wire: Wire, ticker: Ticker, url: Any) -> None:
    """Neither one that is refused here, nor one that a refusal of the server repeats."""
    said = json.dumps({"errors": [{"detail": f"{HOOK} does not answer"}]})
    wire.plays(Wire.http(422, said.encode()))
    async with RoomsClient("KEY", base_url=wire.url, clock=ticker.clock) as client:
        for call in (
            client.rooms.create(unique_name="Weekly", webhook_event_url=url),
            client.rooms.update("a-room", webhook_event_failover_url=url),
        ):
            with pytest.raises(TelnyxRoomsError) as caught:
                await call
            assert "CANARY" not in f"{caught.value} {caught.value!r} {vars(caught.value)}"
            if isinstance(caught.value, UnprocessableEntityError):
                assert caught.value.detail == "https://***example.com/hook*** does not answer"


async def test_a_plan_does_not_show_the_secrets_of_a_webhook_url(telnyx: Emulator) -> None:
    """A plan is printed, and put into logs of deployments; what is applied is complete."""
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
        await client.rooms.create(unique_name="Weekly", webhook_event_url=HOOK)
        new = HOOK.replace("hook", "new")
        plan = await client.rooms.plan(
            [
                {"unique_name": "Weekly", "webhook_event_url": new},
                {"unique_name": "Daily", "webhook_event_failover_url": HOOK},
            ]
        )
        assert "webhook_event_url: 'https://example.com/hook?***' -> 'https://example.com/new?***'" in str(
            plan
        )
        assert "webhook_event_failover_url: 'https://example.com/hook?***'" in str(plan)
        assert "CANARY" not in str(plan) + repr(plan)
        done = [outcome async for outcome in client.rooms.apply(plan)]
        assert "CANARY" not in repr(done)
    assert [room.webhook_event_url for room in telnyx.rooms] == [new, None]
    assert "CANARY" not in repr(telnyx.rooms) + repr(telnyx._account.rooms)


async def test_a_call_does_not_show_its_token() -> None:
    """A request that is built and not sent prints none of its secrets."""
    call = build(REFRESH_TOKEN, room_id="a-room", body=RefreshBody(refresh_token=Secret("CANARY")))
    assert call.request.secrets == ("CANARY",)
    assert "CANARY" not in repr(call)


async def test_a_cancelled_call_does_not_show_the_key(wire: Wire) -> None:
    """A cancellation passes through aiohttp's frames, whose locals hold the headers: redacted ones."""
    wire.plays(Wire.raw(b"", "hang"))
    async with RoomsClient(CANARY, base_url=wire.url) as client:
        call = asyncio.create_task(client.rooms.create(unique_name="Weekly"))
        while not wire.requests:
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await call
    told = "".join(told_by(caught.value))
    assert "Secret('***')" in told
    assert CANARY not in told


@pytest.mark.parametrize("ending", [" ", "\n", "é", "\0"], ids=repr)
def test_a_refused_key_is_not_shown(ending: str) -> None:
    """A key with a character too many is not printed, nor held by a frame of the traceback."""
    with pytest.raises(ConfigurationError) as caught:
        RoomsClient(CANARY + ending)
    assert CANARY not in "".join(told_by(caught.value))


async def test_a_bad_option_does_not_show_the_key() -> None:
    """A mistake in another argument does not print the key beside it."""
    for options in ({"timeout": -1}, {"base_url": "nowhere"}):
        with pytest.raises(ConfigurationError) as caught:
            RoomsClient(CANARY, **options)
        assert CANARY not in "".join(told_by(caught.value))


async def test_a_borrowed_session_does_not_show_the_key(wire: Wire) -> None:
    """The key is put on each request, and never into the session that was lent."""
    wire.plays(Wire.http(200, b'{"data":{"id":"a-room"}}'))
    async with aiohttp.ClientSession() as session:
        client = RoomsClient(CANARY, base_url=wire.url, session=session, retry=RetryPolicy(attempts=1))
        await client.rooms.retrieve("a-room")
        assert CANARY not in repr(session.headers)


async def test_the_emulator_does_not_show_its_key() -> None:
    """The emulator's record holds the key that arrived, and does not print it."""
    async with Emulator(api_key=CANARY) as telnyx:
        async with RoomsClient(CANARY, base_url=telnyx.url) as client:
            await client.rooms.create()
        assert telnyx.requests[0].headers["authorization"] == f"Bearer {CANARY}"
        assert CANARY not in repr(telnyx.requests) + repr(vars(telnyx))
