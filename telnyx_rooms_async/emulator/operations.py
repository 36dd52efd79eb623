"""The 25 operations of the API on the state of the emulator. No HTTP."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeAlias

from attrs import field, frozen

from telnyx_rooms_async.emulator.models import (
    CompositionState,
    ParticipantState,
    RecordingState,
    RoomState,
    SessionState,
)
from telnyx_rooms_async.emulator.responses import (
    forbidden,
    not_found,
    unprocessable,
    unprocessable_request,
)
from telnyx_rooms_async.emulator.serializers import (
    JsonObject,
    LinkFactory,
    serialize_composition,
    serialize_page,
    serialize_participant,
    serialize_recording,
    serialize_room,
    serialize_session,
)
from telnyx_rooms_async.emulator.state import State
from telnyx_rooms_async.emulator.table import Condition, Equal, RecordT, Selection, Table
from telnyx_rooms_async.emulator.token_issuer import IssuedToken
from telnyx_rooms_async.emulator.validation import (
    COMPOSITION_FIELDS,
    REFRESH_FIELDS,
    ROOM_FIELDS,
    SESSION_ACTION_FIELDS,
    TOKEN_FIELDS,
    Body,
    Query,
    escape,
    unusable,
)

_DEFAULT_TOKEN_SECONDS, _DEFAULT_REFRESH_TOKEN_SECONDS = 600, 3600
_OK: Final = {"data": {"result": "ok"}}


@frozen(kw_only=True)
class RequestContext:
    """A request to an operation: the ids of its path, its query and its body.

    Each property raises `ApiError`, a 404, if the path names a resource that does not exist.
    """

    state: State
    now: datetime
    path_ids: Mapping[str, str]
    query: Query
    raw_body: bytes = field(repr=False)
    link: LinkFactory = field(repr=False)

    @property
    def room(self) -> RoomState:
        """The room that the path names."""
        return self._get(self.state.rooms, "room_id")

    @property
    def session(self) -> SessionState:
        """The session that the path names."""
        return self._get(self.state.sessions, "room_session_id")

    @property
    def participant(self) -> ParticipantState:
        """The participant that the path names."""
        return self._get(self.state.participants, "room_participant_id")

    @property
    def recording(self) -> RecordingState:
        """The recording that the path names."""
        return self._get(self.state.recordings, "room_recording_id")

    @property
    def composition(self) -> CompositionState:
        """The composition that the path names."""
        return self._get(self.state.compositions, "room_composition_id")

    def _get(self, table: Table[RecordT], name: str) -> RecordT:
        record = table.get(self.path_ids[name])
        if record is None:
            raise not_found()
        return record


Operation: TypeAlias = Callable[[RequestContext], JsonObject | None]
"""Returns the body of a success, ``None`` for no body; raises `ApiError`."""


# --- rooms ------------------------------------------------------------------------------------------------


def _list_rooms(context: RequestContext) -> JsonObject:
    query = context.query
    selection = context.state.rooms.select(
        created_on=query.dates("filter[date_created_at]"),
        updated_on=query.dates("filter[date_updated_at]"),
        unique_name=query.equal("filter[unique_name]"),
    )
    return serialize_page(selection, query, _room_serializer(context))


def _create_room(context: RequestContext) -> JsonObject:
    return {"data": serialize_room(context.state.create_room(_room_fields(context)))}


def _retrieve_room(context: RequestContext) -> JsonObject:
    serialize = _room_serializer(context)
    context.query.raise_if_invalid()
    return {"data": serialize(context.room)}


def _update_room(context: RequestContext) -> JsonObject:
    room = context.room
    context.state.update_room(room, _room_fields(context, room_id=room.id))
    return {"data": serialize_room(room)}


def _delete_room(context: RequestContext) -> None:
    context.state.delete_room(context.room)


def _room_serializer(context: RequestContext) -> Callable[[RoomState], JsonObject]:
    if not context.query.flag("include_sessions"):
        return serialize_room
    sessions = context.state.sessions
    return lambda room: serialize_room(room, sessions.select(room_id=Equal(room.id)))


def _room_fields(context: RequestContext, *, room_id: str | None = None) -> dict[str, Any]:
    body = Body.parse(context.raw_body)
    fields = body.read(ROOM_FIELDS)
    name = fields.get("unique_name")
    if isinstance(name, str) and not context.state.is_name_free(name, except_room_id=room_id):
        body.add_error("unique_name", "10027", "Unprocessable Entity", "has already been taken")
    body.raise_if_invalid()
    return fields


# --- tokens -----------------------------------------------------------------------------------------------


def _create_token(context: RequestContext) -> JsonObject:
    room, tokens = context.room, context.state.tokens
    body = Body.parse(context.raw_body)
    fields = body.read(TOKEN_FIELDS)
    body.raise_if_invalid()
    access_seconds = fields.get("token_ttl_secs", _DEFAULT_TOKEN_SECONDS)
    refresh_seconds = fields.get("refresh_token_ttl_secs", _DEFAULT_REFRESH_TOKEN_SECONDS)
    access = tokens.access_token(room.id, access_seconds, context.now)
    refresh = tokens.refresh_token(room.id, refresh_seconds, context.now)
    return {"data": {**_serialize_token("token", access), **_serialize_token("refresh_token", refresh)}}


def _refresh_token(context: RequestContext) -> JsonObject:
    room, tokens = context.room, context.state.tokens
    body = Body.parse(context.raw_body)
    fields = body.read(REFRESH_FIELDS, required=["refresh_token"])
    body.raise_if_invalid()
    if not tokens.is_valid_refresh_token(fields["refresh_token"], room.id, context.now):
        raise forbidden()
    seconds = fields.get("token_ttl_secs", _DEFAULT_TOKEN_SECONDS)
    return {"data": _serialize_token("token", tokens.access_token(room.id, seconds, context.now))}


def _serialize_token(name: str, issued: IssuedToken) -> JsonObject:
    return {name: issued.token, f"{name}_expires_at": issued.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")}


# --- sessions ---------------------------------------------------------------------------------------------


def _list_sessions_of_room(context: RequestContext) -> JsonObject:
    return _sessions_page(context, Equal(context.room.id))


def _list_sessions(context: RequestContext) -> JsonObject:
    return _sessions_page(context, context.query.equal("filter[room_id]"))


def _sessions_page(context: RequestContext, room_id: Condition | None) -> JsonObject:
    query = context.query
    active = query.flag("filter[active]")
    selection = context.state.sessions.select(
        room_id=room_id,
        active=None if active is None else Equal(active),
        created_on=query.dates("filter[date_created_at]"),
        updated_on=query.dates("filter[date_updated_at]"),
        ended_on=query.dates("filter[date_ended_at]"),
    )
    return serialize_page(selection, query, _session_serializer(context))


def _retrieve_session(context: RequestContext) -> JsonObject:
    serialize = _session_serializer(context)
    context.query.raise_if_invalid()
    return {"data": serialize(context.session)}


def _end_session(context: RequestContext) -> JsonObject:
    context.state.end_session(_active_session(context))
    return _OK


def _kick_participants(context: RequestContext) -> JsonObject:
    context.state.kick(context.session, _chosen_participants(context))
    return _OK


def _mute_participants(context: RequestContext) -> JsonObject:
    for participant in _chosen_participants(context):
        participant.muted = True
    return _OK


def _unmute_participants(context: RequestContext) -> JsonObject:
    for participant in _chosen_participants(context):
        participant.muted = False
    return _OK


def _session_serializer(context: RequestContext) -> Callable[[SessionState], JsonObject]:
    if not context.query.flag("include_participants"):
        return serialize_session
    participants = context.state.participants
    return lambda session: serialize_session(session, participants.select(session_id=Equal(session.id)))


def _chosen_participants(context: RequestContext) -> list[ParticipantState]:
    """Return the present participants that an action names.

    Ids of absent participants are ignored, because participants leave between a listing and an action.
    Without ``participants`` the action is refused: Telnyx does not document what that means.
    """
    session, body = context.session, Body.parse(context.raw_body)
    fields = body.read(SESSION_ACTION_FIELDS, required=["participants"])
    body.raise_if_invalid()
    chosen, excluded = fields["participants"], set(fields.get("exclude", []))
    _active_session(context)
    included = session.present.keys() if chosen == "all" else set(chosen)
    return [
        participant
        for participant_id, participant in session.present.items()
        if participant_id in included and participant_id not in excluded
    ]


def _active_session(context: RequestContext) -> SessionState:
    session = context.session
    if not session.active:
        # Seen in production for the end of an ended session; assumed for the other actions.
        raise unprocessable_request("No private_ip for room")
    return session


# --- participants -----------------------------------------------------------------------------------------


def _list_participants_of_session(context: RequestContext) -> JsonObject:
    return _participants_page(context, Equal(context.session.id))


def _list_participants(context: RequestContext) -> JsonObject:
    return _participants_page(context, context.query.equal("filter[session_id]"))


def _participants_page(context: RequestContext, session_id: Condition | None) -> JsonObject:
    query = context.query
    selection = context.state.participants.select(
        session_id=session_id,
        context=query.equal("filter[context]"),
        joined_on=query.dates("filter[date_joined_at]"),
        updated_on=query.dates("filter[date_updated_at]"),
        left_on=query.dates("filter[date_left_at]"),
    )
    return serialize_page(selection, query, serialize_participant)


def _retrieve_participant(context: RequestContext) -> JsonObject:
    return {"data": serialize_participant(context.participant)}


# --- recordings -------------------------------------------------------------------------------------------


def _list_recordings(context: RequestContext) -> JsonObject:
    serialize = partial(serialize_recording, now=context.now, link=context.link)
    return serialize_page(_select_recordings(context), context.query, serialize)


def _retrieve_recording(context: RequestContext) -> JsonObject:
    return {"data": serialize_recording(context.recording, context.now, context.link)}


def _delete_recording(context: RequestContext) -> None:
    context.state.recordings.remove(context.recording)


def _delete_recordings(context: RequestContext) -> JsonObject:
    # Telnyx accepts page parameters here and does not document them: all that match are deleted.
    recordings = list(_select_recordings(context))
    context.query.raise_if_invalid()
    if not context.query.has_filter:
        # What Telnyx deletes then is not documented: nothing, a page or everything.
        raise unprocessable_request("at least one filter is required")
    for recording in recordings:
        context.state.recordings.remove(recording)
    return {"data": {"room_recordings": len(recordings)}}


def _select_recordings(context: RequestContext) -> Selection[RecordingState]:
    query, now = context.query, context.now
    predicates: list[Callable[[RecordingState], bool]] = []
    status, duration = query.text("filter[status]"), query.durations("filter[duration_secs]")
    if status is not None:
        predicates.append(lambda recording: recording.status(now) == status)
    if duration is not None:
        predicates.append(lambda recording: recording.is_completed(now))
    return context.state.recordings.select(
        *predicates,
        room_id=query.equal("filter[room_id]"),
        session_id=query.equal("filter[session_id]"),
        participant_id=query.equal("filter[participant_id]"),
        type=query.equal("filter[type]"),
        duration_secs=duration,
        started_on=query.dates("filter[date_started_at]"),
        ended_on=query.dates("filter[date_ended_at]"),
    )


# --- compositions -----------------------------------------------------------------------------------------


def _list_compositions(context: RequestContext) -> JsonObject:
    query, now = context.query, context.now
    status = query.choice("filter[status]", "completed", "processing", "enqueued")
    predicates: list[Callable[[CompositionState], bool]] = []
    if status is not None:
        predicates.append(lambda composition: composition.status(now) == status)
    selection = context.state.compositions.select(
        *predicates,
        session_id=query.equal("filter[session_id]"),
        created_on=query.dates("filter[date_created_at]"),
    )
    return serialize_page(selection, query, partial(serialize_composition, now=now, link=context.link))


def _create_composition(context: RequestContext) -> JsonObject:
    body = Body.parse(context.raw_body)
    # The API reference requires no field, but a composition needs the recordings of a session.
    fields = body.read(COMPOSITION_FIELDS, required=["session_id"])
    body.raise_if_invalid()
    session = context.state.sessions.get(fields["session_id"])
    if session is None:
        raise unprocessable([unusable("/session_id", "is not the id of a session")])
    sources = _video_sources(context, session)
    if not sources:
        raise unprocessable_request("The session has no video recording")
    layout: Mapping[str, Mapping[str, Any]] = fields.get("video_layout", {})
    errors = [
        unusable(f"/video_layout/{escape(name)}/video_sources", "must be video recordings of the session")
        for name, region in layout.items()
        if not sources.issuperset(region.get("video_sources", []))
    ]
    if errors:
        raise unprocessable(errors)
    composition = context.state.create_composition(session, fields)
    return {"data": serialize_composition(composition, context.now, context.link)}


def _retrieve_composition(context: RequestContext) -> JsonObject:
    return {"data": serialize_composition(context.composition, context.now, context.link)}


def _delete_composition(context: RequestContext) -> None:
    context.state.compositions.remove(context.composition)


def _video_sources(context: RequestContext, session: SessionState) -> set[str]:
    """Return what a region can show: the video recordings of a session and ``"*"``, or nothing."""
    videos = context.state.recordings.select(session_id=Equal(session.id), type=Equal("video"))
    return {"*", *(recording.id for recording in videos)} if len(videos) else set()


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
    "MuteParticipantInSession": _mute_participants,
    "UnmuteParticipantInSession": _unmute_participants,
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
