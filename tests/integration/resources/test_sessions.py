"""Sessions and participants, against the emulator."""

from uuid import UUID, uuid4

import pytest

from telnyx_rooms_async import (
    NotFoundError,
    RoomsClient,
    SessionEndedError,
)
from telnyx_rooms_async.emulator import Emulator


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
