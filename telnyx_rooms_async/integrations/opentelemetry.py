"""OpenTelemetry: a span for each call, with its attempts as events, and metrics. Needs the extra ``otel``.

Spans and metrics hold metadata only. Names follow the semantic conventions for HTTP clients; ``url.full`` is
left out, since it contains ids and search terms. The guide to `telnyx_rooms_async.integrations` lists the
metrics.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import partial
from typing import Final, TypeAlias, TypeVar
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
    from opentelemetry import metrics, propagate, trace
except ImportError as _error:
    raise ImportError("tracing needs OpenTelemetry: pip install 'telnyx-rooms-async[otel]'") from _error

T = TypeVar("T")
Attributes: TypeAlias = dict[str, str | int | float]

_NAME: Final = "telnyx_rooms_async"
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""Bucket boundaries of ``http.client.request.duration`` in the semantic conventions."""
_ERRORS_FROM: Final = 400
"""The lowest status that is an error."""


def instrument(
    client: RoomsClient,
    tracer_provider: trace.TracerProvider | None = None,
    meter_provider: metrics.MeterProvider | None = None,
) -> RoomsClient:
    """Return a view of a client with spans and metrics; it shares the session, like `with_options`.

    A listing creates a span for each page, a download one for each request of its download URL, but none for
    the file. Each request carries the context of its span in headers, by default ``traceparent``, as the
    global propagator writes them; requests for files do not.

    Args:
        client: a client or a view of one.
        tracer_provider: default: the global provider.
        meter_provider: default: the global provider.

    Raises:
        ConfigurationError: the client is instrumented already.

    Example:
        >>> client = instrument(RoomsClient())
    """
    api = client._api  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - of this package
    if isinstance(api, _InstrumentedApiSession):
        raise ConfigurationError("the client is instrumented already")
    host = urlsplit(api.transport.base_url)
    server: Attributes = {
        "server.address": host.hostname or "",
        "server.port": host.port or (443 if host.scheme == "https" else 80),
    }
    meters = _Meters(metrics.get_meter(_NAME, meter_provider=meter_provider), server)
    fields = asdict(evolve(api, on_attempt=partial(_record_attempt, meters, api.on_attempt)), recurse=False)
    tracer = trace.get_tracer(_NAME, tracer_provider=tracer_provider)
    return client._view(_InstrumentedApiSession(**fields, tracer=tracer, meters=meters))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - of this package


class _Meters:
    """The metrics of a client."""

    def __init__(self, meter: metrics.Meter, server: Attributes) -> None:
        self.server = server
        self.duration = meter.create_histogram(
            "http.client.request.duration",
            "s",
            "Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )
        self.retries = meter.create_counter(
            "telnyx.client.retries", "{retry}", "Number of attempts that were retried."
        )
        self.wait = meter.create_histogram(
            "telnyx.client.rate_limit.wait",
            "s",
            "Time that requests were queued for the rate limit.",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )


@define(eq=False)
class _CallSpan:
    """The span of a call, and the number of requests of each operation of the call."""

    span: trace.Span
    operation: str
    requests: Counter[str] = field(factory=Counter[str])

    def add_attempt(self, attempt: Attempt, attributes: Attributes) -> None:
        """Add an attempt as an event, and its status to the span."""
        resend_count = self.requests[attempt.operation]
        self.requests[attempt.operation] += 1
        optional = {
            "http.request.resend_count": resend_count or None,
            "telnyx.request_id": attempt.request_id,
            "telnyx.attempt.wait": attempt.wait,
        }
        attributes = attributes | {name: value for name, value in optional.items() if value is not None}
        self.span.add_event("attempt", attributes | {"telnyx.attempt.elapsed": attempt.elapsed})
        # The look-up of a room whose create response was lost is another operation, not a retry.
        if resend_count and attempt.operation == self.operation:
            self.span.set_attribute("http.request.resend_count", resend_count)
        if attempt.status is not None:
            self.span.set_attribute("http.response.status_code", attempt.status)


_CALL_SPAN: Final[ContextVar[_CallSpan | None]] = ContextVar(
    "telnyx_rooms_async.integrations.opentelemetry", default=None
)
"""The span of the current call. OpenTelemetry's current span could be one of the user."""


def _record_attempt(meters: _Meters, on_attempt: OnAttempt | None, attempt: Attempt) -> None:
    """Record an attempt in its span and in metrics, and call the hook that the client had before."""
    if (call := _CALL_SPAN.get()) is not None:  # it is None for a request for a file
        attributes: Attributes = {"http.request.method": attempt.method, "url.template": attempt.template}
        if attempt.status is not None:
            attributes["http.response.status_code"] = attempt.status
        if attempt.failure is not None or (attempt.status or 0) >= _ERRORS_FROM:
            attributes["error.type"] = str(attempt.failure or attempt.status)
        call.add_attempt(attempt, attributes)
        meters.duration.record(attempt.elapsed, attributes | meters.server)
        if attempt.wait is not None:
            meters.retries.add(1, attributes | meters.server)
    if on_attempt is not None:
        on_attempt(attempt)


@frozen(kw_only=True, eq=False, repr=False)
class _InstrumentedApiSession(ApiSession):
    """An `ApiSession` that creates a span for every call, and measures its requests."""

    tracer: trace.Tracer
    meters: _Meters

    async def call(
        self, call: Call[T], steps: Callable[[Call[T], CallContext], Awaitable[T]] | None = None
    ) -> T:
        parent, started, end_time = trace.get_current_span(), time.time_ns(), None
        with self.tracer.start_as_current_span(
            f"{call.request.method} {call.endpoint.path}",
            None,  # the current context
            trace.SpanKind.CLIENT,
            attributes={
                "telnyx.operation": call.endpoint.operation,
                "http.request.method": call.request.method,
                "url.template": call.endpoint.path,
                **self.meters.server,
            },
            start_time=started,
            record_exception=False,
            set_status_on_exception=False,
            end_on_exit=False,
        ) as span:
            token = _CALL_SPAN.set(_CallSpan(span, call.endpoint.operation))
            try:
                return await ApiSession.call(self, call, steps)
            except (TelnyxRoomsError, asyncio.CancelledError) as error:
                if isinstance(error, TelnyxRoomsError):
                    # Without a description: a message can contain an id, or text of the server.
                    span.set_status(trace.StatusCode.ERROR)
                    status = error.status_code if isinstance(error, APIStatusError) else None
                    span.set_attribute("error.type", str(status or type(error).__qualname__))
                # A prefetched page can be abandoned after the loop over its list and the parent span end.
                if _has_ended(parent) and isinstance(error, asyncio.CancelledError | ClientClosedError):
                    end_time = started
                raise
            finally:
                _CALL_SPAN.reset(token)
                span.end(end_time)

    async def send_with_retries(self, call: Call[T], context: CallContext) -> T:
        headers = dict[str, str]()
        propagate.inject(headers)
        if headers:
            call = call._replace(request=call.request.with_headers(headers))
        return await ApiSession.send_with_retries(self, call, context)

    async def wait_for_rate_limit(self, context: CallContext) -> bool:
        started = self.clock.monotonic()
        try:
            return await ApiSession.wait_for_rate_limit(self, context)
        finally:
            self.meters.wait.record(self.clock.monotonic() - started, self.meters.server)


def _has_ended(span: trace.Span) -> bool:
    context = span.get_span_context()
    return context.is_valid and not context.is_remote and not span.is_recording()
