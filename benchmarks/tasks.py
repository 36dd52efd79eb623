"""What a contender does in one round, in its own process."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Final

from attrs import frozen

from benchmarks.contenders import Contender, call_in_workers
from benchmarks.measuring import Sample, Stopwatch
from benchmarks.responses import PAGE_SIZE, ROOM_ID


@frozen(kw_only=True)
class Round:
    """One turn of one contender."""

    contender: Contender
    imports: str
    """What a program that uses the contender does before its first call."""
    url: str
    seconds: float
    rooms: int
    concurrency: int


Task = Callable[[Round], Coroutine[None, None, Sample]]


async def retrieve(turn: Round) -> Sample:
    """Retrieve a room repeatedly."""
    async with turn.contender.open(turn.url) as client:
        return await _repeat(turn, client.retrieve)


async def create(turn: Round) -> Sample:
    """Create a room repeatedly."""
    async with turn.contender.open(turn.url) as client:
        return await _repeat(turn, client.create)


async def first_call(turn: Round) -> Sample:
    """Make a client, make one call with it, and close it, repeatedly."""

    async def once() -> None:
        async with turn.contender.open(turn.url) as client:
            await client.retrieve()

    return await _repeat(turn, once)


async def make_clients(turn: Round) -> Sample:
    """Make clients, one for each tenant, and keep them."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(turn.contender.open(turn.url))
        watch = Stopwatch()
        for _ in range(turn.concurrency):
            await stack.enter_async_context(turn.contender.open(turn.url))
        return watch.sample(turn.concurrency)


async def call_from_clients(turn: Round) -> Sample:
    """Make the first call of each client, 32 at once, and keep all connections."""
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(turn.contender.open(turn.url))
            for _ in range(turn.concurrency + 1)
        ]
        await clients[-1].retrieve()
        watch = Stopwatch()
        await call_in_workers(lambda index: clients[index].retrieve(), turn.concurrency, 32)
        return watch.sample(turn.concurrency)


async def fetch_page(turn: Round) -> Sample:
    """Fetch a page of 250 rooms repeatedly."""
    async with turn.contender.open(turn.url) as client:
        return await _repeat(turn, client.page)


async def unwrap(turn: Round) -> Sample:
    """Verify and read a webhook repeatedly."""
    # Imported here so that other cases measure the memory of bare aiohttp without the library.
    from telnyx_rooms_async.webhooks import (  # noqa: PLC0415 - see above
        RoomSessionEnded,
        SessionEndedPayload,
        testing,
    )

    payload = SessionEndedPayload(room_id=ROOM_ID, session_id=ROOM_ID, duration_secs=1800)
    event = RoomSessionEnded(id=ROOM_ID, occurred_at=datetime(2021, 3, 26, tzinfo=UTC), payload=payload)
    webhook = testing.sign(event)

    async def once() -> None:
        turn.contender.unwrap(webhook.body, webhook.headers, testing.PUBLIC_KEY)

    return await _repeat(turn, once)


async def _repeat(turn: Round, once: Callable[[], Awaitable[object]]) -> Sample:
    """Repeat a call in batches for the time of the round, after a batch that is not measured."""
    calls = max(1, 64 // turn.concurrency)

    async def several() -> None:
        for _ in range(calls):
            await once()

    async def batch() -> int:
        if turn.concurrency == 1:
            await several()
        else:
            await asyncio.gather(*(several() for _ in range(turn.concurrency)))
        return calls * turn.concurrency

    await batch()
    watch, units = Stopwatch(), 0
    while not units or watch.seconds() < turn.seconds:
        units += await batch()
    return watch.sample(units)


async def iterate(turn: Round, *, work_seconds: float = 0.0) -> Sample:
    """Iterate all rooms once."""
    async with turn.contender.open(turn.url) as client:
        await client.retrieve()
        watch, rooms = Stopwatch(), 0
        async for _ in client.rooms():
            rooms += 1
            if work_seconds and rooms % PAGE_SIZE == 0:
                await asyncio.sleep(work_seconds)
        return _check_count(turn, watch, rooms)


async def iterate_with_work(turn: Round) -> Sample:
    """Iterate all rooms once, with 1 ms of work a page."""
    return await iterate(turn, work_seconds=0.001)


async def burst(turn: Round) -> Sample:
    """Make all calls at once, with no connection open before."""
    async with turn.contender.open(turn.url) as client:
        watch = Stopwatch()
        calls = (client.retrieve() for _ in range(turn.concurrency))
        results = await asyncio.gather(*calls, return_exceptions=True)
        failures = tuple(repr(result) for result in results if isinstance(result, BaseException))
        return watch.sample(turn.concurrency, failures=failures)


async def create_all(turn: Round) -> Sample:
    """Create all rooms once."""
    async with turn.contender.open(turn.url) as client:
        await client.create()
        watch = Stopwatch()
        return _check_count(turn, watch, await client.create_many(turn.rooms, turn.concurrency))


async def call_all(turn: Round) -> Sample:
    """Call a function that only yields to the event loop, once for each room."""

    async def nothing(_: int) -> None:
        await asyncio.sleep(0)

    await turn.contender.call_many(nothing, 1_000, turn.concurrency)
    watch = Stopwatch()
    return _check_count(turn, watch, await turn.contender.call_many(nothing, turn.rooms, turn.concurrency))


def _check_count(turn: Round, watch: Stopwatch, units: int) -> Sample:
    return watch.sample(units, failures=() if units == turn.rooms else (f"{units} of {turn.rooms}",))


_TIMED: Final = """
import json, time
wall, cpu = time.perf_counter(), time.process_time()
{}
print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]))
"""


async def start(turn: Round) -> Sample:
    """Import what a program needs before its first call, in a new interpreter."""
    program = _TIMED.format(turn.imports)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, env=environment
    )
    output, _ = await process.communicate()
    wall, cpu = json.loads(output)
    return Sample(units=1, wall=wall, cpu=cpu)
