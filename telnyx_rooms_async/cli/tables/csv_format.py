"""Tables in pieces: lines of bytes in, rows out, one at a time."""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final, cast

from telnyx_rooms_async.cli.tables.rows import (
    SETTINGS,
    OnWrong,
    Place,
    Row,
    WrongRow,
    check_columns,
    exact_record,
    fields_of,
    is_blank_record,
    is_known,
    raise_it,
)
from telnyx_rooms_async.cli.tables.cells import EMPTY, NULL, unescape
from telnyx_rooms_async.cli.tables.writer import BYTE_ORDER_MARK
from telnyx_rooms_async.core.codec import DecodeError, parse
from telnyx_rooms_async.core.validators import flag, is_blank, short_repr
from telnyx_rooms_async.errors import InvalidArgumentError

LONGEST_LINE: Final = 1_000_000
"""Bytes. Whoever reads a file by lines reads no more at once, and the line is found too long here."""
_DELIMITERS: Final = (",", ";", "\t")
_SEP_LINE: Final = re.compile(r'"?sep=(.)"?[,;\t]*\s*', re.IGNORECASE)
"""The first line that tells Excel the delimiter."""
_TYPE_LINE: Final = "#TYPE "
"""How the first line of PowerShell begins, which names a class of .NET."""
_OTHER_FORMATS: Final = {
    b"\x1f\x8b": "is packed by gzip: unpack it first, as gunzip does",
    b"PK\x03\x04": "is an Excel workbook or a zip archive, not text: save the sheet as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook, not text: save the sheet as CSV UTF-8",
    b"PAR1": "is Parquet: name the format",
    codecs.BOM_UTF32_LE: "is UTF-32: save it as UTF-8",
    codecs.BOM_UTF32_BE: "is UTF-32: save it as UTF-8",
}
_UTF_16: Final = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_WHOLE: Final = re.compile(r"\s*([+-]?[0-9]{1,18})(?:\.0+)?\s*", re.ASCII)
_FLAGS: Final = {"true": True, "false": False}
_OPEN: Final = re.compile("unexpected end of data|field larger")


def read_csv(
    lines: Iterable[bytes],
    source: str,
    *,
    named: bool = False,
    delimiter: str | None = None,
    on_wrong: OnWrong = raise_it,
) -> Iterator[Row]:
    """Read CSV: double quotes, and a first line that names the columns.

    It is UTF-8 or UTF-16, and its lines end in any of the usual ways. A line ``sep=;`` or ``#TYPE …`` before
    the names of the columns is no part of the table.

    Args:
        lines: its bytes in pieces, each no longer than a line with its end.
        source: what to call the table in errors.
        named: whether each room needs a name.
        delimiter: what stands between cells; found by the first line if it is a comma, a semicolon or a tab.
        on_wrong: what to do about a row that is wrong.

    Raises:
        InvalidArgumentError: it is no such table; a row is wrong, unless `on_wrong` takes it.
    """
    texts = _Texts(lines, source)
    header, found = _preamble(texts)
    if header is None:
        raise InvalidArgumentError((f"{source} is empty: its first line must name the columns",))
    reader = csv.reader(chain([header], texts), delimiter=delimiter or found, strict=True)
    first = Place(source, texts.number)
    columns = _header(_next(reader, texts, first.line) or [], first)
    while True:
        line = texts.number + 1
        cells = _next(reader, texts, line)
        if cells is None:
            return
        place = Place(source, line)
        if unreadable := texts.take_unreadable():
            on_wrong(WrongRow(line=line, error=unreadable))
            continue
        if all(map(is_blank, cells)):
            continue
        record: Mapping[str, object] = {}
        try:
            record = _record(columns, cells, place)
            yield Row(line=line, fields=fields_of(record, place, named=named))
        except InvalidArgumentError as error:
            raw = "" if record else repr((delimiter or found).join(cells))
            on_wrong(WrongRow(line=line, error=error, record=record, raw=raw))


