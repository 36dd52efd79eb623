"""The same call for many items, and a journal of it where one is asked for."""

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from typing import Generic, TypeVar

from attrs import frozen

from telnyx_rooms_async import batch
from telnyx_rooms_async.core.errors import InvalidArgumentError
from telnyx_rooms_async.core.rules import show
from telnyx_rooms_async.journal import Journal

Item = TypeVar("Item")
Value = TypeVar("Value")


@frozen(kw_only=True, eq=False, repr=False)
class Many(Generic[Item, Value]):
    """What is done to each of many items."""

    name: str
    """The kind of job, as it stands in a journal: ``"create_many"``."""
    act: Callable[[Item, float | None], Awaitable[Value]]
    """Does it. The number is given when it may have been done already: no earlier than that moment, in
    seconds since the epoch."""
    now: Callable[[], float]
    """Seconds since the epoch."""

    def run(
        self,
        items: Iterable[Item] | AsyncIterable[Item],
        *,
        limit: int,
        ordered: bool = False,
        stop_after: int | None = None,
        journal: Journal | None = None,
    ) -> AsyncGenerator[batch.Outcome[Item, Value], None]:
        """Do it to all, at most `limit` at once.

        Raises:
            InvalidArgumentError: an option or the items cannot be so.
        """
        check_items(items)
        try:
            if journal is None:
                return batch.stream(self._once, items, limit=limit, ordered=ordered, stop_after=stop_after)
            from telnyx_rooms_async.journaled import Journaled  # noqa: PLC0415 - few jobs have a journal

            job = Journaled(journal, self.name, self.act, items)
            entries = job.entries()
            outcomes = batch.stream(job.once, entries, limit=limit, ordered=ordered, stop_after=stop_after)
            return job.run(outcomes, self.now)
        except ValueError as error:
            raise InvalidArgumentError((str(error),)) from None

    async def _once(self, item: Item) -> Value:
        return await self.act(item, None)


def check_items(items: object) -> None:
    """Refuse what are no items; a text is one item at most.

    Raises:
        InvalidArgumentError: they are none.
    """
    if isinstance(items, str | bytes) or not isinstance(items, Iterable | AsyncIterable):
        raise InvalidArgumentError((f"the items must be an iterable of them, not {show(items)}",))
