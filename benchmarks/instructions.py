"""Instructions of one call, counted by callgrind: the same on a loaded machine as on a quiet one.

The client runs under valgrind twice, with different numbers of calls. The difference is that of the calls
alone, without the imports and the first call. The server is another process, and is not counted. A count is
the mean over several hash seeds: the seed decides where objects are in memory, which is up to 3 % of it.
"""

import asyncio
import gc
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import closing
from statistics import fmean
from typing import Final

from benchmarks.contenders import CONTENDERS, Contender
from benchmarks.runner import Server

CALL_TITLES: Final = {  # by the method of a contender's client
    "retrieve": "Retrieve a room",
    "create": "Create a room",
    "page": "A page of 250 rooms with sessions",
}
_COMPARED: Final = {"bare": "bare", "ours": "ours-counted"}
_FEW: Final = 5
_MANY: Final = {"retrieve": 205, "create": 205, "page": 25}
_SEEDS: Final = 3


def count_all() -> dict[str, dict[str, float]]:
    """Return the instructions of each call by each contender, or nothing without valgrind."""
    if shutil.which("valgrind") is None:
        return {}
    with closing(Server()) as server:
        return {
            call: {name: _count(server, contender, call) for name, contender in _COMPARED.items()}
            for call in CALL_TITLES
        }


def table(counted: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """Yield a line for each call, for the terminal."""
    for call, counts in counted.items():
        ours, bare = counts["ours"], counts["bare"]
        yield f"{CALL_TITLES[call]}: {ours:,.0f} instructions, {ours / bare:.2f} times those of bare aiohttp"


def _count(server: Server, contender: str, call: str) -> float:
    many = _MANY[call]
    return fmean(
        (_collected(server, contender, call, many, seed) - _collected(server, contender, call, _FEW, seed))
        / (many - _FEW)
        for seed in range(_SEEDS)
    )


def _collected(server: Server, contender: str, call: str, calls: int, seed: int) -> int:
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable]
    command += ["-m", "benchmarks.instructions", contender, call, str(calls), f"{server.urls[0]}/1000/0/v2"]
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    (collected,) = re.findall(r"Collected : (\d+)", done.stderr)
    return int(collected)


async def _call(contender: Contender, call: str, calls: int, url: str) -> None:
    async with contender.open(url) as client:
        function: Callable[[], Awaitable[object]] = getattr(client, call)
        await function()
        gc.freeze()  # a collection of the modules, in some of the runs, would take more than the calls
        for _ in range(calls):
            await function()


def main() -> None:
    """Make the calls of the command line, one after the other."""
    name, call, calls, url = sys.argv[1:]
    asyncio.run(_call(CONTENDERS[name].load(), call, int(calls), url))


if __name__ == "__main__":
    main()
