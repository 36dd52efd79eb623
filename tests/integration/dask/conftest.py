"""Dask clusters on this machine: one of processes, and one whose workers run in this process."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import dask.config
import pytest
from distributed import Client, LocalCluster

from telnyx_rooms_async import Settings
from telnyx_rooms_async.emulator import Emulator

# silence_logs: else Dask silences the logs that pytest captures.
_OPTIONS: dict[str, Any] = {"dashboard_address": ":0", "silence_logs": False}


@pytest.fixture(autouse=True, scope="module")
def _no_profiler() -> Iterator[None]:
    """Turn off Dask's profiler, which can deadlock older versions of CPython (gh-106883)."""
    with dask.config.set({"distributed.worker.profile.enabled": False}):
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
            n_workers=2, threads_per_worker=2, processes=False, asynchronous=True, **_OPTIONS
        ) as local,
        Client(local, asynchronous=True) as client,
    ):
        yield client


@pytest.fixture  # for each test: Dask does not always replace a worker that was killed
def processes(_no_profiler: None) -> Iterator[Any]:
    """A cluster of three worker processes with a thread each."""
    with LocalCluster(n_workers=3, threads_per_worker=1, processes=True, **_OPTIONS) as cluster:
        yield cluster


@pytest.fixture
async def process_client(processes: Any) -> AsyncIterator[Any]:
    """A client of the worker processes in the event loop of the test."""
    async with Client(processes.scheduler_address, asynchronous=True) as client:
        yield client


async def kill_busy_workers(client: Any, count: int | None = None) -> None:
    """Kill `count` worker processes with a running task, as the system does when memory runs out."""
    busy = [address for address, keys in (await client.processing()).items() if keys][:count]
    pids = await client.run(os.getpid, workers=busy)
    for pid in pids.values():
        os.kill(pid, signal.SIGKILL)
