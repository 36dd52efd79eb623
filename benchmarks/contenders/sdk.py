"""The official SDK, on either of its backends."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Final

import httpx
from attrs import frozen
from telnyx import AsyncTelnyx, DefaultAioHttpClient, DefaultAsyncHttpxClient

from benchmarks.contenders import Call, Client, call_in_workers
from benchmarks.responses import PAGE_SIZE, ROOM_ID


@frozen
class _SdkClient:
    _client: AsyncTelnyx

    async def retrieve(self) -> object:
        return (await self._client.rooms.retrieve(ROOM_ID)).data

    async def create(self) -> object:
        return (await self._client.rooms.create(unique_name="Weekly", max_participants=25)).data

    async def create_many(self, count: int, concurrency: int) -> int:
        return await call_in_workers(lambda _: self.create(), count, concurrency)

    async def page(self) -> object:
        return await self._client.rooms.list(page_number=2, page_size=PAGE_SIZE, include_sessions=True)

    def rooms(self) -> AsyncIterator[object]:
        return aiter(self._client.rooms.list(page_size=PAGE_SIZE))


@frozen
class _Sdk:
    _backend: Callable[[], httpx.AsyncClient]

    @asynccontextmanager
    async def open(self, url: str) -> AsyncGenerator[Client]:
        async with AsyncTelnyx(api_key="KEY", base_url=url, http_client=self._backend()) as client:
            yield _SdkClient(client)

    def unwrap(self, body: bytes, headers: dict[str, str], public_key: str) -> object:
        return _WEBHOOKS.unwrap(body.decode(), headers=headers, key=public_key)

    async def call_many(self, call: Call, count: int, concurrency: int) -> int:
        return await call_in_workers(call, count, concurrency)


_WEBHOOKS: Final = AsyncTelnyx(api_key="KEY").webhooks
HTTPX: Final = _Sdk(DefaultAsyncHttpxClient)
if find_spec("httpx_aiohttp"):
    AIOHTTP: Final = _Sdk(DefaultAioHttpClient)
