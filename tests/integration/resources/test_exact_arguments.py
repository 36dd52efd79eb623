"""What is validated is what is sent, whatever the class of an argument."""

import io
from collections.abc import Callable
from datetime import date
from enum import IntEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from telnyx_rooms_async import (
    UNSET,
    Change,
    ConfigurationError,
    DateFilter,
    InvalidArgumentError,
    NotFoundError,
    Plan,
    RetryPolicy,
    Room,
    RoomsClient,
    RoomSession,
    UnprocessableEntityError,
    VideoRegion,
)
from telnyx_rooms_async.batch import Journal
from telnyx_rooms_async.emulator import Emulator
from telnyx_rooms_async.webhooks import EventRouter, MemoryEventStore, RoomSessionEnded, RoomTracker, Webhooks
from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY, sign
from tests.helpers.clocks import FakeClock
from tests.helpers.unusual_values import (
    UNUSUAL_STRINGS,
    BrokenIterable,
    ElementwiseArray,
    SelfReturningStr,
    enum_member,
)

unusual_strings = pytest.mark.parametrize("unusual", UNUSUAL_STRINGS)


def last_query(telnyx: Emulator) -> dict[str, str]:
    return dict(telnyx.requests[-1].query)


# --- text -------------------------------------------------------------------------------------------------


@unusual_strings
async def test_names_are_sent_as_their_exact_text(
    telnyx: Emulator, client: RoomsClient, unusual: Callable[[str], str]
) -> None:
    room = await client.rooms.create(unique_name=unusual("Weekly"))
    assert room.unique_name == "Weekly"
    assert [found.id async for found in client.rooms.list(unique_name=unusual("Weekly"))] == [room.id]
    assert last_query(telnyx)["filter[unique_name]"] == "Weekly"
    assert (await client.rooms.ensure(unusual("Weekly"))).action == "unchanged"
    assert (await client.rooms.update(room.id, unique_name=unusual("Daily"))).unique_name == "Daily"
    outcomes = [outcome async for outcome in client.rooms.delete_all(unique_name=unusual("Daily"), expect=1)]
    assert [outcome.ok for outcome in outcomes] == [True]
    bodies: Any = [{unusual("unique_name"): unusual("Weekly")}]
    assert [outcome.ok async for outcome in client.rooms.create_many(bodies)] == [True]
    assert not await client.rooms.plan(bodies)
    change = Change(action="create", unique_name=unusual("Daily"))
    assert [outcome.ok async for outcome in client.rooms.apply(Plan(changes=(change,)))] == [True]
    assert {room.unique_name for room in telnyx.rooms} == {"Weekly", "Daily"}


@unusual_strings
async def test_filters_and_raw_requests_are_sent_as_their_exact_text(
    telnyx: Emulator, client: RoomsClient, unusual: Callable[[str], str]
) -> None:
    await client.recordings.delete_matching(type=unusual("audio"), room_id=unusual("a-b"))
    assert last_query(telnyx) == {"filter[type]": "audio", "filter[room_id]": "a-b"}
    body = {unusual("unique_name"): unusual("Weekly"), "max_participants": Seats.FEW}
    await client.request(unusual("POST"), unusual("/rooms"), query={unusual("a"): unusual("b")}, json=body)
    sent = telnyx.requests[-1]
    assert (sent.method, sent.path, dict(sent.query)) == ("POST", "/v2/rooms", {"a": "b"})
    assert sent.json == {"unique_name": "Weekly", "max_participants": 2}


@unusual_strings
async def test_downloaded_file_has_its_exact_name(
    telnyx: Emulator, client: RoomsClient, time: FakeClock, tmp_path: Path, unusual: Callable[[str], str]
) -> None:
    room = await client.rooms.create(enable_recording=True)
    telnyx.leave(telnyx.join(room.id).id)
    time.advance(seconds=60)
    recording = (await client.recordings.list(room_id=room.id).page(1)).data[0]
    await client.recordings.download(recording, unusual(str(tmp_path / "file.webm")))
    assert [path.name for path in tmp_path.iterdir()] == ["file.webm"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    room_id=st.text("abcdef0123456789-", min_size=1, max_size=36),
    unusual=st.sampled_from(UNUSUAL_STRINGS),
)
async def test_ids_are_sent_as_their_exact_text(
    telnyx: Emulator, client: RoomsClient, room_id: str, unusual: Callable[[str], str]
) -> None:
    with pytest.raises(NotFoundError):
        await client.rooms.retrieve(unusual(room_id))
    assert telnyx.requests[-1].path == f"/v2/rooms/{room_id}"


