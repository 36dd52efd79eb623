"""On a worker: a plugin with the client that all partitions of a job share, and the task of a partition."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, cast

from attrs import define, field, frozen
from distributed import get_worker
from distributed import secede as _secede
from distributed.diagnostics.plugin import WorkerPlugin

from telnyx_rooms_async.batch import Outcome, stream
from telnyx_rooms_async.client import RoomsClient
from telnyx_rooms_async.integrations.dask.operations import DaskOperation
from telnyx_rooms_async.settings import Settings

Item = TypeVar("Item")
Value = TypeVar("Value")
PartitionOutcomes: TypeAlias = list[Outcome[int, Value]]
"""Outcomes of a partition. Instead of the items, which the coordinator has, they hold their positions."""


class Scheduler(Protocol):
    """The part of a connection to Dask's scheduler that is used here."""

    async def get_metadata(self, *, keys: Sequence[str], default: float | None) -> float | None:
        """Return a recorded value."""

    async def set_metadata(self, *, keys: Sequence[str], value: float) -> None:
        """Record a value. Under the key of a task, it is deleted with the task."""


class Worker(Protocol):
    """The part of `distributed.Worker` that is used here."""

    plugins: Mapping[str, object]
    scheduler: Scheduler


@frozen(kw_only=True)
class Partition(Generic[Item]):
    """Consecutive items, the input of one task. Dask may log its repr."""

    key: str
    """Name of the task."""
    start: int
    """Index of the first item."""
    items: tuple[Item, ...] = field(repr=False)


@define(kw_only=True, eq=False, slots=False)
class JobPlugin(WorkerPlugin, Generic[Item, Value]):
    """State of a job on one worker: its client, and its running partitions."""

    settings: Settings
    operation: DaskOperation[Item, Value]
    limit: int
    max_failures: int | None
    _client: RoomsClient | None = field(default=None, init=False)
    _loop: asyncio.AbstractEventLoop = field(init=False)
    _semaphore: asyncio.Semaphore = field(init=False)
    _running: set[asyncio.Task[Any]] = field(factory=set[Any], init=False)

    def setup(self, worker: object) -> None:  # noqa: ARG002 - Dask passes it by name
        """Start on a worker, in its event loop."""
        self._loop, self._semaphore = asyncio.get_running_loop(), asyncio.Semaphore(self.limit)

    async def teardown(self, worker: object) -> None:  # noqa: ARG002 - Dask passes it by name
        """Cancel the running partitions and close the client, when the job or the worker ends."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)
        if self._client is not None:
            await self._client.close()

    def run(self, partition: Partition[Item], worker: Worker) -> PartitionOutcomes[Value] | None:
        """Run a partition and wait for it, in a thread of the worker. Returns None if it was cancelled.

        The thread is released as soon as the call of the last item has started. Dask then starts the next
        partition, so that the worker always has enough calls in flight.
        """
        may_release = threading.Event()
        future = asyncio.run_coroutine_threadsafe(self._run(partition, worker, may_release.set), self._loop)
        future.add_done_callback(lambda _: may_release.set())
        may_release.wait()
        if not future.done():
            cast("Callable[[], None]", _secede)()
        try:
            return future.result()
        except CancelledError:
            return None

    async def _run(
        self, partition: Partition[Item], worker: Worker, on_all_started: Callable[[], None]
    ) -> PartitionOutcomes[Value]:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker
        self._running.add(task)
        try:
            if self._client is None:
                self._client = RoomsClient.from_settings(self.settings)
            operation = self.operation.bind(self._client)
            since = await _earlier_start(partition.key, operation.api.server_now(), worker)

            async def apply(item: Item) -> Value:
                return await operation.apply(item, since)

            return await self._apply_to_all(partition.items, apply, on_all_started)
        finally:
            self._running.discard(task)

    async def _apply_to_all(
        self,
        items: Sequence[Item],
        apply: Callable[[Item], Awaitable[Value]],
        on_all_started: Callable[[], None],
    ) -> PartitionOutcomes[Value]:
        started, outcomes = 0, list[Outcome[int, Value]]()

        async def apply_at(position: int) -> Value:
            nonlocal started
            async with self._semaphore:
                started += 1
                if started == len(items):
                    on_all_started()
                return await apply(items[position])

        # The coordinator counts the failures of all partitions and stops the job.
        with suppress(ExceptionGroup):
            async for outcome in stream(
                apply_at, range(len(items)), limit=self.limit, max_failures=self.max_failures
            ):
                outcomes.append(outcome)
        return outcomes


def run_partition(plugin_name: str, partition: Partition[Any]) -> PartitionOutcomes[Any] | None:
    """Run a partition on this worker: the function of each Dask task. Returns None if the job has ended."""
    worker = cast("Worker", get_worker())
    plugin = cast("JobPlugin[Any, Any] | None", worker.plugins.get(plugin_name))
    return plugin.run(partition, worker) if plugin else None


async def _earlier_start(key: str, now: float, worker: Worker) -> float | None:
    """Return when a worker that died started this partition; if none did, record that it starts now.

    The scheduler keeps the record until it forgets the task.
    """
    since = await worker.scheduler.get_metadata(keys=[key], default=None)
    if since is None:
        await worker.scheduler.set_metadata(keys=[key], value=now)
    return since