class _Texts:
    """The lines of a file, decoded and counted; those that cannot be decoded are remembered."""

    def __init__(self, pieces: Iterable[bytes], source: str) -> None:
        self._lines = _lines(_in_utf8(pieces, source))
        self.source = source
        self._unreadable: InvalidArgumentError | None = None
        self.number = 0
        """How many lines were read."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        place = Place(self.source, self.number)
        if len(line) > LONGEST_LINE:
            raise place.wrong(f"is longer than {LONGEST_LINE} bytes")
        if self.number == 1:
            line = line.removeprefix(BYTE_ORDER_MARK)
        try:
            return line.decode()
        except UnicodeDecodeError as error:
            byte = f"byte {error.start + 1} of the line is 0x{line[error.start]:02x}"
            self._unreadable = self._unreadable or place.wrong(f"is not UTF-8: {byte}")
            return line.decode(errors="surrogateescape")

    def take_unreadable(self) -> InvalidArgumentError | None:
        """Return the error of a line that could not be decoded since the last call."""
        found, self._unreadable = self._unreadable, None
        return found


def _in_utf8(pieces: Iterable[bytes], source: str) -> Iterator[bytes]:
    rest = iter(pieces)
    first = next(rest, b"")
    for magic, what in _OTHER_FORMATS.items():
        if first.startswith(magic):
            raise InvalidArgumentError((f"{source} {what}",))
    encoding = _utf_16(first)
    if encoding is None:
        yield from chain([first], rest)
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for piece in chain([first], rest):
            yield decoder.decode(piece).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeDecodeError:
        raise InvalidArgumentError((f"{source} begins as UTF-16, and is not: save it as UTF-8",)) from None


def _utf_16(first: bytes) -> str | None:
    """Return the encoding of a file that begins so; without a mark, ASCII shows it by every other byte."""
    if first[1:2] == b"\0" != first[:1]:
        return "utf-16-le"
    if first[:1] == b"\0" != first[1:2]:
        return "utf-16-be"
    return _UTF_16.get(first[:2])


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    r"""Cut pieces into lines, which end in ``\n``, ``\r\n`` or ``\r``."""
    begun = b""
    for piece in pieces:
        text = begun + piece
        begun = b""
        if text.endswith(b"\n") and b"\r" not in text[:-2]:
            yield text
            continue
        found = text.splitlines(keepends=True)
        # It may go on: what ends in \r too, as the next piece may begin with \n.
        if found and not found[-1].endswith(b"\n") and len(found[-1]) <= LONGEST_LINE:
            begun = found.pop()
        yield from found
    if begun:
        yield begun


def _preamble(texts: _Texts) -> tuple[str | None, str]:
    """Return the line that names the columns, and the delimiter."""
    told: str | None = None
    for text in texts:
        if error := texts.take_unreadable():
            raise error
        if separator := _SEP_LINE.fullmatch(text):
            told = separator[1]
        elif not (is_blank(re.sub('[,;"]', "", text)) or text.startswith(_TYPE_LINE)):
            return text, told or max(_DELIMITERS, key=lambda delimiter: _known(text, delimiter))
    return None, ","


def _known(header: str, delimiter: str) -> tuple[int, int]:
    """Return how many columns of a table a delimiter makes of a line, and how many cells at all."""
    names = [name.strip().strip('"') for name in header.split(delimiter)]
    return sum(bool(name) and is_known(name) for name in names), len(names)


def _next(reader: Iterator[list[str]], texts: _Texts, line: int) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        raise Place(texts.source, line).wrong(_csv_error(error, texts.number - line)) from None


def _csv_error(error: csv.Error, lines_after: int) -> str:
    if "field larger" in str(error) and not lines_after:
        return f"a cell is longer than {csv.field_size_limit()} characters"
    if _OPEN.search(str(error)):
        return "a quote is opened here and not closed"
    return f"is not CSV: {error}"


def _header(cells: Sequence[str], place: Place) -> Sequence[str]:
    columns = [cell.strip() for cell in cells]
    if len(columns) == 1 and re.search("[,;\t|:]", columns[0]):
        raise place.wrong(
            f"columns are separated by commas, semicolons or tabs, or by the delimiter that is given, "
            f"not as in {short_repr(columns[0])}"
        )
    double = next((name for name in columns if name and columns.count(name) > 1), None)
    if double is not None:
        raise place.wrong("stands there twice", short_repr(double))
    check_columns(columns, place)
    return columns


def _record(columns: Sequence[str], cells: Sequence[str], place: Place) -> Mapping[str, object]:
    least = max(number for number, name in enumerate(columns, 1) if name)
    if not least <= len(cells) <= len(columns):  # what pads the header on its right may be left out
        raise place.wrong(f"has {len(cells)} cell{'s' * (len(cells) != 1)}, and the header {len(columns)}")
    for number, (name, cell) in enumerate(zip(columns, cells, strict=False), 1):
        if not name and not is_blank(cell):
            raise place.wrong(f"{short_repr(cell)} stands under an empty header", str(number))
    named = zip(columns, cells, strict=False)
    return {name: _value(name, cell) for name, cell in named if name and not _says_nothing(name, cell)}


def _says_nothing(name: str, cell: str) -> bool:
    """Tell whether a cell is empty; blanks are text, and nothing where a number or truth belongs."""
    setting = SETTINGS.get(name)
    return not cell or (is_blank(cell) and not (setting and setting.is_text))


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
    texts = _Texts(lines, source)
    for text in texts:
        number = texts.number
        place = Place(source, number)
        if unreadable := texts.take_unreadable():
            on_wrong(WrongRow(line=number, error=unreadable))
            continue
        if is_blank(text):
            continue
        record: Mapping[str, object] = {}
        try:
            record = _object(text, place)
            if is_blank_record(record):
                continue
            yield Row(line=number, fields=fields_of(record, place, named=named))
        except InvalidArgumentError as error:
            is_table = record and all(map(is_known, record))
            raw = "" if is_table else text.strip()
            on_wrong(WrongRow(line=number, error=error, record=record if is_table else {}, raw=raw))


def _object(text: str, place: Place) -> Mapping[str, object]:
    try:
        value = parse(text.encode())
    except DecodeError as error:
        raise place.wrong(f"is not JSON: {str(error).removeprefix('$: ')}") from None
    if not isinstance(value, dict):
        raise place.wrong(f"must be a JSON object, one room a line, not {short_repr(value)}")
    return cast("Mapping[str, object]", value)


def read_records(
    records: Iterable[Mapping[str, object]],
    source: str,
    *,
    named: bool = False,
    on_wrong: OnWrong = raise_it,
) -> Iterator[Row]:
    """Read what is plain data already, as of Parquet. Arguments and errors are those of `read_csv`."""
    for number, given in enumerate(records, 1):
        place, record = Place(source, number, "row"), exact_record(given)
        if number == 1:
            check_columns(record, place)
        if is_blank_record(record):
            continue
        try:
            yield Row(line=number, fields=fields_of(record, place, named=named))
        except InvalidArgumentError as error:
            on_wrong(WrongRow(line=number, error=error, record=record))
