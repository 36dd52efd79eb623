"""A table on disk, or on stdin: read through once to check it, and again to use it."""

import shutil
import sys
import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO, Final, NamedTuple, cast

from telnyx_rooms_async import ConfigurationError
from telnyx_rooms_async.cli.jobs.formats import STREAM, Format
from telnyx_rooms_async.cli.jobs.parquet import ParquetReader
from telnyx_rooms_async.cli.jobs.progress import working
from telnyx_rooms_async.core.tables import (
    FAILED_COLUMNS,
    LONGEST_LINE,
    REASON,
    Checked,
    OnWrong,
    Row,
    check,
    read_csv,
    read_ndjson,
    read_records,
)

_READERS: Final = {Format.CSV: read_csv, Format.NDJSON: read_ndjson}


class Table(NamedTuple):
    """An open table."""

    source: str
    format: Format
    file: BinaryIO
    named: bool
    """Whether each room needs a name."""

    def rows(self, on_wrong: OnWrong | None = None) -> Iterator[Row]:
        """Read from the first row on."""
        self.file.seek(0)
        options = {"on_wrong": on_wrong} if on_wrong else {}
        if self.format is Format.PARQUET:
            records = ParquetReader(self.file, self.source)
            return read_records(records, self.source, named=self.named, **options)
        return _READERS[self.format](self._lines(), self.source, named=self.named, **options)

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

    def check(self) -> Checked:
        """Read all of it, and return what it holds.

        Raises:
            InvalidArgumentError: it is no such table, or a row is wrong.
        """
        with working(f"checking {self.source}"):
            return check(self.rows, self.source, "row" if self.format is Format.PARQUET else "line")


@contextmanager
def opened(path: str, kind: Format, *, named: bool) -> Generator[Table, None, None]:
    """Open a table; what can be read only once is kept in a temporary file.

    Raises:
        ConfigurationError: it cannot be read.
    """
    source = "stdin" if path == STREAM else path
    with _open(path, source) as file:
        if file.seekable() and not file.tell():  # somebody may have read the beginning of stdin
            yield Table(source, kind, file, named)
            return
        with _kept(file, source) as copy:
            yield Table(source, kind, copy, named)


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
