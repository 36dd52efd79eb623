"""A program that makes many calls at once with few file descriptors, and prints the outcomes as JSON.

``python concurrent_calls.py URL CALLS DESCRIPTORS ATTEMPTS``
"""

import asyncio
import json
import logging
import re
import resource
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from telnyx_rooms_async import RetryPolicy, RoomsClient
from tests.helpers.room_store import HEALTHY_ROOM_ID, SECRET_KEY


async def call_concurrently(url: str, calls: int, attempts: int) -> dict[str, object]:
    """Make many calls at once, then one more."""
    # The calls are many, not slow: also a busy machine ends them in time.
    options: dict[str, Any] = {
        "timeout": 600,
        "attempt_timeout": 600,
        "retry": RetryPolicy(max_attempts=attempts),
    }
    async with RoomsClient(SECRET_KEY, base_url=url, **options) as client:
        tasks = (client.rooms.retrieve(HEALTHY_ROOM_ID) for _ in range(calls))
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        after = await client.rooms.retrieve(HEALTHY_ROOM_ID)
    types = Counter(type(outcome).__name__ for outcome in outcomes)
    messages = {str(outcome) for outcome in outcomes if isinstance(outcome, BaseException)}
    return {
        "types": types,
        "after": type(after).__name__,
        "messages": sorted(messages)[:5],
        "mib": peak_mib(),
    }


def peak_mib() -> float:
    """Return the peak memory of this process; getrusage would include that of the parent."""
    status = Path("/proc/self/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak is not None
    return int(peak[1]) / 1024


if __name__ == "__main__":
    url, calls, descriptors, attempts = sys.argv[1], *map(int, sys.argv[2:])
    logging.disable(logging.WARNING)  # one line a retry
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
    sys.stdout.write(json.dumps(asyncio.run(call_concurrently(url, calls, attempts))))
