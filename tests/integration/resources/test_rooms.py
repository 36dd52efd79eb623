"""The six operations of rooms, against the emulator over a socket."""

from datetime import UTC, date, timedelta
from uuid import UUID, uuid4

import pytest

from telnyx_rooms_async import (
    UNSET,
    DateFilter,
    InvalidArgumentError,
    NameTakenError,
    NotFoundError,
    RoomsClient,
)
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock

PAGE = [("page[number]", "1"), ("page[size]", "250")]


async def test_create_sends_what_is_given_and_returns_the_room(client: RoomsClient, telnyx: Emulator) -> None:
    """Every parameter of create is a field of the body, and comes back in the room."""
    fields = {
        "unique_name": "Weekly",
        "max_participants": 25,
        "enable_recording": True,
        "webhook_event_url": "https://example.com/hook",
        "webhook_event_failover_url": "https://example.org/hook",
        "webhook_timeout_secs": 25,
    }
    room = await client.rooms.create(**fields)  # type: ignore[arg-type]  # a table of mixed values
    sent = telnyx.requests[-1]
    assert (sent.method, sent.path, sent.query, sent.json) == ("POST", "/v2/rooms", (), fields)
    assert sent.headers["content-type"] == "application/json"
    assert {name: getattr(room, name) for name in fields} == fields
    assert str(UUID(room.id)) == room.id
    assert room.record_type == "room"
    assert room.created_at is not None
    assert room.created_at.tzinfo is UTC


async def test_create_without_arguments_sends_an_empty_object(client: RoomsClient, telnyx: Emulator) -> None:
    """A room needs no field at all; the body is then an empty object, and its name stays None."""
    room = await client.rooms.create()
    assert telnyx.requests[-1].body == b"{}"
    assert (room.unique_name, room.max_participants, room.sessions) == (None, 10, None)


async def test_create_sends_null_where_the_api_allows_it(client: RoomsClient, telnyx: Emulator) -> None:
    """None is null on the wire for the failover URL and the webhook timeout."""
    await client.rooms.create(webhook_event_failover_url=None, webhook_timeout_secs=None)
    assert telnyx.requests[-1].json == {"webhook_event_failover_url": None, "webhook_timeout_secs": None}


async def test_create_of_a_taken_name(client: RoomsClient) -> None:
    """A second room of the same name is refused with the field that is to blame."""
    await client.rooms.create(unique_name="Weekly")
    with pytest.raises(NameTakenError) as caught:
        await client.rooms.create(unique_name="Weekly")
    assert caught.value.status == 422
    assert caught.value.pointer == "/unique_name"


async def test_retrieve(client: RoomsClient, telnyx: Emulator) -> None:
    """A room is found by its id, as text or as UUID, without its sessions unless asked for."""
    made = await client.rooms.create(unique_name="Weekly")
    telnyx.join(made.id, context="Alice")
    room = await client.rooms.retrieve(UUID(made.id))
    assert telnyx.requests[-1].target == f"/v2/rooms/{made.id}"
    assert room.sessions is None
    assert room.active_session_id is not None
    with_sessions = await client.rooms.retrieve(made.id, include_sessions=True)
    assert telnyx.requests[-1].target == f"/v2/rooms/{made.id}?include_sessions=true"
    assert with_sessions.sessions is not None
    assert [session.id for session in with_sessions.sessions] == [room.active_session_id]


async def test_retrieve_of_a_missing_room(client: RoomsClient, telnyx: Emulator) -> None:
    """A room that is not there is a NotFoundError with Telnyx's code, after one request."""
    with pytest.raises(NotFoundError) as caught:
        await client.rooms.retrieve(str(uuid4()))
    error = caught.value
    assert (error.status, error.code, error.title) == (404, "10005", "Resource not found")
    assert error.request_id is not None
    assert [attempt.status for attempt in error.attempts] == [404]
    assert len(telnyx.requests) == 1


async def test_update_sends_one_key(client: RoomsClient, telnyx: Emulator) -> None:
    """An update touches the field that is given and no other."""
    made = await client.rooms.create(unique_name="Weekly", max_participants=7)
    room = await client.rooms.update(made.id, webhook_event_url="https://example.com/hook")
    sent = telnyx.requests[-1]
    assert (sent.method, sent.path) == ("PATCH", f"/v2/rooms/{made.id}")
    assert sent.json == {"webhook_event_url": "https://example.com/hook"}
    assert (room.unique_name, room.max_participants) == ("Weekly", 7)
    assert room.webhook_event_url == "https://example.com/hook"


