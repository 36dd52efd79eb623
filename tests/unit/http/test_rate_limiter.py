"""The gate with tasks, and the budget: on a loop whose time leaps, so that a minute costs nothing."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import pytest
from attrs import define, field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from telnyx_rooms_async import (
    Attempt,
    Clock,
    ConnectionLostError,
    InternalServerError,
    RateLimit,
    RateLimitError,
    RetryPolicy,
    RoomsClient,
    TelnyxRoomsError,
)
from telnyx_rooms_async.http.rate_limiter import RateLimiter
from tests.helpers.scripted_server import Reply, ScriptedServer

T = TypeVar("T")

LONGEST = 61.0
"""Seconds for which nothing that a server says may stop everybody."""


class Leaping(selectors.DefaultSelector):
    """Waits for nothing: when no socket is ready, the time until the next timer passes at once."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Look at the sockets, or leap."""
        if ready := super().select(0):
            return ready
        if timeout is None:
            raise AssertionError("everybody waits, and nothing is going to happen")
        self.passed += max(0.0, timeout)
        return []


class LeapingLoop(asyncio.SelectorEventLoop):
    """An event loop on leaping time; a deadlock is an error at once."""

    def __init__(self) -> None:
        self._leaping = Leaping()
        super().__init__(self._leaping)

    def time(self) -> float:
        """Tell the time that has leapt by."""
        return self._leaping.passed


def leap(main: Callable[[Clock], Coroutine[Any, Any, T]], roll: float = 0.5) -> T:
    """Run on leaping time, with a clock that tells it."""
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        now = runner.get_loop().time
        clock = Clock(monotonic=now, now=now, dice=lambda: roll)
        return runner.run(main(clock))


# --- traffic ------------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Visit:
    """One call: when it comes, how long it is on its way, and when it is cancelled, if it is."""

    at: float
    there: float
    back: float
    cancelled_at: float | None = None
    patience: float = 10_000.0


@define
class Server:
    """Counts exactly: so many requests a window."""

    limit: int
    period: float
    ends: float
    counts: list[int] = field(factory=lambda: [0])

    def take(self, now: float) -> RateLimit:
        """Count a request, and tell what is left."""
        while now >= self.ends:
            self.ends += self.period
            self.counts.append(0)
        self.counts[-1] += 1
        return RateLimit(
            limit=self.limit, remaining=max(0, self.limit - self.counts[-1]), reset=self.ends - now
        )


@define
class Crowd:
    """Visits a server through one gate, each in a task of its own."""

    clock: Clock
    rate_limiter: RateLimiter
    server: Server | None = None
    came: dict[int, float] = field(factory=dict[int, float])
    passed: dict[int, float] = field(factory=dict[int, float])
    refused: dict[int, float] = field(factory=dict[int, float])

    async def visit(self, number: int, visit: Visit) -> None:
        """Come, wait, ask and return."""
        await asyncio.sleep(visit.at)
        since = self.came[number] = self.clock.monotonic()
        if not (
            self.rate_limiter.try_acquire(since)
            or await self.rate_limiter.acquire(since, since + visit.patience)
        ):
            self.refused[number] = self.clock.monotonic()
            return
        self.passed[number] = sent_at = self.clock.monotonic()
        try:
            await asyncio.sleep(visit.there)
            told = self.server.take(self.clock.monotonic()) if self.server else None
            await asyncio.sleep(visit.back)
        except BaseException:
            self.rate_limiter.discard()
            raise
        self.rate_limiter.release(told, sent_at, self.clock.monotonic(), None)

    async def all(self, visits: list[Visit]) -> list[BaseException | None]:
        """Let all come, and cancel who is to be cancelled."""
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(self.visit(number, visit)) for number, visit in enumerate(visits)]
        for task, visit in zip(tasks, visits, strict=True):
            if visit.cancelled_at is not None:
                loop.call_later(visit.cancelled_at, task.cancel)
        return await asyncio.gather(*tasks, return_exceptions=True)

    def assert_empty(self) -> None:
        """Check that nothing of anybody is left behind."""
        assert self.rate_limiter._window.in_flight == 0
        assert not [turn for *_, turn in self.rate_limiter._queue if not turn.is_gone]
        assert asyncio.all_tasks() == {asyncio.current_task()}


