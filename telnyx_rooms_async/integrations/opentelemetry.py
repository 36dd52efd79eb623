"""One OpenTelemetry span a call, with its attempts as events: metadata only. Needs the extra ``otel``.

The names are those of OpenTelemetry's semantic conventions for HTTP clients. ``url.full`` is left out:
it holds ids, and in a query whatever was looked for.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Final, TypeVar
from urllib.parse import urlsplit

from attrs import asdict, define, evolve, field, frozen

from telnyx_rooms_async.client import RoomsClient
from telnyx_rooms_async.core.http_messages import Attempt, Call
from telnyx_rooms_async.errors import APIStatusError, ClientClosedError, ConfigurationError, TelnyxRoomsError
from telnyx_rooms_async.http.api_session import ApiSession, CallContext
from telnyx_rooms_async.http.attempt_log import OnAttempt

try:
    from opentelemetry import trace
except ImportError as _error:
    raise ImportError("tracing needs OpenTelemetry: pip install 'telnyx-rooms-async[otel]'") from _error

T = TypeVar("T")


@define(eq=False)
class _CallSpan:
    """The span of one call, and how many requests each operation of the call has made."""

    span: trace.Span
    operation: str
    requests: Counter[str] = field(factory=Counter[str])

    def add(self, attempt: Attempt) -> None:
        """Make an event of an attempt, and update the span."""
        resent = self.requests[attempt.operation] or None
        self.requests[attempt.operation] += 1
        facts: dict[str, str | float | None] = {
            "http.request.method": attempt.method,
            "url.template": attempt.template,
            "http.request.resend_count": resent,
            "http.response.status_code": attempt.status,
            "error.type": attempt.failure,
            "telnyx.request_id": attempt.request_id,
            "telnyx.attempt.elapsed": attempt.elapsed,
            "telnyx.attempt.wait": attempt.wait,
        }
        self.span.add_event("attempt", {name: fact for name, fact in facts.items() if fact is not None})
        # A look-up for a room whose answer was lost is not the same request sent again.
        if resent is not None and attempt.operation == self.operation:
            self.span.set_attribute("http.request.resend_count", resent)
        if attempt.status is not None:
            self.span.set_attribute("http.response.status_code", attempt.status)


_OURS: Final[ContextVar[_CallSpan | None]] = ContextVar(
    "telnyx_rooms_async.integrations.opentelemetry", default=None
)
"""The span of the call: the current one may be the user's."""


def traced(client: RoomsClient, tracer_provider: trace.TracerProvider | None = None) -> RoomsClient:
    """Return a view of a client whose calls are spans; it shares the session, as `with_options` does.

    A download has a span for each time that it asks for its link, and none for its file; a listing has one
    for each page.

    Args:
        client: may be a view itself.
        tracer_provider: the global one unless given.

    Raises:
        ConfigurationError: the client is traced already.
    """
    tracer = trace.get_tracer("telnyx_rooms_async", tracer_provider=tracer_provider)
    api = client._api  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - one of us
    host = urlsplit(client._base_url)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - one of us
    server: dict[str, str | int] = {
        "server.address": host.hostname or "",
        "server.port": host.port or (443 if host.scheme == "https" else 80),
    }
    if isinstance(api, _TracedCaller):
        raise ConfigurationError("the client is traced already")
    told = evolve(api, on_attempt=partial(_tell, api.on_attempt))
    fields = asdict(told, recurse=False)
    return client._view(_TracedCaller(**fields, tracer=tracer, server=server))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - one of us


@frozen(kw_only=True, eq=False, repr=False)
class _TracedCaller(ApiSession):
    """A caller that makes a span of every call."""

    tracer: trace.Tracer
    server: dict[str, str | int]

    async def call(
        self, call: Call[T], steps: Callable[[Call[T], CallContext], Awaitable[T]] | None = None
    ) -> T:
        with self._span(call):
            return await ApiSession.call(self, call, steps)

    @contextmanager
    def _span(self, call: Call[object]) -> Generator[None]:
        method = call.request.method
        facts = {"http.request.method": method, "url.template": call.template, **self.server}
        parent, started, end_time = trace.get_current_span(), time.time_ns(), None
        with self.tracer.start_as_current_span(
            f"{method} {call.template}",
            kind=trace.SpanKind.CLIENT,
            attributes={"telnyx.operation": call.operation, **facts},
            start_time=started,
            record_exception=False,
            set_status_on_exception=False,
            end_on_exit=False,
        ) as span:
            token = _OURS.set(_CallSpan(span, call.operation))
            try:
                yield
            except (TelnyxRoomsError, asyncio.CancelledError) as error:
                if isinstance(error, TelnyxRoomsError):
                    kind = (
                        str(error.status) if isinstance(error, APIStatusError) else type(error).__qualname__
                    )
                    span.set_attribute("error.type", kind)
                    # Without a description: the words of an error may hold an id, or what a server repeats.
                    span.set_status(trace.StatusCode.ERROR)
                # A page that was requested ahead is abandoned after the loop over the list has been left.
                if isinstance(error, asyncio.CancelledError | ClientClosedError) and _has_ended(parent):
                    end_time = started
                raise
            finally:
                _OURS.reset(token)
                span.end(end_time)


def _has_ended(parent: trace.Span) -> bool:
    """Tell whether a span of this process has ended; of another process's span it is not known."""
    context = parent.get_span_context()
    return context.is_valid and not context.is_remote and not parent.is_recording()


def _tell(then: OnAttempt | None, attempt: Attempt) -> None:
    """Make an event of an attempt, and tell the hook that the client had before."""
    if (ours := _OURS.get()) is not None:
        ours.add(attempt)
    if then is not None:
        then(attempt)
