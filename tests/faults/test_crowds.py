"""Many calls at once, from a process of their own, in real time."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.helpers.fast_forward import FastForwardLoop
from tests.helpers.fault_case import check_secrets
from tests.helpers.fault_server import FaultServer, run_fault_server
from tests.helpers.server_faults import delay

SUPPORT = Path(__file__).parents[1] / "helpers"


async def crowd(server: FaultServer, calls: int, *, descriptors: int = 1024, attempts: int = 3) -> Any:
    """Let a crowd come, and return what it tells."""
    figures = map(str, (calls, descriptors, attempts))
    # Python that is being developed with takes more memory.
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDEVMODE"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", str(SUPPORT / "concurrent_calls.py"), server.url, *figures),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=own | {"PYTHONPATH": os.pathsep.join((str(SUPPORT), *filter(None, sys.path)))},
    )
    told, complaints = await process.communicate()
    check_secrets(f"{told!r}{complaints!r}")
    assert (process.returncode, complaints) == (0, b""), complaints.decode()
    return json.loads(told)


async def test_10_000_calls_at_once() -> None:
    """Against a server that takes 50 ms: at most 100 sockets, no error, under 200 MB."""
    async with run_fault_server(FastForwardLoop.real_time()) as server:
        server.inject_always(delay(0.05))
        told = await crowd(server, 10_000)
        assert told["types"] == {"Room": 10_000}, told
        assert len(server.requests) == 10_001
        assert server.most_open <= 100
        assert told["mib"] < 200
        assert server.open == 0


async def test_64_file_descriptors() -> None:
    """Who has no more of them gets a ConnectError, not an OSError; and the client goes on."""
    async with run_fault_server(FastForwardLoop.real_time()) as server:
        server.inject_always(delay(0.05))
        told = await crowd(server, 1000, descriptors=64, attempts=1)
        assert set(told["types"]) == {"Room", "ConnectError"}, told
        assert told["after"] == "Room"
        assert server.most_open <= 64
        assert server.open == 0


async def test_64_file_descriptors_and_patience() -> None:
    """With the attempts that are usual, every call fails so or succeeds, and the client goes on."""
    async with run_fault_server(FastForwardLoop.real_time()) as server:
        server.inject_always(delay(0.05))
        told = await crowd(server, 1000, descriptors=64)
        assert set(told["types"]) <= {"Room", "ConnectError"}, told
        assert told["after"] == "Room"
        assert len(server.requests) <= 1001
