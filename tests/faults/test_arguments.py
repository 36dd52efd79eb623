"""Arguments that must not reach the wire."""

import string
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from telnyx_rooms_async import ConfigurationError, InvalidArgumentError, RoomsClient
from tests.helpers.fault_case import FaultCase, check_error, check_secrets
from tests.helpers.room_store import SECRET_KEY

IDS: dict[str, Any] = {
    "empty": "",
    "None": None,
    ".": ".",
    "..": "..",
    "%2e": "%2e",
    "%2e%2e": "%2e%2e",
    "with /": "a/b",
    "with \\": "a\\b",
    "with ?": "a?b",
    "with #": "a#b",
    "with a space": "a b",
    "with a space at the end": "a ",
    "with CR LF": "a\r\nX-Injected: 1",
    "with LF at the end": "a\n",
    "with NUL": "a\0",
    "with ;": "a;b",
    "with %": "a%b",
    "with é": "é",
    "with a full-width dot": "\uff0e\uff0e",
    "with a lone surrogate": "\ud800",
    "20 KB": "a" * 20_000,
    "bytes": b"a-room",
    "a number": 7,
    "a list": ["a"],
    "True": True,
}
CALLS: dict[str, Callable[[RoomsClient, Any], Any]] = {
    "retrieve": lambda client, each: client.rooms.retrieve(each),
    "update": lambda client, each: client.rooms.update(each, max_participants=3),
    "delete": lambda client, each: client.rooms.delete(each),
    "sessions": lambda client, each: _count(client.rooms.sessions(each)),
    "wait_for_session": lambda client, each: client.rooms.wait_for_session(each),
    "token": lambda client, each: client.tokens.create(each),
    "refresh": lambda client, each: client.tokens.refresh(each, "a-token"),
    "session": lambda client, each: client.sessions.retrieve(each),
    "end": lambda client, each: client.sessions.end(each),
    "kick": lambda client, each: client.sessions.kick(each, "all"),
    "kick whom": lambda client, each: client.sessions.kick("a-session", [each]),
    "participant": lambda client, each: client.participants.retrieve(each),
    "recording": lambda client, each: client.recordings.retrieve(each),
    "delete recording": lambda client, each: client.recordings.delete(each),
    "composition": lambda client, each: client.compositions.retrieve(each),
    "compose": lambda client, each: client.compositions.create(each),
}


async def _count(listing: Any) -> int:
    return len([each async for each in listing])


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_no_id(case: FaultCase, call: Callable[[RoomsClient, Any], Awaitable[object]]) -> None:
    """What is no id is an InvalidArgumentError, and nothing is sent, not even a connection made."""
    for wrong in IDS.values():

        async def action(client: RoomsClient, wrong: Any = wrong) -> object:
            return await call(client, wrong)

        error = await case.expect_error(InvalidArgumentError, action)
        assert isinstance(error, ValueError)
    assert case.server.connections == 0
    case.expect_requests("")


VALUES: dict[str, dict[str, Any]] = {
    "a name that is empty": {"unique_name": ""},
    "a name that is None": {"unique_name": None},
    "a name with a lone surrogate": {"unique_name": "\udcff"},
    "a name of bytes": {"unique_name": b"Weekly"},
    "one participant": {"max_participants": 1},
    "too many participants": {"max_participants": 51},
    "half a participant": {"max_participants": 2.5},
    "participants as text": {"max_participants": "10"},
    "participants as a flag": {"max_participants": True},
    "a flag as a number": {"enable_recording": 1},
    "a URL without a scheme": {"webhook_event_url": "example.com"},
    "a URL of another scheme": {"webhook_event_url": "file:///etc/passwd"},
    "a URL with a line break": {"webhook_event_url": "https://example.com/\r\nX: 1"},
    "a timeout below 0": {"webhook_timeout_secs": -1},
    "a timeout of a minute": {"webhook_timeout_secs": 60},
}


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
async def test_no_value(case: FaultCase, values: dict[str, Any]) -> None:
    """What a field cannot hold is refused, and nothing is sent."""
    await case.expect_error(InvalidArgumentError, lambda client: client.rooms.create(**values))
    await case.expect_error(InvalidArgumentError, lambda client: client.rooms.update("a-room", **values))
    assert case.server.connections == 0
    case.expect_requests("")


FILTERS: dict[str, dict[str, Any]] = {
    "a size of 0": {"page_size": 0},
    "a size of 251": {"page_size": 251},
    "a date that is none": {"created_at": "2021-02-30"},
    "a name that is empty": {"unique_name": ""},
    "a name that is a list": {"unique_name": ["a"]},
}


@pytest.mark.parametrize("values", FILTERS.values(), ids=FILTERS)
async def test_no_filter(case: FaultCase, values: dict[str, Any]) -> None:
    """What cannot be looked for is refused when the listing is made."""

    async def action(client: RoomsClient) -> object:
        return client.rooms.list(**values)

    await case.expect_error(InvalidArgumentError, action)
    assert case.server.connections == 0
    case.expect_requests("")


