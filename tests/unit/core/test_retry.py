"""Retry decisions: which outcomes are retried, after which delay, and what the budget allows."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telnyx_rooms_async.core.endpoints import RetrySafety
from telnyx_rooms_async.core.http_messages import Failure, Response
from telnyx_rooms_async.core.retry import (
    RetryBudget,
    RetryPolicy,
    asks_for_pause,
    next_delay,
    retry_after,
    retry_cost,
)
from telnyx_rooms_async.errors import FailureKind
from tests.helpers.responses import respond

IDEMPOTENT, IF_NOT_SENT = RetrySafety.IDEMPOTENT, RetrySafety.IF_NOT_SENT
DATE = "Wed, 21 Oct 2015 07:28:00 GMT"
NOW = 1445412470.0  # ten seconds before DATE


def fail(reason: FailureKind, *, sent: bool) -> Failure:
    return Failure(reason=reason, sent=sent)


def delay(
    outcome: Response | Failure,
    *,
    policy: RetryPolicy = RetryPolicy(),
    safety: RetrySafety = IDEMPOTENT,
    number: int = 1,
    time_left: float = 1e6,
    random: float = 1.0,
) -> float | None:
    """Return the delay before the next attempt, by default the longest that the jitter allows."""
    return next_delay(policy, safety, outcome, number=number, time_left=time_left, now=NOW, random=random)


# The longest delay after a first attempt, of an idempotent operation and of one that is not.
OUTCOMES: dict[str, tuple[Response | Failure, float | None, float | None]] = {
    "408": (respond(408), 0.5, None),
    "429": (respond(429), 1.0, 1.0),
    "500": (respond(500), 0.5, None),
    "500 with hint": (respond(500, retry_after="2"), 3.0, None),
    "502": (respond(502), 0.5, None),
    "503": (respond(503), 0.5, None),
    "503 with hint": (respond(503, retry_after="2"), 3.0, None),
    "503 with hint in ms": (respond(503, retry_after_ms="2000"), 3.0, None),
    "503 with reset": (respond(503, x_ratelimit_reset="2"), 0.5, None),
    "504": (respond(504), 0.5, None),
    **{
        str(status): (respond(status), None, None)
        for status in (301, 304, 400, 401, 403, 404, 409, 410, 422, 425, 499, 501, 505, 520, 599, 600)
    },
    "409 with hint": (respond(409, retry_after="1"), None, None),
    "connect": (fail(FailureKind.CONNECT, sent=False), 0.5, 0.5),
    "lost unsent": (fail(FailureKind.LOST, sent=False), 0.5, 0.5),
    "lost": (fail(FailureKind.LOST, sent=True), 0.5, None),
    "timeout unsent": (fail(FailureKind.TIMEOUT, sent=False), 0.5, 0.5),
    "timeout": (fail(FailureKind.TIMEOUT, sent=True), 0.5, None),
    "unreadable": (fail(FailureKind.UNREADABLE, sent=True), 0.5, None),
    "tls": (fail(FailureKind.TLS, sent=False), None, None),
    "malformed": (fail(FailureKind.MALFORMED, sent=True), None, None),
    "too large": (fail(FailureKind.TOO_LARGE, sent=True), None, None),
}


@pytest.mark.parametrize(("outcome", "idempotent", "if_not_sent"), OUTCOMES.values(), ids=OUTCOMES)
def test_outcomes_that_are_retried(
    outcome: Response | Failure, idempotent: float | None, if_not_sent: float | None
) -> None:
    assert delay(outcome, safety=IDEMPOTENT) == idempotent
    assert delay(outcome, safety=IF_NOT_SENT) == if_not_sent


@pytest.mark.parametrize(("attempts", "retried"), [(1, []), (2, [1]), (3, [1, 2])])
def test_last_attempt_is_not_retried(attempts: int, retried: list[int]) -> None:
    policy = RetryPolicy(max_attempts=attempts)
    assert [n for n in range(1, 6) if delay(respond(500), policy=policy, number=n) is not None] == retried


@pytest.mark.parametrize(
    ("status", "policy", "delays"),
    [
        (500, RetryPolicy(max_attempts=10), [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]),
        (429, RetryPolicy(max_attempts=10), [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]),
        (500, RetryPolicy(max_attempts=10, backoff_base=3.0, backoff_max=7.0), [3.0, 6.0, 7.0]),
        (429, RetryPolicy(max_attempts=10, backoff_base_throttled=5.0, backoff_max=7.0), [5.0, 7.0, 7.0]),
    ],
    ids=["500", "429", "500 with a policy", "429 with a policy"],
)
def test_backoff_doubles_up_to_its_maximum(status: int, policy: RetryPolicy, delays: list[float]) -> None:
    numbers = range(1, len(delays) + 1)
    assert [delay(respond(status), policy=policy, number=number) for number in numbers] == delays
    assert delay(respond(500), policy=RetryPolicy(max_attempts=10_000), number=9_999) == 8.0  # no overflow


@given(st.floats(0, 1), st.integers(1, 40), st.sampled_from([429, 500]))
def test_jitter_is_proportional_to_the_random_number(random: float, number: int, status: int) -> None:
    policy = RetryPolicy(max_attempts=50)
    longest = delay(respond(status), policy=policy, number=number)
    assert longest is not None
    assert delay(respond(status), policy=policy, number=number, random=random) == random * longest


# --- hints ------------------------------------------------------------------------------------------------

HINTS: dict[str, tuple[Response, float | None]] = {
    "none": (respond(429), None),
    "seconds": (respond(429, retry_after="2"), 2.0),
    "fraction": (respond(429, retry_after="1.5"), 1.5),
    "20 characters": (respond(429, retry_after="0" * 19 + "5"), 5.0),
    "21 characters": (respond(429, retry_after="0" * 20 + "5"), None),
    "infinite": (respond(429, retry_after="9" * 400), None),
    "date": (respond(429, retry_after=DATE), 10.0),
    "date of RFC 850": (respond(503, retry_after="Wednesday, 21-Oct-15 07:28:00 GMT"), 10.0),
    "date of asctime": (respond(503, retry_after="Wed Oct 21 07:28:00 2015"), 10.0),
    "date with zone": (respond(503, retry_after="Wed, 21 Oct 2015 09:28:00 +0200"), 10.0),
    "date, past": (respond(429, retry_after="Wed, 21 Oct 2015 07:27:49 GMT"), None),
    "milliseconds": (respond(429, retry_after_ms="1500"), 1.5),
    "reset": (respond(429, x_ratelimit_reset="4"), 4.0),
    "reset of a 503": (respond(503, x_ratelimit_reset="4"), None),
    "all three": (respond(429, x_ratelimit_reset="4", retry_after="2", retry_after_ms="1000"), 1.0),
    "milliseconds unreadable": (respond(429, retry_after_ms="soon", retry_after="2"), 2.0),
    "seconds unreadable": (respond(429, retry_after="soon", x_ratelimit_reset="4"), 4.0),
    "date past before reset": (
        respond(429, retry_after="Wed, 21 Oct 2015 07:27:49 GMT", x_ratelimit_reset="4"),
        4.0,
    ),
    "superscript": (Response(status=503, raw_headers=((b"retry-after", b"1\xb9"),)), None),
}


@pytest.mark.parametrize(("response", "seconds"), HINTS.values(), ids=HINTS)
def test_first_readable_hint_counts(response: Response, seconds: float | None) -> None:
    assert retry_after(response, NOW) == seconds


UNREADABLE = [
    *("", " ", "soon", "-1", "-0.5", "+5", "1e3", "0x10", "1_000", "1,5", "1.2.3", ".", "nan", "Infinity"),
    *("٣", "²", "5 seconds", "5s", "null", "2015-10-21T07:28:00Z"),
    *("Wed, 32 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 99999 07:28:00 GMT", "Wed, 21 Oct 2015 25:28:00 GMT"),
]


@pytest.mark.parametrize("name", ["retry_after_ms", "retry_after", "x_ratelimit_reset"])
@pytest.mark.parametrize("value", UNREADABLE, ids=ascii)
def test_unreadable_hint_is_ignored(name: str, value: str) -> None:
    assert retry_after(respond(429, **{name: value}), NOW) is None
    assert delay(respond(429, **{name: value})) == 1.0


@given(st.floats(0, 1), st.integers(0, 60), st.integers(1, 2), st.sampled_from([429, 503]))
def test_delay_is_never_shorter_than_the_hint(random: float, hint: int, number: int, status: int) -> None:
    result = delay(respond(status, retry_after=str(hint)), number=number, random=random)
    assert result is not None
    assert hint <= result <= max(hint + 1, 2 ** (number - 1))


@pytest.mark.parametrize(
    ("headers", "is_retried"),
    [
        ({"retry_after": "60"}, True),
        ({"retry_after": "60.001"}, False),
        ({"retry_after_ms": "60000"}, True),
        ({"retry_after_ms": "60001"}, False),
        ({"x_ratelimit_reset": "61"}, False),
        ({"retry_after": "Wed, 21 Oct 2015 07:28:50 GMT"}, True),
        ({"retry_after": "Wed, 21 Oct 2015 07:28:51 GMT"}, False),
    ],
)
def test_hint_beyond_its_maximum_ends_the_call(headers: dict[str, str], *, is_retried: bool) -> None:
    assert (delay(respond(429, **headers)) is not None) is is_retried
    policy = RetryPolicy(retry_after_max=100.0, retry_after_jitter=3.0)
    assert (delay(respond(429, **headers), policy=policy) or 0) >= 63.0


@pytest.fixture
def _five_hours_west(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "EST5")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_five_hours_west")
@pytest.mark.parametrize("zone", ["GMT", "-0000", "+0000"])
def test_date_does_not_depend_on_the_local_time_zone(zone: str) -> None:
    assert retry_after(respond(503, retry_after=DATE.replace("GMT", zone)), NOW) == 10.0


@pytest.mark.parametrize(
    ("response", "pauses"),
    [
        (respond(429), True),
        (respond(503), False),
        (respond(503, retry_after="7"), True),
        (respond(503, retry_after=DATE), True),
        (respond(503, retry_after="soon"), False),
        (respond(503, retry_after_ms="2000"), False),
        (respond(500, retry_after="7"), False),
        (respond(200), False),
    ],
    ids=["429", "503", "503 seconds", "503 date", "503 unreadable", "503 ms", "500 seconds", "200"],
)
def test_429_and_503_with_retry_after_pause_all_calls(response: Response, *, pauses: bool) -> None:
    assert asks_for_pause(response) is pauses


# --- the deadline -----------------------------------------------------------------------------------------


@given(
    st.floats(0, 1),
    st.floats(-1, 70),
    st.sampled_from([respond(500), respond(429, retry_after="5"), respond(503, retry_after=DATE)]),
)
def test_delay_is_always_shorter_than_the_time_left(
    random: float, time_left: float, outcome: Response
) -> None:
    result = delay(outcome, random=random, time_left=time_left)
    assert result is None or 0 <= result < time_left


# --- the budget -------------------------------------------------------------------------------------------


@settings(deadline=None, derandomize=True)
@given(
    st.sampled_from([500.0, 0.0, 1.0]) | st.floats(0, 1e6),
    st.lists(
        st.tuples(st.booleans(), st.floats(0, 1000), st.floats(-1e6, 1e6) | st.floats(-1e300, 1e300)),
        max_size=20,
    ),
)
def test_budget_stays_between_zero_and_its_capacity(
    capacity: float, steps: list[tuple[bool, float, float]]
) -> None:
    budget = RetryBudget(capacity)
    for is_gift, amount, now in steps:
        before = budget.level
        if is_gift:
            budget.give(amount)
            assert budget.level == min(capacity, before + amount)
        elif budget.take(amount, now):
            assert budget.level >= before - amount - 1e-9 * capacity
        else:
            assert before <= budget.level < amount
        assert 0 <= budget.level <= capacity


def test_budget_of_an_outage_allows_35_retries_then_one_in_14_seconds() -> None:
    budget = RetryBudget(RetryPolicy().budget)
    assert [budget.take(14.0, 0.0) for _ in range(40)].count(True) == 35
    assert [budget.take(14.0, float(second)) for second in range(1, 142)].count(True) == 10


def test_clock_that_goes_back_does_not_fill_the_budget_twice() -> None:
    budget = RetryBudget(500.0)
    budget.take(400.0, 1000.0)
    for now in (1010.0, 1000.0, 1010.0):
        budget.take(0.0, now)
        assert budget.level == 110


def test_costs_of_retries_are_those_of_the_policy() -> None:
    policy = RetryPolicy(retry_cost=3.0, retry_cost_throttled=2.0)
    assert (retry_cost(policy, respond(503)), retry_cost(policy, respond(429))) == (3, 2)
