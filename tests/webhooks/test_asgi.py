"""The ASGI app with messages that a real server does not send."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from attrs import define, field

from telnyx_rooms_async.integrations.asgi import asgi_app
from telnyx_rooms_async.webhooks import (
    Event,
    EventRouter,
    RecordingCompletedPayload,
    RoomRecordingCompleted,
    RoomSessionEnded,
    Webhooks,
)
from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY, sign
from tests.helpers.clocks import FakeClock
from tests.helpers.error_reports import reported_texts


@define
class Server:
    """Sends given messages to an app and records its responses."""

    messages: list[dict[str, Any]]
    responses: list[dict[str, Any]] = field(factory=list[dict[str, Any]])

    async def receive(self) -> dict[str, Any]:
        return self.messages.pop(0)

    async def send(self, message: Any) -> None:
        self.responses.append(message)


def post_scope(headers: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
    pairs = [(name.encode(), value.encode()) for name, value in headers]
    return {"type": "http", "method": "POST", "path": "/", "headers": pairs}


async def call_app(
    scope: dict[str, Any], messages: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[Event]]:
    """Return the responses, and the handled events."""
    handled: list[Event] = []
    router, server = EventRouter(), Server(messages)

    @router.on(Event)
    async def handle(event: Event) -> None:
        handled.append(event)

    await asgi_app(router, Webhooks(PUBLIC_KEY))(scope, server.receive, server.send)
    return server.responses, handled


async def test_body_can_arrive_in_pieces() -> None:
    event = RoomSessionEnded(id="1")
    body, headers = sign(event)
    pieces: list[dict[str, Any]] = [
        {"type": "http.request", "body": body[:9], "more_body": True},
        {"type": "http.request", "body": b"", "more_body": True},
        {"type": "http.request", "body": body[9:], "more_body": True},
        {"type": "http.request"},
    ]
    responses, handled = await call_app(post_scope(headers.items()), pieces)
    assert responses == [
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]},
        {"type": "http.response.body", "body": b""},
    ]
    assert handled == [event]


async def test_disconnected_client_gets_no_response() -> None:
    half: dict[str, Any] = {"type": "http.request", "body": b"{", "more_body": True}
    assert await call_app(post_scope(), [half, {"type": "http.disconnect"}]) == ([], [])


async def test_slow_body_is_rejected_after_ten_seconds() -> None:
    clock, server = FakeClock(), Server([])

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(1)
        return {"type": "http.request", "body": b"x", "more_body": True}

    with clock.fast_forward():
        started = clock.seconds
        await asgi_app(EventRouter(), Webhooks(PUBLIC_KEY))(post_scope(), receive, server.send)
        assert 10 <= clock.seconds - started < 10.5
    assert server.responses[0]["status"] == 408
    assert (b"connection", b"close") in server.responses[0]["headers"]


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (("Content-Length", "9" * 23), 413),
        (("content-length", "1048577"), 413),
        (("content-encoding", "gzip"), 415),
    ],
)
async def test_request_is_rejected_by_its_headers_before_its_body_is_read(
    header: tuple[str, str], status: int
) -> None:
    responses, _ = await call_app(post_scope([header]), [])  # receiving would fail
    assert responses[0]["status"] == status


async def test_error_report_of_a_cancelled_request_does_not_show_its_body() -> None:
    payload = RecordingCompletedPayload(download_url="https://example.com/recording?signature=CANARY")
    body, headers = sign(RoomRecordingCompleted(id="1", payload=payload))
    router, server = EventRouter(), Server([{"type": "http.request", "body": body}])
    started = asyncio.Event()

    @router.on(Event)
    async def handle(event: Event) -> None:
        started.set()
        await asyncio.Event().wait()

    app = asgi_app(router, Webhooks(PUBLIC_KEY))
    request = asyncio.create_task(app(post_scope(headers.items()), server.receive, server.send))
    await started.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await request
    assert "CANARY" not in "".join(reported_texts(caught.value))


async def test_websocket_is_closed() -> None:
    responses, _ = await call_app({"type": "websocket"}, [{"type": "websocket.connect"}])
    assert responses == [{"type": "websocket.close", "code": 1000}]
