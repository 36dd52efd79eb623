"""Options of a client: where they come from, which are refused, and that no secret is shown."""

import inspect
import pickle
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial, partialmethod
from typing import Any
from unittest.mock import Mock

import aiohttp
import attrs
import pytest

from telnyx_rooms_async import Clock, ConfigurationError, RetryPolicy, RoomsClient, Settings

CANARY = "KEY0123CANARY"


def refusal_of(**options: Any) -> str:
    """Return the message with which a client refuses its options."""
    with pytest.raises(ConfigurationError) as caught:
        RoomsClient(**({"api_key": CANARY} | options))
    assert "CANARY" not in str(caught.value)
    return str(caught.value)


# --- API key ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [" ", "\n", "\t", "é", "\0", "\ud800", " x"], ids=ascii)
def test_key_that_cannot_be_sent_is_refused(suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "API key" in refusal_of(api_key=CANARY + suffix)
    if suffix not in ("\0", "\ud800"):  # no environment can hold these
        monkeypatch.setenv("TELNYX_API_KEY", CANARY + suffix)
        assert "API key" in refusal_of(api_key=None)


@pytest.mark.parametrize("key", [None, ""])
def test_missing_key_is_refused_with_the_name_of_the_variable(key: str | None) -> None:
    assert "TELNYX_API_KEY" in refusal_of(api_key=key)


@pytest.mark.parametrize("key", [CANARY.encode(), 7, [CANARY]], ids=lambda key: type(key).__name__)
def test_key_of_a_wrong_type_is_refused_with_the_name_of_its_type(key: Any) -> None:
    refusal = f"api_key must be text or a function, not {type(key).__name__}"
    assert refusal_of(api_key=key) == refusal
    with pytest.raises(ConfigurationError, match=refusal):
        RoomsClient.from_settings(Settings(api_key=key))
    with pytest.raises(ConfigurationError, match=refusal):
        RoomsClient("KEY").with_options(api_key=key)


@pytest.mark.parametrize("quotes", ['""', "''", "``", "\u201c\u201d", ' "" ', '"', "\u2019"], ids=ascii)
def test_quotes_around_key_or_url_are_named(quotes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    half = len(quotes) // 2
    assert "quotes" in refusal_of(api_key=f"{quotes[:half]}{CANARY}{quotes[half:]}")
    url = "https://user:CANARY@example.com/v2"
    monkeypatch.setenv("TELNYX_BASE_URL", f"{quotes[:half]}{url}{quotes[half:]}")
    assert "quotes" in refusal_of()


# --- base URL ---------------------------------------------------------------------------------------------


def test_base_url_is_the_argument_the_variable_or_that_of_telnyx(monkeypatch: pytest.MonkeyPatch) -> None:
    assert repr(RoomsClient("KEY")) == "<RoomsClient https://api.telnyx.com/v2>"
    monkeypatch.setenv("TELNYX_BASE_URL", "https://example.org/v2")
    assert repr(RoomsClient("KEY")) == "<RoomsClient https://example.org/v2>"
    client = RoomsClient("KEY", base_url="https://example.com/v2/")
    assert repr(client) == "<RoomsClient https://example.com/v2>"


BAD_URLS = [
    *("api.telnyx.com/v2", "ftp://me:CANARY@api.telnyx.com", "unix:///run/telnyx", "https:///v2", "", 7),
    *("https://user:CANARY@api.telnyx.com", "https://CANARY@api.telnyx.com", b"https://api.telnyx.com"),
    *("https://api.telnyx.com/v2?a=CANARY", "https://api.telnyx.com/v2#CANARY"),
    *("https://api.telnyx.com/v 2", "https://api.telnyx.com/v2\n", "https://api.telnyx.com\\@example.com"),
    *("https://api.telnyx.com:port", "https://api.telnyx.com:99999", "https://[::1", "https://a\\b.com"),
    *("https://a..telnyx.com", "https://.telnyx.com", f"https://{'a' * 64}.com"),
    *("http://api.telnyx.com/v2", "http://127.0.0.1:CANARY@example.com/v2"),
]
NOT_CERTAINLY_LOOPBACK = [
    *("localhost.evil.com", "localhost.", "x.localhost", "localhost.localdomain", "127.1", "2130706433"),
    *("0x7f000001", "0177.0.0.1", "127.0.0.1.", "127.0.0.1.nip.io", "0.0.0.0", "192.0.2.1", "[::]"),
    *("[::1%25lo]", "[::127.0.0.1]", "[::ffff:10.0.0.1]"),
]


@pytest.mark.parametrize("url", [*BAD_URLS, *(f"http://{host}/v2" for host in NOT_CERTAINLY_LOOPBACK)])
def test_base_url_must_be_plain_and_https(url: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal_of(base_url=url)
    with pytest.raises(ConfigurationError):
        RoomsClient.from_settings(Settings(api_key="KEY", base_url=url))
    if isinstance(url, str) and url:
        monkeypatch.setenv("TELNYX_BASE_URL", url)
        refusal_of()


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8080", "127.3.2.1", "localhost", "LOCALHOST:80", "[::1]:80", "[::ffff:127.0.0.1]"]
)
def test_http_is_allowed_to_this_machine(host: str) -> None:
    assert host in repr(RoomsClient("KEY", base_url=f"http://{host}/v2"))


@pytest.mark.parametrize(
    ("text", "is_allowed"),
    [("true", True), ("True", True), (" TRUE ", True), ("false", False), ("False", False), ("", False)],
)
def test_variable_allows_http_to_another_machine(
    monkeypatch: pytest.MonkeyPatch, text: str, *, is_allowed: bool
) -> None:
    monkeypatch.setenv("TELNYX_BASE_URL", "http://telnyx:8080/v2")
    monkeypatch.setenv("TELNYX_ALLOW_INSECURE", text)
    if is_allowed:
        assert "http://telnyx:8080/v2" in repr(RoomsClient("KEY"))
        assert "http://telnyx:8080/v2" in repr(RoomsClient.from_settings(Settings(api_key="KEY")))
    else:
        assert "TELNYX_ALLOW_INSECURE" in refusal_of()
    assert "http://telnyx:8080/v2" in repr(RoomsClient("KEY", allow_insecure=True))


@pytest.mark.parametrize("text", ["yes", "1", "0", "on", "truee", "CANARY"])
def test_variable_that_is_neither_true_nor_false_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("TELNYX_ALLOW_INSECURE", text)
    assert "TELNYX_ALLOW_INSECURE" in refusal_of(base_url="https://api.telnyx.com/v2")


# --- other options ----------------------------------------------------------------------------------------

BAD_OPTIONS: dict[str, list[object]] = {
    "timeout": [0, -1, float("inf"), float("nan"), "5", True, timedelta(0), timedelta(seconds=-1)],
    "attempt_timeout": [0, -1, float("inf"), float("nan"), "5", True, timedelta(0)],
    "max_connections": [0, -1, 2.5, float("inf"), "5", True, None],
    "rate_limit_share": [0, -0.1, 1.01, 2, float("nan"), "1", True, None],
    "retry": [3],
    "max_retries": [-1, 2.5, "2", True, float("nan")],
    "user_agent_suffix": ["", " ", "a\nb", "Zoë", 7, b"a"],
    "allow_insecure": ["false", "true", "", 0, 1, None, []],
    "trust_env": ["false", "true", "", 0, 1, None, []],
    "read_only": ["false", "true", "", 0, 1, None, []],
}
BAD_POLICIES: dict[str, list[object]] = {
    "max_attempts": ["3", 0, 2.5, True],
    "backoff_base": [-1],
    "backoff_max": [float("inf")],
    "retry_after_max": ["60", None],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in (BAD_OPTIONS | BAD_POLICIES).items() for value in values],
)
def test_invalid_option_is_refused_by_its_name(name: str, value: Any) -> None:
    options: dict[str, Any] = {name: value}
    if name in BAD_POLICIES:
        options = {"retry": RetryPolicy(**options)}
    assert name in refusal_of(**options)
    with pytest.raises(ConfigurationError, match=name):
        RoomsClient.from_settings(Settings(api_key="KEY", **options))
    if options.keys() <= inspect.signature(RoomsClient.with_options).parameters.keys():
        with pytest.raises(ConfigurationError, match=name):
            RoomsClient("KEY").with_options(**options)


BAD_HEADERS: list[object] = [
    *(7, ["X-Team"], "X-Team: CANARY", {7: "CANARY"}, {"": "CANARY"}, {"X Team": "CANARY"}),
    *({"X-Team: CANARY": "a"}, {"X-Team": ""}, {"X-Team": "CANARY\r\nX-Other: a"}, {"X-Team": "CANARYé"}),
    *({"X-Team": " CANARY"}, {"X-Team": b"CANARY"}, {"X-Team": None}, {"X-Team": ["CANARY"]}),
    *({"Authorization": "Bearer CANARY"}, {"authorization": "CANARY"}, {"Host": "CANARY"}),
    *({"Content-Length": "1"}, {"Content-Type": "text/CANARY"}, {"Accept-Encoding": "br"}),
]


@pytest.mark.parametrize("headers", BAD_HEADERS, ids=ascii)
def test_header_that_cannot_be_sent_or_is_of_the_client_is_refused(headers: Any) -> None:
    assert "header" in refusal_of(default_headers=headers)
    with pytest.raises(ConfigurationError, match="header") as caught:
        RoomsClient("KEY").with_options(headers=headers)
    assert "CANARY" not in f"{caught.value} {Settings(default_headers=headers)!r}"


@pytest.mark.parametrize(
    "options",
    [
        *({"query": query} for query in ("a=1", {"a": None}, {"a": 1.5}, {"a": ["b"]}, {7: "b"})),
        *({"body": body} for body in ("a", ["a"], {7: "b"}, {"a": Clock}, {"a": float("nan")}, 7)),
        *({"api_key": key} for key in ("", b"KEY", "KEY CANARY", "'KEY'", 7)),
        *({"headers": 1}, {"max_retries": 1, "retry": RetryPolicy()}),
    ],
    ids=repr,
)
def test_view_refuses_an_option_that_cannot_be_sent(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RoomsClient("KEY").with_options(**options)
    assert "CANARY" not in str(caught.value)


def test_retry_policy_and_max_retries_exclude_each_other() -> None:
    assert "max_retries" in refusal_of(max_retries=2, retry=RetryPolicy())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("session", "session"), ("session", object()), ("on_attempt", 3), ("clock", time.time)),
        *(("trace_configs", configs) for configs in (None, 3, [3])),
        *(("middleware", functions) for functions in (None, 7, print, [7], {"a": print})),
    ],
)
def test_option_of_another_type_is_refused_by_its_name(name: str, value: object) -> None:
    assert name in refusal_of(**{name: value})


