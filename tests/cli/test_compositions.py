"""``telnyx-rooms compositions``: every verb, as a table and as JSON, and what it sends."""

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
Turn = Callable[[float], None]

NOBODY = "00000000-0000-4000-8000-000000000000"
FIRST_PAGE = (("page[number]", "1"), ("page[size]", "250"))
COLUMNS = [
    "id",
    "status",
    "duration_secs",
    "size_mb",
    "resolution",
    "created_at",
    "download_url",
    "session_id",
]
WHOLE = {"all": {"width": 1280, "height": 720, "video_sources": ["*"]}}
Query = tuple[tuple[str, str], ...]


def record(rows: list[list[str]]) -> dict[str, str]:
    """Read a row of each field; a value may be empty."""
    return {name: value[0] if value else "" for name, *value in rows}


@pytest.fixture
def session(alice: RoomParticipant, ids: list[str]) -> str:
    """A session that was recorded."""
    assert len(ids) == 2
    return str(alice.session_id)


@pytest.fixture
def composition(objects: Objects, telnyx: Emulator, session: str) -> str:
    """A composition that was asked for."""
    (made,) = objects("compositions", "create", session)
    telnyx.requests.clear()
    return str(made["id"])


# --- every verb ---------------------------------------------------------------------------------------------


def test_create(table: Table, objects: Objects, session: str) -> None:
    """What was asked for is shown, its layout spelled as it would be given."""
    shown = record(table("compositions", "create", session))
    assert (shown["status"], shown["session_id"]) == ("enqueued", session)
    assert shown["video_layout"] == "all:x=0,y=0,z=0,width=1280,height=720,sources=*"
    assert shown["audio_sources"] == "*"
    assert shown["download_url"] == "-"
    (made,) = objects("compositions", "create", session)
    assert list(made) == list(shown)
    assert made["video_layout"]["all"]["video_sources"] == ["*"]


def test_list(table: Table, objects: Objects, turn: Turn, session: str, composition: str) -> None:
    """A list tells which files are ready; their links are in JSON only."""
    turn(10)
    head, row = table("compositions", "list")
    assert head == COLUMNS
    assert row[:3] == [composition, "completed", "60"]
    assert row[4:] == ["1280x720", "2021-04-25T13:46:11Z", "ready", session]
    (listed,) = objects("compositions", "list")
    assert listed["download_url"].startswith("http://127.0.0.1:")


def test_a_terminal_shows_what_fits(at_terminal: Terminal, turn: Turn, composition: str) -> None:
    """At 80 columns it is told how far a composition is and how large; at 120 whether its file is ready."""
    turn(10)
    narrow = at_terminal("compositions", "list").splitlines()
    assert narrow[0].split() == COLUMNS[:4]
    assert narrow[1].split()[0] == composition
    assert at_terminal("compositions", "list", columns=120).splitlines()[0].split() == COLUMNS[:7]


def test_retrieve(table: Table, objects: Objects, turn: Turn, composition: str) -> None:
    """A composition is shown with all its fields, but its link is in JSON only."""
    ask = ("compositions", "retrieve", composition)
    assert record(table(*ask))["download_url"] == "-"
    turn(10)
    shown = record(table(*ask))
    assert (shown["status"], shown["download_url"]) == ("completed", "ready")
    (made,) = objects(*ask)
    assert made["download_url"].startswith("http://127.0.0.1:")


def test_delete(run: Run, objects: Objects, session: str, composition: str) -> None:
    """A deletion is told in words, and in JSON not at all; the recordings stay."""
    assert run("compositions", "delete", composition).stdout == f"deleted {composition}\n"
    (other,) = objects("compositions", "create", session)
    silent = run("compositions", "delete", other["id"], "--json")
    assert (silent.exit_code, silent.stdout, silent.stderr) == (0, "", "")
    assert objects("compositions", "list") == []
    assert len(objects("recordings", "list")) == 2


def test_wait(table: Table, objects: Objects, turn: Turn, composition: str) -> None:
    """A composition that is done is shown at once."""
    turn(10)
    assert record(table("compositions", "wait", composition))["status"] == "completed"
    (made,) = objects("compositions", "wait", composition, "--timeout", "5")
    assert made["status"] == "completed"


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_wait_in_vain(run: Run, telnyx: Emulator, composition: str, form: list[str]) -> None:
    """One that is not done in time is an error in one line."""
    result = run("compositions", "wait", composition, "--timeout", "0.1", *form)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"error: timed out: composition {composition} was not done in 0.1 s\n"
    assert len(telnyx.requests) > 1


def test_who_waits_is_told(at_terminal: Terminal, turn: Turn, composition: str) -> None:
    """A person at a terminal is told how long it may take; JSON comes without a word."""
    turn(10)
    ask = ("compositions", "wait", composition)
    assert at_terminal(*ask, columns=120).startswith("waiting up to 600 s; press Ctrl-C to stop\nid ")
    assert at_terminal(*ask, "--json", columns=120).startswith("{")


