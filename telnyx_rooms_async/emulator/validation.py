"""Validation of request bodies and queries, written from the Telnyx API reference.

The rules repeat those of the client on purpose: a client that is tested against its own rules always passes.
A check yields one error entry, with its JSON pointer, for everything that is wrong with a value.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final, Self, TypeAlias, cast

from attrs import field, frozen

from telnyx_rooms_async.emulator.responses import ErrorEntry, error_entry, not_json, unprocessable
from telnyx_rooms_async.emulator.table import Between, Equal
from telnyx_rooms_async.serialization import DecodeError, encode_json, parse_json

Check: TypeAlias = Callable[[str, object], Iterator[ErrorEntry]]
"""Takes the JSON pointer of a value, and the value."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


# --- bodies -----------------------------------------------------------------------------------------------


@frozen
class Body:
    """Fields of a JSON body. Errors are collected until `raise_if_invalid`."""

    _fields: Mapping[str, object] = field(repr=False)
    _errors: list[ErrorEntry] = field(factory=list[ErrorEntry], init=False)

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Parse a JSON object; an empty body is an empty object.

        Raises:
            ApiError: 400, for anything else.
        """
        try:
            value = parse_json(raw or b"{}")
        except DecodeError:
            raise not_json() from None
        if not isinstance(value, dict):
            raise not_json()
        return cls(cast("Mapping[str, object]", value))

    def read(self, checks: Mapping[str, Check], *, required: Collection[str] = ()) -> dict[str, Any]:
        """Return the fields that have a check, and check them. Other fields are ignored, as by Telnyx."""
        for name in required:
            if name not in self._fields:
                self.add_error(name, "10004", "Missing required parameter", "is required")
        known = {name: self._fields[name] for name in checks if name in self._fields}
        for name, value in known.items():
            self._errors.extend(checks[name](f"/{name}", value))
        return known

    def add_error(self, name: str, code: str, title: str, detail: str) -> None:
        """Add an error of a field that needs more than its value to be noticed."""
        self._errors.append(invalid(f"/{name}", code, title, detail))

    def raise_if_invalid(self) -> None:
        """Raise the errors that were collected.

        Raises:
            ApiError: 422, with one entry for each.
        """
        if self._errors:
            raise unprocessable(self._errors)


def invalid(pointer: str, code: str, title: str, detail: str) -> ErrorEntry:
    """Return the error entry of the value at a pointer."""
    return error_entry(code, title, f"{pointer[1:]} {detail}", pointer=pointer)


def unusable(pointer: str, detail: str) -> ErrorEntry:
    """Return the error entry of a value that is well-formed and refers to the wrong thing."""
    return invalid(pointer, "10027", "Unprocessable Entity", detail)


def escape(name: str) -> str:
    """Return a name as a segment of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


# --- checks of values -------------------------------------------------------------------------------------


def _wrong_type(pointer: str, expected: str) -> ErrorEntry:
    return invalid(pointer, "10026", "Invalid type", f"must be {expected}")


def _text(pointer: str, value: object) -> Iterator[ErrorEntry]:
    if not isinstance(value, str):
        yield _wrong_type(pointer, "a string")


def _boolean(pointer: str, value: object) -> Iterator[ErrorEntry]:
    if not isinstance(value, bool):
        yield _wrong_type(pointer, "a boolean")


def _integer(low: int, high: int) -> Check:
    def check(pointer: str, value: object) -> Iterator[ErrorEntry]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield _wrong_type(pointer, "an integer")
        elif not low <= value <= high:
            yield invalid(pointer, "10033", "Out of range", f"must be from {low} to {high}")

    return check


def _url(pointer: str, value: object) -> Iterator[ErrorEntry]:
    """Accept a URL with its scheme, and the empty string."""
    if not (isinstance(value, str) and (not value or re.match(r"https?://[^/]", value))):
        yield invalid(pointer, "10003", "Invalid URL", "must be a URL that includes the scheme")


