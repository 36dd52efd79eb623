"""How fast we may go: what is read from the headers, and the gate's arithmetic on simulated time."""

import math
from heapq import heappop, heappush
from itertools import count

import pytest
from attrs import define, field, frozen
from hypothesis import example, given, settings
from hypothesis import strategies as st

from telnyx_rooms_async.core.http_messages import RateLimit, Response
from telnyx_rooms_async.core.rate_limit import RateLimitWindow, SharedRateLimitWindow, rate_limit

LONGEST = 61.0
"""Seconds for which nothing that a server says may stop everybody."""


# --- the headers --------------------------------------------------------------------------------------------


def told(**headers: str) -> RateLimit | None:
    """Read headers ``x-ratelimit-…``."""
    raw = tuple((f"X-RateLimit-{name}".encode(), value.encode("latin-1")) for name, value in headers.items())
    return rate_limit(Response(status=200, raw_headers=((b"Date", b"today"), *raw)))


READ: dict[str, tuple[dict[str, str], RateLimit | None]] = {
    "none": ({}, None),
    "all": ({"limit": "20", "remaining": "7", "reset": "4"}, RateLimit(limit=20, remaining=7, reset=4.0)),
    "only one": ({"remaining": "0"}, RateLimit(remaining=0)),
    "a fraction": ({"reset": "0.25"}, RateLimit(reset=0.25)),
    "a policy": ({"limit": "20, 20;w=5", "reset": "3"}, RateLimit(limit=20, reset=3.0)),
    "text beside a number": ({"limit": "many", "remaining": "3"}, RateLimit(remaining=3)),
    "text": ({"limit": "many", "remaining": "few", "reset": "soon"}, None),
    "negative": ({"limit": "-1", "remaining": "-1", "reset": "-1"}, None),
    "zero": ({"limit": "0", "remaining": "0", "reset": "0"}, RateLimit(limit=0, remaining=0, reset=0.0)),
    "huge": ({"limit": "9" * 40, "reset": "9" * 40}, None),
    "an instant": ({"reset": "1795184000"}, None),
    "nothing in them": ({"limit": "", "remaining": " ", "reset": ""}, None),
    "digits of another script": ({"remaining": "\xb2"}, None),
    "another one of the kind": ({"policy": "20"}, None),
}


@pytest.mark.parametrize(("headers", "read"), READ.values(), ids=READ)
def test_what_is_read(headers: dict[str, str], read: RateLimit | None) -> None:
    """Each header counts for itself, and one that cannot be read is as good as none."""
    assert told(**headers) == read


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"X-RateLimit-Limit", b"x-ratelimit-remaining", b"X-RATELIMIT-RESET"]),
            st.binary(max_size=30) | st.from_regex(r"[ 0-9.,;-]{1,30}").map(str.encode),
        ),
        max_size=5,
    )
)
def test_no_header_breaks_it(headers: list[tuple[bytes, bytes]]) -> None:
    """Whatever the headers hold, what is read of them is not negative, and finite."""
    read = rate_limit(Response(status=200, raw_headers=tuple(headers)))
    for number in () if read is None else (read.limit, read.remaining, read.reset):
        assert number is None or 0 <= number < 10**9


# --- a server with windows ----------------------------------------------------------------------------------


@frozen(kw_only=True)
class Traffic:
    """What happens: how a server counts, when calls come, and how long each is on its way there and back."""

    limit: int
    period: float
    ends: float
    """When the window ends that goes on at the beginning."""
    waits: bool = False
    """Whether a new window waits for its first request."""
    capacity: int = 100
    calls: list[float]
    there: list[float]
    back: list[float]


