"""Secrets are in no error, log, repr or pickle, and in no frame that an error reporter shows."""

import asyncio
import html
import io
import json
import logging
import pickle
import re
import urllib.parse
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias

import aiohttp
import pytest
from attrs import evolve

from telnyx_rooms_async import (
    APIResponseError,
    APIStatusError,
    ClientClosedError,
    ConfigurationError,
    ErrorDetail,
    InvalidArgumentError,
    RetryPolicy,
    RoomsClient,
    Settings,
    TelnyxRoomsError,
    UnprocessableEntityError,
)
from telnyx_rooms_async.core.requests import RefreshBody
from telnyx_rooms_async.emulator import Emulator
from telnyx_rooms_async.integrations.opentelemetry import instrument
from tests.helpers.clocks import FakeClock, wait_until
from tests.helpers.error_reports import reported_texts, traceback_files
from tests.helpers.scripted_server import Reply, ScriptedServer

Action: TypeAlias = Callable[[RoomsClient], Awaitable[object]]
Reached: TypeAlias = Callable[[], Awaitable[None]]
End: TypeAlias = Callable[[RoomsClient, Action, Reached], Awaitable[BaseException]]

CANARY = "KEY0123CANARY"
HANG = Reply(b"", "hang")


def check_report(error: BaseException) -> None:
    """Check that neither a pickle nor an error reporter has a secret of an error that left the library."""
    assert b"CANARY" not in pickle.dumps(error)
    assert [text for text in reported_texts(error) if "CANARY" in text] == []


# --- errors, logs and reprs ---------------------------------------------------------------------------------

TOKENS = {"plain": "REFRESH-CANARY", "escaped in JSON": 'CANARY"\\/é\n'}


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
@pytest.mark.parametrize("ensure_ascii", [True, False])
@pytest.mark.parametrize("slash", ["/", r"\/"], ids=["plain slash", "escaped slash"])
async def test_token_that_a_refusal_repeats_is_replaced(
    scripted_server: ScriptedServer,
    caplog: pytest.LogCaptureFixture,
    token: str,
    slash: str,
    *,
    ensure_ascii: bool,
) -> None:
    caplog.set_level(logging.DEBUG)
    body = json.dumps({"errors": [{"detail": f"{token} is not known"}]}, ensure_ascii=ensure_ascii)
    scripted_server.respond_with(ScriptedServer.http(422, body.replace("/", slash).encode()))
    async with RoomsClient("KEY", base_url=scripted_server.url) as client:
        with pytest.raises(UnprocessableEntityError) as caught:
            await client.tokens.refresh("a-room", token)
    assert caught.value.detail == "*** is not known"
    assert "CANARY" not in caplog.text
    check_report(caught.value)
    assert b"CANARY" in scripted_server.requests[0]


ESCAPES: dict[str, Callable[[str], str]] = {
    "escapes of Go": lambda text: text.replace("&", r"\u0026").replace("+", r"\u002B"),
    "all escaped": lambda text: "".join(rf"\u{ord(character):04x}" for character in text),
    "HTML": lambda text: html.escape(text, quote=False),
    "URL": lambda text: urllib.parse.quote(text, safe=""),
}


@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES)
async def test_secret_that_a_refusal_repeats_is_replaced_in_any_form(
    scripted_server: ScriptedServer, escape: Callable[[str], str]
) -> None:
    token = "REFRESH+CANARY&=="
    body = '{"errors": [{"detail": "%s", "meta": {"%s": ["%s"]}}]}' % ((escape(token),) * 3)
    scripted_server.respond_with(ScriptedServer.http(422, body.encode()))
    async with RoomsClient("KEY", base_url=scripted_server.url) as client:
        with pytest.raises(UnprocessableEntityError) as caught:
            await client.tokens.refresh("a-room", token)
    assert caught.value.errors == (ErrorDetail(detail="***", meta={"***": ["***"]}),)


HEADERS = {
    "X_Request_Id": "req-1",
    "Location": "https://me:CANARY@files.test/film?signature=CANARY",
    "Set_Cookie": "session=CANARY",
}


