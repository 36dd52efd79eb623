"""The emulator as a user's program meets it: over HTTP, with any client."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp
import pytest
from aiohttp import ClientSession

from telnyx_rooms_async import DateFilter, RoomsClient
from telnyx_rooms_async.core.endpoints import ENDPOINTS
from telnyx_rooms_async.emulator import Emulator
from telnyx_rooms_async.emulator.operations import OPERATIONS
from tests.helpers.clocks import FakeClock


def pointers(body: dict[str, list[dict[str, dict[str, str]]]]) -> list[str]:
    """List the fields and parameters that an error body blames."""
    return [next(iter(entry["source"].values())) for entry in body["errors"]]


@pytest.mark.parametrize("key", [None, "Bearer wrong", "Basic abc", "Bearer"])
async def test_a_wrong_key(telnyx: Emulator, key: str | None) -> None:
    """Without the one right key every request is a 401 with Telnyx's code, and is recorded all the same."""
    async with ClientSession() as session:
        headers = {"Authorization": key} if key else {}
        async with session.get(telnyx.url + "/rooms", headers=headers) as response:
            assert response.status == 401
            assert (await response.json())["errors"][0]["code"] == "10009"
    assert [request.path for request in telnyx.requests] == ["/v2/rooms"]


async def test_what_arrived_is_recorded(telnyx: Emulator, http: ClientSession) -> None:
    """A recorded request tells method, path, query, headers and body as they came."""
    await http.post("rooms?a=b%20c", json={"unique_name": "Weekly"}, headers={"X-Team": "Video"})
    (request,) = telnyx.requests
    assert (request.method, request.path, request.target) == ("POST", "/v2/rooms", "/v2/rooms?a=b%20c")
    assert request.query == (("a", "b c"),)
    assert request.headers["x-team"] == "Video"
    assert request.json == {"unique_name": "Weekly"}
    assert json.loads(request.body) == request.json


async def test_a_room_as_the_api_shows_it(http: ClientSession) -> None:
    """A new room has the documented fields and defaults, under data, with 201."""
    async with http.post("rooms", json={}) as response:
        assert (response.status, response.content_type) == (201, "application/json")
        room = (await response.json())["data"]
    assert set(room) == {
        "id", "unique_name", "max_participants", "enable_recording", "active_session_id",
        "webhook_event_url", "webhook_event_failover_url", "webhook_timeout_secs",
        "created_at", "updated_at", "record_type",
    }  # fmt: skip
    assert (room["max_participants"], room["enable_recording"], room["record_type"]) == (10, False, "room")
    assert (room["webhook_event_failover_url"], room["webhook_timeout_secs"]) == ("", None)
    assert room["created_at"].endswith("Z")


BAD_FIELDS: dict[str, tuple[dict[str, object], list[str]]] = {
    "one out of bounds": ({"max_participants": 51}, ["/max_participants"]),
    "several at once": (
        {"max_participants": 1, "webhook_timeout_secs": 31, "webhook_event_url": "example.com"},
        ["/max_participants", "/webhook_event_url", "/webhook_timeout_secs"],
    ),
    "wrong types": (
        {"unique_name": 1, "enable_recording": "yes", "max_participants": True},
        ["/enable_recording", "/max_participants", "/unique_name"],
    ),
    "null where there is none": ({"max_participants": None}, ["/max_participants"]),
}


@pytest.mark.parametrize(("body", "blamed"), BAD_FIELDS.values(), ids=BAD_FIELDS)
async def test_a_body_with_wrong_fields(
    telnyx: Emulator, http: ClientSession, body: dict[str, object], blamed: list[str]
) -> None:
    """Each field that is not accepted has an entry with its pointer in the 422, and nothing is made."""
    async with http.post("rooms", json=body) as response:
        assert response.status == 422
        assert sorted(pointers(await response.json())) == blamed
    assert telnyx.rooms == ()


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'"text"'])
async def test_a_body_that_is_no_object(http: ClientSession, body: bytes) -> None:
    """What cannot be read as a JSON object is a 400."""
    async with http.post("rooms", data=body) as response:
        assert response.status == 400
        assert (await response.json())["errors"][0]["code"] == "10023"


