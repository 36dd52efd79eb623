"""EventRouter: calls the handlers of an event, once for each event. No HTTP."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, InvalidStateError
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, Final, Self, TypeAlias, TypeVar, cast

from telnyx_rooms_async.errors import ConfigurationError, InvalidArgumentError, WebhookError
from telnyx_rooms_async.http.attempt_log import logger
from telnyx_rooms_async.http.in_flight import running_loop
from telnyx_rooms_async.settings import check_count, check_positive
from telnyx_rooms_async.webhooks.events import EVENT_CLASSES, Event
from telnyx_rooms_async.webhooks.stores import EventStore, MemoryEventStore, handle_claimed

E = TypeVar("E", bound=Event)
_LOOP_CHECK_SECONDS: Final = 1.0
"""Time between checks whether the event loop that handles an event has stopped."""
Handler: TypeAlias = Callable[[E], Awaitable[object]]


class EventRouter:
    """Calls handlers with the events of their class, each event once.

    `dispatch` works without further setup, also from several threads with an event loop each.
    `dispatch_in_background` needs ``async with router``, whose exit waits for the background tasks.

    Args:
        store: store of handled events; default: a `MemoryEventStore`. Several workers share a
            `telnyx_rooms_async.webhooks.redis.RedisEventStore`.
        limit: maximum number of events that are handled in the background at the same time.
        grace: seconds that the exit waits for background tasks before it cancels them.

    Raises:
        ConfigurationError: the limit is not an integer, 1 or more, or the grace is not positive.

    Example:
        >>> router = EventRouter()
        >>> @router.on(RoomSessionEnded)
        ... async def ended(event: RoomSessionEnded) -> None:
        ...     print(event.payload.duration_secs)
        >>> await router.dispatch(RoomSessionEnded(id="1", payload=SessionEndedPayload(duration_secs=60)))
        60
        True
    """

    def __init__(self, *, store: EventStore | None = None, limit: int = 1000, grace: float = 10.0) -> None:
        check_count(limit=limit)
        check_positive(grace=grace)
        self._store = MemoryEventStore() if store is None else store
        self._limit, self._grace = int(limit), float(grace)
        self._handlers: Final[list[tuple[type[Event], Handler[Any]]]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        """The event loop of background tasks, while the router is entered."""
        self._capacity = self._limit
        self._tasks: Final[set[asyncio.Task[None]]] = set()
        # Each access is one atomic operation. A lock could be held by another thread during a fork.
        self._in_progress: Final[dict[tuple[int, str], _Handling]] = {}
        """By process id and event id."""

    def on(self, event_class: type[E]) -> Callable[[Handler[E]], Handler[E]]:
        """Register an async function for a class of events: ``@router.on(RoomSessionEnded)``.

        A `functools.partial` and an object with an async ``__call__`` can be registered too. The handlers of
        an event run one after the other in the order of their registration. If a handler fails, the later
        ones do not run, and the event counts as not handled.

        Args:
            event_class: a class of events, or `Event` for all events.

        Raises:
            InvalidArgumentError: the argument is not a class of events, or the function is not async.

        Example:
            >>> router = EventRouter()
            >>> @router.on(Event)  # every event
            ... async def store(event: Event) -> None:
            ...     print(event.to_json())
        """
        argument = cast("object", event_class)  # with `@router.on`, the function
        if not (isinstance(argument, type) and issubclass(argument, Event)):
            raise InvalidArgumentError((f"a handler needs a class of events, got {event_class!r}",))

        def register(handler: Handler[E]) -> Handler[E]:
            function: object = handler
            while isinstance(function, partial):
                function = cast("partial[object]", function).func
            has_async_call = callable(function) and iscoroutinefunction(type(function).__call__)
            if not (iscoroutinefunction(function) or has_async_call):
                raise InvalidArgumentError((f"a handler must be an async function, got {handler!r}",))
            self._handlers.append((event_class, handler))
            return handler

        return register

    def remove_handler(self, handler: Handler[Any]) -> None:
        """Unregister a function that `on` registered. An event that is being handled still calls it.

        Example:
            >>> router = EventRouter()
            >>> @router.on(Event)
            ... async def seen(event: Event) -> None: ...
            >>> router.remove_handler(seen)
        """
        self._handlers[:] = [entry for entry in self._handlers if entry[1] is not handler]

    async def dispatch(self, event: Event) -> bool:
        """Run the handlers unless the event was already handled. Returns True if they ran.

        If the event is being handled at the moment, this waits for the result; if that is a failure, or the
        event loop of the handlers stops, the handlers run again.

        Raises:
            WrongEventLoopError: no asyncio event loop is running.
            WebhookError: another worker is handling the event, or the store does not respond.
            Exception: of a handler. The event then counts as not handled.

        Example:
            >>> await EventRouter().dispatch(RoomSessionEnded(id="1"))  # it has no handler
            False
        """
        handlers = self._handlers_of(event)
        if not handlers:
            return False
        is_taken_over = await self._begin_when_possible(event)
        try:
            if is_taken_over:
                await self._store.release(event.id)  # the claim, which nothing else would release
            if not await self._store.claim(event.id):
                return False
            await self._run(handlers, event)
            return True
        finally:
            self._end(event)

    async def dispatch_in_background(self, event: Event) -> bool:
        """Start a task that runs the handlers, unless the event is or was handled. Returns True if it did.

        An exception of a handler is logged. The event is then lost if its delivery was answered with 200.

        Raises:
            ConfigurationError: the router was not entered with ``async with`` in this event loop.
            WebhookError: as of `dispatch`, or too many events are being handled.

        Example:
            >>> router = EventRouter()
            >>> async with router:
            ...     is_started = await router.dispatch_in_background(RoomSessionEnded(id="1"))
        """
        if self._loop is not running_loop():
            raise ConfigurationError(
                "dispatch_in_background needs `async with router` around it, in the same event loop"
            )
        if not self._capacity:
            raise WebhookError((f"{self._limit} events are being handled already",))
        handlers = self._handlers_of(event)
        if not handlers or self._begin(event) is not None:
            return False
        self._capacity -= 1
        is_claimed = False
        try:
            is_claimed = await self._store.claim(event.id)
        finally:
            if not is_claimed:
                self._capacity += 1
                self._end(event)
        if not is_claimed:
            return False
        task = asyncio.create_task(self._run(handlers, event))
        self._tasks.add(task)
        # A callback, since a task that is cancelled before it starts does not run at all.
        task.add_done_callback(partial(self._end_in_background, event))
        if self._loop is None:  # `__aexit__` ran meanwhile and does not know the task
            await asyncio.gather(task, return_exceptions=True)
        return True

    async def __aenter__(self) -> Self:
        self._loop = running_loop()
        return self

    async def __aexit__(self, *error: object) -> None:
        self._loop = None
        tasks = list(self._tasks)
        try:
            if tasks:
                await asyncio.wait(tasks, timeout=self._grace)
        finally:
            pending = [task for task in tasks if not task.done()]
            for task in pending:
                task.cancel()
            if pending:
                logger.warning("events cancelled by the shutdown and not handled: %d", len(pending))
                await asyncio.wait(pending)

    def _handlers_of(self, event: Event) -> list[Handler[Any]]:
        return [handler for event_class, handler in self._handlers if isinstance(event, event_class)]

    async def _begin_when_possible(self, event: Event) -> bool:
        """Begin once the event is not being handled; return whether it is taken over from a stopped loop."""
        while (current := self._begin(event)) is not None:
            ended = asyncio.wrap_future(current)
            while not (await asyncio.wait((ended,), timeout=_LOOP_CHECK_SECONDS))[0]:
                if not current.loop.is_running() and self._take_over(event, current):
                    return True
        return False

    def _begin(self, event: Event) -> "_Handling | None":
        """Mark an event as being handled; if it already is, return the future that waits for its end."""
        mine = _Handling(running_loop())
        current = self._in_progress.setdefault((os.getpid(), event.id), mine)
        return None if current is mine else current

    def _take_over(self, event: Event, stopped: "_Handling") -> bool:
        """Mark an event as being handled here, unless another delivery has taken it over."""
        try:
            stopped.set_result(None)
        except InvalidStateError:
            return False
        self._in_progress[os.getpid(), event.id] = _Handling(running_loop())
        return True

    def _end(self, event: Event) -> None:
        if handling := self._in_progress.pop((os.getpid(), event.id), None):
            handling.set_result(None)

    def _end_in_background(self, event: Event, task: asyncio.Task[None]) -> None:
        self._capacity += 1
        self._end(event)
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a handler of %s failed in the background", log_name(event), exc_info=error)

    async def _run(self, handlers: list[Handler[Any]], event: Event) -> None:
        """Run the handlers of a claimed event, and record the result in the store."""

        async def handle() -> bool:
            for handler in handlers:
                await handler(event)
            return True

        await handle_claimed(self._store, event.id, handle)


class _Handling(Future[None]):
    """Done when an event is no longer being handled."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.loop = loop


def log_name(event: Event) -> str:
    """Return the type of an event for a log, unless the type is arbitrary text of the sender."""
    return event.event_type if event.event_type in EVENT_CLASSES else "an unknown event"
