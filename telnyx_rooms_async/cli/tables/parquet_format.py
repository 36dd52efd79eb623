"""Rooms as Parquet. pyarrow is imported on first use: it is an optional dependency."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, BinaryIO, Final, cast

from telnyx_rooms_async import ConfigurationError, InvalidArgumentError, Room
from telnyx_rooms_async.cli.tables.rows import REASON, Row, Source, check_columns, is_empty

MAGIC: Final = b"PAR1"
_GROUP_ROWS: Final = 10_000
"""Rows of one row group, held in memory."""


def _pyarrow() -> tuple[Any, Any]:
    """Import pyarrow and pyarrow.parquet."""
    try:
        import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 - the extra may be missing
        import pyarrow.parquet as pq  # type: ignore[import-untyped]  # noqa: PLC0415 - likewise
    except ModuleNotFoundError:
        hint = "Parquet needs the extra \"parquet\": pip install 'telnyx-rooms-async[parquet]'"
        raise ConfigurationError(hint) from None
    return pa, pq


@contextmanager
def _read_errors(source: Source) -> Generator[Any, None, None]:
    """Translate the errors of pyarrow. Yields the module pyarrow.parquet."""
    pa, pq = _pyarrow()
    try:
        yield pq
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise ConfigurationError(f"cannot read {source.name}: {error.strerror or error}") from None
        # pyarrow raises OSError without errno for some forms of damage.
        reason = next(iter(str(error).splitlines()), "")
        raise InvalidArgumentError((f"{source.name} is not Parquet: {reason}",)) from None


def parquet_types(file: BinaryIO, source: Source) -> Mapping[str, object]:
    """Return the types of the columns of a seekable file by name.

    Raises:
        ConfigurationError: pyarrow is not installed, or the file cannot be read.
        InvalidArgumentError: the file is not Parquet.
    """
    with _read_errors(source) as pq:
        schema = pq.ParquetFile(file).schema_arrow
        return dict(zip(schema.names, schema.types, strict=True))


def read_parquet(file: BinaryIO, source: Source) -> Iterator[Row]:
    """Read rooms from a seekable file.

    Raises:
        ConfigurationError: pyarrow is not installed, or the file cannot be read.
        InvalidArgumentError: the rest of the file cannot be read.
    """
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
        pa, pq = _pyarrow()
        schema: dict[str, object] = {}
        for name in columns:
            annotation = cast("object", Room.__annotations__.get(name))
            if types and name in types and name != REASON:
                schema[name] = types[name]
            elif annotation == int | None:
                schema[name] = pa.int32()
            elif annotation == bool | None:
                schema[name] = pa.bool_()
            elif annotation == datetime | None:
                schema[name] = pa.timestamp("us", tz="UTC")
            else:
                schema[name] = pa.string()
        self._file = file
        self._table: Any = pa.Table
        self._schema: Any = pa.schema(list(schema.items()))
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
