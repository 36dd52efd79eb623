"""Webhooks of the emulator in Django, Flask, Quart and AWS Lambda, each served for real."""

import base64
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

import aiohttp
import pytest
from django.core.asgi import get_asgi_application  # type: ignore[import-untyped]  # it has no types
from django.core.wsgi import get_wsgi_application  # type: ignore[import-untyped]  # likewise
from django.urls import path  # type: ignore[import-untyped]  # likewise
from flask import Flask
from quart import Quart

from telnyx_rooms_async.emulator import Emulator
from telnyx_rooms_async.integrations.aws_lambda import lambda_handler
from telnyx_rooms_async.integrations.django import django_view
from telnyx_rooms_async.integrations.flask import flask_view
from telnyx_rooms_async.integrations.quart import quart_view
from telnyx_rooms_async.webhooks import EventRouter, RoomSessionEnded, Webhooks
from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY, sign
from tests.helpers.django_project import configure_django
from tests.helpers.web_servers import run_asgi_app, run_wsgi_app


def django_app(
    make_app: Callable[[], Any], *, is_async: bool = True
) -> Callable[[EventRouter, Webhooks], Any]:
    def make(router: EventRouter, webhooks: Webhooks) -> Any:
        configure_django(path("telnyx/", django_view(router, webhooks)), is_async=is_async)
        return make_app()

    return make


def flask_app(router: EventRouter, webhooks: Webhooks) -> Flask:
    app = Flask("app")
    methods = ["GET", "POST"]
    app.add_url_rule("/telnyx/", view_func=flask_view(router, webhooks), methods=methods)
    return app


def quart_app(router: EventRouter, webhooks: Webhooks) -> Quart:
    app = Quart("app")
    app.add_url_rule("/telnyx/", view_func=quart_view(router, webhooks), methods=["GET", "POST"])
    return app


APPS: dict[str, tuple[Callable[[EventRouter, Webhooks], Any], Callable[[Any], Any]]] = {
    "Django, ASGI": (django_app(get_asgi_application), partial(run_asgi_app, lifespan="off")),
    "Django, WSGI": (django_app(get_wsgi_application), run_wsgi_app),
    "Django, sync": (django_app(get_wsgi_application, is_async=False), run_wsgi_app),
    "Flask": (flask_app, run_wsgi_app),
    "Quart": (quart_app, run_asgi_app),
}


def failing_router(handled: list[RoomSessionEnded]) -> EventRouter:
    """Return a router whose handler fails for the session "fails"."""
    router = EventRouter()

    @router.on(RoomSessionEnded)
    async def handle(event: RoomSessionEnded) -> None:
        if event.payload.session_id == "fails":
            raise KeyError("a bug of the handler")
        handled.append(event)

    return router


@pytest.mark.parametrize("framework", APPS)
async def test_event_is_handled_once_and_anything_else_refused(framework: str, telnyx: Emulator) -> None:
    handled: list[RoomSessionEnded] = []
    make_app, serve = APPS[framework]
    app = make_app(failing_router(handled), Webhooks(telnyx.public_key))
    async with serve(app) as url, aiohttp.ClientSession() as http:
        hook = f"{url}/telnyx/"

        async def deliver(session_id: str) -> int | None:
            fields = {"session_id": session_id}
            return (await telnyx.deliver("video.room.session.ended", fields, url=hook)).status

        assert await deliver("1") == HTTPStatus.OK
        assert await deliver("fails") == HTTPStatus.INTERNAL_SERVER_ERROR
        async with http.post(hook, data=b"{}") as response:
            assert (response.status, await response.read()) == (HTTPStatus.BAD_REQUEST, b"")
        async with http.get(hook) as response:
            assert response.status == HTTPStatus.METHOD_NOT_ALLOWED
            assert response.headers["Allow"] == "POST"
        async with http.post(hook, headers={"Content-Encoding": "br"}) as response:
            assert response.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    assert [event.payload.session_id for event in handled] == ["1"]


def lambda_event(body: bytes, headers: dict[str, str], *, version: str, is_base64: bool) -> dict[str, Any]:
    method = {"httpMethod": "POST"} if version == "1.0" else {"requestContext": {"http": {"method": "POST"}}}
    text = base64.b64encode(body).decode() if is_base64 else body.decode()
    return {"version": version, "headers": headers, "body": text, "isBase64Encoded": is_base64, **method}


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("is_base64", [True, False])
def test_lambda_handles_an_event(version: str, *, is_base64: bool) -> None:
    handled: list[RoomSessionEnded] = []
    handle = lambda_handler(failing_router(handled), Webhooks(PUBLIC_KEY))
    body, headers = sign(RoomSessionEnded(id="Zoë"))
    event = lambda_event(body, headers, version=version, is_base64=is_base64)
    for _ in range(2):
        assert handle(event, None) == {"statusCode": 200, "headers": {}, "body": ""}
    assert [event.id for event in handled] == ["Zoë"]


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ({"httpMethod": "GET"}, 405),
        ({"httpMethod": "POST", "headers": None, "body": None}, 400),
        ({"httpMethod": "POST", "headers": {}, "body": "ü", "isBase64Encoded": True}, 400),
        ({"httpMethod": "POST", "headers": {"Content-Encoding": "gzip"}, "body": ""}, 415),
        ({}, 405),
    ],
)
def test_lambda_refuses_anything_else(event: dict[str, Any], status: int) -> None:
    assert lambda_handler(failing_router([]), Webhooks(PUBLIC_KEY))(event, None)["statusCode"] == status
