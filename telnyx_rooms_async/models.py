"""Response models: frozen attrs classes with the field names of the API.

Every field but the id may be missing or null in a response, and is then None. Unknown fields are ignored.
Statuses and record types are open strings. Datetimes are timezone-aware, in UTC.
"""

import enum
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, Final, Generic, Protocol, Self, TypeAlias, TypeVar, cast

from attrs import AttrsInstance, field, fields, frozen

from telnyx_rooms_async.serialization import converter

T = TypeVar("T")
Item = TypeVar("Item")
_Getter: TypeAlias = Callable[[Any], Any]

# The converter reads the metadata of fields.
OMIT_DEFAULT: Final[Mapping[str, object]] = {"omit_default": True}
"""Of a field that a request leaves out while it has its default."""
_LENIENT: Final = {"lenient": True}
"""Of a field whose default replaces a value of the wrong type, which is no reason to refuse a page."""

_URL: Final = (
    r"(?is)(?P<scheme>[a-z][a-z0-9+.-]*:[/\\]+)?"
    # The user ends with the last @ before the host, or with the last @ of all if there is no host.
    r"(?P<user>[^?#/\\]*@|(?!(?:[\w.-]+|\[[0-9a-f:.]*\])(?::\d*)?/)[^?#]*@)?"
    r"(?P<rest>[^?#]*)(?P<query>.*)"
)
"""Matches any text, from its first character to its last."""


def public_url(url: str) -> str:
    """Return a webhook URL without its user, and with ``***`` for its query: both often hold secrets."""
    scheme, _, rest, query = re.findall(_URL, url)[0]
    return f"{scheme}{rest}{query[:1]}{'***' if query else ''}"


def secret_parts(url: str) -> tuple[str, ...]:
    """Return the parts that `public_url` leaves out, with their separators."""
    _, user, _, query = re.findall(_URL, url)[0]
    return tuple(filter(None, (user, query)))


def public_url_repr(url: object) -> str:
    """Return the repr of a webhook URL without its secrets."""
    return repr(public_url(url) if isinstance(url, str) else url)


@cache
def _compared_and_hashed(cls: type[AttrsInstance]) -> tuple[_Getter, _Getter]:
    """Return how to get the values of the fields that are compared, and of those that are hashed."""
    compared = [field.name for field in fields(cls) if field.eq]
    hashed = [field.name for field in fields(cls) if (field.eq if field.hash is None else field.hash)]
    return attrgetter(*compared), attrgetter(*hashed)


class Value:
    """Base class of frozen attrs classes with the methods that attrs would compile for each of them.

    They pass ``eq=False, repr=False`` to attrs, which makes the import of the package a seventh shorter.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        values, _ = _compared_and_hashed(cast("type[AttrsInstance]", type(self)))
        return bool(values(self) == values(other))

    def __hash__(self) -> int:
        _, values = _compared_and_hashed(cast("type[AttrsInstance]", type(self)))
        return hash((type(self), values(self)))

    def __repr__(self) -> str:
        shown = (
            f"{field.name}={(repr if field.repr is True else field.repr)(getattr(self, field.name))}"
            for field in fields(cast("type[AttrsInstance]", type(self)))
            if field.repr is not False
        )
        return f"{type(self).__name__}({', '.join(shown)})"


class Model(Value):
    """Base class of all models and events: they convert to and from JSON by the package's converter.

    pydantic knows them too, so that they can be response models of FastAPI and fields of pydantic models.

    Example:
        >>> room = Room.from_dict({"id": "0ccc7b54", "created_at": "2026-03-01T09:00:00+01:00"})
        >>> room.to_dict()["created_at"]
        '2026-03-01T08:00:00Z'
    """

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON types, secrets included; datetimes as RFC 3339 text with ``Z``."""
        return cast("dict[str, Any]", converter.unstructure(self))

    def to_json(self) -> str:
        """Return the fields as JSON text, secrets included."""
        return converter.dumps(self).decode()

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> Self:
        """Return the value of `to_dict`, or of the JSON of the API. Unknown keys are ignored.

        Raises:
            DecodeError: a ValueError that names the path of every value that does not fit.
        """
        return converter.structure_json(data, cls)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:  # noqa: ANN401 - types of pydantic
        """Return the schema with which pydantic validates, serializes and documents this class."""
        from telnyx_rooms_async import pydantic_schema  # noqa: PLC0415 - pydantic is installed if it asks

        return pydantic_schema.core_schema_of(source, handler)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:  # noqa: ANN401 - types of pydantic
        """Return the JSON schema of this class, with a description of each field."""
        from telnyx_rooms_async import pydantic_schema  # noqa: PLC0415 - pydantic is installed if it asks

        return pydantic_schema.json_schema_of(cls, schema, handler)