@define
class Road:
    """Plays traffic through a gate to a server that counts exactly: no loop, no task."""

    traffic: Traffic
    pace: RateLimitWindow
    ends: float
    counts: list[int] = field(factory=lambda: [0])
    """Requests in each window."""
    at: dict[int, float] = field(factory=dict[int, float])
    """When each call was let through, in that order."""
    _events: list[tuple[float, int, str, int]] = field(factory=list[tuple[float, int, str, int]])
    _answers: dict[int, RateLimit] = field(factory=dict[int, RateLimit])
    _numbers: "count[int]" = field(factory=count)

    def play(self) -> None:
        """Play to the end."""
        waiting: list[int] = []
        for call, at in enumerate(sorted(self.traffic.calls)):
            self._plan(at, "call", call)
        while self._events:
            now, _, what, call = heappop(self._events)
            if what == "call":
                waiting.append(call)
            elif what == "arrive":
                self._answers[call] = self._count(now)
                self._plan(now + self.traffic.back[call % len(self.traffic.back)], "return", call)
            elif what == "return":
                self.pace.release()
                self.pace.update(self._answers[call], self.at[call], now)
            self._let_through(waiting, now)
        assert not waiting

    def _let_through(self, waiting: list[int], now: float) -> None:
        while waiting and self.pace.delay(now) == 0:
            call = waiting.pop(0)
            self.pace.acquire(now, waiting=len(waiting))
            self.at[call] = now
            self._plan(now + self.traffic.there[call % len(self.traffic.there)], "arrive", call)
        delay = self.pace.delay(now)
        if waiting and delay is not None:
            self._plan(now + delay, "look", -1)

    def _count(self, now: float) -> RateLimit:
        traffic = self.traffic
        while now >= self.ends:
            self.ends = now + traffic.period if traffic.waits else self.ends + traffic.period
            self.counts.append(0)
        self.counts[-1] += 1
        left = max(0, traffic.limit - self.counts[-1])
        return RateLimit(limit=traffic.limit, remaining=left, reset=self.ends - now)

    def _plan(self, at: float, what: str, call: int) -> None:
        heappush(self._events, (at, next(self._numbers), what, call))


def played(traffic: Traffic) -> Road:
    """Play traffic to its end."""
    road = Road(traffic, RateLimitWindow(capacity=traffic.capacity), traffic.ends)
    road.play()
    return road


def shares(most: float) -> st.SearchStrategy[list[float]]:
    """Make some shares of a window."""
    return st.lists(st.floats(0.001, most), min_size=1, max_size=8)


@st.composite
def traffics(draw: st.DrawFn) -> Traffic:
    """Make a limit above the first few, and calls whose way is shorter than half a window."""
    period = draw(st.sampled_from([1.0, 5.0, 30.0]))
    calls, there, back = ([share * period for share in draw(shares(most))] for most in (2.0, 0.24, 0.24))
    return Traffic(
        limit=draw(st.integers(5, 12)),
        period=period,
        ends=draw(st.floats(0.001, 1)) * period,
        waits=draw(st.booleans()),
        capacity=draw(st.integers(1, 100)),
        calls=calls * draw(st.integers(1, 8)),
        there=there,
        back=back,
    )


LATE_FIRST_WORD = Traffic(limit=20, period=5.0, ends=0.3, calls=[0.0] * 100, there=[0.05], back=[0.05])
"""The first answers come when a window is almost over: what is known of its length is far too short."""
ACROSS_THE_END = Traffic(
    limit=10,
    period=5.0,
    ends=4.0,
    calls=[0.0, *(3.9 + n / 1000 for n in range(8)), *([5.0] * 20)],
    there=[0.2],
    back=[0.9, 0.1],
)
"""Some are sent in one window and counted in the next, and are back before we know of that."""
FRACTION_BEFORE_WHOLE_SECOND = Traffic(
    limit=5,
    period=1.0,
    ends=0.375,
    capacity=3,
    calls=[1.0, 0.25] * 4,
    there=[0.125, 0.0625],
    back=[0.125],
)
"""The first response of the second window says 1.0 s, which is not rounded: the one before said 0.0625 s."""
SIXTY = Traffic(
    limit=20, period=5.0, ends=5.0, waits=True, calls=[0.0] * 60, there=[0.02, 0.03], back=[0.05, 0.02, 0.01]
)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(traffics())
@example(LATE_FIRST_WORD)
@example(ACROSS_THE_END)
@example(FRACTION_BEFORE_WHOLE_SECOND)
@example(SIXTY)
def test_no_window_is_overrun(traffic: Traffic) -> None:
    """No window of an exact server gets more than its limit, whatever the latencies and their order."""
    road = played(traffic)
    assert max(road.counts) <= traffic.limit
    assert sum(road.counts) == len(traffic.calls)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(traffics())
