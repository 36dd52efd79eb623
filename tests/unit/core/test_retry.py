"""When to try again: every outcome, the dice, the server's hints, and the clock."""

import random
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telnyx_rooms_async.core.http_messages import Failure, Reason, Response, RetrySafety
from telnyx_rooms_async.core.retry import (
    RetryBudget,
    RetryPolicy,
    asks_for_pause,
    next_delay,
    retry_after,
    retry_cost,
    was_not_processed,
)

IDEMPOTENT, IF_NOT_SENT = RetrySafety.IDEMPOTENT, RetrySafety.IF_NOT_SENT
POLICY = RetryPolicy()
# Wed, 21 Oct 2015 07:28:00 GMT, ten seconds before that
NOW = 1445412470.0
DATE = "Wed, 21 Oct 2015 07:28:00 GMT"


def written(value: str | bytes) -> str:
    """Name a case by its value, without a backslash: so pytest finds it by its name."""
    return ascii(value[:40]).replace("\\", "/")


def answer(status: int, **headers: str) -> Response:
    """Return an answer with headers, underscores for hyphens."""
    raw = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    return Response(status=status, raw_headers=raw)


def failure(reason: Reason, *, sent: bool) -> Failure:
    """Return a failure."""
    return Failure(reason=reason, sent=sent)


def delay(
    outcome: Response | Failure,
    *,
    policy: RetryPolicy = POLICY,
    repeat: RetrySafety = IDEMPOTENT,
    number: int = 1,
    time_left: float = 1e6,
    dice: float = 1.0,
) -> float | None:
    """Ask for the delay after an outcome, with dice that always fall highest."""
    return next_delay(policy, repeat, outcome, number=number, time_left=time_left, now=NOW, dice=dice)


def test_the_defaults() -> None:
    """The knobs stand where the README says."""
    assert RetryPolicy() == RetryPolicy(
        attempts=3,
        backoff_base=0.5,
        backoff_base_throttled=1.0,
        backoff_max=8.0,
        retry_after_max=60.0,
        retry_after_jitter=1.0,
    )


# Each outcome, the longest delay after a first attempt at what may be repeated, and at what may not.
OUTCOMES = [
    pytest.param(answer(408), 0.5, None, id="408"),
    pytest.param(answer(429), 1.0, 1.0, id="429"),
    pytest.param(answer(500), 0.5, None, id="500"),
    pytest.param(answer(502), 0.5, None, id="502"),
    pytest.param(answer(503), 0.5, None, id="503"),
    pytest.param(answer(503, retry_after="2"), 3.0, None, id="503-with-a-hint"),
    pytest.param(answer(503, retry_after_ms="2000"), 3.0, None, id="503-with-another-hint"),
    pytest.param(answer(503, x_ratelimit_reset="2"), 0.5, None, id="503-with-a-rate-limit"),
    pytest.param(answer(504), 0.5, None, id="504"),
    pytest.param(answer(500, retry_after="2"), 3.0, None, id="500-with-a-hint"),
    *(
        pytest.param(answer(status), None, None, id=str(status))
        for status in (300, 301, 302, 304, 307, 308, 400, 401, 402, 403, 404, 405, 409, 410, 418, 422, 425)
    ),
    *(
        pytest.param(answer(status), None, None, id=str(status))
        for status in (499, 501, 505, 507, 511, 520, 522, 599, 600)
    ),
    pytest.param(answer(400, x_should_retry="true"), None, None, id="x-should-retry"),
    pytest.param(answer(409, retry_after="1"), None, None, id="409-with-a-hint"),
    pytest.param(failure(Reason.CONNECT, sent=False), 0.5, 0.5, id="connect"),
    pytest.param(failure(Reason.LOST, sent=False), 0.5, 0.5, id="lost-unsent"),
    pytest.param(failure(Reason.LOST, sent=True), 0.5, None, id="lost"),
    pytest.param(failure(Reason.TIMEOUT, sent=False), 0.5, 0.5, id="timeout-unsent"),
    pytest.param(failure(Reason.TIMEOUT, sent=True), 0.5, None, id="timeout"),
    pytest.param(failure(Reason.UNREADABLE, sent=True), 0.5, None, id="unreadable"),
    pytest.param(failure(Reason.TLS, sent=False), None, None, id="tls"),
    pytest.param(failure(Reason.MALFORMED, sent=True), None, None, id="malformed"),
    pytest.param(failure(Reason.TOO_LARGE, sent=True), None, None, id="too-large"),
]


