"""When to try again: a pure decision. The clock and the dice are arguments."""

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from attrs import Factory, define, field, frozen

from telnyx_rooms_async.core.http_messages import Failure, Reason, Response, RetrySafety

_THROTTLED: Final = 429
_UNAVAILABLE: Final = 503
_NUMBER_LIMIT: Final = 20
_WORTH_REPEATING: Final = frozenset({408, 429, 500, 502, 503, 504})
_LOST_OR_LATE: Final = frozenset({Reason.CONNECT, Reason.LOST, Reason.TIMEOUT, Reason.UNREADABLE})


@frozen(kw_only=True)
class RetryPolicy:
    """How often, and how patiently, a failed request is tried again.

    Pauses are drawn evenly from 0 to ``min(backoff_max, backoff_base * 2 ** (n - 1))`` after attempt
    n (full jitter). Which requests may be repeated at all is no knob: see `RetrySafety`.
    """

    attempts: int = 3
    """Tries in all; 1 never repeats."""
    backoff_base: float = 0.5
    """Seconds."""
    backoff_base_throttled: float = 1.0
    """Seconds, after a 429."""
    backoff_max: float = 8.0
    """Seconds."""
    retry_after_max: float = 60.0
    """Seconds: when the server asks for a longer pause, the error is raised at once."""
    retry_after_jitter: float = 1.0
    """Seconds added at random to what the server asks for, so that not all come back together."""
    budget: float = 500.0
    """What a client can spend on repetitions before they must earn their keep; that of a view is not read."""
    retry_cost: float = 14.0
    """What one repetition takes from the budget; a success brings it back."""
    retry_cost_throttled: float = 5.0
    """The same after a 429."""


@define(eq=False, repr=False)
class RetryBudget:
    """Limits the retries of a client, so that an outage is not met with three times the load.

    It fills by 1 per second, and by 1 for each call that succeeds at once.
    """

    capacity: float
    successes: int = field(default=0, init=False)
    """Calls that succeeded at once and are not yet part of the level."""
    _level: float = field(default=Factory(lambda self: self.capacity, takes_self=True), init=False)
    _updated_at: float | None = field(default=None, init=False)

    @property
    def level(self) -> float:
        """What can be spent on retries now."""
        return min(self.capacity, self._level + self.successes)

    def take(self, cost: float, now: float) -> bool:
        """Pay for a retry; return False if the level is too low."""
        updated_at = now if self._updated_at is None else self._updated_at
        self.give(max(0.0, now - updated_at))
        self._updated_at = max(now, updated_at)
        if cost > self._level:
            return False
        self._level -= cost
        return True

    def give(self, amount: float) -> None:
        """Raise the level, up to the capacity."""
        self._level = min(self.capacity, self._level + self.successes + amount)
        self.successes = 0


def next_delay(
    policy: RetryPolicy,
    repeat: RetrySafety,
    outcome: Response | Failure,
    *,
    number: int,
    time_left: float,
    now: float,
    dice: float,
) -> float | None:
    """Decide on another attempt.

    Args:
        policy: the knobs.
        repeat: whether the operation may be repeated once the server has seen it.
        outcome: what attempt `number` (counted from 1) came to.
        number: see above.
        time_left: seconds until the deadline of the whole call.
        now: seconds since the epoch, to read a date in ``Retry-After``.
        dice: a random number from 0 to 1.

    Returns:
        How many seconds to sleep first, or ``None`` to give up.
    """
    if number >= policy.attempts or not is_retryable(outcome):
        return None
    if repeat is RetrySafety.IF_NOT_SENT and not was_not_processed(outcome):
        return None
    base = policy.backoff_base_throttled if _is_throttled(outcome) else policy.backoff_base
    delay = dice * min(policy.backoff_max, base * 2.0 ** min(number - 1, 63))
    hint = retry_after(outcome, now) if isinstance(outcome, Response) else None
    if hint is not None:
        if hint > policy.retry_after_max:
            return None
        delay = max(delay, hint + dice * policy.retry_after_jitter)
    return delay if delay < time_left else None


def retry_cost(policy: RetryPolicy, outcome: Response | Failure) -> float:
    """Return what it costs to try again after `outcome`."""
    return policy.retry_cost_throttled if _is_throttled(outcome) else policy.retry_cost


def _is_throttled(outcome: Response | Failure) -> bool:
    return isinstance(outcome, Response) and outcome.status == _THROTTLED


def is_retryable(outcome: Response | Failure) -> bool:
    """Tell whether another attempt could end better."""
    if isinstance(outcome, Failure):
        return outcome.reason in _LOST_OR_LATE
    return outcome.status in _WORTH_REPEATING


def was_not_processed(outcome: Response | Failure) -> bool:
    """Tell whether the server certainly did not act on the request.

    A 503 is no proof, not even with ``Retry-After``: a gateway may send it while the server behind
    it works on.
    """
    if isinstance(outcome, Failure):
        return not outcome.sent
    return outcome.status == _THROTTLED


def asks_for_pause(response: Response) -> bool:
    """Tell whether the server asks all requests to pause: a 429, or a 503 with ``Retry-After``."""
    if response.status != _UNAVAILABLE:
        return response.status == _THROTTLED
    hint = response.header("retry-after")
    return _seconds(hint) is not None or http_date(hint) is not None


def retry_after(response: Response, now: float | None) -> float | None:
    """Return the seconds that the server asks to wait; a hint that is negative or unreadable is none.

    ``retry-after-ms`` is read first, then ``Retry-After`` (seconds or an HTTP date), then on a 429 the
    ``x-ratelimit-reset`` that Telnyx sends (seconds).
    """
    if (milliseconds := _seconds(response.header("retry-after-ms"))) is not None:
        return milliseconds / 1000
    hint = response.header("retry-after")
    if (seconds := _seconds(hint)) is not None:
        return seconds
    if now is not None and (moment := http_date(hint)) is not None and moment >= now:
        return moment - now
    return _seconds(response.header("x-ratelimit-reset")) if response.status == _THROTTLED else None


def _seconds(text: str | None) -> float | None:
    """Read a plain decimal number: no sign, no exponent, no infinity, and a digit is an ASCII one."""
    if text is None or len(text) > _NUMBER_LIMIT or not text.isascii():
        return None
    return float(text) if text.replace(".", "", 1).isdigit() else None


def http_date(text: str | None) -> float | None:
    """Read an HTTP date as seconds since the epoch; one without a zone is in UTC, as HTTP has it."""
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
