"""Sessions, and who is in them, against the emulator over a socket."""

from collections.abc import Collection
from datetime import date
from typing import Literal
from uuid import UUID, uuid4

import pytest

from telnyx_rooms_async import (
    UNSET,
    DateFilter,
    InvalidArgumentError,
    NotFoundError,
    RoomsClient,
    SessionEndedError,
)
from telnyx_rooms_async.emulator import Emulator

PAGE = [("page[number]", "1"), ("page[size]", "250")]


@pytest.fixture
async def meeting(client: RoomsClient, telnyx: Emulator) -> tuple[str, str, str]:
    """A session with Alice and Bob in it: its id and theirs."""
    room = await client.rooms.create(unique_name="Weekly")
    alice, bob = telnyx.join(room.id, context="Alice"), telnyx.join(room.id, context="Bob")
    telnyx.requests.clear()
    assert alice.session_id is not None
    return alice.session_id, alice.id, bob.id


async def test_list_spells_every_filter_as_the_api_does(client: RoomsClient, telnyx: Emulator) -> None:
    """Each filter of the account's sessions stands on the wire under its documented name."""
    room_id = uuid4()
    listing = client.sessions.list(
        room_id=room_id,
        created_at=DateFilter(gte=date(2021, 4, 25)),
        updated_at=date(2021, 4, 26),
        ended_at=DateFilter(lte=date(2021, 4, 27)),
        active=True,
        include_participants=True,
        page_size=9,
    )
    assert [session async for session in listing] == []
    assert telnyx.requests[-1].path == "/v2/room_sessions"
    assert sorted(telnyx.requests[-1].query) == [
        ("filter[active]", "true"),
        ("filter[date_created_at][gte]", "2021-04-25"),
        ("filter[date_ended_at][lte]", "2021-04-27"),
        ("filter[date_updated_at][eq]", "2021-04-26"),
        ("filter[room_id]", str(room_id)),
        ("include_participants", "true"),
        ("page[number]", "1"),
        ("page[size]", "9"),
    ]


async def test_list_and_retrieve(
    client: RoomsClient, telnyx: Emulator, meeting: tuple[str, str, str]
) -> None:
    """A session is found in the list and by its id, with its participants when asked for."""
    session_id, alice, bob = meeting
    (listed,) = [session async for session in client.sessions.list(active=True)]
    assert (listed.id, listed.active, listed.participants) == (session_id, True, None)
    session = await client.sessions.retrieve(UUID(session_id), include_participants=True)
    assert telnyx.requests[-1].target == f"/v2/room_sessions/{session_id}?include_participants=true"
    assert session.participants is not None
    assert [person.id for person in session.participants] == [alice, bob]
    with pytest.raises(NotFoundError):
        await client.sessions.retrieve(uuid4())


async def test_participants_spells_every_filter_as_the_api_does(
    client: RoomsClient, telnyx: Emulator, meeting: tuple[str, str, str]
) -> None:
    """Each filter of a session's participants stands on the wire under its documented name."""
    session_id, _, bob = meeting
    listing = client.sessions.participants(
        session_id,
        joined_at=date(2021, 4, 25),
        updated_at=DateFilter(gte=date(2021, 4, 25)),
        context="Bob",
    )
    assert [person.id async for person in listing] == [bob]
    assert telnyx.requests[-1].path == f"/v2/room_sessions/{session_id}/participants"
    assert sorted(telnyx.requests[-1].query) == [
        ("filter[context]", "Bob"),
        ("filter[date_joined_at][eq]", "2021-04-25"),
        ("filter[date_updated_at][gte]", "2021-04-25"),
        *PAGE,
    ]
    left = client.sessions.participants(session_id, left_at=DateFilter(gte=date(2021, 4, 25)), page_size=3)
    assert [person async for person in left] == []
    assert ("filter[date_left_at][gte]", "2021-04-25") in telnyx.requests[-1].query


async def test_the_participants_of_the_account(
    client: RoomsClient, telnyx: Emulator, meeting: tuple[str, str, str]
) -> None:
    """Participants are listed and found across sessions."""
    session_id, alice, _ = meeting
    telnyx.leave(alice)
    listing = client.participants.list(
        session_id=session_id,
        joined_at=date(2021, 4, 25),
        updated_at=date(2021, 4, 25),
        left_at=date(2021, 4, 25),
        context="Alice",
        page_size=50,
    )
    (person,) = [person async for person in listing]
    assert (person.id, person.context, person.session_id) == (alice, "Alice", session_id)
    assert telnyx.requests[-1].path == "/v2/room_participants"
    assert sorted(telnyx.requests[-1].query) == [
        ("filter[context]", "Alice"),
        ("filter[date_joined_at][eq]", "2021-04-25"),
        ("filter[date_left_at][eq]", "2021-04-25"),
        ("filter[date_updated_at][eq]", "2021-04-25"),
        ("filter[session_id]", session_id),
        ("page[number]", "1"),
        ("page[size]", "50"),
    ]
    assert await client.participants.retrieve(alice) == person
    with pytest.raises(NotFoundError):
        await client.participants.retrieve(uuid4())


