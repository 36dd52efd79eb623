"""How the emulator brings its webhooks to where they go, and what it does when nobody takes them."""

import asyncio
import gc
import logging
import re
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import trustme
from aiohttp import web
from attrs import define, field, frozen
from nacl.exceptions import BadSignatureError
from telnyx.lib.webhook_verification import verify_webhook_signature

from telnyx_rooms_async.emulator import Delivery, Emulator, WebhookFault
from telnyx_rooms_async.emulator.webhooks.delivery import is_this_machine
from telnyx_rooms_async.serialization import parse_json
from tests.helpers.clocks import FakeClock
from tests.helpers.http_client import HttpClient
from tests.helpers.webhook_listener import WebhookListener, listen_for_webhooks


@pytest.fixture
def sleeps() -> FakeClock:
    """What the emulator slept: it takes no time."""
    return FakeClock()


@pytest.fixture
async def telnyx(time: FakeClock, sleeps: FakeClock) -> AsyncIterator[Emulator]:
    """A stateful Telnyx that waits for nothing."""
    async with Emulator(clock=time, sleep=sleeps.sleep) as emulator:
        yield emulator


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookListener]:
    """Where webhooks go."""
    async with listen_for_webhooks() as listener:
        yield listener


async def make_room(api: HttpClient, url: str, **fields: object) -> str:
    """Make a room that tells."""
    made: str = (await api.post("rooms", {"webhook_event_url": url, **fields})).data["id"]
    return made


def outcomes(telnyx: Emulator, url: str) -> list[tuple[str, int, int | str | None]]:
    """Tell where each attempt went, its number, and what became of it."""
    return [
        (each.url.removeprefix(url), each.attempt, each.status or each.failure) for each in telnyx.deliveries
    ]


# --- signatures -------------------------------------------------------------------------------------------


async def test_signatures(api: HttpClient, telnyx: Emulator, receiver: WebhookListener) -> None:
    """Another Ed25519 finds each signature good with the public key, and none for another body."""
    telnyx.join(await make_room(api, receiver.url, enable_recording=True))
    await telnyx.settle()
    assert len(receiver.received) == 4
    for each in receiver.received:
        each.verify(telnyx.public_key)
        verify_webhook_signature(each.body, each.headers, telnyx.public_key)
    one, other = receiver.received[:2]
    with pytest.raises(BadSignatureError):
        type(one)(one.path, one.headers, other.body).verify(telnyx.public_key)


async def test_the_key_is_that_of_the_emulator(telnyx: Emulator) -> None:
    """Each emulator has a key of its own, the same one for as long as it is there."""
    other = Emulator()
    assert other.public_key == other.public_key != telnyx.public_key
    async with other:
        pass
    async with other:
        assert (await other.deliver("x", url="http://127.0.0.1:1")).headers
    assert re.fullmatch("[A-Za-z0-9+/]{43}=", telnyx.public_key)


async def test_the_public_key_is_told(api: HttpClient, telnyx: Emulator) -> None:
    """The account's key is answered to those who have the API key, the same organization each time."""
    answer = await api.get("public_key")
    assert answer.status == 200
    assert answer.data == {
        "record_type": "public_key",
        "public": telnyx.public_key,
        "organization_id": answer.data["organization_id"],
    }
    assert (await api.get("public_key")).data == answer.data


# --- what the receiver answers ----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 204, 299])
async def test_taken(api: HttpClient, telnyx: Emulator, receiver: WebhookListener, status: int) -> None:
    """With any status from 200 to 299 an event is delivered, and not sent again."""
    receiver.statuses["/hook"] = [status, status]
    telnyx.join(await make_room(api, receiver.url + "/hook"))
    await telnyx.settle()
    assert outcomes(telnyx, receiver.url) == [("/hook", 1, status)] * 2
    assert all(each.delivered for each in telnyx.deliveries)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 304, 400, 404, 410, 429, 500, 503])
