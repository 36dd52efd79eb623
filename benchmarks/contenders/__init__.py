"""Who competes: each is a module of its own, loaded only in its own process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from typing import Final, Protocol, TypeAlias, cast

from attrs import frozen

Call: TypeAlias = Callable[[int], Awaitable[object]]


class Client(Protocol):
    """What a contender does, over a connection that it keeps."""

    async def retrieve(self) -> object:
        """Return the one room."""
        ...

    async def create(self) -> object:
        """Create a room."""
        ...

    async def create_many(self, count: int, at_once: int) -> int:
        """Create rooms, so many at once, and return how many there were."""
        ...

    async def page(self) -> object:
        """Return a page of 250 rooms, with their sessions."""
        ...

    def rooms(self) -> AsyncIterator[object]:
        """Yield all rooms."""
        ...


class Contender(Protocol):
    """A way to talk to the API."""

    def open(self, url: str) -> AbstractAsyncContextManager[Client]:
        """Make a client."""
        ...

    def decode(self, body: bytes) -> object:
        """Read a page of rooms from its bytes."""
        ...

    def unwrap(self, body: bytes, headers: dict[str, str], public_key: str) -> object:
        """Verify a webhook, and read it."""
        ...

    async def call_many(self, call: Call, count: int, at_once: int) -> int:
        """Call with each number below `count`, so many at once, and return how many went well."""
        ...


class NotHereError(Exception):
    """A contender cannot compete here, and why."""


@frozen(kw_only=True)
class Entrant:
    """A row of the tables."""

    name: str
    title: str
    at: str
    """Where the contender is: ``module:name``, below this package."""
    imports: str
    """What a program that uses it does before its first call."""

    def load(self) -> Contender:
        """Import the contender.

        Raises:
            NotHereError: something that it needs is not installed.
        """
        module, _, name = self.at.partition(":")
        try:
            return cast("Contender", getattr(import_module(f"{__name__}.{module}"), name))
        except (ImportError, AttributeError) as error:
            raise NotHereError(f"{self.title}: {error}") from None


async def in_workers(call: Call, count: int, at_once: int) -> int:
    """Call with each number, so many at once: what is written by hand for it."""
    numbers, done = iter(range(count)), 0

    async def work() -> None:
        nonlocal done
        for number in numbers:
            await call(number)
            done += 1

    await asyncio.gather(*(work() for _ in range(at_once)))
    return done


_OURS: Final = "import telnyx_rooms_async; telnyx_rooms_async.RoomsClient('KEY').rooms"
_SDK: Final = "import telnyx; telnyx.AsyncTelnyx(api_key='KEY').rooms"

ENTRANTS: Final = {
    entrant.name: entrant
    for entrant in (
        Entrant(name="bare", title="bare aiohttp + json", at="bare:JSON", imports="import aiohttp, json"),
        Entrant(
            name="bare-cattrs",
            title="bare aiohttp + cattrs",
            at="structured:CATTRS",
            imports="import aiohttp, cattrs, json",
        ),
        Entrant(
            name="bare-msgspec",
            title="bare aiohttp + msgspec",
            at="bare:MSGSPEC",
            imports="import aiohttp, msgspec",
        ),
        Entrant(
            name="bare-ids",
            title="bare aiohttp + json, ids kept",
            at="bare:JSON_IDS_KEPT",
            imports="import aiohttp, json",
        ),
        Entrant(
            name="parts",
            title="aiohttp, attrs, cattrs, msgspec",
            at="bare:JSON",
            imports="import aiohttp, attrs, cattrs, msgspec",
        ),
        Entrant(name="ours", title="telnyx-rooms-async", at="ours:OURS", imports=_OURS),
        Entrant(name="ours-8", title="the same, 8 pages at once", at="ours:EIGHT_AT_ONCE", imports=_OURS),
        Entrant(name="sdk", title="telnyx", at="sdk:HTTPX", imports=_SDK),
        Entrant(name="sdk-aiohttp", title="telnyx on aiohttp", at="sdk:AIOHTTP", imports=_SDK),
        Entrant(name="sdk-httpx", title="telnyx on httpx, its default", at="sdk:HTTPX", imports=_SDK),
        Entrant(
            name="sdk-20",
            title="telnyx, pages of 20, its default",
            at="sdk:HTTPX_ITS_PAGE_SIZE",
            imports=_SDK,
        ),
    )
}
