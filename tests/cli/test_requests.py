"""What each option of a command sends."""

from typing import Any, TypeAlias

import pytest

from telnyx_rooms_async import Room
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.command_line import UNKNOWN_ID, Run

Query: TypeAlias = tuple[tuple[str, str], ...]

FIRST_PAGE: Query = (("page[number]", "1"), ("page[size]", "250"))
DAYS = [
    ("2021-04-25", {"eq": "2021-04-25"}),
    ("2021-04-01..2021-04-30", {"gte": "2021-04-01", "lte": "2021-04-30"}),
    ("2021-04-01..", {"gte": "2021-04-01"}),
    ("..2021-04-30", {"lte": "2021-04-30"}),
]
SECONDS = [
    ("90", {"eq": "90"}),
    ("0", {"eq": "0"}),
    ("60..120", {"gte": "60", "lte": "120"}),
    ("60..", {"gte": "60"}),
    ("..120", {"lte": "120"}),
]
LISTS = {
    "rooms list": ["created-at", "updated-at"],
    "rooms sessions ROOM": ["created-at", "updated-at", "ended-at"],
    "sessions list": ["created-at", "updated-at", "ended-at"],
    "sessions participants SESSION": ["joined-at", "updated-at", "left-at"],
    "participants list": ["joined-at", "updated-at", "left-at"],
    "recordings list": ["started-at", "ended-at"],
    "compositions list": ["created-at"],
}
"""Date filters by command."""
FILTERS = [
    ("rooms list", ["--unique-name", "Weekly"], [("filter[unique_name]", "Weekly")]),
    ("rooms list", ["--include-sessions"], [("include_sessions", "true")]),
    ("rooms sessions ROOM", ["--active"], [("filter[active]", "true")]),
    ("rooms sessions ROOM", ["--inactive"], [("filter[active]", "false")]),
    ("rooms sessions ROOM", ["--include-participants"], [("include_participants", "true")]),
    ("sessions list", ["--room-id", UNKNOWN_ID], [("filter[room_id]", UNKNOWN_ID)]),
    ("sessions list", ["--active"], [("filter[active]", "true")]),
    ("sessions list", ["--inactive"], [("filter[active]", "false")]),
    ("sessions list", ["--include-participants"], [("include_participants", "true")]),
    ("sessions participants SESSION", ["--context", "Alice"], [("filter[context]", "Alice")]),
    ("participants list", ["--session-id", UNKNOWN_ID], [("filter[session_id]", UNKNOWN_ID)]),
    ("participants list", ["--context", "Alice"], [("filter[context]", "Alice")]),
    ("compositions list", ["--session-id", UNKNOWN_ID], [("filter[session_id]", UNKNOWN_ID)]),
    ("compositions list", ["--status", "completed"], [("filter[status]", "completed")]),
]
RECORDING_FILTERS: list[tuple[list[str], Query]] = [
    (["--room-id", UNKNOWN_ID], (("filter[room_id]", UNKNOWN_ID),)),
    (["--session-id", UNKNOWN_ID], (("filter[session_id]", UNKNOWN_ID),)),
    (["--participant-id", UNKNOWN_ID], (("filter[participant_id]", UNKNOWN_ID),)),
    (["--status", "completed"], (("filter[status]", "completed"),)),
    (["--started-at", "2021-04-25"], (("filter[date_started_at][eq]", "2021-04-25"),)),
    (["--ended-at", "..2021-04-30"], (("filter[date_ended_at][lte]", "2021-04-30"),)),
    (
        ["--type", "video", "--room-id", UNKNOWN_ID],
        (("filter[room_id]", UNKNOWN_ID), ("filter[type]", "video")),
    ),
    *(
        (
            ["--duration-secs", text],
            tuple((f"filter[duration_secs][{key}]", value) for key, value in bounds.items()),
        )
        for text, bounds in SECONDS
    ),
]


@pytest.fixture
def send(run: Run, telnyx: Emulator) -> Any:
    """Run a list command with its ids, and return the query of its only request."""
    telnyx.seed(1)
    participant = telnyx.join(telnyx.rooms[0].id)
    ids = {"ROOM": telnyx.rooms[0].id, "SESSION": str(participant.session_id)}

    def send(command: str, *options: str) -> Query:
        assert run(*(ids.get(word, word) for word in command.split()), *options).exit_code == 0
        (request,) = telnyx.requests
        return request.query

    return send


@pytest.mark.parametrize(
    ("command", "options", "page"),
    [
        *((command, ["--limit", "3"], "3") for command in LISTS),
        ("rooms list", [], "250"),
        ("rooms list", ["--page-size", "7"], "7"),
        ("rooms list", ["--limit", "300"], "250"),
    ],
)
def test_page_is_no_larger_than_needed(send: Any, command: str, options: list[str], page: str) -> None:
    assert send(command, *options) == (("page[number]", "1"), ("page[size]", page))


@pytest.mark.parametrize(
    ("command", "option", "days", "bounds"),
    [
        *((command, option, *DAYS[1]) for command, options in LISTS.items() for option in options),
        *(("rooms list", "created-at", *form) for form in DAYS),
    ],
)
def test_date_filters_are_sent(
    send: Any, command: str, option: str, days: str, bounds: dict[str, str]
) -> None:
    name = f"filter[date_{option.replace('-', '_')}]"
    parameters = tuple((f"{name}[{operator}]", day) for operator, day in bounds.items())
    assert send(command, f"--{option}", days) == FIRST_PAGE + parameters


