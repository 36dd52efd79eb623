"""Indexed records in order of creation: a page of a filtered list costs what it holds."""

from array import array
from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import date
from heapq import merge
from itertools import chain
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar, cast

from attrs import frozen

_Numbers: TypeAlias = "array[int]"
"""Not a list: the garbage collector does not visit arrays, of which there is one for each key."""
_SMALL: Final = 1000
"""Records that are checked one by one faster than a set of the other records is built."""


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


RecordT = TypeVar("RecordT", bound=_Identified)


@frozen
class Equal:
    """Condition: the key is `value`."""

    value: Hashable

    def matches(self, key: object) -> bool:
        """Return whether a key fulfils the condition."""
        return key == self.value


@frozen(kw_only=True)
class Between:
    """Condition: the key is in a range with both ends included; ``None`` is in no range."""

    eq: date | int | None
    gte: date | int | None
    lte: date | int | None

    def matches(self, key: Any) -> bool:  # noqa: ANN401 - dates compare with dates, integers with integers
        """Return whether a key fulfils the condition."""
        if key is None:
            return False
        return (
            (self.eq is None or key == self.eq)
            and (self.gte is None or key >= self.gte)
            and (self.lte is None or key <= self.lte)
        )


Condition: TypeAlias = Equal | Between


@frozen
class Selection(Generic[RecordT]):
    """Records of a table that match, in order of creation. Valid until the table changes."""

    _records: dict[int, RecordT]
    _buckets: Sequence[_Numbers]
    """Disjoint, each in ascending order."""

    def __len__(self) -> int:
        return _size(self._buckets)

    def __iter__(self) -> Iterator[RecordT]:
        return map(self._records.__getitem__, merge(*self._buckets))

    def page(self, start: int, size: int) -> list[RecordT]:
        """Return up to `size` records from position `start`, without a pass over those before."""
        if len(self._buckets) == 1:
            numbers = list(self._buckets[0][start : start + size])
        else:
            end = max((bucket[-1] for bucket in self._buckets), default=-1) + 1
            first = bisect_left(range(end), start, key=self._rank)
            tails = ((bucket, bisect_left(bucket, first)) for bucket in self._buckets)
            numbers = sorted(chain.from_iterable(bucket[at : at + size] for bucket, at in tails))[:size]
        return [self._records[number] for number in numbers]

    def _rank(self, number: int) -> int:
        """Return how many selected records have a lower number."""
        return sum(bisect_left(bucket, number) for bucket in self._buckets)


class Table(Generic[RecordT]):
    """Records by id, in order of creation, with indexes.

    A record has a number, counted up with each addition. An index holds the numbers of the records with the
    same key in ascending order. A change of an indexed attribute has to go through `update`.

    Args:
        indexes: name of each index, and a function that returns the key of a record in it.
    """

    def __init__(self, **indexes: Callable[[RecordT], Hashable]) -> None:
        self._keys = indexes
        self._next_number = 0
        self._numbers: dict[str, int] = {}
        self._records: dict[int, RecordT] = {}
        self._all: _Numbers = array("q")
        self._indexes: dict[str, dict[Hashable, _Numbers]] = {name: {} for name in indexes}

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[RecordT]:
        return iter(self._records.values())

    def __contains__(self, record_id: str) -> bool:
        return record_id in self._numbers

    def __getitem__(self, record_id: str) -> RecordT:
        return self._records[self._numbers[record_id]]

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
            self._bucket(name, key(record)).append(number)

    def update(self, record: RecordT, **changes: object) -> None:
        """Set attributes of a record, and move it in the indexes whose keys change."""
        number = self._numbers[record.id]
        before = {name: key(record) for name, key in self._keys.items()}
        for attribute, value in changes.items():
            setattr(record, attribute, value)
        for name, key in self._keys.items():
            if key(record) != before[name]:
                self._discard(name, before[name], number)
                insort(self._bucket(name, key(record)), number)

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
        results: dict[str, list[_Numbers]] = {}
        for name, condition in conditions.items():
            buckets = None if condition is None else self._buckets(name, condition)
            if buckets is not None:
                results[name] = buckets
        if not results:
            return self._filter([self._all], predicates)
        best = min(results, key=lambda name: _size(results[name]))
        buckets = results.pop(best)
        for name, others in results.items():
            buckets = [self._intersect(buckets, name, cast("Condition", conditions[name]), others)]
        return self._filter(buckets, predicates)

    def _buckets(self, name: str, condition: Condition) -> list[_Numbers] | None:
        """Return the records that fulfil a condition, ``None`` for all."""
        index = self._indexes[name]
        if isinstance(condition, Equal):
            return [index[condition.value]] if condition.value in index else []
        buckets = [bucket for key, bucket in index.items() if condition.matches(key)]
        return None if len(buckets) == len(index) else buckets

    def _intersect(
        self, buckets: list[_Numbers], name: str, condition: Condition, others: list[_Numbers]
    ) -> _Numbers:
        if _size(buckets) >= _SMALL:
            allowed = set(chain.from_iterable(others))
            return array("q", [number for number in merge(*buckets) if number in allowed])
        key, records = self._keys[name], self._records
        return array("q", [number for number in merge(*buckets) if condition.matches(key(records[number]))])

    def _filter(
        self, buckets: list[_Numbers], predicates: Sequence[Callable[[RecordT], bool]]
    ) -> Selection[RecordT]:
        records = self._records
        for predicate in predicates:
            buckets = [
                array("q", [number for number in bucket if predicate(records[number])]) for bucket in buckets
            ]
        return Selection(records, buckets)

    def _bucket(self, name: str, key: Hashable) -> _Numbers:
        index = self._indexes[name]
        if key not in index:
            index[key] = array("q")
        return index[key]

    def _discard(self, name: str, key: Hashable, number: int) -> None:
        index = self._indexes[name]
        bucket = index[key]
        del bucket[bisect_left(bucket, number)]
        if not bucket:
            del index[key]


def _size(buckets: Sequence[_Numbers]) -> int:
    return sum(map(len, buckets))
