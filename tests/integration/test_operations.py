"""All operations: the request that each method of the client sends."""

import json
from collections.abc import AsyncIterable, Awaitable, Callable
from datetime import date
from typing import Any

import pytest
from aioresponses import aioresponses
from yarl import URL

from telnyx_rooms_async import DateFilter, DurationFilter, RoomsClient, VideoRegion
from telnyx_rooms_async.core.endpoints import ENDPOINTS

pytestmark = pytest.mark.usefixtures("patched_aioresponses")

BASE_URL = "https://api.telnyx.com/v2"
DAY = date(2021, 4, 25)
MINUTE = DurationFilter(gte=60)
FIRST_PAGE = {"page[number]": "1", "page[size]": "250"}
ONE = {"data": {"id": "an-id", "token": "a-token", "room_recordings": 2, "result": "ok"}}


async def consume(listing: AsyncIterable[object]) -> None:
    async for _ in listing:
        pass


Action = Callable[[RoomsClient], Awaitable[object]]
# The method and path of the API reference, the call of the client, and the query or body that it sends.
OPERATIONS: dict[str, tuple[str, Action, dict[str, Any]]] = {
    "ListRooms": (
        "GET /rooms",
        lambda client: consume(client.rooms.list(created_at=DAY, unique_name="a b&c", include_sessions=True)),
        {
            **FIRST_PAGE,
            "filter[date_created_at][eq]": "2021-04-25",
            "filter[unique_name]": "a b&c",
            "include_sessions": "true",
        },
    ),
    "CreateRoom": (
        "POST /rooms",
        lambda client: client.rooms.create(unique_name="Zoë", webhook_event_failover_url=None),
        {"unique_name": "Zoë", "webhook_event_failover_url": None},
    ),
    "ViewRoom": (
        "GET /rooms/a-room",
        lambda client: client.rooms.retrieve("a-room", include_sessions=True),
        {"include_sessions": "true"},
    ),
    "UpdateRoom": (
        "PATCH /rooms/a-room",
        lambda client: client.rooms.update("a-room", max_participants=2, enable_recording=False),
        {"max_participants": 2, "enable_recording": False},
    ),
    "DeleteRoom": ("DELETE /rooms/a-room", lambda client: client.rooms.delete("a-room"), {}),
    "RetrieveListRoomSessions": (
        "GET /rooms/a-room/sessions",
        lambda client: consume(
            client.rooms.sessions(
                "a-room", ended_at=DateFilter(gte=DAY, lte=DAY), active=False, include_participants=True
            )
        ),
        {
            **FIRST_PAGE,
            "filter[date_ended_at][gte]": "2021-04-25",
            "filter[date_ended_at][lte]": "2021-04-25",
            "filter[active]": "false",
            "include_participants": "true",
        },
    ),
    "CreateRoomClientToken": (
        "POST /rooms/a-room/actions/generate_join_client_token",
        lambda client: client.tokens.create("a-room", token_ttl_secs=60),
        {"token_ttl_secs": 60},
    ),
    "RefreshRoomClientToken": (
        "POST /rooms/a-room/actions/refresh_client_token",
        lambda client: client.tokens.refresh("a-room", "a-token"),
        {"refresh_token": "a-token"},
    ),
    "ListRoomSessions": (
        "GET /room_sessions",
        lambda client: consume(client.sessions.list(room_id="a-room", updated_at="2021-04-25")),
        {**FIRST_PAGE, "filter[room_id]": "a-room", "filter[date_updated_at][eq]": "2021-04-25"},
    ),
    "ViewRoomSession": (
        "GET /room_sessions/a-session",
        lambda client: client.sessions.retrieve("a-session", include_participants=True),
        {"include_participants": "true"},
    ),
    "RetrieveListRoomParticipants": (
        "GET /room_sessions/a-session/participants",
        lambda client: consume(client.sessions.participants("a-session", context="Alice", left_at=DAY)),
        {**FIRST_PAGE, "filter[context]": "Alice", "filter[date_left_at][eq]": "2021-04-25"},
    ),
    "EndSession": (
        "POST /room_sessions/a-session/actions/end",
        lambda client: client.sessions.end("a-session"),
        {},
    ),
    "KickParticipantInSession": (
        "POST /room_sessions/a-session/actions/kick",
        lambda client: client.sessions.kick("a-session", "all", exclude=["an-id"]),
        {"participants": "all", "exclude": ["an-id"]},
    ),
    "MuteParticipantInSession": (
        "POST /room_sessions/a-session/actions/mute",
        lambda client: client.sessions.mute("a-session", ["an-id"]),
        {"participants": ["an-id"]},
    ),
    "UnmuteParticipantInSession": (
        "POST /room_sessions/a-session/actions/unmute",
        lambda client: client.sessions.unmute("a-session", ["an-id"]),
        {"participants": ["an-id"]},
    ),
    "ListRoomParticipants": (
        "GET /room_participants",
        lambda client: consume(client.participants.list(session_id="a-session", joined_at=DAY)),
        {**FIRST_PAGE, "filter[session_id]": "a-session", "filter[date_joined_at][eq]": "2021-04-25"},
    ),
    "ViewRoomParticipant": (
        "GET /room_participants/an-id",
        lambda client: client.participants.retrieve("an-id"),
        {},
    ),
    "ListRoomRecordings": (
        "GET /room_recordings",
        lambda client: consume(
            client.recordings.list(participant_id="an-id", duration_secs=MINUTE, started_at=DAY)
        ),
        {
            **FIRST_PAGE,
            "filter[participant_id]": "an-id",
            "filter[duration_secs][gte]": "60",
            "filter[date_started_at][eq]": "2021-04-25",
        },
    ),
    "ViewRoomRecording": (
        "GET /room_recordings/an-id",
        lambda client: client.recordings.retrieve("an-id"),
        {},
    ),
    "DeleteRoomRecording": (
        "DELETE /room_recordings/an-id",
        lambda client: client.recordings.delete("an-id"),
        {},
    ),
    "DeleteRoomRecordings": (
        "DELETE /room_recordings",
        lambda client: client.recordings.delete_matching(session_id="a-session", status="completed"),
        {"filter[session_id]": "a-session", "filter[status]": "completed"},
    ),
    "ListRoomCompositions": (
        "GET /room_compositions",
        lambda client: consume(client.compositions.list(session_id="a-session", status="completed")),
        {**FIRST_PAGE, "filter[session_id]": "a-session", "filter[status]": "completed"},
    ),
    "CreateRoomComposition": (
        "POST /room_compositions",
        lambda client: client.compositions.create(
            "a-session", video_layout={"all": VideoRegion(width=640)}, audio_sources=None
        ),
        {"session_id": "a-session", "video_layout": {"all": {"width": 640}}, "audio_sources": None},
    ),
    "ViewRoomComposition": (
        "GET /room_compositions/an-id",
        lambda client: client.compositions.retrieve("an-id"),
        {},
    ),
    "DeleteRoomComposition": (
        "DELETE /room_compositions/an-id",
        lambda client: client.compositions.delete("an-id"),
        {},
    ),
}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.operation)
async def test_operation_sends_its_request(endpoint: Any) -> None:
    method_and_path, action, sent = OPERATIONS[endpoint.operation]
    method, _, path = method_and_path.partition(" ")
    has_body = method in ("POST", "PATCH")
    url = URL(f"{BASE_URL}{path}").with_query({} if has_body else dict(sorted(sent.items())))
    payload = {"data": [], "meta": {"total_pages": 1}} if endpoint.is_list else ONE
    with aioresponses() as server:
        server.add(str(url), method=method, status=endpoint.status, payload=payload)
        async with RoomsClient("KEY") as client:
            await action(client)
    ((key, (request,)),) = server.requests.items()
    assert key == (method, url)
    assert request.kwargs["headers"]["Authorization"] == "Bearer KEY"
    body = request.kwargs["data"]
    assert (json.loads(body) if body else {}) == (sent if has_body else {})
