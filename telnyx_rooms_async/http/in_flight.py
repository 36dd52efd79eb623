"""Whether a client is open, in which event loop, and who is in the middle of a call."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final

from telnyx_rooms_async.errors import NO_EVENT_LOOP, ClientClosedError, WrongEventLoopError


def running_loop() -> asyncio.AbstractEventLoop:
    """Return the running event loop.

    Raises:
        WrongEventLoopError: there is none: trio runs the coroutine, or nothing does.
    """
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise WrongEventLoopError(NO_EVENT_LOOP) from None


class InFlightCalls:
    """``with lifetime:`` stands around a call, so that closing the client can end it.

    One and the same object serves all calls at once, and calls within calls: nothing is made for each.
    The client belongs to the loop of its first call; when that loop has stopped, to the next one.

    Args:
        loop: that of a borrowed session; the client never leaves it.
        forget: called when the client moves to another loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None, forget: Callable[[], None]) -> None:
        self.is_closed: bool = False
        self._is_draining = False
        self.loop = loop
        self._is_settled = loop is not None
        self._forget = forget
        self._depths: Final[dict[asyncio.Task[object], int]] = {}
        self._ended: Final[set[asyncio.Task[object]]] = set()
        self._quiet: asyncio.Event | None = None
        """Set by the last call to end, when somebody waits for that."""

    async def quiet(self, seconds: float) -> None:
        """Refuse new calls, and wait for those that are running, except in the current task.

        What a running call still has to request is part of it.

        Args:
            seconds: how long to wait at most.

        Raises:
            WrongEventLoopError: they go on in another event loop.
        """
        self._enter_loop()
        self._is_draining = True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._depths.keys() - {asyncio.current_task()}:
                    self._quiet = self._quiet or asyncio.Event()
                    self._quiet.clear()
                    await self._quiet.wait()

    def end(self) -> None:
        """End the calls that go on: each raises `ClientClosedError`, and so does every new one.

        Raises:
            WrongEventLoopError: they go on in another event loop.
        """
        self._enter_loop()
        self.is_closed = True
        for task in self._depths.keys() - self._ended - {asyncio.current_task()}:
            self._ended.add(task)
            task.cancel()

    def __enter__(self) -> None:
        if self.is_closed:
            raise ClientClosedError
        self._enter_loop()
        task = asyncio.current_task()
        if self._is_draining and task not in self._depths:
            raise ClientClosedError
        if task is not None:
            self._depths[task] = self._depths.get(task, 0) + 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if (task := asyncio.current_task()) is None:
            return
        depth = self._depths.pop(task, 1)
        if depth > 1:
            self._depths[task] = depth - 1
        elif self._quiet is not None:
            self._quiet.set()
        if task in self._ended:
            self._ended.discard(task)
            # Somebody else may have cancelled the task as well: that goes before.
            if task.uncancel() == 0 and isinstance(error, asyncio.CancelledError):
                error.__traceback__ = None  # its frames hold headers and links
                raise ClientClosedError from None

    def _enter_loop(self) -> None:
        loop = running_loop()
        if self.loop is loop:
            return
        if self.loop is not None:
            if self._is_settled or self.loop.is_running():
                raise WrongEventLoopError
            self._depths.clear()
            self._quiet = None  # it belongs to that loop
            self._forget()
        self.loop = loop
