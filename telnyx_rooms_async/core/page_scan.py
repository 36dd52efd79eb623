"""Which page comes next in a list that changes while it is read. Pure arithmetic over page numbers.

The API has page numbers only: no cursor and no defined order. The client counts the pages itself and treats
the totals of the server as hints.
"""

from typing import Final, TypeVar

from telnyx_rooms_async.errors import PaginationError
from telnyx_rooms_async.models import Identified, Page

Item = TypeVar("Item", bound=Identified)

_MAX_ITEMS: Final = 10_000_000
"""A larger total is an error of the server."""
_MAX_STALE_PAGES: Final = 3
_MAX_GROWTH: Final = 100
"""Pages by which a list may exceed twice its first total while it is read."""


class Scan:
    """Progress of reading a list.

    The scan counts the *confirmed* positions: that many positions at the start of the current list hold
    only known items. A page extends them. When the total falls by n, n unknown items may have moved into
    them, so their number falls by n, and the scan goes back. A page that was read beyond the confirmed
    positions is remembered as *ahead* and joined when they reach it.

    Example: pages of 2 items. Item a is deleted after page 1 was read, so c moves to page 1::

        list           page    items   total   confirmed   ahead   next page
        a b c d e f    1       a b     6       2                   2
        b c d e f      2       d e     5       1           2-4     1  (the total fell by 1)
        b c d e f      1       b c     5       4                   3  (2, joined with 2-4)
        b c d e f      3       f       5       6                   none

    A total that never falls could hide a deletion that a creation made up for. `Listing.snapshot` finds it.

    Args:
        size: the number of items requested per page.
        start: the first page. Earlier pages are left out.
    """

    def __init__(self, *, size: int, start: int = 1) -> None:
        self.size: int = size
        """Items requested per page."""
        self.start: int = start
        """The first page."""
        self.number: int | None = start
        """The page to request next; None at the end."""
        self._step = size
        """Positions per page, if the server makes smaller or larger pages than requested."""
        self._known_ids: set[str] = set()
        self._known_at_restart = -1
        """How many items were known when the scan last started again."""
        self._confirmed = self._base
        self._ahead = (0, 0)
        self._highest = 0
        """The highest position that was ever confirmed, moved by additions to the list."""
        self._total: int | None = None
        self._smallest_total = _MAX_ITEMS
        self._pages_read = 0
        self._max_pages = _MAX_ITEMS
        self._stale_pages = 0
        """Pages in a row that brought no new item and are not explained by a change of the total."""
        self._max_stale_pages = _MAX_STALE_PAGES

    def read(self, page: Page[Item]) -> tuple[Item, ...]:
        """Process the page `number`: return its new items, and set `number` to the page to request next.

        Raises:
            PaginationError: the pages do not add up, or do not end.
        """
        number = self.number
        assert number is not None  # noqa: S101 - no page is requested after the end
        new = tuple({item.id: item for item in page.data if item.id not in self._known_ids}.values())
        self._known_ids.update(item.id for item in new)
        total = self._plausible_total(page, number)
        self._confirmed = max(self._confirmed, self._base)
        if total is not None:
            self._follow_total(total)
        if page.data:  # extends the confirmed positions, or is remembered as read ahead
            positions = ((number - 1) * self._step, number * self._step)
            for start, end in (positions, self._ahead):
                if start <= self._confirmed:
                    self._confirmed = max(self._confirmed, end)
            self._ahead = max(positions, self._ahead)
        is_beyond = number * self._step > self._highest
        self._highest = max(self._highest, self._confirmed)
        if new:
            self._stale_pages = 0
        elif not page.data or is_beyond:
            self._stale_pages += 1
        self._pages_read += 1
        if number > self._max_pages or self._pages_read > 4 * self._max_pages:
            raise self._error
        self.number = self._next_number(page, number)
        return new

    def use_smaller_pages(self) -> bool:
        """Divide the next page, and all after it, by their smallest divisor.

        Positions do not change, so no progress is lost. Returns False when a page holds a single item.
        """
        divisor = next((number for number in range(2, self._step + 1) if self._step % number == 0), None)
        if divisor is None or self.number is None:
            return False
        self.start = (self.start - 1) * divisor + 1
        self.size = self._step = self._step // divisor
        self.number = self._confirmed // self._step + 1
        self._max_pages *= divisor
        self._max_stale_pages *= divisor
        return True

    @property
    def last_number(self) -> int | None:
        """The last page, if the server stated a total."""
        return None if self._total is None else -(-self._total // self._step)

    @property
    def _base(self) -> int:
        """Positions before the first page."""
        return (self.start - 1) * self._step

    def _plausible_total(self, page: Page[Item], number: int) -> int | None:
        """Return the stated total unless it contradicts the page, and adjust the positions per page."""
        is_first, count = not self._pages_read, len(page.data)
        total, pages, stated_size = page.meta.total_results, page.meta.total_pages, page.meta.page_size
        if is_first and stated_size is not None and max(1, count) <= stated_size <= self.size:
            self._step = stated_size
        elif count > self._step:
            self._step = count
        items_so_far = (number - 1) * self._step + count if count else 0
        if total is None or not items_so_far <= total <= _MAX_ITEMS:
            return None
        if is_first and stated_size is None and 0 < count < min(self._step, total - self._base):
            self._step = count  # the server makes smaller pages than requested
        if pages is not None and max(1, pages) != max(1, -(-total // self._step)):
            return None
        return total

    def _follow_total(self, total: int) -> None:
        """Adjust the positions to items that were added or removed since the previous page."""
        if self._total is None:
            self._max_pages = 2 * -(-total // self._step) + _MAX_GROWTH
            self._total = total
        change = total - self._total
        if change:
            self._stale_pages = 0
        if change < 0:  # items may have moved into the confirmed positions
            self._confirmed = max(self._base, self._confirmed + change)
            self._ahead = (self._ahead[0], self._ahead[1] + change)
        elif change > 0:  # known items may have moved up, also those of the page read ahead
            self._highest += change
            self._ahead = (0, 0)
        self._total = total
        self._smallest_total = min(self._smallest_total, total)

    def _next_number(self, page: Page[Item], number: int) -> int | None:
        if self._total is None:
            pages = page.meta.total_pages if page.meta.total_results is None else None
            if not page.data or pages == number:
                return None
        elif self._confirmed >= self._total:
            if len(self._known_ids) >= self._smallest_total - self._base:
                return None
            # An item that was always in the list is not known yet: start again.
            if len(self._known_ids) == self._known_at_restart:
                raise self._error
            self._known_at_restart = len(self._known_ids)
            self._stale_pages = 0
            self._confirmed, self._ahead = self._base, (0, 0)
            return self.start
        if self._stale_pages >= self._max_stale_pages:
            raise self._error
        return self._confirmed // self._step + 1

    @property
    def _error(self) -> PaginationError:
        return PaginationError(len(self._known_ids), self._total)