@pytest.mark.parametrize(("outcome", "repeatable", "other"), OUTCOMES)
def test_what_is_repeated(outcome: Response | Failure, repeatable: float | None, other: float | None) -> None:
    """A passing fault is repeated; what may have made something is repeated only if it certainly did not."""
    assert delay(outcome, repeat=IDEMPOTENT) == repeatable
    assert delay(outcome, repeat=IF_NOT_SENT) == other


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        pytest.param(answer(429), True, id="429"),
        pytest.param(answer(503), False, id="503"),
        pytest.param(answer(503, retry_after="2"), False, id="503-with-a-hint"),
        pytest.param(answer(503, retry_after_ms="2000"), False, id="503-with-another-hint"),
        pytest.param(answer(500, retry_after="2"), False, id="500-with-a-hint"),
        pytest.param(answer(200), False, id="200"),
        pytest.param(answer(404), False, id="404"),
        pytest.param(failure(Reason.LOST, sent=False), True, id="unsent"),
        pytest.param(failure(Reason.LOST, sent=True), False, id="sent"),
    ],
)
def test_untouched(outcome: Response | Failure, verdict: bool) -> None:  # noqa: FBT001 - a column of the table
    """Only an unsent request and a 429 were certainly not acted on."""
    assert was_not_processed(outcome) is verdict


# --- how often --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempts", "number", "repeated"),
    [
        (1, 1, False),
        (2, 1, True),
        (2, 2, False),
        (3, 1, True),
        (3, 2, True),
        (3, 3, False),
        (3, 4, False),
    ],
)
def test_the_attempts_are_limited(attempts: int, number: int, repeated: bool) -> None:  # noqa: FBT001 - a column
    """The last attempt is not followed by another."""
    assert (delay(answer(500), policy=RetryPolicy(attempts=attempts), number=number) is not None) is repeated


@pytest.mark.parametrize(
    ("status", "longest"),
    [(500, [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]), (429, [1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0])],
)
def test_the_backoff_doubles_up_to_its_limit(status: int, longest: list[float]) -> None:
    """The longest pause doubles with each attempt, and stays at eight seconds."""
    policy = RetryPolicy(attempts=10)
    found = [delay(answer(status), policy=policy, number=number) for number in range(1, 8)]
    assert found == longest


def test_the_knobs_turn() -> None:
    """The backoff follows the knobs."""
    policy = RetryPolicy(attempts=9, backoff_base=3.0, backoff_base_throttled=5.0, backoff_max=7.0)
    assert [delay(answer(500), policy=policy, number=number) for number in (1, 2, 3)] == [3.0, 6.0, 7.0]
    assert [delay(answer(429), policy=policy, number=number) for number in (1, 2, 3)] == [5.0, 7.0, 7.0]


def test_a_patient_policy_does_not_overflow() -> None:
    """A policy of very many attempts waits the longest pause, however many there were."""
    assert delay(answer(500), policy=RetryPolicy(attempts=10_000), number=9_999) == 8.0


# --- the dice ---------------------------------------------------------------------------------------------

DICE = st.floats(0, 1)


@given(DICE, st.integers(1, 40), st.sampled_from([429, 500]))
def test_the_jitter_is_full(dice: float, number: int, status: int) -> None:
    """A pause without a hint is the dice's share of the longest: from nothing to all of it."""
    longest = delay(answer(status), policy=RetryPolicy(attempts=50), number=number)
    found = delay(answer(status), policy=RetryPolicy(attempts=50), number=number, dice=dice)
    assert longest is not None
    assert found == dice * longest
    assert 0 <= found <= longest <= 8


