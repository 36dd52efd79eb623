"""The 25 operations, plain and with raw responses, of a client and of its views. It is never run.

mypy and pyright must accept every line without an ignore, and report every ignored line.
"""

from typing import assert_type

from telnyx_rooms_async import (
    AccessToken,
    APIResponse,
    ClientToken,
    Listing,
    Page,
    Room,
    RoomComposition,
    RoomParticipant,
    RoomRecording,
    RoomsClient,
    RoomSession,
)


async def views(client: RoomsClient) -> None:
    """Call all verbs of a view, which has the type of its client."""
    await plain(client.with_options(timeout=5))
    await raw(client.with_options(timeout=5))
    await mistakes(client.with_options(read_only=True))
    await raw_mistakes(client.with_options(read_only=True))


async def plain(client: RoomsClient) -> None:
    """Call each verb."""
    assert_type(client.rooms.list(unique_name="Weekly"), Listing[Room])
    assert_type(await client.rooms.create("Weekly", max_participants=25), Room)
    assert_type(await client.rooms.retrieve("an-id", include_sessions=True), Room)
    assert_type(await client.rooms.update("an-id", webhook_timeout_secs=None), Room)
    assert_type(await client.rooms.delete("an-id"), None)
    assert_type(client.rooms.sessions("an-id", active=True), Listing[RoomSession])
    assert_type(await client.tokens.create("an-id", token_ttl_secs=60), ClientToken)
    assert_type(await client.tokens.refresh("an-id", "a-token"), AccessToken)
    assert_type(client.sessions.list(room_id="an-id"), Listing[RoomSession])
    assert_type(await client.sessions.retrieve("an-id", include_participants=True), RoomSession)
    assert_type(client.sessions.participants("an-id", context="Alice"), Listing[RoomParticipant])
    assert_type(await client.sessions.end("an-id"), None)
    assert_type(await client.sessions.kick("an-id", ["an-id"]), None)
    assert_type(await client.sessions.mute("an-id", "all"), None)
    assert_type(await client.sessions.unmute("an-id", "all"), None)
    assert_type(client.participants.list(session_id="an-id"), Listing[RoomParticipant])
    assert_type(await client.participants.retrieve("an-id"), RoomParticipant)
    assert_type(client.recordings.list(type="video"), Listing[RoomRecording])
    assert_type(await client.recordings.retrieve("an-id"), RoomRecording)
    assert_type(await client.recordings.delete("an-id"), None)
    assert_type(await client.recordings.delete_matching(room_id="an-id"), int)
    assert_type(client.compositions.list(status="completed"), Listing[RoomComposition])
    assert_type(await client.compositions.create("an-id", resolution="640x480"), RoomComposition)
    assert_type(await client.compositions.retrieve("an-id"), RoomComposition)
    assert_type(await client.compositions.delete("an-id"), None)


