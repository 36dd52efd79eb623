"""Proxies: the option, its variable, and those of the environment for a client with ``trust_env=True``."""

import base64
import io
import json
import socket
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_rooms_async import (
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    ProxyAuthenticationError,
    Room,
    RoomsClient,
    TelnyxRoomsError,
)
from tests.helpers.clocks import FakeClock
from tests.helpers.raw_server import running
from tests.helpers.scripted_server import Reply, ScriptedServer

OK = ScriptedServer.http(200, b'{"data":{"id":"a-room"}}')
PASSWORD = "pa55word"
Environment = Callable[..., None]


@pytest.fixture
async def proxy() -> AsyncIterator[ScriptedServer]:
    """A server that is used as a proxy."""
    async with running(ScriptedServer(script=[OK])) as server:
        yield server


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Set proxy variables, and no others. No host name can be resolved."""

    def resolve(*_: object, **__: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def set_variables(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_variables


async def retrieve(fake_clock: FakeClock, url: str = "http://api.test/v2", **options: Any) -> Room:
    """Retrieve a room with a client that uses the proxies of the environment."""
    defaults: dict[str, Any] = {"trust_env": True, "allow_insecure": True, "clock": fake_clock.clock}
    async with RoomsClient("KEY", base_url=url, **(defaults | options)) as client:
        return await client.rooms.retrieve("a-room")


def shown_by(error: BaseException) -> str:
    """Return what an exception and the locals of its traceback show."""
    frames = error.__traceback__ and error.__traceback__.tb_next
    report = traceback.TracebackException(type(error), error, frames, capture_locals=True)
    return "".join(report.format()) + f"{error!r} {vars(error)!r}"


def first_lines(server: ScriptedServer) -> list[bytes]:
    return [request.partition(b" HTTP/1.1\r\n")[0] for request in server.requests]


# --- which proxy is used ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        "127.0.0.1:{}",
        "http://127.0.0.1:{}/",
        " 127.0.0.1:{}\n",
        "me:p%40ss@127.0.0.1:{}",
        "http://me:p%40ss@127.0.0.1:{}",
    ],
)
@pytest.mark.parametrize("name", ["http_proxy", "all_proxy"])
async def test_proxy_of_the_environment_is_used_if_it_is_trusted(
    proxy: ScriptedServer, environment: Environment, fake_clock: FakeClock, form: str, name: str
) -> None:
    environment(**{name: form.format(proxy.port)})
    with pytest.raises(ConnectError):
        await retrieve(fake_clock, trust_env=False)
    assert proxy.requests == []
    assert (await retrieve(fake_clock)).id == "a-room"
    assert first_lines(proxy) == [b"GET http://api.test/v2/rooms/a-room"]
    credentials = b"\r\nProxy-Authorization: Basic " + base64.b64encode(b"me:p@ss") + b"\r\n"
    assert (credentials in proxy.requests[0]) is ("@" in form)


async def test_proxy_of_the_scheme_takes_precedence(
    proxy: ScriptedServer, environment: Environment, fake_clock: FakeClock
) -> None:
    environment(http_proxy=f"127.0.0.1:{proxy.port}", all_proxy="127.0.0.1:9")
    assert (await retrieve(fake_clock)).id == "a-room"
    with pytest.raises(ConnectError):
        await retrieve(fake_clock, "https://api.test/v2")
    assert len(proxy.requests) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.9.9.9"])
async def test_requests_to_this_machine_do_not_use_a_proxy(
    proxy: ScriptedServer, environment: Environment, fake_clock: FakeClock, host: str
) -> None:
    environment(http_proxy=f"http://127.0.0.1:{proxy.port}", no_proxy="")
    with pytest.raises(TelnyxRoomsError):
        await retrieve(fake_clock, f"http://{host}:1/v2")
    assert proxy.requests == []


@pytest.mark.parametrize(
    ("no_proxy", "is_used"),
    [
        ("api.localhost", False),
        (".localhost", False),
        ("localhost", False),
        ("*", False),
        ("api.localhost:9", False),
        ("other.test, api.localhost", False),
        ("api.localhost:81", True),
        ("pi.localhost", True),
        ("", True),
    ],
)
async def test_no_proxy_exempts_hosts_domains_and_ports(
    proxy: ScriptedServer, environment: Environment, fake_clock: FakeClock, no_proxy: str, *, is_used: bool
) -> None:
    environment(http_proxy=f"127.0.0.1:{proxy.port}", no_proxy=no_proxy)
    with suppress(ConnectError):
        await retrieve(fake_clock, "http://api.localhost:9/v2")
    assert bool(proxy.requests) is is_used


@pytest.mark.parametrize("is_api_exempt", [True, False])
async def test_api_and_file_store_each_use_the_proxy_that_applies_to_them(
    scripted_server: ScriptedServer,
    proxy: ScriptedServer,
    environment: Environment,
    fake_clock: FakeClock,
    *,
    is_api_exempt: bool,
) -> None:
    environment(http_proxy=f"127.0.0.1:{proxy.port}", no_proxy="127.0.0.1")
    direct, proxied = f"http://127.0.0.1:{scripted_server.port}", "http://elsewhere.localhost:9"
    (api, api_server), (store, store_server) = (
        ((direct, scripted_server), (proxied, proxy))
        if is_api_exempt
        else ((proxied, proxy), (direct, scripted_server))
    )
    recording = {"id": "it", "status": "completed", "download_url": f"{store}/file"}
    api_server.respond_with(ScriptedServer.http(200, json.dumps({"data": recording}).encode()))
    store_server.respond_with(ScriptedServer.http(200, b"file"))
    file = io.BytesIO()
    options: dict[str, Any] = {"trust_env": True, "allow_insecure": True}
    async with RoomsClient("KEY", base_url=f"{api}/v2", clock=fake_clock.clock, **options) as client:
        await client.recordings.download("it", file)
    assert file.getvalue() == b"file"
    assert [len(api_server.requests), len(store_server.requests)] == [1, 1]
    assert first_lines(proxy)[0].startswith(b"GET http://elsewhere.localhost:9/")


@pytest.mark.parametrize("as_variable", [True, False])
async def test_proxy_option_takes_precedence_over_the_variables_of_all_programs(
    proxy: ScriptedServer, environment: Environment, fake_clock: FakeClock, *, as_variable: bool
) -> None:
    url = f"me:p%40ss@127.0.0.1:{proxy.port}"
    environment(http_proxy="127.0.0.1:9", no_proxy="*", **({"TELNYX_PROXY": url} if as_variable else {}))
    options: dict[str, Any] = {} if as_variable else {"proxy": url}
    for trust_env in (True, False):
        assert (await retrieve(fake_clock, trust_env=trust_env, **options)).id == "a-room"
    assert first_lines(proxy) == [b"GET http://api.test/v2/rooms/a-room"] * 2
    assert b"\r\nProxy-Authorization: Basic " + base64.b64encode(b"me:p@ss") in proxy.requests[0]


async def test_requests_to_this_machine_use_a_proxy_only_by_the_argument(
    scripted_server: ScriptedServer, proxy: ScriptedServer, environment: Environment, fake_clock: FakeClock
) -> None:
    scripted_server.respond_with(OK)
    environment(TELNYX_PROXY=f"127.0.0.1:{proxy.port}")
    await retrieve(fake_clock, scripted_server.url)
    assert (len(scripted_server.requests), proxy.requests) == (1, [])
    await retrieve(fake_clock, scripted_server.url, proxy=f"127.0.0.1:{proxy.port}")
    assert first_lines(proxy) == [f"GET {scripted_server.url}/rooms/a-room".encode()]


async def test_client_of_this_machine_downloads_through_the_proxy_of_the_variable(
    scripted_server: ScriptedServer, proxy: ScriptedServer, environment: Environment, fake_clock: FakeClock
) -> None:
    environment(TELNYX_PROXY=f"127.0.0.1:{proxy.port}")
    recording = {"id": "it", "status": "completed", "download_url": "http://files.test/file"}
    scripted_server.respond_with(ScriptedServer.http(200, json.dumps({"data": recording}).encode()))
    file = io.BytesIO()
    async with RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock) as client:
        proxy.respond_with(ScriptedServer.http(407))
        with pytest.raises(ProxyAuthenticationError, match="status 407"):
            await client.recordings.download("it", file)
        proxy.respond_with(ScriptedServer.http(200, b"file"))
        await client.recordings.download("it", file)
    assert file.getvalue() == b"file"


# --- hints --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "options", "hint"),
    [
        ({"https_proxy": "127.0.0.1:9"}, {}, "https_proxy is set but not used"),
        ({"HTTPS_PROXY": "http://me:pa55word@127.0.0.1:9"}, {}, "https_proxy is set but not used"),
        ({"all_proxy": "socks5://127.0.0.1:9"}, {}, "all_proxy is set but not used"),
        ({"http_proxy": "127.0.0.1:9"}, {}, ""),
        ({"https_proxy": "127.0.0.1:9", "no_proxy": "*"}, {}, ""),
        ({"https_proxy": "127.0.0.1:9"}, {"base_url": "https://127.0.0.1:9/v2"}, ""),
        ({"https_proxy": "127.0.0.1:9"}, {"trust_env": True}, ""),
        ({"https_proxy": "127.0.0.1:9"}, {"proxy": "127.0.0.1:9"}, ""),
        ({}, {}, ""),
    ],
)
async def test_connection_error_names_a_proxy_variable_that_is_not_used(
    environment: Environment,
    fake_clock: FakeClock,
    variables: dict[str, str],
    options: dict[str, Any],
    hint: str,
) -> None:
    environment(**variables)
    defaults: dict[str, Any] = {"base_url": "https://api.test/v2", "clock": fake_clock.clock}
    async with RoomsClient("KEY", **(defaults | options)) as client:
        with pytest.raises(ConnectError) as caught:
            await client.rooms.retrieve("a-room")
    assert hint in str(caught.value)
    assert ("set but not used" in str(caught.value)) is bool(hint)
    assert PASSWORD not in shown_by(caught.value)


async def test_other_errors_do_not_name_a_proxy_variable(
    scripted_server: ScriptedServer, environment: Environment, fake_clock: FakeClock
) -> None:
    environment(http_proxy="127.0.0.1:9")
    scripted_server.respond_with(ScriptedServer.raw(b""))
    async with aiohttp.ClientSession() as session:
        for options in ({}, {"session": session}):
            with pytest.raises(ConnectionLostError) as caught:
                await retrieve(fake_clock, scripted_server.url, trust_env=False, **options)
            assert "proxy" not in str(caught.value)
        with pytest.raises(ConnectError) as refused:
            await retrieve(fake_clock, session=session, trust_env=False)
    assert "proxy" not in str(refused.value)


# --- proxies that cannot be used ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (f"socks://me:{PASSWORD}@proxy.test:1080", "SOCKS"),
        (f"SOCKS5://me:{PASSWORD}@proxy.test:1080", "SOCKS"),
        (f"ftp://me:{PASSWORD}@proxy.test:21", "HTTP proxy"),
        ("http://", "HTTP proxy"),
        (f"http://me:{PASSWORD}@", "HTTP proxy"),
        (f"http://me:{PASSWORD}@proxy.test:port", "HTTP proxy"),
        (f"me:{PASSWORD}@proxy.test:99999", "HTTP proxy"),
        (f"http://me:12/{PASSWORD}@proxy.test:3128", "HTTP proxy"),
        (f"http://me:12#{PASSWORD}@proxy.test:3128", "HTTP proxy"),
        (f"me:12?{PASSWORD}@proxy.test:3128", "HTTP proxy"),
        (f"http://proxy.test:3128/{PASSWORD}", "HTTP proxy"),
        (f"http://me:{PASSWORD}@[::1", "HTTP proxy"),
        (f"http://me:{PASSWORD}@proxy..test:3128", "HTTP proxy"),
    ],
)
@pytest.mark.parametrize("name", ["https_proxy", "all_proxy", "TELNYX_PROXY", "proxy"])
def test_value_that_is_no_proxy_is_refused_by_its_name_only(
    environment: Environment, name: str, value: str, problem: str
) -> None:
    options: dict[str, Any] = {"proxy": value} if name == "proxy" else {}
    environment(**({} if options else {name: value}))
    with pytest.raises(ConfigurationError, match=f"{name} .*{problem}") as caught:
        RoomsClient("KEY", trust_env=True, **options)
    assert PASSWORD not in shown_by(caught.value)
    assert "proxy.test" not in shown_by(caught.value)


@pytest.mark.parametrize("value", ["", 3128, b"127.0.0.1:3128", True, ["127.0.0.1:3128"]], ids=repr)
def test_proxy_that_is_no_text_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="proxy must be an HTTP proxy"):
        RoomsClient("KEY", proxy=value)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30))
def test_any_text_is_a_proxy_or_a_configuration_error(value: str) -> None:
    with pytest.MonkeyPatch.context() as patch, suppress(ConfigurationError):
        patch.setenv("https_proxy", value)
        RoomsClient("KEY", trust_env=True)
    with suppress(ConfigurationError):
        RoomsClient("KEY", proxy=value)


FAILED_TUNNELS = {
    "closed": ScriptedServer.raw(b""),
    "reset": ScriptedServer.raw(b"", "reset"),
    "refused": ScriptedServer.http(403),
    "half a line": ScriptedServer.raw(b"HTTP/1.1 20"),
    "not HTTP": ScriptedServer.raw(b"220 ftp.example.com\r\n\r\n"),
    "closed when established": ScriptedServer.raw(b"HTTP/1.1 200 Connection established\r\n\r\n"),
    "no response": ScriptedServer.raw(b"", "hang"),
}


@pytest.mark.parametrize("reply", FAILED_TUNNELS.values(), ids=FAILED_TUNNELS)
async def test_create_is_retried_when_the_tunnel_of_a_proxy_fails(
    proxy: ScriptedServer, environment: Environment, fake_clock: FakeClock, reply: Reply
) -> None:
    proxy.respond_with(reply)
    environment(https_proxy=f"http://me:{PASSWORD}@127.0.0.1:{proxy.port}")
    with FakeClock().fast_forward():
        async with RoomsClient(
            "KEY", base_url="https://api.test/v2", clock=fake_clock.clock, trust_env=True
        ) as client:
            with pytest.raises(ConnectError) as caught:
                await client.rooms.create()
    assert [attempt.sent for attempt in caught.value.attempts] == [False] * 3
    assert {request.split()[0] for request in proxy.requests} == {b"CONNECT"}
    assert PASSWORD not in shown_by(caught.value)


@pytest.mark.parametrize("url", ["https://api.test/v2", "http://api.test/v2"])
async def test_proxy_that_refuses_the_credentials_is_asked_once(
    proxy: ScriptedServer, environment: Environment, fake_clock: FakeClock, url: str
) -> None:
    environment(TELNYX_PROXY=f"me:{PASSWORD}@127.0.0.1:{proxy.port}")
    proxy.respond_with(ScriptedServer.http(407, b'{"errors": []}', Proxy_Authenticate="Basic"))
    with pytest.raises(ProxyAuthenticationError, match="status 407") as caught:
        await retrieve(fake_clock, url)
    assert [attempt.sent for attempt in caught.value.attempts] == [False]
    assert len(proxy.requests) == 1
    assert PASSWORD not in shown_by(caught.value)


async def test_error_of_a_refused_tunnel_shows_its_status_and_nothing_that_the_proxy_sent(
    proxy: ScriptedServer, environment: Environment, fake_clock: FakeClock
) -> None:
    environment(TELNYX_PROXY=f"me:{PASSWORD}@127.0.0.1:{proxy.port}")
    proxy.respond_with(ScriptedServer.raw(f"HTTP/1.1 403 Not for me {PASSWORD}\r\n\r\n".encode()))
    with pytest.raises(ConnectError, match="the proxy refused the connection with status 403") as caught:
        await retrieve(fake_clock, "https://api.test/v2")
    assert PASSWORD not in shown_by(caught.value)


async def test_error_of_an_unreachable_proxy_names_the_proxy_by_its_address_only(
    environment: Environment, fake_clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    environment(http_proxy=f"http://me:{PASSWORD}@127.0.0.1:9")
    with pytest.raises(ConnectError) as caught:
        await retrieve(fake_clock)
    assert "the proxy 127.0.0.1:9 cannot be reached" in str(caught.value)
    assert PASSWORD not in shown_by(caught.value) + caplog.text
