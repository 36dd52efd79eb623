"""``client.with_raw_response``: values with their responses."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from telnyx_rooms_async import APIResponse, NotFoundError, Room, RoomsClient
from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.scripted_server import ScriptedServer

Call = Callable[[Any], Awaitable[Any]]
CALLS: dict[str, Call] = {
    "ListRooms": lambda client: client.rooms.list(page_size=2),
    "CreateRoom": lambda client: client.rooms.create(unique_name="a"),
    "ViewRoom": lambda client: client.rooms.retrieve("a", include_sessions=True),
    "UpdateRoom": lambda client: client.rooms.update("a", max_participants=3),
    "DeleteRoom": lambda client: client.rooms.delete("a"),
    "RetrieveListRoomSessions": lambda client: client.rooms.sessions("a", active=True),
    "CreateRoomClientToken": lambda client: client.tokens.create("a", token_ttl_secs=60),
    "RefreshRoomClientToken": lambda client: client.tokens.refresh("a", "a-token"),
    "ListRoomSessions": lambda client: client.sessions.list(room_id="a"),
    "ViewRoomSession": lambda client: client.sessions.retrieve("a"),
    "RetrieveListRoomParticipants": lambda client: client.sessions.participants("a", context="b"),
    "EndSession": lambda client: client.sessions.end("a"),
    "KickParticipantInSession": lambda client: client.sessions.kick("a", ["b"]),
    "MuteParticipantInSession": lambda client: client.sessions.mute("a", "all", exclude=["b"]),
    "UnmuteParticipantInSession": lambda client: client.sessions.unmute("a", "all"),
    "ListRoomParticipants": lambda client: client.participants.list(context="b"),
    "ViewRoomParticipant": lambda client: client.participants.retrieve("a"),
    "ListRoomRecordings": lambda client: client.recordings.list(type="video"),
    "ViewRoomRecording": lambda client: client.recordings.retrieve("a"),
    "DeleteRoomRecording": lambda client: client.recordings.delete("a"),
    "DeleteRoomRecordings": lambda client: client.recordings.delete_matching(room_id="a"),
    "ListRoomCompositions": lambda client: client.compositions.list(status="completed"),
    "CreateRoomComposition": lambda client: client.compositions.create("a", resolution="640x480"),
    "ViewRoomComposition": lambda client: client.compositions.retrieve("a"),
    "DeleteRoomComposition": lambda client: client.compositions.delete("a"),
}


@pytest.mark.parametrize("operation", CALLS)
async def test_call_sends_the_same_and_returns_the_same_with_its_response(
    scripted_server: ScriptedServer, operation: str
) -> None:
    data = "[]" if "List" in operation else '{"id": "a", "token": "b", "room_recordings": 3, "result": "ok"}'
    body = f'{{"data": {data}}}'.encode()
    scripted_server.respond_with(ScriptedServer.http(200, body, X_Request_Id="an-id", X_Other="1"))
    async with RoomsClient("KEY", base_url=scripted_server.url) as client:
        plain = CALLS[operation](client)
        value = await (plain if "List" not in operation else plain.page(1))  # type: ignore[attr-defined]  # a Listing
        response: APIResponse[Any] = await CALLS[operation](client.with_raw_response)
    assert response.value == value
    assert (response.status_code, response.request_id, response.headers["x-other"]) == (200, "an-id", "1")
    assert [attempt.operation for attempt in response.attempts] == [operation]
    assert response.elapsed >= response.attempts[0].elapsed
    assert scripted_server.requests[0] == scripted_server.requests[1]


async def test_attempts_are_those_of_the_call(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.inject(Fault(status=429, retry_after=0))
    response = await client.with_raw_response.rooms.create(unique_name="Weekly")
    assert response.value == telnyx.rooms[0]
    assert [attempt.status for attempt in response.attempts] == [429, 201]


async def test_repeated_deletion_has_the_response_of_its_last_request(
    client: RoomsClient, telnyx: Emulator
) -> None:
    telnyx.seed(1)
    telnyx.inject(Fault(cut="after"), operation="DeleteRoom")
    response = await client.with_raw_response.rooms.delete(telnyx.rooms[0])
    assert (response.value, response.status_code, len(response.attempts)) == (None, 404, 2)


async def test_errors_are_raised_as_without_it(client: RoomsClient) -> None:
    with pytest.raises(NotFoundError):
        await client.with_raw_response.rooms.retrieve("a")


async def test_concurrent_calls_keep_their_responses_apart(client: RoomsClient, telnyx: Emulator) -> None:
    telnyx.seed(3)
    raw = client.with_raw_response.rooms
    calls = [raw.retrieve(room) for room in telnyx.rooms]
    responses: list[APIResponse[Room]] = [await call for call in calls[::-1]]
    assert [response.value for response in responses[::-1]] == list(telnyx.rooms)
    assert len({response.request_id for response in responses}) == 3
