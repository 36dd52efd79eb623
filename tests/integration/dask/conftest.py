"""A Dask cluster whose workers run in this process."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import dask.config
import pytest
from distributed import Client, LocalCluster

from telnyx_rooms_async import Settings
from telnyx_rooms_async.emulator import Emulator

CLUSTER_OPTIONS: dict[str, Any] = {
    "dashboard_address": ":0",
    "silence_logs": False,  # else Dask silences the logs that pytest captures
}


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
            n_workers=2, threads_per_worker=2, processes=False, asynchronous=True, **CLUSTER_OPTIONS
        ) as local,
        Client(local, asynchronous=True) as client,
    ):
        yield client