async def test_update_tells_unset_from_none(client: RoomsClient, telnyx: Emulator) -> None:
    """None clears the failover URL with a null; UNSET leaves it alone."""
    made = await client.rooms.create(webhook_event_failover_url="https://example.org/hook")
    await client.rooms.update(made.id, webhook_event_failover_url=UNSET, max_participants=3)
    assert telnyx.requests[-1].json == {"max_participants": 3}
    cleared = await client.rooms.update(made.id, webhook_event_failover_url=None)
    assert telnyx.requests[-1].json == {"webhook_event_failover_url": None}
    assert cleared.webhook_event_failover_url is None


async def test_update_sends_every_field(client: RoomsClient, telnyx: Emulator) -> None:
    """Each field that can be created can be changed."""
    made = await client.rooms.create()
    room = await client.rooms.update(
        made.id,
        unique_name="Renamed",
        max_participants=2,
        enable_recording=True,
        webhook_event_url="http://example.com",
        webhook_event_failover_url="http://example.org",
        webhook_timeout_secs=0,
    )
    assert telnyx.requests[-1].json == {
        "unique_name": "Renamed",
        "max_participants": 2,
        "enable_recording": True,
        "webhook_event_url": "http://example.com",
        "webhook_event_failover_url": "http://example.org",
        "webhook_timeout_secs": 0,
    }
    assert room.webhook_timeout_secs == 0


async def test_delete(client: RoomsClient, telnyx: Emulator) -> None:
    """A deleted room is gone, and deleting it again is a NotFoundError."""
    made = await client.rooms.create()
    await client.rooms.delete(made.id)
    sent = telnyx.requests[-1]
    assert (sent.method, sent.target, sent.body) == ("DELETE", f"/v2/rooms/{made.id}", b"")
    assert "content-type" not in sent.headers
    assert telnyx.rooms == ()
    with pytest.raises(NotFoundError):
        await client.rooms.delete(made.id)


async def test_list_spells_every_filter_as_the_api_does(client: RoomsClient, telnyx: Emulator) -> None:
    """Each filter of the room list stands on the wire under its documented name."""
    listing = client.rooms.list(
        created_at=DateFilter(gte=date(2021, 4, 25), lte=date(2021, 5, 25)),
        updated_at=date(2021, 6, 1),
        unique_name="Weekly & more",
        include_sessions=True,
        page_size=7,
    )
    assert [room async for room in listing] == []
    assert sorted(telnyx.requests[-1].query) == [
        ("filter[date_created_at][gte]", "2021-04-25"),
        ("filter[date_created_at][lte]", "2021-05-25"),
        ("filter[date_updated_at][eq]", "2021-06-01"),
        ("filter[unique_name]", "Weekly & more"),
        ("include_sessions", "true"),
        ("page[number]", "1"),
        ("page[size]", "7"),
    ]
    assert "filter%5Bdate_created_at%5D%5Bgte%5D=2021-04-25" in telnyx.requests[-1].target


async def test_list_without_filters_sends_the_page_alone(client: RoomsClient, telnyx: Emulator) -> None:
    """What is not asked for is not sent."""
    await client.rooms.list().page(1)
    assert list(telnyx.requests[-1].query) == PAGE


async def test_list_filters(client: RoomsClient, time: FakeClock) -> None:
    """Filters by day and by name select what they say."""
    room = await client.rooms.create(unique_name="Weekly")
    await client.rooms.create(unique_name="Daily")
    today = time.now.date()
    tomorrow = DateFilter(gte=today + timedelta(days=2))
    around = DateFilter(gte=today - timedelta(days=1), lte=today + timedelta(days=1))
    assert [found.id async for found in client.rooms.list(unique_name="Weekly")] == [room.id]
    assert [found async for found in client.rooms.list(created_at=tomorrow)] == []
    assert len([found async for found in client.rooms.list(created_at=around, updated_at=around)]) == 2


