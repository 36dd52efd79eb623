"""The client's door: what it is made with, how long it lives, and the way around its verbs."""

import asyncio
import gc
import pickle
import socket
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from telnyx_rooms_async import (
    ClientClosedError,
    ConfigurationError,
    InvalidArgumentError,
    NotFoundError,
    OutcomeUnknownError,
    RetryPolicy,
    RoomsClient,
    Settings,
    WrongEventLoopError,
)
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock
from tests.helpers.scripted_server import ScriptedServer

OK = ScriptedServer.http(200, b'{"data":{"id":"a-room"}}')


async def test_key_and_url_of_the_environment(telnyx: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without arguments the client takes both from the environment."""
    monkeypatch.setenv("TELNYX_API_KEY", telnyx.api_key)
    monkeypatch.setenv("TELNYX_BASE_URL", telnyx.url)
    async with RoomsClient() as client:
        assert await client.rooms.list().count() == 0


def test_arguments_come_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is passed wins, and a slash at the end of the URL is no matter."""
    monkeypatch.setenv("TELNYX_BASE_URL", "https://example.org/v2")
    assert repr(RoomsClient("KEY")) == "<RoomsClient https://example.org/v2>"
    assert (
        repr(RoomsClient("KEY", base_url="https://example.com/v2/")) == "<RoomsClient https://example.com/v2>"
    )
    monkeypatch.delenv("TELNYX_BASE_URL")
    assert repr(RoomsClient("KEY")) == "<RoomsClient https://api.telnyx.com/v2>"


@pytest.mark.parametrize("key", ["", "a key", "key\n", "kéy", "key\0", " ", b"KEY", 7, ["KEY"]], ids=repr)
def test_a_key_that_cannot_be_sent(key: str) -> None:
    """A key that is no header value is refused at construction, and not shown."""
    with pytest.raises(ConfigurationError) as caught:
        RoomsClient(key)
    assert "key\n" not in str(caught.value)


@pytest.mark.parametrize("quotes", ['""', "''", "``", "\u201c\u201d", ' "" ', '"', "\u2019"], ids=ascii)
def test_quotes_around_settings_are_named(quotes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not everything that reads a file of variables removes quotes: the error says that they are there."""
    around = "{}".join((quotes[: len(quotes) // 2], quotes[len(quotes) // 2 :]))
    with pytest.raises(ConfigurationError, match=r"^the API key must stand without quotes around it$"):
        RoomsClient(around.format("KEY-CANARY"))
    monkeypatch.setenv("TELNYX_BASE_URL", around.format("https://user:CANARY@example.com/v2"))
    with pytest.raises(ConfigurationError, match=r"^the base URL must stand without quotes around it$"):
        RoomsClient("KEY")


def test_no_key() -> None:
    """Without a key anywhere, the error says where one is looked for."""
    with pytest.raises(ConfigurationError, match="TELNYX_API_KEY"):
        RoomsClient()


BAD_URLS = {
    "without a scheme": "api.telnyx.com/v2",
    "of another scheme": "ftp://api.telnyx.com",
    "without a host": "https:///v2",
    "with a user": "https://user:pass@api.telnyx.com",
    "with a query": "https://api.telnyx.com/v2?a=b",
    "with a fragment": "https://api.telnyx.com/v2#a",
    "with a space": "https://api.telnyx.com/v 2",
    "with a port that is none": "https://api.telnyx.com:port",
    "with a broken address": "https://[::1",
    "with an empty label": "https://a..telnyx.com",
    "with a dot in front": "https://.telnyx.com",
    "with a label too long": f"https://{'a' * 64}.com",
    "with a backslash": "https://a\\b.com",
    "in the clear": "http://api.telnyx.com/v2",
    "empty": "",
    "no text": 7,
}


@pytest.mark.parametrize("url", BAD_URLS.values(), ids=BAD_URLS)
def test_a_base_url_that_cannot_be_used(url: str) -> None:
    """A base URL that is not plain https is refused at construction, without its password."""
    with pytest.raises(ConfigurationError) as caught:
        RoomsClient("KEY", base_url=url)
    assert "pass" not in str(caught.value)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8080", "127.3.2.1", "localhost", "LOCALHOST:80", "[::1]:80", "[::ffff:127.0.0.1]"]
)
def test_http_is_for_this_machine(host: str) -> None:
    """A plain http URL may lead to this machine, and elsewhere only when asked for."""
    assert host in repr(RoomsClient("KEY", base_url=f"http://{host}/v2"))
    assert "10.0.0.1" in repr(RoomsClient("KEY", base_url="http://10.0.0.1", allow_insecure=True))


@pytest.mark.parametrize("text", ["true", "True", " TRUE "])
def test_the_environment_allows_http(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """In a network of containers both variables lead to another machine, without a change to the program."""
    monkeypatch.setenv("TELNYX_BASE_URL", "http://telnyx:8080/v2")
    with pytest.raises(ConfigurationError, match="set TELNYX_ALLOW_INSECURE=true"):
        RoomsClient("KEY")
    monkeypatch.setenv("TELNYX_ALLOW_INSECURE", text)
    assert "http://telnyx:8080/v2" in repr(RoomsClient("KEY"))
    assert "http://telnyx:8080/v2" in repr(RoomsClient.from_settings(Settings(api_key="KEY")))


@pytest.mark.parametrize("text", ["false", "False", ""])
def test_the_environment_allows_no_http(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """What says no is no, and an empty variable is none; `allow_insecure` still allows it."""
    monkeypatch.setenv("TELNYX_ALLOW_INSECURE", text)
    with pytest.raises(ConfigurationError, match="in the clear"):
        RoomsClient("KEY", base_url="http://telnyx:8080/v2")
    RoomsClient("KEY", base_url="http://telnyx:8080/v2", allow_insecure=True)


@pytest.mark.parametrize("text", ["yes", "1", "0", "on", "truee", "KEYcanary"])
def test_the_environment_says_true_or_false(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Anything else is refused, for https too, and is not shown: it may be a secret in the wrong place."""
    monkeypatch.setenv("TELNYX_ALLOW_INSECURE", text)
    with pytest.raises(ConfigurationError) as caught:
        RoomsClient("KEY", base_url="https://api.telnyx.com/v2")
    assert str(caught.value) == "TELNYX_ALLOW_INSECURE must be true or false"


@pytest.mark.parametrize(
    "host",
    [
        "localhost.evil.com",
        "localhost.",
        "x.localhost",
        "localhost.localdomain",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.0.0.1.",
        "127.0.0.1.nip.io",
        "0.0.0.0",
        "[::]",
        "[::1%25lo]",
        "[::127.0.0.1]",
        "[::ffff:10.0.0.1]",
    ],
)
def test_http_is_refused_where_only_a_resolver_may_lead_to_this_machine(host: str) -> None:
    """Only localhost itself and a literal loopback address are this machine for certain."""
    with pytest.raises(ConfigurationError):
        RoomsClient("KEY", base_url=f"http://{host}/v2")


NO_BOOLEANS: list[object] = ["false", "true", "0", "", 0, 1, None, [], object()]


@pytest.mark.parametrize("value", NO_BOOLEANS)
@pytest.mark.parametrize("name", ["allow_insecure", "trust_env", "read_only"])
def test_flags_are_booleans(name: str, value: Any) -> None:
    """The text "false" would allow what it is to forbid, and None in `read_only` would lift it."""
    with pytest.raises(ConfigurationError, match=f"{name} must be True or False"):
        RoomsClient("KEY", **{name: value})
    with pytest.raises(ConfigurationError, match=f"{name} must be True or False"):
        RoomsClient.from_settings(Settings(api_key="KEY", **{name: value}))
    if name == "read_only":
        with pytest.raises(ConfigurationError, match="read_only must be True or False"):
            RoomsClient("KEY").with_options(read_only=value)


@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan"), "5", True, None])
def test_options_that_are_no_positive_numbers(value: float) -> None:
    """Timeouts are positive and finite, at construction and in a view."""
    for name in ("timeout", "attempt_timeout"):
        with pytest.raises(ConfigurationError, match=f"{name} must be a positive number"):
            RoomsClient("KEY", **{name: value})  # type: ignore[arg-type]  # wrong on purpose
    if value is not None:
        with pytest.raises(ConfigurationError, match="timeout must be a positive number"):
            RoomsClient("KEY").with_options(timeout=value)


@pytest.mark.parametrize("value", [0, -1, 2.5, 3.0, float("inf"), "5", True, None])
def test_a_count_is_a_whole_number(value: int) -> None:
    """There is no half a connection."""
    with pytest.raises(ConfigurationError, match="max_connections must be a whole number, 1 or more"):
        RoomsClient("KEY", max_connections=value)


BAD_POLICIES = {
    "another thing": 3,
    "attempts as text": RetryPolicy(attempts="3"),  # type: ignore[arg-type]  # wrong on purpose
    "no attempt": RetryPolicy(attempts=0),
    "a negative pause": RetryPolicy(backoff_base=-1),
    "an endless pause": RetryPolicy(backoff_max=float("inf")),
    "a pause as text": RetryPolicy(retry_after_max="60"),  # type: ignore[arg-type]  # wrong on purpose
}


@pytest.mark.parametrize("policy", BAD_POLICIES.values(), ids=BAD_POLICIES)
def test_a_policy_that_makes_no_sense(policy: RetryPolicy) -> None:
    """A policy is checked when a client or a view is made, not at the first failure."""
    with pytest.raises(ConfigurationError):
        RoomsClient("KEY", retry=policy)
    with pytest.raises(ConfigurationError):
        RoomsClient("KEY").with_options(retry=policy)


def test_a_session_that_is_none() -> None:
    """Only an aiohttp session can be lent."""
    with pytest.raises(ConfigurationError, match=r"session must be an aiohttp\.ClientSession"):
        RoomsClient("KEY", session="session")  # type: ignore[arg-type]  # wrong on purpose


def test_a_client_is_not_pickled() -> None:
    """A client holds the key, and does not let it out in a pickle, nor do its listings."""
    client = RoomsClient("KEY")
    for it in (client, client.with_options(timeout=1), client.rooms.list()):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(it)


def test_a_client_is_made_without_a_loop() -> None:
    """Making a client opens nothing; leaving it unused needs no closing."""
    client = RoomsClient("KEY")
    del client
    gc.collect()


async def test_a_closed_client(telnyx: Emulator) -> None:
    """After close every call is refused at once, and closing again is fine."""
    client = RoomsClient(telnyx.api_key, base_url=telnyx.url)
    await client.rooms.list().count()
    view = client.with_options(timeout=5)
    await client.close()
    await client.close()
    for closed in (client, view):
        with pytest.raises(ClientClosedError):
            await closed.rooms.list().count()
    assert len(telnyx.requests) == 1


async def test_closing_an_unused_client() -> None:
    """A client that never called closes without ado."""
    async with RoomsClient("KEY") as client:
        pass
    with pytest.raises(ClientClosedError):
        await client.rooms.retrieve("a-room")


async def test_a_borrowed_session_is_used_and_never_closed(telnyx: Emulator) -> None:
    """A session that the user lends serves the calls, with its own headers, and stays open."""
    async with aiohttp.ClientSession(headers={"X-Team": "Video"}) as session:
        async with RoomsClient(telnyx.api_key, base_url=telnyx.url, session=session) as client:
            await client.rooms.create()
        assert not session.closed
        sent = telnyx.requests[-1].headers
        assert (sent["x-team"], sent["authorization"]) == ("Video", f"Bearer {telnyx.api_key}")
        again = RoomsClient(telnyx.api_key, base_url=telnyx.url, session=session)
        assert await again.rooms.list().count() == 1
    with pytest.raises(ClientClosedError):
        await again.rooms.list().count()


async def test_the_middlewares_of_a_borrowed_session_are_kept(telnyx: Emulator) -> None:
    """What the user has put around every request of his session is around ours too."""
    seen: list[str] = []

    async def watch(
        request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        seen.append(request.method)
        return await send(request)

    async with aiohttp.ClientSession(middlewares=[watch]) as session:
        client = RoomsClient(telnyx.api_key, base_url=telnyx.url, session=session)
        await client.rooms.create()
    assert seen == ["POST"]


async def test_a_borrowed_session_that_raises_for_status(telnyx: Emulator) -> None:
    """What the session does with statuses for its owner is no matter to the client."""
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        client = RoomsClient(telnyx.api_key, base_url=telnyx.url, session=session)
        with pytest.raises(NotFoundError):
            await client.rooms.retrieve("no-such-room")


async def test_a_borrowed_session_with_a_password_from_netrc(
    telnyx: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that would send netrc's password in the key's place says so."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password CANARY\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    async with aiohttp.ClientSession(trust_env=True) as session:
        client = RoomsClient(telnyx.api_key, base_url=telnyx.url, session=session)
        with pytest.raises(ConfigurationError, match="has a password for this host"):
            await client.rooms.create()
    assert telnyx.requests == []


async def test_a_borrowed_session_of_another_loop() -> None:
    """A session belongs to the loop that it was made in, and so does a client that borrows it."""
    async with aiohttp.ClientSession() as session:
        client = RoomsClient("KEY", session=session)

        def use_elsewhere() -> None:
            with pytest.raises(WrongEventLoopError):
                asyncio.run(client.rooms.list().count())

        await asyncio.to_thread(use_elsewhere)


async def test_borrowed_session_has_no_proxy_of_the_client() -> None:
    """A client that lent a session cannot add the proxy of the environment to it, and says so."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ConfigurationError, match="trust_env is for a session of our own"):
            RoomsClient("KEY", session=session, trust_env=True)


@pytest.mark.filterwarnings("ignore:(The 'auth' parameter|BasicAuth):DeprecationWarning")
async def test_a_borrowed_session_with_an_auth_of_its_own() -> None:
    """A session that would put its own password in the key's place is refused."""
    async with aiohttp.ClientSession(auth=aiohttp.BasicAuth("me", "secret")) as session:
        with pytest.raises(ConfigurationError, match="auth of its own"):
            RoomsClient("KEY", session=session)


async def test_a_view_has_its_own_patience_and_the_same_session(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """A view changes what it is given and shares the rest; the client is not changed by it."""
    scripted_server.respond_with(ScriptedServer.http(500))
    async with RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock) as client:
        view = client.with_options(timeout=1, attempt_timeout=0.5, retry=RetryPolicy(attempts=2))
        assert type(view) is RoomsClient
        for each, requests in ((view, 2), (client, 3)):
            scripted_server.respond_with(ScriptedServer.http(500))
            with pytest.raises(Exception, match="500"):
                await each.rooms.retrieve("a-room")
            assert len(scripted_server.requests) == requests
        assert scripted_server.open_connections == 1


def test_one_loop_after_the_other() -> None:
    """A client that was used in one loop is used in the next, with a session of its own."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port: int = free.getsockname()[1]
    client = RoomsClient("KEY", base_url=f"http://127.0.0.1:{port}/v2")

    async def use() -> None:
        async with Emulator(api_key="KEY", port=port):
            assert await client.rooms.list().count() == 0

    asyncio.run(use())
    asyncio.run(use())
    asyncio.run(client.close())


def test_two_loops_at_once() -> None:
    """A client that is in use in one loop says so when it is used, or closed, in another one."""

    async def use(client: RoomsClient) -> None:
        with pytest.raises(WrongEventLoopError):
            await client.rooms.list().count()
        with pytest.raises(WrongEventLoopError):
            await client.close()

    async def main() -> None:
        async with Emulator() as telnyx, RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
            await client.rooms.list().count()
            await asyncio.to_thread(asyncio.run, use(client))
            await client.rooms.list().count()

    asyncio.run(main())


async def test_a_request_of_ones_own(client: RoomsClient, telnyx: Emulator) -> None:
    """What has no verb is asked for by method and path, with the same key and errors."""
    made = await client.request("POST", "/rooms", json={"unique_name": "Weekly"})
    assert (made.status, made.header("Content-Type")) == (201, "application/json")
    assert UUID(made.headers["x-request-id"]).version == 4
    assert b'"Weekly"' in made.body
    found = await client.request(
        "GET", "/rooms", query={"filter[unique_name]": "Weekly", "page[size]": 1, "include_sessions": True}
    )
    assert telnyx.requests[-1].query == (
        ("filter[unique_name]", "Weekly"),
        ("page[size]", "1"),
        ("include_sessions", "true"),
    )
    assert b'"total_results":1' in found.body
    with pytest.raises(NotFoundError):
        await client.request("GET", "/nothing/here")


async def test_a_request_of_ones_own_is_repeated_by_its_method(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """A GET is repeated; a POST that may have arrived is not; a repeated DELETE may find nothing."""
    async with RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock) as client:
        scripted_server.respond_with(ScriptedServer.http(502), OK)
        assert (await client.request("GET", "/rooms/a-room")).status == 200
        scripted_server.respond_with(ScriptedServer.http(502), OK)
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.request("POST", "/rooms", json={"unique_name": "Weekly"})
        assert (caught.value.operation, caught.value.unique_name) == ("POST /rooms", "Weekly")
        scripted_server.respond_with(ScriptedServer.http(502), ScriptedServer.http(404))
        assert (await client.request("DELETE", "/rooms/a-room")).status == 404


BAD_REQUESTS: dict[str, tuple[object, object, dict[str, object]]] = {
    "another method": ("TRACE", "/rooms", {}),
    "a method with a line break": ("GET\r\n", "/rooms", {}),
    "a relative path": ("GET", "rooms", {}),
    "another host": ("GET", "//example.com/rooms", {}),
    "a whole URL": ("GET", "https://example.com", {}),
    "a way up": ("GET", "/rooms/../keys", {}),
    "a query in the path": ("GET", "/rooms?a=b", {}),
    "a space": ("GET", "/rooms/a b", {}),
    "an encoded dot": ("GET", "/rooms/%2e%2e", {}),
    "no path": ("GET", None, {}),
    "a query that is no mapping": ("GET", "/rooms", {"query": [("a", 1)]}),
    "a query of another kind": ("GET", "/rooms", {"query": {"a": [1]}}),
    "a body that is not JSON": ("POST", "/rooms", {"json": object()}),
}


@pytest.mark.parametrize(("method", "path", "options"), BAD_REQUESTS.values(), ids=BAD_REQUESTS)
async def test_a_request_of_ones_own_cannot_lead_astray(
    client: RoomsClient, telnyx: Emulator, method: str, path: str, options: dict[str, object]
) -> None:
    """Method, path, query and body are checked before anything is sent."""
    with pytest.raises(InvalidArgumentError):
        await client.request(method, path, **options)  # type: ignore[arg-type]  # wrong on purpose
    assert telnyx.requests == []


async def _async_hook(_: object, __: int = 0) -> None: ...


class _AsyncHook:
    async def __call__(self, _: object) -> None: ...


async def test_coroutine_of_a_plain_hook_is_logged(
    telnyx: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """A plain function that returns a coroutine cannot be refused before; its call is closed and logged."""
    client = RoomsClient(telnyx.api_key, base_url=telnyx.url, on_attempt=lambda it: _async_hook(it, 1))
    async with client:
        assert await client.rooms.list().count() == 0
    assert "on_attempt returned a coroutine, which was not awaited" in caplog.text


@pytest.mark.parametrize("hook", [_async_hook, partial(_async_hook), _AsyncHook()])
def test_an_async_hook_is_refused(hook: Any) -> None:
    """It would never be awaited, and count nothing."""
    with pytest.raises(ConfigurationError, match="on_attempt must be a plain function"):
        RoomsClient("KEY", on_attempt=hook)


async def test_response_headers_of_64_kb_are_read() -> None:
    """A proxy or a policy header can be long."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b'{"data":{"id":"a-room"}}'
        policy = b"Content-Security-Policy: " + b"a" * 60_000
        writer.write(b"HTTP/1.1 200 OK\r\n%b\r\nContent-Length: %d\r\n\r\n%b" % (policy, len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with RoomsClient("KEY", base_url=url) as client:
        assert (await client.rooms.retrieve("a-room")).id == "a-room"
    server.close()
