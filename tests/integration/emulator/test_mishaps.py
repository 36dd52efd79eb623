"""What goes wrong with events on their way, as scripted."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from math import inf, nan
from typing import Any

import pytest

from telnyx_rooms_async.emulator import Emulator, Fault, WebhookEvent, WebhookFault
from tests.helpers.http_client import HttpClient
from tests.helpers.webhook_listener import WebhookListener, listen_for_webhooks

ENDED = "video.room.session.ended"


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookListener]:
    """Where webhooks go."""
    async with listen_for_webhooks() as listener:
        yield listener


@pytest.fixture
async def room_id(api: HttpClient, receiver: WebhookListener) -> str:
    """Make a room that tells."""
    made: str = (await api.post("rooms", {"webhook_event_url": receiver.url, "max_participants": 50})).data[
        "id"
    ]
    return made


def ids(receiver: WebhookListener) -> list[str]:
    """List the ids of what came."""
    return [each.data["id"] for each in receiver.received]


async def test_lost(telnyx: Emulator, receiver: WebhookListener, room_id: str) -> None:
    """An event that is lost never comes; that it was lost is recorded."""
    telnyx.script_webhooks(WebhookFault(lost=True), event_type=ENDED)
    for _ in range(2):
        telnyx.leave(telnyx.join(room_id).id)
    await telnyx.settle()
    assert receiver.event_types.count("session.ended") == 1
    (lost,) = [each for each in telnyx.deliveries if each.failure == "lost"]
    assert (lost.event.event_type, lost.body, lost.delivered) == (ENDED, b"", False)
    assert telnyx.scripted_webhooks == ()


async def test_duplicated(telnyx: Emulator, receiver: WebhookListener, room_id: str) -> None:
    """Copies have the same id and the same content, and are signed each."""
    telnyx.script_webhooks(WebhookFault(copies=3))
    telnyx.join(room_id)
    await telnyx.settle()
    assert receiver.event_types == ["session.started"] * 3 + ["participant.joined"]
    assert len(set(ids(receiver))) == 2
    assert len({each.body for each in receiver.received}) == 2
    for each in receiver.received:
        each.verify(telnyx.public_key)


async def test_delayed(api: HttpClient, receiver: WebhookListener) -> None:
    """An event that is delayed lets others pass."""
    go_on = asyncio.Event()
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await go_on.wait()

    async with Emulator(sleep=sleep) as telnyx:
        room = telnyx._state.create_room({"webhook_event_url": receiver.url})
        telnyx.script_webhooks(WebhookFault(delay=7.5))
        telnyx.join(room.id)
        settling = asyncio.create_task(telnyx.settle())
        while len(telnyx.deliveries) < 1:
            await asyncio.sleep(0.001)
        assert receiver.event_types == ["participant.joined"]
        go_on.set()
        await settling
    assert receiver.event_types == ["participant.joined", "session.started"]
    assert slept == [7.5]


async def meet(telnyx: Emulator, receiver: WebhookListener, room: str) -> list[str]:
    """Have a meeting of forty, and tell what came of it."""
    people = [telnyx.join(room, context=str(number)) for number in range(40)]
    for person in people:
        telnyx.leave(person.id)
    await telnyx.settle()
    return [f"{each.event_type} {each.data['payload'].get('context', '')}" for each in receiver.received]


async def test_shuffled(telnyx: Emulator, receiver: WebhookListener, room_id: str) -> None:
    """All come, once each, in another order than they happened, which is the same in each run."""
    telnyx.script_webhooks(WebhookFault(shuffled=True), times=None)
    first = await meet(telnyx, receiver, room_id)
    assert len(set(ids(receiver))) == len(first) == 82
    joined = [each for each in first if each.startswith("participant.joined")]
    assert joined != sorted(joined, key=lambda each: int(each.split()[1]))
    async with listen_for_webhooks() as other, Emulator() as another:
        another.script_webhooks(WebhookFault(shuffled=True), times=None)
        room = another._state.create_room({"webhook_event_url": other.url, "max_participants": 50})
        assert await meet(another, other, room.id) == first


async def test_a_third_is_duplicated_and_all_shuffled(
    telnyx: Emulator, receiver: WebhookListener, room_id: str
) -> None:
    """Mishaps are for all that fit, by count, by type and by a question; the first one that fits counts."""
    numbers = itertools.count()
    telnyx.script_webhooks(
        WebhookFault(copies=2, shuffled=True), times=None, when=lambda _: next(numbers) % 3 == 0
    )
    telnyx.script_webhooks(WebhookFault(shuffled=True), times=None)
    assert len(await meet(telnyx, receiver, room_id)) == 82 + 28
    assert len(set(ids(receiver))) == 82
    assert len(telnyx.scripted_webhooks) == 2


async def test_what_is_held_back_goes_by_itself(
    telnyx: Emulator, receiver: WebhookListener, room_id: str
) -> None:
    """When nothing more happens, what was to be shuffled goes without anyone settling."""
    telnyx.script_webhooks(WebhookFault(shuffled=True), times=2)
    telnyx.join(room_id)
    async with asyncio.timeout(5):
        while len(receiver.received) < 2:
            await asyncio.sleep(0.001)
    assert sorted(receiver.event_types) == ["participant.joined", "session.started"]


async def test_nothing_lets_pass(telnyx: Emulator, receiver: WebhookListener, room_id: str) -> None:
    """An empty mishap uses up its turn; `unscript` forgets what is left, faults and mishaps."""
    telnyx.script_webhooks(WebhookFault())
    telnyx.script_webhooks(WebhookFault(lost=True), times=None)
    telnyx.script(Fault(status=500))
    telnyx.join(room_id)
    await telnyx.settle()
    assert receiver.event_types == ["session.started"]
    assert telnyx.scripted_webhooks == (WebhookFault(lost=True),)
    telnyx.unscript()
    assert [*telnyx.scripted_webhooks, *telnyx.scripted] == []


async def test_a_question_that_fails(telnyx: Emulator, receiver: WebhookListener, room_id: str) -> None:
    """What a test's own question raises comes out where the test settles, whoever asked it."""
    asked = asyncio.Event()

    def api(event: WebhookEvent) -> bool:
        asked.set()
        return bool(event.payload["unknown"])

    telnyx.script_webhooks(WebhookFault(), when=api)
    telnyx.join(room_id)
    with pytest.raises(KeyError, match="unknown"):
        await telnyx.settle()
    asked.clear()
    telnyx.join(room_id)
    await asked.wait()
    await asyncio.sleep(0)
    with pytest.raises(KeyError, match="unknown"):
        await telnyx.settle()


