"""Spans and metrics of instrumented clients: one span for each call, with metadata only."""

import asyncio
import io
import json
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NoOpTracerProvider, SpanKind, StatusCode

from telnyx_rooms_async import (
    APITimeoutError,
    Attempt,
    BadRequestError,
    ConfigurationError,
    OutcomeUnknownError,
    ReadOnlyError,
    RetryPolicy,
    RoomsClient,
)
from telnyx_rooms_async.emulator import Emulator, Fault
from telnyx_rooms_async.integrations.opentelemetry import instrument
from tests.helpers.clocks import FakeClock
from tests.helpers.scripted_server import ScriptedServer

ROOM = b'{"data":{"id":"a-room"}}'
http, raw = ScriptedServer.http, ScriptedServer.raw


class Recorder:
    """Providers whose spans, once they have ended, and metrics are read by the test."""

    def __init__(self) -> None:
        self._exporter, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meter_provider = MeterProvider([self._reader])

    @property
    def ended(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    @property
    def only(self) -> ReadableSpan:
        (span,) = self.ended
        return span

    def metrics(self) -> dict[str, list[HistogramDataPoint | NumberDataPoint]]:
        """Return the data points of each metric."""
        data = self._reader.get_metrics_data()
        assert data is not None
        recorded = [metric for part in data.resource_metrics[0].scope_metrics for metric in part.metrics]
        return {metric.name: list(metric.data.data_points) for metric in recorded}  # type: ignore[arg-type]  # a union


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
async def client(
    scripted_server: ScriptedServer, fake_clock: FakeClock, recorder: Recorder
) -> AsyncIterator[RoomsClient]:
    """An instrumented client of the scripted server."""
    async with RoomsClient("KEY-CANARY", base_url=scripted_server.url, clock=fake_clock.clock) as plain:
        yield instrument(plain, recorder.tracer_provider, recorder.meter_provider)


def attributes_of(span: ReadableSpan) -> Mapping[str, object]:
    return dict(span.attributes or {})


def event_attributes(span: ReadableSpan, name: str) -> list[object]:
    return [(event.attributes or {}).get(name) for event in span.events]


async def test_call_is_one_span_with_its_attempts_as_events(
    client: RoomsClient, scripted_server: ScriptedServer, recorder: Recorder
) -> None:
    scripted_server.respond_with(http(503), http(200, ROOM, x_request_id="req-7"))
    await client.rooms.retrieve("a-room")
    assert (recorder.only.name, recorder.only.kind) == ("GET /rooms/{room_id}", SpanKind.CLIENT)
    assert attributes_of(recorder.only) == {
        "telnyx.operation": "ViewRoom",
        "http.request.method": "GET",
        "url.template": "/rooms/{room_id}",
        "server.address": "127.0.0.1",
        "server.port": scripted_server.port,
        "http.request.resend_count": 1,
        "http.response.status_code": 200,
    }
    assert event_attributes(recorder.only, "http.response.status_code") == [503, 200]
    assert event_attributes(recorder.only, "error.type") == ["503", None]
    assert event_attributes(recorder.only, "telnyx.request_id")[1] == "req-7"
    assert recorder.only.status.status_code is StatusCode.UNSET


async def test_each_attempt_is_measured_and_each_retry_is_counted_with_its_reason(
    client: RoomsClient, scripted_server: ScriptedServer, recorder: Recorder
) -> None:
    scripted_server.respond_with(http(503), raw(b""), http(200, ROOM))
    await client.rooms.retrieve("an-id-CANARY")
    attributes: dict[str, object] = {
        "http.request.method": "GET",
        "url.template": "/rooms/{room_id}",
        "server.address": "127.0.0.1",
        "server.port": scripted_server.port,
    }
    failures: list[dict[str, object]] = [
        attributes | {"http.response.status_code": 503, "error.type": "503"},
        attributes | {"error.type": "lost"},
    ]
    points = recorder.metrics()
    durations = points["http.client.request.duration"]
    assert [point.attributes for point in durations] == [
        *failures,
        attributes | {"http.response.status_code": 200},
    ]
    assert all(isinstance(point, HistogramDataPoint) for point in durations)
    assert isinstance(first := durations[0], HistogramDataPoint)
    assert (first.count, first.explicit_bounds[0], first.explicit_bounds[-1]) == (1, 0.005, 10)
    assert [
        (point.attributes, getattr(point, "value", None)) for point in points["telnyx.client.retries"]
    ] == [(failure, 1) for failure in failures]
    assert "telnyx.client.rate_limit.wait" not in points


async def test_wait_for_the_rate_limit_is_measured(
    client: RoomsClient, scripted_server: ScriptedServer, recorder: Recorder
) -> None:
    limits = {"x_ratelimit_limit": "1", "x_ratelimit_remaining": "0", "x_ratelimit_reset": "7"}
    scripted_server.respond_with(http(200, ROOM, **limits), http(200, ROOM))
    await client.rooms.retrieve("a-room")
    await client.rooms.retrieve("a-room")
    (point,) = recorder.metrics()["telnyx.client.rate_limit.wait"]
    assert isinstance(point, HistogramDataPoint)
    assert point.count == 1
    assert 7 <= point.sum < 8


async def test_creation_with_look_ups_is_one_span_and_counts_only_resent_requests(
    client: RoomsClient, scripted_server: ScriptedServer, recorder: Recorder
) -> None:
    scripted_server.respond_with(raw(b""), http(200, b'{"data":[]}'))
    with pytest.raises(OutcomeUnknownError):
        await client.rooms.create(unique_name="Weekly")
    assert recorder.only.name == "POST /rooms"
    assert event_attributes(recorder.only, "url.template") == ["/rooms"] * 4
    assert event_attributes(recorder.only, "http.request.resend_count") == [None, None, 1, 2]
    assert "http.request.resend_count" not in attributes_of(recorder.only)


async def test_spans_contain_the_type_of_an_error_but_no_key_id_name_or_message(
    client: RoomsClient, scripted_server: ScriptedServer, recorder: Recorder
) -> None:
    scripted_server.respond_with(
        http(400, b'{"errors":[{"detail":"CANARY is no room"}]}'), raw(b"", "hang"), raw(b"")
    )
    with pytest.raises(BadRequestError, match="CANARY is no room"):
        await client.rooms.retrieve("an-id-CANARY")
    once = client.with_options(attempt_timeout=0.2, retry=RetryPolicy(max_attempts=1))
    with pytest.raises(APITimeoutError):
        await once.rooms.retrieve("an-id-CANARY")
    with pytest.raises(OutcomeUnknownError, match="CANARY"):
        await client.rooms.create(unique_name="CANARY", on_lost_response="raise")
    with pytest.raises(ReadOnlyError, match="CANARY"):
        await client.with_options(read_only=True).rooms.delete("an-id-CANARY")
    types = [attributes_of(span)["error.type"] for span in recorder.ended]
    assert types == ["400", "APITimeoutError", "OutcomeUnknownError", "ReadOnlyError"]
    assert {span.status.status_code for span in recorder.ended} == {StatusCode.ERROR}
    assert "CANARY" not in "".join(span.to_json() for span in recorder.ended)


async def test_requests_for_files_are_in_no_span(
    client: RoomsClient, scripted_server: ScriptedServer, recorder: Recorder
) -> None:
    url = scripted_server.url.replace("/v2", "/store/file")
    recording = {"data": {"id": "it", "status": "completed", "download_url": url}}
    scripted_server.respond_with(http(200, json.dumps(recording).encode()), http(503), http(200, b"file"))
    with recorder.tracer_provider.get_tracer("user").start_as_current_span("nightly"):
        await client.recordings.download("it", io.BytesIO())
    assert len(traceparents(scripted_server)) == 1
    call, user = recorder.ended
    assert (call.name, user.name) == ("GET /room_recordings/{recording_id}", "nightly")
    assert len(call.events) == 1
    assert (list(user.events), attributes_of(user)) == ([], {})


def traceparents(server: ScriptedServer) -> list[str]:
    """Return the headers of the requests in which their spans are named."""
    heads = [request.decode().split("\r\n") for request in server.requests]
    return [line for head in heads for line in head if line.lower().startswith("traceparent: ")]


async def test_every_request_names_its_span(
    client: RoomsClient, scripted_server: ScriptedServer, recorder: Recorder
) -> None:
    scripted_server.respond_with(http(503), raw(b""), http(200, b'{"data":[]}'))
    with pytest.raises(OutcomeUnknownError):
        await client.rooms.create("Weekly")
    context = recorder.only.context
    assert len(scripted_server.requests) > 3
    assert traceparents(scripted_server) == [
        f"traceparent: 00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    ] * len(scripted_server.requests)


async def test_header_of_the_user_replaces_the_name_of_the_span(
    client: RoomsClient, scripted_server: ScriptedServer
) -> None:
    scripted_server.respond_with(http(200, ROOM))
    await client.with_options(headers={"Traceparent": "their-own"}).rooms.retrieve("a-room")
    assert traceparents(scripted_server) == ["Traceparent: their-own"]


async def test_request_without_a_span_has_no_header(
    scripted_server: ScriptedServer, recorder: Recorder
) -> None:
    scripted_server.respond_with(http(200, ROOM))
    async with RoomsClient("KEY0123", base_url=scripted_server.url) as plain:
        await instrument(plain, NoOpTracerProvider(), recorder.meter_provider).rooms.retrieve("a-room")
    assert traceparents(scripted_server) == []


LISTINGS: dict[str, Callable[[RoomsClient], AsyncIterable[object]]] = {
    "items": lambda client: client.rooms.list(page_size=10),
    "pages": lambda client: client.rooms.list(page_size=10).pages(),
    "prefetch": lambda client: client.rooms.list(page_size=10).prefetch(4),
}
every_listing = pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)


@pytest.fixture
async def emulator_client(telnyx: Emulator, recorder: Recorder) -> AsyncIterator[RoomsClient]:
    """A traced client of an emulator with 100 rooms."""
    telnyx.seed(100)
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url) as untraced:
        yield instrument(untraced, recorder.tracer_provider)


