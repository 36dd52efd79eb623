"""What a room, a session, a participant, a recording and a composition are at this moment. No HTTP.

Nothing here runs in the background: how far a file is follows from its instants and the time it is now.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from attrs import define, field

from telnyx_rooms_async.emulator.media import MediaFile
from telnyx_rooms_async.models import public_url_repr

RECORDING_TAKES: Final = timedelta(seconds=5)
"""From leaving until the recordings of the one who left are completed."""
COMPOSITION_WAITS: Final = timedelta(seconds=2)
"""From asking for a composition until it is processed."""
COMPOSITION_TAKES: Final = timedelta(seconds=10)
"""From asking for a composition until it is completed."""


def _new_id() -> str:
    return str(uuid4())


@define(kw_only=True)
class RecordingState:
    """One participant's sound or picture in one session."""

    id: str = field(factory=_new_id)
    room_id: str
    session_id: str
    participant_id: str
    type: str
    codec: str
    started_at: datetime
    ended_at: datetime | None = None
    file: MediaFile | None = None

    @property
    def duration_secs(self) -> int | None:
        """How long it is, once it has ended."""
        return None if self.ended_at is None else int((self.ended_at - self.started_at).total_seconds())

    def completed_at(self, now: datetime) -> datetime | None:
        """Tell when it was completed, if it is."""
        done = self.ended_at and self.ended_at + RECORDING_TAKES
        return done if done and done <= now else None

    def status(self, now: datetime) -> str:
        """Tell how far it is."""
        return "completed" if self.completed_at(now) else "processing"


@define(kw_only=True)
class CompositionState:
    """The recordings of a session, laid out in one video."""

    id: str = field(factory=_new_id)
    user_id: str
    room_id: str
    session_id: str
    format: str = "mp4"
    resolution: str = "1280x720"
    video_layout: Mapping[str, Mapping[str, object]] = field(factory=dict[str, Mapping[str, object]])
    audio_sources: list[str] | None = None
    webhook_event_url: str | None = field(default=None, repr=public_url_repr)
    webhook_event_failover_url: str | None = field(default="", repr=public_url_repr)
    webhook_timeout_secs: int | None = None
    created_at: datetime
    duration_secs: int
    file: MediaFile

    def started_at(self, now: datetime) -> datetime | None:
        """Tell when it began to be processed, if it did."""
        begun = self.created_at + COMPOSITION_WAITS
        return begun if begun <= now else None

    def completed_at(self, now: datetime) -> datetime | None:
        """Tell when it was completed, if it is."""
        done = self.created_at + COMPOSITION_TAKES
        return done if done <= now else None

    def status(self, now: datetime) -> str:
        """Tell how far it is."""
        if self.completed_at(now):
            return "completed"
        return "processing" if self.started_at(now) else "enqueued"


@define(kw_only=True)
class ParticipantState:
    """A participant as they are now."""

    id: str = field(factory=_new_id)
    session_id: str
    context: str
    joined_at: datetime
    updated_at: datetime
    left_at: datetime | None = None
    muted: bool = False
    recordings: list[RecordingState] = field(factory=list[RecordingState], repr=False)


@define(kw_only=True)
class SessionState:
    """A session as it is now."""

    id: str = field(factory=_new_id)
    room_id: str
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None = None
    participants: list[ParticipantState] = field(factory=list[ParticipantState], repr=False)

    @property
    def active(self) -> bool:
        """Whether it is going on."""
        return self.ended_at is None

    @property
    def present(self) -> Iterator[ParticipantState]:
        """Who is in it now."""
        return (person for person in self.participants if person.left_at is None)


@define(kw_only=True)
class RoomState:
    """A room as it is now."""

    id: str = field(factory=_new_id)
    unique_name: str | None = None
    max_participants: int = 10
    enable_recording: bool = False
    webhook_event_url: str | None = field(default=None, repr=public_url_repr)
    webhook_event_failover_url: str | None = field(default="", repr=public_url_repr)
    webhook_timeout_secs: int | None = None
    created_at: datetime
    updated_at: datetime
    sessions: list[SessionState] = field(factory=list[SessionState], repr=False)

    @property
    def active_session(self) -> SessionState | None:
        """The session that has not ended."""
        return next((session for session in self.sessions if session.active), None)
