"""The loop: send, decide, read. Time and chance come in through the `Clock`."""

import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Final, TypeAlias, TypeGuard, TypeVar

from attrs import define, evolve, field, frozen

from telnyx_rooms_async.core import protocol
from telnyx_rooms_async.core.frames import drop_frames
from telnyx_rooms_async.core.http_messages import (
    Attempt,
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
from telnyx_rooms_async.errors import APITimeoutError, RateLimitError, ReadOnlyError, TelnyxRoomsError
from telnyx_rooms_async.http.attempt_log import OnAttempt, logger, record, report
from telnyx_rooms_async.http.clock import Clock
from telnyx_rooms_async.http.in_flight import InFlightCalls
from telnyx_rooms_async.http.rate_limiter import RateLimiter
from telnyx_rooms_async.http.transport import AiohttpTransport
from telnyx_rooms_async.serialization import DecodeError

T = TypeVar("T")
Answered: TypeAlias = Callable[[], Awaitable[object]]

_MOMENT: Final = 0.001
_READING: Final = frozenset({"GET", "HEAD"})
_THROTTLED: Final = 429


@define(eq=False, repr=False)
class CallContext:
    """What one call of a user has come to so far: one request mostly, more when it has to look around."""

    started: float
    deadline: float
    attempts: tuple[Attempt, ...] = ()
    """Of a call that is answered at once there is no record, unless someone asks for it."""
    spent: float = 0.0
    """What its repetitions took from the budget."""


@frozen(kw_only=True, eq=False, repr=False)
class ApiSession:
    """Makes calls until they are answered, refused or out of time."""

    transport: AiohttpTransport
    in_flight_calls: InFlightCalls
    rate_limiter: RateLimiter
    budget: RetryBudget
    on_attempt: OnAttempt | None
    timeout: float
    """Seconds for the whole call: the wait at the gate, attempts, and the pauses between them."""
    attempt_timeout: float
    """Seconds for each attempt."""
    retry: RetryPolicy
    read_only: bool
    """Whether what would change something is refused: here passes every request of the API."""
    clock: Clock
    server_clock: ServerClock = field(factory=ServerClock)

    def server_now(self) -> float:
        """Return the server's time as far as it is known, in seconds since the epoch."""
        return self.server_clock.now(self.clock.monotonic(), self.clock.now())

    def call(self, call: Call[T], answered: Answered | None = None) -> Coroutine[Any, Any, T]:
        """Make one call, and more attempts at it where the policy and the operation allow.

        Args:
            call: what to ask.
            answered: awaited between a good answer and its decoding, for what need not wait for that.

        Raises:
            TelnyxRoomsError: one class for each way to fail, with all attempts in it.
        """
        return self.run(call, partial(self.pursue, answered=answered) if answered else self.pursue)

    async def run(self, call: Call[T], steps: Callable[[Call[T], CallContext], Awaitable[T]]) -> T:
        """Make one call by steps that may be several requests, along the trail that they are given."""
        try:
            with self.in_flight_calls:
                now = self.clock.monotonic()
                return await steps(call, CallContext(now, now + self.timeout))
        except BaseException as error:
            # The frames below, aiohttp's included, hold headers, bodies and URLs.
            drop_frames(error)
            raise

    async def pursue(self, call: Call[T], context: CallContext, answered: Answered | None = None) -> T:
        """Make one request of a call, and attempts at it until it is answered for good."""
        if self.read_only and call.request.method not in _READING:
            # A path may hold a token where the id belongs, if the arguments are swapped.
            path = call.template if call.request.secrets else call.request.path
            raise ReadOnlyError(call.request.method, path)
        outcome: Response | Failure | None = None
        answer: Response | None = None
        started = ended = context.started
        rate_limiter, clock, number = self.rate_limiter, self.clock, 0
        while rate_limiter.enter_at_once(clock.monotonic()) or await rate_limiter.enter(
            context.started, context.deadline
        ):
            number += 1
            started = clock.monotonic()
            outcome = None
            try:
                outcome = await self.transport.send(call.request, self._seconds(context, started))
            finally:
                if outcome is None:
                    rate_limiter.leave()
            ended = clock.monotonic()
            if isinstance(outcome, Response):
                answer = outcome
                self.server_clock.newest = outcome.raw_headers, started, ended
            else:
                outcome = self._judged(outcome, context, started)
            pause = self._settle(call, context, outcome, number, started=started, ended=ended)
            if pause is None:
                break
            if pause:
                await clock.sleep(pause)
        else:  # the gate lets nobody through in time
            if outcome is None:
                raise self._too_late(context)
            self._give_back(context, outcome)
        if answered is not None and _is_success(outcome):
            await answered()
        return self._read(call, context, outcome, answer, ended - started)

    def _read(
        self,
        call: Call[T],
        context: CallContext,
        outcome: Response | Failure,
        answer: Response | None,
        elapsed: float,
    ) -> T:
        """Return what a call came to, or raise what ended it."""
        if _is_success(outcome):
            try:
                return protocol.answer(call, outcome)
            except DecodeError:
                if not context.attempts:
                    self._note(call, context, outcome, elapsed)
        # An answer says more than a silence. But what may have been done is told by the last try.
        told = outcome if call.repeat is RetrySafety.IF_NOT_SENT else answer or outcome
        return protocol.read(call, told, context.attempts, now=self.clock.now())

    def _judged(self, failure: Failure, context: CallContext, started: float) -> Failure:
        """Tell the end of the whole call's time from that of the attempt's."""
        if failure.reason is not Reason.TIMEOUT:
            return failure
        return evolve(failure, deadline=context.deadline - started < self.attempt_timeout)

    def _seconds(self, context: CallContext, now: float) -> float:
        """Return the seconds that an attempt may take."""
        # A timeout of nothing would be none at all: a sleep that overshot the deadline leaves a moment.
        return max(min(self.attempt_timeout, context.deadline - now), _MOMENT)

    def _settle(
        self,
        call: Call[T],
        context: CallContext,
        outcome: Response | Failure,
        number: int,
        *,
        started: float,
        ended: float,
    ) -> float | None:
        """Learn from one attempt, and return how long to sleep before the next, if there is one."""
        told = rate_limit(outcome) if isinstance(outcome, Response) else None
        if _is_success(outcome) and not (context.attempts or self._is_watched):
            self.budget.give(1.0)
            self.rate_limiter.leave_with(told, started, ended, None)
            return None
        wait, exhausted = self._plan(call, context, outcome, number, ended)
        if isinstance(outcome, Failure) and not outcome.sent:
            kept = False
            self.rate_limiter.leave_unsent()
        else:
            kept = self.rate_limiter.leave_with(told, started, ended, self._stop(outcome, wait))
        self._note(call, context, outcome, ended - started, wait=wait, told=told, exhausted=exhausted)
        # The pause that the server asks for is waited at the gate, in the order of all who wait there.
        return 0.0 if kept and wait is not None else wait

    def _plan(
        self, call: Call[T], context: CallContext, outcome: Response | Failure, number: int, now: float
    ) -> tuple[float | None, bool]:
        """Return how long to wait before another attempt, if there is one, and whether the budget forbids."""
        if not is_retryable(outcome):
            if isinstance(outcome, Response):
                self.budget.give(context.spent or 1.0)
                context.spent = 0.0
            return None, False
        wait = next_delay(
            self.retry,
            call.repeat,
            outcome,
            number=number,
            time_left=context.deadline - now,
            now=self.clock.now(),
            dice=self.clock.dice(),
        )
        if wait is None:
            return None, False
        cost = retry_cost(self.retry, outcome)
        if not self.budget.take(cost, now):
            return None, True
        context.spent += cost
        return wait, False

    def _give_back(self, context: CallContext, outcome: Response | Failure) -> None:
        """Take back what was paid for the repetition after `outcome`, which does not come."""
        cost = retry_cost(self.retry, outcome)
        self.budget.give(cost)
        context.spent -= cost

    def _stop(self, outcome: Response | Failure, wait: float | None) -> float | None:
        """Return how long the server wants nobody to come."""
        if isinstance(outcome, Failure) or not asks_for_pause(outcome):
            return None
        if wait is not None:
            return wait
        hint = retry_after(outcome, self.clock.now())
        return hint if hint is not None and hint <= LONGEST_PAUSE else None

    def _too_late(self, context: CallContext) -> TelnyxRoomsError:
        delay = self.rate_limiter.delay()
        if delay:
            return RateLimitError(_THROTTLED, (), None, delay, context.attempts)
        return APITimeoutError("no connection was free in time", False, context.attempts, True)  # noqa: FBT003 - fields are positional

    @property
    def _is_watched(self) -> bool:
        return self.on_attempt is not None or logger.isEnabledFor(logging.DEBUG)

    def _note(
        self,
        call: Call[T],
        context: CallContext,
        outcome: Response | Failure,
        elapsed: float,
        *,
        wait: float | None = None,
        told: RateLimit | None = None,
        exhausted: bool = False,
    ) -> None:
        attempt = record(
            call,
            outcome,
            number=len(context.attempts) + 1,
            elapsed=elapsed,
            wait=wait,
            told=told,
            exhausted=exhausted,
        )
        context.attempts = (*context.attempts, attempt)
        report(attempt, self.on_attempt)


def _is_success(outcome: Response | Failure) -> TypeGuard[Response]:
    return isinstance(outcome, Response) and outcome.status < 300  # noqa: PLR2004 - 2xx