async def test_unknown_fields_and_parameters_are_passed_over(http: ClientSession) -> None:
    """As with Telnyx, what is not known does no harm."""
    async with http.post("rooms?nothing=1", json={"max_participant": 3}) as response:
        assert response.status == 201
        assert "max_participant" not in (await response.json())["data"]


BAD_QUERIES = {
    "page[size]=251": "page[size]",
    "page[size]=0": "page[size]",
    "page[number]=0": "page[number]",
    "page[number]=two": "page[number]",
    "filter[date_created_at][gte]=yesterday": "filter[date_created_at][gte]",
    "filter[date_updated_at][eq]=2021-02-30": "filter[date_updated_at][eq]",
    "include_sessions=yes": "include_sessions",
}


@pytest.mark.parametrize(("query", "blamed"), BAD_QUERIES.items())
async def test_a_query_with_wrong_values(http: ClientSession, query: str, blamed: str) -> None:
    """A parameter that cannot be read is a 422 that names it."""
    async with http.get(f"rooms?{query}") as response:
        assert response.status == 422
        assert pointers(await response.json()) == [blamed]


@pytest.mark.parametrize(
    "path",
    ["rooms/nothing", "rooms/0ccc7b54-4df3-4bca-a65a-3da1ecc777f0", "nothing", "rooms/x/y/z", "../v3/rooms"],
)
async def test_what_is_not_there(http: ClientSession, path: str) -> None:
    """A 404 is one bare entry, as documented."""
    async with http.get(path) as response:
        assert response.status == 404
        assert (await response.json())["code"] == "10005"


async def test_names_are_unique_until_they_are_free_again(client: RoomsClient, telnyx: Emulator) -> None:
    """A name belongs to one room: kept when unchanged, freed by renaming and by deletion."""
    first = await client.rooms.create(unique_name="One")
    await client.rooms.update(first.id, unique_name="One")
    await client.rooms.update(first.id, unique_name="Two")
    second = await client.rooms.create(unique_name="One")
    with pytest.raises(Exception, match="taken"):
        await client.rooms.update(first.id, unique_name="One")
    await client.rooms.delete(second.id)
    await client.rooms.update(first.id, unique_name="One")
    assert [room.unique_name for room in telnyx.rooms] == ["One"]


async def test_who_comes_and_goes(client: RoomsClient, telnyx: Emulator) -> None:
    """The first one in opens a session, the last one out ends it, and the next one in opens another."""
    room = await client.rooms.create(max_participants=2)
    alice, bob = telnyx.join(room.id, context="Alice"), telnyx.join(room.id, context="Bob")
    assert alice.session_id == bob.session_id
    with pytest.raises(ValueError, match="full"):
        telnyx.join(room.id)
    telnyx.leave(alice.id)
    assert (await client.rooms.retrieve(room.id)).active_session_id == bob.session_id
    telnyx.leave(bob.id)
    assert (await client.rooms.retrieve(room.id)).active_session_id is None
    with pytest.raises(LookupError):
        telnyx.leave(bob.id)
    assert telnyx.join(room.id).session_id != alice.session_id
    assert await client.rooms.sessions(room.id).count() == 2


async def test_a_deleted_room_ends_its_session(client: RoomsClient, telnyx: Emulator) -> None:
    """Deleting a room sends everyone out; the room and its sessions are found no more."""
    room = await client.rooms.create()
    alice = telnyx.join(room.id)
    await client.rooms.delete(room.id)
    with pytest.raises(LookupError):
        telnyx.leave(alice.id)
    with pytest.raises(LookupError):
        telnyx.join(room.id)
    with pytest.raises(Exception, match="404"):
        await client.rooms.sessions(room.id).count()


def test_every_operation_is_carried_out() -> None:
    """The emulator does what the table of endpoints has, no more and no less."""
    assert set(OPERATIONS) == {endpoint.operation for endpoint in ENDPOINTS}
    assert len(OPERATIONS) == len(ENDPOINTS) == 25


