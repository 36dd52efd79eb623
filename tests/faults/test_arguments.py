"""Invalid ids are rejected before a connection is opened."""

from collections.abc import Callable
from typing import Any

import pytest

from telnyx_rooms_async import InvalidArgumentError, RoomsClient
from tests.helpers.fault_case import FaultCase


async def _count(listing: Any) -> int:
    return len([value async for value in listing])


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


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_an_invalid_id_is_rejected_before_a_connection_is_opened(
    case: FaultCase, call: Callable[[RoomsClient, Any], Any]
) -> None:
    invalid_ids: list[Any] = ["..", "a?b", "a\r\nX-Injected: 1", None]  # the others: tests/unit/core
    for invalid in invalid_ids:
        with pytest.raises(InvalidArgumentError):
            await call(case.client, invalid)
    assert case.server.connections == 0
    case.expect_requests("")
