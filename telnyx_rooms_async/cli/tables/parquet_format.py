"""Rooms as Parquet. pyarrow is imported on first use: it is an optional dependency."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, Final, cast

from telnyx_rooms_async import ConfigurationError, InvalidArgumentError, Room
from telnyx_rooms_async.cli.tables.rows import (
    REASON,
    AnyRow,
    TableName,
    check_columns,
    is_empty,
    validated_row,
)

MAGIC: Final = b"PAR1"
_GROUP_ROWS: Final = 10_000
"""Rows of one row group, held in memory."""


def _pyarrow() -> tuple[Any, Any]:
    """Import pyarrow and pyarrow.parquet.

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


class ParquetReader:
    """Reader of the records of a Parquet file.

    Args:
        file: seekable.
        source: name of the table, for error messages.

    Raises:
        ConfigurationError: pyarrow is not installed, or the file cannot be read.
        InvalidArgumentError: the file is not Parquet.
    """

    def __init__(self, file: BinaryIO, source: str) -> None:
        pa, pq = _pyarrow()
        self._arrow_error: type[Exception] = pa.ArrowException
        self._source = source
        self._file = self._translated(lambda: pq.ParquetFile(file))

    @property
    def types(self) -> Mapping[str, object]:
        """Types of the columns by name."""
        schema = self._file.schema_arrow
        return dict(zip(schema.names, schema.types, strict=True))

    def __iter__(self) -> Iterator[Mapping[str, object]]:
        batches = self._file.iter_batches(batch_size=_GROUP_ROWS)
        while (batch := self._translated(lambda: next(batches, None))) is not None:
            yield from self._translated(batch.to_pylist)

    def rows(self, *, names_required: bool = False) -> Iterator[AnyRow]:
        """Read the rows.

        Args:
            names_required: whether a row without ``unique_name`` is invalid.

        Raises:
            InvalidArgumentError: the rest of the file cannot be read.
        """
        table = TableName(self._source, "row")
        check_columns(self.types, 1, table)
        for number, record in enumerate(self, 1):
            if not is_empty(record):
                yield validated_row(record, number, table, names_required=names_required)

    def _translated(self, read: Callable[[], Any]) -> Any:  # noqa: ANN401 - pyarrow has no types
        try:
            return read()
        except (OSError, self._arrow_error, UnicodeDecodeError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                reason = error.strerror or error
                raise ConfigurationError(f"cannot read {self._source}: {reason}") from None
            # pyarrow raises OSError without errno for some kinds of damage.
            reason = next(iter(str(error).splitlines()), "")
            raise InvalidArgumentError((f"{self._source} is not Parquet: {reason}",)) from None


class ParquetWriter:
    """Writer of records as Parquet.

    Args:
        file: where to write.
        columns: names of the columns.
        types: types of columns, where they differ from those of a room.

    Raises:
        ConfigurationError: pyarrow is not installed.
    """

    def __init__(
        self, file: BinaryIO, columns: Sequence[str], types: Mapping[str, object] | None = None
    ) -> None:
        pa, pq = _pyarrow()
        self._file = file
        self._table: Any = pa.Table
        own = {name: _column_type(pa, name) for name in columns}
        table = {
            name: column_type
            for name, column_type in (types or {}).items()
            if name in columns and name != REASON
        }
        self._schema: Any = pa.schema(list((own | table).items()))
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


def _column_type(pa: Any, name: str) -> Any:  # noqa: ANN401 - pyarrow has no types
    annotation = cast("object", Room.__annotations__.get(name))
    if annotation == int | None:
        return pa.int32()
    if annotation == bool | None:
        return pa.bool_()
    return pa.timestamp("us", tz="UTC") if annotation == datetime | None else pa.string()