@example(SIXTY)
def test_all_get_through_in_good_time(traffic: Traffic) -> None:
    """A queue is served in its order, in at most twice as many windows as the limit needs, and three."""
    road = played(traffic)
    assert list(road.at) == sorted(road.at)
    waves = 2 * math.ceil(len(traffic.calls) / min(traffic.limit, traffic.capacity)) + 3
    assert max(road.at.values()) <= max(traffic.calls) + waves * traffic.period


# --- whatever is told ---------------------------------------------------------------------------------------

LIMITS = st.builds(
    RateLimit,
    limit=st.none() | st.integers(0, 3) | st.integers(0, 10**9 - 1),
    remaining=st.none() | st.integers(0, 3) | st.integers(0, 10**9 - 1),
    reset=st.none() | st.sampled_from([0.0, 1.0, 60.0, 60.001]) | st.floats(0, 10**9 - 1),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.floats(0, 30)),
        st.tuples(st.just("enter"), st.integers(0, 50)),
        st.tuples(st.just("return"), st.none() | LIMITS),
        st.tuples(st.just("stop"), st.floats(0, 100)),
        st.tuples(st.just("forget"), st.none()),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=400, derandomize=True)
@given(st.integers(1, 8), st.none() | st.floats(0.001, 0.999), STEPS)
def test_time_alone_opens_the_gate(
    capacity: int, share: float | None, steps: list[tuple[str, object]]
) -> None:
    """Whatever happened and was told, when nobody is on the way the gate opens within a minute."""
    pace, now = RateLimitWindow(capacity=capacity), 1000.0
    if share is not None:
        pace = SharedRateLimitWindow(capacity=capacity, share=share)
    for what, value in steps:
        match what, value:
            case "pass", float(seconds):
                now += seconds
            case "enter", int(waiting) if pace.delay(now) == 0:
                pace.acquire(now, waiting=waiting)
            case "return", (None | RateLimit()) as limit if pace.in_flight:
                pace.release()
                pace.update(limit, now - 1, now)
            case "stop", float(seconds):
                assert pace.pause(seconds, now) is (seconds <= LONGEST)
            case "forget", _:
                pace.reset()
            case _:
                pass
        delay = pace.delay(now)
        assert pace.in_flight <= capacity
        assert delay is not None or pace.in_flight
        assert delay is None or 0 <= delay <= LONGEST
    while pace.in_flight:
        pace.release()
    until = now + LONGEST
    while delay := pace.delay(now):
        now += delay
    assert delay == 0
    assert now <= until + 1e-6


ODD: dict[str, RateLimit] = {
    "a limit of zero": RateLimit(limit=0, remaining=0, reset=0.0),
    "nothing left, and no time to wait": RateLimit(limit=20, remaining=0, reset=0.0),
    "nothing left for a minute": RateLimit(limit=1, remaining=0, reset=60.0),
    "nothing left until an instant": RateLimit(limit=20, remaining=0, reset=999_999_999.0),
    "nothing left, nobody knows how long": RateLimit(limit=20, remaining=0),
    "more left than there can be": RateLimit(limit=1, remaining=999_999_999, reset=5.0),
}


@pytest.mark.parametrize("limit", ODD.values(), ids=ODD)
def test_odd_words_let_one_through_a_minute_at_least(limit: RateLimit) -> None:
    """A server that says the same odd thing with every answer never stops the traffic for long."""
    pace, now = RateLimitWindow(capacity=100), 0.0
    for _ in range(50):
        before = now
        while delay := pace.delay(now):
            now += delay
        assert delay == 0
        assert now - before <= LONGEST
        pace.acquire(now, waiting=10)
        pace.release()
        pace.update(limit, now, now)


def test_only_a_few_run_into_an_unknown_limit() -> None:
    """Before the first answers only five are on their way; after twenty-five without a word, all may be."""
    pace = RateLimitWindow(capacity=100)
    for _ in range(5):
        assert pace.delay(0.0) == 0
        pace.acquire(0.0)
    assert pace.delay(0.0) is None
    for _ in range(25):
        pace.release()
        pace.update(None, 0.0, 0.0)
        pace.acquire(0.0)
    assert pace.delay(0.0) == 0


