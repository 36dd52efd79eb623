"""Types of arguments, the exact values that are sent, and the validators of these.

A validator (`Rule`) returns what is wrong with a value, or None. Bounds are those of the API reference.
"""

import enum
import operator
import re
import reprlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime
from functools import cache
from ipaddress import IPv6Address, ip_address
from itertools import pairwise
from typing import Any, Final, TypeAlias, TypedDict, TypeVar, cast
from urllib.parse import urlsplit
from uuid import UUID

from attrs import evolve, field, frozen
from yarl import URL

from telnyx_rooms_async.core.secret import Secret
from telnyx_rooms_async.errors import InvalidArgumentError
from telnyx_rooms_async.models import (
    OMIT_DEFAULT,
    Room,
    RoomComposition,
    RoomParticipant,
    RoomRecording,
    RoomSession,
    Value,
    VideoRegion,
    public_url,
)

Id: TypeAlias = str | UUID
RoomId: TypeAlias = Id | Room
SessionId: TypeAlias = Id | RoomSession
ParticipantId: TypeAlias = Id | RoomParticipant
RecordingId: TypeAlias = Id | RoomRecording
CompositionId: TypeAlias = Id | RoomComposition
Rule: TypeAlias = Callable[[object], str | None]
Converter: TypeAlias = Callable[[object], object]

T = TypeVar("T")
_Model: TypeAlias = Room | RoomSession | RoomParticipant | RoomRecording | RoomComposition


class UnsetType(enum.Enum):
    """The type of `UNSET`.

    Example:
        >>> room = await client.rooms.update(room_id, max_participants=25, enable_recording=UNSET)
    """

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Final = UnsetType.UNSET
"""Do not send this field. None is different: it sends null, which clears the field."""


_REPR: Final = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = _MAX_REPR = 60


def short_repr(value: object) -> str:
    """Return a short repr of a value, for an error message."""
    try:
        # reprlib goes by the name of a class, and a user's class may have the name of a builtin one.
        is_builtin = type(value).__module__ == "builtins"
        shown = _REPR.repr(value) if is_builtin else str.__str__(repr(value))
    except Exception:  # noqa: BLE001 - a __repr__ can raise anything, and a huge int cannot be printed
        return f"a {type(value).__name__} that cannot be printed"
    return shown if len(shown) <= _MAX_REPR else f"{shown[:28]}...{shown[-29:]}"


# --- exact values -------------------------------------------------------------------------------------------
#
# What is validated is what is sent. A subclass of str can have a `__str__`, `__format__` or `__eq__` of its
# own (an Enum member prints as "Color.RED"), so arguments are replaced by exact values of the builtin types
# before anything looks at them. What cannot be converted stays as it is, and its rule refuses it.


def exact_text(value: T) -> T | str:
    """Return the text of a str subclass as an exact str; a `Secret` and other values unchanged."""
    if type(value) in (str, Secret) or not issubclass(type(value), str):
        return value
    return str.__str__(cast("str", value))


def exact_url(value: object) -> object:
    """Return a URL as text: a str, or a `yarl.URL`."""
    if value is UNSET:
        return value
    return str(value) if type(value) is URL else exact_text(value)


def _scalar(value: object) -> object:
    """Return the Python object that a scalar of numpy stands for."""
    if type(value).__module__ != "numpy":
        return value
    scalar = cast("Any", value)
    try:
        return scalar.item() if scalar.ndim == 0 else value
    except Exception:  # noqa: BLE001 - it may be another class of that name
        return value


def exact_integer(value: Any) -> Any:  # noqa: ANN401 - what is no integer is refused later
    """Return an exact int for what has an index (an IntEnum member), or is an integral float."""
    if type(value) is int or value is UNSET:
        return value
    value = _scalar(value)
    if value is None or isinstance(value, bool | UnsetType):
        return value
    if isinstance(value, float):
        return int(value) if float.is_integer(value) else value
    try:
        return operator.index(value)
    except Exception:  # noqa: BLE001 - the __index__ of a user's class can raise anything
        return value


