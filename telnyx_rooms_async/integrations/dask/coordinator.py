"""In the process of the caller: sends partitions to the cluster and yields their outcomes."""

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from operator import attrgetter
from secrets import token_hex
from typing import Any, Generic, Protocol, TypeVar, cast

from attrs import define, evolve, field
from distributed import Client, KilledWorker
from distributed.diagnostics.plugin import WorkerPlugin

from telnyx_rooms_async.batch import Done, Failed, Outcome, stream
from telnyx_rooms_async.batch.operations import checked_count, open_items
from telnyx_rooms_async.batch.outcomes import failure_limit_reached, relabel
from telnyx_rooms_async.batch.stream import iterate
from telnyx_rooms_async.core.validators import short_repr
from telnyx_rooms_async.errors import InvalidArgumentError, OutcomeUnknownError
from telnyx_rooms_async.integrations.dask.operations import DaskOperation
from telnyx_rooms_async.integrations.dask.worker_plugin import (
    JobPlugin,
    Partition,
    PartitionOutcomes,
    run_partition,
)
from telnyx_rooms_async.settings import Settings, check_share

Item = TypeVar("Item")
Value = TypeVar("Value")
Value_co = TypeVar("Value_co", covariant=True)


class Future(Protocol[Value_co]):
    """The part of `distributed.Future` that is used here."""

    def result(self) -> Awaitable[Value_co]:
        """Wait for the result of the task."""
        ...

    def release(self) -> None:
        """Release the future so that Dask forgets its task and does not start it."""


class Cluster(Protocol):
    """The part of an asynchronous `distributed.Client` that is used here."""

    def submit(self, task: Callable[..., Value], *arguments: object, key: str, pure: bool) -> Future[Value]:
        """Run a task on a worker."""
        ...

    async def nthreads(self) -> Mapping[str, int]:
        """Return the number of threads of each worker."""
        ...

    async def register_plugin(self, plugin: WorkerPlugin, name: str) -> object:
        """Add a plugin to all workers, also to those that join later."""

    async def unregister_worker_plugin(self, name: str) -> object:
        """Remove a plugin from all workers, and wait for its teardown."""


