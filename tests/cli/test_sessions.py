"""``telnyx-rooms sessions``: every verb, as a table and as JSON, and what it sends."""

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from telnyx_rooms_async import Room, RoomParticipant
from telnyx_rooms_async.emulator import Emulator

Run = Callable[..., Result]
Table = Callable[..., list[list[str]]]
Objects = Callable[..., list[Any]]

NOBODY = "00000000-0000-4000-8000-000000000000"
FIRST_PAGE = (("page[number]", "1"), ("page[size]", "250"))
THEN = "2021-04-25T13:45:06Z"
DAYS = [
    ("2021-04-25", [("eq", "2021-04-25")]),
    ("2021-04-01..2021-04-30", [("gte", "2021-04-01"), ("lte", "2021-04-30")]),
    ("2021-04-01..", [("gte", "2021-04-01")]),
    ("..2021-04-30", [("lte", "2021-04-30")]),
]


@pytest.fixture
def room(telnyx: Emulator) -> Room:
    """One room."""
    telnyx.seed(1)
    return telnyx.rooms[0]


@pytest.fixture
def alice(telnyx: Emulator, room: Room) -> RoomParticipant:
    """Someone in a session."""
    return telnyx.join(room.id, context="Alice")


@pytest.fixture
def bob(telnyx: Emulator, room: Room, alice: RoomParticipant) -> RoomParticipant:
    """Someone else in the same session."""
    return telnyx.join(room.id, context="Bob")


# --- every verb ---------------------------------------------------------------------------------------------


def test_list(table: Table, objects: Objects, room: Room, alice: RoomParticipant) -> None:
    """A list has the room of each session."""
    assert table("sessions", "list") == [
        ["id", "created_at", "ended_at", "room_id", "active", "updated_at"],
        [alice.session_id, THEN, "-", room.id, "yes", THEN],
    ]
    (session,) = objects("sessions", "list")
    assert (session["id"], session["room_id"]) == (alice.session_id, room.id)


def test_list_with_participants(table: Table, objects: Objects, alice: RoomParticipant) -> None:
    """The participants of each session get a table, which does not repeat its id in each row."""
    assert table("sessions", "list", "--include-participants")[3:] == [
        [f"participants of session {alice.session_id}"],
        ["id", "context", "joined_at", "left_at"],
        [alice.id, "Alice", THEN, "-"],
    ]
    (session,) = objects("sessions", "list", "--include-participants")
    assert [person["id"] for person in session["participants"]] == [alice.id]


def test_retrieve(table: Table, objects: Objects, room: Room, alice: RoomParticipant) -> None:
    """A session is shown with all its fields but the participants."""
    ask = ("sessions", "retrieve", str(alice.session_id))
    assert table(*ask) == [
        ["id", alice.session_id],
        ["room_id", room.id],
        ["active", "yes"],
        ["created_at", THEN],
        ["updated_at", THEN],
        ["ended_at", "-"],
        ["record_type", "room_session"],
    ]
    (session,) = objects(*ask)
    assert session["participants"] is None


def test_retrieve_with_participants(table: Table, objects: Objects, alice: RoomParticipant) -> None:
    """With its participants it is followed by a table of them."""
    ask = ("sessions", "retrieve", str(alice.session_id), "--include-participants")
    assert table(*ask)[-1] == [alice.id, "Alice", THEN, "-"]
    (session,) = objects(*ask)
    assert [person["id"] for person in session["participants"]] == [alice.id]


def test_participants(table: Table, objects: Objects, alice: RoomParticipant, bob: RoomParticipant) -> None:
    """Those of one session are a list."""
    ask = ("sessions", "participants", str(alice.session_id))
    assert table(*ask) == [
        ["id", "context", "joined_at", "left_at"],
        [alice.id, "Alice", THEN, "-"],
        [bob.id, "Bob", THEN, "-"],
    ]
    assert [each["id"] for each in objects(*ask)] == [alice.id, bob.id]
    assert [each["id"] for each in objects(*ask, "--context", "Bob")] == [bob.id]
    assert [each["id"] for each in objects(*ask, "--limit", "1")] == [alice.id]


def test_end(run: Run, telnyx: Emulator, room: Room, alice: RoomParticipant) -> None:
    """An end is told in words, and in JSON not at all."""
    result = run("sessions", "end", str(alice.session_id))
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"ended {alice.session_id}\n", "")
    assert telnyx.rooms[0].active_session_id is None
    other = telnyx.join(room.id)
    result = run("sessions", "end", str(other.session_id), "--json")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_kick(run: Run, telnyx: Emulator, alice: RoomParticipant, bob: RoomParticipant) -> None:
    """The one who is named is sent out, and no other."""
    result = run("sessions", "kick", str(alice.session_id), bob.id)
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"kicked {bob.id}\n", "")
    telnyx.leave(alice.id)
    with pytest.raises(LookupError):
        telnyx.leave(bob.id)


def test_mute_and_unmute(run: Run, telnyx: Emulator, alice: RoomParticipant, bob: RoomParticipant) -> None:
    """All can be muted but some, and unmuted one by one."""
    session = str(alice.session_id)
    assert (
        run("sessions", "mute", session, "--all", "--exclude", bob.id).stdout
        == f"muted all except {bob.id}\n"
    )
    assert (telnyx.muted(alice.id), telnyx.muted(bob.id)) == (True, False)
    assert run("sessions", "unmute", session, alice.id, bob.id).stdout == f"unmuted {alice.id}, {bob.id}\n"
    assert (telnyx.muted(alice.id), telnyx.muted(bob.id)) == (False, False)


