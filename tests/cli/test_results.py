"""What each command prints about its result, as a table and as JSON."""

import json

import attrs
import pytest

from telnyx_rooms_async import Room, RoomParticipant
from telnyx_rooms_async.emulator import Emulator
from telnyx_rooms_async.serialization import converter
from tests.helpers.command_line import NOW, ROOM_COLUMNS, Objects, Run, Table, Terminal, Turn

RECORDING_COLUMNS = [
    *("id", "type", "status", "duration_secs", "size_mb", "started_at", "download_url"),
    *("participant_id", "session_id", "room_id"),
]
COMPOSITION_COLUMNS = [
    *("id", "status", "duration_secs", "size_mb", "resolution", "created_at", "download_url", "session_id")
]


def record(rows: list[list[str]]) -> dict[str, str]:
    """Return a table with one row per field as a dict."""
    return {name: value[0] if value else "" for name, *value in rows}


# --- rooms --------------------------------------------------------------------------------------------------


def test_rooms_list(table: Table, objects: Objects, telnyx: Emulator) -> None:
    telnyx.seed(2)
    one, two = telnyx.rooms
    telnyx.join(two.id)
    session_id = telnyx.rooms[1].active_session_id
    assert table("rooms", "list") == [
        ROOM_COLUMNS,
        [one.id, "Room 1", NOW, "-", "10", "no"],
        [two.id, "Room 2", NOW, session_id, "10", "no"],
    ]
    first, second = objects("rooms", "list")
    assert second["active_session_id"] == session_id
    assert first == json.loads(converter.dumps(one))


def test_empty_list_is_a_header_or_nothing_in_json(run: Run) -> None:
    assert len(run("rooms", "list").stdout.splitlines()) == 1
    assert run("rooms", "list", "--json").stdout == ""


def test_sessions_of_listed_rooms_are_nested(table: Table, objects: Objects, telnyx: Emulator) -> None:
    telnyx.seed(2)
    person = telnyx.join(telnyx.rooms[1].id)
    assert table("rooms", "list", "--include-sessions")[3:] == [
        [],
        [f"sessions of room {telnyx.rooms[1].id}"],
        ["id", "created_at", "ended_at", "active", "updated_at"],
        [person.session_id, NOW, "-", "yes", NOW],
    ]
    rooms = objects("rooms", "list", "--include-sessions")
    assert [len(room["sessions"]) for room in rooms] == [0, 1]


def test_rooms_create(table: Table, run: Run, telnyx: Emulator) -> None:
    shown = table("rooms", "create", "--unique-name", "Weekly")
    (room,) = telnyx.rooms
    assert shown[:2] == [["id", room.id], ["unique_name", "Weekly"]]
    fields = [field.name for field in attrs.fields(Room)]
    assert [line[0] for line in shown] == [name for name in fields if name != "sessions"]
    result = run("rooms", "create", "--json")
    assert json.loads(result.stdout)["id"] == telnyx.rooms[1].id
    assert result.stdout.count("\n") == 1


def test_webhook_urls_are_shown_without_their_secrets(run: Run, telnyx: Emulator) -> None:
    url = "https://user:CANARY@example.com/hook?token=CANARY"
    options = ("--webhook-event-url", url, "--webhook-event-failover-url", url)
    shown = run("rooms", "create", *options).stdout
    assert shown.count("https://example.com/hook?***") == 2
    assert "CANARY" not in shown
    room = telnyx.rooms[0]
    assert json.loads(run("rooms", "retrieve", room.id, "--json").stdout)["webhook_event_url"] == url
    refused = run("rooms", "create", "--webhook-event-url", url.replace("https", "ftp"))
    assert refused.exit_code == 2
    assert "ftp://example.com/hook?***" in refused.stderr
    assert "CANARY" not in refused.output


def test_rooms_retrieve(run: Run, table: Table, objects: Objects, telnyx: Emulator, room: Room) -> None:
    command = ("rooms", "retrieve", room.id)
    shown = record(table(*command))
    assert shown["id"] == room.id
    assert "sessions" not in shown
    assert [value["sessions"] for value in objects(*command)] == [None]
    assert run(*command, "--include-sessions").stdout.endswith(f"\nsessions of room {room.id}: none\n")
    person = telnyx.join(room.id)
    assert table(*command, "--include-sessions")[-1][0] == person.session_id
    ((session,),) = (value["sessions"] for value in objects(*command, "--include-sessions"))
    assert session["id"] == person.session_id