def _uuid(pointer: str, value: object) -> Iterator[ErrorEntry]:
    if not isinstance(value, str):
        yield _wrong_type(pointer, "a string")
    elif not _UUID.fullmatch(value):
        yield invalid(pointer, "10006", "Invalid ID", "must be a UUID")


def _nullable(check: Check) -> Check:
    return lambda pointer, value: iter(()) if value is None else check(pointer, value)


def _one_of(*options: object) -> Check:
    expected = " or ".join(encode_json(option).decode() for option in options)

    def check(pointer: str, value: object) -> Iterator[ErrorEntry]:
        if value not in options:
            yield invalid(pointer, "10032", "Invalid value", f"must be {expected}")

    return check


def _list_of(check_item: Check) -> Check:
    def check(pointer: str, value: object) -> Iterator[ErrorEntry]:
        if not isinstance(value, list):
            yield _wrong_type(pointer, "an array")
            return
        for index, item in enumerate(cast("list[object]", value)):
            yield from check_item(f"{pointer}/{index}", item)

    return check


def _map_of(check_value: Check, max_size: int) -> Check:
    """Return a check for an object with any names and values of one type."""

    def check(pointer: str, value: object) -> Iterator[ErrorEntry]:
        if not isinstance(value, dict):
            yield _wrong_type(pointer, "an object")
            return
        entries = cast("dict[str, object]", value)
        if len(entries) > max_size:
            yield invalid(pointer, "10033", "Out of range", f"must have at most {max_size} entries")
        for name, item in entries.items():
            yield from check_value(f"{pointer}/{escape(name)}", item)

    return check


def _object(checks: Mapping[str, Check]) -> Check:
    """Return a check for an object with optional fields; unknown fields are ignored."""

    def check(pointer: str, value: object) -> Iterator[ErrorEntry]:
        if not isinstance(value, dict):
            yield _wrong_type(pointer, "an object")
            return
        entries = cast("dict[str, object]", value)
        for name in checks.keys() & entries.keys():
            yield from checks[name](f"{pointer}/{name}", entries[name])

    return check


_MIN_SIDE, _MAX_SIDE, _MAX_AREA = 16, 1280, 1280 * 720
_UNBOUNDED: Final = 2**31
"""Where the API reference has no bound."""


def _resolution(pointer: str, value: object) -> Iterator[ErrorEntry]:
    match = re.fullmatch(r"(\d{2,4})x(\d{2,4})", value) if isinstance(value, str) else None
    width, height = (int(match[1]), int(match[2])) if match else (0, 0)
    if min(width, height) < _MIN_SIDE or max(width, height) > _MAX_SIDE or width * height > _MAX_AREA:
        detail = 'must be like "1280x720", each side from 16 to 1280 and the area no larger'
        yield invalid(pointer, "10033", "Out of range", detail)


def _participant_ids(pointer: str, value: object) -> Iterator[ErrorEntry]:
    if isinstance(value, list):
        yield from _list_of(_uuid)(pointer, cast("object", value))
    elif value != "all":
        yield _wrong_type(pointer, '"all" or an array of ids')


# --- fields of the bodies ---------------------------------------------------------------------------------

_WEBHOOK_FIELDS: Final[Mapping[str, Check]] = {
    "webhook_event_url": _nullable(_url),
    "webhook_event_failover_url": _nullable(_url),
    "webhook_timeout_secs": _nullable(_integer(0, 30)),
}
_REGION_FIELDS: Final[Mapping[str, Check]] = {
    "height": _integer(_MIN_SIDE, _UNBOUNDED),
    "width": _integer(_MIN_SIDE, _UNBOUNDED),
    "x_pos": _integer(-_UNBOUNDED, _UNBOUNDED),
    "y_pos": _integer(-_UNBOUNDED, _UNBOUNDED),
    "z_pos": _integer(-99, 99),
    "max_columns": _integer(1, 1000),
    "max_rows": _integer(1, 1000),
    "video_sources": _list_of(_text),
}

