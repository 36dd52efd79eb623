"""Rate limits: reading the headers, and the arithmetic of windows on simulated time."""

import math
from collections import Counter
from heapq import heappop, heappush
from itertools import count

import pytest
from attrs import define, field, frozen
from hypothesis import example, given, settings
from hypothesis import strategies as st

from telnyx_rooms_async import RateLimit
from telnyx_rooms_async.core.http_messages import RawHeaders
from telnyx_rooms_async.core.rate_limit import RateLimitWindow, rate_limit

LONGEST_WAIT = 61.0
"""Seconds for which a server can hold up all calls."""


# --- the headers --------------------------------------------------------------------------------------------

HEADERS: dict[str, tuple[dict[str, str], RateLimit | None]] = {
    "none": ({}, None),
    "all": ({"limit": "20", "remaining": "7", "reset": "4"}, RateLimit(limit=20, remaining=7, reset=4.0)),
    "one": ({"remaining": "0"}, RateLimit(remaining=0)),
    "fraction": ({"reset": "0.25"}, RateLimit(reset=0.25)),
    "policy in limit": ({"limit": "20, 20;w=5", "reset": "3"}, RateLimit(limit=20, reset=3.0)),
    "text beside a number": ({"limit": "many", "remaining": "3"}, RateLimit(remaining=3)),
    "text": ({"limit": "many", "remaining": "few", "reset": "soon"}, None),
    "negative": ({"limit": "-1", "remaining": "-1", "reset": "-1"}, None),
    "zero": ({"limit": "0", "remaining": "0", "reset": "0"}, RateLimit(limit=0, remaining=0, reset=0.0)),
    "huge": ({"limit": "9" * 40, "reset": "9" * 40}, None),
    "seconds since the epoch": ({"reset": "1795184000"}, None),
    "empty": ({"limit": "", "remaining": " ", "reset": ""}, None),
    "superscript": ({"remaining": "\xb2"}, None),
    "another header": ({"policy": "20"}, None),
}


@pytest.mark.parametrize(("headers", "result"), HEADERS.values(), ids=HEADERS)
def test_readable_headers_are_used(headers: dict[str, str], result: RateLimit | None) -> None:
    raw = tuple((f"X-RateLimit-{name}".encode(), value.encode("latin-1")) for name, value in headers.items())
    assert rate_limit(((b"Date", b"today"), *raw)) == result


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"X-RateLimit-Limit", b"x-ratelimit-remaining", b"X-RATELIMIT-RESET"]),
            st.binary(max_size=30) | st.text(" 0123456789.,;-", max_size=30).map(str.encode),
        ),
        max_size=5,
    )
)
def test_numbers_of_any_headers_are_finite_and_not_negative(headers: list[tuple[bytes, bytes]]) -> None:
    result = rate_limit(tuple(headers))
    for number in () if result is None else (result.limit, result.remaining, result.reset):
        assert number is None or 0 <= number < 10**9


# --- an exact server ----------------------------------------------------------------------------------------


UNKNOWN = RateLimit()


@frozen(kw_only=True)
class Traffic:
    """An account with fixed windows, its clients, and the latencies of their requests."""

    limit: int
    period: float
    first_end: float
    """When the window ends that is open at the beginning."""
    opens_on_request: bool = False
    """Whether a window begins with its first request, and not by the clock."""
    rounds_up: bool = False
    """Whether the server sends the seconds until the next window as a whole number."""
    clients: int = 1
    capacity: int = 100
    calls: list[list[float]]
    """When the calls of each client are made; client n uses list n modulo the number of lists."""
    latencies_to: list[float]
    latencies_from: list[float]

    @property
    def calls_per_client(self) -> int:
        return max(map(len, self.calls))


