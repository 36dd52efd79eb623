"""A canary key, looked for wherever a program may show what it holds."""

import asyncio
import io
import json
import logging
import pickle
import traceback
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

import aiohttp
import pytest
from attrs import evolve

from telnyx_rooms_async import (
    APIResponseValidationError,
    ClientClosedError,
    ConfigurationError,
    RetryPolicy,
    RoomsClient,
    Settings,
    TelnyxRoomsError,
    UnprocessableEntityError,
)
from telnyx_rooms_async.core.endpoints import REFRESH_TOKEN
from telnyx_rooms_async.core.protocol import build
from telnyx_rooms_async.core.requests import RefreshBody
from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.emulator import Emulator
from telnyx_rooms_async.integrations.opentelemetry import traced
from tests.helpers.clocks import FakeClock
from tests.helpers.error_reports import reported_texts, traceback_files
from tests.helpers.scripted_server import Reply, ScriptedServer

Action: TypeAlias = Callable[[RoomsClient], Awaitable[object]]
Wait: TypeAlias = Callable[[], Awaitable[None]]
End: TypeAlias = Callable[[RoomsClient, Action, Wait], Awaitable[BaseException]]

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
    "an echo": ScriptedServer.http(401, b'{"errors":[{"detail":"KEY0123CANARY is not a key"}]}'),
    "a refusal": ScriptedServer.http(401),
    "a failure": ScriptedServer.http(500),
    "nothing": ScriptedServer.raw(b""),
    "garbage": ScriptedServer.raw(b"garbage\r\n\r\n"),
    "no JSON": ScriptedServer.http(200, b"<html>"),
    "a redirect": ScriptedServer.http(302, Location="http://example.com"),
    "no end": ScriptedServer.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "hang"),
    "a corrupt body": ScriptedServer.http(200, b"\x1f\x8b nothing", Content_Encoding="gzip"),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_no_error_shows_the_key(
    scripted_server: ScriptedServer, fake_clock: FakeClock, answer: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever goes wrong, the key is in no message, repr, attribute, local, chain, pickle or log."""
    caplog.set_level(logging.DEBUG)
    scripted_server.respond_with(answer)
    async with RoomsClient(
        CANARY, base_url=scripted_server.url, clock=fake_clock.clock, attempt_timeout=0.05
    ) as client:
        for call in (client.rooms.retrieve("a-room"), client.rooms.create(unique_name="Weekly")):
            with pytest.raises(TelnyxRoomsError) as caught:
                await call
            assert CANARY not in "".join(told_by(caught.value))
            assert CANARY.encode() not in pickle.dumps(caught.value)
        assert CANARY not in repr(client) + repr(vars(client)) + repr(client.with_options(timeout=1))
    assert CANARY.encode() in scripted_server.requests[0]
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
    scripted_server: ScriptedServer,
    fake_clock: FakeClock,
    token: str,
    caplog: pytest.LogCaptureFixture,
    *,
    is_ascii: bool,
    is_web: bool,
) -> None:
    """A refusal that repeats the token is told without it, however the server has spelt it."""
    caplog.set_level(logging.DEBUG)
    said = json.dumps({"errors": [{"detail": f"{token} is not known"}]}, ensure_ascii=is_ascii)
    scripted_server.respond_with(
        ScriptedServer.http(422, (said.replace("/", r"\/") if is_web else said).encode())
    )
    async with RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock) as client:
        with pytest.raises(UnprocessableEntityError) as caught:
            await client.tokens.refresh("a-room", token)
    assert caught.value.detail == "*** is not known"
    assert "CANARY" not in "".join(told_by(caught.value)) + caplog.text
    assert b"CANARY" not in pickle.dumps(caught.value)
    assert b"CANARY" in scripted_server.requests[0]


HOOK = "https://user:CANARY@example.com/hook?token=CANARY"


@pytest.mark.parametrize(
    "url", [HOOK, HOOK.replace("https", "ftp"), HOOK[8:], HOOK.encode(), [HOOK]], ids=repr
)
async def test_no_error_shows_the_secrets_of_a_webhook_url(
    scripted_server: ScriptedServer, fake_clock: FakeClock, url: Any
) -> None:
    """Neither one that is refused here, nor one that a refusal of the server repeats."""
    said = json.dumps({"errors": [{"detail": f"{HOOK} does not answer"}]})
    scripted_server.respond_with(ScriptedServer.http(422, said.encode()))
    async with RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock) as client:
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


# --- what error reporters show of a call that ends early or fails -----------------------------------------

PADDING = "x" * 120  # so long that reporters cut the string
REFRESH = f"REFRESH-CANARY-{PADDING}"
ACTIONS: dict[str, Action] = {
    "create a token": lambda client: client.tokens.create("a-room"),
    "refresh a token": lambda client: client.tokens.refresh("a-room", REFRESH),
    "refresh without a verb": lambda client: client.request("PUT", "/any", json={"refresh_token": REFRESH}),
    "retrieve a link": lambda client: client.recordings.download("a-recording", io.BytesIO()),
    "download": lambda client: client.recordings.download("a-recording", io.BytesIO()),
    "retrieve a room": lambda client: client.rooms.retrieve("a-room"),
}
actions = pytest.mark.parametrize("action", ACTIONS)


def secret_body(scripted_server: ScriptedServer, **changes: object) -> bytes:
    """Make a body with a secret of each kind, which every call of `ACTIONS` can read."""
    link = f"{scripted_server.url}/file?X-Amz-Signature=SIGNATURE-CANARY-{PADDING}"
    fields = {"id": "it", "status": "completed", "download_url": link}
    tokens = {"token": f"TOKEN-CANARY-{PADDING}", "refresh_token": REFRESH}
    return json.dumps({"data": fields | tokens | changes}).encode()


def play(scripted_server: ScriptedServer, action: str, *replies: Reply) -> None:
    """Answer the requests of an action; the file of a download has its link first."""
    scripted_server.respond_with(
        *[ScriptedServer.http(200, secret_body(scripted_server))] * (action == "download"), *replies
    )


def body_for(scripted_server: ScriptedServer, action: str) -> bytes:
    """Make what an action gets: what is in a file is not a secret of the library."""
    return b"a file" if action == "download" else secret_body(scripted_server)


def check_capture(error: BaseException) -> None:
    """Check that no reporter shows a secret of an error that left the library."""
    leaks = [text for text in reported_texts(error) if "CANARY" in text]
    assert leaks == []


def head_of(body: bytes) -> bytes:
    """Make the head of an answer that is one byte longer than the body."""
    return b"HTTP/1.1 200 OK\r\nX-Note: CANARY\r\nContent-Length: %d\r\n\r\n" % (len(body) + 1)


HANGS: dict[str, Callable[[bytes], Reply]] = {
    "before the head": lambda _: ScriptedServer.raw(b"", "hang"),
    "in the head": lambda body: ScriptedServer.raw(head_of(body)[:40], "hang"),
    "in the body": lambda body: ScriptedServer.raw(head_of(body) + body, "hang"),
    "in a chunk": lambda body: ScriptedServer.raw(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % (len(body) + 1) + body, "hang"
    ),
    "before the next attempt": lambda _: ScriptedServer.http(500, b"{}"),
}


async def end_by_cancellation(client: RoomsClient, action: Action, reached: Wait) -> BaseException:
    """Cancel the task of a call."""
    task = asyncio.ensure_future(action(client))
    await reached()
    task.cancel("enough")
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert caught.value.args == ("enough",)
    return caught.value


async def end_by_timeout(client: RoomsClient, action: Action, reached: Wait) -> BaseException:
    """Let a timeout of the caller expire."""

    async def expire(limit: asyncio.Timeout) -> None:
        await reached()
        limit.reschedule(0)

    try:
        async with asyncio.timeout(None) as limit:
            expiring = asyncio.create_task(expire(limit))
            await action(client)
    except TimeoutError as error:
        await expiring
        return error
    raise AssertionError("the timeout did not expire")


async def end_by_closing(client: RoomsClient, action: Action, reached: Wait) -> BaseException:
    """Close the client during a call."""
    task = asyncio.ensure_future(action(client))
    await reached()
    await client.close()
    with pytest.raises(ClientClosedError) as caught:
        await task
    return caught.value


ENDS = (end_by_cancellation, end_by_timeout, end_by_closing)
ends = pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)


@ends
@pytest.mark.parametrize("stage", HANGS)
@actions
async def test_no_reporter_shows_a_secret_of_a_call_that_is_ended(
    scripted_server: ScriptedServer, fake_clock: FakeClock, action: str, stage: str, end: End
) -> None:
    """Wherever a call hangs and whoever ends it, no frame of its exception holds a secret."""
    play(scripted_server, action, HANGS[stage](body_for(scripted_server, action)))
    requests, sleeping = len(scripted_server.script), asyncio.Event()

    async def sleep(_: float) -> None:
        sleeping.set()
        await asyncio.Event().wait()

    async def reached() -> None:
        while len(scripted_server.requests) < requests:
            await asyncio.sleep(0)
        if stage == "before the next attempt":
            await sleeping.wait()
        await asyncio.sleep(0.002)  # for what has been sent to be read

    clock = evolve(fake_clock.clock, sleep=sleep)
    async with RoomsClient(CANARY, base_url=scripted_server.url, clock=clock) as client:
        error = await end(client, ACTIONS[action], reached)
    check_capture(error)
    assert not any("aiohttp" in file for file in traceback_files(error))


@ends
@actions
async def test_no_reporter_shows_a_secret_of_a_call_that_waits(
    scripted_server: ScriptedServer, action: str, end: End
) -> None:
    """A call that is ended before its turn, or before it has a connection, shows none either."""
    scripted_server.respond_with(ScriptedServer.raw(b"", "hang"))

    async def connecting() -> None:
        while not scripted_server.open_connections:
            await asyncio.sleep(0)

    async with RoomsClient(CANARY, base_url=scripted_server.url.replace("http:", "https:")) as client:
        check_capture(await end(client, ACTIONS[action], connecting))

    async def queued() -> None:
        while not scripted_server.requests:
            await asyncio.sleep(0)
        await asyncio.sleep(0)

    async with RoomsClient(CANARY, base_url=scripted_server.url, max_connections=1) as client:
        first = asyncio.create_task(client.rooms.retrieve("first"))
        await queued()
        check_capture(await end(client, ACTIONS[action], queued))
        first.cancel()
        await asyncio.wait([first])


@pytest.mark.parametrize("action", [action for action in ACTIONS if action != "refresh without a verb"])
async def test_no_reporter_shows_a_secret_of_a_call_that_never_started(
    scripted_server: ScriptedServer, action: str
) -> None:
    """A task that is cancelled before its first step carries the arguments of its coroutine."""

    async def reached() -> None:
        pass

    async with RoomsClient(CANARY, base_url=scripted_server.url) as client:
        check_capture(await end_by_cancellation(client, ACTIONS[action], reached))


FAILURES: dict[str, Callable[[bytes], Reply]] = {
    **{str(status): partial(ScriptedServer.http, status) for status in (302, 401, 404, 422, 429, 500)},
    "nothing": HANGS["before the head"],
    "no end": HANGS["in the body"],
    "closed": lambda _: ScriptedServer.raw(b""),
    "reset": lambda _: ScriptedServer.raw(b"", "reset"),
    "closed in the body": lambda body: ScriptedServer.raw(head_of(body) + body),
    "reset in the body": lambda body: ScriptedServer.raw(head_of(body) + body, "reset"),
    "no HTTP": ScriptedServer.raw,
    "no JSON": lambda body: ScriptedServer.http(200, body[:-1]),
    "no object": lambda body: ScriptedServer.http(200, b"[%b]" % body),
    "corrupt": lambda body: ScriptedServer.http(200, body, Content_Encoding="gzip"),
    "too large": lambda body: ScriptedServer.http(200, body + bytes(8 * 2**20)),
}


@pytest.mark.parametrize("failure", FAILURES)
@actions
async def test_no_reporter_shows_a_secret_of_a_call_that_fails(
    scripted_server: ScriptedServer, fake_clock: FakeClock, action: str, failure: str
) -> None:
    """Whatever comes in place of an answer, no frame of the error holds a secret."""
    play(scripted_server, action, FAILURES[failure](body_for(scripted_server, action)))
    async with RoomsClient(
        CANARY, base_url=scripted_server.url, clock=fake_clock.clock, attempt_timeout=0.03
    ) as client:
        try:
            await ACTIONS[action](client)
        except TelnyxRoomsError as error:
            check_capture(error)
        else:
            # A file may hold anything, and `request` returns what it gets.
            assert action in ("download", "refresh without a verb")


@pytest.mark.parametrize(
    "action", ["create a token", "refresh a token", "retrieve a link", "retrieve a room"]
)
async def test_no_reporter_shows_a_secret_of_an_answer_that_does_not_fit(
    scripted_server: ScriptedServer, action: str
) -> None:
    """An answer of another shape is refused, and none of the frames that decoded it is left."""
    scripted_server.respond_with(
        ScriptedServer.http(
            200, secret_body(scripted_server, id=7, token=[f"CANARY{PADDING}"], download_url={"CANARY": 1})
        )
    )
    async with RoomsClient(CANARY, base_url=scripted_server.url) as client:
        with pytest.raises(APIResponseValidationError) as caught:
            await ACTIONS[action](client)
    check_capture(caught.value)


async def test_no_reporter_shows_a_secret_of_what_a_hook_of_the_user_raises(
    scripted_server: ScriptedServer,
) -> None:
    """What a trace hook raises passes through aiohttp's frames: a note says where it was raised."""

    async def fail(*_: object) -> None:
        raise LookupError("a mistake")

    hooks = aiohttp.TraceConfig()
    hooks.on_request_exception.append(fail)
    scripted_server.respond_with(ScriptedServer.raw(b""))
    async with RoomsClient(CANARY, base_url=scripted_server.url, trace_configs=[hooks]) as client:
        with pytest.raises(LookupError, match="a mistake") as caught:
            await client.tokens.refresh("a-room", REFRESH)
    assert caught.value.__context__ is not None
    check_capture(caught.value)
    assert "in fail\n" in caught.value.__notes__[0]


async def test_a_borrowed_session_that_is_closed_shows_no_secret(scripted_server: ScriptedServer) -> None:
    """The error of a call that waits for a connection has a cancellation in aiohttp's frames behind it."""
    scripted_server.respond_with(ScriptedServer.raw(b"", "hang"))
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1))
    client = RoomsClient(CANARY, base_url=scripted_server.url, session=session)
    busy = asyncio.ensure_future(session.get(scripted_server.url))
    while not scripted_server.requests:
        await asyncio.sleep(0)
    call = asyncio.ensure_future(client.tokens.refresh("a-room", REFRESH))
    await asyncio.sleep(0.01)
    await session.close()
    with pytest.raises(ClientClosedError) as caught:
        await call
    assert isinstance(caught.value.__context__, asyncio.CancelledError)
    check_capture(caught.value)
    await asyncio.wait([busy])
    assert busy.exception()


