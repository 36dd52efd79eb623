"""Dispatcher of webhooks: delivers events when they are due, with retries and failover."""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Coroutine
from datetime import datetime
from functools import partial
from typing import Any, Final

from attrs import define, field

from telnyx_rooms_async.emulator.fault_injector import Sleep
from telnyx_rooms_async.emulator.faults import RuleList, WebhookFault, WebhookFaultRule
from telnyx_rooms_async.emulator.serializers import LinkFactory
from telnyx_rooms_async.emulator.state import State
from telnyx_rooms_async.emulator.webhooks.delivery import Delivery, WebhookSender
from telnyx_rooms_async.emulator.webhooks.event_factory import WebhookEvent
from telnyx_rooms_async.emulator.webhooks.outbox import DueEvent, webhook_timeout

_RETRY_DELAYS: Final = (0.0, 1.0, 2.0)
"""Seconds before each attempt at a URL."""
_QUIET_TIME: Final = 0.1
"""Seconds without an event after which shuffled events are sent."""
_MIN_SLEEP: Final = 0.01
"""Seconds between two reads of a clock that may stand still."""
_SLICE: Final = 200
"""Events that are taken from the outbox before other tasks run."""
_MAX_QUEUED: Final = 10_000
"""Due events in the queues of the URLs; further ones wait in the outbox."""
_MAX_SENDING: Final = 20
"""First attempts that are made at the same time, one for each URL."""
_MAX_IN_PROGRESS: Final = 1000
_MAX_IN_PROGRESS_PER_URL: Final = 500
"""Deliveries whose first attempt is being made, or that wait for another one."""


@define(eq=False)
class _UrlQueue:
    """Due events of one URL. First attempts are made one after the other, so that events arrive in order."""

    events: deque[DueEvent] = field(factory=deque[DueEvent])
    in_progress: int = 0
    is_sending: bool = False
    """Whether a first attempt is being made."""
    is_ready: bool = False
    """Whether the queue is in the list of those whose next event can be sent."""


