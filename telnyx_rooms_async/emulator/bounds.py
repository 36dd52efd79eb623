"""What a field of a script must be: each error names the field. No HTTP."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from attrs import Attribute

Check: TypeAlias = Callable[[object, "Attribute[Any]", object], None]


def must_be(wanted: str, is_right: Callable[[object], bool]) -> Check:
    """Make the check of a field."""

    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if not is_right(value):
            raise ValueError(f"{attribute.name} must be {wanted}, not {value!r}")

    return check


def is_whole(value: object, low: int, high: int) -> bool:
    """Tell whether a value is an integer within bounds: a boolean is none."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_seconds(value: object, high: float) -> bool:
    """Tell whether a value is a number from 0 to `high`: neither a boolean nor NaN is one."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= high


flag: Final = must_be("true or false", lambda value: isinstance(value, bool))
