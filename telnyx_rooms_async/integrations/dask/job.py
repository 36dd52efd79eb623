"""Jobs on a cluster: the caller sends partitions of the items, and a plugin of the workers processes them."""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Mapping
from concurrent.futures import CancelledError
from contextlib import aclosing, asynccontextmanager, suppress
from operator import attrgetter
from secrets import token_hex
from typing import Any, Generic, TypeVar, cast

from attrs import define, evolve, field, frozen
from distributed import Client, KilledWorker, get_worker
from distributed import secede as _secede
from distributed.diagnostics.plugin import WorkerPlugin

from telnyx_rooms_async.batch import BatchJob, Done, Failed, Outcome, stream
from telnyx_rooms_async.batch.operations import BulkOperation, open_items
from telnyx_rooms_async.batch.streams import failure_limit_reached, relabel
from telnyx_rooms_async.client import RoomsClient
from telnyx_rooms_async.core.endpoints import Endpoint
from telnyx_rooms_async.core.validators import checked_count, checked_limit, short_repr
from telnyx_rooms_async.errors import InvalidArgumentError, OutcomeUnknownError
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.settings import Settings, check_share

Item = TypeVar("Item")
Value = TypeVar("Value")

# --- in the process of the caller ------------------------------------------------------------------------


@frozen
class Partition(Generic[Item]):
    """Consecutive items, the input of one task. Dask may log its repr."""

    key: str
    """Name of the task."""
    start: int
    """Index of the first item."""
    items: tuple[Item, ...] = field(repr=False)


