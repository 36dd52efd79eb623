"""Events that wait for their time, ordered by the time at which they are due. No HTTP."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from heapq import heappop, heappush
from typing import Final, TypeAlias

from attrs import define, field, frozen

from telnyx_rooms_async.emulator.models import WebhookSettings
from telnyx_rooms_async.emulator.serializers import LinkFactory
from telnyx_rooms_async.emulator.webhooks.event_factory import WebhookEvent
from telnyx_rooms_async.models import public_url_repr

EventSource: TypeAlias = WebhookEvent | Callable[[LinkFactory], WebhookEvent | None]
"""An event, or a function that returns the event when it is due: ``None`` if its subject was deleted."""

_Entry: TypeAlias = tuple[datetime, int, WebhookSettings, EventSource]
_DEFAULT_TIMEOUT: Final = 2.0


def _urls_repr(urls: Sequence[str]) -> str:
    return f"[{', '.join(map(public_url_repr, urls))}]"


@frozen(kw_only=True)
class DueEvent:
    """An event that is due, and its receivers."""

    event: WebhookEvent
    urls: Sequence[str] = field(repr=_urls_repr)
    """URL and failover URL."""
    timeout: float
    """Seconds that a receiver has to respond."""


def webhook_timeout(settings: WebhookSettings | None) -> float:
    """Return the seconds that a receiver has to respond. 0 is not documented, and is the default here."""
    return (settings.webhook_timeout_secs if settings else None) or _DEFAULT_TIMEOUT


@define
class Outbox:
    """Priority queue of events. Methods may be called from any thread."""

    on_add: Callable[[], object] = lambda: None
    """Called after an event was added."""
    _heap: list[_Entry] = field(factory=list[_Entry], init=False)
    _counter: Iterator[int] = field(factory=itertools.count, init=False)
    """Keeps events that are due at the same time in the order of their addition."""

    def add(self, settings: WebhookSettings, due_at: datetime, source: EventSource) -> None:
        """Add an event. Its URLs are those that the settings have when it is due."""
        heappush(self._heap, (due_at, next(self._counter), settings, source))
        self.on_add()

    @property
    def next_due_at(self) -> datetime | None:
        """Time at which the next event is due."""
        return self._heap[0][0] if self._heap else None

    def take(self, now: datetime, link: LinkFactory, *, max_count: int) -> tuple[list[DueEvent], bool]:
        """Remove events that are due, in order, and return those that have a receiver.

        Args:
            now: current time.
            link: for events with a link to a file.
            max_count: how many events to remove at most.

        Returns:
            The events, and whether more are due.
        """
        events: list[DueEvent] = []
        for _ in range(max_count):
            if not self._heap or self._heap[0][0] > now:
                return events, False
            _, _, settings, source = heappop(self._heap)
            urls = [url for url in (settings.webhook_event_url, settings.webhook_event_failover_url) if url]
            if not settings.webhook_event_url:
                continue
            event = source if isinstance(source, WebhookEvent) else source(link)
            if event is not None:
                events.append(DueEvent(event=event, urls=urls, timeout=webhook_timeout(settings)))
        return events, True

    def clear(self) -> None:
        """Remove all events."""
        self._heap.clear()
