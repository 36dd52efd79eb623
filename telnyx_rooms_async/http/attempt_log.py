"""Records of attempts: log lines and the ``on_attempt`` hook. Metadata only: no id, no query, no body."""

import logging
from collections.abc import Callable
from inspect import iscoroutine
from typing import Final, TypeAlias, TypeVar

from telnyx_rooms_async.core import error_mapping
from telnyx_rooms_async.core.http_messages import Call, Failure, RateLimit, Response
from telnyx_rooms_async.core.retry import was_not_processed
from telnyx_rooms_async.errors import Attempt

T = TypeVar("T")

OnAttempt: TypeAlias = Callable[[Attempt], object]
"""Called with the record of each attempt. An exception that it raises is logged and suppressed."""

logger: Final = logging.getLogger("telnyx_rooms_async")
"""The library's logger. It writes nothing until the program configures logging."""
logger.addHandler(logging.NullHandler())


def build_attempt(
    call: Call[T],
    outcome: Response | Failure,
    *,
    number: int,
    elapsed: float,
    wait: float | None,
    rate_limit: RateLimit | None = None,
    budget_exhausted: bool = False,
) -> Attempt:
    """Return the record of one attempt."""
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
        request_id=error_mapping.request_id(response) if response else None,
        rate_limit=rate_limit,
        budget_exhausted=budget_exhausted,
    )


def emit_attempt(attempt: Attempt, on_attempt: OnAttempt | None) -> None:
    """Log an attempt, and call the hook with it."""
    _log(attempt)
    if on_attempt is None:
        return
    try:
        returned = on_attempt(attempt)
        if iscoroutine(returned):  # from a plain function that calls an async one
            returned.close()
            logger.error("on_attempt returned a coroutine, which was not awaited: it must not be async")
    except Exception:  # of a user's hook: a room must not be lost to a bug in metrics
        logger.exception("on_attempt failed")


def _log(attempt: Attempt) -> None:
    """Log a warning for an attempt that is retried, else a debug line."""
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