async def test_refused(
    api: HttpClient, telnyx: Emulator, receiver: WebhookListener, sleeps: FakeClock, status: int
) -> None:
    """With any other status it is sent again, after longer and longer; no redirect is followed."""
    receiver.statuses["/hook"] = [200, status, status]  # the second event fails twice
    telnyx.join(await make_room(api, receiver.url + "/hook"))
    await telnyx.settle()
    assert outcomes(telnyx, receiver.url) == [
        ("/hook", 1, 200),
        ("/hook", 1, status),
        ("/hook", 2, status),
        ("/hook", 3, 200),
    ]
    assert [each.delivered for each in telnyx.deliveries] == [True, False, False, True]
    assert sleeps.sleeps == [1, 2]
    _, *attempts = receiver.received
    assert {each.path for each in receiver.received} == {"/hook"}
    assert len({each.data["id"] for each in attempts}) == 1
    assert [each.json["meta"]["attempt"] for each in attempts] == [1, 2, 3]
    for each in attempts:
        each.verify(telnyx.public_key)


async def test_failover(
    api: HttpClient, telnyx: Emulator, receiver: WebhookListener, sleeps: FakeClock
) -> None:
    """After three attempts the other URL has as many; then the event is given up."""
    receiver.statuses = {"/hook": [200] + [500] * 3, "/other": [500] * 3}
    urls = {"webhook_event_failover_url": receiver.url + "/other"}
    telnyx.join(await make_room(api, receiver.url + "/hook", **urls))
    await telnyx.settle()
    assert outcomes(telnyx, receiver.url) == [
        ("/hook", 1, 200),
        ("/hook", 1, 500),
        ("/hook", 2, 500),
        ("/hook", 3, 500),
        ("/other", 4, 500),
        ("/other", 5, 500),
        ("/other", 6, 500),
    ]
    assert sleeps.sleeps == [1, 2, 1, 2]
    delivered_to = [each.json["meta"]["delivered_to"] for each in receiver.received]
    assert delivered_to == [receiver.url + "/hook"] * 4 + [receiver.url + "/other"] * 3


async def test_the_next_event_does_not_wait_for_what_is_sent_again(receiver: WebhookListener) -> None:
    """An event that the receiver refused stands behind those that it has not seen yet."""
    receiver.statuses["/hook"] = [500]

    async def until_the_next_has_come(_: float) -> None:
        while len(receiver.received) < 2:
            await asyncio.sleep(0.001)

    async with Emulator(sleep=until_the_next_has_come) as telnyx:
        room = telnyx._state.create_room({"webhook_event_url": receiver.url + "/hook"})
        telnyx.join(room.id)
        await telnyx.settle()
    assert receiver.event_types == ["session.started", "participant.joined", "session.started"]