async def test_a_recorded_request_keeps_its_secrets(telnyx: Emulator, http: ClientSession) -> None:
    """Presigned queries and refresh tokens are in no repr."""
    await http.post(
        "rooms/a-room/actions/refresh_client_token?signature=hush", json={"refresh_token": "hush"}
    )
    assert "hush" not in repr(telnyx.requests)
    assert telnyx.requests[0].json == {"refresh_token": "hush"}


async def test_the_clock_is_the_users() -> None:
    """Rooms and sessions are stamped with the time that the test's clock tells."""
    now = datetime(2021, 4, 25, 23, 30, tzinfo=UTC)
    async with (
        Emulator(clock=lambda: now) as telnyx,
        RoomsClient(telnyx.api_key, base_url=telnyx.url) as client,
    ):
        room = await client.rooms.create()
        assert room.created_at == now
        person = telnyx.join(room.id)
        now += timedelta(hours=1)
        telnyx.leave(person.id)
        (session,) = [each async for each in client.rooms.sessions(room.id)]
        assert (session.created_at, session.ended_at) == (now - timedelta(hours=1), now)
        day = now.date()
        assert [each async for each in client.rooms.sessions(room.id, ended_at=DateFilter(gte=day))]
        assert not [each async for each in client.rooms.sessions(room.id, created_at=DateFilter(gte=day))]
        await client.rooms.update(room.id, max_participants=3)
        assert [each.updated_at async for each in client.rooms.list(updated_at=day)] == [now]


@pytest.mark.parametrize("path", ["rooms", "rooms/nothing", "nothing"])
async def test_the_date_is_that_of_the_clock(http: ClientSession, time: FakeClock, path: str) -> None:
    """The header ``Date`` of every response is the time by which rooms are dated."""
    for _ in range(2):
        async with http.get(path) as response:
            assert parsedate_to_datetime(response.headers["Date"]) == time()
        time.advance(seconds=86_400)


async def test_an_active_session_has_not_ended(client: RoomsClient, telnyx: Emulator) -> None:
    """A filter on the day of the end passes over a session that goes on."""
    room = await client.rooms.create()
    telnyx.join(room.id)
    long_ago = DateFilter(gte=datetime(2001, 1, 1, tzinfo=UTC).date())
    assert [each async for each in client.rooms.sessions(room.id, ended_at=long_ago)] == []


async def test_a_taken_port(telnyx: Emulator) -> None:
    """A port in use is an OSError on entering, and leaves nothing open."""
    port = int(telnyx.url.removesuffix("/v2").rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"):
        async with Emulator(port=port):
            pytest.fail("entered")


async def test_an_emulator_is_left_twice() -> None:
    """Leaving an emulator that does not run does nothing."""
    async with Emulator() as telnyx:
        await telnyx.__aexit__(None, None, None)
    await telnyx.__aexit__(None, None, None)


async def test_an_emulator_has_no_url_unless_it_runs() -> None:
    """Before it is entered and after it is left there is nowhere to send to."""
    telnyx = Emulator()
    with pytest.raises(RuntimeError, match="not running"):
        _ = telnyx.url
    async with telnyx:
        url = telnyx.url
    with pytest.raises(RuntimeError, match="not running"):
        _ = telnyx.url
    async with ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(url)


async def test_seeding_again_goes_on(telnyx: Emulator) -> None:
    """Seeded rooms have names of their own, however often it is done."""
    telnyx.seed(2)
    telnyx.seed(2)
    assert [room.unique_name for room in telnyx.rooms] == ["Room 1", "Room 2", "Room 3", "Room 4"]


async def test_an_empty_name_is_a_name(client: RoomsClient, http: ClientSession) -> None:
    """A room without a name does not free the empty one."""
    await http.post("rooms", json={"unique_name": ""})
    await client.rooms.create()
    async with http.post("rooms", json={"unique_name": ""}) as response:
        assert response.status == 422


async def test_what_arrives_need_not_be_kept() -> None:
    """An emulator that serves for days keeps no record."""
    async with Emulator(recording=False) as telnyx:
        async with RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
            await client.rooms.create()
        assert telnyx.requests == []
        assert len(telnyx.rooms) == 1
