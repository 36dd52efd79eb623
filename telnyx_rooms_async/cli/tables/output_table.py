"""Where rows are written to: a file that is complete or not there, a list of failures, or stdout."""

import os
import stat
import tempfile
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, BinaryIO, Final, Protocol, TypeAlias, cast

import typer

from telnyx_rooms_async import TelnyxRoomsError
from telnyx_rooms_async.atomic_write import AtomicFile
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.files import Stdout
from telnyx_rooms_async.cli.tables.formats import STREAM, Format
from telnyx_rooms_async.cli.tables.owned import holds_failures, refuse_foreign
from telnyx_rooms_async.cli.tables.parquet_format import ParquetRows
from telnyx_rooms_async.cli.paths import naming
from telnyx_rooms_async.cli.tables import BYTE_ORDER_MARK, csv_header, csv_row, ndjson_row

_ROWS: Final = {Format.CSV: csv_row, Format.NDJSON: ndjson_row}
_CHUNK: Final = 1 << 16


class Rows(Protocol):
    """What takes rows."""

    def write(self, records: Iterable[Mapping[str, object]], /) -> None:
        """Write some, and have them there at once if the format allows that."""
        ...

    def close(self) -> None:
        """Write what belongs to the end."""
        ...


class _File(Protocol):
    def write(self, data: bytes, /) -> object: ...
    def flush(self) -> object: ...


class _Lines:
    def __init__(self, file: _File, kind: Format, columns: Sequence[str]) -> None:
        self._file, self._columns = file, columns
        self._row = _ROWS[kind]
        if kind is Format.CSV:
            file.write(csv_header(columns))

    def write(self, records: Iterable[Mapping[str, object]]) -> None:
        self._file.write(b"".join(self._row(record, self._columns) for record in records))
        self._file.flush()

    def close(self) -> None:
        """Nothing belongs to the end of lines."""


def _rows(
    file: BinaryIO, kind: Format, columns: Sequence[str], types: Mapping[str, object] | None = None
) -> Rows:
    return ParquetRows(file, columns, types) if kind is Format.PARQUET else _Lines(file, kind, columns)


class _NamedRows:
    """Rows of a file that is named when it cannot be written."""

    def __init__(self, path: str, rows: Rows) -> None:
        self._path, self._rows = path, rows

    def write(self, records: Iterable[Mapping[str, object]]) -> None:
        with naming(self._path):
            self._rows.write(records)

    def close(self) -> None:
        with naming(self._path):
            self._rows.close()


# --- an export --------------------------------------------------------------------------------------------


@contextmanager
def writing(
    path: str, kind: Format, columns: Sequence[str], *, bom: bool = False
) -> Generator[Rows, None, None]:
    """Write a table, after a byte-order mark if `bom`; a file takes its name at the good end.

    Raises:
        ConfigurationError: it cannot be written.
    """
    if path != STREAM:
        with _replacing(path) as file:
            if bom:
                with naming(path):
                    file.write(BYTE_ORDER_MARK)
            yield from _written(path, file, kind, columns)
    elif kind is not Format.PARQUET:
        if bom:
            output.put(BYTE_ORDER_MARK)
        yield _Lines(_StdoutFile(), kind, columns)
    else:
        with tempfile.TemporaryFile() as file:  # its end tells where its parts stand
            yield from _written(tempfile.gettempdir(), cast("BinaryIO", file), kind, columns)
            file.seek(0)
            while piece := file.read(_CHUNK):
                output.put(piece)


class _StdoutFile(Stdout):
    def flush(self) -> None:
        """Each piece is there at once."""


def _written(path: str, file: BinaryIO, kind: Format, columns: Sequence[str]) -> Generator[Rows, None, None]:
    with naming(path):
        rows = _rows(file, kind, columns)
    yield from _ended(path, rows, is_wanted=False)


@contextmanager
def _replacing(path: str) -> Generator[BinaryIO, None, None]:
    if not _is_regular(path):  # a rename would take the place of a device
        with naming(path):
            file = open(path, "wb")  # noqa: SIM115, PTH123 - closed below
        with _closed(path, file):
            yield file
        return
    with naming(path):
        target = AtomicFile(Path(os.path.realpath(path)))
    try:
        yield target.file
        with naming(path):
            target.commit()
    finally:
        target.discard()


