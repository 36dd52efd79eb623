"""Concurrent calls of one async function, with bounded memory. Independent of Telnyx."""

import asyncio
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
from contextlib import aclosing
from typing import Any, Generic, TypeVar, cast

from telnyx_rooms_async.batch.outcomes import (
    CancelledWithinError,
    Done,
    Failed,
    Outcome,
    failure_limit_reached,
)
from telnyx_rooms_async.errors import NO_EVENT_LOOP, WrongEventLoopError
from telnyx_rooms_async.shield import wait_until_done

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
    """Call `fn` with every item, several at a time, and yield the outcomes.

    An item is read from its source when its call can start. At most twice `limit` items are in memory, in
    flight or finished and not yet yielded, so a slow consumer slows the source down. Each call runs in a
    task of its own.

    When the generator is closed or its consumer is cancelled, the running calls are cancelled and awaited,
    and the source is closed if it is a generator. After a ``break`` the event loop closes the generator a
    moment later; ``async with aclosing(batch.stream(...)) as outcomes`` closes it at once.

    Args:
        fn: async function of one item.
        items: iterable or async iterable; an object that is both is used as an async iterable.
        limit: maximum number of calls in flight.
        ordered: yield outcomes in the order of the items instead of as calls finish. A slow call then
            delays the outcomes of later items.
        max_failures: number of failures after which no further call starts. Calls in flight still finish
            and are yielded.

    Raises:
        ValueError: at the call, if `limit` or `max_failures` is not a whole number of at least 1.
        TypeError: at the call, if `items` is not iterable.
        ExceptionGroup: after the last outcome, if there were `max_failures` failures; contains their errors.
        Exception: after the last outcome, if `items` raised it.

    Example:
        >>> async for outcome in batch.stream(client.rooms.retrieve, ids, limit=64):
        ...     match outcome:
        ...         case batch.Done(value=room):
        ...             print(room.unique_name)
        ...         case batch.Failed(item=room_id, error=error):
        ...             print(room_id, error)
    """
    for name, number in (("limit", limit), ("max_failures", 1 if max_failures is None else max_failures)):
        if type(number) is not int or number < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, got {number!r}")
    return _outcomes(_Runner(fn, iterate(items), limit, ordered=ordered, max_failures=max_failures))


def iterate(items: Iterable[Item] | AsyncIterable[Item]) -> AsyncGenerator[Item, None]:
    """Return an async generator of the items, which closes its source if that is a generator.

    An object that is an iterable and an async iterable is used as the latter, as the former could block.

    Raises:
        TypeError: `items` is not iterable.
    """
    return _from_async(aiter(items)) if isinstance(items, AsyncIterable) else _from_sync(iter(items))


async def _from_async(items: AsyncIterator[Item]) -> AsyncGenerator[Item, None]:
    try:
        async for item in items:
            yield item
    finally:
        source: object = items
        if isinstance(source, AsyncGenerator):
            await cast("AsyncGenerator[Item, None]", source).aclose()


async def _from_sync(items: Iterator[Item]) -> AsyncGenerator[Item, None]:
    try:
        for item in items:
            yield item
    finally:
        if isinstance(items, Generator):
            items.close()


async def _outcomes(runner: "_Runner[Item, Value]") -> AsyncGenerator[Outcome[Item, Value], None]:
    runner.start()
    try:
        while (outcome := await runner.finished.get()) is not None:
            runner.capacity.release()
            yield outcome
        runner.raise_error()
    finally:
        await runner.close()


