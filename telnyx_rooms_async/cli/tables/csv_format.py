"""Rooms as CSV: what spreadsheets and scripts save is read, and written so that they read it."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import BinaryIO, Final, cast

from telnyx_rooms_async.cli.tables.rows import (
    SETTINGS,
    AnyRow,
    InvalidRow,
    Setting,
    TableName,
    check_columns,
    is_known_column,
    validated_row,
)
from telnyx_rooms_async.cli.tables.text_lines import TextLines
from telnyx_rooms_async.core.validators import flag, is_blank, short_repr
from telnyx_rooms_async.errors import InvalidArgumentError

_DELIMITERS: Final = (",", ";", "\t")
_SEPARATOR_LINE: Final = re.compile(r'"?sep=(.)"?[,;\t]*\s*', re.IGNORECASE)
"""A first line with the delimiter, for Excel."""
_TYPE_LINE: Final = "#TYPE "
"""The beginning of a first line of PowerShell, which names a .NET class."""
_NULL: Final = "null"
_EMPTY: Final = '""'
_FLAGS: Final = {"true": True, "false": False}
_INTEGER: Final = re.compile(r"\s*([+-]?[0-9]{1,18})(?:\.0+)?\s*", re.ASCII)
_QUOTE: Final = "'"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters of a formula; the last four are the full-width forms of the first four."""
_ESCAPED: Final = tuple(_QUOTE + character for character in (_QUOTE, *_FORMULA))

# --- reading ------------------------------------------------------------------------------------------------


def read_csv(
    file: BinaryIO, source: str, *, names_required: bool = False, delimiter: str | None = None
) -> Iterator[AnyRow]:
    """Read rooms from CSV in UTF-8 or UTF-16, with any of the usual line ends and double quotes.

    The first line names the columns. A line ``sep=;`` or ``#TYPE …`` before it is skipped.

    Args:
        file: seekable, at its beginning.
        source: name of the table, for error messages.
        names_required: whether a row without ``unique_name`` is invalid.
        delimiter: separates cells. By default a comma, a semicolon or a tab, whichever fits the first line.

    Raises:
        InvalidArgumentError: the rest of the file cannot be read.
    """
    table = TableName(source)
    with TextLines(file, table) as lines:
        header, detected = _header_line(lines, table)
        delimiter = delimiter or detected
        reader = csv.reader(chain([header], lines), delimiter=delimiter, strict=True)
        columns = _columns(_next_cells(reader, lines, lines.number, table) or [], lines.number, table)
        while True:
            line = lines.number + 1
            cells = _next_cells(reader, lines, line, table)
            if cells is None:
                return
            if lines.undecodable:
                yield table.invalid(line, lines.undecodable)
                lines.undecodable = ""
            elif not all(map(is_blank, cells)):
                try:
                    record = _record(columns, cells, line, table)
                except InvalidArgumentError as error:
                    text = repr(delimiter.join(cells))
                    yield InvalidRow(line=line, problems=error.problems, text=text)
                else:
                    yield validated_row(record, line, table, names_required=names_required)


def _header_line(lines: TextLines, table: TableName) -> tuple[str, str]:
    """Return the line that names the columns, and the delimiter."""
    separator: str | None = None
    for text in lines:
        if lines.undecodable:
            raise table.error(lines.number, lines.undecodable)
        if match := _SEPARATOR_LINE.fullmatch(text):
            separator = match[1]
        elif not (is_blank(re.sub('[,;"]', "", text)) or text.startswith(_TYPE_LINE)):
            return text, separator or max(_DELIMITERS, key=lambda delimiter: _known_columns(text, delimiter))
    raise InvalidArgumentError((f"{table.name} is empty: its first line must name the columns",))


def _known_columns(header: str, delimiter: str) -> tuple[int, int]:
    """Return how many known columns, and how many columns in all, a delimiter makes of a line."""
    names = [name.strip().strip('"') for name in header.split(delimiter)]
    return sum(bool(name) and is_known_column(name) for name in names), len(names)