async def raw(client: RoomsClient) -> None:
    """Call each verb with its raw response."""
    raw = client.with_raw_response
    assert_type(await raw.rooms.list(unique_name="Weekly"), APIResponse[Page[Room]])
    assert_type(await raw.rooms.create("Weekly", max_participants=25), APIResponse[Room])
    assert_type(await raw.rooms.retrieve("an-id", include_sessions=True), APIResponse[Room])
    assert_type(await raw.rooms.update("an-id", webhook_timeout_secs=None), APIResponse[Room])
    assert_type(await raw.rooms.delete("an-id"), APIResponse[None])
    assert_type(await raw.rooms.sessions("an-id", active=True), APIResponse[Page[RoomSession]])
    assert_type(await raw.tokens.create("an-id", token_ttl_secs=60), APIResponse[ClientToken])
    assert_type(await raw.tokens.refresh("an-id", "a-token"), APIResponse[AccessToken])
    assert_type(await raw.sessions.list(room_id="an-id"), APIResponse[Page[RoomSession]])
    assert_type(await raw.sessions.retrieve("an-id", include_participants=True), APIResponse[RoomSession])
    assert_type(await raw.sessions.participants("an-id", context="Alice"), APIResponse[Page[RoomParticipant]])
    assert_type(await raw.sessions.end("an-id"), APIResponse[None])
    assert_type(await raw.sessions.kick("an-id", ["an-id"]), APIResponse[None])
    assert_type(await raw.sessions.mute("an-id", "all"), APIResponse[None])
    assert_type(await raw.sessions.unmute("an-id", "all"), APIResponse[None])
    assert_type(await raw.participants.list(session_id="an-id"), APIResponse[Page[RoomParticipant]])
    assert_type(await raw.participants.retrieve("an-id"), APIResponse[RoomParticipant])
    assert_type(await raw.recordings.list(type="video"), APIResponse[Page[RoomRecording]])
    assert_type(await raw.recordings.retrieve("an-id"), APIResponse[RoomRecording])
    assert_type(await raw.recordings.delete("an-id"), APIResponse[None])
    assert_type(await raw.recordings.delete_matching(room_id="an-id"), APIResponse[int])
    assert_type(await raw.compositions.list(status="completed"), APIResponse[Page[RoomComposition]])
    assert_type(await raw.compositions.create("an-id", resolution="640x480"), APIResponse[RoomComposition])
    assert_type(await raw.compositions.retrieve("an-id"), APIResponse[RoomComposition])
    assert_type(await raw.compositions.delete("an-id"), APIResponse[None])


async def mistakes(client: RoomsClient) -> None:
    """Make a mistake in each verb."""
    client.rooms.list(page_size="50")  # type: ignore[arg-type]
    await client.rooms.create("Weekly", max_participants="25")  # type: ignore[arg-type]
    await client.rooms.retrieve("an-id", sessions=True)  # type: ignore[call-arg]
    await client.rooms.update(unique_name="Weekly")  # type: ignore[call-arg]
    await client.rooms.delete(7)  # type: ignore[arg-type]
    client.rooms.sessions("an-id", active="yes")  # type: ignore[arg-type]
    await client.tokens.create("an-id", ttl=60)  # type: ignore[call-arg]
    await client.tokens.refresh("an-id")  # type: ignore[call-arg]
    client.sessions.list(room_id=7)  # type: ignore[arg-type]
    await client.sessions.retrieve("an-id", include_sessions=True)  # type: ignore[call-arg]
    client.sessions.participants(context="Alice")  # type: ignore[call-arg]
    await client.sessions.end(None)  # type: ignore[arg-type]
    await client.sessions.kick("an-id")  # type: ignore[call-arg]
    await client.sessions.mute("an-id", 7)  # type: ignore[arg-type]
    await client.sessions.unmute("an-id", "all", exclude=7)  # type: ignore[arg-type]
    client.participants.list(room_id="an-id")  # type: ignore[call-arg]
    await client.participants.retrieve()  # type: ignore[call-arg]
    client.recordings.list(duration_secs=60)  # type: ignore[arg-type]
    await client.recordings.retrieve(b"an-id")  # type: ignore[arg-type]
    await client.recordings.delete(["an-id"])  # type: ignore[arg-type]
    await client.recordings.delete_matching("an-id")  # type: ignore[call-arg]
    client.compositions.list(created_at=20210425)  # type: ignore[arg-type]
    await client.compositions.create("an-id", resolution=640)  # type: ignore[arg-type]
    _ = (await client.compositions.retrieve("an-id")).url  # type: ignore[attr-defined]
    await client.compositions.delete(7)  # type: ignore[arg-type]


async def raw_mistakes(client: RoomsClient) -> None:
    """Make mistakes in verbs with raw responses, whose types follow from those of `mistakes`."""
    raw = client.with_raw_response
    await raw.rooms.list(page_size="50")  # type: ignore[arg-type]
    await raw.rooms.update(unique_name="Weekly")  # type: ignore[call-arg]
    await raw.sessions.participants(context="Alice")  # type: ignore[call-arg]
    await raw.recordings.delete(["an-id"])  # type: ignore[arg-type]
    _ = (await raw.compositions.retrieve("an-id")).status  # type: ignore[attr-defined]
