"""Indexed records in order of creation: a page of a filtered list costs what it holds."""

from array import array
from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain
from operator import attrgetter
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar
from uuid import uuid4

from attrs import evolve, field, fields, frozen

_Row: TypeAlias = tuple[Any, ...]
_Bucket: TypeAlias = "range | array[int]"
"""Numbers of records, ascending. A range holds a single number: an array is larger, and visited by the
garbage collector."""


@frozen(kw_only=True)
class Record:
    """Anything that has an id, and can be stored in a `Table`."""

    indexes: ClassVar[tuple[str, ...]] = ()
    """Fields, or ``date_`` and a field for its date. Records with ``None`` there are left out of an index."""
    id: str = field(factory=lambda: str(uuid4()))


RecordT = TypeVar("RecordT", bound=Record)


@frozen
class Equal:
    """Condition: the key is `value`."""

    value: Hashable

    def matching(self, keys: Mapping[Hashable, object]) -> list[Hashable]:
        """Return the keys that fulfil the condition."""
        return [self.value] if self.value in keys else []


@frozen(kw_only=True)
class Between:
    """Condition: the key is in a range with both ends included."""

    eq: date | int | None
    gte: date | int | None
    lte: date | int | None

    def matching(self, keys: Mapping[Any, object]) -> list[Hashable]:
        """Return the keys that fulfil the condition."""
        return [
            key
            for key in keys
            if (self.eq is None or key == self.eq)
            and (self.gte is None or key >= self.gte)
            and (self.lte is None or key <= self.lte)
        ]


Condition: TypeAlias = Equal | Between


@frozen
class Selection(Generic[RecordT]):
    """Records of a table that match, in order of creation. Valid until the table changes."""

    _record: Callable[[int], RecordT]
    _numbers: Sequence[int]

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[RecordT]:
        return map(self._record, self._numbers)

    def page(self, start: int, size: int) -> list[RecordT]:
        """Return up to `size` records from position `start`."""
        return [self._record(number) for number in self._numbers[start : start + size]]


class Table(Generic[RecordT]):
    """Immutable records by id, in order of creation, with indexes.

    A record has a number, counted up with each addition. It is stored as the tuple of its fields: the garbage
    collector does not visit tuples of text and numbers, and would stall the event loop for many objects.
    An index holds the numbers of the records with the same key.
    """

    def __init__(self, record_type: type[RecordT]) -> None:
        self.record_type: type[RecordT] = record_type
        names = [attribute.name for attribute in fields(record_type)]
        self._names = names
        self._to_row = attrgetter(*names)
        self._columns = {
            name: (names.index(name.removeprefix("date_")), name.startswith("date_"))
            for name in record_type.indexes
        }
        self._next_number = 0
        self._numbers: dict[str, int] = {}
        self._rows: dict[int, _Row] = {}
        self._all = array("q")
        self._indexes: dict[str, dict[Hashable, _Bucket]] = {name: {} for name in record_type.indexes}

    def __iter__(self) -> Iterator[RecordT]:
        return map(self._record, self._rows)

    def __getitem__(self, record_id: str) -> RecordT:
        return self._record(self._numbers[record_id])

    def get(self, record_id: str | None) -> RecordT | None:
        """Return the record with an id, or ``None``."""
        number = self._numbers.get(record_id) if record_id is not None else None
        return None if number is None else self._record(number)

    def add(self, record: RecordT) -> None:
        """Append a record."""
        number = self._next_number
        self._next_number += 1
        self._numbers[record.id] = number
        self._rows[number] = row = self._to_row(record)
        self._all.append(number)
        for name in self._indexes:
            self._insert(name, self._key(name, row), number)

    def update(self, record_id: str, **changes: Any) -> RecordT:  # noqa: ANN401 - values of fields
        """Return the record with other values of fields."""
        return self.replace(evolve(self[record_id], **changes))

    def replace(self, record: RecordT) -> RecordT:
        """Return the record, which takes the place of the one with its id."""
        number = self._numbers[record.id]
        before = self._rows[number]
        self._rows[number] = after = self._to_row(record)
        for name in self._indexes:
            old, new = self._key(name, before), self._key(name, after)
            if old != new:
                self._discard(name, old, number)
                self._insert(name, new, number)
        return record

    def remove(self, record_id: str) -> None:
        """Remove a record. This moves the numbers of later records, 8 bytes for each."""
        number = self._numbers.pop(record_id)
        row = self._rows.pop(number)
        del self._all[bisect_left(self._all, number)]
        for name in self._indexes:
            self._discard(name, self._key(name, row), number)

    def select(
        self, *tests: tuple[str, Callable[[Any], bool]], **conditions: Condition | None
    ) -> Selection[RecordT]:
        """Return the records that fulfil all conditions and tests.

        A single condition is answered by its index. With more, the result of the most selective condition is
        filtered; with tests alone, the whole table. A test is a field, and what its value must fulfil; a
        condition has the name of an index, and may be ``None``.
        """
        matching: dict[str, list[Hashable]] = {}
        sizes: dict[str, int] = {}
        for name, condition in conditions.items():
            if condition is not None:
                index = self._indexes[name]
                keys = condition.matching(index)
                size = sum(len(index[key]) for key in keys)
                if size < len(self._all):  # or all records fulfil the condition
                    matching[name], sizes[name] = keys, size
        buckets: list[_Bucket] = [self._all]
        if matching:
            best = min(sizes, key=sizes.__getitem__)
            buckets = [self._indexes[best][key] for key in matching.pop(best)]
        numbers: Sequence[int] = buckets[0] if len(buckets) == 1 else sorted(chain.from_iterable(buckets))
        rows = self._rows
        for name, keys in matching.items():
            allowed = frozenset(keys)
            numbers = [number for number in numbers if self._key(name, rows[number]) in allowed]
        for name, is_fulfilled in tests:
            column = self._names.index(name)
            numbers = [number for number in numbers if is_fulfilled(rows[number][column])]
        return Selection(self._record, numbers)

    def _record(self, number: int) -> RecordT:
        return self.record_type(**dict(zip(self._names, self._rows[number], strict=True)))

    def _key(self, name: str, row: _Row) -> Hashable:
        column, is_date = self._columns[name]
        value: Any = row[column]
        key: Hashable = value.date() if is_date and value is not None else value
        return key

    def _insert(self, name: str, key: Hashable, number: int) -> None:
        if key is None:
            return
        index = self._indexes[name]
        bucket = index.get(key)
        if bucket is None:
            index[key] = range(number, number + 1)
        elif isinstance(bucket, range):
            index[key] = array("q", sorted((bucket[0], number)))
        elif bucket[-1] < number:
            bucket.append(number)
        else:
            insort(bucket, number)

    def _discard(self, name: str, key: Hashable, number: int) -> None:
        if key is None:
            return
        bucket = self._indexes[name][key]
        if isinstance(bucket, range) or len(bucket) == 1:
            del self._indexes[name][key]
        else:
            del bucket[bisect_left(bucket, number)]
