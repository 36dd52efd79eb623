"""What makes an argument right: a rule tells what is wrong with a value, or None.

Bounds and nulls are those of the Telnyx API reference. The values that only arguments are made of stand
here too.
"""

import enum
import re
import reprlib
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from functools import partial
from inspect import isasyncgenfunction, iscoroutinefunction
from typing import Final, TypeAlias, cast
from urllib.parse import urlsplit
from uuid import UUID

from attrs import frozen

from telnyx_rooms_async.core.models import VideoRegion

Id: TypeAlias = str | UUID
Rule: TypeAlias = Callable[[object], str | None]


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


@frozen(kw_only=True)
class DurationFilter:
    """Whole seconds, both ends included: ``DurationFilter(gte=60)``. At least one must be given."""

    eq: int | None = None
    gte: int | None = None
    lte: int | None = None


_SHORT: Final = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60


def show(value: object) -> str:
    """Print a value for a message, cut to a length that a line of a log can take."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python does not print an int of more than 4300 digits
        return f"a {type(value).__name__} too large to print"


def is_async_callable(value: object) -> bool:
    """Return whether a call of this runs nothing by itself, and returns what must be awaited or iterated.

    It looks at functions, methods, objects with an async ``__call__``, and `functools.partial` objects of
    these. A plain function that returns a coroutine cannot be recognized.
    """
    while isinstance(value, partial):
        value = cast("partial[object]", value).func
    functions = (value, getattr(type(value), "__call__", None))  # noqa: B004 - what it is, not whether it is
    return any(iscoroutinefunction(each) or isasyncgenfunction(each) for each in functions)


# --- text, numbers, ids -----------------------------------------------------------------------------------

_HTTP_URL: Final = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# What RFC 3986 leaves unreserved needs no quoting, so an id never leaves its path segment.
_ID: Final = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._~-]{1,255}")


def is_text(value: object) -> bool:
    """Tell whether a value is a string that UTF-8 can carry."""
    return isinstance(value, str) and not _LONE_SURROGATE.search(value)


def text(value: object) -> str | None:
    """Take any text but none."""
    return None if is_text(value) and value else f"must be a non-empty Unicode string, not {show(value)}"


def hidden_text(value: object) -> str | None:
    """Take any text but none, and never show it."""
    return None if is_text(value) and value else "must be a non-empty Unicode string"


def flag(value: object) -> str | None:
    """Take a boolean."""
    return None if isinstance(value, bool) else f"must be True or False, not {show(value)}"


def integer(low: int, high: int) -> Rule:
    """Make the rule for an integer from `low` to `high`."""

    def rule(value: object) -> str | None:
        if type(value) is int and low <= value <= high:
            return None
        return f"must be an int from {low} to {high}, not {show(value)}"

    return rule


def url(value: object) -> str | None:
    """Take a URL with its scheme."""
    if isinstance(value, str) and is_text(value) and _HTTP_URL.fullmatch(value) and _has_host(value):
        return None
    return f"must be a URL with its scheme, http:// or https://, not {show(value)}"


def url_or_none(value: object) -> str | None:
    """Take a URL with its scheme, or the empty text that Telnyx has for none."""
    return None if value == "" else url(value)


def _has_host(address: str) -> bool:
    try:
        parts = urlsplit(address)
        (parts.hostname or "").encode("idna")
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket that is not closed, a port or a label that is none
        return False


def one_id(value: object) -> str | None:
    """Take an id as text or as UUID."""
    if isinstance(value, UUID) or (isinstance(value, str) and _ID.fullmatch(value)):
        return None
    return f"must be an id as Telnyx gives it, not {show(value)}"


def ids(value: object) -> str | None:
    """Take a collection of ids."""
    if not _is_collection(value):
        return f"must be a list of ids, not {show(value)}"
    return next(filter(None, map(one_id, cast("Collection[object]", value))), None)


def ids_or_all(value: object) -> str | None:
    """Take some ids, or the word for all: what none at all would do is not documented."""
    if _is_collection(value) and not value:
        return "must not be empty"
    return None if value == "all" or not (wrong := ids(value)) else f'{wrong}, nor "all"'


def sources(value: object) -> str | None:
    """Take a collection of recording ids, in which ``"*"`` stands for all of the session."""
    if not _is_collection(value) or not value:
        return f'must be a list of recording ids, or ["*"], not {show(value)}'
    return next(
        (wrong for each in cast("Collection[object]", value) if each != "*" and (wrong := one_id(each))), None
    )


def _is_collection(value: object) -> bool:
    return isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping)


# --- ranges -------------------------------------------------------------------------------------------------


def days(value: object) -> str | None:
    """Take a day or a range of days."""
    if isinstance(value, DateFilter):
        return _range(value.eq, value.gte, value.lte, _day)
    return _day(value)


def seconds(value: object) -> str | None:
    """Take a range of durations."""
    if isinstance(value, DurationFilter):
        return _range(value.eq, value.gte, value.lte, integer(0, 2**31 - 1))
    return f"must be a DurationFilter, not {show(value)}"


def _day(value: object) -> str | None:
    if isinstance(value, datetime):
        return f"must be a date without a time, not {show(value)}: pass its .date()"
    return None if isinstance(value, date) else f"must be a date or a DateFilter, not {show(value)}"


def _range(eq: object, gte: object, lte: object, rule: Rule) -> str | None:
    given = [bound for bound in (eq, gte, lte) if bound is not None]
    if not given:
        return "must have one of eq, gte and lte"
    if wrong := next(filter(None, map(rule, given)), None):
        return wrong
    if gte is not None and lte is not None and gte > lte:  # type: ignore[operator]  # both passed the rule
        return f"must not begin after it ends: gte {gte} is later than lte {lte}"
    return None


# --- compositions -------------------------------------------------------------------------------------------

_REGIONS_MAX: Final = 2
_SIDE_MIN, _SIDE_MAX, _AREA_MAX = 16, 1280, 1280 * 720
_RESOLUTION: Final = re.compile("([1-9][0-9]{1,3})x([1-9][0-9]{1,3})")
_REGION: Final[Mapping[str, Rule]] = {
    "height": integer(_SIDE_MIN, _SIDE_MAX),
    "width": integer(_SIDE_MIN, _SIDE_MAX),
    "x_pos": integer(-_SIDE_MAX, _SIDE_MAX),
    "y_pos": integer(-_SIDE_MAX, _SIDE_MAX),
    "z_pos": integer(-99, 99),
    "max_columns": integer(1, 1000),
    "max_rows": integer(1, 1000),
}


def resolution(value: object) -> str | None:
    """Take ``"1280x720"``, or what has no longer side and no larger area."""
    found = _RESOLUTION.fullmatch(value) if isinstance(value, str) else None
    width, height = (int(found[1]), int(found[2])) if found else (0, 0)
    if min(width, height) >= _SIDE_MIN and max(width, height) <= _SIDE_MAX and width * height <= _AREA_MAX:
        return None
    return f'must be "WIDTHxHEIGHT", each 16 to 1280 and the area up to 1280x720, not {show(value)}'


def layout(value: object) -> str | None:
    """Take one or two named regions."""
    regions = _mapping(value)
    if not 1 <= len(regions) <= _REGIONS_MAX:
        return f"must name 1 or 2 regions, not {show(value)}"
    for name, region in regions.items():
        if text(name) or not isinstance(region, VideoRegion):
            return f"must map names to VideoRegion values, not {show(name)} to {show(region)}"
        if wrong := _region(region):
            return f"region {show(name)}: {wrong}"
    return None


def _mapping(value: object) -> Mapping[object, object]:
    return cast("Mapping[object, object]", value) if isinstance(value, Mapping) else {}


def _region(region: VideoRegion) -> str | None:
    for name, rule in _REGION.items():
        value: object = getattr(region, name)
        if value is not None and (wrong := rule(value)):
            return f"{name} {wrong}"
    wrong = None if region.video_sources is None else sources(region.video_sources)
    return wrong and f"video_sources {wrong}"
