"""Rows of a table: columns, and the validation of the settings of a room."""

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

import attrs
from attrs import frozen

from telnyx_rooms_async.core import validators
from telnyx_rooms_async.core.requests import RoomBody, ValidRoomFields
from telnyx_rooms_async.core.validators import Rule, is_blank, short_repr
from telnyx_rooms_async.errors import InvalidArgumentError
from telnyx_rooms_async.models import Room

REASON: Final = "error"
"""The column with the reason of a failure. It is ignored when a table is read."""
NAME: Final = "unique_name"


@frozen
class Setting:
    """A room setting as a column."""

    rule: Rule
    nullable: bool
    is_text: bool


SETTINGS: Final[Mapping[str, Setting]] = {
    field.name: Setting(
        rule=field.metadata["rule"],
        nullable=field.metadata["nullable"],
        is_text=field.metadata["rule"] in (validators.name, validators.url, validators.url_or_none),
    )
    for field in attrs.fields(RoomBody)
}
COLUMNS: Final = ("id", *SETTINGS, "active_session_id", "created_at", "updated_at")
"""Columns of an export."""
FAILURE_COLUMNS: Final = (*SETTINGS, REASON)
"""Columns of a table of failures."""
_KNOWN: Final = {"", REASON, *SETTINGS, *attrs.fields_dict(Room)}
"""Columns that a table may have. A column without a name is padding."""
_UNKNOWN: Final = f"is not a room setting; the settings are {', '.join(SETTINGS)}"


class Row(NamedTuple):
    """A row as it was read, before its values are validated."""

    line: int
    """Number of its first line, counted from 1; in Parquet the number of the row."""
    values: Mapping[str, object]
    """By column, as far as they could be read."""
    text: str = ""
    """The text of the row, for a table of failures that cannot have its values."""
    problem: str = ""
    """Why the row could not be read."""


@frozen
class Source:
    """Name of a table and the unit of its positions, for error messages."""

    name: str
    unit: str = "line"

    def problem(self, line: int, problem: str, column: str | None = None) -> str:
        """Return a problem with its position."""
        place = f", column {column}" if column else ""
        return f"{self.name}, {self.unit} {line}{place}: {problem}"

    def error(self, line: int, problem: str, column: str | None = None) -> InvalidArgumentError:
        """Return the error for a problem that ends reading."""
        return InvalidArgumentError((self.problem(line, problem, column),))


def is_known_column(name: str) -> bool:
    """Return whether a table may have a column."""
    return name in _KNOWN


def check_columns(columns: Collection[str], line: int, source: Source) -> None:
    """Check the names of the columns.

    Raises:
        InvalidArgumentError: a column is unknown, or the column ``unique_name`` is missing.
    """
    for name in columns:
        if not is_known_column(name):
            raise source.error(line, _UNKNOWN, short_repr(name))
    if NAME not in columns:
        raise source.error(line, f"column {NAME} is missing")


def is_empty(values: Mapping[str, object]) -> bool:
    """Return whether a row has no value in any column."""
    for name, value in values.items():
        setting = SETTINGS.get(name)
        may_be_blank = setting is None or (setting.is_text and not setting.nullable)
        if value is not None and not (may_be_blank and is_blank(value)):
            return False
    return True


def validate(row: Row, source: Source) -> tuple[ValidRoomFields, list[str]]:
    """Return the settings of a row, and its problems."""
    fields = ValidRoomFields()
    problems: list[str] = []
    for name, value in row.values.items():
        setting = SETTINGS.get(name)
        if setting is None:
            if not is_known_column(name):
                problems.append(source.problem(row.line, _UNKNOWN, short_repr(name)))
            elif not name and not is_blank(value):
                problems.append(source.problem(row.line, f"{short_repr(value)} has no column name"))
        elif value is None or (value == "" and setting.is_text):
            if setting.nullable:
                fields[name] = value
        else:
            # Tables with gaps turn integers into floats.
            exact = int(value) if isinstance(value, float) and value.is_integer() else value
            if problem := setting.rule(exact):
                problems.append(source.problem(row.line, problem, name))
            fields[name] = exact
    return fields, problems
