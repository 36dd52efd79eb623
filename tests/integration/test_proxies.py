"""The proxy variables of the environment, for a client with ``trust_env=True``."""

import base64
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from telnyx_rooms_async import ConfigurationError, ConnectError, Room, RoomsClient, TelnyxRoomsError
from telnyx_rooms_async.http.connection import environment_proxy
from tests.helpers.clocks import FakeClock
from tests.helpers.scripted_server import Reply, ScriptedServer

OK = ScriptedServer.http(200, b'{"data":{"id":"a-room"}}')
PASSWORD = "pa55word"


@pytest.fixture
async def proxy(scripted_server: ScriptedServer) -> ScriptedServer:
    """A server that plays a proxy."""
    scripted_server.respond_with(OK)
    return scripted_server


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set proxy variables, and no others."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def set_to(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_to


async def retrieve(fake_clock: FakeClock, url: str = "http://api.test/v2") -> Room:
    """Make one call through the environment's proxy."""
    options: dict[str, Any] = {"trust_env": True, "allow_insecure": True}
    async with RoomsClient("KEY", base_url=url, clock=fake_clock.clock, **options) as client:
        return await client.rooms.retrieve("a-room")


def everything_said(error: BaseException) -> str:
    """Return all that an exception and the locals of its traceback show."""
    report = traceback.TracebackException(
        type(error), error, error.__traceback__ and error.__traceback__.tb_next, capture_locals=True
    )
    return "".join(report.format()) + f"{error!r} {vars(error)!r}"


@pytest.mark.parametrize(
    "form", ["127.0.0.1:{}", "http://127.0.0.1:{}", "http://127.0.0.1:{}/", " 127.0.0.1:{}\n"]
)
@pytest.mark.parametrize("name", ["http_proxy", "all_proxy"])
async def test_proxy_with_and_without_scheme(
    proxy: ScriptedServer, environment: Callable[..., None], fake_clock: FakeClock, form: str, name: str
) -> None:
    """A proxy may be written as HOST:PORT, as for other programs."""
    environment(**{name: form.format(proxy.port)})
    assert (await retrieve(fake_clock)).id == "a-room"
    assert proxy.requests[0].startswith(b"GET http://api.test/v2/rooms/a-room HTTP/1.1\r\n")


@pytest.mark.parametrize("scheme", ["", "http://"])
async def test_proxy_credentials_are_sent_to_the_proxy(
    proxy: ScriptedServer, environment: Callable[..., None], fake_clock: FakeClock, scheme: str
) -> None:
    """User and password are decoded and sent in a header of the proxy's own."""
    environment(http_proxy=f"{scheme}me:p%40ss@127.0.0.1:{proxy.port}")
    await retrieve(fake_clock)
    credentials = base64.b64encode(b"me:p@ss")
    assert b"\r\nProxy-Authorization: Basic " + credentials + b"\r\n" in proxy.requests[0]


@pytest.mark.parametrize("scheme", ["socks", "socks4", "socks4a", "socks5", "socks5h", "SOCKS5"])
@pytest.mark.parametrize("name", ["https_proxy", "all_proxy"])
def test_socks_proxy_is_refused(environment: Callable[..., None], scheme: str, name: str) -> None:
    """A SOCKS proxy is named at construction, not met as a failed connection."""
    environment(**{name: f"{scheme}://me:{PASSWORD}@127.0.0.1:1080"})
    with pytest.raises(
        ConfigurationError, match=f"{name} names a SOCKS proxy, which is not supported"
    ) as caught:
        RoomsClient("KEY", trust_env=True)
    assert PASSWORD not in everything_said(caught.value)


NO_PROXIES = {
    "another scheme": f"ftp://me:{PASSWORD}@proxy.test:21",
    "no host": "http://",
    "no host, but a password": f"http://me:{PASSWORD}@",
    "a port that is none": f"http://me:{PASSWORD}@proxy.test:port",
    "a port out of range": f"me:{PASSWORD}@proxy.test:99999",
    "a slash in the password": f"http://me:12/{PASSWORD}@proxy.test:3128",
    "a hash in the password": f"http://me:12#{PASSWORD}@proxy.test:3128",
    "a question mark in the password": f"me:12?{PASSWORD}@proxy.test:3128",
    "a path": f"http://proxy.test:3128/{PASSWORD}",
    "an open bracket": f"http://me:{PASSWORD}@[::1",
}


