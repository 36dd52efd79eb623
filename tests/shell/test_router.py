"""Who handles which event, and that it is once."""

import asyncio
import logging
from typing import Any

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
    gate: asyncio.Event | None = None
    """It waits for this one, if there is one."""
    most_at_once: int = 0
    _at_once: int = 0

    async def note(self, event: Event) -> None:
        """Handle one."""
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            self.events.append(event)
            await (asyncio.sleep(0) if self.gate is None else self.gate.wait())
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
    notes = Notes(gate=asyncio.Event())
    router = routed(notes)
    task = asyncio.create_task(router.dispatch(ENDED))
    while not notes.events:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    notes.gate = None
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
    notes = Notes(gate=asyncio.Event())
    router = routed(notes)
    first, second = (asyncio.create_task(router.dispatch(ENDED)) for _ in range(2))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not second.done()
    assert notes.gate is not None
    notes.gate.set()
    assert [await first, await second] == [True, False]


async def test_different_events_are_handled_at_once() -> None:
    """One event does not wait for another."""
    notes = Notes()
    router = routed(notes)
    await asyncio.gather(*(router.dispatch(RoomSessionEnded(id=str(number))) for number in range(9)))
    assert notes.most_at_once == 9


def test_a_handler_is_an_async_function_for_a_class() -> None:
    """A handler that is not async, or that is registered without a class, is refused at once."""
    router = EventRouter()
    on: Any = router.on
    with pytest.raises(InvalidArgumentError, match="a handler is an async function"):
        on(Event)(lambda event: None)
    for kind in (lambda event: None, str, "video.room.session.ended"):
        with pytest.raises(InvalidArgumentError, match="a handler is for a class of event"):
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
        "it could not be noted whether an event was handled"
    ] * 2


# --- in the background --------------------------------------------------------------------------------------


async def test_the_background_is_waited_for() -> None:
    """An event is taken on at once, handled meanwhile, and done when the router is left."""
    notes = Notes(gate=asyncio.Event())
    assert notes.gate is not None
    async with routed(notes) as router:
        assert await router.dispatch_soon(ENDED)
        assert not await router.dispatch_soon(ENDED)  # it is in hand
        assert notes.events == []
        asyncio.get_running_loop().call_later(0.01, notes.gate.set)
    assert notes.events == [ENDED]
    assert not await router.dispatch(ENDED)


async def test_the_background_needs_an_end() -> None:
    """Outside of ``async with`` nothing would wait for the work, so it is refused."""
    router = routed(Notes())
    with pytest.raises(ConfigurationError, match="async with router"):
        await router.dispatch_soon(ENDED)
    async with router:
        assert await router.dispatch_soon(ENDED)
    with pytest.raises(ConfigurationError, match="async with router"):
        await router.dispatch_soon(RoomSessionEnded(id="late"))


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
        late = asyncio.create_task(router.dispatch_soon(ENDED))
        await store.asked.wait()
    store.may_tell.set()
    assert await late
    assert notes.events == [ENDED]


async def test_the_background_is_bounded() -> None:
    """So many events are in hand at once and no more; a place is free again when its event is done."""
    notes = Notes(gate=asyncio.Event())
    assert notes.gate is not None
    async with routed(notes, limit=2) as router:
        for each in "ab":
            assert await router.dispatch_soon(RoomSessionEnded(id=each))
        with pytest.raises(WebhookError, match="2 events are in hand already"):
            await router.dispatch_soon(RoomSessionEnded(id="c"))
        notes.gate.set()
        while len(notes.events) < 2 or notes._at_once:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not await router.dispatch_soon(RoomSessionEnded(id="a"))
        assert await router.dispatch_soon(RoomSessionEnded(id="c"))
    assert [event.id for event in notes.events] == ["a", "b", "c"]


async def test_a_refusal_takes_no_place() -> None:
    """An event that could not be taken on does not count as one in hand."""
    async with routed(Notes(), limit=1, seen=Unwell(frozenset({"seen"}))) as router:
        for _ in range(3):
            with pytest.raises(MishapError):
                await router.dispatch_soon(ENDED)


async def test_a_failure_in_the_background_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """What a handler raises there is logged; the event may be handled when it comes again."""
    notes = Notes(failures=1)
    async with routed(notes) as router:
        await router.dispatch_soon(ENDED)
    assert [record.getMessage() for record in caplog.records] == [
        "a handler of video.room.session.ended failed in the background"
    ]
    assert await router.dispatch(ENDED)


async def test_the_end_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    """What is not handled in time is cancelled, told of, and may be handled when it comes again."""
    caplog.set_level(logging.WARNING)
    notes = Notes(gate=asyncio.Event())
    async with routed(notes, grace=0.01) as router:
        await router.dispatch_soon(ENDED)
    assert [record.getMessage() for record in caplog.records] == [
        "cancelled after 0.01 seconds: 1 events that were not handled"
    ]
    notes.gate = None
    assert await router.dispatch(ENDED)
