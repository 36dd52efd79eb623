"""Reports as tables: CSV, NDJSON, Markdown, Parquet."""

import csv
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from io import StringIO
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Final

from telnyx_rooms_async.atomic_write import AtomicFile
from telnyx_rooms_async.errors import ConfigurationError
from telnyx_rooms_async.serialization import converter, encode_json

DECIMAL_PLACES: Final = 12
"""Of decimals in a Parquet file."""
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters of a formula; the last four are the full-width forms of the first four."""


class Table(ABC):
    """Base class of reports that consist of rows."""

    __slots__ = ()

    columns: ClassVar[Mapping[str, type]]
    """Names and types of the columns, in order. Any value may be None."""

    @abstractmethod
    def records(self) -> Sequence[Mapping[str, Any]]:
        """Return the rows with datetimes and decimals as such."""

    def to_rows(self) -> list[dict[str, Any]]:
        """Return the rows as plain JSON types: times as RFC 3339 text, decimals as text."""
        return [{name: _plain(value) for name, value in record.items()} for record in self.records()]

    def to_csv(self) -> str:
        """Return the rows as CSV. Text that a spreadsheet would take for a formula is preceded by ``'``."""
        rows = (map(_without_formula, row.values()) for row in self.to_rows())
        return "".join(map(csv_line, (self.columns, *rows)))

    def to_ndjson(self) -> str:
        """Return the rows as JSON, one object per line."""
        return "".join(encode_json(row).decode() + "\n" for row in self.to_rows())

    def to_markdown(self) -> str:
        """Return the rows as a table in Markdown."""
        lines = [list(self.columns), ["---"] * len(self.columns)]
        lines += [[_markdown_cell(value) for value in row.values()] for row in self.to_rows()]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def write_parquet(self, path: str | PathLike[str]) -> None:
        """Write the rows as a Parquet file, which is complete or not there (extra ``parquet``).

        Raises:
            ConfigurationError: pyarrow is not installed.
            OSError: the file cannot be written.
        """
        pa, pq = import_pyarrow()
        types = {
            str: pa.string(),
            int: pa.int64(),
            float: pa.float64(),
            datetime: pa.timestamp("us", tz="UTC"),
            Decimal: pa.decimal128(38, DECIMAL_PLACES),
        }
        schema = pa.schema([(name, types[column_type]) for name, column_type in self.columns.items()])
        table = pa.Table.from_pylist([dict(record) for record in self.records()], schema=schema)
        with AtomicFile(Path(path)) as file:
            pq.write_table(table, file)


def csv_line(cells: Iterable[object]) -> str:
    """Return a line of CSV."""
    line = StringIO()
    # Its line end makes the writer quote a cell with either of these characters.
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().removesuffix("\r\n") + "\n"


def import_pyarrow() -> tuple[Any, Any]:
    """Import pyarrow and pyarrow.parquet, which only Parquet needs.

    Raises:
        ConfigurationError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 - the extra may be missing
        import pyarrow.parquet as pq  # type: ignore[import-untyped]  # noqa: PLC0415 - likewise
    except ModuleNotFoundError:
        hint = "Parquet needs the extra \"parquet\": pip install 'telnyx-rooms-async[parquet]'"
        raise ConfigurationError(hint) from None
    return pa, pq


def _plain(value: object) -> object:
    return format(value, "f") if isinstance(value, Decimal) else converter.unstructure(value)


def _without_formula(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def _markdown_cell(value: object) -> str:
    text = "" if value is None else " ".join(str(value).split())
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "\\<")
