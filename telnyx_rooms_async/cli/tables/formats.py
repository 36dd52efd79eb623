"""Rooms as CSV, NDJSON and Parquet: what spreadsheets and scripts save is read, and written for them.

pyarrow is imported on first use: it is an optional dependency.
"""

import codecs
import csv
import io
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from typing import Any, BinaryIO, Final, Self, cast

from telnyx_rooms_async.cli.output import Stdout
from telnyx_rooms_async.cli.tables import (
    KNOWN_COLUMNS,
    REASON,
    SETTINGS,
    Format,
    Row,
    Setting,
    Source,
    check_columns,
    is_empty,
)
from telnyx_rooms_async.core.validators import flag, is_blank, short_repr
from telnyx_rooms_async.errors import ConfigurationError, InvalidArgumentError
from telnyx_rooms_async.models import Room
from telnyx_rooms_async.reports.table import FORMULA_STARTS, csv_line, import_pyarrow
from telnyx_rooms_async.serialization import DecodeError, encode_json, parse_json

BYTE_ORDER_MARK: Final = codecs.BOM_UTF8
"""Excel reads CSV as UTF-8 only if it begins with this."""
LONGEST_LINE: Final = 1_000_000
"""In characters. A longer line is an error, so that a file without line ends does not fill the memory."""
_OTHER_FORMATS: Final = {
    b"\x1f\x8b": "is compressed with gzip: decompress it first",
    b"PK\x03\x04": "is an Excel workbook or a zip archive, not text: save the sheet as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook, not text: save the sheet as CSV UTF-8",
    b"PAR1": "is a Parquet file: use --format parquet",
    codecs.BOM_UTF32_LE: "is UTF-32: save it as UTF-8",
    codecs.BOM_UTF32_BE: "is UTF-32: save it as UTF-8",
}
_UNDECODED: Final = re.compile("[\udc80-\udcff]")
"""What ``surrogateescape`` makes of a byte that is not UTF-8."""
_DELIMITERS: Final = (",", ";", "\t")
_SEPARATOR_LINE: Final = re.compile(r'"?sep=(.)"?[,;\t]*\s*', re.IGNORECASE)
"""A first line with the delimiter, for Excel."""
_TYPE_LINE: Final = "#TYPE "
"""The beginning of a first line of PowerShell, which names a .NET class."""
_NULL: Final = "null"
_EMPTY: Final = '""'
_INTEGER: Final = re.compile(r"\s*([+-]?[0-9]{1,18})(?:\.0+)?\s*", re.ASCII)
_QUOTE: Final = "'"
_ESCAPED: Final = tuple(_QUOTE + character for character in (_QUOTE, *FORMULA_STARTS))

# --- lines --------------------------------------------------------------------------------------------------


