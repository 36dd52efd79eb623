"""Which calls of a client are running, in which event loop, and whether the client is closed."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Final
from weakref import WeakSet

from telnyx_rooms_async.errors import NO_EVENT_LOOP, ClientClosedError, WrongEventLoopError
from telnyx_rooms_async.http.rate_limiter import RateLimiter


def running_loop() -> asyncio.AbstractEventLoop:
    """Return the running event loop.

    Raises:
        WrongEventLoopError: no asyncio event loop is running, or another library runs the coroutine.
    """
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise WrongEventLoopError(NO_EVENT_LOOP) from None


class InFlightCalls:
    """Tracks running calls, so that closing the client can wait for them or cancel them.

    ``with in_flight_calls:`` surrounds each call. It is re-entrant, and one instance serves all calls at
    once. A client belongs to the event loop of its first call, and to another one only after that loop has
    stopped.

    Args:
        loop: the event loop of a borrowed session, which the client never leaves.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self.is_closed: bool = False
        self.loop = loop
        self._can_move: Final = loop is None
        self.rate_limiters: Final[WeakSet[RateLimiter]] = WeakSet()
        """Those of the client and of its views, which are reset when the client moves to another loop."""
        self._is_draining = False
        self._depths: Final[dict[asyncio.Task[object], int]] = {}
        self._cancelled: Final[set[asyncio.Task[object]]] = set()
        self._idle: asyncio.Event | None = None
        """Set when a call ends; None until `wait_idle` needs it."""

    async def wait_idle(self, seconds: float) -> None:
        """Refuse new calls, and wait up to `seconds` until no call is running, except in the current task.

        A running call may still send further requests of its own.

        Raises:
            WrongEventLoopError: the calls are running in another event loop.
        """
        self._enter_loop()
        self._is_draining = True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._depths.keys() - {asyncio.current_task()}:
                    self._idle = self._idle or asyncio.Event()
                    self._idle.clear()
                    await self._idle.wait()

    def cancel_all(self) -> None:
        """Close: every running call raises `ClientClosedError`, and so does every new one.

        Raises:
            WrongEventLoopError: the calls are running in another event loop.
        """
        self._enter_loop()
        self.is_closed = True
        for task in self._depths.keys() - self._cancelled - {asyncio.current_task()}:
            self._cancelled.add(task)
            task.cancel()

    def __enter__(self) -> None:
        if self.is_closed:
            raise ClientClosedError
        try:
            task = asyncio.current_task()
        except RuntimeError:
            raise WrongEventLoopError(NO_EVENT_LOOP) from None
        if task is None or task.get_loop() is not self.loop:
            self._enter_loop()
        if self._is_draining and task not in self._depths:
            raise ClientClosedError
        if task is not None:
            self._depths[task] = self._depths.get(task, 0) + 1

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if (task := asyncio.current_task()) is None:
            return
        depth = self._depths.pop(task, 1)
        if depth > 1:
            self._depths[task] = depth - 1
        elif self._idle is not None:
            self._idle.set()
        if task in self._cancelled:
            self._cancelled.discard(task)
            # If the user has cancelled the task as well, it stays cancelled.
            if task.uncancel() == 0 and isinstance(error, asyncio.CancelledError):
                error.__traceback__ = None  # its frames hold headers and links
                raise ClientClosedError from None

    def _enter_loop(self) -> None:
        loop = running_loop()
        if self.loop is loop:
            return
        if self.loop is not None:
            if not self._can_move or self.loop.is_running():
                raise WrongEventLoopError
            self._depths.clear()
            self._idle = None  # it belongs to the old event loop
            for rate_limiter in self.rate_limiters:
                rate_limiter.reset()
        self.loop = loop
