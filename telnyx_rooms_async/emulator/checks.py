"""What a value in a body must be. A check yields an entry, with its JSON pointer, for all that is wrong.

The rules stand here a second time on purpose: a client that checked itself against its own rules would
find itself always right.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias, cast

from telnyx_rooms_async.core.codec import encode
from telnyx_rooms_async.emulator.refusals import Entry, entry

Check: TypeAlias = Callable[[str, object], Iterator[Entry]]
"""Takes the JSON pointer of a value, and the value."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def wrong(at: str, code: str, title: str, detail: str) -> Entry:
    """Blame the value at a pointer."""
    return entry(code, title, f"{at[1:]} {detail}", pointer=at)


def step(name: str) -> str:
    """Escape a name that may hold anything for its place in a pointer, as RFC 6901 does."""
    return name.replace("~", "~0").replace("/", "~1")


def text(at: str, value: object) -> Iterator[Entry]:
    """Take a string."""
    if not isinstance(value, str):
        yield _wrong_type(at, "a string")


def flag(at: str, value: object) -> Iterator[Entry]:
    """Take true or false."""
    if not isinstance(value, bool):
        yield _wrong_type(at, "a boolean")


def integer(low: int, high: int) -> Check:
    """Make the check for an integer from `low` to `high`."""

    def check(at: str, value: object) -> Iterator[Entry]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield _wrong_type(at, "an integer")
        elif not low <= value <= high:
            yield wrong(at, "10033", "Out of range", f"must be from {low} to {high}")

    return check


def url(at: str, value: object) -> Iterator[Entry]:
    """Take a URL with its scheme, or none."""
    if not (isinstance(value, str) and (not value or re.match(r"https?://[^/]", value))):
        yield wrong(at, "10003", "Invalid URL", "must be a URL that includes the scheme")


def identifier(at: str, value: object) -> Iterator[Entry]:
    """Take a UUID."""
    if not isinstance(value, str):
        yield _wrong_type(at, "a string")
    elif not _UUID.fullmatch(value):
        yield wrong(at, "10006", "Invalid ID", "must be a UUID")


def nullable(check: Check) -> Check:
    """Take null as well."""
    return lambda at, value: iter(()) if value is None else check(at, value)


def one_of(*options: object) -> Check:
    """Make the check for a value that is one of these."""

    def check(at: str, value: object) -> Iterator[Entry]:
        if value not in options:
            yield wrong(
                at,
                "10032",
                "Invalid value",
                f"must be {' or '.join(encode(option).decode() for option in options)}",
            )

    return check


def list_of(check_each: Check) -> Check:
    """Make the check for an array of like values."""

    def check(at: str, value: object) -> Iterator[Entry]:
        if not isinstance(value, list):
            yield _wrong_type(at, "an array")
            return
        for number, each in enumerate(cast("list[object]", value)):
            yield from check_each(f"{at}/{number}", each)

    return check


def map_of(check_each: Check, most: int) -> Check:
    """Make the check for an object of at most so many like values, under any names."""

    def check(at: str, value: object) -> Iterator[Entry]:
        if not isinstance(value, dict):
            yield _wrong_type(at, "an object")
            return
        named = cast("dict[str, object]", value)
        if len(named) > most:
            yield wrong(at, "10033", "Out of range", f"must have {most} at most")
        for name, each in named.items():
            yield from check_each(f"{at}/{step(name)}", each)

    return check


def fields(checks: Mapping[str, Check]) -> Check:
    """Make the check for an object with these fields or fewer; others are passed over."""

    def check(at: str, value: object) -> Iterator[Entry]:
        if not isinstance(value, dict):
            yield _wrong_type(at, "an object")
            return
        told = cast("dict[str, object]", value)
        for name in checks.keys() & told.keys():
            yield from checks[name](f"{at}/{name}", told[name])

    return check


def _wrong_type(at: str, wanted: str) -> Entry:
    return wrong(at, "10026", "Invalid type", f"must be {wanted}")
