"""The rate limiter with tasks, on an event loop whose time jumps: a minute of waiting takes no time."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
from attrs import define, field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from telnyx_rooms_async import Clock, RateLimit
from telnyx_rooms_async.http.rate_limiter import RateLimiter

T = TypeVar("T")

LONGEST_WAIT = 61.0
"""Seconds for which a server can hold up all calls."""


class JumpingSelector(selectors.DefaultSelector):
    """Does not wait: when no socket is ready, the time until the next timer passes at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if ready := super().select(0):
            return ready
        if timeout is None:
            raise AssertionError("deadlock: all tasks wait, and no timer is set")
        self.now += max(0.0, timeout)
        return []


class JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run(main: Callable[[Clock], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function on a jumping loop, with a clock of that loop."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        time = runner.get_loop().time
        return runner.run(main(Clock(monotonic=time, now=time, random=lambda: 0.5)))


# --- calls through a limiter --------------------------------------------------------------------------------


@frozen(kw_only=True)
class Call:
    """When a call begins, how long its request and response take, and when it is cancelled."""

    start: float = 0.0
    latency_to: float = 0.0
    latency_from: float = 0.0
    cancelled_at: float | None = None
    timeout: float = 10_000.0


@define
class Server:
    """Counts the requests of fixed windows."""

    limit: int
    period: float
    end: float
    requests_per_window: list[int] = field(factory=lambda: [0])

    def count(self, now: float) -> RateLimit:
        while now >= self.end:
            self.end += self.period
            self.requests_per_window.append(0)
        self.requests_per_window[-1] += 1
        remaining = max(0, self.limit - self.requests_per_window[-1])
        return RateLimit(limit=self.limit, remaining=remaining, reset=self.end - now)


@define
class Calls:
    """Makes calls through one rate limiter, each in its task, and records when they were admitted."""

    clock: Clock
    limiter: RateLimiter
    server: Server | None = None
    started: dict[int, float] = field(factory=dict[int, float])
    admitted: dict[int, float] = field(factory=dict[int, float])
    refused: dict[int, float] = field(factory=dict[int, float])

    def admit_at_once(self) -> bool:
        return self.limiter.window.try_acquire(self.clock.monotonic())

    async def admit(self, timeout: float, started_at: float | None = None) -> bool:
        now = self.clock.monotonic()
        return await self.limiter.acquire(now if started_at is None else started_at, now + timeout)

    def leave(self) -> None:
        self.limiter.discard()

    def leave_with(self, limit: RateLimit | None, pause: float | None = None) -> bool:
        now = self.clock.monotonic()
        return self.limiter.release(limit, now, now, pause)

    async def make(self, number: int, call: Call) -> None:
        await asyncio.sleep(call.start)
        self.started[number] = self.clock.monotonic()
        if not (self.admit_at_once() or await self.admit(call.timeout)):
            self.refused[number] = self.clock.monotonic()
            return
        self.admitted[number] = sent_at = self.clock.monotonic()
        try:
            await asyncio.sleep(call.latency_to)
            limit = self.server.count(self.clock.monotonic()) if self.server else None
            await asyncio.sleep(call.latency_from)
        except BaseException:
            self.leave()
            raise
        self.limiter.release(limit, sent_at, self.clock.monotonic(), None)

    async def make_all(self, calls: list[Call]) -> list[BaseException | None]:
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(self.make(number, call)) for number, call in enumerate(calls)]
        for task, call in zip(tasks, calls, strict=True):
            if call.cancelled_at is not None:
                loop.call_later(call.cancelled_at, task.cancel)
        return await asyncio.gather(*tasks, return_exceptions=True)

    async def check_nothing_is_left(self, capacity: int) -> None:
        """Check that no task runs, no call waits, and that all slots are free."""
        assert asyncio.all_tasks() == {asyncio.current_task()}
        await self.clock.sleep(LONGEST_WAIT)
        slots = min(capacity, self.server.limit if self.server else 5, 5)
        assert [self.admit_at_once() for _ in range(slots)] == [True] * slots
        for _ in range(slots):
            self.leave()


def new_calls(clock: Clock, capacity: int = 100) -> Calls:
    """Return a limiter that has seen enough responses without a limit to admit `capacity` calls."""
    calls = Calls(clock, RateLimiter(capacity, clock))
    for _ in range(25):
        assert calls.admit_at_once()
        calls.leave_with(None)
    return calls


# Times on a coarse grid: a slot or a wake-up is lost where two things happen at the same time.
GRID = st.integers(0, 12).map(lambda n: n / 4)
SHORT = st.integers(0, 4).map(lambda n: n / 4)


def lists_of_calls(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Call]]:
    call = st.builds(Call, start=GRID, latency_to=SHORT, latency_from=SHORT, **fields)
    return st.lists(call, min_size=1, max_size=25)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(
    lists_of_calls(timeout=st.just(10_000.0) | st.integers(1, 20).map(lambda n: n / 4)),
    st.integers(1, 3) | st.integers(1, 100),
    st.integers(5, 8),
    st.floats(0.1, 10),
)
def test_calls_are_admitted_in_order_and_within_the_limit_or_refused_by_their_deadline(
    calls: list[Call], capacity: int, limit: int, end: float
) -> None:
    async def main(clock: Clock) -> None:
        server = Server(limit, 10.0, clock.monotonic() + end)
        made = Calls(clock, RateLimiter(capacity, clock), server)
        assert not any(await made.make_all(calls))
        assert max(server.requests_per_window) <= limit
        order = sorted(made.admitted, key=lambda number: (made.started[number], made.admitted[number]))
        assert [made.admitted[number] for number in order] == sorted(made.admitted.values())
        assert len(made.admitted) + len(made.refused) == len(calls)
        for number, at in (made.admitted | made.refused).items():
            assert at <= made.started[number] + calls[number].timeout + 1e-6
        await made.check_nothing_is_left(capacity)

    run(main)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(
    lists_of_calls(cancelled_at=st.none() | GRID),
    st.integers(1, 3),
    st.sampled_from([1, 2, 5, None]),
    st.floats(0.1, 3),
)
def test_cancelled_calls_do_not_hold_up_others(
    calls: list[Call], capacity: int, limit: int | None, end: float
) -> None:
    async def main(clock: Clock) -> None:
        server = Server(limit, 3.0, clock.monotonic() + end) if limit else None
        made = Calls(clock, RateLimiter(capacity, clock), server)
        results = await made.make_all(calls)
        assert {type(result) for result in results} <= {type(None), asyncio.CancelledError}
        for number, call in enumerate(calls):
            assert number in made.admitted or call.cancelled_at is not None
        await made.check_nothing_is_left(capacity)

    run(main)


