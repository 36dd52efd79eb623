"""Validation of request bodies and queries, written from the Telnyx API reference.

The rules repeat those of the client on purpose: a client that is tested against its own rules always passes.
A check yields one error entry, with its JSON pointer, for everything that is wrong with a value.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from datetime import date
from typing import Any, Final, TypeAlias, cast

from attrs import field, frozen

from telnyx_rooms_async.emulator.messages import ApiError, JsonObject, error_entry, unprocessable
from telnyx_rooms_async.emulator.table import Between, Condition, Equal
from telnyx_rooms_async.serialization import DecodeError, encode_json, parse_json

Check: TypeAlias = Callable[[str, object], Iterator[JsonObject]]
"""Takes the JSON pointer of a value, and the value."""

_UNBOUNDED: Final = 2**31  # where the API reference has no bound
_MIN_SIDE, _MAX_SIDE, _MAX_AREA = 16, 1280, 1280 * 720
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HTTP_URL: Final = re.compile(r"https?://[^/\s]\S*", re.IGNORECASE)
_DIGITS: Final = re.compile("[0-9]{1,18}")
_DATE: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


# --- checks of values -------------------------------------------------------------------------------------


def invalid(pointer: str, code: str, title: str, detail: str) -> JsonObject:
    """Return the error entry of the value at a pointer."""
    return error_entry(code, title, f"{pointer[1:]} {detail}", pointer=pointer)


def unusable(pointer: str, detail: str) -> JsonObject:
    """Return the error entry of a value that is well-formed and refers to the wrong thing."""
    return invalid(pointer, "10027", "Unprocessable Entity", detail)


def escape(name: str) -> str:
    """Return a name as a segment of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _wrong_type(pointer: str, expected: str) -> JsonObject:
    return invalid(pointer, "10026", "Invalid type", f"must be {expected}")


def _of_type(accepted: type, expected: str) -> Check:
    def check(pointer: str, value: object) -> Iterator[JsonObject]:
        if not isinstance(value, accepted):
            yield _wrong_type(pointer, expected)

    return check


text: Final = _of_type(str, "a string")
boolean: Final = _of_type(bool, "a boolean")


def integer(low: int, high: int) -> Check:
    """Accept an integer in a range."""

    def check(pointer: str, value: object) -> Iterator[JsonObject]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield _wrong_type(pointer, "an integer")
        elif not low <= value <= high:
            yield invalid(pointer, "10033", "Out of range", f"must be from {low} to {high}")

    return check


def url(pointer: str, value: object) -> Iterator[JsonObject]:
    """Accept a URL with its scheme, and the empty string."""
    if not (isinstance(value, str) and (not value or _HTTP_URL.fullmatch(value))):
        yield invalid(pointer, "10003", "Invalid URL", "must be a URL that includes the scheme")


def uuid(pointer: str, value: object) -> Iterator[JsonObject]:
    """Accept a UUID."""
    if not isinstance(value, str):
        yield _wrong_type(pointer, "a string")
    elif not _UUID.fullmatch(value):
        yield invalid(pointer, "10006", "Invalid ID", "must be a UUID")


def nullable(check: Check) -> Check:
    """Accept null, and what a check accepts."""
    return lambda pointer, value: iter(()) if value is None else check(pointer, value)


def one_of(*options: object) -> Check:
    """Accept one of several values."""
    expected = " or ".join(encode_json(option).decode() for option in options)

    def check(pointer: str, value: object) -> Iterator[JsonObject]:
        if value not in options:
            yield invalid(pointer, "10032", "Invalid value", f"must be {expected}")

    return check


def list_of(check_item: Check) -> Check:
    """Accept an array of valid items."""

    def check(pointer: str, value: object) -> Iterator[JsonObject]:
        if not isinstance(value, list):
            yield _wrong_type(pointer, "an array")
            return
        for index, item in enumerate(cast("list[object]", value)):
            yield from check_item(f"{pointer}/{index}", item)

    return check


def object_of(checks: Mapping[str, Check] | Check, max_size: int | None = None) -> Check:
    """Accept an object with valid values: one check for all, or by name, where other names are ignored."""

    def check(pointer: str, value: object) -> Iterator[JsonObject]:
        if not isinstance(value, dict):
            yield _wrong_type(pointer, "an object")
            return
        entries = cast("dict[str, object]", value)
        if max_size is not None and len(entries) > max_size:
            yield invalid(pointer, "10033", "Out of range", f"must have at most {max_size} entries")
        for name, item in entries.items():
            check_item = checks if callable(checks) else checks.get(name)
            if check_item is not None:
                yield from check_item(f"{pointer}/{escape(name)}", item)

    return check


REGION: Final = object_of(
    {
        "height": integer(_MIN_SIDE, _UNBOUNDED),
        "width": integer(_MIN_SIDE, _UNBOUNDED),
        "x_pos": integer(-_UNBOUNDED, _UNBOUNDED),
        "y_pos": integer(-_UNBOUNDED, _UNBOUNDED),
        "z_pos": integer(-99, 99),
        "max_columns": integer(1, 1000),
        "max_rows": integer(1, 1000),
        "video_sources": list_of(text),
    }
)
"""Accepts a region of a composition."""


