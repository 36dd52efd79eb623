"""Request models: bodies and filters, each field with its rule and its name in the request.

A value of these classes may be wrong: `problems` returns everything that is wrong with it, before anything is
sent. The converter unstructures it to what is sent.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any, Final, Literal, TypeAlias, TypedDict, cast
from uuid import UUID

import attrs
from attrs import frozen

from telnyx_rooms_async.core import validators as rules
from telnyx_rooms_async.core.secret import hidden
from telnyx_rooms_async.core.validators import (
    OMIT_DEFAULT,
    UNSET,
    Converter,
    DateFilter,
    DurationFilter,
    ParticipantId,
    RoomId,
    Rule,
    SessionId,
    UnsetType,
    exact_text,
    short_repr,
)
from telnyx_rooms_async.errors import InvalidArgumentError
from telnyx_rooms_async.models import RoomRecording, VideoRegion, public_url_repr, secret_parts
from telnyx_rooms_async.serialization import converter

Days: TypeAlias = date | str | DateFilter | None


def _exact_days(value: object) -> object:
    exact = rules.exact_date(value)
    return DateFilter(eq=exact) if type(exact) is date else exact


# The rule for an argument, and the converter to the exact value that the rule sees.
_Argument: TypeAlias = tuple[Rule, Converter]
_TEXT: Final = (rules.text, rules.exact_text)
_NAME: Final = (rules.name, rules.exact_text)
_FLAG: Final = (rules.flag, rules.exact_flag)
_URL: Final = (rules.url, rules.exact_url)
_URL_OR_NONE: Final = (rules.url_or_none, rules.exact_url)
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
    shown = public_url_repr if rule in (rules.url, rules.url_or_none) else rule is not rules.hidden_text
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
    webhook_event_failover_url: str | UnsetType | None = _body(_URL_OR_NONE, nullable=True)
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
    webhook_event_failover_url: str | UnsetType | None = _body(_URL_OR_NONE, nullable=True)
    webhook_timeout_secs: int | UnsetType | None = _body(_integer(0, 30), nullable=True)


# --- queries ----------------------------------------------------------------------------------------------

PAGE_SIZE_MAX: Final = 250


@frozen(kw_only=True, eq=False, repr=False)
class RoomQuery:
    """Options of the request for one room."""

    include_sessions: bool = _query("include_sessions", _FLAG, default=False)


@frozen(kw_only=True, eq=False, repr=False)
class PageQuery:
    """Page of a list."""

    page_number: int = _field(_integer(1, 2**31 - 1), 1, wire="page[number]")
    page_size: int = _field(_integer(1, PAGE_SIZE_MAX), PAGE_SIZE_MAX, wire="page[size]")


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


class RoomSettings(TypedDict, total=False):
    """Settings of a room, as keyword arguments or as a dict. `UNSET` and a missing setting are the same."""

    max_participants: int | UnsetType
    """2 to 50. Telnyx's default is 10."""
    enable_recording: bool | UnsetType
    """Whether sessions of the room are recorded. Telnyx's default is False."""
    webhook_event_url: str | UnsetType
    """Where Telnyx sends the events of the room, with its scheme."""
    webhook_event_failover_url: str | UnsetType | None
    """Where Telnyx sends an event if the first URL fails; None for nowhere."""
    webhook_timeout_secs: int | UnsetType | None
    """0 to 30 seconds that Telnyx waits for the webhook; None for its default."""


class RoomFields(RoomSettings, total=False):
    """Name and settings of a room: ``{"unique_name": "Weekly", "max_participants": 25}``.

    Example:
        >>> fields: RoomFields = {"unique_name": "Retro", "max_participants": 25}
        >>> room = await client.rooms.create(**fields)
    """

    unique_name: str | UnsetType
    """Unique within the account."""


class ValidRoomFields(dict[str, object]):
    """Fields of a room that were validated, as those of a table are. They are not validated again."""


def _without_converters(_: type, fields: list[Any]) -> list[Any]:
    return [field.evolve(converter=None) for field in fields]


@frozen(kw_only=True, eq=False, repr=False, field_transformer=_without_converters)
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


# --- validating and encoding --------------------------------------------------------------------------------


def problems(request: attrs.AttrsInstance) -> Iterator[str]:
    """Yield one sentence for each field of a body or filter that is wrong."""
    if isinstance(request, _ValidRoomBody):
        return
    for name, rule, absent, is_nullable in _rules_of(type(request)):
        value = getattr(request, name)
        if value is absent or (is_nullable and value is None):
            continue
        if problem := rule(value):
            yield f"{name} {problem}"


@cache
def _rules_of(cls: type[attrs.AttrsInstance]) -> tuple[tuple[str, Rule, object, bool], ...]:
    """Return of each field its name, its rule, the value when it is absent, and whether it may be null."""
    return tuple(
        (
            field.name,
            field.metadata["rule"],
            field.default if "omit_default" in field.metadata else attrs.NOTHING,
            bool(field.metadata.get("nullable")),
        )
        for field in attrs.fields(cls)
    )


def body_fields(body: attrs.AttrsInstance) -> dict[str, object]:
    """Return the fields of a body that are sent; None is sent as null."""
    return cast("dict[str, object]", converter.unstructure(body))


def query_pairs(query: attrs.AttrsInstance) -> Iterator[tuple[str, str]]:
    """Yield the query parameters of a filter: ``("filter[date_created_at][gte]", "2021-04-25")``."""
    for name, value in cast("dict[str, object]", converter.unstructure(query)).items():
        if isinstance(value, dict):
            bounds = cast("dict[str, object]", value).items()
            yield from ((f"{name}[{operator}]", query_text(bound)) for operator, bound in bounds)
        else:
            yield name, query_text(value)


def query_text(value: object) -> str:
    """Return the text of a query parameter: ``true`` for True."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def secrets(body: attrs.AttrsInstance) -> tuple[str, ...]:
    """Return the parts of a body that must never be shown: hidden fields, and secrets in webhook URLs."""
    parts: list[str] = []
    for name, is_url in _secret_fields(type(body)):
        value = getattr(body, name)
        if not is_url:
            parts.append(value)
        elif isinstance(value, str):
            parts.extend(secret_parts(value))
    return tuple(parts)


@cache
def _secret_fields(cls: type[attrs.AttrsInstance]) -> tuple[tuple[str, bool], ...]:
    """Return the names of the fields that hold secrets, and whether these are parts of a URL."""
    rules_by_name = {field.name: field.metadata["rule"] for field in attrs.fields(cls)}
    hiding = (rules.hidden_text, rules.url, rules.url_or_none)
    return tuple(
        (name, rule is not rules.hidden_text) for name, rule in rules_by_name.items() if rule in hiding
    )
