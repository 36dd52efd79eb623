"""A process that imports rooms with a journal, and can be killed."""

import asyncio
import os
import sys
from pathlib import Path
from random import Random

from attrs import frozen

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
    print(journal.skipped, done, failed)

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


@frozen
class Counts:
    """Numbers of items that a process printed at its end."""

    skipped: int
    done: int
    failed: int


async def import_rooms(
    telnyx: Emulator, journal: Path, count: int, *, kill_after: int | None = None
) -> Counts | None:
    """Run a process to its end, or kill it after so many further requests; return `None` if it was killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        str(journal),
        str(count),
        env=os.environ | {"TELNYX_API_KEY": telnyx.api_key, "TELNYX_BASE_URL": telnyx.url},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        last_request = len(telnyx.requests) + (kill_after or 0)
        while kill_after is not None and process.returncode is None:
            if len(telnyx.requests) >= last_request:
                process.kill()
                break
            await asyncio.sleep(0.001)
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        assert process.returncode == -9, "the process failed by itself"
        return None
    return Counts(*map(int, output.split()))


def inject_random_faults(telnyx: Emulator, random: Random, share: float) -> None:
    """Apply each of five faults to a share of all create requests."""
    faults = (
        Fault(cut="before"),
        Fault(cut="after", reset=True),
        Fault(status=429, retry_after=0),
        Fault(status=503),
        Fault(status=503, after=True),
    )
    for fault in faults:
        telnyx.script(fault, operation="CreateRoom", times=None, when=lambda _: random.random() < share)
