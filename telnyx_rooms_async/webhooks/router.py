"""Who handles which event, once: no HTTP."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from inspect import iscoroutinefunction
from types import TracebackType
from typing import Any, Final, Self, TypeAlias, TypeVar, cast

from telnyx_rooms_async.errors import ConfigurationError, InvalidArgumentError, WebhookError
from telnyx_rooms_async.http.attempt_log import logger
from telnyx_rooms_async.http.in_flight import running_loop
from telnyx_rooms_async.settings import check_count, check_positive
from telnyx_rooms_async.shield import run_shielded
from telnyx_rooms_async.webhooks.events import EVENT_CLASSES, Event
from telnyx_rooms_async.webhooks.stores import SeenEvents, SeenInMemory

E = TypeVar("E", bound=Event)
Handler: TypeAlias = Callable[[E], Awaitable[object]]


class EventRouter:
    """Hands events to the functions that wait for them, each event once.

    ``async with router`` stands around its use: at the end it waits for what it handles in tasks of its
    own, and only with it `dispatch_in_background` is allowed. Several threads may `dispatch` by one router, each with
    its own event loop.

    Args:
        seen: knows what was handled: `SeenInMemory` unless given; `telnyx_rooms_async.webhooks.redis.SeenInRedis`
            for several workers.
        limit: how many events `dispatch_in_background` has in hand at once.
        grace: seconds that the end waits for them; what then still goes on is cancelled.

    Raises:
        ConfigurationError: the limit is no whole number from 1, or the grace is not positive.
    """

    def __init__(self, *, seen: SeenEvents | None = None, limit: int = 1000, grace: float = 10.0) -> None:
        check_count(limit=limit)
        check_positive(grace=grace)
        self._seen = SeenInMemory() if seen is None else seen
        self._limit, self._grace = limit, grace
        self._is_open = False
        self._loop: asyncio.AbstractEventLoop | None = None
        """The event loop of the background."""
        self._places = limit
        self._handlers: Final[list[tuple[type[Event], Handler[Any]]]] = []
        # Each use of it is one atomic operation: a lock that another thread holds would outlive a fork.
        self._in_hand: Final[dict[tuple[int, str], Future[None]]] = {}
        """By process and event: what is done when the event is no longer in hand."""
        self._tasks: Final[set[asyncio.Task[None]]] = set()

    def on(self, kind: type[E]) -> Callable[[Handler[E]], Handler[E]]:
        """Have an async function called with each event of a class: ``@router.on(RoomSessionEnded)``.

        An object whose ``__call__`` is async will do, and so will a `functools.partial`.
        Several may wait for the same one: they are called one after the other, in the order of their
        registration. When one fails the others are not called, and the event counts as not handled.

        Args:
            kind: one class of event, or `Event` for all.

        Raises:
            InvalidArgumentError: it is no class of event, or the function is not async.
        """
        given = cast("object", kind)  # `@router.on` above a function would give that
        if not (isinstance(given, type) and issubclass(given, Event)):
            raise InvalidArgumentError((f"a handler is for a class of event, not {kind!r}",))

        def register(handler: Handler[E]) -> Handler[E]:
            if not _is_async(handler):
                raise InvalidArgumentError((f"a handler is an async function, not {handler!r}",))
            self._handlers.append((kind, handler))
            return handler

        return register

    async def dispatch(self, event: Event) -> bool:
        """Have an event handled, unless it was; return whether it was handled now.

        When it is being handled already, this waits for the end of that: if it failed, it is handled again.

        Raises:
            WebhookError: another worker has it in hand, or what knows the handled events does not answer.
            Exception: what a handler raises. The event then counts as not handled.
        """
        handlers = self._handlers_of(event)
        if not handlers:
            return False
        while (other := self._begin(event)) is not None:
            await _end_of(other)
        try:
            if await self._seen.seen(event.id):
                return False
            await self._call(event, handlers)
        finally:
            self._let_go(event)
        return True

    async def dispatch_in_background(self, event: Event) -> bool:
        """Have an event handled in a task of its own, unless it was or is; return whether it will be.

        What a handler raises there is logged, and the event is lost if its delivery was answered with 200.

        Raises:
            ConfigurationError: the router is not entered with ``async with`` in this event loop: who would
                wait?
            WebhookError: as for `dispatch`, or so many events are in hand that it is not taken on.
        """
        if not self._is_open or self._loop is not running_loop():
            raise ConfigurationError(
                "events are handled in the background of `async with router` only, in its event loop"
            )
        if not self._places:
            raise WebhookError((f"{self._limit} events are in hand already",))
        handlers = self._handlers_of(event)
        if not handlers or self._begin(event) is not None:
            return False
        self._places -= 1
        is_ours = False
        try:
            is_ours = not await self._seen.seen(event.id)
        finally:
            if not is_ours:
                self._leave(event)
        if not is_ours:
            return False
        task = asyncio.create_task(self._in_background(event, handlers))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._leave(event))  # also when it is cancelled before it begins
        if not self._is_open:  # it was left meanwhile, and waits for nobody any more
            await task
        return True

    async def __aenter__(self) -> Self:
        self._is_open, self._loop = True, running_loop()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_open = False
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self._grace)
            for task in late:
                task.cancel()
            if late:
                logger.warning(
                    "cancelled after %g seconds: %d events that were not handled", self._grace, len(late)
                )
                await asyncio.wait(late)

    def _handlers_of(self, event: Event) -> list[Handler[Any]]:
        return [handler for kind, handler in self._handlers if isinstance(event, kind)]

    def _begin(self, event: Event) -> Future[None] | None:
        """Take an event in hand; if it is in hand, return what is done when it no longer is."""
        mine = Future[None]()
        found = self._in_hand.setdefault((os.getpid(), event.id), mine)
        return None if found is mine else found

    async def _call(self, event: Event, handlers: list[Handler[Any]]) -> None:
        is_handled = False
        try:
            for handler in handlers:
                await handler(event)
            is_handled = True
        finally:
            # Not cut short by a cancellation: what was handled would be handled again.
            await run_shielded(
                partial(self._tell, self._seen.keep if is_handled else self._seen.forget, event)
            )

    async def _tell(self, tell: Callable[[str], Awaitable[None]], event: Event) -> None:
        """Tell what came of an event. Its handlers have run: a store that fails changes nothing of that."""
        try:
            await tell(event.id)
        except Exception:  # of a store that may be anybody's
            logger.exception("it could not be noted whether an event was handled")

    def _let_go(self, event: Event) -> None:
        self._in_hand.pop((os.getpid(), event.id)).set_result(None)

    def _leave(self, event: Event) -> None:
        """Let go of an event of the background."""
        self._places += 1
        self._let_go(event)

    async def _in_background(self, event: Event, handlers: list[Handler[Any]]) -> None:
        try:
            await self._call(event, handlers)
        except Exception:  # of a user's handler, and nobody waits for it
            logger.exception("a handler of %s failed in the background", label(event))


def label(event: Event) -> str:
    """Name an event for a log: by its type, unless that is whatever the sender wrote."""
    return event.event_type if event.event_type in EVENT_CLASSES else "an unknown event"


async def _end_of(work: Future[None]) -> None:
    """Wait until the work of any thread is done."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def wake(_: Future[None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits there any more
            loop.call_soon_threadsafe(ended.set)

    work.add_done_callback(wake)
    await ended.wait()


def _is_async(handler: object) -> bool:
    """Return whether a handler is async: a function, a method, a callable object, or a partial of these."""
    while isinstance(handler, partial):
        handler = cast("partial[object]", handler).func
    return iscoroutinefunction(handler) or (callable(handler) and iscoroutinefunction(type(handler).__call__))
