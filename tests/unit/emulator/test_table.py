"""Indexed tables: every selection equals a scan of all records."""

from datetime import date, timedelta

from attrs import field, frozen
from hypothesis import given
from hypothesis import strategies as st

from telnyx_rooms_async.emulator.table import FILTER, Between, Equal, Record, Table

DAYS = [date(2021, 4, 25) + timedelta(days=number) for number in range(4)]


@frozen(kw_only=True)
class Item(Record):
    name: str = field(metadata=FILTER)
    day: date | None = field(metadata=FILTER)


names = st.sampled_from("abc")
days = st.none() | st.sampled_from(DAYS)
numbers = st.integers(min_value=0, max_value=19)
changes = st.lists(
    st.tuples(st.just("add"), names, days)
    | st.tuples(st.just("remove"), numbers, st.none())
    | st.tuples(st.just("rename"), numbers, names)
    | st.tuples(st.just("move"), numbers, days),
    max_size=40,
)
ranges = st.builds(Between, eq=days, gte=days, lte=days).filter(
    lambda condition: condition != Between(eq=None, gte=None, lte=None)
)


def is_odd(record: Item) -> bool:
    return int(record.id) % 2 == 1


def is_between(day: date | None, condition: Between) -> bool:
    return (
        day is not None
        and condition.eq in (None, day)
        and (condition.gte or day) <= day <= (condition.lte or day)  # type: ignore[operator]  # dates
    )


def apply(changes_made: list[tuple[str, object, object]]) -> tuple[Table[Item], list[Item]]:
    """Apply changes to a table and to a plain list."""
    table: Table[Item] = Table(Item)
    records: list[Item] = []
    for number, (change, first, second) in enumerate(changes_made):
        if change == "add":
            day = second if isinstance(second, date) else None
            record = Item(id=str(number), name=str(first), day=day)
            table.add(record)
            records.append(record)
        elif records and isinstance(first, int):
            record = records[first % len(records)]
            if change == "remove":
                table.remove(record.id)
                records.remove(record)
            else:
                field = {"rename": "name", "move": "day"}[change]
                records[first % len(records)] = table.update(record.id, **{field: second})
    return table, records


@given(changes, st.none() | st.builds(Equal, names), st.none() | ranges, st.booleans())
def test_selection_equals_a_scan(
    changes_made: list[tuple[str, object, object]],
    name: Equal | None,
    day: Between | None,
    odd_only: bool,  # noqa: FBT001 - given by position
) -> None:
    table, records = apply(changes_made)
    assert list(table) == records
    assert all(table.get(record.id) == table[record.id] == record for record in records)
    assert table.get("unknown") is None
    selection = table.select(*[is_odd] * odd_only, name=name, day=day)
    expected = [
        record
        for record in records
        if (name is None or record.name == name.value)
        and (day is None or is_between(record.day, day))
        and (is_odd(record) or not odd_only)
    ]
    assert selection == expected
