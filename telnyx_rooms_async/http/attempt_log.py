"""The record of an attempt: made, and told to the log. Metadata only: no id, no query, no body."""

import logging
from collections.abc import Callable
from inspect import iscoroutine
from typing import Final, TypeAlias, TypeVar

from telnyx_rooms_async.core import protocol
from telnyx_rooms_async.core.http_messages import Attempt, Call, Failure, RateLimit, Response
from telnyx_rooms_async.core.retry import was_not_processed

T = TypeVar("T")

OnAttempt: TypeAlias = Callable[[Attempt], object]
"""Called after each attempt with its record; what it raises is logged and goes no further."""

logger: Final = logging.getLogger("telnyx_rooms_async")
"""The only one of the library. It prints nothing until the program configures logging."""
logger.addHandler(logging.NullHandler())


def record(
    call: Call[T],
    outcome: Response | Failure,
    *,
    number: int,
    elapsed: float,
    wait: float | None,
    told: RateLimit | None = None,
    exhausted: bool = False,
) -> Attempt:
    """Make the record of one attempt."""
    response = outcome if isinstance(outcome, Response) else None
    return Attempt(
        number=number,
        operation=call.operation,
        method=call.request.method,
        template=call.template,
        status=response.status if response else None,
        failure=outcome.reason if isinstance(outcome, Failure) else None,
        sent=not was_not_processed(outcome),
        elapsed=elapsed,
        wait=wait,
        request_id=protocol.request_id(response) if response else None,
        rate_limit=told,
        budget_exhausted=exhausted,
    )


def report(attempt: Attempt, hook: OnAttempt | None) -> None:
    """Log one attempt, and tell the hook."""
    _log(attempt)
    if hook is not None:
        try:
            returned = hook(attempt)
            if iscoroutine(returned):  # of a plain function that calls an async one
                returned.close()
                logger.error("on_attempt returned a coroutine, which was not awaited: it must not be async")
        except Exception:  # of a user's hook: a room must not be lost to a mistake in what counts it
            logger.exception("on_attempt failed")


def _log(attempt: Attempt) -> None:
    """Tell of one attempt: a warning if there is another, else a line for debugging."""
    if attempt.wait is None and not logger.isEnabledFor(logging.DEBUG):
        return
    logger.log(
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
