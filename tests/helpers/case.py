"""One case: a faulty server, a client with a canary for its key, and all that they produced."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from aiohttp import ClientSession
from attrs import define, field, frozen

from telnyx_rooms_async import Room, RoomsClient, TelnyxRoomsError
from tests.helpers.faulty import Faulty
from tests.helpers.haste import Haste
from tests.helpers.ledger import CANARY_KEY, HEALTHY, Asked

T = TypeVar("T")
E = TypeVar("E", bound=BaseException)
Deed = Callable[[RoomsClient], Awaitable[T]]


async def read(client: RoomsClient) -> Room:
    """Make a read."""
    return await client.rooms.retrieve(HEALTHY)


async def create(client: RoomsClient) -> Room:
    """Make a create with a name."""
    return await client.rooms.create(unique_name="Weekly", max_participants=7)


async def create_nameless(client: RoomsClient) -> Room:
    """Make a create without a name."""
    return await client.rooms.create(max_participants=7)


async def delete(client: RoomsClient) -> None:
    """Delete the first room that was seeded."""
    await client.rooms.delete("00000000-0000-0000-0000-000000000001")


async def ids_of(client: RoomsClient, page_size: int = 250) -> list[str]:
    """List all rooms."""
    return [room.id async for room in client.rooms.list(page_size=page_size)]


@frozen(kw_only=True)
class Measured:
    """What one call of the test took, and did on the server."""

    seconds: float
    deadline: float
    creates: int
    made: int
    requests: tuple[Asked, ...]


@define(eq=False, repr=False)
class Case:
    """What a test does, and the record of it."""

    server: Faulty
    time: Haste
    client: RoomsClient
    clients: list[RoomsClient] = field(factory=list[RoomsClient])
    lent: list[ClientSession] = field(factory=list[ClientSession])
    """Sessions that the test lends, to be closed after the clients."""
    errors: list[BaseException] = field(factory=list[BaseException])
    answers: list[object] = field(factory=list[object])
    calls: list[Measured] = field(factory=list[Measured])
    records: list[logging.LogRecord] = field(factory=list[logging.LogRecord])
    troubles: list[object] = field(factory=list[object])
    """What the loop or the garbage collector complained of."""
    at_once: bool = False
    """Whether calls overlap, so that requests cannot be told apart by time."""
    rest: float = 0.0
    """For how long the server has asked to be left alone."""
    counted: bool = False
    past_healing: str = ""
    """Why no healthy call can follow."""

    @classmethod
    def of(cls, server: Faulty, time: Haste) -> "Case":
        """Begin a case with a client of the defaults."""
        case = cls(server, time, client=RoomsClient(CANARY_KEY, base_url=server.url, clock=time.clock))
        case.clients.append(case.client)
        return case

    def uses(self, **options: Any) -> RoomsClient:
        """Go on with a client of other options."""
        told: dict[str, Any] = {"base_url": self.server.url, "clock": self.time.clock} | options
        self.client = RoomsClient(CANARY_KEY, **told)
        self.clients.append(self.client)
        return self.client

    async def succeeds(self, deed: Deed[T], *, creates: int = 1) -> T:
        """Do something that must work."""
        answer = await self._measured(deed, creates)
        self.answers.append(answer)
        return answer

    async def fails(self, kind: type[E], deed: Deed[object]) -> E:
        """Do something that must raise exactly this."""
        outcome: object
        try:
            outcome = await self._measured(deed, 1)
        except TelnyxRoomsError as error:
            self.errors.append(error)
            if type(error) is kind:
                return error
            outcome = error
        raise AssertionError(f"no {kind.__name__}, but {outcome!r}")

    async def _measured(self, deed: Deed[T], creates: int) -> T:
        client, began = self.client, self.time.seconds()
        requests, made = len(self.server.requests), self.server.ledger.made
        try:
            return await deed(client)
        finally:
            self.calls.append(
                Measured(
                    seconds=self.time.seconds() - began,
                    deadline=client._api.timeout,
                    creates=creates,
                    made=self.server.ledger.made - made,
                    requests=tuple(self.server.requests[requests:]),
                )
            )

    def saw(self, methods: str, *, rooms: int = 0) -> None:
        """State which requests reached the server in all, and how many rooms they made."""
        self.counted = True
        seen = (self.server.methods, self.server.ledger.made)
        assert seen == (methods, rooms), f"it saw {seen}, not {(methods, rooms)}"

    def saw_at_most(self, requests: int, *, rooms: int = 0) -> None:
        """State a bound where the number of requests hangs on chance."""
        self.counted = True
        assert len(self.server.requests) <= requests, f"it saw {len(self.server.requests)} requests"
        assert self.server.ledger.made == rooms, f"it made {self.server.ledger.made} rooms"
