"""Participants of the emulator: retrieval, and joining over HTTP."""

from uuid import uuid4

from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.clocks import FakeClock
from tests.helpers.http_client import HttpClient

JOIN = "../emulator/participants"


async def test_participant_has_documented_fields(
    api: HttpClient, telnyx: Emulator, room_id: str, clock: FakeClock
) -> None:
    alice = telnyx.join(room_id, context='{"name": "Alice"}')
    path = f"room_participants/{alice.id}"
    present = {
        "id": alice.id,
        "session_id": alice.session_id,
        "context": '{"name": "Alice"}',
        "joined_at": "2021-04-25T12:00:00.000000Z",
        "updated_at": "2021-04-25T12:00:00.000000Z",
        "record_type": "room_participant",
    }
    assert (await api.get(path)).data == present
    clock.advance(seconds=1.5)
    telnyx.leave(alice.id)
    left_at = "2021-04-25T12:00:01.500000Z"
    assert (await api.get(path)).data == {**present, "updated_at": left_at, "left_at": left_at}
    for unknown in (f"room_participants/{uuid4()}", f"room_sessions/{uuid4()}/participants"):
        assert (await api.get(unknown)).status == 404


async def test_joining_over_http_has_neither_faults_nor_a_rate_limit(
    api: HttpClient, telnyx: Emulator, room_id: str
) -> None:
    telnyx.inject(Fault(status=500), times=None)
    telnyx.limit(0)
    joined = await api.post(JOIN, {"room_id": room_id, "context": "Alice"})
    assert (joined.status, joined.data["context"]) == (201, "Alice")
    assert (await api.post(JOIN, {"room_id": room_id})).data["context"] == ""
    alice = f"{JOIN}/{joined.data['id']}"
    assert [(await api.delete(alice)).status for _ in range(2)] == [204, 404]


async def test_invalid_requests_to_join_are_refused(api: HttpClient, telnyx: Emulator) -> None:
    full = (await api.post("rooms", {"max_participants": 2})).data["id"]
    assert [(await api.post(JOIN, {"room_id": full})).status for _ in range(3)] == [201, 201, 422]
    assert (await api.post(JOIN, {"room_id": str(uuid4())})).status == 404
    assert (await api.post(JOIN, {})).error_sources == ["/room_id"]
    assert (await api.post(JOIN, {"room_id": full, "context": 7})).error_sources == ["/context"]
    assert (await api.post(JOIN, [])).status == 400
    telnyx.api_key = "KEYanother"
    assert (await api.post(JOIN, {"room_id": full})).status == 401
