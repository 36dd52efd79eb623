"""Bulk operations on the workers of a Dask cluster. Needs the extra ``dask``.

    async with distributed.Client("tcp://scheduler:8786", asynchronous=True) as cluster:
        async for outcome in dask.create_many(cluster, bodies, settings=Settings()):
            if not outcome.ok:
                print(outcome.item, outcome.error)

Items are sent in partitions. Each partition is a task of Dask, which chooses the worker, runs the task again
when that worker dies, and shows it on its dashboard.

Guide: ``telnyx-rooms docs dask``, or the README.md of this folder.
"""

from collections.abc import AsyncIterable, Iterable
from functools import partial
from typing import TypedDict, Unpack

from telnyx_rooms_async.batch import BatchJob
from telnyx_rooms_async.core.endpoints import CREATE_ROOM, DELETE_ROOM, END_SESSION, UPDATE_ROOM
from telnyx_rooms_async.core.validators import RoomId, SessionId
from telnyx_rooms_async.models import Room
from telnyx_rooms_async.resources.room_creation import OnLostResponse, check_on_lost_response
from telnyx_rooms_async.resources.rooms import Fields, Update, bulk_create, bulk_delete, bulk_update
from telnyx_rooms_async.resources.sessions import bulk_end
from telnyx_rooms_async.settings import Settings

try:
    from distributed import Client
except ImportError as _error:
    raise ImportError("this module needs Dask: pip install 'telnyx-rooms-async[dask]'") from _error

from telnyx_rooms_async.integrations.dask.job import DaskJob

__all__ = ["JobOptions", "create_many", "delete_many", "end_many", "update_many"]


class JobOptions(TypedDict, total=False):
    """Options of every job, with their defaults.

    Example:
        >>> options: JobOptions = {"partition_size": 10, "max_failures": 5}
    """

    partition_size: int
    """Items of a partition (50). Large partitions leave workers idle at the end, and need more look-ups after
    the death of a worker."""
    workers: int | None
    """Number of workers that share the rate limit (the number at the start)."""
    concurrency: int
    """Maximum number of calls in flight on each worker (32)."""
    ordered: bool
    """Yield outcomes in the order of the items (False)."""
    max_failures: int | None
    """Number of failures after which no further partition starts (no limit). Running partitions still finish
    and are yielded."""


def create_many(
    cluster: Client,
    bodies: Iterable[Fields] | AsyncIterable[Fields],
    *,
    settings: Settings,
    on_lost_response: OnLostResponse = "find",
    **options: Unpack[JobOptions],
) -> BatchJob[Fields, Room]:
    """Create rooms on all workers of a cluster, and yield the outcome of each.

    Nothing is sent before the job is iterated or awaited. Outcomes arrive by partition; their indexes are
    those of the whole input. Each worker has two partitions at a time (more if they are smaller than the
    limit), so the memory use of iterating does not grow with the input.

    Every room needs a name. When a worker dies, Dask runs its partition on another worker, which looks up
    each room by name, uses those that were created since the partition first started, with the requested
    fields, and creates the others. When a partition has killed several workers (``allowed-failures`` of
    Dask), its items fail with an `OutcomeUnknownError`.

    When the loop is left or cancelled, running calls are cancelled on all workers and awaited;
    ``async with aclosing(...)`` does so at once, as for `batch.stream`.

    Args:
        cluster: connected client, preferably ``asynchronous=True``; otherwise a second client of the same
            cluster is opened for the job.
        bodies: the fields of each room, named as the arguments of ``rooms.create``. They must pickle.
        settings: settings of the client of each worker. Without a key or URL, the environment of the worker
            applies. `rate_limit_share` is the part of the rate limit for the whole job, divided among the
            workers. Settings pass through Dask's scheduler, which therefore sees the key.
        on_lost_response: as for ``rooms.create``.
        options: see `JobOptions`.

    Raises:
        InvalidArgumentError: at the call: an argument is not valid, or the cluster is not connected.
        ConfigurationError: while iterating: a worker cannot create a client with the settings.
        ExceptionGroup: after the last outcome, if there were `max_failures` failures.
        Exception: while iterating: of Dask, when the cluster is lost.

    Example:
        >>> bodies = [{"unique_name": "Retro"}, {"unique_name": "Standup"}]
        >>> async with dask_cluster() as cluster:  # a distributed.Client
        ...     async for outcome in create_many(cluster, bodies, settings=Settings()):
        ...         assert outcome.ok, outcome.error

    Telnyx operation: CreateRoom.
    """
    check_on_lost_response(on_lost_response)
    factory = partial(bulk_create, on_lost_response=on_lost_response, must_be_named=True)
    return DaskJob("create_many", CREATE_ROOM, factory, cluster, bodies, settings, **options).job()


def update_many(
    cluster: Client,
    changes: Iterable[Update] | AsyncIterable[Update],
    *,
    settings: Settings,
    **options: Unpack[JobOptions],
) -> BatchJob[Update, Room]:
    """Update rooms on all workers of a cluster, and yield the outcome of each.

    When a worker dies, the updates of its partition are sent again by another one.

    `changes` are pairs of a room id and its new fields: ``(room_id, {"max_participants": 25})``. The
    other arguments and the errors are those of `create_many`.

    Telnyx operation: UpdateRoom.
    """
    return DaskJob("update_many", UPDATE_ROOM, bulk_update, cluster, changes, settings, **options).job()


def delete_many(
    cluster: Client,
    ids: Iterable[RoomId] | AsyncIterable[RoomId],
    *,
    settings: Settings,
    **options: Unpack[JobOptions],
) -> BatchJob[RoomId, None]:
    """Delete rooms on all workers of a cluster, and yield the outcome of each.

    When a worker dies and its partition runs again, a room that no longer exists counts as deleted.

    `ids` are rooms or their ids. The other arguments and the errors are those of `create_many`.

    Telnyx operation: DeleteRoom.
    """
    return DaskJob("delete_many", DELETE_ROOM, bulk_delete, cluster, ids, settings, **options).job()


def end_many(
    cluster: Client,
    ids: Iterable[SessionId] | AsyncIterable[SessionId],
    *,
    settings: Settings,
    **options: Unpack[JobOptions],
) -> BatchJob[SessionId, None]:
    """End sessions on all workers of a cluster, and yield the outcome of each.

    When a worker dies and its partition runs again, a session that is no longer active counts as ended.

    `ids` are sessions or their ids. The other arguments and the errors are those of `create_many`.

    Telnyx operation: EndSession.
    """
    return DaskJob("end_many", END_SESSION, bulk_end, cluster, ids, settings, **options).job()
