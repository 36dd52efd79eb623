"""The next page of lists that change while they are read, and of servers with wrong page metadata."""

from collections.abc import Callable, Iterable
from contextlib import nullcontext, suppress
from itertools import count

import pytest
from attrs import define, field, frozen
from hypothesis import example, given, settings
from hypothesis import strategies as st

from telnyx_rooms_async.core.page_scan import Scan
from telnyx_rooms_async.errors import PaginationError
from telnyx_rooms_async.models import Page, PageMeta


@frozen
class Item:
    id: str


@define
class ChangingList:
    items: list[str]
    size: int
    """Items on a page, at most."""
    tells_size: bool = True
    reads: int = 0
    _names: "count[int]" = field(factory=count)

    def page(self, number: int) -> Page[Item]:
        self.reads += 1
        begin = (number - 1) * self.size
        total = len(self.items)
        return Page(
            data=tuple(map(Item, self.items[begin : begin + self.size])),
            meta=PageMeta(
                page_number=number,
                page_size=self.size if self.tells_size else None,
                total_pages=-(-total // self.size),
                total_results=total,
            ),
        )

    def delete(self, where: float) -> None:
        if self.items:
            del self.items[int(where * len(self.items))]

    def create(self, where: float) -> None:
        self.items.insert(round(where * len(self.items)), f"new {next(self._names)}")


def changing_list(items: int, size: int, *, tells_size: bool = True) -> ChangingList:
    return ChangingList([f"{number}" for number in range(items)], size, tells_size=tells_size)


def walk(scan: Scan, page_of: Callable[[int], Page[Item]], *, limit: int = 1000) -> Iterable[list[str]]:
    """Yield the new ids of each page."""
    for _ in range(limit):
        if scan.number is None:
            return
        yield [item.id for item in scan.read(page_of(scan.number))]
    assert scan.number is None, f"still reading after {limit} pages"


def read_all(page_of: Callable[[int], Page[Item]], size: int = 4) -> list[str]:
    return [item for ids in walk(Scan(size=size), page_of) for item in ids]


# --- lists that change --------------------------------------------------------------------------------------

POSITION = st.sampled_from([0.0, 0.999]) | st.floats(0, 0.999)
CHANGES = st.lists(st.lists(POSITION, max_size=12), max_size=12)
"""Where something happens to the list, before the second page, the third and so on."""


def read_through(
    listing: ChangingList, changes: list[list[float]], change: Callable[[float], None], *, requested: int = 0
) -> list[str]:
    seen: list[str] = []
    limit = 20 * (len(listing.items) + sum(map(len, changes)) + 10)
    for number, ids in enumerate(walk(Scan(size=requested or listing.size), listing.page, limit=limit)):
        seen += ids
        for where in changes[number] if number < len(changes) else ():
            change(where)
    assert len(seen) == len(set(seen)), "an item was returned twice"
    return seen


@settings(deadline=None, max_examples=80, derandomize=True)
@given(st.integers(0, 40), st.integers(1, 7), CHANGES)
@example(5, 1, [[], [], [], [0.999], [0.999], [0.999]])
def test_deletions_hide_no_item(items: int, size: int, changes: list[list[float]]) -> None:
    listing = changing_list(items, size)
    seen = read_through(listing, changes, listing.delete)
    assert set(listing.items) <= set(seen) <= {f"{number}" for number in range(items)}


@settings(deadline=None, max_examples=80, derandomize=True)
@given(st.integers(0, 40), st.integers(1, 7), CHANGES)
@example(8, 2, [[0.0] * 6])
@example(4, 1, [[], [], [0.0] * 4])
def test_creations_hide_no_item(items: int, size: int, changes: list[list[float]]) -> None:
    listing = changing_list(items, size)
    floods = (all(len(gap) >= size for gap in changes[n : n + 3]) for n in range(len(changes) - 2))
    with suppress(PaginationError) if any(floods) else nullcontext():
        seen = read_through(listing, changes, listing.create)
        assert {f"{number}" for number in range(items)} <= set(seen) <= set(listing.items)


@settings(deadline=None, max_examples=80, derandomize=True)
@given(st.integers(1, 40), st.integers(2, 7), st.lists(st.tuples(POSITION, st.booleans()), max_size=12))
@example(3, 1, [(0.0, False), (0.0, True)])
def test_single_deletions_and_creations_hide_no_item(
    items: int, size: int, changes: list[tuple[float, bool]]
) -> None:
    listing = changing_list(items, size)
    steps = iter(changes)

    def change(where: float) -> None:
        (listing.create if next(steps)[1] else listing.delete)(where)

    seen = read_through(listing, [[where] for where, _ in changes], change)
    assert set(listing.items) & {f"{number}" for number in range(items)} <= set(seen)


@pytest.mark.parametrize("size", [1, 2, 7, 50, 250])
@pytest.mark.parametrize("items", [0, 1, 50, 120])
@pytest.mark.parametrize("leave", [0, 1, 2], ids=lambda leave: f"leave {leave}")
def test_loop_that_deletes_what_it_sees_leaves_nothing(items: int, size: int, leave: int) -> None:
    listing = changing_list(items, size)
    kept: list[str] = []
    for ids in walk(Scan(size=size), listing.page):
        kept += ids[:leave]
        listing.items = [item for item in listing.items if item in kept or item not in ids]
    assert sorted(listing.items) == sorted(kept)
    assert leave or not listing.items
    assert listing.reads <= 3 * (items // size) + 2


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.integers(0, 40), st.integers(1, 7), st.data())
def test_loop_that_deletes_some_items_sees_the_others(items: int, size: int, data: st.DataObject) -> None:
    listing = changing_list(items, size)
    seen: list[str] = []
    for ids in walk(Scan(size=size), listing.page):
        seen += ids
        gone = set(data.draw(st.lists(st.sampled_from(seen), max_size=size)) if seen else ())
        listing.items = [item for item in listing.items if item not in gone]
        for where in data.draw(st.lists(POSITION, max_size=2)):
            listing.delete(where)
    assert len(seen) == len(set(seen))
    assert set(listing.items) <= set(seen)


# --- page sizes and beginnings ------------------------------------------------------------------------------


@pytest.mark.parametrize("tells_size", [True, False], ids=["said", "in silence"])
@pytest.mark.parametrize("cap", [1, 3])
@pytest.mark.parametrize("requested", [3, 4, 5, 10, 250])
@pytest.mark.parametrize("items", [0, 1, 2, 3, 4, 6, 7, 30])
def test_smaller_pages_than_requested_cost_no_extra_request(
    items: int,
    requested: int,
    cap: int,
    tells_size: bool,  # noqa: FBT001 - a case
) -> None:
    listing = changing_list(items, cap, tells_size=tells_size)
    assert read_through(listing, [], listing.delete, requested=requested) == listing.items
    assert listing.reads == max(1, -(-items // cap))


@settings(deadline=None, max_examples=100, derandomize=True)
@given(
    items=st.integers(0, 60),
    pages=st.tuples(st.integers(1, 24), st.integers(1, 24), st.integers(1, 4)),
    most_at=st.dictionaries(st.integers(0, 59), st.integers(1, 12), max_size=6),
    changes=CHANGES,
)
@example(items=11, pages=(3, 3, 1), most_at={3: 1}, changes=[[0.0], [0.999, 0.999, 0.999]])
def test_too_large_pages_hide_no_item(
    items: int, pages: tuple[int, int, int], most_at: dict[int, int], changes: list[list[float]]
) -> None:
    size, cap, start = pages
    if start > 1:
        cap = size  # else where a later page begins is not known before the first answer
    listing = changing_list(items, min(size, cap))
    first = (start - 1) * listing.size
    there, seen = listing.items[first:], list[str]()
    scan = Scan(size=size, start=start)
    fits = {str(item): most for item, most in most_at.items()}
    for read in range(2000):
        if scan.number is None:
            break
        listing.size = min(scan.size, cap)
        page = listing.page(scan.number)
        if any(fits.get(item.id, 99) < len(page.data) for item in page.data):
            assert scan.use_smaller_pages()
            continue
        seen += [item.id for item in scan.read(page)]
        for where in changes[read] if read < len(changes) else ():
            if len(listing.items) > first:
                del listing.items[first + int(where * (len(listing.items) - first))]
    assert scan.number is None
    assert len(seen) == len(set(seen))
    assert set(listing.items) & set(there) <= set(seen) <= set(there)
    if not any(changes):
        assert seen == there


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.integers(0, 40), st.integers(1, 7), st.integers(1, 9))
def test_scan_can_start_at_a_later_page(items: int, size: int, start: int) -> None:
    listing = changing_list(items, size)
    scan = Scan(size=size, start=start)
    seen = [item for ids in walk(scan, listing.page) for item in ids]
    assert seen == listing.items[(start - 1) * size :]
    assert listing.reads == max(1, -(-items // size) - start + 1)


# --- odd pages ----------------------------------------------------------------------------------------------


NUMBERS = st.none() | st.integers(-2, 12) | st.sampled_from([100, 10**9, 10**18, -(10**9)])
PAGES = st.lists(
    st.builds(
        Page[Item],
        data=st.lists(st.integers(0, 30).map(lambda number: Item(f"{number}")), max_size=6).map(tuple),
        meta=st.builds(
            PageMeta,
            page_number=NUMBERS,
            page_size=NUMBERS,
            total_pages=NUMBERS,
            total_results=NUMBERS,
        ),
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(PAGES, st.integers(1, 6), st.integers(1, 4), st.booleans())
def test_every_scan_ends_without_duplicates(
    pages: list[Page[Item]],
    size: int,
    start: int,
    again: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    listing = count()

    def page_of(_number: int) -> Page[Item]:
        turn = next(listing)
        return pages[turn % len(pages) if again else min(turn, len(pages) - 1)]

    seen: list[str] = []
    with suppress(PaginationError):
        for ids in walk(Scan(size=size, start=start), page_of, limit=2000):
            seen += ids
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize(("total", "reads"), [(1, 105), (10, 105), (100, 141)])
def test_endless_growth_is_an_error(total: int, reads: int) -> None:
    names = count()

    def page_of(number: int) -> Page[Item]:
        data = tuple(Item(f"{next(names)}") for _ in range(5))
        return Page(data=data, meta=PageMeta(total_results=max(total, 5 * number + 5)))

    with pytest.raises(PaginationError) as caught:
        read_all(page_of, size=5)
    assert (caught.value.seen, caught.value.expected) == (5 * reads, 5 * reads + 5)


def test_total_that_alternates_for_ever_is_an_error() -> None:
    items, reads = (Item("a"), Item("b")), count(1)
    with pytest.raises(PaginationError):
        read_all(lambda _: Page(data=items, meta=PageMeta(total_results=7 + next(reads) % 2)), size=2)
    assert next(reads) == 4 * (2 * 4 + 100) + 2


@pytest.mark.parametrize(("total", "reads"), [(None, 4), (9, 4), (7, 8)])
def test_repeated_page_is_an_error(total: int | None, reads: int) -> None:
    page = Page(data=(Item("a"), Item("b")), meta=PageMeta(total_results=total))
    numbers: list[int] = []

    def page_of(number: int) -> Page[Item]:
        numbers.append(number)
        return page

    with pytest.raises(PaginationError) as caught:
        read_all(page_of, size=2)
    assert (caught.value.seen, caught.value.expected, len(numbers)) == (2, total, reads)


def test_pages_are_divided_down_to_one_item() -> None:
    scan = Scan(size=250, start=3)
    steps = []
    while scan.use_smaller_pages():
        steps.append((scan.size, scan.number))
    assert steps == [(125, 5), (25, 21), (5, 101), (1, 501)]
