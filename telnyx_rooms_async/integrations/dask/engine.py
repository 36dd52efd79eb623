"""What is used of Dask, and of what types it is. Needs the extra ``dask``."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, TypeVar, cast

from telnyx_rooms_async.core.validators import short_repr
from telnyx_rooms_async.errors import InvalidArgumentError

try:
    from distributed import Client, KilledWorker, get_worker
    from distributed import secede as _secede
    from distributed.diagnostics.plugin import WorkerPlugin
except ImportError as _error:
    raise ImportError("a fleet needs Dask: pip install 'telnyx-rooms-async[dask]'") from _error

__all__ = [
    "Client",
    "Cluster",
    "KilledWorker",
    "Pending",
    "Worker",
    "WorkerPlugin",
    "check_cluster",
    "here",
    "secede",
    "this_worker",
]

Value_co = TypeVar("Value_co", covariant=True)
Value = TypeVar("Value")


class Pending(Protocol[Value_co]):
    """A task on its way, and its result: as long as somebody holds it, Dask does it again if it is lost."""

    def result(self) -> Awaitable[Value_co]:
        """Wait for what the task returns; raise what it raises."""
        ...

    def release(self) -> None:
        """Let it go: Dask forgets the task, and begins it no more."""


class Cluster(Protocol):
    """A `distributed.Client` in its own event loop."""

    def submit(self, task: Callable[..., Value], *arguments: object, key: str, pure: bool) -> Pending[Value]:
        """Have a task run by some worker."""
        ...

    async def nthreads(self) -> Mapping[str, int]:
        """Tell how many tasks each worker runs at once."""
        ...

    async def register_plugin(self, plugin: WorkerPlugin, name: str) -> object:
        """Give each worker a copy, those that are still to come too."""

    async def unregister_worker_plugin(self, name: str) -> object:
        """Take them away, and wait for their teardown."""


class Scheduler(Protocol):
    """Dask's scheduler, as a worker calls it."""

    async def get_metadata(self, *, keys: Sequence[str], default: float | None) -> float | None:
        """Tell what was noted."""

    async def set_metadata(self, *, keys: Sequence[str], value: float) -> None:
        """Note it; what is noted under the key of a task is forgotten with the task."""


class Worker(Protocol):
    """A worker of Dask."""

    plugins: Mapping[str, object]
    scheduler: Scheduler


class _Address(Protocol):
    address: str


class _Connected(Protocol):
    scheduler: _Address
    security: object


def this_worker() -> Worker:
    """Return the worker that runs this task."""
    return cast("Worker", get_worker())


def secede() -> None:
    """Give the thread of this task back: the worker may begin another task."""
    cast("Callable[[], None]", _secede)()


def check_cluster(client: object) -> None:
    """Refuse what is no client of Dask, or is not connected.

    Raises:
        InvalidArgumentError: it is so.
    """
    if not isinstance(client, Client):
        raise InvalidArgumentError((f"the cluster must be a distributed.Client, not {short_repr(client)}",))
    if client.status != "running":
        raise InvalidArgumentError(("the distributed.Client is not connected: await it first",))


@asynccontextmanager
async def here(client: Client) -> AsyncGenerator[Cluster, None]:
    """Give a client of this event loop: the given one, or another of the same cluster."""
    if client.asynchronous:
        yield cast("Cluster", client)
        return
    given = cast("_Connected", client)
    connect = cast("Callable[..., AbstractAsyncContextManager[Cluster]]", Client)
    address, security = given.scheduler.address, given.security
    async with connect(address, security=security, asynchronous=True, set_as_default=False) as own:
        yield own
