"""Rooms, sessions, participants, recordings and compositions of an emulated account.

A field whose metadata has a check is a setting: clients send it, and get it back. Nothing runs in the
background: the status of a file follows from its timestamps and the current time.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final
from uuid import uuid4

from attrs import field, fields, frozen

from telnyx_rooms_async.emulator import validation
from telnyx_rooms_async.emulator.media import LinkFactory, MediaFile
from telnyx_rooms_async.emulator.messages import JsonObject
from telnyx_rooms_async.emulator.validation import Check
from telnyx_rooms_async.models import public_url_repr

_BYTES_PER_MB: Final = 1_000_000
_REGION_CHECKS: Final[Mapping[str, Check]] = {
    "height": validation.integer(validation.MIN_SIDE, validation.UNBOUNDED),
    "width": validation.integer(validation.MIN_SIDE, validation.UNBOUNDED),
    "x_pos": validation.integer(-validation.UNBOUNDED, validation.UNBOUNDED),
    "y_pos": validation.integer(-validation.UNBOUNDED, validation.UNBOUNDED),
    "z_pos": validation.integer(-99, 99),
    "max_columns": validation.integer(1, 1000),
    "max_rows": validation.integer(1, 1000),
    "video_sources": validation.list_of(validation.text),
}


def _new_id() -> str:
    return str(uuid4())


def timestamp(moment: datetime | None) -> str | None:
    """Return a time in UTC as ISO 8601 with microseconds."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def reached(moment: datetime | None, now: datetime) -> datetime | None:
    """Return a time that is not after `now`, ``None`` for a later one."""
    return moment if moment is not None and moment <= now else None


def _checks(cls: type) -> Mapping[str, Check]:
    return {setting.name: setting.metadata["check"] for setting in fields(cls) if "check" in setting.metadata}


def _add_positions(layout: Mapping[str, Mapping[str, object]]) -> dict[str, Mapping[str, object]]:
    return {name: {"x_pos": 0, "y_pos": 0, "z_pos": 0, **region} for name, region in layout.items()}


def _serialize_file(file: MediaFile | None, link: LinkFactory) -> JsonObject:
    """Return size and link of a file, both ``None`` if there is no file."""
    if file is None:
        return {"size_mb": None, "download_url": None}
    return {"size_mb": round(file.size / _BYTES_PER_MB, 2), "download_url": link(file.id)}


@frozen(kw_only=True)
class WebhookSettings:
    """Where the events of a room or a composition are sent."""

    id: str = field(factory=_new_id)
    webhook_event_url: str | None = field(
        default=None, repr=public_url_repr, metadata={"check": validation.nullable(validation.url)}
    )
    webhook_event_failover_url: str | None = field(
        default="", repr=public_url_repr, metadata={"check": validation.nullable(validation.url)}
    )
    webhook_timeout_secs: int | None = field(
        default=None, metadata={"check": validation.nullable(validation.integer(0, 30))}
    )


@frozen(kw_only=True)
class ParticipantState:
    """A participant of a session, present or not."""

    id: str = field(factory=_new_id)
    session_id: str
    context: str
    joined_at: datetime
    updated_at: datetime
    left_at: datetime | None = None
    muted: bool = False

    def serialize(self) -> JsonObject:
        """Return the participant as JSON."""
        left = {} if self.left_at is None else {"left_at": timestamp(self.left_at)}
        return {
            "id": self.id,
            "session_id": self.session_id,
            "context": self.context,
            "joined_at": timestamp(self.joined_at),
            "updated_at": timestamp(self.updated_at),
            **left,
            "record_type": "room_participant",
        }


@frozen(kw_only=True)
class SessionState:
    """A session of a room, active or ended."""

    id: str = field(factory=_new_id)
    room_id: str
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None = None
    active: bool = True
    present: tuple[str, ...] = ()
    """Ids of the participants that have not left."""

    def serialize(self, participants: Iterable[ParticipantState] | None = None) -> JsonObject:
        """Return the session as JSON, with its participants unless they are ``None``."""
        json: dict[str, object] = {
            "id": self.id,
            "room_id": self.room_id,
            "active": self.active,
            "created_at": timestamp(self.created_at),
            "updated_at": timestamp(self.updated_at),
            "record_type": "room_session",
        }
        if self.ended_at is not None:
            json["ended_at"] = timestamp(self.ended_at)
        if participants is not None:
            json["participants"] = [participant.serialize() for participant in participants]
        return json


