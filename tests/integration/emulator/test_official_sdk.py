"""The official SDK, pointed at the emulator, completes each of the 25 operations."""

from collections.abc import AsyncIterator

import pytest
import telnyx as sdk

from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock


@pytest.fixture
async def client(telnyx: Emulator) -> AsyncIterator[sdk.AsyncTelnyx]:
    """Make the rival's client."""
    async with sdk.AsyncTelnyx(api_key=telnyx.api_key, base_url=telnyx.url, max_retries=0) as official:
        yield official


async def make_room(client: sdk.AsyncTelnyx) -> str:
    """Make a room that records."""
    made = (await client.rooms.create(enable_recording=True)).data
    assert made is not None
    assert made.id is not None
    return made.id


async def test_rooms(telnyx: Emulator, client: sdk.AsyncTelnyx) -> None:
    """Every operation of rooms works through the official client as well."""
    telnyx.seed(5)
    made = (await client.rooms.create(unique_name="Weekly", max_participants=25)).data
    assert made is not None
    assert made.id is not None
    telnyx.join(made.id, context="Alice")
    found = (await client.rooms.retrieve(made.id, include_sessions=True)).data
    assert found is not None
    assert found.sessions is not None
    assert found.sessions[0].active is True
    changed = (await client.rooms.update(made.id, max_participants=7)).data
    assert changed is not None
    assert changed.max_participants == 7
    names = [room.unique_name async for room in client.rooms.list(page_size=2)]
    assert names == [*(f"Room {number}" for number in range(1, 6)), "Weekly"]
    filtered = client.rooms.list(filter={"unique_name": "Weekly", "date_created_at": {"gte": "2021-04-25"}})
    assert [room.id async for room in filtered] == [made.id]
    sessions = [each async for each in client.rooms.sessions.list_1(made.id, include_participants=True)]
    assert [person.context for person in sessions[0].participants or []] == ["Alice"]
    with pytest.raises(sdk.UnprocessableEntityError):
        await client.rooms.create(unique_name="Weekly")
    await client.rooms.delete(made.id)
    with pytest.raises(sdk.NotFoundError):
        await client.rooms.retrieve(made.id)


async def test_tokens(client: sdk.AsyncTelnyx) -> None:
    """A token is given and renewed."""
    room_id = await make_room(client)
    pair = (await client.rooms.actions.generate_join_client_token(room_id, token_ttl_secs=100)).data
    assert pair is not None
    assert pair.refresh_token is not None
    assert pair.token_expires_at is not None
    renewed = await client.rooms.actions.refresh_client_token(room_id, refresh_token=pair.refresh_token)
    assert renewed.data is not None
    assert renewed.data.token != pair.token
    with pytest.raises(sdk.PermissionDeniedError):
        await client.rooms.actions.refresh_client_token(room_id, refresh_token="unknown")


async def test_sessions_and_participants(telnyx: Emulator, client: sdk.AsyncTelnyx) -> None:
    """Sessions and those in them are found, muted, kicked and ended."""
    room_id = await make_room(client)
    alice, bob = telnyx.join(room_id, context="Alice"), telnyx.join(room_id, context="Bob")
    session_id = alice.session_id or ""
    rooms_sessions = client.rooms.sessions
    assert [each.id async for each in rooms_sessions.list_0(filter={"active": True})] == [session_id]
    session = (await rooms_sessions.retrieve(session_id, include_participants=True)).data
    assert session is not None
    assert [person.id for person in session.participants or []] == [alice.id, bob.id]
    people = rooms_sessions.retrieve_participants(session_id, filter={"context": "Bob"})
    assert [person.id async for person in people] == [bob.id]
    await rooms_sessions.actions.mute(session_id, participants="all", exclude=[bob.id])
    assert (telnyx.muted(alice.id), telnyx.muted(bob.id)) == (True, False)
    await rooms_sessions.actions.unmute(session_id, participants=[alice.id])
    assert telnyx.muted(alice.id) is False
    await rooms_sessions.actions.kick(session_id, participants=[alice.id])
    one = (await client.room_participants.retrieve(alice.id)).data
    assert one is not None
    assert one.left_at is not None
    ended = (await rooms_sessions.actions.end(session_id)).data
    assert ended is not None
    assert ended.result == "ok"
    with pytest.raises(sdk.UnprocessableEntityError, match="private_ip"):
        await rooms_sessions.actions.end(session_id)
    everyone = client.room_participants.list(filter={"session_id": session_id})
    assert [person.context async for person in everyone] == ["Alice", "Bob"]


async def test_recordings(telnyx: Emulator, client: sdk.AsyncTelnyx, clock: FakeClock) -> None:
    """Recordings are found and deleted, one by one and by filter."""
    alice = telnyx.join(await make_room(client))
    clock.advance(seconds=60)
    telnyx.leave(alice.id)
    clock.advance(seconds=5)
    found = [each async for each in client.room_recordings.list(filter={"duration_secs": 60})]
    assert [(each.type, each.status) for each in found] == [("audio", "completed"), ("video", "completed")]
    one = (await client.room_recordings.retrieve(found[0].id or "")).data
    assert one is not None
    assert one.download_url is not None
    await client.room_recordings.delete(found[0].id or "")
    deleted = await client.room_recordings.delete_bulk(filter={"session_id": alice.session_id or ""})
    assert deleted.data is not None
    assert deleted.data.room_recordings == 1
    with pytest.raises(sdk.UnprocessableEntityError):
        await client.room_recordings.delete_bulk()


async def test_compositions(telnyx: Emulator, client: sdk.AsyncTelnyx, clock: FakeClock) -> None:
    """Compositions are asked for, found and deleted."""
    alice = telnyx.join(await make_room(client))
    made = (
        await client.room_compositions.create(
            session_id=alice.session_id or "", video_layout={"main": {"video_sources": ["*"]}}
        )
    ).data
    assert made is not None
    assert made.status == "enqueued"
    clock.advance(seconds=10)
    done = client.room_compositions.list(filter={"status": "completed"})
    assert [each.id async for each in done] == [made.id]
    one = (await client.room_compositions.retrieve(made.id or "")).data
    assert one is not None
    assert one.download_url is not None
    await client.room_compositions.delete(made.id or "")
    with pytest.raises(sdk.NotFoundError):
        await client.room_compositions.retrieve(made.id or "")