# Times on a coarse grid: what happens at the same moment is where a slot or a wake-up gets lost.
GRID = st.integers(0, 12).map(lambda n: n / 4)
SHORT = st.integers(0, 4).map(lambda n: n / 4)


@st.composite
def visits(draw: st.DrawFn, *, cancelled: bool) -> list[Visit]:
    """Make a crowd, of which some are cancelled at any time."""
    whether = st.none() | GRID if cancelled else st.none()
    visit = st.builds(Visit, at=GRID, there=SHORT, back=SHORT, cancelled_at=whether)
    return draw(st.lists(visit, min_size=1, max_size=25))


@settings(deadline=None, max_examples=80, derandomize=True)
@given(visits(cancelled=False), st.integers(1, 100), st.integers(5, 8), st.floats(0.1, 10))
def test_no_window_is_overrun(them: list[Visit], capacity: int, limit: int, ends: float) -> None:
    """With tasks, too, no window of an exact server gets more than its limit, and all get through in turn."""

    async def main(clock: Clock) -> None:
        start = clock.monotonic()
        crowd = Crowd(clock, RateLimiter(capacity, clock), Server(limit, 10.0, start + ends))
        assert not any(await crowd.all(them))
        crowd.assert_empty()
        assert crowd.server is not None
        assert max(crowd.server.counts) <= limit
        order = sorted(crowd.passed, key=lambda number: (crowd.came[number], crowd.passed[number]))
        assert [crowd.passed[number] for number in order] == sorted(crowd.passed.values())

    leap(main)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(visits(cancelled=True), st.integers(1, 3), st.sampled_from([1, 2, 5, None]), st.floats(0.1, 3))
def test_cancellation_loses_nothing(them: list[Visit], capacity: int, limit: int | None, ends: float) -> None:
    """Whoever is cancelled, whenever, everyone else gets through, and nothing is left behind."""

    async def main(clock: Clock) -> None:
        start = clock.monotonic()
        server = Server(limit, 3.0, start + ends) if limit else None
        crowd = Crowd(clock, RateLimiter(capacity, clock), server)
        outcomes = await crowd.all(them)
        for number, (visit, outcome) in enumerate(zip(them, outcomes, strict=True)):
            assert outcome is None or isinstance(outcome, asyncio.CancelledError)
            assert number in crowd.passed or visit.cancelled_at is not None
        crowd.assert_empty()
        before = clock.monotonic()
        assert await crowd.rate_limiter.acquire(before, before + LONGEST)
        crowd.rate_limiter.discard()
        crowd.assert_empty()

    leap(main)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(
    st.lists(
        st.builds(Visit, at=GRID, there=SHORT, back=SHORT, patience=st.integers(1, 20).map(lambda n: n / 4)),
        min_size=1,
        max_size=25,
    ),
    st.integers(1, 2),
)
def test_nobody_waits_beyond_his_patience(them: list[Visit], capacity: int) -> None:
    """Who is not let through in time is told so in time, and takes no slot along."""

    async def main(clock: Clock) -> None:
        crowd = Crowd(clock, RateLimiter(capacity, clock), Server(5, 3.0, clock.monotonic() + 3))
        assert not any(await crowd.all(them))
        for number, at in (crowd.passed | crowd.refused).items():
            assert at <= crowd.came[number] + them[number].patience + 1e-6
        assert len(crowd.passed) + len(crowd.refused) == len(them)
        crowd.assert_empty()

    leap(main)


# --- single cases -------------------------------------------------------------------------------------------


def opened(clock: Clock, capacity: int = 100) -> RateLimiter:
    """Make a gate that has seen enough answers to suspect no limit."""
    rate_limiter = RateLimiter(capacity, clock)
    now = clock.monotonic()
    for _ in range(25):
        assert rate_limiter.try_acquire(now)
        rate_limiter.release(None, now, now, None)
    return rate_limiter


def test_an_open_gate_is_passed_without_a_wait() -> None:
    """When nobody waits and nothing is known to hold, no turn is drawn."""

    async def main(clock: Clock) -> None:
        rate_limiter = opened(clock, capacity=2)
        assert rate_limiter.try_acquire(clock.monotonic())
        assert rate_limiter.try_acquire(clock.monotonic())
        assert not rate_limiter.try_acquire(clock.monotonic())
        assert rate_limiter.delay() is None
        rate_limiter.discard()
        assert rate_limiter.try_acquire(clock.monotonic())

    leap(main)


