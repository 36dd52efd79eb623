"""Clients that live as long as their app: one session, none left, and time for the calls in flight."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Self, TypeAlias

import aiohttp
import pytest
from aiohttp import ClientSession, web
from fastapi import FastAPI
from fastapi import Request as FastAPIRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from telnyx_rooms_async import ClientClosedError, Event, EventRouter, RoomsClient, RoomSessionEnded
from telnyx_rooms_async.emulator import Emulator, Fault
from telnyx_rooms_async.integrations.aiohttp_web import CLIENT, client_context, router_context
from telnyx_rooms_async.integrations.asgi import client_lifespan
from tests.helpers.web_servers import run_aiohttp_app, run_asgi_app

Use: TypeAlias = Callable[[RoomsClient], Any]
Serve: TypeAlias = Callable[[Use, RoomsClient | None], AbstractAsyncContextManager[str]]


def by_aiohttp(use: Use, client: RoomsClient | None = None) -> Any:
    """Serve ``/use`` with aiohttp.web."""

    async def handle(request: web.Request) -> web.Response:
        return web.Response(text=str(await use(request.app[CLIENT])))

    app = web.Application()
    if client is not None:
        app[CLIENT] = client
    app.cleanup_ctx.append(client_context)
    app.router.add_get("/use", handle)
    return run_aiohttp_app(app)


def by_fastapi(use: Use, client: RoomsClient | None = None) -> Any:
    """Serve ``/use`` with FastAPI."""
    app = FastAPI(lifespan=client_lifespan(client))

    @app.get("/use")
    async def handle(request: FastAPIRequest) -> PlainTextResponse:
        return PlainTextResponse(str(await use(request.state.rooms)))

    return run_asgi_app(app)


def by_starlette(use: Use, client: RoomsClient | None = None) -> Any:
    """Serve ``/use`` with Starlette."""

    async def handle(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(await use(request.state.rooms)))

    app = Starlette(routes=[Route("/use", handle)], lifespan=client_lifespan(client))
    return run_asgi_app(app)


SERVERS: dict[str, Serve] = {"aiohttp.web": by_aiohttp, "FastAPI": by_fastapi, "Starlette": by_starlette}
each_server = pytest.mark.parametrize("serve", list(SERVERS.values()), ids=list(SERVERS))


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    """A browser of many tabs."""
    async with ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


async def get(http: ClientSession, url: str) -> str:
    """Use the app."""
    async with http.get(f"{url}/use") as response:
        return await response.text()


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch, http: ClientSession) -> list[ClientSession]:
    """All sessions that are made from now on."""
    made: list[ClientSession] = []
    init = ClientSession.__init__

    def counted(self: ClientSession, *args: Any, **options: Any) -> None:
        made.append(self)
        init(self, *args, **options)

    monkeypatch.setattr(ClientSession, "__init__", counted)
    return made


@each_server
async def test_a_crowd_shares_one_session(
    serve: Serve,
    http: ClientSession,
    sessions: list[ClientSession],
    telnyx: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """2000 calls at once, of 200 requests, use one session; at shutdown it is closed, and nothing is left."""
    monkeypatch.setenv("TELNYX_API_KEY", telnyx.api_key)
    monkeypatch.setenv("TELNYX_BASE_URL", telnyx.url)
    clients: set[RoomsClient] = set()

    async def use(client: RoomsClient) -> int:
        clients.add(client)
        return sum(await asyncio.gather(*(client.rooms.list().count() for _ in range(10))))

    async with serve(use, None) as url:
        answers = await asyncio.gather(*(get(http, url) for _ in range(200)))
        assert set(answers) == {"0"}
        assert len(telnyx.requests) == 2000
        assert [session.closed for session in sessions] == [False]
        assert len(clients) == 1
    assert [session.closed for session in sessions] == [True]
    with pytest.raises(ClientClosedError):
        await clients.pop().rooms.list().count()


async def held(telnyx: Emulator, client: RoomsClient) -> asyncio.Task[int]:
    """Begin a call that the emulator does not answer yet."""
    telnyx.script(Fault(delay=3600))
    call = asyncio.create_task(client.rooms.list().count())
    while not telnyx.requests:
        await asyncio.sleep(0.001)
    return call


@each_server
async def test_shutdown_waits_for_calls_in_flight(serve: Serve) -> None:
    """A call that a task of the app has begun comes to its end before the client is closed."""
    let_go = asyncio.Event()
    async with Emulator(sleep=lambda _: let_go.wait()) as telnyx:
        client = RoomsClient(telnyx.api_key, base_url=telnyx.url)
        async with serve(lambda _: None, client):
            call = await held(telnyx, client)
            asyncio.get_running_loop().call_later(0.05, let_go.set)
        assert call.done()
        assert await call == 0
        with pytest.raises(ClientClosedError):
            await client.rooms.list().count()


async def test_shutdown_does_not_wait_for_ever() -> None:
    """A call that takes longer than the grace is ended with an error, and nothing is left."""
    async with Emulator(sleep=lambda _: asyncio.Event().wait()) as telnyx:
        client = RoomsClient(telnyx.api_key, base_url=telnyx.url)
        app = Starlette(lifespan=client_lifespan(client, grace=0.05))
        async with run_asgi_app(app):
            call = await held(telnyx, client)
        with pytest.raises(ClientClosedError):
            await call


async def test_closing_with_grace() -> None:
    """An idle client is closed at once, whatever the grace; else the last call of all is waited for."""
    let_go = asyncio.Event()
    async with Emulator(sleep=lambda _: let_go.wait()) as telnyx:
        client = RoomsClient(telnyx.api_key, base_url=telnyx.url)
        slow = await held(telnyx, client)
        quick = asyncio.create_task(client.rooms.list().count())
        closing = asyncio.create_task(client.close(grace=60))
        assert await quick == 0
        assert not closing.done()
        let_go.set()
        await closing
        assert await slow == 0
        await client.close(grace=60)
        with pytest.raises(ClientClosedError):
            await client.rooms.list().count()


class Witness:
    """A client that notes when it is closed."""

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes

    async def close(self, *, grace: float) -> None:
        """Note it."""
        self._notes.append(f"closed with {grace:g}")

    async def __aenter__(self) -> Self:
        return self


@pytest.mark.parametrize("server", ["aiohttp.web", "Starlette"])
async def test_the_router_ends_before_the_client(server: str) -> None:
    """What is handled in the background may use the client to the end."""
    notes: list[str] = []
    router, client = EventRouter(), Witness(notes)

    @router.on(Event)
    async def handle(event: Event) -> None:
        await asyncio.sleep(0.01)
        notes.append("handled")

    witness: Any = client
    app: Any
    if server == "Starlette":
        served = run_asgi_app(Starlette(lifespan=client_lifespan(witness, router)))
    else:
        app = web.Application()
        app[CLIENT] = witness
        app.cleanup_ctx.extend([client_context, router_context(router)])
        served = run_aiohttp_app(app)
    async with served:
        await router.dispatch_in_background(RoomSessionEnded(id="1"))
    assert notes == ["handled", "closed with 10"]