@define(eq=False)
class DaskJob(Generic[Item, Value]):
    """A bulk operation on a cluster; its arguments are checked when it is created."""

    verb: str
    """Start of the names of its tasks on the dashboard."""
    endpoint: Endpoint[Any]
    factory: Callable[[ApiSession], BulkOperation[Item, Value]]
    """A function that pickles. A worker calls it with its own session."""
    cluster: Client
    items: Iterable[Item] | AsyncIterable[Item]
    settings: Settings
    partition_size: int = 50
    workers: int | None = None
    concurrency: int = 32
    ordered: bool = False
    max_failures: int | None = None
    _name: str = field(init=False)
    _source: AsyncGenerator[Item, None] = field(init=False)
    _async_cluster: Any = field(init=False)
    """A client in this event loop. Its types are incomplete."""
    _errors: list[Exception] = field(factory=list[Exception], init=False)
    """Errors of items, if there is a limit of failures."""
    _futures: dict[str, Any] = field(factory=dict[str, Any], init=False)
    """Futures of the partitions that did not finish."""

    def __attrs_post_init__(self) -> None:
        cluster, settings = cast("object", self.cluster), cast("object", self.settings)
        if not isinstance(cluster, Client):
            raise InvalidArgumentError((f"cluster must be a distributed.Client, got {short_repr(cluster)}",))
        if cluster.status != "running":
            raise InvalidArgumentError(("cluster must be connected: await the distributed.Client first",))
        if not isinstance(settings, Settings):
            raise InvalidArgumentError((f"settings must be a Settings, got {short_repr(settings)}",))
        check_share(settings.rate_limit_share)
        self._name = f"{self.verb}-{token_hex(8)}"
        self._source = open_items(self.items)
        self.concurrency = checked_count("concurrency", self.concurrency)
        self.partition_size = checked_count("partition_size", self.partition_size)
        self.workers = checked_limit("workers", self.workers)
        self.max_failures = checked_limit("max_failures", self.max_failures)

    def job(self) -> BatchJob[Item, Value]:
        """Return the job, which starts when it is iterated or awaited."""
        return BatchJob(self.verb, self._outcomes())

    async def _outcomes(self) -> AsyncGenerator[Outcome[Item, Value], None]:
        """Run the job and yield the outcomes. Afterwards the workers hold nothing of it."""
        async with _asynchronous(self.cluster) as self._async_cluster:
            workers = self.workers or len(await self._async_cluster.nthreads()) or 1
            settings = evolve(self.settings, rate_limit_share=self.settings.rate_limit_share / workers)
            plugin = JobPlugin(settings, self.factory, self.concurrency, self.max_failures)
            # A partition that finishes, one that starts meanwhile, and more if partitions are small.
            partitions_at_once = workers * (2 + self.concurrency // self.partition_size)
            try:
                await self._async_cluster.register_plugin(plugin, self._name)
                async with aclosing(self._run(partitions_at_once)) as outcomes:
                    async for outcome in outcomes:
                        yield outcome
            finally:
                try:
                    # Raised when a worker or the scheduler has gone.
                    with suppress(OSError, ValueError):
                        await self._async_cluster.unregister_worker_plugin(self._name)
                finally:
                    # Not before: a partition that starts records its start under its key, and the scheduler
                    # deletes the record with the task.
                    for future in self._futures.values():
                        future.release()

    async def _run(self, partitions_at_once: int) -> AsyncGenerator[Outcome[Item, Value], None]:
        """Yield the outcomes of items from those of partitions."""
        partitions = self._partitions()
        results = stream(
            self._process, partitions, concurrency=partitions_at_once, ordered=self.ordered, max_failures=1
        )
        try:
            async with aclosing(results):
                async for result in results:
                    if isinstance(result, Done):
                        outcomes = result.value
                    elif isinstance(result.error, _FailureLimitError):
                        outcomes = result.error.outcomes
                    else:
                        raise result.error
                    for outcome in outcomes:
                        yield outcome
        except ExceptionGroup as errors:
            if errors.subgroup(_FailureLimitError) is None:
                raise
            raise failure_limit_reached(self._errors, self.max_failures) from None

    async def _partitions(self) -> AsyncGenerator[Partition[Item], None]:
        """Yield partitions of the items; if the source raises, first those of the items before."""
        start, pending, failure = 0, list[Item](), None
        try:
            async with aclosing(self._source) as items:
                async for item in items:
                    pending.append(item)
                    if len(pending) == self.partition_size:
                        yield Partition(f"{self._name}-{start}", start, tuple(pending))
                        start += self.partition_size
                        pending.clear()
        except Exception as error:  # noqa: BLE001 - raised below
            failure = error
        if pending:
            yield Partition(f"{self._name}-{start}", start, tuple(pending))
        if failure is not None:
            raise failure

    async def _process(self, partition: Partition[Item]) -> list[Outcome[Item, Value]]:
        """Run a partition on the cluster and return the outcomes of its items, in their order."""
        items, key = partition.items, partition.key
        future = self._async_cluster.submit(run_partition, self._name, partition, key=key, pure=False)
        self._futures[key] = future
        outcomes: list[Outcome[Item, Value]]
        try:
            results: list[Outcome[int, Value]] | None = await future.result()
        except KilledWorker as error:  # the partition killed several workers, so that Dask gave it up
            outcomes = [
                Failed(index=index, item=item, error=self._outcome_unknown(item, error), elapsed=0.0)
                for index, item in enumerate(items, partition.start)
            ]
        else:
            self._futures.pop(key).release()
            if results is None:
                raise RuntimeError(f"job {self._name} was removed from the workers while it was running")
            results.sort(key=attrgetter("index"))
            outcomes = [
                relabel(result, partition.start + result.item, items[result.item]) for result in results
            ]
        if self.max_failures is not None:
            self._errors += [outcome.error for outcome in outcomes if isinstance(outcome, Failed)]
            if len(self._errors) >= self.max_failures:
                raise _FailureLimitError(outcomes)
        return outcomes

    def _outcome_unknown(self, item: object, cause: Exception) -> OutcomeUnknownError:
        name = cast("Mapping[str, object]", item).get("unique_name") if isinstance(item, Mapping) else None
        error = OutcomeUnknownError(self.endpoint.operation, name if isinstance(name, str) else None)
        error.__cause__ = cause
        return error


class _FailureLimitError(Exception):
    """Stops the stream of partitions; holds the outcomes of the last one."""

    def __init__(self, outcomes: list[Outcome[Any, Any]]) -> None:
        self.outcomes = outcomes


@asynccontextmanager
async def _asynchronous(client: Client) -> AsyncGenerator[Any, None]:
    """Yield a client for this event loop: the given one, or a new one of the same cluster."""
    if client.asynchronous:
        yield client
        return
    connect, connected = cast("Any", Client), cast("Any", client)  # their types are incomplete
    address, security = connected.scheduler.address, connected.security
    async with connect(address, security=security, asynchronous=True, set_as_default=False) as second:
        yield second


# --- on a worker -----------------------------------------------------------------------------------------


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
    _has_ended: bool = field(default=False, init=False)
    _loop: asyncio.AbstractEventLoop = field(init=False)
    _semaphore: asyncio.Semaphore = field(init=False)
    _running: set[asyncio.Task[Any]] = field(factory=set[Any], init=False)

    def setup(self, worker: object) -> None:
        """Start on a worker, in its event loop."""
        self._worker, self._loop = worker, asyncio.get_running_loop()
        self._semaphore = asyncio.Semaphore(self.concurrency)

    async def teardown(self, worker: object) -> None:  # noqa: ARG002 - Dask passes it by name
        """Cancel the running partitions and close the client, when the job or the worker ends."""
        self._has_ended = True
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)
        if self._client is not None:
            await self._client.close()

    def run(self, partition: Partition[Item]) -> list[Outcome[int, Value]] | None:
        """Run a partition and wait for it, in a thread of the worker. Returns None if the job has ended.

        The thread is released as soon as the call of the last item has started. Dask then starts the next
        partition, so that the worker always has enough calls in flight.
        """
        all_started = threading.Event()
        future = asyncio.run_coroutine_threadsafe(self._run(partition, all_started), self._loop)
        future.add_done_callback(lambda _: all_started.set())
        all_started.wait()
        if not future.done():
            cast("Callable[[], None]", _secede)()
        try:
            return future.result()
        except CancelledError:
            return None

    async def _run(
        self, partition: Partition[Item], all_started: threading.Event
    ) -> list[Outcome[int, Value]] | None:
        """Return the outcomes of a partition, with positions instead of the items, which the caller has."""
        if self._has_ended:
            return None
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
