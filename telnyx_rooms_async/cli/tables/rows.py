"""Rows of a table: the settings of one room, validated once."""

from collections.abc import Collection, Mapping
from typing import Final, TypeAlias, cast

import attrs
from attrs import frozen

from telnyx_rooms_async.core import validators
from telnyx_rooms_async.core.requests import RoomBody, RoomFields, ValidRoomFields
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
_IGNORED: Final = {field.name for field in attrs.fields(Room)} - SETTINGS.keys() | {REASON}


@frozen(kw_only=True)
class Row:
    """A valid row."""

    line: int
    """Number of its first line, counted from 1; in Parquet the number of the row."""
    fields: RoomFields


@frozen(kw_only=True)
class InvalidRow:
    """A row that cannot be used."""

    line: int
    problems: tuple[str, ...]
    record: Mapping[str, object] = {}
    """Its values by column, as far as they can be written to a table of failures."""
    text: str = ""
    """The text of the row, if there is no such record."""

    @property
    def failure(self) -> dict[str, object]:
        """The row for a table of failures."""
        reason = "; ".join(self.problems)
        return {**self.record, REASON: f"{reason}: {self.text}" if self.text else reason}


AnyRow: TypeAlias = Row | InvalidRow


@frozen
class TableName:
    """The name of a table, and what its rows are counted in, for error messages."""

    name: str
    unit: str = "line"

    def problem(self, line: int, problem: str, column: str | None = None) -> str:
        """Return a problem with its position."""
        place = f", column {column}" if column else ""
        return f"{self.name}, {self.unit} {line}{place}: {problem}"

    def error(self, line: int, problem: str, column: str | None = None) -> InvalidArgumentError:
        """Return the error for a problem that ends reading."""
        return InvalidArgumentError((self.problem(line, problem, column),))

    def invalid(self, line: int, problem: str, column: str | None = None, *, text: str = "") -> InvalidRow:
        """Return the row with one problem."""
        return InvalidRow(line=line, problems=(self.problem(line, problem, column),), text=text)


def is_known_column(name: str) -> bool:
    """Return whether a table may have a column. A column without a name is padding."""
    return not name or name in SETTINGS or name in _IGNORED


def check_columns(columns: Collection[str], line: int, table: TableName) -> None:
    """Check the names of the columns.

    Raises:
        InvalidArgumentError: a column is unknown, or the column ``unique_name`` is missing.
    """
    for name in columns:
        if not is_known_column(name):
            raise table.error(line, _UNKNOWN, short_repr(name))
    if NAME not in columns:
        raise table.error(line, f"column {NAME} is missing")


_UNKNOWN: Final = f"is not a room setting; the settings are {', '.join(SETTINGS)}"


def is_empty(record: Mapping[str, object]) -> bool:
    """Return whether a record has columns, but no value in any of them."""
    return bool(record) and all(_is_empty_value(name, value) for name, value in record.items())


def _is_empty_value(name: str, value: object) -> bool:
    if value is None:
        return True
    setting = SETTINGS.get(name)
    return (setting is None or (setting.is_text and not setting.nullable)) and is_blank(value)


def validated_row(
    record: Mapping[str, object], line: int, table: TableName, *, names_required: bool
) -> AnyRow:
    """Validate a record.

    Args:
        record: values by column.
        line: its position.
        table: name of the table, for error messages.
        names_required: whether a row without ``unique_name`` is invalid.
    """
    fields, problems = _validated_fields(record, line, table)
    if not problems and NAME not in fields:
        if names_required:
            problems.append(table.problem(line, "is missing: every room needs a name here", NAME))
        elif not fields and not is_blank(record.get(REASON)):
            problems.append(table.problem(line, "is missing: the row has no value but the error", NAME))
    if problems:
        return InvalidRow(line=line, problems=tuple(problems), record=record)
    return Row(line=line, fields=cast("RoomFields", fields))


def _validated_fields(
    record: Mapping[str, object], line: int, table: TableName
) -> tuple[ValidRoomFields, list[str]]:
    fields = ValidRoomFields()
    problems: list[str] = []
    for name, value in record.items():
        setting = SETTINGS.get(name)
        if setting is None:
            if not is_known_column(name):
                problems.append(table.problem(line, _UNKNOWN, short_repr(name)))
            elif not name and not is_blank(value):
                problems.append(table.problem(line, f"{short_repr(value)} has no column name"))
        elif value is None or (value == "" and setting.is_text):
            if setting.nullable:
                fields[name] = value
        else:
            # Tables with gaps turn integers into floats.
            exact = int(value) if isinstance(value, float) and value.is_integer() else value
            if problem := setting.rule(exact):
                problems.append(table.problem(line, problem, name))
            fields[name] = exact
    return fields, problems
