"""One test against a fault server: its clients, their results, and what must hold afterwards."""

import asyncio
import copy
import gc
import logging
import pickle
import traceback
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeVar

from aiohttp import ClientSession
from attrs import define, field, frozen

from telnyx_rooms_async import Room, RoomsClient, TelnyxRoomsError
from tests.helpers.fast_forward import FastForwardLoop
from tests.helpers.fault_server import FaultServer
from tests.helpers.room_store import HEALTHY_ROOM_ID, SECRET_KEY, SECRETS, RecordedRequest

T = TypeVar("T")
E = TypeVar("E", bound=BaseException)
Action = Callable[[RoomsClient], Awaitable[T]]

_TESTS: Final = str(Path(__file__).parent.parent)
_LATENESS: Final = 0.5
_LATENESS_OF_MANY: Final = 3.0
"""Hundreds of concurrent calls take real time on a busy machine."""


async def read(client: RoomsClient) -> Room:
    """Retrieve a room."""
    return await client.rooms.retrieve(HEALTHY_ROOM_ID)


async def create(client: RoomsClient) -> Room:
    """Create a room with a name."""
    return await client.rooms.create(unique_name="Weekly", max_participants=7)


async def create_nameless(client: RoomsClient) -> Room:
    """Create a room without a name."""
    return await client.rooms.create(max_participants=7)


async def delete(client: RoomsClient) -> None:
    """Delete the first seeded room."""
    await client.rooms.delete("00000000-0000-0000-0000-000000000001")


async def ids_of(client: RoomsClient, page_size: int = 250) -> list[str]:
    """List all rooms."""
    return [room.id async for room in client.rooms.list(page_size=page_size)]


@frozen(kw_only=True)
class MeasuredCall:
    """How long one action took, and what it did on the server."""

    seconds: float
    deadline: float
    creates: int
    made: int
    requests: tuple[RecordedRequest, ...]


