"""A list that turns its own pages."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextvars import copy_context
from typing import Any, Final, Generic, TypeVar, cast

from attrs import evolve

from telnyx_rooms_async.core.http_messages import Call
from telnyx_rooms_async.core.page_scan import Scan
from telnyx_rooms_async.core.protocol import at, page_number, page_size
from telnyx_rooms_async.core.validators import exact_integer, short_repr
from telnyx_rooms_async.errors import (
    APIResponseValidationError,
    InvalidArgumentError,
    PaginationError,
    ResponseTooLargeError,
)
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.http.in_flight import running_loop
from telnyx_rooms_async.models import Identified, Page

Item = TypeVar("Item", bound=Identified)

_MOST_PASSES: Final = 6
_MOST_AT_ONCE: Final = 100


class Listing(Generic[Item]):
    """The items of a list, fetched a page at a time while they are iterated.

    ``async for room in client.rooms.list()`` yields rooms in the order of the server, each id once. While
    the loop works on one page the next is on its way. Making a listing sends nothing, and it can be
    iterated again and again. Nothing stays open when a loop is left early; to have the generator closed
    at that very moment, hold it: ``async with aclosing(aiter(listing)) as rooms``.
    """

    def __init__(self, api: ApiSession, first: Call[Page[Item]], at_once: int = 1) -> None:
        self._api = api
        self._first = first
        self._at_once = at_once

    def __repr__(self) -> str:
        return f"<Listing {self._first.operation} {self._first.request.target}>"

    def prefetch(self, pages: int) -> "Listing[Item]":
        """Return the same listing, fetching so many pages at once, once it is known how many there are.

        They come in order, and with the same promises; at most so many wait to be used.

        Raises:
            InvalidArgumentError: `pages` is not from 1 to 100.
        """
        pages = cast("int", exact_integer(pages))
        if type(pages) is not int or not 1 <= pages <= _MOST_AT_ONCE:
            raise InvalidArgumentError((f"pages must be from 1 to {_MOST_AT_ONCE}, not {short_repr(pages)}",))
        return Listing(self._api, self._first, pages)

    async def __aiter__(self) -> AsyncGenerator[Item, None]:
        reader = self._reader(1)
        try:
            while (page := await reader.read()) is not None:
                # Whoever leaves the loop at the first item costs no request for the next page.
                for item in page.data[:1]:
                    yield item
                await reader.look_ahead()
                for item in page.data[1:]:
                    yield item
        finally:
            await reader.close()

    def pages(self, start: int = 1) -> AsyncGenerator[Page[Item], None]:
        """Yield pages, beginning with page `start`: one request each. What came before is left out.

        Raises:
            InvalidArgumentError: `start` is below 1.
            PaginationError: the server's pages do not add up.
        """
        return self._pages(self._reader(start))

    async def _pages(self, reader: "_Reader[Item]") -> AsyncGenerator[Page[Item], None]:
        try:
            while (page := await reader.read()) is not None:
                await reader.look_ahead()
                yield page
        finally:
            await reader.close()

    def _reader(self, start: int) -> "_Reader[Item]":
        first = at(self._first, start)
        scan = Scan(size=page_size(first), start=page_number(first))
        return _Reader(self._api, first, scan, self._at_once)

    async def snapshot(self) -> list[Item]:
        """Return all items of one moment, even while others change the list.

        Reads the list until two passes in a row find the same items: two passes if nothing changes.

        Raises:
            PaginationError: the list did not stand still in six passes.
        """
        before: set[str] | None = None
        items: list[Item] = []
        for _ in range(_MOST_PASSES):
            try:
                items = [item async for item in self]
            except PaginationError:  # it changes too fast for this pass
                before = None
                continue
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
        return await self._api.call(at(self._first, number, size))

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


class _Reader(Generic[Item]):
    """Reads pages in the order in which `Scan` wants them, and fetches some before they are wanted."""

    def __init__(self, api: ApiSession, call: Call[Page[Item]], scan: Scan, at_once: int) -> None:
        self._api = api
        self._call = call
        self._scan = scan
        self._at_once = self._window = at_once
        self._ahead: dict[int, asyncio.Task[Page[Item]]] = {}
        self._awaited: int | None = None
        """The page that the caller of `read` waits for."""
        self._context = copy_context()
        """That of whoever reads: no page is requested in the context of the page before it."""

    async def read(self) -> Page[Item] | None:
        """Return the next page without the items already seen, or ``None`` after the last."""
        while (number := self._scan.number) is not None:
            self._context = copy_context()
            if self._ahead or self._window > 1:
                await self.look_ahead()
            self._awaited = number
            try:
                page = await (self._ahead.pop(number, None) or self._fetch(number))
            except ResponseTooLargeError:  # rooms with many sessions, for example
                if not self._scan.use_smaller_pages():
                    raise
                self._window = 1
                await self.close()
                continue
            finally:
                self._awaited = None
            return await self._accept(number, page)
        return None

    async def _accept(self, number: int, page: Page[Item]) -> Page[Item]:
        """Return the page without the items already seen, and decide how many pages to request ahead."""
        fresh = self._scan.read(page)
        if self._scan.number == number + 1:
            self._window = min(self._at_once, 2 * self._window)
        else:
            # What was fetched beyond is older than what is to be read now.
            self._window = 1
            await self.close()
        return page if len(fresh) == len(page.data) else evolve(page, data=fresh)

    async def look_ahead(self) -> None:
        """Ask for the next page, and for as many more as are there and may be asked for at once."""
        self._context = copy_context()
        number = self._scan.number
        if number is not None:
            await self._ask_from(number, max(number, self._last_from(number)))

    def _fetch(self, number: int) -> Coroutine[Any, Any, Page[Item]]:
        return self._api.call(at(self._call, number, self._scan.size))

    def _last_from(self, number: int) -> int:
        return min(number + self._window - 1, self._scan.last_number or 0)

    async def _ask_from(self, number: int, last: int) -> None:
        running_loop()  # raises before a coroutine is made that nothing can run
        for each in range(number, last + 1):
            if each not in self._ahead:
                self._ahead[each] = asyncio.create_task(self._fetch(each), context=self._context.copy())
        # Lets the requests leave before the caller works on this page, who may not await anything.
        await asyncio.sleep(0)

    async def close(self) -> None:
        """End what is on its way; what came of it is of no interest."""
        if not self._ahead:
            return
        ahead = list(self._ahead.values())
        self._ahead.clear()
        for task in ahead:
            task.cancel()
        await asyncio.gather(*ahead, return_exceptions=True)
