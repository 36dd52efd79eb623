"""A plain aiohttp client of the emulator, without any code of the library's client."""

from collections.abc import Mapping
from typing import Any

from aiohttp import ClientSession
from attrs import frozen

from telnyx_rooms_async.emulator import Emulator


@frozen
class HttpResponse:
    """A response and its decoded body."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def data(self) -> Any:
        return self.body["data"]

    @property
    def ids(self) -> list[str]:
        return [item["id"] for item in self.data]

    @property
    def error_sources(self) -> list[str]:
        """The pointers and parameters of an error, sorted."""
        return sorted(next(iter(entry["source"].values())) for entry in self.body["errors"])


def open_session(telnyx: Emulator) -> ClientSession:
    """Open a session with the right key, for paths below the base URL."""
    return ClientSession(telnyx.url + "/", headers={"Authorization": f"Bearer {telnyx.api_key}"})


@frozen
class HttpClient:
    """Sends requests in a session with the right key."""

    _session: ClientSession

    async def __call__(self, method: str, path: str, body: object = None, **query: str) -> HttpResponse:
        options: dict[str, Any] = {} if body is None else {"json": body}
        async with self._session.request(method, path, params=query, **options) as response:
            decoded = await response.json() if response.content_type == "application/json" else None
            return HttpResponse(response.status, decoded, response.headers)

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> HttpResponse:
        return await self("GET", path, **(query or {}))

    async def post(self, path: str, body: object = None) -> HttpResponse:
        return await self("POST", path, body)

    async def delete(self, path: str, query: Mapping[str, str] | None = None) -> HttpResponse:
        return await self("DELETE", path, **(query or {}))
