"""Indexed records in order of creation."""

from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterator, Mapping
from datetime import date, datetime
from itertools import chain, count
from typing import Any, Final, Generic, TypeAlias, TypeVar
from uuid import uuid4

from attrs import evolve, field, fields, frozen

FILTER: Final = {"filter": True}
"""Metadata of a field that has an index."""


@frozen(kw_only=True)
class Record:
    """Anything that has an id, and can be stored in a `Table`."""

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


class Table(Generic[RecordT]):
    """Immutable records by id, in order of creation, with indexes.

    A record has a number, counted up with each addition. An index holds the numbers of the records with the
    same key, ascending. A key is the value of a field, or the date of a time; ``None`` is left out.
    """

    def __init__(self, record_type: type[RecordT]) -> None:
        self.record_type: type[RecordT] = record_type
        self._counter = count()
        self._numbers: dict[str, int] = {}
        self._records: dict[int, RecordT] = {}
        names = [attribute.name for attribute in fields(record_type) if "filter" in attribute.metadata]
        self.indexes: dict[str, dict[Hashable, list[int]]] = {
            f"date_{name}" if name.endswith("_at") else name: {} for name in names
        }
        """By the name of the filter."""

    def __iter__(self) -> Iterator[RecordT]:
        return iter(self._records.values())

    def __contains__(self, record_id: str) -> bool:
        return record_id in self._numbers

    def __getitem__(self, record_id: str) -> RecordT:
        return self._records[self._numbers[record_id]]

    def get(self, record_id: str | None) -> RecordT | None:
        """Return the record with an id, or ``None``."""
        number = self._numbers.get(record_id or "")
        return None if number is None else self._records[number]

    def add(self, record: RecordT) -> None:
        """Append a record."""
        number = next(self._counter)
        self._numbers[record.id] = number
        self._records[number] = record
        for name in self.indexes:
            self._insert(name, _key(record, name), number)

    def update(self, record_id: str, **changes: Any) -> RecordT:  # noqa: ANN401 - values of fields
        """Return the record with other values of fields."""
        return self.replace(evolve(self[record_id], **changes))

    def replace(self, record: RecordT) -> RecordT:
        """Return the record, which takes the place of the one with its id."""
        number = self._numbers[record.id]
        before, self._records[number] = self._records[number], record
        for name in self.indexes:
            old, new = _key(before, name), _key(record, name)
            if old != new:
                self._discard(name, old, number)
                self._insert(name, new, number)
        return record

    def remove(self, record_id: str) -> None:
        """Remove a record."""
        number = self._numbers.pop(record_id)
        record = self._records.pop(number)
        for name in self.indexes:
            self._discard(name, _key(record, name), number)

    def select(self, *tests: Callable[[RecordT], bool], **conditions: Condition | None) -> list[RecordT]:
        """Return the records that fulfil all conditions and tests, in order of creation.

        A condition has the name of an index; ``None`` is no condition.
        """
        matching = [
            self._matching(name, condition) for name, condition in conditions.items() if condition is not None
        ]
        if not matching:
            records = list(self)
        elif len(matching) == 1:
            records = [self._records[number] for number in matching[0]]
        else:
            numbers = set(matching[0]).intersection(*matching[1:])
            records = [self._records[number] for number in sorted(numbers)]
        return [record for record in records if all(test(record) for test in tests)] if tests else records

    def _matching(self, name: str, condition: Condition) -> list[int]:
        index = self.indexes[name]
        buckets = [index[key] for key in condition.matching(index)]
        return buckets[0] if len(buckets) == 1 else sorted(chain.from_iterable(buckets))

    def _insert(self, name: str, key: Hashable, number: int) -> None:
        if key is not None:
            insort(self.indexes[name].setdefault(key, []), number)

    def _discard(self, name: str, key: Hashable, number: int) -> None:
        if key is not None:
            numbers = self.indexes[name][key]
            del numbers[bisect_left(numbers, number)]
            if not numbers:
                del self.indexes[name][key]


def _key(record: Record, name: str) -> Hashable:
    value: Hashable = getattr(record, name.removeprefix("date_"))
    return value.date() if isinstance(value, datetime) else value
