"""Web apps of frameworks with a JSON encoder of their own: rooms as responses, webhooks, shutdown.

The guides have an app of Starlette and of aiohttp; Flask and Quart are in tests/webhooks/test_frameworks.py.
"""

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import aiohttp
import pytest
from attrs import fields_dict
from django.core.asgi import get_asgi_application  # type: ignore[import-untyped]  # it has no types
from django.http import JsonResponse  # type: ignore[import-untyped]  # likewise
from django.urls import path  # type: ignore[import-untyped]  # likewise
from fastapi import Body, Depends, FastAPI, Request
from litestar import Litestar, asgi
from litestar import Request as LitestarRequest
from litestar import get as litestar_get
from starlette.applications import Starlette
from starlette.routing import Mount

from telnyx_rooms_async import Page, Room, RoomsClient
from telnyx_rooms_async.emulator import Emulator
from telnyx_rooms_async.integrations.asgi import asgi_app, client_lifespan
from telnyx_rooms_async.integrations.django import django_view
from telnyx_rooms_async.webhooks import EventRouter, RoomSessionEnded, Webhooks
from tests.helpers.django_project import configure_django
from tests.helpers.web_servers import run_asgi_app


def get_client(request: Request) -> RoomsClient:
    client: RoomsClient = request.state.telnyx
    return client


Client = Annotated[RoomsClient, Depends(get_client)]


def fastapi_app(router: EventRouter) -> FastAPI:
    app = FastAPI(lifespan=client_lifespan())
    app.mount("/telnyx", asgi_app(router, Webhooks()))

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


def litestar_app(router: EventRouter) -> Litestar:
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

    receiver = asgi("/telnyx", is_mount=True, copy_scope=True)(asgi_app(router, Webhooks()))

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        async with client:
            yield

    handlers = [room, rooms, page, receiver]
    return Litestar(handlers, lifespan=[lifespan], openapi_config=None, logging_config=None)


def django_app(router: EventRouter) -> Starlette:
    """Django has no lifespan: an app around it opens and closes the client."""

    async def room(request: Any, room_id: str) -> Any:
        return JsonResponse((await client_of(request).rooms.retrieve(room_id)).to_dict())

    async def rooms(request: Any) -> Any:
        listed = await client_of(request).rooms.list().all()
        return JsonResponse([room.to_dict() for room in listed], safe=False)

    async def page(request: Any) -> Any:
        return JsonResponse((await client_of(request).rooms.list().page(1)).to_dict())

    def client_of(request: Any) -> RoomsClient:
        client: RoomsClient = request.scope["state"]["telnyx"]
        return client

    configure_django(
        path("room/<room_id>", room),
        path("rooms", rooms),
        path("page", page),
        path("telnyx/", django_view(router, Webhooks())),
    )
    return Starlette(routes=[Mount("/", get_asgi_application())], lifespan=client_lifespan())


APPS: dict[str, Callable[[EventRouter], Any]] = {
    "FastAPI": fastapi_app,
    "Litestar": litestar_app,
    "Django": django_app,
}


@asynccontextmanager
async def served(
    framework: str, telnyx: Emulator, monkeypatch: pytest.MonkeyPatch, router: EventRouter
) -> AsyncIterator[str]:
    monkeypatch.setenv("TELNYX_API_KEY", telnyx.api_key)
    monkeypatch.setenv("TELNYX_BASE_URL", telnyx.url)
    monkeypatch.setenv("TELNYX_PUBLIC_KEY", telnyx.public_key)
    async with run_asgi_app(APPS[framework](router)) as url:
        yield url


@pytest.mark.parametrize("framework", APPS)
async def test_app_responds_with_rooms_receives_webhooks_and_shuts_down(
    framework: str, telnyx: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    telnyx.seed(3)
    expected = [room.to_dict() for room in telnyx.rooms]
    router, ended = EventRouter(), list[str | None]()

    @router.on(RoomSessionEnded)
    async def handle(event: RoomSessionEnded) -> None:
        ended.append(event.payload.session_id)

    async with served(framework, telnyx, monkeypatch, router) as url, aiohttp.ClientSession() as http:

        async def get(path: str) -> Any:
            async with http.get(url + path) as response:
                assert response.status == 200, await response.text()
                return await response.json()

        assert await get(f"/room/{telnyx.rooms[0].id}") == expected[0]
        assert await get("/rooms") == expected
        page = await get("/page")
        assert (page["data"], page["meta"]["total_results"]) == (expected, 3)
        fields = {"session_id": "a-session"}
        delivery = await telnyx.deliver("video.room.session.ended", fields, url=f"{url}/telnyx/")
        assert delivery.status == 200
        assert ended == ["a-session"]
    gc.collect()  # a client, a session or a connection that was left open warns


async def test_fastapi_validates_and_documents_rooms(
    telnyx: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    telnyx.seed(1)
    room = telnyx.rooms[0].to_dict()
    async with (
        served("FastAPI", telnyx, monkeypatch, EventRouter()) as url,
        aiohttp.ClientSession() as http,
    ):
        async with http.post(f"{url}/echo", json=room) as response:
            assert (response.status, await response.json()) == (200, room)
        async with http.post(f"{url}/echo", json={"id": 7}) as response:
            assert response.status == 422
        async with http.get(f"{url}/openapi.json") as response:
            schemas = (await response.json())["components"]["schemas"]
    assert schemas["Page_Room_"]["properties"]["data"]["items"] == {"$ref": "#/components/schemas/Room"}
    properties = schemas["Room"]["properties"]
    assert properties.keys() == fields_dict(Room).keys()
    assert [name for name, schema in properties.items() if not schema["description"]] == []
