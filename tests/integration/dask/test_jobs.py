"""The jobs of a fleet, on workers that are all in this process."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from functools import wraps
from inspect import isawaitable
from math import inf
from typing import Any

import pytest

from telnyx_rooms_async import ConfigurationError, InvalidArgumentError, RoomsClient, Settings, batch
from telnyx_rooms_async.emulator import Emulator, Fault
from telnyx_rooms_async.integrations import dask as fleet
from tests.helpers.dask_jobs import collect, collect_until_error, room_bodies


@pytest.fixture
def settings(telnyx: Emulator) -> Settings:
    """What leads a client to the emulator."""
    return Settings(api_key=telnyx.api_key, base_url=telnyx.url)


async def left_behind(cluster: Any) -> tuple[object, ...]:
    """Tell what a job has left on the cluster: crews, notes, and calls that go on."""
    scheduler = cluster.cluster.scheduler
    while scheduler.tasks:  # Dask hears of it a moment later
        await asyncio.sleep(0.01)
    crews = [
        name for worker in cluster.cluster.workers.values() for name in worker.plugins if "_many" in name
    ]
    notes = [key for key in scheduler.task_metadata if "_many" in key]
    rooms = ("fleet/crew.py", "batch/job.py")
    calls = [told for told in map(repr, asyncio.all_tasks()) if any(room in told for room in rooms)]
    return crews, notes, calls


NOTHING: tuple[object, ...] = ([], [], [])


async def test_all_kinds_of_jobs(cluster: Any, settings: Settings, telnyx: Emulator) -> None:
    """Rooms are created, updated and deleted and sessions ended, in the order of the input if asked."""
    jobs: dict[str, Any] = {"settings": settings, "partition_size": 3, "ordered": True}
    bodies = room_bodies(10)
    created = [each async for each in fleet.create_many(cluster, iter(bodies), **jobs)]
    assert [(each.index, each.item) for each in created] == list(enumerate(bodies))
    assert all(each.item is body for each, body in zip(created, bodies, strict=True))
    rooms = [each.unwrap() for each in created]
    changes: list[Any] = [(room.id, {"max_participants": 7}) for room in rooms]
    updated = [each.unwrap() async for each in fleet.update_many(cluster, changes, **jobs)]
    assert [(room.id, room.max_participants) for room in updated] == [(room.id, 7) for room in rooms]
    for room in rooms[:2]:
        telnyx.join(room.id, context="Alice")
    sessions = [str(room.active_session_id) for room in telnyx.rooms[:2]]
    ended = [each async for each in fleet.end_many(cluster, sessions, **jobs)]
    assert [(each.item, each.ok) for each in ended] == [(session, True) for session in sessions]
    deleted = [each async for each in fleet.delete_many(cluster, [room.id for room in rooms], **jobs)]
    assert [each.ok for each in deleted] == [True] * 10
    assert telnyx.rooms == ()
    assert await left_behind(cluster) == NOTHING


async def test_nothing_to_do(cluster: Any, settings: Settings) -> None:
    """Of no items there are no outcomes."""
    assert [each async for each in fleet.create_many(cluster, [], settings=settings)] == []


async def test_bad_items_are_failures(cluster: Any, settings: Settings, telnyx: Emulator) -> None:
    """An item that is wrong fails by itself; a room needs a name."""
    bodies: list[Any] = [{}, {"unique_name": "Weekly"}, 7, {"unique_name": "Weekly"}]
    outcomes = [each async for each in fleet.create_many(cluster, bodies, settings=settings, limit=1)]
    assert [str(each.error) for each in outcomes if isinstance(each, batch.Failed)][:2] == [
        "unique_name must be given: a resumed job finds rooms by name",
        "a room must be given by its fields, not 7",
    ]
    assert [(each.index, each.ok) for each in outcomes] == [(0, False), (1, True), (2, False), (3, False)]
    assert len(telnyx.rooms) == 1


async def test_failures_stop_it(cluster: Any, settings: Settings) -> None:
    """After so many failures nothing new begins, and their errors are told at the end."""
    taken = 0

    def without_end() -> Iterator[Any]:
        nonlocal taken
        while True:
            taken += 1
            yield {}

    options: dict[str, Any] = {"partition_size": 2, "limit": 2, "max_failures": 3}
    outcomes, error = await collect_until_error(
        fleet.create_many(cluster, without_end(), settings=settings, **options)
    )
    assert isinstance(error, ExceptionGroup)
    assert str(error).startswith("stopped after 3 failures")
    assert {id(each.error) for each in outcomes} == set(map(id, error.exceptions))
    assert 3 <= len(outcomes) <= taken <= 2 * (1 + 2 * 2 * (2 + 1))


@pytest.mark.parametrize("failure", [OSError("line 6"), ExceptionGroup("line 6", [OSError()])], ids=repr)
async def test_an_error_of_the_input(
    cluster: Any, settings: Settings, telnyx: Emulator, failure: Exception
) -> None:
    """What came before it is done and yielded; then it is raised."""

    async def source() -> AsyncIterator[Any]:
        for body in room_bodies(5):
            yield body
        raise failure

    outcomes, error = await collect_until_error(
        fleet.create_many(cluster, source(), settings=settings, partition_size=2)
    )
    assert error is failure
    assert sorted(each.index for each in outcomes) == [0, 1, 2, 3, 4]
    assert len(telnyx.rooms) == 5
    assert await left_behind(cluster) == NOTHING


async def test_a_loop_that_is_left(cluster: Any, settings: Settings, telnyx: Emulator) -> None:
    """What is in flight is cancelled on the workers, and nothing of the job is left there."""
    telnyx.script(Fault(), times=2)
    telnyx.script(Fault(delay=inf), times=None)
    async with aclosing(
        fleet.create_many(cluster, room_bodies(100), settings=settings, partition_size=2)
    ) as outcomes:
        async for _ in outcomes:
            break
    assert await left_behind(cluster) == NOTHING


async def test_a_partition_that_begins_as_the_job_is_left(
    cluster: Any, settings: Settings, telnyx: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a worker notes of its beginning is forgotten, although the job is left just then."""
    telnyx.script(Fault(), times=2)
    telnyx.script(Fault(delay=inf), times=None)
    handlers = cluster.cluster.scheduler.handlers
    for name, seconds in (("get_metadata", 0.1), ("unregister_worker_plugin", 0.3)):
        monkeypatch.setitem(handlers, name, late(handlers[name], seconds))
    job = fleet.create_many(cluster, room_bodies(100), settings=settings, partition_size=1)
    async with aclosing(job) as outcomes:
        await anext(outcomes)
    assert await left_behind(cluster) == NOTHING


