"""Thousands of concurrent calls of another process, in real time."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.helpers.clocks import wait_until
from tests.helpers.fault_case import check_secrets
from tests.helpers.fault_server import FaultServer
from tests.helpers.faults import delay
from tests.helpers.raw_server import running

PROGRAM = Path(__file__).parents[1] / "helpers" / "concurrent_calls.py"


async def call_concurrently(
    server: FaultServer, calls: int, *, descriptors: int = 1024, attempts: int = 3
) -> Any:
    """Run the program, and return what it prints."""
    arguments = map(str, (calls, descriptors, attempts))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", str(PROGRAM), server.url, *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    output, errors = await process.communicate()
    check_secrets(f"{output!r}{errors!r}")
    assert (process.returncode, errors) == (0, b""), errors.decode()
    await wait_until(lambda: server.open_connections == 0)
    return json.loads(output)


async def test_5_000_concurrent_calls_use_100_connections_and_less_than_150_mb() -> None:
    async with running(FaultServer()) as server:
        server.inject_always(delay(0.02))
        result = await call_concurrently(server, 5_000)
    assert result["types"] == {"Room": 5_000}, result
    assert len(server.requests) == 5_001
    assert server.most_open <= 100
    assert result["mib"] < 150


async def test_calls_without_a_free_file_descriptor_raise_connect_error() -> None:
    async with running(FaultServer()) as server:
        server.inject_always(delay(0.05))
        result = await call_concurrently(server, 1000, descriptors=64, attempts=1)
    assert set(result["types"]) == {"Room", "ConnectError"}, result
    assert result["after"] == "Room"
    assert server.most_open <= 64