class Identified(Protocol):
    """A model with an id, as all items of lists are."""

    @property
    def id(self) -> str:
        """The id of the object."""
        ...


@frozen(kw_only=True, eq=False, repr=False)
class RoomParticipant(Model):
    """A person or program that is or was in a session."""

    id: str
    """Id of the participant."""
    session_id: str | None = None
    """Id of the session."""
    context: str | None = None
    """Text of the joining client: ``"Alice"``, for example, and often JSON."""
    joined_at: datetime | None = None
    """When the participant joined."""
    updated_at: datetime | None = None
    """When a field changed last."""
    left_at: datetime | None = None
    """``None`` while still in the session."""
    record_type: str | None = None
    """``"room_participant"``."""


@frozen(kw_only=True, eq=False, repr=False)
class RoomSession(Model):
    """A meeting in a room, from the first join until the last participant leaves."""

    id: str
    """Id of the session."""
    room_id: str | None = None
    """Id of the room."""
    active: bool | None = None
    """Whether the session has not ended."""
    created_at: datetime | None = None
    """When the first participant joined."""
    updated_at: datetime | None = None
    """When a field changed last."""
    ended_at: datetime | None = None
    """``None`` while active."""
    participants: tuple[RoomParticipant, ...] | None = None
    """``None`` unless the call asked for ``include_participants``."""
    record_type: str | None = None
    """``"room_session"``."""


@frozen(kw_only=True, eq=False, repr=False)
class Room(Model):
    """A video room. It exists until it is deleted, and has one session at a time."""

    id: str
    """Id of the room."""
    unique_name: str | None = None
    """Unique within the account; ``None`` for a room without a name."""
    max_participants: int | None = None
    """Participants at the same time: 2 to 50."""
    enable_recording: bool | None = None
    """Whether sessions are recorded: a file of audio and one of video for each participant."""
    active_session_id: str | None = None
    """The active session, if any."""
    sessions: tuple[RoomSession, ...] | None = None
    """``None`` unless the call asked for ``include_sessions``."""
    webhook_event_url: str | None = field(default=None, repr=public_url_repr)
    """Where Telnyx sends events. The repr hides user and query."""
    webhook_event_failover_url: str | None = field(default=None, repr=public_url_repr)
    """Where Telnyx sends events that the first URL refuses."""
    webhook_timeout_secs: int | None = None
    """Seconds that Telnyx waits for the response to a webhook: 0 to 30; None for its default."""
    created_at: datetime | None = None
    """When the room was created."""
    updated_at: datetime | None = None
    """When a field changed last."""
    record_type: str | None = None
    """``"room"``."""


class RecordingType(enum.StrEnum):
    """Content of a recording: each participant has one file of each type.

    Example:
        >>> recording.type == RecordingType.VIDEO
        True
    """

    AUDIO = "audio"
    VIDEO = "video"


class RecordingStatus(enum.StrEnum):
    """Documented statuses of a recording.

    Example:
        >>> recording.status == RecordingStatus.COMPLETED
        True
    """

    PROCESSING = "processing"
    COMPLETED = "completed"


