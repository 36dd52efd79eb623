"""What is answered to a webhook, by each server: a status, and never a word."""

import asyncio
import logging
from io import BytesIO

import pytest
from aiohttp import ClientSession, web

from embedded import Serve
from happening import Telnyx
from serving import served_by_aiohttp
from telnyx_rooms_async import (
    Event,
    EventRouter,
    RoomSessionEnded,
    SessionEndedPayload,
    UnknownEvent,
    Webhooks,
)
from telnyx_rooms_async.testing import PUBLIC_KEY, SignedWebhook, sign, signed
from telnyx_rooms_async.web import BODY_LIMIT, aiohttp_handler

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


async def test_an_event_arrives(serve: Serve, http: ClientSession) -> None:
    """A signed event is handled, with its payload, and answered with exactly 200; a duplicate too."""
    events: list[Event] = []
    async with serve(noting(events)) as url:
        for _ in range(2):
            assert await post(http, url, signed(ENDED)) == 200
    assert events == [ENDED]


async def test_a_bad_signature_learns_nothing(
    serve: Serve, http: ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    """What is not signed, not rightly, not now, or is no event is answered with 400, all the same."""
    caplog.set_level(logging.INFO, "telnyx_rooms_async")
    events: list[Event] = []
    body, headers = signed(ENDED)
    refused = [
        SignedWebhook(body, {}),
        SignedWebhook(body + b" ", headers),
        SignedWebhook(body, Telnyx().sign(body)),
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
    serve: Serve, http: ClientSession, caplog: pytest.LogCaptureFixture
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
        "video.room.session.ended was not handled: it is to be delivered again"
    ] * 2


@pytest.mark.parametrize(("size", "status"), [(BODY_LIMIT, 200), (BODY_LIMIT + 1, 413)])
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_has_a_limit(
    serve: Serve,
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


async def test_only_a_post_is_a_webhook(serve: Serve, http: ClientSession) -> None:
    """Any other method is answered with 405, which tells the right one."""
    async with serve(noting([])) as url, http.get(f"{url}/telnyx/") as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")


async def test_slow_work_may_be_done_after_the_answer(serve: Serve, http: ClientSession) -> None:
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


async def test_too_much_slow_work_is_refused(serve: Serve, http: ClientSession) -> None:
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
    async with served_by_aiohttp(app) as url:
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
    async with served_by_aiohttp(app) as url:
        assert await post(http, url, signed(ENDED)) == 200
        assert await post(http, url, sign(b"x" * (BODY_LIMIT + 1))) == 413
    assert events == [ENDED]
