"""Which page comes next: lists that change while they are read, and servers that lie about theirs."""

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
class Thing:
    """An item of a list."""

    id: str


@define
class Shelf:
    """An honest server: a list of which it gives out pages, and tells the truth."""

    things: list[str]
    size: int
    """Items on a page, at most."""
    tells_size: bool = True
    reads: int = 0
    _names: "count[int]" = field(factory=count)

    def page(self, number: int) -> Page[Thing]:
        """Give out a page."""
        self.reads += 1
        begin = (number - 1) * self.size
        total = len(self.things)
        return Page(
            data=tuple(map(Thing, self.things[begin : begin + self.size])),
            meta=PageMeta(
                page_number=number,
                page_size=self.size if self.tells_size else None,
                total_pages=-(-total // self.size),
                total_results=total,
            ),
        )

    def delete(self, where: float) -> None:
        """Take a thing out that stands at such a share of the list."""
        if self.things:
            del self.things[int(where * len(self.things))]

    def create(self, where: float) -> None:
        """Put a new thing in at such a share of the list."""
        self.things.insert(round(where * len(self.things)), f"new {next(self._names)}")


def shelf(things: int, size: int, *, tells_size: bool = True) -> Shelf:
    """Fill a shelf with things that have numbers."""
    return Shelf([f"{number}" for number in range(things)], size, tells_size=tells_size)


def walk(scan: Scan, give: Callable[[int], Page[Thing]], *, most: int) -> Iterable[tuple[str, ...]]:
    """Read to the end, a page at a time; complain when there are more than `most`."""
    for _ in range(most):
        if scan.number is None:
            return
        yield tuple(thing.id for thing in scan.read(give(scan.number)))
    assert scan.number is None, f"still reading after {most} pages"


# --- lists that change --------------------------------------------------------------------------------------

WHERE = st.sampled_from([0.0, 0.999]) | st.floats(0, 0.999)
GAPS = st.lists(st.lists(WHERE, max_size=12), max_size=12)
"""Where something happens to the list, before the second page, the third and so on."""


def read_through(
    it: Shelf, gaps: list[list[float]], change: Callable[[float], None], *, asked: int = 0
) -> list[str]:
    """Read a list that changes after each page."""
    seen: list[str] = []
    most = 20 * (len(it.things) + sum(map(len, gaps)) + 10)
    for number, ids in enumerate(walk(Scan(size=asked or it.size), it.page, most=most)):
        seen += ids
        for where in gaps[number] if number < len(gaps) else ():
            change(where)
    assert len(seen) == len(set(seen)), "something came twice"
    return seen


@settings(deadline=None, max_examples=200, derandomize=True)
@given(st.integers(0, 40), st.integers(1, 7), GAPS)
@example(5, 1, [[], [], [], [0.999], [0.999], [0.999]])
def test_deletions_hide_nothing(things: int, size: int, gaps: list[list[float]]) -> None:
    """Whatever is deleted between pages, what lives through the scan comes, and comes once."""
    it = shelf(things, size)
    seen = read_through(it, gaps, it.delete)
    assert set(it.things) <= set(seen) <= {f"{number}" for number in range(things)}


@settings(deadline=None, max_examples=200, derandomize=True)
@given(st.integers(0, 40), st.integers(1, 7), GAPS)
@example(8, 2, [[0.0] * 6])
@example(4, 1, [[], [], [0.0] * 4])
def test_creations_hide_nothing(things: int, size: int, gaps: list[list[float]]) -> None:
    """Whatever is created between pages, at either end or in the middle, what was there comes once.

    Only a list that grew by a whole page or more three times in a row may be given up.
    """
    it = shelf(things, size)
    floods = (all(len(gap) >= size for gap in gaps[n : n + 3]) for n in range(len(gaps) - 2))
    with suppress(PaginationError) if any(floods) else nullcontext():
        seen = read_through(it, gaps, it.create)
        assert {f"{number}" for number in range(things)} <= set(seen) <= set(it.things)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(st.integers(1, 40), st.integers(2, 7), st.lists(st.tuples(WHERE, st.booleans()), max_size=12))
@example(3, 1, [(0.0, False), (0.0, True)])
def test_deletions_then_creations_hide_nothing(
    things: int, size: int, changes: list[tuple[float, bool]]
) -> None:
    """One change between two pages, this or that: what lives through comes, and comes once."""
    it = shelf(things, size)
    steps = iter(changes)

    def change(where: float) -> None:
        (it.create if next(steps)[1] else it.delete)(where)

    seen = read_through(it, [[where] for where, _ in changes], change)
    assert set(it.things) & {f"{number}" for number in range(things)} <= set(seen)


@pytest.mark.parametrize("size", [1, 2, 7, 50, 250])
@pytest.mark.parametrize("things", [0, 1, 50, 500])
@pytest.mark.parametrize("leave", [0, 1, 2], ids=lambda leave: f"leave {leave}")
def test_deleting_what_is_seen(things: int, size: int, leave: int) -> None:
    """A loop that deletes what it sees reaches everything, for at most three requests a page."""
    it = shelf(things, size)
    kept: list[str] = []
    for ids in walk(Scan(size=size), it.page, most=10_000):
        kept += ids[:leave]
        it.things = [thing for thing in it.things if thing in kept or thing not in ids]
    assert sorted(it.things) == sorted(kept)
    assert leave or not it.things
    assert it.reads <= 3 * (things // size) + 2


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.integers(0, 40), st.integers(1, 7), st.data())
def test_a_loop_that_deletes_some(things: int, size: int, data: st.DataObject) -> None:
    """Whichever of the seen are deleted, while others delete elsewhere, all the others are reached."""
    it = shelf(things, size)
    seen: list[str] = []
    for ids in walk(Scan(size=size), it.page, most=1000):
        seen += ids
        gone = set(data.draw(st.lists(st.sampled_from(seen), max_size=size)) if seen else ())
        it.things = [thing for thing in it.things if thing not in gone]
        for where in data.draw(st.lists(WHERE, max_size=2)):
            it.delete(where)
    assert len(seen) == len(set(seen))
    assert set(it.things) <= set(seen)


# --- page sizes and beginnings ------------------------------------------------------------------------------


@settings(deadline=None, max_examples=200, derandomize=True)
@given(st.integers(0, 60), st.integers(1, 10), st.integers(0, 20), GAPS)
def test_a_server_that_makes_smaller_pages(
    things: int, size: int, more: int, gaps: list[list[float]]
) -> None:
    """A server may cap the size of its pages, and say so: deletions hide nothing then either."""
    it = shelf(things, size)
    seen = read_through(it, gaps, it.delete, asked=size + more)
    assert set(it.things) <= set(seen)


@pytest.mark.parametrize("tells_size", [True, False], ids=["said", "in silence"])
@pytest.mark.parametrize("cap", [1, 3])
@pytest.mark.parametrize("asked", [3, 4, 5, 10, 250])
@pytest.mark.parametrize("things", [0, 1, 2, 3, 4, 6, 7, 30])
def test_a_server_that_makes_smaller_pages_costs_no_more(
    things: int,
    asked: int,
    cap: int,
    tells_size: bool,  # noqa: FBT001 - a case
) -> None:
    """A server may cap the size of its pages, in silence too: all come, for one request a page."""
    it = shelf(things, cap, tells_size=tells_size)
    assert read_through(it, [], it.delete, asked=asked) == it.things
    assert it.reads == max(1, -(-things // cap))


@settings(deadline=None, max_examples=300, derandomize=True)
@given(
    things=st.integers(0, 60),
    pages=st.tuples(st.integers(1, 24), st.integers(1, 24), st.integers(1, 4)),
    most_at=st.dictionaries(st.integers(0, 59), st.integers(1, 12), max_size=6),
    gaps=GAPS,
)
@example(things=11, pages=(3, 3, 1), most_at={3: 1}, gaps=[[0.0], [0.999, 0.999, 0.999]])
def test_too_large_pages_hide_nothing(
    things: int, pages: tuple[int, int, int], most_at: dict[int, int], gaps: list[list[float]]
) -> None:
    """Around some things only a few fit on a page: smaller pages bring what the larger ones would have.

    Whatever is deleted behind the start meanwhile, what lives through the scan comes, and comes once.
    """
    size, cap, start = pages
    if start > 1:
        cap = size  # else where a later page begins is not known before the first answer
    it = shelf(things, min(size, cap))
    first = (start - 1) * it.size
    there, seen = it.things[first:], list[str]()
    scan = Scan(size=size, start=start)
    fits = {str(thing): most for thing, most in most_at.items()}
    for read in range(2000):
        if scan.number is None:
            break
        it.size = min(scan.size, cap)
        page = it.page(scan.number)
        if any(fits.get(thing.id, 99) < len(page.data) for thing in page.data):
            assert scan.use_smaller_pages()
            continue
        seen += [thing.id for thing in scan.read(page)]
        for where in gaps[read] if read < len(gaps) else ():
            if len(it.things) > first:
                del it.things[first + int(where * (len(it.things) - first))]
    assert scan.number is None
    assert len(seen) == len(set(seen))
    assert set(it.things) & set(there) <= set(seen) <= set(there)
    if not any(gaps):
        assert seen == there


def test_smallest_page_cannot_be_made_smaller() -> None:
    """A page of one item stays what it is."""
    assert not Scan(size=1).use_smaller_pages()


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.integers(0, 40), st.integers(1, 7), st.integers(1, 9))
def test_a_later_beginning(things: int, size: int, start: int) -> None:
    """From a later page on come the things from there on, one request a page."""
    it = shelf(things, size)
    scan = Scan(size=size, start=start)
    seen = [thing for ids in walk(scan, it.page, most=100) for thing in ids]
    assert seen == it.things[(start - 1) * size :]
    assert it.reads == max(1, -(-things // size) - start + 1)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(st.integers(0, 40), st.integers(1, 5), st.integers(2, 4), GAPS)
def test_a_later_beginning_and_deletions_behind_it(
    things: int, size: int, start: int, gaps: list[list[float]]
) -> None:
    """From a later page on, what stands behind it is not hidden by deletions there."""
    it = shelf(things, size)
    first = (start - 1) * size
    there = it.things[first:]
    seen: list[str] = []
    for number, ids in enumerate(walk(Scan(size=size, start=start), it.page, most=1000)):
        seen += ids
        for where in gaps[number] if number < len(gaps) else ():
            if len(it.things) > first:
                del it.things[first + int(where * (len(it.things) - first))]
    assert len(seen) == len(set(seen))
    assert set(it.things) & set(there) <= set(seen)


@pytest.mark.parametrize(("things", "requests"), [(0, 1), (1, 1), (4, 1), (5, 2), (8, 2), (9, 3)])
def test_a_list_that_stands_still_costs_one_request_a_page(things: int, requests: int) -> None:
    """Nothing is asked for twice, and nothing beyond the last page."""
    it = shelf(things, 4)
    assert read_through(it, [], it.delete) == it.things
    assert it.reads == requests


# --- servers that lie ---------------------------------------------------------------------------------------

LIES: dict[str, Callable[[PageMeta, int], PageMeta]] = {
    "nothing at all": lambda _meta, _count: PageMeta(),
    "a page number that is stuck": lambda meta, _count: _with(meta, page_number=1),
    "no total": lambda meta, _count: _with(meta, total_results=None),
    "no pages": lambda meta, _count: _with(meta, total_pages=None),
    "only the pages": lambda meta, _count: PageMeta(total_pages=meta.total_pages),
    "only the total": lambda meta, _count: PageMeta(total_results=meta.total_results),
    "totals of nothing": lambda meta, _count: _with(meta, total_pages=0, total_results=0),
    "negative totals": lambda meta, _count: _with(meta, total_pages=-1, total_results=-1),
    "huge totals": lambda meta, _count: _with(meta, total_pages=10**18, total_results=10**18),
    "a size of zero": lambda meta, _count: _with(meta, page_size=0),
    "a huge size": lambda meta, _count: _with(meta, page_size=10**6),
    "for a size what is on the page": lambda meta, count: _with(meta, page_size=count),
    "for a total what is on the page": lambda meta, count: _with(meta, total_results=count),
    "one page less": lambda meta, _count: _with(meta, total_pages=(meta.total_pages or 0) - 1),
    "one page more": lambda meta, _count: _with(meta, total_pages=(meta.total_pages or 0) + 1),
}


def _with(meta: PageMeta, **changes: int | None) -> PageMeta:
    return PageMeta(
        page_number=changes.get("page_number", meta.page_number),
        page_size=changes.get("page_size", meta.page_size),
        total_pages=changes.get("total_pages", meta.total_pages),
        total_results=changes.get("total_results", meta.total_results),
    )


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
@pytest.mark.parametrize("things", [0, 1, 3, 4, 5, 10, 12])
def test_a_lie_in_the_meta(lie: Callable[[PageMeta, int], PageMeta], things: int) -> None:
    """Whatever the server says beside its pages, everything comes, once, for one request more at most."""
    it = shelf(things, 4)

    def give(number: int) -> Page[Thing]:
        page = it.page(number)
        return Page(data=page.data, meta=lie(page.meta, len(page.data)))

    assert [thing for ids in walk(Scan(size=4), give, most=100) for thing in ids] == it.things
    assert it.reads <= max(1, -(-things // 4)) + 1


NUMBERS = st.none() | st.integers(-2, 12) | st.sampled_from([100, 10**9, 10**18, -(10**9)])
PAGES = st.lists(
    st.builds(
        Page[Thing],
        data=st.lists(st.integers(0, 30).map(lambda number: Thing(f"{number}")), max_size=6).map(tuple),
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


@settings(deadline=None, max_examples=300, derandomize=True)
@given(PAGES, st.integers(1, 6), st.integers(1, 4), st.booleans())
def test_every_scan_ends(pages: list[Page[Thing]], size: int, start: int, again: bool) -> None:  # noqa: FBT001 - drawn
    """Whatever pages come, in circles or the last one for ever, the end comes, and nothing comes twice."""
    it = count()

    def give(_number: int) -> Page[Thing]:
        turn = next(it)
        return pages[turn % len(pages) if again else min(turn, len(pages) - 1)]

    seen: list[str] = []
    with suppress(PaginationError):
        for ids in walk(Scan(size=size, start=start), give, most=2000):
            seen += ids
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize(("total", "reads"), [(1, 105), (10, 105), (100, 141)])
def test_a_list_that_grows_without_end(total: int, reads: int) -> None:
    """A list is given up a hundred pages after it has become twice as long as it was said to be."""
    names = count()

    def give(number: int) -> Page[Thing]:
        data = tuple(Thing(f"{next(names)}") for _ in range(5))
        return Page(data=data, meta=PageMeta(total_results=max(total, 5 * number + 5)))

    with pytest.raises(PaginationError) as caught:
        list(walk(Scan(size=5), give, most=1000))
    assert (caught.value.seen, caught.value.expected) == (5 * reads, 5 * reads + 5)


def test_a_total_that_never_stands_still() -> None:
    """The same page for ever is given up, too, when the total says each time that the list has changed."""
    things, reads = (Thing("a"), Thing("b")), count(1)
    with pytest.raises(PaginationError):
        list(
            walk(
                Scan(size=2),
                lambda _: Page(data=things, meta=PageMeta(total_results=7 + next(reads) % 2)),
                most=1000,
            )
        )
    assert next(reads) == 4 * (2 * 4 + 100) + 2


@pytest.mark.parametrize("things", [0, 1, 3, 4, 5, 10, 12])
def test_the_number_of_pages_alone_is_enough(things: int) -> None:
    """When only the number of pages is told, none is asked for behind the last."""
    it = shelf(things, 4)

    def give(number: int) -> Page[Thing]:
        return Page(data=it.page(number).data, meta=PageMeta(total_pages=-(-things // 4)))

    assert [thing for ids in walk(Scan(size=4), give, most=100) for thing in ids] == it.things
    assert it.reads == max(1, -(-things // 4))


@pytest.mark.parametrize(("total", "reads"), [(None, 4), (9, 4), (7, 8)])
def test_a_page_that_comes_again_and_again(total: int | None, reads: int) -> None:
    """The same page for ever is an error, after three that brought nothing or another look from the front."""
    page = Page(data=(Thing("a"), Thing("b")), meta=PageMeta(total_results=total))
    numbers: list[int] = []

    def give(number: int) -> Page[Thing]:
        numbers.append(number)
        return page

    with pytest.raises(PaginationError) as caught:
        list(walk(Scan(size=2), give, most=20))
    assert (caught.value.seen, caught.value.expected, len(numbers)) == (2, total, reads)


@pytest.mark.parametrize("hole", [1, 2, 3])
def test_a_page_that_stays_empty(hole: int) -> None:
    """An empty page among others is asked for again; when it stays so, that is an error and no short list."""
    it = shelf(14, 4)

    def give(number: int) -> Page[Thing]:
        page = it.page(number)
        return Page(data=(), meta=page.meta) if number == hole else page

    with pytest.raises(PaginationError):
        list(walk(Scan(size=4), give, most=100))


@pytest.mark.parametrize("hole", [1, 2, 3])
def test_a_page_that_is_empty_once(hole: int) -> None:
    """An empty page among others that is filled at the second look costs a request, and nothing is lost."""
    it = shelf(14, 4)
    holes = iter([hole])

    def give(number: int) -> Page[Thing]:
        page = it.page(number)
        return Page(data=(), meta=page.meta) if number == hole and next(holes, None) else page

    assert [thing for ids in walk(Scan(size=4), give, most=100) for thing in ids] == it.things


@pytest.mark.parametrize("short", [1, 2, 3])
def test_a_page_that_is_short(short: int) -> None:
    """A page in the middle that lacks something is noticed: it is looked for, and missed with an error."""
    it = shelf(14, 4)

    def give(number: int) -> Page[Thing]:
        page = it.page(number)
        return Page(data=page.data[:3], meta=page.meta) if number == short else page

    with pytest.raises(PaginationError) as caught:
        list(walk(Scan(size=4), give, most=100))
    assert (caught.value.seen, caught.value.expected) == (13, 14)


def test_an_item_twice_on_a_page() -> None:
    """What stands twice on one page is delivered once."""
    page = Page(data=(Thing("a"), Thing("b"), Thing("a")), meta=PageMeta())
    scan = Scan(size=3)
    assert [thing.id for thing in scan.read(page)] == ["a", "b"]


def test_a_page_of_one_item_cannot_be_smaller() -> None:
    """A page size is divided by its smallest divisor, until pages hold one item; positions stay."""
    scan = Scan(size=250, start=3)
    steps = []
    while scan.use_smaller_pages():
        steps.append((scan.size, scan.number))
    assert steps == [(125, 5), (25, 21), (5, 101), (1, 501)]
