"""A server of raw sockets on a free port: the base of the fault server and of the scripted server."""

import asyncio
import json
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Literal, TypeAlias, TypeVar

from attrs import define, field, frozen

Then: TypeAlias = Literal["keep", "close", "reset", "hang"]
"""What happens to a connection after a response."""


def http_response(status: int, body: object = None, **headers: str) -> bytes:
    """Write a well-formed response; ``_`` in a header's name stands for ``-``."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    own = {} if status == 204 else {"Content_Type": "application/json", "Content_Length": str(len(content))}
    lines = [f"HTTP/1.1 {status} Whatever"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in (own | headers).items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content


@frozen(eq=False)
class Connection:
    """One connection, on the server's side."""

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def read_request(self) -> tuple[bytes, bytes]:
        """Read the head and the body of a request."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        return head, await self.reader.readexactly(int(length[1])) if length else b""

    async def send(self, data: bytes, then: Then = "keep") -> bool:
        """Send bytes; return whether the connection is kept."""
        self.writer.write(data)
        await self.writer.drain()
        if then == "reset":  # with a RST, as a crashed host does
            connection: socket.socket = self.writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.writer.transport.abort()
        if then == "hang":
            while await self.reader.read(65_536):
                pass
        return then == "keep"


@define(eq=False, repr=False)
class RawServer:
    """Passes each request to `respond`; counts connections."""

    tls: ssl.SSLContext | None = None
    connections: int = 0
    """How many were ever accepted."""
    open_connections: int = 0
    most_open: int = 0
    tasks: set[asyncio.Task[Any]] = field(factory=set[Any])
    port: int = 0
    _server: asyncio.Server | None = None
    _reservation: socket.socket = field(factory=socket.socket)
    """Keeps the port while the server does not listen."""

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/v2"

    def bind(self) -> None:
        """Take a port, on which connections are refused until the server listens."""
        self._reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._reservation.bind(("127.0.0.1", 0))
        self.port = self._reservation.getsockname()[1]

    async def listen(self) -> None:
        """Accept connections."""
        if self._server is None:
            self._server = await asyncio.start_server(
                self._serve, "127.0.0.1", self.port, ssl=self.tls, backlog=1024, reuse_port=True
            )

    def stop_listening(self) -> None:
        """Refuse connections until the server listens again; those that are open are still served."""
        if self._server is not None:
            self._server.close()
            self._server = None

    @contextmanager
    def unanswered_connections(self) -> Iterator[None]:
        """Answer no SYN, where the server does not listen: the backlog of its port is full."""
        with socket.socket() as full, socket.socket() as first, socket.socket() as second:
            full.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            full.bind(("127.0.0.1", self.port))
            full.listen(0)
            for waiting in (first, second):
                waiting.setblocking(False)  # noqa: FBT003 - it is positional
                waiting.connect_ex(full.getsockname())
            yield

    def shrink_buffers(self) -> None:
        """Use small buffers, so that a large request is not accepted unless it is read."""
        assert self._server is not None
        self._server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

    def close(self) -> None:
        self.stop_listening()
        self._reservation.close()

    async def respond(self, connection: Connection, head: bytes, body: bytes) -> bool:
        """Respond to a request; return whether the connection is kept."""
        raise NotImplementedError

    async def serve_requests(self, connection: Connection) -> None:
        while await self.respond(connection, *await connection.read_request()):
            pass

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        self.connections += 1
        self.open_connections += 1
        self.most_open = max(self.open_connections, self.most_open)
        # asyncio logs the cancellation of such a task at the end of an event loop.
        with suppress(asyncio.CancelledError):
            try:
                with suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
                    await self.serve_requests(Connection(self.connections, reader, writer))
            finally:
                self.open_connections -= 1
                writer.close()
                # Without it asyncio logs a reset of a connection that is collected too early.
                with suppress(OSError):
                    await writer.wait_closed()


S = TypeVar("S", bound=RawServer)


@asynccontextmanager
async def running(server: S, *, listens: bool = True) -> AsyncIterator[S]:
    """Run a server; with ``listens=False`` connections are refused until it listens."""
    server.bind()
    try:
        if listens:
            await server.listen()
        yield server
    finally:
        server.close()
