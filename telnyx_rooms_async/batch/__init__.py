"""Many calls, a few at a time: any async callable over any iterable.

    async for outcome in batch.stream(client.rooms.retrieve, ids, limit=64):
        match outcome:
            case batch.Done(value=room):
                print(room.unique_name)
            case batch.Failed(item=room_id, error=error):
                print(room_id, error)

Nothing here knows of Telnyx.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from typing import TypeVar

from telnyx_rooms_async.batch.outcomes import CancelledWithinError, Done, Failed, Outcome
from telnyx_rooms_async.batch.stream import Job, source_of

__all__ = ["CancelledWithinError", "Done", "Failed", "Outcome", "stream"]

Item = TypeVar("Item")
Value = TypeVar("Value")


def stream(
    fn: Callable[[Item], Awaitable[Value]],
    items: Iterable[Item] | AsyncIterable[Item],
    *,
    limit: int = 32,
    ordered: bool = False,
    max_failures: int | None = None,
) -> AsyncGenerator[Outcome[Item, Value], None]:
    """Call `fn` with every item, and yield what comes of each: as they finish, or in their order.

    An item is taken from its source when its call can begin. At most twice `limit` items are known at
    once, in flight and finished but not yet yielded: memory stays flat, and a slow loop slows the source.
    When the loop is left or cancelled, what is in flight is cancelled and waited for, and a generator
    among the sources is closed. After a ``break`` or an exception in the body the event loop does that a
    moment later; to have it done at once, hold the generator: ``async with aclosing(batch.stream(…)) as
    outcomes``.

    Args:
        fn: called once for each item, each time in a task of its own.
        items: what is both an iterable and an async iterable is taken as the latter.
        limit: how many calls are in flight at most.
        ordered: whether outcomes come in the order of the items. A slow one then holds back those behind.
        max_failures: so many failures end it: nothing new begins, and what is in flight ends and is yielded.

    Raises:
        ValueError: at the call: `limit` or `max_failures` is not a whole number from 1.
        TypeError: at the call: `items` is no iterable.
        ExceptionGroup: while iterating, last of all: there were `max_failures` failures; it holds their errors.
        Exception: likewise: what `items` itself raised.
    """
    for name, number in (("limit", limit), ("max_failures", 1 if max_failures is None else max_failures)):
        if type(number) is not int or number < 1:
            raise ValueError(f"{name} must be a whole number, 1 or more, not {number!r}")
    source = source_of(items)
    job: Job[Item, Value] = Job(
        fn=fn, source=source, limit=limit, is_ordered=ordered, max_failures=max_failures
    )
    return _outcomes(job)


async def _outcomes(job: "Job[Item, Value]") -> AsyncGenerator[Outcome[Item, Value], None]:
    job.start()
    try:
        while not job.is_over:
            while job.ready:
                yield job.take()  # kept by no name here: what the loop has dealt with is gone
            if not job.is_over:
                job.news.clear()
                await job.news.wait()
        if job.verdict is not None or job.is_stopping:
            raise job.give_verdict()
    finally:
        await job.close()
