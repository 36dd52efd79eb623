"""State of an emulated account, and everything that changes it. No HTTP."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Final, TypeAlias
from uuid import uuid4

from telnyx_rooms_async.emulator.media import MediaFile
from telnyx_rooms_async.emulator.models import (
    COMPOSITION_DELAY,
    RECORDING_DELAY,
    CompositionState,
    ParticipantState,
    RecordingState,
    RoomState,
    SessionState,
    WebhookSettings,
)
from telnyx_rooms_async.emulator.serializers import LinkFactory
from telnyx_rooms_async.emulator.table import Equal, Table
from telnyx_rooms_async.emulator.token_issuer import TokenIssuer
from telnyx_rooms_async.emulator.webhooks import event_factory
from telnyx_rooms_async.emulator.webhooks.event_factory import WebhookEvent
from telnyx_rooms_async.emulator.webhooks.outbox import Outbox

Clock: TypeAlias = Callable[[], datetime]

# Small enough to be read at once in a test, and larger for a longer recording.
_MIN_FILE_SIZE: Final = 100_000
_BYTES_PER_SECOND: Final = {"audio": 4_000, "video": 20_000}
_CODECS: Final = {"audio": "opus", "video": "vp8"}
_CONTENT_TYPES: Final = {"audio": "audio/ogg", "video": "video/webm"}


class State:
    """Rooms, sessions, participants, recordings and compositions of one account.

    Sessions, participants and recordings of a deleted room stay.

    Args:
        clock: returns the current time, aware.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.user_id: str = str(uuid4())
        self.organization_id: str = str(uuid4())
        self.outbox: Outbox = Outbox()
        self.tokens: TokenIssuer = TokenIssuer(self.user_id)
        self.rooms: Table[RoomState] = Table(
            unique_name=lambda room: room.unique_name,
            created_on=lambda room: room.created_at.date(),
            updated_on=lambda room: room.updated_at.date(),
        )
        self.sessions: Table[SessionState] = Table(
            room_id=lambda session: session.room_id,
            active=lambda session: session.active,
            created_on=lambda session: session.created_at.date(),
            updated_on=lambda session: session.updated_at.date(),
            ended_on=lambda session: _day(session.ended_at),
        )
        self.participants: Table[ParticipantState] = Table(
            session_id=lambda participant: participant.session_id,
            context=lambda participant: participant.context,
            joined_on=lambda participant: participant.joined_at.date(),
            updated_on=lambda participant: participant.updated_at.date(),
            left_on=lambda participant: _day(participant.left_at),
        )
        self.recordings: Table[RecordingState] = Table(
            room_id=lambda recording: recording.room_id,
            session_id=lambda recording: recording.session_id,
            participant_id=lambda recording: recording.participant_id,
            type=lambda recording: recording.type,
            duration_secs=lambda recording: recording.duration_secs,
            started_on=lambda recording: recording.started_at.date(),
            ended_on=lambda recording: _day(recording.ended_at),
        )
        self.compositions: Table[CompositionState] = Table(
            session_id=lambda composition: composition.session_id,
            created_on=lambda composition: composition.created_at.date(),
        )

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return self._clock().astimezone(UTC)

    # --- rooms --------------------------------------------------------------------------------------------

    def is_name_free(self, name: str, *, except_room_id: str | None = None) -> bool:
        """Return whether no other room has this name."""
        return all(room.id == except_room_id for room in self.rooms.select(unique_name=Equal(name)))

    def create_room(self, fields: dict[str, Any]) -> RoomState:
        """Create a room from validated fields."""
        now = self.now()
        room = RoomState(**fields, created_at=now, updated_at=now)
        self.rooms.add(room)
        return room

    def update_room(self, room: RoomState, fields: dict[str, Any]) -> None:
        """Set validated fields of a room."""
        self.rooms.update(room, **fields, updated_at=self.now())

    def delete_room(self, room: RoomState) -> None:
        """End the active session of a room, and delete the room."""
        if room.active_session is not None:
            self.end_session(
                room.active_session
            )  # first, because its events go to the webhook URL of the room
        self.rooms.remove(room)

    # --- sessions and participants ------------------------------------------------------------------------

    def join(self, room_id: str, context: str) -> ParticipantState:
        """Add a participant to a room, and start a session unless one is active.

        Raises:
            LookupError: there is no such room.
            ValueError: the room is full.
        """
        room = self.rooms.get(room_id)
        if room is None:
            raise LookupError(f"no room has the id {room_id!r}")
        session = room.active_session or self._start_session(room)
        if len(session.present) >= room.max_participants:
            raise ValueError(f"the room is full: max_participants is {room.max_participants}")
        now = self.now()
        self.sessions.update(session, updated_at=now)
        participant = ParticipantState(session_id=session.id, context=context, joined_at=now, updated_at=now)
        session.present[participant.id] = participant
        self.participants.add(participant)
        self.outbox.add(room, now, event_factory.participant_joined(participant, session))
        if room.enable_recording:
            self._start_recordings(participant, room)
        return participant

    def leave(self, participant_id: str) -> None:
        """Remove a participant from its session, and end the session if it was the last one.

        Raises:
            LookupError: no such participant is in a session.
        """
        participant = self.participants.get(participant_id)
        if participant is None or participant.left_at is not None:
            raise LookupError(f"no participant in a session has the id {participant_id!r}")
        session = self.sessions[participant.session_id]
        self._remove(session, [participant], event_factory.LEFT, event_factory.ALL_LEFT)

    def kick(self, session: SessionState, participants: Iterable[ParticipantState]) -> None:
        """Remove participants from an active session, and end it if it is empty then."""
        self._remove(session, participants, event_factory.KICKED, event_factory.ALL_LEFT)

    def end_session(self, session: SessionState) -> None:
        """Remove all participants from an active session, and end it."""
        everyone = list(session.present.values())
        self._remove(session, everyone, event_factory.KICKED, event_factory.ENDED_FROM_API)

    def _start_session(self, room: RoomState) -> SessionState:
        now = self.now()
        session = SessionState(room_id=room.id, created_at=now, updated_at=now)
        room.active_session = session
        self.sessions.add(session)
        self.outbox.add(room, now, event_factory.session_started(session))
        return session

    def _remove(
        self,
        session: SessionState,
        participants: Iterable[ParticipantState],
        left_reason: str,
        ended_reason: str,
    ) -> None:
        now, room = self.now(), self.rooms[session.room_id]
        for participant in participants:
            del session.present[participant.id]
            self.participants.update(participant, left_at=now, updated_at=now)
            self.sessions.update(session, updated_at=now)
            event = event_factory.participant_left(participant, session, now, left_reason)
            self.outbox.add(room, now, event)
            for recording in list(self.recordings.select(participant_id=Equal(participant.id))):
                self._end_recording(recording, now, room)
        if not session.present:
            room.active_session = None
            self.sessions.update(session, ended_at=now)
            self.outbox.add(room, now, event_factory.session_ended(session, now, ended_reason))

    # --- recordings and compositions ----------------------------------------------------------------------

    def create_composition(self, session: SessionState, fields: dict[str, Any]) -> CompositionState:
        """Create a composition of a session from validated fields."""
        now, composition_id = self.now(), str(uuid4())
        seconds = int(((session.ended_at or now) - session.created_at).total_seconds())
        composition = CompositionState(
            **fields,
            id=composition_id,
            user_id=self.user_id,
            room_id=session.room_id,
            created_at=now,
            duration_secs=seconds,
            file=MediaFile(id=composition_id, content_type="video/mp4", size=_size("video", seconds)),
        )
        self.compositions.add(composition)
        completed_at = now + COMPOSITION_DELAY
        self.outbox.add(
            composition, completed_at, partial(self._composition_completed, composition, completed_at)
        )
        return composition

    def file(self, file_id: str) -> MediaFile | None:
        """Return the file of a completed recording or composition, or ``None``."""
        state = self.recordings.get(file_id) or self.compositions.get(file_id)
        return state.file if state and state.completed_at(self.now()) else None

    def webhook_settings(self, payload: Mapping[str, object]) -> WebhookSettings | None:
        """Return the composition or the room that an event payload names."""
        composition = self.compositions.get(str(payload.get("composition_id")))
        return composition or self.rooms.get(str(payload.get("room_id")))

    def _start_recordings(self, participant: ParticipantState, room: RoomState) -> None:
        # Telnyx records audio and video of each participant into separate files.
        for media_type, codec in _CODECS.items():
            recording = RecordingState(
                room_id=room.id,
                session_id=participant.session_id,
                participant_id=participant.id,
                type=media_type,
                codec=codec,
                started_at=participant.joined_at,
            )
            self.recordings.add(recording)
            self.outbox.add(room, participant.joined_at, event_factory.recording_started(recording))

    def _end_recording(self, recording: RecordingState, now: datetime, room: RoomState) -> None:
        self.recordings.update(recording, ended_at=now)
        size = _size(recording.type, recording.duration_secs or 0)
        recording.file = MediaFile(id=recording.id, content_type=_CONTENT_TYPES[recording.type], size=size)
        completed_at = now + RECORDING_DELAY
        self.outbox.add(room, completed_at, partial(self._recording_completed, recording, completed_at))

    def _recording_completed(
        self, recording: RecordingState, completed_at: datetime, link: LinkFactory
    ) -> WebhookEvent | None:
        exists = recording.id in self.recordings
        return event_factory.recording_completed(recording, completed_at, link) if exists else None

    def _composition_completed(
        self, composition: CompositionState, completed_at: datetime, link: LinkFactory
    ) -> WebhookEvent | None:
        exists = composition.id in self.compositions
        return event_factory.composition_completed(composition, completed_at, link) if exists else None


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _size(media_type: str, seconds: int) -> int:
    return _MIN_FILE_SIZE + _BYTES_PER_SECOND[media_type] * seconds
