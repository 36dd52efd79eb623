"""``telnyx-rooms recordings``: every verb, as a table and as JSON, and what it sends."""

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from telnyx_rooms_async import RoomParticipant
from telnyx_rooms_async.emulator import Emulator

Run = Callable[..., Result]
Table = Callable[..., list[list[str]]]
Objects = Callable[..., list[Any]]
Terminal = Callable[..., str]

NOBODY = "00000000-0000-4000-8000-000000000000"
FIRST_PAGE = (("page[number]", "1"), ("page[size]", "250"))
COLUMNS = [
    "id",
    "type",
    "status",
    "duration_secs",
    "size_mb",
    "started_at",
    "download_url",
    "participant_id",
    "session_id",
    "room_id",
]
Query = tuple[tuple[str, str], ...]
FILTERS: list[tuple[list[str], Query]] = [
    (["--room-id", NOBODY], (("filter[room_id]", NOBODY),)),
    (["--session-id", NOBODY], (("filter[session_id]", NOBODY),)),
    (["--participant-id", NOBODY], (("filter[participant_id]", NOBODY),)),
    (["--status", "completed"], (("filter[status]", "completed"),)),
    (["--type", "audio"], (("filter[type]", "audio"),)),
    (["--started-at", "2021-04-25"], (("filter[date_started_at][eq]", "2021-04-25"),)),
    (
        ["--started-at", "2021-04-01..2021-04-30"],
        (("filter[date_started_at][gte]", "2021-04-01"), ("filter[date_started_at][lte]", "2021-04-30")),
    ),
    (["--ended-at", "2021-04-01.."], (("filter[date_ended_at][gte]", "2021-04-01"),)),
    (["--ended-at", "..2021-04-30"], (("filter[date_ended_at][lte]", "2021-04-30"),)),
    (["--duration-secs", "90"], (("filter[duration_secs][eq]", "90"),)),
    (
        ["--duration-secs", "60..120"],
        (("filter[duration_secs][gte]", "60"), ("filter[duration_secs][lte]", "120")),
    ),
    (["--duration-secs", "60.."], (("filter[duration_secs][gte]", "60"),)),
    (["--duration-secs", "..120"], (("filter[duration_secs][lte]", "120"),)),
    (["--duration-secs", "0"], (("filter[duration_secs][eq]", "0"),)),
    (
        ["--type", "video", "--room-id", NOBODY],
        (("filter[room_id]", NOBODY), ("filter[type]", "video")),
    ),
]


# --- every verb ---------------------------------------------------------------------------------------------


def test_list(
    table: Table, objects: Objects, telnyx: Emulator, alice: RoomParticipant, ids: list[str]
) -> None:
    """A list tells which files are ready; their links are in JSON only."""
    (room,) = telnyx.rooms
    head, sound, picture = table("recordings", "list")
    assert head == COLUMNS
    assert [sound[0], picture[0]] == ids
    assert sound[1:4] == ["audio", "completed", "60"]
    assert sound[5:] == ["2021-04-25T13:45:06Z", "ready", alice.id, alice.session_id, room.id]
    assert picture[1] == "video"
    assert all(each["download_url"].startswith("http://127.0.0.1:") for each in objects("recordings", "list"))


def test_a_recording_that_is_not_ready(table: Table, objects: Objects, telnyx: Emulator) -> None:
    """Until a recording is completed it has no file, and says so."""
    (room,) = objects("rooms", "create", "--enable-recording")
    telnyx.join(room["id"])
    _, sound, _ = table("recordings", "list")
    assert (sound[2], sound[6]) == ("processing", "-")
    assert [each["download_url"] for each in objects("recordings", "list")] == [None, None]


def test_a_terminal_shows_what_fits(at_terminal: Terminal, ids: list[str]) -> None:
    """At 80 columns it is told how far a recording is and how large; at 120 whether its file is ready."""
    narrow = at_terminal("recordings", "list").splitlines()
    assert narrow[0].split() == COLUMNS[:5]
    assert narrow[1].split()[0] == ids[0]
    assert at_terminal("recordings", "list", columns=120).splitlines()[0].split() == COLUMNS[:7]


