"""Delivery of webhooks: signatures, retries, failover, timeouts, and the end of the emulator."""

import asyncio
import gc
import logging
import re
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Unpack

import pytest
import trustme
from aiohttp import web
from nacl.exceptions import BadSignatureError
from telnyx import Telnyx

from telnyx_rooms_async import RoomSettings
from telnyx_rooms_async.emulator import Delivery, Emulator, WebhookFault, webhooks
from telnyx_rooms_async.emulator.webhooks import is_this_machine
from tests.helpers.clocks import FakeClock, wait_until
from tests.helpers.http_client import HttpClient
from tests.helpers.raw_server import Connection, RawServer, running
from tests.helpers.web_servers import run_aiohttp_app
from tests.helpers.webhook_listener import ReceivedWebhook, WebhookListener


@pytest.fixture
def sleep() -> FakeClock:
    """Records the sleeps of the emulator, which take no time."""
    return FakeClock()


@pytest.fixture
async def telnyx(clock: FakeClock, sleep: FakeClock) -> AsyncIterator[Emulator]:
    async with Emulator(clock=clock, sleep=sleep.sleep) as emulator:
        yield emulator


def create_room(telnyx: Emulator, url: str, **settings: Unpack[RoomSettings]) -> str:
    settings["webhook_event_url"] = url
    return telnyx.create_room(**settings).id


def results(telnyx: Emulator, url: str) -> list[tuple[str, int, int | str | None]]:
    """Return path, number and result of each attempt."""
    return [
        (delivery.url.removeprefix(url), delivery.attempt, delivery.status or delivery.failure)
        for delivery in telnyx.deliveries
    ]


# --- signatures ---------------------------------------------------------------------------------------------


async def test_signatures_are_valid_for_other_implementations(
    telnyx: Emulator, receiver: WebhookListener
) -> None:
    telnyx.join(create_room(telnyx, receiver.url, enable_recording=True))
    await telnyx.flush_webhooks()
    assert len(receiver.received) == 4
    sdk = Telnyx(api_key="KEY", public_key=telnyx.public_key)
    for webhook in receiver.received:
        webhook.verify(telnyx.public_key)
        sdk.webhooks.unwrap(webhook.body.decode(), headers=webhook.headers)
    first, second = receiver.received[:2]
    with pytest.raises(BadSignatureError):
        ReceivedWebhook(first.path, first.headers, second.body).verify(telnyx.public_key)


async def test_each_emulator_has_one_public_key_which_the_api_returns(
    api: HttpClient, telnyx: Emulator
) -> None:
    other = Emulator()
    public_key = other.public_key
    assert re.fullmatch("[A-Za-z0-9+/]{43}=", public_key)
    assert public_key != telnyx.public_key
    for _ in range(2):
        async with other:
            assert other.public_key == public_key
    first, second = [(await api.get("public_key")).data for _ in range(2)]
    assert first == second
    assert (first["record_type"], first["public"]) == ("public_key", telnyx.public_key)
    assert first["organization_id"]


async def test_signature_has_the_time_of_the_machine(telnyx: Emulator, receiver: WebhookListener) -> None:
    await telnyx.deliver("x", url=receiver.url)
    await telnyx.deliver("x", url=receiver.url, signed_at=datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC))
    now, then = (int(webhook.headers["telnyx-timestamp"]) for webhook in receiver.received)
    assert abs(datetime.now(UTC) - datetime.fromtimestamp(now, UTC)) < timedelta(minutes=1)
    assert then == 1_000_000_000
    for webhook in receiver.received:
        webhook.verify(telnyx.public_key)
        assert webhook.data["occurred_at"] == "2021-04-25T12:00:00.000000Z"


