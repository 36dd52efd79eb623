"""Bulk operations on Dask clusters: one whose workers run in this process, and one of worker processes."""

import asyncio
import logging
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from functools import wraps
from inspect import isawaitable
from math import inf
from threading import Event
from typing import Any

import pytest
from dask import config
from distributed import Client, LocalCluster

from telnyx_rooms_async import (
    ConfigurationError,
    InvalidArgumentError,
    OutcomeUnknownError,
    RoomFields,
    RoomsClient,
    Settings,
)
from telnyx_rooms_async.emulator import Emulator, Fault
from telnyx_rooms_async.integrations import dask
from telnyx_rooms_async.integrations.dask.job import JobPlugin
from tests.helpers.clocks import wait_until
from tests.helpers.connect_proxy import BASE_URL, ConnectProxy
from tests.helpers.fault_server import FaultServer
from tests.helpers.room_store import SECRET_KEY

CLUSTER_OPTIONS: dict[str, Any] = {
    "dashboard_address": ":0",
    "silence_logs": False,  # else Dask silences the logs that pytest captures
}


@pytest.fixture(autouse=True, scope="module")
def _no_profiler() -> Iterator[None]:
    """Turn off Dask's profiler, which can deadlock older versions of CPython (gh-106883)."""
    with config.set({"distributed.worker.profile.enabled": False}):
        yield


@pytest.fixture
def settings(telnyx: Emulator) -> Settings:
    """Settings of a client of the emulator."""
    return Settings(api_key=telnyx.api_key, base_url=telnyx.url)


@pytest.fixture
async def cluster() -> AsyncIterator[Any]:
    """A client of two workers with two threads each, all in this process."""
    async with (
        LocalCluster(
            n_workers=2, threads_per_worker=2, processes=False, asynchronous=True, **CLUSTER_OPTIONS
        ) as local,
        Client(local, asynchronous=True) as client,
    ):
        yield client


def room_bodies(count: int) -> list[RoomFields]:
    """Make bodies of rooms with different names."""
    return [{"unique_name": f"Room {number}"} for number in range(count)]


async def collect(job: AsyncIterator[Any]) -> list[Any]:
    """Collect the outcomes of a job."""
    return [outcome async for outcome in job]


async def collect_until_error(job: AsyncIterator[Any]) -> tuple[list[Any], Exception]:
    """Collect the outcomes of a job that raises, and its error."""
    outcomes: list[Any] = []
    try:
        async for outcome in job:
            outcomes.append(outcome)  # noqa: PERF401 - a comprehension would lose them to the error
    except Exception as error:  # noqa: BLE001 - returned to the test
        return outcomes, error
    raise AssertionError("the job ended without an error")


async def wait_for_requests(telnyx: Emulator, count: int) -> None:
    """Wait until the workers have sent a number of requests."""
    await wait_until(lambda: len(telnyx.requests) >= count)


async def assert_nothing_left(cluster: Any) -> None:
    """Assert that the cluster has no plugin, no metadata and no running call of a job."""
    scheduler = cluster.cluster.scheduler
    while scheduler.tasks:  # Dask notices a moment later
        await asyncio.sleep(0.01)
    for worker in cluster.cluster.workers.values():
        assert [name for name in worker.plugins if "_many" in name] == []
    assert [key for key in scheduler.task_metadata if "_many" in key] == []
    modules = ("dask/job.py", "batch/streams.py")
    assert [task for task in map(repr, asyncio.all_tasks()) if any(name in task for name in modules)] == []


