"""Indexed records in order of creation: a page of a filtered list costs what it holds."""

from array import array
from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from attrs import frozen

_Bucket: TypeAlias = "range | array[int]"
"""Numbers of records, ascending. A range holds a single number: there is one for each unique name, and the
garbage collector visits arrays."""


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


RecordT = TypeVar("RecordT", bound=_Identified)


@frozen
class Equal:
    """Condition: the key is `value`."""

    value: Hashable

    def matching(self, keys: Mapping[Hashable, object]) -> list[Hashable]:
        """Return the keys that fulfil the condition."""
        return [self.value] if self.value in keys else []


@frozen(kw_only=True)
class Between:
    """Condition: the key is in a range with both ends included; ``None`` is in no range."""

    eq: date | int | None
    gte: date | int | None
    lte: date | int | None

    def matching(self, keys: Mapping[Any, object]) -> list[Hashable]:
        """Return the keys that fulfil the condition."""
        return [
            key
            for key in keys
            if key is not None
            and (self.eq is None or key == self.eq)
            and (self.gte is None or key >= self.gte)
            and (self.lte is None or key <= self.lte)
        ]


Condition: TypeAlias = Equal | Between


@frozen
class Selection(Generic[RecordT]):
    """Records of a table that match, in order of creation. Valid until the table changes."""

    _records: Mapping[int, RecordT]
    _numbers: Sequence[int]

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[RecordT]:
        return map(self._records.__getitem__, self._numbers)

    def page(self, start: int, size: int) -> list[RecordT]:
        """Return up to `size` records from position `start`."""
        return [self._records[number] for number in self._numbers[start : start + size]]


class Table(Generic[RecordT]):
    """Records by id, in order of creation, with indexes.

    A record has a number, counted up with each addition. An index holds the numbers of the records with the
    same key. A change of an indexed attribute has to go through `update`.

    Args:
        keys: name of each index, and a function that returns the key of a record in it.
    """

    def __init__(self, **keys: Callable[[RecordT], Hashable]) -> None:
        self._keys = keys
        self._next_number = 0
        self._numbers: dict[str, int] = {}
        self._records: dict[int, RecordT] = {}
        self._all = array("q")
        self._indexes: dict[str, dict[Hashable, _Bucket]] = {name: {} for name in keys}

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[RecordT]:
        return iter(self._records.values())

    def __getitem__(self, record_id: str) -> RecordT:
        return self._records[self._numbers[record_id]]

    @property
    def index_names(self) -> Collection[str]:
        """Names of the indexes."""
        return self._keys.keys()

    def get(self, record_id: str) -> RecordT | None:
        """Return the record with an id, or ``None``."""
        number = self._numbers.get(record_id)
        return None if number is None else self._records[number]

    def add(self, record: RecordT) -> None:
        """Append a record."""
        number = self._next_number
        self._next_number += 1
        self._numbers[record.id] = number
        self._records[number] = record
        self._all.append(number)
        for name, key in self._keys.items():
            self._insert(name, key(record), number)

    def update(self, record: RecordT, **changes: object) -> None:
        """Set attributes of a record, and move it in the indexes whose keys change."""
        number = self._numbers[record.id]
        before = {name: key(record) for name, key in self._keys.items()}
        for attribute, value in changes.items():
            setattr(record, attribute, value)
        for name, key in self._keys.items():
            if key(record) != before[name]:
                self._discard(name, before[name], number)
                self._insert(name, key(record), number)

    def remove(self, record: RecordT) -> None:
        """Remove a record. This moves the numbers of later records, 8 bytes for each."""
        number = self._numbers.pop(record.id)
        del self._records[number]
        del self._all[bisect_left(self._all, number)]
        for name, key in self._keys.items():
            self._discard(name, key(record), number)

    def select(
        self, *predicates: Callable[[RecordT], bool], **conditions: Condition | None
    ) -> Selection[RecordT]:
        """Return the records that fulfil all conditions and predicates.

        A single condition is answered by its index. With more, the result of the most selective condition is
        filtered; with predicates alone, the whole table.

        Args:
            predicates: what no index can answer, such as a status that depends on the time.
            conditions: by name of an index; ``None`` is no condition.
        """
        matching: dict[str, list[Hashable]] = {}
        for name, condition in conditions.items():
            if condition is not None:
                matching[name] = condition.matching(self._indexes[name])
        # A condition that all records fulfil is none.
        matching = {name: keys for name, keys in matching.items() if len(keys) < len(self._indexes[name])}
        buckets: list[_Bucket] = [self._all]
        if matching:
            best = min(
                matching, key=lambda name: sum(len(self._indexes[name][key]) for key in matching[name])
            )
            buckets = [self._indexes[best][key] for key in matching.pop(best)]
        numbers: Sequence[int] = buckets[0] if len(buckets) == 1 else sorted(chain.from_iterable(buckets))
        records = self._records
        for name, keys in matching.items():
            key, allowed = self._keys[name], frozenset(keys)
            numbers = [number for number in numbers if key(records[number]) in allowed]
        for predicate in predicates:
            numbers = [number for number in numbers if predicate(records[number])]
        return Selection(records, numbers)

    def _insert(self, name: str, key: Hashable, number: int) -> None:
        index = self._indexes[name]
        bucket = index.get(key)
        if bucket is None:
            index[key] = range(number, number + 1)
        elif isinstance(bucket, range):
            index[key] = array("q", sorted((bucket[0], number)))
        else:
            insort(bucket, number)

    def _discard(self, name: str, key: Hashable, number: int) -> None:
        bucket = self._indexes[name][key]
        if isinstance(bucket, range) or len(bucket) == 1:
            del self._indexes[name][key]
        else:
            del bucket[bisect_left(bucket, number)]
