"""In the process of the caller: sends partitions to the cluster and yields their outcomes."""

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from operator import attrgetter
from secrets import token_hex
from typing import Any, Generic, TypeVar, cast

from attrs import define, evolve, field
from distributed import Client, KilledWorker

from telnyx_rooms_async.batch import Done, Failed, Outcome, stream
from telnyx_rooms_async.batch.operations import BulkOperation, checked_count, open_items
from telnyx_rooms_async.batch.stream import failure_limit_reached, iterate, relabel
from telnyx_rooms_async.core.endpoints import Endpoint
from telnyx_rooms_async.core.validators import short_repr
from telnyx_rooms_async.errors import InvalidArgumentError, OutcomeUnknownError
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.integrations.dask.worker_plugin import JobPlugin, Partition, run_partition
from telnyx_rooms_async.settings import Settings, check_share

Item = TypeVar("Item")
Value = TypeVar("Value")


@define(eq=False)
class DaskJob(Generic[Item, Value]):
    """A bulk operation on a cluster; its arguments are checked when it is created.

    Raises:
        InvalidArgumentError: an argument is not valid.
    """

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
        self.items = open_items(self.items)
        self.concurrency = checked_count("concurrency", self.concurrency)
        self.partition_size = checked_count("partition_size", self.partition_size)
        if self.workers is not None:
            self.workers = checked_count("workers", self.workers)
        if self.max_failures is not None:
            self.max_failures = checked_count("max_failures", self.max_failures)

    async def outcomes(self) -> AsyncGenerator[Outcome[Item, Value], None]:
        """Run the job and yield the outcomes. Afterwards the workers hold nothing of it."""
        async with _asynchronous(self.cluster) as self._async_cluster:
            workers = self.workers or len(await self._async_cluster.nthreads()) or 1
            settings = evolve(self.settings, rate_limit_share=self.settings.rate_limit_share / workers)
            plugin = JobPlugin(settings, self.factory, self.concurrency, self.max_failures)
            # One that finishes, one that starts meanwhile, and more if partitions are small.
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
        """Yield the outcomes of items from those of partitions.

        Raises:
            ExceptionGroup: the limit of failures was reached.
            Exception: a whole partition failed.
        """
        partitions = self._partitions()
        results = stream(
            self._process, partitions, concurrency=partitions_at_once, ordered=self.ordered, max_failures=1
        )
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
            raise failure_limit_reached(self._errors, self.max_failures)

    async def _partitions(self) -> AsyncGenerator[Partition[Item], None]:
        """Yield partitions of the items; if the source raises, first those of the items before."""
        start, pending, failure = 0, list[Item](), None

        def partition() -> Partition[Item]:
            return Partition(f"{self._name}-{start // self.partition_size}", start, tuple(pending))

        try:
            async with aclosing(iterate(self.items)) as source:
                async for item in source:
                    pending.append(item)
                    if len(pending) == self.partition_size:
                        yield partition()
                        start += self.partition_size
                        pending.clear()
        except Exception as error:  # noqa: BLE001 - raised below
            failure = error
        if pending:
            yield partition()
        if failure is not None:
            raise failure

    async def _process(self, partition: Partition[Item]) -> list[Outcome[Item, Value]]:
        """Run a partition on the cluster and return the outcomes of its items, in their order.

        Raises:
            _FailureLimitError: the limit of failures is reached.
        """
        items, key = partition.items, partition.key
        future = self._async_cluster.submit(run_partition, self._name, partition, key=key, pure=False)
        self._futures[key] = future
        outcomes: list[Outcome[Item, Value]]
        try:
            results: list[Outcome[int, Value]] | None = await future.result()
        except KilledWorker as error:  # the partition killed several workers, so that Dask gave it up
            outcomes = [
                Failed(index=index, item=item, error=self._unknown(item, error), elapsed=0.0)
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

    def _unknown(self, item: object, cause: Exception) -> OutcomeUnknownError:
        fields = cast("Mapping[str, object]", item if isinstance(item, Mapping) else {})
        name = fields.get("unique_name")
        error = OutcomeUnknownError(self.endpoint.operation, name if isinstance(name, str) else None)
        error.__cause__ = cause
        return error


class _FailureLimitError(Exception):
    """Stops the stream of partitions; holds the outcomes of the last one."""

    def __init__(self, outcomes: object) -> None:
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