async def test_all_operations(cluster: Any, settings: Settings, telnyx: Emulator) -> None:
    options: dict[str, Any] = {"settings": settings, "partition_size": 3, "ordered": True}
    bodies = room_bodies(10)
    created = await collect(dask.create_many(cluster, iter(bodies), **options))
    assert [(outcome.index, outcome.item) for outcome in created] == list(enumerate(bodies))
    assert all(outcome.item is body for outcome, body in zip(created, bodies, strict=True))
    rooms = [outcome.unwrap() for outcome in created]

    changes: list[Any] = [(room.id, {"max_participants": 7}) for room in rooms]
    updated = await collect(dask.update_many(cluster, changes, **options))
    assert [outcome.unwrap().max_participants for outcome in updated] == [7] * 10

    for room in rooms[:2]:
        telnyx.join(room.id, context="Alice")
    sessions = [str(room.active_session_id) for room in telnyx.rooms[:2]]
    ended = await collect(dask.end_many(cluster, sessions, **options))
    assert [(outcome.item, outcome.ok) for outcome in ended] == [(session, True) for session in sessions]

    deleted = await dask.delete_many(cluster, [room.id for room in rooms], **options)
    assert (len(deleted.done), deleted.failed, telnyx.rooms) == (10, (), ())
    assert await collect(dask.create_many(cluster, [], settings=settings)) == []
    await assert_nothing_left(cluster)


async def test_invalid_items_fail_separately(cluster: Any, settings: Settings, telnyx: Emulator) -> None:
    bodies: list[Any] = [{}, {"unique_name": "Weekly"}, 7, {"unique_name": "Weekly"}]
    outcomes = await collect(dask.create_many(cluster, bodies, settings=settings, concurrency=1))
    assert [outcome.index for outcome in outcomes if outcome.ok] == [1]
    assert "unique_name must be given" in str(outcomes[0].error)
    assert isinstance(outcomes[2].error, InvalidArgumentError)
    assert len(telnyx.rooms) == 1


async def test_job_stops_after_max_failures(cluster: Any, settings: Settings) -> None:
    taken = 0

    def endless() -> Iterator[Any]:
        nonlocal taken
        while True:
            taken += 1
            yield {}

    options: dict[str, Any] = {"partition_size": 2, "concurrency": 2, "max_failures": 3}
    outcomes, error = await collect_until_error(
        dask.create_many(cluster, endless(), settings=settings, **options)
    )
    assert isinstance(error, ExceptionGroup)
    assert {id(outcome.error) for outcome in outcomes} == set(map(id, error.exceptions))
    assert 3 <= len(outcomes) <= taken <= 2 * (1 + 2 * 2 * (2 + 1))


@pytest.mark.parametrize("failure", [OSError("line 6"), ExceptionGroup("line 6", [OSError()])], ids=repr)
async def test_error_of_the_source_is_raised_after_the_items_before_it(
    cluster: Any, settings: Settings, telnyx: Emulator, failure: Exception
) -> None:
    async def source() -> AsyncIterator[Any]:
        for body in room_bodies(5):
            yield body
        raise failure

    outcomes, error = await collect_until_error(
        dask.create_many(cluster, source(), settings=settings, partition_size=2)
    )
    assert error is failure
    assert sorted(outcome.index for outcome in outcomes) == [0, 1, 2, 3, 4]
    assert len(telnyx.rooms) == 5
    await assert_nothing_left(cluster)


@pytest.mark.parametrize(
    "delays",
    [{}, {"get_metadata": 0.1, "unregister_worker_plugin": 0.3}],
    ids=["", "while a partition starts"],
)
async def test_break_cancels_calls_and_leaves_nothing_on_the_cluster(
    cluster: Any,
    settings: Settings,
    telnyx: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    delays: dict[str, float],
) -> None:
    telnyx.inject(Fault(), times=2)
    telnyx.inject(Fault(delay=inf), times=None)
    handlers = cluster.cluster.scheduler.handlers
    for name, seconds in delays.items():
        monkeypatch.setitem(handlers, name, delayed(handlers[name], seconds))
    job = dask.create_many(cluster, room_bodies(100), settings=settings, partition_size=1 if delays else 2)
    async with aclosing(job) as outcomes:
        await anext(outcomes)
    await assert_nothing_left(cluster)


