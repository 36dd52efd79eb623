"""Parquet: the only room that knows pyarrow, which is imported when it is used."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, Final, cast

from telnyx_rooms_async import ConfigurationError, InvalidArgumentError, Room
from telnyx_rooms_async.cli.tables import REASON

_ROWS: Final = 10_000
"""In one group, and in memory."""


class Arrow:
    """What is used of pyarrow.

    Raises:
        ConfigurationError: it is not installed.
    """

    def __init__(self) -> None:
        try:
            import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 - the extra may be missing
            import pyarrow.parquet as pq  # type: ignore[import-untyped]  # noqa: PLC0415 - likewise
        except ModuleNotFoundError:
            hint = "Parquet needs the extra \"parquet\": pip install 'telnyx-rooms-async[parquet]'"
            raise ConfigurationError(hint) from None
        self.arrow: Any = pa
        self.parquet: Any = pq


class ParquetReader:
    """The records of a file, from the beginning each time."""

    def __init__(self, file: BinaryIO, source: str) -> None:
        arrow = Arrow()
        self._error: type[Exception] = arrow.arrow.ArrowException
        self._source = source
        self._file = self._translated(lambda: arrow.parquet.ParquetFile(file))

    def _translated(self, read: Callable[[], Any]) -> Any:  # noqa: ANN401 - pyarrow tells no types
        try:
            return read()
        except OSError as error:
            if error.errno is not None:
                why = error.strerror or error
                raise ConfigurationError(f"cannot read {self._source}: {why}") from None
            raise self._damaged(error) from None  # pyarrow tells some damage like that
        except (self._error, UnicodeDecodeError) as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> InvalidArgumentError:
        reason = next(iter(str(error).splitlines()), "")
        return InvalidArgumentError((f"{self._source} is not Parquet: {reason}",))

    @property
    def columns(self) -> Sequence[str]:
        """The names of the columns."""
        return cast("Sequence[str]", self._file.schema_arrow.names)

    @property
    def types(self) -> Mapping[str, object]:
        """The types of the columns."""
        schema = self._file.schema_arrow
        return dict(zip(schema.names, schema.types, strict=True))

    def __iter__(self) -> Iterator[Mapping[str, object]]:
        batches = self._file.iter_batches(batch_size=_ROWS)
        while (batch := self._translated(lambda: next(batches, None))) is not None:
            yield from self._translated(batch.to_pylist)


class ParquetRows:
    """Writes records with the columns of a room, and what else is text.

    Args:
        file: where to.
        columns: their names.
        types: their types, where they are not those of a room.
    """

    def __init__(
        self, file: BinaryIO, columns: Sequence[str], types: Mapping[str, object] | None = None
    ) -> None:
        arrow = Arrow()
        self._file = file
        self._table: Any = arrow.arrow.Table
        own = {name: _type(arrow.arrow, name) for name in columns} | {
            name: kind for name, kind in (types or {}).items() if name in columns and name != REASON
        }
        self._schema: Any = arrow.arrow.schema(list(own.items()))
        self._writer: Any = arrow.parquet.ParquetWriter(file, self._schema)
        self._kept: list[Mapping[str, object]] = []

    def write(self, records: Iterable[Mapping[str, object]]) -> None:
        """Keep records, and write them when they are many."""
        self._kept.extend(records)
        if len(self._kept) >= _ROWS:
            self._flush()

    def _flush(self) -> None:
        kept, self._kept = self._kept, []
        self._writer.write_table(self._table.from_pylist(kept, schema=self._schema))

    def close(self) -> None:
        """Write what is kept, and the end of the file."""
        if self._kept:
            self._flush()
        self._writer.close()
        self._file.flush()


def _type(arrow: Any, name: str) -> Any:  # noqa: ANN401 - pyarrow tells no types
    annotation = Room.__annotations__.get(name)
    if annotation == int | None:
        return arrow.int32()
    if annotation == bool | None:
        return arrow.bool_()
    return arrow.timestamp("us", tz="UTC") if annotation == datetime | None else arrow.string()
