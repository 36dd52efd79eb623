"""Tables as output of a command: an export that replaces its target at the end, or a table of failures."""

import os
import stat
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Annotated, BinaryIO, Final, Protocol, Self, TypeAlias, cast

import typer

from telnyx_rooms_async import ConfigurationError, TelnyxRoomsError
from telnyx_rooms_async.atomic_write import AtomicFile
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.files import Stdout, file_errors
from telnyx_rooms_async.cli.tables.csv_format import csv_header, csv_row
from telnyx_rooms_async.cli.tables.formats import STREAM, Format
from telnyx_rooms_async.cli.tables.input_table import InputTable
from telnyx_rooms_async.cli.tables.ndjson_format import ndjson_row
from telnyx_rooms_async.cli.tables.parquet_format import MAGIC, ParquetReader, ParquetWriter
from telnyx_rooms_async.cli.tables.rows import COLUMNS, FAILURE_COLUMNS, REASON
from telnyx_rooms_async.cli.tables.text_lines import BYTE_ORDER_MARK, LONGEST_LINE
from telnyx_rooms_async.serialization import DecodeError, parse_json

_SAMPLE_LINES: Final = 100
"""Lines of an existing NDJSON file that are inspected before it is replaced."""


class RowWriter(Protocol):
    """Writer of the records of a table."""

    def write(self, records: Iterable[Mapping[str, object]], /) -> None:
        """Write records, at once if the format allows it."""
        ...

    def close(self) -> None:
        """Write what belongs at the end of the file."""
        ...


class _LineWriter:
    def __init__(self, file: BinaryIO | Stdout, columns: Sequence[str], encode: Callable[..., bytes]) -> None:
        self._file, self._columns, self._encode = file, columns, encode

    def write(self, records: Iterable[Mapping[str, object]]) -> None:
        self._file.write(b"".join(self._encode(record, self._columns) for record in records))
        self._file.flush()

    def close(self) -> None:
        pass


def _open_writer(
    file: BinaryIO | Stdout,
    table_format: Format,
    columns: Sequence[str],
    types: Mapping[str, object] | None = None,
) -> RowWriter:
    if table_format is Format.PARQUET:
        return ParquetWriter(cast("BinaryIO", file), columns, types)
    if table_format is Format.NDJSON:
        return _LineWriter(file, columns, ndjson_row)
    file.write(csv_header(columns))
    return _LineWriter(file, columns, csv_row)


# --- exports ------------------------------------------------------------------------------------------------