@define
class Simulation:
    """All clients of an account, played to the end without an event loop."""

    traffic: Traffic
    end: float
    windows: list[RateLimitWindow]
    pending: Counter[int] = field(factory=Counter[int])
    requests_per_window: list[int] = field(factory=lambda: [0])
    arrivals: list[float] = field(factory=list[float])
    admissions: list[float] = field(factory=list[float])
    _next_checks: dict[int, float] = field(factory=dict[int, float])
    _events: list[tuple[float, int, str, int, float, RateLimit]] = field(factory=list)
    _numbers: "count[int]" = field(factory=count)

    @classmethod
    def run(cls, traffic: Traffic) -> "Simulation":
        share = 1 / traffic.clients
        windows = [RateLimitWindow(traffic.capacity, share) for _ in range(traffic.clients)]
        simulation = cls(traffic, traffic.first_end, windows)
        for client in range(traffic.clients):
            for now in traffic.calls[client % len(traffic.calls)]:
                simulation._plan(now, "call", client)
        while simulation._events:
            simulation._step(heappop(simulation._events))
        assert not simulation.pending.total()
        return simulation

    def _step(self, planned: tuple[float, int, str, int, float, RateLimit]) -> None:
        now, number, event, client, sent_at, limit = planned
        traffic, window = self.traffic, self.windows[client]
        if event == "call":
            self.pending[client] += 1
        elif event == "arrival":
            latency = traffic.latencies_from[number % len(traffic.latencies_from)]
            self._plan(now + latency, "response", client, sent_at, self._count(now))
        elif event == "response":
            window.complete(limit, sent_at, now)
        while self.pending[client] and window.delay(now) == 0:
            self.pending[client] -= 1
            window.acquire(now, waiting=self.pending[client])
            self.admissions.append(now)
            latency = traffic.latencies_to[next(self._numbers) % len(traffic.latencies_to)]
            self._plan(now + latency, "arrival", client, now)
        delay = window.delay(now)
        next_check = self._next_checks.get(client, 0.0)
        if self.pending[client] and delay is not None and not now < next_check <= now + delay:
            self._next_checks[client] = now + delay
            self._plan(now + delay, "check", client)

    def _count(self, now: float) -> RateLimit:
        traffic = self.traffic
        while now >= self.end:
            self.end = traffic.period + (now if traffic.opens_on_request else self.end)
            self.requests_per_window.append(0)
        self.requests_per_window[-1] += 1
        self.arrivals.append(now)
        remaining, reset = traffic.limit - self.requests_per_window[-1], self.end - now
        return RateLimit(
            limit=traffic.limit,
            remaining=max(0, remaining),
            reset=float(math.ceil(reset)) if traffic.rounds_up else reset,
        )

    def _plan(
        self, at: float, event: str, client: int, sent_at: float = 0.0, limit: RateLimit = UNKNOWN
    ) -> None:
        heappush(self._events, (at, next(self._numbers), event, client, sent_at, limit))


def times(longest: float) -> st.SearchStrategy[list[float]]:
    return st.lists(st.floats(0.001, longest), min_size=1, max_size=8)


@st.composite
def traffics(draw: st.DrawFn) -> Traffic:
    """One client whose responses take less than half a window, or several with slower responses.

    Several clients know nothing of each other.
    """
    clients = draw(st.just(1) | st.integers(2, 6))
    period, latency = draw(st.sampled_from([1.0, 5.0, 30.0])), 0.24 if clients == 1 else 1.5
    starts, shifts, latencies_to, latencies_from = (
        [part * period for part in draw(times(longest))] for longest in (2.0, 1.0, latency, latency)
    )
    repeated = draw(st.integers(1, 8))
    return Traffic(
        clients=clients,
        limit=draw(st.integers(5 * clients, 12 * clients)),
        period=period,
        first_end=draw(st.floats(0.001, 1)) * period,
        opens_on_request=draw(st.booleans()),
        rounds_up=clients > 1 and draw(st.booleans()),
        capacity=draw(st.integers(1, 100)),
        calls=[[start + shift for start in starts] * repeated for shift in shifts],
        latencies_to=latencies_to,
        latencies_from=latencies_from,
    )


# The first responses come when a window is almost over: its length is not known from them.
FIRST_RESPONSE_LATE = Traffic(
    limit=20, period=5.0, first_end=0.3, calls=[[0.0] * 100], latencies_to=[0.05], latencies_from=[0.05]
)
# Requests are sent in one window, counted in the next, and answered before the client knows of it.
ACROSS_THE_END = Traffic(
    limit=10,
    period=5.0,
    first_end=4.0,
    calls=[[0.0, *(3.9 + n / 1000 for n in range(8)), *([5.0] * 20)]],
    latencies_to=[0.2],
    latencies_from=[0.9, 0.1],
)
# The first response of the second window says 1.0 s, which is not rounded: the one before said 0.0625 s.
FRACTION_BEFORE_WHOLE_SECOND = Traffic(
    limit=5,
    period=1.0,
    first_end=0.375,
    capacity=3,
    calls=[[1.0, 0.25] * 4],
    latencies_to=[0.125, 0.0625],
    latencies_from=[0.125],
)
# Whole seconds do not show when the windows of the server begin.
STAGGERED_CLIENTS = Traffic(
    clients=3,
    limit=100,
    period=1.0,
    first_end=1.0,
    opens_on_request=True,
    rounds_up=True,
    capacity=30,
    calls=[[start] * 200 for start in (0.0, 0.3, 0.6)],
    latencies_to=[0.01, 0.002],
    latencies_from=[0.001, 0.01],
)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(traffics())
@example(FIRST_RESPONSE_LATE)
@example(ACROSS_THE_END)
@example(FRACTION_BEFORE_WHOLE_SECOND)
@example(STAGGERED_CLIENTS)
def test_no_window_of_the_server_is_overrun(traffic: Traffic) -> None:
    simulation = Simulation.run(traffic)
    assert max(simulation.requests_per_window) <= traffic.limit
    assert len(simulation.arrivals) == traffic.clients * traffic.calls_per_client


