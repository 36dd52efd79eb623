"""The table of operations, held against a copy written from the API reference."""

import re

import pytest

from telnyx_rooms_async.core import endpoints
from telnyx_rooms_async.core.endpoints import ENDPOINTS
from telnyx_rooms_async.core.messages import Repeat
from telnyx_rooms_async.core.models import Page, Room, RoomSession

ALWAYS, UNSENT = Repeat.ALWAYS, Repeat.UNSENT

# fmt: off
REFERENCE = {
    "LIST_ROOMS":         ("ListRooms", "GET", "/rooms", 200, Page[Room], ALWAYS),
    "CREATE_ROOM":        ("CreateRoom", "POST", "/rooms", 201, Room, UNSENT),
    "RETRIEVE_ROOM":      ("ViewRoom", "GET", "/rooms/{room_id}", 200, Room, ALWAYS),
    "UPDATE_ROOM":        ("UpdateRoom", "PATCH", "/rooms/{room_id}", 200, Room, ALWAYS),
    "DELETE_ROOM":        ("DeleteRoom", "DELETE", "/rooms/{room_id}", 204, type(None), ALWAYS),
    "LIST_ROOM_SESSIONS": ("RetrieveListRoomSessions", "GET", "/rooms/{room_id}/sessions", 200, Page[RoomSession], ALWAYS),  # noqa: E501 - a row is a line
}
# fmt: on


@pytest.mark.parametrize("name", REFERENCE)
def test_each_row_is_that_of_the_reference(name: str) -> None:
    """An operation has the id, method, path, success status, answer and repeatability of the reference."""
    row = getattr(endpoints, name)
    assert (
        row.operation,
        row.method,
        row.path,
        row.status,
        row.answer,
        row.repeat,
    ) == REFERENCE[name]


def test_the_table_is_complete_and_in_order() -> None:
    """The table holds every row once, in the order of the reference."""
    assert list(ENDPOINTS) == [getattr(endpoints, name) for name in REFERENCE]


def test_an_operation_is_found_by_method_and_path() -> None:
    """No two rows share a method and a path: the table can be read backwards."""
    assert len({(row.method, row.path) for row in ENDPOINTS}) == len(ENDPOINTS)


def test_paths_name_their_ids() -> None:
    """A path is made of plain words and ids in braces."""
    for row in ENDPOINTS:
        assert re.fullmatch(r"(/([a-z_]+|\{[a-z_]+_id\}))+", row.path), row.path


def test_what_makes_things_is_never_repeated_blindly() -> None:
    """Only a POST is kept from being repeated; the reads, PATCH and DELETE are not."""
    assert {row.method for row in ENDPOINTS if row.repeat is UNSENT} == {"POST"}
    assert {row.method for row in ENDPOINTS if row.repeat is ALWAYS} == {"GET", "PATCH", "DELETE"}
