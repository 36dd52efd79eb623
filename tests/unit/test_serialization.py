"""Bytes to values and back: exact models, exact misfits, and two lanes that agree."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, get_origin

import attrs
import pytest
from attrs import fields_dict, frozen
from hypothesis import event, given, settings
from hypothesis import strategies as st

from telnyx_rooms_async.models import Page, PageMeta, Room, RoomComposition, RoomParticipant, RoomSession
from telnyx_rooms_async.serialization import (
    DecodeError,
    Envelope,
    JsonConverter,
    converter,
    encode_json,
    make_converter,
    parse_json,
)

SAMPLES = Path(__file__).parents[1] / "unit" / "samples"


def sample(name: str) -> bytes:
    """Read a recorded answer."""
    return (SAMPLES / name).read_bytes()


def utc(*when: int) -> datetime:
    """Return an instant in UTC."""
    return datetime(*when, tzinfo=UTC)  # type: ignore[misc, arg-type]  # never as many as eight numbers


def structure(own: JsonConverter, body: bytes, cl: Any) -> Any:
    """Structure a page, or what is under ``data``."""
    return own.loads(body, cl) if get_origin(cl) is Page else own.loads(body, Envelope[cl]).data


decode = partial(structure, converter)
decode_by_cattrs_alone = partial(structure, make_converter(use_msgspec=False))


# --- recorded answers -------------------------------------------------------------------------------------

ALICE = RoomParticipant(
    id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f2",
    session_id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f1",
    context="Alice",
    joined_at=utc(2021, 3, 26, 17, 52, 10, 1),
    updated_at=utc(2021, 3, 26, 17, 53),
    left_at=None,
    record_type="room_participant",
)
ACTIVE = RoomSession(
    id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f1",
    room_id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f0",
    active=True,
    created_at=utc(2021, 3, 26, 17, 51, 59, 588408),
    updated_at=utc(2021, 3, 26, 17, 51, 59, 588408),
    ended_at=None,
    participants=(ALICE,),
    record_type="room_session",
)
ENDED = RoomSession(
    id="4f1c9a0e-0a3c-4b7e-9e55-1a2b3c4d5e6f",
    room_id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f0",
    active=False,
    created_at=utc(2021, 3, 25, 9),
    updated_at=utc(2021, 3, 25, 10, 30, 0, 500000),
    ended_at=utc(2021, 3, 25, 10, 30, 0, 500000),
    participants=(),
    record_type="room_session",
)
ROOM = Room(
    id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f0",
    unique_name="My room",
    max_participants=50,
    enable_recording=True,
    active_session_id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f1",
    sessions=None,
    webhook_event_url="https://example.com",
    webhook_event_failover_url="https://failover.example.com",
    webhook_timeout_secs=25,
    created_at=utc(2021, 3, 26, 17, 51, 59, 588408),
    updated_at=utc(2021, 3, 27, 8),
    record_type="room",
)
NAMELESS = Room(id="7a1e5d3c-6c0b-4c59-8a55-0f4de2c0f9aa")


@pytest.mark.parametrize(
    ("name", "answer", "value"),
    [
        ("room.json", Room, ROOM),
        ("room_with_sessions.json", Room, attrs.evolve(ROOM, sessions=(ACTIVE, ENDED))),
        ("room_of_nulls.json", Room, NAMELESS),
        (
            "room_of_tomorrow.json",
            Room,
            Room(
                id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f0",
                unique_name="My room",
                record_type="room_v2",
                sessions=(
                    RoomSession(id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f1", record_type="room_meeting"),
                ),
            ),
        ),
        (
            "rooms_page.json",
            Page[Room],
            Page(
                data=(ROOM, NAMELESS),
                meta=PageMeta(page_number=2, page_size=25, total_pages=3, total_results=55),
            ),
        ),
        (
            "rooms_page_empty.json",
            Page[Room],
            Page(data=(), meta=PageMeta(page_number=1, page_size=20, total_pages=0, total_results=0)),
        ),
        (
            "sessions_page.json",
            Page[RoomSession],
            Page(
                data=(ACTIVE, ENDED),
                meta=PageMeta(page_number=1, page_size=250, total_pages=1, total_results=2),
            ),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_recorded_answers(name: str, answer: type[object], value: object) -> None:
    """A recorded answer comes to exactly this model, down both lanes."""
    body = sample(name)
    assert decode(body, answer) == value
    assert decode_by_cattrs_alone(body, answer) == value


@pytest.mark.parametrize(
    ("field", "told"),
    [
        (field.name, told)
        for field in attrs.fields(Room)
        if field.name != "id"
        for told in ("null", "missing")
    ],
)
def test_every_field_but_the_id_may_be_null_or_missing(field: str, told: str) -> None:
    """A field that is null or missing is None, and the others are as they came."""
    room = json.loads(sample("room_with_sessions.json"))["data"]
    if told == "null":
        room[field] = None
    else:
        room.pop(field)
    whole = decode(sample("room_with_sessions.json"), Room)
    assert getattr(whole, field) is not None
    changes: dict[str, Any] = {field: None}
    assert decode(encode_json({"data": room}), Room) == attrs.evolve(whole, **changes)


NO_INSTANT = "expected an RFC 3339 instant, got another string"

# --- misfits ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("room", "misfits"),
    [
        ("null", ["$.data: expected object, got null"]),
        ("[]", ["$.data: expected object, got array"]),
        ('"room"', ["$.data: expected object, got string"]),
        ("7", ["$.data: expected object, got integer"]),
        ("true", ["$.data: expected object, got boolean"]),
        ("{}", ["$.data.id: missing"]),
        ('{"id":null}', ["$.data.id: expected string, got null"]),
        ('{"id":7}', ["$.data.id: expected string, got integer"]),
        ('{"id":7.0}', ["$.data.id: expected string, got number"]),
        ('{"id":true}', ["$.data.id: expected string, got boolean"]),
        ('{"id":["a"]}', ["$.data.id: expected string, got array"]),
        ('{"id":{"a":1}}', ["$.data.id: expected string, got object"]),
        ('{"id":"a","unique_name":7}', ["$.data.unique_name: expected string, got integer"]),
        ('{"id":"a","max_participants":"50"}', ["$.data.max_participants: expected integer, got string"]),
        ('{"id":"a","max_participants":7.9}', ["$.data.max_participants: expected integer, got number"]),
        ('{"id":"a","max_participants":50.0}', ["$.data.max_participants: expected integer, got number"]),
        ('{"id":"a","max_participants":5e1}', ["$.data.max_participants: expected integer, got number"]),
        ('{"id":"a","max_participants":true}', ["$.data.max_participants: expected integer, got boolean"]),
        ('{"id":"a","enable_recording":"false"}', ["$.data.enable_recording: expected boolean, got string"]),
        ('{"id":"a","enable_recording":0}', ["$.data.enable_recording: expected boolean, got integer"]),
        ('{"id":"a","created_at":1616781119}', ["$.data.created_at: expected string, got integer"]),
        ('{"id":"a","sessions":{}}', ["$.data.sessions: expected array, got object"]),
        ('{"id":"a","sessions":[null]}', ["$.data.sessions[0]: expected object, got null"]),
        ('{"id":"a","sessions":[{"id":"b"},{}]}', ["$.data.sessions[1].id: missing"]),
        (
            '{"id":"a","sessions":[{"id":"b","participants":[{"id":"c"},{"id":"d","left_at":"later"}]}]}',
            [f"$.data.sessions[0].participants[1].left_at: {NO_INSTANT}"],
        ),
    ],
)
def test_a_misfit_is_named_by_its_path(room: str, misfits: list[str]) -> None:
    """Nothing is coerced: a wrong type is told with its path, what was expected, and what came."""
    with pytest.raises(DecodeError) as caught:
        decode(b'{"data":%s}' % room.encode(), Room)
    assert list(caught.value.args) == misfits


def test_all_misfits_are_told_at_once() -> None:
    """Each misfit of an answer has its own entry."""
    room = {
        "id": 7,
        "unique_name": False,
        "max_participants": "many",
        "created_at": "yesterday",
        "sessions": [{"id": None}, {}, 3, {"id": "a", "participants": [{"id": 1}]}],
    }
    with pytest.raises(DecodeError) as caught:
        decode(encode_json({"data": room}), Room)
    assert sorted(caught.value.args) == [
        f"$.data.created_at: {NO_INSTANT}",
        "$.data.id: expected string, got integer",
        "$.data.max_participants: expected integer, got string",
        "$.data.sessions[0].id: expected string, got null",
        "$.data.sessions[1].id: missing",
        "$.data.sessions[2]: expected object, got integer",
        "$.data.sessions[3].participants[0].id: expected string, got integer",
        "$.data.unique_name: expected string, got boolean",
    ]


@pytest.mark.parametrize(
    ("body", "misfits"),
    [
        ("{}", ["$.data: missing"]),
        ('{"meta":{}}', ["$.data: missing"]),
        ('{"data":null}', ["$.data: expected array, got null"]),
        ('{"data":{"id":"a"}}', ["$.data: expected array, got object"]),
        ('{"data":[{"id":"a"},null]}', ["$.data[1]: expected object, got null"]),
        (
            '{"data":[{"id":1},{}],"meta":3}',
            ["$.data[0].id: expected string, got integer", "$.data[1].id: missing"],
        ),
    ],
)
def test_misfits_of_a_page(body: str, misfits: list[str]) -> None:
    """The misfits of a page are told with the number of the item."""
    with pytest.raises(DecodeError) as caught:
        decode(body.encode(), Page[Room])
    assert list(caught.value.args) == misfits


def test_a_name_of_the_answer_does_not_confuse_the_path() -> None:
    """What is wrong stands behind its path, whatever names the path goes through."""
    with pytest.raises(DecodeError) as caught:
        decode(b'{"data":{"id":"a","video_layout":{"b @ c":{"width":"d"}}}}', RoomComposition)
    assert caught.value.args == ("$.data.video_layout['b @ c'].width: expected integer, got string",)


def test_a_misfit_does_not_quote_the_value() -> None:
    """A value that does not fit may be a secret: it is not in the error, nor in its context."""
    with pytest.raises(DecodeError) as caught:
        decode(b'{"data":{"id":["canary"],"created_at":"canary","max_participants":"canary"}}', Room)
    assert len(caught.value.args) == 3
    assert "canary" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


ROOM_A = b'{"data":{"id":"a"}}'


@pytest.mark.parametrize(
    ("body", "begins"),
    [
        pytest.param(b"", "$: the body is empty", id="empty"),
        pytest.param(b" \r\n", "$: ", id="blank"),
        pytest.param(b"\xef\xbb\xbf", "$: ", id="only-a-byte-order-mark"),
        pytest.param(b"<!doctype html><html></html>", "$: JSON is malformed", id="html"),
        pytest.param(b"upstream error", "$: JSON is malformed", id="text"),
        pytest.param(b"null", "$: expected object, got null", id="null"),
        pytest.param(b"[]", "$: expected object, got array", id="list"),
        pytest.param(b'"room"', "$: expected object, got string", id="string"),
        pytest.param(b"3", "$: expected object, got integer", id="number"),
        pytest.param(b"{}", "$.data: missing", id="object"),
        pytest.param(ROOM_A[:-1], "$: Input data was truncated", id="cut-off"),
        pytest.param(ROOM_A + b" x", "$: JSON is malformed", id="more-behind"),
        pytest.param(ROOM_A * 2, "$: JSON is malformed", id="twice"),
        pytest.param(b'{"data":{"id":"a","max_participants":NaN}}', "$: JSON is malformed", id="nan"),
        pytest.param(b'{"data":{"id":"a","x":NaN}}', "$: JSON is malformed", id="nan-in-an-unknown-field"),
        pytest.param(
            b'{"data":{"id":"a","max_participants":Infinity}}', "$: JSON is malformed", id="infinity"
        ),
        pytest.param(
            b'{"data":{"id":"a","max_participants":' + b"9" * 5000 + b"}}",
            "$: Integer value",
            id="5000-digits",
        ),
        pytest.param(b'{"data":{"id":"\\ud800 alone"}}', "$: ", id="lone-surrogate"),
        pytest.param(b'{"data":{"id":"\\udc00 alone"}}', "$: ", id="lone-low-surrogate"),
        pytest.param(
            b'{"data":{"id":"a","x":"\\ud800 alone"}}', "$: ", id="lone-surrogate-in-an-unknown-field"
        ),
        pytest.param(b'{"data":{"id":"\xed\xa0\x80"}}', "$: ", id="surrogate-in-utf-8"),
        pytest.param(b'{"data":{"id":"\xff"}}', "$: ", id="not-utf-8"),
        pytest.param('{"data":{"id":"Zoë"}}'.encode("latin-1"), "$: ", id="latin-1"),
        pytest.param(ROOM_A.decode().encode("utf-16"), "$: JSON is malformed", id="utf-16"),
        pytest.param(ROOM_A.decode().encode("utf-32"), "$: ", id="utf-32"),
        pytest.param(b"[" * 200_000, "$: nested too deep", id="deep"),
        pytest.param(b'{"data":' * 200_000, "$: nested too deep", id="deep-objects"),
        pytest.param(
            b'{"data":{"id":"a","x":' + b"[" * 200_000 + b"]" * 200_000 + b"}}",
            "$: nested too deep",
            id="deep-in-an-unknown-field",
        ),
        pytest.param(
            b'{"data":{"id":"a","unique_name":' + b"[" * 200_000 + b"]" * 200_000 + b"}}",
            "$: nested too deep",
            id="deep-in-a-field",
        ),
    ],
)
@pytest.mark.parametrize("answer", [Room, Page[Room]], ids=["one", "page"])
def test_what_is_no_answer(body: bytes, begins: str, answer: type[object]) -> None:
    """A body that is no answer at all is one misfit, told on one short line, and nothing worse."""
    with pytest.raises(DecodeError) as caught:
        decode(body, answer)
    (misfit,) = caught.value.args
    assert misfit.startswith(begins)
    assert len(misfit) <= 200


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\xef\xbb\xbf" + ROOM_A, id="byte-order-mark"),
        pytest.param(b"\r\n\t " + ROOM_A + b"\r\n", id="white-space"),
        pytest.param(b'{"data":{"id":"b","id":"a"}}', id="duplicate-key"),
        pytest.param(b'{"data":{"id":7,"id":"a"}}', id="duplicate-key-once-wrong"),
        pytest.param(b'{"data":{"id":"b"},"data":{"id":"a"}}', id="duplicate-data"),
        pytest.param(b'{"data":{"id":"\\u0061"}}', id="escaped"),
        pytest.param(b'{"data":{"id":"a","x":[1,{"y":null}]},"included":[]}', id="unknown-fields"),
        pytest.param(b'{"data":{"id":"a"},"meta":{"page_number":"x"}}', id="a-meta-where-none-is-due"),
    ],
)
def test_what_is_forgiven(body: bytes) -> None:
    """A byte-order mark, white space, unknown fields and duplicate keys (the last counts) are forgiven."""
    assert decode(body, Room) == Room(id="a")


def test_text_of_every_plane() -> None:
    """A text comes as it was written, escaped or not."""
    body = '{"data":{"id":"a","unique_name":"Zo\\u00eb 会议 \\ud83d\\ude00 😀 \\u0000"}}'.encode()
    assert decode(body, Room).unique_name == "Zoë 会议 😀 😀 \0"


def test_large_integers_stay_exact() -> None:
    """An integer beyond 64 bits is neither cut nor turned into a float."""
    body = b'{"data":{"id":"a","max_participants":123456789012345678901234567890}}'
    assert decode(body, Room).max_participants == 123456789012345678901234567890


# --- meta -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "meta"),
    [
        pytest.param("null", PageMeta(), id="null"),
        pytest.param("[]", PageMeta(), id="list"),
        pytest.param('"none"', PageMeta(), id="string"),
        pytest.param("3", PageMeta(), id="number"),
        pytest.param("{}", PageMeta(), id="empty"),
        pytest.param('{"page_number":null,"total_pages":3}', PageMeta(total_pages=3), id="one-null"),
        pytest.param('{"page_number":"2","total_pages":3}', PageMeta(total_pages=3), id="one-text"),
        pytest.param('{"page_number":2.0,"total_pages":3}', PageMeta(total_pages=3), id="one-float"),
        pytest.param('{"page_number":true,"total_pages":3}', PageMeta(total_pages=3), id="one-boolean"),
        pytest.param('{"page_number":[2],"total_pages":3}', PageMeta(total_pages=3), id="one-list"),
        pytest.param(
            '{"total_pages":0,"total_results":-1}', PageMeta(total_pages=0, total_results=-1), id="odd"
        ),
        pytest.param('{"total_pages":3,"next":"x"}', PageMeta(total_pages=3), id="unknown-field"),
        pytest.param(
            '{"page_number":2,"page_size":25,"total_pages":3,"total_results":55}',
            PageMeta(page_number=2, page_size=25, total_pages=3, total_results=55),
            id="sound",
        ),
    ],
)
def test_an_odd_meta_is_no_reason_to_refuse_a_page(told: str, meta: PageMeta) -> None:
    """Of the page numbers what is sane is kept, and the rest is None."""
    body = b'{"data":[{"id":"a"}],"meta":%s}' % told.encode()
    assert decode(body, Page[Room]) == Page(data=(Room(id="a"),), meta=meta)


def test_a_missing_meta_is_empty() -> None:
    """A page without page numbers is a page."""
    assert decode(b'{"data":[]}', Page[Room]) == Page(data=(), meta=PageMeta())


# --- instants ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        ("2021-04-22T12:24:55Z", utc(2021, 4, 22, 12, 24, 55)),
        ("2021-03-26T17:51:59.588408Z", utc(2021, 3, 26, 17, 51, 59, 588408)),
        ("2021-03-26T17:51:59.5Z", utc(2021, 3, 26, 17, 51, 59, 500000)),
        ("2022-03-02 04:47:29.980874Z", utc(2022, 3, 2, 4, 47, 29, 980874)),
        ("2022-03-02t04:47:29z", utc(2022, 3, 2, 4, 47, 29)),
        ("2021-03-26T17:51:59+00:00", utc(2021, 3, 26, 17, 51, 59)),
        ("2021-03-26T17:51:59-00:00", utc(2021, 3, 26, 17, 51, 59)),
        ("2021-03-26T17:51:59+02:00", utc(2021, 3, 26, 15, 51, 59)),
        ("2021-03-26T17:51:59.000001-05:30", utc(2021, 3, 26, 23, 21, 59, 1)),
        ("2021-01-01T00:00:00+01:00", utc(2020, 12, 31, 23)),
        ("2021-03-26T17:51:59", utc(2021, 3, 26, 17, 51, 59)),
        ("2021-03-26 17:51:59.588408", utc(2021, 3, 26, 17, 51, 59, 588408)),
    ],
)
@pytest.mark.parametrize("lane", [decode, decode_by_cattrs_alone], ids=["fast", "detailed"])
def test_instants_are_aware_and_in_utc(told: str, moment: datetime, lane: Any) -> None:
    """An instant of any zone, or of none, comes in UTC, wherever it stands."""
    body = encode_json(
        {
            "data": {
                "id": "a",
                "created_at": told,
                "sessions": [{"id": "b", "ended_at": told, "participants": [{"id": "c", "left_at": told}]}],
            }
        }
    )
    found = list(instants(lane(body, Room)))
    assert found == [moment] * 3
    assert [each.tzinfo for each in found] == [UTC] * 3


@pytest.mark.parametrize(
    "told",
    [
        "",
        "yesterday",
        "2021-03-26",
        "17:51:59Z",
        "2021-13-26T17:51:59Z",
        "2021-02-30T17:51:59Z",
        "2021-03-26T24:51:59Z",
        "2021-03-26T17:51:59+25:00",
        "2021-03-26T17:51:59 UTC",
        "1616781119",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
    ],
)
def test_what_is_no_instant(told: str) -> None:
    """A text that is no instant, or one that no datetime can hold in UTC, is a misfit."""
    with pytest.raises(DecodeError) as caught:
        decode(encode_json({"data": {"id": "a", "updated_at": told}}), Room)
    assert caught.value.args == (f"$.data.updated_at: {NO_INSTANT}",)


# --- numbers with a fraction: no room has one, recordings will ----------------------------------------------


@frozen(kw_only=True)
class Measured:
    """A thing with a size."""

    id: str
    size_mb: float | None = None


@pytest.mark.parametrize(
    ("told", "size"), [("10.5", 10.5), ("6", 6.0), ("-0.0", 0.0), ("1e3", 1000.0), ("null", None)]
)
def test_a_number_may_come_without_its_fraction(told: str, size: float | None) -> None:
    """A float that is written as an integer is a float, down both lanes."""
    body = b'{"data":{"id":"a","size_mb":%s}}' % told.encode()
    fast = decode(body, Measured)
    slow = decode_by_cattrs_alone(body, Measured)
    assert fast == slow == Measured(id="a", size_mb=size)
    assert type(fast.size_mb) is type(slow.size_mb) is type(size)


@pytest.mark.parametrize(("told", "got"), [('"10.5"', "string"), ("true", "boolean"), ("[1]", "array")])
def test_a_number_is_not_read_from_other_things(told: str, got: str) -> None:
    """A float is not coerced from a text or a boolean."""
    with pytest.raises(DecodeError) as caught:
        decode(b'{"data":{"id":"a","size_mb":%s}}' % told.encode(), Measured)
    assert caught.value.args == (f"$.data.size_mb: expected number, got {got}",)


# --- the two lanes ----------------------------------------------------------------------------------------


def instants(value: object) -> Iterator[datetime]:
    """Find every instant in a model, however deep."""
    if isinstance(value, datetime):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from instants(item)
    elif attrs.has(kind := type(value)):
        for field in attrs.fields(kind):
            yield from instants(getattr(value, field.name))


TEXTS = st.text(max_size=8)
ZONES = st.sampled_from(["Z", "Z", "Z", "z", "+00:00", "-00:00", "+02:00", "-05:30", "+23:59", "-23:59", ""])
MOMENTS = st.builds(
    lambda moment, between, zone: moment.isoformat(between) + zone,
    st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 30)),  # noqa: DTZ001 - the zone is written behind it
    st.sampled_from("TTt "),
    ZONES,
)
NUMBERS = st.integers(-3, 60) | st.integers()
FLAGS = st.booleans()
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0.0, 1.5, 5e1, -0.0]),
    st.sampled_from(["", "2021-03-26", "50", "true", "0001-01-01T00:00:00+01:00"]),
    st.just([]),
    st.just({}),
    st.just([{"id": "a"}]),
    st.just({"id": "a"}),
)
Shape = st.SearchStrategy[Any]


def now_and_then(odd: Shape, shape: Shape) -> Shape:
    """Draw mostly the one and seldom the other: most things have many fields."""
    return st.sampled_from([*[shape] * 29, odd]).flatmap(lambda drawn: drawn)


def thing(odd: Shape | None, **fields: Shape) -> Shape:
    """Draw an object of which any field but the id may be null, missing or, with `odd`, of another type."""
    shapes = {"id": TEXTS} | {name: shape | shape | st.none() for name, shape in fields.items()}
    if odd is not None:
        shapes = {name: now_and_then(odd, shape) for name, shape in shapes.items()}
    return st.fixed_dictionaries({"id": shapes.pop("id")}, optional={**shapes, "shape": ODD})


def rooms(odd: Shape | None) -> Shape:
    """Draw a room with its sessions and their participants."""
    participant = thing(
        odd, session_id=TEXTS, context=TEXTS, joined_at=MOMENTS, updated_at=MOMENTS, left_at=MOMENTS
    )
    session = thing(
        odd,
        room_id=TEXTS,
        active=FLAGS,
        created_at=MOMENTS,
        updated_at=MOMENTS,
        ended_at=MOMENTS,
        participants=st.lists(participant, max_size=2),
    )
    return thing(
        odd,
        unique_name=TEXTS,
        max_participants=NUMBERS,
        enable_recording=FLAGS,
        active_session_id=TEXTS,
        sessions=st.lists(session, max_size=2),
        webhook_event_failover_url=TEXTS,
        webhook_timeout_secs=NUMBERS,
        created_at=MOMENTS,
        updated_at=MOMENTS,
        record_type=TEXTS,
    )


def pages(odd: Shape | None) -> Shape:
    """Draw a page of rooms, with a ``meta`` that may be anything."""
    meta = st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(("page_number", "page_size", "total_pages", "total_results"), NUMBERS | ODD),
    )
    return st.fixed_dictionaries({"data": st.lists(rooms(odd), max_size=3)}, optional={"meta": meta | ODD})


def written(told: object) -> bytes:
    """Write JSON with another tool than the one that is tried."""
    return json.dumps(told).encode()


def outcome(lane: Callable[[bytes, Any], Any], body: bytes, answer: Any) -> tuple[Any, tuple[str, ...]]:
    """Return the value that a lane comes to, or why it takes none."""
    try:
        return lane(body, answer), ()
    except DecodeError as misfit:
        return None, misfit.args


def agree(body: bytes, answer: Any) -> Any:
    """Decode a body down both lanes; return the value, or None where neither takes it."""
    value, misfits = outcome(decode, body, answer)
    assert (value is None) == bool(misfits)
    assert outcome(decode_by_cattrs_alone, body, answer) == (value, misfits)
    # 1, True and 1.0 are equal, and so are instants of different zones: their reprs are not.
    assert repr(outcome(decode_by_cattrs_alone, body, answer)) == repr((value, misfits))
    assert all(moment.tzinfo is UTC for moment in instants(value))
    return value


@settings(deadline=None)
@given(rooms(None))
def test_both_lanes_take_every_sound_room(room: dict[str, object]) -> None:
    """A room of the right types, whatever is null, missing or in another zone, is taken by both lanes."""
    value = agree(written({"data": room}), Room)
    assert isinstance(value, Room)
    assert value.id == room["id"]
    assert value.max_participants == room.get("max_participants")
    assert (value.created_at is None) == (room.get("created_at") is None)


@settings(deadline=None)
@given(pages(None))
def test_both_lanes_take_every_sound_page(page: dict[str, list[dict[str, object]]]) -> None:
    """A page of sound rooms is taken by both lanes, whatever stands in its ``meta``."""
    value = agree(written(page), Page[Room])
    assert isinstance(value, Page)
    assert [room.id for room in value.data] == [room["id"] for room in page["data"]]


@settings(deadline=None, max_examples=300)
@given(rooms(ODD))
def test_both_lanes_agree_on_odd_rooms(room: dict[str, object]) -> None:
    """Whatever types come, both lanes take a room, to the same value, or neither does."""
    event("taken" if agree(written({"data": room}), Room) else "refused")


@settings(deadline=None, max_examples=200)
@given(pages(ODD))
def test_both_lanes_agree_on_odd_pages(page: dict[str, object]) -> None:
    """Whatever types come, both lanes take a page, to the same value, or neither does."""
    event("taken" if agree(written(page), Page[Room]) else "refused")


@given(
    st.binary()
    | st.sampled_from([ROOM_A, sample("room.json")]).flatmap(
        lambda body: st.builds(
            lambda at, junk: body[:at] + junk + body[at + len(junk) :],
            st.integers(0, len(body)),
            st.binary(max_size=3),
        )
    )
)
def test_no_bytes_break_it(body: bytes) -> None:
    """Whatever the bytes are, a room comes out or a misfit, and nothing else is raised."""
    room, misfits = outcome(decode, body, Room)
    assert bool(misfits) == (not isinstance(room, Room))
    assert all(moment.tzinfo is UTC for moment in instants(room))


# --- there and back ---------------------------------------------------------------------------------------

AWARE = st.datetimes(timezones=st.just(UTC))
PARTICIPANTS = st.builds(
    RoomParticipant,
    id=TEXTS,
    context=st.none() | TEXTS,
    joined_at=st.none() | AWARE,
    left_at=st.none() | AWARE,
)
SESSIONS = st.builds(
    RoomSession,
    id=TEXTS,
    active=st.none() | FLAGS,
    ended_at=st.none() | AWARE,
    participants=st.none() | st.lists(PARTICIPANTS, max_size=2).map(tuple),
)
ROOMS = st.builds(
    Room,
    id=TEXTS,
    unique_name=st.none() | TEXTS,
    max_participants=st.none() | NUMBERS,
    enable_recording=st.none() | FLAGS,
    sessions=st.none() | st.lists(SESSIONS, max_size=2).map(tuple),
    created_at=st.none() | AWARE,
    record_type=st.none() | TEXTS,
)
METAS = st.builds(PageMeta, page_number=st.none() | NUMBERS, total_pages=st.none() | NUMBERS)


@settings(deadline=None)
@given(ROOMS)
def test_a_room_goes_there_and_back(room: Room) -> None:
    """What is encoded from a model decodes to the same model."""
    assert decode(encode_json({"data": room}), Room) == room


@settings(deadline=None)
@given(st.builds(Page, data=st.lists(ROOMS, max_size=3).map(tuple), meta=METAS))
def test_a_page_goes_there_and_back(page: Page[Room]) -> None:
    """What is encoded from a page decodes to the same page."""
    assert decode(converter.dumps(page), Page[Room]) == page


@pytest.mark.parametrize(
    ("value", "body"),
    [
        ({}, b"{}"),
        (
            {"unique_name": "Zoë", "webhook_timeout_secs": None},
            '{"unique_name":"Zoë","webhook_timeout_secs":null}'.encode(),
        ),
        (
            {"enable_recording": False, "max_participants": 2},
            b'{"enable_recording":false,"max_participants":2}',
        ),
        (utc(2021, 3, 26, 17, 51, 59, 588408), b'"2021-03-26T17:51:59.588408Z"'),
        (utc(2021, 4, 22, 12, 24, 55), b'"2021-04-22T12:24:55Z"'),
        (
            PageMeta(page_number=1),
            b'{"page_number":1,"page_size":null,"total_pages":null,"total_results":null}',
        ),
    ],
    ids=["empty", "text-and-null", "false", "instant", "instant-without-a-fraction", "model"],
)
def test_encode(value: object, body: bytes) -> None:
    """JSON is written as Telnyx writes it: compact, in UTF-8, instants in UTC with a Z."""
    assert converter.dumps(value) == body


def test_the_fields_of_a_model_stay_in_order() -> None:
    """A model is written in the order of its class, and what is in it likewise."""
    session = RoomSession(id="b", participants=(RoomParticipant(id="c"),))
    room = json.loads(converter.dumps(Room(id="a", sessions=(session,))))
    assert list(room) == list(fields_dict(Room))
    assert list(room["sessions"][0]) == list(fields_dict(RoomSession))
    assert list(room["sessions"][0]["participants"][0]) == list(fields_dict(RoomParticipant))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"null", None),
        (b"3", 3),
        (b"3.5", 3.5),
        (b'"a"', "a"),
        (b'\xef\xbb\xbf{"a":[1,{"b":true}]}', {"a": [1, {"b": True}]}),
        (b'"2021-03-26T17:51:59Z"', "2021-03-26T17:51:59Z"),
    ],
    ids=["null", "integer", "number", "string", "byte-order-mark", "instants-stay-text"],
)
def test_parse(body: bytes, told: object) -> None:
    """JSON is read as plain data."""
    assert parse_json(body) == told


def test_a_million_misfits_are_told_by_the_first() -> None:
    """Of a list in which nothing fits only the first misfits are told, whatever its length."""
    with pytest.raises(DecodeError) as caught:
        decode(b'{"data":[' + b",".join([b"1"] * 1_000_000) + b"]}", Page[Room])
    assert len(caught.value.args) == 50
    assert caught.value.args[-1] == "$.data[49]: expected object, got integer"
