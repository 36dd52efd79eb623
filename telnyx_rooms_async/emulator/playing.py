"""What a fault does to a request: it waits, answers something else, or cuts the connection."""

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Final, TypeAlias

from aiohttp import web
from attrs import define, field

from telnyx_rooms_async.emulator.answers import add_headers, answer
from telnyx_rooms_async.emulator.faults import Fault
from telnyx_rooms_async.emulator.refusals import scripted

CarryOut: TypeAlias = Callable[[], Awaitable[web.StreamResponse]]
Sleep: TypeAlias = Callable[[float], Awaitable[object]]

# Windows has its own form of the structure.
_LINGER_NOT: Final = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


@define(eq=False)
class Player:
    """Plays faults, and ends all that still wait when the emulator closes."""

    _sleep: Sleep
    _waiting: set[asyncio.Task[object]] = field(factory=set["asyncio.Task[object]"], init=False)

    async def play(self, fault: Fault, request: web.Request, carry_out: CarryOut) -> web.StreamResponse:
        """Let a request meet a fault, and return what is left to be sent."""
        add_headers(request, fault.extra_headers)
        answered = await carry_out() if fault.after else None
        if fault.delay:
            await self._wait(fault.delay)
        if answered is None and fault.carries_out:
            answered = await carry_out()
        told = _told(fault, answered)
        if fault.cut in ("headers", "body"):
            await _send_half(request, told, amid_headers=fault.cut == "headers")
        if fault.cut is not None:
            _hang_up(request, reset=fault.reset)
        return told  # which gets no further on a connection that is cut

    async def close(self, _: web.Application) -> None:
        """End all waiting at once: whoever still waits for an answer gets none."""
        # aiohttp would let those who are there wait a little more, and those who have gone for ever.
        waiting = set(self._waiting)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    async def _wait(self, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        self._waiting.add(task)
        try:
            await self._sleep(seconds)
        finally:
            self._waiting.discard(task)


def _told(fault: Fault, answered: web.StreamResponse | None) -> web.StreamResponse:
    """Return what the client gets; when nothing was carried out and no status is told, it gets nothing."""
    if fault.status is None and fault.body is None:
        return web.Response() if answered is None else answered
    status = fault.status or (HTTPStatus.OK if answered is None else answered.status)
    if fault.body is None and status >= HTTPStatus.BAD_REQUEST:
        return answer(status, scripted(status).body)
    return answer(status, fault.body)


async def _send_half(request: web.Request, told: web.StreamResponse, *, amid_headers: bool) -> None:
    body = told.body if isinstance(told, web.Response) else None
    # The client may have gone while the fault waited.
    with suppress(ConnectionError):
        if isinstance(body, bytes) and not amid_headers:
            await told.prepare(request)
            await told.write(body[: len(body) // 2])
        elif request.transport is not None:
            request.transport.write(f"HTTP/1.1 {told.status} {told.reason}\r\nContent-Ty".encode())


def _hang_up(request: web.Request, *, reset: bool) -> None:
    transport = request.transport
    if transport is None:
        return
    if reset:
        # Closing a socket that does not linger sends RST; aborting by itself would send FIN.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        transport.abort()
    else:
        transport.close()
