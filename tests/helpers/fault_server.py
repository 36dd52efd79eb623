"""A server of raw sockets that keeps rooms, injects faults and records requests."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeAlias

from attrs import define, evolve, field, frozen

from tests.helpers.fast_forward import FastForwardLoop
from tests.helpers.room_store import SECRET_KEY, RecordedRequest, RoomStore, http_response
from tests.helpers.scripted_server import read_request

ANY_METHOD: Final = ""


@define(eq=False, repr=False)
class Connection:
    """One connection, on the server's side."""

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Drop the connection with a RST, as a crashed host does."""
        connection: socket.socket = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def hang(self) -> None:
        """Send nothing until the client closes."""
        while await self.reader.read(65_536):
            pass


Respond: TypeAlias = Callable[[Connection, bytes], Awaitable[bool]]
"""Sends a response instead of the correct one it gets; returns whether the connection is kept."""


@frozen
class ServerFault:
    """How one request is answered, and whether it is carried out."""

    respond: Respond
    commits: bool = True

    @property
    def uncommitted(self) -> "ServerFault":
        """The same response to a request that is not carried out."""
        return evolve(self, commits=False)


@define
class RateWindow:
    """A fixed window of requests, described in the X-RateLimit headers."""

    limit: int
    seconds: float
    start: float = -1e9
    used: int = 0
    rejected: int = 0

    def admit(self, now: float) -> tuple[bool, dict[str, str]]:
        """Count a request; return whether it is within the limit, and the headers."""
        if now >= self.start + self.seconds:
            self.start, self.used = now, 0
        admitted = self.used < self.limit
        self.used += admitted
        self.rejected += not admitted
        return admitted, {
            "x_ratelimit_limit": f"{self.limit}, {self.limit};w={self.seconds:g}",
            "x_ratelimit_remaining": str(self.limit - self.used),
            "x_ratelimit_reset": f"{self.start + self.seconds - now:.3f}",
        }


@define(eq=False, repr=False)
class FaultServer:
    """The server; `store` holds its rooms."""

    time: FastForwardLoop
    store: RoomStore
    requests: list[RecordedRequest] = field(factory=list[RecordedRequest])
    connections: int = 0
    """How many were ever accepted."""
    open: int = 0
    most_open: int = 0
    window: RateWindow | None = None
    unread_connections: int = 0
    """How many of the next connections are never read from."""
    on_request: Callable[[RecordedRequest], object] = lambda _: None
    """Called with each request before it is carried out."""
    tls: ssl.SSLContext | None = None
    tasks: set[asyncio.Task[Any]] = field(factory=set[Any])
    host: str = "127.0.0.1"
    port: int = 0
    _faults: list[tuple[str, ServerFault]] = field(factory=list[Any])
    _permanent: dict[str, ServerFault] = field(factory=dict[str, ServerFault])
    _recovered: asyncio.Event = field(factory=asyncio.Event)
    _server: asyncio.Server | None = None
    # With IPPROTO_TCP asyncio sets TCP_NODELAY; without, loopback takes 40 ms now and then.
    _socket: socket.socket = field(factory=lambda: socket.socket(proto=socket.IPPROTO_TCP))

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}/v2"

    @property
    def methods(self) -> str:
        """The methods of all requests, such as ``"POST GET"``."""
        return " ".join(request.method for request in self.requests)

    def inject(self, *faults: ServerFault, on: str = ANY_METHOD) -> None:
        """Answer the next requests, or those of one method, with faults; then correctly."""
        self._faults += [(on, fault) for fault in faults]

    def inject_always(self, fault: ServerFault, *, on: str = ANY_METHOD) -> None:
        """Answer all requests, or those of one method, with a fault."""
        self._permanent[on] = fault

    def bind(self, port: int = 0) -> None:
        """Take a port, on which connections are refused until the server listens."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.port = self._socket.getsockname()[1]
        self.store.url = self.url

    async def listen(self) -> None:
        """Accept connections."""
        if self._server is None:
            self._server = await asyncio.start_server(
                self._serve, sock=self._socket, ssl=self.tls, backlog=1024
            )

    def shrink_buffers(self) -> None:
        """Use small buffers, so that a large request is not accepted unless it is read."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

    async def recover(self) -> None:
        """Answer correctly from now on."""
        self._faults, self._permanent, self.unread_connections, self.window = [], {}, 0, None
        self.on_request = lambda _: None
        self._recovered.set()
        await self.listen()

    async def close(self) -> None:
        """Accept no more connections."""
        if self._server is not None:
            self._server.close()
        self._socket.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        self.connections += 1
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        connection = Connection(self.connections, reader, writer)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
                await self._serve_requests(connection)
        finally:
            self.open -= 1
            writer.close()
            # Without it asyncio logs a reset of a connection that is collected too early.
            with suppress(OSError):
                await writer.wait_closed()

    async def _serve_requests(self, connection: Connection) -> None:
        if self.unread_connections:
            self.unread_connections -= 1
            transport: Any = connection.writer.transport
            transport.pause_reading()
            await self._recovered.wait()
            transport.resume_reading()
            await connection.hang()
            return
        while await self._serve_request(connection):
            pass

    async def _serve_request(self, connection: Connection) -> bool:
        head, body = await read_request(connection.reader)
        method, target, _ = head.decode("latin-1").split(" ", 2)
        request = RecordedRequest(
            method=method,
            target=target,
            head=head,
            body=body,
            at=self.time.seconds(),
            connection=connection.number,
        )
        self.requests.append(request)
        fault = self._next_fault(request)
        response = self._carry_out(request, commits=fault is None or fault.commits)
        if fault is None:
            await connection.send(response)
            return True
        return await fault.respond(connection, response)

    def _next_fault(self, request: RecordedRequest) -> ServerFault | None:
        for place, (method, fault) in enumerate(self._faults):
            if method in (ANY_METHOD, request.method):
                del self._faults[place]
                return fault
        return self._permanent.get(request.method) or self._permanent.get(ANY_METHOD)

    def _carry_out(self, request: RecordedRequest, *, commits: bool) -> bytes:
        admitted, headers = self.window.admit(request.at) if self.window else (True, {})
        if not admitted:
            body: object = {"errors": [{"code": "10011", "title": "Too many requests"}]}
            return http_response(429, body, Retry_After=headers["x_ratelimit_reset"], **headers)
        is_file = request.path.startswith("/files/")
        if not is_file and f"\r\nAuthorization: Bearer {SECRET_KEY}\r\n".encode() not in request.head:
            return http_response(401)
        self.on_request(request)
        status, body = self.store.respond(request) if commits else self.store.respond_unchanged(request)
        return http_response(status, body, **headers)


@asynccontextmanager
async def run_fault_server(
    time: FastForwardLoop, *, listens: bool = True, tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[FaultServer]:
    """Run a server; with ``listens=False`` connections are refused until it listens."""
    server = FaultServer(time, RoomStore(time.now), tls=tls)
    try:
        server.bind(port)
        if listens:
            await server.listen()
        yield server
    finally:
        await server.close()