# --- retries and failover -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [304, 307, 400, 503])
async def test_event_is_sent_again_with_other_statuses(
    telnyx: Emulator, receiver: WebhookListener, sleep: FakeClock, status: int
) -> None:
    receiver.statuses["/hook"] = [299, status, status]  # the second event fails twice
    telnyx.join(create_room(telnyx, receiver.url + "/hook"))
    await telnyx.flush_webhooks()
    assert results(telnyx, receiver.url) == [
        ("/hook", 1, 299),
        ("/hook", 1, status),
        ("/hook", 2, status),
        ("/hook", 3, 200),
    ]
    assert [delivery.delivered for delivery in telnyx.deliveries] == [True, False, False, True]
    assert sleep.sleeps == [1, 2]
    _, *attempts = receiver.received
    assert {webhook.path for webhook in attempts} == {"/hook"}  # no redirect was followed
    assert len({webhook.data["id"] for webhook in attempts}) == 1
    assert [webhook.json["meta"]["attempt"] for webhook in attempts] == [1, 2, 3]
    for webhook in attempts:
        webhook.verify(telnyx.public_key)


async def test_failover_url_gets_three_attempts_too(
    telnyx: Emulator, receiver: WebhookListener, sleep: FakeClock
) -> None:
    receiver.statuses = {"/hook": [200] + [500] * 3, "/other": [500] * 3}
    other = receiver.url + "/other"
    telnyx.join(create_room(telnyx, receiver.url + "/hook", webhook_event_failover_url=other))
    await telnyx.flush_webhooks()
    assert results(telnyx, receiver.url) == [
        ("/hook", 1, 200),
        *(("/hook", number, 500) for number in (1, 2, 3)),
        *(("/other", number, 500) for number in (4, 5, 6)),
    ]
    assert sleep.sleeps == [1, 2, 1, 2]
    delivered_to = [webhook.json["meta"]["delivered_to"] for webhook in receiver.received]
    assert delivered_to == [receiver.url + "/hook"] * 4 + [other] * 3


async def test_next_event_does_not_wait_for_retries(receiver: WebhookListener) -> None:
    receiver.statuses["/hook"] = [500]

    async def until_next_event(_: float) -> None:
        await wait_until(lambda: len(receiver.received) == 2)

    async with Emulator(sleep=until_next_event) as telnyx:
        telnyx.join(create_room(telnyx, receiver.url + "/hook"))
        await telnyx.flush_webhooks()
    assert receiver.event_types == ["session.started", "participant.joined", "session.started"]


async def test_events_of_one_url_do_not_wait_for_another_url(receiver: WebhookListener) -> None:
    receiver.statuses["/silent"] = [0]
    async with Emulator() as telnyx:
        telnyx.join(create_room(telnyx, receiver.url + "/silent", webhook_timeout_secs=30))
        telnyx.join(create_room(telnyx, receiver.url + "/hook"))
        await wait_until(lambda: [webhook.path for webhook in receiver.received].count("/hook") == 2)


async def test_events_beyond_the_limits_are_delivered_in_order_for_each_url(
    telnyx: Emulator, receiver: WebhookListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "_MAX_UNFINISHED", 8)
    receiver.statuses = {"/0": [500], "/1": [500, 500]}
    rooms = [create_room(telnyx, f"{receiver.url}/{number}") for number in range(5)]
    for context in range(6):
        for room_id in rooms:
            telnyx.join(room_id, context=str(context))
    await telnyx.flush_webhooks()
    assert len({webhook.data["id"] for webhook in receiver.received}) == 5 * 7
    for number in range(5):
        contexts = [
            int(webhook.data["payload"]["context"])
            for webhook in receiver.received
            if webhook.path == f"/{number}"
            and webhook.event_type == "participant.joined"
            and webhook.json["meta"]["attempt"] == 1
        ]
        assert contexts == list(range(6))


