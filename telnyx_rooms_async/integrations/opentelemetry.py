"""OpenTelemetry: one span for each call, with its attempts as events. Needs the extra ``otel``.

Spans hold metadata only. Names follow the semantic conventions for HTTP clients; ``url.full`` is left out,
since it contains ids and search terms.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import partial
from typing import Final, TypeVar
from urllib.parse import urlsplit

from attrs import asdict, define, evolve, field, frozen

from telnyx_rooms_async.client import RoomsClient
from telnyx_rooms_async.core.http_messages import Call
from telnyx_rooms_async.errors import (
    APIStatusError,
    Attempt,
    ClientClosedError,
    ConfigurationError,
    TelnyxRoomsError,
)
from telnyx_rooms_async.http.api_session import ApiSession, CallContext
from telnyx_rooms_async.http.attempt_log import OnAttempt

try:
    from opentelemetry import trace
except ImportError as _error:
    raise ImportError("tracing needs OpenTelemetry: pip install 'telnyx-rooms-async[otel]'") from _error

T = TypeVar("T")


def instrument(client: RoomsClient, tracer_provider: trace.TracerProvider | None = None) -> RoomsClient:
    """Return a view of a client whose calls create spans; it shares the session, like `with_options`.

    A listing creates a span for each page, a download one for each request of its download URL, but none for
    the file.

    Args:
        client: a client or a view of one.
        tracer_provider: default: the global provider.

    Raises:
        ConfigurationError: the client is traced already.

    Example:
        >>> client = instrument(RoomsClient())
    """
    tracer = trace.get_tracer("telnyx_rooms_async", tracer_provider=tracer_provider)
    api = client._api  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - of this package
    if isinstance(api, _TracedApiSession):
        raise ConfigurationError("the client is traced already")
    host = urlsplit(api.transport.base_url)
    server: dict[str, str | int] = {
        "server.address": host.hostname or "",
        "server.port": host.port or (443 if host.scheme == "https" else 80),
    }
    fields = asdict(evolve(api, on_attempt=partial(_add_attempt, api.on_attempt)), recurse=False)
    return client._view(_TracedApiSession(**fields, tracer=tracer, server=server))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - of this package


@define(eq=False)
class _CallSpan:
    """The span of a call, and the number of requests of each operation of the call."""

    span: trace.Span
    operation: str
    requests: Counter[str] = field(factory=Counter[str])


_CALL_SPAN: Final[ContextVar[_CallSpan | None]] = ContextVar(
    "telnyx_rooms_async.integrations.opentelemetry", default=None
)
"""The span of the current call. OpenTelemetry's current span could be one of the user."""


def _add_attempt(on_attempt: OnAttempt | None, attempt: Attempt) -> None:
    """Add an attempt to the span of its call, and call the hook that the client had before."""
    if (call := _CALL_SPAN.get()) is not None:
        resend_count = call.requests[attempt.operation] or None
        call.requests[attempt.operation] += 1
        attributes: dict[str, str | float | None] = {
            "http.request.method": attempt.method,
            "url.template": attempt.template,
            "http.request.resend_count": resend_count,
            "http.response.status_code": attempt.status,
            "error.type": attempt.failure,
            "telnyx.request_id": attempt.request_id,
            "telnyx.attempt.elapsed": attempt.elapsed,
            "telnyx.attempt.wait": attempt.wait,
        }
        call.span.add_event(
            "attempt", {name: value for name, value in attributes.items() if value is not None}
        )
        # The look-up of a room whose create response was lost is another operation, not a retry.
        if resend_count is not None and attempt.operation == call.operation:
            call.span.set_attribute("http.request.resend_count", resend_count)
        if attempt.status is not None:
            call.span.set_attribute("http.response.status_code", attempt.status)
    if on_attempt is not None:
        on_attempt(attempt)


@frozen(kw_only=True, eq=False, repr=False)
class _TracedApiSession(ApiSession):
    """An `ApiSession` that creates a span for every call."""

    tracer: trace.Tracer
    server: dict[str, str | int]

    async def call(
        self, call: Call[T], steps: Callable[[Call[T], CallContext], Awaitable[T]] | None = None
    ) -> T:
        parent, started, end_time = trace.get_current_span(), time.time_ns(), None
        with self.tracer.start_as_current_span(
            f"{call.request.method} {call.template}",
            None,  # the current context
            trace.SpanKind.CLIENT,
            attributes={
                "telnyx.operation": call.operation,
                "http.request.method": call.request.method,
                "url.template": call.template,
                **self.server,
            },
            start_time=started,
            record_exception=False,
            set_status_on_exception=False,
            end_on_exit=False,
        ) as span:
            token = _CALL_SPAN.set(_CallSpan(span, call.operation))
            try:
                return await ApiSession.call(self, call, steps)
            except (TelnyxRoomsError, asyncio.CancelledError) as error:
                if isinstance(error, TelnyxRoomsError):
                    # Without a description: a message can contain an id, or text of the server.
                    span.set_status(trace.StatusCode.ERROR)
                    error_type = type(error).__qualname__
                    span.set_attribute(
                        "error.type",
                        str(error.status_code) if isinstance(error, APIStatusError) else error_type,
                    )
                # A prefetched page can be abandoned after the loop over its list and the parent span end.
                context = parent.get_span_context()
                has_ended = context.is_valid and not context.is_remote and not parent.is_recording()
                if has_ended and isinstance(error, asyncio.CancelledError | ClientClosedError):
                    end_time = started
                raise
            finally:
                _CALL_SPAN.reset(token)
                span.end(end_time)
