"""Sessions of the emulator: retrieval and actions."""

from typing import Any
from uuid import uuid4

import pytest

from telnyx_rooms_async.emulator import Emulator
from tests.helpers.http_client import HttpClient


async def test_active_session_has_documented_fields(api: HttpClient, telnyx: Emulator, room_id: str) -> None:
    alice = telnyx.join(room_id, context="Alice")
    path = f"room_sessions/{alice.session_id}"
    assert (await api.get(path)).data == {
        "id": alice.session_id,
        "room_id": room_id,
        "active": True,
        "created_at": "2021-04-25T12:00:00.000000Z",
        "updated_at": "2021-04-25T12:00:00.000000Z",
        "record_type": "room_session",
    }
    with_participants = (await api.get(path, {"include_participants": "true"})).data
    assert [participant["id"] for participant in with_participants["participants"]] == [alice.id]
    assert (await api.get(f"room_sessions/{uuid4()}")).status == 404


async def test_ending_a_session_removes_its_participants(
    api: HttpClient, telnyx: Emulator, room_id: str
) -> None:
    alice, bob = telnyx.join(room_id), telnyx.join(room_id)
    path = f"room_sessions/{alice.session_id}/actions/end"
    response = await api.post(path)
    assert (response.status, response.body) == (200, {"data": {"result": "ok"}})
    participants = (await api.get("room_participants")).data
    assert [participant["id"] for participant in participants if "left_at" in participant] == [
        alice.id,
        bob.id,
    ]


async def test_kicking_the_last_participant_ends_the_session(
    api: HttpClient, telnyx: Emulator, room_id: str
) -> None:
    alice, bob, carol = telnyx.join(room_id), telnyx.join(room_id), telnyx.join(room_id)
    path = f"room_sessions/{alice.session_id}"
    for body in (
        {"participants": [alice.id, str(uuid4())]},
        {"participants": [alice.id]},  # is absent now
        {"participants": "all", "exclude": [carol.id]},
    ):
        assert (await api.post(f"{path}/actions/kick", body)).status == 200
        assert (await api.get(path)).data["active"] is True
    with pytest.raises(LookupError):
        telnyx.leave(bob.id)
    with pytest.raises(LookupError, match="no participant"):
        telnyx.muted("unknown")
    assert (await api.post(f"{path}/actions/kick", {"participants": "all"})).status == 200
    assert (await api.get(path)).data["active"] is False


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/participants"]),
        ({"participants": "none", "exclude": "all"}, ["/exclude", "/participants"]),
        ({"participants": [str(uuid4()), "Alice"], "exclude": [None]}, ["/exclude/0", "/participants/1"]),
    ],
    ids=["missing", "types", "items"],
)
@pytest.mark.parametrize("action", ["kick", "mute"])
async def test_invalid_actions_are_refused(
    api: HttpClient, telnyx: Emulator, room_id: str, *, action: str, body: dict[str, Any], pointers: list[str]
) -> None:
    alice = telnyx.join(room_id)
    response = await api.post(f"room_sessions/{alice.session_id}/actions/{action}", body)
    assert (response.status, response.error_sources) == (422, pointers)
    assert telnyx.muted(alice.id) is False
    telnyx.leave(alice.id)


@pytest.mark.parametrize("action", ["end", "kick", "mute"])
async def test_actions_need_an_active_session(
    api: HttpClient, telnyx: Emulator, room_id: str, action: str
) -> None:
    alice = telnyx.join(room_id)
    telnyx.leave(alice.id)
    body = {"participants": "all"}
    assert (await api.post(f"room_sessions/{uuid4()}/actions/{action}", body)).status == 404
    response = await api.post(f"room_sessions/{alice.session_id}/actions/{action}", body)
    assert (response.status, response.body["errors"][0]["detail"]) == (422, "No private_ip for room")


async def test_sessions_of_a_deleted_room_are_ended_and_stay(
    api: HttpClient, telnyx: Emulator, room_id: str
) -> None:
    alice = telnyx.join(room_id)
    assert (await api.delete(f"rooms/{room_id}")).status == 204
    assert (await api.get(f"rooms/{room_id}/sessions")).status == 404
    (session,) = (await api.get("room_sessions", {"filter[room_id]": room_id})).data
    assert (session["id"], session["active"]) == (alice.session_id, False)
    assert (await api.get(f"room_participants/{alice.id}")).data["left_at"] == session["ended_at"]
    assert len((await api.get("room_recordings", {"filter[room_id]": room_id})).data) == 2
    with pytest.raises(LookupError):
        telnyx.leave(alice.id)
