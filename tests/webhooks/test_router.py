"""EventRouter: which handlers run, and that each event is handled once."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, cast
from unittest.mock import AsyncMock

import pytest
from attrs import define, field

from telnyx_rooms_async import ConfigurationError, InvalidArgumentError, WebhookError, WrongEventLoopError
from telnyx_rooms_async.webhooks import (
    Event,
    EventRouter,
    MemoryEventStore,
    RoomSessionEnded,
    RoomSessionStarted,
    UnknownEvent,
)
from tests.helpers.clocks import wait_until

ENDED = RoomSessionEnded(id="ended")
A, B, C = (RoomSessionEnded(id=letter) for letter in "abc")


class HandlerError(Exception):
    """Raised by handlers and stores of these tests."""


def open_gate() -> asyncio.Event:
    gate = asyncio.Event()
    gate.set()
    return gate


@define
class Handler:
    """Records events, waits for its gate, and fails for the first few."""

    failures: int = 0
    events: list[Event] = field(factory=list[Event])
    gate: asyncio.Event = field(factory=open_gate)

    async def __call__(self, event: Event) -> None:
        self.events.append(event)
        await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise HandlerError

    async def wait_until_called(self) -> None:
        await wait_until(lambda: bool(self.events))


class Store(MemoryEventStore):
    """Event store whose methods can fail, or wait for a gate."""

    def __init__(self, failing: str = "", waiting: str = "") -> None:
        super().__init__()
        self.failing, self.waiting = failing.split(), waiting
        self.entered, self.gate = asyncio.Event(), asyncio.Event()

    async def claim(self, event_id: str) -> bool:
        await self._wait("claim")
        self._fail("claim")
        return await super().claim(event_id)

    async def complete(self, event_id: str) -> None:
        await self._wait("complete")
        self._fail("complete")
        await super().complete(event_id)

    async def release(self, event_id: str) -> None:
        await self._wait("release")
        await super().release(event_id)
        self._fail("release")

    async def _wait(self, name: str) -> None:
        if name == self.waiting:
            self.entered.set()
            await self.gate.wait()

    def _fail(self, name: str) -> None:
        if name in self.failing:
            raise HandlerError(name)


def router_of(handler: Handler, **options: Any) -> EventRouter:
    router = EventRouter(**options)
    router.on(Event)(handler)
    return router


async def test_handlers_run_once_by_class_in_order_of_registration() -> None:
    router, called = EventRouter(), list[str]()

    @router.on(RoomSessionEnded)
    async def ended(event: RoomSessionEnded) -> None:
        called.append(f"ended {event.id}")

    @router.on(Event)
    async def any_event(event: Event) -> None:
        called.append(f"any {event.id}")

    @router.on(UnknownEvent)
    async def unknown(event: UnknownEvent) -> None:
        called.append(f"unknown {event.id}")

    assert [await router.dispatch(ENDED) for _ in range(3)] == [True, False, False]
    assert await router.dispatch(RoomSessionStarted(id="started"))
    assert await router.dispatch(UnknownEvent(id="other", event_type="other"))
    assert called == ["ended ended", "any ended", "any started", "any other", "unknown other"]
    await ended(ENDED)  # the decorated function is unchanged


async def test_failed_event_is_handled_again_and_later_handlers_do_not_run() -> None:
    first, second = Handler(failures=2), Handler()
    router = EventRouter()
    assert not await router.dispatch(ENDED)  # without a handler, the event is not remembered
    for handler in (first, second):
        router.on(Event)(handler)
    for _ in range(2):
        with pytest.raises(HandlerError):
            await router.dispatch(ENDED)
    assert second.events == []
    assert await router.dispatch(ENDED)
    assert not await router.dispatch(ENDED)
    assert (len(first.events), len(second.events)) == (3, 1)


async def test_cancelled_event_is_handled_again() -> None:
    handler = Handler(gate=asyncio.Event())
    router = router_of(handler)
    task = asyncio.create_task(router.dispatch(ENDED))
    await handler.wait_until_called()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    handler.gate.set()
    assert await router.dispatch(ENDED)


async def test_concurrent_duplicates_wait_for_the_first_and_replace_a_failed_one() -> None:
    handler = Handler(failures=1, gate=asyncio.Event())
    router = router_of(handler)
    tasks = [asyncio.create_task(router.dispatch(event)) for event in (A, A, A, A, B)]
    await wait_until(lambda: len(handler.events) == 2)
    for _ in range(10):
        await asyncio.sleep(0)
    assert handler.events == [A, B]
    handler.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert sorted(map(repr, results)) == ["False", "False", "HandlerError()", "True", "True"]
    assert handler.events == [A, B, A]


class SyncHandler:
    """An object that is called like a plain function."""

    def __call__(self, event: Event) -> None:
        """Handle an event."""


async def test_handler_can_be_any_async_callable_for_a_class_of_events() -> None:
    router, handler, on = EventRouter(), Handler(), cast("Any", EventRouter().on)

    async def with_prefix(prefix: str, suffix: str, event: Event) -> None:
        await handler(event)

    nested = partial(partial(with_prefix, "prefix"), "suffix")
    for valid in (handler.__call__, partial(handler), nested, AsyncMock(side_effect=handler.__call__)):
        router.on(Event)(valid)
    assert await router.dispatch(ENDED)
    assert handler.events == [ENDED] * 4
    for invalid in (lambda event: None, Handler, SyncHandler(), partial(SyncHandler()), "handle", None):
        with pytest.raises(InvalidArgumentError, match="must be an async function"):
            on(Event)(invalid)
    for event_class in (lambda event: None, str, "video.room.session.ended"):
        with pytest.raises(InvalidArgumentError, match="needs a class of events"):
            on(event_class)


@pytest.mark.parametrize("limit", [0, 2.5, True, "7", None])
@pytest.mark.parametrize("make", [EventRouter, MemoryEventStore])
def test_options_must_be_positive(make: Callable[..., object], limit: Any) -> None:
    with pytest.raises(ConfigurationError, match="limit must be a whole number"):
        make(limit=limit)
    with pytest.raises(ConfigurationError, match="grace must be a positive number"):
        EventRouter(grace=-1)


# --- stores -----------------------------------------------------------------------------------------------


async def test_memory_store_forgets_the_oldest_event() -> None:
    router = router_of(Handler(), store=MemoryEventStore(limit=2))
    handled = [await router.dispatch(event) for event in (A, B, C, B, C, A)]
    assert handled == [True, True, True, False, False, True]


async def test_cancellation_waits_until_a_handled_event_is_recorded() -> None:
    handler, store = Handler(), Store(waiting="complete")
    router = router_of(handler, store=store)
    task = asyncio.create_task(router.dispatch(ENDED))
    await store.entered.wait()
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    assert not task.done()
    store.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await router.dispatch(ENDED)
    assert handler.events == [ENDED]


def test_handled_event_is_recorded_although_its_loop_shuts_down() -> None:
    """A loop that ends cancels all its tasks, also the one that writes to the store."""
    handler, store = Handler(), Store(waiting="complete")
    router = router_of(handler, store=store)

    async def main() -> None:
        task = asyncio.create_task(router.dispatch(ENDED))
        await store.entered.wait()
        assert not task.done()
        asyncio.get_running_loop().call_later(0.01, store.gate.set)

    asyncio.run(main())
    assert not asyncio.run(router.dispatch(ENDED))
    assert handler.events == [ENDED]


async def test_store_that_fails_to_record_does_not_change_the_result(
    caplog: pytest.LogCaptureFixture,
) -> None:
    router = router_of(Handler(failures=1), store=Store(failing="complete release"))
    with pytest.raises(HandlerError) as caught:
        await router.dispatch(ENDED)
    assert caught.value.args == ()
    assert await router.dispatch(ENDED)
    assert caplog.text.count("the event store could not record whether an event was handled") == 2


# --- threads and processes --------------------------------------------------------------------------------


def test_duplicate_in_another_thread_waits_and_is_not_handled() -> None:
    router, events, results = EventRouter(), list[Event](), list[bool]()
    barrier = threading.Barrier(8)

    @router.on(Event)
    async def handle(event: Event) -> None:
        await asyncio.sleep(0.05)
        events.append(event)

    def dispatch() -> None:
        barrier.wait()
        results.append(asyncio.run(router.dispatch(ENDED)))

    threads = [threading.Thread(target=dispatch, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(results) == [False] * 7 + [True]
    assert events == [ENDED]


async def test_thread_that_stopped_waiting_does_not_disturb_the_handler(
    caplog: pytest.LogCaptureFixture,
) -> None:
    handler = Handler(gate=asyncio.Event())
    router = router_of(handler)
    first = asyncio.create_task(router.dispatch(ENDED))
    await handler.wait_until_called()

    async def dispatch_briefly() -> None:
        async with asyncio.timeout(0.01):
            await router.dispatch(ENDED)

    with pytest.raises(TimeoutError):
        await asyncio.to_thread(lambda: asyncio.run(dispatch_briefly()))
    handler.gate.set()
    assert await first
    assert caplog.records == []


FORK = """
import asyncio, os
from telnyx_rooms_async.webhooks import EventRouter, RoomSessionEnded

