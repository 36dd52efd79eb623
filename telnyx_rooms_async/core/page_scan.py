"""Which page comes next, when the list changes while it is read: pure arithmetic over page numbers.

The API knows page numbers only: no cursor, no order. So the client counts the pages itself and takes what
the server says of them for a hint.
"""

from typing import Final, TypeVar

from attrs import Factory, define, field

from telnyx_rooms_async.errors import PaginationError
from telnyx_rooms_async.models import Identified, Page, PageMeta

Item = TypeVar("Item", bound=Identified)

_MOST_ITEMS: Final = 10_000_000
"""That an account may have: a total beyond is a slip of the server."""
_STALE_LIMIT: Final = 3
_GROWTH: Final = 100
"""Pages by which a list may outgrow twice its first promise while it is read."""


@define(kw_only=True, eq=False, repr=False)
class Scan:
    """How far a list has been read.

    What counts is the frontier: so many positions at the beginning of the list, as it is now, are known
    to hold only items that were seen. A page moves it up. When the total falls, as many items may have
    slid down across it, so it moves back by as many. A page that was read beyond the frontier is
    remembered, and joined when the frontier reaches it.
    """

    size: int
    """Items asked for on a page."""
    start: int = 1
    """The first page; what stands before it is left out."""
    number: int | None = field(default=Factory(lambda self: self.start, takes_self=True), init=False)
    """The page to ask for next, ``None`` at the end."""
    _seen: set[str] = field(factory=set[str], init=False)
    _step: int = field(default=Factory(lambda self: self.size, takes_self=True), init=False)
    _frontier: int = field(
        default=Factory(lambda self: (self.start - 1) * self.size, takes_self=True), init=False
    )
    _highest: int = field(default=0, init=False)
    _beyond: tuple[int, int] = field(default=(0, 0), init=False)
    _total: int | None = field(default=None, init=False)
    _least: int | None = field(default=None, init=False)
    _most_pages: int = field(default=_MOST_ITEMS, init=False)
    _reads: int = field(default=0, init=False)
    _stale: int = field(default=0, init=False)
    _stale_limit: int = field(default=_STALE_LIMIT, init=False)
    """Pages in a row without a new item after which the list is given up."""
    _fresh: int = field(default=0, init=False)
    _checks: int = field(default=0, init=False)

    def read(self, page: Page[Item]) -> tuple[Item, ...]:
        """Take the page that was asked for, return its items that are new, and set `number`.

        Raises:
            PaginationError: the pages do not add up, or have no end.
        """
        number = self.number
        assert number is not None  # noqa: S101 - nothing is asked for after the end
        fresh = tuple({item.id: item for item in page.data if item.id not in self._seen}.values())
        self._seen.update(item.id for item in fresh)
        total = self._believe(page.meta, number, len(page.data))
        self._move(number, len(page.data), total)
        self._count(number, len(page.data), len(fresh))
        self.number = self._next(number, page)
        return fresh

    def use_smaller_pages(self) -> bool:
        """Divide the page that comes next, and all behind it, by the smallest number that leaves no rest.

        Positions stay what they are, so nothing that was read is lost. Returns False when a page holds only
        one item.
        """
        divisor = next((number for number in range(2, self._step + 1) if self._step % number == 0), None)
        if divisor is None or self.number is None:
            return False
        self.start = (self.start - 1) * divisor + 1
        self.size = self._step = self._step // divisor
        self.number = self._frontier // self._step + 1
        self._most_pages *= divisor
        self._stale_limit *= divisor  # as many items as before
        return True

    @property
    def last_number(self) -> int | None:
        """The last page, as far as the server has told how many items there are."""
        return None if self._total is None else -(-self._total // self._step)

    @property
    def _base(self) -> int:
        return (self.start - 1) * self._step

    def _believe(self, meta: PageMeta, number: int, count: int) -> int | None:
        """Return the total that the server tells, if that can be true."""
        told = meta.page_size
        if not self._reads and told is not None and max(1, count) <= told <= self.size:
            self._step = told
        elif count > self._step:
            self._step = count
        total, pages = meta.total_results, meta.total_pages
        least = (number - 1) * self._step + count if count else 0
        if total is None or not least <= total <= _MOST_ITEMS:
            return None
        if not self._reads and told is None and 0 < count < min(self._step, total - self._base):
            self._step = count  # it makes smaller pages than it was asked for
        if pages is not None and max(1, pages) != max(1, -(-total // self._step)):
            return None
        return total

    def _move(self, number: int, count: int, total: int | None) -> None:
        """Move the frontier: back by what may have slid across it, up by what was read."""
        self._frontier = max(self._frontier, self._base)
        if total is not None:
            change = total - (total if self._total is None else self._total)
            if change < 0:
                self._frontier = max(self._base, self._frontier + change)
                self._beyond = (self._beyond[0], self._beyond[1] + change)
            elif change > 0:
                # As many items that were seen may have moved up, and all that was read beyond.
                self._highest += change
                self._beyond = (0, 0)
            if change:
                self._stale = 0  # which explains a page without news
            if self._total is None:
                self._most_pages = 2 * -(-total // self._step) + _GROWTH
            self._total = total
            self._least = total if self._least is None else min(self._least, total)
        if count:
            here = ((number - 1) * self._step, number * self._step)
            for start, end in (here, self._beyond):
                if start <= self._frontier:
                    self._frontier = max(self._frontier, end)
            self._beyond = max(here, self._beyond)

    def _count(self, number: int, count: int, fresh: int) -> None:
        """Bear in mind what came, and stop what would not end."""
        self._reads += 1
        self._fresh += fresh
        new_ground = number * self._step > self._highest
        self._highest = max(self._highest, self._frontier)
        if fresh:
            self._stale = 0
        elif not count or new_ground:
            self._stale += 1
        if number > self._most_pages or self._reads > 4 * self._most_pages:
            raise PaginationError(len(self._seen), self._total)

    def _next(self, number: int, page: Page[Item]) -> int | None:
        if self._total is None:
            pages = page.meta.total_pages if page.meta.total_results is None else None
            if not page.data or pages == number:
                return None
        elif self._frontier >= self._total:
            return self._checked()
        if self._stale >= self._stale_limit:
            raise PaginationError(len(self._seen), self._total)
        return self._frontier // self._step + 1

    def _checked(self) -> int | None:
        """Tell whether all came that was always there; if not, look once more from the first page."""
        if len(self._seen) >= (self._least or 0) - self._base:
            return None
        if self._checks and not self._fresh:
            raise PaginationError(len(self._seen), self._total)
        self._checks += 1
        self._fresh = self._stale = 0
        self._frontier, self._beyond = self._base, (0, 0)
        return self.start
