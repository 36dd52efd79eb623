"""One test against a fault server: its clients, their results, and what must hold afterwards."""

import asyncio
import copy
import gc
import logging
import pickle
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import pytest
from aiohttp import ClientSession
from attrs import define, field

from telnyx_rooms_async import Room, RoomsClient, TelnyxRoomsError
from tests.helpers.clocks import FakeClock
from tests.helpers.error_reports import reported_texts
from tests.helpers.fault_server import FaultServer
from tests.helpers.room_store import HEALTHY_ROOM_ID, SECRET_KEY, SECRETS

T = TypeVar("T")
E = TypeVar("E", bound=BaseException)
Action = Callable[[RoomsClient], Awaitable[T]]


async def read(client: RoomsClient) -> Room:
    return await client.rooms.retrieve(HEALTHY_ROOM_ID)


async def create(client: RoomsClient) -> Room:
    return await client.rooms.create(unique_name="Weekly", max_participants=7)


METHODS: Final[dict[Any, str]] = {read: "GET", create: "POST"}
read_and_create: Final = pytest.mark.parametrize("action", METHODS, ids=lambda action: action.__name__)


async def create_nameless(client: RoomsClient) -> Room:
    return await client.rooms.create(max_participants=7)


async def delete(client: RoomsClient) -> None:
    """Delete the first seeded room."""
    await client.rooms.delete("00000000-0000-0000-0000-000000000001")


async def ids_of(client: RoomsClient, page_size: int = 250) -> list[str]:
    return [room.id async for room in client.rooms.list(page_size=page_size)]


@define(eq=False, repr=False)
class FaultCase:
    """A fault server, the clients of one test, and a record of their calls."""

    server: FaultServer
    client: RoomsClient = field(init=False)
    clients: list[RoomsClient] = field(factory=list[RoomsClient])
    borrowed_sessions: list[ClientSession] = field(factory=list[ClientSession])
    """Sessions of the test, closed after the clients."""
    errors: list[BaseException] = field(factory=list[BaseException])
    results: list[object] = field(factory=list[object])
    seconds: float = 0.0
    """How long the last action took."""
    loop_errors: list[object] = field(factory=list[object])
    """What the event loop or the garbage collector reported."""
    concurrent: bool = False
    """Whether calls overlap, so that requests cannot be assigned to calls."""
    recovery_delay: float = 0.0
    """How long the server has asked clients to wait."""
    recovers: bool = True
    """Whether a successful call can follow."""
    requests_checked: bool = False

    def __attrs_post_init__(self) -> None:
        self.new_client()

    @property
    def clock(self) -> FakeClock:
        return self.server.clock

    def new_client(self, **options: Any) -> RoomsClient:
        defaults: dict[str, Any] = {"base_url": self.server.url, "clock": self.clock.clock}
        self.client = RoomsClient(SECRET_KEY, **defaults | options)
        self.clients.append(self.client)
        return self.client

    async def expect_result(self, action: Action[T], *, creates: int = 1) -> T:
        """Return the result of an action that must succeed; check its time and what it did on the server."""
        start, requests, made = self.clock.seconds, len(self.server.requests), self.server.store.made
        deadline = self.client._api.timeout
        try:
            result = await action(self.client)
        finally:
            self.seconds = self.clock.seconds - start
            assert self.seconds <= deadline + 0.5, f"{self.seconds} s of {deadline} s"
            assert self.server.store.made - made <= creates, "one call made several rooms"
            if not self.concurrent:
                sent = self.server.requests[requests:]
                assert len({request.body for request in sent if request.method == "POST"}) <= 1
        self.results.append(result)
        return result

    async def expect_error(self, error_class: type[E], action: Action[object]) -> E:
        """Return the error of an action, which must be exactly of this class."""
        try:
            outcome = await self.expect_result(action)
        except TelnyxRoomsError as error:
            self.errors.append(error)
            if type(error) is error_class:
                return error
            outcome = error
        raise AssertionError(f"expected {error_class.__name__}, got {outcome!r}")

    def expect_requests(self, methods: str, *, rooms: int = 0) -> None:
        """Check which requests reached the server in all, and how many rooms they made."""
        self.requests_checked = True
        actual = (self.server.methods, self.server.store.made)
        assert actual == (methods, rooms), f"expected {(methods, rooms)}, got {actual}"

    def expect_at_most(self, requests: int, *, rooms: int = 0) -> None:
        """Check a bound where the number of requests is random."""
        self.requests_checked = True
        assert len(self.server.requests) <= requests, f"{len(self.server.requests)} requests"
        assert self.server.store.made == rooms, f"{self.server.store.made} rooms"

    async def check_invariants(self, records: list[logging.LogRecord]) -> None:
        """Check what must hold after every test; close the clients."""
        assert self.requests_checked, "the test must call expect_requests or expect_at_most"
        heads: dict[tuple[str, str, bytes], set[bytes]] = {}
        for request in self.server.requests:
            if not request.is_file:  # a download continues with a Range header
                heads.setdefault((request.method, request.target, request.body), set()).add(request.head)
        assert all(len(variants) == 1 for variants in heads.values()), "headers differ between attempts"
        for error in self.errors:
            check_error(error)
        if self.recovers:
            await self.server.recover()
            self.server.store.restore()
            await asyncio.sleep(self.recovery_delay)
            await read(self.client)
        views = [view for client in self.clients for view in (client, client.with_options())]
        for view in views:
            check_secrets(f"{view!r} {vars(view)!r}")
        del views
        await self.close()
        check_secrets(repr(self.results))
        for record in records:
            trace = "".join(traceback.format_exception(record.exc_info[1])) if record.exc_info else ""
            check_secrets(f"{record.getMessage()} {vars(record)} {trace}")
        await self._check_nothing_is_left()

    async def close(self) -> None:
        """Close everything that the test opened."""
        for client in self.clients:
            await client.close()
        for session in self.borrowed_sessions:
            await session.close()

    async def _check_nothing_is_left(self) -> None:
        """Check that no socket is open, no task runs and nothing was reported to the event loop."""
        await self.wait_for_sockets()
        assert asyncio.all_tasks() - self.server.tasks == {asyncio.current_task()}
        self.clients.clear()
        del self.client
        gc.collect()
        await asyncio.sleep(0)
        assert self.loop_errors == [], f"reported: {self.loop_errors}"

    async def wait_for_sockets(self, idle: int = 0) -> None:
        """Wait until only idle sockets are open at the server."""
        for _ in range(50):
            if self.server.open_connections <= idle:
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"{self.server.open_connections} sockets are open")


def check_error(error: BaseException) -> None:
    """Check that an exception belongs to the package, is picklable data and contains no secret."""
    assert isinstance(error, TelnyxRoomsError | asyncio.CancelledError)
    for text in reported_texts(error, rich_limits=()):
        check_secrets(text)
    if isinstance(error, TelnyxRoomsError):
        assert len(str(error)) <= 300
        assert str(error).isprintable()
        pickled = pickle.dumps(error)
        check_secrets(pickled.decode("latin-1"))
        for clone in (pickle.loads(pickled), copy.copy(error), copy.deepcopy(error)):
            assert type(clone) is type(error)
            assert (str(clone), clone.args) == (str(error), error.args)


def check_secrets(text: str) -> None:
    """Check that a text contains no secret."""
    for secret in SECRETS:
        place = text.find(secret)
        assert place < 0, f"{secret} in: {text[max(0, place - 300) : place + 100]}"
