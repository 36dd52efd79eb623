"""On a worker: the client that all its partitions share, and how one of them is done."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any, Generic, TypeAlias, TypeVar, cast

from attrs import define, field, frozen

from telnyx_rooms_async.batch import Outcome, stream
from telnyx_rooms_async.client import RoomsClient
from telnyx_rooms_async.integrations.dask.engine import Worker, WorkerPlugin, secede, this_worker
from telnyx_rooms_async.integrations.dask.operations import Kind
from telnyx_rooms_async.settings import Settings

Item = TypeVar("Item")
Value = TypeVar("Value")
Answers: TypeAlias = list[Outcome[int, Value]]
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
    max_failures: int | None
    _client: RoomsClient | None = field(default=None, init=False)
    _loop: asyncio.AbstractEventLoop = field(init=False)
    _slots: asyncio.Semaphore = field(init=False)
    _running: set[asyncio.Task[Any]] = field(factory=set[Any], init=False)

    def setup(self, worker: object) -> None:  # noqa: ARG002 - Dask names it
        """Begin on a worker, in its event loop."""
        self._loop, self._slots = asyncio.get_running_loop(), asyncio.Semaphore(self.limit)

    async def teardown(self, worker: object) -> None:  # noqa: ARG002 - Dask names it
        """End whatever goes on: the job is over, or the worker is."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)
        if self._client is not None:
            await self._client.close()

    def run(self, partition: Partition[Item], worker: Worker) -> Answers[Value] | None:
        """Do a partition, and wait for it in a thread of the worker; ``None`` for: it was ended.

        The thread is given back as soon as the last item has begun: Dask then begins the next partition,
        so that the worker never has too little to do.
        """
        news = threading.Event()
        running = asyncio.run_coroutine_threadsafe(self._run(partition, worker, news.set), self._loop)
        running.add_done_callback(lambda _: news.set())
        news.wait()
        if not running.done():
            secede()
        try:
            return running.result()
        except CancelledError:
            return None

    async def _run(
        self, partition: Partition[Item], worker: Worker, all_begun: Callable[[], None]
    ) -> Answers[Value]:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker
        self._running.add(task)
        try:
            if self._client is None:
                self._client = RoomsClient.from_settings(self.settings)
            many = self.kind.of(self._client)
            since = await _begun(partition.key, many.now(), worker)

            async def act(item: Item) -> Value:
                return await many.apply(item, since)

            return await self._answers(partition.items, act, all_begun)
        finally:
            self._running.discard(task)

    async def _answers(
        self, items: Sequence[Item], act: Callable[[Item], Awaitable[Value]], all_begun: Callable[[], None]
    ) -> Answers[Value]:
        begun, answers = 0, list[Outcome[int, Value]]()

        async def one(place: int) -> Value:
            nonlocal begun
            async with self._slots:
                begun += 1
                if begun == len(items):
                    all_begun()
                return await act(items[place])

        # So many failures that it stops: those before are told, and the driver stops the job.
        with suppress(ExceptionGroup):
            async for answer in stream(
                one, range(len(items)), limit=self.limit, max_failures=self.max_failures
            ):
                answers.append(answer)
        return answers


def work(crew_name: str, partition: Partition[Any]) -> Answers[Any] | None:
    """Do a partition on this worker: the task that Dask runs."""
    worker = this_worker()
    crew = cast("Crew[Any, Any] | None", worker.plugins.get(crew_name))
    return crew.run(partition, worker) if crew else None


async def _begun(key: str, now: float, worker: Worker) -> float | None:
    """Return when another worker, which died, began this partition; if none did, note that it begins now.

    The scheduler keeps the note until it forgets the task.
    """
    since = await worker.scheduler.get_metadata(keys=[key], default=None)
    if since is None:
        await worker.scheduler.set_metadata(keys=[key], value=now)
    return since
