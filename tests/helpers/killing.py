"""A process that imports rooms with a journal, and is killed now and then."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from attrs import define, frozen

from telnyx_rooms_async.emulator import Emulator, Fault

PROGRAM = """
import asyncio, sys
from telnyx_rooms_async import Journal, RoomsClient

async def main(path, count):
    bodies = ({"unique_name": f"Room {number}", "max_participants": 7} for number in range(count))
    journal, failed, done = Journal(path), 0, 0
    async with RoomsClient() as client:
        async for outcome in client.rooms.create_many(bodies, limit=64, journal=journal):
            done += outcome.ok
            failed += not outcome.ok
            if not outcome.ok:
                print(repr(outcome.error), file=sys.stderr)
    print(journal.skipped, done, failed)

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


@frozen
class Ended:
    """What a process told before its end; nothing if it was killed."""

    skipped: int
    done: int
    failed: int


@define
class Importer:
    """Imports so many rooms into an emulator, from one journal, in one process after the other."""

    telnyx: Emulator
    journal: Path
    count: int

    async def run(self, *, kill_after: int | None = None) -> Ended | None:
        """Run to the end, or kill it when so many more requests have come."""
        async with self._process() as process:
            if kill_after is not None:
                due = len(self.telnyx.requests) + kill_after
                while len(self.telnyx.requests) < due and process.returncode is None:
                    await asyncio.sleep(0.001)
                if process.returncode is None:
                    process.kill()
            told, _ = await process.communicate()
        if process.returncode:
            assert process.returncode == -9, "it failed by itself"
            return None
        return Ended(*map(int, told.split()))

    @asynccontextmanager
    async def _process(self) -> AsyncIterator[asyncio.subprocess.Process]:
        variables = {"TELNYX_API_KEY": self.telnyx.api_key, "TELNYX_BASE_URL": self.telnyx.url}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            PROGRAM,
            str(self.journal),
            str(self.count),
            env=os.environ | variables,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def disturb(telnyx: Emulator, dice: Random, part: float) -> None:
    """Let a part of all creations meet each of four faults."""
    faults = (
        Fault(cut="before"),
        Fault(cut="after", reset=True),
        Fault(status=429, retry_after=0),
        Fault(status=503),
        Fault(status=503, after=True),
    )
    for fault in faults:
        telnyx.script(fault, operation="CreateRoom", times=None, when=lambda _: dice.random() < part)