@pytest.mark.parametrize("status", [200, 302, 422, 500])
async def test_headers_that_repeat_secrets_are_redacted_in_errors(
    scripted_server: ScriptedServer, status: int
) -> None:
    token = "REFRESH+CANARY"
    repeated = f"{CANARY} {token} {urllib.parse.quote(token, safe='')}"
    scripted_server.respond_with(ScriptedServer.http(status, b"[]", X_Url=repeated, **HEADERS))
    async with RoomsClient(CANARY, base_url=scripted_server.url, retry=RetryPolicy(max_attempts=1)) as client:
        with pytest.raises(TelnyxRoomsError) as caught:
            await client.tokens.refresh("a-room", token)
    error = caught.value
    assert isinstance(error, APIStatusError | APIResponseError)
    assert (error.status_code, error.headers["x-url"]) == (status, "*** *** ***")
    assert (error.request_id, error.headers["X-Request-Id"]) == ("req-1", "req-1")
    assert error.headers["Location"] == "https://files.test/film?***"
    assert error.headers["Set-Cookie"] == "***"
    check_report(error)


HOOK = "https://user:CANARY@example.com/hook?token=CANARY"


@pytest.mark.parametrize(
    "url",
    [HOOK, HOOK.replace("https", "ftp"), HOOK[8:], HOOK.encode(), [HOOK]],
    ids=["valid", "ftp", "no scheme", "bytes", "list"],
)
async def test_secrets_of_a_webhook_url_are_not_shown(scripted_server: ScriptedServer, url: Any) -> None:
    """Neither when it is refused here, nor when a refusal of the server repeats it."""
    body = json.dumps({"errors": [{"detail": f"{HOOK} does not answer"}]})
    scripted_server.respond_with(ScriptedServer.http(422, body.encode()))
    async with RoomsClient("KEY", base_url=scripted_server.url) as client:
        for call in (
            client.rooms.create(unique_name="Weekly", webhook_event_url=url),
            client.rooms.update("a-room", webhook_event_failover_url=url),
        ):
            with pytest.raises(TelnyxRoomsError) as caught:
                await call
            assert "CANARY" not in f"{caught.value} {caught.value!r} {vars(caught.value)}"
            if isinstance(caught.value, UnprocessableEntityError):
                assert caught.value.detail == "https://***example.com/hook*** does not answer"


async def test_plan_does_not_show_secrets_of_webhook_urls(telnyx: Emulator, client: RoomsClient) -> None:
    await client.rooms.create(unique_name="Weekly", webhook_event_url=HOOK)
    new = HOOK.replace("hook", "new")
    plan = await client.rooms.plan(
        [
            {"unique_name": "Weekly", "webhook_event_url": new},
            {"unique_name": "Daily", "webhook_event_failover_url": HOOK},
        ]
    )
    assert "'https://example.com/hook?***' -> 'https://example.com/new?***'" in str(plan)
    outcomes = [outcome async for outcome in client.rooms.apply(plan)]
    assert "CANARY" not in f"{plan} {plan!r} {outcomes!r} {telnyx.rooms!r}"
    assert [room.webhook_event_url for room in telnyx.rooms] == [new, None]


async def test_key_is_not_in_the_repr_of_clients_sessions_and_emulators() -> None:
    async with Emulator(api_key=CANARY) as telnyx, aiohttp.ClientSession() as session:
        client = RoomsClient(CANARY, base_url=telnyx.url, session=session)
        await client.rooms.create()
        shown = f"{client!r} {vars(client)!r} {client.with_options(timeout=1)!r} {session.headers!r}"
        assert CANARY not in f"{shown} {telnyx.requests!r} {vars(telnyx)!r}"
        assert telnyx.requests[0].headers["authorization"] == f"Bearer {CANARY}"


