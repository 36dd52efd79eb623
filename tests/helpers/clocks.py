"""A clock for clients, emulators and event loops that only the test moves."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from attrs import define, field

from telnyx_rooms_async import Clock

EPOCH: Final = datetime(2021, 4, 25, 12, tzinfo=UTC).timestamp()
"""The time at which tests start."""
_GRACE: Final = 0.001
_LONG_TIMER: Final = 1.5
"""Longer timers are timeouts, which must not end a request that is on its way: they get more grace."""
_DEADLOCK: Final = 60.0
_TICK: Final = 1e-6
"""More than a float of such a size loses: a timer is certainly due after a jump."""


@define(eq=False)
class FakeClock:
    """Stands still except for sleeps, which end at once, `advance` and `fast_forward`.

    `clock` is what a client takes; the object itself, called, is what an emulator takes.
    """

    seconds: float = EPOCH
    random: Callable[[], float] = lambda: 0.5
    sleeps: list[float] = field(factory=list[float])
    _is_loop_time: bool = False

    @property
    def clock(self) -> Clock:
        return Clock(monotonic=self.time, now=self.time, sleep=self.sleep, random=self._random)

    def _random(self) -> float:
        return self.random()  # which a test may replace later

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def __call__(self) -> datetime:
        return self.now

    def time(self) -> float:
        return self.seconds

    def advance(self, *, seconds: float) -> None:
        self.seconds += seconds

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        if self._is_loop_time:
            await asyncio.sleep(seconds)
        else:
            self.seconds += seconds

    @contextmanager
    def fast_forward(self) -> Iterator[None]:
        """Give the running event loop this time, which jumps to the next timer when there is nothing to do.

        All that asyncio counts in seconds is affected, aiohttp's timeouts included: a test can keep the
        defaults of a client and is still fast. Work takes no time, so that a busy machine makes no
        difference. Threads and bytes on their way over loopback are waited for.
        """
        loop: Any = asyncio.get_running_loop()
        selector = loop._selector
        select: Callable[[float | None], list[Any]] = selector.select
        run_in_executor: Callable[..., asyncio.Future[Any]] = loop.run_in_executor
        threads = set[asyncio.Future[Any]]()
        sender, receiver = _loopback_connection()
        difference: float = loop.time() - self.seconds

        def time() -> float:
            return self.seconds + difference

        def run_in_thread(*args: Any) -> asyncio.Future[Any]:
            future = run_in_executor(*args)
            threads.add(future)
            future.add_done_callback(threads.discard)
            return future

        def select_or_jump(timeout: float | None = None) -> list[Any]:
            if threads or timeout == 0:
                return select(timeout)
            # What was sent earlier has arrived when this byte has, however busy the machine is.
            sender.send(b"x")
            receiver.recv(1)
            if timeout is None:
                ready = select(_DEADLOCK)
                assert ready, "the loop waits for a byte that never comes, and no timer is set"
                return ready
            ready = select(_GRACE if timeout < _LONG_TIMER else 4 * _GRACE)
            if not ready:
                self.seconds += timeout + _TICK
            return ready

        loop.time, loop.run_in_executor, selector.select = time, run_in_thread, select_or_jump
        self._is_loop_time = True
        try:
            yield
        finally:
            self._is_loop_time = False
            del loop.time, loop.run_in_executor, selector.select
            sender.close()
            receiver.close()


def _loopback_connection() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = socket.socket()
        sender.connect(server.getsockname())
        receiver, _ = server.accept()
    sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sender, receiver


async def wait_until(condition: Callable[[], bool]) -> None:
    """Run other tasks until a condition holds: at first without a pause, then for at most 100 seconds."""
    for turn in range(100_000):
        if condition():
            return
        await asyncio.sleep(0 if turn < 1000 else 0.001)
    raise AssertionError("the condition never held")
