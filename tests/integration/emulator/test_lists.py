"""Filters and pages of all lists, on one account with a history of two days."""

import pytest

from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock
from tests.helpers.http_client import HttpClient

DAY_1, DAY_2 = "2021-04-25", "2021-04-26"


@pytest.fixture
async def ids(api: HttpClient, telnyx: Emulator, clock: FakeClock) -> dict[str, str]:
    """Ids by name: S1 of R1 has ended, with the participants P1 and P2; S2 of R1 and S3 of R2 are active.

    R1 is recorded: A is the recording of P1, B that of P2, C that of P3.
    """
    telnyx.seed(2)
    r1, r2 = [room.id for room in telnyx.rooms]
    await api("PATCH", f"rooms/{r1}", {"enable_recording": True})
    alice, bob = telnyx.join(r1, context="Alice"), telnyx.join(r1, context="Bob")
    clock.advance(seconds=60)
    telnyx.leave(alice.id)
    clock.advance(seconds=60)
    telnyx.leave(bob.id)
    first = await api.post("room_compositions", {"session_id": alice.session_id})
    clock.advance(seconds=86_400)
    telnyx.seed(1)
    carol, dave = telnyx.join(r1, context="Carol"), telnyx.join(r2, context="Alice")
    await api("PATCH", f"rooms/{r2}", {"max_participants": 3})
    second = await api.post("room_compositions", {"session_id": carol.session_id})
    recordings = (await api.get("room_recordings")).ids
    groups = {
        "R": [room.id for room in telnyx.rooms],
        "S": [str(participant.session_id) for participant in (alice, carol, dave)],
        "P": [participant.id for participant in (alice, bob, carol, dave)],
        "A": recordings[:2],
        "B": recordings[2:4],
        "C": recordings[4:],
        "M": [first.data["id"], second.data["id"]],
    }
    return {f"{letter}{number}": id_ for letter, ids in groups.items() for number, id_ in enumerate(ids, 1)}


LISTS: dict[str, list[tuple[dict[str, str], str]]] = {
    "rooms": [
        ({}, "R1 R2 R3"),
        ({"filter[unique_name]": "Room 2"}, "R2"),
        ({"filter[unique_name]": "Room"}, ""),
        ({"filter[date_created_at][eq]": DAY_2}, "R3"),
        ({"filter[date_updated_at][gte]": DAY_2}, "R2 R3"),
        ({"filter[date_created_at][lte]": DAY_1, "filter[date_updated_at][eq]": DAY_2}, "R2"),
        ({"page[size]": "2", "page[number]": "2"}, "R3"),
        ({"page[size]": "2", "page[number]": "3"}, ""),
        ({"filter[date_updated_at][gte]": DAY_2, "page[size]": "1", "page[number]": "2"}, "R3"),
    ],
    "room_sessions": [
        ({}, "S1 S2 S3"),
        ({"filter[room_id]": "R2"}, "S3"),
        ({"filter[active]": "true"}, "S2 S3"),
        ({"filter[active]": "false"}, "S1"),
        ({"filter[date_created_at][lte]": DAY_1}, "S1"),
        ({"filter[date_updated_at][gte]": DAY_2}, "S2 S3"),
        ({"filter[date_ended_at][gte]": "2001-01-01"}, "S1"),
    ],
    "rooms/R1/sessions": [({}, "S1 S2"), ({"filter[active]": "true"}, "S2")],
    "room_participants": [
        ({}, "P1 P2 P3 P4"),
        ({"filter[context]": "Alice"}, "P1 P4"),
        ({"filter[session_id]": "S2"}, "P3"),
        ({"filter[date_joined_at][eq]": DAY_1}, "P1 P2"),
        ({"filter[date_updated_at][gte]": DAY_2}, "P3 P4"),
        ({"filter[date_left_at][lte]": DAY_2}, "P1 P2"),
    ],
    "room_sessions/S1/participants": [({}, "P1 P2"), ({"filter[context]": "Alice"}, "P1")],
    "room_recordings": [
        ({"filter[room_id]": "R1"}, "A1 A2 B1 B2 C1 C2"),
        ({"filter[session_id]": "S1"}, "A1 A2 B1 B2"),
        ({"filter[participant_id]": "P2"}, "B1 B2"),
        ({"filter[status]": "processing"}, "C1 C2"),
        ({"filter[status]": "completed", "filter[type]": "audio"}, "A1 B1"),
        ({"filter[status]": "lost"}, ""),
        ({"filter[date_started_at][gte]": DAY_2}, "C1 C2"),
        ({"filter[date_ended_at][lte]": DAY_1}, "A1 A2 B1 B2"),
        ({"filter[duration_secs][eq]": "60"}, "A1 A2"),
        ({"filter[duration_secs][gte]": "61"}, "B1 B2"),
        ({"filter[duration_secs][lte]": "119"}, "A1 A2"),
        ({"filter[duration_secs]": "61"}, "B1 B2"),  # as in the current API reference
    ],
    "room_compositions": [
        ({}, "M1 M2"),
        ({"filter[session_id]": "S2"}, "M2"),
        ({"filter[status]": "completed"}, "M1"),
        ({"filter[status]": "processing"}, ""),
        ({"filter[status]": "enqueued"}, "M2"),
        ({"filter[date_created_at][lte]": DAY_1}, "M1"),
    ],
}


@pytest.mark.parametrize("path", LISTS)
async def test_lists_are_filtered_and_paged(api: HttpClient, ids: dict[str, str], path: str) -> None:
    names = {record_id: name for name, record_id in ids.items()}
    of_record = "/".join(ids.get(segment, segment) for segment in path.split("/"))
    for query, expected in LISTS[path]:
        response = await api.get(of_record, {name: ids.get(value, value) for name, value in query.items()})
        assert " ".join(names[record_id] for record_id in response.ids) == expected, query


async def test_page_has_its_place_in_the_list(api: HttpClient, ids: dict[str, str]) -> None:
    query = {"page[size]": "2", "page[number]": "2", "include_participants": "true"}
    page = await api.get("room_sessions", query)
    assert page.ids == [ids["S3"]]
    assert [participant["id"] for participant in page.data[0]["participants"]] == [ids["P4"]]
    assert page.body["meta"] == {"page_number": 2, "page_size": 2, "total_pages": 2, "total_results": 3}


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("rooms", "page[size]", "251"),
        ("rooms", "page[number]", "0"),
        ("rooms", "page[number]", "two"),
        ("rooms", "filter[date_created_at][gte]", "yesterday"),
        ("rooms", "filter[date_updated_at][eq]", "2021-02-30"),
        ("rooms", "filter[date_updated_at][eq]", "2021-4-5"),
        ("rooms", "include_sessions", "yes"),
        ("room_sessions", "filter[active]", "1"),
        ("room_sessions", "include_participants", "1"),
        ("room_recordings", "filter[duration_secs][gte]", "long"),
        ("room_recordings", "filter[duration_secs]", "-1"),
        ("room_compositions", "filter[status]", "failed"),
    ],
)
async def test_invalid_parameters_are_refused(api: HttpClient, path: str, name: str, value: str) -> None:
    response = await api.get(path, {name: value})
    assert (response.status, response.error_sources) == (422, [name])