UUID = "0ccc7b54-4df3-4bca-a65a-3da1ecc777f0"
SWAPPED = {
    "JWT": "eyJhbGciOiJFZDI1NTE5In0.eyJDQU5BUlkiOjF9.CANARY",
    "cut JWT": "eyJhbGciOiJFZDI1NTE5In0.CANARY",
    "no id": f"CANARY {PADDING}",
    "long": f"CANARY{PADDING * 3}",
    "opaque": f"CANARY{PADDING}",
}


@pytest.mark.parametrize("room_id", ["a-room", UUID])
@pytest.mark.parametrize("token", SWAPPED.values(), ids=SWAPPED)
async def test_swapped_arguments_of_refresh_show_no_token(
    scripted_server: ScriptedServer, caplog: pytest.LogCaptureFixture, token: str, room_id: str
) -> None:
    """A refresh token in the place of the id is not shown; what can be no id is not sent."""
    caplog.set_level(logging.DEBUG)
    refusal = json.dumps({"errors": [{"detail": f"there is no room {token}"}]}).encode()
    scripted_server.respond_with(ScriptedServer.http(404, refusal))
    for read_only in (False, True):
        async with RoomsClient(CANARY, base_url=scripted_server.url, read_only=read_only) as client:
            with pytest.raises(TelnyxRoomsError) as caught:
                await client.tokens.refresh(token, room_id)
            check_capture(caught.value)
            call = traced(client).tokens.refresh(token, room_id)
            with pytest.raises(TelnyxRoomsError) as caught:
                await call
            check_capture(caught.value)
    assert "CANARY" not in caplog.text
    is_opaque = token.startswith(f"CANARY{PADDING}") and len(token) < 255 and room_id != UUID
    assert len(scripted_server.requests) == (2 if is_opaque else 0)


