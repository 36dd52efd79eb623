"""``telnyx-rooms rooms``: every verb, as a table and as JSON, and what it sends."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from telnyx_rooms_async import Room
from telnyx_rooms_async.emulator import Emulator

Run = Callable[..., Result]
Objects = Callable[..., list[Any]]
Table = Callable[..., list[list[str]]]

FIRST_PAGE = (("page[number]", "1"), ("page[size]", "250"))


@pytest.fixture
def room(telnyx: Emulator) -> Room:
    """One room."""
    telnyx.seed(1)
    return telnyx.rooms[0]


# --- every verb ---------------------------------------------------------------------------------------------


def test_list_as_a_table(table: Table, telnyx: Emulator) -> None:
    """A list is a table with a line of field names and a line for each room."""
    telnyx.seed(2)
    one, two = telnyx.rooms
    telnyx.join(two.id)
    session = telnyx.rooms[1].active_session_id
    assert table("rooms", "list") == [
        ["id", "unique_name", "created_at", "active_session_id", "max_participants", "enable_recording"],
        [one.id, "Room 1", "2021-04-25T13:45:06Z", "-", "10", "no"],
        [two.id, "Room 2", "2021-04-25T13:45:06Z", session, "10", "no"],
    ]


def test_list_as_json(objects: Objects, telnyx: Emulator) -> None:
    """A list in JSON is one object a line, with the field names of the API."""
    telnyx.seed(2)
    listed = objects("rooms", "list")
    assert [each["id"] for each in listed] == [each.id for each in telnyx.rooms]
    assert listed[0] == {
        "id": telnyx.rooms[0].id,
        "unique_name": "Room 1",
        "max_participants": 10,
        "enable_recording": False,
        "active_session_id": None,
        "sessions": None,
        "webhook_event_url": None,
        "webhook_event_failover_url": "",
        "webhook_timeout_secs": None,
        "created_at": "2021-04-25T13:45:06.500000Z",
        "updated_at": "2021-04-25T13:45:06.500000Z",
        "record_type": "room",
    }


def test_an_empty_list(run: Run) -> None:
    """An empty list is a line of field names, and nothing at all in JSON."""
    assert len(run("rooms", "list").stdout.splitlines()) == 1
    assert run("rooms", "list", "--json").stdout == ""


def test_list_with_sessions(table: Table, objects: Objects, telnyx: Emulator) -> None:
    """The sessions of the rooms that have any get a table each."""
    telnyx.seed(2)
    person = telnyx.join(telnyx.rooms[1].id)
    assert table("rooms", "list", "--include-sessions")[3:] == [
        [],
        [f"sessions of room {telnyx.rooms[1].id}"],
        ["id", "created_at", "ended_at", "active", "updated_at"],
        [person.session_id, "2021-04-25T13:45:06Z", "-", "yes", "2021-04-25T13:45:06Z"],
    ]
    in_json = objects("rooms", "list", "--include-sessions")
    assert [len(each["sessions"]) for each in in_json] == [0, 1]


def test_create(table: Table, telnyx: Emulator) -> None:
    """A room is created and shown with all its fields, in the order of the API reference."""
    shown = table("rooms", "create", "--unique-name", "Weekly")
    (room,) = telnyx.rooms
    assert [line[0] for line in shown] == [
        "id",
        "unique_name",
        "max_participants",
        "enable_recording",
        "active_session_id",
        "webhook_event_url",
        "webhook_event_failover_url",
        "webhook_timeout_secs",
        "created_at",
        "updated_at",
        "record_type",
    ]
    assert shown[:2] == [["id", room.id], ["unique_name", "Weekly"]]


def test_webhook_url_is_shown_without_its_secrets(run: Run, telnyx: Emulator) -> None:
    """A terminal is looked at by others, and its output is kept; JSON is for programs, and complete."""
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


def test_create_as_json(run: Run, telnyx: Emulator) -> None:
    """A created room is exactly one JSON value."""
    result = run("rooms", "create", "--json")
    assert json.loads(result.stdout)["id"] == telnyx.rooms[0].id
    assert result.stdout.count("\n") == 1


def test_retrieve(table: Table, objects: Objects, room: Room) -> None:
    """A room is shown without its sessions."""
    shown = table("rooms", "retrieve", room.id)
    assert ["id", room.id] in shown
    assert not any("sessions" in line[0] for line in shown)
    assert [each["sessions"] for each in objects("rooms", "retrieve", room.id)] == [None]


def test_retrieve_with_sessions(
    run: Run, table: Table, objects: Objects, telnyx: Emulator, room: Room
) -> None:
    """The sessions of a room follow in a table, or it is said that there are none."""
    ask = ("rooms", "retrieve", room.id, "--include-sessions")
    assert run(*ask).stdout.endswith(f"\nsessions of room {room.id}: none\n")
    person = telnyx.join(room.id)
    assert table(*ask)[-1][0] == person.session_id
    ((session,),) = (each["sessions"] for each in objects(*ask))
    assert session["id"] == person.session_id
    assert telnyx.requests[-1].query == (("include_sessions", "true"),)


def test_update(table: Table, objects: Objects, telnyx: Emulator, room: Room) -> None:
    """An updated room is shown as it is then."""
    assert ["max_participants", "7"] in table("rooms", "update", room.id, "--max-participants", "7")
    (in_json,) = objects("rooms", "update", room.id, "--max-participants", "8")
    assert in_json["max_participants"] == telnyx.rooms[0].max_participants == 8


def test_delete(run: Run, telnyx: Emulator) -> None:
    """A deletion is told in words, and in JSON not at all."""
    telnyx.seed(2)
    one, two = telnyx.rooms
    assert run("rooms", "delete", one.id).stdout == f"deleted {one.id}\n"
    silent = run("rooms", "delete", two.id, "--json")
    assert (silent.exit_code, silent.stdout, silent.stderr) == (0, "", "")
    assert telnyx.rooms == ()


def test_sessions(table: Table, objects: Objects, telnyx: Emulator, room: Room) -> None:
    """The sessions of a room are a list like any other."""
    telnyx.leave(telnyx.join(room.id).id)
    person = telnyx.join(room.id)
    assert [line[2:4] for line in table("rooms", "sessions", room.id)] == [
        ["ended_at", "active"],
        ["2021-04-25T13:45:06Z", "no"],
        ["-", "yes"],
    ]
    assert [each["active"] for each in objects("rooms", "sessions", room.id)] == [False, True]
    active = objects("rooms", "sessions", room.id, "--active")
    assert [each["id"] for each in active] == [person.session_id]


def test_sessions_with_participants(table: Table, objects: Objects, telnyx: Emulator, room: Room) -> None:
    """The participants of a session get a table, below the one of the sessions."""
    person = telnyx.join(room.id, context="Alice")
    assert table("rooms", "sessions", room.id, "--include-participants")[2:] == [
        [],
        [f"participants of session {person.session_id}"],
        ["id", "context", "joined_at", "left_at"],
        [person.id, "Alice", "2021-04-25T13:45:06Z", "-"],
    ]
    (session,) = objects("rooms", "sessions", room.id, "--include-participants")
    assert [each["context"] for each in session["participants"]] == ["Alice"]


def test_wait_for_session(table: Table, objects: Objects, telnyx: Emulator, room: Room) -> None:
    """The session that is going on is shown at once."""
    person = telnyx.join(room.id)
    ask = ("rooms", "wait-for-session", room.id)
    assert table(*ask)[0] == ["id", person.session_id]
    assert [each["id"] for each in objects(*ask, "--timeout", "5")] == [person.session_id]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_wait_in_vain(run: Run, telnyx: Emulator, room: Room, form: list[str]) -> None:
    """When nobody comes in time it is an error in one line."""
    result = run("rooms", "wait-for-session", room.id, "--timeout", "0.1", *form)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"error: timed out: no session started in room {room.id} in 0.1 s\n"
    assert len(telnyx.requests) > 1


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "soon"])
def test_a_wrong_time_to_wait(run: Run, telnyx: Emulator, room: Room, seconds: str) -> None:
    """A time that is none is the exit code 2, and nothing is sent."""
    result = run("rooms", "wait-for-session", room.id, f"--timeout={seconds}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert telnyx.requests == []


# --- what is sent -------------------------------------------------------------------------------------------

DAYS = [
    ("2021-04-25", [("eq", "2021-04-25")]),
    ("2021-04-01..2021-04-30", [("gte", "2021-04-01"), ("lte", "2021-04-30")]),
    ("2021-04-01..", [("gte", "2021-04-01")]),
    ("..2021-04-30", [("lte", "2021-04-30")]),
]
FILTERS = [
    ("list", "created-at"),
    ("list", "updated-at"),
    ("sessions", "created-at"),
    ("sessions", "updated-at"),
    ("sessions", "ended-at"),
]


@pytest.mark.parametrize("form", DAYS)
@pytest.mark.parametrize("option", FILTERS)
def test_each_form_of_a_date_filter(
    run: Run, telnyx: Emulator, room: Room, form: tuple[str, list[tuple[str, str]]], option: tuple[str, str]
) -> None:
    """A day, a range and a range with an open end are sent as the API wants them."""
    (days, operators), (verb, name) = form, option
    result = run("rooms", verb, *([room.id] if verb == "sessions" else []), f"--{name}", days)
    assert result.exit_code == 0
    scripted_server = f"filter[date_{name.replace('-', '_')}]"
    sent = tuple((f"{scripted_server}[{operator}]", day) for operator, day in operators)
    assert [request.query for request in telnyx.requests] == [(*FIRST_PAGE, *sent)]


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ([], FIRST_PAGE),
        (["--unique-name", "Weekly"], (*FIRST_PAGE, ("filter[unique_name]", "Weekly"))),
        (["--include-sessions"], (*FIRST_PAGE, ("include_sessions", "true"))),
        (["--page-size", "7"], (("page[number]", "1"), ("page[size]", "7"))),
        (["--limit", "3"], (("page[number]", "1"), ("page[size]", "3"))),
        (["--limit", "300"], FIRST_PAGE),
    ],
)
def test_each_option_of_list(
    run: Run, telnyx: Emulator, options: list[str], query: tuple[tuple[str, str], ...]
) -> None:
    """An option of list becomes exactly its part of the query."""
    assert run("rooms", "list", *options).exit_code == 0
    assert [request.query for request in telnyx.requests] == [query]


@pytest.mark.parametrize(
    ("option", "pair"),
    [
        ("--active", ("filter[active]", "true")),
        ("--inactive", ("filter[active]", "false")),
        ("--include-participants", ("include_participants", "true")),
    ],
)
def test_each_flag_of_sessions(
    run: Run, telnyx: Emulator, room: Room, option: str, pair: tuple[str, str]
) -> None:
    """A flag of sessions becomes exactly its part of the query."""
    assert run("rooms", "sessions", room.id, option).exit_code == 0
    assert [request.query for request in telnyx.requests] == [(*FIRST_PAGE, pair)]


@pytest.mark.parametrize("json_or_table", [["--json"], []])
def test_a_limit_saves_requests(run: Run, telnyx: Emulator, json_or_table: list[str]) -> None:
    """Once there are as many as wanted, no page is asked for but the one that was on its way."""
    telnyx.seed(9)
    result = run("rooms", "list", "--page-size", "2", "--limit", "4", *json_or_table)
    assert len(result.stdout.splitlines()) == (4 if json_or_table else 5)
    assert len(telnyx.requests) <= 3  # of five


FIELDS: list[tuple[list[str], dict[str, object]]] = [
    (["--unique-name", "Weekly"], {"unique_name": "Weekly"}),
    (["--max-participants", "2"], {"max_participants": 2}),
    (["--enable-recording"], {"enable_recording": True}),
    (["--disable-recording"], {"enable_recording": False}),
    (["--webhook-event-url", "https://a.example"], {"webhook_event_url": "https://a.example"}),
    (
        ["--webhook-event-failover-url", "https://b.example"],
        {"webhook_event_failover_url": "https://b.example"},
    ),
    (["--webhook-timeout-secs", "0"], {"webhook_timeout_secs": 0}),
]


@pytest.mark.parametrize(("options", "body"), [([], {}), *FIELDS])
def test_create_sends_what_is_given(
    run: Run, telnyx: Emulator, options: list[str], body: dict[str, object]
) -> None:
    """A new room is sent with the fields that are given, and with no other."""
    assert run("rooms", "create", *options).exit_code == 0
    assert [request.json for request in telnyx.requests] == [body]


@pytest.mark.parametrize(
    ("options", "body"),
    [
        *FIELDS,
        (["--clear", "webhook-event-failover-url"], {"webhook_event_failover_url": None}),
        (["--clear", "webhook-timeout-secs"], {"webhook_timeout_secs": None}),
        (
            ["--clear", "webhook-timeout-secs", "--clear", "webhook-event-failover-url"],
            {"webhook_timeout_secs": None, "webhook_event_failover_url": None},
        ),
        (
            ["--clear", "webhook-timeout-secs", "--webhook-event-failover-url", "https://b.example"],
            {"webhook_timeout_secs": None, "webhook_event_failover_url": "https://b.example"},
        ),
    ],
)
def test_update_sends_what_is_given_or_cleared(
    run: Run, telnyx: Emulator, room: Room, options: list[str], body: dict[str, object]
) -> None:
    """A change sends the fields that are given, null for those to clear, and leaves the others alone."""
    assert run("rooms", "update", room.id, *options).exit_code == 0
    assert [(request.method, request.json) for request in telnyx.requests] == [("PATCH", body)]


def test_the_base_url_of_the_command_line_wins(run: Run, telnyx: Emulator) -> None:
    """The base URL comes from the option before the environment."""
    result = run("rooms", "list", "--base-url", telnyx.url, TELNYX_BASE_URL="http://127.0.0.1:1")
    assert result.exit_code == 0
    assert len(telnyx.requests) == 1
