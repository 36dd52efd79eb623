"""Records of attempts: log lines and the ``on_attempt`` hook. Metadata only: no id, no query, no body."""

import logging
from collections.abc import Callable
from functools import partial
from inspect import isasyncgenfunction, iscoroutine, iscoroutinefunction
from typing import Final, TypeAlias, cast

from telnyx_rooms_async.core.http_messages import Call, Failure, Response
from telnyx_rooms_async.core.retry import was_not_processed
from telnyx_rooms_async.errors import Attempt, ConfigurationError, RateLimit

OnAttempt: TypeAlias = Callable[[Attempt], object]
"""Called with the record of each attempt. An exception that it raises is logged and suppressed."""

logger: Final = logging.getLogger("telnyx_rooms_async")
"""The library's logger. It writes nothing until the program configures logging."""
logger.addHandler(logging.NullHandler())


def check_on_attempt(on_attempt: object) -> None:
    """Raise a `ConfigurationError` for a hook that cannot be called, or would have to be awaited.

    A plain function that returns a coroutine cannot be recognized.
    """
    if on_attempt is None:
        return
    if not callable(on_attempt):
        raise ConfigurationError(f"on_attempt must be callable, not {on_attempt!r}")
    function: object = on_attempt
    while isinstance(function, partial):
        function = cast("object", function.func)
    called = (function, getattr(type(function), "__call__", None))  # noqa: B004 - what it is, not whether it is
    if any(iscoroutinefunction(value) or isasyncgenfunction(value) for value in called):
        raise ConfigurationError("on_attempt must be a plain function: it is called, and not awaited")


def record_attempt(
    call: Call[object],
    outcome: Response | Failure,
    attempts: tuple[Attempt, ...],
    on_attempt: OnAttempt | None,
    *,
    elapsed: float,
    wait: float | None = None,
    rate_limit: RateLimit | None = None,
    budget_exhausted: bool = False,
) -> tuple[Attempt, ...]:
    """Log an attempt, as a warning if it is retried and else for debugging, and call the hook with it.

    Returns:
        The records of the attempts before, and that of this one.
    """
    response = outcome if isinstance(outcome, Response) else None
    failure = outcome.reason if isinstance(outcome, Failure) else None
    attempt = Attempt(
        number=len(attempts) + 1,
        operation=call.endpoint.operation,
        method=call.request.method,
        template=call.endpoint.path,
        status=response.status if response else None,
        failure=failure,
        sent=not was_not_processed(outcome),
        elapsed=elapsed,
        wait=wait,
        request_id=response.request_id if response else None,
        rate_limit=rate_limit,
        budget_exhausted=budget_exhausted,
    )
    logger.log(
        logging.DEBUG if wait is None else logging.WARNING,
        "%s %s: attempt %d %s in %.3f s (request %s); %s",
        attempt.method,
        attempt.template,
        attempt.number,
        f"failed ({failure})" if failure else f"answered {attempt.status}",
        elapsed,
        attempt.request_id,
        "done" if wait is None else f"trying again in {wait:.3f} s",
    )
    if on_attempt is not None:
        try:
            returned = on_attempt(attempt)
            if iscoroutine(returned):  # from a plain function that calls an async one
                returned.close()
                logger.error("on_attempt returned a coroutine, which was not awaited: it must not be async")
        except Exception:  # of a user's hook: a room must not be lost to a bug in metrics
            logger.exception("on_attempt failed")
    return (*attempts, attempt)
