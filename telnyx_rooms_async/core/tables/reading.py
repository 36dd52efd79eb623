"""Tables in pieces: lines of bytes in, rows out, one at a time."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, cast

from telnyx_rooms_async.core.codec import MisfitError, parse
from telnyx_rooms_async.core.errors import InvalidArgumentError
from telnyx_rooms_async.core.rules import flag, show
from telnyx_rooms_async.core.tables.rows import (
    SETTINGS,
    OnWrong,
    Place,
    Row,
    check_columns,
    fields_of,
    raise_it,
)
from telnyx_rooms_async.core.tables.spelling import EMPTY, NULL, unescape

LONGEST_LINE: Final = 1_000_000
"""Bytes. Whoever reads a file by lines reads no more at once, and the line is found too long here."""
_MARK: Final = b"\xef\xbb\xbf"
_WHOLE: Final = re.compile(r"\s*([+-]?[0-9]{1,18})(?:\.0+)?\s*", re.ASCII)
_FLAGS: Final = {"true": True, "false": False}
_OPEN: Final = re.compile("unexpected end of data|field larger")


def read_csv(
    lines: Iterable[bytes], source: str, *, named: bool = False, on_wrong: OnWrong = raise_it
) -> Iterator[Row]:
    """Read CSV in UTF-8: commas, double quotes, and a first line that names the columns.

    Args:
        lines: each with its end.
        source: what to call the table in errors.
        named: whether each room needs a name.
        on_wrong: what to do about a row that is wrong.

    Raises:
        InvalidArgumentError: it is no such table; a row is wrong, unless `on_wrong` takes it.
    """
    reader = csv.reader(_texts(lines, source), strict=True)
    columns: Sequence[str] | None = None
    while True:
        place = Place(source, reader.line_num + 1)
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise place.wrong(_csv_error(error, reader.line_num - place.line)) from None
        if cells is None:
            break
        if not cells:
            continue
        if columns is None:
            columns = _header(cells, place)
            continue
        try:
            yield Row(line=place.line, fields=fields_of(_record(columns, cells, place), place, named=named))
        except InvalidArgumentError as error:
            on_wrong(error)
    if columns is None:
        raise InvalidArgumentError((f"{source} is empty: its first line must name the columns",))


def _texts(lines: Iterable[bytes], source: str) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        yield _text(line, Place(source, number))


def _text(line: bytes, place: Place) -> str:
    if len(line) > LONGEST_LINE:
        raise place.wrong(f"is longer than {LONGEST_LINE} bytes")
    if place.line == 1:
        line = line.removeprefix(_MARK)
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        found = f"byte {error.start + 1} of the line is 0x{line[error.start]:02x}"
        raise place.wrong(f"is not UTF-8: {found}") from None


def _csv_error(error: csv.Error, lines_after: int) -> str:
    if "field larger" in str(error) and not lines_after:
        return f"a cell is longer than {csv.field_size_limit()} characters"
    if _OPEN.search(str(error)):
        return "a quote is opened here and not closed"
    return f"is not CSV: {error}"


def _header(cells: Sequence[str], place: Place) -> Sequence[str]:
    columns = [cell.strip() for cell in cells]
    if len(columns) == 1 and re.search("[;\t|]", columns[0]):
        raise place.wrong(f"columns are separated by commas, not as in {show(columns[0])}")
    double = next((name for name in columns if columns.count(name) > 1), None)
    if double is not None:
        raise place.wrong("stands there twice", show(double))
    check_columns(columns, place)
    return columns


def _record(columns: Sequence[str], cells: Sequence[str], place: Place) -> Mapping[str, object]:
    if len(cells) != len(columns):
        raise place.wrong(f"has {len(cells)} cell{'s' * (len(cells) != 1)}, and the header {len(columns)}")
    return {name: _value(name, cell) for name, cell in zip(columns, cells, strict=True) if cell}


def _value(name: str, cell: str) -> object:
    """Return what a cell says; what it cannot say stays text, for the rule to refuse."""
    setting = SETTINGS.get(name)
    if setting is None:
        return cell
    if setting.nullable and cell.strip() == NULL:
        return None
    if setting.is_text:
        return "" if setting.nullable and cell == EMPTY else unescape(cell)
    if setting.rule is flag:
        return _FLAGS.get(cell.strip().lower(), cell)
    whole = _WHOLE.fullmatch(cell)
    return int(whole[1]) if whole else cell


def read_ndjson(
    lines: Iterable[bytes], source: str, *, named: bool = False, on_wrong: OnWrong = raise_it
) -> Iterator[Row]:
    """Read a JSON object a line. Arguments and errors are those of `read_csv`."""
    for number, line in enumerate(lines, 1):
        place = Place(source, number)
        text = _text(line, place)
        if not text or text.isspace():
            continue
        try:
            yield Row(line=number, fields=fields_of(_object(text, place), place, named=named))
        except InvalidArgumentError as error:
            on_wrong(error)


def _object(text: str, place: Place) -> Mapping[str, object]:
    try:
        value = parse(text.encode())
    except MisfitError as error:
        raise place.wrong(f"is not JSON: {str(error).removeprefix('$: ')}") from None
    if not isinstance(value, dict):
        raise place.wrong(f"must be a JSON object, one room a line, not {show(value)}")
    return cast("Mapping[str, object]", value)


def read_records(
    records: Iterable[Mapping[str, object]],
    source: str,
    *,
    named: bool = False,
    on_wrong: OnWrong = raise_it,
) -> Iterator[Row]:
    """Read what is plain data already, as of Parquet. Arguments and errors are those of `read_csv`."""
    for number, record in enumerate(records, 1):
        place = Place(source, number, "row")
        try:
            if number == 1:
                check_columns(record, place)
            yield Row(line=number, fields=fields_of(record, place, named=named))
        except InvalidArgumentError as error:
            on_wrong(error)
