"""Tables of rooms as input of a command: read and validated completely before anything is sent."""

import io
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import BinaryIO, Final, cast

import typer
from attrs import define, field

from telnyx_rooms_async import ConfigurationError, InvalidArgumentError, RoomFields
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.files import file_errors
from telnyx_rooms_async.cli.progress import status
from telnyx_rooms_async.cli.runner import USAGE
from telnyx_rooms_async.cli.tables.csv_format import read_csv
from telnyx_rooms_async.cli.tables.formats import STREAM, Format
from telnyx_rooms_async.cli.tables.ndjson_format import read_ndjson
from telnyx_rooms_async.cli.tables.parquet_format import ParquetReader
from telnyx_rooms_async.cli.tables.rows import (
    FAILURE_COLUMNS,
    NAME,
    REASON,
    AnyRow,
    InvalidRow,
    Row,
    TableName,
)
from telnyx_rooms_async.core.validators import short_repr

_MAX_PROBLEM_ROWS: Final = 20
"""Invalid rows whose problems are printed; the others are counted."""


@define(kw_only=True)
class InputTable:
    """The rows of a table."""

    source: str
    """Name of the table, for messages."""
    unit: str
    """What rows are counted in: ``"line"`` or ``"row"``."""
    rooms: list[RoomFields] = field(factory=list[RoomFields])
    invalid: list[InvalidRow] = field(factory=list[InvalidRow])
    column_types: Mapping[str, object] | None = None
    """Types of the columns of Parquet: a row may be invalid because of the type of a value."""
    broken: tuple[str, ...] = ()
    """Why the rest of the table cannot be read."""
    _lines: dict[str, int] = field(factory=dict[str, int])
    """Lines by the name of their room."""

    @property
    def is_named(self) -> bool:
        """Whether every room has a name."""
        return len(self._lines) == len(self.rooms)

    @property
    def failure_columns(self) -> Sequence[str]:
        """Columns of a table of failures in the same format.

        In Parquet every column has a value for every room, so only columns of this table are used.
        """
        if self.column_types is None:
            return FAILURE_COLUMNS
        return [name for name in FAILURE_COLUMNS if name in self.column_types or name == REASON]

    @property
    def problems(self) -> Iterator[str]:
        """The problems of the first invalid rows, and the number of the others."""
        for row in self.invalid[:_MAX_PROBLEM_ROWS]:
            yield from row.problems
        yield from self.broken
        if (more := len(self.invalid) - _MAX_PROBLEM_ROWS) > 0:
            yield f"{more} more {self.unit}{'s are' if more > 1 else ' is'} invalid"

    def read(self, rows: Iterator[AnyRow]) -> None:
        """Read all rows. A room with the name of a room before it is invalid."""
        try:
            for row in rows:
                if isinstance(row, InvalidRow):
                    self.invalid.append(row)
                    continue
                name = cast("str | None", row.fields.get(NAME))
                if name is not None and (first := self._lines.setdefault(name, row.line)) != row.line:
                    self.invalid.append(self._duplicate(row, first))
                else:
                    self.rooms.append(row.fields)
        except InvalidArgumentError as error:
            self.broken = error.problems

    def _duplicate(self, row: Row, first_line: int) -> InvalidRow:
        name = short_repr(row.fields.get(NAME))
        problem = f"{name} is already in {self.unit} {first_line}; names must be unique"
        problems = (TableName(self.source, self.unit).problem(row.line, problem, NAME),)
        return InvalidRow(line=row.line, problems=problems, record=row.fields)


def read_table(
    path: str,
    table_format: Format,
    *,
    names_required: bool,
    delimiter: str | None = None,
    skip_invalid: bool = False,
) -> InputTable:
    """Read and validate a table, and print its problems.

    Args:
        path: of a file, or ``-`` for stdin.
        table_format: its format.
        names_required: whether a row without ``unique_name`` is invalid.
        delimiter: of CSV.
        skip_invalid: whether to return the valid rows although others are invalid.

    Raises:
        ConfigurationError: the table cannot be read.
        Exit: the table is invalid.
    """
    source = "stdin" if path == STREAM else path
    table = InputTable(source=source, unit="row" if table_format is Format.PARQUET else "line")
    with status(f"checking {source}"), _open(path, source) as file:
        try:
            if table_format is Format.PARQUET:
                reader = ParquetReader(file, source)
                table.column_types = reader.types
                table.read(reader.rows(names_required=names_required))
            elif table_format is Format.NDJSON:
                table.read(read_ndjson(file, source, names_required=names_required))
            else:
                table.read(read_csv(file, source, names_required=names_required, delimiter=delimiter))
        except InvalidArgumentError as error:
            table.broken = error.problems
    if not table.rooms and not table.invalid and not table.broken:
        table.broken = (f"{source} is empty: it has no rows",)
    for problem in table.problems:
        output.complain(InvalidArgumentError((problem,)))  # escapes what is not printable
    if table.broken or (table.invalid and not (skip_invalid and table.rooms)):
        raise typer.Exit(USAGE)
    if table.invalid:
        output.note(f"{output.counted(len(table.invalid), table.unit)} skipped")
    return table


@contextmanager
def _open(path: str, source: str) -> Generator[BinaryIO, None, None]:
    """Open a file, or stdin, so that it is seekable.

    Raises:
        ConfigurationError: it cannot be read.
    """
    with file_errors(source, "read"):
        if path == STREAM:
            if sys.stdin is None:
                raise ConfigurationError("cannot read stdin: it is closed")
            yield io.BytesIO(sys.stdin.buffer.read())
        else:
            with open(path, "rb") as file:  # noqa: PTH123 - a path may be of any bytes
                yield file if file.seekable() else io.BytesIO(file.read())