@frozen(kw_only=True, eq=False, repr=False)
class RoomRecording(Model):
    """Audio or video of one participant in one session."""

    id: str
    """Id of the recording."""
    room_id: str | None = None
    """Id of the room."""
    session_id: str | None = None
    """Id of the session."""
    participant_id: str | None = None
    """Id of the recorded participant."""
    type: str | None = None
    """``"audio"`` or ``"video"``: see `RecordingType`."""
    status: str | None = None
    """``"processing"`` or ``"completed"``: see `RecordingStatus`."""
    codec: str | None = None
    """``"opus"``, ``"vp8"``, …"""
    duration_secs: int | None = None
    """Length in seconds."""
    size_mb: float | None = None
    """Size in megabytes, rounded; `Recordings.file_size` returns bytes."""
    download_url: str | None = field(default=None, repr=False)
    """A secret, valid for one hour. None until completed."""
    started_at: datetime | None = None
    """When the recording started."""
    ended_at: datetime | None = None
    """When the recording ended."""
    completed_at: datetime | None = None
    """When the file was ready."""
    created_at: datetime | None = None
    """When the recording was created."""
    updated_at: datetime | None = None
    """When a field changed last."""
    record_type: str | None = None
    """``"room_recording"``."""


class CompositionStatus(enum.StrEnum):
    """Documented statuses of a composition.

    Example:
        >>> composition.status == CompositionStatus.COMPLETED
        True
    """

    ENQUEUED = "enqueued"
    PROCESSING = "processing"
    COMPLETED = "completed"


@frozen(kw_only=True, eq=False, repr=False)
class VideoRegion(Model):
    """A rectangle of a composition, in pixels, and the videos in it."""

    height: int | None = field(default=None, metadata=OMIT_DEFAULT)
    """16 and up."""
    width: int | None = field(default=None, metadata=OMIT_DEFAULT)
    """16 and up."""
    x_pos: int | None = field(default=None, metadata=OMIT_DEFAULT)
    """Left edge."""
    y_pos: int | None = field(default=None, metadata=OMIT_DEFAULT)
    """Top edge."""
    z_pos: int | None = field(default=None, metadata=OMIT_DEFAULT)
    """-99 to 99: a higher region covers a lower one."""
    max_columns: int | None = field(default=None, metadata=OMIT_DEFAULT)
    """1 to 1000 columns of the grid."""
    max_rows: int | None = field(default=None, metadata=OMIT_DEFAULT)
    """1 to 1000 rows of the grid."""
    video_sources: tuple[str, ...] | None = field(default=None, metadata=OMIT_DEFAULT)
    """Ids of video recordings, or ``("*",)`` for all of the session."""


@frozen(kw_only=True, eq=False, repr=False)
class RoomComposition(Model):
    """One video of the recordings of a session."""

    id: str
    """Id of the composition."""
    room_id: str | None = None
    """Id of the room."""
    session_id: str | None = None
    """Id of the session."""
    user_id: str | None = None
    """Id of the user of the account."""
    status: str | None = None
    """``"enqueued"``, ``"processing"`` or ``"completed"``: see `CompositionStatus`."""
    format: str | None = None
    """``"mp4"``."""
    resolution: str | None = None
    """Width and height in pixels: ``"1280x720"``."""
    video_layout: Mapping[str, VideoRegion] | None = field(default=None, hash=False)
    """Regions by name."""
    audio_sources: tuple[str, ...] | None = None
    """Not documented; seen as ``("*",)``, for all audio of the session."""
    duration_secs: int | None = None
    """Length in seconds."""
    size_mb: float | None = None
    """Size in megabytes, rounded."""
    download_url: str | None = field(default=None, repr=False)
    """A secret, valid for one hour. None until completed."""
    webhook_event_url: str | None = field(default=None, repr=public_url_repr)
    """Where Telnyx sends the event of its completion. The repr hides user and query."""
    webhook_event_failover_url: str | None = field(default=None, repr=public_url_repr)
    """Where Telnyx sends an event that the first URL refuses."""
    webhook_timeout_secs: int | None = None
    """Seconds that Telnyx waits for the response to a webhook."""
    started_at: datetime | None = None
    """When the work on it started."""
    ended_at: datetime | None = None
    """When the work on it ended."""
    completed_at: datetime | None = None
    """When the file was ready."""
    created_at: datetime | None = None
    """When the composition was created."""
    updated_at: datetime | None = None
    """When a field changed last."""
    record_type: str | None = None
    """``"room_composition"`` or ``"composition"``."""


