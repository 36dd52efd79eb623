"""Who handles which event, and that it is once."""

import asyncio
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any
from unittest.mock import AsyncMock

import pytest
from attrs import define, field

from telnyx_rooms_async import (
    ConfigurationError,
    Event,
    EventRouter,
    InvalidArgumentError,
    RoomSessionEnded,
    RoomSessionStarted,
    SeenInMemory,
    UnknownEvent,
    WebhookError,
)

ENDED = RoomSessionEnded(id="ended")


class MishapError(Exception):
    """What a handler of the tests raises."""


@define
class Notes:
    """Handles events by noting them."""

    events: list[Event] = field(factory=list[Event])
    failures: int = 0
    """How many times it fails first."""
    rate_limiter: asyncio.Event | None = None
    """It waits for this one, if there is one."""
    most_at_once: int = 0
    _at_once: int = 0

    async def note(self, event: Event) -> None:
        """Handle one."""
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            self.events.append(event)
            await (asyncio.sleep(0) if self.rate_limiter is None else self.rate_limiter.wait())
            if self.failures:
                self.failures -= 1
                raise MishapError
        finally:
            self._at_once -= 1


def routed(notes: Notes, **options: Any) -> EventRouter:
    """Make a router that hands all events to some notes."""
    router = EventRouter(**options)
    router.on(Event)(notes.note)
    return router


async def test_a_handler_gets_the_events_of_its_class() -> None:
    """Handlers are called by the class of an event, in the order of their registration; `Event` is all."""
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

    assert await router.dispatch(ENDED)
    assert await router.dispatch(RoomSessionStarted(id="started"))
    assert await router.dispatch(UnknownEvent(id="other", event_type="other"))
    assert called == ["ended ended", "any ended", "any started", "any other", "unknown other"]
    await ended(ENDED)  # what is decorated stays what it was


async def test_an_event_is_handled_once() -> None:
    """The same id again is not handled again, and this is told."""
    notes = Notes()
    router = routed(notes)
    assert [await router.dispatch(ENDED) for _ in range(3)] == [True, False, False]
    assert notes.events == [ENDED]


async def test_what_nobody_waits_for_is_not_handled() -> None:
    """An event without a handler is neither handled nor remembered."""
    router = EventRouter()
    assert not await router.dispatch(ENDED)
    notes = Notes()
    router.on(RoomSessionEnded)(notes.note)
    assert await router.dispatch(ENDED)


async def test_a_failed_event_is_handled_again() -> None:
    """When a handler fails its error comes out, those after it are not called, nothing is remembered."""
    first, second = Notes(failures=2), Notes()
    router = routed(first)
    router.on(Event)(second.note)
    for _ in range(2):
        with pytest.raises(MishapError):
            await router.dispatch(ENDED)
    assert second.events == []
    assert await router.dispatch(ENDED)
    assert not await router.dispatch(ENDED)
    assert (len(first.events), len(second.events)) == (3, 1)


async def test_a_cancelled_event_is_handled_again() -> None:
    """An event whose handling was cancelled is not remembered."""
    notes = Notes(rate_limiter=asyncio.Event())
    router = routed(notes)
    task = asyncio.create_task(router.dispatch(ENDED))
    while not notes.events:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    notes.rate_limiter = None
    assert await router.dispatch(ENDED)


async def test_duplicates_at_once_are_not_handled_at_once() -> None:
    """A duplicate waits for the one that is being handled; if that fails, the duplicate is handled."""
    notes = Notes(failures=1)
    router = routed(notes)
    results = await asyncio.gather(*(router.dispatch(ENDED) for _ in range(5)), return_exceptions=True)
    assert notes.most_at_once == 1
    assert len(notes.events) == 2
    assert sorted(map(repr, results)) == ["False", "False", "False", "MishapError()", "True"]


async def test_a_duplicate_is_not_answered_before_its_twin_is_done() -> None:
    """Were a duplicate answered while its twin may still fail, the event could be lost."""
    notes = Notes(rate_limiter=asyncio.Event())
    router = routed(notes)
    first, second = (asyncio.create_task(router.dispatch(ENDED)) for _ in range(2))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not second.done()
    assert notes.rate_limiter is not None
    notes.rate_limiter.set()
    assert [await first, await second] == [True, False]


async def test_different_events_are_handled_at_once() -> None:
    """One event does not wait for another."""
    notes = Notes()
    router = routed(notes)
    await asyncio.gather(*(router.dispatch(RoomSessionEnded(id=str(number))) for number in range(9)))
    assert notes.most_at_once == 9


