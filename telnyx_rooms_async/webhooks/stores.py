"""Event stores: which events were handled already, since Telnyx can deliver an event more than once."""

import os
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from telnyx_rooms_async.core.validators import exact_text
from telnyx_rooms_async.errors import EventClaimedError
from telnyx_rooms_async.http.attempt_log import logger
from telnyx_rooms_async.settings import check_count
from telnyx_rooms_async.shield import run_shielded


class EventStore(Protocol):
    """Store of the ids of handled events. Implement it to keep them in a database of your own.

    A router calls it for an event from one task at a time. Workers that share a store exclude one another
    by `claim`.
    """

    async def claim(self, event_id: str) -> bool:
        """Claim an event, and return True; return False if it was handled.

        After True, the router calls `complete` or `release`. An exception refuses the event, and Telnyx
        delivers it again; raise `EventClaimedError` while another worker has claimed the event.
        """
        ...

    async def complete(self, event_id: str) -> None:
        """Record that a claimed event was handled.

        Must be safe to repeat: a router completes this call even if its caller is cancelled, and repeats it
        once if the event loop shuts down meanwhile. The same holds for `release`.
        """
        ...

    async def release(self, event_id: str) -> None:
        """Release the claim of an event that was not handled and will be delivered again."""
        ...


class MemoryEventStore:
    """Event store of one process. Threads can share it, each with an event loop of its own.

    The default of 10 000 events lasts for 17 minutes at 10 events a second, and for 100 seconds at 100
    events a second; choose a `limit` that covers the time in which Telnyx delivers an event again. 10 000
    ids take about 1.5 MB.

    Args:
        limit: number of handled events that are remembered; the oldest is forgotten first.

    Raises:
        ConfigurationError: the limit is not an integer, 1 or more.

    Example:
        >>> router = EventRouter(store=MemoryEventStore(limit=100_000))
    """

    def __init__(self, limit: int = 10_000) -> None:
        check_count(limit=limit)
        self._limit = int(limit)
        self._handled: Final[OrderedDict[str, None]] = OrderedDict()
        self._claims = ClaimsOfProcess()

    async def claim(self, event_id: str) -> bool:
        """Claim an event, and return True; return False if it was handled.

        Raises:
            EventClaimedError: another router of this process is handling the event.
        """
        event_id = exact_text(event_id)
        if event_id in self._handled:
            return False
        if not self._claims.add(event_id):
            raise EventClaimedError(("another router is handling the event",))
        return True

    async def complete(self, event_id: str) -> None:
        """Record that a claimed event was handled."""
        event_id = exact_text(event_id)
        self._handled[event_id] = None
        if len(self._handled) > self._limit:
            self._handled.popitem(last=False)
        await self.release(event_id)

    async def release(self, event_id: str) -> None:
        """Release the claim of an event."""
        self._claims.discard(exact_text(event_id))


class ClaimsOfProcess:
    """Ids of the events that tasks of this process are handling; threads can share it."""

    def __init__(self) -> None:
        # Each access is one atomic operation: a lock could be held by another thread during a fork. By
        # process id, since a fork copies the claims of its parent.
        self._claims: Final[dict[tuple[int, str], object]] = {}

    def add(self, event_id: str) -> bool:
        """Claim an event; return False if it is claimed already."""
        claim = object()
        return self._claims.setdefault((os.getpid(), event_id), claim) is claim

    def discard(self, event_id: str) -> None:
        """Remove the claim of an event, if there is one."""
        self._claims.pop((os.getpid(), event_id), None)


async def handle_claimed(store: EventStore, event_id: str, handle: Callable[[], Awaitable[bool]]) -> None:
    """Handle a claimed event: it counts as handled if `handle` returns True, otherwise it is released."""
    record = store.release

    async def update_store() -> None:
        try:
            await record(event_id)
        except Exception:  # of a user's store; it does not change the result of the handlers
            logger.exception("the event store could not record whether an event was handled")

    try:
        if await handle():
            record = store.complete
    finally:
        # Shielded: a handled event that is not recorded would be handled again.
        await run_shielded(update_store)
