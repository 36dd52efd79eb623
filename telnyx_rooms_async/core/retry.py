"""Whether and when to retry: pure decisions. Time and randomness are arguments."""

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from attrs import frozen

from telnyx_rooms_async.core.endpoints import RetrySafety
from telnyx_rooms_async.core.http_messages import Failure, Response
from telnyx_rooms_async.errors import FailureKind
from telnyx_rooms_async.models import Value

_UNAUTHORIZED: Final = 401
_TOO_MANY_REQUESTS: Final = 429
_UNAVAILABLE: Final = 503
_MAX_DIGITS: Final = 20
_RETRYABLE_STATUSES: Final = frozenset({408, 429, 500, 502, 503, 504})
_RETRYABLE_REASONS: Final = frozenset(
    {FailureKind.CONNECT, FailureKind.LOST, FailureKind.TIMEOUT, FailureKind.UNREADABLE}
)


@frozen(kw_only=True, eq=False, repr=False)
class RetryPolicy(Value):
    """How often, and after which pauses, a failed request is retried.

    The pause after attempt n is random, between 0 and ``min(backoff_max, backoff_base * 2 ** (n - 1))``
    seconds (exponential backoff with full jitter). Which requests may be retried is not configurable: an
    operation that is not idempotent is retried only if the server certainly did not process the request.

    Example:
        >>> RetryPolicy(max_attempts=1)  # no retries
        RetryPolicy(max_attempts=1, ...)
    """

    max_attempts: int = 3
    """Attempts in all; with 1 there are no retries."""
    backoff_base: float = 0.5
    """Seconds."""
    backoff_base_throttled: float = 1.0
    """Seconds, after a 429."""
    backoff_max: float = 8.0
    """Seconds."""
    retry_after_max: float = 60.0
    """Seconds. If the server asks for a longer pause, the error is raised at once."""
    retry_after_jitter: float = 1.0
    """The most seconds that are added at random to the pause that the server asks for."""
    budget: float = 500.0
    """The capacity of the retry budget of a client. A view with another policy shares that budget."""
    retry_cost: float = 14.0
    """The cost of a retry; a success returns it."""
    retry_cost_throttled: float = 5.0
    """The cost of a retry after a 429."""


class RetryBudget:
    """Limits the retries of a client, so that an outage is not met with three times the load.

    It fills by 1 per second, and by 1 for each call that succeeds at once.
    """

    def __init__(self, capacity: float) -> None:
        self.capacity = capacity
        self.successes: int = 0
        """Calls that succeeded at once and are not yet part of the level."""
        self._level = capacity
        self._updated_at: float | None = None

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


@frozen(eq=False, repr=False)
class RetryPlan:
    """What follows an attempt: a retry and its price, or none."""

    delay: float | None = None
    """Seconds until the retry; None for no retry."""
    cost: float = 0.0
    """What the retry budget paid."""
    is_budget_exhausted: bool = False
    """Whether there is no retry because the budget was too low."""


NO_RETRY: Final = RetryPlan()


def next_delay(
    policy: RetryPolicy,
    retry_safety: RetrySafety,
    outcome: Response | Failure,
    *,
    number: int,
    time_left: float,
    now: float,
    random: float,
) -> float | None:
    """Return the seconds until the next attempt, or None for no retry.

    Args:
        policy: the retry policy.
        retry_safety: whether the operation may be retried after the server has processed it.
        outcome: the outcome of attempt `number`, which is 1 for the first.
        number: see `outcome`.
        time_left: seconds until the deadline of the call.
        now: seconds since the epoch, to read a date in ``Retry-After``.
        random: a random number from 0 to 1.
    """
    if number >= policy.max_attempts or not is_retryable(outcome):
        return None
    if retry_safety is RetrySafety.IF_NOT_SENT and not was_not_processed(outcome):
        return None
    base = policy.backoff_base_throttled if _is_throttled(outcome) else policy.backoff_base
    delay = random * min(policy.backoff_max, base * 2.0 ** min(number - 1, 63))
    hint = retry_after(outcome, now) if isinstance(outcome, Response) else None
    if hint is not None:
        if hint > policy.retry_after_max:
            return None
        delay = max(delay, hint + random * policy.retry_after_jitter)
    return delay if delay < time_left else None


def retry_cost(policy: RetryPolicy, outcome: Response | Failure) -> float:
    """Return the cost of a retry after an outcome."""
    return policy.retry_cost_throttled if _is_throttled(outcome) else policy.retry_cost


def _is_throttled(outcome: Response | Failure) -> bool:
    return isinstance(outcome, Response) and outcome.status == _TOO_MANY_REQUESTS


def is_retryable(outcome: Response | Failure) -> bool:
    """Return whether another attempt could succeed."""
    if isinstance(outcome, Failure):
        return outcome.reason in _RETRYABLE_REASONS
    return outcome.status in _RETRYABLE_STATUSES


def was_not_processed(outcome: Response | Failure) -> bool:
    """Return whether the server certainly did not process the request.

    A 503 does not prove it, even with ``Retry-After``: a gateway may send it while the server behind it is
    still working.
    """
    if isinstance(outcome, Failure):
        return not outcome.sent
    return outcome.status in (_UNAUTHORIZED, _TOO_MANY_REQUESTS)


def asks_for_pause(response: Response) -> bool:
    """Return whether the server refuses requests for some time: a 429, or a 503 with ``Retry-After``."""
    if response.status != _UNAVAILABLE:
        return response.status == _TOO_MANY_REQUESTS
    hint = response.headers.get("retry-after")
    return _seconds(hint) is not None or http_date(hint) is not None


def retry_after(response: Response, now: float | None) -> float | None:
    """Return the seconds that the server asks to wait, or None without a readable header.

    ``retry-after-ms`` is read first, then ``Retry-After`` (seconds or an HTTP date), then on a 429 the
    ``x-ratelimit-reset`` that Telnyx sends (seconds). A date is compared with the ``Date`` of the response,
    which is of the same clock, else with `now`, in seconds since the epoch.
    """
    if (milliseconds := _seconds(response.headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    hint = response.headers.get("retry-after")
    if (seconds := _seconds(hint)) is not None:
        return seconds
    if (date := http_date(hint)) is not None:
        for base in (http_date(response.headers.get("date")), now):
            if base is not None and date >= base:
                return date - base
    return (
        _seconds(response.headers.get("x-ratelimit-reset")) if response.status == _TOO_MANY_REQUESTS else None
    )


def _seconds(text: str | None) -> float | None:
    """Read a decimal number of ASCII digits, without sign and exponent."""
    if text is None or len(text) > _MAX_DIGITS or not text.isascii():
        return None
    return float(text) if text.replace(".", "", 1).isdigit() else None


def http_date(text: str | None) -> float | None:
    """Read an HTTP date as seconds since the epoch; a date without a time zone is in UTC."""
    if text is None:
        return None
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
