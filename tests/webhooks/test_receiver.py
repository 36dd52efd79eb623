"""Responses to webhooks: a status without a body, the same in every framework."""

import asyncio
import gzip
import logging
from collections.abc import Callable
from io import BytesIO
from unittest.mock import AsyncMock

import pytest
from aiohttp import ClientSession, web

from telnyx_rooms_async import ConfigurationError
from telnyx_rooms_async.integrations.aiohttp_web import aiohttp_handler
from telnyx_rooms_async.integrations.asgi import asgi_app
from telnyx_rooms_async.integrations.quart import quart_view
from telnyx_rooms_async.webhooks import (
    BODY_LIMIT,
    Event,
    EventRouter,
    MemoryEventStore,
    RoomSessionEnded,
    SessionEndedPayload,
    UnknownEvent,
    Webhooks,
)
from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY, SignedWebhook, sign
from tests.helpers.web_servers import RECEIVERS, ServeReceiver, aiohttp_receiver, run_aiohttp_app
from tests.helpers.webhook_samples import WebhookSigner

ENDED = RoomSessionEnded(id="ended", payload=SessionEndedPayload(session_id="s", duration_secs=3))


async def post(http: ClientSession, url: str, webhook: SignedWebhook) -> int:
    async with http.post(f"{url}/telnyx/", data=BytesIO(webhook.body), headers=webhook.headers) as response:
        assert await response.read() == b""
        return response.status


def recording_router(
    events: list[Event], *, gate: asyncio.Event | None = None, limit: int = 1000
) -> EventRouter:
    """Make a router that records all events, each after `gate` is set."""
    router = EventRouter(limit=limit)

    @router.on(Event)
    async def record(event: Event) -> None:
        if gate is not None:
            await gate.wait()
        events.append(event)

    return router


def assert_no_errors(caplog: pytest.LogCaptureFixture) -> None:
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record for record in errors if record.name != "aiohttp.server"] == []  # those of aiohttp itself


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))


async def test_invalid_webhook_is_answered_with_400(
    serve: ServeReceiver, http: ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "telnyx_rooms_async")
    events: list[Event] = []
    body, headers = sign(ENDED)
    forged = [
        SignedWebhook(body, {}),
        SignedWebhook(body + b" ", headers),
        SignedWebhook(body, WebhookSigner().sign(body)),
        sign(ENDED, timestamp=1_000_000_000),
    ]
    malformed = [sign(b"no JSON"), sign(b"{}")]
    async with serve(recording_router(events)) as url:
        assert [await post(http, url, webhook) for webhook in (*forged, *malformed)] == [400] * 6
    assert events == []
    levels = [record.levelname for record in caplog.records if record.name == "telnyx_rooms_async"]
    assert levels == ["INFO"] * 4 + ["WARNING"] * 2