class _TextLines:
    """Iterator over the lines of a file in UTF-8 or UTF-16, with their line ends (LF, CR LF or CR).

    A line that is not UTF-8 is recorded in `undecodable` instead of raising, so that its row can be skipped.
    It is a context manager.
    """

    def __init__(self, file: BinaryIO, source: Source) -> None:
        head = file.read(4)
        file.seek(0)
        for magic, problem in _OTHER_FORMATS.items():
            if head.startswith(magic):
                raise InvalidArgumentError((f"{source.name} {problem}",))
        if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            encoding = "utf-16"
        # ASCII text in UTF-16 without a mark: every other byte is zero.
        elif head[1:2] == b"\0" != head[:1]:
            encoding = "utf-16-le"
        elif head[:1] == b"\0" != head[1:2]:
            encoding = "utf-16-be"
        else:
            encoding = "utf-8-sig"
        errors = "surrogateescape" if encoding == "utf-8-sig" else "strict"
        self._text = io.TextIOWrapper(file, encoding=encoding, errors=errors, newline="")
        self._source = source
        self.number: int = 0
        """Number of the current line, counted from 1."""
        self.undecodable: str = ""
        """The problem of the last lines, if they are not UTF-8. The reader resets it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._text.detach()  # the file stays open

    def __iter__(self) -> Iterator[str]:
        """Continue with the next line."""
        while line := self._read_line():
            self.number += 1
            if len(line) > LONGEST_LINE:
                raise self._source.error(self.number, f"is longer than {LONGEST_LINE} characters")
            if not line.isascii() and not self.undecodable and (wrong := _UNDECODED.search(line)):
                position = len(line[: wrong.start()].encode(errors="surrogateescape")) + 1
                problem = f"is not UTF-8: byte {position} of the line is 0x{ord(wrong[0]) - 0xDC00:02x}"
                self.undecodable = self._source.problem(self.number, problem)
            yield line

    def _read_line(self) -> str:
        try:
            return self._text.readline(LONGEST_LINE + 1)
        except UnicodeDecodeError:
            problem = f"{self._source.name} begins like UTF-16 but is not UTF-16: save it as UTF-8"
            raise InvalidArgumentError((problem,)) from None


# --- NDJSON -------------------------------------------------------------------------------------------------


def read_ndjson(file: BinaryIO, source: Source) -> Iterator[Row]:
    """Read rooms from NDJSON in UTF-8 or UTF-16."""
    with _TextLines(file, source) as lines:
        for line in lines:
            number, text = lines.number, line.strip()
            if lines.undecodable:
                yield Row(number, {}, problems=[lines.undecodable])
                lines.undecodable = ""
                continue
            if is_blank(text):
                continue
            try:
                value = parse_json(text.encode())
            except DecodeError as error:
                problem = f"is not JSON: {str(error).removeprefix('$: ')}"
                yield Row(number, {}, text, [source.problem(number, problem)])
                continue
            if not isinstance(value, dict):
                problem = f"must be a JSON object, one room per line, got {short_repr(value)}"
                yield Row(number, {}, text, [source.problem(number, problem)])
            elif not is_empty(record := cast("dict[str, object]", value)):
                yield Row(number, record, text)


def ndjson_row(record: Mapping[str, object], columns: Sequence[str]) -> bytes:
    """Encode the columns that a record has as a line of JSON."""
    return encode_json({name: record[name] for name in columns if name in record}) + b"\n"


# --- reading CSV --------------------------------------------------------------------------------------------


def read_csv(file: BinaryIO, source: Source, delimiter: str | None = None) -> Iterator[Row]:
    """Read rooms from CSV in UTF-8 or UTF-16, with any of the usual line ends and double quotes.

    The first line names the columns. A line ``sep=;`` or ``#TYPE …`` before it is skipped. The default
    delimiter is a comma, a semicolon or a tab, whichever fits the first line.
    """
    with _TextLines(file, source) as lines:
        header, detected = _header_line(lines, source)
        delimiter = delimiter or detected
        reader = csv.reader(chain([header], lines), delimiter=delimiter, strict=True)
        columns = _columns(_next_cells(reader, lines, lines.number, source) or [], lines.number, source)
        while True:
            number = lines.number + 1
            cells = _next_cells(reader, lines, number, source)
            if cells is None:
                return
            if lines.undecodable:
                yield Row(number, {}, problems=[lines.undecodable])
                lines.undecodable = ""
            elif not all(map(is_blank, cells)):
                try:
                    values = _values(columns, cells, number, source)
                except InvalidArgumentError as error:
                    yield Row(number, {}, repr(delimiter.join(cells)), error.problems)
                else:
                    if not is_empty(values):
                        yield Row(number, values)


def _header_line(lines: _TextLines, source: Source) -> tuple[str, str]:
    """Return the line that names the columns, and the delimiter."""
    separator: str | None = None
    for text in lines:
        if lines.undecodable:
            raise InvalidArgumentError((lines.undecodable,))
        if match := _SEPARATOR_LINE.fullmatch(text):
            separator = match[1]
        elif not (is_blank(re.sub('[,;"]', "", text)) or text.startswith(_TYPE_LINE)):
            return text, separator or max(_DELIMITERS, key=lambda delimiter: _known_columns(text, delimiter))
    raise InvalidArgumentError((f"{source.name} is empty: its first line must name the columns",))


def _known_columns(header: str, delimiter: str) -> tuple[int, int]:
    """Return how many known columns, and how many columns in all, a delimiter makes of a line."""
    names = [name.strip().strip('"') for name in header.split(delimiter)]
    return sum(bool(name) and name in KNOWN_COLUMNS for name in names), len(names)


def _next_cells(
    reader: Iterator[list[str]], lines: _TextLines, line: int, source: Source
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
        raise source.error(line, problem) from None


def _columns(cells: Sequence[str], line: int, source: Source) -> Sequence[str]:
    columns = [cell.strip() for cell in cells]
    if len(columns) == 1 and re.search("[,;\t|:]", columns[0]):
        problem = (
            f"the delimiter is not a comma, a semicolon or a tab in {short_repr(columns[0])}: use --delimiter"
        )
        raise source.error(line, problem)
    for name in columns:
        if name and columns.count(name) > 1:
            raise source.error(line, "appears twice", short_repr(name))
    check_columns(columns, line, source)
    return columns


def _values(columns: Sequence[str], cells: Sequence[str], line: int, source: Source) -> dict[str, object]:
    """Return the values of a row; empty cells are left out."""
    if len(cells) != len(columns):
        # Columns without a name pad the header on its right; a row need not have them.
        least = max(number for number, name in enumerate(columns, 1) if name)
        if not least <= len(cells) <= len(columns):
            plural = "s" * (len(cells) != 1)
            raise source.error(line, f"has {len(cells)} cell{plural}, but the header has {len(columns)}")
    values: dict[str, object] = {}
    for number, (name, cell) in enumerate(zip(columns, cells, strict=False), 1):
        if not cell:
            continue
        setting = SETTINGS.get(name)
        if setting is not None:
            if setting.is_text or not is_blank(cell):
                values[name] = _value(setting, cell)
        elif name:
            values[name] = cell
        elif not is_blank(cell):
            raise source.error(line, f"{short_repr(cell)} has no column name", str(number))
    return values


def _value(setting: Setting, cell: str) -> object:
    """Return the value of a cell. Text that is no value stays as it is, so that the rule refuses it."""
    if setting.nullable and cell.strip() == _NULL:
        return None
    if setting.is_text:
        if setting.nullable and cell == _EMPTY:
            return ""
        return cell[1:] if cell.startswith(_ESCAPED) else cell
    if setting.rule is flag:
        return {"true": True, "false": False}.get(cell.strip().lower(), cell)
    integer = _INTEGER.fullmatch(cell)
    return int(integer[1]) if integer else cell


# --- writing ------------------------------------------------------------------------------------------------


class TextWriter:
    """Writer of records as lines."""

    def __init__(self, file: BinaryIO | Stdout, table_format: Format, columns: Sequence[str]) -> None:
        self._file, self._columns = file, columns
        self._encode = ndjson_row if table_format is Format.NDJSON else csv_row
        if table_format is Format.CSV:
            file.write(csv_header(columns))

    def write(self, records: Iterable[Mapping[str, object]]) -> None:
        """Write records at once."""
        self._file.write(b"".join(self._encode(record, self._columns) for record in records))
        self._file.flush()

    def close(self) -> None:
        """Do nothing: everything is written."""


def csv_header(columns: Sequence[str]) -> bytes:
    """Encode the first line."""
    return csv_line(columns).encode()


def csv_row(record: Mapping[str, object], columns: Sequence[str]) -> bytes:
    """Encode a record as a line with one cell per column."""
    return csv_line(_cell(record, name) for name in columns).encode()


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
            return _QUOTE + text if text.startswith((*FORMULA_STARTS, *_ESCAPED)) else text
        case value:
            return str(value)


# --- Parquet ------------------------------------------------------------------------------------------------

MAGIC: Final = b"PAR1"
_GROUP_ROWS: Final = 10_000
"""Rows of one row group, held in memory."""


@contextmanager
def _read_errors(source: Source) -> Generator[Any, None, None]:
    """Translate the errors of pyarrow. Yields the module pyarrow.parquet."""
    pa, pq = import_pyarrow()
    try:
        yield pq
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise ConfigurationError(f"cannot read {source.name}: {error.strerror or error}") from None
        # pyarrow raises OSError without errno for some forms of damage.
        reason = next(iter(str(error).splitlines()), "")
        raise InvalidArgumentError((f"{source.name} is not Parquet: {reason}",)) from None


def parquet_types(file: BinaryIO, source: Source) -> Mapping[str, object]:
    """Return the types of the columns of a seekable file by name."""
    with _read_errors(source) as pq:
        schema = pq.ParquetFile(file).schema_arrow
        return dict(zip(schema.names, schema.types, strict=True))


def read_parquet(file: BinaryIO, source: Source) -> Iterator[Row]:
    """Read rooms from a seekable Parquet file."""
    check_columns(parquet_types(file, source), 1, source)
    number = 0
    with _read_errors(source) as pq:
        for batch in pq.ParquetFile(file).iter_batches(batch_size=_GROUP_ROWS):
            for values in batch.to_pylist():
                number += 1
                if not is_empty(values):
                    yield Row(number, values)


class ParquetWriter:
    """Writer of records as Parquet."""

    def __init__(
        self, file: BinaryIO, columns: Sequence[str], types: Mapping[str, object] | None = None
    ) -> None:
        pa, pq = import_pyarrow()
        arrow_types = {
            int | None: pa.int32(),
            bool | None: pa.bool_(),
            datetime | None: pa.timestamp("us", tz="UTC"),
        }
        known = {name: arrow_types.get(type_, pa.string()) for name, type_ in Room.__annotations__.items()}
        known |= types or {}
        known[REASON] = pa.string()
        self._file = file
        self._table: Any = pa.Table
        self._schema: Any = pa.schema([(name, known[name]) for name in columns])
        self._writer: Any = pq.ParquetWriter(file, self._schema)
        self._buffer: list[Mapping[str, object]] = []

    def write(self, records: Iterable[Mapping[str, object]]) -> None:
        """Buffer records, and write them when there are enough for a row group."""
        self._buffer.extend(records)
        if len(self._buffer) >= _GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        """Write the buffered records and the end of the file."""
        if self._buffer:
            self._flush()
        self._writer.close()
        self._file.flush()

    def _flush(self) -> None:
        records, self._buffer = self._buffer, []
        self._writer.write_table(self._table.from_pylist(records, schema=self._schema))
