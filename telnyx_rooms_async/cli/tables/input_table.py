"""Tables of rooms as input of a command: read and validated completely before anything is sent."""

import io
import sys
from collections.abc import Mapping, Sequence
from typing import BinaryIO, Final

import typer
from attrs import define, field

from telnyx_rooms_async import ConfigurationError, InvalidArgumentError
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.output import STREAM
from telnyx_rooms_async.cli.runner import USAGE
from telnyx_rooms_async.cli.tables import (
    FAILURE_COLUMNS,
    NAME,
    REASON,
    Format,
    Row,
    Source,
    format_of,
    validate,
)
from telnyx_rooms_async.cli.tables.formats import parquet_types, read_csv, read_ndjson, read_parquet
from telnyx_rooms_async.core.requests import ValidRoomFields
from telnyx_rooms_async.core.validators import is_blank, short_repr

_MAX_PROBLEM_ROWS: Final = 20
"""Invalid rows whose problems are printed; the others are counted."""


@define(kw_only=True)
class InputTable:
    """The rows of a table."""

    source: Source
    format: Format
    names_required: bool = False
    """Whether a row without ``unique_name`` is invalid."""
    rooms: list[ValidRoomFields] = field(factory=list[ValidRoomFields])
    invalid: list[Row] = field(factory=list[Row])
    column_types: Mapping[str, object] | None = None
    """Types of the columns of Parquet: a row may be invalid because of the type of a value."""
    broken: Sequence[str] = ()
    """Why the rest of the table cannot be read."""
    _lines: dict[object, int] = field(factory=dict[object, int])
    """Lines by the name of their room."""

    @property
    def is_named(self) -> bool:
        """Whether every room has a name."""
        return len(self._lines) == len(self.rooms)

    @property
    def failure_columns(self) -> Sequence[str]:
        """Columns of a table of failures. In Parquet, those of this table: each row has all of them."""
        if self.column_types is None:
            return FAILURE_COLUMNS
        return [name for name in FAILURE_COLUMNS if name in self.column_types or name == REASON]

    @property
    def problems(self) -> list[str]:
        """The problems of the first invalid rows, and the number of the others."""
        problems = [problem for row in self.invalid[:_MAX_PROBLEM_ROWS] for problem in row.problems]
        problems += self.broken
        if (more := len(self.invalid) - _MAX_PROBLEM_ROWS) > 0:
            problems.append(f"{more} more {self.source.unit}{'s are' if more > 1 else ' is'} invalid")
        return problems

    def read(self, file: BinaryIO, delimiter: str | None = None) -> None:
        """Validate all rows of a seekable file. A room with the name of a room before it is invalid."""
        try:
            if self.format is Format.PARQUET:
                self.column_types = parquet_types(file, self.source)
                rows = read_parquet(file, self.source)
            elif self.format is Format.NDJSON:
                rows = read_ndjson(file, self.source)
            else:
                rows = read_csv(file, self.source, delimiter)
            for row in rows:
                self._add(row)
        except InvalidArgumentError as error:
            self.broken = error.problems

    def _add(self, row: Row) -> None:
        if row.problems:
            self.invalid.append(row)
            return
        fields, problems = validate(row, self.source)
        if not problems and (problem := self._name_problem(row, fields)):
            problems = [self.source.problem(row.line, problem, NAME)]
        if problems:
            self.invalid.append(row._replace(problems=problems))
        else:
            self.rooms.append(fields)

    def _name_problem(self, row: Row, fields: Mapping[str, object]) -> str | None:
        name = fields.get(NAME)
        if name is not None:
            first = self._lines.setdefault(name, row.line)
            if first != row.line:
                return f"{short_repr(name)} is already in {self.source.unit} {first}; names must be unique"
        elif self.names_required:
            return "is missing: every room needs a name here"
        elif not fields and not is_blank(row.values.get(REASON)):
            return "is missing: the row has no value but the error"
        return None


def read_table(
    path: str,
    format_option: Format | None,
    delimiter: str | None = None,
    *,
    names_required: bool,
    skip_invalid: bool = False,
) -> InputTable:
    """Read and validate a table, and print its problems."""
    table_format = format_of(path, format_option, delimiter)
    name = "stdin" if path == STREAM else path
    source = Source(name, "row" if table_format is Format.PARQUET else "line")
    table = InputTable(source=source, format=table_format, names_required=names_required)
    with output.status(f"checking {name}"), output.file_errors(name, "read"), _open(path) as stream:
        table.read(stream if stream.seekable() else io.BytesIO(stream.read()), delimiter)
    if not table.rooms and not table.invalid and not table.broken:
        table.broken = (f"{name} is empty: it has no rows",)
    for problem in table.problems:
        output.complain(problem)
    if table.broken or (table.invalid and not (skip_invalid and table.rooms)):
        raise typer.Exit(USAGE)
    if table.invalid:
        output.note(f"{output.counted(len(table.invalid), source.unit)} skipped")
    return table


def _open(path: str) -> BinaryIO:
    if path != STREAM:
        return open(path, "rb")  # noqa: PTH123 - a path may be of any bytes
    if sys.stdin is None:
        raise ConfigurationError("cannot read stdin: it is closed")
    return io.BytesIO(sys.stdin.buffer.read())
