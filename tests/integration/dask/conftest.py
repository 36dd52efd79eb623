"""Clusters of Dask on this machine: of processes, and of workers that are all in this one."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from attrs import frozen
from distributed import Client, LocalCluster


@frozen
class Processes:
    """Three worker processes, and who looks after them."""

    cluster: Any

    @property
    def address(self) -> str:
        """Where its scheduler is."""
        return str(self.cluster.scheduler_address)

    async def kill_who_works(self, client: Any) -> None:
        """Kill a worker process that has a task in hand, as the system does when memory runs out."""
        busy = [address for address, keys in (await client.processing()).items() if keys]
        pids = await client.run(os.getpid, workers=busy[:1])
        os.kill(pids[busy[0]], signal.SIGKILL)


@pytest.fixture(scope="module")  # no longer: a worker that comes back tells of it in the logs of others
def processes() -> Iterator[Processes]:
    """Three worker processes with a thread each; one that dies is replaced."""
    # To silence its logs Dask would silence those that pytest catches.
    options: Any = {"dashboard_address": ":0", "silence_logs": False}
    with LocalCluster(n_workers=3, threads_per_worker=1, processes=True, **options) as cluster:
        yield Processes(cluster)


@pytest.fixture
async def client_of_processes(processes: Processes) -> AsyncIterator[Any]:
    """A client of theirs in the event loop of the test."""
    async with Client(processes.address, asynchronous=True) as client:
        await client.wait_for_workers(3)  # another test may have killed one
        yield client


@pytest.fixture
async def cluster() -> AsyncIterator[Any]:
    """A client of two workers with two threads each, all in this process."""
    options: Any = {"dashboard_address": ":0", "silence_logs": False}
    async with (
        LocalCluster(
            n_workers=2, threads_per_worker=2, processes=False, asynchronous=True, **options
        ) as local,
        Client(local, asynchronous=True) as client,
    ):
        yield client