def delayed(handle: Callable[..., Any], seconds: float) -> Callable[..., Any]:
    @wraps(handle)  # Dask inspects the parameters
    async def handle_later(*args: Any, **options: Any) -> Any:
        await asyncio.sleep(seconds)
        result = handle(*args, **options)
        return await result if isawaitable(result) else result

    return handle_later


async def test_cancelled_job_ends_at_once_and_reads_its_source_lazily(
    cluster: Any, settings: Settings, telnyx: Emulator
) -> None:
    telnyx.inject(Fault(delay=inf), times=None)
    taken = 0

    def source() -> Iterator[Any]:
        nonlocal taken
        for taken, body in enumerate(room_bodies(10_000), 1):  # noqa: B007 - read below
            yield body

    job = asyncio.create_task(
        collect(dask.create_many(cluster, source(), settings=settings, partition_size=50))
    )
    await wait_for_requests(telnyx, 2 * 5)  # the calls that start before the rate limit is known
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert taken <= 2 * 2 * 50
    await assert_nothing_left(cluster)


async def test_plugin_removed_by_another_client_is_an_error(
    cluster: Any, settings: Settings, telnyx: Emulator
) -> None:
    telnyx.inject(Fault(delay=inf), times=None)
    job = asyncio.ensure_future(
        collect_until_error(dask.create_many(cluster, room_bodies(100), settings=settings))
    )
    await wait_for_requests(telnyx, 1)
    for name in [name for name in cluster.cluster.scheduler.worker_plugins if "create_many" in name]:
        await cluster.unregister_worker_plugin(name)
    outcomes, error = await job
    assert outcomes == []
    assert isinstance(error, RuntimeError)
    assert "was removed from the workers" in str(error)


async def test_partition_that_starts_after_the_end_of_the_job_sends_nothing(
    cluster: Any, settings: Settings, telnyx: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, is_running, is_over, results = JobPlugin.run, Event(), Event(), list[object]()

    def run_late(plugin: JobPlugin[Any, Any], partition: Any) -> object:
        is_running.set()
        is_over.wait()
        results.append(run(plugin, partition))
        return results[-1]

    monkeypatch.setattr(JobPlugin, "run", run_late)
    job = asyncio.ensure_future(collect(dask.create_many(cluster, room_bodies(1), settings=settings)))
    await asyncio.to_thread(is_running.wait)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    is_over.set()
    await wait_until(lambda: bool(results))
    assert (results, telnyx.requests) == ([None], [])


async def test_limit_holds_for_all_threads_of_a_worker(
    cluster: Any, settings: Settings, telnyx: Emulator
) -> None:
    telnyx.inject(Fault(delay=inf), times=None)
    job = asyncio.ensure_future(
        collect(
            dask.create_many(cluster, room_bodies(100), settings=settings, partition_size=3, concurrency=2)
        )
    )
    await wait_for_requests(telnyx, 2 * 2)
    await asyncio.sleep(0.1)
    assert len(telnyx.requests) == 2 * 2
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job


async def test_worker_without_a_key_in_settings_uses_its_environment(
    cluster: Any, telnyx: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(base_url=telnyx.url)
    with pytest.raises(ConfigurationError, match="no API key"):
        await anext(dask.create_many(cluster, room_bodies(1), settings=settings))
    monkeypatch.setenv("TELNYX_API_KEY", telnyx.api_key)
    outcome = await anext(dask.create_many(cluster, room_bodies(1), settings=settings))
    assert outcome.ok


async def test_key_is_in_no_log_and_no_name(cluster: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(api_key="KEY0123CANARY", base_url="http://example.com")
    names: list[str] = []

    def source() -> Iterator[Any]:
        for body in room_bodies(9):
            names.extend(map(repr, [*cluster.cluster.scheduler.tasks.items(), *cluster.futures.items()]))
            names.extend(repr(list(worker.plugins.items())) for worker in cluster.cluster.workers.values())
            yield body

    with caplog.at_level(logging.DEBUG), pytest.raises(ConfigurationError):
        await anext(dask.create_many(cluster, source(), settings=settings, partition_size=1))
    assert "Compute Failed" in caplog.text
    assert any("create_many" in name for name in names)
    assert "CANARY" not in caplog.text + "".join(names)


@pytest.mark.parametrize(("workers", "share"), [(None, 0.25), (5, 0.1)])
async def test_workers_divide_the_rate_limit(
    cluster: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch, workers: int | None, share: float
) -> None:
    shares: set[float] = set()
    from_settings = RoomsClient.from_settings

    def recorded(settings: Settings, **options: Any) -> RoomsClient:
        shares.add(settings.rate_limit_share)
        return from_settings(settings, **options)

    monkeypatch.setattr(RoomsClient, "from_settings", recorded)
    half = Settings(api_key=settings.api_key, base_url=settings.base_url, rate_limit_share=0.5)
    await collect(dask.create_many(cluster, room_bodies(8), settings=half, workers=workers, partition_size=1))
    assert shares == {share}


INVALID: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"cluster": "tcp://localhost:8786"}, InvalidArgumentError, "cluster must be a distributed.Client"),
    ({"items": "Weekly"}, InvalidArgumentError, "the items must be an iterable"),
    ({"settings": {}}, InvalidArgumentError, "settings must be a Settings"),
    ({"settings": Settings(rate_limit_share=7)}, ConfigurationError, "share"),
    ({"partition_size": 0}, InvalidArgumentError, "partition_size must be a whole number"),
    ({"workers": 0}, InvalidArgumentError, "workers must be a whole number"),
    ({"concurrency": 1.5}, InvalidArgumentError, "concurrency must be a whole number"),
    ({"max_failures": True}, InvalidArgumentError, "max_failures must be a whole number"),
    ({"on_lost_response": "shrug"}, InvalidArgumentError, "on_lost_response must be one of"),
]


