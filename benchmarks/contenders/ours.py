"""This library."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Final

from attrs import frozen

from benchmarks.answers import PAGE_SIZE, ROOM_ID
from benchmarks.contenders import Call, Client
from telnyx_rooms_async import Listing, Room, RoomFields, RoomsClient, Webhooks, batch
from telnyx_rooms_async.models import Page
from telnyx_rooms_async.serialization import converter

_webhooks: Final = cache(Webhooks)
_Iterate = Callable[[Listing[Room]], AsyncIterator[Room]]


@frozen
class _Ours:
    _client: RoomsClient
    _iterate: _Iterate

    async def retrieve(self) -> object:
        return await self._client.rooms.retrieve(ROOM_ID)

    async def create(self) -> object:
        return await self._client.rooms.create(unique_name="Weekly", max_participants=25)

    async def create_many(self, count: int, at_once: int) -> int:
        bodies = (RoomFields(unique_name="Weekly", max_participants=25) for _ in range(count))
        done = 0
        async for outcome in self._client.rooms.create_many(bodies, limit=at_once):
            done += outcome.ok
        return done

    async def page(self) -> object:
        return await self._client.rooms.list(include_sessions=True).page(2, PAGE_SIZE)

    def rooms(self) -> AsyncIterator[object]:
        return self._iterate(self._client.rooms.list())


@frozen
class OurContender:
    """This library, with its lists read in one way."""

    _iterate: _Iterate

    @asynccontextmanager
    async def open(self, url: str) -> AsyncGenerator[Client]:
        """Make a client."""
        async with RoomsClient("KEY", base_url=url) as client:
            yield _Ours(client, self._iterate)

    def decode(self, body: bytes) -> object:
        """Decode a page into values."""
        return converter.loads(body, Page[Room])

    def unwrap(self, body: bytes, headers: dict[str, str], public_key: str) -> object:
        """Verify an event, and decode it."""
        return _webhooks(public_key).unwrap(body, headers)

    async def call_many(self, call: Call, count: int, at_once: int) -> int:
        """Stream."""
        done = 0
        async for outcome in batch.stream(call, range(count), limit=at_once):
            done += outcome.ok
        return done


def _in_turn(listing: Listing[Room]) -> AsyncIterator[Room]:
    return aiter(listing)


def _eight_at_once(listing: Listing[Room]) -> AsyncIterator[Room]:
    return aiter(listing.prefetch(8))


OURS: Final = OurContender(_in_turn)
EIGHT_AT_ONCE: Final = OurContender(_eight_at_once)
