"""Bulk operations on the workers of a Dask cluster. Needs the extra ``dask``.

    async with distributed.Client("tcp://scheduler:8786", asynchronous=True) as cluster:
        async for outcome in dask.create_many(cluster, bodies, settings=Settings()):
            if not outcome.ok:
                print(outcome.item, outcome.error)

Items are sent in partitions. Each partition is a task of Dask, which chooses the worker, runs the task again
when that worker dies, and shows it on its dashboard.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from typing import Final

from telnyx_rooms_async.batch import Outcome
from telnyx_rooms_async.core.requests import RoomFields
from telnyx_rooms_async.core.validators import RoomId, SessionId
from telnyx_rooms_async.models import Room
from telnyx_rooms_async.resources.room_creation import OnLostResponse
from telnyx_rooms_async.resources.rooms import RoomUpdate
from telnyx_rooms_async.settings import Settings

try:
    from distributed import Client
except ImportError as _error:
    raise ImportError("this module needs Dask: pip install 'telnyx-rooms-async[dask]'") from _error

from telnyx_rooms_async.integrations.dask.coordinator import DaskJob
from telnyx_rooms_async.integrations.dask.operations import (
    DELETE_ROOMS,
    END_SESSIONS,
    UPDATE_ROOMS,
    create_rooms,
)

__all__ = ["create_many", "delete_many", "end_many", "update_many"]

_PARTITION_SIZE: Final = 50


def create_many(
    cluster: Client,
    bodies: Iterable[RoomFields] | AsyncIterable[RoomFields],
    *,
    settings: Settings,
    partition_size: int = _PARTITION_SIZE,
    workers: int | None = None,
    limit: int = 32,
    ordered: bool = False,
    max_failures: int | None = None,
    on_lost_response: OnLostResponse = "find",
) -> AsyncGenerator[Outcome[RoomFields, Room], None]:
    """Create rooms on all workers of a cluster, and yield the outcome of each.

    Nothing is sent before the first iteration. Outcomes arrive by partition; their indexes are those of the
    whole input. Each worker has two partitions at a time (more if they are smaller than `limit`), so memory
    use does not grow with the input.

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
            applies. `share` is the part of the rate limit for the whole job, divided among the workers.
            Settings pass through Dask's scheduler, which therefore sees the key.
        partition_size: items of a partition. Large partitions leave workers idle at the end, and need more
            look-ups after the death of a worker.
        workers: number of workers that share the rate limit; default: the number at the start.
        limit: maximum number of calls in flight on each worker.
        ordered: yield outcomes in the order of the bodies.
        max_failures: number of failures after which no further partition starts. Running partitions still
            finish and are yielded.
        on_lost_response: as for ``rooms.create``.

    Raises:
        InvalidArgumentError: at the call: an argument is not valid, or the cluster is not connected.
        ConfigurationError: while iterating: a worker cannot create a client with the settings.
        ExceptionGroup: after the last outcome, if there were `max_failures` failures.
        Exception: while iterating: of Dask, when the cluster is lost.

    Telnyx operation: CreateRoom.
    """
    return DaskJob(
        operation=create_rooms(on_lost_response),
        cluster=cluster,
        items=bodies,
        settings=settings,
        partition_size=partition_size,
        workers=workers,
        limit=limit,
        ordered=ordered,
        max_failures=max_failures,
    ).outcomes()


def update_many(
    cluster: Client,
    changes: Iterable[RoomUpdate] | AsyncIterable[RoomUpdate],
    *,
    settings: Settings,
    partition_size: int = _PARTITION_SIZE,
    workers: int | None = None,
    limit: int = 32,
    ordered: bool = False,
    max_failures: int | None = None,
) -> AsyncGenerator[Outcome[RoomUpdate, Room], None]:
    """Update rooms on all workers of a cluster, and yield the outcome of each.

    When a worker dies, the updates of its partition are sent again by another one.

    Args:
        cluster: connected client.
        changes: pairs of a room id and its new fields: ``(room_id, {"max_participants": 25})``.
        settings: settings of the client of each worker; see `create_many`.
        partition_size: items of a partition.
        workers: number of workers that share the rate limit; default: the number at the start.
        limit: maximum number of calls in flight on each worker.
        ordered: yield outcomes in the order of the changes.
        max_failures: number of failures after which no further partition starts.

    Raises:
        InvalidArgumentError: at the call: an argument is not valid, or the cluster is not connected.
        ConfigurationError: while iterating: a worker cannot create a client with the settings.
        ExceptionGroup: after the last outcome, if there were `max_failures` failures.
        Exception: while iterating: of Dask, when the cluster is lost.

    Telnyx operation: UpdateRoom.
    """
    return DaskJob(
        operation=UPDATE_ROOMS,
        cluster=cluster,
        items=changes,
        settings=settings,
        partition_size=partition_size,
        workers=workers,
        limit=limit,
        ordered=ordered,
        max_failures=max_failures,
    ).outcomes()


def delete_many(
    cluster: Client,
    ids: Iterable[RoomId] | AsyncIterable[RoomId],
    *,
    settings: Settings,
    partition_size: int = _PARTITION_SIZE,
    workers: int | None = None,
    limit: int = 32,
    ordered: bool = False,
    max_failures: int | None = None,
) -> AsyncGenerator[Outcome[RoomId, None], None]:
    """Delete rooms on all workers of a cluster, and yield the outcome of each.

    When a worker dies and its partition runs again, a room that no longer exists counts as deleted.

    Args:
        cluster: connected client.
        ids: ids of rooms, or rooms.
        settings: settings of the client of each worker; see `create_many`.
        partition_size: items of a partition.
        workers: number of workers that share the rate limit; default: the number at the start.
        limit: maximum number of calls in flight on each worker.
        ordered: yield outcomes in the order of the ids.
        max_failures: number of failures after which no further partition starts.

    Raises:
        InvalidArgumentError: at the call: an argument is not valid, or the cluster is not connected.
        ConfigurationError: while iterating: a worker cannot create a client with the settings.
        ExceptionGroup: after the last outcome, if there were `max_failures` failures.
        Exception: while iterating: of Dask, when the cluster is lost.

    Telnyx operation: DeleteRoom.
    """
    return DaskJob(
        operation=DELETE_ROOMS,
        cluster=cluster,
        items=ids,
        settings=settings,
        partition_size=partition_size,
        workers=workers,
        limit=limit,
        ordered=ordered,
        max_failures=max_failures,
    ).outcomes()


def end_many(
    cluster: Client,
    ids: Iterable[SessionId] | AsyncIterable[SessionId],
    *,
    settings: Settings,
    partition_size: int = _PARTITION_SIZE,
    workers: int | None = None,
    limit: int = 32,
    ordered: bool = False,
    max_failures: int | None = None,
) -> AsyncGenerator[Outcome[SessionId, None], None]:
    """End sessions on all workers of a cluster, and yield the outcome of each.

    When a worker dies and its partition runs again, a session that is no longer active counts as ended.

    Args:
        cluster: connected client.
        ids: ids of sessions, or sessions.
        settings: settings of the client of each worker; see `create_many`.
        partition_size: items of a partition.
        workers: number of workers that share the rate limit; default: the number at the start.
        limit: maximum number of calls in flight on each worker.
        ordered: yield outcomes in the order of the ids.
        max_failures: number of failures after which no further partition starts.

    Raises:
        InvalidArgumentError: at the call: an argument is not valid, or the cluster is not connected.
        ConfigurationError: while iterating: a worker cannot create a client with the settings.
        ExceptionGroup: after the last outcome, if there were `max_failures` failures.
        Exception: while iterating: of Dask, when the cluster is lost.

    Telnyx operation: EndSession.
    """
    return DaskJob(
        operation=END_SESSIONS,
        cluster=cluster,
        items=ids,
        settings=settings,
        partition_size=partition_size,
        workers=workers,
        limit=limit,
        ordered=ordered,
        max_failures=max_failures,
    ).outcomes()