def test_those_held_up_together_resume_spread_out() -> None:
    """After a pause those who waited go within a second, at even distances, and not at once."""
    pace = RateLimitWindow(capacity=100)
    for _ in range(25):
        pace.update(None, 0.0, 0.0)
    assert pace.pause(7.0, 0.0)
    now, at = 0.0, list[float]()
    for left in range(9, -1, -1):
        while delay := pace.delay(now):
            now += delay
        pace.acquire(now, waiting=left)
        at.append(now)
    assert at == pytest.approx([7 + n / 10 for n in range(10)])


def test_a_pause_is_not_shortened_by_another() -> None:
    """Of two pauses the one that ends later counts."""
    pace = RateLimitWindow(capacity=1)
    pace.pause(10.0, 0.0)
    pace.pause(1.0, 2.0)
    assert pace.delay(2.0) == 8.0


def test_the_longest_pause_is_for_all() -> None:
    """A pause of a minute, and the second over which they resume, is for all; a longer one is not."""
    pace = RateLimitWindow(capacity=10)
    assert not pace.pause(61.001, 0.0)
    assert pace.delay(0.0) == 0
    assert pace.pause(61.0, 0.0)
    assert pace.delay(0.0) == 61.0


def test_a_loop_that_is_gone_holds_no_place() -> None:
    """When all who were on their way are forgotten, as many may go as at the beginning."""
    pace = RateLimitWindow(capacity=2)
    pace.acquire(0.0)
    pace.acquire(0.0)
    assert pace.delay(0.0) is None
    pace.reset()
    pace.acquire(0.0)
    assert pace.delay(0.0) == 0


# --- window after window ------------------------------------------------------------------------------------


def hear(pace: RateLimitWindow, limit: RateLimit, sent_at: float, now: float | None = None) -> None:
    """Let one go, and let its answer tell something."""
    pace.acquire(sent_at)
    pace.release()
    pace.update(limit, sent_at, sent_at if now is None else now)


def passing(pace: RateLimitWindow, now: float) -> int:
    """Let through at a moment whoever may go, and return how many did."""
    passed = 0
    while pace.delay(now) == 0:
        pace.acquire(now)
        passed += 1
    return passed


def back(pace: RateLimitWindow) -> None:
    """Let all come back without a word of a limit."""
    while pace.in_flight:
        pace.release()


def test_the_next_window_begins_on_time() -> None:
    """As many go in it as the limit says; the newest word of the server can be read."""
    pace, word = RateLimitWindow(capacity=100), RateLimit(limit=30, remaining=0, reset=5.0)
    hear(pace, word, 0.0)
    assert pace.last_seen == word
    assert pace.delay(1.0) == 4.0
    assert passing(pace, 5.0) == 30


def test_a_limit_that_is_not_told_is_what_was_seen_of_it() -> None:
    """Of a limit without a number the most that remained counts, and the request that was told so."""
    pace = RateLimitWindow(capacity=100)
    hear(pace, RateLimit(remaining=2, reset=5.0), 0.0)
    hear(pace, RateLimit(remaining=0, reset=4.0), 1.0)
    assert passing(pace, 5.0) == 3


def test_the_first_answer_of_a_window_is_waited_for() -> None:
    """How long a window lasts is not known before an answer out of it: five seconds are spent on that."""
    pace = RateLimitWindow(capacity=100)
    hear(pace, RateLimit(limit=2, remaining=0, reset=5.0), 0.0)
    assert passing(pace, 5.0) == 2
    assert pace.delay(9.0) == 6.0
    assert pace.delay(15.0) == 5.0
    back(pace)
    assert passing(pace, 20.0) == 2


def test_only_the_first_answer_is_waited_for() -> None:
    """When the end of a window is known, or nobody is on the way who could tell it, nothing is spent."""
    pace = RateLimitWindow(capacity=100)
    pace.acquire(0.0)
    hear(pace, RateLimit(limit=2, remaining=0, reset=5.0), 0.0)
    assert pace.delay(1.0) == 4.0
    back(pace)
    assert passing(pace, 5.0) == 2
    back(pace)
    assert pace.delay(9.0) == 1.0


def test_one_in_a_minute() -> None:
    """The smallest limit and the longest window are kept to."""
    pace = RateLimitWindow(capacity=100)
    hear(pace, RateLimit(limit=1, remaining=0, reset=60.0), 0.0)
    assert pace.delay(0.0) == 60.0
    assert passing(pace, 60.0) == 1
    back(pace)
    assert pace.delay(60.0) == 60.0