# --- what is sent -------------------------------------------------------------------------------------------

ONE, TWO = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
DONE = {"kick": "kicked", "mute": "muted", "unmute": "unmuted"}
WHOM: list[tuple[list[str], dict[str, object], str]] = [
    ([ONE], {"participants": [ONE]}, ONE),
    ([ONE, TWO], {"participants": [ONE, TWO]}, f"{ONE}, {TWO}"),
    (["--all"], {"participants": "all"}, "all"),
    (["--all", "--exclude", ONE], {"participants": "all", "exclude": [ONE]}, f"all except {ONE}"),
    (
        ["--exclude", ONE, "--exclude", TWO, "--all"],
        {"participants": "all", "exclude": [ONE, TWO]},
        f"all except {ONE}, {TWO}",
    ),
]


@pytest.mark.parametrize("action", DONE)
@pytest.mark.parametrize("whom", WHOM)
def test_whom_an_action_is_for(
    run: Run,
    telnyx: Emulator,
    alice: RoomParticipant,
    action: str,
    whom: tuple[list[str], dict[str, object], str],
) -> None:
    """An action is sent for those who are named, or for all but some, and tells whom it was for."""
    options, body, words = whom
    result = run("sessions", action, str(alice.session_id), *options)
    assert (result.exit_code, result.stdout) == (0, f"{DONE[action]} {words}\n")
    (request,) = telnyx.requests
    assert request.path == f"/v2/room_sessions/{alice.session_id}/actions/{action}"
    assert request.json == body


@pytest.mark.parametrize("action", DONE)
def test_an_action_in_json(run: Run, alice: RoomParticipant, action: str) -> None:
    """In JSON there is nothing to say of an action."""
    result = run("sessions", action, str(alice.session_id), "--all", "--json")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("action", DONE)
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "pass ids of participants, or --all"),
        ([NOBODY, "--all"], "ids of participants and --all cannot be combined"),
        ([NOBODY, "--exclude", NOBODY], "--exclude can only be used with --all"),
    ],
)
def test_whom_must_be_said(run: Run, telnyx: Emulator, action: str, options: list[str], words: str) -> None:
    """An action for nobody, or for two different sets, is wrong usage."""
    result = run("sessions", action, NOBODY, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert telnyx.requests == []


@pytest.mark.parametrize("form", DAYS)
@pytest.mark.parametrize(
    "option",
    [
        ("list", "created-at"),
        ("list", "updated-at"),
        ("list", "ended-at"),
        ("participants", "joined-at"),
        ("participants", "updated-at"),
        ("participants", "left-at"),
    ],
)
def test_each_form_of_a_date_filter(
    run: Run,
    telnyx: Emulator,
    alice: RoomParticipant,
    form: tuple[str, list[tuple[str, str]]],
    option: tuple[str, str],
) -> None:
    """A day, a range and a range with an open end are sent as the API wants them."""
    (days, operators), (verb, name) = form, option
    of = [str(alice.session_id)] if verb == "participants" else []
    assert run("sessions", verb, *of, f"--{name}", days).exit_code == 0
    scripted_server = f"filter[date_{name.replace('-', '_')}]"
    sent = tuple((f"{scripted_server}[{operator}]", day) for operator, day in operators)
    assert [request.query for request in telnyx.requests] == [(*FIRST_PAGE, *sent)]


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ([], FIRST_PAGE),
        (["--room-id", NOBODY], (*FIRST_PAGE, ("filter[room_id]", NOBODY))),
        (["--active"], (*FIRST_PAGE, ("filter[active]", "true"))),
        (["--inactive"], (*FIRST_PAGE, ("filter[active]", "false"))),
        (["--include-participants"], (*FIRST_PAGE, ("include_participants", "true"))),
        (["--page-size", "7"], (("page[number]", "1"), ("page[size]", "7"))),
        (["--limit", "3"], (("page[number]", "1"), ("page[size]", "3"))),
    ],
)
def test_each_option_of_list(
    run: Run, telnyx: Emulator, options: list[str], query: tuple[tuple[str, str], ...]
) -> None:
    """An option of list becomes exactly its part of the query."""
    assert run("sessions", "list", *options).exit_code == 0
    assert [request.query for request in telnyx.requests] == [query]


def test_the_flag_of_retrieve(run: Run, telnyx: Emulator, alice: RoomParticipant) -> None:
    """Participants are asked for only when they are wanted."""
    for flags in ([], ["--include-participants"]):
        run("sessions", "retrieve", str(alice.session_id), *flags)
    assert [request.query for request in telnyx.requests] == [(), (("include_participants", "true"),)]


# --- errors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ["retrieve", NOBODY],
        ["participants", NOBODY],
        ["end", NOBODY],
        ["kick", NOBODY, "--all"],
        ["mute", NOBODY, "--all"],
        ["unmute", NOBODY, "--all"],
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_there_is_no_such_session(run: Run, command: list[str], form: list[str]) -> None:
    """An unknown session is an error in one line."""
    result = run("sessions", *command, *form)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: 404 Resource not found")
    assert result.stderr.count("\n") == 1


def test_a_session_that_has_ended(run: Run, telnyx: Emulator, alice: RoomParticipant) -> None:
    """A session that is over is an error to end."""
    telnyx.leave(alice.id)
    result = run("sessions", "end", str(alice.session_id))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
