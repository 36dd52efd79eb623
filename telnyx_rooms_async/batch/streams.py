"""Concurrent calls of one async function with bounded memory, and their outcomes. Independent of Telnyx."""

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
from functools import partial
from typing import Any, ClassVar, Generic, Literal, NoReturn, TypeAlias, TypeVar, cast, final

from attrs import evolve, frozen

from telnyx_rooms_async.errors import NO_EVENT_LOOP, WrongEventLoopError
from telnyx_rooms_async.shield import wait_until_done

Item = TypeVar("Item")
Value = TypeVar("Value")
Item_co = TypeVar("Item_co", covariant=True)
Value_co = TypeVar("Value_co", covariant=True)


@final
@frozen(kw_only=True)
class Done(Generic[Item_co, Value_co]):
    """Outcome of a call that returned a value.

    Example:
        >>> async for outcome in batch.stream(client.rooms.retrieve, [room_id]):
        ...     print(outcome.index, outcome.value.unique_name)
        0 Weekly
    """

    index: int
    """Position among the items, counted from 0."""
    item: Item_co
    """The item."""
    value: Value_co
    """What the call returned."""
    elapsed: float
    """Duration of the call in seconds."""

    ok: ClassVar[Literal[True]] = True
    """True: the call returned."""
    error: ClassVar[None] = None
    """None: nothing was raised."""

    def unwrap(self) -> Value_co:
        """Return the value."""
        return self.value


@final
@frozen(kw_only=True)
class Failed(Generic[Item_co]):
    """Outcome of a call that raised an exception.

    Example:
        >>> async for outcome in batch.stream(client.rooms.retrieve, ["unknown"]):
        ...     print(outcome.index, outcome.item, type(outcome.error).__name__)
        0 unknown NotFoundError
    """

    index: int
    """Position among the items, counted from 0."""
    item: Item_co
    """The item."""
    error: Exception
    """What the call raised."""
    elapsed: float
    """Duration of the call in seconds."""

    ok: ClassVar[Literal[False]] = False
    """False: the call raised."""

    def unwrap(self) -> NoReturn:
        """Raise the error."""
        raise self.error


Outcome: TypeAlias = Done[Item_co, Value_co] | Failed[Item_co]
"""A union, so that a type checker reports code that ignores the error."""


class CancelledWithinError(RuntimeError):
    """A call, or the source of the items, was cancelled, but the batch was not.

    Example:
        >>> async def cancelled(number):
        ...     raise asyncio.CancelledError
        >>> async for outcome in batch.stream(cancelled, [1]):
        ...     print(type(outcome.error).__name__)
        CancelledWithinError
    """


def stream(
    fn: Callable[[Item], Awaitable[Value]],
    items: Iterable[Item] | AsyncIterable[Item],
    *,
    concurrency: int = 32,
    ordered: bool = False,
    max_failures: int | None = None,
) -> AsyncGenerator[Outcome[Item, Value], None]:
    """Call `fn` with every item, several at a time, and yield the outcomes.

    An item is read from its source when its call can start. At most twice `concurrency` items are in memory,
    in flight or finished and not yet yielded, so a slow consumer slows the source down. Each call runs in a
    task of its own.

    When the generator is closed or its consumer is cancelled, the running calls are cancelled and awaited,
    and the source is closed if it is a generator. After a ``break`` the event loop closes the generator a
    moment later; ``async with aclosing(batch.stream(...)) as outcomes`` closes it at once.

    Args:
        fn: async function of one item.
        items: iterable or async iterable; an object that is both is used as an async iterable.
        concurrency: maximum number of calls in flight.
        ordered: yield outcomes in the order of the items instead of as calls finish. A slow call then
            delays the outcomes of later items.
        max_failures: number of failures after which no further call starts. Calls in flight still finish
            and are yielded.

    Raises:
        ValueError: at the call, if `concurrency` or `max_failures` is not a whole number of at least 1.
        TypeError: at the call, if `items` is not iterable.
        ExceptionGroup: after the last outcome, if there were `max_failures` failures; contains their errors.
        Exception: after the last outcome, if `items` raised it.

    Example:
        >>> async for outcome in batch.stream(client.rooms.retrieve, [room_id], concurrency=64):
        ...     match outcome:
        ...         case batch.Done(value=room):
        ...             print(room.unique_name)
        ...         case batch.Failed(item=room_id, error=error):
        ...             print(room_id, error)
        Weekly
    """
    _check_count("concurrency", concurrency)
    if max_failures is not None:
        _check_count("max_failures", max_failures)
    runner = _Runner(fn, iterate(items), concurrency, ordered=ordered, max_failures=max_failures)
    return runner.outcomes()


def _check_count(name: str, number: object) -> None:
    if type(number) is not int or number < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, not {number!r}")


def iterate(items: Iterable[Item] | AsyncIterable[Item]) -> AsyncGenerator[Item, None]:
    """Return an async generator of the items, which closes its source if that is a generator.

    An object that is an iterable and an async iterable is used as the latter, as the former could block.
    """
    if not isinstance(items, AsyncIterable):
        return _iterate(iter(items))
    source = aiter(items)
    if isinstance(source, AsyncGenerator):
        return cast("AsyncGenerator[Item, None]", source)
    return _iterate_async(source)


async def _iterate(source: Iterator[Item]) -> AsyncGenerator[Item, None]:
    try:
        for item in source:
            yield item
    finally:
        if isinstance(source, Generator):
            source.close()