@pytest.mark.parametrize(
    "word",
    [
        RateLimit(limit=0, remaining=0, reset=60.0),
        RateLimit(limit=20, reset=5.0),
        RateLimit(limit=20, remaining=0),
        RateLimit(limit=20, remaining=0, reset=60.001),
    ],
    ids=["none at all", "how many", "how long", "too long"],
)
def test_half_a_word_holds_nobody(word: RateLimit) -> None:
    """A limit of zero is not believed, and one of which a part is missing is not guessed at."""
    pace = RateLimitWindow(capacity=100)
    hear(pace, word, 0.0)
    assert pace.delay(0.0) == 0


def test_as_many_as_remain_may_go_at_once() -> None:
    """From the first word of a limit on, it counts, and not the five of the beginning."""
    pace = RateLimitWindow(capacity=100)
    hear(pace, RateLimit(limit=100, remaining=99, reset=5.0), 0.0)
    assert passing(pace, 0.0) == 99


def test_what_may_be_the_same_window_is_taken_for_it() -> None:
    """While an answer may speak of the window that goes on, the least that it was told to hold counts."""
    pace = RateLimitWindow(capacity=100)
    hear(pace, RateLimit(limit=10, remaining=0, reset=5.0), 0.0)
    hear(pace, RateLimit(limit=10, remaining=9, reset=5.0), 1.0)
    assert pace.delay(1.0) == 4.0
    pace = RateLimitWindow(capacity=100)
    hear(pace, RateLimit(limit=10, remaining=5, reset=5.0), 0.0)
    hear(pace, RateLimit(limit=10, remaining=0, reset=4.0), 0.0)
    assert pace.delay(0.0) == 4.0


def test_a_shorter_window_is_noticed() -> None:
    """The first answer out of a window tells how long it is; later ones tell what is left of it."""
    pace = RateLimitWindow(capacity=100)
    hear(pace, RateLimit(limit=1, remaining=0, reset=5.0), 0.0)
    assert pace.delay(5.0) == 0
    hear(pace, RateLimit(limit=1, remaining=0, reset=3.0), 5.0)
    assert passing(pace, 8.0) == 1
    back(pace)
    assert pace.delay(8.0) == 3.0
    pace = RateLimitWindow(capacity=100)
    hear(pace, RateLimit(limit=2, remaining=1, reset=5.0), 0.0)
    hear(pace, RateLimit(limit=2, remaining=0, reset=2.0), 3.0)
    assert passing(pace, 5.0) == 2
    back(pace)
    assert pace.delay(5.0) == 5.0


def test_those_who_waited_for_a_window_go_at_a_distance() -> None:
    """Ten who were held up by a window share out its first second, and one alone holds nobody up."""
    pace = RateLimitWindow(capacity=100)
    hear(pace, RateLimit(limit=20, remaining=0, reset=5.0), 0.0)
    assert pace.delay(5.0) == 0
    pace.acquire(5.0, waiting=9)
    assert pace.delay(5.0) == pytest.approx(0.1)
    assert pace.delay(5.2) == 0
    pace.acquire(5.2)
    assert pace.delay(5.2) == 0


def test_those_who_wait_for_a_connection_lose_no_time_when_a_window_ends() -> None:
    """While a window had places to spare nobody was held up by it, so nobody has to keep a distance."""
    pace = RateLimitWindow(capacity=100)
    hear(pace, RateLimit(limit=1000, remaining=999, reset=1.0), 0.0)
    assert pace.delay(1.5) == 0
    pace.acquire(1.5, waiting=500)
    assert pace.delay(1.5) == 0


def test_what_was_never_sent_leaves_its_place_to_another() -> None:
    """One that could not be sent counts in no window; one whose event loop is gone was taken back before."""
    pace = RateLimitWindow(capacity=100)
    hear(pace, RateLimit(limit=20, remaining=1, reset=5.0), 0.0)
    pace.acquire(1.0)
    assert pace.delay(1.0) == 4.0
    pace.refund()
    assert pace.delay(1.0) == 0
    pace.reset()
    pace.refund()
    pace.acquire(1.0)
    assert pace.delay(1.0) == 4.0