@pytest.mark.parametrize(
    ("server", "failure"),
    [("none", "no connection"), ("http", "no answer"), ("https", "no connection")],
)
async def test_failed_connection_is_retried(
    telnyx: Emulator, receiver: WebhookListener, server: str, failure: str
) -> None:
    """``none`` refuses, ``http`` closes the connection, ``https`` has an unknown certificate."""

    class ClosingServer(RawServer):
        async def serve_requests(self, connection: Connection) -> None: ...

    context = None
    if server == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("localhost").configure_cert(context)
    async with running(ClosingServer(tls=context), listens=server != "none") as closing:
        url = closing.url.replace("127.0.0.1", "localhost")
        telnyx.join(create_room(telnyx, url, webhook_event_failover_url=receiver.url))
        await telnyx.flush_webhooks()
    for event_id in {delivery.event.id for delivery in telnyx.deliveries}:
        deliveries = [delivery for delivery in telnyx.deliveries if delivery.event.id == event_id]
        assert [delivery.failure or delivery.status for delivery in deliveries] == [failure] * 3 + [200]


@pytest.mark.parametrize(
    ("url", "failure"),
    [
        ("http://[bad", "bad URL"),
        ("http://127.0.0.1:99999/", "bad URL"),
        ("https://example.com/hook", "not this machine"),
        ("http://127.0.0.1@10.0.0.1/hook", "not this machine"),
        ("http://localhost.example.com/", "not this machine"),
        ("http://app.localhost/", "not this machine"),
        ("http://app:8000/", "not this machine"),
    ],
)
async def test_unusable_url_is_not_retried(
    telnyx: Emulator, receiver: WebhookListener, sleep: FakeClock, *, url: str, failure: str
) -> None:
    telnyx.join(create_room(telnyx, url, webhook_event_failover_url=receiver.url))
    await telnyx.flush_webhooks()
    attempts = {(delivery.attempt, delivery.failure or delivery.status) for delivery in telnyx.deliveries}
    assert attempts == {(1, failure), (2, 200)}
    assert sleep.sleeps == []


@pytest.mark.parametrize("host", ["LOCALHOST.", "127.3.2.1", "[::1]", "0.0.0.0"])
def test_this_machine_is_recognized_without_dns(host: str) -> None:
    assert is_this_machine(f"http://{host}:80/")


@pytest.mark.parametrize(
    ("host", "public_url", "start"),
    [
        ("0.0.0.0", None, "http://127.0.0.1:"),
        ("127.0.0.1", "http://telnyx:8080/v2/", "http://telnyx:8080/media/"),
    ],
)
async def test_links_in_events_start_with_the_url_of_the_emulator(
    receiver: WebhookListener, clock: FakeClock, host: str, public_url: str | None, start: str
) -> None:
    async with Emulator(host=host, clock=clock, public_url=public_url) as telnyx:
        assert public_url is None or telnyx.url == public_url.rstrip("/")
        telnyx.leave(telnyx.join(create_room(telnyx, receiver.url, enable_recording=True)).id)
        clock.advance(seconds=5)
        await telnyx.flush_webhooks()
    assert receiver.received[-1].data["payload"]["download_url"].startswith(start)


# --- timeouts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [None, 0, 1])
async def test_attempt_ends_with_a_timeout(
    telnyx: Emulator, receiver: WebhookListener, seconds: int | None
) -> None:
    receiver.statuses["/hook"] = [500, 500, 0]
    other = receiver.url + "/other"
    settings: RoomSettings = {"webhook_event_failover_url": other, "webhook_timeout_secs": seconds}
    telnyx.inject_webhook_faults(WebhookFault(dropped=True))
    with FakeClock().fast_forward():
        telnyx.join(create_room(telnyx, receiver.url + "/hook", **settings))
        await telnyx.flush_webhooks()
    statuses = [delivery.failure or delivery.status for delivery in telnyx.deliveries]
    assert statuses == ["lost", 500, 500, "timeout", 200]


# --- single events ------------------------------------------------------------------------------------------


