"""This library."""

import itertools
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Final

from attrs import field, frozen

from benchmarks.contenders import Call, Client
from benchmarks.responses import PAGE_SIZE, ROOM_ID
from telnyx_rooms_async import Clock, RoomFields, RoomsClient, batch
from telnyx_rooms_async.webhooks import Webhooks

_webhooks: Final = cache(Webhooks)


@frozen
class _OurClient:
    _client: RoomsClient
    _pages: int | None

    async def retrieve(self) -> object:
        return await self._client.rooms.retrieve(ROOM_ID)

    async def create(self) -> object:
        return await self._client.rooms.create(unique_name="Weekly", max_participants=25)

    async def create_many(self, count: int, concurrency: int) -> int:
        bodies = (RoomFields(unique_name="Weekly", max_participants=25) for _ in range(count))
        outcomes = self._client.rooms.create_many(bodies, concurrency=concurrency)
        return sum([outcome.ok async for outcome in outcomes])

    async def page(self) -> object:
        return await self._client.rooms.list(include_sessions=True).page(2, PAGE_SIZE)

    def rooms(self) -> AsyncIterator[object]:
        listing = self._client.rooms.list()
        return aiter(listing.prefetch(self._pages) if self._pages else listing)


@frozen
class _Ours:
    _pages: int | None = None
    """How many pages are requested at once."""
    _clock: Clock = field(alias="clock", factory=Clock)

    @asynccontextmanager
    async def open(self, url: str) -> AsyncGenerator[Client]:
        async with RoomsClient("KEY", base_url=url, clock=self._clock) as client:
            yield _OurClient(client, self._pages)

    def unwrap(self, body: bytes, headers: dict[str, str], public_key: str) -> object:
        return _webhooks(public_key).unwrap(body, headers)

    async def call_many(self, call: Call, count: int, concurrency: int) -> int:
        done = 0
        async for outcome in batch.stream(call, range(count), concurrency=concurrency):
            done += outcome.ok
        return done


OURS: Final = _Ours()
EIGHT_AT_ONCE: Final = _Ours(8)
# Under valgrind a call takes 50 times as long: what is done every 100 ms would be done in every few calls.
COUNTED: Final = _Ours(clock=Clock(monotonic=itertools.count(step=0.0001).__next__))
