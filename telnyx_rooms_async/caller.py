"""The loop: send, decide, read. Time and chance come in through the `Clock`."""

import logging
from collections.abc import AsyncGenerator
from typing import Final, TypeVar

from attrs import evolve, frozen

from telnyx_rooms_async.clock import Clock
from telnyx_rooms_async.core import protocol
from telnyx_rooms_async.core.errors import PaginationError
from telnyx_rooms_async.core.messages import Attempt, Call, Failure, Reason, Repeat, Response
from telnyx_rooms_async.core.models import Identified, Page
from telnyx_rooms_async.core.retry import RetryPolicy, next_delay, untouched
from telnyx_rooms_async.transport import AiohttpTransport

T = TypeVar("T")
Item = TypeVar("Item", bound=Identified)

_logger = logging.getLogger("telnyx_rooms_async")
_STALE_PAGES: Final = 3


@frozen(kw_only=True)
class Caller:
    """Makes calls until they are answered, refused or out of time."""

    transport: AiohttpTransport
    timeout: float
    """Seconds for the whole call: attempts and the pauses between them."""
    attempt_timeout: float
    """Seconds for each attempt."""
    retry: RetryPolicy
    clock: Clock

    async def ask(self, call: Call[T]) -> T:
        """Make one call, and more attempts at it where the policy and the operation allow.

        Raises:
            TelnyxRoomsError: one class for each way to fail, with all attempts in it.
        """
        deadline = self.clock.monotonic() + self.timeout
        attempts: tuple[Attempt, ...] = ()
        answer: Response | None = None
        while True:
            started = self.clock.monotonic()
            outcome = await self._try(call, deadline - started)
            ended = self.clock.monotonic()
            number = len(attempts) + 1
            wait = None if self.transport.closed else self._pause(call, outcome, number, deadline - ended)
            attempts = (*attempts, record(call, outcome, number, ended - started, wait))
            log(attempts[-1])
            if isinstance(outcome, Response):
                answer = outcome
            if wait is None:
                # An answer says more than a silence. But what may have been done is told by the last try.
                told = outcome if call.repeat is Repeat.UNSENT else answer or outcome
                return protocol.read(call, told, attempts, now=self.clock.now())
            await self.clock.sleep(wait)

    async def walk(self, call: Call[Page[Item]]) -> AsyncGenerator[Page[Item], None]:
        """Make one call a page from this one on, and yield each page without the items already seen.

        Raises:
            PaginationError: three pages in a row brought nothing new.
        """
        seen: set[str] = set()
        stale = 0
        ahead: Call[Page[Item]] | None = call
        while ahead is not None:
            page = await self.ask(ahead)
            ahead = protocol.following(ahead, page)
            fresh = {item.id: item for item in page.data if item.id not in seen}
            seen.update(fresh)
            stale = 0 if fresh else stale + 1
            if stale == _STALE_PAGES and ahead is not None:
                raise PaginationError(len(seen), page.meta.total_results)
            yield page if len(fresh) == len(page.data) else evolve(page, data=tuple(fresh.values()))

    async def _try(self, call: Call[T], time_left: float) -> Response | Failure:
        # A timeout of nothing would be none at all: a sleep that overshot the deadline leaves a moment.
        seconds = max(min(self.attempt_timeout, time_left), 0.001)
        outcome = await self.transport.send(call.request, seconds)
        if isinstance(outcome, Failure) and outcome.reason is Reason.TIMEOUT:
            return evolve(outcome, deadline=time_left < self.attempt_timeout)
        return outcome

    def _pause(
        self, call: Call[T], outcome: Response | Failure, number: int, time_left: float
    ) -> float | None:
        if isinstance(outcome, Response) and outcome.status < 400:  # noqa: PLR2004 - not an error status
            return None
        return next_delay(
            self.retry,
            call.repeat,
            outcome,
            number=number,
            time_left=time_left,
            now=self.clock.now(),
            dice=self.clock.dice(),
        )


def record(
    call: Call[T], outcome: Response | Failure, number: int, elapsed: float, wait: float | None
) -> Attempt:
    """Make the record of one attempt: metadata only."""
    response = outcome if isinstance(outcome, Response) else None
    return Attempt(
        number=number,
        operation=call.operation,
        method=call.request.method,
        template=call.template,
        status=response.status if response else None,
        failure=outcome.reason if isinstance(outcome, Failure) else None,
        sent=not untouched(outcome),
        elapsed=elapsed,
        wait=wait,
        request_id=protocol.request_id(response) if response else None,
    )


def log(attempt: Attempt) -> None:
    """Tell of one attempt: metadata only, no id, no query, no body."""
    if attempt.wait is None and not _logger.isEnabledFor(logging.DEBUG):
        return
    _logger.log(
        logging.DEBUG if attempt.wait is None else logging.WARNING,
        "%s %s: attempt %d %s in %.3f s (request %s); %s",
        attempt.method,
        attempt.template,
        attempt.number,
        f"failed ({attempt.failure})" if attempt.failure else f"answered {attempt.status}",
        attempt.elapsed,
        attempt.request_id,
        "done" if attempt.wait is None else f"trying again in {attempt.wait:.3f} s",
    )