@define(kw_only=True, eq=False)
class WebhookDispatcher:
    """Delivers the events in the outbox of an account, from `start` to `close`."""

    state: State
    rules: RuleList[WebhookFaultRule]
    sender: WebhookSender
    sleep: Sleep
    record: Callable[[Delivery], object]
    link_at: Callable[[datetime], LinkFactory]
    _watcher: asyncio.Task[None] | None = field(default=None, init=False)
    _tasks: set[asyncio.Task[None]] = field(factory=set["asyncio.Task[None]"], init=False)
    _errors: list[BaseException] = field(factory=list[BaseException], init=False)
    """Exceptions of finished tasks, for `settle`."""
    _queues: dict[str, _UrlQueue] = field(factory=dict[str, _UrlQueue], init=False)
    _ready: deque[_UrlQueue] = field(factory=deque[_UrlQueue], init=False)
    _queued: int = field(default=0, init=False)
    _sending: int = field(default=0, init=False)
    _in_progress: int = field(default=0, init=False)
    _held: list[tuple[DueEvent, float]] = field(factory=list[tuple[DueEvent, float]], init=False)
    """Shuffled events with their delays."""
    _random: random.Random = field(factory=lambda: random.Random(0), init=False)  # noqa: S311 - not a secret
    _is_unsigned: bool = field(default=False, init=False)

    def start(self) -> None:
        """Start to deliver events, also those that were added before."""
        wake = asyncio.Event()
        # Events are added from other threads too.
        self.state.outbox.on_add = partial(asyncio.get_running_loop().call_soon_threadsafe, wake.set)
        self._watcher = asyncio.create_task(self._watch(wake))

    async def settle(self) -> None:
        """Deliver the events that are due, and wait until all are delivered or given up.

        Raises:
            RuntimeError: an event could not be signed, because the extra is not installed.
        """
        while self._watcher is not None:
            if self._watcher.done():
                self._watcher.result()  # raises what ended it, such as an exception of `when`
            if self._take_due_events():
                await asyncio.sleep(0)
                continue
            self._release_held_events()
            if self._errors:
                raise self._errors.pop(0)
            if not self._tasks:
                break
            await asyncio.wait(self._tasks)
        if self._is_unsigned:
            _ = self.sender.signing_key

    async def deliver_once(
        self, event: WebhookEvent, url: str | None, signed_at: datetime | None
    ) -> Delivery:
        """Make a single attempt to deliver an event.

        Raises:
            ValueError: there is no URL for the event.
        """
        settings = self.state.webhook_settings(event.payload)
        target = url or (settings.webhook_event_url if settings else None)
        if not target:
            raise ValueError(f"there is no webhook URL for this {event.event_type}: pass url")
        draft = Delivery(event=event, url=target, attempt=1, sent_at=self.state.now())
        delivery = await self.sender.send(draft, webhook_timeout(settings), signed_at)
        self.record(delivery)
        return delivery

    async def close(self) -> None:
        """Cancel all deliveries, and remove all events."""
        watcher, self._watcher = self._watcher, None
        self._ready.clear()
        for queue in self._queues.values():
            queue.events.clear()  # or the end of a delivery would start the next one
        # A watcher that has failed keeps its exception, which asyncio reports.
        tasks = [*self._tasks, *(task for task in [watcher] if task and not task.done())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.state.outbox.on_add = lambda: None
        self.state.outbox.clear()
        self._held.clear()
        self._queues.clear()
        self._queued = self._sending = self._in_progress = 0
        self._report_errors()
        await self.sender.close()

    # --- from the outbox to the queues --------------------------------------------------------------------

    async def _watch(self, wake: asyncio.Event) -> None:
        while True:
            wake.clear()
            if self._take_due_events():
                await asyncio.sleep(0)
                continue
            pause = self._pause()
            try:
                async with asyncio.timeout(pause):
                    await wake.wait()
            except TimeoutError:
                if pause == _QUIET_TIME:
                    self._release_held_events()

    def _pause(self) -> float | None:
        """Return the seconds until something is due, ``None`` if nothing is."""
        next_due_at = self.state.outbox.next_due_at
        pauses = [_QUIET_TIME] if self._held else []
        if next_due_at is not None:
            pauses.append(max((next_due_at - self.state.now()).total_seconds(), _MIN_SLEEP))
        return min(pauses, default=None)

    def _take_due_events(self) -> bool:
        """Queue some of the events that are due, with their faults; return whether more can be queued now."""
        now = self.state.now()
        max_count = min(_SLICE, _MAX_QUEUED - self._queued)
        events, more_due = self.state.outbox.take(now, self.link_at(now), max_count=max_count)
        for due in events:
            fault = self._take_fault(due.event)
            if fault.lost:
                self.record(
                    Delivery(event=due.event, url=due.urls[0], attempt=1, sent_at=now, failure="lost")
                )
                continue
            for _ in range(fault.copies):
                if fault.shuffled:
                    self._held.append((due, fault.delay))
                else:
                    self._schedule(due, fault.delay)
        return more_due and self._queued < _MAX_QUEUED

    def _take_fault(self, event: WebhookEvent) -> WebhookFault:
        rule = self.rules.take(lambda rule: rule.matches(event))
        return WebhookFault() if rule is None else rule.fault

    def _release_held_events(self) -> None:
        held = self._held[:]
        self._held.clear()
        self._random.shuffle(held)
        for due, delay in held:
            self._schedule(due, delay)

    def _schedule(self, due: DueEvent, delay: float) -> None:
        if delay:
            self._start_task(self._enqueue_later(due, delay))
        else:
            self._enqueue(due)

    async def _enqueue_later(self, due: DueEvent, delay: float) -> None:
        await self.sleep(delay)
        self._enqueue(due)

    # --- from the queues to the receivers -----------------------------------------------------------------

    def _enqueue(self, due: DueEvent) -> None:
        queue = self._queues.setdefault(due.urls[0], _UrlQueue())
        queue.events.append(due)
        self._queued += 1
        self._start_deliveries(queue)

    def _start_deliveries(self, queue: _UrlQueue) -> None:
        """Start deliveries after a queue has changed, until a limit is reached."""
        has_capacity = queue.in_progress < _MAX_IN_PROGRESS_PER_URL
        if queue.events and has_capacity and not (queue.is_sending or queue.is_ready):
            queue.is_ready = True
            self._ready.append(queue)
        while self._ready and self._sending < _MAX_SENDING and self._in_progress < _MAX_IN_PROGRESS:
            ready = self._ready.popleft()
            ready.is_ready, ready.is_sending = False, True
            ready.in_progress += 1
            self._sending += 1
            self._in_progress += 1
            self._queued -= 1
            self._start_task(self._deliver(ready, ready.events.popleft()))

    async def _deliver(self, queue: _UrlQueue, due: DueEvent) -> None:
        try:
            delivery = await self._first_attempt(queue, due)
            number = 1
            for url, delay in [(url, delay) for url in due.urls for delay in _RETRY_DELAYS][1:]:
                if delivery.delivered:
                    return
                if url == delivery.url and not delivery.body:
                    continue  # what could not be sent cannot be sent later
                if delay:
                    await self.sleep(delay)
                number += 1
                delivery = await self._attempt(due, url, number)
        finally:
            queue.in_progress -= 1
            self._in_progress -= 1
            self._start_deliveries(queue)
            if not (queue.events or queue.in_progress):
                self._queues.pop(due.urls[0], None)

    async def _first_attempt(self, queue: _UrlQueue, due: DueEvent) -> Delivery:
        try:
            return await self._attempt(due, due.urls[0], 1)
        finally:
            queue.is_sending = False
            self._sending -= 1
            self._start_deliveries(queue)

    async def _attempt(self, due: DueEvent, url: str, number: int) -> Delivery:
        draft = Delivery(event=due.event, url=url, attempt=number, sent_at=self.state.now())
        delivery = await self.sender.send(draft, due.timeout)
        self._is_unsigned |= delivery.failure == "no cryptography"
        self.record(delivery)
        return delivery

    # --- tasks --------------------------------------------------------------------------------------------

    def _start_task(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._finish_task)

    def _finish_task(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._errors.append(error)

    def _report_errors(self) -> None:
        """Pass errors that no `settle` has raised to the exception handler of the loop."""
        loop = asyncio.get_running_loop()
        for error in self._errors:
            loop.call_exception_handler({"message": "delivery of a webhook failed", "exception": error})
        self._errors.clear()