async def test_nobody_listens(api: HttpClient, telnyx: Emulator, receiver: WebhookListener) -> None:
    """A refused connection is a failure like another, and the failover is asked."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    urls = {"webhook_event_failover_url": receiver.url}
    telnyx.join(await make_room(api, url, **urls))
    await telnyx.settle()
    for event in {each.event.id for each in telnyx.deliveries}:
        tried = [each.failure or each.status for each in telnyx.deliveries if each.event.id == event]
        assert tried == ["no connection"] * 3 + [200]


async def test_the_receiver_hangs_up(api: HttpClient, telnyx: Emulator) -> None:
    """A connection that ends without an answer is a failure like another."""

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        telnyx.join(await make_room(api, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
        await telnyx.settle()
    assert {(each.failure, each.delivered) for each in telnyx.deliveries} == {("no answer", False)}


async def test_a_certificate_that_nobody_knows(api: HttpClient, telnyx: Emulator) -> None:
    """TLS is checked as Telnyx checks it."""

    async def never(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    server = await asyncio.start_server(never, "127.0.0.1", 0, ssl=context)
    async with server:
        telnyx.join(await make_room(api, f"https://localhost:{server.sockets[0].getsockname()[1]}/"))
        await telnyx.settle()
    assert {each.failure for each in telnyx.deliveries} == {"no connection"}


@pytest.mark.parametrize(
    ("url", "failure"),
    [
        ("http://[bad", "bad URL"),
        ("http://127.0.0.1:99999/", "bad URL"),
        ("https://example.com/hook", "not this machine"),
        ("http://127.0.0.1@example.com/hook", "not this machine"),
        ("http://127.0.0.1.example.com/hook", "not this machine"),
    ],
)
async def test_where_nothing_can_be_sent(
    api: HttpClient, telnyx: Emulator, receiver: WebhookListener, sleeps: FakeClock, *, url: str, failure: str
) -> None:
    """It is recorded, not tried again, and the failover is asked at once."""
    telnyx.join(await make_room(api, url, webhook_event_failover_url=receiver.url))
    await telnyx.settle()
    tried = {(each.attempt, each.failure or each.status) for each in telnyx.deliveries}
    assert tried == {(1, failure), (2, 200)}
    assert sleeps.sleeps == []


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://localhost:1/", True),
        ("http://LOCALHOST./", True),
        ("http://app.localhost/", False),
        ("http://127.3.2.1/", True),
        ("http://[::1]:80/", True),
        ("http://0.0.0.0:80/", True),
        ("http://10.0.0.1/", False),
        ("http://app:8000/", False),
        ("http://localhost.example.com/", False),
    ],
)
def test_this_machine(url: str, *, here: bool) -> None:
    """A loopback address or localhost is this machine; other names are not looked up."""
    assert is_this_machine(url) is here


async def test_other_machines_when_asked_for() -> None:
    """With `deliver_anywhere` other machines are tried."""
    async with Emulator(deliver_anywhere=True) as telnyx:
        delivery = await telnyx.deliver("x", url="http://name.invalid/")
        assert delivery.failure == "no connection"


async def test_links_lead_to_this_machine(receiver: WebhookListener, time: FakeClock) -> None:
    """Who listens everywhere tells links that lead somewhere."""
    async with Emulator(host="0.0.0.0", clock=time) as telnyx:
        assert telnyx.url.startswith("http://127.0.0.1:")
        room = telnyx._state.create_room({"webhook_event_url": receiver.url, "enable_recording": True})
        telnyx.leave(telnyx.join(room.id).id)
        time.advance(seconds=5)
        await telnyx.settle()
    assert receiver.received[-1].data["payload"]["download_url"].startswith("http://127.0.0.1:")


async def test_links_lead_to_the_public_url(receiver: WebhookListener, time: FakeClock) -> None:
    """Other machines know an emulator by the name that it was given."""
    async with Emulator(clock=time, public_url="http://telnyx:8080/v2/") as telnyx:
        assert telnyx.url == "http://telnyx:8080/v2"
        room = telnyx._state.create_room({"webhook_event_url": receiver.url, "enable_recording": True})
        telnyx.leave(telnyx.join(room.id).id)
        time.advance(seconds=5)
        await telnyx.settle()
    assert receiver.received[-1].data["payload"]["download_url"].startswith("http://telnyx:8080/media/")


@pytest.mark.parametrize(
    "url", ["telnyx:8080", "http://", "ftp://telnyx", "http://me@telnyx", "http://[", "http://telnyx/v2?a=b"]
)
def test_a_public_url_that_is_no_base_url(url: str) -> None:
    """No client could use it."""
    with pytest.raises(ValueError, match=r"^public_url must be a base URL"):
        Emulator(public_url=url)


# --- time -------------------------------------------------------------------------------------------------


async def test_a_silent_receiver(api: HttpClient, telnyx: Emulator, receiver: WebhookListener) -> None:
    """Who has not answered in the seconds of the room fails."""
    receiver.statuses["/hook"] = [500, 500, 0]
    urls = {"webhook_event_failover_url": receiver.url + "/other", "webhook_timeout_secs": 1}
    telnyx.script_webhooks(WebhookFault(lost=True))
    telnyx.join(await make_room(api, receiver.url + "/hook", **urls))
    await telnyx.settle()
    assert [each.failure or each.status for each in telnyx.deliveries] == ["lost", 500, 500, "timeout", 200]


async def test_the_time_that_nobody_told(
    api: HttpClient, telnyx: Emulator, receiver: WebhookListener
) -> None:
    """Without a number, or with 0, it is two seconds."""
    loop = asyncio.get_running_loop()
    receiver.statuses["/hook"] = [0, 0]
    rooms = [await make_room(api, receiver.url + "/hook", webhook_timeout_secs=told) for told in (None, 0)]
    began = loop.time()
    found = await asyncio.gather(*(telnyx.deliver("x", {"room_id": room}) for room in rooms))
    assert [each.failure for each in found] == ["timeout", "timeout"]
    assert 2 <= loop.time() - began < 4


async def test_signed_by_the_clock_of_this_machine(telnyx: Emulator, receiver: WebhookListener) -> None:
    """The emulator may be in 2021: the timestamp is of now, so that a receiver need not know; or as told."""
    await telnyx.deliver("x", url=receiver.url)
    long_ago = datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)
    await telnyx.deliver("x", url=receiver.url, signed_at=long_ago)
    now, then = (int(each.headers["telnyx-timestamp"]) for each in receiver.received)
    assert abs(datetime.now(UTC) - datetime.fromtimestamp(now, UTC)) < timedelta(minutes=1)
    assert then == 1_000_000_000
    for each in receiver.received:
        each.verify(telnyx.public_key)
        assert each.data["occurred_at"] == "2021-04-25T12:00:00.000000Z"


# --- one event --------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Payload:
    """What a typed event tells."""

    room_id: str | None = None
    session_id: str | None = None


@define
class Typed:
    """An event as a library has it."""

    id: str = "an id"
    occurred_at: datetime = datetime(2021, 4, 25, tzinfo=UTC)
    payload: Payload = field(default=Payload(room_id="a room"))

    @property
    def event_type(self) -> str:
        """What kind it is."""
        return "video.room.session.started"


async def test_one_event(api: HttpClient, telnyx: Emulator, receiver: WebhookListener) -> None:
    """It goes to the URL of its room, once, and what the receiver answered comes back."""
    receiver.statuses["/hook"] = [500]
    room_id = await make_room(api, receiver.url + "/hook")
    delivery = await telnyx.deliver("video.room.session.started", {"room_id": room_id, "more": 1})
    assert (delivery.status, delivery.answer, delivery.delivered) == (500, b"thank you", False)
    assert telnyx.deliveries == [delivery]
    (arrived,) = receiver.received
    arrived.verify(telnyx.public_key)
    assert arrived.body == delivery.body
    assert arrived.json == delivery.json
    assert {**delivery.headers}.items() <= arrived.headers.items()
    assert arrived.data["payload"] == {"room_id": room_id, "more": 1}


async def test_one_event_of_a_composition(
    api: HttpClient, telnyx: Emulator, receiver: WebhookListener, time: FakeClock
) -> None:
    """It goes to the URL of its composition, in whose time it must be answered."""
    room_id = await make_room(api, receiver.url + "/hook", enable_recording=True)
    alice = telnyx.join(room_id)
    body = {"session_id": alice.session_id, "webhook_event_url": receiver.url + "/own"}
    composed = (await api.post("room_compositions", body)).data
    payload = {"composition_id": composed["id"], "room_id": room_id}
    assert (await telnyx.deliver("video.room.composition.completed", payload)).url == receiver.url + "/own"


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (
            {
                "event_type": "video.room.session.started",
                "id": 7,
                "payload": {"room_id": "a"},
                "strange": None,
            },
            {
                "event_type": "video.room.session.started",
                "id": 7,
                "payload": {"room_id": "a"},
                "strange": None,
            },
        ),
        (
            {"data": {"event_type": "x", "occurred_at": "now"}, "meta": {}},
            {"event_type": "x", "occurred_at": "now"},
        ),
        ({"event_type": "x", "payload": None}, {"event_type": "x", "payload": None}),
        (
            Typed(),
            {
                "id": "an id",
                "event_type": "video.room.session.started",
                "occurred_at": "2021-04-25T00:00:00Z",
                "payload": {"room_id": "a room"},
            },
        ),
        (
            SimpleNamespace(event_type="x", payload=SimpleNamespace(room_id="a", session_id=None)),
            {"event_type": "x", "payload": {"room_id": "a"}},
        ),
        ("x", {"event_type": "x", "payload": {}}),
    ],
    ids=["mapping", "envelope", "null", "typed", "object", "type"],
)
async def test_any_form_of_event(
    telnyx: Emulator, receiver: WebhookListener, event: object, data: dict[str, object]
) -> None:
    """A mapping, an envelope, a typed event or a type: what is told is sent, the rest is made up."""
    await telnyx.deliver(event, url=receiver.url)
    sent = receiver.received[0].data
    assert sent == {**sent, **data}
    assert sorted(sent) == sorted({"record_type", "event_type", "id", "occurred_at", "payload", *data})


async def test_an_event_again(telnyx: Emulator, receiver: WebhookListener) -> None:
    """What was delivered once can be delivered again, under the same id."""
    first = await telnyx.deliver("x", {"room_id": "a"}, url=receiver.url)
    again = await telnyx.deliver(first.event, url=receiver.url)
    assert again.event is first.event
    assert first.json["data"] == again.json["data"]


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ({"type": "video.room.session.started"}, "event_type must be a string, not None"),
        (object(), "event_type must be a string, not None"),
        ("video.room.session.started", "there is no webhook URL"),
        ({"event_type": "x", "payload": {"room_id": ["?"]}}, "there is no webhook URL"),
    ],
)
async def test_no_event(telnyx: Emulator, event: object, problem: str) -> None:
    """What has no type, or nowhere to go, is refused."""
    with pytest.raises(ValueError, match=problem):
        await telnyx.deliver(event)
    assert telnyx.deliveries == []


async def test_a_long_answer(telnyx: Emulator) -> None:
    """No more of an answer is read than is kept."""

    async def talk(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 10_000)
        except ConnectionError:
            return response

    app = web.Application()
    app.router.add_post("/", talk)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    delivery = await telnyx.deliver("x", url=f"http://127.0.0.1:{runner.addresses[0][1]}/")
    assert (delivery.status, len(delivery.answer)) == (200, 65536)
    await runner.cleanup()


# --- what is kept, and what is not ------------------------------------------------------------------------


async def test_secrets_are_in_no_repr(
    api: HttpClient,
    telnyx: Emulator,
    receiver: WebhookListener,
    time: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither links nor signatures, nor the secrets of URLs, are shown or logged."""
    caplog.set_level(logging.DEBUG)
    url = receiver.url.replace("//", "//user:canary-1@") + "/hook?token=canary-2#canary-3"
    telnyx.leave(telnyx.join(await make_room(api, url, enable_recording=True)).id)
    time.advance(seconds=5)
    await telnyx.settle()
    last = telnyx.deliveries[-1]
    assert last.delivered
    assert receiver.received[-1].headers["Authorization"].startswith("Basic ")
    secrets = [parse_json(last.body)["data"]["payload"]["download_url"], *last.headers.values()]
    shown = repr(telnyx.deliveries) + str(telnyx.deliveries) + repr(telnyx._webhook_sender) + caplog.text
    assert f"{receiver.url}/hook" in shown
    assert "canary" not in shown
    assert [secret for secret in secrets[:1] + secrets[-2:] if secret in shown] == []
    odd = Delivery(event=last.event, url="http://[canary", attempt=1, sent_at=time.now)
    assert "canary" not in repr(odd)