def test_the_pauses_are_spread_evenly() -> None:
    """Of ten thousand pauses each tenth of the span gets its tenth, within a tenth."""
    dice = random.Random(20210425)
    pauses = sorted(delay(answer(500), number=2, dice=dice.random()) or 0.0 for _ in range(10_000))
    assert 0 <= pauses[0] < 0.001
    assert 0.999 < pauses[-1] < 1
    assert sum(pauses) / len(pauses) == pytest.approx(0.5, abs=0.01)
    tenths = [sum(low / 10 <= pause < high / 10 for pause in pauses) for low, high in pairwise(range(11))]
    assert sum(tenths) == 10_000
    assert all(900 <= tenth <= 1100 for tenth in tenths)


# --- hints ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "seconds"),
    [
        pytest.param(answer(429), None, id="none"),
        pytest.param(answer(429, retry_after="2"), 2.0, id="seconds"),
        pytest.param(answer(503, retry_after="2"), 2.0, id="seconds-on-503"),
        pytest.param(answer(404, retry_after="2"), 2.0, id="seconds-on-404"),
        pytest.param(answer(429, retry_after="0"), 0.0, id="zero"),
        pytest.param(answer(429, retry_after="1.5"), 1.5, id="fraction"),
        pytest.param(answer(429, retry_after="007"), 7.0, id="leading-zeros"),
        pytest.param(answer(429, Retry_After="2"), 2.0, id="capitals"),
        pytest.param(answer(429, retry_after="3600"), 3600.0, id="an-hour"),
        pytest.param(answer(429, retry_after=DATE), 10.0, id="date"),
        pytest.param(answer(503, retry_after="Wednesday, 21-Oct-15 07:28:00 GMT"), 10.0, id="date-rfc-850"),
        pytest.param(answer(503, retry_after="Wed Oct 21 07:28:00 2015"), 10.0, id="date-asctime"),
        pytest.param(answer(503, retry_after="Wed, 21 Oct 2015 09:28:00 +0200"), 10.0, id="date-with-a-zone"),
        pytest.param(answer(429, retry_after="Wed, 21 Oct 2015 07:27:50 GMT"), 0.0, id="date-now"),
        pytest.param(answer(429, retry_after="Wed, 21 Oct 2015 07:27:49 GMT"), None, id="date-past"),
        pytest.param(answer(429, retry_after_ms="1500"), 1.5, id="milliseconds"),
        pytest.param(answer(429, retry_after_ms="0.5"), 0.0005, id="milliseconds-fraction"),
        pytest.param(answer(429, x_ratelimit_reset="4"), 4.0, id="reset"),
        pytest.param(answer(503, x_ratelimit_reset="4"), None, id="reset-on-503"),
        pytest.param(answer(200, x_ratelimit_reset="4"), None, id="reset-on-200"),
        pytest.param(
            answer(429, x_ratelimit_reset="4", retry_after="2", retry_after_ms="1000"), 1.0, id="all-three"
        ),
        pytest.param(answer(429, x_ratelimit_reset="4", retry_after="2"), 2.0, id="seconds-before-reset"),
        pytest.param(
            answer(429, retry_after_ms="soon", retry_after="2"), 2.0, id="seconds-after-odd-milliseconds"
        ),
        pytest.param(answer(429, retry_after="soon", x_ratelimit_reset="4"), 4.0, id="reset-after-nonsense"),
        pytest.param(
            answer(429, retry_after="Wed, 21 Oct 2015 07:27:49 GMT", x_ratelimit_reset="4"),
            4.0,
            id="reset-after-a-past-date",
        ),
    ],
)
def test_hints(response: Response, seconds: float | None) -> None:
    """The first hint that can be read counts: milliseconds, seconds or a date, then the reset of a 429."""
    assert retry_after(response, NOW) == seconds


