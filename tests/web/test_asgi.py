"""The receiver, spoken to in ASGI by hand: what a real server cannot be made to say."""

from collections.abc import Iterable
from typing import Any

from attrs import define, field

from telnyx_rooms_async import Event, EventRouter, RoomSessionEnded, Webhooks
from telnyx_rooms_async.testing import PUBLIC_KEY, signed
from telnyx_rooms_async.web import asgi_app


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
