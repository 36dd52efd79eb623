"""The session of the API: one call from a request to a typed value.

`ApiSession.call` does, in this order: authentication (by the transport), the wait for the rate limit, attempts
within the deadline, retries within the retry budget, and the mapping of errors.
"""

import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeGuard, TypeVar

from attrs import define, evolve, field, frozen

from telnyx_rooms_async.core import protocol
from telnyx_rooms_async.core.frames import drop_frames
from telnyx_rooms_async.core.http_messages import (
    Call,
    Failure,
    RateLimit,
    Reason,
    Response,
    RetrySafety,
)
from telnyx_rooms_async.core.rate_limit import LONGEST_PAUSE, rate_limit
from telnyx_rooms_async.core.retry import (
    RetryBudget,
    RetryPolicy,
    asks_for_pause,
    is_retryable,
    next_delay,
    retry_after,
    retry_cost,
)
from telnyx_rooms_async.core.server_clock import ServerClock
from telnyx_rooms_async.errors import (
    APITimeoutError,
    Attempt,
    RateLimitError,
    ReadOnlyError,
    TelnyxRoomsError,
)
from telnyx_rooms_async.http.attempt_log import OnAttempt, build_attempt, emit_attempt, logger
from telnyx_rooms_async.http.clock import Clock
from telnyx_rooms_async.http.in_flight import InFlightCalls
from telnyx_rooms_async.http.rate_limiter import RateLimiter
from telnyx_rooms_async.http.transport import AiohttpTransport
from telnyx_rooms_async.serialization import DecodeError

T = TypeVar("T")

_SHORTEST_ATTEMPT: Final = 0.001
"""Seconds. A timeout of 0 would be none at all, and a sleep can overshoot the deadline."""
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
_TOO_MANY_REQUESTS: Final = 429


@define(eq=False, repr=False)
class CallContext:
    """Mutable state of one API call: deadline, attempts, spent retry budget."""

    started: float
    deadline: float
    attempts: tuple[Attempt, ...] = ()
    """Empty for a call that succeeds at once, unless attempts are logged."""
    spent: float = 0.0
    """What its retries took from the retry budget."""


