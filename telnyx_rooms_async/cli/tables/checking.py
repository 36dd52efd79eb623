"""A whole table, before anything is sent: whether each row is right, and no name stands there twice."""

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final, NamedTuple, cast

from telnyx_rooms_async.cli.tables.rows import NAME, OnWrong, Place, Row, WrongRow
from telnyx_rooms_async.core.validators import short_repr
from telnyx_rooms_async.errors import InvalidArgumentError

_TOLD: Final = 20
"""So many faulty rows are named, and the others counted."""
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
    """What a table holds."""

    rooms: int
    """How many rooms it makes."""
    is_named: bool
    """Whether each of them has a name."""
    faulty: int = 0
    """How many rows make no room."""
    doubles: Mapping[int, InvalidArgumentError] = {}
    """Those of them that are only wrong in that their name stands before them, by their line."""
    problems: tuple[str, ...] = ()
    """What is wrong with the first of them, and how many more there are."""


def check(
    read: Callable[[OnWrong], Iterator[Row]], source: str, unit: str = "line", *, skip_invalid: bool = False
) -> Checked:
    """Read a table, and return what it holds.

    Takes some eight bytes a room.

    Args:
        read: begins at the first row each time; a second time only when a name may stand there twice.
        source: what to call the table in errors.
        unit: what its rows are counted in.
        skip_invalid: whether rows that are wrong are only counted.

    Raises:
        InvalidArgumentError: rows are wrong, or their names stand there before: the first 20 are named, and
            it is told how many more there are; the table cannot be read; there is no row that is right.
    """
    told: list[tuple[int, InvalidArgumentError]] = []
    faulty = 0

    def note(row: WrongRow) -> None:
        nonlocal faulty
        faulty += 1
        if len(told) < _TOLD:
            told.append((row.line, row.error))

    names, count, named = _Names(), 0, 0
    broken: tuple[str, ...] = ()
    try:
        for row in read(note):
            count += 1
            if NAME in row.fields:
                named += 1
                names.add(str(row.fields["unique_name"]))
    except InvalidArgumentError as error:  # from here on it cannot be read
        broken = error.problems
    digests = names.doubles()
    found = {} if broken or not digests else _doubles(read(_pass_over), digests, source, unit)
    told = sorted([*told, *found.items()], key=lambda each: each[0])[:_TOLD]
    faulty += len(found)
    problems = (*(problem for _, error in told for problem in error.problems), *broken)
    if more := faulty - len(told):
        problems += (f"{more} more {unit}{'s are' if more > 1 else ' is'} wrong",)
    count -= len(found)
    if broken or (faulty and not (skip_invalid and count)):
        raise InvalidArgumentError(problems)
    if not count:
        raise InvalidArgumentError((f"{source} is empty: there is no room in it",))
    return Checked(count, count == named - len(found), faulty, found, problems)


def _pass_over(_row: WrongRow) -> None:
    """Have the next row read."""


def _doubles(
    rows: Iterator[Row], digests: Collection[int], source: str, unit: str
) -> dict[int, InvalidArgumentError]:
    """Return the rows whose name stands in a row before them."""
    seen: dict[str, int] = {}
    found: dict[int, InvalidArgumentError] = {}
    for row in rows:
        name = cast("str | None", row.fields.get("unique_name"))
        if name is None or hash(name) & _DIGEST not in digests:
            continue
        if name in seen:
            what = f"{short_repr(name)} stands in {unit} {seen[name]} too, and names are unique"
            found[row.line] = Place(source, row.line, unit).wrong(what, NAME)
        else:
            seen[name] = row.line
    return found