def late(handle: Callable[..., Any], seconds: float) -> Callable[..., Any]:
    """Have the scheduler answer late."""

    @wraps(handle)  # Dask looks for what it takes
    async def handle_late(*args: Any, **options: Any) -> Any:
        await asyncio.sleep(seconds)
        told = handle(*args, **options)
        return await told if isawaitable(told) else told

    return handle_late


async def test_a_job_that_is_cancelled(cluster: Any, settings: Settings, telnyx: Emulator) -> None:
    """A cancelled job ends at once, and its source was pulled no further than it had to be."""
    telnyx.script(Fault(delay=inf), times=None)
    taken = 0

    def source() -> Iterator[Any]:
        nonlocal taken
        for taken, body in enumerate(room_bodies(10_000), 1):  # noqa: B007 - told below
            yield body

    async def run() -> None:
        async for _ in fleet.create_many(cluster, source(), settings=settings, partition_size=50):
            pass

    job = asyncio.create_task(run())
    while len(telnyx.requests) < 2 * 5:  # so many begin while nothing is known of a limit
        await asyncio.sleep(0.01)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert taken <= 2 * 2 * 50
    assert await left_behind(cluster) == NOTHING


async def test_a_job_that_somebody_ends(cluster: Any, settings: Settings, telnyx: Emulator) -> None:
    """A job that is taken from the workers is an error, and not an end without some of the outcomes."""
    telnyx.script(Fault(delay=inf), times=None)
    job = asyncio.ensure_future(
        collect_until_error(
            fleet.create_many(cluster, room_bodies(100), settings=settings, partition_size=50)
        )
    )
    while not telnyx.requests:
        await asyncio.sleep(0.01)
    for name in [name for name in cluster.cluster.scheduler.worker_plugins if "create_many" in name]:
        await cluster.unregister_worker_plugin(name)
    outcomes, error = await job
    assert (outcomes, type(error)) == ([], RuntimeError)
    assert "was taken from the workers" in str(error)


async def test_a_worker_that_is_sent_home(cluster: Any, settings: Settings, telnyx: Emulator) -> None:
    """What a worker has in hand when it is closed is done by another."""
    telnyx.script(Fault(delay=0.2), times=None)
    job = asyncio.ensure_future(
        collect(fleet.create_many(cluster, room_bodies(40), settings=settings, partition_size=5))
    )
    while len(telnyx.requests) < 2 * 5:
        await asyncio.sleep(0.01)
    await cluster.cluster.workers[0].close()
    outcomes = await job
    assert sorted(each.unwrap().unique_name for each in outcomes) == sorted(
        str(room.unique_name) for room in telnyx.rooms
    )
    assert len(telnyx.rooms) == len(outcomes) == 40


