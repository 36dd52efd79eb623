"""What Telnyx tells us: inert, frozen values with the field names of the API.

Every field but the id may be missing or null in an answer, and is then ``None``. Fields that are not
listed here are passed over. Statuses and record types are open strings. Instants are aware and in UTC.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from attrs import field, frozen

T = TypeVar("T")


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
    webhook_event_url: str | None = None
    webhook_event_failover_url: str | None = None
    webhook_timeout_secs: int | None = None
    """Seconds that Telnyx waits for the webhook's answer: 0 to 30; ``None`` for its default."""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    record_type: str | None = None


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
