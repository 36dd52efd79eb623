"""Many rooms by many machines: the jobs of a client, on a cluster of Dask. Needs the extra ``dask``.

    async with distributed.Client("tcp://scheduler:8786", asynchronous=True) as cluster:
        async for outcome in dask.create_many(cluster, bodies, settings=Settings()):
            if not outcome.ok:
                print(outcome.item, outcome.error)

The items go out in partitions, each of which is a task of Dask: it decides which worker runs it, runs it
again when that worker dies, and shows it on its dashboard.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from typing import Final

from telnyx_rooms_async.batch import Outcome
from telnyx_rooms_async.core.requests import RoomFields
from telnyx_rooms_async.core.validators import RoomId, SessionId
from telnyx_rooms_async.integrations.dask.coordinator import Job
from telnyx_rooms_async.integrations.dask.engine import Client
from telnyx_rooms_async.integrations.dask.operations import DELETING, ENDING, UPDATING, creating
from telnyx_rooms_async.models import Room
from telnyx_rooms_async.resources.room_creation import OnLostResponse
from telnyx_rooms_async.resources.rooms import RoomUpdate
from telnyx_rooms_async.settings import Settings

__all__ = ["create_many", "delete_many", "end_many", "update_many"]

_SIZE: Final = 50


def create_many(
    cluster: Client,
    bodies: Iterable[RoomFields] | AsyncIterable[RoomFields],
    *,
    settings: Settings,
    partition_size: int = _SIZE,
    workers: int | None = None,
    limit: int = 32,
    ordered: bool = False,
    max_failures: int | None = None,
    on_lost_response: OnLostResponse = "find",
) -> AsyncGenerator[Outcome[RoomFields, Room], None]:
    """Create rooms on all workers of a cluster, and yield what came of each.

    Not awaited: nothing is sent before it is iterated. Outcomes come by the partition, with their places
    in the whole input. Two partitions a worker are out (more when they are smaller than `limit`), and at
    most four are known at once: memory stays flat.

    Every room needs a name. When a worker dies, Dask has another one run its partition again; that looks
    for each room by its name, adopts what was made since the partition first began, with the fields that
    were asked for, and creates the rest. A partition that was the end of several workers (Dask's setting
    ``allowed-failures``) is given up: each of its items is a `Failed` with an `OutcomeUnknownError`.

    When the loop is left or cancelled, what is in flight is cancelled on all workers, and waited for; hold
    the generator to have that done at once, as with `batch.stream`.

    Args:
        cluster: connected, and best ``asynchronous=True``. For one that is not, another client of the same
            cluster is opened for as long as the job lasts.
        bodies: the fields of each room, named as those of `create`. They must pickle.
        settings: what the client of each worker is made with. Without a key or a URL in it, the environment
            of the worker counts. `share` is the part of the rate limit for the whole job: each worker keeps
            to an equal part of that. Settings go through Dask's scheduler: it and the workers learn the key.
        partition_size: how many items a worker is given at once. A large one leaves workers idle at the
            end, and has more to look for when one dies.
        workers: how many workers share the rate limit: those that there are at the beginning, unless given.
        limit: how many are under way at once on each worker.
        ordered: whether outcomes come in the order of the bodies.
        max_failures: so many failures end it, with an `ExceptionGroup`: nothing new begins, and partitions
            that are out are done and yielded.
        on_lost_response: as for `create`.

    Raises:
        InvalidArgumentError: at the call: an option is wrong, or the cluster is not connected.
        ConfigurationError: while iterating: a worker cannot make a client of the settings.
        Exception: likewise: what Dask raises when the cluster is lost.

    Telnyx operation: CreateRoom.
    """
    return Job(
        kind=creating(on_lost_response),
        cluster=cluster,
        items=bodies,
        settings=settings,
        partition_size=partition_size,
        workers=workers,
        limit=limit,
        ordered=ordered,
        max_failures=max_failures,
    ).run()


def update_many(
    cluster: Client,
    changes: Iterable[RoomUpdate] | AsyncIterable[RoomUpdate],
    *,
    settings: Settings,
    partition_size: int = _SIZE,
    workers: int | None = None,
    limit: int = 32,
    ordered: bool = False,
    max_failures: int | None = None,
) -> AsyncGenerator[Outcome[RoomUpdate, Room], None]:
    """Change rooms on all workers of a cluster: ``(room_id, {"max_participants": 25})`` is one.

    Arguments and errors are those of `create_many`; a change that is run again is made again.

    Telnyx operation: UpdateRoom.
    """
    return Job(
        kind=UPDATING,
        cluster=cluster,
        items=changes,
        settings=settings,
        partition_size=partition_size,
        workers=workers,
        limit=limit,
        ordered=ordered,
        max_failures=max_failures,
    ).run()


def delete_many(
    cluster: Client,
    ids: Iterable[RoomId] | AsyncIterable[RoomId],
    *,
    settings: Settings,
    partition_size: int = _SIZE,
    workers: int | None = None,
    limit: int = 32,
    ordered: bool = False,
    max_failures: int | None = None,
) -> AsyncGenerator[Outcome[RoomId, None], None]:
    """Delete rooms on all workers of a cluster.

    Arguments and errors are those of `create_many`; a room that is gone when its partition is run again
    has been deleted.

    Telnyx operation: DeleteRoom.
    """
    return Job(
        kind=DELETING,
        cluster=cluster,
        items=ids,
        settings=settings,
        partition_size=partition_size,
        workers=workers,
        limit=limit,
        ordered=ordered,
        max_failures=max_failures,
    ).run()


def end_many(
    cluster: Client,
    ids: Iterable[SessionId] | AsyncIterable[SessionId],
    *,
    settings: Settings,
    partition_size: int = _SIZE,
    workers: int | None = None,
    limit: int = 32,
    ordered: bool = False,
    max_failures: int | None = None,
) -> AsyncGenerator[Outcome[SessionId, None], None]:
    """End sessions on all workers of a cluster.

    Arguments and errors are those of `create_many`; a session that is over when its partition is run again
    has been ended.

    Telnyx operation: EndSession.
    """
    return Job(
        kind=ENDING,
        cluster=cluster,
        items=ids,
        settings=settings,
        partition_size=partition_size,
        workers=workers,
        limit=limit,
        ordered=ordered,
        max_failures=max_failures,
    ).run()