async def test_single_event_is_sent_once_to_the_url_of_its_room_or_composition(
    telnyx: Emulator, receiver: WebhookListener
) -> None:
    receiver.statuses["/hook"] = [500]
    room_id = create_room(telnyx, receiver.url + "/hook")
    delivery = await telnyx.deliver("video.room.session.started", {"room_id": room_id, "more": 1})
    assert (delivery.status, delivery.answer, delivery.delivered) == (500, b"thank you", False)
    assert telnyx.deliveries == [delivery]
    (webhook,) = receiver.received
    webhook.verify(telnyx.public_key)
    assert (webhook.body, webhook.json) == (delivery.body, delivery.json)
    assert {**delivery.headers}.items() <= webhook.headers.items()
    assert webhook.data["payload"] == {"room_id": room_id, "more": 1}
    again = await telnyx.deliver(delivery.event, url=receiver.url)
    assert again.json["data"] == delivery.json["data"]
    session = telnyx._state.sessions[telnyx.join(room_id).session_id or ""]
    settings = {"webhook_event_url": receiver.url + "/own"}
    composition = telnyx._state.create_composition(session, settings)
    payload = {"composition_id": composition.id, "room_id": room_id}
    delivery = await telnyx.deliver("video.room.composition.completed", payload)
    assert delivery.url == receiver.url + "/own"


EVENTS: dict[str, tuple[object, dict[str, object]]] = {
    "mapping": (
        {"event_type": "x", "id": 7, "payload": {"room_id": "a"}, "unknown": None},
        {"event_type": "x", "id": 7, "payload": {"room_id": "a"}, "unknown": None},
    ),
    "envelope": (
        {"data": {"event_type": "x", "occurred_at": "now"}, "meta": {}},
        {"event_type": "x", "occurred_at": "now"},
    ),
    "object": (
        SimpleNamespace(event_type="x", payload=SimpleNamespace(room_id="a", session_id=None)),
        {"event_type": "x", "payload": {"room_id": "a"}},
    ),
}


