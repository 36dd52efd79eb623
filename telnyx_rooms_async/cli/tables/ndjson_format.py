"""Rooms as NDJSON: one JSON object per line."""

from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO, cast

from telnyx_rooms_async.cli.tables.rows import (
    AnyRow,
    InvalidRow,
    TableName,
    is_empty,
    is_known_column,
    validated_row,
)
from telnyx_rooms_async.cli.tables.text_lines import TextLines
from telnyx_rooms_async.core.validators import is_blank, short_repr
from telnyx_rooms_async.serialization import DecodeError, encode_json, parse_json


def read_ndjson(file: BinaryIO, source: str, *, names_required: bool = False) -> Iterator[AnyRow]:
    """Read rooms from NDJSON in UTF-8 or UTF-16. Arguments and errors are those of `read_csv`."""
    table = TableName(source)
    with TextLines(file, table) as lines:
        for text in lines:
            number = lines.number
            if lines.undecodable:
                yield table.invalid(number, lines.undecodable)
                lines.undecodable = ""
            elif not is_blank(text):
                row = _row(text, number, table, names_required=names_required)
                if row is not None:
                    yield row


def _row(text: str, number: int, table: TableName, *, names_required: bool) -> AnyRow | None:
    try:
        value = parse_json(text.encode())
    except DecodeError as error:
        problem = f"is not JSON: {str(error).removeprefix('$: ')}"
        return table.invalid(number, problem, text=text.strip())
    if not isinstance(value, dict):
        problem = f"must be a JSON object, one room per line, got {short_repr(value)}"
        return table.invalid(number, problem, text=text.strip())
    record = cast("dict[str, object]", value)
    if is_empty(record):
        return None
    row = validated_row(record, number, table, names_required=names_required)
    if isinstance(row, InvalidRow) and not all(map(is_known_column, record)):
        return InvalidRow(line=number, problems=row.problems, text=text.strip())
    return row


def ndjson_row(record: Mapping[str, object], columns: Sequence[str]) -> bytes:
    """Encode the columns that a record has as a line of JSON."""
    return encode_json({name: record[name] for name in columns if name in record}) + b"\n"