parent, ended, router = os.getpid(), RoomSessionEnded(id="ended"), EventRouter()

@router.on(RoomSessionEnded)
async def handle(event):
    if os.getpid() != parent:
        print("handled by the child", flush=True)
    elif os.fork():
        os.wait()
    else:
        asyncio.run(router.dispatch(event))
        os._exit(0)

asyncio.run(router.dispatch(ended))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_forked_process_does_not_inherit_claims() -> None:
    command = [sys.executable, "-c", FORK]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert result.stdout == "handled by the child\n"


def test_event_is_not_claimed_without_an_event_loop() -> None:
    router, handler = EventRouter(), Handler()
    router.on(RoomSessionEnded)(handler)
    with pytest.raises(WrongEventLoopError):
        router.dispatch(ENDED).send(None)
    assert handler.events == []
    asyncio.run(router.dispatch(ENDED))
    assert handler.events == [ENDED]


async def test_event_is_taken_over_once_from_an_event_loop_that_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("telnyx_rooms_async.webhooks.router._LOOP_CHECK_SECONDS", 0.01)
    store = Store(waiting="release")
    router = EventRouter(store=store)
    handled: list[str] = []

    @router.on(RoomSessionEnded)
    async def handle(_: RoomSessionEnded) -> None:
        if not handled:
            handled.append("started")
            await asyncio.sleep(3600)
        handled.append("done")

    async def start() -> asyncio.Task[bool]:
        task = asyncio.ensure_future(router.dispatch(ENDED))
        while not handled:
            await asyncio.sleep(0)
        return task

    stopped = asyncio.new_event_loop()
    task = await asyncio.to_thread(stopped.run_until_complete, start())
    deliveries = [asyncio.create_task(router.dispatch(ENDED)) for _ in range(2)]
    await store.entered.wait()  # one of them releases the claim of the stopped event loop
    deliveries.append(asyncio.create_task(router.dispatch(ENDED)))
    await asyncio.sleep(0.05)
    store.gate.set()
    assert sorted(await asyncio.gather(*deliveries)) == [False, False, True]
    assert handled == ["started", "done"]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.to_thread(stopped.run_until_complete, task)
    stopped.close()


