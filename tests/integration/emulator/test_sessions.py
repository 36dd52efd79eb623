"""Sessions, as the emulator shows and ends them."""

from uuid import uuid4

import pytest

from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock
from tests.helpers.http_client import HttpClient


async def test_a_session_as_the_api_shows_it(api: HttpClient, telnyx: Emulator, room_id: str) -> None:
    """A session that goes on has no end, and its participants only when asked for."""
    alice = telnyx.join(room_id, context="Alice")
    answer = await api.get(f"room_sessions/{alice.session_id}")
    assert answer.status == 200
    assert answer.data == {
        "id": alice.session_id,
        "room_id": room_id,
        "active": True,
        "created_at": "2021-04-25T12:00:00.000000Z",
        "updated_at": "2021-04-25T12:00:00.000000Z",
        "record_type": "room_session",
    }
    full = await api.get(f"room_sessions/{alice.session_id}", {"include_participants": "true"})
    assert [person["id"] for person in full.data["participants"]] == [alice.id]


async def test_what_is_wrong_with_one_session(api: HttpClient) -> None:
    """An unknown id is a 404, an unreadable flag a 422."""
    path = f"room_sessions/{uuid4()}"
    assert (await api.get(path)).status == 404
    assert (await api.get(path, {"include_participants": "1"})).error_sources == ["include_participants"]


async def test_sessions_are_filtered(
    api: HttpClient, telnyx: Emulator, room_id: str, time: FakeClock
) -> None:
    """The account's sessions are selected by room, by activity and by their days."""
    other = (await api.post("rooms", {})).data["id"]
    first = telnyx.join(room_id)
    time.advance(seconds=86400)
    telnyx.leave(first.id)
    second = telnyx.join(other)
    for query, found in (
        ({}, [first, second]),
        ({"filter[room_id]": room_id}, [first]),
        ({"filter[active]": "true"}, [second]),
        ({"filter[active]": "false"}, [first]),
        ({"filter[date_created_at][lte]": "2021-04-25"}, [first]),
        ({"filter[date_created_at][eq]": "2021-04-26"}, [second]),
        ({"filter[date_updated_at][gte]": "2021-04-26"}, [first, second]),
        ({"filter[date_ended_at][eq]": "2021-04-26"}, [first]),
        ({"filter[date_ended_at][gte]": "2021-04-27"}, []),
    ):
        assert (await api.get("room_sessions", query)).ids == [person.session_id for person in found], query
    page = await api.get("room_sessions", {"page[size]": "1", "page[number]": "2"})
    assert page.ids == [second.session_id]
    assert page.body["meta"] == {"page_number": 2, "page_size": 1, "total_pages": 2, "total_results": 2}
    with_them = await api.get("room_sessions", {"include_participants": "true"})
    assert [len(session["participants"]) for session in with_them.data] == [1, 1]


async def test_a_session_is_ended(api: HttpClient, telnyx: Emulator, room_id: str) -> None:
    """Ending sends everyone out; ending again is the 422 that production has seen."""
    alice, bob = telnyx.join(room_id), telnyx.join(room_id)
    path = f"room_sessions/{alice.session_id}/actions/end"
    answer = await api.post(path)
    assert (answer.status, answer.body) == (200, {"data": {"result": "ok"}})
    people = (await api.get("room_participants")).data
    assert [person["id"] for person in people if "left_at" in person] == [alice.id, bob.id]
    again = await api.post(path, {})
    assert again.status == 422
    assert [entry["detail"] for entry in again.body["errors"]] == ["No private_ip for room"]
    assert (await api.post(f"room_sessions/{uuid4()}/actions/end")).status == 404


async def test_some_are_kicked(api: HttpClient, telnyx: Emulator, room_id: str) -> None:
    """Those who are named leave; strangers and those who left are passed over; the last one out ends it."""
    alice, bob, carol = (telnyx.join(room_id) for _ in range(3))
    path = f"room_sessions/{alice.session_id}"
    telnyx.leave(carol.id)
    for participants, present in (
        ([alice.id, carol.id, str(uuid4())], [bob.id]),
        ([], [bob.id]),
        ([bob.id], []),
    ):
        answer = await api.post(f"{path}/actions/kick", {"participants": participants})
        assert (answer.status, answer.data) == (200, {"result": "ok"})
        people = (await api.get(f"{path}/participants")).data
        assert [person["id"] for person in people if "left_at" not in person] == present
    assert (await api.get(path)).data["active"] is False


