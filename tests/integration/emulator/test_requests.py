"""Authentication, validation, state and lifecycle of the emulator, over HTTP."""

import asyncio
import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientSession
from yarl import URL

from telnyx_rooms_async import UNSET
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock, wait_until
from tests.helpers.http_client import HttpClient
from tests.helpers.webhook_listener import WebhookListener


async def test_requests_are_recorded_and_their_repr_shows_no_secrets(
    telnyx: Emulator, http: ClientSession, keyless_http: ClientSession
) -> None:
    await http.post("rooms?a=b%20c", json={"unique_name": "Weekly"}, headers={"X-Team": "Video"})
    (request,) = telnyx.requests
    assert [text for text in ("Weekly", "b c", telnyx.api_key, "Video") if text in repr(request)] == []
    assert (request.method, request.path, request.target) == ("POST", "/v2/rooms", "/v2/rooms?a=b%20c")
    assert request.query == (("a", "b c"),)
    assert request.headers["x-team"] == "Video"
    assert request.json == json.loads(request.body) == {"unique_name": "Weekly"}
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        async with keyless_http.get(telnyx.url + "/rooms", headers=headers) as response:
            assert response.status == 401
            assert (await response.json())["errors"][0]["code"] == "10009"
    assert [recorded.path for recorded in telnyx.requests] == ["/v2/rooms"] * 3


async def test_client_may_close_the_connection_within_a_request(
    telnyx: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    tasks = asyncio.all_tasks()
    server = telnyx._runner.server if telnyx._runner else None
    assert server is not None
    url = URL(telnyx.url)
    _, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b'POST /v2/rooms HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"unique_name": "')
    await wait_until(lambda: server.requests_count == 1)
    writer.close()
    await writer.wait_closed()
    await wait_until(lambda: asyncio.all_tasks() == tasks)
    assert (telnyx.requests, caplog.records) == ([], [])


async def test_nothing_is_recorded_with_recording_off(receiver: WebhookListener) -> None:
    async with Emulator(recording=False) as telnyx, ClientSession() as session:
        await session.get(telnyx.url)
        await telnyx.deliver("x", url=receiver.url)
        assert [*telnyx.requests, *telnyx.deliveries] == []
    assert len(receiver.received) == 1


async def test_new_room_has_documented_fields_and_defaults(api: HttpClient) -> None:
    settings = {"unknown": 3, "webhook_event_url": "HTTPS://example.com"}
    response = await api("POST", "rooms", settings, unknown="ignored")
    assert (response.status, response.headers["Content-Type"]) == (201, "application/json")
    assert response.headers["Date"] == "Sun, 25 Apr 2021 12:00:00 GMT"
    assert response.data == {
        "id": response.data["id"],
        "unique_name": None,
        "max_participants": 10,
        "enable_recording": False,
        "active_session_id": None,
        "webhook_event_url": "HTTPS://example.com",
        "webhook_event_failover_url": "",
        "webhook_timeout_secs": None,
        "created_at": "2021-04-25T12:00:00.000000Z",
        "updated_at": "2021-04-25T12:00:00.000000Z",
        "record_type": "room",
    }


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"max_participants": 51}, ["/max_participants"]),
        ({"max_participants": None, "enable_recording": "yes"}, ["/enable_recording", "/max_participants"]),
        (
            {"max_participants": 1, "webhook_timeout_secs": 31, "webhook_event_url": "example.com"},
            ["/max_participants", "/webhook_event_url", "/webhook_timeout_secs"],
        ),
        ({"unique_name": 1, "max_participants": True}, ["/max_participants", "/unique_name"]),
        ({"webhook_event_url": "https:// "}, ["/webhook_event_url"]),
    ],
)
async def test_invalid_fields_are_refused(
    telnyx: Emulator, api: HttpClient, body: dict[str, Any], pointers: list[str]
) -> None:
    response = await api.post("rooms", body)
    assert (response.status, response.error_sources) == (422, pointers)
    assert telnyx.rooms == ()


@pytest.mark.parametrize("body", [b"{", b"[]"])
async def test_body_that_is_not_an_object_is_refused(http: ClientSession, body: bytes) -> None:
    async with http.post("rooms", data=body) as response:
        assert response.status == 400
        assert (await response.json())["errors"][0]["code"] == "10023"