@contextmanager
def write_export(path: str, table_format: Format, *, bom: bool = False) -> Generator[RowWriter, None, None]:
    """Write an export. A file is complete under its name or not there.

    Args:
        path: of the file, or ``-`` for stdout.
        table_format: its format.
        bom: whether to begin with a byte-order mark.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    target = _to_stdout(table_format) if path == STREAM else _to_file(path)
    with target as file:
        if bom:
            file.write(BYTE_ORDER_MARK)
        writer = _open_writer(file, table_format, COLUMNS)
        try:
            yield writer
        except BaseException:
            with suppress(OSError):  # the first error is the one to report
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
        if not _may_be_regular(path):  # a device or a pipe must not be replaced by a file
            with open(path, "wb") as file:  # noqa: PTH123 - a path may be of any bytes
                yield file
            return
        target = AtomicFile(Path(os.path.realpath(path)))
        try:
            yield target.open()
            target.commit()
        finally:
            target.discard()


def _may_be_regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 - a path may be of any bytes
    except FileNotFoundError:
        return True


# --- failures -----------------------------------------------------------------------------------------------

Errors: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Write failed rows and the reasons to this table, as input for another run.",
    ),
]


@contextmanager
def write_failures(
    path: str | None, table_format: Format, table: InputTable, *, other_files: Iterable[str]
) -> Generator[Callable[[Mapping[str, object]], object], None, None]:
    """Write the invalid rows of a table, and the rows that fail later, to a table of failures.

    Args:
        path: of the table of failures, or ``None`` to write nothing.
        table_format: format of both tables.
        table: the input of the command.
        other_files: files of the same command, which must not be overwritten.

    Yields:
        A function that writes a row, with its reason under `REASON`.

    Raises:
        BadParameter: the path is one of the other files, or the file that stdin or stdout is redirected to.
        ConfigurationError: the file cannot be written, or holds something else than failures.
    """
    if path is None:
        yield lambda _record: None
        return
    if any(_is_same_file(path, other) for other in other_files) or _is_redirected(path):
        raise typer.BadParameter(f"--errors {path} would overwrite another file of this command")
    refuse_foreign(path, _holds_failures, "a table of failures")
    with _FailureTable(path, table_format, table.failure_columns, table.column_types) as failures:
        for row in table.invalid:
            failures.write(row.failure)
        yield failures.write


class _FailureTable:
    """Table of the rows that failed. Context manager.

    The file is opened at once, so that a path that cannot be written is reported before anything is sent.
    Failures of an earlier run stay until the first new failure. If nothing failed, the file is removed.
    """

    def __init__(
        self,
        path: str,
        table_format: Format,
        columns: Sequence[str],
        types: Mapping[str, object] | None,
    ) -> None:
        self._path = path
        self._options = table_format, columns, types
        self._writer: RowWriter | None = None
        self._is_broken = False
        with file_errors(path):
            self._is_new = not Path(path).exists()
            self._file = open(path, "wb", opener=_open_without_truncation)  # noqa: SIM115 - closed by __exit__
            self._opened = os.fstat(self._file.fileno())

    def write(self, record: Mapping[str, object]) -> None:
        """Write a row that failed, with its reason under `REASON`."""
        with self._noted_errors():
            if self._writer is None:
                if stat.S_ISREG(self._opened.st_mode):
                    self._file.truncate(0)
                self._writer = _open_writer(self._file, *self._options)
            self._writer.write([record])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            with self._noted_errors():
                try:
                    if self._writer is not None and not self._is_broken:
                        self._writer.close()
                finally:
                    self._file.close()
        except ConfigurationError as failure:
            if error is None:
                raise
            output.complain(failure)  # what failed until now is of use
        # An empty file that was there before belongs to the user, as one made by mktemp.
        is_ours = self._is_new or self._opened.st_size > 0
        if self._writer is None and is_ours and (error is None or self._is_new):
            self._remove()

    @contextmanager
    def _noted_errors(self) -> Generator[None, None, None]:
        try:
            with file_errors(self._path):
                yield
        except ConfigurationError:
            if self._is_broken:
                return  # reported before
            self._is_broken = True
            raise

    def _remove(self) -> None:
        """Remove the file, unless another file has its name now. A link to it stays."""
        target = Path(os.path.realpath(self._path))
        with suppress(FileNotFoundError):
            if stat.S_ISREG(self._opened.st_mode) and os.path.samestat(target.stat(), self._opened):
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


def _open_without_truncation(path: str, flags: int) -> int:
    return os.open(path, flags & ~os.O_TRUNC, 0o600)


# --- existing files -----------------------------------------------------------------------------------------


def refuse_foreign(path: str, is_replaceable: Callable[[BinaryIO], bool], what: str) -> None:
    """Refuse to replace a file that this program has not written. An empty file may be replaced.

    Args:
        path: of the file, which need not exist.
        is_replaceable: whether the content of an open file may be replaced.
        what: content that may be replaced, for the message.

    Raises:
        ConfigurationError: the file holds something else, or cannot be read.
    """
    with file_errors(path):
        try:
            status = os.stat(path)  # noqa: PTH116 - a path may be of any bytes
        except FileNotFoundError:
            return
        if not stat.S_ISREG(status.st_mode) or not status.st_size:
            return
        with open(path, "rb") as file:  # noqa: PTH123 - likewise
            if is_replaceable(file):
                return
    raise ConfigurationError(
        f"cannot write {path}: it exists and is not {what} of an earlier run; remove it or use another path"
    )


def holds_export(file: BinaryIO) -> bool:
    """Return whether a file holds an export of rooms."""
    columns = _parquet_columns(file)
    if columns is not None:
        return columns == list(COLUMNS)
    if _first_line(file).removeprefix(BYTE_ORDER_MARK) == csv_header(COLUMNS):
        return True
    records = _first_objects(file)
    return bool(records) and all(list(record) == list(COLUMNS) for record in records)


def _holds_failures(file: BinaryIO) -> bool:
    columns = _parquet_columns(file)
    if columns is not None:
        return columns[-1:] == [REASON] and set(columns) <= set(FAILURE_COLUMNS)
    if _first_line(file) == csv_header(FAILURE_COLUMNS):
        return True
    records = _first_objects(file)
    are_failures = all(REASON in record and record.keys() <= set(FAILURE_COLUMNS) for record in records)
    # A log may hold objects with an error too, but no room setting.
    return bool(records) and are_failures and any(len(record) > 1 for record in records)


def _parquet_columns(file: BinaryIO) -> list[str] | None:
    """Return the columns of a Parquet file, ``[]`` if it is damaged, ``None`` for another format."""
    file.seek(0)
    if file.read(len(MAGIC)) != MAGIC:
        return None
    try:
        return list(ParquetReader(file, "").types)
    except TelnyxRoomsError:
        return []


def _first_line(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.readline(LONGEST_LINE)


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