async def test_all_but_some_are_kicked(api: HttpClient, telnyx: Emulator, room_id: str) -> None:
    """Whoever is excluded stays, and the session goes on."""
    alice, _ = telnyx.join(room_id), telnyx.join(room_id)
    path = f"room_sessions/{alice.session_id}"
    await api.post(f"{path}/actions/kick", {"participants": "all", "exclude": [alice.id]})
    session = (await api.get(path, {"include_participants": "true"})).data
    assert session["active"] is True
    assert ["left_at" in person for person in session["participants"]] == [False, True]


async def test_muting_is_seen_by_the_test(api: HttpClient, telnyx: Emulator, room_id: str) -> None:
    """The API shows nobody as muted; the emulator tells."""
    alice, bob = telnyx.join(room_id), telnyx.join(room_id)
    path = f"room_sessions/{alice.session_id}/actions"
    assert (await api.post(f"{path}/mute", {"participants": "all"})).data == {"result": "ok"}
    assert (telnyx.muted(alice.id), telnyx.muted(bob.id)) == (True, True)
    assert (await api.post(f"{path}/unmute", {"participants": [bob.id]})).data == {"result": "ok"}
    assert (telnyx.muted(alice.id), telnyx.muted(bob.id)) == (True, False)
    with pytest.raises(LookupError, match="no participant"):
        telnyx.muted("nobody")


WRONG_PARTICIPANTS: dict[str, tuple[dict[str, object], list[str]]] = {
    "nobody named": ({}, ["/participants"]),
    "another word": ({"participants": "none"}, ["/participants"]),
    "no list": ({"participants": {}, "exclude": "all"}, ["/exclude", "/participants"]),
    "no texts": ({"participants": [7], "exclude": [None]}, ["/exclude/0", "/participants/0"]),
    "no ids": ({"participants": [str(uuid4()), "Alice"]}, ["/participants/1"]),
}


@pytest.mark.parametrize(("body", "blamed"), WRONG_PARTICIPANTS.values(), ids=WRONG_PARTICIPANTS)
async def test_whom_an_action_cannot_be_for(
    api: HttpClient, telnyx: Emulator, room_id: str, body: dict[str, object], blamed: list[str]
) -> None:
    """A 422 points to what is no id, and nobody is touched."""
    alice = telnyx.join(room_id)
    for action in ("kick", "mute", "unmute"):
        answer = await api.post(f"room_sessions/{alice.session_id}/actions/{action}", body)
        assert (answer.status, answer.error_sources) == (422, blamed)
    assert telnyx.muted(alice.id) is False
    telnyx.leave(alice.id)


@pytest.mark.parametrize("action", ["kick", "mute", "unmute"])
async def test_an_action_in_no_session(api: HttpClient, telnyx: Emulator, room_id: str, action: str) -> None:
    """In an unknown session it is a 404, in one that ended the 422 of ending twice."""
    alice = telnyx.join(room_id)
    telnyx.leave(alice.id)
    everyone = {"participants": "all"}
    assert (await api.post(f"room_sessions/{uuid4()}/actions/{action}", everyone)).status == 404
    answer = await api.post(f"room_sessions/{alice.session_id}/actions/{action}", everyone)
    assert (answer.status, answer.body["errors"][0]["detail"]) == (422, "No private_ip for room")


async def test_a_deleted_room_leaves_its_sessions(api: HttpClient, telnyx: Emulator, room_id: str) -> None:
    """Deleting a room ends its session, which the account still shows; the room's own path is gone."""
    alice = telnyx.join(room_id)
    assert (await api.delete(f"rooms/{room_id}")).status == 204
    assert (await api.get(f"rooms/{room_id}/sessions")).status == 404
    (session,) = (await api.get("room_sessions", {"filter[room_id]": room_id})).data
    assert (session["id"], session["active"]) == (alice.session_id, False)
    assert (await api.get(f"room_participants/{alice.id}")).data["left_at"] == session["ended_at"]
    assert len((await api.get("room_recordings", {"filter[room_id]": room_id})).data) == 2