BASE_URLS = [
    "https://user:CANARY@api.example.com/v2",
    "https://CANARY@api.example.com/v2",
    "https://api.example.com/v2?key=CANARY",
    "https://api.example.com/v2#CANARY",
    "https://api.example.com/CANARY v2",
    "CANARY",
    "ftp://user:CANARY@api.example.com",
    "https://user:CANARY@[::1/",
]


@pytest.mark.parametrize("url", BASE_URLS)
def test_a_refused_base_url_shows_no_credentials(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The base URL is in no message, frame or repr if it may hold credentials."""
    settings = Settings(api_key=CANARY, base_url=url)
    assert "CANARY" not in repr(settings)
    with pytest.raises(ConfigurationError) as caught:
        RoomsClient(CANARY, base_url=url)
    check_capture(caught.value)
    with pytest.raises(ConfigurationError) as caught:
        RoomsClient.from_settings(settings)
    check_capture(caught.value)
    monkeypatch.setenv("TELNYX_BASE_URL", url)
    with pytest.raises(ConfigurationError) as caught:
        RoomsClient(CANARY)
    check_capture(caught.value)


def test_settings_show_a_plain_base_url() -> None:
    """A base URL without credentials is shown."""
    assert "'http://127.0.0.1:8080/v2'" in repr(Settings(base_url="http://127.0.0.1:8080/v2"))
    assert "base_url=None" in repr(Settings())


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


async def test_a_borrowed_session_does_not_show_the_key(scripted_server: ScriptedServer) -> None:
    """The key is put on each request, and never into the session that was lent."""
    scripted_server.respond_with(ScriptedServer.http(200, b'{"data":{"id":"a-room"}}'))
    async with aiohttp.ClientSession() as session:
        client = RoomsClient(
            CANARY, base_url=scripted_server.url, session=session, retry=RetryPolicy(attempts=1)
        )
        await client.rooms.retrieve("a-room")
        assert CANARY not in repr(session.headers)


async def test_the_emulator_does_not_show_its_key() -> None:
    """The emulator's record holds the key that arrived, and does not print it."""
    async with Emulator(api_key=CANARY) as telnyx:
        async with RoomsClient(CANARY, base_url=telnyx.url) as client:
            await client.rooms.create()
        assert telnyx.requests[0].headers["authorization"] == f"Bearer {CANARY}"
        assert CANARY not in repr(telnyx.requests) + repr(vars(telnyx))
