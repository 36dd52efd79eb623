"""The official SDK, on either of its backends."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Final

import httpx
from attrs import frozen
from telnyx import AsyncTelnyx, DefaultAioHttpClient, DefaultAsyncHttpxClient
from telnyx.pagination import AsyncDefaultFlatPagination
from telnyx.types import Room

from benchmarks.answers import PAGE_SIZE, ROOM_ID
from benchmarks.contenders import Client


@frozen
class _Sdk:
    _client: AsyncTelnyx
    _page_size: int | None

    async def retrieve(self) -> object:
        return (await self._client.rooms.retrieve(ROOM_ID)).data

    async def create(self) -> object:
        return (await self._client.rooms.create(unique_name="Weekly", max_participants=25)).data

    async def page(self) -> object:
        return await self._client.rooms.list(page_number=2, page_size=PAGE_SIZE, include_sessions=True)

    def rooms(self) -> AsyncIterator[object]:
        if self._page_size is None:
            return aiter(self._client.rooms.list())
        return aiter(self._client.rooms.list(page_size=self._page_size))


@frozen
class SdkContender:
    """The SDK on one of its backends."""

    _backend: Callable[[], httpx.AsyncClient]
    _page_size: int | None = PAGE_SIZE

    @asynccontextmanager
    async def open(self, url: str) -> AsyncGenerator[Client]:
        """Make a client."""
        async with AsyncTelnyx(api_key="KEY", base_url=url, http_client=self._backend()) as client:
            yield _Sdk(client, self._page_size)

    def decode(self, body: bytes) -> object:
        """Parse, and build the models as the SDK does with every answer."""
        return AsyncDefaultFlatPagination[Room].construct(None, **json.loads(body))

    def unwrap(self, body: bytes, headers: dict[str, str], public_key: str) -> object:
        """Verify with PyNaCl, and build what the SDK takes the event for."""
        return _WEBHOOKS.unwrap(body.decode(), headers=headers, key=public_key)


_WEBHOOKS: Final = AsyncTelnyx(api_key="KEY").webhooks
HTTPX: Final = SdkContender(DefaultAsyncHttpxClient)
HTTPX_ITS_PAGE_SIZE: Final = SdkContender(DefaultAsyncHttpxClient, None)
if find_spec("httpx_aiohttp"):
    AIOHTTP: Final = SdkContender(DefaultAioHttpClient)
