"""What we may ask: bodies and queries, each field with its name on the wire and its rule.

A value here is inert and may be wrong; `problems` tells what is wrong with it, all at once, before
anything is sent. Bounds and nulls are those of the Telnyx API reference.
"""

import enum
import re
import reprlib
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any, Final, TypeAlias

import attrs
from attrs import frozen


class UnsetType(enum.Enum):
    """The type of `UNSET`."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Final = UnsetType.UNSET
"""Leave this field alone. ``None`` is another thing: it sends null, which clears."""


@frozen(kw_only=True)
class DateFilter:
    """Calendar days, both ends included: ``DateFilter(gte=date(2021, 4, 25))``.

    Telnyx does not say in which time zone a day begins. At least one of the three must be given.
    """

    eq: date | None = None
    gte: date | None = None
    lte: date | None = None


# --- rules: what is wrong with a value, or None ---------------------------------------------------------

Rule: TypeAlias = Callable[[object], str | None]

_SHORT: Final = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60

_HTTP_URL = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def is_text(value: object) -> bool:
    """Tell whether a value is a string that UTF-8 can carry."""
    return isinstance(value, str) and not _LONE_SURROGATE.search(value)


def _text(value: object) -> str | None:
    if is_text(value) and value:
        return None
    return f"must be a non-empty Unicode string, not {show(value)}"


def _flag(value: object) -> str | None:
    return None if isinstance(value, bool) else f"must be True or False, not {show(value)}"


def _integer(low: int, high: int) -> Rule:
    def rule(value: object) -> str | None:
        if type(value) is int and low <= value <= high:
            return None
        return f"must be an int from {low} to {high}, not {show(value)}"

    return rule


def _url(value: object) -> str | None:
    if isinstance(value, str) and is_text(value) and _HTTP_URL.fullmatch(value):
        return None
    return f"must be a URL with its scheme, http:// or https://, not {show(value)}"


def _days(value: object) -> str | None:
    if not isinstance(value, DateFilter):
        return _day(value)
    given = [day for day in (value.eq, value.gte, value.lte) if day is not None]
    if not given:
        return "must have one of eq, gte and lte"
    if wrong := next(filter(None, map(_day, given)), None):
        return wrong
    if value.gte and value.lte and value.gte > value.lte:
        return f"must not begin after it ends: gte {value.gte} is later than lte {value.lte}"
    return None


def _day(value: object) -> str | None:
    if isinstance(value, datetime):
        return f"must be a date without a time, not {show(value)}: pass its .date()"
    return None if isinstance(value, date) else f"must be a date or a DateFilter, not {show(value)}"


def show(value: object) -> str:
    """Print a value for a message, cut to a length that a line of a log can take."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python does not print an int of more than 4300 digits
        return f"a {type(value).__name__} too large to print"


# --- bodies -----------------------------------------------------------------------------------------------


def _body(rule: Rule, *, nullable: bool = False) -> Any:  # noqa: ANN401 - as attrs.field: the annotation is the type
    return attrs.field(default=UNSET, metadata={"rule": rule, "absent": UNSET, "nullable": nullable})


@frozen(kw_only=True)
class RoomBody:
    """What a room is created or updated with."""

    unique_name: str | UnsetType = _body(_text)
    max_participants: int | UnsetType = _body(_integer(2, 50))
    enable_recording: bool | UnsetType = _body(_flag)
    webhook_event_url: str | UnsetType = _body(_url)
    webhook_event_failover_url: str | UnsetType | None = _body(_url, nullable=True)
    webhook_timeout_secs: int | UnsetType | None = _body(_integer(0, 30), nullable=True)


# --- queries ----------------------------------------------------------------------------------------------

PAGE_SIZE_MAX: Final = 250


def _query(wire: str, rule: Rule, default: object = None) -> Any:  # noqa: ANN401 - as attrs.field
    # None is "not asked for", unless the field has a default: then it is a mistake.
    absent = None if default is None else UNSET
    return attrs.field(default=default, metadata={"rule": rule, "absent": absent, "wire": wire})


@frozen(kw_only=True)
class RoomQuery:
    """How one room is retrieved."""

    include_sessions: bool = _query("include_sessions", _flag, default=False)


@frozen(kw_only=True)
class PageQuery:
    """Which page of a list."""

    page_number: int = _query("page[number]", _integer(1, 2**31 - 1), default=1)
    page_size: int = _query("page[size]", _integer(1, PAGE_SIZE_MAX), default=PAGE_SIZE_MAX)


@frozen(kw_only=True)
class RoomsQuery(PageQuery):
    """Which rooms to list."""

    created_at: date | DateFilter | None = _query("filter[date_created_at]", _days)
    updated_at: date | DateFilter | None = _query("filter[date_updated_at]", _days)
    unique_name: str | None = _query("filter[unique_name]", _text)
    include_sessions: bool = _query("include_sessions", _flag, default=False)


@frozen(kw_only=True)
class RoomSessionsQuery(PageQuery):
    """Which sessions of a room to list."""

    created_at: date | DateFilter | None = _query("filter[date_created_at]", _days)
    updated_at: date | DateFilter | None = _query("filter[date_updated_at]", _days)
    ended_at: date | DateFilter | None = _query("filter[date_ended_at]", _days)
    active: bool | None = _query("filter[active]", _flag)
    include_participants: bool = _query("include_participants", _flag, default=False)


# --- reading a body or a query ------------------------------------------------------------------------------


def problems(params: attrs.AttrsInstance) -> Iterator[str]:
    """Tell everything that is wrong with a body or a query, one sentence a field."""
    for field in attrs.fields(type(params)):
        value = getattr(params, field.name)
        if value is field.metadata["absent"]:
            continue
        if value is None and field.metadata.get("nullable"):
            continue
        if wrong := field.metadata["rule"](value):
            yield f"{field.name} {wrong}"


def body_fields(body: attrs.AttrsInstance) -> dict[str, object]:
    """Return the fields of a body that are to be sent; ``None`` is sent as null."""
    values = ((field.name, getattr(body, field.name)) for field in attrs.fields(type(body)))
    return {name: value for name, value in values if value is not UNSET}


def query_pairs(query: attrs.AttrsInstance) -> Iterator[tuple[str, str]]:
    """Spell a query out as the API wants it: ``filter[date_created_at][gte]``, ``2021-04-25``."""
    for field in attrs.fields(type(query)):
        wire, value = field.metadata["wire"], getattr(query, field.name)
        if isinstance(value, date):
            yield f"{wire}[eq]", value.isoformat()
        elif isinstance(value, DateFilter):
            days = attrs.asdict(value).items()
            yield from ((f"{wire}[{operator}]", day.isoformat()) for operator, day in days if day is not None)
        elif isinstance(value, bool):
            # An `include_...` is sent only when wanted; a filter is sent either way.
            if value or wire.startswith("filter["):
                yield wire, "true" if value else "false"
        elif value is not None:
            yield wire, str(value)
