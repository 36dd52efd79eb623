"""Invalid arguments are rejected before a connection is opened."""

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
    "retrieve": lambda client, value: client.rooms.retrieve(value),
    "update": lambda client, value: client.rooms.update(value, max_participants=3),
    "delete": lambda client, value: client.rooms.delete(value),
    "sessions": lambda client, value: _count(client.rooms.sessions(value)),
    "wait_for_session": lambda client, value: client.rooms.wait_for_session(value),
    "token": lambda client, value: client.tokens.create(value),
    "refresh": lambda client, value: client.tokens.refresh(value, "a-token"),
    "session": lambda client, value: client.sessions.retrieve(value),
    "end": lambda client, value: client.sessions.end(value),
    "kick": lambda client, value: client.sessions.kick(value, "all"),
    "kicked participant": lambda client, value: client.sessions.kick("a-session", [value]),
    "participant": lambda client, value: client.participants.retrieve(value),
    "recording": lambda client, value: client.recordings.retrieve(value),
    "delete recording": lambda client, value: client.recordings.delete(value),
    "composition": lambda client, value: client.compositions.retrieve(value),
    "compose": lambda client, value: client.compositions.create(value),
}


async def _count(listing: Any) -> int:
    return len([value async for value in listing])


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
