"""Which events were handled: one of them may be delivered more than once."""

import os
from collections import OrderedDict
from typing import Final, Protocol

from telnyx_rooms_async.core.validators import exact_text
from telnyx_rooms_async.errors import WebhookError
from telnyx_rooms_async.settings import check_count


class SeenEvents(Protocol):
    """Knows the events that were handled, by their ids. Any store can be one.

    A router asks it for one event once at a time. Workers that share it exclude one another by `seen`.
    """

    async def seen(self, event_id: str) -> bool:
        """Tell whether the event was handled; if not, it is the caller's to handle from now on.

        The caller says afterwards what came of it: `keep` or `forget`. What this raises refuses the event,
        so that Telnyx delivers it again; so should it when another worker has the event in hand.
        """
        ...

    async def keep(self, event_id: str) -> None:
        """Remember that the event was handled.

        A router finishes this call although its caller is cancelled meanwhile, and repeats it once when its
        event loop shuts down: it must be safe to repeat. So must `forget`.
        """
        ...

    async def forget(self, event_id: str) -> None:
        """Give up an event that was not handled: it will be delivered again."""
        ...


class SeenInMemory:
    """Knows the events that this process handled last. Several threads may share it, each with its own loop.

    Args:
        limit: of how many; the oldest are forgotten first.

    Raises:
        ConfigurationError: the limit is no whole number from 1.
    """

    def __init__(self, limit: int = 10_000) -> None:
        check_count(limit=limit)
        self._limit = limit
        # Each use of these is one atomic operation: a lock that another thread holds would outlive a fork.
        self._ids: Final[OrderedDict[str, None]] = OrderedDict()
        self._claims: Final[dict[tuple[int, str], object]] = {}
        """By process, as a fork copies what its parent had claimed."""

    async def seen(self, event_id: str) -> bool:
        """Tell whether the event was handled; if not, claim it.

        Raises:
            WebhookError: another router of this process has it in hand.
        """
        event_id = exact_text(event_id)
        if event_id in self._ids:
            return True
        claim = object()
        if self._claims.setdefault((os.getpid(), event_id), claim) is not claim:
            raise WebhookError(("another router has the event in hand",))
        return False

    async def keep(self, event_id: str) -> None:
        """Remember that the event was handled."""
        event_id = exact_text(event_id)
        self._ids[event_id] = None
        if len(self._ids) > self._limit:
            self._ids.popitem(last=False)
        await self.forget(event_id)

    async def forget(self, event_id: str) -> None:
        """Give up the claim: what was not handled is not remembered."""
        self._claims.pop((os.getpid(), exact_text(event_id)), None)