@frozen(kw_only=True)
class RoomState(WebhookSettings):
    """A room."""

    unique_name: str | None = field(default=None, metadata={"check": validation.nullable(validation.text)})
    max_participants: int = field(default=10, metadata={"check": validation.integer(2, 50)})
    enable_recording: bool = field(default=False, metadata={"check": validation.boolean})
    created_at: datetime
    updated_at: datetime
    active_session_id: str | None = None

    def serialize(self, sessions: Iterable[SessionState] | None = None) -> JsonObject:
        """Return the room as JSON, with its sessions unless they are ``None``."""
        json: dict[str, object] = {
            "id": self.id,
            **{name: getattr(self, name) for name in ROOM_CHECKS},
            "active_session_id": self.active_session_id,
            "created_at": timestamp(self.created_at),
            "updated_at": timestamp(self.updated_at),
            "record_type": "room",
        }
        if sessions is not None:
            json["sessions"] = [session.serialize() for session in sessions]
        return json


@frozen(kw_only=True)
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
    completes_at: datetime | None = None
    duration_secs: int | None = None
    file: MediaFile | None = None

    def event_payload(self) -> dict[str, object]:
        """Return what the events of the recording have in common."""
        return {
            "room_id": self.room_id,
            "session_id": self.session_id,
            "participant_id": self.participant_id,
            "recording_id": self.id,
            "type": self.type,
        }

    def completed_payload(self, link: LinkFactory) -> dict[str, object]:
        """Return the payload of the event of the completion."""
        return {
            **self.event_payload(),
            "codec": self.codec,
            "duration_secs": self.duration_secs,
            **_serialize_file(self.file, link),
        }

    def serialize(self, now: datetime, link: LinkFactory) -> JsonObject:
        """Return the recording as JSON, with a new link to its file if it is completed."""
        completed_at = reached(self.completes_at, now)
        return {
            "id": self.id,
            "room_id": self.room_id,
            "session_id": self.session_id,
            "participant_id": self.participant_id,
            "type": self.type,
            "status": "completed" if completed_at else "processing",
            "codec": self.codec,
            "duration_secs": self.duration_secs if completed_at else None,
            **_serialize_file(self.file if completed_at else None, link),
            "started_at": timestamp(self.started_at),
            "ended_at": timestamp(self.ended_at),
            "completed_at": timestamp(completed_at),
            "created_at": timestamp(self.started_at),
            "updated_at": timestamp(completed_at or self.ended_at or self.started_at),
            "record_type": "room_recording",
        }


@frozen(kw_only=True)
class CompositionState(WebhookSettings):
    """The recordings of a session, laid out in one video."""

    user_id: str
    room_id: str
    session_id: str = field(metadata={"check": validation.uuid})
    format: str = field(default="mp4", metadata={"check": validation.one_of("mp4")})
    resolution: str = field(default="1280x720", metadata={"check": validation.resolution})
    video_layout: Mapping[str, Mapping[str, object]] = field(
        factory=dict[str, Mapping[str, object]],
        converter=_add_positions,
        metadata={"check": validation.map_of(validation.object_of(_REGION_CHECKS), max_size=2)},
    )
    # Not in the API reference; programs in production send it, and get a video without sound otherwise.
    audio_sources: list[str] | None = field(default=None, metadata={"check": validation.one_of(None, ["*"])})
    created_at: datetime
    starts_at: datetime
    completes_at: datetime
    duration_secs: int
    file: MediaFile

    def completed_payload(self, link: LinkFactory) -> dict[str, object]:
        """Return the payload of the event of the completion."""
        return {
            "room_id": self.room_id,
            "session_id": self.session_id,
            "composition_id": self.id,
            "format": self.format,
            "resolution": self.resolution,
            "duration_secs": self.duration_secs,
            **_serialize_file(self.file, link),
        }

    def serialize(self, now: datetime, link: LinkFactory) -> JsonObject:
        """Return the composition as JSON, with a new link to its file if it is completed."""
        started_at, completed_at = reached(self.starts_at, now), reached(self.completes_at, now)
        return {
            "id": self.id,
            "room_id": self.room_id,
            "user_id": self.user_id,
            "status": "completed" if completed_at else "processing" if started_at else "enqueued",
            **{name: getattr(self, name) for name in COMPOSITION_CHECKS},
            "duration_secs": self.duration_secs if completed_at else None,
            **_serialize_file(self.file if completed_at else None, link),
            "started_at": timestamp(started_at),
            "ended_at": timestamp(completed_at),
            "completed_at": timestamp(completed_at),
            "created_at": timestamp(self.created_at),
            "updated_at": timestamp(completed_at or started_at or self.created_at),
            "record_type": "room_composition",
        }


ROOM_CHECKS: Final = _checks(RoomState)
"""What makes a setting of a room valid."""
COMPOSITION_CHECKS: Final = _checks(CompositionState)
"""What makes a setting of a composition valid."""