def _next_cells(
    reader: Iterator[list[str]], lines: TextLines, line: int, table: TableName
) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        message = str(error)
        if "field larger" in message and lines.number == line:
            problem = f"a cell is longer than {csv.field_size_limit()} characters"
        elif "unexpected end of data" in message or "field larger" in message:
            problem = "a quote is opened here but never closed"
        else:
            problem = f"is not CSV: {message}"
        raise table.error(line, problem) from None


def _columns(cells: Sequence[str], line: int, table: TableName) -> Sequence[str]:
    columns = [cell.strip() for cell in cells]
    if len(columns) == 1 and re.search("[,;\t|:]", columns[0]):
        problem = (
            f"the delimiter is not a comma, a semicolon or a tab in {short_repr(columns[0])}: use --delimiter"
        )
        raise table.error(line, problem)
    duplicate = next((name for name in columns if name and columns.count(name) > 1), None)
    if duplicate is not None:
        raise table.error(line, "appears twice", short_repr(duplicate))
    check_columns(columns, line, table)
    return columns


def _record(columns: Sequence[str], cells: Sequence[str], line: int, table: TableName) -> dict[str, object]:
    """Return the values of a row; empty cells are left out.

    Raises:
        InvalidArgumentError: the cells do not fit the columns.
    """
    if len(cells) != len(columns):
        # Columns without a name pad the header on its right; a row need not have them.
        least = max(number for number, name in enumerate(columns, 1) if name)
        if not least <= len(cells) <= len(columns):
            plural = "s" * (len(cells) != 1)
            raise table.error(line, f"has {len(cells)} cell{plural}, but the header has {len(columns)}")
    record: dict[str, object] = {}
    for number, (name, cell) in enumerate(zip(columns, cells, strict=False), 1):
        if not cell:
            continue
        setting = SETTINGS.get(name)
        if setting is not None:
            if setting.is_text or not is_blank(cell):
                record[name] = _value(setting, cell)
        elif name:
            record[name] = cell
        elif not is_blank(cell):
            raise table.error(line, f"{short_repr(cell)} has no column name", str(number))
    return record


def _value(setting: Setting, cell: str) -> object:
    """Return the value of a cell. Text that is no value stays as it is, so that the rule refuses it."""
    if setting.nullable and cell.strip() == _NULL:
        return None
    if setting.is_text:
        if setting.nullable and cell == _EMPTY:
            return ""
        return cell[1:] if cell.startswith(_ESCAPED) else cell
    if setting.rule is flag:
        return _FLAGS.get(cell.strip().lower(), cell)
    integer = _INTEGER.fullmatch(cell)
    return int(integer[1]) if integer else cell


# --- writing ------------------------------------------------------------------------------------------------


class _Echo:
    """File that returns what is written to it, so that `csv.writer` returns the line."""

    def write(self, text: str, /) -> str:
        """Return the text."""
        return text


# With this line end the writer quotes a cell with either of its characters.
_END: Final = "\r\n"
_writer: Final = csv.writer(_Echo(), lineterminator=_END)


def csv_header(columns: Sequence[str]) -> bytes:
    """Encode the first line."""
    return _line(columns)


def csv_row(record: Mapping[str, object], columns: Sequence[str]) -> bytes:
    """Encode a record as a line with one cell per column."""
    return _line(_cell(record, name) for name in columns)


def _line(cells: Iterable[str]) -> bytes:
    line = cast("str", _writer.writerow(cells))
    return f"{line.removesuffix(_END)}\n".encode()


def _cell(record: Mapping[str, object], name: str) -> str:
    is_nullable = name in SETTINGS and SETTINGS[name].nullable
    match record.get(name):
        case None:
            return _NULL if is_nullable and name in record else ""
        case bool() as value:
            return "true" if value else "false"
        case datetime() as value:
            return value.isoformat().replace("+00:00", "Z")
        case "":
            return _EMPTY if is_nullable else ""
        case str() as text:
            return _QUOTE + text if text.startswith((*_FORMULA, *_ESCAPED)) else text
        case value:
            return str(value)
