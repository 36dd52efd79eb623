"""Request models: bodies and filters, each field with its rule and its name in the request.

A value of these classes may be wrong: `protocol.build` checks it before anything is sent. The converter
unstructures it to what is sent.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final, Literal, TypeAlias, cast
from uuid import UUID

import attrs
from attrs import frozen

from telnyx_rooms_async.core import validators as rules
from telnyx_rooms_async.core.protocol import PAGE_SIZE_MAX, PageQuery
from telnyx_rooms_async.core.secret import hidden
from telnyx_rooms_async.core.validators import (
    UNSET,
    Converter,
    DateFilter,
    Days,
    DurationFilter,
    ParticipantId,
    RoomFields,
    RoomId,
    Rule,
    SessionId,
    UnsetType,
    exact_text,
    short_repr,
)
from telnyx_rooms_async.errors import InvalidArgumentError
from telnyx_rooms_async.models import OMIT_DEFAULT, RoomRecording, VideoRegion, public_url_repr


def _exact_days(value: object) -> object:
    exact = rules.exact_date(value)
    return DateFilter(eq=exact) if type(exact) is date else exact


# The rule for an argument, and the converter to the exact value that the rule sees.
_Argument: TypeAlias = tuple[Rule, Converter]
_TEXT: Final = (rules.text, rules.exact_text)
_NAME: Final = (rules.name, rules.exact_text)
_FLAG: Final = (rules.flag, rules.exact_flag)
_URL: Final = (rules.url, rules.exact_url)
_URL_OR_EMPTY: Final = (rules.url_or_empty, rules.exact_url)
_DAYS: Final = (rules.days, _exact_days)
_ROOM_ID: Final = (rules.one_id, rules.exact_room_id)
_SESSION_ID: Final = (rules.one_id, rules.exact_session_id)
_PARTICIPANT_ID: Final = (rules.one_id, rules.exact_participant_id)
_EXACT_PARTICIPANTS: Final = rules.exact_items(rules.exact_participant_id)


def _integer(low: int, high: int) -> _Argument:
    return rules.integer(low, high), rules.exact_integer


def _field(argument: _Argument, default: object = attrs.NOTHING, **metadata: object) -> Any:  # noqa: ANN401 - as attrs.field
    rule, exact = argument
    # Tools such as rich show the fields of a local variable, and heed this.
    shown = public_url_repr if rule in (rules.url, rules.url_or_empty) else rule is not rules.hidden_text
    return attrs.field(default=default, converter=exact, repr=shown, metadata={"rule": rule, **metadata})


def _body(argument: _Argument, *, nullable: bool = False) -> Any:  # noqa: ANN401 - as attrs.field
    return _field(argument, UNSET, **OMIT_DEFAULT, nullable=nullable)


def _query(wire: str, argument: _Argument, default: object = None) -> Any:  # noqa: ANN401 - as attrs.field
    return _field(argument, default, **OMIT_DEFAULT, wire=wire)


# --- bodies -----------------------------------------------------------------------------------------------


@frozen(kw_only=True, eq=False, repr=False)
class RoomBody:
    """Body of the requests that create or update a room."""

    unique_name: str | UnsetType = _body(_NAME)
    max_participants: int | UnsetType = _body(_integer(2, 50))
    enable_recording: bool | UnsetType = _body(_FLAG)
    webhook_event_url: str | UnsetType = _body(_URL)
    webhook_event_failover_url: str | UnsetType | None = _body(_URL_OR_EMPTY, nullable=True)
    webhook_timeout_secs: int | UnsetType | None = _body(_integer(0, 30), nullable=True)


@frozen(kw_only=True, eq=False, repr=False)
class TokenBody:
    """Body of the request that creates a client token."""

    token_ttl_secs: int | UnsetType = _body(_integer(10, 3600))
    refresh_token_ttl_secs: int | UnsetType = _body(_integer(60, 86400))


@frozen(kw_only=True, eq=False, repr=False)
class RefreshBody:
    """Body of the request that refreshes a client token."""

    refresh_token: str = _field((rules.hidden_text, hidden))
    token_ttl_secs: int | UnsetType = _body(_integer(10, 3600))


@frozen(kw_only=True, eq=False, repr=False)
class ParticipantsBody:
    """Body of an action on participants of a session."""

    participants: Literal["all"] | Iterable[ParticipantId] = _field((rules.ids_or_all, _EXACT_PARTICIPANTS))
    exclude: Iterable[ParticipantId] | UnsetType = _body((rules.ids, _EXACT_PARTICIPANTS))


@frozen(kw_only=True, eq=False, repr=False)
class CompositionBody:
    """Body of the request that creates a composition."""

    session_id: SessionId = _field(_SESSION_ID)
    video_layout: Mapping[str, VideoRegion] | UnsetType = _body((rules.layout, rules.exact_layout))
    audio_sources: Iterable[str | UUID | RoomRecording] | UnsetType | None = _body(
        (rules.sources, rules.exact_sources), nullable=True
    )
    format: str | UnsetType = _body(_TEXT)
    resolution: str | UnsetType = _body((rules.resolution, rules.exact_text))
    webhook_event_url: str | UnsetType = _body(_URL)
    webhook_event_failover_url: str | UnsetType | None = _body(_URL_OR_EMPTY, nullable=True)
    webhook_timeout_secs: int | UnsetType | None = _body(_integer(0, 30), nullable=True)


# --- queries ----------------------------------------------------------------------------------------------


@frozen(kw_only=True, eq=False, repr=False)
class RoomQuery:
    """Options of the request for one room."""

    include_sessions: bool = _query("include_sessions", _FLAG, default=False)


@frozen(kw_only=True, eq=False, repr=False)
class RoomsQuery(PageQuery):
    """Filter of rooms."""

    created_at: Days = _query("filter[date_created_at]", _DAYS)
    updated_at: Days = _query("filter[date_updated_at]", _DAYS)
    unique_name: str | None = _query("filter[unique_name]", _NAME)
    include_sessions: bool = _query("include_sessions", _FLAG, default=False)


@frozen(kw_only=True, eq=False, repr=False)
class RoomSessionsQuery(PageQuery):
    """Filter of the sessions of a room."""

    created_at: Days = _query("filter[date_created_at]", _DAYS)
    updated_at: Days = _query("filter[date_updated_at]", _DAYS)
    ended_at: Days = _query("filter[date_ended_at]", _DAYS)
    active: bool | None = _query("filter[active]", _FLAG)
    include_participants: bool = _query("include_participants", _FLAG, default=False)


@frozen(kw_only=True, eq=False, repr=False)
class SessionQuery:
    """Options of the request for one session."""

    include_participants: bool = _query("include_participants", _FLAG, default=False)


@frozen(kw_only=True, eq=False, repr=False)
class SessionsQuery(RoomSessionsQuery):
    """Filter of the sessions of the account."""

    room_id: RoomId | None = _query("filter[room_id]", _ROOM_ID)


@frozen(kw_only=True, eq=False, repr=False)
class SessionParticipantsQuery(PageQuery):
    """Filter of the participants of a session."""

    joined_at: Days = _query("filter[date_joined_at]", _DAYS)
    updated_at: Days = _query("filter[date_updated_at]", _DAYS)
    left_at: Days = _query("filter[date_left_at]", _DAYS)
    context: str | None = _query("filter[context]", _TEXT)


@frozen(kw_only=True, eq=False, repr=False)
class ParticipantsQuery(SessionParticipantsQuery):
    """Filter of the participants of the account."""

    session_id: SessionId | None = _query("filter[session_id]", _SESSION_ID)


@frozen(kw_only=True, eq=False, repr=False)
class RecordingsFilter:
    """Filter of the recordings to delete."""

    room_id: RoomId | None = _query("filter[room_id]", _ROOM_ID)
    session_id: SessionId | None = _query("filter[session_id]", _SESSION_ID)
    participant_id: ParticipantId | None = _query("filter[participant_id]", _PARTICIPANT_ID)
    status: str | None = _query("filter[status]", _TEXT)
    type: str | None = _query("filter[type]", _TEXT)
    started_at: Days = _query("filter[date_started_at]", _DAYS)
    ended_at: Days = _query("filter[date_ended_at]", _DAYS)
    duration_secs: DurationFilter | None = _query("filter[duration_secs]", (rules.seconds, rules.exact_text))


@frozen(kw_only=True, eq=False, repr=False)
class RecordingsQuery(RecordingsFilter):
    """Filter of the recordings of the account."""

    page_number: int = _field(_integer(1, 2**31 - 1), 1, wire="page[number]")
    page_size: int = _field(_integer(1, PAGE_SIZE_MAX), PAGE_SIZE_MAX, wire="page[size]")


@frozen(kw_only=True, eq=False, repr=False)
class CompositionsQuery(PageQuery):
    """Filter of the compositions of the account."""

    session_id: SessionId | None = _query("filter[session_id]", _SESSION_ID)
    status: str | None = _query("filter[status]", _TEXT)
    created_at: Days = _query("filter[date_created_at]", _DAYS)


class ValidRoomFields(dict[str, object]):
    """Fields of a room that were validated, as those of a table are. They are not validated again."""


def _without_rules(_: type, fields: list[Any]) -> list[Any]:
    return [field.evolve(converter=None, metadata={**field.metadata, "rule": None}) for field in fields]


@frozen(kw_only=True, eq=False, repr=False, field_transformer=_without_rules)
class _ValidRoomBody(RoomBody):
    """A body that was validated: its values are exact already."""


def room_body(fields: Mapping[str, object]) -> RoomBody:
    """Return the body of a room.

    Raises:
        InvalidArgumentError: it is not a mapping, or has an unknown field.
    """
    data = cast("object", fields)
    if isinstance(data, ValidRoomFields):
        return _ValidRoomBody(**cast("RoomFields", data))
    if not isinstance(data, Mapping):
        raise InvalidArgumentError((f"a room must be given by its fields, not {short_repr(data)}",))
    try:
        exact = {exact_text(name): value for name, value in cast("Mapping[object, object]", data).items()}
    except Exception:  # noqa: BLE001 - a user's mapping can raise anything
        raise InvalidArgumentError(
            (f"the fields of a room cannot be read from {short_repr(fields)}",)
        ) from None
    wrong = [name for name in exact if name not in attrs.fields_dict(RoomBody)]
    if wrong:
        raise InvalidArgumentError(tuple(f"a room has no field {short_repr(name)}" for name in wrong))
    return RoomBody(**cast("RoomFields", exact))
