"""A fleet of three worker processes on one account, of which some are killed."""

import asyncio
from collections import Counter
from math import inf
from typing import Any

import pytest
from distributed import Client

from telnyx_rooms_async import OutcomeUnknownError, Settings, batch
from telnyx_rooms_async.emulator import Emulator, Fault
from telnyx_rooms_async.integrations import dask as fleet
from tests.helpers.dask_jobs import collect, collect_until_error, room_bodies


def settings_for(telnyx: Emulator) -> Settings:
    """Lead a client to it."""
    return Settings(api_key=telnyx.api_key, base_url=telnyx.url)


def times_made(telnyx: Emulator) -> list[int]:
    """Tell how often there is a room of each name."""
    return list(Counter(room.unique_name for room in telnyx.rooms).values())


async def until(count: int, telnyx: Emulator) -> None:
    """Wait for so many requests."""
    while len(telnyx.requests) < count:
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("is_killed", [False, True], ids=["", "one is killed"])
async def test_three_processes_share_an_account(
    processes: Any, client_of_processes: Any, telnyx: Emulator, *, is_killed: bool
) -> None:
    """Each room is made once and none fails, also when a worker process is killed in the middle."""
    telnyx.limit(100, seconds=1)
    bodies, outcomes = room_bodies(300), list[Any]()
    job = fleet.create_many(client_of_processes, bodies, settings=settings_for(telnyx), partition_size=15)
    async for outcome in job:
        outcomes.append(outcome)
        if is_killed and len(outcomes) == 100:
            await processes.kill_who_works(client_of_processes)
    outcomes.sort(key=lambda each: each.index)
    assert [each.index for each in outcomes] == list(range(300))
    assert [each.unwrap().unique_name for each in outcomes] == [body["unique_name"] for body in bodies]
    assert [each.item for each in outcomes] == bodies
    assert times_made(telnyx) == [1] * 300


async def test_what_a_dead_worker_made_is_adopted(
    processes: Any, client_of_processes: Any, telnyx: Emulator
) -> None:
    """Rooms that a killed worker had made are found by another one, and not made again."""
    telnyx.script(Fault(after=True, delay=inf), operation="CreateRoom", times=3)
    job = fleet.create_many(client_of_processes, room_bodies(4), settings=settings_for(telnyx), limit=3)
    result = asyncio.ensure_future(collect(job))
    await until(3, telnyx)
    await processes.kill_who_works(client_of_processes)
    outcomes = await result
    assert {each.unwrap() for each in outcomes} == set(telnyx.rooms)
    assert times_made(telnyx) == [1] * 4
    assert Counter(request.method for request in telnyx.requests) == {"POST": 4, "GET": 4}


async def test_what_a_dead_worker_deleted_is_done(
    processes: Any, client_of_processes: Any, telnyx: Emulator
) -> None:
    """A room that is gone when its partition is run again has been deleted; at first it would be an error."""
    telnyx.seed(3)
    ids = [room.id for room in telnyx.rooms]
    telnyx.script(Fault(after=True, delay=inf), operation="DeleteRoom", times=3)
    job = fleet.delete_many(client_of_processes, ids, settings=settings_for(telnyx))
    result = asyncio.ensure_future(collect(job))
    await until(3, telnyx)
    await processes.kill_who_works(client_of_processes)
    assert [each.ok for each in await result] == [True] * 3
    again = await collect(fleet.delete_many(client_of_processes, ids, settings=settings_for(telnyx)))
    assert [each.ok for each in again] == [False] * 3


async def test_what_kills_workers_is_given_up(
    processes: Any, client_of_processes: Any, telnyx: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A partition that Dask runs no more is failures of which nobody knows how far they came."""
    monkeypatch.setattr(processes.cluster.scheduler, "allowed_failures", 0)
    telnyx.script(Fault(delay=inf), times=None)
    job = fleet.create_many(
        client_of_processes, room_bodies(2), settings=settings_for(telnyx), max_failures=2, partition_size=2
    )
    result = asyncio.ensure_future(collect_until_error(job))
    await until(2, telnyx)
    await processes.kill_who_works(client_of_processes)
    outcomes, error = await result
    assert str(error) == "stopped after 2 failures (2 sub-exceptions)"
    errors = [each.error for each in outcomes if isinstance(each, batch.Failed)]
    assert all(isinstance(each, OutcomeUnknownError) for each in errors)
    assert [str(each) for each in errors] == [
        f"CreateRoom may or may not have been carried out; look for unique_name 'Room {number}' "
        "before trying again"
        for number in range(2)
    ]


async def test_a_client_without_a_loop_will_do(processes: Any, telnyx: Emulator) -> None:
    """A synchronous client of Dask leads to its cluster, and stays open."""
    with Client(processes.address, set_as_default=False) as client:
        outcomes = await collect(fleet.create_many(client, room_bodies(3), settings=settings_for(telnyx)))
        assert client.status == "running"
    assert [each.ok for each in outcomes] == [True] * 3