@pytest.mark.usefixtures("ids")
def test_limit(objects: Objects) -> None:
    """No more come than are wanted."""
    assert [each["type"] for each in objects("recordings", "list", "--limit", "1")] == ["audio"]


def test_retrieve(table: Table, objects: Objects, ids: list[str]) -> None:
    """A recording is shown with all its fields, but its link is in JSON only."""
    shown = dict(table("recordings", "retrieve", ids[0]))
    assert shown["codec"] == "opus"
    assert shown["download_url"] == "ready"
    (recording,) = objects("recordings", "retrieve", ids[0])
    assert list(recording) == list(shown)
    assert recording["download_url"].startswith("http://127.0.0.1:")


def test_delete(run: Run, objects: Objects, ids: list[str]) -> None:
    """A deletion is told in words, and in JSON not at all."""
    assert run("recordings", "delete", ids[0]).stdout == f"deleted {ids[0]}\n"
    silent = run("recordings", "delete", ids[1], "--json")
    assert (silent.exit_code, silent.stdout, silent.stderr) == (0, "", "")
    assert objects("recordings", "list") == []


@pytest.mark.usefixtures("ids")
def test_delete_matching(run: Run, objects: Objects) -> None:
    """A deletion by filter tells how many it was for."""
    assert run("recordings", "delete-matching", "--type", "audio").stdout == "deleted 1 recording\n"
    assert [each["type"] for each in objects("recordings", "list")] == ["video"]
    assert run("recordings", "delete-matching", "--type", "audio").stdout == "deleted 0 recordings\n"
    assert objects("recordings", "delete-matching", "--duration-secs", "60..") == [{"room_recordings": 1}]
    assert objects("recordings", "list") == []


# --- what is sent -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("options", "query"), FILTERS)
def test_each_filter(run: Run, telnyx: Emulator, options: list[str], query: Query) -> None:
    """An option of list and of delete-matching becomes exactly its part of the query."""
    assert run("recordings", "list", *options).exit_code == 0
    assert run("recordings", "delete-matching", *options).exit_code == 0
    listed, deleted = telnyx.requests
    assert (listed.method, set(listed.query)) == ("GET", {*FIRST_PAGE, *query})
    assert len(listed.query) == len(query) + 2
    assert (deleted.method, deleted.query) == ("DELETE", query)


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ([], FIRST_PAGE),
        (["--page-size", "7"], (("page[number]", "1"), ("page[size]", "7"))),
        (["--limit", "3"], (("page[number]", "1"), ("page[size]", "3"))),
    ],
)
def test_each_option_of_list(run: Run, telnyx: Emulator, options: list[str], query: Query) -> None:
    """Pages are as long as they need to be."""
    assert run("recordings", "list", *options).exit_code == 0
    assert [request.query for request in telnyx.requests] == [query]


# --- errors -------------------------------------------------------------------------------------------------


def test_delete_matching_needs_a_filter(run: Run, telnyx: Emulator) -> None:
    """Without a filter nothing is deleted, and it is a wrong argument."""
    result = run("recordings", "delete-matching")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "error: at least one filter must be given: this deletes all that match\n"
    assert telnyx.requests == []


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        ("long", "must be a number such as 90 or a range 60..120, got 'long'"),
        ("60..long", "got 'long'"),
        ("1.5", "got '1.5'"),
        ("..", "a range needs a first or a last value"),
        ("-1", "duration_secs must be an int from 0"),
        ("120..60", "duration_secs matches nothing"),
    ],
)
def test_a_wrong_duration(run: Run, telnyx: Emulator, seconds: str, words: str) -> None:
    """What is no duration is the exit code 2, and nothing is sent."""
    result = run("recordings", "list", f"--duration-secs={seconds}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert telnyx.requests == []


@pytest.mark.parametrize("form", [[], ["--json"]])
@pytest.mark.parametrize("verb", ["retrieve", "delete"])
def test_there_is_no_such_recording(run: Run, verb: str, form: list[str]) -> None:
    """An unknown recording is an error in one line."""
    result = run("recordings", verb, NOBODY, *form)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: 404 Resource not found")
    assert result.stderr.count("\n") == 1
