"""What an existing file holds: a table of this program may be replaced, anything else is kept."""

import os
import stat
from collections.abc import Callable
from itertools import islice
from typing import BinaryIO, Final, cast

from telnyx_rooms_async import ConfigurationError, TelnyxRoomsError
from telnyx_rooms_async.cli.tables.parquet_format import ParquetReader
from telnyx_rooms_async.cli.paths import naming
from telnyx_rooms_async.cli.tables import (
    BYTE_ORDER_MARK,
    COLUMNS,
    FAILED_COLUMNS,
    LONGEST_LINE,
    REASON,
    csv_header,
)
from telnyx_rooms_async.core.codec import DecodeError, parse

_LINES: Final = 100
"""So many lines of NDJSON are looked at."""
_PARQUET: Final = b"PAR1"


def refuse_foreign(path: str, is_own: Callable[[BinaryIO], bool], what: str) -> None:
    """Refuse to write over a file that holds something else; an empty one holds nothing.

    Args:
        path: of the file, which need not be there.
        is_own: tells whether an open file holds what may be replaced.
        what: that may be replaced.

    Raises:
        ConfigurationError: the file holds something else, or cannot be read.
    """
    with naming(path):
        try:
            found = os.stat(path)  # noqa: PTH116 - a path may be of any bytes
        except FileNotFoundError:
            return
        if not stat.S_ISREG(found.st_mode) or not found.st_size:
            return
        with open(path, "rb") as file:  # noqa: PTH123 - likewise
            if is_own(file):
                return
    raise ConfigurationError(
        f"cannot write {path}: it exists and is not {what} of an earlier run; remove it, or name another file"
    )


def holds_failures(file: BinaryIO) -> bool:
    """Tell whether a file is a table of failures."""
    columns = _parquet_columns(file)
    if columns is not None:
        return columns[-1:] == [REASON] and set(columns) <= set(FAILED_COLUMNS)
    if _first_line(file) == csv_header(FAILED_COLUMNS):
        return True
    objects = _objects(file)
    is_alike = all(REASON in each and each.keys() <= set(FAILED_COLUMNS) for each in objects)
    # A log may hold objects with an error too, and then nothing of a room.
    return bool(objects) and is_alike and any(len(each) > 1 for each in objects)


def holds_export(file: BinaryIO) -> bool:
    """Tell whether a file is a table of rooms as an export writes it."""
    columns = _parquet_columns(file)
    if columns is not None:
        return columns == list(COLUMNS)
    if _first_line(file).removeprefix(BYTE_ORDER_MARK) == csv_header(COLUMNS):
        return True
    objects = _objects(file)
    return bool(objects) and all(list(each) == list(COLUMNS) for each in objects)


def _parquet_columns(file: BinaryIO) -> list[str] | None:
    file.seek(0)
    if file.read(len(_PARQUET)) != _PARQUET:
        return None
    try:
        return list(ParquetReader(file, "").columns)
    except TelnyxRoomsError:  # damaged, or the extra is not installed: then it is nobody's
        return []


def _first_line(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.readline(LONGEST_LINE)


def _objects(file: BinaryIO) -> list[dict[str, object]]:
    """Return the objects of the first lines; none if a line is no object."""
    file.seek(0)
    found: list[dict[str, object]] = []
    for line in islice(iter(lambda: file.readline(LONGEST_LINE), b""), _LINES):
        try:
            value = parse(line)
        except DecodeError:
            return []
        if not isinstance(value, dict):
            return []
        found.append(cast("dict[str, object]", value))
    return found
