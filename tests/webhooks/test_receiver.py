"""What is answered to a webhook, by each server: a status, and never a word."""

import asyncio
import gzip
import logging
from collections.abc import Callable
from io import BytesIO
from unittest.mock import AsyncMock

import pytest
from aiohttp import ClientSession, web
from attrs import define

from telnyx_rooms_async import (
    ConfigurationError,
    Event,
    EventRouter,
    RoomSessionEnded,
    SeenInMemory,
    SessionEndedPayload,
    UnknownEvent,
    WebhookError,
    Webhooks,
)
from telnyx_rooms_async.integrations.aiohttp_web import aiohttp_handler
from telnyx_rooms_async.integrations.asgi import asgi_app
from telnyx_rooms_async.webhooks.receiver import BODY_LIMIT
from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY, SignedWebhook, sign, signed
from tests.helpers.web_servers import ServeReceiver, aiohttp_receiver, run_aiohttp_app
from tests.helpers.webhook_samples import WebhookSigner

ENDED = RoomSessionEnded(id="ended", payload=SessionEndedPayload(session_id="s", duration_secs=3))


async def post(http: ClientSession, url: str, webhook: SignedWebhook) -> int:
    """Post a webhook, and return the status; there is no body."""
    async with http.post(f"{url}/telnyx/", data=BytesIO(webhook.body), headers=webhook.headers) as response:
        assert await response.read() == b""
        return response.status


def noting(events: list[Event], **options: float) -> EventRouter:
    """Make a router whose handler notes all events."""
    router = EventRouter(**options)  # type: ignore[arg-type]  # numbers only

    @router.on(Event)
    async def note(event: Event) -> None:
        events.append(event)

    return router


async def test_an_event_arrives(serve: ServeReceiver, http: ClientSession) -> None:
    """A signed event is handled, with its payload, and answered with exactly 200; a duplicate too."""
    events: list[Event] = []
    async with serve(noting(events)) as url:
        for _ in range(2):
            assert await post(http, url, signed(ENDED)) == 200
    assert events == [ENDED]


