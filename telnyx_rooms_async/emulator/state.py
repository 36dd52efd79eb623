"""State of an emulated account, and everything that changes it. No HTTP."""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import uuid4

from telnyx_rooms_async.emulator.events import EventType, Outbox, OutboxEntry, WebhookEvent
from telnyx_rooms_async.emulator.media import LinkFactory, MediaFile
from telnyx_rooms_async.emulator.models import (
    RECORDING_DELAY,
    CompositionState,
    ParticipantState,
    RecordingState,
    RoomState,
    SessionState,
    WebhookSettings,
    reached,
    seconds_between,
)
from telnyx_rooms_async.emulator.table import Equal, Table
from telnyx_rooms_async.emulator.tokens import TokenIssuer

Clock: TypeAlias = Callable[[], datetime]


class State:
    """Rooms, sessions, participants, recordings and compositions of one account.

    Sessions, participants and recordings of a deleted room stay.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.user_id: str = str(uuid4())
        self.organization_id: str = str(uuid4())
        self.outbox: Outbox = Outbox()
        self.tokens: TokenIssuer = TokenIssuer(self.user_id)
        self.rooms: Table[RoomState] = Table(RoomState)
        self.sessions: Table[SessionState] = Table(SessionState)
        self.participants: Table[ParticipantState] = Table(ParticipantState)
        self.recordings: Table[RecordingState] = Table(RecordingState)
        self.compositions: Table[CompositionState] = Table(CompositionState)
        self.tables: Mapping[str, Table[Any]] = {
            "room_id": self.rooms,
            "session_id": self.sessions,
            "participant_id": self.participants,
            "recording_id": self.recordings,
            "composition_id": self.compositions,
        }
        """By the name of the id in paths."""
        self._deleted_rooms: dict[str, RoomState] = {}
        """Rooms with a history, by id: events may still be sent to their URLs."""

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return self._clock().astimezone(UTC)

    def has_record(self, record_id: str) -> bool:
        """Return whether anything has an id."""
        return any(record_id in table for table in self.tables.values())

    # --- rooms --------------------------------------------------------------------------------------------

    def create_room(self, settings: dict[str, Any]) -> RoomState:
        """Create a room with validated settings."""
        now = self.now()
        room = RoomState(**settings, created_at=now, updated_at=now)
        self.rooms.add(room)
        return room

    def delete_room(self, room: RoomState) -> None:
        """End the active session of a room, and delete the room."""
        if room.active_session_id is not None:
            self.end_session(self.sessions[room.active_session_id])
        if self.sessions.select(room_id=Equal(room.id)):
            self._deleted_rooms[room.id] = room
        self.rooms.remove(room.id)

    # --- sessions and participants ------------------------------------------------------------------------

    def join(self, room_id: str, context: str) -> ParticipantState:
        """Add a participant to a room, and start a session unless one is active; see `Emulator.join`."""
        room, now = self.rooms.get(room_id), self.now()
        if room is None:
            raise LookupError(f"no room has the id {room_id!r}")
        session = self.sessions.get(room.active_session_id)
        if session is None:
            session = SessionState(room_id=room.id, created_at=now, updated_at=now)
            self.sessions.add(session)
            self.rooms.update(room.id, active_session_id=session.id)
            payload: dict[str, object] = {"room_id": room.id, "session_id": session.id}
            self.outbox.add(room.id, now, EventType.SESSION_STARTED, payload)
        if len(session.present) >= room.max_participants:
            raise ValueError(f"the room is full: max_participants is {room.max_participants}")
        participant = ParticipantState(session_id=session.id, context=context, joined_at=now, updated_at=now)
        self.participants.add(participant)
        self.sessions.update(session.id, updated_at=now, present=(*session.present, participant.id))
        payload = _participant_payload(participant, session)
        self.outbox.add(room.id, now, EventType.PARTICIPANT_JOINED, payload)
        if room.enable_recording:
            for recording in RecordingState.of_participant(participant, room.id):
                self.recordings.add(recording)
                self.outbox.add(room.id, now, EventType.RECORDING_STARTED, recording.event_payload())
        return participant

    def leave(self, participant_id: str) -> None:
        """Remove a participant from its session; see `Emulator.leave`."""
        participant = self.participants.get(participant_id)
        session = None if participant is None else self.sessions[participant.session_id]
        if session is None or participant_id not in session.present:
            raise LookupError(f"no participant in a session has the id {participant_id!r}")
        self.remove(session, [participant_id], left_reason="left")

    def end_session(self, session: SessionState) -> None:
        """Remove all participants from an active session, and end it."""
        self.remove(session, session.present, ended_reason="Ended from API")

    def remove(
        self,
        session: SessionState,
        participant_ids: Collection[str],
        *,
        left_reason: str = "kicked",
        ended_reason: str = "all participants left",
    ) -> None:
        """Remove present participants from an active session, and end it if it is empty then.

        The reasons, for the events of the participants and of the session, are as seen in production.
        """
        now = self.now()
        for participant_id in participant_ids:
            participant = self.participants.update(participant_id, left_at=now, updated_at=now)
            payload = {
                **_participant_payload(participant, session),
                "duration_secs": seconds_between(participant.joined_at, now),
                "left_reason": left_reason,
            }
            self.outbox.add(session.room_id, now, EventType.PARTICIPANT_LEFT, payload)
            for recording in self.recordings.select(participant_id=Equal(participant_id)):
                self.recordings.replace(recording.end(now))
                subject = {"file_id": recording.id}
                self.outbox.add(
                    session.room_id, now + RECORDING_DELAY, EventType.RECORDING_COMPLETED, subject
                )
        present = tuple(present_id for present_id in session.present if present_id not in participant_ids)
        if participant_ids:
            self.sessions.update(session.id, updated_at=now, present=present)
        if not present:
            self.sessions.update(session.id, active=False, ended_at=now)
            self.rooms.update(session.room_id, active_session_id=None)
            payload = {
                "room_id": session.room_id,
                "session_id": session.id,
                "duration_secs": seconds_between(session.created_at, now),
                "ended_reason": ended_reason,
            }
            self.outbox.add(session.room_id, now, EventType.SESSION_ENDED, payload)

    # --- files and events ---------------------------------------------------------------------------------

    def create_composition(self, session: SessionState, settings: dict[str, Any]) -> CompositionState:
        """Create a composition of a session with validated settings."""
        composition = CompositionState.of_session(session, str(uuid4()), self.now(), self.user_id, settings)
        self.compositions.add(composition)
        subject = {"file_id": composition.id}
        self.outbox.add(composition.id, composition.completes_at, EventType.COMPOSITION_COMPLETED, subject)
        return composition

    def file(self, file_id: str) -> MediaFile | None:
        """Return the file of a completed recording or composition, or ``None``."""
        record = self._file_record(file_id)
        return record.file if record and reached(record.completes_at, self.now()) else None

    def webhook_settings(self, sender_id: str) -> WebhookSettings | None:
        """Return the room or composition that sends events, also a room that was deleted."""
        sender = self.rooms.get(sender_id) or self.compositions.get(sender_id)
        return sender or self._deleted_rooms.get(sender_id)

    def event(self, entry: OutboxEntry, link: LinkFactory) -> WebhookEvent | None:
        """Return the event of an outbox entry that is due; ``None`` if the completed file was deleted."""
        payload = entry.payload
        if "file_id" in payload:
            record = self._file_record(str(payload["file_id"]))
            if record is None:
                return None
            payload = record.completed_payload(link)
        return WebhookEvent.create({"event_type": entry.event_type.value, "payload": payload}, entry.due_at)

    def _file_record(self, file_id: str) -> RecordingState | CompositionState | None:
        return self.recordings.get(file_id) or self.compositions.get(file_id)


def _participant_payload(participant: ParticipantState, session: SessionState) -> dict[str, object]:
    return {
        "room_id": session.room_id,
        "session_id": session.id,
        "participant_id": participant.id,
        "context": participant.context,
    }