@frozen(kw_only=True, eq=False, repr=False)
class ApiSession:
    """Makes API calls. One instance serves all concurrent calls of a client."""

    transport: AiohttpTransport
    in_flight_calls: InFlightCalls
    rate_limiter: RateLimiter
    budget: RetryBudget
    on_attempt: OnAttempt | None
    timeout: float
    """Seconds for a whole call: the wait for the rate limit, attempts, and the pauses between them."""
    attempt_timeout: float
    """Seconds for one attempt."""
    retry: RetryPolicy
    read_only: bool
    """Whether requests that could change something are refused."""
    clock: Clock
    server_clock: ServerClock = field(factory=ServerClock)

    def call(self, call: Call[T]) -> Coroutine[Any, Any, T]:
        """Make one API call, with retries where the retry policy and the operation allow them.

        Raises:
            TelnyxRoomsError: one class for each kind of failure, with all attempts.
        """
        return self.run(call, self.send_with_retries)

    async def run(self, call: Call[T], steps: Callable[[Call[T], CallContext], Awaitable[T]]) -> T:
        """Make one API call by steps that may take several requests, within one deadline."""
        try:
            with self.in_flight_calls:
                now = self.clock.monotonic()
                return await steps(call, CallContext(now, now + self.timeout))
        except BaseException as error:
            # The frames below, aiohttp's included, hold headers, bodies and URLs.
            drop_frames(error)
            raise

    async def send_with_retries(self, call: Call[T], context: CallContext) -> T:
        """Send a request until it succeeds, fails for good or runs out of time; return its result."""
        if self.read_only and call.request.method not in _SAFE_METHODS:
            raise _read_only_error(call)
        limiter, clock = self.rate_limiter, self.clock
        outcome: Response | Failure | None = None
        last_response: Response | None = None
        number, elapsed = 0, 0.0
        while limiter.try_acquire(clock.monotonic()) or await limiter.acquire(
            context.started, context.deadline
        ):
            number += 1
            started = clock.monotonic()
            outcome = await self._send_once(call, context, started)
            ended = clock.monotonic()
            elapsed = ended - started
            limit = None
            if isinstance(outcome, Response):
                last_response, limit = outcome, rate_limit(outcome)
                self.server_clock.newest = outcome.raw_headers, started, ended
            delay, is_budget_exhausted = self._retry_delay(call, context, outcome, number, ended)
            is_paused = self._release(outcome, limit, started, ended, delay)
            if context.attempts or self._is_logging or not _is_success(outcome):
                self._record(call, context, outcome, elapsed, delay, limit, is_budget_exhausted)
            if delay is None:
                break
            if not is_paused:  # else the rate limiter holds this call and all others for as long
                await clock.sleep(delay)
        else:  # the rate limiter admits no request before the deadline
            if outcome is None:
                raise self._not_admitted_error(context)
            self._refund_retry(context, outcome)
        return self._result(call, context, outcome, last_response, elapsed)

    def server_now(self) -> float:
        """Return the server's time as far as it is known, in seconds since the epoch."""
        return self.server_clock.now(self.clock.monotonic(), self.clock.now())

    # --- one attempt --------------------------------------------------------------------------------------

    async def _send_once(self, call: Call[T], context: CallContext, started: float) -> Response | Failure:
        outcome: Response | Failure | None = None
        time_left = context.deadline - started
        try:
            seconds = max(min(self.attempt_timeout, time_left), _SHORTEST_ATTEMPT)
            outcome = await self.transport.send(call.request, seconds)
        finally:
            if outcome is None:
                self.rate_limiter.discard()
        if isinstance(outcome, Failure) and outcome.reason is Reason.TIMEOUT:
            return evolve(outcome, deadline=time_left < self.attempt_timeout)
        return outcome

    def _release(
        self,
        outcome: Response | Failure,
        limit: RateLimit | None,
        started: float,
        ended: float,
        delay: float | None,
    ) -> bool:
        """Release the place in the rate limiter; return whether it pauses all calls as the server asks."""
        if isinstance(outcome, Failure) and not outcome.sent:
            self.rate_limiter.release_unsent()
            return False
        pause = None if _is_success(outcome) else self._pause(outcome, limit, delay)
        return self.rate_limiter.release(limit, started, ended, pause) and delay is not None

    def _pause(
        self, outcome: Response | Failure, limit: RateLimit | None, delay: float | None
    ) -> float | None:
        """Return how many seconds the server asks all calls to pause."""
        if isinstance(outcome, Failure) or not asks_for_pause(outcome):
            return None
        if limit is not None and limit.remaining:
            return None  # the account may send more requests: only this one was refused
        if delay is not None:
            return delay
        hint = retry_after(outcome, self.clock.now())
        return hint if hint is not None and hint <= LONGEST_PAUSE else None

    def _retry_delay(
        self, call: Call[T], context: CallContext, outcome: Response | Failure, number: int, now: float
    ) -> tuple[float | None, bool]:
        """Return the seconds until the next attempt, or None, and whether the retry budget forbids it."""
        if not is_retryable(outcome):
            if isinstance(outcome, Response):
                self.budget.give(context.spent or 1.0)
                context.spent = 0.0
            return None, False
        delay = next_delay(
            self.retry,
            call.repeat,
            outcome,
            number=number,
            time_left=context.deadline - now,
            now=self.clock.now(),
            dice=self.clock.dice(),
        )
        if delay is None:
            return None, False
        cost = retry_cost(self.retry, outcome)
        if not self.budget.take(cost, now):
            return None, True
        context.spent += cost
        return delay, False

    def _refund_retry(self, context: CallContext, outcome: Response | Failure) -> None:
        """Return the cost of a retry that is not made."""
        cost = retry_cost(self.retry, outcome)
        self.budget.give(cost)
        context.spent -= cost

    @property
    def _is_logging(self) -> bool:
        return self.on_attempt is not None or logger.isEnabledFor(logging.DEBUG)

    def _record(
        self,
        call: Call[T],
        context: CallContext,
        outcome: Response | Failure,
        elapsed: float,
        delay: float | None = None,
        limit: RateLimit | None = None,
        is_budget_exhausted: bool = False,  # noqa: FBT001, FBT002 - of one caller
    ) -> None:
        attempt = build_attempt(
            call,
            outcome,
            number=len(context.attempts) + 1,
            elapsed=elapsed,
            wait=delay,
            rate_limit=limit,
            budget_exhausted=is_budget_exhausted,
        )
        context.attempts = (*context.attempts, attempt)
        emit_attempt(attempt, self.on_attempt)

    # --- the end of a call --------------------------------------------------------------------------------

    def _result(
        self,
        call: Call[T],
        context: CallContext,
        outcome: Response | Failure,
        last_response: Response | None,
        elapsed: float,
    ) -> T:
        """Return the value of a call, or raise its error."""
        if _is_success(outcome):
            try:
                return protocol.structure(call, outcome)
            except DecodeError:
                if not context.attempts:
                    self._record(call, context, outcome, elapsed)
        # An error response says more than a lost connection, but the outcome of a request that must not be
        # repeated is that of its last attempt.
        final = outcome if call.repeat is RetrySafety.IF_NOT_SENT else last_response or outcome
        return protocol.read(call, final, context.attempts, now=self.clock.now())

    def _not_admitted_error(self, context: CallContext) -> TelnyxRoomsError:
        if delay := self.rate_limiter.delay():
            return RateLimitError(_TOO_MANY_REQUESTS, (), None, delay, context.attempts)
        return APITimeoutError("no connection was free in time", False, context.attempts, True)  # noqa: FBT003 - fields are positional


def _read_only_error(call: Call[object]) -> ReadOnlyError:
    # A path may hold a token where an id belongs, if the arguments are swapped.
    path = call.template if call.request.secrets else call.request.path
    return ReadOnlyError(call.request.method, path)


def _is_success(outcome: Response | Failure) -> TypeGuard[Response]:
    return isinstance(outcome, Response) and outcome.status < 300  # noqa: PLR2004 - 2xx
