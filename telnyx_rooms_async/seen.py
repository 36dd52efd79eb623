"""Which events were handled: one of them may be delivered more than once."""

from typing import Final, Protocol

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
        """Remember that the event was handled."""
        ...

    async def forget(self, event_id: str) -> None:
        """Give up an event that was not handled: it will be delivered again."""
        ...


class SeenInMemory:
    """Knows the events that this process handled last.

    Args:
        limit: of how many; the oldest are forgotten first.

    Raises:
        ConfigurationError: the limit is no whole number from 1.
    """

    def __init__(self, limit: int = 10_000) -> None:
        check_count(limit=limit)
        self._limit = limit
        self._ids: Final[dict[str, None]] = {}

    async def seen(self, event_id: str) -> bool:
        """Tell whether the event was handled."""
        return event_id in self._ids

    async def keep(self, event_id: str) -> None:
        """Remember that the event was handled."""
        self._ids[event_id] = None
        if len(self._ids) > self._limit:
            del self._ids[next(iter(self._ids))]

    async def forget(self, event_id: str) -> None:
        """Do nothing: only what was handled is remembered."""