# --- in the background ------------------------------------------------------------------------------------


async def test_background_needs_a_router_that_was_entered_in_its_event_loop() -> None:
    router = router_of(Handler())
    with pytest.raises(ConfigurationError, match="async with router"):
        await router.dispatch_in_background(A)
    async with router:
        with pytest.raises(ConfigurationError, match="in the same event loop"):
            await asyncio.to_thread(lambda: asyncio.run(router.dispatch_in_background(A)))
        assert await router.dispatch_in_background(A)
    with pytest.raises(ConfigurationError, match="async with router"):
        await router.dispatch_in_background(B)


async def test_event_accepted_during_the_exit_is_handled_before_it_is_acknowledged() -> None:
    handler, store = Handler(), Store(waiting="claim")
    async with router_of(handler, store=store) as router:
        late = asyncio.create_task(router.dispatch_in_background(ENDED))
        await store.entered.wait()
    store.gate.set()
    assert await late
    assert handler.events == [ENDED]


async def test_event_accepted_during_the_exit_is_cancelled_with_its_request() -> None:
    handler, store, before = Handler(gate=asyncio.Event()), Store(waiting="claim"), asyncio.all_tasks()
    async with router_of(handler, store=store) as router:
        late = asyncio.create_task(router.dispatch_in_background(ENDED))
        await store.entered.wait()
    store.gate.set()
    await handler.wait_until_called()
    late.cancel()
    with pytest.raises(asyncio.CancelledError):
        await late
    assert asyncio.all_tasks() == before