@settings(deadline=None, max_examples=100, derandomize=True)
@given(traffics())
@example(FIRST_RESPONSE_LATE)
def test_all_calls_are_admitted_within_few_windows(traffic: Traffic) -> None:
    per_window = min(traffic.limit // traffic.clients, traffic.capacity)
    windows = math.ceil(traffic.calls_per_client / per_window) + 3
    # A shared window waits for the end of the server's window from each response on.
    latency = 0 if traffic.clients == 1 else max(traffic.latencies_to) + max(traffic.latencies_from)
    longest = windows * (2 * math.ceil(traffic.period) + latency)
    assert Simulation.run(traffic).admissions[-1] <= max(map(max, traffic.calls)) + longest


@pytest.mark.parametrize("clients", [2, 3, 4, 8])
@pytest.mark.parametrize("opens_on_request", [True, False])
def test_clients_that_share_an_account_use_nine_tenths_of_its_rate(
    clients: int, *, opens_on_request: bool
) -> None:
    traffic = Traffic(
        clients=clients,
        limit=100,
        period=1.0,
        first_end=1.0,
        opens_on_request=opens_on_request,
        rounds_up=True,
        capacity=32,
        calls=[[0.13 * client] * (1200 // clients) for client in range(clients)],
        latencies_to=[0.01],
        latencies_from=[0.01],
    )
    simulation = Simulation.run(traffic)
    assert sum(2 <= at < 10 for at in simulation.arrivals) >= 90 * 8
    assert max(simulation.requests_per_window) <= 100


# --- odd servers --------------------------------------------------------------------------------------------

LIMITS = st.builds(
    RateLimit,
    limit=st.none() | st.integers(0, 3) | st.integers(0, 10**9 - 1),
    remaining=st.none() | st.integers(0, 3) | st.integers(0, 10**9 - 1),
    reset=st.none() | st.sampled_from([0.0, 1.0, 60.0, 60.001]) | st.floats(0, 10**9 - 1),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.floats(0, 30)),
        st.tuples(st.just("send"), st.integers(0, 50)),
        st.tuples(st.just("receive"), st.none() | LIMITS),
        st.tuples(st.just("pause"), st.floats(0, 100)),
        st.tuples(st.just("reset"), st.none()),
    ),
    max_size=25,
)


def wait_for_admission(window: RateLimitWindow, now: float) -> float:
    """Return the time at which the next request may be sent."""
    while delay := window.delay(now):
        now += delay
    assert delay == 0
    return now


@settings(deadline=None, max_examples=200, derandomize=True)
@given(st.integers(1, 8), st.just(1.0) | st.floats(0.001, 0.999), STEPS)
def test_idle_window_admits_a_request_within_a_minute(
    capacity: int, share: float, steps: list[tuple[str, object]]
) -> None:
    window, now = RateLimitWindow(capacity, share), 1000.0
    for step, value in steps:
        match step, value:
            case "wait", float(seconds):
                now += seconds
            case "send", int(waiting) if window.delay(now) == 0:
                window.acquire(now, waiting=waiting)
            case "receive", (None | RateLimit()) as limit if window.in_flight:
                window.complete(limit, now - 1, now)
            case "pause", float(seconds):
                assert window.pause(seconds, now) is (seconds <= LONGEST_WAIT)
            case "reset", _:
                window.in_flight = 0
            case _:
                pass
        delay = window.delay(now)
        assert window.in_flight <= capacity
        assert delay is not None or window.in_flight
        assert delay is None or 0 <= delay <= LONGEST_WAIT
    while window.in_flight:
        window.discard(0.0)
    assert wait_for_admission(window, now) <= now + LONGEST_WAIT + 1e-6


# --- single decisions ---------------------------------------------------------------------------------------


def new_window() -> RateLimitWindow:
    return RateLimitWindow(capacity=100)


def exchange(window: RateLimitWindow, limit: RateLimit | None, now: float) -> None:
    """Send a request and receive its response at the same time."""
    window.acquire(now)
    window.complete(limit, now, now)


def send_all(window: RateLimitWindow, now: float) -> int:
    """Send as many requests as are admitted, and return their number."""
    sent = 0
    while window.delay(now) == 0:
        window.acquire(now)
        sent += 1
    return sent


def receive_all(window: RateLimitWindow) -> None:
    while window.in_flight:
        window.discard(0.0)


def test_five_requests_are_sent_until_a_limit_is_known_or_unlikely() -> None:
    window = new_window()
    assert send_all(window, 0.0) == 5
    assert window.delay(0.0) is None
    receive_all(window)
    for _ in range(25):
        exchange(window, None, 0.0)
    assert send_all(window, 0.0) == 100


def test_calls_that_waited_for_a_pause_resume_evenly_within_a_second() -> None:
    window = new_window()
    for _ in range(25):
        exchange(window, None, 0.0)
    assert window.pause(7.0, 0.0)
    now, admissions = 0.0, list[float]()
    for waiting in range(9, -1, -1):
        now = wait_for_admission(window, now)
        window.acquire(now, waiting=waiting)
        admissions.append(now)
    assert admissions == pytest.approx([7 + n / 10 for n in range(10)])


def test_shorter_pause_does_not_replace_a_longer_one() -> None:
    window = new_window()
    window.pause(10.0, 0.0)
    window.pause(1.0, 2.0)
    assert window.delay(2.0) == 8.0


def test_next_window_begins_after_the_reset_with_the_full_limit() -> None:
    window, limit = new_window(), RateLimit(limit=30, remaining=0, reset=5.0)
    exchange(window, limit, 0.0)
    assert window.last_seen == limit
    assert window.delay(1.0) == 4.0
    assert send_all(window, 5.0) == 30


def headers_of(remaining: int) -> RawHeaders:
    values = {"limit": 1000, "remaining": remaining, "reset": 60}
    return tuple((f"x-ratelimit-{name}".encode(), str(value).encode()) for name, value in values.items())


@pytest.mark.parametrize(
    "responses",
    [
        [(1.0, 999, 0.0), (1.05, 0, 0.0), (1.09, 0, 0.0), (1.1, 0, 59.9)],
        [(1.0, 200, 0.0), (1.01, 0, 59.99)],
    ],
    ids=["many", "few"],
)
def test_while_many_requests_remain_one_response_in_100_ms_is_read(
    responses: list[tuple[float, int, float]],
) -> None:
    """Another program may use up the rate limit meanwhile, for at most that time."""
    window = new_window()
    for now, remaining, delay in responses:
        window.acquire(now)
        window.receive(headers_of(remaining), now, now)
        assert window.delay(now) == pytest.approx(delay)


def test_rate_limit_seen_is_that_of_the_newest_response() -> None:
    window = new_window()
    for remaining in (999, 998, 997):
        window.acquire(1.0)
        window.receive(headers_of(remaining), 1.0, 1.0)
    assert window.last_seen == RateLimit(limit=1000, remaining=997, reset=60.0)


def test_late_response_of_a_stopped_event_loop_releases_no_other_request() -> None:
    window = new_window()
    for _ in range(2):
        window.acquire(1.0)
    window.receive(headers_of(999), 1.0, 1.0)
    window.in_flight = 0  # the client moved to another event loop
    window.receive(headers_of(998), 1.0, 1.05)
    assert window.in_flight == 0


def test_limit_that_is_not_sent_is_inferred_from_what_remained() -> None:
    window = new_window()
    exchange(window, RateLimit(remaining=2, reset=5.0), 0.0)
    exchange(window, RateLimit(remaining=0, reset=4.0), 1.0)
    assert send_all(window, 5.0) == 3


def test_window_of_unknown_length_is_extended_by_five_seconds_for_its_first_response() -> None:
    window = new_window()
    exchange(window, RateLimit(limit=2, remaining=0, reset=5.0), 0.0)
    assert send_all(window, 5.0) == 2
    assert window.delay(9.0) == 6.0
    assert window.delay(15.0) == 5.0
    receive_all(window)
    assert send_all(window, 20.0) == 2


@pytest.mark.parametrize(
    "limit",
    [
        RateLimit(limit=0, remaining=0, reset=60.0),
        RateLimit(limit=20, reset=5.0),
        RateLimit(limit=20, remaining=0),
        RateLimit(limit=20, remaining=0, reset=60.001),
    ],
    ids=["limit of zero", "no remaining", "no reset", "reset too late"],
)
def test_incomplete_or_implausible_limit_is_ignored(limit: RateLimit) -> None:
    window = new_window()
    exchange(window, limit, 0.0)
    assert window.delay(0.0) == 0


@pytest.mark.parametrize(
    ("first", "second", "now", "delay"),
    [
        (RateLimit(limit=10, remaining=0, reset=5.0), RateLimit(limit=10, remaining=9, reset=5.0), 1.0, 4.0),
        (RateLimit(limit=10, remaining=5, reset=5.0), RateLimit(limit=10, remaining=0, reset=4.0), 0.0, 4.0),
    ],
    ids=["remaining grows", "remaining shrinks"],
)
def test_lowest_remaining_number_of_a_window_counts(
    first: RateLimit, second: RateLimit, now: float, delay: float
) -> None:
    window = new_window()
    exchange(window, first, 0.0)
    exchange(window, second, now)
    assert window.delay(now) == delay


def test_first_response_of_a_window_gives_its_length_and_later_ones_its_rest() -> None:
    window = new_window()
    exchange(window, RateLimit(limit=1, remaining=0, reset=5.0), 0.0)
    exchange(window, RateLimit(limit=1, remaining=0, reset=3.0), wait_for_admission(window, 5.0))
    assert send_all(window, 8.0) == 1
    receive_all(window)
    assert window.delay(8.0) == 3.0
    window = new_window()
    exchange(window, RateLimit(limit=2, remaining=1, reset=5.0), 0.0)
    exchange(window, RateLimit(limit=2, remaining=0, reset=2.0), 3.0)
    assert send_all(window, 5.0) == 2
    receive_all(window)
    assert window.delay(5.0) == 5.0


def test_calls_that_waited_for_a_window_are_spread_over_its_first_second() -> None:
    window = new_window()
    exchange(window, RateLimit(limit=20, remaining=0, reset=5.0), 0.0)
    assert window.delay(5.0) == 0
    window.acquire(5.0, waiting=9)
    assert window.delay(5.0) == pytest.approx(0.1)
    assert window.delay(5.2) == 0
    window.acquire(5.2)
    assert window.delay(5.2) == 0


def test_request_that_was_not_sent_does_not_count() -> None:
    window = new_window()
    exchange(window, RateLimit(limit=20, remaining=1, reset=5.0), 0.0)
    window.acquire(1.0)
    assert window.delay(1.0) == 4.0
    window.refund()
    assert window.delay(1.0) == 0
    window.in_flight = 0
    window.refund()  # of an event loop that no longer runs: already forgotten
    window.acquire(1.0)
    assert window.delay(1.0) == 4.0


# --- shares -------------------------------------------------------------------------------------------------


def test_share_left_over_does_not_override_an_exhausted_window() -> None:
    window = RateLimitWindow(capacity=10, share=0.5)
    exchange(window, RateLimit(limit=100, remaining=0, reset=5.0), 0.0)
    assert window.delay(1.0) == 4.0


@pytest.mark.parametrize(
    ("share", "limit", "requests"),
    [(0.25, 100, 25), (0.29, 100, 29), (1 / 3, 100, 33), (0.01, 20, 1), (0.999, 1000, 999)],
)
def test_share_is_rounded_down_to_requests_and_at_least_one(share: float, limit: int, requests: int) -> None:
    window, sent = RateLimitWindow(capacity=1000, share=share), 0
    while window.delay(0.0) == 0:
        exchange(window, RateLimit(limit=limit, remaining=limit - 1, reset=5.0), 0.0)
        sent += 1
    assert sent == requests
    assert window.delay(0.0) == 5.0
    assert window.delay(5.0) == 0


def test_request_without_response_counts_against_the_share() -> None:
    window = RateLimitWindow(capacity=10, share=0.1)
    window.discard(0.0)
    assert window.delay(0.0) == 0
    window.complete(RateLimit(limit=20, remaining=19, reset=5.0), 0.0, 0.0)
    assert window.delay(4.0) == 0
    window.acquire(4.0)
    window.discard(4.0)
    assert window.delay(4.0) == 1.0
    assert window.delay(5.0) == 0