ROOM_FIELDS: Final[Mapping[str, Check]] = {
    "unique_name": _nullable(_text),
    "max_participants": _integer(2, 50),
    "enable_recording": _boolean,
    **_WEBHOOK_FIELDS,
}
TOKEN_FIELDS: Final[Mapping[str, Check]] = {
    "token_ttl_secs": _integer(10, 3600),
    "refresh_token_ttl_secs": _integer(60, 86400),
}
REFRESH_FIELDS: Final[Mapping[str, Check]] = {
    "refresh_token": _text,
    "token_ttl_secs": _integer(10, 3600),
}
JOIN_FIELDS: Final[Mapping[str, Check]] = {
    "room_id": _text,
    "context": _text,
}
SESSION_ACTION_FIELDS: Final[Mapping[str, Check]] = {
    "participants": _participant_ids,
    "exclude": _list_of(_uuid),
}
COMPOSITION_FIELDS: Final[Mapping[str, Check]] = {
    "session_id": _uuid,
    "video_layout": _map_of(_object(_REGION_FIELDS), max_size=2),
    # Not in the API reference; programs in production send it, and get a video without sound otherwise.
    "audio_sources": _one_of(None, ["*"]),
    "format": _one_of("mp4"),
    "resolution": _resolution,
    **_WEBHOOK_FIELDS,
}


# --- queries ----------------------------------------------------------------------------------------------


@frozen
class Query:
    """Parameters of a URL, read one by one. Errors are collected until `raise_if_invalid`."""

    _parameters: Mapping[str, str]
    _errors: list[ErrorEntry] = field(factory=list[ErrorEntry], init=False)
    _read: set[str] = field(factory=set[str], init=False)

    @property
    def has_filter(self) -> bool:
        """Whether a filter that was read is in the query."""
        return any(name.startswith("filter[") for name in self._read)

    def text(self, name: str) -> str | None:
        """Return any text."""
        if name in self._parameters:
            self._read.add(name)
        return self._parameters.get(name)

    def equal(self, name: str) -> Equal | None:
        """Return the condition of a filter by text."""
        value = self.text(name)
        return None if value is None else Equal(value)

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

    def number(self, name: str, *, default: int, high: int) -> int:
        """Return an integer from 1 to `high`."""
        value = self._parameters.get(name, str(default))
        if not re.fullmatch("[0-9]{1,18}", value) or not 1 <= int(value) <= high:
            self._add_error(name, "10033", f"must be an integer from 1 to {high}")
            return default
        return int(value)

    def dates(self, name: str) -> Between | None:
        """Return the condition of a filter by date, with its operators."""
        bounds = {operator: self._date(f"{name}[{operator}]") for operator in ("eq", "gte", "lte")}
        return Between(**bounds) if any(bounds.values()) else None

    def durations(self, name: str) -> Between | None:
        """Return the condition of a filter by seconds, with its operators."""
        bounds = {operator: self._seconds(f"{name}[{operator}]") for operator in ("eq", "gte", "lte")}
        # The current API reference has no operators here: the parameter is the minimum.
        minimum = self._seconds(name)
        bounds["gte"] = bounds["gte"] if minimum is None else minimum
        return Between(**bounds) if any(bound is not None for bound in bounds.values()) else None

    def raise_if_invalid(self) -> None:
        """Raise the errors that were collected.

        Raises:
            ApiError: 422, with one entry for each.
        """
        if self._errors:
            raise unprocessable(self._errors)

    def _date(self, name: str) -> date | None:
        value = self.text(name)
        try:
            return None if value is None else datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 - a day
        except ValueError:
            self._add_error(name, "10031", "must be a date: YYYY-MM-DD")
            return None

    def _seconds(self, name: str) -> int | None:
        value = self.text(name)
        if value is None or re.fullmatch("[0-9]{1,18}", value):
            return None if value is None else int(value)
        self._add_error(name, "10031", "must be a whole number of seconds")
        return None

    def _add_error(self, name: str, code: str, detail: str) -> None:
        self._errors.append(error_entry(code, "Invalid parameter", f"{name} {detail}", parameter=name))
