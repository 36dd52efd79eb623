"""Participants, as the emulator shows them."""

from uuid import uuid4

from telnyx_rooms_async import RoomParticipant
from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.clocks import FakeClock
from tests.helpers.http_client import HttpClient


async def test_a_participant_as_the_api_shows_it(
    api: HttpClient, telnyx: Emulator, room_id: str, time: FakeClock
) -> None:
    """Someone who is in has not left."""
    alice = telnyx.join(room_id, context='{"name": "Alice"}')
    answer = await api.get(f"room_participants/{alice.id}")
    assert answer.status == 200
    assert answer.data == {
        "id": alice.id,
        "session_id": alice.session_id,
        "context": '{"name": "Alice"}',
        "joined_at": "2021-04-25T12:00:00.000000Z",
        "updated_at": "2021-04-25T12:00:00.000000Z",
        "record_type": "room_participant",
    }
    time.advance(seconds=1.5)
    telnyx.leave(alice.id)
    left = (await api.get(f"room_participants/{alice.id}")).data
    assert left["left_at"] == left["updated_at"] == "2021-04-25T12:00:01.500000Z"
    assert (await api.get(f"room_participants/{uuid4()}")).status == 404


async def test_participants_are_filtered(
    api: HttpClient, telnyx: Emulator, room_id: str, time: FakeClock
) -> None:
    """People are selected by session, by what they said of themselves, and by their days."""
    alice = telnyx.join(room_id, context="Alice")
    time.advance(seconds=86400)
    bob = telnyx.join(room_id, context="Bob")
    telnyx.leave(alice.id)
    other = (await api.post("rooms", {})).data["id"]
    carol = telnyx.join(other, context="Alice")
    filters: tuple[tuple[dict[str, str], list[RoomParticipant]], ...] = (
        ({}, [alice, bob, carol]),
        ({"filter[context]": "Alice"}, [alice, carol]),
        ({"filter[context]": "alice"}, []),
        ({"filter[date_joined_at][eq]": "2021-04-25"}, [alice]),
        ({"filter[date_updated_at][gte]": "2021-04-26"}, [alice, bob, carol]),
        ({"filter[date_left_at][lte]": "2021-04-26"}, [alice]),
        ({"filter[date_left_at][lte]": "2021-04-25"}, []),
    )
    for query, found in filters:
        answer = await api.get("room_participants", query)
        assert answer.ids == [person.id for person in found], query
        of_session = await api.get(f"room_sessions/{bob.session_id}/participants", query)
        assert of_session.ids == [person.id for person in found if person is not carol], query
    by_session = await api.get("room_participants", {"filter[session_id]": carol.session_id or ""})
    assert by_session.ids == [carol.id]


async def test_participants_of_no_session(api: HttpClient) -> None:
    """An unknown session is a 404 on its own path, and matches nobody in the account."""
    assert (await api.get(f"room_sessions/{uuid4()}/participants")).status == 404
    assert (await api.get("room_participants", {"filter[session_id]": str(uuid4())})).ids == []


async def test_people_come_and_go_over_http(api: HttpClient, telnyx: Emulator, room_id: str) -> None:
    """Another process lets them join and leave, whatever goes wrong with Telnyx's own operations."""
    telnyx.script(Fault(status=500), times=None)
    telnyx.limit(0)
    came = await api.post("../emulator/participants", {"room_id": room_id, "context": "Alice"})
    assert (came.status, came.data["context"]) == (201, "Alice")
    assert (await api.post("../emulator/participants", {"room_id": room_id})).data["context"] == ""
    alice = f"../emulator/participants/{came.data['id']}"
    assert (await api.delete(alice)).status == 204
    assert (await api.delete(alice)).status == 404
    telnyx.limit(None)
    telnyx.unscript()
    assert "left_at" in (await api.get(f"room_participants/{came.data['id']}")).data


async def test_who_cannot_join_over_http(api: HttpClient, telnyx: Emulator) -> None:
    """A room that is unknown or full is refused, and so are a body of another shape and a wrong key."""
    full = (await api.post("rooms", {"max_participants": 2})).data["id"]
    join = "../emulator/participants"
    for _ in range(2):
        assert (await api.post(join, {"room_id": full})).status == 201
    assert (await api.post(join, {"room_id": full})).status == 422
    assert (await api.post(join, {"room_id": str(uuid4())})).status == 404
    assert (await api.post(join, {})).error_sources == ["/room_id"]
    assert (await api.post(join, {"room_id": full, "context": 7})).error_sources == ["/context"]
    assert (await api.post(join, [])).status == 400
    telnyx.api_key = "KEYanother"
    assert (await api.post(join, {"room_id": full})).status == 401
