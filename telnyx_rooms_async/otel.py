"""One OpenTelemetry span a call, with its attempts as events: metadata only. Needs the extra ``otel``.

The names are those of OpenTelemetry's semantic conventions for HTTP clients. ``url.full`` is left out:
it holds ids, and in a query whatever was looked for.
"""

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Final, TypeVar
from urllib.parse import urlsplit

from attrs import asdict, evolve, frozen

from telnyx_rooms_async.attempts import OnAttempt
from telnyx_rooms_async.caller import Caller, Trail
from telnyx_rooms_async.client import RoomsClient
from telnyx_rooms_async.core.errors import ConfigurationError, TelnyxRoomsError
from telnyx_rooms_async.core.messages import Attempt, Call
from telnyx_rooms_async.core.statuses import APIStatusError

try:
    from opentelemetry import trace
except ImportError as _error:
    raise ImportError("tracing needs OpenTelemetry: pip install 'telnyx-rooms-async[otel]'") from _error

T = TypeVar("T")

_OURS: Final[ContextVar[trace.Span | None]] = ContextVar("telnyx_rooms_async.otel", default=None)
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
    caller = client._caller  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - one of us
    host = urlsplit(client._base_url)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - one of us
    server: dict[str, str | int] = {
        "server.address": host.hostname or "",
        "server.port": host.port or (443 if host.scheme == "https" else 80),
    }
    if isinstance(caller, _TracedCaller):
        raise ConfigurationError("the client is traced already")
    told = evolve(caller, on_attempt=partial(_tell, caller.on_attempt))
    fields = asdict(told, recurse=False)
    return client._view(_TracedCaller(**fields, tracer=tracer, server=server))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - one of us


@frozen(kw_only=True, eq=False, repr=False)
class _TracedCaller(Caller):
    """A caller that makes a span of every call."""

    tracer: trace.Tracer
    server: dict[str, str | int]

    async def run(self, call: Call[T], steps: Callable[[Call[T], Trail], Awaitable[T]]) -> T:
        with self._span(call):
            return await Caller.run(self, call, steps)

    @contextmanager
    def _span(self, call: Call[object]) -> Generator[None]:
        method = call.request.method
        facts = {"http.request.method": method, "url.template": call.template, **self.server}
        with self.tracer.start_as_current_span(
            f"{method} {call.template}",
            kind=trace.SpanKind.CLIENT,
            attributes={"telnyx.operation": call.operation, **facts},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            token = _OURS.set(span)
            try:
                yield
            except TelnyxRoomsError as error:
                kind = str(error.status) if isinstance(error, APIStatusError) else type(error).__qualname__
                span.set_attribute("error.type", kind)
                # Without a description: the words of an error may hold an id, or what a server repeats.
                span.set_status(trace.StatusCode.ERROR)
                raise
            finally:
                _OURS.reset(token)


def _tell(then: OnAttempt | None, attempt: Attempt) -> None:
    """Make an event of an attempt, and tell the hook that the client had before."""
    if (span := _OURS.get()) is not None:
        _add(span, attempt)
    if then is not None:
        then(attempt)


def _add(span: trace.Span, attempt: Attempt) -> None:
    facts: dict[str, str | float | None] = {
        "http.request.method": attempt.method,
        "url.template": attempt.template,
        "http.request.resend_count": attempt.number - 1,
        "http.response.status_code": attempt.status,
        "error.type": attempt.failure,
        "telnyx.request_id": attempt.request_id,
        "telnyx.attempt.elapsed": attempt.elapsed,
        "telnyx.attempt.wait": attempt.wait,
    }
    span.add_event("attempt", {name: fact for name, fact in facts.items() if fact is not None})
    span.set_attribute("http.request.resend_count", attempt.number - 1)
    if attempt.status is not None:
        span.set_attribute("http.response.status_code", attempt.status)
