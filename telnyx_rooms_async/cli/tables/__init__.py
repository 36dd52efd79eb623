"""Tables of rooms in CSV, NDJSON and Parquet: options, columns and rows.

The README.md of the command line says how null, empty text and unchanged settings are written. Columns that
Telnyx sets by itself (``id``, ``created_at``, …) and ``error`` are ignored, so that an export and a table of
failures can be read again; any other column is an error.
"""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from pathlib import PurePath
from typing import Annotated, Final, NamedTuple, TypeAlias

import attrs
import typer
from attrs import frozen

from telnyx_rooms_async.cli.options import argument, flag, option
from telnyx_rooms_async.cli.output import STREAM
from telnyx_rooms_async.core import validators
from telnyx_rooms_async.core.requests import RoomBody, ValidRoomFields
from telnyx_rooms_async.core.validators import Rule, is_blank, short_repr
from telnyx_rooms_async.errors import InvalidArgumentError
from telnyx_rooms_async.models import Room


class Format(StrEnum):
    """Formats of tables."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"


_SUFFIXES: Final = {
    ".csv": Format.CSV,
    ".ndjson": Format.NDJSON,
    ".jsonl": Format.NDJSON,
    ".parquet": Format.PARQUET,
}


def _parse_delimiter(text: str) -> str:
    delimiter = {"tab": "\t", "\\t": "\t"}.get(text.lower(), text)
    if len(delimiter) != 1 or delimiter in '"\r\n\0 ':
        raise typer.BadParameter(f"must be one character such as , or ; or the word tab, got {text!r}")
    return delimiter


TableFile: TypeAlias = Annotated[str, argument("FILE", "Path of the table, or - for stdin.")]
FormatOption: TypeAlias = Annotated[
    Format | None,
    typer.Option(
        "--format", help="Format of the table. Default: by the file name: .csv, .ndjson, .jsonl or .parquet."
    ),
]
Delimiter: TypeAlias = Annotated[
    str | None,
    option(
        "CHARACTER",
        "Delimiter of CSV cells. Default: a comma, a semicolon or a tab, detected.",
        parser=_parse_delimiter,
    ),
]
SkipInvalid: TypeAlias = Annotated[
    bool, flag("--skip-invalid", "Skip invalid rows. They are written to --errors, if given.")
]
Errors: TypeAlias = Annotated[
    str | None, option("FILE", "Write failed rows and the reasons to this table, as input for another run.")
]


def format_of(path: str, option: Format | None, delimiter: str | None = None) -> Format:
    """Return the format of a table."""
    suffix = PurePath(path).suffix.lower()
    if option is None and suffix == ".gz":
        raise typer.BadParameter(f"{path} is compressed: decompress it first")
    table_format = option or _SUFFIXES.get(suffix)
    if table_format is None:
        name = "a stream" if path == STREAM else f"the name {path}"
        raise typer.BadParameter(f"{name} does not show the format: use --format {' or '.join(Format)}")
    if delimiter is not None and table_format is not Format.CSV:
        raise typer.BadParameter("--delimiter can only be used with CSV")
    return table_format


# --- columns and rows ---------------------------------------------------------------------------------------

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
        is_text=field.metadata["rule"] in (validators.name, validators.url, validators.url_or_empty),
    )
    for field in attrs.fields(RoomBody)
}
COLUMNS: Final = ("id", *SETTINGS, "active_session_id", "created_at", "updated_at")
"""Columns of an export."""
FAILURE_COLUMNS: Final = (*SETTINGS, REASON)
"""Columns of a table of failures."""
KNOWN_COLUMNS: Final = {"", REASON, *SETTINGS, *attrs.fields_dict(Room)}
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
    problems: Sequence[str] = ()
    """Why the row cannot be used. A row that could not be read has no values."""

    @property
    def failure(self) -> dict[str, object]:
        """The row for a table of failures."""
        reason = "; ".join(self.problems)
        if self.values and self.values.keys() <= KNOWN_COLUMNS:
            return {**self.values, REASON: reason}
        return {REASON: f"{reason}: {self.text}" if self.text else reason}


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


def check_columns(columns: Collection[str], line: int, source: Source) -> None:
    """Refuse an unknown column, and a table without the column ``unique_name``."""
    for name in columns:
        if name not in KNOWN_COLUMNS:
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
            if name not in KNOWN_COLUMNS:
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