async def test_arguments_are_checked_at_the_call(cluster: Any, settings: Settings) -> None:
    for options, error, message in INVALID:  # without a cluster for each
        arguments: dict[str, Any] = {"cluster": cluster, "items": [], "settings": settings, **options}
        with pytest.raises(error, match=message):
            _ = dask.create_many(arguments.pop("cluster"), arguments.pop("items"), **arguments)
    await cluster.close()
    with pytest.raises(InvalidArgumentError, match="connected"):
        _ = dask.create_many(cluster, [], settings=settings)


# --- worker processes, some of which are killed -------------------------------------------------------------


@pytest.fixture(scope="module")
def processes(_no_profiler: None) -> Iterator[Any]:
    """Four worker processes with a thread each: Dask does not always replace one that a test has killed."""
    with LocalCluster(n_workers=4, threads_per_worker=1, processes=True, **CLUSTER_OPTIONS) as cluster:
        yield cluster


@pytest.fixture
async def process_client(processes: Any) -> AsyncIterator[Any]:
    """A client of the worker processes in the event loop of the test."""
    async with Client(processes.scheduler_address, asynchronous=True) as client:
        yield client


async def kill_busy_worker(client: Any) -> None:
    """Kill a worker process with a running task, as the system does when memory runs out."""
    busy: list[str] = []
    while not busy:  # the scheduler may move a task at that moment
        busy = [address for address, keys in (await client.processing()).items() if keys]
    pids = await client.run(os.getpid, workers=busy[:1])
    os.kill(pids[busy[0]], signal.SIGKILL)


async def test_synchronous_client_works_and_stays_open(processes: Any, settings: Settings) -> None:
    with Client(processes.scheduler_address, set_as_default=False) as client:
        outcomes = await collect(dask.create_many(client, room_bodies(3), settings=settings))
        assert client.status == "running"
    assert [outcome.ok for outcome in outcomes] == [True] * 3