@pytest.mark.filterwarnings("ignore:(The 'auth' parameter|BasicAuth):DeprecationWarning")
async def test_borrowed_session_with_credentials_of_its_own_is_refused() -> None:
    async with aiohttp.ClientSession(auth=aiohttp.BasicAuth("me", "CANARY")) as session:
        assert "auth" in refusal_of(session=session)


async def async_hook(*_: object) -> None: ...


async def async_generator_hook(*_: object) -> AsyncIterator[None]:
    yield


class AsyncHook:
    async def __call__(self, *_: object) -> None: ...

    async def method(self, *_: object) -> None: ...

    partial_method = partialmethod(method, 1)


@pytest.mark.parametrize(
    "hook",
    [
        *(async_hook, async_generator_hook, AsyncHook(), AsyncHook().method, AsyncHook().partial_method),
        partial(partial(AsyncHook(), 1), 2),
    ],
)
def test_async_hook_is_refused_because_nothing_would_await_it(hook: object) -> None:
    assert "on_attempt" in refusal_of(on_attempt=hook)


@pytest.mark.parametrize("hook", [print, [].append, lambda _: 0, partial(print, 1), AsyncHook, Mock(), None])
def test_plain_hook_is_accepted(hook: Any) -> None:
    RoomsClient("KEY", on_attempt=hook)