async def test_background_is_bounded_and_awaited_by_the_exit() -> None:
    handler = Handler(gate=asyncio.Event())
    async with router_of(handler, limit=2) as router:
        assert await router.dispatch_in_background(A)
        assert not await router.dispatch_in_background(A)  # it is being handled
        assert await router.dispatch_in_background(B)
        with pytest.raises(WebhookError, match="2 events are being handled already"):
            await router.dispatch_in_background(C)
        await wait_until(lambda: len(handler.events) == 2)
        handler.gate.set()
        assert not await router.dispatch(B)  # waits for its end
        assert not await router.dispatch_in_background(A)
        assert await router.dispatch_in_background(C)
        assert handler.events == [A, B]
    assert handler.events == [A, B, C]
    assert not await router.dispatch(C)


async def test_refused_and_cancelled_events_do_not_count_towards_the_limit() -> None:
    store = Store(failing="claim")
    async with router_of(Handler(), limit=1, store=store) as router:
        for _ in range(3):
            with pytest.raises(HandlerError):
                await router.dispatch_in_background(A)
        store.failing = []
        before = asyncio.all_tasks()
        assert await router.dispatch_in_background(A)
        (task,) = asyncio.all_tasks() - before
        task.cancel()  # before it starts
        await asyncio.wait((task,))
        assert await router.dispatch_in_background(B)


async def test_failure_in_the_background_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with router_of(Handler(failures=1)) as router:
        await router.dispatch_in_background(ENDED)
    assert "a handler of video.room.session.ended failed in the background" in caplog.text
    assert "HandlerError" in caplog.text
    assert await router.dispatch(ENDED)


async def test_cancelled_exit_cancels_background_tasks() -> None:
    router, handler = EventRouter(), Handler(gate=asyncio.Event())
    router.on(Event)(handler)
    before = asyncio.all_tasks()

    async def serve() -> None:
        async with router:
            await router.dispatch_in_background(ENDED)
            await handler.wait_until_called()

    task = asyncio.create_task(serve())
    await wait_until(lambda: bool(handler.events) and router._loop is None)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == before
    handler.gate.set()
    assert await router.dispatch(ENDED)


async def test_exit_cancels_background_tasks_after_the_grace(caplog: pytest.LogCaptureFixture) -> None:
    handler = Handler(gate=asyncio.Event())
    async with router_of(handler, grace=0.01) as router:
        await router.dispatch_in_background(ENDED)
    assert "events cancelled by the shutdown and not handled: 1" in caplog.text
    handler.gate.set()
    assert await router.dispatch(ENDED)
