"""The limit: aiohttp and a decoder, written by hand for these tasks."""

import json
from base64 import b64decode
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Final

import aiohttp
from attrs import frozen

from benchmarks.contenders import Call, Client, call_in_workers
from benchmarks.responses import PAGE_SIZE, ROOM_ID

_Decode = Callable[[bytes], Any]


@frozen
class _BareClient:
    _session: aiohttp.ClientSession
    _url: str
    _contender: "Bare"

    async def retrieve(self) -> object:
        async with self._session.get(f"{self._url}/rooms/{ROOM_ID}") as response:
            return self._contender.decode_room(await response.read())

    async def create(self) -> object:
        body = {"unique_name": "Weekly", "max_participants": 25}
        async with self._session.post(f"{self._url}/rooms", json=body) as response:
            return self._contender.decode_room(await response.read())

    async def create_many(self, count: int, concurrency: int) -> int:
        return await call_in_workers(lambda _: self.create(), count, concurrency)

    async def page(self) -> object:
        return self._contender.decode(await self._get_page(2, "&include_sessions=true"))

    async def rooms(self) -> AsyncIterator[object]:
        contender = self._contender
        number, last = 0, 1
        while number < last:
            number += 1
            last, rooms = contender.page_parts(contender.decode(await self._get_page(number)))
            for room in rooms:
                yield room

    async def _get_page(self, number: int, more: str = "") -> bytes:
        url = f"{self._url}/rooms?page[number]={number}&page[size]={PAGE_SIZE}{more}"
        async with self._session.get(url) as response:
            return await response.read()


def _json_parts(page: Any) -> tuple[int, Any]:  # noqa: ANN401 - decoded JSON
    return page["meta"]["total_pages"], page["data"]


@frozen(kw_only=True)
class Bare:
    """aiohttp with a decoder."""

    decode: _Decode
    decode_room: _Decode
    page_parts: Callable[[Any], tuple[int, Any]] = _json_parts
    """Returns the number of pages and the rooms of a page."""

    @asynccontextmanager
    async def open(self, url: str) -> AsyncGenerator[Client]:
        """Open a session."""
        async with aiohttp.ClientSession(headers={"Authorization": "Bearer KEY"}) as session:
            yield _BareClient(session, url, self)

    def unwrap(self, body: bytes, headers: dict[str, str], public_key: str) -> object:
        """Verify with OpenSSL, and decode."""
        signed = f"{headers['telnyx-timestamp']}|".encode() + body
        _openssl(public_key).verify(b64decode(headers["telnyx-signature-ed25519"]), signed)
        return self.decode(body)

    async def call_many(self, call: Call, count: int, concurrency: int) -> int:
        """Call in workers."""
        return await call_in_workers(call, count, concurrency)


@cache
def _openssl(public_key: str) -> Any:  # noqa: ANN401 - the type is imported with the key
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - takes memory, which no other case may show

    return Ed25519PublicKey.from_public_bytes(b64decode(public_key))


def _json_room(body: bytes) -> object:
    return json.loads(body)["data"]


JSON: Final = Bare(decode=json.loads, decode_room=_json_room)
