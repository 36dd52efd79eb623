"""State of an emulated account, and everything that changes it. No HTTP."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any, Final, TypeAlias
from uuid import uuid4

from telnyx_rooms_async.emulator import models
from telnyx_rooms_async.emulator.events import EventType, Outbox, OutboxEntry, WebhookEvent
from telnyx_rooms_async.emulator.media import LinkFactory, MediaFile
from telnyx_rooms_async.emulator.table import Equal, Table
from telnyx_rooms_async.emulator.tokens import TokenIssuer

Clock: TypeAlias = Callable[[], datetime]

# Small enough to be read at once in a test, and larger for a longer recording.
_MIN_FILE_SIZE: Final = 100_000
_BYTES_PER_SECOND: Final = {"audio": 4_000, "video": 20_000}
_CODECS: Final = {"audio": "opus", "video": "vp8"}
_CONTENT_TYPES: Final = {"audio": "audio/ogg", "video": "video/webm"}


class State:
    """Rooms, sessions, participants, recordings and compositions of one account.

    Sessions, participants and recordings of a deleted room stay. The indexes have the names of filters.

    Args:
        clock: returns the current time, aware.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.user_id: str = str(uuid4())
        self.organization_id: str = str(uuid4())
        self.outbox: Outbox = Outbox()
        self.tokens: TokenIssuer = TokenIssuer(self.user_id)
        self.rooms: Table[models.RoomState] = Table(
            unique_name=lambda room: room.unique_name,
            date_created_at=lambda room: room.created_at.date(),
            date_updated_at=lambda room: room.updated_at.date(),
        )
        self.sessions: Table[models.SessionState] = Table(
            room_id=lambda session: session.room_id,
            active=lambda session: session.active,
            date_created_at=lambda session: session.created_at.date(),
            date_updated_at=lambda session: session.updated_at.date(),
            date_ended_at=lambda session: _day(session.ended_at),
        )
        self.participants: Table[models.ParticipantState] = Table(
            session_id=lambda participant: participant.session_id,
            context=lambda participant: participant.context,
            date_joined_at=lambda participant: participant.joined_at.date(),
            date_updated_at=lambda participant: participant.updated_at.date(),
            date_left_at=lambda participant: _day(participant.left_at),
        )
        self.recordings: Table[models.RecordingState] = Table(
            room_id=lambda recording: recording.room_id,
            session_id=lambda recording: recording.session_id,
            participant_id=lambda recording: recording.participant_id,
            type=lambda recording: recording.type,
            duration_secs=lambda recording: recording.duration_secs,
            date_started_at=lambda recording: recording.started_at.date(),
            date_ended_at=lambda recording: _day(recording.ended_at),
        )
        self.compositions: Table[models.CompositionState] = Table(
            session_id=lambda composition: composition.session_id,
            date_created_at=lambda composition: composition.created_at.date(),
        )

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return self._clock().astimezone(UTC)

    # --- rooms --------------------------------------------------------------------------------------------

    def create_room(self, settings: dict[str, Any]) -> models.RoomState:
        """Create a room with validated settings."""
        now = self.now()
        room = models.RoomState(**settings, created_at=now, updated_at=now)
        self.rooms.add(room)
        return room

    def delete_room(self, room: models.RoomState) -> None:
        """End the active session of a room, and delete the room."""
        if room.active_session is not None:
            # First, because its events go to the webhook URL of the room.
            self.end_session(room.active_session)
        self.rooms.remove(room)

    # --- sessions and participants ------------------------------------------------------------------------

    def join(self, room_id: str, context: str) -> models.ParticipantState:
        """Add a participant to a room, and start a session unless one is active.

        Raises:
            LookupError: there is no such room.
            ValueError: the room is full.
        """
        room, now = self.rooms.get(room_id), self.now()
        if room is None:
            raise LookupError(f"no room has the id {room_id!r}")
        session = room.active_session
        if session is None:
            session = models.SessionState(room_id=room.id, created_at=now, updated_at=now)
            room.active_session = session
            self.sessions.add(session)
            self.outbox.add(
                room, now, EventType.SESSION_STARTED, {"room_id": room.id, "session_id": session.id}
            )
        if len(session.present) >= room.max_participants:
            raise ValueError(f"the room is full: max_participants is {room.max_participants}")
        self.sessions.update(session, updated_at=now)
        participant = models.ParticipantState(
            session_id=session.id, context=context, joined_at=now, updated_at=now
        )
        session.present[participant.id] = participant
        self.participants.add(participant)
        payload = _participant_payload(participant, session)
        self.outbox.add(room, now, EventType.PARTICIPANT_JOINED, payload)
        if room.enable_recording:
            # Telnyx records audio and video of each participant into separate files.
            for media_type, codec in _CODECS.items():
                recording = models.RecordingState(
                    room_id=room.id,
                    session_id=session.id,
                    participant_id=participant.id,
                    type=media_type,
                    codec=codec,
                    started_at=now,
                )
                self.recordings.add(recording)
                self.outbox.add(room, now, EventType.RECORDING_STARTED, recording.event_payload())
        return participant

    def leave(self, participant_id: str) -> None:
        """Remove a participant from its session, and end the session if it was the last one.

        Raises:
            LookupError: no such participant is in a session.
        """
        participant = self.participants.get(participant_id)
        if participant is None or participant.left_at is not None:
            raise LookupError(f"no participant in a session has the id {participant_id!r}")
        self.remove(self.sessions[participant.session_id], [participant], left_reason="left")

    def end_session(self, session: models.SessionState) -> None:
        """Remove all participants from an active session, and end it."""
        self.remove(session, list(session.present.values()), ended_reason="Ended from API")

    def remove(
        self,
        session: models.SessionState,
        participants: Iterable[models.ParticipantState],
        *,
        left_reason: str = "kicked",
        ended_reason: str = "all participants left",
    ) -> None:
        """Remove participants from an active session, and end it if it is empty then.

        Args:
            session: the session.
            participants: present participants of the session.
            left_reason: for the events of the participants. Reasons are as seen in production.
            ended_reason: for the event of the session.
        """
        now, room = self.now(), self.rooms[session.room_id]
        for participant in participants:
            del session.present[participant.id]
            self.participants.update(participant, left_at=now, updated_at=now)
            self.sessions.update(session, updated_at=now)
            payload = {
                **_participant_payload(participant, session),
                "duration_secs": int((now - participant.joined_at).total_seconds()),
                "left_reason": left_reason,
            }
            self.outbox.add(room, now, EventType.PARTICIPANT_LEFT, payload)
            for recording in list(self.recordings.select(participant_id=Equal(participant.id))):
                self.recordings.update(recording, ended_at=now)
                recording.file = MediaFile(
                    id=recording.id,
                    content_type=_CONTENT_TYPES[recording.type],
                    size=_size(recording.type, recording.duration_secs or 0),
                )
                completed_at = now + models.RECORDING_DELAY
                subject = {"recording_id": recording.id}
                self.outbox.add(room, completed_at, EventType.RECORDING_COMPLETED, subject)
        if not session.present:
            room.active_session = None
            self.sessions.update(session, ended_at=now)
            payload = {
                "room_id": room.id,
                "session_id": session.id,
                "duration_secs": int((now - session.created_at).total_seconds()),
                "ended_reason": ended_reason,
            }
            self.outbox.add(room, now, EventType.SESSION_ENDED, payload)

    # --- files and events ---------------------------------------------------------------------------------

    def create_composition(
        self, session: models.SessionState, settings: dict[str, Any]
    ) -> models.CompositionState:
        """Create a composition of a session with validated settings."""
        now, composition_id = self.now(), str(uuid4())
        seconds = int(((session.ended_at or now) - session.created_at).total_seconds())
        composition = models.CompositionState(
            **settings,
            id=composition_id,
            user_id=self.user_id,
            room_id=session.room_id,
            created_at=now,
            duration_secs=seconds,
            file=MediaFile(id=composition_id, content_type="video/mp4", size=_size("video", seconds)),
        )
        self.compositions.add(composition)
        completed_at = now + models.COMPOSITION_DELAY
        subject = {"composition_id": composition.id}
        self.outbox.add(composition, completed_at, EventType.COMPOSITION_COMPLETED, subject)
        return composition

    def file(self, file_id: str) -> MediaFile | None:
        """Return the file of a completed recording or composition, or ``None``."""
        state = self.recordings.get(file_id) or self.compositions.get(file_id)
        return state.file if state and state.completed_at(self.now()) else None

    def event(self, entry: OutboxEntry, link: LinkFactory) -> WebhookEvent | None:
        """Return the event of an outbox entry that is due; ``None`` if the completed file was deleted."""
        payload = entry.payload
        if entry.event_type == EventType.RECORDING_COMPLETED:
            recording = self.recordings.get(payload["recording_id"])
            if recording is None:
                return None
            payload = recording.completed_payload(link)
        elif entry.event_type == EventType.COMPOSITION_COMPLETED:
            composition = self.compositions.get(payload["composition_id"])
            if composition is None:
                return None
            payload = composition.completed_payload(link)
        return WebhookEvent.create({"event_type": entry.event_type, "payload": payload}, entry.due_at)


def _participant_payload(
    participant: models.ParticipantState, session: models.SessionState
) -> dict[str, object]:
    return {
        "room_id": session.room_id,
        "session_id": session.id,
        "participant_id": participant.id,
        "context": participant.context,
    }


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _size(media_type: str, seconds: int) -> int:
    return _MIN_FILE_SIZE + _BYTES_PER_SECOND[media_type] * seconds