@pytest.mark.parametrize("path", ["rooms/unknown", "unknown", "../v3/rooms"])
async def test_unknown_paths_are_not_found_at_the_time_of_the_clock(
    api: HttpClient, clock: FakeClock, path: str
) -> None:
    for _ in range(2):
        response = await api.get(path)
        assert (response.status, response.body["code"]) == (404, "10005")
        assert parsedate_to_datetime(response.headers["Date"]) == clock.now
        clock.advance(seconds=86_400)


async def test_name_is_taken_until_room_is_renamed_or_deleted(api: HttpClient) -> None:
    first = f"rooms/{(await api.post('rooms', {'unique_name': ''})).data['id']}"
    assert (await api.post("rooms", {"unique_name": ""})).error_sources == ["/unique_name"]
    assert (await api("PATCH", first, {"unique_name": "", "max_participants": 3})).status == 200
    assert (await api("PATCH", first, {"unique_name": "Two"})).status == 200
    second = f"rooms/{(await api.post('rooms', {'unique_name': ''})).data['id']}"
    assert (await api("PATCH", first, {"unique_name": ""})).status == 422
    await api.delete(second)
    assert (await api("PATCH", first, {"unique_name": ""})).status == 200


async def test_participants_open_and_end_sessions(api: HttpClient, telnyx: Emulator) -> None:
    room_id = (await api.post("rooms", {"max_participants": 2})).data["id"]
    alice, bob = telnyx.join(room_id, context="Alice"), telnyx.join(room_id, context="Bob")
    assert alice.session_id == bob.session_id
    with pytest.raises(ValueError, match="full"):
        telnyx.join(room_id)
    telnyx.leave(alice.id)
    assert (await api.get(f"rooms/{room_id}")).data["active_session_id"] == bob.session_id
    telnyx.leave(bob.id)
    assert (await api.get(f"rooms/{room_id}")).data["active_session_id"] is None
    with pytest.raises(LookupError, match="no participant in a session"):
        telnyx.leave(bob.id)
    carol = telnyx.join(room_id)
    listed = (await api.get("rooms", {"include_sessions": "true"})).data[0]["sessions"]
    assert [session["id"] for session in listed] == [alice.session_id, carol.session_id]
    with pytest.raises(LookupError, match="no room"):
        telnyx.join("unknown")


async def test_seeded_rooms_have_free_names_and_times_in_utc() -> None:
    now = datetime.fromisoformat("2021-04-25T23:30:00-07:00")
    telnyx = Emulator(clock=lambda: now)
    telnyx.seed(2)
    telnyx.seed(2)  # skips the names that are taken
    assert [room.unique_name for room in telnyx.rooms] == ["Room 1", "Room 2", "Room 3", "Room 4"]
    assert telnyx.rooms[0].created_at == datetime(2021, 4, 26, 6, 30, tzinfo=UTC)


async def test_room_is_created_without_a_request_and_with_the_checks_of_one(
    telnyx: Emulator, api: HttpClient
) -> None:
    room = telnyx.create_room("Weekly", enable_recording=True, webhook_timeout_secs=UNSET)
    listed = (await api.get(f"rooms/{room.id}")).data
    assert (listed["unique_name"], listed["enable_recording"]) == ("Weekly", True)
    assert len(telnyx.requests) == 1
    problem = "max_participants must be from 2 to 50; unique_name has already been taken"
    with pytest.raises(ValueError, match=problem):
        telnyx.create_room("Weekly", max_participants=99)
    assert telnyx.rooms == (room,)


async def test_port_that_is_taken_is_an_error(telnyx: Emulator) -> None:
    with pytest.raises(OSError, match="address already in use"):
        async with Emulator(port=URL(telnyx.url).port or 0):
            pytest.fail("entered")


async def test_emulator_has_a_url_only_while_it_runs() -> None:
    telnyx = Emulator()
    with pytest.raises(RuntimeError, match="not running"):
        _ = telnyx.url
    async with telnyx:
        url = telnyx.url
        with pytest.raises(RuntimeError, match="already running"):
            await telnyx.__aenter__()
    await telnyx.__aexit__(None, None, None)
    with pytest.raises(RuntimeError, match="not running"):
        _ = telnyx.url
    async with ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(url)


@pytest.mark.parametrize(
    "url", ["telnyx:8080", "http://", "ftp://telnyx", "http://me@telnyx", "http://[", "http://telnyx/v2?a=b"]
)
def test_public_url_must_be_a_base_url(url: str) -> None:
    with pytest.raises(ValueError, match=r"^public_url must be a base URL"):
        Emulator(public_url=url)
