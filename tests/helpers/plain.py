"""Plain aiohttp with the right key: nothing of our own client."""

from collections.abc import Mapping
from typing import Any

from aiohttp import ClientSession
from attrs import frozen


@frozen
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def data(self) -> Any:
        """What is under ``data``."""
        return self.body["data"]

    @property
    def ids(self) -> list[str]:
        """The ids of a page."""
        return [each["id"] for each in self.data]

    @property
    def blamed(self) -> list[str]:
        """The pointers and parameters of an error, in the order of the alphabet."""
        return sorted(next(iter(entry["source"].values())) for entry in self.body["errors"])


@frozen
class Plain:
    """Asks."""

    _session: ClientSession

    async def __call__(self, method: str, path: str, body: object = None, **query: str) -> Answer:
        """Send a request and read the whole answer."""
        options: dict[str, Any] = {} if body is None else {"json": body}
        async with self._session.request(method, path, params=query, **options) as response:
            told = await response.json() if response.content_type == "application/json" else None
            return Answer(response.status, told, response.headers)

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Answer:
        """Read."""
        return await self("GET", path, **(query or {}))

    async def post(self, path: str, body: object = None) -> Answer:
        """Act."""
        return await self("POST", path, body)

    async def delete(self, path: str, query: Mapping[str, str] | None = None) -> Answer:
        """Delete."""
        return await self("DELETE", path, **(query or {}))