async def test_sessions_spells_every_filter_as_the_api_does(client: RoomsClient, telnyx: Emulator) -> None:
    """Each filter of the session list stands on the wire under its documented name."""
    room = await client.rooms.create()
    listing = client.rooms.sessions(
        room.id,
        created_at=date(2021, 4, 25),
        updated_at=DateFilter(lte=date(2021, 4, 26)),
        ended_at=DateFilter(eq=date(2021, 4, 27)),
        active=False,
        include_participants=True,
        page_size=250,
    )
    assert [session async for session in listing] == []
    sent = telnyx.requests[-1]
    assert sent.path == f"/v2/rooms/{room.id}/sessions"
    assert sorted(sent.query) == [
        ("filter[active]", "false"),
        ("filter[date_created_at][eq]", "2021-04-25"),
        ("filter[date_ended_at][eq]", "2021-04-27"),
        ("filter[date_updated_at][lte]", "2021-04-26"),
        ("include_participants", "true"),
        *PAGE,
    ]


async def test_sessions_with_their_participants(client: RoomsClient, telnyx: Emulator) -> None:
    """Sessions come as typed values, with who was in them when asked for."""
    room = await client.rooms.create()
    alice = telnyx.join(room.id, context="Alice")
    bob = telnyx.join(room.id, context="Bob")
    telnyx.leave(alice.id)
    (session,) = [each async for each in client.rooms.sessions(room.id, include_participants=True)]
    assert (session.room_id, session.active, session.ended_at) == (room.id, True, None)
    assert session.participants is not None
    assert [person.context for person in session.participants] == ["Alice", "Bob"]
    assert [person.left_at is None for person in session.participants] == [False, True]
    telnyx.leave(bob.id)
    (ended,) = [each async for each in client.rooms.sessions(room.id, active=False)]
    assert (ended.id, ended.active, ended.participants) == (session.id, False, None)
    assert ended.ended_at is not None
    assert [each async for each in client.rooms.sessions(room.id, active=True)] == []


BAD_VALUES: dict[str, dict[str, object]] = {
    "too few participants": {"max_participants": 1},
    "too many participants": {"max_participants": 51},
    "a number as text": {"max_participants": "10"},
    "a boolean as number": {"max_participants": True},
    "a timeout too long": {"webhook_timeout_secs": 31},
    "a timeout below zero": {"webhook_timeout_secs": -1},
    "a URL without a scheme": {"webhook_event_url": "example.com/hook"},
    "a URL of another scheme": {"webhook_event_url": "ftp://example.com"},
    "null for a name": {"unique_name": None},
    "null for the webhook URL": {"webhook_event_url": None},
    "null for a count": {"max_participants": None},
    "null for a flag": {"enable_recording": None},
    "text for a flag": {"enable_recording": "yes"},
}


@pytest.mark.parametrize("values", BAD_VALUES.values(), ids=BAD_VALUES)
async def test_bad_values_are_refused_before_anything_is_sent(
    client: RoomsClient, telnyx: Emulator, values: dict[str, object]
) -> None:
    """A value out of its documented bounds is told by its name, and no request leaves."""
    for attempt in (client.rooms.create(**values), client.rooms.update("an-id", **values)):  # type: ignore[arg-type]  # wrong on purpose
        with pytest.raises(InvalidArgumentError) as caught:
            await attempt
        assert str(caught.value).startswith(next(iter(values)))
    assert telnyx.requests == []


BAD_IDS: dict[str, object] = {
    "empty": "",
    "none": None,
    "dot": ".",
    "dots": "..",
    "encoded dot": "%2e",
    "slash": "a/b",
    "question mark": "a?b",
    "hash": "a#b",
    "space": "a b",
    "line break": "a\r\nb",
    "final line break": "a\n",
    "nul": "a\0b",
    "endless": "a" * 20_000,
    "bytes": b"a",
    "number": 7,
}


@pytest.mark.parametrize("room_id", BAD_IDS.values(), ids=BAD_IDS)
async def test_bad_ids_are_refused_before_anything_is_sent(
    client: RoomsClient, telnyx: Emulator, room_id: str
) -> None:
    """What is no id never becomes a path, in any verb that takes one."""
    for verb in (client.rooms.retrieve, client.rooms.update, client.rooms.delete):
        with pytest.raises(InvalidArgumentError, match="room_id must be a Telnyx id"):
            await verb(room_id)
    with pytest.raises(InvalidArgumentError, match="room_id must be a Telnyx id"):
        client.rooms.sessions(room_id)
    assert telnyx.requests == []


@pytest.mark.parametrize("page_size", [0, 251, -1, True, "20", None])
def test_bad_page_sizes_are_refused_at_once(page_size: int) -> None:
    """A page holds 1 to 250 items; the listing is not even made otherwise."""
    client = RoomsClient("KEY")
    with pytest.raises(InvalidArgumentError, match="page_size must be an int from 1 to 250"):
        client.rooms.list(page_size=page_size)
