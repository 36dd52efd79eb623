"""What Telnyx tells us: inert, frozen values with the field names of the API.

Every field but the id may be missing or null in an answer, and is then ``None``. Fields that are not
listed here are passed over. Statuses and record types are open strings. Instants are aware and in UTC.
"""

import enum
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Generic, Protocol, TypeVar

from attrs import field, frozen

T = TypeVar("T")

_URL: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*:[/\\]+)?"
    # A user ends with the last @ of the host; where no host is to be seen, with the last one of all.
    r"(?P<user>[^?#/\\]*@|(?!(?:[\w.-]+|\[[0-9a-f:.]*\])(?::\d*)?/)[^?#]*@)?"
    r"(?P<rest>[^?#]*)(?P<query>.*)",
    re.DOTALL | re.IGNORECASE,
)


def _parts(url: str) -> tuple[str, str, str, str]:
    """Return the scheme, the user, the rest and the query of a URL, or of what was given for one."""
    found = _URL.match(url)
    return tuple(found.groups(default="")) if found else ("", url, "", "")  # type: ignore[return-value]  # four groups


def public_url(url: str) -> str:
    """Return a webhook URL without its user and with ``***`` for its query: secrets are often kept there."""
    scheme, _, rest, query = _parts(url)
    return f"{scheme}{rest}{query[:1]}{'***' if query else ''}"


def secret_parts(url: str) -> tuple[str, ...]:
    """Return what `public_url` leaves out, each with the mark that sets it apart."""
    _, user, _, query = _parts(url)
    return tuple(filter(None, (user, query)))


def public_url_repr(url: object) -> str:
    """Return the repr of a webhook URL without its secrets."""
    return repr(public_url(url) if isinstance(url, str) else url)


class Identified(Protocol):
    """Whatever has an id: all that comes in lists."""

    @property
    def id(self) -> str:
        """The id that Telnyx gave it."""
        ...


@frozen(kw_only=True)
class RoomParticipant:
    """A person, or a program, who is or was in a session of a room."""

    id: str
    session_id: str | None = None
    context: str | None = None
    """What the joining client said of itself: ``"Alice"``, or any text, often JSON."""
    joined_at: datetime | None = None
    updated_at: datetime | None = None
    left_at: datetime | None = None
    """``None`` while still in the session."""
    record_type: str | None = None


@frozen(kw_only=True)
class RoomSession:
    """One meeting in a room: from the first join until the last one leaves."""

    id: str
    room_id: str | None = None
    active: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    ended_at: datetime | None = None
    """``None`` while active."""
    participants: tuple[RoomParticipant, ...] | None = None
    """``None`` unless the call asked for ``include_participants``."""
    record_type: str | None = None


@frozen(kw_only=True)
class Room:
    """A place to meet. It stays until deleted; its sessions come and go."""

    id: str
    unique_name: str | None = None
    """Unique within the account; ``None`` for a room without a name."""
    max_participants: int | None = None
    """How many may be in at once: 2 to 50."""
    enable_recording: bool | None = None
    active_session_id: str | None = None
    """The session going on now, if any."""
    sessions: tuple[RoomSession, ...] | None = None
    """``None`` unless the call asked for ``include_sessions``."""
    webhook_event_url: str | None = field(default=None, repr=public_url_repr)
    webhook_event_failover_url: str | None = field(default=None, repr=public_url_repr)
    webhook_timeout_secs: int | None = None
    """Seconds that Telnyx waits for the webhook's answer: 0 to 30; ``None`` for its default."""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    record_type: str | None = None


class RecordingType(enum.StrEnum):
    """What a recording holds: a participant has one file of each kind."""

    AUDIO = "audio"
    VIDEO = "video"


class RecordingStatus(enum.StrEnum):
    """How far a recording is, as far as Telnyx documents it."""

    PROCESSING = "processing"
    COMPLETED = "completed"


@frozen(kw_only=True)
class RoomRecording:
    """One participant's sound or picture in one session."""

    id: str
    room_id: str | None = None
    session_id: str | None = None
    participant_id: str | None = None
    type: str | None = None
    """``"audio"`` or ``"video"``: see `RecordingType`."""
    status: str | None = None
    """``"processing"`` or ``"completed"``: see `RecordingStatus`."""
    codec: str | None = None
    """``"opus"``, ``"vp8"``, …"""
    duration_secs: int | None = None
    size_mb: float | None = None
    download_url: str | None = field(default=None, repr=False)
    """A secret: whoever has it can download, for one hour. ``None`` until completed."""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    completed_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    record_type: str | None = None