@define(eq=False, repr=False)
class FaultCase:
    """A fault server, the clients of one test, and a record of their calls."""

    server: FaultServer
    time: FastForwardLoop
    client: RoomsClient
    clients: list[RoomsClient] = field(factory=list[RoomsClient])
    borrowed_sessions: list[ClientSession] = field(factory=list[ClientSession])
    """Sessions of the test, closed after the clients."""
    errors: list[BaseException] = field(factory=list[BaseException])
    results: list[object] = field(factory=list[object])
    calls: list[MeasuredCall] = field(factory=list[MeasuredCall])
    records: list[logging.LogRecord] = field(factory=list[logging.LogRecord])
    loop_errors: list[object] = field(factory=list[object])
    """What the event loop or the garbage collector reported."""
    concurrent: bool = False
    """Whether calls overlap, so that requests cannot be assigned to calls."""
    recovery_delay: float = 0.0
    """How long the server has asked clients to wait."""
    requests_checked: bool = False
    no_recovery_reason: str = ""
    """Why no successful call can follow."""

    @classmethod
    def of(cls, server: FaultServer, time: FastForwardLoop) -> "FaultCase":
        """Make a case with a client of default options."""
        case = cls(server, time, client=RoomsClient(SECRET_KEY, base_url=server.url, clock=time.clock))
        case.clients.append(case.client)
        return case

    def new_client(self, **options: Any) -> RoomsClient:
        """Continue with a client of other options."""
        defaults: dict[str, Any] = {"base_url": self.server.url, "clock": self.time.clock}
        self.client = RoomsClient(SECRET_KEY, **defaults | options)
        self.clients.append(self.client)
        return self.client

    async def expect_result(self, action: Action[T], *, creates: int = 1) -> T:
        """Return the result of an action that must succeed."""
        result = await self._measured(action, creates)
        self.results.append(result)
        return result

    async def expect_error(self, error_class: type[E], action: Action[object]) -> E:
        """Return the error of an action, which must be exactly of this class."""
        outcome: object
        try:
            outcome = await self._measured(action, 1)
        except TelnyxRoomsError as error:
            self.errors.append(error)
            if type(error) is error_class:
                return error
            outcome = error
        raise AssertionError(f"expected {error_class.__name__}, got {outcome!r}")

    async def _measured(self, action: Action[T], creates: int) -> T:
        client, start = self.client, self.time.seconds()
        requests, made = len(self.server.requests), self.server.store.made
        try:
            return await action(client)
        finally:
            self.calls.append(
                MeasuredCall(
                    seconds=self.time.seconds() - start,
                    deadline=client._api.timeout,
                    creates=creates,
                    made=self.server.store.made - made,
                    requests=tuple(self.server.requests[requests:]),
                )
            )

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

    async def check_invariants(self) -> None:
        """Check what must hold after every test; close the clients."""
        assert self.requests_checked, "the test must call expect_requests or expect_at_most"
        self._check_calls()
        for error in self.errors:
            check_error(error)
        if not self.no_recovery_reason:
            await self.server.recover()
            self.server.store.restore()
            await asyncio.sleep(self.recovery_delay)
            await read(self.client)
        views = [view for client in self.clients for view in (client, client.with_options())]
        reprs = [repr(view) + repr(vars(view)) for view in views]
        await self.close()
        check_secrets("".join([*reprs, *map(repr, self.results), *map(_record_text, self.records)]))
        del views
        await self._check_nothing_is_left()

    async def close(self) -> None:
        """Close everything that the test opened."""
        for client in self.clients:
            await client.close()
        for session in self.borrowed_sessions:
            await session.close()

    def _check_calls(self) -> None:
        """Check deadlines, at most one room a create, and that attempts of one call are identical."""
        lateness = _LATENESS_OF_MANY if self.concurrent else _LATENESS
        for call in self.calls:
            assert call.seconds <= call.deadline + lateness, f"{call.seconds} s of {call.deadline} s"
            assert call.made <= call.creates, f"{call.made} rooms of {call.creates} calls"
            if not self.concurrent:
                assert len({request.body for request in call.requests if request.method == "POST"}) <= 1
        heads: dict[tuple[str, str, bytes], set[bytes]] = {}
        for request in self.server.requests:
            if not request.path.startswith("/files/"):  # a download continues with a Range header
                heads.setdefault((request.method, request.target, request.body), set()).add(request.head)
        assert all(len(variants) == 1 for variants in heads.values()), "headers differ between attempts"

    async def _check_nothing_is_left(self) -> None:
        """Check that no socket is open, no task runs and nothing was reported to the event loop."""
        for _ in range(50):
            if not self.server.open:
                break
            await asyncio.sleep(0.1)
        assert self.server.open == 0, "a socket is open after close()"
        assert asyncio.all_tasks() - self.server.tasks == {asyncio.current_task()}
        self.clients.clear()
        del self.client
        self.calls.clear()
        gc.collect()
        await asyncio.sleep(0)
        assert self.loop_errors == [], f"reported: {self.loop_errors}"


def check_error(error: BaseException) -> None:
    """Check that an exception belongs to the package, is picklable data and contains no secret."""
    assert isinstance(error, TelnyxRoomsError | asyncio.CancelledError)
    check_secrets("".join(error_texts(error)))
    if isinstance(error, TelnyxRoomsError):
        assert len(str(error)) <= 300
        assert str(error).isprintable()
        pickled = pickle.dumps(error)
        check_secrets(pickled.decode("latin-1"))
        for clone in (pickle.loads(pickled), copy.copy(error), copy.deepcopy(error)):
            assert type(clone) is type(error)
            assert (str(clone), clone.args) == (str(error), error.args)


def error_texts(error: BaseException) -> Iterator[str]:
    """Yield the text of an exception, its chain and its traceback with locals, without frames of tests."""
    frames = _below_tests(error.__traceback__)
    yield from traceback.TracebackException(type(error), error, frames, capture_locals=True).format()
    links: list[BaseException | None] = [error]
    while links:
        if link := links.pop():
            yield f"{link} {link!r} {link.args!r} {vars(link)!r}"
            links += [link.__cause__, link.__context__]


def _below_tests(frames: TracebackType | None) -> TracebackType | None:
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(_TESTS):
        frames = frames.tb_next
    return frames


def _record_text(record: logging.LogRecord) -> str:
    trace = "".join(traceback.format_exception(record.exc_info[1])) if record.exc_info else ""
    return f"{record.getMessage()} {vars(record)} {trace}"


def check_secrets(text: str) -> None:
    """Check that a text contains no secret."""
    for secret in SECRETS:
        place = text.find(secret)
        assert place < 0, f"{secret} in: {text[max(0, place - 300) : place + 100]}"