NONSENSE = [
    "",
    " ",
    "soon",
    "-1",
    "-0.5",
    "+5",
    "1e3",
    "0x10",
    "1_000",
    "1,5",
    "1.2.3",
    ".",
    "nan",
    "NaN",
    "inf",
    "Infinity",
    "٣",
    "²",
    "5 seconds",
    "5s",
    "Wed, 32 Oct 2015 07:28:00 GMT",
    "Wed, 21 Oct 99999 07:28:00 GMT",
    "Wed, 21 Oct 2015 25:28:00 GMT",
    "2015-10-21T07:28:00Z",
    "null",
]


@pytest.mark.parametrize("name", ["retry_after_ms", "retry_after", "x_ratelimit_reset"])
@pytest.mark.parametrize("value", NONSENSE, ids=written)
def test_nonsense_is_no_hint(name: str, value: str) -> None:
    """A hint that is negative, unreadable or without end is none: the pause is the usual one."""
    assert retry_after(answer(429, **{name: value}), NOW) is None
    assert delay(answer(429, **{name: value})) == 1.0


@pytest.mark.parametrize("value", [b"\xb2", b"1\xb9", b"\xff", b"\xd9\xa3"], ids=written)
def test_only_ascii_digits_count(value: bytes) -> None:
    """A superscript is a digit to Python, but no hint."""
    assert retry_after(Response(status=503, raw_headers=((b"retry-after", value),)), NOW) is None


@pytest.mark.parametrize(
    ("value", "seconds"), [("0" * 19 + "5", 5.0), ("0" * 20 + "5", None)], ids=["20", "21"]
)
def test_a_hint_is_short(value: str, seconds: float | None) -> None:
    """A number of more than twenty characters is none."""
    assert retry_after(answer(429, retry_after=value), NOW) == seconds


def test_a_hint_is_finite() -> None:
    """A hint of so many digits that it comes to infinity is none."""
    assert retry_after(answer(429, retry_after="9" * 400), NOW) is None


@given(
    st.binary(max_size=40)
    | st.text(st.sampled_from("0123456789.-+:, GMTWedOct"), max_size=40).map(str.encode)
)
def test_no_header_breaks_it(value: bytes) -> None:
    """Whatever stands in the header, there is a hint that is not negative, or none."""
    response = Response(status=429, raw_headers=((b"retry-after", value),))
    seconds = retry_after(response, NOW)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    ("dice", "seconds"), [(0.0, 5.0), (0.25, 5.25), (1.0, 6.0)], ids=["lowest", "low", "highest"]
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_hint_is_a_floor(status: int, dice: float, seconds: float) -> None:
    """A pause is at least what the server asks for, and at most one second more."""
    assert delay(answer(status, retry_after="5"), dice=dice) == seconds


@given(DICE, st.integers(0, 60), st.integers(1, 2))
def test_a_hint_is_kept_whatever_the_dice(dice: float, hint: int, number: int) -> None:
    """A pause never falls short of the hint, nor goes beyond it by more than the jitter or the backoff."""
    found = delay(answer(429, retry_after=str(hint)), number=number, dice=dice)
    assert found is not None
    assert hint <= found <= max(hint + 1, 2 ** (number - 1))


def test_a_short_hint_does_not_shorten_the_backoff() -> None:
    """When the usual pause is longer than the hint with its jitter, it is kept."""
    assert delay(answer(429, retry_after="0"), policy=RetryPolicy(attempts=9), number=4) == 8.0


@pytest.mark.parametrize(
    ("headers", "repeated"),
    [
        pytest.param({"retry_after": "60"}, True, id="a-minute"),
        pytest.param({"retry_after": "60.001"}, False, id="more-than-a-minute"),
        pytest.param({"retry_after": "3600"}, False, id="an-hour"),
        pytest.param({"retry_after_ms": "60000"}, True, id="a-minute-in-milliseconds"),
        pytest.param({"retry_after_ms": "60001"}, False, id="more-in-milliseconds"),
        pytest.param({"x_ratelimit_reset": "61"}, False, id="a-late-reset"),
        pytest.param({"retry_after": "Wed, 21 Oct 2015 07:28:50 GMT"}, True, id="a-date-in-a-minute"),
        pytest.param({"retry_after": "Wed, 21 Oct 2015 07:28:51 GMT"}, False, id="a-date-after-that"),
        pytest.param({"retry_after": "Wed, 21 Oct 2065 07:28:00 GMT"}, False, id="a-date-far-off"),
    ],
)
def test_a_long_hint_ends_it(headers: dict[str, str], repeated: bool) -> None:  # noqa: FBT001 - a column
    """When the server asks for more than a minute there is no other attempt."""
    assert (delay(answer(429, **headers)) is not None) is repeated