async def test_nothing_is_kept_unless_wanted(api: HttpClient, receiver: WebhookListener) -> None:
    """An emulator that does not record keeps no deliveries either."""
    async with Emulator(recording=False) as telnyx:
        await telnyx.deliver("x", url=receiver.url)
        assert telnyx.deliveries == []
    assert len(receiver.received) == 1


# --- the end ----------------------------------------------------------------------------------------------


async def test_closing_ends_deliveries(receiver: WebhookListener, caplog: pytest.LogCaptureFixture) -> None:
    """Closing waits for no receiver and no other attempt, and leaves neither task nor word."""
    caplog.set_level(logging.DEBUG, "asyncio")
    loop = asyncio.get_running_loop()
    before = asyncio.all_tasks()
    waiting = asyncio.Event()

    async def sleep(_: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    receiver.statuses = {"/hook": [500], "/silent": [0]}
    async with Emulator(sleep=sleep) as telnyx:
        patient = {"webhook_timeout_secs": 30}
        silent = telnyx._state.create_room({"webhook_event_url": receiver.url + "/silent", **patient})
        refused = telnyx._state.create_room({"webhook_event_url": receiver.url + "/hook", **patient})
        telnyx.join(silent.id)
        telnyx.join(refused.id)
        settling = asyncio.create_task(telnyx.settle())
        await waiting.wait()
        began = loop.time()
    assert loop.time() - began < 20  # and not the 30 s for which the silent one may be waited
    await settling
    async with asyncio.timeout(20):
        # The receiver is a server of the test's own, and notices a little later that nobody waits.
        while asyncio.all_tasks() != before:
            await asyncio.sleep(0)
    gc.collect()
    assert caplog.records == []


async def test_closing_ends_one_event(receiver: WebhookListener, caplog: pytest.LogCaptureFixture) -> None:
    """Who waits for what the receiver of one event answers is told at once that there is no answer."""
    caplog.set_level(logging.DEBUG, "asyncio")
    receiver.statuses["/silent"] = [0]
    async with Emulator() as telnyx:
        delivering = asyncio.create_task(telnyx.deliver("x", url=receiver.url + "/silent"))
        async with asyncio.timeout(5):
            while not receiver.received:
                await asyncio.sleep(0.001)
    delivery = await asyncio.wait_for(delivering, 1)
    assert (delivery.failure, delivery.status) == ("no answer", None)
    gc.collect()
    assert caplog.records == []


async def test_after_the_end(api: HttpClient, telnyx: Emulator, receiver: WebhookListener) -> None:
    """What was not told by the end is not told; what happens after it is told when there is one again."""
    other = Emulator()
    room = other._state.create_room({"webhook_event_url": receiver.url})
    for call in (other.settle(), other.deliver("x", url=receiver.url)):
        with pytest.raises(RuntimeError, match="not running"):
            await call
    async with other:
        other.join(room.id)
    assert receiver.event_types in ([], ["session.started"], ["session.started", "participant.joined"])
    receiver.received.clear()
    other.leave(other.join(room.id).id)
    async with other:
        await other.settle()
    assert receiver.event_types == ["participant.joined", "participant.left"]


async def test_without_the_extra(
    api: HttpClient, telnyx: Emulator, receiver: WebhookListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without cryptography all else works; whoever asks for a signature is told which extra to install."""
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.ed25519", None)
    hint = re.escape("pip install 'telnyx-rooms-async[webhooks]'")
    telnyx.join((await api.post("rooms", {})).data["id"])
    await telnyx.settle()
    telnyx.join(await make_room(api, receiver.url))
    with pytest.raises(RuntimeError, match=hint):
        await telnyx.settle()
    assert [each.failure for each in telnyx.deliveries] == ["no cryptography"] * 2
    with pytest.raises(RuntimeError, match=hint):
        _ = telnyx.public_key
    with pytest.raises(RuntimeError, match=hint):
        await telnyx.deliver("x", url=receiver.url)
    answer = await api.get("public_key")
    assert answer.status == 501
    assert re.search(hint, answer.body["errors"][0]["detail"])
    assert receiver.received == []
