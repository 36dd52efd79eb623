"""The 25 operations of the API as a table, in the order of the Telnyx API reference.

The client builds requests from it, and the emulator its routes.
"""

import enum
from types import NoneType
from typing import Final, Generic, TypeVar, cast, get_origin

from attrs import Factory, field, frozen

from telnyx_rooms_async.models import (
    AccessToken,
    AccountKey,
    ActionResult,
    ClientToken,
    DeletedRecordings,
    Page,
    Room,
    RoomComposition,
    RoomParticipant,
    RoomRecording,
    RoomSession,
    Value,
)

T_co = TypeVar("T_co", covariant=True)


class RetrySafety(enum.Enum):
    """When a failed request may be sent again."""

    IDEMPOTENT = "always"
    """Always: a second request has no further effect."""
    IF_NOT_SENT = "unsent"
    """Only when the server certainly did not process it: a second request could create a second object."""


@frozen(eq=False, repr=False)
class Endpoint(Value, Generic[T_co]):
    """An operation of the API, or the kind of a custom request."""

    operation: str
    """The operation id in the Telnyx API reference; of a custom request, its method and path."""
    method: str
    path: str
    """Below the base URL, with the names of the ids in braces."""
    status: int
    """The status of a successful response."""
    response_type: type[T_co]
    """The type of the response: a `Page` of models, a model under ``data``, or ``NoneType``."""
    retry_safety: RetrySafety
    ids: tuple[str, ...] = field(
        init=False,
        default=Factory(
            lambda self: tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{")),
            takes_self=True,
        ),
    )
    """The names in braces."""
    is_list: bool = field(
        init=False, default=Factory(lambda self: get_origin(self.response_type) is Page, takes_self=True)
    )


IDEMPOTENT, IF_NOT_SENT = RetrySafety.IDEMPOTENT, RetrySafety.IF_NOT_SENT

# fmt: off
# ruff: noqa: E501 - a row is a line
LIST_ROOMS                = Endpoint("ListRooms", "GET", "/rooms", 200, Page[Room], IDEMPOTENT)
CREATE_ROOM               = Endpoint("CreateRoom", "POST", "/rooms", 201, Room, IF_NOT_SENT)
RETRIEVE_ROOM             = Endpoint("ViewRoom", "GET", "/rooms/{room_id}", 200, Room, IDEMPOTENT)
UPDATE_ROOM               = Endpoint("UpdateRoom", "PATCH", "/rooms/{room_id}", 200, Room, IDEMPOTENT)
DELETE_ROOM               = Endpoint("DeleteRoom", "DELETE", "/rooms/{room_id}", 204, NoneType, IDEMPOTENT)
LIST_ROOM_SESSIONS        = Endpoint("RetrieveListRoomSessions", "GET", "/rooms/{room_id}/sessions", 200, Page[RoomSession], IDEMPOTENT)
CREATE_TOKEN              = Endpoint("CreateRoomClientToken", "POST", "/rooms/{room_id}/actions/generate_join_client_token", 201, ClientToken, IDEMPOTENT)
REFRESH_TOKEN             = Endpoint("RefreshRoomClientToken", "POST", "/rooms/{room_id}/actions/refresh_client_token", 201, AccessToken, IDEMPOTENT)

LIST_SESSIONS             = Endpoint("ListRoomSessions", "GET", "/room_sessions", 200, Page[RoomSession], IDEMPOTENT)
RETRIEVE_SESSION          = Endpoint("ViewRoomSession", "GET", "/room_sessions/{session_id}", 200, RoomSession, IDEMPOTENT)
LIST_SESSION_PARTICIPANTS = Endpoint("RetrieveListRoomParticipants", "GET", "/room_sessions/{session_id}/participants", 200, Page[RoomParticipant], IDEMPOTENT)
END_SESSION               = Endpoint("EndSession", "POST", "/room_sessions/{session_id}/actions/end", 200, ActionResult, IDEMPOTENT)
KICK_PARTICIPANTS         = Endpoint("KickParticipantInSession", "POST", "/room_sessions/{session_id}/actions/kick", 200, ActionResult, IF_NOT_SENT)
MUTE_PARTICIPANTS         = Endpoint("MuteParticipantInSession", "POST", "/room_sessions/{session_id}/actions/mute", 200, ActionResult, IF_NOT_SENT)
UNMUTE_PARTICIPANTS       = Endpoint("UnmuteParticipantInSession", "POST", "/room_sessions/{session_id}/actions/unmute", 200, ActionResult, IF_NOT_SENT)

LIST_PARTICIPANTS         = Endpoint("ListRoomParticipants", "GET", "/room_participants", 200, Page[RoomParticipant], IDEMPOTENT)
RETRIEVE_PARTICIPANT      = Endpoint("ViewRoomParticipant", "GET", "/room_participants/{participant_id}", 200, RoomParticipant, IDEMPOTENT)

LIST_RECORDINGS           = Endpoint("ListRoomRecordings", "GET", "/room_recordings", 200, Page[RoomRecording], IDEMPOTENT)
RETRIEVE_RECORDING        = Endpoint("ViewRoomRecording", "GET", "/room_recordings/{recording_id}", 200, RoomRecording, IDEMPOTENT)
DELETE_RECORDING          = Endpoint("DeleteRoomRecording", "DELETE", "/room_recordings/{recording_id}", 204, NoneType, IDEMPOTENT)
DELETE_RECORDINGS         = Endpoint("DeleteRoomRecordings", "DELETE", "/room_recordings", 201, DeletedRecordings, IF_NOT_SENT)

LIST_COMPOSITIONS         = Endpoint("ListRoomCompositions", "GET", "/room_compositions", 200, Page[RoomComposition], IDEMPOTENT)
CREATE_COMPOSITION        = Endpoint("CreateRoomComposition", "POST", "/room_compositions", 202, RoomComposition, IF_NOT_SENT)
RETRIEVE_COMPOSITION      = Endpoint("ViewRoomComposition", "GET", "/room_compositions/{composition_id}", 200, RoomComposition, IDEMPOTENT)
DELETE_COMPOSITION        = Endpoint("DeleteRoomComposition", "DELETE", "/room_compositions/{composition_id}", 204, NoneType, IDEMPOTENT)
# fmt: on

ENDPOINTS: Final[tuple[Endpoint[object], ...]] = tuple(
    cast("Endpoint[object]", value) for value in list(globals().values()) if isinstance(value, Endpoint)
)
"""All operations, in the order above."""

ACCOUNT_KEY = Endpoint("GET /public_key", "GET", "/public_key", 200, AccountKey, IDEMPOTENT)
"""Not an operation of the Video API, so it is not one of `ENDPOINTS`."""