async def test_a_limit_holds_on_each_worker(cluster: Any, settings: Settings, telnyx: Emulator) -> None:
    """However many threads a worker has, no more are under way at once than the limit says."""
    telnyx.script(Fault(delay=inf), times=None)
    job = asyncio.ensure_future(
        anext(fleet.create_many(cluster, room_bodies(100), settings=settings, partition_size=3, limit=2))
    )
    while len(telnyx.requests) < 2 * 2:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert len(telnyx.requests) == 2 * 2
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job


async def test_the_key_is_that_of_the_worker(
    cluster: Any, telnyx: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a key in the settings that of the worker's environment counts; without any it is an error."""
    settings = Settings(base_url=telnyx.url)
    with pytest.raises(ConfigurationError, match="no API key"):
        await anext(fleet.create_many(cluster, room_bodies(1), settings=settings))
    monkeypatch.setenv("TELNYX_API_KEY", telnyx.api_key)
    outcome = await anext(fleet.create_many(cluster, room_bodies(1), settings=settings))
    assert outcome.ok


async def test_the_key_is_shown_nowhere(
    cluster: Any, telnyx: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """The key is in no log and no name, also when Dask tells of a task that failed."""
    settings = Settings(api_key="KEY0123CANARY", base_url=telnyx.url, share=7)
    with pytest.raises(ConfigurationError, match="share"):
        fleet.create_many(cluster, room_bodies(1), settings=settings)
    settings = Settings(api_key="KEY0123CANARY", base_url="http://example.com")
    names: list[str] = []

    def source() -> Iterator[Any]:
        for body in room_bodies(9):
            names.extend(map(repr, [*cluster.cluster.scheduler.tasks.items(), *cluster.futures.items()]))
            names.extend(repr(list(worker.plugins.items())) for worker in cluster.cluster.workers.values())
            yield body

    with caplog.at_level(logging.DEBUG), pytest.raises(ConfigurationError, match="in the clear"):
        await anext(fleet.create_many(cluster, source(), settings=settings, partition_size=1))
    assert "Compute Failed" in caplog.text
    assert any("create_many" in name for name in names)
    assert "CANARY" not in caplog.text + "".join(names)


async def test_workers_share_the_rate_limit(cluster: Any, telnyx: Emulator) -> None:
    """Each worker keeps to an equal part of what the settings allow the whole job, or of what is told."""
    shares: list[float] = []
    make = RoomsClient.from_settings

    def made(settings: Settings, **options: Any) -> RoomsClient:
        shares.append(settings.share)
        return make(settings, **options)

    settings = Settings(api_key=telnyx.api_key, base_url=telnyx.url, share=0.5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RoomsClient, "from_settings", made)
        for workers in (None, 5):
            async for _ in fleet.create_many(
                cluster, room_bodies(8), settings=settings, workers=workers, partition_size=1
            ):
                pass
    assert set(shares) == {0.25, 0.1}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"cluster": "tcp://localhost:8786"}, "the cluster must be a distributed.Client"),
        ({"items": "Weekly"}, "the items must be an iterable"),
        ({"settings": {}}, "settings must be Settings"),
        ({"partition_size": 0}, "partition_size must be a whole number"),
        ({"workers": 0}, "workers must be a whole number"),
        ({"limit": 1.5}, "limit must be a whole number"),
        ({"max_failures": True}, "max_failures must be a whole number"),
        ({"on_lost_response": "shrug"}, "on_lost_response must be one of"),
    ],
)
async def test_arguments_are_checked_at_the_call(
    cluster: Any, settings: Settings, options: dict[str, Any], told: str
) -> None:
    """What is wrong is told before anything is iterated."""
    given: dict[str, Any] = {"settings": settings, **options}
    place, items = given.pop("cluster", cluster), given.pop("items", [])
    with pytest.raises(InvalidArgumentError, match=told):
        fleet.create_many(place, items, **given)


async def test_a_cluster_that_is_left(cluster: Any, settings: Settings) -> None:
    """A client of Dask that is closed is refused."""
    await cluster.close()
    with pytest.raises(InvalidArgumentError, match="not connected"):
        fleet.create_many(cluster, [], settings=settings)


def test_without_the_extra_it_says_so() -> None:
    """Without Dask the error names the extra."""
    program = "import sys; sys.modules['distributed'] = None; import telnyx_rooms_async.integrations.dask"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "ImportError: a fleet needs Dask: pip install 'telnyx-rooms-async[dask]'" in told.stderr
