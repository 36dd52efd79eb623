"""A server of raw sockets that keeps rooms, injects faults and records requests."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from attrs import define, evolve, field, frozen

from tests.helpers.clocks import FakeClock
from tests.helpers.raw_server import Connection, RawServer, http_response
from tests.helpers.room_store import SECRET_KEY, RecordedRequest, RoomStore

ANY: Final = ""
FILES: Final = "/files/"
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
class FaultServer(RawServer):
    """The server; `store` holds its rooms."""

    clock: FakeClock = field(factory=FakeClock)
    store: RoomStore = field(init=False)
    requests: list[RecordedRequest] = field(factory=list[RecordedRequest])
    window: RateWindow | None = None
    unread_connections: int = 0
    """How many of the next connections are never read from."""
    on_request: Callable[[RecordedRequest], object] = lambda _: None
    """Called with each request before it is carried out."""
    _faults: list[tuple[str, ServerFault]] = field(factory=list[Any])
    _permanent: dict[str, ServerFault] = field(factory=dict[str, ServerFault])
    _recovered: asyncio.Event = field(factory=asyncio.Event)

    def __attrs_post_init__(self) -> None:
        self.store = RoomStore(self.clock.time)

    def bind(self) -> None:
        super().bind()
        self.store.url = self.url

    @property
    def methods(self) -> str:
        """The methods of all requests, such as ``"POST GET"``."""
        return " ".join(request.method for request in self.requests)

    def inject(self, *faults: ServerFault, on: str = ANY) -> None:
        """Answer the next requests, those of one method or of `FILES`, with faults; then correctly."""
        self._faults += [(on, fault) for fault in faults]

    def inject_always(self, fault: ServerFault, *, on: str = ANY) -> None:
        """Answer all requests, those of one method or of `FILES`, with a fault."""
        self._permanent[on] = fault

    async def recover(self) -> None:
        """Answer correctly from now on."""
        self._faults, self._permanent, self.unread_connections, self.window = [], {}, 0, None
        self.on_request = lambda _: None
        self._recovered.set()
        await self.listen()

    async def serve_requests(self, connection: Connection) -> None:
        if self.unread_connections:
            self.unread_connections -= 1
            transport: Any = connection.writer.transport
            transport.pause_reading()
            await self._recovered.wait()
            transport.resume_reading()
            await connection.send(b"", "hang")
        else:
            await super().serve_requests(connection)

    async def respond(self, connection: Connection, head: bytes, body: bytes) -> bool:
        method, target, _ = head.decode("latin-1").split(" ", 2)
        request = RecordedRequest(
            method=method,
            target=target,
            head=head,
            body=body,
            at=self.clock.seconds,
            connection=connection.number,
        )
        self.requests.append(request)
        fault = self._next_fault(request)
        response = self._carry_out(request, commits=fault is None or fault.commits)
        return await (connection.send(response) if fault is None else fault.respond(connection, response))

    def _next_fault(self, request: RecordedRequest) -> ServerFault | None:
        matching = [FILES] if request.is_file else []
        matching += [request.method, ANY]
        for place, (on, fault) in enumerate(self._faults):
            if on in matching:
                del self._faults[place]
                return fault
        return next((self._permanent[on] for on in matching if on in self._permanent), None)

    def _carry_out(self, request: RecordedRequest, *, commits: bool) -> bytes:
        admitted, headers = self.window.admit(request.at) if self.window else (True, {})
        if not admitted:
            body: object = {"errors": [{"code": "10011", "title": "Too many requests"}]}
            return http_response(429, body, Retry_After=headers["x_ratelimit_reset"], **headers)
        if not request.is_file and f"\r\nAuthorization: Bearer {SECRET_KEY}\r\n".encode() not in request.head:
            return http_response(401)
        self.on_request(request)
        status, body = self.store.respond(request, commits=commits)
        return http_response(status, body, **headers)