async def test_a_bad_signature_learns_nothing(
    serve: ServeReceiver, http: ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    """What is not signed, not rightly, not now, or is no event is answered with 400, all the same."""
    caplog.set_level(logging.INFO, "telnyx_rooms_async")
    events: list[Event] = []
    body, headers = signed(ENDED)
    refused = [
        SignedWebhook(body, {}),
        SignedWebhook(body + b" ", headers),
        SignedWebhook(body, WebhookSigner().sign(body)),
        signed(ENDED, timestamp=1_000_000_000),
        sign(b"no JSON"),
        sign(b"{}"),
    ]
    async with serve(noting(events)) as url:
        assert [await post(http, url, webhook) for webhook in refused] == [400] * 6
    assert events == []
    told = [record for record in caplog.records if record.name == "telnyx_rooms_async"]
    assert [record.levelname for record in told] == ["INFO"] * 4 + ["WARNING"] * 2


async def test_a_failure_is_delivered_again(
    serve: ServeReceiver, http: ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    """When a handler fails the answer is 500, and the next delivery of the event has it handled."""
    router, attempts = EventRouter(), list[Event]()

    @router.on(RoomSessionEnded)
    async def ended(event: RoomSessionEnded) -> None:
        attempts.append(event)
        if len(attempts) < 3:
            raise LookupError("not yet")

    async with serve(router) as url:
        assert [await post(http, url, signed(ENDED)) for _ in range(4)] == [500, 500, 200, 200]
    assert attempts == [ENDED] * 3
    assert [record.getMessage() for record in caplog.records if record.exc_info] == [
        "video.room.session.ended was not handled, Telnyx will send it again"
    ] * 2


@pytest.mark.parametrize(("size", "status"), [(BODY_LIMIT, 200), (BODY_LIMIT + 1, 413)])
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_has_a_limit(
    serve: ServeReceiver,
    http: ClientSession,
    size: int,
    status: int,
    chunked: bool,  # noqa: FBT001 - a parameter of a test
) -> None:
    """A body of 1 MiB is taken, and one that is longer is not, whether its length is told before or not."""
    events: list[Event] = []
    frame = signed(UnknownEvent(id="long", event_type="long", payload={"text": ""}))
    body, headers = signed(
        UnknownEvent(id="long", event_type="long", payload={"text": "x" * (size - len(frame.body))})
    )
    assert len(body) == size

    async def pieces() -> object:
        for start in range(0, size, 65536):
            yield body[start : start + 65536]

    async with (
        serve(noting(events)) as url,
        http.post(f"{url}/telnyx/", data=pieces() if chunked else BytesIO(body), headers=headers) as response,
    ):
        assert response.status == status
    assert len(events) == (status == 200)


HEAD = b"POST /telnyx/ HTTP/1.1\r\nHost: x\r\n"
GZIP = gzip.compress(signed(ENDED).body)
BLOCKS = b"\x00\x00\x00\xff\xff" * 1000  # of deflate, each empty
NOISE: dict[str, tuple[list[bytes], set[int]]] = {
    "gzip that is none": ([HEAD, b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nabcde"], {415}),
    "gzip in pieces": (
        [HEAD, b"Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\n", b"abc", b"defghi"],
        {415},
    ),
    "real gzip": ([HEAD, b"Content-Encoding: GZip\r\nContent-Length: %d\r\n\r\n" % len(GZIP), GZIP], {415}),
    "deflate that is none": ([HEAD, b"Content-Encoding: deflate\r\nContent-Length: 5\r\n\r\nabcde"], {415}),
    "deflate without an end": (
        [HEAD, b"Content-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nx\x9c\r\n"]
        + [b"1388\r\n" + BLOCKS + b"\r\n"] * 9,
        {415},
    ),
    "brotli": ([HEAD, b"Content-Encoding: br\r\nContent-Length: 5\r\n\r\nabcde"], {400, 415}),
    "zstd": ([HEAD, b"Content-Encoding: zstd\r\nContent-Length: 5\r\n\r\nabcde"], {400, 415}),
    "two encodings": ([HEAD, b"Content-Encoding: identity, gzip\r\nContent-Length: 1\r\n\r\na"], {415}),
    "an unknown encoding": ([HEAD, b"Content-Encoding: zip\r\nContent-Length: 1\r\n\r\na"], {415}),
    "no encoding": ([HEAD, b"Content-Encoding: identity\r\nContent-Length: 1\r\n\r\na"], {400}),
    "10 GB to come": ([HEAD, b"Content-Length: 10000000000\r\n\r\n{"], {413}),
    "a length beyond all": ([HEAD, b"Content-Length: " + b"9" * 40 + b"\r\n\r\n{"], {400, 413}),
    "a negative length": ([HEAD, b"Content-Length: -1\r\n\r\n{"], {400}),
    "two lengths": ([HEAD, b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}"], {400}),
    "a chunk without a size": ([HEAD, b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc"], {400}),
    "not HTTP": ([b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"], {400}),
    "GET with broken gzip": (
        [b"GET /telnyx/ HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"],
        {405},
    ),
    "nothing": ([HEAD, b"Content-Length: 0\r\n\r\n"], {400}),
    "no JSON": ([HEAD, b"Content-Length: 5\r\n\r\nabcde"], {400}),
}


async def test_noise_without_signature_is_answered_and_no_error(
    serve: ServeReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    """Anybody can send anything: it is the sender's fault, costs little, and wakes nobody up."""
    caplog.set_level(logging.INFO)
    async with serve(noting([])) as url:
        for name, (pieces, statuses) in NOISE.items():
            reader, writer = await connection(url)
            answer = asyncio.create_task(reader.readline())
            for piece in pieces:
                if not answer.done():  # the server need not wait for the end of it
                    writer.write(piece)
                    await asyncio.sleep(0.001)
            assert int((await answer).split()[1]) in statuses, name
            writer.close()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    "start", [b"Content-Length: 50\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nab"]
)
async def test_client_that_hangs_up_is_no_error(
    serve: ServeReceiver, caplog: pytest.LogCaptureFixture, start: bytes
) -> None:
    """A connection that ends within a body is the network's business."""
    caplog.set_level(logging.INFO)
    async with serve(noting([])) as url:
        _, writer = await connection(url)
        writer.write(HEAD + start)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()
        await asyncio.sleep(0.05)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    "start",
    [
        b"Content-Length: 50\r\n\r\nabc",
        b"Transfer-Encoding: chunked\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ],
)
async def test_slow_body_is_refused_and_its_connection_closed(serve: ServeReceiver, start: bytes) -> None:
    """Whoever sends a byte now and then cannot hold a connection for as long as they like."""
    async with serve(noting([]), body_timeout=0.05) as url:
        reader, writer = await connection(url)
        writer.write(HEAD + start)
        answer = await asyncio.wait_for(reader.read(), timeout=5)  # up to the end of the connection
        assert answer.split()[1] == b"408"
        writer.close()


async def test_broken_chunk_within_a_body_ends(http: ClientSession, caplog: pytest.LogCaptureFixture) -> None:
    """Aiohttp tells nobody who reads a body that its next chunk cannot be parsed."""
    async with aiohttp_receiver(noting([]), body_timeout=0.05) as url:
        reader, writer = await connection(url)
        writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await asyncio.sleep(0.01)
        writer.write(b"zz\r\nabc")
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), timeout=5)  # a reset may follow
        assert answer.split()[1] in (b"400", b"408")
        writer.close()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_other_errors_of_aiohttp_stay_errors(
    caplog: pytest.LogCaptureFixture, http: ClientSession
) -> None:
    """What a handler of the app raises is logged as before."""

    async def fails(_: web.Request) -> web.Response:
        raise LookupError

    app = web.Application()
    app.router.add_post("/telnyx/", aiohttp_handler(noting([]), Webhooks(PUBLIC_KEY)))
    app.router.add_get("/fails", fails)
    async with run_aiohttp_app(app) as url, http.get(f"{url}/fails") as response:
        assert response.status == 500
    assert [record.levelname for record in caplog.records] == ["ERROR"]


@pytest.mark.parametrize("make", [aiohttp_handler, asgi_app])
def test_body_timeout_is_positive(make: Callable[..., object]) -> None:
    """There is no way to wait for ever."""
    with pytest.raises(ConfigurationError, match="body_timeout must be a positive number"):
        make(noting([]), Webhooks(PUBLIC_KEY), body_timeout=0)


async def connection(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection to say anything over."""
    return await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))


IN_HAND = ("another worker is handling the event",)


@define
class TakenStore(SeenInMemory):
    """Has each event in hand elsewhere."""

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    async def seen(self, event_id: str) -> bool:
        """Refuse."""
        raise WebhookError(IN_HAND)


@pytest.mark.parametrize("background", [False, True])
async def test_event_in_hand_elsewhere_comes_again_and_takes_one_line(
    serve: ServeReceiver, http: ClientSession, caplog: pytest.LogCaptureFixture, *, background: bool
) -> None:
    """A duplicate on its way is everyday life of several workers: no traceback."""
    router = EventRouter(seen=TakenStore())
    router.on(Event)(AsyncMock())
    async with serve(router, background=background) as url:
        assert await post(http, url, signed(ENDED)) == 500
    assert [(record.levelname, record.getMessage(), record.exc_info) for record in caplog.records] == [
        (
            "WARNING",
            f"video.room.session.ended was not handled, Telnyx will send it again: {WebhookError(IN_HAND)}",
            None,
        )
    ]


async def test_only_a_post_is_a_webhook(serve: ServeReceiver, http: ClientSession) -> None:
    """Any other method is answered with 405, which tells the right one."""
    async with serve(noting([])) as url, http.get(f"{url}/telnyx/") as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")


async def test_only_a_post_is_a_webhook_whatever_the_route_takes(http: ClientSession) -> None:
    """A route for all methods changes nothing."""
    app = web.Application()
    app.router.add_route("*", "/telnyx/", aiohttp_handler(noting([]), Webhooks(PUBLIC_KEY)))
    async with run_aiohttp_app(app) as url, http.put(f"{url}/telnyx/", data=b"x") as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")


async def test_slow_work_may_be_done_after_the_answer(serve: ServeReceiver, http: ClientSession) -> None:
    """In the background the answer does not wait for the handler, and the shutdown does."""
    router, may_end, done = EventRouter(), asyncio.Event(), list[Event]()

    @router.on(RoomSessionEnded)
    async def ended(event: RoomSessionEnded) -> None:
        await may_end.wait()
        done.append(event)

    async with serve(router, background=True) as url:
        assert [await post(http, url, signed(ENDED)) for _ in range(2)] == [200, 200]
        assert done == []
        asyncio.get_running_loop().call_later(0.01, may_end.set)
    assert done == [ENDED]


async def test_too_much_slow_work_is_refused(serve: ServeReceiver, http: ClientSession) -> None:
    """When as many events are in hand as may be, the next is answered with 500, and comes again."""
    may_end, events = asyncio.Event(), list[Event]()
    router = EventRouter(limit=1)

    @router.on(Event)
    async def handle(event: Event) -> None:
        await may_end.wait()
        events.append(event)

    async with serve(router, background=True) as url:
        first, second = (signed(RoomSessionEnded(id=each)) for each in "ab")
        assert [await post(http, url, each) for each in (first, second, first)] == [200, 500, 500]
        may_end.set()
        while (await post(http, url, second)) == 500:
            await asyncio.sleep(0.001)
    assert [event.id for event in events] == ["a", "b"]


async def test_the_background_is_never_left_alone(http: ClientSession) -> None:
    """Where nothing would wait for the background at shutdown, events are refused, not lost."""
    events: list[Event] = []
    app = web.Application()
    handler = aiohttp_handler(noting(events), Webhooks(PUBLIC_KEY), background=True)
    app.router.add_post("/telnyx/", handler)
    async with run_aiohttp_app(app) as url:
        assert await post(http, url, signed(ENDED)) == 500
    assert events == []


async def test_a_body_that_was_read_before_is_no_trouble(http: ClientSession) -> None:
    """A middleware of aiohttp.web may have read the body, which can be read once only."""
    events: list[Event] = []

    @web.middleware
    async def curious(request: web.Request, handler: object) -> web.StreamResponse:
        assert await request.read()
        return await handler(request)  # type: ignore[operator, no-any-return]  # a handler

    app = web.Application(middlewares=[curious], client_max_size=2 * BODY_LIMIT)
    app.router.add_post("/telnyx/", aiohttp_handler(noting(events), Webhooks(PUBLIC_KEY)))
    async with run_aiohttp_app(app) as url:
        assert await post(http, url, signed(ENDED)) == 200
        assert await post(http, url, sign(b"x" * (BODY_LIMIT + 1))) == 413
    assert events == [ENDED]
