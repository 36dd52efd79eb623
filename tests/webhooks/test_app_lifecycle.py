"""Clients and routers that live as long as their app."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

import pytest
from aiohttp import ClientSession, web
from fastapi import FastAPI
from fastapi import Request as FastAPIRequest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse

from telnyx_rooms_async import ClientClosedError, ConfigurationError, RoomsClient
from telnyx_rooms_async.emulator import Emulator, Fault
from telnyx_rooms_async.integrations.aiohttp_web import CLIENT, client_context, router_context
from telnyx_rooms_async.integrations.asgi import client_lifespan
from telnyx_rooms_async.webhooks import Event, EventRouter, RoomSessionEnded
from tests.helpers.web_servers import run_aiohttp_app, run_asgi_app

Use: TypeAlias = Callable[[RoomsClient], Any]
Serve: TypeAlias = Callable[..., AbstractAsyncContextManager[str]]


def aiohttp_app(use: Use, client: RoomsClient | None = None, *routers: EventRouter) -> Any:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(text=str(await use(request.app[CLIENT])))

    app = web.Application()
    if client is not None:
        app[CLIENT] = client
    app.cleanup_ctx.extend([client_context, *map(router_context, routers)])
    app.router.add_get("/use", handle)
    return run_aiohttp_app(app)


def fastapi_app(use: Use, client: RoomsClient | None = None, *routers: EventRouter) -> Any:
    app = FastAPI(lifespan=client_lifespan(*routers, client=client))

    @app.get("/use")
    async def handle(request: FastAPIRequest) -> PlainTextResponse:
        return PlainTextResponse(str(await use(request.state.telnyx)))

    return run_asgi_app(app)


APPS: dict[str, Serve] = {"aiohttp.web": aiohttp_app, "FastAPI": fastapi_app}
every_app = pytest.mark.parametrize("serve", list(APPS.values()), ids=list(APPS))


@every_app
async def test_all_requests_of_an_app_share_one_client_that_is_closed_at_shutdown(
    serve: Serve, http: ClientSession, telnyx: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELNYX_API_KEY", telnyx.api_key)
    monkeypatch.setenv("TELNYX_BASE_URL", telnyx.url)
    clients: set[RoomsClient] = set()

    async def count(client: RoomsClient) -> int:
        clients.add(client)
        return await client.rooms.list().count()

    async def get(url: str) -> str:
        async with http.get(f"{url}/use") as response:
            return await response.text()

    async with serve(count) as url:
        assert await asyncio.gather(*(get(url) for _ in range(20))) == ["0"] * 20
    (client,) = clients
    with pytest.raises(ClientClosedError):
        await client.rooms.list().count()


async def test_app_composes_its_own_lifespan_with_that_of_the_client(
    http: ClientSession, telnyx: Emulator
) -> None:
    client = RoomsClient(telnyx.api_key, base_url=telnyx.url)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, object]]:
        async with client_lifespan(client=client)(app) as state:
            yield {**state, "greeting": "rooms: "}

    app = FastAPI(lifespan=lifespan)

    @app.get("/use")
    async def handle(request: FastAPIRequest) -> str:
        return f"{request.state.greeting}{await request.state.telnyx.rooms.list().count()}"

    async with run_asgi_app(app) as url, http.get(f"{url}/use") as response:
        assert await response.json() == "rooms: 0"
    with pytest.raises(ClientClosedError):
        await client.rooms.list().count()


@asynccontextmanager
async def held_call(gate: asyncio.Event) -> AsyncIterator[tuple[RoomsClient, "asyncio.Task[int]"]]:
    """Yield a client with a call that is answered when `gate` is set."""
    async with Emulator(sleep=lambda _: gate.wait()) as telnyx:
        client = RoomsClient(telnyx.api_key, base_url=telnyx.url)
        telnyx.inject(Fault(delay=3600))
        call = asyncio.create_task(client.rooms.list().count())
        while not telnyx.requests:
            await asyncio.sleep(0.001)
        yield client, call


@every_app
async def test_shutdown_waits_for_calls_in_flight(serve: Serve) -> None:
    gate = asyncio.Event()
    async with held_call(gate) as (client, call):
        async with serve(lambda _: None, client):
            asyncio.get_running_loop().call_later(0.05, gate.set)
        assert call.done()
        assert await call == 0
        with pytest.raises(ClientClosedError):
            await client.rooms.list().count()


def test_invalid_grace_is_refused_when_the_app_is_made() -> None:
    with pytest.raises(ConfigurationError, match="grace must be a number from 0, not -1"):
        client_lifespan(grace=-1)


async def test_shutdown_cancels_calls_after_the_grace() -> None:
    async with held_call(asyncio.Event()) as (client, call):
        async with run_asgi_app(Starlette(lifespan=client_lifespan(client=client, grace=0.05))):
            pass
        with pytest.raises(ClientClosedError):
            await call


@every_app
async def test_background_handlers_can_use_the_client_until_they_complete(
    serve: Serve, client: RoomsClient
) -> None:
    router, counts = EventRouter(), list[int]()

    @router.on(Event)
    async def handle(event: Event) -> None:
        await asyncio.sleep(0.01)
        counts.append(await client.rooms.list().count())

    async with serve(lambda _: None, client, router):
        await router.dispatch_in_background(RoomSessionEnded(id="1"))
    assert counts == [0]
    with pytest.raises(ClientClosedError):
        await client.rooms.list().count()