def exact_number(value: Any) -> Any:  # noqa: ANN401 - what is no number is refused later
    """Return a number of numpy as an exact float or int, and any other number as `exact_integer` does."""
    value = _scalar(value)
    return value if isinstance(value, float) else exact_integer(value)


def exact_flag(value: object) -> object:
    """Return a boolean of numpy as a bool. An integer is not a flag."""
    if type(value) is bool or value is UNSET:
        return value
    scalar = _scalar(value)
    return scalar if type(scalar) is bool else value


def exact_date(value: object) -> object:
    """Return a day as an exact date: a date, or ISO 8601 text such as ``"2021-04-25"``."""
    value = exact_text(_scalar(value))
    if isinstance(value, date) and not isinstance(value, datetime):
        return date(value.year, value.month, value.day)
    if isinstance(value, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        with suppress(ValueError):  # "2021-02-30"
            return date.fromisoformat(value)
    return value


def exact_id(model: type[_Model]) -> Converter:
    """Return the converter for an id: text, a UUID, or a value of `model`, which stands for its id."""

    def convert(value: object) -> object:
        if type(value) is str:
            return value
        if issubclass(type(value), model):
            # A model without an id stays a model, which is refused: None would be an absent filter.
            model_id = cast("object", cast("_Model", value).id)
            return exact_text(model_id) if issubclass(type(model_id), str) else value
        if issubclass(type(value), UUID):
            return UUID.__str__(cast("UUID", value))
        return exact_text(value)

    return convert


def exact_items(item: Converter) -> Converter:
    """Return the converter for several values in any iterable: a list, a generator, an array."""

    def convert(value: object) -> object:
        if value is UNSET or issubclass(type(value), str | bytes | Mapping):
            return exact_text(value)
        try:
            return tuple(map(item, cast("Iterable[object]", value)))
        except Exception:  # noqa: BLE001 - iterating a user's object can raise anything
            return value

    return convert


exact_room_id: Final = exact_id(Room)
exact_session_id: Final = exact_id(RoomSession)
exact_participant_id: Final = exact_id(RoomParticipant)
exact_sources: Final = exact_items(exact_id(RoomRecording))
EXACT_IDS: Final[Mapping[str, Converter]] = {
    "room_id": exact_room_id,
    "session_id": exact_session_id,
    "participant_id": exact_participant_id,
    "recording_id": exact_id(RoomRecording),
    "composition_id": exact_id(RoomComposition),
}
"""By the names of the ids in the paths of the API."""


def exact_layout(value: object) -> object:
    """Return a mapping of regions as a dict with exact names and fields."""
    if not issubclass(type(value), Mapping):
        return value
    try:
        regions = dict(cast("Mapping[object, object]", value).items())
    except Exception:  # noqa: BLE001 - a user's mapping can raise anything
        return None  # refused like any other value that is not a mapping
    for region_name, region in regions.items():
        if isinstance(region, VideoRegion):
            changes: dict[str, Any] = {name: exact_integer(getattr(region, name)) for name in _REGION_NUMBERS}
            changes["video_sources"] = exact_sources(region.video_sources)
            regions[region_name] = evolve(region, **changes)
    return {exact_text(region_name): region for region_name, region in regions.items()}


# --- filters, and fields of a room ------------------------------------------------------------------------


def _bound(value: date | str | None) -> date | None:
    return cast("date | None", exact_date(value))


def _seconds(value: int | None) -> int | None:
    return cast("int | None", exact_integer(value))


@frozen(kw_only=True, eq=False, repr=False)
class DateFilter(Value):
    """Calendar days, both ends included: ``DateFilter(gte=date(2021, 4, 25))``, or ISO 8601 text.

    Telnyx does not say in which time zone a day begins. At least one of the three must be given.

    Example:
        >>> await client.rooms.list(created_at=DateFilter(gte=date(2021, 1, 1))).count()
        2
    """

    eq: date | None = field(default=None, converter=_bound, metadata=OMIT_DEFAULT)
    """On this day."""
    gte: date | None = field(default=None, converter=_bound, metadata=OMIT_DEFAULT)
    """On this day or later."""
    lte: date | None = field(default=None, converter=_bound, metadata=OMIT_DEFAULT)
    """On this day or earlier."""


@frozen(kw_only=True, eq=False, repr=False)
class DurationFilter(Value):
    """Whole seconds, both ends included: ``DurationFilter(gte=60)``. At least one must be given.

    Example:
        >>> await client.recordings.list(duration_secs=DurationFilter(gte=60)).count()
        2
    """

    eq: int | None = field(default=None, converter=_seconds, metadata=OMIT_DEFAULT)
    """Exactly this long."""
    gte: int | None = field(default=None, converter=_seconds, metadata=OMIT_DEFAULT)
    """This long or longer."""
    lte: int | None = field(default=None, converter=_seconds, metadata=OMIT_DEFAULT)
    """This long or shorter."""


Days: TypeAlias = date | str | DateFilter | None
"""A day, as ISO 8601 text too, or a range of days."""


class RoomSettings(TypedDict, total=False):
    """Settings of a room, as keyword arguments or as a dict. `UNSET` and a missing setting are the same.

    Example:
        >>> settings: RoomSettings = {"enable_recording": True}
        >>> room = await client.rooms.create("Retro", **settings)
    """

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


# --- text, numbers, ids -----------------------------------------------------------------------------------

_QUOTES: Final = "\"'`\u2018\u2019\u201c\u201d"
"""Straight quotation marks, a backtick, and the curved ones of word processors."""
_INVISIBLE: Final = (
    "[\\s\\x00-\\x1f\\x7f-\\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]*"
)
"""White space, control characters, and characters that Unicode displays as nothing."""
# What RFC 3986 leaves unreserved needs no quoting, so an id never leaves its path segment.
_ID: Final = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._~-]{1,255}")
is_id: Final = _ID.fullmatch
"""Matches text that is an id."""
is_visible_ascii: Final = re.compile("[!-~]+").fullmatch
"""Matches text of visible ASCII characters, without a space."""


