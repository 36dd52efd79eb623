"""Rooms as JSON responses of web apps, each framework served for real."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import aiohttp
import pytest
from aiohttp import web
from fastapi import Body, Depends, FastAPI, Request
from flask import Flask, jsonify
from litestar import Litestar
from litestar import Request as LitestarRequest
from litestar import get as litestar_get
from quart import Quart
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse
from starlette.routing import Route

from telnyx_rooms_async import Page, Room, RoomsClient
from telnyx_rooms_async.emulator import Emulator
from telnyx_rooms_async.integrations.aiohttp_web import CLIENT, client_context
from telnyx_rooms_async.integrations.asgi import client_lifespan
from tests.helpers.web_servers import run_aiohttp_app, run_asgi_app, run_wsgi_app


def get_client(request: Request) -> RoomsClient:
    client: RoomsClient = request.state.rooms
    return client


Client = Annotated[RoomsClient, Depends(get_client)]


def fastapi_app() -> FastAPI:
    app = FastAPI(lifespan=client_lifespan())

    @app.get("/room/{room_id}")
    async def room(room_id: str, client: Client) -> Room:
        return await client.rooms.retrieve(room_id)

    @app.get("/rooms")
    async def rooms(client: Client) -> list[Room]:
        return await client.rooms.list().all()

    @app.get("/page")
    async def page(client: Client) -> Page[Room]:
        return await client.rooms.list().page(1)

    @app.post("/echo")
    async def echo(room: Annotated[Room, Body()]) -> Room:
        return room

    return app


def starlette_app() -> Starlette:
    async def room(request: StarletteRequest) -> JSONResponse:
        value = await request.state.rooms.rooms.retrieve(request.path_params["room_id"])
        return JSONResponse(value.to_dict())

    async def rooms(request: StarletteRequest) -> JSONResponse:
        return JSONResponse([room.to_dict() async for room in request.state.rooms.rooms.list()])

    async def page(request: StarletteRequest) -> JSONResponse:
        return JSONResponse((await request.state.rooms.rooms.list().page(1)).to_dict())

    routes = [Route("/room/{room_id}", room), Route("/rooms", rooms), Route("/page", page)]
    return Starlette(routes=routes, lifespan=client_lifespan())


def litestar_app() -> Litestar:
    client = RoomsClient()

    @litestar_get("/room/{room_id:str}")
    async def room(request: LitestarRequest[Any, Any, Any]) -> Room:
        return await client.rooms.retrieve(request.path_params["room_id"])

    @litestar_get("/rooms")
    async def rooms() -> list[Room]:
        return await client.rooms.list().all()

    @litestar_get("/page")
    async def page() -> Page[Room]:
        return await client.rooms.list().page(1)

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        async with client:
            yield

    return Litestar([room, rooms, page], lifespan=[lifespan], openapi_config=None, logging_config=None)


def aiohttp_app() -> web.Application:
    async def room(request: web.Request) -> web.Response:
        room = await request.app[CLIENT].rooms.retrieve(request.match_info["room_id"])
        return web.json_response(room.to_dict())

    async def rooms(request: web.Request) -> web.Response:
        return web.json_response([room.to_dict() async for room in request.app[CLIENT].rooms.list()])

    async def page(request: web.Request) -> web.Response:
        return web.json_response((await request.app[CLIENT].rooms.list().page(1)).to_dict())

    app = web.Application()
    app.cleanup_ctx.append(client_context)
    app.add_routes([web.get("/room/{room_id}", room), web.get("/rooms", rooms), web.get("/page", page)])
    return app


def quart_app() -> Quart:
    app = Quart("app")
    client = RoomsClient()

    @app.get("/room/<room_id>")
    async def room(room_id: str) -> dict[str, Any]:
        return (await client.rooms.retrieve(room_id)).to_dict()

    @app.get("/rooms")
    async def rooms() -> list[dict[str, Any]]:
        return [room.to_dict() async for room in client.rooms.list()]

    @app.get("/page")
    async def page() -> dict[str, Any]:
        return (await client.rooms.list().page(1)).to_dict()

    app.after_serving(client.close)
    return app


def flask_app() -> Flask:
    """Flask is not async: each request has an event loop and a client of its own."""
    app = Flask("app")

    async def fetch(room_id: str | None, *, as_page: bool = False) -> Any:
        async with RoomsClient() as client:
            if room_id is not None:
                return (await client.rooms.retrieve(room_id)).to_dict()
            page = await client.rooms.list().page(1)
            return page.to_dict() if as_page else [room.to_dict() for room in page.data]

    app.add_url_rule("/room/<room_id>", "room", lambda room_id: jsonify(asyncio.run(fetch(room_id))))
    app.add_url_rule("/rooms", "rooms", lambda: jsonify(asyncio.run(fetch(None))))
    app.add_url_rule("/page", "page", lambda: jsonify(asyncio.run(fetch(None, as_page=True))))
    return app


APPS: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "FastAPI": (fastapi_app, run_asgi_app),
    "Starlette": (starlette_app, run_asgi_app),
    "Litestar": (litestar_app, run_asgi_app),
    "aiohttp": (aiohttp_app, run_aiohttp_app),
    "Quart": (quart_app, run_asgi_app),
    "Flask": (flask_app, run_wsgi_app),
}


@asynccontextmanager
async def served(framework: str, telnyx: Emulator, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    monkeypatch.setenv("TELNYX_API_KEY", telnyx.api_key)
    monkeypatch.setenv("TELNYX_BASE_URL", telnyx.url)
    make_app, serve = APPS[framework]
    async with serve(make_app()) as url:
        yield url


@pytest.mark.parametrize("framework", APPS)
async def test_room_list_and_page_are_responses(
    framework: str, telnyx: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    telnyx.seed(3)
    expected = [room.to_dict() for room in telnyx.rooms]
    async with served(framework, telnyx, monkeypatch) as url, aiohttp.ClientSession() as http:

        async def get(path: str) -> Any:
            async with http.get(url + path) as response:
                assert response.status == 200, await response.text()
                return await response.json()

        assert await get(f"/room/{telnyx.rooms[0].id}") == expected[0]
        assert await get("/rooms") == expected
        page = await get("/page")
        assert (page["data"], page["meta"]["total_results"]) == (expected, 3)


async def test_fastapi_validates_and_documents_rooms(
    telnyx: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    telnyx.seed(1)
    room = telnyx.rooms[0].to_dict()
    async with served("FastAPI", telnyx, monkeypatch) as url, aiohttp.ClientSession() as http:
        async with http.post(f"{url}/echo", json=room) as response:
            assert (response.status, await response.json()) == (200, room)
        async with http.post(f"{url}/echo", json={"id": 7}) as response:
            assert response.status == 422
        async with http.get(f"{url}/openapi.json") as response:
            schemas = (await response.json())["components"]["schemas"]
    assert set(schemas["Room"]["properties"]) == room.keys()
    assert schemas["Page_Room_"]["properties"]["data"]["items"] == {"$ref": "#/components/schemas/Room"}
    assert schemas["Room"]["properties"]["max_participants"]["description"]