class AsyncHandler:
    """An object that is called like an async function."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def __call__(self, event: Event) -> None:
        """Handle an event."""
        self.events.append(event)

    async def named(self, prefix: str, event: Event) -> None:
        """Handle an event, with an argument before it."""
        self.events.append(event)


class SyncHandler:
    """An object that is called like a plain function."""

    def __call__(self, event: Event) -> None:
        """Handle an event."""


@pytest.mark.parametrize(
    "make",
    [
        lambda it: it,
        lambda it: it.__call__,
        partial,
        lambda it: partial(it.named, "x"),
        lambda it: partial(partial(AsyncHandler.named, it), "x"),
        lambda it: AsyncMock(side_effect=it.__call__),
    ],
    ids=["an object", "a method", "a partial of an object", "a partial", "two partials", "AsyncMock"],
)
async def test_handler_is_whatever_is_called_like_an_async_function(
    make: Callable[[AsyncHandler], Any],
) -> None:
    """Services are objects, and arguments are bound to functions: each is called, and awaited."""
    router, handler = EventRouter(), AsyncHandler()
    router.on(Event)(make(handler))
    assert await router.dispatch(ENDED)
    assert handler.events == [ENDED]


def test_a_handler_is_an_async_function_for_a_class() -> None:
    """A handler that is not async, or that is registered without a class, is refused at once."""
    router = EventRouter()
    on: Any = router.on
    with pytest.raises(InvalidArgumentError, match="a handler must be an async function"):
        on(Event)(lambda event: None)
    for handler in (AsyncHandler, SyncHandler(), partial(SyncHandler()), "handle", None):
        with pytest.raises(InvalidArgumentError, match="a handler must be an async function"):
            on(Event)(handler)
    for kind in (lambda event: None, str, "video.room.session.ended"):
        with pytest.raises(InvalidArgumentError, match="a handler needs a class of events"):
            on(kind)


@pytest.mark.parametrize("limit", [0, -1, 2.5, 3.0, True, "7", None])
def test_a_limit_is_a_whole_number(limit: Any) -> None:
    """A part of an event cannot be counted: a bound that is none would hold nothing back."""
    for make in (EventRouter, SeenInMemory):
        with pytest.raises(ConfigurationError, match="limit must be a whole number, 1 or more"):
            make(limit=limit)


def test_odd_options_are_refused() -> None:
    """Numbers are positive."""
    with pytest.raises(ConfigurationError, match="grace must be a positive number"):
        EventRouter(grace=-1)


async def test_memory_is_bounded() -> None:
    """Of the handled events the newest are known; the oldest are forgotten first."""
    notes = Notes()
    router = routed(notes, seen=SeenInMemory(limit=2))
    handled = [await router.dispatch(RoomSessionEnded(id=each)) for each in "abcbca"]
    assert handled == [True, True, True, False, False, True]


# --- cancellations, threads, forks --------------------------------------------------------------------------


@define
class SlowStore(SeenInMemory):
    """Knows the handled events, and takes its time to remember or forget them."""

    notes: list[str] = field(factory=list[str])
    begun: asyncio.Event = field(factory=asyncio.Event)
    may_end: asyncio.Event = field(factory=asyncio.Event)

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    async def keep(self, event_id: str) -> None:
        """Remember when it is allowed to."""
        self.begun.set()
        await self.may_end.wait()
        await super().keep(event_id)
        self.notes.append("keep")

    async def forget(self, event_id: str) -> None:
        """Note it."""
        await super().forget(event_id)
        self.notes.append("forget")


@pytest.mark.parametrize("times", [1, 3])
async def test_handled_event_is_remembered_although_its_dispatch_is_cancelled(times: int) -> None:
    """A cancellation that arrives while the store writes is raised after that: nothing is handled twice."""
    notes, store = Notes(), SlowStore()
    router = routed(notes, seen=store)
    task = asyncio.create_task(router.dispatch(ENDED))
    await store.begun.wait()
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    assert not task.done()
    store.may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await router.dispatch(ENDED)
    assert (notes.events, store.notes) == ([ENDED], ["forget", "keep"])


def test_handled_event_is_remembered_although_its_loop_shuts_down() -> None:
    """A loop that ends cancels all of its tasks at once, the one that writes among them."""
    notes, store = Notes(), SlowStore()
    router = routed(notes, seen=store)

    async def main() -> None:
        task = asyncio.create_task(router.dispatch(ENDED))
        await store.begun.wait()
        assert not task.done()
        asyncio.get_running_loop().call_later(0.01, store.may_end.set)

    asyncio.run(main())
    assert not asyncio.run(router.dispatch(ENDED))
    assert notes.events == [ENDED]


def test_duplicate_in_the_loop_of_another_thread_waits_and_is_not_handled() -> None:
    """Whichever thread has the event first, the others wait for it, and none of them hangs."""
    notes = Notes()
    router = EventRouter()
    results: list[bool] = []
    together = threading.Barrier(8)

    @router.on(Event)
    async def slow(event: Event) -> None:
        await asyncio.sleep(0.05)
        notes.events.append(event)

    def work() -> None:
        together.wait()
        results.append(asyncio.run(router.dispatch(ENDED)))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert sorted(results) == [False] * 7 + [True]
    assert notes.events == [ENDED]


async def test_duplicate_of_a_thread_that_gave_up_is_handled() -> None:
    """Who waits for a duplicate in a loop that has ended since is in nobody's way."""
    notes = Notes(rate_limiter=asyncio.Event())
    router = routed(notes)
    first = asyncio.create_task(router.dispatch(ENDED))
    while not notes.events:
        await asyncio.sleep(0)

    async def impatient() -> None:
        async with asyncio.timeout(0.01):
            await router.dispatch(ENDED)

    with pytest.raises(TimeoutError):
        await asyncio.to_thread(lambda: asyncio.run(impatient()))
    assert notes.rate_limiter is not None
    notes.rate_limiter.set()
    assert await first


