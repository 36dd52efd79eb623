"""A Telnyx of raw sockets that keeps rooms, plays tricks from a script, and counts."""

import asyncio
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeAlias

from attrs import define, evolve, field, frozen

from tests.helpers.haste import Haste
from tests.helpers.ledger import CANARY_KEY, Asked, Ledger, http

ANY: Final = ""


@define(eq=False, repr=False)
class Line:
    """One connection, seen from the server."""

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Write, and wait until it is on its way."""
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Drop the connection with a RST, as a crashed host does."""
        connection: socket.socket = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def hang(self) -> None:
        """Say nothing until the client has gone."""
        while await self.reader.read(65_536):
            pass


Play: TypeAlias = Callable[[Line, bytes], Awaitable[bool]]
"""Answer in one's own way, given the honest answer; tell whether the connection may go on."""


@frozen
class Trick:
    """How one request is answered, and whether it is carried out."""

    play: Play
    commits: bool = True

    @property
    def uncommitted(self) -> "Trick":
        """The same on the wire, but nothing was done."""
        return evolve(self, commits=False)


@define
class Window:
    """So many requests in so many seconds, as Telnyx tells it in headers."""

    limit: int
    seconds: float
    began: float = -1e9
    used: int = 0
    refused: int = 0

    def admit(self, now: float) -> tuple[bool, dict[str, str]]:
        """Count a request, and say whether it is one too many."""
        if now >= self.began + self.seconds:
            self.began, self.used = now, 0
        admitted = self.used < self.limit
        self.used += admitted
        self.refused += not admitted
        told = {
            "x_ratelimit_limit": f"{self.limit}, {self.limit};w={self.seconds:g}",
            "x_ratelimit_remaining": str(self.limit - self.used),
            "x_ratelimit_reset": f"{self.began + self.seconds - now:.3f}",
        }
        return admitted, told


@define(eq=False, repr=False)
class Faulty:
    """The server."""

    time: Haste
    ledger: Ledger
    requests: list[Asked] = field(factory=list[Asked])
    connections: int = 0
    """How many were ever made."""
    open: int = 0
    most_open: int = 0
    window: Window | None = None
    deaf: int = 0
    """How many of the next connections are never read from."""
    before: Callable[[Asked], object] = lambda _: None
    """Called with each request before it is carried out."""
    tls: ssl.SSLContext | None = None
    tasks: set[asyncio.Task[Any]] = field(factory=set[Any])
    host: str = "127.0.0.1"
    port: int = 0
    _script: list[tuple[str, Trick]] = field(factory=list[Any])
    _lasting: dict[str, Trick] = field(factory=dict[str, Trick])
    _healed: asyncio.Event = field(factory=asyncio.Event)
    _server: asyncio.Server | None = None
    # Told that it is TCP, asyncio sends each piece at once; else loopback would take 40 ms now and then.
    _socket: socket.socket = field(factory=lambda: socket.socket(proto=socket.IPPROTO_TCP))

    @property
    def url(self) -> str:
        """The base URL."""
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}/v2"

    @property
    def methods(self) -> str:
        """What came, a word a request."""
        return " ".join(asked.method for asked in self.requests)

    def plays(self, *tricks: Trick, on: str = ANY) -> None:
        """Answer the next requests, or those of one method, so; then honestly."""
        self._script += [(on, trick) for trick in tricks]

    def keeps_playing(self, trick: Trick, *, on: str = ANY) -> None:
        """Answer all requests, or those of one method, so."""
        self._lasting[on] = trick

    def bind(self, port: int = 0) -> None:
        """Take a port, on which connections are refused until the server listens."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.port = self._socket.getsockname()[1]
        self.ledger.url = self.url

    async def listen(self) -> None:
        """Begin to take connections."""
        if self._server is None:
            self._server = await asyncio.start_server(
                self._serve, sock=self._socket, ssl=self.tls, backlog=1024
            )

    def narrow(self) -> None:
        """Have small buffers, so that a large request does not fit in unless it is read."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

    async def heal(self) -> None:
        """Be honest from now on."""
        self._script, self._lasting, self.deaf, self.window = [], {}, 0, None
        self.before = lambda _: None
        self._healed.set()
        await self.listen()

    async def close(self) -> None:
        """Take no more connections."""
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
        line = Line(self.connections, reader, writer)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
                await self._converse(line)
        finally:
            self.open -= 1
            writer.close()
            # Else a reset that nobody hears of is complained about, if it is found to be garbage too early.
            with suppress(OSError):
                await writer.wait_closed()

    async def _converse(self, line: Line) -> None:
        if self.deaf:
            self.deaf -= 1
            transport: Any = line.writer.transport
            transport.pause_reading()
            await self._healed.wait()
            transport.resume_reading()
            await line.hang()
            return
        while await self._exchange(line):
            pass

    async def _exchange(self, line: Line) -> bool:
        head = await line.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        body = await line.reader.readexactly(int(length[1])) if length else b""
        method, target, _ = head.decode("latin-1").split(" ", 2)
        asked = Asked(
            method=method, target=target, head=head, body=body, at=self.time.seconds(), line=line.number
        )
        self.requests.append(asked)
        trick = self._next(asked)
        answer = self._carry_out(asked, commits=trick is None or trick.commits)
        if trick is None:
            await line.send(answer)
            return True
        return await trick.play(line, answer)

    def _next(self, asked: Asked) -> Trick | None:
        for place, (method, trick) in enumerate(self._script):
            if method in (ANY, asked.method):
                del self._script[place]
                return trick
        return self._lasting.get(asked.method) or self._lasting.get(ANY)

    def _carry_out(self, asked: Asked, *, commits: bool) -> bytes:
        admitted, headers = self.window.admit(asked.at) if self.window else (True, {})
        if not admitted:
            told: object = {"errors": [{"code": "10011", "title": "Too many requests"}]}
            return http(429, told, Retry_After=headers["x_ratelimit_reset"], **headers)
        is_file = asked.path.startswith("/files/")
        if not is_file and f"\r\nAuthorization: Bearer {CANARY_KEY}\r\n".encode() not in asked.head:
            return http(401)
        self.before(asked)
        status, told = self.ledger.answer(asked) if commits else self.ledger.pretend(asked)
        return http(status, told, **headers)


@asynccontextmanager
async def faulty(
    time: Haste, *, listens: bool = True, tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[Faulty]:
    """Run a server, which listens at once unless told otherwise."""
    server = Faulty(time, Ledger(time.now), tls=tls)
    try:
        server.bind(port)
        if listens:
            await server.listen()
        yield server
    finally:
        await server.close()