async def test_failed_event_is_answered_with_500_and_handled_when_it_is_delivered_again(
    serve: ServeReceiver, http: ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    router, attempts = EventRouter(), list[Event]()

    @router.on(RoomSessionEnded)
    async def ended(event: RoomSessionEnded) -> None:
        attempts.append(event)
        if len(attempts) < 3:
            raise LookupError("not yet")

    async with serve(router) as url:
        assert [await post(http, url, sign(ENDED)) for _ in range(4)] == [500, 500, 200, 200]
    assert attempts == [ENDED] * 3
    assert [record.getMessage() for record in caplog.records if record.exc_info] == [
        "video.room.session.ended was not handled, Telnyx will send it again"
    ] * 2


@pytest.mark.parametrize("background", [False, True])
async def test_event_claimed_by_another_worker_is_one_log_line(
    serve: ServeReceiver, http: ClientSession, caplog: pytest.LogCaptureFixture, *, background: bool
) -> None:
    store = MemoryEventStore()
    assert await store.claim(ENDED.id)
    router = EventRouter(store=store)
    router.on(Event)(AsyncMock())
    async with serve(router, background=background) as url:
        assert await post(http, url, sign(ENDED)) == 500
    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("WARNING", None)
    assert "another router is handling the event" in record.getMessage()


async def test_other_methods_are_answered_with_405(serve: ServeReceiver, http: ClientSession) -> None:
    async with serve(recording_router([])) as url, http.get(f"{url}/telnyx/") as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")


# --- bodies -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "status"), [(BODY_LIMIT, 200), (BODY_LIMIT + 1, 413)])
@pytest.mark.parametrize("chunked", [False, True])
async def test_body_over_1_mib_is_answered_with_413(
    serve: ServeReceiver, http: ClientSession, size: int, status: int, *, chunked: bool
) -> None:
    events: list[Event] = []
    padding = size - len(sign(UnknownEvent(id="long", event_type="long", payload={"text": ""})).body)
    body, headers = sign(UnknownEvent(id="long", event_type="long", payload={"text": "x" * padding}))

    async def chunks() -> object:
        for start in range(0, size, 65536):
            yield body[start : start + 65536]

    data = chunks() if chunked else BytesIO(body)
    async with (
        serve(recording_router(events)) as url,
        http.post(f"{url}/telnyx/", data=data, headers=headers) as response,
    ):
        assert response.status == status
    assert len(events) == (status == 200)


HEAD = b"POST /telnyx/ HTTP/1.1\r\nHost: x\r\n"
GZIP = gzip.compress(sign(ENDED).body)
EMPTY_BLOCKS = b"\x00\x00\x00\xff\xff" * 1000  # of deflate
MALFORMED: dict[str, tuple[list[bytes], set[int]]] = {
    "gzip in pieces": (
        [HEAD, b"Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\n", b"abc", b"defghi"],
        {415},
    ),
    "valid gzip": ([HEAD, b"Content-Encoding: GZip\r\nContent-Length: %d\r\n\r\n" % len(GZIP), GZIP], {415}),
    "endless deflate": (
        [HEAD, b"Content-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nx\x9c\r\n"]
        + [b"1388\r\n" + EMPTY_BLOCKS + b"\r\n"] * 9,
        {415},
    ),
    "brotli": ([HEAD, b"Content-Encoding: br\r\nContent-Length: 5\r\n\r\nabcde"], {400, 415}),
    "zstd": ([HEAD, b"Content-Encoding: zstd\r\nContent-Length: 5\r\n\r\nabcde"], {400, 415}),
    "two encodings": ([HEAD, b"Content-Encoding: identity, gzip\r\nContent-Length: 1\r\n\r\na"], {415}),
    "unknown encoding": ([HEAD, b"Content-Encoding: zip\r\nContent-Length: 1\r\n\r\na"], {415}),
    "identity": ([HEAD, b"Content-Encoding: identity\r\nContent-Length: 1\r\n\r\na"], {400}),
    "10 GB announced": ([HEAD, b"Content-Length: 10000000000\r\n\r\n{"], {413}),
    "huge length": ([HEAD, b"Content-Length: " + b"9" * 40 + b"\r\n\r\n{"], {400, 413}),
    "negative length": ([HEAD, b"Content-Length: -1\r\n\r\n{"], {400}),
    "two lengths": ([HEAD, b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}"], {400}),
    "chunk without a size": ([HEAD, b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc"], {400}),
    "not HTTP": ([b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"], {400}),
    "GET with invalid gzip": (
        [b"GET /telnyx/ HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"],
        {405},
    ),
    "empty": ([HEAD, b"Content-Length: 0\r\n\r\n"], {400}),
}


async def test_malformed_requests_are_rejected_without_an_error_in_the_log(
    serve: ServeReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with serve(recording_router([])) as url:
        for name, (pieces, statuses) in MALFORMED.items():
            reader, writer = await connect(url)
            status_line = asyncio.create_task(reader.readline())
            for piece in pieces:
                if not status_line.done():  # the server need not read to the end
                    writer.write(piece)
                    await asyncio.sleep(0.001)
            assert int((await status_line).split()[1]) in statuses, name
            writer.close()
        for start in (b"Content-Length: 50\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nab"):
            _, writer = await connect(url)
            writer.write(HEAD + start)
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.close()  # within the body
        await asyncio.sleep(0.05)
    assert_no_errors(caplog)


@pytest.mark.parametrize(
    "start", [b"Content-Length: 50\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"]
)
async def test_slow_body_is_answered_with_408_and_its_connection_is_closed(
    serve: ServeReceiver, start: bytes
) -> None:
    async with serve(recording_router([]), body_timeout=0.05) as url:
        reader, writer = await connect(url)
        writer.write(HEAD + start)
        response = await asyncio.wait_for(reader.read(), timeout=60)  # to the end of the connection
        assert response.split()[1] == b"408"
        writer.close()


@pytest.mark.parametrize("make", [aiohttp_handler, asgi_app, quart_view])
def test_body_timeout_must_be_positive(make: Callable[..., object]) -> None:
    with pytest.raises(ConfigurationError, match="body_timeout must be a positive number"):
        make(recording_router([]), Webhooks(PUBLIC_KEY), body_timeout=0)


# --- in the background ------------------------------------------------------------------------------------


@pytest.mark.parametrize("serve", RECEIVERS, indirect=True)
async def test_background_handlers_run_after_the_response_within_the_limit_and_before_the_shutdown(
    serve: ServeReceiver, http: ClientSession
) -> None:
    gate, events = asyncio.Event(), list[Event]()
    async with serve(recording_router(events, gate=gate, limit=1), background=True) as url:
        first, second, third = (sign(RoomSessionEnded(id=letter)) for letter in "abc")
        assert [await post(http, url, webhook) for webhook in (first, second, first)] == [200, 500, 500]
        assert events == []
        gate.set()
        while (await post(http, url, second)) == 500:
            await asyncio.sleep(0.001)
        gate.clear()
        while (await post(http, url, third)) == 500:
            await asyncio.sleep(0.001)
        asyncio.get_running_loop().call_later(0.01, gate.set)
    assert [event.id for event in events] == ["a", "b", "c"]


# --- aiohttp.web only -------------------------------------------------------------------------------------


async def test_malformed_chunk_within_a_body_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """aiohttp does not tell the reader of a body that its next chunk is malformed."""
    async with aiohttp_receiver(recording_router([]), body_timeout=0.05) as url:
        reader, writer = await connect(url)
        writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await asyncio.sleep(0.01)
        writer.write(b"zz\r\nabc")
        response = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), timeout=60)  # a reset may follow
        assert response.split()[1] in (b"400", b"408")
        writer.close()
    assert_no_errors(caplog)


async def test_background_without_an_entered_router_is_answered_with_500(http: ClientSession) -> None:
    events: list[Event] = []
    app = web.Application()
    handler = aiohttp_handler(recording_router(events), Webhooks(PUBLIC_KEY), background=True)
    app.router.add_post("/telnyx/", handler)
    async with run_aiohttp_app(app) as url:
        assert await post(http, url, sign(ENDED)) == 500
    assert events == []


async def test_handler_in_an_aiohttp_app_with_other_routes_and_a_middleware_that_reads_bodies(
    http: ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    events: list[Event] = []

    @web.middleware
    async def read_body(request: web.Request, handler: object) -> web.StreamResponse:
        await request.read()
        return await handler(request)  # type: ignore[operator, no-any-return]  # a handler

    async def fails(_: web.Request) -> web.Response:
        raise LookupError

    app = web.Application(middlewares=[read_body], client_max_size=2 * BODY_LIMIT)
    app.router.add_route("*", "/telnyx/", aiohttp_handler(recording_router(events), Webhooks(PUBLIC_KEY)))
    app.router.add_get("/fails", fails)
    async with run_aiohttp_app(app) as url:
        assert await post(http, url, sign(ENDED)) == 200
        assert await post(http, url, sign(b"x" * (BODY_LIMIT + 1))) == 413
        async with http.put(f"{url}/telnyx/", data=b"x") as response:
            assert (response.status, response.headers["Allow"]) == (405, "POST")
        assert caplog.records == []
        async with http.get(f"{url}/fails") as response:
            assert response.status == 500
    assert events == [ENDED]
    assert [record.levelname for record in caplog.records] == ["ERROR"]
