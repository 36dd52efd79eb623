"""Bulk operations on three worker processes with one account, some of which are killed."""

import asyncio
from collections import Counter
from math import inf
from typing import Any

import pytest
from distributed import Client

from telnyx_rooms_async import OutcomeUnknownError, Settings
from telnyx_rooms_async.emulator import Emulator, Fault
from telnyx_rooms_async.integrations import dask
from tests.helpers.connect_proxy import BASE_URL, ConnectProxy
from tests.helpers.dask_jobs import collect, collect_until_error, room_bodies, wait_for_requests
from tests.helpers.fault_server import FaultServer
from tests.helpers.room_store import SECRET_KEY
from tests.integration.dask.conftest import kill_busy_workers


def rooms_per_name(telnyx: Emulator) -> list[int]:
    return list(Counter(room.unique_name for room in telnyx.rooms).values())


async def test_each_room_is_created_once_although_a_worker_is_killed(
    process_client: Any, settings: Settings, telnyx: Emulator
) -> None:
    telnyx.inject(Fault(after=True, delay=inf), operation="CreateRoom")  # holds up one worker
    bodies, outcomes = room_bodies(300), list[Any]()
    async for outcome in dask.create_many(process_client, bodies, settings=settings, partition_size=15):
        outcomes.append(outcome)
        if len(outcomes) == 100:
            await kill_busy_workers(process_client)
    outcomes.sort(key=lambda outcome: outcome.index)
    assert [outcome.index for outcome in outcomes] == list(range(300))
    assert [outcome.unwrap().unique_name for outcome in outcomes] == [body["unique_name"] for body in bodies]
    assert [outcome.item for outcome in outcomes] == bodies
    assert rooms_per_name(telnyx) == [1] * 300


async def test_rooms_created_by_a_killed_worker_are_found(
    process_client: Any, settings: Settings, telnyx: Emulator
) -> None:
    telnyx.inject(Fault(after=True, delay=inf), operation="CreateRoom", times=3)
    job = asyncio.ensure_future(
        collect(dask.create_many(process_client, room_bodies(4), settings=settings, concurrency=3))
    )
    await wait_for_requests(telnyx, 3)
    await kill_busy_workers(process_client, 1)
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
    await kill_busy_workers(process_client, 1)
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
    await kill_busy_workers(process_client, 1)
    outcomes, error = await job
    assert isinstance(error, ExceptionGroup)
    for number, outcome in enumerate(outcomes):
        assert isinstance(outcome.error, OutcomeUnknownError)
        assert (outcome.error.operation, outcome.error.unique_name) == ("CreateRoom", f"Room {number}")
    assert len(outcomes) == 2


async def test_synchronous_client_works_and_stays_open(processes: Any, settings: Settings) -> None:
    with Client(processes.scheduler_address, set_as_default=False) as client:
        outcomes = await collect(dask.create_many(client, room_bodies(3), settings=settings))
        assert client.status == "running"
    assert [outcome.ok for outcome in outcomes] == [True] * 3


async def test_workers_use_the_certificates_and_the_proxy_of_the_settings(
    process_client: Any, strict_server: FaultServer, proxy: ConnectProxy, options: dict[str, Any]
) -> None:
    settings = Settings(api_key=SECRET_KEY, base_url=BASE_URL, **options)
    bodies = ({"unique_name": f"Room {number}"} for number in range(6))
    outcomes = [outcome async for outcome in dask.create_many(process_client, bodies, settings=settings)]
    assert [outcome.ok for outcome in outcomes] == [True] * 6
    assert strict_server.store.made == 6
    assert set(proxy.targets) == {"api.telnyx.test:443"}