class _Runner(Generic[Item, Value]):
    """Task that reads the items and owns the task group of the calls."""

    def __init__(
        self,
        fn: Callable[[Item], Awaitable[Value]],
        source: AsyncGenerator[Item, None],
        limit: int,
        *,
        ordered: bool,
        max_failures: int | None,
    ) -> None:
        self._fn, self._source = fn, source
        self._ordered, self._max_failures = ordered, max_failures
        self._slots = asyncio.Semaphore(limit)
        """Free places for calls."""
        self.capacity = asyncio.Semaphore(2 * limit)
        """Free places for items, released when an outcome is yielded: this bounds `finished`."""
        self.finished: asyncio.Queue[Outcome[Item, Value] | None] = asyncio.Queue()
        """Outcomes to be yielded; `None` is the last entry."""
        self._out_of_order: dict[int, Outcome[Item, Value]] = {}
        self._next_index = 0
        self._errors: list[Exception] = []
        self._final_error: BaseException | None = None
        self._is_stopping = False
        self._task: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[None] | None = None
        self._own_tasks: set[asyncio.Task[Any] | None] = set()

    def start(self) -> None:
        """Start to read the items.

        Raises:
            WrongEventLoopError: no asyncio event loop is running.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise WrongEventLoopError(NO_EVENT_LOOP) from None
        self._task = loop.create_task(self._run())

    def raise_error(self) -> None:
        """Raise the exception that ended the batch, if there is one, and drop the reference to it."""
        error, self._final_error = self._final_error, None
        if error is not None:
            raise error
        if self._max_failures is not None and len(self._errors) >= self._max_failures:
            errors, self._errors = self._errors, []
            raise failure_limit_reached(errors, self._max_failures)

    async def close(self) -> None:
        """Cancel the calls and the source, and wait for their end."""
        self._is_stopping = True
        if self._task is None or self._task.done():
            return
        self._task.cancel()
        if asyncio.current_task() not in self._own_tasks:  # a call that closes its own batch cannot wait
            await wait_until_done(self._task)

    async def _run(self) -> None:
        try:
            async with asyncio.TaskGroup() as calls:
                self._reader = calls.create_task(self._read(calls))
        except asyncio.CancelledError:
            if not self._is_stopping:
                self._final_error = CancelledWithinError("the batch was cancelled")
        except BaseExceptionGroup as group:  # of exceptions that are no `Exception`
            self._final_error = group.exceptions[0]
        except BaseException as error:  # noqa: BLE001 - KeyboardInterrupt or SystemExit: the consumer raises it
            self._final_error = error
        finally:
            self.finished.put_nowait(None)

    async def _read(self, calls: asyncio.TaskGroup) -> None:
        """Start a call for every item. The source is read and closed in this task only."""
        self._own_tasks.add(asyncio.current_task())
        index = 0
        try:
            async with aclosing(self._source) as items:
                await self._wait_for_capacity()
                async for item in items:
                    if self._is_stopping:  # a source may suppress its cancellation
                        return
                    call = calls.create_task(_outcome_of(self._fn, index, item))
                    self._own_tasks.add(call)
                    call.add_done_callback(self._finish)
                    index += 1
                    await self._wait_for_capacity()
        except asyncio.CancelledError:
            if not self._is_stopping:
                self._final_error = CancelledWithinError("the source of the items was cancelled")
        except Exception as error:  # noqa: BLE001 - the source is foreign code; the consumer raises it
            if self._is_stopping:
                message = "the source of a batch failed when it was closed"
                context = {"message": message, "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)
            else:
                self._final_error = error

    async def _wait_for_capacity(self) -> None:
        await self._slots.acquire()
        await self.capacity.acquire()

    def _finish(self, call: asyncio.Task[Outcome[Item, Value]]) -> None:
        self._own_tasks.discard(call)
        self._slots.release()
        if call.cancelled():  # before its first step
            if not self._is_stopping:
                self._final_error = CancelledWithinError("a call was cancelled before it started")
        elif call.exception() is None:  # else it ends the task group
            self._add(call.result())

    def _add(self, outcome: Outcome[Item, Value]) -> None:
        if self._max_failures is not None and isinstance(outcome, Failed):
            self._errors.append(outcome.error)
            if len(self._errors) == self._max_failures:
                self._stop()
        if not self._ordered:
            self.finished.put_nowait(outcome)
            return
        self._out_of_order[outcome.index] = outcome
        while self._next_index in self._out_of_order:
            self.finished.put_nowait(self._out_of_order.pop(self._next_index))
            self._next_index += 1

    def _stop(self) -> None:
        """Start no further call."""
        self._is_stopping = True
        if self._reader is not None:
            self._reader.cancel()


async def _outcome_of(fn: Callable[[Item], Awaitable[Value]], index: int, item: Item) -> Outcome[Item, Value]:
    """Return the outcome of one call. A function: the traceback of an error must not lead to the runner."""
    loop = asyncio.get_running_loop()
    started_at = loop.time()
    try:
        value = await fn(item)
    except asyncio.CancelledError:
        error = CancelledWithinError("the call was cancelled")
        return Failed(index=index, item=item, error=error, elapsed=loop.time() - started_at)
    except Exception as error:  # noqa: BLE001 - whatever the user's function raises is an outcome
        return Failed(index=index, item=item, error=error, elapsed=loop.time() - started_at)
    return Done(index=index, item=item, value=value, elapsed=loop.time() - started_at)
