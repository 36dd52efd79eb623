"""The 25 operations of the API on the state of the emulator. No HTTP."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeAlias

from attrs import field, frozen

from telnyx_rooms_async.emulator import models, validation
from telnyx_rooms_async.emulator.media import LinkFactory
from telnyx_rooms_async.emulator.messages import JsonObject, api_error, forbidden, not_found, unprocessable
from telnyx_rooms_async.emulator.state import State
from telnyx_rooms_async.emulator.table import Equal, RecordT, Selection, Table
from telnyx_rooms_async.emulator.validation import Check, Query, read_body

_DEFAULT_TOKEN_SECONDS, _DEFAULT_REFRESH_TOKEN_SECONDS = 600, 3600
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
_Test: TypeAlias = tuple[str, Callable[[Any], bool]]
_OK: Final = {"data": {"result": "ok"}}


@frozen(kw_only=True)
class RequestContext:
    """A request to an operation."""

    state: State
    now: datetime
    path_id: str
    """The id in the path; empty if it has none."""
    query: Query
    body: bytes = field(repr=False)
    link: LinkFactory = field(repr=False)

    def find(self, table: Table[RecordT]) -> RecordT:
        """Return the record that the path names; raise `ApiError`, a 404, if there is none."""
        record = table.get(self.path_id)
        if record is None:
            raise not_found()
        return record

    def select(self, table: Table[RecordT], *tests: _Test, **fixed: Equal) -> Selection[RecordT]:
        """Return the records that fulfil the filters of the query, the tests, and fixed conditions.

        The filters have the names of the indexes.
        """
        filters = {name: self.query.condition(name) for name in table.indexes if name not in fixed}
        return table.select(*tests, **filters, **fixed)

    def has_passed(self, moment: datetime | None) -> bool:
        """Return whether a time has come."""
        return moment is not None and moment <= self.now

    def is_ahead(self, moment: datetime | None) -> bool:
        """Return whether a time has not come, or is not known."""
        return not self.has_passed(moment)

    def page(self, selection: Selection[RecordT], serialize: Callable[[RecordT], JsonObject]) -> JsonObject:
        """Return a page of a selection; raise `ApiError`, a 422, if a parameter of the query is not valid."""
        number = self.query.number("page[number]", default=1, high=2**53)
        size = self.query.number("page[size]", default=20, high=250)
        self.query.raise_if_invalid()
        meta = {
            "page_number": number,
            "page_size": size,
            "total_pages": -(-len(selection) // size),
            "total_results": len(selection),
        }
        records = selection.page((number - 1) * size, size)
        return {"data": [serialize(record) for record in records], "meta": meta}


Operation: TypeAlias = Callable[[RequestContext], JsonObject | None]
"""Returns the body of a success, ``None`` for no body; raises `ApiError`."""


# --- rooms ------------------------------------------------------------------------------------------------


def _list_rooms(context: RequestContext) -> JsonObject:
    serialize = _room_serializer(context)
    return context.page(context.select(context.state.rooms), serialize)


def _create_room(context: RequestContext) -> JsonObject:
    return {"data": context.state.create_room(_room_settings(context)).serialize()}


def _retrieve_room(context: RequestContext) -> JsonObject:
    serialize = _room_serializer(context)
    context.query.raise_if_invalid()
    return {"data": serialize(context.find(context.state.rooms))}


def _update_room(context: RequestContext) -> JsonObject:
    room = context.find(context.state.rooms)
    updated = context.state.rooms.update(room.id, **_room_settings(context), updated_at=context.now)
    return {"data": updated.serialize()}


def _delete_room(context: RequestContext) -> None:
    context.state.delete_room(context.find(context.state.rooms))


def _room_serializer(context: RequestContext) -> Callable[[models.RoomState], JsonObject]:
    if not context.query.flag("include_sessions"):
        return models.RoomState.serialize
    sessions = context.state.sessions
    return lambda room: room.serialize(sessions.select(room_id=Equal(room.id)))


def _room_settings(context: RequestContext) -> dict[str, Any]:
    def check_name(settings: Mapping[str, Any]) -> Iterator[JsonObject]:
        name = settings.get("unique_name")
        rooms = context.state.rooms.select(unique_name=Equal(name)) if isinstance(name, str) else ()
        if any(room.id != context.path_id for room in rooms):
            yield validation.unusable("/unique_name", "has already been taken")

    return read_body(context.body, models.ROOM_CHECKS, more_checks=check_name)


# --- tokens -----------------------------------------------------------------------------------------------


def _create_token(context: RequestContext) -> JsonObject:
    room = context.find(context.state.rooms)
    body = read_body(context.body, _TOKEN_CHECKS)
    access_seconds = body.get("token_ttl_secs", _DEFAULT_TOKEN_SECONDS)
    refresh_seconds = body.get("refresh_token_ttl_secs", _DEFAULT_REFRESH_TOKEN_SECONDS)
    issue = context.state.tokens.issue
    token, token_expires_at = issue("access", room.id, access_seconds, context.now)
    refresh_token, refresh_token_expires_at = issue("refresh", room.id, refresh_seconds, context.now)
    return {
        "data": {
            "token": token,
            "token_expires_at": token_expires_at,
            "refresh_token": refresh_token,
            "refresh_token_expires_at": refresh_token_expires_at,
        }
    }


def _refresh_token(context: RequestContext) -> JsonObject:
    room, tokens = context.find(context.state.rooms), context.state.tokens
    body = read_body(context.body, _REFRESH_CHECKS, required=["refresh_token"])
    if not tokens.is_valid_refresh_token(body["refresh_token"], room.id, context.now):
        raise forbidden()
    seconds = body.get("token_ttl_secs", _DEFAULT_TOKEN_SECONDS)
    token, expires_at = tokens.issue("access", room.id, seconds, context.now)
    return {"data": {"token": token, "token_expires_at": expires_at}}


# --- sessions ---------------------------------------------------------------------------------------------


def _list_sessions_of_room(context: RequestContext) -> JsonObject:
    room_id = Equal(context.find(context.state.rooms).id)
    serialize = _session_serializer(context)
    return context.page(context.select(context.state.sessions, room_id=room_id), serialize)


def _list_sessions(context: RequestContext) -> JsonObject:
    serialize = _session_serializer(context)
    return context.page(context.select(context.state.sessions), serialize)


def _retrieve_session(context: RequestContext) -> JsonObject:
    serialize = _session_serializer(context)
    context.query.raise_if_invalid()
    return {"data": serialize(context.find(context.state.sessions))}


def _session_serializer(context: RequestContext) -> Callable[[models.SessionState], JsonObject]:
    if not context.query.flag("include_participants"):
        return models.SessionState.serialize
    participants = context.state.participants
    return lambda session: session.serialize(participants.select(session_id=Equal(session.id)))


def _end_session(context: RequestContext) -> JsonObject:
    session = context.find(context.state.sessions)
    _require_active(session)
    context.state.end_session(session)
    return _OK


def _kick_participants(context: RequestContext) -> JsonObject:
    session = context.find(context.state.sessions)
    context.state.remove(session, _chosen_participants(context, session))
    return _OK


def _mute_participants(context: RequestContext, *, muted: bool) -> JsonObject:
    session = context.find(context.state.sessions)
    for participant_id in _chosen_participants(context, session):
        context.state.participants.update(participant_id, muted=muted)
    return _OK


def _chosen_participants(context: RequestContext, session: models.SessionState) -> list[str]:
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


def _require_active(session: models.SessionState) -> None:
    if not session.active:
        # Seen in production for the end of an ended session; assumed for the other actions.
        raise api_error(422, "No private_ip for room")


# --- participants -----------------------------------------------------------------------------------------


def _list_participants_of_session(context: RequestContext) -> JsonObject:
    session_id = Equal(context.find(context.state.sessions).id)
    selection = context.select(context.state.participants, session_id=session_id)
    return context.page(selection, models.ParticipantState.serialize)


def _list_participants(context: RequestContext) -> JsonObject:
    return context.page(context.select(context.state.participants), models.ParticipantState.serialize)


def _retrieve_participant(context: RequestContext) -> JsonObject:
    return {"data": context.find(context.state.participants).serialize()}


# --- recordings -------------------------------------------------------------------------------------------


def _list_recordings(context: RequestContext) -> JsonObject:
    selection = _select_recordings(context)
    return context.page(selection, lambda recording: recording.serialize(context.now, context.link))


def _retrieve_recording(context: RequestContext) -> JsonObject:
    return {"data": context.find(context.state.recordings).serialize(context.now, context.link)}


def _delete_recording(context: RequestContext) -> None:
    context.state.recordings.remove(context.find(context.state.recordings).id)


def _delete_recordings(context: RequestContext) -> JsonObject:
    # Telnyx accepts page parameters here and does not document them: all that match are deleted.
    recordings = list(_select_recordings(context))
    context.query.raise_if_invalid()
    if not context.query.has_filter:
        # What Telnyx deletes then is not documented: nothing, a page or everything.
        raise api_error(422, "at least one filter is required")
    for recording in recordings:
        context.state.recordings.remove(recording.id)
    return {"data": {"room_recordings": len(recordings)}}


def _select_recordings(context: RequestContext) -> Selection[models.RecordingState]:
    tests: list[_Test] = []
    status = context.query.text("filter[status]")
    if status == "completed":
        tests.append(("completes_at", context.has_passed))
    elif status == "processing":
        tests.append(("completes_at", context.is_ahead))
    elif status is not None:
        tests.append(("id", lambda _: False))
    if context.query.condition("duration_secs") is not None:
        tests.append(("completes_at", context.has_passed))
    return context.select(context.state.recordings, *tests)


# --- compositions -----------------------------------------------------------------------------------------


def _list_compositions(context: RequestContext) -> JsonObject:
    tests_of_status: dict[str, list[_Test]] = {
        "completed": [("completes_at", context.has_passed)],
        "processing": [("starts_at", context.has_passed), ("completes_at", context.is_ahead)],
        "enqueued": [("starts_at", context.is_ahead)],
    }
    status = context.query.choice("filter[status]", *tests_of_status)
    selection = context.select(context.state.compositions, *tests_of_status.get(status or "", []))
    return context.page(selection, lambda composition: composition.serialize(context.now, context.link))


def _create_composition(context: RequestContext) -> JsonObject:
    # The API reference requires no field, but a composition needs the recordings of a session.
    settings = read_body(context.body, models.COMPOSITION_CHECKS, required=["session_id"])
    session = context.state.sessions.get(settings["session_id"])
    if session is None:
        raise unprocessable([validation.unusable("/session_id", "is not the id of a session")])
    videos = context.state.recordings.select(session_id=Equal(session.id), type=Equal("video"))
    if not videos:
        raise api_error(422, "The session has no video recording")
    sources = {"*", *(recording.id for recording in videos)}
    layout: Mapping[str, Mapping[str, Any]] = settings.get("video_layout", {})
    errors = [
        validation.unusable(
            f"/video_layout/{validation.escape(name)}/video_sources",
            "must be video recordings of the session",
        )
        for name, region in layout.items()
        if not sources.issuperset(region.get("video_sources", []))
    ]
    if errors:
        raise unprocessable(errors)
    composition = context.state.create_composition(session, settings)
    return {"data": composition.serialize(context.now, context.link)}


def _retrieve_composition(context: RequestContext) -> JsonObject:
    return {"data": context.find(context.state.compositions).serialize(context.now, context.link)}


def _delete_composition(context: RequestContext) -> None:
    context.state.compositions.remove(context.find(context.state.compositions).id)


OPERATIONS: Final[Mapping[str, Operation]] = {
    "ListRooms": _list_rooms,
    "CreateRoom": _create_room,
    "ViewRoom": _retrieve_room,
    "UpdateRoom": _update_room,
    "DeleteRoom": _delete_room,
    "RetrieveListRoomSessions": _list_sessions_of_room,
    "CreateRoomClientToken": _create_token,
    "RefreshRoomClientToken": _refresh_token,
    "ListRoomSessions": _list_sessions,
    "ViewRoomSession": _retrieve_session,
    "RetrieveListRoomParticipants": _list_participants_of_session,
    "EndSession": _end_session,
    "KickParticipantInSession": _kick_participants,
    "MuteParticipantInSession": partial(_mute_participants, muted=True),
    "UnmuteParticipantInSession": partial(_mute_participants, muted=False),
    "ListRoomParticipants": _list_participants,
    "ViewRoomParticipant": _retrieve_participant,
    "ListRoomRecordings": _list_recordings,
    "ViewRoomRecording": _retrieve_recording,
    "DeleteRoomRecording": _delete_recording,
    "DeleteRoomRecordings": _delete_recordings,
    "ListRoomCompositions": _list_compositions,
    "CreateRoomComposition": _create_composition,
    "ViewRoomComposition": _retrieve_composition,
    "DeleteRoomComposition": _delete_composition,
}
"""By operation id, in the order of the API reference."""