@frozen(kw_only=True, eq=False, repr=False)
class AccessToken(Model):
    """Token with which a client SDK joins a room."""

    token: str = field(repr=False)
    """A secret."""
    token_expires_at: datetime | None = None
    """When the token expires."""

    def expires_in(self, now: datetime) -> float | None:
        """Return the seconds until the token expires, negative if it has expired; None if unknown.

        Args:
            now: timezone-aware: ``datetime.now(UTC)``.
        """
        return None if self.token_expires_at is None else (self.token_expires_at - now).total_seconds()


@frozen(kw_only=True, eq=False, repr=False)
class ClientToken(AccessToken):
    """An access token, and the refresh token for the next access token."""

    refresh_token: str | None = field(default=None, repr=False)
    """A secret. It stays the same when the access token is refreshed, unless the response has a new one."""
    refresh_token_expires_at: datetime | None = None
    """When the refresh token expires."""


@frozen(kw_only=True, eq=False, repr=False)
class ActionResult(Model):
    """Result of an action in a session."""

    result: str | None = None
    """``"ok"``."""


@frozen(kw_only=True, eq=False, repr=False)
class DeletedRecordings(Model):
    """Result of a deletion of recordings by filter."""

    room_recordings: int | None = None
    """The number of deleted recordings."""


@frozen(kw_only=True, eq=False, repr=False)
class AccountKey(Model):
    """The public key for the signatures of an account's webhooks."""

    public: str
    """32 bytes in base64."""


@frozen(kw_only=True, eq=False, repr=False)
class PageMeta(Model):
    """Page numbers and totals as the server states them; any of them may be missing."""

    page_number: int | None = field(default=None, metadata=_LENIENT)
    """The number of the page; the first is 1."""
    page_size: int | None = field(default=None, metadata=_LENIENT)
    """The requested number of items."""
    total_pages: int | None = field(default=None, metadata=_LENIENT)
    """The number of pages."""
    total_results: int | None = field(default=None, metadata=_LENIENT)
    """The number of items on all pages."""


@frozen(kw_only=True, eq=False, repr=False)
class Page(Model, Generic[T]):
    """One page of a list."""

    data: tuple[T, ...]
    """The items of the page."""
    meta: PageMeta = field(default=PageMeta(), metadata=_LENIENT)
    """Page numbers and totals."""

    @classmethod
    def from_dict(cls, data: Mapping[str, object], item_class: type[Item] | None = None) -> "Page[Item]":
        """Return the value of `to_dict`, or of the JSON of the API: ``Page.from_dict(data, Room)``.

        Raises:
            DecodeError: a ValueError that names the path of every value that does not fit.
            TypeError: the class of the items is missing.
        """
        if item_class is None:
            raise TypeError("the class of the items is missing: Page.from_dict(data, Room)")
        return cast("Page[Item]", converter.structure_json(data, cast("Any", cls)[item_class]))


@frozen(kw_only=True, eq=False, repr=False)
class ErrorDetail(Model):
    """One entry of an error response."""

    code: str | None = None
    """Code of Telnyx: ``"10005"``. Not unique across its products, so branch on the status."""
    title: str | None = None
    """Summary of the error."""
    detail: str | None = None
    """What was wrong, as a sentence."""
    pointer: str | None = None
    """JSON pointer to the field of the body: ``"/unique_name"``."""
    parameter: str | None = None
    """The query parameter."""
    meta: Mapping[str, object] | None = field(default=None, hash=False)
    """Further data, mostly the ``url`` of a page about the code."""