@pytest.mark.parametrize(
    "url",
    [
        "https://user:CANARY@api.example.com/v2",
        "https://api.example.com/v2?key=CANARY",
        "https://api.example.com/CANARY v2",
        "CANARY",
        "https://user:CANARY@[::1/",
        "https://user:CANARY#x@api.example.com/v2",
    ],
)
def test_refused_base_url_is_in_no_report(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(api_key=CANARY, base_url=url)
    assert "CANARY" not in repr(settings)
    makes: list[Callable[[], RoomsClient]] = [
        lambda: RoomsClient(CANARY, base_url=url),
        lambda: RoomsClient.from_settings(settings),
        lambda: RoomsClient(CANARY),
    ]
    monkeypatch.setenv("TELNYX_BASE_URL", url)
    for make in makes:
        with pytest.raises(ConfigurationError) as caught:
            make()
        check_report(caught.value)
        assert "CANARY" not in repr(caught.value.__context__)


@pytest.mark.parametrize(
    "options",
    [
        *({"api_key": f"{CANARY}\n"}, {"api_key": f"{CANARY}é"}, {"timeout": -1}, {"base_url": "a"}),
        *({"default_headers": {"Authorization": CANARY}}, {"default_headers": {"X-Key": f"{CANARY}é"}}),
    ],
)
def test_key_beside_an_invalid_option_is_in_no_report(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RoomsClient(**{"api_key": CANARY, **options})
    check_report(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        *({"api_key": f"{CANARY}\n"}, {"api_key": CANARY, "timeout": -1}),
        *({"headers": {"Host": CANARY}}, {"headers": {"X-Key": f"{CANARY}é"}}, {"headers": CANARY}),
        *({"headers": {"X-Key": CANARY}, "query": {"a": None}}, {"body": {"a": CANARY}, "max_retries": -1}),
    ],
)
def test_values_of_a_view_that_is_refused_are_in_no_report(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RoomsClient("KEY").with_options(**options)
    check_report(caught.value)


# --- frames of calls that fail or end early -----------------------------------------------------------------

PADDING = "x" * 120  # error reporters cut long strings
REFRESH_TOKEN = f"REFRESH-CANARY-{PADDING}"
ACTIONS: dict[str, Action] = {
    "create token": lambda client: client.tokens.create("a-room"),
    "refresh token": lambda client: client.tokens.refresh("a-room", REFRESH_TOKEN),
    "custom request": lambda client: client.request("PUT", "/any", json={"refresh_token": REFRESH_TOKEN}),
    "retrieve link": lambda client: client.recordings.download("a-recording", io.BytesIO()),
    "download": lambda client: client.recordings.download("a-recording", io.BytesIO()),
    "retrieve room": lambda client: client.rooms.retrieve("a-room"),
}
every_action = pytest.mark.parametrize("action", ACTIONS)


def secret_body(server: ScriptedServer) -> bytes:
    """Make a body that is valid for all actions and contains a secret of each kind."""
    link = f"{server.url}/file?X-Amz-Signature=SIGNATURE-CANARY-{PADDING}"
    fields = {"id": "it", "status": "completed", "download_url": link}
    tokens = {"token": f"TOKEN-CANARY-{PADDING}", "refresh_token": REFRESH_TOKEN}
    return json.dumps({"data": fields | tokens}).encode()


def respond(server: ScriptedServer, action: str, reply: Callable[[bytes], Reply]) -> None:
    """Set the reply to an action. A download has its link first; its file is not a secret of the library."""
    body = secret_body(server)
    if action == "download":
        server.respond_with(ScriptedServer.http(200, body), reply(b"a file"))
    else:
        server.respond_with(reply(body))


def incomplete(body: bytes) -> bytes:
    """Return a response that lacks its last byte."""
    return b"HTTP/1.1 200 OK\r\nX-Note: CANARY\r\nContent-Length: %d\r\n\r\n%b" % (len(body) + 1, body)


def incomplete_chunk(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b" % (len(body) + 1, body)


HANGS: dict[str, Callable[[bytes], Reply]] = {
    "before the headers": lambda _: HANG,
    "in the headers": lambda body: ScriptedServer.raw(incomplete(body)[:40], "hang"),
    "in the body": lambda body: ScriptedServer.raw(incomplete(body), "hang"),
    "in a chunk": lambda body: ScriptedServer.raw(incomplete_chunk(body), "hang"),
    "before the next attempt": lambda _: ScriptedServer.http(500, b"{}"),
}


async def cancel(client: RoomsClient, action: Action, reached: Reached) -> BaseException:
    task = asyncio.ensure_future(action(client))
    await reached()
    task.cancel("enough")
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert caught.value.args == ("enough",)
    return caught.value


async def time_out(client: RoomsClient, action: Action, reached: Reached) -> BaseException:
    async def expire(timeout: asyncio.Timeout) -> None:
        await reached()
        timeout.reschedule(0)

    async def call() -> None:
        async with asyncio.timeout(None) as timeout:
            expiring = asyncio.create_task(expire(timeout))
            try:
                await action(client)
            finally:
                await expiring

    with pytest.raises(TimeoutError) as caught:
        await call()
    return caught.value


async def close(client: RoomsClient, action: Action, reached: Reached) -> BaseException:
    task = asyncio.ensure_future(action(client))
    await reached()
    await client.close()
    with pytest.raises(ClientClosedError) as caught:
        await task
    return caught.value


every_end = pytest.mark.parametrize("end", [cancel, time_out, close], ids=lambda end: end.__name__)


@every_end
@pytest.mark.parametrize("hang", HANGS)
@every_action
async def test_report_of_a_call_that_is_ended_has_no_secret(
    scripted_server: ScriptedServer, fake_clock: FakeClock, action: str, hang: str, end: End
) -> None:
    respond(scripted_server, action, HANGS[hang])
    requests, sleeping = len(scripted_server.script), asyncio.Event()

    async def sleep(_: float) -> None:
        sleeping.set()
        await asyncio.Event().wait()

    async def reached() -> None:
        await wait_until(lambda: len(scripted_server.requests) == requests)
        if hang == "before the next attempt":
            await sleeping.wait()
        await asyncio.sleep(0.002)  # until the client has read what was sent

    clock = evolve(fake_clock.clock, sleep=sleep)
    async with RoomsClient(CANARY, base_url=scripted_server.url, clock=clock) as client:
        error = await end(client, ACTIONS[action], reached)
    check_report(error)
    assert not any("aiohttp" in file for file in traceback_files(error))


@every_end
@every_action
async def test_report_of_a_call_that_waits_for_a_connection_has_no_secret(
    scripted_server: ScriptedServer, action: str, end: End
) -> None:
    scripted_server.respond_with(HANG)

    async def connecting() -> None:
        await wait_until(lambda: scripted_server.open_connections > 0)

    async with RoomsClient(CANARY, base_url=scripted_server.url.replace("http:", "https:")) as client:
        check_report(await end(client, ACTIONS[action], connecting))

    async def queued() -> None:
        await wait_until(lambda: len(scripted_server.requests) > 0)
        await asyncio.sleep(0)

    async with RoomsClient(CANARY, base_url=scripted_server.url, max_connections=1) as client:
        first = asyncio.create_task(client.rooms.retrieve("first"))
        await queued()
        check_report(await end(client, ACTIONS[action], queued))
        first.cancel()
        await asyncio.wait([first])


@pytest.mark.parametrize("end", [cancel, close], ids=lambda end: end.__name__)
async def test_report_of_a_call_that_waits_for_its_key_has_no_secret(
    scripted_server: ScriptedServer, end: End
) -> None:
    calling = asyncio.Event()

    async def get_key() -> str:
        key = CANARY
        calling.set()
        await asyncio.Event().wait()
        return key

    async def reached() -> None:
        await calling.wait()

    headers = {"X-Gateway-Key": "GATEWAY-CANARY"}
    async with RoomsClient(get_key, base_url=scripted_server.url, default_headers=headers) as client:
        check_report(await end(client, ACTIONS["retrieve room"], reached))


@pytest.mark.parametrize("action", ACTIONS)
async def test_report_of_a_call_that_never_started_has_no_secret(
    scripted_server: ScriptedServer, action: str
) -> None:
    """A task that is cancelled before its first step carries the arguments of its coroutine."""

    async def at_once() -> None: ...

    async with RoomsClient(CANARY, base_url=scripted_server.url) as client:
        check_report(await cancel(client, ACTIONS[action], at_once))


FAILURES: dict[str, Callable[[bytes], Reply]] = {
    **{str(status): partial(ScriptedServer.http, status) for status in (302, 401, 422, 429, 500)},
    "no response": lambda _: HANG,
    "no end": lambda body: ScriptedServer.raw(incomplete(body), "hang"),
    "closed": lambda _: ScriptedServer.raw(b""),
    "reset": lambda _: ScriptedServer.raw(b"", "reset"),
    "closed in the body": lambda body: ScriptedServer.raw(incomplete(body)),
    "broken chunk": lambda body: ScriptedServer.raw(incomplete_chunk(body) + b"not a size CANARY\r\n"),
    "not HTTP": ScriptedServer.raw,
    "not JSON": lambda body: ScriptedServer.http(200, body[:-1]),
    "JSON list": lambda body: ScriptedServer.http(200, b"[%b]" % body),
    "wrong types": lambda body: ScriptedServer.http(200, re.sub(rb'": ("[^"]*")', rb'": [\1]', body)),
    "corrupt": lambda body: ScriptedServer.http(200, body, Content_Encoding="gzip"),
    "too large": lambda body: ScriptedServer.http(200, body + bytes(8 * 2**20)),
}


@pytest.mark.parametrize("failure", FAILURES)
@every_action
async def test_report_and_log_of_a_call_that_fails_have_no_secret(
    scripted_server: ScriptedServer,
    fake_clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    action: str,
    failure: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    respond(scripted_server, action, FAILURES[failure])
    client = RoomsClient(CANARY, base_url=scripted_server.url, clock=fake_clock.clock)
    with FakeClock().fast_forward():
        try:
            await ACTIONS[action](client)
        except TelnyxRoomsError as error:
            check_report(error)
        else:  # a file may contain anything, and so may the response to a custom request
            assert action in ("download", "custom request")
    await client.close()
    assert CANARY.encode() in scripted_server.requests[0]
    assert caplog.records
    assert [str(vars(record)) for record in caplog.records if "CANARY" in str(vars(record))] == []


async def test_error_of_a_trace_hook_has_a_note_with_its_lines_and_no_secret(
    scripted_server: ScriptedServer,
) -> None:
    async def fail(*_: object) -> None:
        raise LookupError("a mistake")

    hooks = aiohttp.TraceConfig()
    hooks.on_request_exception.append(fail)
    scripted_server.respond_with(ScriptedServer.raw(b""))
    async with RoomsClient(CANARY, base_url=scripted_server.url, trace_configs=[hooks]) as client:
        with pytest.raises(LookupError, match="a mistake") as caught:
            await client.tokens.refresh("a-room", REFRESH_TOKEN)
    assert caught.value.__context__ is not None
    check_report(caught.value)
    assert "in fail\n" in caught.value.__notes__[0]


async def test_report_of_a_call_whose_borrowed_session_was_closed_has_no_secret(
    scripted_server: ScriptedServer,
) -> None:
    scripted_server.respond_with(HANG)
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1))
    client = RoomsClient(CANARY, base_url=scripted_server.url, session=session)
    other = asyncio.ensure_future(session.get(scripted_server.url))
    await wait_until(lambda: len(scripted_server.requests) > 0)
    call = asyncio.ensure_future(client.tokens.refresh("a-room", REFRESH_TOKEN))
    await asyncio.sleep(0.01)
    await session.close()
    with pytest.raises(ClientClosedError) as caught:
        await call
    check_report(caught.value)
    await asyncio.wait([other])
    assert other.exception()


JWT = "eyJhbGciOiJFZDI1NTE5In0.eyJDQU5BUlkiOjF9.CANARY"
OPAQUE = f"CANARY{PADDING}"


@pytest.mark.parametrize(
    ("token", "room_id", "is_sent"),
    [
        (JWT, "a-room", False),
        (JWT.rpartition(".")[0] + "CANARY", "a-room", False),
        (f"CANARY {PADDING}", "a-room", False),
        (f"CANARY{PADDING * 3}", "a-room", False),
        (OPAQUE, "0ccc7b54-4df3-4bca-a65a-3da1ecc777f0", False),
        (OPAQUE, "a-room", True),
    ],
    ids=["JWT", "part of a JWT", "not an id", "long", "token where an id belongs", "opaque"],
)
async def test_swapped_arguments_of_refresh_do_not_show_the_token(
    scripted_server: ScriptedServer,
    caplog: pytest.LogCaptureFixture,
    token: str,
    room_id: str,
    *,
    is_sent: bool,
) -> None:
    """A token that cannot be an id, or stands where the other argument is one, is not sent."""
    caplog.set_level(logging.DEBUG)
    body = json.dumps({"errors": [{"detail": f"there is no room {token}"}]}).encode()
    scripted_server.respond_with(ScriptedServer.http(404, body))
    for read_only in (False, True):
        async with RoomsClient(CANARY, base_url=scripted_server.url, read_only=read_only) as client:
            for call in (client.tokens.refresh, instrument(client).tokens.refresh):
                with pytest.raises(TelnyxRoomsError) as caught:
                    await call(token, room_id)
                check_report(caught.value)
    assert "CANARY" not in caplog.text
    assert len(scripted_server.requests) == (2 if is_sent else 0)


@pytest.mark.parametrize(
    "token", [b"CANARY", ["CANARY"], {"refresh_token": "CANARY"}, RefreshBody(refresh_token="CANARY")]
)
async def test_token_of_another_type_where_the_room_belongs_is_not_shown(token: Any) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        await RoomsClient("KEY").tokens.refresh(token, "0ccc7b54-4df3-4bca-a65a-3da1ecc777f0")
    check_report(caught.value)
