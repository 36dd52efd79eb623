"""Faults injected into webhooks: lost, repeated, delayed and shuffled events."""

import asyncio
from math import inf
from typing import Any

import pytest

from telnyx_rooms_async.emulator import Emulator, WebhookEvent, WebhookFault
from tests.helpers.clocks import FakeClock, wait_until
from tests.helpers.http_client import HttpClient
from tests.helpers.webhook_listener import WebhookListener, listen_for_webhooks

ENDED = "video.room.session.ended"


@pytest.fixture
async def room_id(api: HttpClient, receiver: WebhookListener) -> str:
    settings = {"webhook_event_url": receiver.url, "max_participants": 50}
    return str((await api.post("rooms", settings)).data["id"])


def ids(receiver: WebhookListener) -> list[str]:
    return [webhook.data["id"] for webhook in receiver.received]


async def test_lost_event_is_recorded_and_not_sent(
    telnyx: Emulator, receiver: WebhookListener, room_id: str
) -> None:
    telnyx.inject_webhook_faults(WebhookFault(), event_type=ENDED)
    telnyx.inject_webhook_faults(WebhookFault(dropped=True), event_type=ENDED)
    telnyx.inject_webhook_faults(WebhookFault(dropped=True), event_type=ENDED, times=None)
    for _ in range(2):
        telnyx.leave(telnyx.join(room_id).id)
    await telnyx.flush_webhooks()
    assert receiver.event_types.count("session.ended") == 1
    assert telnyx.pending_webhook_faults == (WebhookFault(dropped=True),)
    telnyx.clear_faults()
    assert not telnyx.pending_webhook_faults
    (lost,) = [delivery for delivery in telnyx.deliveries if delivery.failure == "lost"]
    assert (lost.event.event_type, lost.body, lost.delivered) == (ENDED, b"", False)


async def test_copies_have_the_same_id_and_content(
    telnyx: Emulator, receiver: WebhookListener, room_id: str
) -> None:
    telnyx.inject_webhook_faults(WebhookFault(duplicates=2))
    telnyx.join(room_id)
    await telnyx.flush_webhooks()
    assert receiver.event_types == ["session.started"] * 3 + ["participant.joined"]
    assert len(set(ids(receiver))) == len({webhook.body for webhook in receiver.received}) == 2
    for webhook in receiver.received:
        webhook.verify(telnyx.public_key)


async def test_later_events_overtake_a_delayed_one(receiver: WebhookListener) -> None:
    delays: list[float] = []
    finished = asyncio.Event()

    async def sleep(seconds: float) -> None:
        delays.append(seconds)
        await finished.wait()

    async with Emulator(sleep=sleep) as telnyx:
        room = telnyx.create_room(webhook_event_url=receiver.url)
        telnyx.inject_webhook_faults(WebhookFault(delay=7.5))
        telnyx.join(room.id)
        flushing = asyncio.create_task(telnyx.flush_webhooks())
        await wait_until(lambda: len(telnyx.deliveries) == 1)
        assert receiver.event_types == ["participant.joined"]
        finished.set()
        await flushing
    assert receiver.event_types == ["participant.joined", "session.started"]
    assert delays == [7.5]


async def hold_meeting(telnyx: Emulator, receiver: WebhookListener, room_id: str) -> list[str]:
    """Let twelve participants join and leave, and return the events that arrived."""
    participants = [telnyx.join(room_id, context=str(number)) for number in range(12)]
    for participant in participants:
        telnyx.leave(participant.id)
    await telnyx.flush_webhooks()
    return [
        f"{webhook.event_type} {webhook.data['payload'].get('context', '')}" for webhook in receiver.received
    ]


async def test_shuffled_events_have_the_same_order_in_each_run(
    telnyx: Emulator, receiver: WebhookListener, room_id: str
) -> None:
    telnyx.inject_webhook_faults(WebhookFault(reordered=True), times=None)
    first = await hold_meeting(telnyx, receiver, room_id)
    assert len(set(ids(receiver))) == len(first) == 26
    joined = [event for event in first if event.startswith("participant.joined")]
    assert joined != sorted(joined, key=lambda event: int(event.split()[1]))
    async with listen_for_webhooks() as other_receiver, Emulator() as other:
        other.inject_webhook_faults(WebhookFault(reordered=True), times=None)
        room = other.create_room(webhook_event_url=other_receiver.url, max_participants=50)
        assert await hold_meeting(other, other_receiver, room.id) == first


async def test_shuffled_events_are_sent_without_flush_although_another_event_is_due_soon(
    telnyx: Emulator, receiver: WebhookListener, webhook_room: str, clock: FakeClock
) -> None:
    telnyx.leave(telnyx.join(webhook_room).id)
    await telnyx.flush_webhooks()
    clock.advance(seconds=4.95)  # the recordings are completed after 5 seconds
    receiver.received.clear()
    telnyx.inject_webhook_faults(WebhookFault(reordered=True), times=4)
    telnyx.join(webhook_room)
    await wait_until(lambda: len(receiver.received) == 4)
    assert sorted(receiver.event_types)[:2] == ["participant.joined", "recording.started"]


@pytest.mark.parametrize("noticed_by_watcher", [False, True])
async def test_flush_raises_what_when_raises(
    telnyx: Emulator, room_id: str, *, noticed_by_watcher: bool
) -> None:
    called = asyncio.Event()

    def when(event: WebhookEvent) -> bool:
        called.set()
        return bool(event.payload["unknown"])

    telnyx.inject_webhook_faults(WebhookFault(), when=when)
    telnyx.join(room_id)
    if noticed_by_watcher:
        await called.wait()
        await asyncio.sleep(0)
    with pytest.raises(KeyError, match="unknown"):
        await telnyx.flush_webhooks()


async def test_error_of_a_delivery_is_raised_once_or_reported_on_closing(receiver: WebhookListener) -> None:
    reported: list[dict[str, object]] = []
    failed = asyncio.Event()

    async def sleep(_: float) -> None:
        failed.set()
        raise LookupError("no time left")

    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    async with Emulator(sleep=sleep) as telnyx:
        room = telnyx.create_room(webhook_event_url=receiver.url)
        telnyx.inject_webhook_faults(WebhookFault(delay=1), times=2)
        telnyx.inject_webhook_faults(WebhookFault(), times=None)
        alice = telnyx.join(room.id)
        for _ in range(2):
            with pytest.raises(LookupError, match="no time left"):
                await telnyx.flush_webhooks()
        await telnyx.flush_webhooks()
        assert (receiver.received, reported) == ([], [])
        failed.clear()
        telnyx.clear_faults()
        telnyx.inject_webhook_faults(WebhookFault(delay=1))
        telnyx.leave(alice.id)
        await failed.wait()
        await asyncio.sleep(0)
    assert [type(context["exception"]) for context in reported] == [LookupError]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"duplicates": -1}, "duplicates must be an integer from 0 to 999, not -1"),
        ({"delay": inf}, "delay must be a number of seconds"),
        ({"dropped": 1}, "dropped must be true or false, not 1"),
        ({"dropped": True, "duplicates": 1}, "duplicates contradicts dropped"),
        ({"dropped": True, "reordered": True}, "reordered contradicts dropped"),
    ],
)
def test_invalid_faults_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WebhookFault(**fields)


def test_invalid_event_type_is_refused() -> None:
    with pytest.raises(ValueError, match="event_type must be"):
        Emulator().inject_webhook_faults(WebhookFault(), event_type="room.session.ended")
