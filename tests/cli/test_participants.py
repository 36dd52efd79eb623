"""``telnyx-rooms participants``: every verb, as a table and as JSON, and what it sends."""

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from telnyx_rooms_async import RoomParticipant
from telnyx_rooms_async.emulator import Emulator

Run = Callable[..., Result]
Table = Callable[..., list[list[str]]]
Objects = Callable[..., list[Any]]

NOBODY = "00000000-0000-4000-8000-000000000000"
FIRST_PAGE = (("page[number]", "1"), ("page[size]", "250"))
THEN = "2021-04-25T13:45:06Z"


@pytest.fixture
def alice(telnyx: Emulator) -> RoomParticipant:
    """Someone in a session."""
    telnyx.seed(1)
    return telnyx.join(telnyx.rooms[0].id, context="Alice")


def test_list(table: Table, objects: Objects, alice: RoomParticipant) -> None:
    """A list has the session of each participant."""
    assert table("participants", "list") == [
        ["id", "context", "joined_at", "left_at", "session_id"],
        [alice.id, "Alice", THEN, "-", alice.session_id],
    ]
    assert objects("participants", "list") == [
        {
            "id": alice.id,
            "session_id": alice.session_id,
            "context": "Alice",
            "joined_at": "2021-04-25T13:45:06.500000Z",
            "updated_at": "2021-04-25T13:45:06.500000Z",
            "left_at": None,
            "record_type": "room_participant",
        }
    ]


def test_retrieve(table: Table, objects: Objects, telnyx: Emulator, alice: RoomParticipant) -> None:
    """A participant is shown with all fields."""
    telnyx.leave(alice.id)
    assert table("participants", "retrieve", alice.id) == [
        ["id", alice.id],
        ["session_id", alice.session_id],
        ["context", "Alice"],
        ["joined_at", THEN],
        ["updated_at", THEN],
        ["left_at", THEN],
        ["record_type", "room_participant"],
    ]
    (person,) = objects("participants", "retrieve", alice.id)
    assert person["id"] == alice.id


@pytest.mark.parametrize("name", ["joined-at", "updated-at", "left-at"])
@pytest.mark.parametrize(
    ("days", "operators"),
    [
        ("2021-04-25", [("eq", "2021-04-25")]),
        ("2021-04-01..2021-04-30", [("gte", "2021-04-01"), ("lte", "2021-04-30")]),
        ("2021-04-01..", [("gte", "2021-04-01")]),
        ("..2021-04-30", [("lte", "2021-04-30")]),
    ],
)
def test_each_form_of_a_date_filter(
    run: Run, telnyx: Emulator, name: str, days: str, operators: list[tuple[str, str]]
) -> None:
    """A day, a range and a range with an open end are sent as the API wants them."""
    assert run("participants", "list", f"--{name}", days).exit_code == 0
    scripted_server = f"filter[date_{name.replace('-', '_')}]"
    sent = tuple((f"{scripted_server}[{operator}]", day) for operator, day in operators)
    assert [request.query for request in telnyx.requests] == [(*FIRST_PAGE, *sent)]


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ([], FIRST_PAGE),
        (["--session-id", NOBODY], (*FIRST_PAGE, ("filter[session_id]", NOBODY))),
        (["--context", "Alice"], (*FIRST_PAGE, ("filter[context]", "Alice"))),
        (["--page-size", "7"], (("page[number]", "1"), ("page[size]", "7"))),
        (["--limit", "3"], (("page[number]", "1"), ("page[size]", "3"))),
    ],
)
def test_each_option_of_list(
    run: Run, telnyx: Emulator, options: list[str], query: tuple[tuple[str, str], ...]
) -> None:
    """An option of list becomes exactly its part of the query."""
    assert run("participants", "list", *options).exit_code == 0
    assert [request.query for request in telnyx.requests] == [query]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_there_is_no_such_participant(run: Run, form: list[str]) -> None:
    """An unknown participant is an error in one line."""
    result = run("participants", "retrieve", NOBODY, *form)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: 404 Resource not found")
    assert result.stderr.count("\n") == 1