class CompositionStatus(enum.StrEnum):
    """How far a composition is, as far as Telnyx documents it."""

    ENQUEUED = "enqueued"
    PROCESSING = "processing"
    COMPLETED = "completed"


@frozen(kw_only=True)
class VideoRegion:
    """A rectangle of a composition, in pixels, and whose pictures are laid out in it."""

    height: int | None = None
    """16 and up."""
    width: int | None = None
    """16 and up."""
    x_pos: int | None = None
    """Of the upper left corner, from that of the whole."""
    y_pos: int | None = None
    z_pos: int | None = None
    """-99 to 99: the higher one covers the lower one."""
    max_columns: int | None = None
    """1 to 1000 columns of the grid."""
    max_rows: int | None = None
    """1 to 1000 rows of the grid."""
    video_sources: tuple[str, ...] | None = None
    """Ids of video recordings, or ``("*",)`` for all of the session."""


@frozen(kw_only=True)
class RoomComposition:
    """The recordings of one session, laid out in one video."""

    id: str
    room_id: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    status: str | None = None
    """``"enqueued"``, ``"processing"`` or ``"completed"``: see `CompositionStatus`."""
    format: str | None = None
    """``"mp4"``."""
    resolution: str | None = None
    """Width and height in pixels: ``"1280x720"``."""
    video_layout: Mapping[str, VideoRegion] | None = field(default=None, hash=False)
    audio_sources: tuple[str, ...] | None = None
    """Not documented; seen as ``("*",)``, for all sound of the session."""
    duration_secs: int | None = None
    size_mb: float | None = None
    download_url: str | None = field(default=None, repr=False)
    """A secret: whoever has it can download, for one hour. ``None`` until completed."""
    webhook_event_url: str | None = field(default=None, repr=public_url_repr)
    webhook_event_failover_url: str | None = field(default=None, repr=public_url_repr)
    webhook_timeout_secs: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    completed_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    record_type: str | None = None


@frozen(kw_only=True)
class AccessToken:
    """What a client SDK joins a room with."""

    token: str = field(repr=False)
    """A secret, opaque: whoever has it can join."""
    token_expires_at: datetime | None = None

    def expires_in(self, now: datetime) -> float | None:
        """Return the seconds that the token has left at `now`, negative when it has expired.

        ``None`` when Telnyx did not say. `now` is aware: ``datetime.now(UTC)``.
        """
        return None if self.token_expires_at is None else (self.token_expires_at - now).total_seconds()


@frozen(kw_only=True)
class ClientToken(AccessToken):
    """An access token, and the refresh token that gets the next one."""

    refresh_token: str | None = field(default=None, repr=False)
    """A secret. It stays the same when the access token is refreshed, unless that answer has another."""
    refresh_token_expires_at: datetime | None = None


@frozen(kw_only=True)
class ActionResult:
    """What an action in a session answers."""

    result: str | None = None
    """``"ok"``."""


@frozen(kw_only=True)
class DeletedRecordings:
    """How many recordings a deletion by filter was for."""

    room_recordings: int | None = None


@frozen(kw_only=True)
class AccountKey:
    """The key that Telnyx signs an account's webhooks with."""

    public: str
    """32 bytes in base64."""


@frozen(kw_only=True)
class PageMeta:
    """What the server says of its pages: a hint, any part of which may be missing."""

    page_number: int | None = None
    page_size: int | None = None
    total_pages: int | None = None
    total_results: int | None = None


@frozen(kw_only=True)
class Page(Generic[T]):
    """One page of a list."""

    data: tuple[T, ...]
    meta: PageMeta = PageMeta()


@frozen(kw_only=True)
class ErrorDetail:
    """One entry of an error answer, in whichever of its shapes it came."""

    code: str | None = None
    """Telnyx's own code: ``"10005"``. Not unique across its products: branch on the status."""
    title: str | None = None
    detail: str | None = None
    pointer: str | None = None
    """The field of the body that is meant, as a JSON pointer: ``"/unique_name"``."""
    parameter: str | None = None
    """The query parameter that is meant."""
    meta: Mapping[str, object] | None = field(default=None, hash=False)
    """What else the server says, mostly the ``url`` of a page about the code."""
