"""A whole table, before anything is sent: whether each row is right, and no name stands there twice."""

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Final, NamedTuple

from telnyx_rooms_async.core.errors import InvalidArgumentError
from telnyx_rooms_async.core.rules import show
from telnyx_rooms_async.core.tables.rows import NAME, OnWrong, Place, Row

_SHELVES: Final = 256
_DIGEST: Final = 2**64 - 1


class _Names:
    """Names that were seen, in eight bytes each: a million of them need no gigabyte."""

    def __init__(self) -> None:
        self._shelves = [array("Q") for _ in range(_SHELVES)]

    def add(self, name: str) -> None:
        digest = hash(name) & _DIGEST
        self._shelves[digest % _SHELVES].append(digest)

    def doubles(self) -> frozenset[int]:
        """Return the digests of names that were seen more than once, and hardly any other."""
        return frozenset(
            digest
            for shelf in self._shelves
            if len(set(shelf)) < len(shelf)
            for digest, count in Counter(shelf).items()
            if count > 1
        )


class Checked(NamedTuple):
    """A table that is right."""

    rooms: int
    """How many it holds."""
    is_named: bool
    """Whether each of them has a name."""


def check(read: Callable[[OnWrong], Iterator[Row]], source: str, unit: str = "line") -> Checked:
    """Read a table, and return what it holds.

    Takes some eight bytes a room.

    Args:
        read: begins at the first row each time; a second time only when a name may stand there twice.
        source: what to call the table in errors.
        unit: what its rows are counted in.

    Raises:
        InvalidArgumentError: a row is wrong, the first of them is told; a name stands there twice; there
            is no row.
    """
    wrong: list[InvalidArgumentError] = []
    more = 0

    def note(error: InvalidArgumentError) -> None:
        nonlocal more
        if wrong:
            more += 1
        else:
            wrong.append(error)

    names, count, named = _Names(), 0, 0
    try:
        for row in read(note):
            count += 1
            if NAME in row.fields:
                named += 1
                names.add(row.fields["unique_name"])
    except InvalidArgumentError as error:  # from here on it cannot be read, but something before may be wrong
        note(error)
    if wrong:
        rest = (f"{more} more {unit}{'s are' if more > 1 else ' is'} wrong",) if more else ()
        raise InvalidArgumentError((*wrong[0].problems, *rest))
    if doubles := names.doubles():
        _refuse_doubles(read(note), doubles, source, unit)
    if not count:
        raise InvalidArgumentError((f"{source} is empty: there is no room in it",))
    return Checked(count, named == count)


def _refuse_doubles(rows: Iterator[Row], doubles: Collection[int], source: str, unit: str) -> None:
    seen: dict[str, int] = {}
    for row in rows:
        name = row.fields.get("unique_name")
        if name is None or hash(name) & _DIGEST not in doubles:
            continue
        if name in seen:
            what = f"{show(name)} stands in {unit} {seen[name]} too, and names are unique"
            raise Place(source, row.line, unit).wrong(what, NAME)
        seen[name] = row.line