async def test_two_routers_share_a_store() -> None:
    """What one router of the process has in hand is refused by the other, so that it comes again."""
    notes, store = Notes(rate_limiter=asyncio.Event()), SeenInMemory()
    one, other = routed(notes, seen=store), routed(notes, seen=store)
    first = asyncio.create_task(one.dispatch(ENDED))
    while not notes.events:
        await asyncio.sleep(0)
    with pytest.raises(WebhookError, match="is handling the event"):
        await other.dispatch(ENDED)
    assert notes.rate_limiter is not None
    notes.rate_limiter.set()
    assert await first
    assert not await other.dispatch(ENDED)


def test_background_belongs_to_one_event_loop() -> None:
    """A loop that is not waited for at the end takes no work."""
    router = routed(Notes())

    async def main() -> None:
        async with router:
            with pytest.raises(ConfigurationError, match="in the same event loop"):
                await asyncio.to_thread(lambda: asyncio.run(router.dispatch_in_background(ENDED)))
            assert await router.dispatch_in_background(ENDED)

    asyncio.run(main())


async def test_background_that_is_cancelled_before_it_begins_gives_its_place_back() -> None:
    """A task that never ran holds neither a place nor the event."""
    router = routed(Notes(), limit=1, seen=Unwell(frozenset()))
    async with router:
        assert await router.dispatch_in_background(ENDED)
        for task in router._tasks:
            task.cancel()
        for _ in range(3):
            await asyncio.sleep(0)
        assert await router.dispatch_in_background(ENDED)