def test_the_knobs_of_the_hint_turn() -> None:
    """The longest hint and its jitter follow the knobs."""
    policy = RetryPolicy(retry_after_max=5.0, retry_after_jitter=3.0)
    assert delay(answer(429, retry_after="5"), policy=policy) == 8.0
    assert delay(answer(429, retry_after="5.1"), policy=policy) is None


# --- the deadline -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "time_left", "seconds"),
    [
        pytest.param(answer(500), 0.5, None, id="just-as-long"),
        pytest.param(answer(500), 0.500001, 0.5, id="just-longer"),
        pytest.param(answer(500), 0.0, None, id="nothing-left"),
        pytest.param(answer(500), -1.0, None, id="too-late"),
        pytest.param(answer(429, retry_after="5"), 6.0, None, id="hint-just-as-long"),
        pytest.param(answer(429, retry_after="5"), 6.1, 6.0, id="hint-just-longer"),
        pytest.param(failure(Reason.CONNECT, sent=False), 0.1, None, id="failure"),
    ],
)
def test_no_pause_reaches_the_deadline(
    outcome: Response | Failure, time_left: float, seconds: float | None
) -> None:
    """A pause that would last until the deadline is not begun."""
    assert delay(outcome, time_left=time_left) == seconds


@given(
    DICE,
    st.floats(-1, 70),
    st.sampled_from([answer(500), answer(429), answer(429, retry_after="5"), answer(503, retry_after=DATE)]),
)
def test_no_pause_outlasts_the_time(dice: float, time_left: float, outcome: Response) -> None:
    """Whatever the dice and the hint, a pause ends before the deadline."""
    found = delay(outcome, dice=dice, time_left=time_left)
    assert found is None or 0 <= found < time_left


@pytest.mark.parametrize(
    ("response", "verdict"),
    [
        pytest.param(answer(429), True, id="429"),
        pytest.param(answer(503), False, id="503"),
        pytest.param(answer(503, retry_after="7"), True, id="503-with-seconds"),
        pytest.param(answer(503, retry_after=DATE), True, id="503-with-a-date"),
        pytest.param(answer(503, retry_after="soon"), False, id="503-with-nonsense"),
        pytest.param(answer(503, retry_after_ms="2000"), False, id="503-with-another-hint"),
        pytest.param(answer(500, retry_after="7"), False, id="500-with-a-hint"),
        pytest.param(answer(200), False, id="200"),
    ],
)
def test_what_asks_all_requests_to_pause(response: Response, verdict: bool) -> None:  # noqa: FBT001 - a column
    """A 429 does, and a 503 whose ``Retry-After`` can be read."""
    assert asks_for_pause(response) is verdict


