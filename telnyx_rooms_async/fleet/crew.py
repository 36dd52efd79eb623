"""On a worker: the client that all its partitions share, and how one of them is done."""

import asyncio
from typing import Any, Generic, TypeAlias, TypeVar

from attrs import define, field, frozen

from telnyx_rooms_async import batch
from telnyx_rooms_async.client import RoomsClient
from telnyx_rooms_async.fleet.engine import Worker, WorkerPlugin, this_worker
from telnyx_rooms_async.fleet.kinds import Kind
from telnyx_rooms_async.settings import Settings

Item = TypeVar("Item")
Value = TypeVar("Value")
Answers: TypeAlias = list[batch.Outcome[int, Value]]
"""The items of a partition by their places in it: they do not travel back."""


@frozen(kw_only=True)
class Partition(Generic[Item]):
    """Some items that follow each other. Dask may log its repr."""

    key: str
    """Dask's name for its task."""
    start: int
    """How many items are before it."""
    items: tuple[Item, ...] = field(repr=False)


@define(kw_only=True, eq=False, slots=False)
class Crew(WorkerPlugin, Generic[Item, Value]):
    """What a job has on each worker, from its beginning to its end."""

    settings: Settings
    kind: Kind[Item, Value]
    limit: int
    stop_after: int | None
    _client: RoomsClient | None = field(default=None, init=False)
    _running: set[asyncio.Task[Any]] = field(factory=set[Any], init=False)
    _slots: asyncio.Semaphore = field(init=False)

    def setup(self, worker: object) -> None:
        """Begin on a worker. A worker with several threads runs several partitions at once."""
        self._slots = asyncio.Semaphore(self.limit)

    async def teardown(self, worker: object) -> None:
        """End whatever goes on: the job is over."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)
        if self._client is not None:
            await self._client.close()

    async def run(self, partition: Partition[Item], worker: Worker) -> Answers[Value] | None:
        """Do a partition; ``None`` for: the job was over first."""
        # A task of our own: to cancel that of Dask would be a failure to it, which it logs.
        task = asyncio.create_task(self._run(partition, worker))
        self._running.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            if (current := asyncio.current_task()) is not None and current.cancelling():
                raise  # the worker is being closed: Dask has another one run it
            return None
        finally:
            self._running.discard(task)

    async def _run(self, partition: Partition[Item], worker: Worker) -> Answers[Value]:
        if self._client is None:
            self._client = RoomsClient.from_settings(self.settings)
        many, items = self.kind.of(self._client), partition.items
        since = await _begun(partition.key, many.now(), worker)

        async def one(place: int) -> Value:
            async with self._slots:
                return await many.act(items[place], since)

        answers: Answers[Value] = []
        try:
            stream = batch.stream(one, range(len(items)), limit=self.limit, stop_after=self.stop_after)
            async for outcome in stream:
                answers.append(outcome)  # noqa: PERF401 - those before the end count, too
        except ExceptionGroup:
            pass  # so many failures that the driver stops the job
        return answers


async def work(crew_name: str, partition: Partition[Any]) -> Answers[Any] | None:
    """Do a partition on this worker: the task that Dask runs."""
    worker = this_worker()
    crew = worker.plugins.get(crew_name)
    return await crew.run(partition, worker) if isinstance(crew, Crew) else None


async def _begun(key: str, now: float, worker: Worker) -> float | None:
    """Return when another worker, which died, began this partition; if none did, note that it begins now.

    The scheduler keeps the note until it forgets the task.
    """
    since = await worker.scheduler.get_metadata(keys=[key], default=None)
    if since is None:
        await worker.scheduler.set_metadata(keys=[key], value=now)
    return since
