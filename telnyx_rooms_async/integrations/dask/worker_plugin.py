"""On a worker: a plugin with the client that all partitions of a job share, and the task of a partition."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any, Generic, TypeVar, cast

from attrs import define, field, frozen
from distributed import get_worker
from distributed import secede as _secede
from distributed.diagnostics.plugin import WorkerPlugin

from telnyx_rooms_async.batch import Outcome, stream
from telnyx_rooms_async.batch.operations import BulkOperation
from telnyx_rooms_async.client import RoomsClient
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.settings import Settings

Item = TypeVar("Item")
Value = TypeVar("Value")


@frozen
class Partition(Generic[Item]):
    """Consecutive items, the input of one task. Dask may log its repr."""

    key: str
    """Name of the task."""
    start: int
    """Index of the first item."""
    items: tuple[Item, ...] = field(repr=False)


@define(eq=False, slots=False)
class JobPlugin(WorkerPlugin, Generic[Item, Value]):
    """State of a job on one worker: its client, and its running partitions."""

    settings: Settings
    factory: Callable[[ApiSession], BulkOperation[Item, Value]]
    concurrency: int
    max_failures: int | None
    _worker: Any = field(init=False)
    """A `distributed.Worker`, whose types are incomplete."""
    _client: RoomsClient | None = field(default=None, init=False)
    _loop: asyncio.AbstractEventLoop = field(init=False)
    _semaphore: asyncio.Semaphore = field(init=False)
    _running: set[asyncio.Task[Any]] = field(factory=set[Any], init=False)

    def setup(self, worker: object) -> None:
        """Start on a worker, in its event loop."""
        self._worker, self._loop = worker, asyncio.get_running_loop()
        self._semaphore = asyncio.Semaphore(self.concurrency)

    async def teardown(self, worker: object) -> None:  # noqa: ARG002 - Dask passes it by name
        """Cancel the running partitions and close the client, when the job or the worker ends."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)
        if self._client is not None:
            await self._client.close()

    def run(self, partition: Partition[Item]) -> list[Outcome[int, Value]] | None:
        """Run a partition and wait for it, in a thread of the worker. Returns None if it was cancelled.

        The thread is released as soon as the call of the last item has started. Dask then starts the next
        partition, so that the worker always has enough calls in flight.
        """
        may_release = threading.Event()
        future = asyncio.run_coroutine_threadsafe(self._run(partition, may_release), self._loop)
        future.add_done_callback(lambda _: may_release.set())
        may_release.wait()
        if not future.done():
            cast("Callable[[], None]", _secede)()
        try:
            return future.result()
        except CancelledError:
            return None

    async def _run(
        self, partition: Partition[Item], all_started: threading.Event
    ) -> list[Outcome[int, Value]]:
        """Return the outcomes of a partition, with positions instead of the items, which the caller has."""
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._running.add(task)
        try:
            if self._client is None:
                self._client = RoomsClient.from_settings(self.settings)
            operation = self.factory(self._client._api)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - of this package
            now, keys = operation.api.server_now(), [partition.key]
            # When a worker that died started this partition. Dask deletes the record with the task.
            since = await self._worker.scheduler.get_metadata(keys=keys, default=None)
            if since is None:
                await self._worker.scheduler.set_metadata(keys=keys, value=now)
            started, outcomes = 0, list[Outcome[int, Value]]()

            async def apply_at(position: int) -> Value:
                nonlocal started
                async with self._semaphore:
                    started += 1
                    if started == len(partition.items):
                        all_started.set()
                    return await operation.apply(partition.items[position], since)

            # The coordinator counts the failures of all partitions and stops the job.
            with suppress(ExceptionGroup):
                positions = range(len(partition.items))
                async for outcome in stream(
                    apply_at, positions, concurrency=self.concurrency, max_failures=self.max_failures
                ):
                    outcomes.append(outcome)
            return outcomes
        finally:
            self._running.discard(task)


def run_partition(plugin_name: str, partition: Partition[Any]) -> list[Outcome[int, Any]] | None:
    """Run a partition on this worker: the function of each Dask task. Returns None if the job has ended."""
    worker = cast("Any", get_worker())
    plugin = cast("JobPlugin[Any, Any] | None", worker.plugins.get(plugin_name))
    return plugin.run(partition) if plugin else None
