"""aiohttp by hand with the models of this library, structured by cattrs alone: the price of typed values."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import aiohttp

from benchmarks.contenders import Client
from benchmarks.contenders.bare import HEADERS, Bare, BareContender
from telnyx_rooms_async.models import Page, Room
from telnyx_rooms_async.serialization import Envelope, make_converter

T = TypeVar("T")

_CONVERTER: Final = make_converter(use_msgspec=False)


def _structure(body: bytes, cl: type[T]) -> T:
    return _CONVERTER.structure(json.loads(body), cl)


class _Structured(Bare):
    async def retrieve(self) -> object:
        return _structure(await self.get_room(), Envelope[Room]).data

    async def create(self) -> object:
        return _structure(await self.post_room(), Envelope[Room]).data

    async def page(self) -> object:
        return _structure(await self.get_page(2, "&include_sessions=true"), Page[Room])

    async def rooms(self) -> AsyncIterator[object]:
        number, last = 0, 1
        while number < last:
            number += 1
            page = _structure(await self.get_page(number), Page[Room])
            last = page.meta.total_pages or 0
            for room in page.data:
                yield room


class StructuredContender(BareContender):
    """aiohttp and cattrs."""

    @asynccontextmanager
    async def open(self, url: str) -> AsyncGenerator[Client]:
        """Open a session."""
        async with aiohttp.ClientSession(headers=HEADERS) as session:
            yield _Structured(session, url, self.parse, keeps_ids=False)

    def decode(self, body: bytes) -> object:
        """Structure a page of rooms."""
        return _structure(body, Page[Room])


CATTRS: Final = StructuredContender(json.loads)
