"""The receiver, spoken to in ASGI by hand: what a real server cannot be made to say."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from attrs import define, field

from telnyx_rooms_async import (
    Event,
    EventRouter,
    RecordingCompletedPayload,
    RoomRecordingCompleted,
    RoomSessionEnded,
    Webhooks,
)
from telnyx_rooms_async.integrations.asgi import asgi_app
from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY, signed
from tests.helpers.error_reports import reported_texts
from tests.helpers.fast_forward import FastForwardLoop


@define
class Server:
    """Says what it is told to, and notes the answers."""

    says: list[dict[str, Any]]
    answers: list[dict[str, Any]] = field(factory=list[dict[str, Any]])

    async def receive(self) -> dict[str, Any]:
        """Say the next thing."""
        return self.says.pop(0)

    async def send(self, message: Any) -> None:
        """Note an answer."""
        self.answers.append(message)


def post(headers: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
    """Make the scope of a webhook."""
    pairs = [(name.encode(), value.encode()) for name, value in headers]
    return {"type": "http", "method": "POST", "path": "/", "headers": pairs}


async def asked(
    scope: dict[str, Any], says: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[Event]]:
    """Return what is answered, and what was handled."""
    handled: list[Event] = []
    router, server = EventRouter(), Server(says)

    @router.on(Event)
    async def handle(event: Event) -> None:
        handled.append(event)

    await asgi_app(router, Webhooks(PUBLIC_KEY))(scope, server.receive, server.send)
    return server.answers, handled


async def test_a_body_in_pieces() -> None:
    """A body may come in pieces, empty ones among them, and a last one that is not there."""
    event = RoomSessionEnded(id="1")
    body, headers = signed(event)
    pieces: list[dict[str, Any]] = [
        {"type": "http.request", "body": body[:9], "more_body": True},
        {"type": "http.request", "body": b"", "more_body": True},
        {"type": "http.request", "body": body[9:], "more_body": True},
        {"type": "http.request"},
    ]
    answers, handled = await asked(post(headers.items()), pieces)
    assert answers == [
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]},
        {"type": "http.response.body", "body": b""},
    ]
    assert handled == [event]


async def test_who_hangs_up_gets_no_answer() -> None:
    """Half a body is no webhook, and nobody is there to be answered."""
    half: dict[str, Any] = {"type": "http.request", "body": b"{", "more_body": True}
    says = [half, {"type": "http.disconnect"}]
    assert await asked(post(), says) == ([], [])


async def test_slow_body_ends_after_ten_seconds() -> None:
    """A body that does not come is not waited for: the answer closes the connection."""
    haste, server = FastForwardLoop(), Server([])

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(1)
        return {"type": "http.request", "body": b"x", "more_body": True}

    with haste.patch(asyncio.get_running_loop()):
        began = haste.seconds()
        await asgi_app(EventRouter(), Webhooks(PUBLIC_KEY))(post(), receive, server.send)
        assert 10 <= haste.seconds() - began < 10.5
    assert server.answers[0]["status"] == 408
    assert (b"connection", b"close") in server.answers[0]["headers"]


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (("content-length", "1048577"), 413),
        (("Content-Length", "99999999999999999999999"), 413),
        (("content-encoding", "gzip"), 415),
    ],
)
async def test_request_is_refused_before_its_body_is_read(header: tuple[str, str], status: int) -> None:
    """What the headers say already is not found out by reading."""
    answers, _ = await asked(post([header]), [])  # there is nothing to receive
    assert answers[0]["status"] == status


async def test_cancelled_request_shows_nothing_of_its_body() -> None:
    """When a server that shuts down cancels a request, no frame of ours holds a link to a recording."""
    payload = RecordingCompletedPayload(download_url="https://example.com/recording?signature=CANARY")
    body, headers = signed(RoomRecordingCompleted(id="1", payload=payload))
    router, server = EventRouter(), Server([{"type": "http.request", "body": body}])
    begun = asyncio.Event()

    @router.on(Event)
    async def handle(event: Event) -> None:
        begun.set()
        await asyncio.Event().wait()

    receiver = asgi_app(router, Webhooks(PUBLIC_KEY))
    request = asyncio.create_task(receiver(post(headers.items()), server.receive, server.send))
    await begun.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await request
    assert "CANARY" not in "".join(reported_texts(caught.value))


async def test_a_duplicate_header_is_refused() -> None:
    """Two timestamps come as two pairs, and are refused, whatever they say."""
    body, headers = signed(RoomSessionEnded(id="1"))
    twice = [*headers.items(), ("telnyx-timestamp", headers["telnyx-timestamp"])]
    answers, handled = await asked(post(twice), [{"type": "http.request", "body": body}])
    assert answers[0]["status"] == 400
    assert handled == []


async def test_a_websocket_is_closed() -> None:
    """There is nothing to talk about."""
    answers, _ = await asked({"type": "websocket"}, [{"type": "websocket.connect"}])
    assert answers == [{"type": "websocket.close", "code": 1000}]
