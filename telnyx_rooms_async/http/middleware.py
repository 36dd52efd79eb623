"""Middleware: functions of the user around each attempt of a call."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeAlias, cast

from telnyx_rooms_async.core.error_mapping import error_of
from telnyx_rooms_async.core.http_messages import Failure, Request, Response
from telnyx_rooms_async.core.validators import short_repr
from telnyx_rooms_async.errors import ConfigurationError, TelnyxRoomsError

CallNext: TypeAlias = Callable[[Request], Awaitable[Response]]
"""Sends a request through the following middleware, and the last one to the server."""
Middleware: TypeAlias = Callable[[Request, CallNext], Awaitable[Response]]
"""An async function around one attempt of a call: ``async def add_trace(request, call_next)``."""


def check_middleware(middleware: Sequence[Middleware]) -> tuple[Middleware, ...]:
    """Return middleware as a tuple.

    Raises:
        ConfigurationError: it is no sequence of functions.
    """
    is_sequence = isinstance(cast("object", middleware), Sequence)
    if not is_sequence or not all(callable(cast("object", function)) for function in middleware):
        raise ConfigurationError(
            f"middleware must be a list of async functions, not {short_repr(middleware)}"
        )
    return tuple(middleware)


async def send_through(
    middleware: tuple[Middleware, ...],
    send: Callable[[Request], Awaitable[Response | Failure]],
    request: Request,
) -> Response | Failure:
    """Send a request through middleware, of which the first is the outermost.

    Middleware sees a failure as the exception that a call without retries would raise. If it lets the
    exception pass, the failure is the outcome; its own exceptions are raised.
    """
    failures: list[tuple[TelnyxRoomsError, Failure]] = []

    async def send_or_raise(request: Request) -> Response:
        outcome = await send(request)
        if isinstance(outcome, Response):
            return outcome
        error = error_of(outcome, (), now=None)
        failures.append((error, outcome))
        raise error

    call_next: CallNext = send_or_raise
    for function in reversed(middleware):
        call_next = partial(_call, function, call_next)
    try:
        return await call_next(request)
    except TelnyxRoomsError as error:
        outcome = next((failure for raised, failure in failures if raised is error), None)
        if outcome is None:
            raise
        error.__traceback__ = None  # its frames refer to it by `failures`
        return outcome


async def _call(function: Middleware, call_next: CallNext, request: Request) -> Response:
    response = await function(request, call_next)
    if not isinstance(cast("object", response), Response):
        name = getattr(function, "__name__", type(function).__name__)
        raise ConfigurationError(f"middleware {name} must return a Response, not {short_repr(response)}")
    return response
