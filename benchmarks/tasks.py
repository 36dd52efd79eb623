"""What a contender does in one round. It runs in the contender's process."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from attrs import frozen

from benchmarks.answers import PAGE_SIZE, ROOM_ID, page
from benchmarks.contenders import Client, Contender, Entrant
from benchmarks.measuring import Sample, Stopwatch


@frozen(kw_only=True)
class Round:
    """One turn of one contender."""

    entrant: Entrant
    contender: Contender
    url: str
    seconds: float
    """How long to go on, where a round is made of many batches."""
    rooms: int
    """How many rooms there are to list."""
    at_once: int
    """How many calls in flight."""


Task = Callable[[Round], Awaitable[Sample]]


async def retrieve(this: Round) -> Sample:
    """Retrieve a room, again and again."""
    async with this.contender.open(this.url) as client:
        return await _keep_on(this, client.retrieve)


async def create(this: Round) -> Sample:
    """Create a room, again and again."""
    async with this.contender.open(this.url) as client:
        return await _keep_on(this, client.create)


async def turn_page(this: Round) -> Sample:
    """Fetch a page of 250 rooms, again and again."""
    async with this.contender.open(this.url) as client:
        return await _keep_on(this, client.page)


async def decode(this: Round) -> Sample:
    """Read the bytes of a page, again and again."""
    body = page(2, PAGE_SIZE, this.rooms, sessions=True)

    async def once() -> None:
        this.contender.decode(body)

    return await _keep_on(this, once)


async def unwrap(this: Round) -> Sample:
    """Verify and read a webhook, again and again."""
    from telnyx_rooms_async import RoomSessionEnded, SessionEndedPayload  # noqa: PLC0415 - as bare aiohttp's memory is not to hold us in other cases
    from telnyx_rooms_async.webhooks import testing  # noqa: PLC0415 - as bare aiohttp's memory is not to hold us in other cases

    payload = SessionEndedPayload(room_id=ROOM_ID, session_id=ROOM_ID, duration_secs=1800)
    event = RoomSessionEnded(id=ROOM_ID, occurred_at=datetime(2021, 3, 26, tzinfo=UTC), payload=payload)
    webhook = testing.signed(event)

    async def once() -> None:
        this.contender.unwrap(webhook.body, webhook.headers, testing.PUBLIC_KEY)

    return await _keep_on(this, once)


async def iterate(this: Round) -> Sample:
    """Iterate all rooms, once, with a body of 1 ms a page."""
    async with this.contender.open(this.url) as client:
        await client.retrieve()
        return await _iterate(this, client, body_seconds=0.001)


async def scan(this: Round) -> Sample:
    """Iterate all rooms, once, and do nothing with them."""
    async with this.contender.open(this.url) as client:
        await client.retrieve()
        return await _iterate(this, client)


async def burst(this: Round) -> Sample:
    """Make all calls at once, the connections not yet open."""
    async with this.contender.open(this.url) as client:
        watch = Stopwatch()
        results = await asyncio.gather(
            *(client.retrieve() for _ in range(this.at_once)), return_exceptions=True
        )
        failures = tuple(repr(result) for result in results if isinstance(result, BaseException))
        return watch.sample(this.at_once, failures=failures)


async def create_all(this: Round) -> Sample:
    """Create all rooms, once."""
    async with this.contender.open(this.url) as client:
        await client.create()
        watch = Stopwatch()
        return _counted(this, watch, await client.create_many(this.rooms, this.at_once))


async def call_all(this: Round) -> Sample:
    """Call a function that does nothing but give way, with as many items as there are rooms."""

    async def nothing(_: int) -> None:
        await asyncio.sleep(0)

    await this.contender.call_many(nothing, 1_000, this.at_once)
    watch = Stopwatch()
    return _counted(this, watch, await this.contender.call_many(nothing, this.rooms, this.at_once))


def _counted(this: Round, watch: Stopwatch, units: int) -> Sample:
    missing = () if units == this.rooms else (f"{units} of {this.rooms}",)
    return watch.sample(units, failures=missing)


async def start(this: Round) -> Sample:
    """Import what a program needs before its first call, in an interpreter of its own."""
    program = _TIMED.format(this.entrant.imports)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    wall, cpu = json.loads(told)
    return Sample(units=1, wall=wall, cpu=cpu)


_TIMED: Final = """
import json, time
wall, cpu = time.perf_counter(), time.process_time()
{}
print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]))
"""


async def _keep_on(this: Round, once: Callable[[], Awaitable[object]]) -> Sample:
    """Do it in batches until the time of the round is over: the first batch warms up, and is not counted."""
    each = max(1, 64 // this.at_once)

    async def several() -> None:
        for _ in range(each):
            await once()

    async def batch() -> int:
        if this.at_once == 1:
            await several()
        else:
            await asyncio.gather(*(several() for _ in range(this.at_once)))
        return each * this.at_once

    await batch()
    watch, units = Stopwatch(), 0
    while not units or watch.seconds() < this.seconds:
        units += await batch()
    return watch.sample(units)


async def _iterate(this: Round, client: Client, *, body_seconds: float = 0.0) -> Sample:
    watch, rooms = Stopwatch(), 0
    async for _ in client.rooms():
        rooms += 1
        if rooms % PAGE_SIZE == 0:
            if rooms == PAGE_SIZE:
                watch.mark_memory()
            if body_seconds:
                await asyncio.sleep(body_seconds)
    missing = () if rooms == this.rooms else (f"{rooms} rooms of {this.rooms}",)
    return watch.sample(rooms, failures=missing)
