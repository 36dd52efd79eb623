"""Tables as output of a command: an export that replaces its target at the end, or a table of failures."""

import os
import stat
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, Self, TypeAlias, cast

import typer

from telnyx_rooms_async import ConfigurationError, TelnyxRoomsError
from telnyx_rooms_async.atomic_write import AtomicFile
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.output import STREAM, Stdout, file_errors
from telnyx_rooms_async.cli.tables import COLUMNS, FAILURE_COLUMNS, REASON, Format, Source
from telnyx_rooms_async.cli.tables.formats import (
    BYTE_ORDER_MARK,
    LONGEST_LINE,
    MAGIC,
    ParquetWriter,
    TextWriter,
    csv_header,
    parquet_types,
)
from telnyx_rooms_async.cli.tables.input_table import InputTable
from telnyx_rooms_async.serialization import DecodeError, parse_json

_SAMPLE_LINES: Final = 100
"""Lines of an existing NDJSON file that are inspected before it is replaced."""

RowWriter: TypeAlias = TextWriter | ParquetWriter
FailureWriter: TypeAlias = Callable[[Mapping[str, object], Exception], object]
"""Writes the settings of a room, and why it failed."""


def _open_writer(
    file: BinaryIO | Stdout,
    table_format: Format,
    columns: Sequence[str],
    types: Mapping[str, object] | None = None,
) -> RowWriter:
    if table_format is Format.PARQUET:
        return ParquetWriter(cast("BinaryIO", file), columns, types)
    return TextWriter(file, table_format, columns)


# --- exports ------------------------------------------------------------------------------------------------


@contextmanager
def write_export(path: str, table_format: Format, *, bom: bool = False) -> Generator[RowWriter, None, None]:
    """Write an export. A file is complete under its name or not there."""
    target = _to_stdout(table_format) if path == STREAM else _to_file(path)
    with target as file:
        if bom:
            file.write(BYTE_ORDER_MARK)
        writer = _open_writer(file, table_format, COLUMNS)
        try:
            yield writer
        except BaseException:  # of the block: the writer is closed in any case, and this error is raised
            with suppress(OSError):
                writer.close()
            raise
        writer.close()


@contextmanager
def _to_stdout(table_format: Format) -> Generator[BinaryIO | Stdout, None, None]:
    if table_format is not Format.PARQUET:
        yield Stdout()
        return
    buffer = BytesIO()  # the end of a Parquet file has the positions of its parts
    yield buffer
    output.put(buffer.getvalue())


@contextmanager
def _to_file(path: str) -> Generator[BinaryIO, None, None]:
    with file_errors(path):
        status = _status(path)
        if status is not None and not stat.S_ISREG(status.st_mode):
            with open(path, "wb") as file:  # noqa: PTH123 - a path may be of any bytes
                yield file  # a device or a pipe must not be replaced by a file
            return
        with AtomicFile(Path(os.path.realpath(path))) as file:
            yield file


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116 - a path may be of any bytes
    except FileNotFoundError:
        return None


# --- failures -----------------------------------------------------------------------------------------------


@contextmanager
def write_failures(
    path: str | None, table: InputTable, inputs: Sequence[str]
) -> Generator[FailureWriter, None, None]:
    """Write the invalid rows of a table, and the rows that fail later, to a table of failures."""
    if path is None:
        yield lambda _fields, _error: None
        return
    if _is_redirected(path) or any(_is_same_file(path, other) for other in inputs if other != STREAM):
        raise typer.BadParameter(f"--errors {path} would overwrite another file of this command")
    refuse_foreign(path, _holds_failures, "a table of failures")
    with _FailureTable(path, table) as failures:
        for row in table.invalid:
            failures.write(row.failure)
        yield lambda fields, error: failures.write({**fields, REASON: str(error)})


