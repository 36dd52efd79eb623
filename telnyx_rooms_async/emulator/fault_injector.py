"""Injection of faults into requests: delays, other responses, closed connections."""

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

from telnyx_rooms_async.emulator.faults import Fault
from telnyx_rooms_async.emulator.responses import add_headers, injected_error, json_response

Sleep: TypeAlias = Callable[[float], Awaitable[object]]
_Respond: TypeAlias = Callable[[], Awaitable[web.StreamResponse]]

# Windows has another struct linger.
_LINGER_OFF: Final = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


@define(eq=False)
class FaultInjector:
    """Applies faults to requests, and ends all delays when the emulator closes."""

    _sleep: Sleep
    _sleeping: set[asyncio.Task[object]] = field(factory=set["asyncio.Task[object]"], init=False)

    async def apply(self, fault: Fault, request: web.Request, respond: _Respond) -> web.StreamResponse:
        """Apply a fault, and return the response that is left to send.

        Args:
            fault: what goes wrong.
            request: the request.
            respond: carries the operation out, and returns its response.
        """
        add_headers(request, fault.response_headers)
        regular = await respond() if fault.after else None
        if fault.delay:
            await self._delay(fault.delay)
        if regular is None and fault.runs_operation:
            regular = await respond()
        response = _faulty_response(fault, regular)
        if fault.cut in ("headers", "body"):
            await _send_half(request, response, cut_headers=fault.cut == "headers")
        if fault.cut is not None:
            _close_connection(request, reset=fault.reset)
        return response  # aiohttp does not send it if the connection is closed

    async def close(self, _: web.Application) -> None:
        """Cancel all requests that are delayed."""
        # aiohttp waits for requests of connected clients, and never cancels those of disconnected ones.
        sleeping = set(self._sleeping)
        for task in sleeping:
            task.cancel()
        await asyncio.gather(*sleeping, return_exceptions=True)

    async def _delay(self, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        self._sleeping.add(task)
        try:
            await self._sleep(seconds)
        finally:
            self._sleeping.discard(task)


def _faulty_response(fault: Fault, regular: web.StreamResponse | None) -> web.StreamResponse:
    """Return the response that the client gets: an empty one, not sent, if there is none."""
    if fault.status is None and fault.body is None:
        return web.Response() if regular is None else regular
    status = fault.status or (HTTPStatus.OK if regular is None else regular.status)
    if fault.body is None and status >= HTTPStatus.BAD_REQUEST:
        return injected_error(status).response()
    return json_response(status, fault.body)


async def _send_half(request: web.Request, response: web.StreamResponse, *, cut_headers: bool) -> None:
    body = response.body if isinstance(response, web.Response) else None
    with suppress(ConnectionError):  # the client may have closed the connection during the delay
        if isinstance(body, bytes) and not cut_headers:
            await response.prepare(request)
            await response.write(body[: len(body) // 2])
        elif request.transport is not None:
            request.transport.write(f"HTTP/1.1 {response.status} {response.reason}\r\nContent-Ty".encode())


def _close_connection(request: web.Request, *, reset: bool) -> None:
    transport = request.transport
    if transport is None:
        return
    if reset:
        # Without lingering, closing the socket sends RST; abort() alone sends FIN.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_OFF)
        transport.abort()
    else:
        transport.close()