def test_call_that_began_first_is_admitted_first_also_when_it_is_retried() -> None:
    async def main(clock: Clock) -> None:
        calls, order, start = new_calls(clock, capacity=1), list[str](), clock.monotonic()
        assert calls.admit_at_once()

        async def wait(name: str, started_at: float) -> None:
            assert await calls.admit(100, started_at)
            order.append(name)
            calls.leave()

        async with asyncio.TaskGroup() as group:
            for name, offset in (("third", 3), ("second", 2), ("fourth", 3), ("first", -9)):
                group.create_task(wait(name, start + offset))
            await asyncio.sleep(1)
            calls.leave()
        assert order == ["first", "second", "third", "fourth"]

    run(main)


def test_call_that_is_cancelled_when_it_is_admitted_frees_its_place() -> None:
    async def main(clock: Clock) -> None:
        calls = new_calls(clock, capacity=1)
        assert calls.admit_at_once()
        waiting = asyncio.create_task(calls.admit(100))
        await asyncio.sleep(1)
        calls.leave()
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        assert calls.admit_at_once()

    run(main)


def test_next_call_resumes_in_time_when_the_first_that_waits_is_cancelled() -> None:
    async def main(clock: Clock) -> None:
        calls, start = new_calls(clock), clock.monotonic()
        assert calls.admit_at_once()
        calls.leave_with(None, 7.0)
        first, second = [asyncio.create_task(calls.admit(100)) for _ in range(2)]
        await asyncio.sleep(1)
        first.cancel()
        assert await second
        assert clock.monotonic() == pytest.approx(start + 7)

    run(main)


def test_call_is_refused_at_once_when_the_pause_lasts_beyond_its_deadline() -> None:
    async def main(clock: Clock) -> None:
        calls, start = new_calls(clock), clock.monotonic()
        assert calls.admit_at_once()
        calls.leave_with(None, 7.0)
        assert not await calls.admit(7)
        assert clock.monotonic() == start
        assert await calls.admit(7.1)
        assert clock.monotonic() == pytest.approx(start + 7)

    run(main)


def test_waiting_calls_resume_earlier_when_a_response_says_so() -> None:
    async def main(clock: Clock) -> None:
        start = clock.monotonic()
        calls = Calls(clock, RateLimiter(100, clock), Server(2, 5.0, start + 5))
        assert calls.admit_at_once()
        calls.leave_with(RateLimit(limit=2, remaining=0, reset=60.0))
        await calls.make_all([Call(latency_to=1, latency_from=1)] * 6)
        assert min(calls.admitted.values()) == pytest.approx(start + 60)
        assert max(calls.admitted.values()) < start + 60 + 3 * 7

    run(main)
