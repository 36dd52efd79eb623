"""The table of operations, held against a copy written from the API reference."""

import re

import pytest

from telnyx_rooms_async.core import endpoints
from telnyx_rooms_async.core.endpoints import ENDPOINTS
from telnyx_rooms_async.core.http_messages import RetrySafety
from telnyx_rooms_async.models import (
    AccessToken,
    ActionResult,
    ClientToken,
    DeletedRecordings,
    Page,
    Room,
    RoomComposition,
    RoomParticipant,
    RoomRecording,
    RoomSession,
)

IDEMPOTENT, IF_NOT_SENT = RetrySafety.IDEMPOTENT, RetrySafety.IF_NOT_SENT

# fmt: off
# ruff: noqa: E501 - a row is a line
REFERENCE = {
    "LIST_ROOMS":                ("ListRooms", "GET", "/rooms", 200, Page[Room], IDEMPOTENT),
    "CREATE_ROOM":               ("CreateRoom", "POST", "/rooms", 201, Room, IF_NOT_SENT),
    "RETRIEVE_ROOM":             ("ViewRoom", "GET", "/rooms/{room_id}", 200, Room, IDEMPOTENT),
    "UPDATE_ROOM":               ("UpdateRoom", "PATCH", "/rooms/{room_id}", 200, Room, IDEMPOTENT),
    "DELETE_ROOM":               ("DeleteRoom", "DELETE", "/rooms/{room_id}", 204, type(None), IDEMPOTENT),
    "LIST_ROOM_SESSIONS":        ("RetrieveListRoomSessions", "GET", "/rooms/{room_id}/sessions", 200, Page[RoomSession], IDEMPOTENT),
    "CREATE_TOKEN":              ("CreateRoomClientToken", "POST", "/rooms/{room_id}/actions/generate_join_client_token", 201, ClientToken, IDEMPOTENT),
    "REFRESH_TOKEN":             ("RefreshRoomClientToken", "POST", "/rooms/{room_id}/actions/refresh_client_token", 201, AccessToken, IDEMPOTENT),
    "LIST_SESSIONS":             ("ListRoomSessions", "GET", "/room_sessions", 200, Page[RoomSession], IDEMPOTENT),
    "RETRIEVE_SESSION":          ("ViewRoomSession", "GET", "/room_sessions/{room_session_id}", 200, RoomSession, IDEMPOTENT),
    "LIST_SESSION_PARTICIPANTS": ("RetrieveListRoomParticipants", "GET", "/room_sessions/{room_session_id}/participants", 200, Page[RoomParticipant], IDEMPOTENT),
    "END_SESSION":               ("EndSession", "POST", "/room_sessions/{room_session_id}/actions/end", 200, ActionResult, IDEMPOTENT),
    "KICK_PARTICIPANTS":         ("KickParticipantInSession", "POST", "/room_sessions/{room_session_id}/actions/kick", 200, ActionResult, IF_NOT_SENT),
    "MUTE_PARTICIPANTS":         ("MuteParticipantInSession", "POST", "/room_sessions/{room_session_id}/actions/mute", 200, ActionResult, IF_NOT_SENT),
    "UNMUTE_PARTICIPANTS":       ("UnmuteParticipantInSession", "POST", "/room_sessions/{room_session_id}/actions/unmute", 200, ActionResult, IF_NOT_SENT),
    "LIST_PARTICIPANTS":         ("ListRoomParticipants", "GET", "/room_participants", 200, Page[RoomParticipant], IDEMPOTENT),
    "RETRIEVE_PARTICIPANT":      ("ViewRoomParticipant", "GET", "/room_participants/{room_participant_id}", 200, RoomParticipant, IDEMPOTENT),
    "LIST_RECORDINGS":           ("ListRoomRecordings", "GET", "/room_recordings", 200, Page[RoomRecording], IDEMPOTENT),
    "RETRIEVE_RECORDING":        ("ViewRoomRecording", "GET", "/room_recordings/{room_recording_id}", 200, RoomRecording, IDEMPOTENT),
    "DELETE_RECORDING":          ("DeleteRoomRecording", "DELETE", "/room_recordings/{room_recording_id}", 204, type(None), IDEMPOTENT),
    "DELETE_RECORDINGS":         ("DeleteRoomRecordings", "DELETE", "/room_recordings", 201, DeletedRecordings, IF_NOT_SENT),
    "LIST_COMPOSITIONS":         ("ListRoomCompositions", "GET", "/room_compositions", 200, Page[RoomComposition], IDEMPOTENT),
    "CREATE_COMPOSITION":        ("CreateRoomComposition", "POST", "/room_compositions", 202, RoomComposition, IF_NOT_SENT),
    "RETRIEVE_COMPOSITION":      ("ViewRoomComposition", "GET", "/room_compositions/{room_composition_id}", 200, RoomComposition, IDEMPOTENT),
    "DELETE_COMPOSITION":        ("DeleteRoomComposition", "DELETE", "/room_compositions/{room_composition_id}", 204, type(None), IDEMPOTENT),
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
    """What could be done twice is not repeated; reads, changes to a value and tokens are."""
    assert {row.operation for row in ENDPOINTS if row.repeat is IF_NOT_SENT} == {
        "CreateRoom",
        "KickParticipantInSession",
        "MuteParticipantInSession",
        "UnmuteParticipantInSession",
        "DeleteRoomRecordings",
        "CreateRoomComposition",
    }