def test_rooms_sessions(table: Table, objects: Objects, telnyx: Emulator, room: Room) -> None:
    telnyx.leave(telnyx.join(room.id).id)
    person = telnyx.join(room.id, context="Alice")
    command = ("rooms", "sessions", room.id)
    assert [line[2:4] for line in table(*command)] == [["ended_at", "active"], [NOW, "no"], ["-", "yes"]]
    assert [session["active"] for session in objects(*command)] == [False, True]
    (session,) = objects(*command, "--active", "--include-participants")
    assert [participant["context"] for participant in session["participants"]] == ["Alice"]
    assert table(*command, "--active", "--include-participants")[2:] == [
        [],
        [f"participants of session {person.session_id}"],
        ["id", "context", "joined_at", "left_at"],
        [person.id, "Alice", NOW, "-"],
    ]


# --- deletions and actions ----------------------------------------------------------------------------------


def test_deletions_print_a_sentence_and_nothing_in_json(
    run: Run, objects: Objects, telnyx: Emulator, turn: Turn, ids: list[str]
) -> None:
    (session,) = objects("sessions", "list")
    compositions = [objects("compositions", "create", session["id"])[0]["id"] for _ in range(2)]
    telnyx.seed(1)
    rooms = [room.id for room in telnyx.rooms]
    for noun, (one, two) in (("recordings", ids), ("compositions", compositions), ("rooms", rooms)):
        assert run(noun, "delete", one).stdout == f"deleted {one}\n"
        result = run(noun, "delete", two, "--json")
        assert (result.exit_code, result.output) == (0, "")
        assert objects(noun, "list") == []


def test_delete_matching_prints_the_number(run: Run, objects: Objects, ids: list[str]) -> None:
    assert run("recordings", "delete-matching", "--type", "audio").stdout == "deleted 1 recording\n"
    assert [recording["type"] for recording in objects("recordings", "list")] == ["video"]
    assert run("recordings", "delete-matching", "--type", "audio").stdout == "deleted 0 recordings\n"
    assert objects("recordings", "delete-matching", "--duration-secs", "60..") == [{"room_recordings": 1}]
    assert objects("recordings", "list") == []


def test_session_end(run: Run, telnyx: Emulator, room: Room) -> None:
    session_id = str(telnyx.join(room.id).session_id)
    assert run("sessions", "end", session_id).stdout == f"ended {session_id}\n"
    assert telnyx.rooms[0].active_session_id is None
    result = run("sessions", "end", str(telnyx.join(room.id).session_id), "--json")
    assert (result.exit_code, result.output) == (0, "")


# --- sessions and participants ------------------------------------------------------------------------------


def test_sessions_list_and_retrieve(
    table: Table, objects: Objects, telnyx: Emulator, alice: RoomParticipant
) -> None:
    (room,) = telnyx.rooms
    nested = [
        [],
        [f"participants of session {alice.session_id}"],
        ["id", "context", "joined_at", "left_at"],
        [alice.id, "Alice", NOW, "-"],
    ]
    listed = [
        ["id", "created_at", "ended_at", "room_id", "active", "updated_at"],
        [alice.session_id, NOW, "-", room.id, "yes", NOW],
    ]
    assert table("sessions", "list") == listed
    assert table("sessions", "list", "--include-participants") == [*listed, *nested]
    retrieve = ("sessions", "retrieve", str(alice.session_id))
    fields = [
        ["id", alice.session_id],
        ["room_id", room.id],
        ["active", "yes"],
        ["created_at", NOW],
        ["updated_at", NOW],
        ["ended_at", "-"],
        ["record_type", "room_session"],
    ]
    assert table(*retrieve) == fields
    assert table(*retrieve, "--include-participants") == [*fields, *nested]
    for command in (("sessions", "list"), retrieve):
        (session,) = objects(*command)
        assert (session["id"], session["participants"]) == (alice.session_id, None)
        (session,) = objects(*command, "--include-participants")
        assert [person["id"] for person in session["participants"]] == [alice.id]


def test_sessions_participants(
    table: Table, objects: Objects, telnyx: Emulator, alice: RoomParticipant
) -> None:
    bob = telnyx.join(telnyx.rooms[0].id, context="Bob")
    command = ("sessions", "participants", str(alice.session_id))
    assert table(*command) == [
        ["id", "context", "joined_at", "left_at"],
        [alice.id, "Alice", NOW, "-"],
        [bob.id, "Bob", NOW, "-"],
    ]
    assert [person["id"] for person in objects(*command)] == [alice.id, bob.id]
    assert [person["id"] for person in objects(*command, "--context", "Bob")] == [bob.id]
    assert [person["id"] for person in objects(*command, "--limit", "1")] == [alice.id]


