"""In the driver: items go out in partitions, and outcomes come back."""

from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping
from contextlib import aclosing, suppress
from operator import attrgetter
from secrets import token_hex
from typing import Any, Generic, TypeVar, cast

from attrs import define, evolve, field, frozen

from telnyx_rooms_async.batch import Done, Failed, Outcome, stream
from telnyx_rooms_async.batch.operations import exact_count, open_items
from telnyx_rooms_async.batch.outcomes import failure_limit_reached, relabel
from telnyx_rooms_async.batch.stream import iterate
from telnyx_rooms_async.core.validators import short_repr
from telnyx_rooms_async.errors import InvalidArgumentError, OutcomeUnknownError
from telnyx_rooms_async.integrations.dask.engine import (
    Client,
    Cluster,
    KilledWorker,
    Pending,
    check_cluster,
    here,
)
from telnyx_rooms_async.integrations.dask.operations import Kind
from telnyx_rooms_async.integrations.dask.worker_plugin import Answers, Crew, Partition, work
from telnyx_rooms_async.settings import Settings, check_share

Item = TypeVar("Item")
Value = TypeVar("Value")


def _opened(items: Any) -> Any:  # noqa: ANN401 - the field has the type
    return open_items(items)


@frozen(kw_only=True)
class Job(Generic[Item, Value]):
    """What is done to which items, and how; checked when it is made.

    Raises:
        InvalidArgumentError: an option cannot be so.
    """

    kind: Kind[Item, Value]
    cluster: Client
    items: Iterable[Item] | AsyncIterable[Item] = field(converter=_opened)
    settings: Settings
    partition_size: int = field(converter=exact_count)
    workers: int | None = field(converter=exact_count)
    limit: int = field(converter=exact_count)
    ordered: bool
    max_failures: int | None = field(converter=exact_count)

    def __attrs_post_init__(self) -> None:
        check_cluster(self.cluster)
        if not isinstance(cast("object", self.settings), Settings):
            raise InvalidArgumentError((f"settings must be Settings, not {short_repr(self.settings)}",))
        check_share(self.settings.share)
        for name in ("partition_size", "workers", "limit", "max_failures"):
            number = getattr(self, name)
            if number is None and name in ("workers", "max_failures"):
                continue
            if type(number) is not int or number < 1:
                raise InvalidArgumentError(
                    (f"{name} must be a whole number, 1 or more, not {short_repr(number)}",)
                )

    async def run(self) -> AsyncGenerator[Outcome[Item, Value], None]:
        """Yield the outcomes. Each worker has a crew from first to last; in the end it has nothing."""
        name = f"{self.kind.name}-{token_hex(8)}"
        async with here(self.cluster) as cluster:
            threads = await cluster.nthreads()
            run = _Run(cluster=cluster, name=name, kind=self.kind, max_failures=self.max_failures)
            workers = self.workers or len(threads) or 1
            # One that ends, one that begins while it does, and more if they are small.
            at_once = workers * (2 + self.limit // self.partition_size)
            try:
                await cluster.register_plugin(self._crew(workers), name)
                source = partitions(self.items, self.partition_size, name)
                results = stream(run.once, source, limit=at_once, ordered=self.ordered, max_failures=1)
                async with aclosing(run.outcomes(results)) as outcomes:
                    async for outcome in outcomes:
                        yield outcome
            finally:
                try:
                    # A worker or a scheduler that is gone has nothing to be taken away.
                    with suppress(OSError, ValueError):
                        await cluster.unregister_worker_plugin(name)
                finally:
                    run.let_go()

    def _crew(self, workers: int) -> Crew[Item, Value]:
        settings = evolve(self.settings, share=self.settings.share / workers)
        return Crew(settings=settings, kind=self.kind, limit=self.limit, max_failures=self.max_failures)


@define(kw_only=True, eq=False)
class _Run(Generic[Item, Value]):
    """A job under way."""

    cluster: Cluster
    name: str
    kind: Kind[Item, Value]
    max_failures: int | None
    errors: list[Exception] = field(factory=list[Exception], init=False)
    """Those that are counted."""
    _under_way: dict[str, Pending[Answers[Value] | None]] = field(factory=dict[str, Any], init=False)

    def let_go(self) -> None:
        """Have Dask forget what is under way: not before the crews are gone, which note what they begin."""
        while self._under_way:
            self._under_way.popitem()[1].release()

    async def once(self, partition: Partition[Item]) -> list[Outcome[Item, Value]]:
        """Have a partition done.

        Raises:
            _EnoughError: these were the last failures that are borne.
        """
        outcomes = await self._ask(partition)
        if self.max_failures is None:
            return outcomes
        self.errors += [each.error for each in outcomes if isinstance(each, Failed)]
        if len(self.errors) >= self.max_failures:
            raise _EnoughError(outcomes)
        return outcomes

    async def outcomes(
        self, results: AsyncGenerator[Outcome[Partition[Item], list[Outcome[Item, Value]]], None]
    ) -> AsyncGenerator[Outcome[Item, Value], None]:
        """Take the partitions apart again.

        Raises:
            ExceptionGroup: there were so many failures.
            Exception: what kept a whole partition from being done.
        """
        is_stopped = False
        try:
            async with aclosing(results):
                async for result in results:
                    if isinstance(result, Done):
                        done = result.value
                    elif isinstance(result.error, _EnoughError):
                        is_stopped, done = True, cast("list[Outcome[Item, Value]]", result.error.outcomes)
                    else:
                        raise result.error
                    for outcome in done:
                        yield outcome
        except ExceptionGroup:
            if not is_stopped:
                raise
        if is_stopped:
            raise failure_limit_reached(self.errors, self.max_failures)

    async def _ask(self, partition: Partition[Item]) -> list[Outcome[Item, Value]]:
        pending: Pending[Answers[Value] | None] = self.cluster.submit(
            work, self.name, partition, key=partition.key, pure=False
        )
        self._under_way[partition.key] = pending
        try:
            answers = await pending.result()
        except KilledWorker as killed:
            return [self._unknown(partition, place, killed) for place in range(len(partition.items))]
        self._under_way.pop(partition.key).release()
        if answers is None:
            raise RuntimeError(f"job {self.name} was taken from the workers while it was going on")
        start, items = partition.start, partition.items
        in_order = sorted(answers, key=attrgetter("index"))
        return [relabel(each, start + each.item, items[each.item]) for each in in_order]

    def _unknown(self, partition: Partition[Item], place: int, killed: Exception) -> Failed[Item]:
        """Tell of an item whose partition was the end of several workers, so that Dask gave it up."""
        item = partition.items[place]
        given = cast("object", item)
        name = cast("Mapping[str, object]", given).get("unique_name") if isinstance(given, Mapping) else None
        error = OutcomeUnknownError(self.kind.operation, name if isinstance(name, str) else None)
        error.__cause__ = killed
        return Failed(index=partition.start + place, item=item, error=error, elapsed=0.0)


class _EnoughError(Exception):
    """The job is to stop, and there is this to be yielded yet."""

    def __init__(self, outcomes: object) -> None:
        self.outcomes = outcomes


async def partitions(
    items: Iterable[Item] | AsyncIterable[Item], size: int, name: str
) -> AsyncGenerator[Partition[Item], None]:
    """Yield so many items at a time; what came before an error of the source, too."""
    taken: list[Item] = []
    start, failure = 0, None

    def partition() -> Partition[Item]:
        return Partition(key=f"{name}-{start // size}", start=start, items=tuple(taken))

    try:
        async with aclosing(iterate(items)) as source:
            async for item in source:
                taken.append(item)
                if len(taken) == size:
                    yield partition()
                    start += size
                    taken.clear()
    except Exception as error:  # noqa: BLE001 - raised below
        failure = error
    if taken:
        yield partition()
    if failure is not None:
        raise failure