async def test_a_sleep_that_fails(receiver: WebhookListener) -> None:
    """What the `sleep` of a test raises comes out where the test settles."""

    async def sleep(_: float) -> None:
        raise LookupError("no time left")

    async with Emulator(sleep=sleep) as telnyx:
        room = telnyx._state.create_room({"webhook_event_url": receiver.url})
        telnyx.script_webhooks(WebhookFault(delay=1))
        telnyx.join(room.id)
        with pytest.raises(LookupError, match="no time left"):
            await telnyx.settle()
        await telnyx.settle()
    assert receiver.event_types == ["participant.joined"]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"copies": 0}, "copies must be an integer from 1 to 1000, not 0"),
        ({"copies": True}, "copies must be"),
        ({"delay": -1}, "delay must be a number of seconds"),
        ({"delay": inf}, "delay must be"),
        ({"delay": nan}, "delay must be"),
        ({"lost": 1}, "lost must be true or false, not 1"),
        ({"shuffled": None}, "shuffled must be true or false"),
        ({"lost": True, "copies": 2}, "copies contradicts lost"),
        ({"lost": True, "delay": 1.5}, "delay contradicts lost"),
        ({"lost": True, "shuffled": True}, "shuffled contradicts lost"),
    ],
)
def test_mishaps_that_cannot_be(fields: dict[str, Any], problem: str) -> None:
    """Each error names the field."""
    with pytest.raises(ValueError, match=problem):
        WebhookFault(**fields)


@pytest.mark.parametrize(
    ("options", "problem"),
    [({"times": 0}, "times must be"), ({"event_type": "room.session.ended"}, "event_type must be")],
)
def test_lines_that_cannot_be(options: dict[str, Any], problem: str) -> None:
    """An event type that Telnyx Video does not have is a slip."""
    with pytest.raises(ValueError, match=problem):
        Emulator().script_webhooks(WebhookFault(), **options)
