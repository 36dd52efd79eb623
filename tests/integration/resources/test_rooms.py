"""Rooms, sessions and participants, against the emulator."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from telnyx_rooms_async import (
    UNSET,
    APITimeoutError,
    InvalidArgumentError,
    NotFoundError,
    RetryPolicy,
    RoomsClient,
    SessionEndedError,
)
from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.clocks import FakeClock

FIELDS: dict[str, Any] = {
    "unique_name": "Weekly",
    "max_participants": 25,
    "enable_recording": True,
    "webhook_event_url": "https://example.com/hook",
    "webhook_event_failover_url": "https://example.org/hook",
    "webhook_timeout_secs": 0,
}


async def test_room_is_created_updated_and_deleted(client: RoomsClient, telnyx: Emulator) -> None:
    room = await client.rooms.create(**FIELDS)
    assert {name: getattr(room, name) for name in FIELDS} == FIELDS
    assert str(UUID(room.id)) == room.id
    assert await client.rooms.retrieve(UUID(room.id)) == room
    room = await client.rooms.update(room, max_participants=2, unique_name="Renamed")
    assert (room.unique_name, room.max_participants, room.enable_recording) == ("Renamed", 2, True)
    await client.rooms.delete(room.id)
    assert telnyx.rooms == ()
    with pytest.raises(NotFoundError):
        await client.rooms.delete(room.id)


async def test_name_may_be_positional(client: RoomsClient, telnyx: Emulator) -> None:
    room = await client.rooms.create("Weekly", max_participants=3)
    response = await client.with_raw_response.rooms.create("Daily")
    assert (room, response.value) == telnyx.rooms
    assert [request.json for request in telnyx.requests] == [
        {"unique_name": "Weekly", "max_participants": 3},
        {"unique_name": "Daily"},
    ]


async def test_unset_fields_are_not_sent_and_none_is_null(client: RoomsClient, telnyx: Emulator) -> None:
    room = await client.rooms.create()
    assert telnyx.requests[-1].body == b"{}"
    assert (room.unique_name, room.max_participants, room.sessions) == (None, 10, None)
    room = await client.rooms.create(webhook_event_failover_url="https://example.org/hook")
    await client.rooms.update(room, webhook_event_failover_url=UNSET, max_participants=3)
    assert telnyx.requests[-1].json == {"max_participants": 3}
    room = await client.rooms.update(room, webhook_event_failover_url=None, webhook_timeout_secs=None)
    assert telnyx.requests[-1].json == {"webhook_event_failover_url": None, "webhook_timeout_secs": None}
    assert room.webhook_event_failover_url is None


async def test_unknown_field_is_a_type_error_that_names_the_method(
    client: RoomsClient, telnyx: Emulator
) -> None:
    unknown: Any = {"colour": "red"}
    calls = {
        "create": client.rooms.create(**unknown),
        "update": client.rooms.update("0ccc7b54", **unknown),
        "ensure": client.rooms.ensure("Weekly", **unknown),
    }
    for method, call in calls.items():
        with pytest.raises(TypeError, match=rf"Rooms\.{method}\(\) has no argument 'colour'.*, max_part"):
            await call
    assert telnyx.requests == []


async def test_wait_for_session_polls_until_a_session_starts(client: RoomsClient, telnyx: Emulator) -> None:
    room = await client.rooms.create()
    telnyx.requests.clear()
    with pytest.raises(APITimeoutError, match="no session started in room") as caught:
        await client.rooms.wait_for_session(room.id, timeout=30)
    assert caught.value.deadline is True
    assert 5 <= len(telnyx.requests) <= 9
    telnyx.requests.clear()
    participant = telnyx.join(room.id)
    assert (await client.rooms.wait_for_session(room.id, timeout=30)).id == participant.session_id
    assert len(telnyx.requests) == 1


async def test_wait_for_session_times_out_while_a_request_hangs(
    client: RoomsClient, telnyx: Emulator, time: FakeClock
) -> None:
    telnyx.inject(Fault(delay=600), times=None)
    once = client.with_options(retry=RetryPolicy(max_attempts=1))
    with time.fast_forward():
        with pytest.raises(APITimeoutError, match="no session started") as caught:
            await once.rooms.wait_for_session("a-room", timeout=5)
        assert caught.value.deadline is True
        with pytest.raises(APITimeoutError, match="timed out") as caught:
            await once.rooms.wait_for_session("a-room", timeout=60)
        assert caught.value.deadline is False


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan"), "5", None, True])
async def test_wait_for_session_needs_a_positive_timeout(client: RoomsClient, timeout: float) -> None:
    with pytest.raises(InvalidArgumentError, match="timeout must be a positive number"):
        await client.rooms.wait_for_session("a-room", timeout=timeout)


INVALID: dict[str, Callable[[RoomsClient], Any]] = {
    "max_participants": lambda client: client.rooms.create(max_participants=51),
    "unique_name": lambda client: client.rooms.update("a", unique_name=""),
    "include_sessions": lambda client: client.rooms.retrieve("a", include_sessions="yes"),  # type: ignore[arg-type]  # wrong on purpose
    "page_size": lambda client: client.rooms.list(page_size=251),
    "active": lambda client: client.rooms.sessions("a", active="no"),  # type: ignore[arg-type]  # wrong on purpose
    "include_participants": lambda client: client.sessions.retrieve("a", include_participants=1),  # type: ignore[arg-type]  # wrong on purpose
    "room_id": lambda client: client.sessions.list(room_id="a/b"),
    "context": lambda client: client.sessions.participants("a", context=""),
    "session_id": lambda client: client.participants.list(session_id=""),
    "participant_id": lambda client: client.participants.retrieve(5),  # type: ignore[arg-type]  # wrong on purpose
    "recording_id": lambda client: client.recordings.retrieve(""),
    "composition_id": lambda client: client.compositions.wait(""),
    "ordered": lambda client: client.rooms.delete_many([], ordered="no"),  # type: ignore[arg-type]  # wrong on purpose
    "participants": lambda client: client.sessions.kick("a", []),
    "exclude": lambda client: client.sessions.mute("a", "all", exclude="not ids"),
    "created_at": lambda client: client.compositions.list(created_at="today"),
    "resolution": lambda client: client.compositions.create("a", resolution="1280x1280"),
    "duration_secs": lambda client: client.recordings.list(duration_secs=60),  # type: ignore[arg-type]  # wrong on purpose
    "type": lambda client: client.recordings.delete_matching(type=""),
}


@pytest.mark.parametrize(("name", "call"), INVALID.items(), ids=INVALID)
async def test_invalid_arguments_are_refused_before_a_request(
    client: RoomsClient, telnyx: Emulator, name: str, call: Callable[[RoomsClient], Any]
) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^{name} "):
        await call(client)
    assert telnyx.requests == []


# --- sessions and participants ---------------------------------------------------------------------------


@pytest.fixture
async def meeting(client: RoomsClient, telnyx: Emulator) -> tuple[str, str, str]:
    """Return the ids of a session, of Alice and of Bob, who are in it."""
    room = await client.rooms.create(unique_name="Weekly")
    alice, bob = telnyx.join(room.id, context="Alice"), telnyx.join(room.id, context="Bob")
    telnyx.requests.clear()
    assert alice.session_id is not None
    return alice.session_id, alice.id, bob.id


async def test_session_ends_once(
    client: RoomsClient, telnyx: Emulator, meeting: tuple[str, str, str]
) -> None:
    session_id, *_ = meeting
    await client.sessions.end(session_id)
    sent = telnyx.requests[-1]
    assert (sent.body, sent.headers["content-length"]) == (b"", "0")
    assert sent.headers["content-type"] == "application/json"
    session = await client.sessions.retrieve(session_id, include_participants=True)
    assert session.active is False
    assert all(participant.left_at is not None for participant in session.participants or ())
    with pytest.raises(SessionEndedError, match="the session has ended already"):
        await client.sessions.end(session_id)
    with pytest.raises(NotFoundError):
        await client.sessions.end(uuid4())


async def test_kicked_participants_have_left_and_the_last_ends_the_session(
    client: RoomsClient, meeting: tuple[str, str, str]
) -> None:
    session_id, alice, bob = meeting
    await client.sessions.kick(session_id, [alice])
    assert (await client.participants.retrieve(alice)).left_at is not None
    assert (await client.participants.retrieve(bob)).left_at is None
    await client.sessions.kick(session_id, "all")
    assert (await client.sessions.retrieve(session_id)).active is False


@pytest.mark.parametrize("action", ["kick", "mute", "unmute"])
async def test_actions_take_ids_in_any_collection(
    client: RoomsClient, telnyx: Emulator, meeting: tuple[str, str, str], action: str
) -> None:
    session_id, alice, bob = meeting
    act = getattr(client.sessions, action)
    await act(session_id, (UUID(alice),), exclude={bob})
    assert telnyx.requests[-1].path.endswith(f"/actions/{action}")
    assert telnyx.requests[-1].json == {"participants": [alice], "exclude": [bob]}
    await act(session_id, "all", exclude=[bob])
    assert telnyx.requests[-1].json == {"participants": "all", "exclude": [bob]}