@pytest.mark.parametrize(("event", "expected"), EVENTS.values(), ids=EVENTS)
async def test_single_event_can_have_many_forms(
    telnyx: Emulator, receiver: WebhookListener, event: object, expected: dict[str, object]
) -> None:
    await telnyx.deliver(event, url=receiver.url)
    data = receiver.received[0].data
    assert data == {**data, **expected}
    assert data.keys() == {"record_type", "event_type", "id", "occurred_at", "payload", *expected}


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"type": "x"}, "event_type must be a string, not None"),
        (object(), "event_type must be a string, not None"),
        ({"event_type": "x", "payload": {"room_id": ["?"]}}, "there is no webhook URL"),
    ],
    ids=["mapping", "object", "no URL"],
)
async def test_event_without_type_or_url_is_refused(telnyx: Emulator, event: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        await telnyx.deliver(event)
    with pytest.raises(ValueError, match="payload is only for an event type"):
        await telnyx.deliver(event, {})
    assert telnyx.deliveries == []


async def test_start_of_a_long_answer_is_kept(telnyx: Emulator) -> None:
    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with suppress(ConnectionError):
            while True:
                await response.write(b"x" * 10_000)
        return response

    app = web.Application()
    app.router.add_post("/", stream)
    async with run_aiohttp_app(app) as url:
        delivery = await telnyx.deliver("x", url=url)
    assert (delivery.status, len(delivery.answer)) == (200, 65536)


# --- secrets ------------------------------------------------------------------------------------------------


async def test_reprs_and_logs_show_no_secrets(
    telnyx: Emulator, receiver: WebhookListener, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = receiver.url.replace("//", "//user:canary-1@") + "/hook?token=canary-2#canary-3"
    telnyx.leave(telnyx.join(create_room(telnyx, url, enable_recording=True)).id)
    clock.advance(seconds=5)
    await telnyx.flush_webhooks()
    last = telnyx.deliveries[-1]
    assert last.delivered
    assert receiver.received[-1].headers["Authorization"].startswith("Basic ")
    secrets = [last.json["data"]["payload"]["download_url"], *list(last.headers.values())[-2:]]
    shown = repr(telnyx.deliveries) + str(telnyx.deliveries) + caplog.text
    shown += repr(telnyx._links)
    assert f"{receiver.url}/hook" in shown
    assert [secret for secret in ["canary", *secrets] if secret in shown] == []
    invalid = Delivery(event=last.event, url="http://canary@[bad", attempt=1, sent_at=clock.now)
    assert "canary" not in repr(invalid)


# --- closing ------------------------------------------------------------------------------------------------


async def test_closing_cancels_deliveries(
    receiver: WebhookListener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "asyncio")
    loop = asyncio.get_running_loop()
    tasks = asyncio.all_tasks()
    retrying = asyncio.Event()

    async def sleep(_: float) -> None:
        retrying.set()
        await asyncio.Event().wait()

    receiver.statuses = {"/hook": [500], "/silent": [0], "/never": [0]}
    async with Emulator(sleep=sleep) as telnyx:
        for path in ("/silent", "/hook"):
            room_id = create_room(telnyx, receiver.url + path, webhook_timeout_secs=30)
            telnyx.join(room_id)
        settling = asyncio.create_task(telnyx.flush_webhooks())
        single = telnyx.deliver("x", {"room_id": room_id}, url=receiver.url + "/never")
        delivering = asyncio.create_task(single)
        await retrying.wait()
        await wait_until(lambda: "/never" in {webhook.path for webhook in receiver.received})
        start = loop.time()
    assert loop.time() - start < 20  # the timeout is 30 s
    await settling
    assert (await delivering).failure == "no answer"
    # The receiver notices the closed connection later.
    await wait_until(lambda: asyncio.all_tasks() == tasks)
    gc.collect()
    assert caplog.records == []


async def test_cancelled_closing_leaves_no_session_open(receiver: WebhookListener) -> None:
    retrying, closings = asyncio.Event(), list[asyncio.Task[None]]()

    async def sleep(_: float) -> None:
        retrying.set()
        try:
            await asyncio.Event().wait()
        finally:
            closings.pop().cancel()

    receiver.statuses["/hook"] = [500]
    telnyx = Emulator(sleep=sleep)
    await telnyx.__aenter__()
    telnyx.join(create_room(telnyx, receiver.url + "/hook"))
    await retrying.wait()
    closings.append(asyncio.create_task(telnyx.__aexit__(None, None, None)))
    with pytest.raises(asyncio.CancelledError):
        await closings[0]
    gc.collect()  # an open session would warn


async def test_events_after_closing_are_sent_at_the_next_start(receiver: WebhookListener) -> None:
    telnyx = Emulator()
    room_id = create_room(telnyx, receiver.url)
    for call in (telnyx.flush_webhooks(), telnyx.deliver("x", url=receiver.url)):
        with pytest.raises(RuntimeError, match="not running"):
            await call
    async with telnyx:
        telnyx.join(room_id)
    receiver.received.clear()
    telnyx.leave(telnyx.join(room_id).id)
    async with telnyx:
        await telnyx.flush_webhooks()
    assert receiver.event_types == ["participant.joined", "participant.left"]


async def test_missing_extra_is_named(
    api: HttpClient, telnyx: Emulator, receiver: WebhookListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.ed25519", None)
    hint = re.escape("pip install 'telnyx-rooms-async[webhooks]'")
    telnyx.join((await api.post("rooms", {})).data["id"])
    await telnyx.flush_webhooks()
    telnyx.join(create_room(telnyx, receiver.url))
    with pytest.raises(RuntimeError, match=hint):
        await telnyx.flush_webhooks()
    assert [delivery.failure for delivery in telnyx.deliveries] == ["no cryptography"] * 2
    with pytest.raises(RuntimeError, match=hint):
        _ = telnyx.public_key
    with pytest.raises(RuntimeError, match=hint):
        await telnyx.deliver("x", url=receiver.url)
    response = await api.get("public_key")
    assert response.status == 501
    assert re.search(hint, response.body["errors"][0]["detail"])
    assert receiver.received == []
