"""Processes that tests interrupt or kill, and what of them arrived at the emulator."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Final

from telnyx_rooms_async.emulator import Emulator, Fault

MAIN: Final = "from telnyx_rooms_async.__main__ import main; main()"
# A test run in the background may hand down a SIGINT that is ignored.
INTERRUPTIBLE: Final = (
    sys.executable,
    "-c",
    f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {MAIN}",
)
_IMPORT: Final = """
import asyncio, sys
from telnyx_rooms_async import RoomsClient
from telnyx_rooms_async.batch import Journal

async def main(path, count):
    bodies = [{"unique_name": f"Room {number}", "max_participants": 7} for number in range(count)]
    async with RoomsClient() as client:
        await client.rooms.create_many(bodies, concurrency=64, journal=Journal(path))

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for another process, for at most two minutes."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "the condition never held"
        time.sleep(0.01)


def count_creates(telnyx: Emulator) -> int:
    """Count the requests that would create a room."""
    return sum(request.method == "POST" for request in telnyx.requests)


def inject_random_faults(telnyx: Emulator, random: Random, share: float) -> None:
    """Let a share of all creations meet each of five faults."""
    faults = (
        Fault(cut="before"),
        Fault(cut="after", reset=True),
        Fault(status=429, retry_after=0),
        Fault(status=503),
        Fault(status=503, after=True),
    )
    for fault in faults:
        telnyx.inject(fault, operation="CreateRoom", times=None, when=lambda _: random.random() < share)


@asynccontextmanager
async def importer_process(
    telnyx: Emulator, journal: Path, count: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start a process that imports rooms with a journal, and kill it at the end if it still runs."""
    variables = {"TELNYX_API_KEY": telnyx.api_key, "TELNYX_BASE_URL": telnyx.url}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _IMPORT, str(journal), str(count)), env=os.environ | variables
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
