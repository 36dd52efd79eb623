"""Arguments that must not reach the wire."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from telnyx_rooms_async import InvalidArgumentError, RoomsClient
from tests.helpers.fault_case import FaultCase

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
async def test_an_invalid_id_is_rejected_before_a_connection_is_opened(
    case: FaultCase, call: Callable[[RoomsClient, Any], Awaitable[object]]
) -> None:
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
async def test_an_invalid_field_is_rejected_before_a_connection_is_opened(
    case: FaultCase, values: dict[str, Any]
) -> None:
    await case.expect_error(InvalidArgumentError, lambda client: client.rooms.create(**values))
    await case.expect_error(InvalidArgumentError, lambda client: client.rooms.update("a-room", **values))
    assert case.server.connections == 0
    case.expect_requests("")


# --- the client itself --------------------------------------------------------------------------------------