def test_participants_list_and_retrieve(
    table: Table, objects: Objects, telnyx: Emulator, alice: RoomParticipant
) -> None:
    assert table("participants", "list") == [
        ["id", "context", "joined_at", "left_at", "session_id"],
        [alice.id, "Alice", NOW, "-", alice.session_id],
    ]
    (person,) = objects("participants", "list")
    assert person == json.loads(converter.dumps(alice))
    assert objects("participants", "retrieve", alice.id) == [person]
    telnyx.leave(alice.id)
    assert table("participants", "retrieve", alice.id) == [
        ["id", alice.id],
        ["session_id", alice.session_id],
        ["context", "Alice"],
        ["joined_at", NOW],
        ["updated_at", NOW],
        ["left_at", NOW],
        ["record_type", "room_participant"],
    ]


# --- recordings and compositions ----------------------------------------------------------------------------


def test_links_of_recordings_are_only_in_json(
    table: Table, objects: Objects, telnyx: Emulator, alice: RoomParticipant, ids: list[str]
) -> None:
    (room,) = telnyx.rooms
    header, audio, video = table("recordings", "list")
    assert header == RECORDING_COLUMNS
    assert [audio[0], video[0]] == ids
    assert audio[1:4] == ["audio", "completed", "60"]
    assert audio[5:] == [NOW, "ready", alice.id, alice.session_id, room.id]
    shown = record(table("recordings", "retrieve", ids[0]))
    assert (shown["codec"], shown["download_url"]) == ("opus", "ready")
    (recording,) = objects("recordings", "retrieve", ids[0])
    assert list(recording) == list(shown)
    links = [value["download_url"] for value in (recording, *objects("recordings", "list"))]
    assert all(link.startswith("http://127.0.0.1:") for link in links)


def test_compositions(run: Run, table: Table, objects: Objects, turn: Turn, ids: list[str]) -> None:
    (session,) = objects("sessions", "list")
    region = f"one:x=0,y=0,z=0,width=640,height=720,sources={ids[1]}+{ids[1]}"
    shown = record(table("compositions", "create", session["id"], "--region", region))
    assert shown["video_layout"] == region
    assert (shown["status"], shown["audio_sources"], shown["download_url"]) == ("enqueued", "*", "-")
    (other,) = objects("compositions", "create", session["id"])
    assert list(other) == list(shown)
    turn(10)
    header, row, _ = table("compositions", "list")
    assert header == COMPOSITION_COLUMNS
    assert row[:3] == [shown["id"], "completed", "60"]
    assert row[4:] == ["1280x720", "2021-04-25T13:46:11Z", "ready", session["id"]]
    for command in ("retrieve", "wait"):
        assert record(table("compositions", command, shown["id"]))["download_url"] == "ready"
        (completed,) = objects("compositions", command, shown["id"])
        assert completed["download_url"].startswith("http://127.0.0.1:")


# --- waiting ------------------------------------------------------------------------------------------------


def test_wait_for_session(table: Table, objects: Objects, telnyx: Emulator, room: Room) -> None:
    person = telnyx.join(room.id)
    command = ("rooms", "wait-for-session", room.id)
    assert table(*command)[0] == ["id", person.session_id]
    assert [session["id"] for session in objects(*command, "--timeout", "5")] == [person.session_id]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_wait_that_times_out(
    run: Run, objects: Objects, telnyx: Emulator, ids: list[str], form: list[str]
) -> None:
    (session,) = objects("sessions", "list")
    (composition,) = objects("compositions", "create", session["id"])
    telnyx.requests.clear()
    for command in (
        ("rooms", "wait-for-session", telnyx.rooms[0].id),
        ("compositions", "wait", composition["id"]),
    ):
        result = run(*command, "--timeout", "0.1", *form)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("error: timed out: ")
        assert result.stderr.count("\n") == 1
    assert len(telnyx.requests) > 2


def test_wait_is_announced_at_a_terminal(at_terminal: Terminal, telnyx: Emulator, room: Room) -> None:
    telnyx.join(room.id)
    command = ("rooms", "wait-for-session", room.id)
    assert at_terminal(*command, columns=120).startswith("waiting up to 600 s; press Ctrl-C to stop\nid ")
    assert at_terminal(*command, "--json", columns=120).startswith("{")
