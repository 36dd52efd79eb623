"""A list that turns its own pages."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, Generic, TypeVar

from telnyx_rooms_async.caller import Caller
from telnyx_rooms_async.core.errors import APIResponseValidationError, PaginationError
from telnyx_rooms_async.core.messages import Call
from telnyx_rooms_async.core.models import Identified, Page
from telnyx_rooms_async.core.paging import Scan
from telnyx_rooms_async.core.protocol import at, page_size

Item = TypeVar("Item", bound=Identified)

_MOST_PASSES: Final = 6


class Listing(Generic[Item]):
    """The items of a list, fetched a page at a time while they are iterated.

    ``async for room in client.rooms.list()`` yields rooms in the order of the server, each id once. The
    next page is asked for when this one is used up. Making a listing sends nothing, and it can be
    iterated again and again. Nothing stays open when a loop is left early; to have the generator closed
    at that very moment, hold it: ``async with aclosing(aiter(listing)) as rooms``.
    """

    def __init__(self, caller: Caller, first: Call[Page[Item]]) -> None:
        self._caller = caller
        self._first = first

    def __repr__(self) -> str:
        return f"<Listing {self._first.operation} {self._first.request.target}>"

    async def __aiter__(self) -> AsyncGenerator[Item, None]:
        async with aclosing(self.pages()) as pages:
            async for page in pages:
                for item in page.data:
                    yield item

    def pages(self, start: int = 1) -> AsyncGenerator[Page[Item], None]:
        """Yield pages, beginning with page `start`: one request each. What came before is left out.

        Raises:
            InvalidArgumentError: `start` is below 1.
            PaginationError: the server's pages do not add up.
        """
        scan = Scan(size=page_size(at(self._first, start)), start=start)
        return self._caller.walk(self._first, scan)

    async def snapshot(self) -> list[Item]:
        """Return all items of one moment, even while others change the list.

        Reads the list until two passes in a row find the same items: two passes if nothing changes.

        Raises:
            PaginationError: the list did not stand still in six passes.
        """
        before: set[str] | None = None
        items: list[Item] = []
        for _ in range(_MOST_PASSES):
            items = [item async for item in self]
            ids = {item.id for item in items}
            if ids == before:
                return items
            before = ids
        raise PaginationError(len(items))

    async def page(self, number: int, size: int | None = None) -> Page[Item]:
        """Return one page: one request.

        Args:
            number: counted from 1; beyond the last the page is empty.
            size: 1 to 250 items; that of the listing unless given.

        Raises:
            InvalidArgumentError: a number or a size out of bounds.
        """
        return await self._caller.ask(at(self._first, number, size))

    async def count(self) -> int:
        """Return how many items the server speaks of: one small request.

        Raises:
            APIResponseValidationError: the server does not say.
        """
        total = (await self.page(1, size=1)).meta.total_results
        if total is None:
            misfit = "$.meta.total_results: missing"
            raise APIResponseValidationError(misfit, misfits=(misfit,))
        return total
