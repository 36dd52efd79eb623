"""Rooms to lines of bytes, as they are read again."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

from telnyx_rooms_async.cli.tables.rows import REASON, SETTINGS, exact_value
from telnyx_rooms_async.cli.tables.cells import spell
from telnyx_rooms_async.core.codec import encode

COLUMNS: Final = ("id", *SETTINGS, "active_session_id", "created_at", "updated_at")
"""What an export tells of a room: all that is no list in itself."""
FAILED_COLUMNS: Final = (*SETTINGS, REASON)
"""What is told of a room that was not made."""


class _Line:
    """Takes what the writer of the standard library writes, and gives it back."""

    def write(self, text: str, /) -> str:
        """Return the text."""
        return text


# With this end the writer quotes either of its characters within a cell.
_END: Final = "\r\n"
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
"""Excel takes CSV for UTF-8 only if it begins with this."""
_writer: Final = csv.writer(_Line(), lineterminator=_END)


def csv_header(columns: Sequence[str]) -> bytes:
    """Write the first line of a table in CSV."""
    return _line(columns)


def csv_row(record: Mapping[str, object], columns: Sequence[str]) -> bytes:
    """Write a line of CSV: a cell for each column."""
    return _line(
        spell(record, name, nullable=name in SETTINGS and SETTINGS[name].nullable) for name in columns
    )


def _line(cells: Iterable[str]) -> bytes:
    # It returns what `write` returns, says its documentation.
    line = cast("str", _writer.writerow(cells))
    return f"{line.removesuffix(_END)}\n".encode()


def ndjson_row(record: Mapping[str, object], columns: Sequence[str]) -> bytes:
    """Write a line of JSON: those of the columns that the record has."""
    return encode({name: exact_value(name, record[name]) for name in columns if name in record}) + b"\n"