def test_who_comes_back_goes_before_who_came_later() -> None:
    """The order is that of the beginnings of the calls: another attempt need not queue up at the end."""

    async def main(clock: Clock) -> None:
        rate_limiter, order, start = opened(clock, capacity=1), list[str](), clock.monotonic()
        assert rate_limiter.try_acquire(start)

        async def wait(name: str, since: float) -> None:
            assert await rate_limiter.acquire(since, start + 100)
            order.append(name)
            rate_limiter.discard()

        async with asyncio.TaskGroup() as group:
            for name, since in (("third", 3), ("second", 2), ("fourth", 3), ("first", -9)):
                group.create_task(wait(name, start + since))
            await asyncio.sleep(1)
            rate_limiter.discard()
        assert order == ["first", "second", "third", "fourth"]

    leap(main)


def test_one_pause_holds_all_and_they_resume_spread_out() -> None:
    """What the server asks of one holds for all; then they go one after the other within a second."""

    async def main(clock: Clock) -> None:
        rate_limiter = opened(clock)
        start = clock.monotonic()
        assert rate_limiter.try_acquire(start)
        assert rate_limiter.release(None, start, start, 7.0)
        crowd = Crowd(clock, rate_limiter)
        await crowd.all([Visit(at=0, there=1, back=1) for _ in range(20)])
        at = sorted(when - start for when in crowd.passed.values())
        assert at == pytest.approx([7 + n / 20 for n in range(20)])

    leap(main)


def test_a_pause_that_is_too_long_is_not_for_all() -> None:
    """An hour that the server asks of one does not stop the others."""

    async def main(clock: Clock) -> None:
        rate_limiter = opened(clock)
        start = clock.monotonic()
        assert rate_limiter.try_acquire(start)
        assert not rate_limiter.release(None, start, start, 3600.0)
        assert rate_limiter.try_acquire(start)

    leap(main)


def test_who_cannot_be_in_time_is_told_at_once() -> None:
    """When the gate is to open after the deadline, nobody waits for it; others do."""

    async def main(clock: Clock) -> None:
        rate_limiter = opened(clock)
        start = clock.monotonic()
        assert rate_limiter.try_acquire(start)
        rate_limiter.release(None, start, start, 7.0)
        assert not await rate_limiter.acquire(start, start + 7)
        assert clock.monotonic() == start
        assert await rate_limiter.acquire(start, start + 7.1)
        assert clock.monotonic() == pytest.approx(start + 7)

    leap(main)


@pytest.mark.parametrize("victim", [0, 1, 5], ids=["who watches the clock", "the next", "the last"])
@pytest.mark.parametrize("at", [0.0, 3.0, 7.0, 7.5], ids=lambda at: f"after {at} s")
def test_a_cancelled_waiter_hands_on(victim: int, at: float) -> None:
    """Whoever of those who wait goes away, at whatever moment, the others are let through in time."""

    async def main(clock: Clock) -> None:
        rate_limiter = opened(clock)
        start = clock.monotonic()
        assert rate_limiter.try_acquire(start)
        rate_limiter.release(None, start, start, 7.0)
        crowd = Crowd(clock, rate_limiter)
        await crowd.all(
            [
                Visit(at=0, there=0.25, back=0, cancelled_at=at if number == victim else None)
                for number in range(6)
            ]
        )
        assert crowd.passed.keys() >= set(range(6)) - {victim}
        assert max(crowd.passed.values()) <= start + 8.001
        crowd.assert_empty()

    leap(main)


def test_good_news_wake_who_sleeps_too_long() -> None:
    """When an answer tells that the window ends earlier than was thought, nobody sleeps on."""

    async def main(clock: Clock) -> None:
        rate_limiter = RateLimiter(100, clock)
        start = clock.monotonic()
        assert rate_limiter.try_acquire(start)
        rate_limiter.release(RateLimit(limit=2, remaining=0, reset=60.0), start, start, None)
        crowd = Crowd(clock, rate_limiter, Server(2, 5.0, start + 5))
        await crowd.all([Visit(at=0, there=1, back=1) for _ in range(6)])
        assert min(crowd.passed.values()) == pytest.approx(start + 60)
        assert max(crowd.passed.values()) < start + 60 + 3 * 7

    leap(main)