# --- Settings ---------------------------------------------------------------------------------------------


def test_settings_have_the_arguments_of_a_client_that_can_be_pickled() -> None:
    local = {"session", "ssl_context", "on_attempt", "trace_configs", "middleware", "clock"}
    arguments = dict(inspect.signature(RoomsClient).parameters)
    others = dict(inspect.signature(RoomsClient.from_settings).parameters)
    defaults = {field.name: field.default for field in attrs.fields(Settings)}
    assert defaults == {name: it.default for name, it in arguments.items() if name not in local}
    assert others.keys() - {"settings"} == local
    assert {others[name].default for name in local - {"clock"}} == {None} | {()}
    assert attrs.asdict(others["clock"].default) == attrs.asdict(Clock())


def test_settings_do_not_show_the_key_or_credentials_of_the_url() -> None:
    url, headers = "https://user:CANARY@example.com/v2", {"X-Team": CANARY}
    settings = Settings(
        api_key=CANARY,
        base_url=url,
        default_headers=headers,
        proxy="http://user:CANARY@127.0.0.1:3128",
    )
    assert hash(settings) == hash(attrs.evolve(settings))
    unpickled = pickle.loads(pickle.dumps(settings))
    assert unpickled == settings
    assert unpickled.api_key == CANARY
    assert "CANARY" not in f"{settings!r} {unpickled!r} {attrs.asdict(unpickled)['api_key']!r}"
    plain = Settings(base_url="http://127.0.0.1:8080/v2", proxy="http://127.0.0.1:3128")
    assert "base_url='http://127.0.0.1:8080/v2'" in repr(plain)
    assert "proxy='http://127.0.0.1:3128'" in repr(plain)
    assert "base_url=None" in repr(Settings())


@pytest.mark.parametrize(
    "value",
    [RoomsClient("KEY"), RoomsClient("KEY").with_options(timeout=1), RoomsClient("KEY").rooms.list()],
    ids=["client", "view", "listing"],
)
def test_client_is_not_pickled_because_it_holds_the_key(value: object) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(value)