async def test_on_lost_response_may_be_an_enum_member(client: RoomsClient) -> None:
    choice: Any = enum_member("raise")
    assert (await client.rooms.create(on_lost_response=choice)).id
    with pytest.raises(InvalidArgumentError, match="on_lost_response must be one of"):
        await client.rooms.create(on_lost_response=enum_member("perhaps"))  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("unusual", [*UNUSUAL_STRINGS, URL])
def test_base_url_is_its_exact_text(unusual: Callable[[str], Any]) -> None:
    client = RoomsClient("KEY", base_url=unusual("https://example.com/v2"))
    assert repr(client) == "<RoomsClient https://example.com/v2>"
    with pytest.raises(ConfigurationError, match=r"http://example\.com would send the API key in the clear"):
        RoomsClient("KEY", base_url=unusual("http://example.com/v2"))


@unusual_strings
async def test_webhooks_and_emulators_use_exact_text(unusual: Callable[[str], str]) -> None:
    body, headers = sign(b'{"data":{"id":"a","event_type":"x"}}')
    names = {unusual(name): unusual(value) for name, value in headers.items()}
    assert Webhooks(unusual(PUBLIC_KEY)).unwrap(body, list(names.items())).id == "a"
    async with (
        Emulator(api_key=unusual("KEY1")) as telnyx,
        RoomsClient("KEY1", base_url=telnyx.url) as client,
    ):
        assert await client.rooms.list().count() == 0


@unusual_strings
async def test_event_store_compares_exact_text(unusual: Callable[[str], str]) -> None:
    store = MemoryEventStore()
    assert await store.claim(unusual("an-event"))
    await store.complete(unusual("an-event"))
    assert not await store.claim("an-event")
    assert not await store.claim(unusual("an-event"))
    assert await store.claim(unusual("another"))
    await store.release(unusual("another"))
    assert await store.claim("another")


# --- numbers, flags, URLs and days ------------------------------------------------------------------------


class Seats(IntEnum):
    FEW = 2


class IntegerByIndex:
    """Stands in for an integer of numpy."""

    def __index__(self) -> int:
        return 3


async def test_urls_and_days_of_other_classes_are_accepted(telnyx: Emulator, client: RoomsClient) -> None:
    url: Any = URL("https://example.com/hook")
    await client.rooms.create(webhook_event_url=url)
    assert telnyx.requests[-1].json == {"webhook_event_url": str(url)}
    between = DateFilter(gte="2021-04-25", lte=date(2021, 4, 26))
    await client.rooms.list(created_at="2021-04-25", updated_at=between).page(1)
    assert last_query(telnyx)["filter[date_created_at][eq]"] == "2021-04-25"
    assert last_query(telnyx)["filter[date_updated_at][gte]"] == "2021-04-25"


async def test_layouts_are_sent_exactly(telnyx: Emulator, client: RoomsClient) -> None:
    region = VideoRegion(height=Seats.FEW * 16, width=32.0, video_sources=[enum_member("*")])  # type: ignore[arg-type]  # that is the point
    with pytest.raises(UnprocessableEntityError):  # there is no such session
        await client.compositions.create(
            "a", video_layout={enum_member("main"): region}, resolution=enum_member("64x48")
        )
    body = telnyx.requests[-1].json
    assert body["resolution"] == "64x48"
    assert body["video_layout"] == {"main": {"height": 32, "width": 32, "video_sources": ["*"]}}


@pytest.mark.parametrize("count", [Seats.FEW, IntegerByIndex(), 2.0])
async def test_counts_of_other_classes_are_accepted(
    client: RoomsClient, telnyx: Emulator, count: Any
) -> None:
    telnyx.seed(4)
    await client.rooms.create(max_participants=count)
    assert telnyx.requests[-1].body == b'{"max_participants":%d}' % int(count)
    listing = client.rooms.list(page_size=count).prefetch(count)
    ids = [room.id async for room in listing]
    assert len(ids) == 5
    assert [page async for page in listing.pages(count)]
    outcomes = client.rooms.delete_many(ids, concurrency=count, max_failures=count)
    assert [outcome.ok async for outcome in outcomes] == [True] * 5