def resolution(pointer: str, value: object) -> Iterator[JsonObject]:
    """Accept the size of a video."""
    match = re.fullmatch("([0-9]{2,4})x([0-9]{2,4})", value) if isinstance(value, str) else None
    width, height = (int(match[1]), int(match[2])) if match else (0, 0)
    if min(width, height) < _MIN_SIDE or max(width, height) > _MAX_SIDE or width * height > _MAX_AREA:
        detail = 'must be like "1280x720", each side from 16 to 1280 and the area no larger'
        yield invalid(pointer, "10033", "Out of range", detail)


def participant_ids(pointer: str, value: object) -> Iterator[JsonObject]:
    """Accept ``"all"``, and an array of ids."""
    if isinstance(value, list):
        yield from list_of(uuid)(pointer, cast("object", value))
    elif value != "all":
        yield _wrong_type(pointer, '"all" or an array of ids')


# --- bodies -----------------------------------------------------------------------------------------------


def read_body(
    raw: bytes,
    checks: Mapping[str, Check],
    *,
    required: Collection[str] = (),
    more_checks: Callable[[Mapping[str, Any]], Iterator[JsonObject]] = lambda _: iter(()),
) -> dict[str, Any]:
    """Return the fields of a JSON object that have a check; others are ignored, as by Telnyx.

    An empty body is an empty object. Raises `ApiError`: a 400 if the body is not an object, or a 422 with all
    errors, also those of `more_checks`, which needs more than the value of one field.
    """
    try:
        value = parse_json(raw or b"{}")
    except DecodeError:
        value = None
    if not isinstance(value, dict):
        entry = error_entry("10023", "Invalid JSON", "The body is not a JSON object.")
        raise ApiError(400, {"errors": [entry]})
    body = cast("dict[str, object]", value)
    fields = {name: body[name] for name in checks if name in body}
    errors = [
        invalid(f"/{name}", "10004", "Missing required parameter", "is required")
        for name in required
        if name not in body
    ]
    errors += object_of(checks)("", fields)
    errors += more_checks(fields)
    if errors:
        raise unprocessable(errors)
    return fields


# --- queries ----------------------------------------------------------------------------------------------


@frozen
class Query:
    """Parameters of a URL, read one by one. Errors are collected until `raise_if_invalid`."""

    _parameters: Mapping[str, str]
    _read: set[str] = field(factory=set[str], init=False)
    _errors: dict[str, JsonObject] = field(factory=dict[str, JsonObject], init=False)
    """By name of the parameter."""

    @property
    def has_filter(self) -> bool:
        """Whether a filter that was read is in the query."""
        return any(name.startswith("filter[") for name in self._read)

    def raise_if_invalid(self) -> None:
        """Raise a 422 `ApiError` with all errors that were collected."""
        if self._errors:
            raise unprocessable(self._errors.values())

    def condition(self, name: str) -> Condition | None:
        """Return the condition of a filter, ``None`` if the query does not have it."""
        parameter = f"filter[{name}]"
        if name == "active":
            active = self.flag(parameter)
            return None if active is None else Equal(active)
        if name == "duration_secs":
            read: Callable[[str], date | int | None] = self._seconds
        elif name.startswith("date_"):
            read = self._date
        else:
            value = self.text(parameter)
            return None if value is None else Equal(value)
        bounds = {operator: read(f"{parameter}[{operator}]") for operator in ("eq", "gte", "lte")}
        if name == "duration_secs" and parameter in self._parameters:
            # The current API reference has no operators here: the parameter is the minimum.
            bounds["gte"] = read(parameter)
        return Between(**bounds) if any(bound is not None for bound in bounds.values()) else None

    def text(self, name: str) -> str | None:
        """Return any text."""
        if name in self._parameters:
            self._read.add(name)
        return self._parameters.get(name)

    def choice(self, name: str, *options: str) -> str | None:
        """Return one of several words."""
        value = self.text(name)
        if value not in (None, *options):
            self._add_error(name, "10032", f"must be {' or '.join(options)}")
        return value

    def flag(self, name: str) -> bool | None:
        """Return ``true`` or ``false`` as a boolean."""
        value = self.choice(name, "true", "false")
        return None if value is None else value == "true"

    def page(self) -> tuple[int, int]:
        """Return the number and the size of the page."""
        number = self._number("page[number]", default=1, high=2**53)
        return number, self._number("page[size]", default=20, high=250)

    def _number(self, name: str, *, default: int, high: int) -> int:
        value = self._parameters.get(name, str(default))
        if not _DIGITS.fullmatch(value) or not 1 <= int(value) <= high:
            self._add_error(name, "10033", f"must be an integer from 1 to {high}")
            return default
        return int(value)

    def _date(self, name: str) -> date | None:
        value = self.text(name)
        if value is not None:
            with suppress(ValueError):  # there is no such day
                if _DATE.fullmatch(value):
                    return date.fromisoformat(value)
            self._add_error(name, "10031", "must be a date: YYYY-MM-DD")
        return None

    def _seconds(self, name: str) -> int | None:
        value = self.text(name)
        if value is not None:
            if _DIGITS.fullmatch(value):
                return int(value)
            self._add_error(name, "10031", "must be a whole number of seconds")
        return None

    def _add_error(self, name: str, code: str, detail: str) -> None:
        self._errors[name] = error_entry(code, "Invalid parameter", f"{name} {detail}", parameter=name)