def _is_regular(path: str) -> bool:
    """Tell whether there is a regular file, or will be.

    Raises:
        ConfigurationError: it cannot be told, and no file could be written.
    """
    with naming(path):
        try:
            return stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 - a path may be of any bytes
        except FileNotFoundError:
            return True


@contextmanager
def _closed(path: str, file: BinaryIO) -> Generator[None, None, None]:
    """Close a file at the end, which writes what it still holds."""
    is_whole = False
    try:
        yield
        is_whole = True
    finally:
        if not is_whole:
            with suppress(OSError):  # what has cut it short says more
                file.close()
    with naming(path):
        file.close()


# --- failures ---------------------------------------------------------------------------------------------

Errors: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Write there what failed, and why, as a table of the same format for another run.",
    ),
]


@contextmanager
def failures(
    path: str | None,
    kind: Format,
    columns: Sequence[str],
    *,
    keep: Iterable[str],
    types: Mapping[str, object] | None = None,
) -> Generator[Rows | None, None, None]:
    """Write what failed as a table for another run; there is no file in the end when nothing did.

    What another run has left there is replaced by the first failure, or taken away at a good end.

    Args:
        path: where to, if anywhere.
        kind: the format.
        columns: what to tell of each.
        keep: other files of the same command.
        types: the types of the columns of Parquet, where they are not those of a room.

    Raises:
        BadParameter: it is one of those, or leads to the same file as stdin or stdout.
        ConfigurationError: it cannot be written, or holds something else than failures of another run.
    """
    if path is None:
        yield None
        return
    if any(_is_same(path, other) for other in keep) or _is_stream(path):
        raise typer.BadParameter(f"--errors {path} would write over another file of this command")
    refuse_foreign(path, holds_failures, "a table of failures")
    with naming(path):
        is_new = not Path(path).exists()
        file = open(path, "wb", opener=_leaving_it)  # noqa: SIM115 - closed below
    opened = os.fstat(file.fileno())
    is_own = is_new or opened.st_size > 0  # an empty file of someone else is not taken away
    rows = _Failures(file, lambda: _rows(file, kind, columns, types))
    is_whole = False
    try:
        with _closed(path, file):
            yield from _ended(path, rows, is_wanted=True)
        is_whole = True
    finally:
        if not rows.count and (is_whole or is_new) and is_own:
            _remove(path, opened)


def _remove(path: str, opened: os.stat_result) -> None:
    """Remove a regular file that was opened, unless another one has taken its name; a link to it stays."""
    target = Path(os.path.realpath(path))
    with suppress(FileNotFoundError):
        if stat.S_ISREG(opened.st_mode) and os.path.samestat(target.stat(), opened):
            target.unlink()


def _is_stream(path: str) -> bool:
    """Tell whether a path leads to the regular file that stdin or stdout are led from or into."""
    for descriptor in (0, 1):
        with suppress(OSError):  # closed, or the path is not there yet
            found = os.fstat(descriptor)
            if stat.S_ISREG(found.st_mode) and os.path.samestat(found, Path(path).stat()):
                return True
    return False


def _leaving_it(path: str, flags: int) -> int:
    """Open a file for writing with what is in it."""
    return os.open(path, flags & ~os.O_TRUNC, 0o600)


def _is_same(path: str, other: str) -> bool:
    try:
        return Path(path).samefile(other)
    except OSError:  # one of them is not there yet
        return os.path.realpath(path) == os.path.realpath(other)


def _ended(path: str, rows: Rows, *, is_wanted: bool) -> Generator[Rows, None, None]:
    """Write rows to the end, also when the job is cut short: what failed until then is of use."""
    named = _NamedRows(path, rows)
    is_whole = False
    try:
        yield named
        is_whole = True
    finally:
        if not is_whole:
            try:
                named.close()
            except TelnyxRoomsError as error:
                if is_wanted:
                    output.complain(error)
    named.close()


class _Failures:
    def __init__(self, file: BinaryIO, begin: Callable[[], Rows]) -> None:
        self._file, self._begin = file, begin
        self._rows: Rows | None = None
        self.count = 0

    def write(self, records: Iterable[Mapping[str, object]]) -> None:
        if self._rows is None:
            if stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
                self._file.truncate(0)
            self._rows = self._begin()
        listed = list(records)
        self.count += len(listed)
        self._rows.write(listed)

    def close(self) -> None:
        if self._rows is not None:
            self._rows.close()