@pytest.mark.parametrize("count", [Seats.FEW, IntegerByIndex()])
async def test_options_of_other_classes_are_accepted(telnyx: Emulator, count: Any) -> None:
    policy = RetryPolicy(max_attempts=count, backoff_max=count)
    async with RoomsClient(
        telnyx.api_key, base_url=telnyx.url, max_connections=count, timeout=count, retry=policy
    ) as client:
        assert await client.rooms.list().count() == 0
        assert [outcome async for outcome in client.rooms.apply(Plan(), max_deletes=count)] == []
        with pytest.raises(NotFoundError):
            await client.recordings.download("a", io.BytesIO(), max_bytes=count)
        await client.close(grace=count)
    router = EventRouter(store=MemoryEventStore(limit=count), limit=count, grace=count)
    assert not await router.dispatch(RoomSessionEnded(id="a"))
    RoomTracker("a", limit=count)


@pytest.mark.parametrize("prune", ["no", 1, None, ElementwiseArray([True, False])])
async def test_prune_must_be_a_boolean(telnyx: Emulator, client: RoomsClient, prune: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="prune must be True or False"):
        await client.rooms.plan([], prune=prune)
    assert telnyx.requests == []


async def test_journal_compares_items_by_their_exact_values(client: RoomsClient, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "rooms.journal")
    fields: Any = {"unique_name": "Weekly", "max_participants": 3, "webhook_event_url": "https://example.com"}
    unusual: Any = {
        enum_member("unique_name"): SelfReturningStr("Weekly"),
        "max_participants": IntegerByIndex(),
        "webhook_event_url": URL("https://example.com"),
    }
    assert len([outcome async for outcome in client.rooms.create_many([fields], journal=journal)]) == 1
    assert [outcome async for outcome in client.rooms.create_many([unusual], journal=journal)] == []
    rooms = [room async for room in client.rooms.list()]
    journal = Journal(tmp_path / "deletions.journal")
    assert len([outcome async for outcome in client.rooms.delete_many(rooms, journal=journal)]) == 1
    ids = [room.id for room in rooms]
    assert [outcome async for outcome in client.rooms.delete_many(ids, journal=journal)] == []


# --- models as ids ----------------------------------------------------------------------------------------


async def test_models_are_accepted_as_ids(telnyx: Emulator, client: RoomsClient) -> None:
    room = await client.rooms.create(enable_recording=True)
    joined = [telnyx.join(room.id, context=name).id for name in ("Alice", "Bob", "Carol")]
    session = (await client.rooms.sessions(room).page(1)).data[0]
    assert (await client.rooms.retrieve(room)).id == room.id
    assert (await client.sessions.retrieve(session)).id == session.id
    participants = [participant async for participant in client.sessions.participants(session)]
    assert {participant.id for participant in participants} == set(joined)
    await client.sessions.kick(session, iter(participants[:1]))
    assert telnyx.requests[-1].json == {"participants": [participants[0].id]}
    await client.sessions.mute(session, "all", exclude=ElementwiseArray([participants[1]]))  # type: ignore[arg-type]  # as numpy's
    assert telnyx.requests[-1].json == {"participants": "all", "exclude": [participants[1].id]}
    await client.compositions.create(session)
    assert telnyx.requests[-1].json["session_id"] == session.id
    await client.tokens.create(room)
    assert [outcome.ok async for outcome in client.sessions.end_many([session])] == [True]
    assert [outcome.ok async for outcome in client.rooms.delete_many([room])] == [True]


@pytest.mark.parametrize("wrong", [RoomSession(id="a"), Room(id=None), Room(id=7), Room(id=BrokenIterable())])  # type: ignore[arg-type]  # that is the point
async def test_model_without_the_id_is_refused(telnyx: Emulator, client: RoomsClient, wrong: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"room_id must be .* not a Room"):
        await client.recordings.delete_matching(room_id=wrong, type="audio")
    with pytest.raises(InvalidArgumentError, match=r"room_id must be .* not a Room"):
        await client.rooms.delete(wrong)
    assert telnyx.requests == []