ODD: dict[str, dict[str, str]] = {
    "absent": {},
    "negative": {"limit": "-5", "remaining": "-1", "reset": "-60"},
    "text": {"limit": "many", "remaining": "none", "reset": "soon"},
    "huge": {"limit": "9" * 30, "remaining": "0", "reset": "9" * 30},
    "an instant": {"limit": "20", "remaining": "0", "reset": "1795184000"},
    "a limit of zero": {"limit": "0", "remaining": "0", "reset": "5"},
    "a reset of zero": {"limit": "20", "remaining": "0", "reset": "0"},
    "a minute": {"limit": "1", "remaining": "0", "reset": "60"},
}


@pytest.mark.parametrize("status", [200, 429])
@pytest.mark.parametrize("headers", ODD.values(), ids=ODD)
def test_odd_headers_never_stop_the_traffic(headers: dict[str, str], status: int) -> None:
    """Whatever the server says, calls in a row are answered, none later than a minute after the last."""
    answer = ScriptedServer.http(
        status,
        b'{"data":{"id":"a-room"}}',
        **{f"x_ratelimit_{name}": value for name, value in headers.items()},
    )

    async def main(clock: Clock, scripted_server: ScriptedServer, client: RoomsClient) -> None:
        scripted_server.respond_with(answer)
        for _ in range(8):
            before, asked = clock.monotonic(), len(scripted_server.requests)
            try:
                await client.rooms.retrieve("a-room")
            except RateLimitError:
                assert status == 429
            assert len(scripted_server.requests) > asked
            assert clock.monotonic() - before <= 3 * LONGEST

    leap_over_a_wire(main, timeout=1000.0)


# --- the budget ---------------------------------------------------------------------------------------------


def leap_over_a_wire(
    main: Callable[[Clock, ScriptedServer, RoomsClient], Coroutine[Any, Any, T]],
    *,
    timeout: float = 45.0,
    on_attempt: Callable[[Attempt], object] | None = None,
) -> T:
    """Run on leaping time with a scripted server and a client of it."""

    async def run(clock: Clock) -> T:
        scripted_server = ScriptedServer([ScriptedServer.http(204)])
        server = await asyncio.start_server(scripted_server.serve, "127.0.0.1", 0)
        scripted_server.port = server.sockets[0].getsockname()[1]
        client = RoomsClient(
            "KEY",
            base_url=scripted_server.url,
            clock=clock,
            timeout=timeout,
            # On leaping time a connection that is being made seems to take for ever.
            attempt_timeout=1e6,
            on_attempt=on_attempt,
        )
        try:
            async with client:
                return await main(clock, scripted_server, client)
        finally:
            server.close()
            await server.wait_closed()

    return leap(run)


OK = ScriptedServer.http(200, b'{"data":{"id":"a-room"}}')


async def failing(
    scripted_server: ScriptedServer, client: RoomsClient, *replies: Reply, level: float
) -> float:
    """Make one call against a script, with so much in the budget; return what is left."""
    scripted_server.respond_with(*replies)
    budget = client._api.budget
    budget.level = level
    with suppress(TelnyxRoomsError):
        await client.rooms.retrieve("a-room")
    return budget.level


FULL = ScriptedServer.http(500, x_ratelimit_limit="10", x_ratelimit_remaining="0", x_ratelimit_reset="50")
SPENT: dict[str, tuple[list[Reply], float]] = {
    "a clean success earns one": ([OK], +1),
    "a refusal is a success of the server": ([ScriptedServer.http(404)], +1),
    "a repetition that succeeds is paid back": ([ScriptedServer.http(500), OK], 0),
    "so are two": ([ScriptedServer.http(500), ScriptedServer.http(429), OK], 0),
    "and one that is refused": ([ScriptedServer.http(500), ScriptedServer.http(404)], 0),
    "what fails costs two repetitions": ([ScriptedServer.http(500)], -28),
    "less when throttled": ([ScriptedServer.http(429)], -10),
    "one of each": ([ScriptedServer.http(429), ScriptedServer.http(500)], -19),
    "lost answers cost as much": ([ScriptedServer.raw(b"")], -28),
    "no hint is paid for that is not followed": ([ScriptedServer.http(429, Retry_After="3600")], 0),
    "nor what the gate does not let through in time": ([FULL], 0),
    "all the same one that was": ([ScriptedServer.http(500), FULL], -14),
}


