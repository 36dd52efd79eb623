"""Where items come from: plain iterables and asynchronous ones, read in one way."""

import asyncio
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from collections.abc import Set as AbstractSet
from typing import Any, Generic, TypeVar, cast

from attrs import define, field

from telnyx_rooms_async.batch.outcomes import CancelledWithinError, Done, Failed, Outcome, stopped
from telnyx_rooms_async.errors import NO_EVENT_LOOP, WrongEventLoopError

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


Value = TypeVar("Value")


@define(kw_only=True, eq=False, repr=False)
class Job(Generic[Item, Value]):
    """What is in flight and what has finished. One task takes the items; calls report when they land."""

    fn: Callable[[Item], Awaitable[Value]]
    source: AsyncIterator[Item]
    limit: int
    is_ordered: bool
    max_failures: int | None
    feeder: asyncio.Task[None] | None = field(init=False, default=None)
    flying: dict[asyncio.Task[Value], tuple[int, Item, float]] = field(init=False, factory=dict[Any, Any])
    early: dict[int, Outcome[Item, Value]] = field(init=False, factory=dict[int, Any])
    """Finished before their turn."""
    ready: deque[Outcome[Item, Value]] = field(init=False, factory=deque[Any])
    """To be yielded next."""
    begun: int = field(init=False, default=0)
    due: int = field(init=False, default=0)
    """The index whose turn it is, when order is kept."""
    errors: list[Exception] = field(init=False, factory=list[Exception])
    """Those that are counted."""
    verdict: BaseException | None = field(init=False, default=None)
    """What is raised at the end."""
    is_fed: bool = field(init=False, default=False)
    is_stopping: bool = field(init=False, default=False)
    """Nothing new begins."""
    room: asyncio.Event = field(init=False, factory=asyncio.Event)
    news: asyncio.Event = field(init=False, factory=asyncio.Event)

    @property
    def is_over(self) -> bool:
        """Whether nothing is to come any more."""
        if not isinstance(self.verdict, Exception | None):
            return True  # somebody pressed Ctrl-C
        return self.is_fed and not self.flying and not self.ready

    @property
    def _is_full(self) -> bool:
        known = len(self.flying) + len(self.early) + len(self.ready)
        return len(self.flying) >= self.limit or known >= 2 * self.limit

    def start(self) -> None:
        """Begin to take items.

        Raises:
            WrongEventLoopError: no asyncio event loop is running.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise WrongEventLoopError(NO_EVENT_LOOP) from None
        self.feeder = asyncio.create_task(self._feed())
        self.feeder.add_done_callback(self._fed)

    def take(self) -> Outcome[Item, Value]:
        """Give the next outcome away."""
        outcome = self.ready.popleft()
        self.room.set()
        return outcome

    def give_verdict(self) -> BaseException:
        """Give away what ends it: kept here, it would lead to itself through its traceback."""
        if self.verdict is None:
            return stopped(self.errors, self.max_failures)
        verdict, self.verdict = self.verdict, None
        return verdict

    async def close(self) -> None:
        """End what is in flight, and wait until it has ended."""
        self.is_stopping = True
        tasks: set[asyncio.Task[Any]] = {*self.flying}
        if self.feeder is not None:
            tasks.add(self.feeder)
        # A call that closes its own batch cannot be waited for here.
        await _end(tasks - {asyncio.current_task()})

    async def _feed(self) -> None:
        """Begin calls while there is room. A source is pulled and closed in this one task."""
        try:
            async for item in self.source:
                if self.is_stopping:  # a source may take no notice of a cancellation
                    return
                self._begin(item)
                while self._is_full:
                    self.room.clear()
                    await self.room.wait()
        finally:
            await close_source(self.source)

    def _fed(self, feeder: asyncio.Task[None]) -> None:
        self.is_fed = True
        self.news.set()
        error: BaseException | None
        if feeder.cancelled():
            error = CancelledWithinError("the source of the items was cancelled")
        else:
            error = feeder.exception()
        if not self.is_stopping:
            self.verdict = self.verdict or error
        elif error is not None and not feeder.cancelled():
            told = {"message": "the source of a batch failed when it was closed", "exception": error}
            feeder.get_loop().call_exception_handler(told)

    def _begin(self, item: Item) -> None:
        task = asyncio.create_task(_call(self.fn, item))
        self.flying[task] = self.begun, item, task.get_loop().time()
        self.begun += 1
        task.add_done_callback(self._land)

    def _land(self, task: asyncio.Task[Value]) -> None:
        index, item, since = self.flying.pop(task)
        error = CancelledWithinError("the call was cancelled") if task.cancelled() else task.exception()
        elapsed = task.get_loop().time() - since
        if error is None:
            self._release(Done(index=index, item=item, value=task.result(), elapsed=elapsed))
        elif isinstance(error, Exception):
            self._release(Failed(index=index, item=item, error=error, elapsed=elapsed))
            self._count(error)
        else:
            self.verdict = error
        self.room.set()
        self.news.set()

    def _release(self, outcome: Outcome[Item, Value]) -> None:
        if not self.is_ordered:
            self.ready.append(outcome)
            return
        self.early[outcome.index] = outcome
        while self.due in self.early:
            self.ready.append(self.early.pop(self.due))
            self.due += 1

    def _count(self, error: Exception) -> None:
        if self.max_failures is None:
            return
        self.errors.append(error)
        if len(self.errors) == self.max_failures:
            self._stop()

    def _stop(self) -> None:
        self.is_stopping = True
        if self.feeder is not None:
            self.feeder.cancel()


async def _call(fn: Callable[[Item], Awaitable[Value]], item: Item) -> Value:
    """Call within the task: what `fn` raises before it returns anything is a failure like any other."""
    return await fn(item)


async def _end(tasks: AbstractSet[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until all have ended, also when this wait is cancelled in its turn."""
    cancelled: asyncio.CancelledError | None = None
    for task in tasks:
        task.cancel()
    while pending := {task for task in tasks if not task.done()}:
        try:
            await asyncio.wait(pending)
        except asyncio.CancelledError as error:
            cancelled = error
            for task in pending:
                task.cancel()
    if cancelled is not None:
        try:
            raise cancelled
        finally:
            del cancelled  # its traceback leads here
