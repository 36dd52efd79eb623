"""A program of its own: many calls at once, under the limits that it is given. It tells as JSON how it went.

``python crowd.py URL CALLS DESCRIPTORS ATTEMPTS``
"""

import asyncio
import json
import logging
import re
import resource
import sys
from collections import Counter
from pathlib import Path

from telnyx_rooms_async import RetryPolicy, RoomsClient
from tests.helpers.ledger import CANARY_KEY, HEALTHY


async def crowd(url: str, calls: int, attempts: int) -> dict[str, object]:
    """Make many calls at once, and then one more."""
    async with RoomsClient(CANARY_KEY, base_url=url, retry=RetryPolicy(attempts=attempts)) as client:
        tasks = (client.rooms.retrieve(HEALTHY) for _ in range(calls))
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        after = await client.rooms.retrieve(HEALTHY)
    kinds = Counter(type(each).__name__ for each in outcomes)
    texts = {str(each) for each in outcomes if isinstance(each, BaseException)}
    return {"kinds": kinds, "after": type(after).__name__, "texts": sorted(texts)[:5], "mib": peak_mib()}


def peak_mib() -> float:
    """Return the most memory this program ever had; what getrusage tells begins with that of its parent."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


if __name__ == "__main__":
    url, calls, descriptors, attempts = sys.argv[1], *map(int, sys.argv[2:])
    logging.disable(logging.WARNING)  # a line a retry
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
    sys.stdout.write(json.dumps(asyncio.run(crowd(url, calls, attempts))))
