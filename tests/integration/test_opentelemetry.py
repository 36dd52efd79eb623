"""What OpenTelemetry sees of the calls: metadata, and nothing that is secret."""

import asyncio
import io
import json
import subprocess
import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from telnyx_rooms_async import (
    APITimeoutError,
    BadRequestError,
    ConfigurationError,
    NotFoundError,
    OutcomeUnknownError,
    ReadOnlyError,
    RetryPolicy,
    RoomsClient,
)
from telnyx_rooms_async.emulator import Emulator, Fault
from telnyx_rooms_async.integrations.opentelemetry import traced
from tests.helpers.clocks import FakeClock
from tests.helpers.scripted_server import ScriptedServer

ROOM = b'{"data":{"id":"a-room"}}'


class Spans:
    """A provider that keeps what is told it."""

    def __init__(self) -> None:
        self.provider = TracerProvider()
        self._exporter = InMemorySpanExporter()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    @property
    def only(self) -> ReadableSpan:
        """The one span that there is."""
        (span,) = self._exporter.get_finished_spans()
        return span

    @property
    def all(self) -> tuple[ReadableSpan, ...]:
        """All that have ended, in that order."""
        return self._exporter.get_finished_spans()

    @property
    def names(self) -> list[str]:
        """The names of all."""
        return [span.name for span in self._exporter.get_finished_spans()]


@pytest.fixture
def spans() -> Spans:
    """What is told to OpenTelemetry."""
    return Spans()


@pytest.fixture
def client(scripted_server: ScriptedServer, fake_clock: FakeClock, spans: Spans) -> RoomsClient:
    """A traced client that never really sleeps."""
    plain = RoomsClient(
        "KEY-CANARY", base_url=scripted_server.url, clock=fake_clock.clock, attempt_timeout=0.2
    )
    return traced(plain, spans.provider)


async def test_a_call_is_one_span_with_its_attempts(
    client: RoomsClient, scripted_server: ScriptedServer, spans: Spans
) -> None:
    """A call that is repeated is one span, named by method and template, with an event for each attempt."""
    scripted_server.respond_with(
        ScriptedServer.http(503), ScriptedServer.http(200, ROOM, x_request_id="req-7")
    )
    async with client:
        await client.rooms.retrieve("a-room")
    span = spans.only
    assert (span.name, span.kind) == ("GET /rooms/{room_id}", SpanKind.CLIENT)
    assert dict(span.attributes or {}) == {
        "telnyx.operation": "ViewRoom",
        "http.request.method": "GET",
        "url.template": "/rooms/{room_id}",
        "server.address": "127.0.0.1",
        "server.port": scripted_server.port,
        "http.request.resend_count": 1,
        "http.response.status_code": 200,
    }
    assert [dict(event.attributes or {}).get("http.response.status_code") for event in span.events] == [
        503,
        200,
    ]
    assert dict(span.events[1].attributes or {})["telnyx.request_id"] == "req-7"
    assert span.status.status_code is StatusCode.UNSET


async def test_a_refusal_is_an_error_of_its_status(
    client: RoomsClient, scripted_server: ScriptedServer, spans: Spans
) -> None:
    """A span of a refused call has the status for its type of error."""
    scripted_server.respond_with(ScriptedServer.http(404))
    async with client:
        with pytest.raises(NotFoundError):
            await client.rooms.retrieve("a-room")
    assert (spans.only.attributes or {})["error.type"] == "404"
    assert spans.only.status.status_code is StatusCode.ERROR


async def test_a_failure_is_an_error_of_its_class(
    client: RoomsClient, scripted_server: ScriptedServer, spans: Spans
) -> None:
    """A span of a call without an answer has the name of the exception for its type of error."""
    scripted_server.respond_with(ScriptedServer.raw(b"", "hang"))
    async with client:
        with pytest.raises(APITimeoutError):
            await client.with_options(retry=RetryPolicy(attempts=1)).rooms.retrieve("a-room")
    assert (spans.only.attributes or {})["error.type"] == "APITimeoutError"


async def test_a_creation_that_looks_around_is_one_span(
    client: RoomsClient, scripted_server: ScriptedServer, spans: Spans
) -> None:
    """A room that is looked for is still one call: the looks are events of its span."""
    scripted_server.respond_with(ScriptedServer.raw(b""), ScriptedServer.http(200, b'{"data":[]}'))
    async with client:
        with pytest.raises(Exception, match="may or may not"):
            await client.rooms.create(unique_name="Weekly")
    assert spans.names == ["POST /rooms"]
    templates = [dict(event.attributes or {})["url.template"] for event in spans.only.events]
    assert templates == ["/rooms"] * 4


async def test_no_span_holds_a_secret(
    client: RoomsClient, scripted_server: ScriptedServer, spans: Spans
) -> None:
    """Neither the key nor an id is told to OpenTelemetry, nor a name, nor what a server says."""
    async with client:
        scripted_server.respond_with(ScriptedServer.http(400, b'{"errors":[{"detail":"CANARY is no room"}]}'))
        with pytest.raises(BadRequestError, match="CANARY is no room"):
            await client.rooms.retrieve("an-id-CANARY")
        scripted_server.respond_with(ScriptedServer.raw(b""))
        with pytest.raises(OutcomeUnknownError, match="CANARY"):
            await client.rooms.create(unique_name="CANARY", on_lost_response="raise")
        with pytest.raises(ReadOnlyError, match="CANARY"):
            await client.with_options(read_only=True).rooms.delete("an-id-CANARY")
    told = [span.to_json() for span in spans.all]
    assert len(told) == 3
    assert "CANARY" not in "".join(told)
    assert [(span.attributes or {})["error.type"] for span in spans.all] == [
        "400",
        "OutcomeUnknownError",
        "ReadOnlyError",
    ]
    assert {span.status.status_code for span in spans.all} == {StatusCode.ERROR}


