"""Rooms, sessions, participants, recordings and compositions of an emulated account.

Nothing runs in the background: the status of a file follows from its timestamps and the current time.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from attrs import define, field

from telnyx_rooms_async.emulator.media import MediaFile
from telnyx_rooms_async.models import public_url_repr

RECORDING_DELAY: Final = timedelta(seconds=5)
"""Time from the end of a recording until it is completed."""
COMPOSITION_QUEUE_TIME: Final = timedelta(seconds=2)
"""Time from the creation of a composition until its processing starts."""
COMPOSITION_DELAY: Final = timedelta(seconds=10)
"""Time from the creation of a composition until it is completed."""


def _new_id() -> str:
    return str(uuid4())


@define(kw_only=True)
class WebhookSettings:
    """Where the events of a room or a composition are sent."""

    webhook_event_url: str | None = field(default=None, repr=public_url_repr)
    webhook_event_failover_url: str | None = field(default="", repr=public_url_repr)
    webhook_timeout_secs: int | None = None


@define(kw_only=True)
class RecordingState:
    """Audio or video of one participant in one session."""

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
        """Length of a recording that has ended."""
        return None if self.ended_at is None else int((self.ended_at - self.started_at).total_seconds())

    def is_completed(self, now: datetime) -> bool:
        """Return whether the file is available at a time."""
        return self.ended_at is not None and self.ended_at + RECORDING_DELAY <= now

    def completed_at(self, now: datetime) -> datetime | None:
        """Return the time of completion, if it is not after `now`."""
        return self.ended_at + RECORDING_DELAY if self.ended_at and self.is_completed(now) else None

    def status(self, now: datetime) -> str:
        """Return the status at a time."""
        return "completed" if self.is_completed(now) else "processing"


@define(kw_only=True)
class CompositionState(WebhookSettings):
    """The recordings of a session, laid out in one video."""

    id: str = field(factory=_new_id)
    user_id: str
    room_id: str
    session_id: str
    format: str = "mp4"
    resolution: str = "1280x720"
    video_layout: Mapping[str, Mapping[str, object]] = field(factory=dict[str, Mapping[str, object]])
    audio_sources: list[str] | None = None
    created_at: datetime
    duration_secs: int
    file: MediaFile

    def started_at(self, now: datetime) -> datetime | None:
        """Return the time at which processing started, if it is not after `now`."""
        started = self.created_at + COMPOSITION_QUEUE_TIME
        return started if started <= now else None

    def completed_at(self, now: datetime) -> datetime | None:
        """Return the time of completion, if it is not after `now`."""
        completed = self.created_at + COMPOSITION_DELAY
        return completed if completed <= now else None

    def status(self, now: datetime) -> str:
        """Return the status at a time."""
        if self.completed_at(now):
            return "completed"
        return "processing" if self.started_at(now) else "enqueued"


@define(kw_only=True)
class ParticipantState:
    """A participant of a session, present or not."""

    id: str = field(factory=_new_id)
    session_id: str
    context: str
    joined_at: datetime
    updated_at: datetime
    left_at: datetime | None = None
    muted: bool = False


@define(kw_only=True)
class SessionState:
    """A session of a room, active or ended."""

    id: str = field(factory=_new_id)
    room_id: str
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None = None
    present: dict[str, ParticipantState] = field(factory=dict[str, ParticipantState], repr=False)
    """Participants that have not left, by id."""

    @property
    def active(self) -> bool:
        """Whether the session has not ended."""
        return self.ended_at is None


@define(kw_only=True)
class RoomState(WebhookSettings):
    """A room."""

    id: str = field(factory=_new_id)
    unique_name: str | None = None
    max_participants: int = 10
    enable_recording: bool = False
    created_at: datetime
    updated_at: datetime
    active_session: SessionState | None = field(default=None, repr=False)
