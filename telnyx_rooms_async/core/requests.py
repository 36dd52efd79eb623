"""Request models: bodies and filters, each field with its rule and its name in the request.

A value of these classes may be wrong: `problems` returns everything that is wrong with it, before anything is
sent. The converter unstructures it to what is sent.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from itertools import chain
from typing import Any, Final, Literal, TypeAlias, TypedDict, cast
from uuid import UUID

import attrs
from attrs import frozen

from telnyx_rooms_async.core import validators as rules
from telnyx_rooms_async.core.secret import Secret, hidden
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
from telnyx_rooms_async.models import RoomRecording, VideoRegion, secret_parts
from telnyx_rooms_async.serialization import converter

Days: TypeAlias = date | str | DateFilter | None

_EXACT_PARTICIPANTS: Final = rules.exact_items(rules.exact_participant_id)

# --- bodies -----------------------------------------------------------------------------------------------


def _body(rule: Rule, exact: Converter, *, nullable: bool = False) -> Any:  # noqa: ANN401 - as attrs.field: the annotation is the type
    metadata: dict[Any, Any] = {**OMIT_DEFAULT, "rule": rule, "nullable": nullable}
    return attrs.field(default=UNSET, converter=exact, metadata=metadata)


def _required(rule: Rule, exact: Converter) -> Any:  # noqa: ANN401 - as attrs.field
    return attrs.field(default=attrs.NOTHING, converter=exact, metadata={"rule": rule})


@frozen(kw_only=True, eq=False, repr=False)
class RoomBody:
    """Body of the requests that create or update a room."""

    unique_name: str | UnsetType = _body(rules.name, rules.exact_text)
    max_participants: int | UnsetType = _body(rules.integer(2, 50), rules.exact_integer)
    enable_recording: bool | UnsetType = _body(rules.flag, rules.exact_flag)
    webhook_event_url: str | UnsetType = _body(rules.url, rules.exact_url)
    webhook_event_failover_url: str | UnsetType | None = _body(
        rules.url_or_none, rules.exact_url, nullable=True
    )
    webhook_timeout_secs: int | UnsetType | None = _body(
        rules.integer(0, 30), rules.exact_integer, nullable=True
    )


@frozen(kw_only=True, eq=False, repr=False)
class TokenBody:
    """Body of the request that creates a client token."""

    token_ttl_secs: int | UnsetType = _body(rules.integer(10, 3600), rules.exact_integer)
    refresh_token_ttl_secs: int | UnsetType = _body(rules.integer(60, 86400), rules.exact_integer)


@frozen(kw_only=True, eq=False, repr=False)
class RefreshBody:
    """Body of the request that refreshes a client token."""

    refresh_token: Secret = attrs.field(converter=hidden, repr=False, metadata={"rule": rules.hidden_text})
    token_ttl_secs: int | UnsetType = _body(rules.integer(10, 3600), rules.exact_integer)


@frozen(kw_only=True, eq=False, repr=False)
class ParticipantsBody:
    """Body of an action on participants of a session."""

    participants: Literal["all"] | Iterable[ParticipantId] = _required(rules.ids_or_all, _EXACT_PARTICIPANTS)
    exclude: Iterable[ParticipantId] | UnsetType = _body(rules.ids, _EXACT_PARTICIPANTS)


@frozen(kw_only=True, eq=False, repr=False)
class CompositionBody:
    """Body of the request that creates a composition."""

    session_id: SessionId = _required(rules.one_id, rules.exact_session_id)
    video_layout: Mapping[str, VideoRegion] | UnsetType = _body(rules.layout, rules.exact_layout)
    audio_sources: Iterable[str | UUID | RoomRecording] | UnsetType | None = _body(
        rules.sources, rules.exact_sources, nullable=True
    )
    format: str | UnsetType = _body(rules.text, rules.exact_text)
    resolution: str | UnsetType = _body(rules.resolution, rules.exact_text)
    webhook_event_url: str | UnsetType = _body(rules.url, rules.exact_url)
    webhook_event_failover_url: str | UnsetType | None = _body(
        rules.url_or_none, rules.exact_url, nullable=True
    )
    webhook_timeout_secs: int | UnsetType | None = _body(
        rules.integer(0, 30), rules.exact_integer, nullable=True
    )


# --- queries ----------------------------------------------------------------------------------------------

PAGE_SIZE_MAX: Final = 250


def _query(wire: str, rule: Rule, exact: Converter) -> Any:  # noqa: ANN401 - as attrs.field
    metadata: dict[Any, Any] = {**OMIT_DEFAULT, "rule": rule, "wire": wire}
    return attrs.field(default=cast("object", None), converter=exact, metadata=metadata)


def _include(wire: str) -> Any:  # noqa: ANN401 - as attrs.field
    metadata: dict[Any, Any] = {**OMIT_DEFAULT, "rule": rules.flag, "wire": wire}
    return attrs.field(default=False, converter=rules.exact_flag, metadata=metadata)


def _page(wire: str, highest: int, default: object) -> Any:  # noqa: ANN401 - as attrs.field
    metadata = {"rule": rules.integer(1, highest), "wire": wire}
    return attrs.field(default=default, converter=rules.exact_integer, metadata=metadata)


def _exact_days(value: object) -> object:
    exact = rules.exact_date(value)
    return DateFilter(eq=exact) if type(exact) is date else exact


def _same(value: object) -> object:
    return value


def _page_number() -> Any:  # noqa: ANN401 - as attrs.field
    return _page("page[number]", 2**31 - 1, default=1)


def _page_size() -> Any:  # noqa: ANN401 - as attrs.field
    return _page("page[size]", PAGE_SIZE_MAX, default=PAGE_SIZE_MAX)


@frozen(kw_only=True, eq=False, repr=False)
class RoomQuery:
    """Options of the request for one room."""

    include_sessions: bool = _include("include_sessions")


@frozen(kw_only=True, eq=False, repr=False)
class PageQuery:
    """Page of a list."""

    page_number: int = _page_number()
    page_size: int = _page_size()


@frozen(kw_only=True, eq=False, repr=False)
class RoomsQuery(PageQuery):
    """Filter of rooms."""

    created_at: Days = _query("filter[date_created_at]", rules.days, _exact_days)
    updated_at: Days = _query("filter[date_updated_at]", rules.days, _exact_days)
    unique_name: str | None = _query("filter[unique_name]", rules.name, rules.exact_text)
    include_sessions: bool = _include("include_sessions")


@frozen(kw_only=True, eq=False, repr=False)
class RoomSessionsQuery(PageQuery):
    """Filter of the sessions of a room."""

    created_at: Days = _query("filter[date_created_at]", rules.days, _exact_days)
    updated_at: Days = _query("filter[date_updated_at]", rules.days, _exact_days)
    ended_at: Days = _query("filter[date_ended_at]", rules.days, _exact_days)
    active: bool | None = _query("filter[active]", rules.flag, rules.exact_flag)
    include_participants: bool = _include("include_participants")


@frozen(kw_only=True, eq=False, repr=False)
class SessionQuery:
    """Options of the request for one session."""

    include_participants: bool = _include("include_participants")


@frozen(kw_only=True, eq=False, repr=False)
class SessionsQuery(RoomSessionsQuery):
    """Filter of the sessions of the account."""

    room_id: RoomId | None = _query("filter[room_id]", rules.one_id, rules.exact_room_id)


@frozen(kw_only=True, eq=False, repr=False)
class SessionParticipantsQuery(PageQuery):
    """Filter of the participants of a session."""

    joined_at: Days = _query("filter[date_joined_at]", rules.days, _exact_days)
    updated_at: Days = _query("filter[date_updated_at]", rules.days, _exact_days)
    left_at: Days = _query("filter[date_left_at]", rules.days, _exact_days)
    context: str | None = _query("filter[context]", rules.text, rules.exact_text)


@frozen(kw_only=True, eq=False, repr=False)
class ParticipantsQuery(SessionParticipantsQuery):
    """Filter of the participants of the account."""

    session_id: SessionId | None = _query("filter[session_id]", rules.one_id, rules.exact_session_id)


@frozen(kw_only=True, eq=False, repr=False)
class RecordingsFilter:
    """Filter of the recordings to delete."""

    room_id: RoomId | None = _query("filter[room_id]", rules.one_id, rules.exact_room_id)
    session_id: SessionId | None = _query("filter[session_id]", rules.one_id, rules.exact_session_id)
    participant_id: ParticipantId | None = _query(
        "filter[participant_id]", rules.one_id, rules.exact_participant_id
    )
    status: str | None = _query("filter[status]", rules.text, rules.exact_text)
    type: str | None = _query("filter[type]", rules.text, rules.exact_text)
    started_at: Days = _query("filter[date_started_at]", rules.days, _exact_days)
    ended_at: Days = _query("filter[date_ended_at]", rules.days, _exact_days)
    duration_secs: DurationFilter | None = _query("filter[duration_secs]", rules.seconds, _same)


@frozen(kw_only=True, eq=False, repr=False)
class RecordingsQuery(RecordingsFilter):
    """Filter of the recordings of the account."""

    page_number: int = _page_number()
    page_size: int = _page_size()


@frozen(kw_only=True, eq=False, repr=False)
class CompositionsQuery(PageQuery):
    """Filter of the compositions of the account."""

    session_id: SessionId | None = _query("filter[session_id]", rules.one_id, rules.exact_session_id)
    status: str | None = _query("filter[status]", rules.text, rules.exact_text)
    created_at: Days = _query("filter[date_created_at]", rules.days, _exact_days)


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
    """Name and settings of a room: ``{"unique_name": "Weekly", "max_participants": 25}``."""

    unique_name: str | UnsetType
    """Unique within the account."""


class ValidRoomFields(dict[str, object]):
    """Fields of a room that were validated, as those of a table are. They are not validated again."""


def _without_converters(_: type, fields: list[Any]) -> list[Any]:
    return [field.evolve(converter=None) for field in fields]


@frozen(kw_only=True, eq=False, repr=False, field_transformer=_without_converters)
class _ValidRoomBody(RoomBody):
    """A body that was validated: its values are exact already."""


def room_body(fields: RoomFields) -> RoomBody:
    """Return the body of a room.

    Raises:
        InvalidArgumentError: it is not a mapping, or has an unknown field.
    """
    data = cast("object", fields)
    if isinstance(data, ValidRoomFields):
        return _ValidRoomBody(**fields)
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
    for name, default, metadata in _fields(type(request)):
        value = getattr(request, name)
        if (value is default and "omit_default" in metadata) or (value is None and metadata.get("nullable")):
            continue
        if problem := metadata["rule"](value):
            yield f"{name} {problem}"


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
    hidden_names, url_names = _secret_fields(type(body))
    parts = (secret_parts(value) for name in url_names if isinstance(value := getattr(body, name), str))
    return (*(getattr(body, name) for name in hidden_names), *chain.from_iterable(parts))


@cache
def _secret_fields(cl: type[attrs.AttrsInstance]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the hidden fields, and of the fields that are webhook URLs."""
    by_rule = [(name, metadata["rule"]) for name, _, metadata in _fields(cl)]
    return (
        tuple(name for name, rule in by_rule if rule is rules.hidden_text),
        tuple(name for name, rule in by_rule if rule in (rules.url, rules.url_or_none)),
    )


@cache
def _fields(cl: type[attrs.AttrsInstance]) -> tuple[tuple[str, object, Mapping[str, Any]], ...]:
    return tuple((field.name, field.default, field.metadata) for field in attrs.fields(cl))
