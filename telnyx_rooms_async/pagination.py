"""Listings: async generators over the items and pages of a list."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, Self, TypeVar, cast
from weakref import WeakKeyDictionary

from attrs import evolve

from telnyx_rooms_async.core.http_messages import Call
from telnyx_rooms_async.core.page_scan import Scan
from telnyx_rooms_async.core.protocol import at, page_number, page_size
from telnyx_rooms_async.core.validators import checked_count, exact_integer, short_repr
from telnyx_rooms_async.errors import (
    APIResponseValidationError,
    InvalidArgumentError,
    PaginationError,
    ResponseTooLargeError,
)
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.http.in_flight import running_loop
from telnyx_rooms_async.models import Identified, Page

T = TypeVar("T")
Item = TypeVar("Item", bound=Identified)

_MAX_PREFETCH: Final = 100
_SNAPSHOT_PREFETCH: Final = 8
_SNAPSHOT_PASSES: Final = 6


class Listing(Generic[Item]):
    """The items of a list, requested page by page during iteration.

    ``async for room in client.rooms.list()`` yields rooms in the order of the server, each id once. While the
    loop body works on a page, the next page is requested. A listing sends nothing before it is iterated, and
    can be iterated repeatedly. `aclose`, or ``async with``, closes iterations that were left early.

    Example:
        >>> async with client.rooms.list() as rooms:  # closes the iteration that `break` leaves
        ...     async for room in rooms:
        ...         if room.active_session_id:
        ...             break
    """

    def __init__(
        self, api: ApiSession, first: Call[Page[Item]], prefetch: int = 1, max_items: int | None = None
    ) -> None:
        self._api = api
        self._first = first
        self._prefetch = prefetch
        self._max_items = max_items
        self._iterations = WeakKeyDictionary[AsyncGenerator[Any, None], _PageReader[Item]]()

    def __repr__(self) -> str:
        return f"<Listing {self._first.endpoint.operation} {self._first.request.target}>"

    def __bool__(self) -> NoReturn:
        raise TypeError("a Listing is not true or false: write `await listing.first() is not None`")

    if not TYPE_CHECKING:  # type checkers find `await listing` by themselves

        def __await__(self) -> NoReturn:
            raise TypeError(
                "a Listing cannot be awaited: write `async for room in listing`, `await listing.all()`"
                " or `await listing.first()`"
            )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all iterations that have not ended, and cancel their requests.

        An iteration in which another task waits for a page ends when that page arrives.

        Example:
            >>> rooms = client.rooms.list()
            >>> async for room in rooms:
            ...     break
            >>> await rooms.aclose()
        """
        for generator, reader in tuple(self._iterations.items()):
            await reader.aclose()
            with suppress(RuntimeError):  # the generator is running in another task
                await generator.aclose()

    def __aiter__(self) -> AsyncGenerator[Item, None]:  # noqa: PYI058 - callers close the generator
        return self._iterate(self._items, start=1)

    async def _items(self, reader: "_PageReader[Item]") -> AsyncGenerator[Item, None]:
        async with aclosing(reader):
            while (page := await reader.read()) is not None:
                # A loop that ends at the first item costs no request for the next page.
                for item in page.data[:1]:
                    yield item
                await reader.request_ahead()
                for item in page.data[1:]:
                    yield item

    def pages(self, start: int = 1) -> AsyncGenerator[Page[Item], None]:
        """Yield pages, from page `start` on: one request each.

        Raises:
            InvalidArgumentError: `start` is below 1.
            PaginationError: the server's pages do not add up.

        Example:
            >>> [len(page.data) async for page in client.rooms.list(page_size=1).pages()]
            [1, 1]
        """
        return self._iterate(self._pages, start)

    async def _pages(self, reader: "_PageReader[Item]") -> AsyncGenerator[Page[Item], None]:
        async with aclosing(reader):
            while (page := await reader.read()) is not None:
                await reader.request_ahead()
                yield page

    def _iterate(
        self, generate: "Callable[[_PageReader[Item]], AsyncGenerator[T, None]]", start: int
    ) -> AsyncGenerator[T, None]:
        reader = _PageReader(self._api, at(self._first, start), self._prefetch, self._max_items)
        generator = generate(reader)
        self._iterations[generator] = reader
        return generator

    def prefetch(self, pages: int) -> "Listing[Item]":
        """Return the same listing with up to `pages` requests in flight.

        Order and guarantees stay the same. At most `pages` pages are held in memory before they are read.

        Args:
            pages: 1 to 100.

        Raises:
            InvalidArgumentError: `pages` is out of range.

        Example:
            >>> len([room async for room in client.rooms.list().prefetch(pages=8)])
            2
        """
        pages = cast("int", exact_integer(pages))
        if type(pages) is not int or not 1 <= pages <= _MAX_PREFETCH:
            raise InvalidArgumentError((f"pages must be from 1 to {_MAX_PREFETCH}, not {short_repr(pages)}",))
        return Listing(self._api, self._first, pages, self._max_items)

    def limit(self, items: int) -> "Listing[Item]":
        """Return the same listing, which ends after a number of items. A small number requests small pages.

        Raises:
            InvalidArgumentError: `items` is below 1.

        Example:
            >>> len([room async for room in client.rooms.list().limit(1)])
            1
        """
        items = checked_count("items", items)
        if self._max_items is not None:
            items = min(items, self._max_items)
        size = min(items, page_size(self._first))
        return Listing(self._api, at(self._first, 1, size), self._prefetch, items)

    async def first(self) -> Item | None:
        """Return the first item, or None if there is none: one small request.

        Example:
            >>> (await client.rooms.list(unique_name="Weekly").first()).unique_name
            'Weekly'
        """
        async with aclosing(aiter(self.limit(1))) as items:
            return await anext(items, None)

    async def all(self, limit: int | None = None) -> list[Item]:
        """Return all items, or at most `limit`.

        Raises:
            InvalidArgumentError: `limit` is below 1.
            PaginationError: the server's pages do not add up.

        Example:
            >>> [room.unique_name for room in await client.rooms.list().all()]
            ['Daily', 'Weekly']
        """
        return [item async for item in (self if limit is None else self.limit(limit))]

    async def page(self, number: int, size: int | None = None) -> Page[Item]:
        """Return one page: one request.

        Args:
            number: the first page is 1; a page beyond the last is empty.
            size: 1 to 250 items; by default the page size of the listing.

        Raises:
            InvalidArgumentError: the number or the size is out of range.

        Example:
            >>> page = await client.rooms.list().page(1, size=1)
            >>> page.meta.total_results, page.meta.total_pages
            (2, 2)
        """
        return await self._api.call(at(self._first, number, size))

    async def count(self) -> int:
        """Return the number of items that the server states: one small request.

        Raises:
            APIResponseValidationError: the server does not state it.

        Example:
            >>> await client.rooms.list().count()
            2
        """
        total = (await self.page(1, size=1)).meta.total_results
        if total is None:
            problem = "$.meta.total_results: missing"
            raise APIResponseValidationError(problem, problems=(problem,))
        return total

    async def snapshot(self) -> list[Item]:
        """Return all items of one moment, even if the list changes meanwhile.

        Reads the list, at least 8 pages at a time, until two passes in a row find the same ids: two passes
        if nothing changes.

        Raises:
            PaginationError: the list changed during six passes.

        Example:
            >>> rooms = await client.rooms.list().snapshot()
        """
        listing = self.prefetch(max(self._prefetch, _SNAPSHOT_PREFETCH))
        last_ids: set[str] | None = None
        for _ in range(_SNAPSHOT_PASSES):
            items: list[Item] = []
            ids: set[str] = set()
            try:
                async for item in listing:
                    ids.add(item.id)
                    if last_ids is not None:  # a list may be large: of the first pass only ids are kept
                        items.append(item)
            except PaginationError:  # the list changes too fast for this pass
                last_ids = None
                continue
            if ids == last_ids:
                return items
            last_ids = ids
        raise PaginationError(len(last_ids or ()), is_changing=True)


