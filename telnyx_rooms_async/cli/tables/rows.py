"""From a record, whatever it was read from, to the settings of a room."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Final, NoReturn, TypeAlias, cast

import attrs
from attrs import frozen

from telnyx_rooms_async.core import validators as rules
from telnyx_rooms_async.core.requests import RoomBody, RoomFields
from telnyx_rooms_async.core.validators import Converter, Rule, exact_text, is_blank, short_repr
from telnyx_rooms_async.errors import InvalidArgumentError
from telnyx_rooms_async.models import Room

REASON: Final = "error"
"""The column that tells why a room was not made; reading passes it over."""
NAME: Final = "unique_name"


@frozen(kw_only=True)
class Row:
    """A row of a table."""

    line: int
    """Where it begins, counted from 1; in Parquet, which row it is."""
    fields: RoomFields


@frozen(kw_only=True)
class WrongRow:
    """A row that makes no room."""

    line: int
    error: InvalidArgumentError
    record: Mapping[str, object] = {}
    """Its values under the names of their columns, as far as they can be written to a table of failures."""
    raw: str = ""
    """Its text, when there is no such record."""

    @property
    def reason(self) -> str:
        """What is wrong with it, and what it says if the record does not."""
        problems = "; ".join(self.error.problems)
        return f"{problems}: {self.raw}" if self.raw else problems


OnWrong: TypeAlias = Callable[[WrongRow], object]
"""What to do about a row that is wrong: raise, or take note and have the next one read."""


@frozen
class Setting:
    """A setting of a room, as a column."""

    rule: Rule
    nullable: bool
    exact: Converter

    @property
    def is_text(self) -> bool:
        """Whether it is text, a URL included."""
        return self.rule in (rules.name, rules.url, rules.url_or_none)


SETTINGS: Final[Mapping[str, Setting]] = {
    field.name: Setting(
        field.metadata["rule"], field.metadata["nullable"], cast("Converter", field.converter)
    )
    for field in attrs.fields(RoomBody)
}
_PASSED_OVER: Final = {field.name for field in attrs.fields(Room)} - SETTINGS.keys() | {REASON}
_PLAIN: Final = frozenset({str, int, bool, datetime, type(None)})


def exact_value(name: str, value: object) -> object:
    """Return the exact value of a column: see `rules.exact_text`."""
    if type(value) in _PLAIN:
        return value
    setting = SETTINGS.get(name)
    return exact_text(value) if setting is None else setting.exact(value)


def exact_record(record: Mapping[str, object]) -> Mapping[str, object]:
    """Return a record with exact names and values."""
    names = ((exact_text(name), value) for name, value in record.items())
    return {name: exact_value(name, value) for name, value in names}


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


def raise_it(row: WrongRow) -> NoReturn:
    """Take no row that is wrong."""
    raise row.error


def is_blank_record(record: Mapping[str, object]) -> bool:
    """Tell whether a record has columns, and says nothing in any of them."""
    return bool(record) and all(_says_nothing(name, value) for name, value in record.items())


def _says_nothing(name: str, value: object) -> bool:
    setting = SETTINGS.get(name)
    is_text = setting is None or (setting.is_text and not setting.nullable)
    return value is None or (is_text and is_blank(value))


def is_known(name: str) -> bool:
    """Tell whether a table may have this column; one without a name may stand there for padding."""
    return not name or name in SETTINGS or name in _PASSED_OVER


def check_columns(columns: Collection[str], place: Place) -> None:
    """Check the names of the columns of a table.

    Raises:
        InvalidArgumentError: one of them is unknown, or there is none for the name.
    """
    unknown = next((name for name in columns if not is_known(name)), None)
    if unknown is not None:
        raise _unknown(unknown, place)
    if NAME not in columns:
        raise place.wrong(f"there is no column {NAME}")


def _unknown(name: str, place: Place) -> InvalidArgumentError:
    return place.wrong(f"is no setting of a room; those are {', '.join(SETTINGS)}", short_repr(name))


def fields_of(record: Mapping[str, object], place: Place, *, named: bool) -> RoomFields:
    """Return the settings that a record holds.

    Raises:
        InvalidArgumentError: some are unknown or out of their bounds, or a name is `named` and not there, or
            there is nothing but the reason of a failure.
    """
    fields: dict[str, object] = {}
    wrong: list[str] = []
    for name, value in record.items():
        setting = SETTINGS.get(name)
        if setting is None:
            wrong += _problems_beside(name, value, place)
        elif value is None and setting.nullable:
            fields[name] = None
        elif not (value is None or (value == "" and setting.is_text and not setting.nullable)):
            try:
                fields[name] = _checked(name, value, setting, place)
            except InvalidArgumentError as error:
                wrong += error.problems
    if not wrong and not fields and _is_reason_only(record):
        wrong += place.wrong("is missing: there is only the reason of a failure", NAME).problems
    elif named and not wrong and NAME not in fields:
        wrong += place.wrong("is missing: here each room needs its name", NAME).problems
    if wrong:
        raise InvalidArgumentError(tuple(wrong))
    return cast("RoomFields", fields)


def _problems_beside(name: str, value: object, place: Place) -> tuple[str, ...]:
    if not is_known(name):
        return _unknown(name, place).problems
    if not name and not is_blank(value):
        return place.wrong(f"{short_repr(value)} stands under an empty header").problems
    return ()


def _is_reason_only(record: Mapping[str, object]) -> bool:
    return {name for name, value in record.items() if not is_blank(value)} == {REASON}


def _checked(name: str, value: object, setting: Setting, place: Place) -> object:
    if isinstance(value, float) and value.is_integer():  # how tables spell 25 in a column with gaps
        value = int(value)
    if value and setting.is_text and is_blank(value):
        raise place.wrong(f"must not be only blanks, but is {short_repr(value)}", name)
    if wrong := setting.rule(value):
        raise place.wrong(wrong, name)
    return value
