"""The emulator in a thread of its own, and the blocking test clients of web frameworks."""

import socket
import threading
from typing import Any

import pytest
from fastapi import FastAPI, Request

from telnyx_rooms_async.emulator import Emulator
from telnyx_rooms_async.emulator.threaded import ThreadedEmulator
from telnyx_rooms_async.integrations.asgi import asgi_app, client_lifespan
from telnyx_rooms_async.webhooks import EventRouter, RoomSessionEnded, Webhooks


def make_app(ended: list[str | None]) -> FastAPI:
    router = EventRouter()

    @router.on(RoomSessionEnded)
    async def handle(event: RoomSessionEnded) -> None:
        ended.append(event.payload.session_id)

    app = FastAPI(lifespan=client_lifespan(None, router))
    app.mount("/telnyx", asgi_app(router, Webhooks()))

    @app.get("/rooms")
    async def rooms(request: Request) -> int:
        count: int = await request.state.rooms.rooms.list().count()
        return count

    return app


@pytest.mark.filterwarnings("ignore:Using `httpx`")  # Starlette prefers another library
def test_blocking_test_client_works(telnyx_emulator_server: Any) -> None:
    from fastapi.testclient import TestClient  # noqa: PLC0415 - it warns when it is imported

    telnyx_emulator_server.seed(2)
    with TestClient(make_app([])) as browser:
        assert browser.get("/rooms").json() == 2
    assert [request.method for request in telnyx_emulator_server.requests] == ["GET"]


def test_attributes_are_those_of_the_emulator_and_async_methods_block() -> None:
    with ThreadedEmulator(api_key="KEY1") as telnyx:
        assert telnyx.api_key == "KEY1"
        telnyx.seed(1)
        delivery = telnyx.deliver("video.room.session.ended", url="http://127.0.0.1:9/hook")
        assert not delivery.delivered
        with pytest.raises(LookupError):
            telnyx.leave("a-participant")
    assert not [thread for thread in threading.enumerate() if thread.name == "telnyx-emulator"]


def test_emulator_that_cannot_start_raises_in_the_test() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        ThreadedEmulator(port=taken.getsockname()[1]).__enter__()
    with pytest.raises(RuntimeError, match="is not running"):
        _ = ThreadedEmulator().rooms


def test_error_of_closing_is_raised_in_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    close = Emulator.__aexit__

    async def close_and_fail(telnyx: Emulator, *exc_info: object) -> None:
        await close(telnyx, *exc_info)
        raise OSError("closing failed")

    monkeypatch.setattr(Emulator, "__aexit__", close_and_fail)
    with pytest.raises(OSError, match="closing failed"), ThreadedEmulator():
        pass