def is_text(value: Any) -> bool:  # noqa: ANN401 - any value
    """Return whether a value is a string that can be encoded as UTF-8."""
    if not issubclass(type(value), str):
        return False
    try:
        str.encode(value)
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return True


def is_blank(value: object) -> bool:
    """Return whether a value is None, or text without a visible character."""
    return value is None or (isinstance(value, str) and _invisible().fullmatch(value) is not None)


@cache
def _invisible() -> re.Pattern[str]:
    """Return the pattern of text that shows nothing, compiled when it is needed first."""
    return re.compile(_INVISIBLE)


def is_quoted(value: str) -> bool:
    """Return whether a text begins or ends with a quotation mark, as a value copied with its quotes does."""
    bare = value.strip()
    return bool(bare) and (bare[0] in _QUOTES or bare[-1] in _QUOTES)


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine for certain: ``localhost``, or a literal loopback address.

    A name below ``localhost`` is not: what it resolves to depends on the resolver. Neither is a number such
    as ``127.1``, which only some programs read as an address.
    """
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback and "%" not in host


def has_valid_labels(host: str) -> bool:
    """Return whether each label of a host has the length that DNS allows: a resolver refuses any other."""
    return all(0 < len(label) < 64 for label in host.removesuffix(".").split("."))  # noqa: PLR2004 - of RFC 1035


def text(value: object) -> str | None:
    """Accept any text that is not empty."""
    if is_text(value) and value:
        return None
    return f"must be a non-empty Unicode string, not {short_repr(value)}"


def name(value: object) -> str | None:
    """Accept any text that is not blank."""
    if problem := text(value):
        return problem
    return f"must not be blank, got {short_repr(value)}" if is_blank(value) else None


def hidden_text(value: object) -> str | None:
    """Accept any text that is not empty, and never show it."""
    return None if is_text(value) and value else "must be a non-empty Unicode string"


def flag(value: object) -> str | None:
    """Accept a boolean."""
    return None if isinstance(value, bool) else f"must be True or False, not {short_repr(value)}"


def integer(low: int, high: int) -> Rule:
    """Return the rule for an integer from `low` to `high`."""

    def rule(value: object) -> str | None:
        if type(value) is int and low <= value <= high:
            return None
        return f"must be an int from {low} to {high}, not {short_repr(value)}"

    return rule


def checked_count(name: str, value: object, minimum: int = 1) -> int:
    """Return an integer of any class as an `int`, or raise an error if it is less than `minimum`."""
    number = exact_integer(value)
    if type(number) is int and number >= minimum:
        return number
    problem = f"{name} must be a whole number of at least {minimum}, got {short_repr(value)}"
    raise InvalidArgumentError((problem,))


def checked_limit(name: str, value: object, minimum: int = 1) -> int | None:
    """Do the same as `checked_count`, but accept None, which means that there is no limit."""
    return None if value is None else checked_count(name, value, minimum)


def checked_flag(name: str, value: object) -> bool:
    """Return a boolean of any class as a `bool`, or raise an error for any other value."""
    exact = exact_flag(value)
    if problem := flag(exact):
        raise InvalidArgumentError((f"{name} {problem}",))
    return cast("bool", exact)


def check_function(name: str, value: object) -> None:
    """Raise an error for an optional function that cannot be called."""
    if value is not None and not callable(value):
        raise InvalidArgumentError((f"{name} must be a function, not {short_repr(value)}",))


def checked_seconds(name: str, value: object) -> float:
    """Return a positive number of any class as a `float`, or raise an error for any other value."""
    number = exact_number(value)
    if isinstance(number, int | float) and type(number) is not bool and 0 < number < 2**31:
        return float(number)
    raise InvalidArgumentError((f"{name} must be a positive number of seconds, not {short_repr(value)}",))


def url(value: object) -> str | None:
    """Accept a URL with its scheme."""
    if is_text(value) and re.fullmatch(r"https?://[^\s/?#]+\S*", cast("str", value), re.IGNORECASE):
        with suppress(ValueError):  # a bracket that is not closed, a wrong port or label
            parts = urlsplit(cast("str", value))
            if parts.hostname and parts.hostname.encode("idna") and parts.port != 0:
                return None
    # A URL is shown without its secrets; a value of another type, which may hold one, is not shown.
    if issubclass(type(value), str):
        shown = short_repr(public_url(cast("str", value)))
    else:
        shown = "None" if value is None else f"a value of {type(value).__name__}"
    return f"must be a URL with its scheme, http:// or https://, not {shown}"


def url_or_empty(value: object) -> str | None:
    """Accept a URL with its scheme, or the empty text that clears it."""
    return None if is_text(value) and not value else url(value)


def one_id(value: object) -> str | None:
    """Accept an id."""
    if issubclass(type(value), str) and is_id(cast("str", value)):
        return None
    shown = short_repr(value)
    if isinstance(value, _Model):  # only its class is shown, because it may hold a download link
        shown = f"a {type(value).__name__}{'' if value.id else ' without an id'}"
    return f"must be a Telnyx id such as '0ccc7b54-…', not {shown}"


def _items(value: object) -> tuple[object, ...] | None:
    return cast("tuple[object, ...]", value) if isinstance(value, tuple) else None


def ids(value: object) -> str | None:
    """Accept a tuple of ids."""
    if (items := _items(value)) is None:
        return f"must be an iterable of ids, not {short_repr(value)}"
    return next(filter(None, map(one_id, items)), None)


def ids_or_all(value: object) -> str | None:
    """Accept ids or ``"all"``, but not an empty tuple, whose effect is not documented."""
    if _items(value) == ():
        return "must not be empty"
    if (type(value) is str and value == "all") or not (wrong := ids(value)):
        return None
    return f'{wrong}, nor "all"'


def sources(value: object) -> str | None:
    """Accept recording ids, where ``"*"`` stands for all recordings of the session."""
    if not (items := _items(value)):
        return f'must be an iterable of recording ids, or ["*"], not {short_repr(value)}'
    return ids(tuple(item for item in items if not (type(item) is str and item == "*")))


# --- ranges -------------------------------------------------------------------------------------------------


def days(value: object) -> str | None:
    """Accept a day or a range of days."""
    return _range(value, _day) if isinstance(value, DateFilter) else _day(value)


def _day(value: object) -> str | None:
    if isinstance(value, datetime):
        return f"must be a date without a time, not {short_repr(value)}: pass its .date()"
    if isinstance(value, date):
        return None
    return f"must be a date, ISO 8601 text such as '2021-04-25', or a DateFilter, not {short_repr(value)}"


def seconds(value: object) -> str | None:
    """Accept a range of durations."""
    if isinstance(value, DurationFilter):
        return _range(value, integer(0, 2**31 - 1))
    return f"must be a DurationFilter, not {short_repr(value)}"


def _range(bounds: DateFilter | DurationFilter, rule: Rule) -> str | None:
    by_name = [(end, bound) for end in ("gte", "eq", "lte") if (bound := getattr(bounds, end)) is not None]
    if not by_name:
        return "must have one of eq, gte and lte"
    if wrong := next(filter(None, (rule(bound) for _, bound in by_name)), None):
        return wrong
    for (low_name, low), (high_name, high) in pairwise(by_name):
        if low > high:
            return f"matches nothing: {low_name} {low} is after {high_name} {high}"
    return None


# --- compositions -------------------------------------------------------------------------------------------

_SIDE_MIN, _SIDE_MAX, _AREA_MAX = 16, 1280, 1280 * 720
_REGION_NUMBERS: Final[Mapping[str, Rule]] = {
    "height": integer(_SIDE_MIN, _SIDE_MAX),
    "width": integer(_SIDE_MIN, _SIDE_MAX),
    "x_pos": integer(-_SIDE_MAX, _SIDE_MAX),
    "y_pos": integer(-_SIDE_MAX, _SIDE_MAX),
    "z_pos": integer(-99, 99),
    "max_columns": integer(1, 1000),
    "max_rows": integer(1, 1000),
}


def resolution(value: object) -> str | None:
    """Accept ``"1280x720"``, or a resolution with no longer side and no larger area."""
    match = re.fullmatch("([1-9][0-9]{1,3})x([1-9][0-9]{1,3})", value) if isinstance(value, str) else None
    width, height = (int(match[1]), int(match[2])) if match else (0, 0)
    if min(width, height) >= _SIDE_MIN and max(width, height) <= _SIDE_MAX and width * height <= _AREA_MAX:
        return None
    return f'must be "WIDTHxHEIGHT", each 16 to 1280 and the area up to 1280x720, not {short_repr(value)}'


def layout(value: object) -> str | None:
    """Accept one or two named regions."""
    shown = short_repr(value)
    regions = cast("dict[object, object]", value) if isinstance(value, dict) else {}
    if not 1 <= len(regions) <= 2:  # noqa: PLR2004 - as the message says
        return f"must name 1 or 2 regions, not {shown}"
    for region_name, region in regions.items():
        shown = short_repr(region_name)
        if text(region_name) or not isinstance(region, VideoRegion):
            return f"must map names to VideoRegion values, not {shown} to {short_repr(region)}"
        for part, rule in {**_REGION_NUMBERS, "video_sources": sources}.items():
            part_value: object = getattr(region, part)
            if part_value is not None and (wrong := rule(part_value)):
                return f"region {shown}: {part} {wrong}"
    return None
