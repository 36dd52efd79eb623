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
from telnyx_rooms_async.emulator.messages import api_error, json_response

Sleep: TypeAlias = Callable[[float], Awaitable[object]]

# Windows has another struct linger.
_LINGER_OFF: Final = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


@define(eq=False)
class FaultInjector:
    """Applies faults to requests, and ends all delays when the emulator closes."""

    _sleep: Sleep
    _sleeping: set[asyncio.Task[object]] = field(factory=set["asyncio.Task[object]"], init=False)

    async def apply(
        self, fault: Fault, request: web.Request, respond: Callable[[], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Apply a fault to a request that `respond` carries out, and return the response to send."""
        response: web.StreamResponse | None = None
        if fault.after:
            response = await respond()
        if fault.delay:
            await self._delay(fault.delay)
        if response is None and fault.runs_operation:
            response = await respond()
        if fault.status is not None or fault.body is not None:
            status = fault.status or (HTTPStatus.OK if response is None else response.status)
            if fault.body is None and status >= HTTPStatus.BAD_REQUEST:
                response = api_error(status, "This error was injected by a Fault of the emulator.").response()
            else:
                response = json_response(status, fault.body)
        if response is None:
            response = web.Response()  # is not sent: the connection is closed
        if fault.cut in ("headers", "body"):
            await _send_half(request, response, cut_headers=fault.cut == "headers")
        transport = request.transport
        if fault.cut is not None and transport is not None:
            if fault.reset:
                # Without lingering, closing the socket sends RST; abort() alone sends FIN.
                connection = transport.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_OFF)
                transport.abort()
            else:
                transport.close()
        return response

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


async def _send_half(request: web.Request, response: web.StreamResponse, *, cut_headers: bool) -> None:
    body = response.body if isinstance(response, web.Response) else None
    with suppress(ConnectionError):  # the client may have closed the connection during the delay
        if isinstance(body, bytes) and not cut_headers:
            await response.prepare(request)
            await response.write(body[: len(body) // 2])
        elif request.transport is not None:
            request.transport.write(f"HTTP/1.1 {response.status} {response.reason}\r\nContent-Ty".encode())
