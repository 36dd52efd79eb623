"""Processes that tests interrupt or kill, and what of them arrived at the emulator."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Final

from attrs import define, frozen

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
    bodies = ({"unique_name": f"Room {number}", "max_participants": 7} for number in range(count))
    journal, failed, done = Journal(path), 0, 0
    async with RoomsClient() as client:
        async for outcome in client.rooms.create_many(bodies, concurrency=64, journal=journal):
            done += outcome.ok
            failed += not outcome.ok
            if not outcome.ok:
                print(repr(outcome.error), file=sys.stderr)
    print(journal.skipped, done, failed)

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


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


@frozen
class ImportResult:
    """What a process printed at its end."""

    skipped: int
    done: int
    failed: int


@define
class ImporterProcess:
    """Imports rooms into an emulator with one journal, in one process after another."""

    telnyx: Emulator
    journal: Path
    count: int

    async def run(self, *, kill_after: int | None = None) -> ImportResult | None:
        """Run to the end, or kill the process after so many more requests and return None."""
        async with self.started() as process:
            if kill_after is not None:
                due = len(self.telnyx.requests) + kill_after
                while len(self.telnyx.requests) < due and process.returncode is None:
                    await asyncio.sleep(0.001)
                if process.returncode is None:
                    process.kill()
            output, _ = await process.communicate()
        if process.returncode:
            assert process.returncode == -9, "the import failed by itself"
            return None
        return ImportResult(*map(int, output.split()))

    @asynccontextmanager
    async def started(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """Start a process, and kill it at the end if it still runs."""
        variables = {"TELNYX_API_KEY": self.telnyx.api_key, "TELNYX_BASE_URL": self.telnyx.url}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _IMPORT, str(self.journal), str(self.count)),
            env=os.environ | variables,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
