"""A table on disk, or on stdin: read through once to check it, and again to use it."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, BinaryIO, NamedTuple, cast

import typer

from telnyx_rooms_async import ConfigurationError, InvalidArgumentError
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.tables.formats import STREAM, Format
from telnyx_rooms_async.cli.tables.parquet_format import ParquetReader
from telnyx_rooms_async.cli.progress import working
from telnyx_rooms_async.cli.runner import USAGE
from telnyx_rooms_async.cli.tables import (
    FAILED_COLUMNS,
    LONGEST_LINE,
    REASON,
    Checked,
    OnWrong,
    Row,
    WrongRow,
    check,
    read_csv,
    read_ndjson,
    read_records,
)


class Table(NamedTuple):
    """An open table."""

    source: str
    format: Format
    file: BinaryIO
    named: bool
    """Whether each room needs a name."""
    delimiter: str | None = None

    def rows(self, on_wrong: OnWrong | None = None) -> Iterator[Row]:
        """Read from the first row on."""
        self.file.seek(0)
        options: dict[str, Any] = {"on_wrong": on_wrong} if on_wrong else {}
        if self.format is Format.PARQUET:
            records = ParquetReader(self.file, self.source)
            return read_records(records, self.source, named=self.named, **options)
        if self.format is Format.NDJSON:
            return read_ndjson(self._lines(), self.source, named=self.named, **options)
        options["delimiter"] = self.delimiter
        return read_csv(self._lines(), self.source, named=self.named, **options)

    def _lines(self) -> Iterable[bytes]:
        return iter(partial(self.file.readline, LONGEST_LINE + 1), b"")

    @property
    def failed_columns(self) -> Sequence[str]:
        """What to tell of a room that was not made, in a table of the same format.

        In Parquet each column says something of each room, so there are none that this table lacks.
        """
        if self.format is not Format.PARQUET:
            return FAILED_COLUMNS
        own = ParquetReader(self.file, self.source).columns
        return [name for name in FAILED_COLUMNS if name in own or name == REASON]

    @property
    def types(self) -> Mapping[str, object]:
        """The types of the columns of Parquet: a row that is wrong may be so by the type of its values."""
        return ParquetReader(self.file, self.source).types if self.format is Format.PARQUET else {}

    def check(self, *, skip_invalid: bool = False) -> "CheckedTable":
        """Read all of it, and tell what is wrong with it, a line for each mistake.

        Args:
            skip_invalid: whether to go on without the rows that are wrong.

        Raises:
            Exit: it is no such table, or rows are wrong.
        """
        unit = "row" if self.format is Format.PARQUET else "line"
        try:
            with working(f"checking {self.source}"):
                checked = check(self.rows, self.source, unit, skip_invalid=skip_invalid)
        except InvalidArgumentError as error:
            _complain(error.problems)
            raise typer.Exit(USAGE) from None
        _complain(checked.problems)
        if checked.faulty:
            output.note(f"{output.counted(checked.faulty, unit)} left out")
        return CheckedTable(self, checked)


def _complain(problems: Sequence[str]) -> None:
    for problem in problems:
        output.complain(InvalidArgumentError((problem,)))  # what does not print is escaped by it


class CheckedTable(NamedTuple):
    """A table of which it is known which rows make no room."""

    table: Table
    checked: Checked

    def rows(self, on_wrong: Callable[[WrongRow], object] = lambda _row: None) -> Iterator[Row]:
        """Read the rows that make a room, from the first on."""
        for row in self.table.rows(on_wrong if self.checked.faulty else None):
            if error := self.checked.doubles.get(row.line):
                on_wrong(WrongRow(line=row.line, error=error, record=row.fields))
            else:
                yield row

    def write_faulty(self, write: Callable[[Iterable[Mapping[str, object]]], object]) -> None:
        """Write the rows that make no room, each with the reason."""
        if not self.checked.faulty:
            return
        for _ in self.rows(lambda row: write([{**row.record, REASON: row.reason}])):
            pass


@contextmanager
def opened(
    path: str, kind: Format, *, named: bool, delimiter: str | None = None
) -> Generator[Table, None, None]:
    """Open a table; what can be read only once is kept in a temporary file.

    Raises:
        ConfigurationError: it cannot be read.
    """
    source = "stdin" if path == STREAM else path
    with _open(path, source) as file:
        if file.seekable() and not file.tell():  # somebody may have read the beginning of stdin
            yield Table(source, kind, file, named, delimiter)
            return
        with _kept(file, source) as copy:
            yield Table(source, kind, copy, named, delimiter)


@contextmanager
def _open(path: str, source: str) -> Generator[BinaryIO, None, None]:
    if path == STREAM:
        if sys.stdin is None:
            raise ConfigurationError("there is no stdin to read")
        yield sys.stdin.buffer
        return
    try:
        file = open(path, "rb")  # noqa: SIM115, PTH123 - closed below; a path may be of any bytes
    except OSError as error:
        raise ConfigurationError(f"cannot read {source}: {error.strerror or error}") from None
    with file:
        yield file


@contextmanager
def _kept(file: BinaryIO, source: str) -> Generator[BinaryIO, None, None]:
    with tempfile.TemporaryFile() as copy:
        try:
            shutil.copyfileobj(file, copy)
            copy.flush()
        except OSError as error:
            reason = error.strerror or error
            raise ConfigurationError(f"cannot keep {source} in {tempfile.gettempdir()}: {reason}") from None
        yield cast("BinaryIO", copy)
