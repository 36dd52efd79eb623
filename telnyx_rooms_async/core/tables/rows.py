"""From a record, whatever it was read from, to the settings of a room."""

from collections.abc import Callable, Collection, Mapping
from typing import Final, NoReturn, TypeAlias, cast

import attrs
from attrs import frozen

from telnyx_rooms_async.core import rules
from telnyx_rooms_async.core.errors import InvalidArgumentError
from telnyx_rooms_async.core.fields import RoomFields
from telnyx_rooms_async.core.models import Room
from telnyx_rooms_async.core.params import RoomBody
from telnyx_rooms_async.core.rules import Rule, show

REASON: Final = "error"
"""The column that tells why a room was not made; reading passes it over."""
NAME: Final = "unique_name"

OnWrong: TypeAlias = Callable[[InvalidArgumentError], object]
"""What to do about a row that is wrong: raise, or take note and have the next one read."""


@frozen(kw_only=True)
class Row:
    """A row of a table."""

    line: int
    """Where it begins, counted from 1; in Parquet, which row it is."""
    fields: RoomFields


@frozen
class Setting:
    """A setting of a room, as a column."""

    rule: Rule
    nullable: bool

    @property
    def is_text(self) -> bool:
        """Whether it is text, a URL included."""
        return self.rule in (rules.name, rules.url, rules.url_or_none)


SETTINGS: Final[Mapping[str, Setting]] = {
    field.name: Setting(field.metadata["rule"], field.metadata["nullable"])
    for field in attrs.fields(RoomBody)
}
_PASSED_OVER: Final = {field.name for field in attrs.fields(Room)} - SETTINGS.keys() | {REASON}


@frozen
class Place:
    """Where in a table something stands."""

    source: str
    line: int
    unit: str = "line"

    def wrong(self, what: str, column: str | None = None) -> InvalidArgumentError:
        """Make the error for what is wrong here."""
        where = f", column {column}" if column else ""
        return InvalidArgumentError((f"{self.source}, {self.unit} {self.line}{where}: {what}",))


def raise_it(error: InvalidArgumentError) -> NoReturn:
    """Take no row that is wrong."""
    raise error


def check_columns(columns: Collection[str], place: Place) -> None:
    """Check the names of the columns of a table.

    Raises:
        InvalidArgumentError: one of them is unknown, or there is none for the name.
    """
    unknown = next((name for name in columns if name not in SETTINGS and name not in _PASSED_OVER), None)
    if unknown is not None:
        raise _unknown(unknown, place)
    if NAME not in columns:
        raise place.wrong(f"there is no column {NAME}")


def _unknown(name: str, place: Place) -> InvalidArgumentError:
    return place.wrong(f"is no setting of a room; those are {', '.join(SETTINGS)}", show(name))


def fields_of(record: Mapping[str, object], place: Place, *, named: bool) -> RoomFields:
    """Return the settings that a record holds.

    Raises:
        InvalidArgumentError: one is unknown or out of its bounds, or a name is `named` and not there.
    """
    fields: dict[str, object] = {}
    for name, value in record.items():
        setting = SETTINGS.get(name)
        if setting is None:
            if name not in _PASSED_OVER:
                raise _unknown(name, place)
        elif value is None and setting.nullable:
            fields[name] = None
        elif not (value is None or (value == "" and setting.is_text and not setting.nullable)):
            fields[name] = _checked(name, value, setting, place)
    if named and NAME not in fields:
        raise place.wrong("is missing: here each room needs its name", NAME)
    return cast("RoomFields", fields)


def _checked(name: str, value: object, setting: Setting, place: Place) -> object:
    if isinstance(value, float) and value.is_integer():  # how tables spell 25 in a column with gaps
        value = int(value)
    if wrong := setting.rule(value):
        raise place.wrong(wrong, name)
    return value
