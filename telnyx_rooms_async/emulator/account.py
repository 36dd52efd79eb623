"""What the emulated Telnyx remembers: rooms, who is in them, and what was recorded of it. No HTTP."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeAlias
from uuid import uuid4

from telnyx_rooms_async.emulator import happenings
from telnyx_rooms_async.emulator.grants import Grants
from telnyx_rooms_async.emulator.media import MediaFile
from telnyx_rooms_async.emulator.outbox import Hook, Outbox
from telnyx_rooms_async.emulator.states import (
    COMPOSITION_TAKES,
    RECORDING_TAKES,
    CompositionState,
    ParticipantState,
    RecordingState,
    RoomState,
    SessionState,
)
from telnyx_rooms_async.emulator.views import Link
from telnyx_rooms_async.emulator.webhooks import WebhookEvent

Clock: TypeAlias = Callable[[], datetime]

# Small enough to be read whole in a test, and longer for a longer session.
_BYTES_AT_LEAST: Final = 100_000
_BYTES_A_SECOND: Final = {"audio": 4_000, "video": 20_000}
_CODECS: Final = {"audio": "opus", "video": "vp8"}
_CONTENT_TYPES: Final = {"audio": "audio/ogg", "video": "video/webm"}


class Account:
    """One customer's rooms, and all that came of them. What a deleted room leaves behind stays."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._names: dict[str, str] = {}
        self.user_id: str = str(uuid4())
        self.organization_id: str = str(uuid4())
        self.outbox: Outbox = Outbox()
        self.grants: Grants = Grants(self.user_id)
        self.rooms: dict[str, RoomState] = {}
        self.sessions: dict[str, SessionState] = {}
        self.participants: dict[str, ParticipantState] = {}
        self.recordings: dict[str, RecordingState] = {}
        self.compositions: dict[str, CompositionState] = {}

    def now(self) -> datetime:
        """Tell the time that everything is stamped with."""
        return self._clock().astimezone(UTC)

    def is_name_free(self, name: str, *, for_room: str | None = None) -> bool:
        """Tell whether no room, other than the one it is for, has this name."""
        return self._names.get(name, for_room) == for_room

    def create_room(self, fields: dict[str, Any]) -> RoomState:
        """Make a room out of checked fields."""
        now = self.now()
        room = RoomState(created_at=now, updated_at=now)
        self.rooms[room.id] = room
        self._change(room, fields)
        return room

    def update_room(self, room: RoomState, fields: dict[str, Any]) -> None:
        """Set checked fields of a room."""
        self._change(room, fields)
        room.updated_at = self.now()

    def delete_room(self, room: RoomState) -> None:
        """Forget a room; its session ends, and its name is free again."""
        if room.active_session is not None:
            self.end(room.active_session)  # while there still is a room to tell of it
        del self.rooms[room.id]
        self._release_name(room)

    def join(self, room_id: str, context: str) -> ParticipantState:
        """Let someone into a room; the first one in opens a session.

        Raises:
            LookupError: there is no such room.
            ValueError: the room is full.
        """
        room = self.rooms.get(room_id)
        if room is None:
            raise LookupError(f"no room has the id {room_id!r}")
        session = room.active_session or self._open(room)
        if sum(1 for _ in session.present) >= room.max_participants:
            raise ValueError(f"the room is full: it takes {room.max_participants}")
        now = session.updated_at = self.now()
        person = ParticipantState(session_id=session.id, context=context, joined_at=now, updated_at=now)
        session.participants.append(person)
        self.participants[person.id] = person
        self.outbox.add(room, now, happenings.participant_joined(person, session))
        if room.enable_recording:
            self._record(person, room)
        return person

    def leave(self, participant_id: str) -> None:
        """Let someone out; the last one out ends the session.

        Raises:
            LookupError: no such participant is in a session.
        """
        person = self.participants.get(participant_id)
        if person is None or person.left_at is not None:
            raise LookupError(f"no participant in a session has the id {participant_id!r}")
        self._send_out(self.sessions[person.session_id], [person], happenings.LEFT)

    def kick(self, session: SessionState, people: Iterable[ParticipantState]) -> None:
        """Send people out of the session that they are in; the last one out ends it."""
        self._send_out(session, people, happenings.KICKED)

    def end(self, session: SessionState) -> None:
        """Send everyone out of an active session."""
        self._send_out(session, session.present, happenings.KICKED, happenings.ENDED_FROM_API)

    def compose(self, session: SessionState, fields: dict[str, Any]) -> CompositionState:
        """Begin a composition out of checked fields."""
        now, new_id = self.now(), str(uuid4())
        seconds = int(((session.ended_at or now) - session.created_at).total_seconds())
        composition = CompositionState(
            **fields,
            id=new_id,
            user_id=self.user_id,
            room_id=session.room_id,
            created_at=now,
            duration_secs=seconds,
            file=MediaFile(id=new_id, content_type="video/mp4", size=_size("video", seconds)),
        )
        self.compositions[new_id] = composition
        done = now + COMPOSITION_TAKES
        self.outbox.add(composition, done, partial(self._tell_composed, composition, done))
        return composition

    def file(self, file_id: str) -> MediaFile | None:
        """Find the file of a completed recording or composition."""
        made = self.recordings.get(file_id) or self.compositions.get(file_id)
        return made.file if made and made.completed_at(self.now()) else None

    def hook_of(self, payload: Mapping[str, object]) -> Hook | None:
        """Find where events about something go: to the composition's own URL, or to the room's."""
        composition = self.compositions.get(str(payload.get("composition_id")))
        return composition or self.rooms.get(str(payload.get("room_id")))

    def _open(self, room: RoomState) -> SessionState:
        now = self.now()
        session = SessionState(room_id=room.id, created_at=now, updated_at=now)
        room.sessions.append(session)
        self.sessions[session.id] = session
        self.outbox.add(room, now, happenings.session_started(session))
        return session

    def _send_out(
        self,
        session: SessionState,
        people: Iterable[ParticipantState],
        left: str,
        ended: str = happenings.ALL_LEFT,
    ) -> None:
        now, room = self.now(), self.rooms[session.room_id]
        for person in people:
            person.left_at = person.updated_at = session.updated_at = now
            self.outbox.add(room, now, happenings.participant_left(person, session, now, left))
            for recording in person.recordings:
                self._stop(recording, now, room)
        if not any(session.present):
            session.ended_at = now
            self.outbox.add(room, now, happenings.session_ended(session, now, ended))

    def _record(self, person: ParticipantState, room: RoomState) -> None:
        # Telnyx records each kind of each participant into a file of its own.
        person.recordings = [
            RecordingState(
                room_id=room.id,
                session_id=person.session_id,
                participant_id=person.id,
                type=kind,
                codec=codec,
                started_at=person.joined_at,
            )
            for kind, codec in _CODECS.items()
        ]
        for recording in person.recordings:
            self.recordings[recording.id] = recording
            self.outbox.add(room, person.joined_at, happenings.recording_started(recording))

    def _stop(self, recording: RecordingState, now: datetime, room: RoomState) -> None:
        recording.ended_at = now
        size = _size(recording.type, recording.duration_secs or 0)
        recording.file = MediaFile(id=recording.id, content_type=_CONTENT_TYPES[recording.type], size=size)
        done = now + RECORDING_TAKES
        self.outbox.add(room, done, partial(self._tell_recorded, recording, done))

    def _tell_recorded(self, recording: RecordingState, done: datetime, link: Link) -> WebhookEvent | None:
        kept = recording.id in self.recordings
        return happenings.recording_completed(recording, done, link) if kept else None

    def _tell_composed(
        self, composition: CompositionState, done: datetime, link: Link
    ) -> WebhookEvent | None:
        kept = composition.id in self.compositions
        return happenings.composition_completed(composition, done, link) if kept else None

    def _release_name(self, room: RoomState) -> None:
        if room.unique_name is not None:
            self._names.pop(room.unique_name, None)

    def _change(self, room: RoomState, fields: dict[str, Any]) -> None:
        self._release_name(room)
        for name, value in fields.items():
            setattr(room, name, value)
        if room.unique_name is not None:
            self._names[room.unique_name] = room.id


def _size(kind: str, seconds: int) -> int:
    return _BYTES_AT_LEAST + _BYTES_A_SECOND[kind] * seconds
