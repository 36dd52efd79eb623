"""The official SDK carries out each of the 25 operations against the emulator."""

from collections.abc import AsyncIterator
from typing import TypeVar

import pytest
import telnyx as sdk

from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock

T = TypeVar("T")


@pytest.fixture
async def client(telnyx: Emulator) -> AsyncIterator[sdk.AsyncTelnyx]:
    async with sdk.AsyncTelnyx(api_key=telnyx.api_key, base_url=telnyx.url, max_retries=0) as official:
        yield official


def present(value: T | None) -> T:
    """Return a value that the types of the SDK allow to be missing."""
    assert value is not None
    return value


async def create_room(client: sdk.AsyncTelnyx) -> str:
    return present(present((await client.rooms.create(enable_recording=True)).data).id)


async def test_rooms(telnyx: Emulator, client: sdk.AsyncTelnyx) -> None:
    telnyx.seed(5)
    created = present((await client.rooms.create(unique_name="Weekly", max_participants=25)).data)
    room_id = present(created.id)
    telnyx.join(room_id, context="Alice")
    room = present((await client.rooms.retrieve(room_id, include_sessions=True)).data)
    assert present(room.sessions)[0].active is True
    assert present((await client.rooms.update(room_id, max_participants=7)).data).max_participants == 7
    names = [room.unique_name async for room in client.rooms.list(page_size=2)]
    assert names == [*(f"Room {number}" for number in range(1, 6)), "Weekly"]
    filtered = client.rooms.list(filter={"unique_name": "Weekly", "date_created_at": {"gte": "2021-04-25"}})
    assert [room.id async for room in filtered] == [room_id]
    sessions = client.rooms.sessions.list_1(room_id, include_participants=True)
    participants = [present(session.participants) async for session in sessions]
    assert [participant.context for participant in participants[0]] == ["Alice"]
    with pytest.raises(sdk.UnprocessableEntityError):
        await client.rooms.create(unique_name="Weekly")
    await client.rooms.delete(room_id)
    with pytest.raises(sdk.NotFoundError):
        await client.rooms.retrieve(room_id)


async def test_tokens(client: sdk.AsyncTelnyx) -> None:
    room_id = await create_room(client)
    actions = client.rooms.actions
    tokens = present((await actions.generate_join_client_token(room_id, token_ttl_secs=100)).data)
    assert tokens.token_expires_at is not None
    refresh_token = present(tokens.refresh_token)
    refreshed = present((await actions.refresh_client_token(room_id, refresh_token=refresh_token)).data)
    assert refreshed.token != tokens.token
    with pytest.raises(sdk.PermissionDeniedError):
        await actions.refresh_client_token(room_id, refresh_token="unknown")


async def test_sessions_and_participants(telnyx: Emulator, client: sdk.AsyncTelnyx) -> None:
    room_id = await create_room(client)
    alice, bob = telnyx.join(room_id, context="Alice"), telnyx.join(room_id, context="Bob")
    session_id = alice.session_id or ""
    sessions = client.rooms.sessions
    assert [session.id async for session in sessions.list_0(filter={"active": True})] == [session_id]
    session = present((await sessions.retrieve(session_id, include_participants=True)).data)
    assert [participant.id for participant in present(session.participants)] == [alice.id, bob.id]
    of_session = sessions.retrieve_participants(session_id, filter={"context": "Bob"})
    assert [participant.id async for participant in of_session] == [bob.id]
    await sessions.actions.mute(session_id, participants="all", exclude=[bob.id])
    assert (telnyx.muted(alice.id), telnyx.muted(bob.id)) == (True, False)
    await sessions.actions.unmute(session_id, participants=[alice.id])
    assert telnyx.muted(alice.id) is False
    await sessions.actions.kick(session_id, participants=[alice.id])
    assert present((await client.room_participants.retrieve(alice.id)).data).left_at is not None
    assert present((await sessions.actions.end(session_id)).data).result == "ok"
    with pytest.raises(sdk.UnprocessableEntityError, match="private_ip"):
        await sessions.actions.end(session_id)
    everyone = client.room_participants.list(filter={"session_id": session_id})
    assert [participant.context async for participant in everyone] == ["Alice", "Bob"]


async def test_recordings(telnyx: Emulator, client: sdk.AsyncTelnyx, clock: FakeClock) -> None:
    alice = telnyx.join(await create_room(client))
    clock.advance(seconds=60)
    telnyx.leave(alice.id)
    clock.advance(seconds=5)
    listing = client.room_recordings.list(filter={"duration_secs": 60})
    audio, video = [recording async for recording in listing]
    assert [(audio.type, audio.status), (video.type, video.status)] == [
        ("audio", "completed"),
        ("video", "completed"),
    ]
    audio_id = present(audio.id)
    assert present((await client.room_recordings.retrieve(audio_id)).data).download_url is not None
    await client.room_recordings.delete(audio_id)
    deleted = await client.room_recordings.delete_bulk(filter={"session_id": alice.session_id or ""})
    assert present(deleted.data).room_recordings == 1
    with pytest.raises(sdk.UnprocessableEntityError):
        await client.room_recordings.delete_bulk()


async def test_compositions(telnyx: Emulator, client: sdk.AsyncTelnyx, clock: FakeClock) -> None:
    alice = telnyx.join(await create_room(client))
    created = await client.room_compositions.create(
        session_id=alice.session_id or "", video_layout={"main": {"video_sources": ["*"]}}
    )
    assert present(created.data).status == "enqueued"
    composition_id = present(present(created.data).id)
    clock.advance(seconds=10)
    completed = client.room_compositions.list(filter={"status": "completed"})
    assert [composition.id async for composition in completed] == [composition_id]
    composition = present((await client.room_compositions.retrieve(composition_id)).data)
    assert composition.download_url is not None
    await client.room_compositions.delete(composition_id)
    with pytest.raises(sdk.NotFoundError):
        await client.room_compositions.retrieve(composition_id)
