"""The API as a table: one row an operation, in the order of the Telnyx API reference.

Read forwards it makes requests; read backwards it makes the emulator.
"""

from types import NoneType
from typing import Final, Generic, TypeVar

from attrs import frozen

from telnyx_rooms_async.core.messages import Repeat
from telnyx_rooms_async.core.models import Page, Room, RoomSession

T_co = TypeVar("T_co", covariant=True)


@frozen
class Endpoint(Generic[T_co]):
    """One operation of the API."""

    operation: str
    """Its id in the Telnyx API reference."""
    method: str
    path: str
    """Below the base URL, with the names of its ids in braces."""
    status: int
    """The status of success."""
    answer: type[T_co]
    """What the body holds: a `Page` of things, one thing under ``data``, or nothing."""
    repeat: Repeat


ALWAYS, UNSENT = Repeat.ALWAYS, Repeat.UNSENT

# fmt: off
# ruff: noqa: E501 - a row is a line
LIST_ROOMS         = Endpoint("ListRooms", "GET", "/rooms", 200, Page[Room], ALWAYS)
CREATE_ROOM        = Endpoint("CreateRoom", "POST", "/rooms", 201, Room, UNSENT)
RETRIEVE_ROOM      = Endpoint("ViewRoom", "GET", "/rooms/{room_id}", 200, Room, ALWAYS)
UPDATE_ROOM        = Endpoint("UpdateRoom", "PATCH", "/rooms/{room_id}", 200, Room, ALWAYS)
DELETE_ROOM        = Endpoint("DeleteRoom", "DELETE", "/rooms/{room_id}", 204, NoneType, ALWAYS)
LIST_ROOM_SESSIONS = Endpoint("RetrieveListRoomSessions", "GET", "/rooms/{room_id}/sessions", 200, Page[RoomSession], ALWAYS)
# fmt: on

ENDPOINTS: Final[tuple[Endpoint[object], ...]] = (
    LIST_ROOMS,
    CREATE_ROOM,
    RETRIEVE_ROOM,
    UPDATE_ROOM,
    DELETE_ROOM,
    LIST_ROOM_SESSIONS,
)