class _PageReader(Generic[Item]):
    """Reads pages in the order of a `Scan`, with requests for the following pages in flight.

    Up to `prefetch` pages are in flight. When the scan goes back to an earlier page, it is one page, and
    twice as many after each page that follows the one before.
    """

    def __init__(self, api: ApiSession, call: Call[Page[Item]], prefetch: int, max_items: int | None) -> None:
        self._api = api
        self._items_left = max_items
        self._call = call
        self._scan = Scan(size=page_size(call), start=page_number(call))
        self._prefetch = self._window = prefetch
        self._requests: dict[int, asyncio.Task[Page[Item]]] = {}
        self._is_closed = False

    async def read(self) -> Page[Item] | None:
        """Return the next page without the items of earlier pages, or None after the last page."""
        while (number := self._scan.number) is not None and not self._is_closed and self._items_left != 0:
            if self._requests or self._window > 1:
                await self.request_ahead()
            try:
                page = await (self._requests.pop(number, None) or self._request(number))
            except ResponseTooLargeError:  # rooms with many sessions, for example
                if not self._scan.use_smaller_pages():
                    raise
                await self._start_over()
                continue
            if self._is_closed:
                break
            new_items = self._scan.read(page)
            if self._scan.number == number + 1:
                self._window = min(self._prefetch, 2 * self._window)
            else:  # the pages that were requested ahead are older than the one to read next
                await self._start_over()
            if self._items_left is not None:
                new_items = new_items[: self._items_left]
                self._items_left -= len(new_items)
            return page if len(new_items) == len(page.data) else evolve(page, data=new_items)
        return None

    async def request_ahead(self) -> None:
        """Request the next page, and the pages after it up to the window and the last page."""
        if (number := self._scan.number) is None or self._is_closed or self._items_left == 0:
            return
        running_loop()  # raises before there is a coroutine that is never awaited
        window = self._window
        if self._items_left is not None:
            window = min(window, -(-self._items_left // self._scan.size))
        last = max(number, min(number + window - 1, self._scan.last_number or 0))
        for ahead in range(number, last + 1):
            if ahead not in self._requests:
                self._requests[ahead] = asyncio.create_task(self._request(ahead))
        # Send the requests now: the loop body of the caller may not await anything.
        await asyncio.sleep(0)

    async def _request(self, number: int) -> Page[Item]:
        return await self._api.call(at(self._call, number, self._scan.size))

    async def aclose(self) -> None:
        """End the reading, and cancel the requests that were made ahead."""
        self._is_closed = True
        await self._cancel_requests()

    async def _start_over(self) -> None:
        self._window = 1
        await self._cancel_requests()

    async def _cancel_requests(self) -> None:
        requests = tuple(self._requests.values())
        self._requests.clear()
        for request in requests:
            request.cancel()
        if requests:
            await asyncio.gather(*requests, return_exceptions=True)
