"""Rooms, sessions, participants, recordings and compositions of an emulated account.

Validation, filters and JSON follow from the fields of a class and their metadata:

- ``filter``: lists can be filtered by the field, or by the date of a time
- ``check``: the check of a setting that clients send
- ``hidden``: the JSON does not have the field
- ``optional``: the JSON has the field unless it is ``None``

Nothing runs in the background: the status of a file follows from its times and the current time.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Self

from attrs import evolve, field, fields, frozen

from telnyx_rooms_async.emulator import validation
from telnyx_rooms_async.emulator.media import LinkFactory, MediaFile
from telnyx_rooms_async.emulator.table import FILTER, Record
from telnyx_rooms_async.emulator.validation import Check
from telnyx_rooms_async.models import public_url_repr

COMPOSITION_STATUSES: Final = ("completed", "processing", "enqueued")
_CODECS: Final = {"audio": "opus", "video": "vp8"}
_CONTENT_TYPES: Final = {"audio": "audio/ogg", "video": "video/webm"}
# Small enough to be read at once in a test, and larger for a longer recording.
_MIN_FILE_SIZE: Final = 100_000
_BYTES_PER_SECOND: Final = {"audio": 4_000, "video": 20_000}
_BYTES_PER_MB: Final = 1_000_000
RECORDING_DELAY: Final = timedelta(seconds=5)
"""From the end of a recording until it is completed."""
# From the creation of a composition until its processing starts, and until it is completed.
_COMPOSITION_QUEUE_TIME, _COMPOSITION_DELAY = timedelta(seconds=2), timedelta(seconds=10)
_WEBHOOK_URL: Final = {"check": validation.nullable(validation.url)}
_HIDDEN: Final = {"hidden": True}
_OPTIONAL: Final = {"optional": True}


def timestamp(moment: datetime | None) -> str | None:
    """Return a time in UTC as ISO 8601 with microseconds."""
    return None if moment is None else moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def reached(moment: datetime | None, now: datetime) -> datetime | None:
    """Return a time that is not after `now`, ``None`` for a later one."""
    return moment if moment is not None and moment <= now else None


def seconds_between(since: datetime, until: datetime) -> int:
    """Return the whole seconds from one time to another."""
    return int((until - since).total_seconds())


def _checks_of(cls: type) -> dict[str, Check]:
    return {setting.name: setting.metadata["check"] for setting in fields(cls) if "check" in setting.metadata}


def _serialize_file(file: MediaFile | None, link: LinkFactory) -> dict[str, object]:
    if file is None:
        return {"size_mb": None, "download_url": None}
    return {"size_mb": round(file.size / _BYTES_PER_MB, 2), "download_url": link(file.id)}


def _add_positions(layout: Mapping[str, Mapping[str, object]]) -> dict[str, Mapping[str, object]]:
    return {name: {"x_pos": 0, "y_pos": 0, "z_pos": 0, **region} for name, region in layout.items()}


@frozen(kw_only=True)
class ApiRecord(Record):
    """A record that the API returns."""

    record_type: ClassVar[str]

    def serialize_at(self, now: datetime, link: LinkFactory) -> dict[str, Any]:  # noqa: ARG002 - of files
        """Return the record as JSON; a file with its status now, and a new link if it is completed."""
        return self.serialize()

    def serialize(self) -> dict[str, Any]:
        """Return the fields as JSON."""
        json: dict[str, Any] = {}
        for attribute in fields(type(self)):
            value = getattr(self, attribute.name)
            is_left_out = value is None and "optional" in attribute.metadata
            if not (is_left_out or "hidden" in attribute.metadata):
                json[attribute.name] = timestamp(value) if isinstance(value, datetime) else value
        json["record_type"] = self.record_type
        return json


@frozen(kw_only=True)
class WebhookSettings(ApiRecord):
    """A room or a composition, and where its events are sent."""

    webhook_event_url: str | None = field(default=None, repr=public_url_repr, metadata=_WEBHOOK_URL)
    webhook_event_failover_url: str | None = field(default="", repr=public_url_repr, metadata=_WEBHOOK_URL)
    webhook_timeout_secs: int | None = field(
        default=None, metadata={"check": validation.nullable(validation.integer(0, 30))}
    )


@frozen(kw_only=True)
class RoomState(WebhookSettings):
    """A room."""

    record_type = "room"
    unique_name: str | None = field(
        default=None, metadata={"check": validation.nullable(validation.text), **FILTER}
    )
    max_participants: int = field(default=10, metadata={"check": validation.integer(2, 50)})
    enable_recording: bool = field(default=False, metadata={"check": validation.boolean})
    active_session_id: str | None = None
    created_at: datetime = field(metadata=FILTER)
    updated_at: datetime = field(metadata=FILTER)


@frozen(kw_only=True)
class SessionState(ApiRecord):
    """A session of a room, active or ended."""

    record_type = "room_session"
    room_id: str = field(metadata=FILTER)
    active: bool = field(default=True, metadata=FILTER)
    created_at: datetime = field(metadata=FILTER)
    updated_at: datetime = field(metadata=FILTER)
    ended_at: datetime | None = field(default=None, metadata=_OPTIONAL | FILTER)
    present: tuple[str, ...] = field(default=(), metadata=_HIDDEN)
    """Ids of the participants that have not left."""


@frozen(kw_only=True)
class ParticipantState(ApiRecord):
    """A participant of a session, present or not."""

    record_type = "room_participant"
    session_id: str = field(metadata=FILTER)
    context: str = field(metadata=FILTER)
    joined_at: datetime = field(metadata=FILTER)
    updated_at: datetime = field(metadata=FILTER)
    left_at: datetime | None = field(default=None, metadata=_OPTIONAL | FILTER)
    muted: bool = field(default=False, metadata=_HIDDEN)


@frozen(kw_only=True)
class RecordingState(ApiRecord):
    """Audio or video of one participant in one session."""

    record_type = "room_recording"
    room_id: str = field(metadata=FILTER)
    session_id: str = field(metadata=FILTER)
    participant_id: str = field(metadata=FILTER)
    type: str = field(metadata=FILTER)
    codec: str
    started_at: datetime = field(metadata=FILTER)
    ended_at: datetime | None = field(default=None, metadata=FILTER)
    completes_at: datetime | None = field(default=None, metadata=_HIDDEN)
    duration_secs: int | None = field(default=None, metadata=FILTER)
    file: MediaFile | None = field(default=None, metadata=_HIDDEN)

    @classmethod
    def of_participant(cls, participant: ParticipantState, room_id: str) -> list[Self]:
        """Return the recordings of a participant that joins. Audio and video are separate, as at Telnyx."""
        return [
            cls(
                room_id=room_id,
                session_id=participant.session_id,
                participant_id=participant.id,
                type=media_type,
                codec=codec,
                started_at=participant.joined_at,
            )
            for media_type, codec in _CODECS.items()
        ]

    def end(self, now: datetime) -> Self:
        """Return the recording with its end, and the duration and the file that follow from it."""
        seconds = seconds_between(self.started_at, now)
        size = _MIN_FILE_SIZE + _BYTES_PER_SECOND[self.type] * seconds
        file = MediaFile(id=self.id, content_type=_CONTENT_TYPES[self.type], size=size)
        completes_at = now + RECORDING_DELAY
        return evolve(self, ended_at=now, completes_at=completes_at, duration_secs=seconds, file=file)

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
        payload = {**self.event_payload(), "codec": self.codec, "duration_secs": self.duration_secs}
        return {**payload, **_serialize_file(self.file, link)}

    def status_at(self, now: datetime) -> str:
        """Return the status."""
        return "completed" if reached(self.completes_at, now) else "processing"

    def serialize_at(self, now: datetime, link: LinkFactory) -> dict[str, Any]:  # noqa: D102 - of `ApiRecord`
        completed_at = reached(self.completes_at, now)
        return {
            **self.serialize(),
            "status": self.status_at(now),
            "duration_secs": self.duration_secs if completed_at else None,
            **_serialize_file(self.file if completed_at else None, link),
            "completed_at": timestamp(completed_at),
            "created_at": timestamp(self.started_at),
            "updated_at": timestamp(completed_at or self.ended_at or self.started_at),
        }


@frozen(kw_only=True)
class CompositionState(WebhookSettings):
    """The recordings of a session, laid out in one video."""

    record_type = "room_composition"
    user_id: str
    room_id: str
    session_id: str = field(metadata={"check": validation.uuid, **FILTER})
    format: str = field(default="mp4", metadata={"check": validation.one_of("mp4")})
    resolution: str = field(default="1280x720", metadata={"check": validation.resolution})
    video_layout: Mapping[str, Mapping[str, object]] = field(
        factory=dict[str, Mapping[str, object]],
        converter=_add_positions,
        metadata={"check": validation.object_of(validation.REGION, max_size=2)},
    )
    # Not in the API reference; programs in production send it, and get a video without sound otherwise.
    audio_sources: list[str] | None = field(default=None, metadata={"check": validation.one_of(None, ["*"])})
    created_at: datetime = field(metadata=FILTER)
    starts_at: datetime = field(metadata=_HIDDEN)
    completes_at: datetime = field(metadata=_HIDDEN)
    duration_secs: int
    file: MediaFile = field(metadata=_HIDDEN)

    @classmethod
    def of_session(
        cls, session: SessionState, composition_id: str, now: datetime, user_id: str, settings: dict[str, Any]
    ) -> Self:
        """Return a composition that is created now, with the times and the file that follow."""
        seconds = seconds_between(session.created_at, session.ended_at or now)
        size = _MIN_FILE_SIZE + _BYTES_PER_SECOND["video"] * seconds
        return cls(
            **settings,
            id=composition_id,
            user_id=user_id,
            session_id=session.id,
            room_id=session.room_id,
            created_at=now,
            starts_at=now + _COMPOSITION_QUEUE_TIME,
            completes_at=now + _COMPOSITION_DELAY,
            duration_secs=seconds,
            file=MediaFile(id=composition_id, content_type="video/mp4", size=size),
        )

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

    def status_at(self, now: datetime) -> str:
        """Return the status."""
        if reached(self.completes_at, now):
            return "completed"
        return "processing" if reached(self.starts_at, now) else "enqueued"

    def serialize_at(self, now: datetime, link: LinkFactory) -> dict[str, Any]:  # noqa: D102 - of `ApiRecord`
        started_at, completed_at = reached(self.starts_at, now), reached(self.completes_at, now)
        return {
            **self.serialize(),
            "status": self.status_at(now),
            "duration_secs": self.duration_secs if completed_at else None,
            **_serialize_file(self.file if completed_at else None, link),
            "started_at": timestamp(started_at),
            "ended_at": timestamp(completed_at),
            "completed_at": timestamp(completed_at),
            "updated_at": timestamp(completed_at or started_at or self.created_at),
        }


ROOM_CHECKS: Final = _checks_of(RoomState)
COMPOSITION_CHECKS: Final = _checks_of(CompositionState)
