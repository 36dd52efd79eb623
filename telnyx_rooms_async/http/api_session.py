"""The session of the API: one call from a request to a typed value.

`ApiSession.call` waits for the rate limit, makes attempts within a deadline, retries failed attempts within
the retry budget, and maps the outcome to a value or an error. The transport adds the API key.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeVar

from attrs import define, evolve, field, frozen

from telnyx_rooms_async.core import protocol
from telnyx_rooms_async.core.endpoints import RetrySafety
from telnyx_rooms_async.core.error_mapping import redacted_headers
from telnyx_rooms_async.core.http_messages import Call, Failure, Request, Response
from telnyx_rooms_async.core.rate_limit import LONGEST_PAUSE, rate_limit
from telnyx_rooms_async.core.retry import (
    NO_RETRY,
    RetryBudget,
    RetryPlan,
    RetryPolicy,
    asks_for_pause,
    is_retryable,
    next_delay,
    retry_after,
    retry_cost,
)
from telnyx_rooms_async.core.secret import drop_frames
from telnyx_rooms_async.errors import (
    APITimeoutError,
    Attempt,
    FailureKind,
    RateLimit,
    RateLimitError,
    ReadOnlyError,
)
from telnyx_rooms_async.http.attempt_log import OnAttempt, logger, record_attempt
from telnyx_rooms_async.http.clock import Clock, ServerClock
from telnyx_rooms_async.http.credentials import Credentials
from telnyx_rooms_async.http.in_flight import InFlightCalls
from telnyx_rooms_async.http.middleware import Middleware, send_through
from telnyx_rooms_async.http.rate_limiter import RateLimiter
from telnyx_rooms_async.http.transport import AiohttpTransport
from telnyx_rooms_async.serialization import DecodeError

T = TypeVar("T")

_SHORTEST_ATTEMPT: Final = 0.001
"""Seconds. A timeout of 0 would be none at all, and a sleep can overshoot the deadline."""
_BLOCKED_LOOP: Final = 1.0
"""Seconds. A timer that is later than that was not delayed by other tasks alone."""
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
_ERRORS_FROM: Final = 300
"""The lowest status that is no success; the transport passes no 1xx."""
_UNAUTHORIZED: Final = 401


@define(eq=False, repr=False)
class CallContext:
    """Mutable state of one API call: deadline, attempts, spent retry budget."""

    started: float
    deadline: float
    attempts: tuple[Attempt, ...] = ()
    """Empty for a call that succeeds at once, unless attempts are logged."""
    response: Response | None = None
    """The last response, of any status."""
    spent: float = 0.0
    """What its retries took from the retry budget."""
    last_elapsed: float = 0.0
    """Seconds that its last attempt took."""
    has_new_key: bool = False
    """Whether a 401 was answered with another key, which happens once."""


@frozen(kw_only=True, eq=False, repr=False)
class ApiSession:
    """Makes API calls. One instance serves all concurrent calls of a client."""

    transport: AiohttpTransport
    credentials: Credentials
    in_flight_calls: InFlightCalls
    rate_limiter: RateLimiter
    budget: RetryBudget
    on_attempt: OnAttempt | None
    timeout: float
    """Seconds, or inf, for a whole call: the wait for the rate limit, attempts, and pauses between them."""
    attempt_timeout: float
    """Seconds for one attempt, or inf."""
    retry: RetryPolicy
    read_only: bool
    """Whether requests that could change something are refused."""
    clock: Clock
    server_clock: ServerClock = field(factory=ServerClock)
    on_call: Callable[[CallContext], object] | None = None
    """Called with the state of each call when it starts."""
    extras: protocol.Extras | None = None
    """What is added to each request."""
    middleware: tuple[Middleware, ...] = ()

    async def call(
        self, call: Call[T], steps: Callable[[Call[T], CallContext], Awaitable[T]] | None = None
    ) -> T:
        """Make one API call, with retries where the retry policy and the operation allow them.

        `steps` makes a call by several requests within one deadline; `send_with_retries` makes each.

        Raises:
            TelnyxRoomsError: one class for each kind of failure, with all attempts.
        """
        try:
            with self.in_flight_calls:
                if self.read_only:
                    _check_read_only(call.request, call.endpoint.path)
                if self.extras is not None:
                    protocol.check_extras(call, self.extras)
                now = self.clock.monotonic()
                context = CallContext(now, now + self.timeout)
                if self.on_call is not None:
                    self.on_call(context)
                return await (self.send_with_retries if steps is None else steps)(call, context)
        except BaseException as error:
            # The frames below, aiohttp's included, hold headers, bodies and URLs.
            drop_frames(error)
            raise

    async def send_with_retries(self, call: Call[T], context: CallContext) -> T:
        """Send a request until it succeeds, fails for good or runs out of time; return its result."""
        limiter = self.rate_limiter
        outcome: Response | Failure | None = None
        last_response: Response | None = None
        number = 0
        if self.extras is not None:
            call = protocol.add_extras(call, self.extras)
        # A request acquires the window by itself while no other request is queued.
        while (
            not limiter.queue and limiter.window.try_acquire(self.clock.monotonic())
        ) or await self.wait_for_rate_limit(context):
            number += 1
            outcome, delay = await self._attempt(call, context, number)
            if delay is None:
                break
            if isinstance(outcome, Response) and is_retryable(outcome):
                last_response = outcome
            if delay:
                await self.clock.sleep(delay)
        else:
            outcome = self._give_up(outcome, context)
        if isinstance(outcome, Response) and outcome.status < _ERRORS_FROM:
            try:
                return protocol.structure(call, outcome)
            except DecodeError:
                context.attempts = context.attempts or record_attempt(
                    call, outcome, (), self.on_attempt, elapsed=context.last_elapsed
                )
                headers = redacted_headers(outcome.raw_headers, (self.credentials.key,))
                outcome = evolve(outcome, raw_headers=headers)
        # An error response says more than a lost connection, but the outcome of a request that must not be
        # repeated is that of its last attempt.
        if isinstance(outcome, Failure) and call.endpoint.retry_safety is RetrySafety.IDEMPOTENT:
            outcome = last_response or outcome
        return protocol.read(call, outcome, context.attempts, now=self.clock.now())

    def _give_up(self, outcome: Response | Failure | None, context: CallContext) -> Response | Failure:
        """Return the last outcome when the rate limiter admits no request before the deadline.

        The retry that was paid for is refunded.

        Raises:
            RateLimitError: there was no attempt at all, because of the rate limit.
            APITimeoutError: there was none, because no connection was free.
        """
        if outcome is None:
            if delay := self.rate_limiter.delay():
                raise RateLimitError(429, (), None, delay, context.attempts)
            raise APITimeoutError("no connection was free in time", False, context.attempts, True)  # noqa: FBT003 - fields are positional
        if is_retryable(outcome):
            cost = retry_cost(self.retry, outcome)
            self.budget.give(cost)
            context.spent -= cost
        return outcome

    async def wait_for_rate_limit(self, context: CallContext) -> bool:
        """Wait until the rate limiter admits a request; return False if the deadline is too early."""
        return await self.rate_limiter.acquire(context.started, context.deadline)

    def server_now(self) -> float:
        """Return the server's time as far as it is known, in seconds since the epoch."""
        return self.server_clock.now(self.clock.monotonic(), self.clock.now())

    def plan_retry(
        self,
        retry_safety: RetrySafety,
        outcome: Response | Failure,
        *,
        number: int,
        time_left: float,
        monotonic: float,
    ) -> RetryPlan:
        """Decide on a retry after attempt `number`, and pay for it from the retry budget."""
        delay = next_delay(
            self.retry,
            retry_safety,
            outcome,
            number=number,
            time_left=time_left,
            now=self.clock.now(),
            random=self.clock.random(),
        )
        if delay is None:
            return NO_RETRY
        cost = retry_cost(self.retry, outcome)
        has_paid = self.budget.take(cost, monotonic)
        return RetryPlan(delay, cost) if has_paid else RetryPlan(is_budget_exhausted=True)

    async def _attempt(
        self, call: Call[T], context: CallContext, number: int
    ) -> tuple[Response | Failure, float | None]:
        """Make one attempt.

        Returns:
            Its outcome, and the seconds to sleep before the next attempt, or None if there is none.
        """
        credentials = self.credentials
        if not credentials.is_valid:
            await self._renew_key(context)
        key_version = credentials.version
        started = self.clock.monotonic()
        time_left = context.deadline - started
        seconds = self.attempt_timeout
        if time_left < seconds:
            seconds = max(time_left, _SHORTEST_ATTEMPT)
        try:
            if self.middleware:
                send = partial(self._send, end=started + seconds)
                outcome = await send_through(self.middleware, send, call.request)
            else:
                outcome = await self.transport.send(call.request, credentials, seconds)
        except BaseException:  # the cancellation too: nothing came that could be counted
            self.rate_limiter.discard()
            raise
        ended = self.clock.monotonic()
        context.last_elapsed = ended - started
        if isinstance(outcome, Response):
            self.server_clock.newest = outcome.raw_headers, started, ended
            context.response = outcome
            has_hook = self.on_attempt is not None or self.on_call is not None
            is_logged = has_hook or logger.isEnabledFor(logging.DEBUG)
            if outcome.status < _ERRORS_FROM and not context.attempts and not is_logged:
                self.budget.successes += 1
                self.rate_limiter.window.receive(outcome.raw_headers, started, ended)
                if self.rate_limiter.queue:
                    self.rate_limiter.admit_queued()
                return outcome, None
        elif outcome.reason is FailureKind.TIMEOUT:
            late = 0.0 if self.middleware else ended - started - seconds  # middleware may take any time
            detail = self._timeout_detail(late) or outcome.detail
            outcome = evolve(outcome, deadline=time_left < self.attempt_timeout, detail=detail)
        delay = self._after_attempt(
            call, context, outcome, number=number, key_version=key_version, started=started, ended=ended
        )
        return outcome, delay

    async def _send(self, request: Request, *, end: float) -> Response | Failure:
        """Send a request from middleware, which has used some of the time that ends at `end`."""
        seconds = max(end - self.clock.monotonic(), _SHORTEST_ATTEMPT)
        return await self.transport.send(request, self.credentials, seconds)

    async def _renew_key(self, context: CallContext) -> None:
        """Wait for a valid API key; without one, release the place in the rate limiter."""
        time_left = context.deadline - self.clock.monotonic()
        timeout = asyncio.timeout(None if time_left == math.inf else time_left)
        try:
            async with timeout:
                await self.credentials.renew()
        except BaseException as error:  # of the function, or the cancellation
            self.rate_limiter.release_unsent()
            if not (isinstance(error, TimeoutError) and timeout.expired()):
                raise
            problem = "the function for the API key did not return in time"
            raise APITimeoutError(problem, False, context.attempts, True) from None  # noqa: FBT003 - fields are positional

    def _timeout_detail(self, late: float) -> str | None:
        """Return what may have caused a timeout that came `late` seconds after its time."""
        if late > _BLOCKED_LOOP:
            return f"the event loop was blocked, for {late:.0f} s or more"
        if self.transport.is_loopback:
            return (
                "a server in this process cannot respond while its event loop is blocked, "
                "for example by a test client: see the fixture telnyx_emulator_server"
            )
        return None

    def _after_attempt(
        self,
        call: Call[T],
        context: CallContext,
        outcome: Response | Failure,
        *,
        number: int,
        key_version: int,
        started: float,
        ended: float,
    ) -> float | None:
        """Decide on a retry, release the place in the rate limiter, and log the attempt.

        Returns:
            Seconds to sleep before the next attempt, or None if there is none: 0 if the rate limiter holds
            all requests for as long as the server asks.
        """
        plan = NO_RETRY
        if is_retryable(outcome):
            time_left = context.deadline - ended
            plan = self.plan_retry(
                call.endpoint.retry_safety, outcome, number=number, time_left=time_left, monotonic=ended
            )
            context.spent += plan.cost
        elif isinstance(outcome, Response):
            self.budget.give(context.spent or 1.0)
            context.spent = 0.0
            is_rejected = outcome.status == _UNAUTHORIZED and self.credentials.reject(key_version)
            if is_rejected and not context.has_new_key and ended < context.deadline:
                context.has_new_key = True
                plan = RetryPlan(delay=0.0)
        limit = rate_limit(outcome.raw_headers) if isinstance(outcome, Response) else None
        is_paused = self._release(outcome, limit, plan.delay, started, ended)
        context.attempts = record_attempt(
            call,
            outcome,
            context.attempts,
            self.on_attempt,
            elapsed=context.last_elapsed,
            wait=plan.delay,
            rate_limit=limit,
            budget_exhausted=plan.is_budget_exhausted,
        )
        return 0.0 if is_paused and plan.delay is not None else plan.delay

    def _release(
        self,
        outcome: Response | Failure,
        limit: RateLimit | None,
        delay: float | None,
        started: float,
        ended: float,
    ) -> bool:
        """Release the place in the rate limiter; return whether it holds all requests for the `delay`."""
        if isinstance(outcome, Failure) and not outcome.sent:
            self.rate_limiter.release_unsent()
            return False
        pause: float | None = None
        if isinstance(outcome, Response) and asks_for_pause(outcome):
            hint = retry_after(outcome, self.clock.now())
            # A single refusal may be of this request only, if the server does not say that it is of all.
            is_of_account = hint is not None if limit is None else not limit.remaining
            if self.rate_limiter.note_refusal(ended) or is_of_account:
                is_short = hint is not None and hint <= LONGEST_PAUSE
                pause = hint if delay is None and is_short else delay
        return self.rate_limiter.release(limit, started, ended, pause)


def _check_read_only(request: Request, template: str) -> None:
    if request.method not in _SAFE_METHODS:
        # A path may hold a token where an id belongs, if the arguments are swapped.
        raise ReadOnlyError(request.method, template if request.secrets else request.path)
