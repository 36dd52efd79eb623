"""The 25 operations of the API on the state of the emulator. No HTTP."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeAlias

from attrs import field, frozen

from telnyx_rooms_async.emulator import validation
from telnyx_rooms_async.emulator.media import LinkFactory
from telnyx_rooms_async.emulator.messages import JsonObject, api_error, forbidden, not_found, unprocessable
from telnyx_rooms_async.emulator.models import (
    COMPOSITION_CHECKS,
    COMPOSITION_STATUSES,
    ROOM_CHECKS,
    ApiRecord,
    CompositionState,
    RecordingState,
    RoomState,
    SessionState,
)
from telnyx_rooms_async.emulator.state import State
from telnyx_rooms_async.emulator.table import Equal, Table
from telnyx_rooms_async.emulator.validation import Check, Query, read_body

_TOKEN_SECONDS, _REFRESH_TOKEN_SECONDS = 600, 3600
"""Lifetimes by default."""
_TOKEN_CHECKS: Final[Mapping[str, Check]] = {
    "token_ttl_secs": validation.integer(10, 3600),
    "refresh_token_ttl_secs": validation.integer(60, 86400),
}
_REFRESH_CHECKS: Final[Mapping[str, Check]] = {
    "refresh_token": validation.text,
    "token_ttl_secs": validation.integer(10, 3600),
}
_SESSION_ACTION_CHECKS: Final[Mapping[str, Check]] = {
    "participants": validation.participant_ids,
    "exclude": validation.list_of(validation.uuid),
}
_StatusTest: TypeAlias = Callable[[RecordingState | CompositionState], bool]
_OK: Final = {"data": {"result": "ok"}}


@frozen(kw_only=True)
class RequestContext:
    """A request to an operation."""

    state: State
    now: datetime
    path_ids: Mapping[str, str]
    """The id in the path by its name, if there is one. Records that are listed below it have that field."""
    query: Query
    body: bytes = field(repr=False)
    link: LinkFactory = field(repr=False)

    @property
    def table(self) -> Table[Any]:
        """The table of the record that the path names."""
        return self.state.tables[next(iter(self.path_ids))]

    @property
    def record(self) -> Any:  # noqa: ANN401 - its type follows from the path
        """The record that the path names; raises `ApiError`, a 404, if there is none."""
        record = self.table.get(next(iter(self.path_ids.values())))
        if record is None:
            raise not_found()
        return record

    def select(self, table: Table[Any], *tests: Callable[[Any], bool]) -> list[Any]:
        """Return the records that fulfil the filters of the query and the tests, below the path's record."""
        conditions = {name: self.query.condition(name) for name in table.indexes}
        conditions |= {name: Equal(self.record.id) for name in self.path_ids}
        return table.select(*tests, **conditions)

    def page(self, table: Table[Any], *tests: Callable[[Any], bool]) -> JsonObject:
        """Return a page of a selection; raise `ApiError`, a 422, if a parameter of the query is not valid."""
        serialize, selection = self.serializer(table.record_type), self.select(table, *tests)
        number, size = self.query.page()
        self.query.raise_if_invalid()
        meta = {
            "page_number": number,
            "page_size": size,
            "total_pages": -(-len(selection) // size),
            "total_results": len(selection),
        }
        records = selection[(number - 1) * size : number * size]
        return {"data": [serialize(record) for record in records], "meta": meta}

    def serializer(self, record_type: type[ApiRecord]) -> Callable[[ApiRecord], JsonObject]:
        """Return a function that returns a record as JSON, with what the query includes."""
        include_sessions = record_type is RoomState and self.query.flag("include_sessions")
        include_participants = record_type is SessionState and self.query.flag("include_participants")

        def serialize(record: ApiRecord) -> JsonObject:
            json = record.serialize_at(self.now, self.link)
            if include_sessions:
                sessions = self.state.sessions.select(room_id=Equal(record.id))
                json["sessions"] = [session.serialize() for session in sessions]
            if include_participants:
                participants = self.state.participants.select(session_id=Equal(record.id))
                json["participants"] = [participant.serialize() for participant in participants]
            return json

        return serialize

    def status_tests(self, status: str | None) -> list[_StatusTest]:
        """Return the test that a file has a status now, and no test for ``None``."""
        return [] if status is None else [lambda file: file.status_at(self.now) == status]


Operation: TypeAlias = Callable[[RequestContext], JsonObject | None]
"""Returns the body of a success, ``None`` for no body; raises `ApiError`."""


def _retrieve(context: RequestContext) -> JsonObject:
    serialize = context.serializer(context.table.record_type)
    context.query.raise_if_invalid()
    return {"data": serialize(context.record)}


# --- rooms ------------------------------------------------------------------------------------------------


def _update_room(context: RequestContext) -> JsonObject:
    room: RoomState = context.record
    settings = _room_settings(context.state, context.body, room.id)
    updated = context.state.rooms.update(room.id, **settings, updated_at=context.now)
    return {"data": updated.serialize()}


def create_room(state: State, body: bytes) -> RoomState:
    """Create a room from a JSON body; raise `ApiError` if a field is not valid or the name is taken."""
    return state.create_room(_room_settings(state, body))


def _room_settings(state: State, body: bytes, room_id: str | None = None) -> dict[str, Any]:
    def check_name(settings: Mapping[str, Any]) -> Iterator[JsonObject]:
        name = settings.get("unique_name")
        rooms = state.rooms.select(unique_name=Equal(name)) if isinstance(name, str) else ()
        if any(room.id != room_id for room in rooms):
            yield validation.unusable("/unique_name", "has already been taken")

    return read_body(body, ROOM_CHECKS, more_checks=check_name)


# --- tokens -----------------------------------------------------------------------------------------------


def _create_token(context: RequestContext) -> JsonObject:
    room: RoomState = context.record
    body = read_body(context.body, _TOKEN_CHECKS)
    issue = partial(context.state.tokens.issue, room_id=room.id, now=context.now)
    token, expires_at = issue("access", seconds=body.get("token_ttl_secs", _TOKEN_SECONDS))
    refresh_seconds = body.get("refresh_token_ttl_secs", _REFRESH_TOKEN_SECONDS)
    refresh_token, refresh_expires_at = issue("refresh", seconds=refresh_seconds)
    return {
        "data": {
            "token": token,
            "token_expires_at": expires_at,
            "refresh_token": refresh_token,
            "refresh_token_expires_at": refresh_expires_at,
        }
    }


def _refresh_token(context: RequestContext) -> JsonObject:
    room: RoomState = context.record
    body = read_body(context.body, _REFRESH_CHECKS, required=["refresh_token"])
    if not context.state.tokens.is_refresh_token(body["refresh_token"], room.id, context.now):
        raise forbidden()
    seconds = body.get("token_ttl_secs", _TOKEN_SECONDS)
    token, expires_at = context.state.tokens.issue("access", room.id, context.now, seconds)
    return {"data": {"token": token, "token_expires_at": expires_at}}


# --- sessions ---------------------------------------------------------------------------------------------


def _end_session(context: RequestContext) -> JsonObject:
    session: SessionState = context.record
    _require_active(session)
    context.state.end_session(session)
    return _OK


def _kick_participants(context: RequestContext) -> JsonObject:
    session: SessionState = context.record
    context.state.remove(session, _chosen_participants(context, session))
    return _OK


def _mute_participants(context: RequestContext, *, muted: bool) -> JsonObject:
    session: SessionState = context.record
    for participant_id in _chosen_participants(context, session):
        context.state.participants.update(participant_id, muted=muted)
    return _OK


def _chosen_participants(context: RequestContext, session: SessionState) -> list[str]:
    """Return the ids of the present participants that an action names.

    Ids of absent participants are ignored, because participants leave between a listing and an action.
    Without ``participants`` the action is refused: Telnyx does not document what that means.
    """
    body = read_body(context.body, _SESSION_ACTION_CHECKS, required=["participants"])
    chosen, excluded = body["participants"], body.get("exclude", [])
    _require_active(session)
    return [
        participant_id
        for participant_id in session.present
        if (chosen == "all" or participant_id in chosen) and participant_id not in excluded
    ]


def _require_active(session: SessionState) -> None:
    # Seen in production for the end of an ended session; assumed for the other actions.
    if not session.active:
        raise api_error(422, "No private_ip for room")


# --- recordings -------------------------------------------------------------------------------------------


def _delete_recordings(context: RequestContext) -> JsonObject:
    recordings = context.select(context.state.recordings, *_recording_tests(context))
    # Telnyx accepts page parameters here and does not document them: all that match are deleted.
    context.query.page()
    context.query.raise_if_invalid()
    if not context.query.has_filter:
        # What Telnyx deletes then is not documented: nothing, a page or everything.
        raise api_error(422, "at least one filter is required")
    for recording in recordings:
        context.state.recordings.remove(recording.id)
    return {"data": {"room_recordings": len(recordings)}}


def _recording_tests(context: RequestContext) -> list[_StatusTest]:
    tests = context.status_tests(context.query.text("filter[status]"))
    if context.query.condition("duration_secs") is not None:  # has no value before the completion
        tests += context.status_tests("completed")
    return tests


# --- compositions -----------------------------------------------------------------------------------------


def _list_compositions(context: RequestContext) -> JsonObject:
    status = context.query.choice("filter[status]", *COMPOSITION_STATUSES)
    return context.page(context.state.compositions, *context.status_tests(status))


def _create_composition(context: RequestContext) -> JsonObject:
    # The API reference requires no field, but a composition needs the recordings of a session.
    settings = read_body(context.body, COMPOSITION_CHECKS, required=["session_id"])
    session = context.state.sessions.get(settings.pop("session_id"))
    if session is None:
        raise unprocessable([validation.unusable("/session_id", "is not the id of a session")])
    videos = context.state.recordings.select(session_id=Equal(session.id), type=Equal("video"))
    if not videos:
        raise api_error(422, "The session has no video recording")
    sources = {"*", *(recording.id for recording in videos)}
    layout: Mapping[str, Mapping[str, Any]] = settings.get("video_layout", {})
    wrong = [
        name for name, region in layout.items() if not sources.issuperset(region.get("video_sources", []))
    ]
    if wrong:
        pointers = (f"/video_layout/{validation.escape(name)}/video_sources" for name in wrong)
        detail = "must be video recordings of the session"
        raise unprocessable(validation.unusable(pointer, detail) for pointer in pointers)
    composition = context.state.create_composition(session, settings)
    return {"data": composition.serialize_at(context.now, context.link)}


OPERATIONS: Final[Mapping[str, Operation]] = {
    "ListRooms": lambda context: context.page(context.state.rooms),
    "CreateRoom": lambda context: {"data": create_room(context.state, context.body).serialize()},
    "ViewRoom": _retrieve,
    "UpdateRoom": _update_room,
    "DeleteRoom": lambda context: context.state.delete_room(context.record),
    "RetrieveListRoomSessions": lambda context: context.page(context.state.sessions),
    "CreateRoomClientToken": _create_token,
    "RefreshRoomClientToken": _refresh_token,
    "ListRoomSessions": lambda context: context.page(context.state.sessions),
    "ViewRoomSession": _retrieve,
    "RetrieveListRoomParticipants": lambda context: context.page(context.state.participants),
    "EndSession": _end_session,
    "KickParticipantInSession": _kick_participants,
    "MuteParticipantInSession": partial(_mute_participants, muted=True),
    "UnmuteParticipantInSession": partial(_mute_participants, muted=False),
    "ListRoomParticipants": lambda context: context.page(context.state.participants),
    "ViewRoomParticipant": _retrieve,
    "ListRoomRecordings": lambda context: context.page(context.state.recordings, *_recording_tests(context)),
    "ViewRoomRecording": _retrieve,
    "DeleteRoomRecording": lambda context: context.table.remove(context.record.id),
    "DeleteRoomRecordings": _delete_recordings,
    "ListRoomCompositions": _list_compositions,
    "CreateRoomComposition": _create_composition,
    "ViewRoomComposition": _retrieve,
    "DeleteRoomComposition": lambda context: context.table.remove(context.record.id),
}
"""By operation id, in the order of the API reference."""
