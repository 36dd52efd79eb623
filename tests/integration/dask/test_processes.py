"""Bulk operations on worker processes with one account, some of which are killed."""

import asyncio
import logging
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from math import inf
from typing import Any

import pytest
from distributed import Client, LocalCluster

from telnyx_rooms_async import OutcomeUnknownError, Settings
from telnyx_rooms_async.emulator import Emulator, Fault
from telnyx_rooms_async.integrations import dask
from tests.helpers.connect_proxy import BASE_URL, ConnectProxy
from tests.helpers.dask_jobs import collect, collect_until_error, room_bodies, wait_for_requests
from tests.helpers.fault_server import FaultServer
from tests.helpers.room_store import SECRET_KEY
from tests.integration.dask.conftest import CLUSTER_OPTIONS


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
    busy = next(address for address, keys in (await client.processing()).items() if keys)
    pids = await client.run(os.getpid, workers=[busy])
    os.kill(pids[busy], signal.SIGKILL)


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


def rooms_per_name(telnyx: Emulator) -> list[int]:
    return list(Counter(room.unique_name for room in telnyx.rooms).values())


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
    assert rooms_per_name(telnyx) == [1] * 90


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
    assert rooms_per_name(telnyx) == [1] * 4
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