@pytest.mark.parametrize("value", NO_PROXIES.values(), ids=NO_PROXIES)
def test_proxy_that_is_none_is_refused_without_being_shown(
    environment: Callable[..., None], value: str
) -> None:
    """A variable that is no proxy is named; its value, which may be a password, is not."""
    environment(https_proxy=value)
    with pytest.raises(ConfigurationError, match="https_proxy must be an HTTP proxy") as caught:
        RoomsClient("KEY", trust_env=True)
    said = everything_said(caught.value)
    assert PASSWORD not in said
    assert "proxy.test" not in said


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30))
def test_any_proxy_variable_is_a_proxy_or_a_configuration_error(value: str) -> None:
    """Whatever the variable holds, no foreign exception escapes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("https_proxy", value)
        with suppress(ConfigurationError):
            environment_proxy(URL("https://api.test/v2"))


FAILING_CONNECT = {
    "drops CONNECT": ScriptedServer.raw(b""),
    "resets CONNECT": ScriptedServer.raw(b"", "reset"),
    "refuses CONNECT": ScriptedServer.http(403),
    "wants credentials": ScriptedServer.http(407, Proxy_Authenticate="Basic"),
    "answers half a line": ScriptedServer.raw(b"HTTP/1.1 20"),
    "answers no HTTP": ScriptedServer.raw(b"220 ftp.example.com\r\n\r\n"),
    "closes the tunnel at once": ScriptedServer.raw(b"HTTP/1.1 200 Connection established\r\n\r\n"),
    "never answers": ScriptedServer.raw(b"", "hang"),
}


@pytest.mark.parametrize("reply", FAILING_CONNECT.values(), ids=FAILING_CONNECT)
async def test_nothing_was_sent_through_a_tunnel_that_did_not_open(
    scripted_server: ScriptedServer, environment: Callable[..., None], fake_clock: FakeClock, reply: Reply
) -> None:
    """A proxy that fails at CONNECT has passed nothing on, so that even a nameless create is tried again."""
    scripted_server.respond_with(reply)
    environment(https_proxy=f"http://me:{PASSWORD}@127.0.0.1:{scripted_server.port}")
    options: dict[str, Any] = {"trust_env": True, "attempt_timeout": 0.3}
    async with RoomsClient(
        "KEY", base_url="https://api.test/v2", clock=fake_clock.clock, **options
    ) as client:
        with pytest.raises(ConnectError) as caught:
            await client.rooms.create()
    assert [attempt.sent for attempt in caught.value.attempts] == [False] * 3
    assert caught.value.sent is False
    assert {request.split()[0] for request in scripted_server.requests} == {b"CONNECT"}
    assert PASSWORD not in everything_said(caught.value)


async def test_refused_proxy_connection_shows_no_credentials(
    environment: Callable[..., None], fake_clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A proxy that does not listen is a ConnectError that names its address only."""
    environment(http_proxy=f"http://me:{PASSWORD}@127.0.0.1:9")
    with pytest.raises(ConnectError) as caught:
        await retrieve(fake_clock)
    assert "127.0.0.1:9" in str(caught.value)
    assert PASSWORD not in everything_said(caught.value) + caplog.text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.9.9.9"])
async def test_no_proxy_for_this_machine(
    proxy: ScriptedServer, environment: Callable[..., None], fake_clock: FakeClock, host: str
) -> None:
    """A request to this machine, key and all, does not travel to the proxy."""
    environment(http_proxy=f"http://127.0.0.1:{proxy.port}", no_proxy="")
    with pytest.raises(TelnyxRoomsError):
        await retrieve(fake_clock, f"http://{host}:1/v2")
    assert proxy.requests == []


@pytest.mark.parametrize(
    ("no_proxy", "is_used"),
    [
        ("api.test", False),
        (".test", False),
        ("test", False),
        ("*", False),
        ("api.test:80", False),
        ("other.test, api.test", False),
        ("api.test:81", True),
        ("pi.test", True),
        ("other.test", True),
        ("", True),
    ],
)
def test_no_proxy_is_respected(environment: Callable[..., None], no_proxy: str, *, is_used: bool) -> None:
    """Hosts, domains and ports of no_proxy need no proxy; an unusable one is then none of our business."""
    environment(http_proxy="proxy.test:3128", no_proxy=no_proxy)
    assert (environment_proxy(URL("http://api.test/v2")) is not None) is is_used


def test_proxy_of_the_scheme_goes_before_the_proxy_for_all(environment: Callable[..., None]) -> None:
    """all_proxy counts where there is no proxy for the scheme."""
    environment(https_proxy="secure.test:1", all_proxy="all.test:2")
    assert environment_proxy(URL("https://api.test/v2")) == "http://secure.test:1"
    assert environment_proxy(URL("http://api.test/v2")) == "http://all.test:2"
