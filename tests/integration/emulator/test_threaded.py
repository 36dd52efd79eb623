"""The emulator in a thread of its own, and blocking test clients; that of FastAPI is in the guides."""

import asyncio
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.http import JsonResponse  # type: ignore[import-untyped]  # it has no types
from django.test import Client as DjangoClient  # type: ignore[import-untyped]  # likewise
from django.urls import path  # type: ignore[import-untyped]  # likewise
from flask import Flask, jsonify

from telnyx_rooms_async import NotFoundError, OutcomeUnknownError, RetryPolicy, Room, RoomsClient
from telnyx_rooms_async.emulator import Emulator, Fault, ThreadedEmulator
from tests.helpers.clocks import FakeClock
from tests.helpers.django_project import configure_django


async def count_rooms() -> int:
    async with RoomsClient() as client:
        return await client.rooms.list().count()


async def find_first_room() -> Room | None:
    async with RoomsClient() as client:
        with suppress(NotFoundError):
            return await client.rooms.list().first()
        return None


def get_from_django() -> object:
    async def rooms(_: object) -> Any:
        return JsonResponse(await count_rooms(), safe=False)

    configure_django(path("rooms", rooms))
    return DjangoClient().get("/rooms").json()


def get_from_flask() -> object:
    app = Flask("app")
    app.add_url_rule("/rooms", view_func=lambda: jsonify(asyncio.run(count_rooms())))
    return app.test_client().get("/rooms").json


@pytest.mark.parametrize("get", [get_from_django, get_from_flask])
def test_blocking_test_client_works(get: Callable[[], object], telnyx_emulator_server: Any) -> None:
    telnyx_emulator_server.seed(2)
    assert get() == 2
    assert [request.method for request in telnyx_emulator_server.requests] == ["GET"]


async def test_client_in_another_thread_than_a_blocked_emulator_gets_a_hint(telnyx: Emulator) -> None:
    async def create() -> None:
        once = RetryPolicy(max_attempts=1)
        async with RoomsClient(telnyx.api_key, base_url=telnyx.url, retry=once) as client:
            with FakeClock().fast_forward():
                await client.rooms.create("Weekly", on_lost_response="raise")

    def start() -> None:
        with pytest.raises(OutcomeUnknownError) as caught:
            asyncio.run(create())
        assert "see the fixture telnyx_emulator_server" in str(caught.value.__cause__)

    with ThreadPoolExecutor() as threads:
        threads.submit(start).result()  # blocks the event loop of the emulator


def test_attributes_are_those_of_the_emulator_and_async_methods_block() -> None:
    with ThreadedEmulator(api_key="KEY1") as telnyx:
        assert telnyx.api_key == "KEY1"
        telnyx.seed(1)
        delivery = telnyx.deliver("video.room.session.ended", url="http://127.0.0.1:9/hook")
        assert not delivery.delivered
        with pytest.raises(LookupError):
            telnyx.leave("a-participant")
    assert not [thread for thread in threading.enumerate() if thread.name == "telnyx-emulator"]


def test_condition_of_a_fault_can_use_the_emulator(telnyx_emulator_server: Any) -> None:
    server = telnyx_emulator_server
    server.seed(1)
    server.inject(Fault(status=404), when=lambda _: len(server.requests) == len(server.rooms) == 1)
    assert [asyncio.run(find_first_room()) for _ in range(2)] == [None, server.rooms[0]]


def test_emulator_has_no_private_attributes() -> None:
    assert not hasattr(ThreadedEmulator(), "__deepcopy__")
    with pytest.raises(AttributeError):
        _ = ThreadedEmulator.__new__(ThreadedEmulator)._emulator


def test_calls_end_with_the_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    close = Emulator.__aexit__
    is_called = threading.Event()

    async def close_during_a_call(telnyx: Emulator, *exc_info: object) -> None:
        with pytest.raises(RuntimeError, match="is not running"):
            await asyncio.to_thread(lambda: server.rooms)
        await close(telnyx, *exc_info)

    async def wait_for_ever() -> None:
        is_called.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Emulator, "__aexit__", close_during_a_call)
    with ThreadPoolExecutor() as threads:
        with ThreadedEmulator() as server:
            call = threads.submit(server.run, wait_for_ever)
            is_called.wait()
        with pytest.raises(RuntimeError, match="is not running"):
            call.result()


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