@pytest.mark.parametrize(("replies", "change"), SPENT.values(), ids=SPENT)
def test_what_is_paid(replies: list[Reply], change: float) -> None:
    """Repetitions cost, successes pay back; the seconds that pass meanwhile bring one each."""

    async def main(clock: Clock, scripted_server: ScriptedServer, client: RoomsClient) -> None:
        client._api.budget.take(0, clock.monotonic())
        began = clock.monotonic()
        left = await failing(scripted_server, client, *replies, level=200.0)
        # Time is counted when something is taken: after the last one it still has to be.
        client._api.budget.take(0, clock.monotonic())
        passed = clock.monotonic() - began
        assert left == pytest.approx(200 + change, abs=passed)
        assert client._api.budget.level == pytest.approx(200 + change + passed)

    leap_over_a_wire(main)


def test_an_empty_budget_ends_it() -> None:
    """When the budget does not reach, the first failure is raised, and says why there was no other try."""

    async def main(clock: Clock, scripted_server: ScriptedServer, client: RoomsClient) -> None:
        client._api.budget.take(0, clock.monotonic())
        for level, tries, exhausted in ((13.9, 1, True), (14.0, 2, True), (28.0, 3, False)):
            scripted_server.respond_with(ScriptedServer.http(500))
            client._api.budget.level = level
            view = client.with_options(retry=RetryPolicy(backoff_base=0.0))
            with pytest.raises(InternalServerError) as caught:
                await view.rooms.retrieve("a-room")
            assert (len(scripted_server.requests), caught.value.budget_exhausted) == (tries, exhausted)
            assert [each.budget_exhausted for each in caught.value.attempts[:-1]] == [False] * (tries - 1)

    leap_over_a_wire(main)


OUTAGES = {
    "500": (ScriptedServer.http(500), True),
    "lost": (ScriptedServer.raw(b""), True),
    "503 with a hint": (ScriptedServer.http(503, Retry_After="1"), False),
    "429": (ScriptedServer.http(429), False),
}


@pytest.mark.parametrize(("reply", "is_exhausting"), OUTAGES.values(), ids=OUTAGES)
def test_an_outage_is_not_met_with_three_times_the_load(reply: Reply, is_exhausting: bool) -> None:  # noqa: FBT001 - a column
    """Five hundred calls in a full outage come to at most 560 requests; a throttle alone holds them back."""
    attempts = list[Attempt]()

    async def main(clock: Clock, scripted_server: ScriptedServer, client: RoomsClient) -> None:
        scripted_server.respond_with(reply)
        calls = (client.rooms.retrieve(f"room-{number}") for number in range(500))
        errors = [
            error
            for error in await asyncio.gather(*calls, return_exceptions=True)
            if isinstance(error, InternalServerError | RateLimitError | ConnectionLostError)
        ]
        assert len(errors) == 500
        assert len(scripted_server.requests) == len(attempts) <= 560
        assert all(error.budget_exhausted for error in errors) is is_exhausting
        assert [each.budget_exhausted for each in attempts].count(True) == (500 if is_exhausting else 0)
        assert 0 <= client._api.budget.level <= 500
        assert client._api.rate_limiter._window.in_flight == 0

    leap_over_a_wire(main, on_attempt=attempts.append)


def test_a_client_recovers_from_an_outage() -> None:
    """When the budget was spent, successes and time fill it again, and repetitions with it."""

    async def main(clock: Clock, scripted_server: ScriptedServer, client: RoomsClient) -> None:
        scripted_server.respond_with(ScriptedServer.http(500))
        calls = (client.rooms.retrieve(f"room-{number}") for number in range(100))
        await asyncio.gather(*calls, return_exceptions=True)
        scripted_server.respond_with(ScriptedServer.http(500), OK)
        with pytest.raises(InternalServerError):
            await client.rooms.retrieve("a-room")
        await clock.sleep(14)
        scripted_server.respond_with(ScriptedServer.http(500), OK)
        assert (await client.rooms.retrieve("a-room")).id == "a-room"

    leap_over_a_wire(main)
