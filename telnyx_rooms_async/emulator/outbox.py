"""What happened, and what will have happened when the clock says so, until it is told. No HTTP."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Protocol, TypeAlias

from attrs import define, field, frozen

from telnyx_rooms_async.emulator.views import Link
from telnyx_rooms_async.emulator.webhooks import WebhookEvent
from telnyx_rooms_async.models import public_url_repr

Make: TypeAlias = Callable[[Link], WebhookEvent | None]
"""Makes an event when it is due; ``None`` when what it would tell of was deleted before."""

TIMEOUT: Final = 2.0
"""Seconds, unless the room or the composition says otherwise."""


class Hook(Protocol):
    """Where events go: a room or a composition as it is when they are due."""

    webhook_event_url: str | None
    webhook_event_failover_url: str | None
    webhook_timeout_secs: int | None


def _urls_repr(urls: Sequence[str]) -> str:
    return f"[{', '.join(map(public_url_repr, urls))}]"


@frozen(kw_only=True)
class Notice:
    """An event, and where it goes."""

    event: WebhookEvent
    urls: Sequence[str] = field(repr=_urls_repr)
    """The second one is asked when the first one fails."""
    seconds: float
    """How long a receiver has to answer."""


def seconds_of(hook: Hook | None) -> float:
    """Tell how long a receiver has to answer. Telnyx does not say what 0 is: here it is the default."""
    return (hook.webhook_timeout_secs if hook else None) or TIMEOUT


def _notice(hook: Hook, event: WebhookEvent) -> Notice:
    urls = [url for url in (hook.webhook_event_url, hook.webhook_event_failover_url) if url]
    return Notice(event=event, urls=urls, seconds=seconds_of(hook))


@frozen(kw_only=True)
class _Entry:
    at: datetime
    hook: Hook
    news: WebhookEvent | Make

    def event(self, link: Link) -> WebhookEvent | None:
        return self.news if isinstance(self.news, WebhookEvent) else self.news(link)


@define
class Outbox:
    """Keeps what is still to be told."""

    on_entry: Callable[[], object] = lambda: None
    """Called when something is added."""
    _entries: list[_Entry] = field(factory=list[_Entry], init=False)

    def add(self, hook: Hook, at: datetime, news: WebhookEvent | Make) -> None:
        """Have something told when its time has come."""
        self._entries.append(_Entry(at=at, hook=hook, news=news))
        self.on_entry()

    @property
    def next_at(self) -> datetime | None:
        """When the next thing is due."""
        return min((entry.at for entry in self._entries), default=None)

    def take(self, now: datetime, link: Link) -> list[Notice]:
        """Take out what is due, in the order in which it happened; nothing of what goes nowhere."""
        # Swapped, so that what is added meanwhile by another thread is not lost.
        entries, self._entries = self._entries, []
        self._entries.extend(entry for entry in entries if entry.at > now)
        due = sorted((entry for entry in entries if entry.at <= now), key=lambda entry: entry.at)
        made = ((entry.hook, entry.event(link)) for entry in due if entry.hook.webhook_event_url)
        return [_notice(hook, event) for hook, event in made if event is not None]

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
