"""What each of the 25 operations sends, and what its response becomes. Errors: see tests/faults."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from aiohttp import ServerDisconnectedError
from aioresponses import CallbackResult, aioresponses
from yarl import URL

from telnyx_rooms_async import (
    AccessToken,
    APIResponse,
    ClientToken,
    DateFilter,
    DurationFilter,
    Listing,
    OutcomeUnknownError,
    Page,
    ReadOnlyError,
    Room,
    RoomComposition,
    RoomParticipant,
    RoomRecording,
    RoomsClient,
    RoomSession,
    VideoRegion,
)
from telnyx_rooms_async.core.endpoints import ENDPOINTS
from tests.helpers.clocks import FakeClock

pytestmark = pytest.mark.usefixtures("patched_aioresponses")

BASE = "https://api.telnyx.com/v2"
ROOM, SESSION, PERSON = "0ccc7b54-4df3-4bca-a65a-35a1ecc777f0", "a-session", "a-person"
DAY, DAYS = date(2021, 4, 25), DateFilter(gte=date(2021, 4, 25), lte=date(2021, 4, 26))
NOON, NOON_TEXT = datetime(2021, 4, 25, 12, tzinfo=UTC), "2021-04-25T12:00:00Z"

LAST = {"page_number": 1, "page_size": 250, "total_pages": 1, "total_results": 1}

Call = Callable[[Any], Any]
"""Of a client, or of its raw responses."""
Operation = tuple[Call, str, dict[str, str], object, int, object, object]


async def result_of(call: Any) -> Any:
    """Return the items of a listing, or the value of any other call."""
    return await (call.all() if isinstance(call, Listing) else call)


# name: (call, method and path, query, JSON body, status, JSON response, result)
# fmt: off
# ruff: noqa: E501 - a row is a line
OPERATIONS: dict[str, Operation] = {
    "ListRooms": (
        lambda client: client.rooms.list(created_at=DAY, updated_at=DAYS, unique_name="a b&c", include_sessions=True, page_size=7),
        "GET /rooms",
        {"filter[date_created_at][eq]": "2021-04-25", "filter[date_updated_at][gte]": "2021-04-25", "filter[date_updated_at][lte]": "2021-04-26", "filter[unique_name]": "a b&c", "include_sessions": "true", "page[number]": "1", "page[size]": "7"}, None,
        200, {"meta": LAST, "data": [{"id": "a", "sessions": [{"id": "s"}]}]}, [Room(id="a", sessions=(RoomSession(id="s"),))],
    ),
    "CreateRoom": (
        lambda client: client.rooms.create(unique_name="Zoë", max_participants=7, enable_recording=True, webhook_event_url="https://example.com/", webhook_event_failover_url=None, webhook_timeout_secs=5),
        "POST /rooms", {}, {"unique_name": "Zoë", "max_participants": 7, "enable_recording": True, "webhook_event_url": "https://example.com/", "webhook_event_failover_url": None, "webhook_timeout_secs": 5},
        201, {"data": {"id": "a", "unique_name": "Zoë", "created_at": NOON_TEXT}}, Room(id="a", unique_name="Zoë", created_at=NOON),
    ),
    "ViewRoom": (
        lambda client: client.rooms.retrieve("a", include_sessions=True),
        "GET /rooms/a", {"include_sessions": "true"}, None, 200, {"data": {"id": "a", "max_participants": 10}}, Room(id="a", max_participants=10),
    ),
    "UpdateRoom": (
        lambda client: client.rooms.update("a", max_participants=3, webhook_event_failover_url=None),
        "PATCH /rooms/a", {}, {"max_participants": 3, "webhook_event_failover_url": None}, 200, {"data": {"id": "a", "max_participants": 3}}, Room(id="a", max_participants=3),
    ),
    "DeleteRoom": (
        lambda client: client.rooms.delete(Room(id="a")), "DELETE /rooms/a", {}, None, 204, None, None,
    ),
    "RetrieveListRoomSessions": (
        lambda client: client.rooms.sessions("a", created_at=DAY, ended_at=DAY, active=False, include_participants=True),
        "GET /rooms/a/sessions",
        {"filter[date_created_at][eq]": "2021-04-25", "filter[date_ended_at][eq]": "2021-04-25", "filter[active]": "false", "include_participants": "true", "page[number]": "1", "page[size]": "250"}, None,
        200, {"meta": LAST, "data": [{"id": "s", "participants": [{"id": "p"}]}]}, [RoomSession(id="s", participants=(RoomParticipant(id="p"),))],
    ),
    "CreateRoomClientToken": (
        lambda client: client.tokens.create("a", token_ttl_secs=60, refresh_token_ttl_secs=600),
        "POST /rooms/a/actions/generate_join_client_token", {}, {"token_ttl_secs": 60, "refresh_token_ttl_secs": 600},
        201, {"data": {"token": "t", "token_expires_at": NOON_TEXT, "refresh_token": "r", "refresh_token_expires_at": NOON_TEXT}},
        ClientToken(token="t", token_expires_at=NOON, refresh_token="r", refresh_token_expires_at=NOON),
    ),
    "RefreshRoomClientToken": (
        lambda client: client.tokens.refresh(ROOM, "r", token_ttl_secs=60),
        f"POST /rooms/{ROOM}/actions/refresh_client_token", {}, {"refresh_token": "r", "token_ttl_secs": 60},
        201, {"data": {"token": "t", "token_expires_at": NOON_TEXT}}, AccessToken(token="t", token_expires_at=NOON),
    ),
    "ListRoomSessions": (
        lambda client: client.sessions.list(room_id="a", updated_at=DAY, active=True),
        "GET /room_sessions", {"filter[room_id]": "a", "filter[date_updated_at][eq]": "2021-04-25", "filter[active]": "true", "page[number]": "1", "page[size]": "250"}, None,
        200, {"meta": LAST, "data": [{"id": "s", "active": True}]}, [RoomSession(id="s", active=True)],
    ),
    "ViewRoomSession": (
        lambda client: client.sessions.retrieve(SESSION, include_participants=True),
        "GET /room_sessions/a-session", {"include_participants": "true"}, None, 200, {"data": {"id": "s", "room_id": "a"}}, RoomSession(id="s", room_id="a"),
    ),
    "RetrieveListRoomParticipants": (
        lambda client: client.sessions.participants(SESSION, joined_at=DAY, left_at=DAY, context="Alice"),
        "GET /room_sessions/a-session/participants",
        {"filter[date_joined_at][eq]": "2021-04-25", "filter[date_left_at][eq]": "2021-04-25", "filter[context]": "Alice", "page[number]": "1", "page[size]": "250"}, None,
        200, {"meta": LAST, "data": [{"id": "p", "context": "Alice"}]}, [RoomParticipant(id="p", context="Alice")],
    ),
    "EndSession": (
        lambda client: client.sessions.end(SESSION), "POST /room_sessions/a-session/actions/end", {}, None, 200, {"data": {"result": "ok"}}, None,
    ),
    "KickParticipantInSession": (
        lambda client: client.sessions.kick(SESSION, "all", exclude=[PERSON]),
        "POST /room_sessions/a-session/actions/kick", {}, {"participants": "all", "exclude": [PERSON]}, 200, {"data": {"result": "ok"}}, None,
    ),
    "MuteParticipantInSession": (
        lambda client: client.sessions.mute(SESSION, [PERSON]),
        "POST /room_sessions/a-session/actions/mute", {}, {"participants": [PERSON]}, 200, {"data": {"result": "ok"}}, None,
    ),
    "UnmuteParticipantInSession": (
        lambda client: client.sessions.unmute(SESSION, "all"),
        "POST /room_sessions/a-session/actions/unmute", {}, {"participants": "all"}, 200, {"data": {"result": "ok"}}, None,
    ),
    "ListRoomParticipants": (
        lambda client: client.participants.list(session_id=SESSION, updated_at=DAY),
        "GET /room_participants", {"filter[session_id]": SESSION, "filter[date_updated_at][eq]": "2021-04-25", "page[number]": "1", "page[size]": "250"}, None,
        200, {"meta": LAST, "data": [{"id": "p", "left_at": NOON_TEXT}]}, [RoomParticipant(id="p", left_at=NOON)],
    ),
    "ViewRoomParticipant": (
        lambda client: client.participants.retrieve(PERSON), "GET /room_participants/a-person", {}, None, 200, {"data": {"id": "p"}}, RoomParticipant(id="p"),
    ),
    "ListRoomRecordings": (
        lambda client: client.recordings.list(room_id="a", session_id=SESSION, participant_id=PERSON, status="completed", type="audio", started_at=DAY, duration_secs=DurationFilter(gte=10, lte=60)),
        "GET /room_recordings",
        {"filter[room_id]": "a", "filter[session_id]": SESSION, "filter[participant_id]": PERSON, "filter[status]": "completed", "filter[type]": "audio", "filter[date_started_at][eq]": "2021-04-25", "filter[duration_secs][gte]": "10", "filter[duration_secs][lte]": "60", "page[number]": "1", "page[size]": "250"}, None,
        200, {"meta": LAST, "data": [{"id": "r", "duration_secs": 20, "size_mb": 1.5}]}, [RoomRecording(id="r", duration_secs=20, size_mb=1.5)],
    ),
    "ViewRoomRecording": (
        lambda client: client.recordings.retrieve("r"), "GET /room_recordings/r", {}, None, 200, {"data": {"id": "r", "status": "completed"}}, RoomRecording(id="r", status="completed"),
    ),
    "DeleteRoomRecording": (
        lambda client: client.recordings.delete("r"), "DELETE /room_recordings/r", {}, None, 204, None, None,
    ),
    "DeleteRoomRecordings": (
        lambda client: client.recordings.delete_matching(room_id="a", ended_at=DAY),
        "DELETE /room_recordings", {"filter[room_id]": "a", "filter[date_ended_at][eq]": "2021-04-25"}, None, 201, {"data": {"room_recordings": 4}}, 4,
    ),
    "ListRoomCompositions": (
        lambda client: client.compositions.list(session_id=SESSION, status="completed", created_at=DAY),
        "GET /room_compositions", {"filter[session_id]": SESSION, "filter[status]": "completed", "filter[date_created_at][eq]": "2021-04-25", "page[number]": "1", "page[size]": "250"}, None,
        200, {"meta": LAST, "data": [{"id": "c", "video_layout": {"main": {"z_pos": 1}}}]}, [RoomComposition(id="c", video_layout={"main": VideoRegion(z_pos=1)})],
    ),
    "CreateRoomComposition": (
        lambda client: client.compositions.create(SESSION, video_layout={"main": VideoRegion(height=360, width=480, video_sources=("*",))}, format="mp4", resolution="1280x720"),
        "POST /room_compositions", {}, {"session_id": SESSION, "format": "mp4", "resolution": "1280x720", "audio_sources": ["*"], "video_layout": {"main": {"height": 360, "width": 480, "video_sources": ["*"]}}},
        202, {"data": {"id": "c", "status": "enqueued", "audio_sources": ["*"]}}, RoomComposition(id="c", status="enqueued", audio_sources=("*",)),
    ),
    "ViewRoomComposition": (
        lambda client: client.compositions.retrieve("c"), "GET /room_compositions/c", {}, None, 200, {"data": {"id": "c", "resolution": "1280x720"}}, RoomComposition(id="c", resolution="1280x720"),
    ),
    "DeleteRoomComposition": (
        lambda client: client.compositions.delete("c"), "DELETE /room_compositions/c", {}, None, 204, None, None,
    ),
}
# fmt: on


def test_the_table_contains_every_operation() -> None:
    assert list(OPERATIONS) == [endpoint.operation for endpoint in ENDPOINTS]


@pytest.mark.parametrize("is_raw", [False, True], ids=["value", "raw response"])
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_an_operation_sends_one_request_and_returns_a_model(operation: str, *, is_raw: bool) -> None:
    call, target, query, body, status, response, expected = OPERATIONS[operation]
    method, path = target.split()
    requests: list[tuple[URL, Any]] = []

    def respond(url: URL, **options: Any) -> CallbackResult:
        requests.append((url, options))
        payload = b"" if response is None else json.dumps(response).encode()
        return CallbackResult(status=status, body=payload, headers={"X-Request-Id": "an-id"})

    with aioresponses() as api:
        api.add((URL(BASE + path) % query).human_repr(), method, callback=respond)
        async with RoomsClient("KEY") as client:
            if is_raw:
                raw: APIResponse[Any] = await call(client.with_raw_response)
                assert (raw.status_code, raw.request_id) == (status, "an-id")
                assert raw.headers["x-request-id"] == "an-id"
                assert [attempt.operation for attempt in raw.attempts] == [operation]
                assert raw.elapsed >= raw.attempts[0].elapsed
                assert (list(raw.value.data) if isinstance(raw.value, Page) else raw.value) == expected
            else:
                assert await result_of(call(client)) == expected
    ((url, options),) = requests
    assert dict(url.query) == query
    sent = options.get("data")
    assert (json.loads(sent) if sent else None) == body
    assert options["headers"]["Authorization"] == "Bearer KEY"


WRITES = [operation for operation, row in OPERATIONS.items() if not row[1].startswith("GET ")]


@pytest.mark.parametrize("operation", WRITES)
async def test_a_read_only_client_refuses_an_operation_that_changes_something(operation: str) -> None:
    with aioresponses() as api:
        async with RoomsClient("KEY", read_only=True) as client:
            with pytest.raises(ReadOnlyError):
                await OPERATIONS[operation][0](client)
    assert not api.requests


NOT_REPEATED = {
    "CreateRoom",
    "KickParticipantInSession",
    "MuteParticipantInSession",
    "UnmuteParticipantInSession",
    "DeleteRoomRecordings",
    "CreateRoomComposition",
}


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_a_lost_response_is_requested_again_only_if_a_second_time_does_no_harm(operation: str) -> None:
    call, target, query, _, status, response, expected = OPERATIONS[operation]
    method, path = target.split()
    with aioresponses() as api:
        url = (URL(BASE + path) % query).human_repr()
        api.add(url, method, exception=ServerDisconnectedError())
        api.add(url, method, status=status, body=b"" if response is None else json.dumps(response).encode())
        async with RoomsClient("KEY", clock=FakeClock().clock) as client:
            if operation in NOT_REPEATED:
                with pytest.raises(OutcomeUnknownError):
                    await result_of(call(client))
            else:
                assert await result_of(call(client)) == expected
        sent = [requests for (sent_method, _), requests in api.requests.items() if sent_method == method]
    assert len(sent[0]) == (1 if operation in NOT_REPEATED else 2)