@pytest.fixture
def _far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the machine stand where it is five hours earlier."""
    with monkeypatch.context() as there:
        there.setenv("TZ", "EST5")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_far_from_greenwich")
@pytest.mark.parametrize("zone", ["GMT", "-0000", "+0000"])
def test_a_date_is_the_same_everywhere(zone: str) -> None:
    """A date without a zone is in UTC, wherever the machine is."""
    assert retry_after(answer(503, retry_after=DATE.replace("GMT", zone)), NOW) == 10.0


# --- evenly -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "number", "lowest", "highest"),
    [
        pytest.param(answer(500), 1, 0.0, 0.5, id="500-first"),
        pytest.param(answer(500), 2, 0.0, 1.0, id="500-second"),
        pytest.param(failure(Reason.LOST, sent=True), 6, 0.0, 8.0, id="lost-longest"),
        pytest.param(answer(429), 1, 0.0, 1.0, id="429-first"),
        pytest.param(answer(429, retry_after="7"), 1, 7.0, 8.0, id="429-with-a-hint"),
    ],
)
def test_the_jitter_is_uniform(
    outcome: Response | Failure, number: int, lowest: float, highest: float
) -> None:
    """Ten thousand pauses stay within their bounds, and fall evenly by rank and by twentieths."""
    dice = random.Random(20210425)
    policy = RetryPolicy(attempts=9)
    drawn = (delay(outcome, policy=policy, number=number, dice=dice.random()) for _ in range(10_000))
    shares = sorted((pause - lowest) / (highest - lowest) for pause in drawn if pause is not None)
    assert len(shares) == 10_000
    assert 0 <= shares[0] <= shares[-1] <= 1
    # Kolmogorov and Smirnov: an even draw stays below 1.63 / sqrt(n) in 99 of 100 cases.
    assert max(abs(share - (rank + 0.5) / 10_000) for rank, share in enumerate(shares)) < 0.0163
    twentieths = [0] * 20
    for share in shares:
        twentieths[min(19, int(share * 20))] += 1
    # Chi squared, 19 degrees of freedom: below 36.2 in 99 of 100 cases.
    assert sum((found - 500) ** 2 / 500 for found in twentieths) < 36.2


# --- the budget -------------------------------------------------------------------------------------------

AMOUNTS = st.sampled_from([0.0, 1.0, 5.0, 14.0, 28.0]) | st.floats(0, 1000)
TIMES = st.floats(-1e6, 1e6) | st.floats(
    allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300
)


@settings(deadline=None, max_examples=300, derandomize=True)
@given(
    st.sampled_from([500.0, 0.0, 1.0]) | st.floats(0, 1e6),
    st.lists(st.tuples(st.just("take"), AMOUNTS, TIMES) | st.tuples(st.just("give"), AMOUNTS, TIMES)),
)
def test_the_budget_keeps_its_bounds(capacity: float, steps: list[tuple[str, float, float]]) -> None:
    """Whatever is taken and given, and when, there is never less than nothing, nor more than fits."""
    budget = RetryBudget(capacity)
    for what, amount, at in steps:
        before = budget.level
        if what == "give":
            budget.give(amount)
            assert budget.level == min(capacity, before + amount)
        elif budget.take(amount, at):
            assert budget.level >= before - amount - 1e-9 * capacity
        else:
            assert before <= budget.level < amount
        assert 0 <= budget.level <= capacity


def test_the_budget_of_an_outage() -> None:
    """Five hundred pay for thirty-five repetitions at once, then for one every fourteen seconds."""
    budget = RetryBudget(RetryPolicy().budget)
    assert [budget.take(14.0, 0.0) for _ in range(40)].count(True) == 35
    assert [budget.take(14.0, float(second)) for second in range(1, 142)].count(True) == 10


def test_time_fills_the_budget_once() -> None:
    """A second brings one; a clock that goes back and comes again brings nothing twice."""
    budget = RetryBudget(500.0)
    budget.take(400.0, 1000.0)
    budget.take(0.0, 1010.0)
    assert budget.level == 110
    budget.take(0.0, 1000.0)
    budget.take(0.0, 1010.0)
    assert budget.level == 110


def test_what_a_repetition_costs() -> None:
    """A repetition costs 14, and 5 when the server only asked to slow down; the knobs turn."""
    policy = RetryPolicy()
    assert [retry_cost(policy, each) for each in (answer(500), answer(503, retry_after="1"))] == [14, 14]
    assert retry_cost(policy, failure(Reason.CONNECT, sent=False)) == 14
    assert retry_cost(policy, answer(429)) == 5
    assert retry_cost(RetryPolicy(retry_cost=3.0), answer(500)) == 3
    assert retry_cost(RetryPolicy(retry_cost_throttled=2.0), answer(429)) == 2