# --- the client itself --------------------------------------------------------------------------------------

KEYS: dict[str, Any] = {
    "empty": "",
    "a space": " ",
    "with a space": f"{SECRET_KEY} ",
    "with a space inside": f"{SECRET_KEY} x",
    "with a newline": f"{SECRET_KEY}\n",
    "with CR LF": f"{SECRET_KEY}\r\nX-Injected: 1",
    "with NUL": f"{SECRET_KEY}\0",
    "with a tab": f"{SECRET_KEY}\t",
    "non-ASCII": f"{SECRET_KEY}é",
    "with a lone surrogate": f"{SECRET_KEY}\ud800",
    "bytes": SECRET_KEY.encode(),
    "a list": [SECRET_KEY],
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_no_key(key: Any) -> None:
    """It is a ConfigurationError that does not show it."""
    with pytest.raises(ConfigurationError) as caught:
        RoomsClient(key)
    check_error(caught.value)


@pytest.mark.parametrize("key", [key for key in KEYS.values() if isinstance(key, str) and "\0" not in key])
def test_no_key_in_the_environment(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is one shown that the environment has."""
    if not any(0xD800 <= ord(mark) < 0xE000 for mark in key):
        monkeypatch.setenv("TELNYX_API_KEY", key)
    with pytest.raises(ConfigurationError) as caught:
        RoomsClient()
    check_error(caught.value)


OPTIONS: dict[str, dict[str, Any]] = {
    "timeout": {"timeout": 0},
    "attempt_timeout": {"attempt_timeout": float("nan")},
    "max_connections": {"max_connections": "many"},
    "retry": {"retry": 3},
    "session": {"session": object()},
    "on_attempt": {"on_attempt": 3},
    "trace_configs": {"trace_configs": [3]},
    "base_url": {"base_url": "nowhere"},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_no_option(options: dict[str, Any]) -> None:
    """A mistake beside the key does not show it."""
    with pytest.raises(ConfigurationError) as caught:
        RoomsClient(SECRET_KEY, **options)
    check_error(caught.value)


PASSWORD = "CANARYPASSWORD"
URLS: dict[str, Any] = {
    "http:// to another host": "http://api.telnyx.com/v2",
    "http:// to another address": "http://192.0.2.1/v2",
    "http:// to what only looks like loopback": "http://127.0.0.1.example.com/v2",
    "http:// to a host named local": "http://localhost.example.com",
    "http:// to all addresses": "http://0.0.0.0/v2",
    "userinfo": f"https://me:{PASSWORD}@api.telnyx.com/v2",
    "userinfo without a password": f"https://{PASSWORD}@api.telnyx.com/v2",
    "loopback as userinfo": f"http://127.0.0.1:{PASSWORD}@example.com/v2",
    "query": f"https://api.telnyx.com/v2?key={PASSWORD}",
    "fragment": f"https://api.telnyx.com/v2#{PASSWORD}",
    "ftp": f"ftp://me:{PASSWORD}@api.telnyx.com",
    "file": "file:///v2",
    "unix": "unix:///run/telnyx",
    "ws": "ws://127.0.0.1/v2",
    "no scheme": "api.telnyx.com/v2",
    "no host": "https:///v2",
    "a space": "https://api.telnyx.com/v 2",
    "a newline": "https://api.telnyx.com/v2\n",
    "a backslash": "https://api.telnyx.com\\@example.com",
    "a port that is none": "https://api.telnyx.com:99999/v2",
    "bytes": b"https://api.telnyx.com/v2",
    "a number": 7,
}


@pytest.mark.parametrize("url", URLS.values(), ids=URLS)
def test_no_base_url(url: Any) -> None:
    """It is a ConfigurationError that shows neither the key nor a password in the URL."""
    with pytest.raises(ConfigurationError) as caught:
        RoomsClient(SECRET_KEY, base_url=url)
    check_error(caught.value)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("url", ["http://api.telnyx.com/v2", "http://192.0.2.1"])
def test_insecure_when_asked_for(url: str) -> None:
    """With allow_insecure an http URL may lead anywhere; nothing else changes."""
    check_secrets(repr(RoomsClient(SECRET_KEY, base_url=url, allow_insecure=True)))
    with pytest.raises(ConfigurationError):
        RoomsClient(SECRET_KEY, base_url=f"{url}?a=b", allow_insecure=True)


async def test_ids_that_are_sent(case: FaultCase) -> None:
    """What is left unreserved in a URL goes out as it is, in its own segment."""
    name = "~" + string.ascii_letters + string.digits + "-._"
    case.server.store.rooms.append({"id": name})
    room = await case.expect_result(lambda client: client.rooms.retrieve(name))
    assert room.id == name
    assert case.server.requests[0].target == f"/v2/rooms/{name}"
    case.expect_requests("GET")
