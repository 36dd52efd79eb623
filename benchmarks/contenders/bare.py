"""The limit: aiohttp and a JSON parse, written by hand for the one task."""

import json
from base64 import b64decode
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Final

import aiohttp
import msgspec
from attrs import frozen

from benchmarks.answers import PAGE_SIZE, ROOM_ID
from benchmarks.contenders import Call, Client, in_workers

_Parse = Callable[[bytes], Any]
HEADERS: Final = {"Authorization": "Bearer KEY"}


@frozen(slots=False)
class Bare:
    """A session and the URL of the API."""

    _session: aiohttp.ClientSession
    _url: str
    _parse: _Parse
    keeps_ids: bool

    async def retrieve(self) -> object:
        """Return the one room."""
        return self._parse(await self.get_room())["data"]

    async def create(self) -> object:
        """Create a room."""
        return self._parse(await self.post_room())["data"]

    async def create_many(self, count: int, at_once: int) -> int:
        """Create rooms, so many at once, and return how many there were."""
        return await in_workers(lambda _: self.create(), count, at_once)

    async def page(self) -> object:
        """Return a page of 250 rooms, with their sessions."""
        return self._parse(await self.get_page(2, "&include_sessions=true"))

    async def rooms(self) -> AsyncIterator[object]:
        """Yield all rooms."""
        seen: set[str] = set()
        number, last = 0, 1
        while number < last:
            number += 1
            page = self._parse(await self.get_page(number))
            last = page["meta"]["total_pages"]
            for room in page["data"]:
                if self.keeps_ids:
                    seen.add(room["id"])
                yield room

    async def get_room(self) -> bytes:
        """Return the body of the one room."""
        async with self._session.get(f"{self._url}/rooms/{ROOM_ID}") as response:
            return await response.read()

    async def post_room(self) -> bytes:
        """Create a room, and return the body."""
        body = {"unique_name": "Weekly", "max_participants": 25}
        async with self._session.post(f"{self._url}/rooms", json=body) as response:
            return await response.read()

    async def get_page(self, number: int, more: str = "") -> bytes:
        """Return the body of a page of rooms."""
        url = f"{self._url}/rooms?page[number]={number}&page[size]={PAGE_SIZE}{more}"
        async with self._session.get(url) as response:
            return await response.read()


@frozen(slots=False)
class BareContender:
    """Bare aiohttp with a parser."""

    parse: _Parse
    keeps_ids: bool = False

    @asynccontextmanager
    async def open(self, url: str) -> AsyncGenerator[Client]:
        """Open a session."""
        async with aiohttp.ClientSession(headers=HEADERS) as session:
            yield Bare(session, url, self.parse, self.keeps_ids)

    def decode(self, body: bytes) -> object:
        """Parse, and no more."""
        return self.parse(body)

    def unwrap(self, body: bytes, headers: dict[str, str], public_key: str) -> object:
        """Verify with OpenSSL, and parse."""
        signed = f"{headers['telnyx-timestamp']}|".encode() + body
        _openssl(public_key).verify(b64decode(headers["telnyx-signature-ed25519"]), signed)
        return self.parse(body)

    async def call_many(self, call: Call, count: int, at_once: int) -> int:
        """Share the numbers out among workers."""
        return await in_workers(call, count, at_once)


@cache
def _openssl(public_key: str) -> Any:  # noqa: ANN401 - the type is imported with the key
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - weighs megabytes, which no other case is to show

    return Ed25519PublicKey.from_public_bytes(b64decode(public_key))


JSON: Final = BareContender(json.loads)
JSON_IDS_KEPT: Final = BareContender(json.loads, keeps_ids=True)
MSGSPEC: Final = BareContender(msgspec.json.decode)
