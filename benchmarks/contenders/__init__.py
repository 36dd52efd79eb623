"""The contenders: each is a module of its own, loaded only in its own process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from typing import Final, Protocol, TypeAlias, cast

from attrs import frozen

Call: TypeAlias = Callable[[int], Awaitable[object]]


class Client(Protocol):
    """What a contender does, over connections that it keeps."""

    async def retrieve(self) -> object:
        """Return a room."""
        ...

    async def create(self) -> object:
        """Create a room."""
        ...

    async def create_many(self, count: int, concurrency: int) -> int:
        """Create rooms; return how many were created."""
        ...

    async def page(self) -> object:
        """Return a page of 250 rooms with their sessions."""
        ...

    def rooms(self) -> AsyncIterator[object]:
        """Yield all rooms."""
        ...


class Contender(Protocol):
    """A way to use the API."""

    def open(self, url: str) -> AbstractAsyncContextManager[Client]:
        """Make a client."""
        ...

    def unwrap(self, body: bytes, headers: dict[str, str], public_key: str) -> object:
        """Verify and read a webhook."""
        ...

    async def call_many(self, call: Call, count: int, concurrency: int) -> int:
        """Call with each number below `count`; return how many calls succeeded."""
        ...


class NotInstalledError(Exception):
    """A contender is not installed."""


async def call_in_workers(call: Call, count: int, concurrency: int) -> int:
    """Call with each number below `count`, as one writes it by hand."""
    numbers, done = iter(range(count)), 0

    async def work() -> None:
        nonlocal done
        for number in numbers:
            await call(number)
            done += 1

    await asyncio.gather(*(work() for _ in range(concurrency)))
    return done


@frozen
class Row:
    """A row of the tables."""

    title: str
    path: str
    """Where the contender is: ``module:name``, below this package."""
    imports: str
    """What a program that uses it does before its first call."""

    def load(self) -> Contender:
        """Import the contender.

        Raises:
            NotInstalledError: a library that it needs is missing.
        """
        module, _, name = self.path.partition(":")
        try:
            return cast("Contender", getattr(import_module(f"benchmarks.contenders.{module}"), name))
        except (ImportError, AttributeError) as error:
            raise NotInstalledError(f"{self.title}: {error}") from error


_OURS: Final = "import telnyx_rooms_async; telnyx_rooms_async.RoomsClient('KEY').rooms"
_SDK: Final = "import telnyx; telnyx.AsyncTelnyx(api_key='KEY').rooms"

CONTENDERS: Final = {
    "bare": Row("bare aiohttp + json", "bare:JSON", "import aiohttp, json"),
    "bare-cattrs": Row("bare aiohttp + cattrs", "structured:CATTRS", "import aiohttp, cattrs, json"),
    "parts": Row("aiohttp, attrs, cattrs, msgspec", "bare:JSON", "import aiohttp, attrs, cattrs, msgspec"),
    "ours": Row("telnyx-rooms-async", "ours:OURS", _OURS),
    "ours-counted": Row("the same, under valgrind", "ours:COUNTED", _OURS),
    "ours-8": Row("the same, 8 pages at once", "ours:EIGHT_AT_ONCE", _OURS),
    "sdk": Row("telnyx", "sdk:HTTPX", _SDK),
    "sdk-aiohttp": Row("telnyx on aiohttp", "sdk:AIOHTTP", _SDK),
    "sdk-httpx": Row("telnyx on httpx, its default", "sdk:HTTPX", _SDK),
}
