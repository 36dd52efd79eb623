"""Who handles which event, once: no HTTP."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from inspect import iscoroutinefunction
from types import TracebackType
from typing import Any, Final, Self, TypeAlias, TypeVar, cast

from telnyx_rooms_async.attempts import logger
from telnyx_rooms_async.core.errors import ConfigurationError, InvalidArgumentError, WebhookError
from telnyx_rooms_async.core.events import Event
from telnyx_rooms_async.seen import SeenEvents, SeenInMemory
from telnyx_rooms_async.settings import check_count, check_positive

E = TypeVar("E", bound=Event)
Handler: TypeAlias = Callable[[E], Awaitable[object]]


class EventRouter:
    """Hands events to the functions that wait for them, each event once.

    ``async with router`` stands around its use: at the end it waits for what it handles in tasks of its
    own, and only with it `dispatch_soon` is allowed.

    Args:
        seen: knows what was handled: `SeenInMemory` unless given; `telnyx_rooms_async.redis.SeenInRedis`
            for several workers.
        limit: how many events `dispatch_soon` has in hand at once.
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
        self._places = limit
        self._handlers: Final[list[tuple[type[Event], Handler[Any]]]] = []
        self._in_hand: Final[dict[str, asyncio.Event]] = {}
        self._tasks: Final[set[asyncio.Task[None]]] = set()

    def on(self, kind: type[E]) -> Callable[[Handler[E]], Handler[E]]:
        """Have an async function called with each event of a class: ``@router.on(RoomSessionEnded)``.

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
            if not iscoroutinefunction(handler):
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
        while other := self._in_hand.get(event.id):
            await other.wait()
        work = await self._take(event)
        if work is None:
            return False
        await work
        return True

    async def dispatch_soon(self, event: Event) -> bool:
        """Have an event handled in a task of its own, unless it was or is; return whether it will be.

        What a handler raises there is logged, and the event is lost if its delivery was answered with 200.

        Raises:
            ConfigurationError: the router is not entered with ``async with``: who would wait?
            WebhookError: as for `dispatch`, or so many events are in hand that it is not taken on.
        """
        if not self._is_open:
            raise ConfigurationError("events are handled in the background of `async with router` only")
        if not self._places:
            raise WebhookError((f"{self._limit} events are in hand already",))
        self._places -= 1
        work = None
        try:
            work = await self._take(event)
        finally:
            if work is None:
                self._places += 1
        if work is None:
            return False
        task = asyncio.create_task(self._in_background(event, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if not self._is_open:  # it was left meanwhile, and waits for nobody any more
            await task
        return True

    async def __aenter__(self) -> Self:
        self._is_open = True
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

    async def _take(self, event: Event) -> Coroutine[None, None, None] | None:
        """Return the work that an event makes, to be awaited; ``None`` if there is none, or it is in hand."""
        handlers = [handler for kind, handler in self._handlers if isinstance(event, kind)]
        if not handlers or event.id in self._in_hand:
            return None
        self._in_hand[event.id] = asyncio.Event()
        is_ours = False
        try:
            is_ours = not await self._seen.seen(event.id)
        finally:
            if not is_ours:
                self._let_go(event)
        return self._handle(event, handlers) if is_ours else None

    async def _handle(self, event: Event, handlers: list[Handler[Any]]) -> None:
        try:
            await self._call(event, handlers)
        finally:
            self._let_go(event)

    async def _call(self, event: Event, handlers: list[Handler[Any]]) -> None:
        is_handled = False
        try:
            for handler in handlers:
                await handler(event)
            is_handled = True
        finally:
            await self._tell(self._seen.keep if is_handled else self._seen.forget, event)

    async def _tell(self, tell: Callable[[str], Awaitable[None]], event: Event) -> None:
        """Tell what came of an event. Its handlers have run: a store that fails changes nothing of that."""
        try:
            await tell(event.id)
        except Exception:  # of a store that may be anybody's
            logger.exception("it could not be noted whether an event was handled")

    def _let_go(self, event: Event) -> None:
        self._in_hand.pop(event.id).set()

    async def _in_background(self, event: Event, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Exception:  # of a user's handler, and nobody waits for it
            logger.exception("a handler of %s failed in the background", event.event_type)
        finally:
            self._places += 1