@pytest.mark.parametrize(("command", "options", "query"), FILTERS)
def test_filters_are_sent(send: Any, command: str, options: list[str], query: list[tuple[str, str]]) -> None:
    assert send(command, *options) == (*FIRST_PAGE, *query)


@pytest.mark.parametrize(("options", "query"), RECORDING_FILTERS)
def test_filters_of_recordings_are_sent_by_list_and_delete_matching(
    run: Run, telnyx: Emulator, options: list[str], query: Query
) -> None:
    assert run("recordings", "list", *options).exit_code == 0
    assert run("recordings", "delete-matching", *options).exit_code == 0
    listed, deleted = telnyx.requests
    assert (listed.method, sorted(listed.query)) == ("GET", sorted(FIRST_PAGE + query))
    assert (deleted.method, deleted.query) == ("DELETE", query)


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_limit_saves_requests(run: Run, telnyx: Emulator, form: list[str]) -> None:
    telnyx.seed(9)
    result = run("rooms", "list", "--page-size", "2", "--limit", "4", *form)
    assert len(result.stdout.splitlines()) == (4 if form else 5)
    assert len(telnyx.requests) <= 3  # of five pages; one may be requested ahead


# --- bodies -------------------------------------------------------------------------------------------------

ROOM_FIELDS: list[tuple[list[str], dict[str, object]]] = [
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


@pytest.mark.parametrize(("options", "body"), [([], {}), *ROOM_FIELDS])
def test_create_sends_only_the_given_fields(
    run: Run, telnyx: Emulator, options: list[str], body: dict[str, object]
) -> None:
    assert run("rooms", "create", *options).exit_code == 0
    assert [request.json for request in telnyx.requests] == [body]


@pytest.mark.parametrize(
    ("options", "body"),
    [
        *ROOM_FIELDS,
        (["--clear", "webhook-event-failover-url"], {"webhook_event_failover_url": None}),
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
def test_update_sends_the_given_fields_and_null_for_cleared_ones(
    run: Run, telnyx: Emulator, room: Room, options: list[str], body: dict[str, object]
) -> None:
    assert run("rooms", "update", room.id, *options).exit_code == 0
    assert [(request.method, request.json) for request in telnyx.requests] == [("PATCH", body)]


@pytest.mark.parametrize(
    ("options", "body"),
    [
        ([], {}),
        (["--token-ttl-secs", "60"], {"token_ttl_secs": 60}),
        (["--refresh-token-ttl-secs", "90"], {"refresh_token_ttl_secs": 90}),
    ],
)
def test_token_create_sends_only_the_given_fields(
    run: Run, telnyx: Emulator, room: Room, options: list[str], body: dict[str, object]
) -> None:
    assert run("tokens", "create", room.id, *options).exit_code == 0
    (request,) = telnyx.requests
    assert request.path == f"/v2/rooms/{room.id}/actions/generate_join_client_token"
    assert request.json == body


WHOLE_PICTURE = {"all": {"width": 1280, "height": 720, "video_sources": ["*"]}}
GRID = {"x_pos": -1, "y_pos": 2, "z_pos": -3, "width": 16, "height": 17, "max_columns": 4, "max_rows": 5}


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
            {"video_layout": {"grid": {**GRID, "video_sources": ["*"]}}},
        ),
    ],
)
@pytest.mark.usefixtures("ids")
def test_composition_create_sends_the_given_fields(
    run: Run, objects: Any, telnyx: Emulator, options: list[str], body: dict[str, object]
) -> None:
    (session,) = objects("sessions", "list")
    telnyx.requests.clear()
    assert run("compositions", "create", session["id"], *options).exit_code == 0
    (request,) = telnyx.requests
    defaults = {"session_id": session["id"], "video_layout": WHOLE_PICTURE, "audio_sources": ["*"]}
    assert request.json == {**defaults, **body}


ONE, TWO = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


@pytest.mark.parametrize(
    ("action", "participle"), [("kick", "kicked"), ("mute", "muted"), ("unmute", "unmuted")]
)
@pytest.mark.parametrize(
    ("options", "body", "selection"),
    [
        ([ONE, TWO], {"participants": [ONE, TWO]}, f"{ONE}, {TWO}"),
        (["--all"], {"participants": "all"}, "all"),
        (
            ["--exclude", ONE, "--exclude", TWO, "--all"],
            {"participants": "all", "exclude": [ONE, TWO]},
            f"all except {ONE}, {TWO}",
        ),
    ],
)
def test_action_sends_its_participants(  # noqa: PLR0917 - two parameters of the cases
    run: Run,
    telnyx: Emulator,
    room: Room,
    action: str,
    participle: str,
    options: list[str],
    body: Any,
    selection: str,
) -> None:
    session_id = str(telnyx.join(room.id).session_id)
    result = run("sessions", action, session_id, *options)
    assert (result.exit_code, result.stdout) == (0, f"{participle} {selection}\n")
    (request,) = telnyx.requests
    assert request.path == f"/v2/room_sessions/{session_id}/actions/{action}"
    assert request.json == body
    session_id = str(telnyx.join(room.id).session_id)  # the first session may have ended
    result = run("sessions", action, session_id, "--all", "--json")
    assert (result.exit_code, result.output) == (0, "")


def test_base_url_option_has_precedence_over_the_variable(run: Run, telnyx: Emulator) -> None:
    result = run("rooms", "list", "--base-url", telnyx.url, TELNYX_BASE_URL="http://127.0.0.1:1")
    assert (result.exit_code, len(telnyx.requests)) == (0, 1)