@define(kw_only=True, eq=False)
class DaskJob(Generic[Item, Value]):
    """A bulk operation on a cluster; its arguments are checked when it is created.

    Raises:
        InvalidArgumentError: an argument is not valid.
    """

    operation: DaskOperation[Item, Value]
    cluster: Client
    items: Iterable[Item] | AsyncIterable[Item]
    settings: Settings
    partition_size: int
    workers: int | None
    limit: int
    ordered: bool
    max_failures: int | None

    def __attrs_post_init__(self) -> None:
        cluster, settings = cast("object", self.cluster), cast("object", self.settings)
        if not isinstance(cluster, Client):
            raise InvalidArgumentError((f"cluster must be a distributed.Client, got {short_repr(cluster)}",))
        if cluster.status != "running":
            raise InvalidArgumentError(("cluster must be connected: await the distributed.Client first",))
        if not isinstance(settings, Settings):
            raise InvalidArgumentError((f"settings must be a Settings, got {short_repr(settings)}",))
        check_share(settings.share)
        self.items = open_items(self.items)
        self.limit = checked_count("limit", self.limit)
        self.partition_size = checked_count("partition_size", self.partition_size)
        if self.workers is not None:
            self.workers = checked_count("workers", self.workers)
        if self.max_failures is not None:
            self.max_failures = checked_count("max_failures", self.max_failures)

    async def outcomes(self) -> AsyncGenerator[Outcome[Item, Value], None]:
        """Run the job and yield the outcomes. Afterwards the workers hold nothing of it."""
        name = f"{self.operation.name}-{token_hex(8)}"
        async with _asynchronous(self.cluster) as cluster:
            run = _Run(cluster, name, self.operation, self.max_failures)
            workers = self.workers or len(await cluster.nthreads()) or 1
            # One that finishes, one that starts meanwhile, and more if partitions are small.
            partitions_at_once = workers * (2 + self.limit // self.partition_size)
            try:
                await cluster.register_plugin(self._plugin(workers), name)
                source = _partitions(self.items, self.partition_size, name)
                results = stream(
                    run.process, source, limit=partitions_at_once, ordered=self.ordered, max_failures=1
                )
                async with aclosing(run.outcomes(results)) as outcomes:
                    async for outcome in outcomes:
                        yield outcome
            finally:
                try:
                    # Raised when a worker or the scheduler has gone.
                    with suppress(OSError, ValueError):
                        await cluster.unregister_worker_plugin(name)
                finally:
                    run.release_futures()

    def _plugin(self, workers: int) -> JobPlugin[Item, Value]:
        return JobPlugin(
            settings=evolve(self.settings, share=self.settings.share / workers),
            operation=self.operation,
            limit=self.limit,
            max_failures=self.max_failures,
        )


@asynccontextmanager
async def _asynchronous(client: Client) -> AsyncGenerator[Cluster, None]:
    """Yield a client for this event loop: the given one, or a new one of the same cluster."""
    if client.asynchronous:
        yield cast("Cluster", client)
        return
    connected = cast("Any", client)  # these attributes have no types
    connect = cast("Callable[..., AbstractAsyncContextManager[Cluster]]", Client)
    address, security = connected.scheduler.address, connected.security
    async with connect(address, security=security, asynchronous=True, set_as_default=False) as second:
        yield second


@define(eq=False)
class _Run(Generic[Item, Value]):
    """State of a running job."""

    cluster: Cluster
    name: str
    operation: DaskOperation[Item, Value]
    max_failures: int | None
    errors: list[Exception] = field(factory=list[Exception], init=False)
    """Errors of items, if there is a limit of failures."""
    _futures: dict[str, Future[PartitionOutcomes[Value] | None]] = field(factory=dict[str, Any], init=False)

    def release_futures(self) -> None:
        """Release the futures of partitions that did not finish.

        Only after the plugin was removed: a partition that starts records its start under its key, and the
        scheduler deletes the record with the task.
        """
        while self._futures:
            self._futures.popitem()[1].release()

    async def process(self, partition: Partition[Item]) -> list[Outcome[Item, Value]]:
        """Run a partition on the cluster.

        Raises:
            _FailureLimitError: the limit of failures is reached.
        """
        outcomes = await self._submit(partition)
        if self.max_failures is None:
            return outcomes
        self.errors += [outcome.error for outcome in outcomes if isinstance(outcome, Failed)]
        if len(self.errors) >= self.max_failures:
            raise _FailureLimitError(outcomes)
        return outcomes

    async def outcomes(
        self, results: AsyncGenerator[Outcome[Partition[Item], list[Outcome[Item, Value]]], None]
    ) -> AsyncGenerator[Outcome[Item, Value], None]:
        """Yield the outcomes of items from those of partitions.

        Raises:
            ExceptionGroup: the limit of failures was reached.
            Exception: a whole partition failed.
        """
        is_stopped = False
        try:
            async with aclosing(results):
                async for result in results:
                    if isinstance(result, Done):
                        outcomes = result.value
                    elif isinstance(result.error, _FailureLimitError):
                        is_stopped = True
                        outcomes = cast("list[Outcome[Item, Value]]", result.error.outcomes)
                    else:
                        raise result.error
                    for outcome in outcomes:
                        yield outcome
        except ExceptionGroup:
            if not is_stopped:
                raise
        if is_stopped:
            raise failure_limit_reached(self.errors, self.max_failures)

    async def _submit(self, partition: Partition[Item]) -> list[Outcome[Item, Value]]:
        future: Future[PartitionOutcomes[Value] | None] = self.cluster.submit(
            run_partition, self.name, partition, key=partition.key, pure=False
        )
        self._futures[partition.key] = future
        try:
            outcomes = await future.result()
        except KilledWorker as error:
            return [self._unknown_outcome(partition, index, error) for index in range(len(partition.items))]
        self._futures.pop(partition.key).release()
        if outcomes is None:
            raise RuntimeError(f"job {self.name} was removed from the workers while it was running")
        items = partition.items
        in_order = sorted(outcomes, key=attrgetter("index"))
        return [relabel(outcome, partition.start + outcome.item, items[outcome.item]) for outcome in in_order]

    def _unknown_outcome(self, partition: Partition[Item], position: int, cause: Exception) -> Failed[Item]:
        """Return the failure of an item whose partition killed several workers, so that Dask gave it up."""
        item = partition.items[position]
        fields = cast("object", item)
        name = (
            cast("Mapping[str, object]", fields).get("unique_name") if isinstance(fields, Mapping) else None
        )
        operation = self.operation.endpoint.operation
        error = OutcomeUnknownError(operation, name if isinstance(name, str) else None)
        error.__cause__ = cause
        return Failed(index=partition.start + position, item=item, error=error, elapsed=0.0)


class _FailureLimitError(Exception):
    """Stops the stream of partitions; holds the outcomes of the last one."""

    def __init__(self, outcomes: object) -> None:
        self.outcomes = outcomes


async def _partitions(
    items: Iterable[Item] | AsyncIterable[Item], size: int, job_name: str
) -> AsyncGenerator[Partition[Item], None]:
    """Yield partitions of the items; if the source raises, first those of the items before."""
    pending: list[Item] = []
    start, failure = 0, None

    def partition() -> Partition[Item]:
        return Partition(key=f"{job_name}-{start // size}", start=start, items=tuple(pending))

    try:
        async with aclosing(iterate(items)) as source:
            async for item in source:
                pending.append(item)
                if len(pending) == size:
                    yield partition()
                    start += size
                    pending.clear()
    except Exception as error:  # noqa: BLE001 - raised below
        failure = error
    if pending:
        yield partition()
    if failure is not None:
        raise failure
