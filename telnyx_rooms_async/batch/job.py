"""Jobs: what the bulk methods return, to be iterated or awaited."""

import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from inspect import isawaitable
from types import TracebackType
from typing import Any, Generic, TypeAlias, TypeVar

from attrs import frozen

from telnyx_rooms_async.batch.outcomes import Done, Failed, Outcome

Item = TypeVar("Item")
Value = TypeVar("Value")

BatchProgress: TypeAlias = Callable[[int, int], Awaitable[object] | object]
"""Called after each item with the numbers of items that are done and that failed. It may be async."""


@frozen(kw_only=True)
class BatchResult(Generic[Item, Value]):
    """The outcomes of a job that was awaited."""

    done: tuple[Done[Item, Value], ...]
    failed: tuple[Failed[Item], ...]
    skipped: int = 0
    """Items that an earlier run of the job had finished, according to its journal."""

    def raise_for_failures(self) -> None:
        """Raise an `ExceptionGroup` of the errors, if an item failed."""
        if self.failed:
            count = len(self.failed) + len(self.done)
            raise ExceptionGroup(
                f"{len(self.failed)} of {count} items failed", [failed.error for failed in self.failed]
            )


class BatchJob(AsyncGenerator[Outcome[Item, Value], None], Generic[Item, Value]):
    """A job that starts when it is iterated or awaited. A job that is neither warns when it is dropped.

    Iterating yields an outcome for each item, in constant memory. Awaiting returns all of them.

    Example:
        >>> async for outcome in client.rooms.delete_many(ids):
        ...     print(outcome.item, outcome.ok)
        >>> result = await client.rooms.delete_many(ids)
        >>> result.raise_for_failures()
    """

    def __init__(
        self,
        name: str,
        outcomes: AsyncGenerator[Outcome[Item, Value], None],
        skipped: Callable[[], int] = int,
        progress: BatchProgress | None = None,
    ) -> None:
        self._name = name
        self._outcomes = outcomes
        self._skipped = skipped
        self._progress = progress
        self._is_started = False
        self._done = self._failed = 0

    async def asend(self, value: None, /) -> Outcome[Item, Value]:
        """Return the next outcome, as ``anext(job)`` does."""
        self._is_started = True
        outcome = await self._outcomes.asend(value)
        if self._progress is not None:
            self._done += outcome.ok
            self._failed += not outcome.ok
            result = self._progress(self._done, self._failed)
            if isawaitable(result):
                await result
        return outcome

    async def athrow(
        self,
        typ: Any,  # noqa: ANN401 - as `AsyncGenerator` has it
        val: BaseException | object = None,
        tb: TracebackType | None = None,
        /,
    ) -> Outcome[Item, Value]:
        """Raise an exception in the job, and end it."""
        self._is_started = True
        return await self._outcomes.athrow(typ, val, tb)

    async def aclose(self) -> None:
        """End the job: running calls are cancelled."""
        self._is_started = True
        await self._outcomes.aclose()

    def __await__(self) -> Generator[Any, None, BatchResult[Item, Value]]:
        return self._collect().__await__()

    async def _collect(self) -> BatchResult[Item, Value]:
        done: list[Done[Item, Value]] = []
        failed: list[Failed[Item]] = []
        async for outcome in self:
            if isinstance(outcome, Done):
                done.append(outcome)
            else:
                failed.append(outcome)
        return BatchResult(done=tuple(done), failed=tuple(failed), skipped=self._skipped())

    def __del__(self) -> None:
        if not self._is_started:
            warnings.warn(
                f"{self._name} was never started: iterate over it with `async for`, or await it",
                RuntimeWarning,
                stacklevel=2,
                source=self,
            )