async def test_workers_use_the_certificates_and_the_proxy_of_the_settings(
    process_client: Any,
    strict_server: FaultServer,
    proxy: ConnectProxy,
    options: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = Settings(api_key=SECRET_KEY, base_url=BASE_URL, **options)
    outcomes = await collect(dask.create_many(process_client, room_bodies(6), settings=settings))
    assert [outcome.ok for outcome in outcomes] == [True] * 6
    assert strict_server.store.made == 6
    assert set(proxy.targets) == {"api.telnyx.test:443"}
    assert "pa55word" not in caplog.text


def assert_each_room_exists_once(telnyx: Emulator, count: int) -> None:
    assert len({room.unique_name for room in telnyx.rooms}) == len(telnyx.rooms) == count


async def test_each_room_is_created_once_although_a_worker_is_killed(
    process_client: Any, settings: Settings, telnyx: Emulator
) -> None:
    telnyx.inject(Fault(after=True, delay=inf), operation="CreateRoom")  # holds up one partition
    bodies, outcomes = room_bodies(90), list[Any]()
    async for outcome in dask.create_many(process_client, bodies, settings=settings, partition_size=15):
        outcomes.append(outcome)
        if len(outcomes) == 75:  # all but the partition that is held up
            await kill_busy_worker(process_client)
    outcomes.sort(key=lambda outcome: outcome.index)
    assert [outcome.index for outcome in outcomes] == list(range(90))
    assert [outcome.unwrap().unique_name for outcome in outcomes] == [body["unique_name"] for body in bodies]
    assert [outcome.item for outcome in outcomes] == bodies
    assert_each_room_exists_once(telnyx, 90)


async def test_rooms_created_by_a_killed_worker_are_found(
    process_client: Any, settings: Settings, telnyx: Emulator
) -> None:
    telnyx.inject(Fault(after=True, delay=inf), operation="CreateRoom", times=3)
    job = asyncio.ensure_future(
        collect(dask.create_many(process_client, room_bodies(4), settings=settings, concurrency=3))
    )
    await wait_for_requests(telnyx, 3)
    await kill_busy_worker(process_client)
    assert {outcome.unwrap() for outcome in await job} == set(telnyx.rooms)
    assert_each_room_exists_once(telnyx, 4)
    assert Counter(request.method for request in telnyx.requests) == {"POST": 4, "GET": 4}


async def test_rooms_deleted_by_a_killed_worker_count_as_deleted(
    process_client: Any, settings: Settings, telnyx: Emulator
) -> None:
    telnyx.seed(3)
    ids = [room.id for room in telnyx.rooms]
    telnyx.inject(Fault(after=True, delay=inf), operation="DeleteRoom", times=3)
    job = asyncio.ensure_future(collect(dask.delete_many(process_client, ids, settings=settings)))
    await wait_for_requests(telnyx, 3)
    await kill_busy_worker(process_client)
    assert [outcome.ok for outcome in await job] == [True] * 3
    # In a partition that runs for the first time, a missing room is a failure.
    again = await collect(dask.delete_many(process_client, ids, settings=settings))
    assert [outcome.ok for outcome in again] == [False] * 3


async def test_outcome_of_a_partition_that_kills_workers_is_unknown(
    processes: Any,
    process_client: Any,
    settings: Settings,
    telnyx: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes.scheduler, "allowed_failures", 0)
    telnyx.inject(Fault(delay=inf), times=None)
    job = asyncio.ensure_future(
        collect_until_error(
            dask.create_many(
                process_client, room_bodies(2), settings=settings, max_failures=2, partition_size=2
            )
        )
    )
    await wait_for_requests(telnyx, 2)
    await kill_busy_worker(process_client)
    outcomes, error = await job
    assert isinstance(error, ExceptionGroup)
    for number, outcome in enumerate(outcomes):
        assert isinstance(outcome.error, OutcomeUnknownError)
        assert (outcome.error.operation, outcome.error.unique_name) == ("CreateRoom", f"Room {number}")
    assert len(outcomes) == 2
