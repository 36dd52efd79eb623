"""Where items come from: plain iterables and asynchronous ones, read in one way."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterable, Iterator
from typing import TypeVar, cast

Item = TypeVar("Item")


def source_of(items: Iterable[Item] | AsyncIterable[Item]) -> AsyncIterator[Item]:
    """Return an iterator of the items; what is both kinds is taken as asynchronous, as the other could block.

    Raises:
        TypeError: they are no iterable.
    """
    return aiter(items) if isinstance(items, AsyncIterable) else _by_and_by(iter(items))


async def close_source(source: AsyncIterator[Item]) -> None:
    """Close a generator; other things are their owner's business."""
    given: object = source
    if isinstance(given, AsyncGenerator):
        await cast("AsyncGenerator[Item, None]", given).aclose()


async def _by_and_by(items: Iterator[Item]) -> AsyncGenerator[Item, None]:
    try:
        for item in items:
            yield item
    finally:
        if isinstance(items, Generator):
            items.close()
