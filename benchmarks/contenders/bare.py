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
from benchmarks.contenders import Client

_Parse = Callable[[bytes], Any]
_HEADERS: Final = {"Authorization": "Bearer KEY"}


@frozen
class _Bare:
    _session: aiohttp.ClientSession
    _url: str
    _parse: _Parse
    _keeps_ids: bool

    async def retrieve(self) -> object:
        async with self._session.get(f"{self._url}/rooms/{ROOM_ID}") as response:
            return self._parse(await response.read())["data"]

    async def create(self) -> object:
        body = {"unique_name": "Weekly", "max_participants": 25}
        async with self._session.post(f"{self._url}/rooms", json=body) as response:
            return self._parse(await response.read())["data"]

    async def page(self) -> object:
        return await self._page(2, "&include_sessions=true")

    async def rooms(self) -> AsyncIterator[object]:
        seen: set[str] = set()
        number, last = 0, 1
        while number < last:
            number += 1
            page = await self._page(number)
            last = page["meta"]["total_pages"]
            for room in page["data"]:
                if self._keeps_ids:
                    seen.add(room["id"])
                yield room

    async def _page(self, number: int, more: str = "") -> Any:  # noqa: ANN401 - plain JSON
        url = f"{self._url}/rooms?page[number]={number}&page[size]={PAGE_SIZE}{more}"
        async with self._session.get(url) as response:
            return self._parse(await response.read())


@frozen
class BareContender:
    """Bare aiohttp with a parser."""

    parse: _Parse
    keeps_ids: bool = False

    @asynccontextmanager
    async def open(self, url: str) -> AsyncGenerator[Client]:
        """Open a session."""
        async with aiohttp.ClientSession(headers=_HEADERS) as session:
            yield _Bare(session, url, self.parse, self.keeps_ids)

    def decode(self, body: bytes) -> object:
        """Parse, and no more."""
        return self.parse(body)

    def unwrap(self, body: bytes, headers: dict[str, str], public_key: str) -> object:
        """Verify with OpenSSL, and parse."""
        signed = f"{headers['telnyx-timestamp']}|".encode() + body
        _openssl(public_key).verify(b64decode(headers["telnyx-signature-ed25519"]), signed)
        return self.parse(body)


@cache
def _openssl(public_key: str) -> Any:  # noqa: ANN401 - the type is imported with the key
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - weighs megabytes, which no other case is to show

    return Ed25519PublicKey.from_public_bytes(b64decode(public_key))


JSON: Final = BareContender(json.loads)
JSON_IDS_KEPT: Final = BareContender(json.loads, keeps_ids=True)
MSGSPEC: Final = BareContender(msgspec.json.decode)
