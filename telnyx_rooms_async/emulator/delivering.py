"""Brings events to their receivers: when they are due, again when that fails. No HTTP."""

import asyncio
import random
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from functools import partial
from typing import Final
from weakref import WeakValueDictionary

from attrs import define, field

from telnyx_rooms_async.emulator.account import Account
from telnyx_rooms_async.emulator.deliveries import Delivery
from telnyx_rooms_async.emulator.mishaps import EventScript
from telnyx_rooms_async.emulator.outbox import Notice, seconds_of
from telnyx_rooms_async.emulator.playing import Sleep
from telnyx_rooms_async.emulator.posting import Poster
from telnyx_rooms_async.emulator.views import Link
from telnyx_rooms_async.emulator.webhooks import WebhookEvent

_WAITS: Final = (0.0, 1.0, 2.0)
"""Seconds before each attempt at a URL."""
_QUIET: Final = 0.1
"""Seconds without an event, before what is held back is let go."""
_BLINK: Final = 0.01
"""Seconds between two looks at a clock that may stand still."""


@define(kw_only=True, eq=False)
class Deliverer:
    """Delivers what is in the outbox of an account, from `start` to `close`."""

    account: Account
    script: EventScript
    poster: Poster
    sleep: Sleep
    record: Callable[[Delivery], object]
    link_at: Callable[[datetime], Link]
    _watcher: asyncio.Task[None] | None = field(default=None, init=False)
    _tasks: set[asyncio.Task[None]] = field(factory=set["asyncio.Task[None]"], init=False)
    _held: list[tuple[Notice, float]] = field(factory=list[tuple[Notice, float]], init=False)
    """What is to be shuffled, and for how long it is delayed then."""
    _queues: WeakValueDictionary[str, asyncio.Lock] = field(
        factory=WeakValueDictionary[str, asyncio.Lock], init=False
    )
    """By URL: first attempts wait for one another, so that what happened first is sent first."""
    _dice: random.Random = field(factory=lambda: random.Random(0), init=False)  # noqa: S311 - no secret
    _unsigned: bool = field(default=False, init=False)

    def start(self) -> None:
        """Deliver what happens from now on, and what happened since the last time."""
        woken = asyncio.Event()
        # People may join from another thread than the emulator's.
        self.account.outbox.on_entry = partial(asyncio.get_running_loop().call_soon_threadsafe, woken.set)
        self._watcher = asyncio.create_task(self._watch(woken))

    async def settle(self) -> None:
        """Deliver what is due, and return when nothing is left of it.

        Raises:
            RuntimeError: something could not be signed: the extra is missing.
        """
        while self._watcher is not None:
            if self._watcher.done():
                self._watcher.result()  # whatever ended it: a `when` of the script that raised, say
            self._begin()
            self._let_go()
            if not self._tasks:
                break
            done, _ = await asyncio.wait(self._tasks)
            for task in done:
                if not task.cancelled():
                    task.result()
        if self._unsigned:
            _ = self.poster.signer

    async def deliver(self, event: WebhookEvent, url: str | None, signed_at: datetime | None) -> Delivery:
        """Make the only attempt at an event.

        Raises:
            ValueError: there is no URL for it.
        """
        hook = self.account.hook_of(event.payload)
        target = url or (hook.webhook_event_url if hook else None)
        if not target:
            raise ValueError(f"no webhook URL is known for this {event.event_type}: tell url")
        draft = Delivery(event=event, url=target, attempt=1, sent_at=self.account.now())
        delivery = await self.poster.post(draft, seconds_of(hook), signed_at)
        self.record(delivery)
        return delivery

    async def close(self) -> None:
        """End all deliveries at once, and forget what is still to be told."""
        watcher, self._watcher = self._watcher, None
        # What ended by an error of its own is left to asyncio, which tells of it.
        tasks = [*self._tasks, *(task for task in [watcher] if task and not task.done())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.account.outbox.on_entry = lambda: None
        self.account.outbox.clear()
        self._held.clear()
        await self.poster.close()

    async def _watch(self, woken: asyncio.Event) -> None:
        while True:
            woken.clear()
            self._begin()
            pause = self._pause()
            try:
                async with asyncio.timeout(pause):
                    await woken.wait()
            except TimeoutError:
                if pause == _QUIET:
                    self._let_go()

    def _pause(self) -> float | None:
        """Tell for how long there is nothing to do, if nothing happens."""
        next_at = self.account.outbox.next_at
        pauses = [_QUIET] if self._held else []
        if next_at is not None:
            pauses.append(max((next_at - self.account.now()).total_seconds(), _BLINK))
        return min(pauses, default=None)

    def _begin(self) -> None:
        now = self.account.now()
        for notice in self.account.outbox.take(now, self.link_at(now)):
            mishap = self.script.take(notice.event)
            if mishap.lost:
                lost = Delivery(
                    event=notice.event, url=notice.urls[0], attempt=1, sent_at=now, failure="lost"
                )
                self.record(lost)
                continue
            for _ in range(mishap.copies):
                if mishap.shuffled:
                    self._held.append((notice, mishap.delay))
                else:
                    self._send(notice, mishap.delay)

    def _let_go(self) -> None:
        held = self._held[:]
        self._held.clear()
        self._dice.shuffle(held)
        for notice, delay in held:
            self._send(notice, delay)

    def _send(self, notice: Notice, delay: float) -> None:
        task = asyncio.create_task(self._deliver(notice, delay))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, notice: Notice, delay: float) -> None:
        if delay:
            await self.sleep(delay)
        number = 0
        for url in notice.urls:
            for wait in _WAITS:
                number += 1
                delivery = await self._attempt(notice, url, number, wait)
                if delivery.delivered:
                    return
                if not delivery.body:
                    break  # what cannot be sent now cannot be sent later

    async def _attempt(self, notice: Notice, url: str, number: int, wait: float) -> Delivery:
        if wait:
            await self.sleep(wait)
        queue = self._queues.setdefault(url, asyncio.Lock()) if number == 1 else nullcontext()
        async with queue:
            draft = Delivery(event=notice.event, url=url, attempt=number, sent_at=self.account.now())
            delivery = await self.poster.post(draft, notice.seconds)
        self._unsigned |= delivery.failure == "no cryptography"
        self.record(delivery)
        return delivery
