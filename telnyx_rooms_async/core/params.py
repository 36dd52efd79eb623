"""What we may ask: bodies and queries, each field with its name on the wire and its rule.

A value here is inert and may be wrong; `core.spelling.problems` tells what is wrong with it, all at once,
before anything is sent. It is neither compared nor printed: that halves what these classes cost to import.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, Final, Literal, TypeAlias

import attrs
from attrs import frozen

from telnyx_rooms_async.core import rules
from telnyx_rooms_async.core.models import VideoRegion
from telnyx_rooms_async.core.rules import UNSET, DateFilter, DurationFilter, Id, Rule, UnsetType
from telnyx_rooms_async.core.secret import Secret, hidden

Days: TypeAlias = date | DateFilter | None

_NEVER: Final = object()
"""What stands for absence in a field that is always given: nothing does."""

# --- bodies -----------------------------------------------------------------------------------------------


def _body(rule: Rule, *, nullable: bool = False) -> Any:  # noqa: ANN401 - as attrs.field: the annotation is the type
    return attrs.field(default=UNSET, metadata={"rule": rule, "absent": UNSET, "nullable": nullable})


@frozen(kw_only=True, eq=False, repr=False)
class RoomBody:
    """What a room is created or updated with."""

    unique_name: str | UnsetType = _body(rules.text)
    max_participants: int | UnsetType = _body(rules.integer(2, 50))
    enable_recording: bool | UnsetType = _body(rules.flag)
    webhook_event_url: str | UnsetType = _body(rules.url)
    webhook_event_failover_url: str | UnsetType | None = _body(rules.url_or_none, nullable=True)
    webhook_timeout_secs: int | UnsetType | None = _body(rules.integer(0, 30), nullable=True)


@frozen(kw_only=True, eq=False, repr=False)
class TokenBody:
    """What a client token is made with."""

    token_ttl_secs: int | UnsetType = _body(rules.integer(10, 3600))
    refresh_token_ttl_secs: int | UnsetType = _body(rules.integer(60, 86400))


@frozen(kw_only=True, eq=False, repr=False)
class RefreshBody:
    """What a client token is refreshed with."""

    refresh_token: Secret = attrs.field(
        converter=hidden, metadata={"rule": rules.hidden_text, "absent": _NEVER}
    )
    token_ttl_secs: int | UnsetType = _body(rules.integer(10, 3600))


@frozen(kw_only=True, eq=False, repr=False)
class ParticipantsBody:
    """Whom an action in a session is for."""

    participants: Literal["all"] | Collection[Id] = attrs.field(
        metadata={"rule": rules.ids_or_all, "absent": _NEVER}
    )
    exclude: Collection[Id] | UnsetType = _body(rules.ids)


@frozen(kw_only=True, eq=False, repr=False)
class CompositionBody:
    """What a composition is made of."""

    session_id: Id = attrs.field(metadata={"rule": rules.one_id, "absent": _NEVER})
    video_layout: Mapping[str, VideoRegion] | UnsetType = _body(rules.layout)
    audio_sources: Collection[str] | UnsetType | None = _body(rules.sources, nullable=True)
    format: str | UnsetType = _body(rules.text)
    resolution: str | UnsetType = _body(rules.resolution)
    webhook_event_url: str | UnsetType = _body(rules.url)
    webhook_event_failover_url: str | UnsetType | None = _body(rules.url_or_none, nullable=True)
    webhook_timeout_secs: int | UnsetType | None = _body(rules.integer(0, 30), nullable=True)


# --- queries ----------------------------------------------------------------------------------------------

PAGE_SIZE_MAX: Final = 250


def _query(wire: str, rule: Rule, default: object = None) -> Any:  # noqa: ANN401 - as attrs.field
    # None is "not asked for", unless the field has a default: then it is a mistake.
    absent = None if default is None else _NEVER
    return attrs.field(default=default, metadata={"rule": rule, "absent": absent, "wire": wire})


def _page_number() -> Any:  # noqa: ANN401 - as attrs.field
    return _query("page[number]", rules.integer(1, 2**31 - 1), default=1)


def _page_size() -> Any:  # noqa: ANN401 - as attrs.field
    return _query("page[size]", rules.integer(1, PAGE_SIZE_MAX), default=PAGE_SIZE_MAX)


@frozen(kw_only=True, eq=False, repr=False)
class RoomQuery:
    """How one room is retrieved."""

    include_sessions: bool = _query("include_sessions", rules.flag, default=False)


@frozen(kw_only=True, eq=False, repr=False)
class PageQuery:
    """Which page of a list."""

    page_number: int = _page_number()
    page_size: int = _page_size()


@frozen(kw_only=True, eq=False, repr=False)
class RoomsQuery(PageQuery):
    """Which rooms to list."""

    created_at: Days = _query("filter[date_created_at]", rules.days)
    updated_at: Days = _query("filter[date_updated_at]", rules.days)
    unique_name: str | None = _query("filter[unique_name]", rules.text)
    include_sessions: bool = _query("include_sessions", rules.flag, default=False)


@frozen(kw_only=True, eq=False, repr=False)
class RoomSessionsQuery(PageQuery):
    """Which sessions of a room to list."""

    created_at: Days = _query("filter[date_created_at]", rules.days)
    updated_at: Days = _query("filter[date_updated_at]", rules.days)
    ended_at: Days = _query("filter[date_ended_at]", rules.days)
    active: bool | None = _query("filter[active]", rules.flag)
    include_participants: bool = _query("include_participants", rules.flag, default=False)


@frozen(kw_only=True, eq=False, repr=False)
class SessionQuery:
    """How one session is retrieved."""

    include_participants: bool = _query("include_participants", rules.flag, default=False)


@frozen(kw_only=True, eq=False, repr=False)
class SessionsQuery(RoomSessionsQuery):
    """Which sessions of the account to list."""

    room_id: Id | None = _query("filter[room_id]", rules.one_id)


@frozen(kw_only=True, eq=False, repr=False)
class SessionParticipantsQuery(PageQuery):
    """Which participants of a session to list."""

    joined_at: Days = _query("filter[date_joined_at]", rules.days)
    updated_at: Days = _query("filter[date_updated_at]", rules.days)
    left_at: Days = _query("filter[date_left_at]", rules.days)
    context: str | None = _query("filter[context]", rules.text)


@frozen(kw_only=True, eq=False, repr=False)
class ParticipantsQuery(SessionParticipantsQuery):
    """Which participants of the account to list."""

    session_id: Id | None = _query("filter[session_id]", rules.one_id)


@frozen(kw_only=True, eq=False, repr=False)
class RecordingsFilter:
    """Which recordings are meant."""

    room_id: Id | None = _query("filter[room_id]", rules.one_id)
    session_id: Id | None = _query("filter[session_id]", rules.one_id)
    participant_id: Id | None = _query("filter[participant_id]", rules.one_id)
    status: str | None = _query("filter[status]", rules.text)
    type: str | None = _query("filter[type]", rules.text)
    started_at: Days = _query("filter[date_started_at]", rules.days)
    ended_at: Days = _query("filter[date_ended_at]", rules.days)
    duration_secs: DurationFilter | None = _query("filter[duration_secs]", rules.seconds)


@frozen(kw_only=True, eq=False, repr=False)
class RecordingsQuery(RecordingsFilter):
    """Which recordings to list."""

    page_number: int = _page_number()
    page_size: int = _page_size()


@frozen(kw_only=True, eq=False, repr=False)
class CompositionsQuery(PageQuery):
    """Which compositions to list."""

    session_id: Id | None = _query("filter[session_id]", rules.one_id)
    status: str | None = _query("filter[status]", rules.text)
    created_at: Days = _query("filter[date_created_at]", rules.days)