async def test_the_attempts_at_a_file_are_in_no_span(
    client: RoomsClient, scripted_server: ScriptedServer, spans: Spans
) -> None:
    """The span of a user's own that a download happens to go on in is left as it is."""
    about = {
        "id": "it",
        "status": "completed",
        "download_url": scripted_server.url.replace("/v2", "/store/file"),
    }
    link = ScriptedServer.http(200, json.dumps({"data": about}).encode())
    scripted_server.respond_with(link, ScriptedServer.http(503), ScriptedServer.http(200, b"file"))
    tracer = spans.provider.get_tracer("the user's")
    async with client:
        with tracer.start_as_current_span("nightly"):
            await client.recordings.download("it", io.BytesIO())
    ours, users = spans.all
    assert (ours.name, users.name) == ("GET /room_recordings/{room_recording_id}", "nightly")
    assert len(ours.events) == 1
    assert (list(users.events), dict(users.attributes or {})) == ([], {})


async def test_only_a_request_that_is_resent_has_a_count(
    client: RoomsClient, scripted_server: ScriptedServer, spans: Spans
) -> None:
    """A first attempt has none, on its span and on its event; nor has the first look-up for a lost room."""
    scripted_server.respond_with(ScriptedServer.http(200, ROOM))
    async with client:
        await client.rooms.retrieve("a-room")
        scripted_server.respond_with(ScriptedServer.raw(b""), ScriptedServer.http(200, b'{"data":[]}'))
        with pytest.raises(OutcomeUnknownError):
            await client.rooms.create(unique_name="Weekly")
    count = "http.request.resend_count"
    assert [count in (span.attributes or {}) for span in spans.all] == [False, False]
    counts = [[(event.attributes or {}).get(count) for event in span.events] for span in spans.all]
    assert counts == [[None], [None, None, 1, 2]]


LISTINGS: dict[str, Callable[[RoomsClient], AsyncIterable[object]]] = {
    "rooms": lambda client: client.rooms.list(page_size=10),
    "pages": lambda client: client.rooms.list(page_size=10).pages(),
    "four at once": lambda client: client.rooms.list(page_size=10).prefetch(4),
}


@pytest.fixture
async def seeded(telnyx: Emulator, spans: Spans) -> AsyncIterator[RoomsClient]:
    """A traced client of a Telnyx with 100 rooms."""
    telnyx.seed(100)
    async with RoomsClient(telnyx.api_key, base_url=telnyx.url) as plain:
        yield traced(plain, spans.provider)


@pytest.mark.parametrize("make", LISTINGS.values(), ids=LISTINGS)
async def test_the_pages_of_a_list_are_siblings(
    seeded: RoomsClient, spans: Spans, make: Callable[[RoomsClient], AsyncIterable[object]]
) -> None:
    """Each page is a child of the user's span, whichever page was read when it was requested."""
    with spans.provider.get_tracer("the user's").start_as_current_span("nightly"):
        async for _ in make(seeded):
            pass
    *pages, users = spans.all
    assert len(pages) == 10
    assert all(span.parent == users.context for span in pages)
    assert max(span.end_time or 0 for span in pages) <= (users.end_time or 0)


@pytest.mark.parametrize("make", LISTINGS.values(), ids=LISTINGS)
async def test_a_page_that_is_abandoned_ends_before_its_parent(
    seeded: RoomsClient,
    telnyx: Emulator,
    spans: Spans,
    make: Callable[[RoomsClient], AsyncIterable[object]],
) -> None:
    """A page requested ahead does not outlive the span in which the loop over the list was left."""
    telnyx.script(
        Fault(delay=3600), times=None, when=lambda request: ("page[number]", "1") not in request.query
    )
    with spans.provider.get_tracer("the user's").start_as_current_span("nightly"):
        seen = 0
        async for _ in make(seeded):
            seen += 1
            if seen == 2 or make is LISTINGS["pages"]:
                break
    async with asyncio.timeout(60):
        while len(spans.all) < 3:  # the first page, one more at least, and the user's
            await asyncio.sleep(0)
    (users,) = [span for span in spans.all if span.name == "nightly"]
    pages = [span for span in spans.all if span is not users]
    assert all(span.parent == users.context for span in pages)
    assert max(span.end_time or 0 for span in pages) <= (users.end_time or 0)


async def test_a_client_is_traced_once(client: RoomsClient, scripted_server: ScriptedServer) -> None:
    """A client that is traced already is not traced twice."""
    with pytest.raises(ConfigurationError, match="already"):
        traced(client)


def test_without_opentelemetry_there_is_a_hint() -> None:
    """Whoever traces without the extra is told what to install."""
    program = "import sys; sys.modules['opentelemetry'] = None; import telnyx_rooms_async.integrations.opentelemetry"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "pip install 'telnyx-rooms-async[otel]'" in ended.stderr