@pytest.mark.parametrize("room_id", [None, "", RoomSession(id="a"), Room(id=None), 7])  # type: ignore[arg-type]  # that is the point
def test_room_tracker_needs_a_room(room_id: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="room_id must be a Telnyx id"):
        RoomTracker(room_id)
    assert RoomTracker(enum_member("a-b")).room_id == "a-b"
    assert RoomTracker(UUID(int=0)).room_id == str(UUID(int=0))


# --- arguments that raise ---------------------------------------------------------------------------------


class UncomparableObject:
    """Can neither be compared nor printed."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("compared")

    def __repr__(self) -> str:
        raise RuntimeError("printed")

    __hash__ = None  # type: ignore[assignment]  # as numpy's


class ZeroDimensionalArray:
    """An iterable by its class only, as of numpy."""

    def __iter__(self) -> Any:
        raise TypeError("iteration over a 0-d array")


async def test_arrays_and_uncomparable_objects_are_refused(telnyx: Emulator, client: RoomsClient) -> None:
    array: Any = ElementwiseArray(["https://a.example", "https://b.example"])
    for call in (
        lambda: client.rooms.create(unique_name="a", webhook_event_failover_url=array),
        lambda: client.rooms.update("a", webhook_event_failover_url=array),
        lambda: client.compositions.create("a", webhook_event_failover_url=array),
        lambda: client.rooms.ensure("a", webhook_event_failover_url=array),
    ):
        with pytest.raises(InvalidArgumentError, match="webhook_event_failover_url must be"):
            await call()
    with pytest.raises(ConfigurationError, match="read_only must be"):
        client.with_options(read_only=array)
    value: Any = UncomparableObject()
    for options in ({"concurrency": value}, {"max_failures": value}):
        with pytest.raises(InvalidArgumentError):
            _ = client.rooms.delete_many([], **options)
    with pytest.raises(InvalidArgumentError, match="audio_sources must be"):
        await client.compositions.create("a", audio_sources=[value])
    assert telnyx.requests == []


async def test_likely_mistakes_are_refused_by_name(
    telnyx: Emulator, client: RoomsClient, tmp_path: Path
) -> None:
    path: Any = str(tmp_path / "a.journal")
    with pytest.raises(InvalidArgumentError, match="journal must be a Journal"):
        _ = client.rooms.create_many([{"unique_name": "a"}], journal=path)
    with pytest.raises(InvalidArgumentError, match="recording must be a RoomRecording"):
        await client.recordings.file_size(path)
    with pytest.raises(InvalidArgumentError, match="path must be a path"):
        Journal(None)  # type: ignore[arg-type]  # that is the point
    with pytest.raises(InvalidArgumentError, match="must be numbers"):
        await client.tokens.auto_refresh("a", token_ttl_secs=UNSET).__aenter__()  # type: ignore[arg-type]  # likewise
    for grace in (path, -1, float("nan")):
        with pytest.raises(ConfigurationError, match="grace must be a number from 0"):
            await client.close(grace=grace)
    with pytest.raises(ConfigurationError, match="limit must be"):
        RoomTracker("a", limit=path)
    assert telnyx.requests == []


@pytest.mark.parametrize(
    "participants",
    [
        BrokenIterable(),
        UncomparableObject(),
        [UncomparableObject()],
        7,
        None,
        object(),
        {"a": 1},
        b"a",
        ElementwiseArray([]),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_invalid_collections_of_ids_are_refused(
    telnyx: Emulator, client: RoomsClient, participants: Any
) -> None:
    with pytest.raises(InvalidArgumentError, match="participants must"):
        await client.sessions.kick("a", participants)
    assert telnyx.requests == []


@pytest.mark.parametrize(
    "items",
    [None, 7, "abc", b"abc", SelfReturningStr("abc"), BrokenIterable(), ZeroDimensionalArray()],
    ids=lambda value: type(value).__name__,
)
async def test_bulk_calls_and_plans_refuse_items_that_cannot_be_iterated(
    telnyx: Emulator, client: RoomsClient, items: Any
) -> None:
    for call in (
        client.rooms.create_many,
        client.rooms.update_many,
        client.rooms.delete_many,
        client.sessions.end_many,
    ):
        with pytest.raises(InvalidArgumentError, match="the items "):
            call(items)
    with pytest.raises(InvalidArgumentError, match="desired must be an iterable"):
        await client.rooms.plan(items)
    assert telnyx.requests == []