# --- what is sent -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "body"),
    [
        ([], {}),
        (["--silent"], {"audio_sources": None}),
        (["--format", "mp4"], {"format": "mp4"}),
        (
            ["--resolution", "640x360"],
            {
                "resolution": "640x360",
                "video_layout": {"all": {"width": 640, "height": 360, "video_sources": ["*"]}},
            },
        ),
        (["--webhook-event-url", "https://a.example"], {"webhook_event_url": "https://a.example"}),
        (
            ["--webhook-event-failover-url", "https://b.example"],
            {"webhook_event_failover_url": "https://b.example"},
        ),
        (["--webhook-timeout-secs", "0"], {"webhook_timeout_secs": 0}),
        (["--region", "left:"], {"video_layout": {"left": {"video_sources": ["*"]}}}),
        (
            ["--region", "left:width=640,height=720", "--region", "right:x=640,sources=*"],
            {
                "video_layout": {
                    "left": {"width": 640, "height": 720, "video_sources": ["*"]},
                    "right": {"x_pos": 640, "video_sources": ["*"]},
                }
            },
        ),
        (
            ["--region", "grid:x=-1,y=2,z=-3,width=16,height=17,columns=4,rows=5"],
            {
                "video_layout": {
                    "grid": {
                        "x_pos": -1,
                        "y_pos": 2,
                        "z_pos": -3,
                        "width": 16,
                        "height": 17,
                        "max_columns": 4,
                        "max_rows": 5,
                        "video_sources": ["*"],
                    }
                }
            },
        ),
    ],
)
def test_create_sends_what_is_given(
    run: Run, telnyx: Emulator, session: str, options: list[str], body: dict[str, object]
) -> None:
    """A composition is asked for with what is given; all pictures and all sound unless told otherwise."""
    assert run("compositions", "create", session, *options).exit_code == 0
    (request,) = telnyx.requests
    assert request.json == {"session_id": session, "video_layout": WHOLE, "audio_sources": ["*"], **body}


def test_the_sources_of_a_region(run: Run, telnyx: Emulator, session: str, ids: list[str]) -> None:
    """A region may show some recordings and no other; they are shown as they would be given."""
    region = f"one:x=0,y=0,z=0,width=640,height=720,sources={ids[1]}+{ids[1]}"
    result = run("compositions", "create", session, "--region", region)
    assert f"  {region}\n" in result.stdout
    (request,) = telnyx.requests
    assert request.json["video_layout"]["one"]["video_sources"] == [ids[1], ids[1]]


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ([], FIRST_PAGE),
        (["--session-id", NOBODY], (*FIRST_PAGE, ("filter[session_id]", NOBODY))),
        (["--status", "completed"], (*FIRST_PAGE, ("filter[status]", "completed"))),
        (["--created-at", "2021-04-25"], (*FIRST_PAGE, ("filter[date_created_at][eq]", "2021-04-25"))),
        (["--created-at", "2021-04-01.."], (*FIRST_PAGE, ("filter[date_created_at][gte]", "2021-04-01"))),
        (["--page-size", "7"], (("page[number]", "1"), ("page[size]", "7"))),
        (["--limit", "3"], (("page[number]", "1"), ("page[size]", "3"))),
    ],
)
def test_each_option_of_list(run: Run, telnyx: Emulator, options: list[str], query: Query) -> None:
    """An option of list becomes exactly its part of the query."""
    assert run("compositions", "list", *options).exit_code == 0
    assert [request.query for request in telnyx.requests] == [query]


# --- errors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("regions", "words"),
    [
        (["left"], "must be NAME:x=N,"),
        ([":x=1"], "got ':x=1'"),
        (["left:x=wide"], "x must be a number, got 'wide'"),
        (["left:x"], "x must be a number, got ''"),
        (["left:colour=1"], "'colour' is not a field of a region; the fields are x, y, z, width"),
        (["left:x=1,x=2"], "x is given twice"),
        (["left:x=1", "left:x=2"], "two regions have the same name"),
        (["left:width=15"], "width must be an int from 16"),
        (["left:sources="], "video_sources"),
        (["a:", "b:", "c:"], "video_layout must name 1 or 2 regions"),
    ],
)
def test_a_wrong_region(run: Run, telnyx: Emulator, regions: list[str], words: str) -> None:
    """What is no region is the exit code 2, and nothing is sent."""
    options = [part for region in regions for part in ("--region", region)]
    result = run("compositions", "create", NOBODY, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert telnyx.requests == []


@pytest.mark.parametrize("options", [["--resolution", "1281x720"], ["--webhook-timeout-secs", "31"]])
def test_a_wrong_option(run: Run, telnyx: Emulator, options: list[str]) -> None:
    """A value out of its bounds is the exit code 2, and nothing is sent."""
    result = run("compositions", "create", NOBODY, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert telnyx.requests == []


@pytest.mark.parametrize("form", [[], ["--json"]])
@pytest.mark.parametrize("verb", ["retrieve", "delete", "wait"])
def test_there_is_no_such_composition(run: Run, verb: str, form: list[str]) -> None:
    """An unknown composition is an error in one line."""
    result = run("compositions", verb, NOBODY, *form)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: 404 Resource not found")
    assert result.stderr.count("\n") == 1


def test_a_session_that_cannot_be_composed(run: Run) -> None:
    """What Telnyx refuses is an error in one line."""
    result = run("compositions", "create", NOBODY)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: 422 ")