async def _iterate_async(source: AsyncIterator[Item]) -> AsyncGenerator[Item, None]:
    async for item in source:
        yield item


class _Runner(Generic[Item, Value]):
    """Reads the items and runs the calls in a task group, and yields the outcomes."""

    def __init__(
        self,
        fn: Callable[[Item], Awaitable[Value]],
        source: AsyncGenerator[Item, None],
        concurrency: int,
        *,
        ordered: bool,
        max_failures: int | None,
    ) -> None:
        self._fn, self._source = fn, source
        self._ordered, self._max_failures = ordered, max_failures
        self._slots = asyncio.Semaphore(concurrency)
        """Free places for calls."""
        self._capacity = asyncio.Semaphore(2 * concurrency)
        """Free places for items, released when an outcome is yielded: this bounds `_finished`."""
        self._finished: asyncio.Queue[Outcome[Item, Value] | None] = asyncio.Queue()
        """Outcomes to be yielded; `None` is the last entry."""
        self._out_of_order: dict[int, Outcome[Item, Value]] = {}
        self._next_index = 0
        self._failures: list[Exception] = []
        self._error: BaseException | None = None
        """Raised after the last outcome."""
        self._is_stopping = False
        self._reader: asyncio.Task[None]
        self._tasks: set[asyncio.Task[Any] | None] = set()

    async def outcomes(self) -> AsyncGenerator[Outcome[Item, Value], None]:
        """Yield the outcomes; the end of this generator is the end of the batch."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise WrongEventLoopError(NO_EVENT_LOOP) from None
        task = loop.create_task(self._run())
        task.add_done_callback(self._on_end)
        try:
            while (outcome := await self._finished.get()) is not None:
                self._capacity.release()
                yield outcome
            if self._error is not None:
                raise self._error
        finally:
            self._error = None  # its traceback refers to this frame
            self._is_stopping = True
            task.cancel()
            if asyncio.current_task() not in self._tasks:  # a call that closes its own batch cannot wait
                await wait_until_done(task)

    async def _run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                self._reader = group.create_task(self._read(group))
                self._tasks.add(self._reader)
        except asyncio.CancelledError:
            raise
        except BaseExceptionGroup as errors:  # of exceptions that are no `Exception`
            self._error = errors.exceptions[0]
        except BaseException as error:  # noqa: BLE001 - KeyboardInterrupt or SystemExit: the consumer raises it
            self._error = error

    def _on_end(self, task: asyncio.Task[None]) -> None:
        """Finish the queue. A callback: a task that is cancelled early never runs `_run`."""
        if task.cancelled() and not self._is_stopping:
            self._error = CancelledWithinError("the batch was cancelled")
        elif self._error is None and self._max_failures and len(self._failures) >= self._max_failures:
            self._error = failure_limit_reached(self._failures, self._max_failures)
        self._finished.put_nowait(None)

    async def _read(self, group: asyncio.TaskGroup) -> None:
        """Start a call for every item. The source is read and closed in this task only."""
        index = 0
        try:
            async with aclosing(self._source) as items:
                await self._wait_for_capacity()
                async for item in items:
                    if self._is_stopping:  # a source may suppress its cancellation
                        return
                    call = group.create_task(_outcome_of(self._fn, index, item))
                    self._tasks.add(call)
                    call.add_done_callback(partial(self._on_finished, index, item))
                    index += 1
                    await self._wait_for_capacity()
        except asyncio.CancelledError:
            if not self._is_stopping:
                self._error = CancelledWithinError("the source of the items was cancelled")
        except Exception as error:  # noqa: BLE001 - the source is foreign code; the consumer raises it
            if self._is_stopping:
                message = "the source of a batch failed when it was closed"
                context = {"message": message, "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)
            else:
                self._error = error

    async def _wait_for_capacity(self) -> None:
        await self._slots.acquire()
        await self._capacity.acquire()

    def _on_finished(self, index: int, item: Item, call: asyncio.Task[Outcome[Item, Value]]) -> None:
        self._tasks.discard(call)
        self._slots.release()
        if call.cancelled():
            error = CancelledWithinError("the call was cancelled before it started")
            outcome: Outcome[Item, Value] = Failed(index=index, item=item, error=error, elapsed=0.0)
        elif call.exception() is not None:  # it ends the task group
            return
        else:
            outcome = call.result()
        if self._max_failures is not None and isinstance(outcome, Failed):
            self._failures.append(outcome.error)
            if len(self._failures) == self._max_failures:
                self._is_stopping = True  # no further call starts
                self._reader.cancel()
        if not self._ordered:
            self._finished.put_nowait(outcome)
            return
        self._out_of_order[index] = outcome
        while self._next_index in self._out_of_order:
            self._finished.put_nowait(self._out_of_order.pop(self._next_index))
            self._next_index += 1


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


def relabel(outcome: Outcome[object, Value], index: int, item: Item) -> Outcome[Item, Value]:
    """Return an outcome with another index and item."""
    return cast("Outcome[Item, Value]", evolve(cast("Any", outcome), index=index, item=item))


def failure_limit_reached(errors: list[Exception], max_failures: int | None) -> ExceptionGroup:
    """Return the exception of a batch that was stopped by `max_failures` failures."""
    failures = "1 failure" if max_failures == 1 else f"{max_failures} failures"
    return ExceptionGroup(f"stopped after {failures}", errors)