class _FailureTable:
    """Table of the rows that failed.

    The file is opened at once, so that a path that cannot be written is reported before anything is sent.
    Failures of an earlier run stay until the first new failure. If nothing failed, the file is removed.
    """

    def __init__(self, path: str, table: InputTable) -> None:
        self._path = path
        self._options = table.format, table.failure_columns, table.column_types
        self._writer: RowWriter | None = None
        self._is_broken = False
        with file_errors(path):
            self._is_new = not Path(path).exists()
            # Neither truncated nor readable by others.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
            self._file = os.fdopen(descriptor, "wb")
            self._opened = os.fstat(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        try:
            with file_errors(self._path), self._file:
                if self._writer is not None and not self._is_broken:
                    self._writer.close()
        except ConfigurationError as error:
            if error_type is None:
                raise
            if not self._is_broken:  # otherwise it was reported
                output.complain(error)  # the first error is raised
            return
        if self._writer is None:
            self._remove(succeeded=error_type is None)
        elif not self._is_broken:
            output.note(f"failed rows are in {self._path}")

    def write(self, record: Mapping[str, object]) -> None:
        """Write a row that failed, with its reason under `REASON`."""
        self._is_broken = True
        with file_errors(self._path):
            if self._writer is None:
                if stat.S_ISREG(self._opened.st_mode):
                    self._file.truncate(0)
                self._writer = _open_writer(self._file, *self._options)
            self._writer.write([record])
        self._is_broken = False

    def _remove(self, *, succeeded: bool) -> None:
        """Remove the file, unless it was the user's or has failures that may not be mended."""
        # An empty file that was there before belongs to the user, as one made by mktemp.
        is_ours = self._is_new or (succeeded and self._opened.st_size > 0)
        if is_ours and stat.S_ISREG(self._opened.st_mode):
            target = Path(os.path.realpath(self._path))  # a link to it stays
            with suppress(FileNotFoundError):
                if os.path.samestat(target.stat(), self._opened):  # otherwise it was replaced meanwhile
                    target.unlink()


def _is_redirected(path: str) -> bool:
    """Return whether stdin or stdout is redirected from or to this regular file."""
    for descriptor in (0, 1):
        with suppress(OSError):  # the stream is closed, or the file does not exist
            stream = os.fstat(descriptor)
            if stat.S_ISREG(stream.st_mode) and os.path.samestat(stream, Path(path).stat()):
                return True
    return False


def _is_same_file(path: str, other: str) -> bool:
    try:
        return Path(path).samefile(other)
    except OSError:  # one of them does not exist
        return os.path.realpath(path) == os.path.realpath(other)


# --- existing files -----------------------------------------------------------------------------------------


def refuse_foreign(path: str, is_replaceable: Callable[[BinaryIO], bool], what: str) -> None:
    """Refuse to replace a file that this program has not written. An empty file may be replaced."""
    with file_errors(path):
        status = _status(path)
        if status is None or not stat.S_ISREG(status.st_mode) or not status.st_size:
            return
        with open(path, "rb") as file:  # noqa: PTH123 - a path may be of any bytes
            if is_replaceable(file):
                return
    raise ConfigurationError(
        f"cannot write {path}: it exists and is not {what} of an earlier run; remove it or use another path"
    )


def holds_export(file: BinaryIO) -> bool:
    """Return whether a file holds an export of rooms."""
    if (columns := _parquet_columns(file)) is not None:
        return columns == list(COLUMNS)
    if file.readline(LONGEST_LINE).removeprefix(BYTE_ORDER_MARK) == csv_header(COLUMNS):
        return True
    records = _first_objects(file)
    return bool(records) and all(list(record) == list(COLUMNS) for record in records)


def _holds_failures(file: BinaryIO) -> bool:
    if (columns := _parquet_columns(file)) is not None:
        return columns[-1:] == [REASON] and set(columns) <= set(FAILURE_COLUMNS)
    if file.readline(LONGEST_LINE) == csv_header(FAILURE_COLUMNS):
        return True
    records = _first_objects(file)
    are_failures = all(REASON in record and record.keys() <= set(FAILURE_COLUMNS) for record in records)
    # A log may hold objects with an error too, but no room setting.
    return bool(records) and are_failures and any(len(record) > 1 for record in records)


def _parquet_columns(file: BinaryIO) -> list[str] | None:
    """Return the columns of a Parquet file, ``[]`` if it is damaged, ``None`` for another format."""
    magic = file.read(len(MAGIC))
    file.seek(0)
    if magic != MAGIC:
        return None
    try:
        return list(parquet_types(file, Source("")))
    except TelnyxRoomsError:
        return []


def _first_objects(file: BinaryIO) -> list[dict[str, object]]:
    """Return the objects of the first lines; none if a line is not a JSON object."""
    file.seek(0)
    records: list[dict[str, object]] = []
    for line in islice(iter(lambda: file.readline(LONGEST_LINE), b""), _SAMPLE_LINES):
        try:
            value = parse_json(line)
        except DecodeError:
            return []
        if not isinstance(value, dict):
            return []
        records.append(cast("dict[str, object]", value))
    return records