FORK = """
import asyncio, os
from telnyx_rooms_async import EventRouter, RoomSessionEnded

parent, ended, router = os.getpid(), RoomSessionEnded(id="ended"), EventRouter()

@router.on(RoomSessionEnded)
async def handle(event):
    if os.getpid() != parent:
        print("handled by the child", flush=True)
    elif os.fork():
        os.wait()
    else:
        await router.dispatch(event)
        os._exit(0)

asyncio.run(router.dispatch(ended))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_fork_has_nothing_in_hand() -> None:
    """What a process has in hand is not what a worker that it forks meanwhile has in hand."""
    told = subprocess.run(
        [sys.executable, "-c", FORK], capture_output=True, text=True, timeout=30, check=True
    )
    assert told.stdout == "handled by the child\n"


@define
class Unwell:
    """Knows the handled events, and fails when it is told to."""

    fails: frozenset[str]

    async def seen(self, event_id: str) -> bool:
        """Tell."""
        return self._do("seen")

    async def keep(self, event_id: str) -> None:
        """Remember."""
        self._do("keep")

    async def forget(self, event_id: str) -> None:
        """Give up."""
        self._do("forget")

    def _do(self, what: str) -> bool:
        if what in self.fails:
            raise MishapError(what)
        return False


async def test_what_is_not_known_is_not_handled() -> None:
    """When nobody can tell whether an event was handled it is refused, and may come again."""
    notes = Notes()
    router = routed(notes, seen=Unwell(frozenset({"seen"})))
    for _ in range(2):
        with pytest.raises(MishapError, match="seen"):
            await router.dispatch(ENDED)
    assert notes.events == []


async def test_what_is_handled_stays_handled(caplog: pytest.LogCaptureFixture) -> None:
    """That it could not be noted does not make a handled event a failed one, nor hide why one failed."""
    router = routed(Notes(failures=1), seen=Unwell(frozenset({"keep", "forget"})))
    with pytest.raises(MishapError) as caught:
        await router.dispatch(ENDED)
    assert caught.value.args == ()
    assert await router.dispatch(ENDED)
    assert [record.getMessage() for record in caplog.records] == [
        "the event store could not record whether an event was handled"
    ] * 2


# --- in the background --------------------------------------------------------------------------------------


async def test_the_background_is_waited_for() -> None:
    """An event is taken on at once, handled meanwhile, and done when the router is left."""
    notes = Notes(rate_limiter=asyncio.Event())
    assert notes.rate_limiter is not None
    async with routed(notes) as router:
        assert await router.dispatch_in_background(ENDED)
        assert not await router.dispatch_in_background(ENDED)  # it is in hand
        assert notes.events == []
        asyncio.get_running_loop().call_later(0.01, notes.rate_limiter.set)
    assert notes.events == [ENDED]
    assert not await router.dispatch(ENDED)


async def test_the_background_needs_an_end() -> None:
    """Outside of ``async with`` nothing would wait for the work, so it is refused."""
    router = routed(Notes())
    with pytest.raises(ConfigurationError, match="async with router"):
        await router.dispatch_in_background(ENDED)
    async with router:
        assert await router.dispatch_in_background(ENDED)
    with pytest.raises(ConfigurationError, match="async with router"):
        await router.dispatch_in_background(RoomSessionEnded(id="late"))


@define
class Slow(SeenInMemory):
    """Knows the handled events, and takes its time."""

    asked: asyncio.Event = field(factory=asyncio.Event)
    may_tell: asyncio.Event = field(factory=asyncio.Event)

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    async def seen(self, event_id: str) -> bool:
        """Tell when it is allowed to."""
        self.asked.set()
        await self.may_tell.wait()
        return await super().seen(event_id)


async def test_who_comes_at_the_end_waits_for_the_work() -> None:
    """An event that is taken on while the router is left is handled before that is answered."""
    notes, store = Notes(), Slow()
    async with routed(notes, seen=store) as router:
        late = asyncio.create_task(router.dispatch_in_background(ENDED))
        await store.asked.wait()
    store.may_tell.set()
    assert await late
    assert notes.events == [ENDED]


async def test_the_background_is_bounded() -> None:
    """So many events are in hand at once and no more; a place is free again when its event is done."""
    notes = Notes(rate_limiter=asyncio.Event())
    assert notes.rate_limiter is not None
    async with routed(notes, limit=2) as router:
        for each in "ab":
            assert await router.dispatch_in_background(RoomSessionEnded(id=each))
        with pytest.raises(WebhookError, match="2 events are being handled already"):
            await router.dispatch_in_background(RoomSessionEnded(id="c"))
        notes.rate_limiter.set()
        while len(notes.events) < 2 or notes._at_once:
            await asyncio.sleep(0)
        for _ in range(10):
            await asyncio.sleep(0)
        assert not await router.dispatch_in_background(RoomSessionEnded(id="a"))
        assert await router.dispatch_in_background(RoomSessionEnded(id="c"))
    assert [event.id for event in notes.events] == ["a", "b", "c"]


async def test_a_refusal_takes_no_place() -> None:
    """An event that could not be taken on does not count as one in hand."""
    async with routed(Notes(), limit=1, seen=Unwell(frozenset({"seen"}))) as router:
        for _ in range(3):
            with pytest.raises(MishapError):
                await router.dispatch_in_background(ENDED)


async def test_a_failure_in_the_background_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """What a handler raises there is logged; the event may be handled when it comes again."""
    notes = Notes(failures=1)
    async with routed(notes) as router:
        await router.dispatch_in_background(ENDED)
    assert [record.getMessage() for record in caplog.records] == [
        "a handler of video.room.session.ended failed in the background"
    ]
    assert await router.dispatch(ENDED)


async def test_the_end_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    """What is not handled in time is cancelled, told of, and may be handled when it comes again."""
    caplog.set_level(logging.WARNING)
    notes = Notes(rate_limiter=asyncio.Event())
    async with routed(notes, grace=0.01) as router:
        await router.dispatch_in_background(ENDED)
    assert [record.getMessage() for record in caplog.records] == [
        "events cancelled after 0.01 seconds and not handled: 1"
    ]
    notes.rate_limiter = None
    assert await router.dispatch(ENDED)