async def test_end(client: RoomsClient, telnyx: Emulator, meeting: tuple[str, str, str]) -> None:
    """An ended session is over for everyone; ending it again says so."""
    session_id, *_ = meeting
    await client.sessions.end(session_id)
    sent = telnyx.requests[-1]
    assert (sent.method, sent.path) == ("POST", f"/v2/room_sessions/{session_id}/actions/end")
    assert (sent.body, sent.headers["content-length"]) == (b"", "0")
    assert sent.headers["content-type"] == "application/json"
    session = await client.sessions.retrieve(session_id, include_participants=True)
    assert session.active is False
    assert all(person.left_at is not None for person in session.participants or ())
    with pytest.raises(SessionEndedError, match="the session has ended already"):
        await client.sessions.end(session_id)
    with pytest.raises(NotFoundError):
        await client.sessions.end(uuid4())


async def test_kick(client: RoomsClient, telnyx: Emulator, meeting: tuple[str, str, str]) -> None:
    """Kicked participants have left; the last one out ends the session."""
    session_id, alice, bob = meeting
    await client.sessions.kick(session_id, [alice])
    assert telnyx.requests[-1].json == {"participants": [alice]}
    assert (await client.participants.retrieve(alice)).left_at is not None
    assert (await client.participants.retrieve(bob)).left_at is None
    await client.sessions.kick(session_id, "all")
    assert (await client.sessions.retrieve(session_id)).active is False


@pytest.mark.parametrize("action", ["kick", "mute", "unmute"])
async def test_actions_say_whom_they_are_for(
    client: RoomsClient, telnyx: Emulator, meeting: tuple[str, str, str], action: str
) -> None:
    """All are meant, or some, or all but some; ids may be UUIDs, in any collection."""
    session_id, alice, bob = meeting
    act = getattr(client.sessions, action)
    await act(session_id, (UUID(alice),), exclude={bob})
    sent = telnyx.requests[-1]
    assert (sent.method, sent.path) == ("POST", f"/v2/room_sessions/{session_id}/actions/{action}")
    assert sent.json == {"participants": [alice], "exclude": [bob]}
    await act(session_id, "all", exclude=[bob])
    assert telnyx.requests[-1].json == {"participants": "all", "exclude": [bob]}


@pytest.mark.parametrize("participants", ["everyone", "", None, UNSET, 7, [], [7], ["a/b"], b"all"])
async def test_actions_for_nobody_are_refused(
    client: RoomsClient, telnyx: Emulator, participants: Literal["all"] | Collection[str]
) -> None:
    """What is neither "all" nor ids is told before anything is sent."""
    for act in (client.sessions.kick, client.sessions.mute, client.sessions.unmute):
        with pytest.raises(InvalidArgumentError, match="participants must "):
            await act("a-session", participants)
        with pytest.raises(InvalidArgumentError, match="exclude must be"):
            await act("a-session", "all", exclude="not ids")
    assert telnyx.requests == []


async def test_wait_for_session(client: RoomsClient, telnyx: Emulator) -> None:
    """Waiting ends with the session that begins, or with the time; each look costs one small request."""
    room = await client.rooms.create()
    with pytest.raises(TimeoutError, match="no session started in room"):
        await client.rooms.wait_for_session(room.id, timeout=30)
    looks = len(telnyx.requests) - 1
    assert 5 <= looks <= 9
    person = telnyx.join(room.id)
    session = await client.rooms.wait_for_session(room.id, timeout=30)
    assert session.id == person.session_id
    assert len(telnyx.requests) == 1 + looks + 1
    assert dict(telnyx.requests[-1].query) == {
        "filter[active]": "true",
        "page[number]": "1",
        "page[size]": "1",
    }


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan"), "5", None, True])
async def test_a_time_that_is_none(client: RoomsClient, timeout: float) -> None:
    """A wait needs a positive time."""
    with pytest.raises(InvalidArgumentError, match="timeout must be a positive number"):
        await client.rooms.wait_for_session("a-room", timeout=timeout)