def assert_children_end_within_parent(recorder: Recorder) -> list[ReadableSpan]:
    (parent,) = [span for span in recorder.ended if span.name == "nightly"]
    children = [span for span in recorder.ended if span is not parent]
    assert all(span.parent == parent.context for span in children)
    assert max(span.end_time or 0 for span in children) <= (parent.end_time or 0)
    return children


@every_listing
async def test_pages_of_a_listing_are_children_of_the_current_span(
    emulator_client: RoomsClient, recorder: Recorder, listing: Callable[[RoomsClient], AsyncIterable[object]]
) -> None:
    with recorder.tracer_provider.get_tracer("user").start_as_current_span("nightly"):
        async for _ in listing(emulator_client):
            pass
    assert len(assert_children_end_within_parent(recorder)) == 10


@every_listing
async def test_abandoned_page_does_not_outlive_the_span_of_the_loop(
    emulator_client: RoomsClient,
    telnyx: Emulator,
    recorder: Recorder,
    listing: Callable[[RoomsClient], AsyncIterable[object]],
) -> None:
    telnyx.inject(
        Fault(delay=3600), times=None, when=lambda request: ("page[number]", "1") not in request.query
    )
    with recorder.tracer_provider.get_tracer("user").start_as_current_span("nightly"):
        count = 0
        async for _ in listing(emulator_client):
            count += 1
            if count == 2 or listing is LISTINGS["pages"]:
                break
    async with asyncio.timeout(60):
        while len(recorder.ended) < 3:  # the first page, at least one more, and the parent
            await asyncio.sleep(0)
    assert_children_end_within_parent(recorder)


async def test_hook_of_the_untraced_client_is_still_called(
    scripted_server: ScriptedServer, recorder: Recorder
) -> None:
    attempts: list[Attempt] = []
    scripted_server.respond_with(http(200, ROOM))
    async with RoomsClient("KEY0123", base_url=scripted_server.url, on_attempt=attempts.append) as untraced:
        await instrument(untraced, recorder.tracer_provider).rooms.retrieve("a-room")
    assert [attempt.operation for attempt in attempts] == ["ViewRoom"]
    assert len(recorder.only.events) == 1


async def test_instrumented_client_cannot_be_instrumented_again(client: RoomsClient) -> None:
    with pytest.raises(ConfigurationError, match="already"):
        instrument(client)
