"""The converter: recorded responses, and what is accepted, refused and written.

Properties of all models are in test_serialization_properties.
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_origin

import attrs
import pytest
from attrs import frozen

from telnyx_rooms_async.models import Page, PageMeta, Room, RoomComposition, RoomParticipant, RoomSession
from telnyx_rooms_async.serialization import (
    DecodeError,
    Envelope,
    JsonConverter,
    converter,
    encode_json,
    make_converter,
)

SAMPLES = Path(__file__).parent / "samples"
by_cattrs = make_converter(use_msgspec=False)
both_paths = pytest.mark.parametrize("used", [converter, by_cattrs], ids=["fast", "detailed"])


def decode(body: bytes, cl: Any, used: JsonConverter = converter) -> Any:
    """Structure a page, or the value under ``data``."""
    return used.loads(body, cl) if get_origin(cl) is Page else used.loads(body, Envelope[cl]).data


def problems_of(body: bytes, cl: Any) -> list[str]:
    with pytest.raises(DecodeError) as caught:
        decode(body, cl)
    return list(caught.value.args)


# --- recorded responses -----------------------------------------------------------------------------------

ALICE = RoomParticipant(
    id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f2",
    session_id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f1",
    context="Alice",
    joined_at=datetime(2021, 3, 26, 17, 52, 10, 1, tzinfo=UTC),
    updated_at=datetime(2021, 3, 26, 17, 53, tzinfo=UTC),
    record_type="room_participant",
)
ACTIVE = RoomSession(
    id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f1",
    room_id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f0",
    active=True,
    created_at=datetime(2021, 3, 26, 17, 51, 59, 588408, tzinfo=UTC),
    updated_at=datetime(2021, 3, 26, 17, 51, 59, 588408, tzinfo=UTC),
    participants=(ALICE,),
    record_type="room_session",
)
ENDED = RoomSession(
    id="4f1c9a0e-0a3c-4b7e-9e55-1a2b3c4d5e6f",
    room_id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f0",
    active=False,
    created_at=datetime(2021, 3, 25, 9, tzinfo=UTC),
    updated_at=datetime(2021, 3, 25, 10, 30, 0, 500000, tzinfo=UTC),
    ended_at=datetime(2021, 3, 25, 10, 30, 0, 500000, tzinfo=UTC),
    participants=(),
    record_type="room_session",
)
ROOM = Room(
    id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f0",
    unique_name="My room",
    max_participants=50,
    enable_recording=True,
    active_session_id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f1",
    webhook_event_url="https://example.com",
    webhook_event_failover_url="https://failover.example.com",
    webhook_timeout_secs=25,
    created_at=datetime(2021, 3, 26, 17, 51, 59, 588408, tzinfo=UTC),
    updated_at=datetime(2021, 3, 27, 8, tzinfo=UTC),
    record_type="room",
)
NAMELESS = Room(id="7a1e5d3c-6c0b-4c59-8a55-0f4de2c0f9aa")
FUTURE = Room(
    id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f0",
    unique_name="My room",
    record_type="room_v2",
    sessions=(RoomSession(id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f1", record_type="room_meeting"),),
)
RECORDED: dict[str, tuple[Any, object]] = {
    "room.json": (Room, ROOM),
    "room_with_sessions.json": (Room, attrs.evolve(ROOM, sessions=(ACTIVE, ENDED))),
    "room_of_nulls.json": (Room, NAMELESS),
    "room_of_tomorrow.json": (Room, FUTURE),
    "rooms_page.json": (
        Page[Room],
        Page(
            data=(ROOM, NAMELESS),
            meta=PageMeta(page_number=2, page_size=25, total_pages=3, total_results=55),
        ),
    ),
    "rooms_page_empty.json": (
        Page[Room],
        Page(data=(), meta=PageMeta(page_number=1, page_size=20, total_pages=0, total_results=0)),
    ),
    "sessions_page.json": (
        Page[RoomSession],
        Page(
            data=(ACTIVE, ENDED),
            meta=PageMeta(page_number=1, page_size=250, total_pages=1, total_results=2),
        ),
    ),
}


@both_paths
@pytest.mark.parametrize("name", RECORDED)
def test_recorded_response(name: str, used: JsonConverter) -> None:
    cl, value = RECORDED[name]
    assert decode((SAMPLES / name).read_bytes(), cl, used) == value


def test_page_is_made_of_its_dict_and_the_class_of_its_items() -> None:
    page = Page(data=(ROOM, NAMELESS), meta=PageMeta(total_results=2))
    assert Page.from_dict(page.to_dict(), Room) == page
    with pytest.raises(TypeError, match=re.escape("Page.from_dict(data, Room)")):
        Page.from_dict(page.to_dict())
    with pytest.raises(DecodeError, match=re.escape("$.data[0].id: expected string, got integer")):
        Page.from_dict({"data": [{"id": 1}]}, Room)


def test_lone_surrogate_in_a_dict_is_no_time_and_no_reason_to_refuse_an_unknown_field() -> None:
    assert Room.from_dict({"id": "a", "\ud800": 1}) == Room(id="a")
    with pytest.raises(DecodeError, match=re.escape("$.created_at: expected an RFC 3339 instant")):
        Room.from_dict({"id": "a", "created_at": "\ud800"})


# --- problems ---------------------------------------------------------------------------------------------

NOT_A_TIME = "expected an RFC 3339 instant, got another string"


@pytest.mark.parametrize(
    ("room", "problems"),
    [
        ("null", ["$.data: expected object, got null"]),
        ("[]", ["$.data: expected object, got array"]),
        ("true", ["$.data: expected object, got boolean"]),
        ("{}", ["$.data.id: missing"]),
        ('{"id":null}', ["$.data.id: expected string, got null"]),
        ('{"id":7.0}', ["$.data.id: expected string, got number"]),
        ('{"id":{"a":1}}', ["$.data.id: expected string, got object"]),
        ('{"id":"a","max_participants":"50"}', ["$.data.max_participants: expected integer, got string"]),
        ('{"id":"a","max_participants":50.0}', ["$.data.max_participants: expected integer, got number"]),
        ('{"id":"a","max_participants":5e1}', ["$.data.max_participants: expected integer, got number"]),
        ('{"id":"a","max_participants":true}', ["$.data.max_participants: expected integer, got boolean"]),
        ('{"id":"a","enable_recording":"false"}', ["$.data.enable_recording: expected boolean, got string"]),
        ('{"id":"a","enable_recording":0}', ["$.data.enable_recording: expected boolean, got integer"]),
        ('{"id":"a","created_at":1616781119}', ["$.data.created_at: expected string, got integer"]),
        ('{"id":"a","sessions":{}}', ["$.data.sessions: expected array, got object"]),
        ('{"id":"a","sessions":[null]}', ["$.data.sessions[0]: expected object, got null"]),
        (
            '{"id":7,"sessions":[{"id":"b"},{},{"id":"b","participants":[{"id":"c","left_at":"later"}]}]}',
            [
                "$.data.id: expected string, got integer",
                "$.data.sessions[1].id: missing",
                f"$.data.sessions[2].participants[0].left_at: {NOT_A_TIME}",
            ],
        ),
    ],
)
def test_every_wrong_value_of_a_room_is_named_by_its_path(room: str, problems: list[str]) -> None:
    assert problems_of(b'{"data":%s}' % room.encode(), Room) == problems


@pytest.mark.parametrize(
    ("cl", "body", "problem"),
    [
        (RoomComposition, '{"video_layout":[]}', "video_layout: expected object, got array"),
        (
            RoomComposition,
            '{"video_layout":{"b @ c":{"width":"d"}}}',
            "video_layout['b @ c'].width: expected integer, got string",
        ),
        (RoomComposition, '{"audio_sources":"*"}', "audio_sources: expected array, got string"),
        (RoomComposition, '{"size_mb":"6"}', "size_mb: expected number, got string"),
        (RoomComposition, '{"size_mb":true}', "size_mb: expected number, got boolean"),
        (Page[Room], '{"meta":{}}', "data: missing"),
        (Page[Room], '{"data":null}', "data: expected array, got null"),
        (Page[Room], '{"data":[{"id":"a"},null]}', "data[1]: expected object, got null"),
        (Page[Room], '{"data":[{}],"meta":3}', "data[0].id: missing"),
    ],
)
def test_wrong_value_of_another_class_is_named_by_its_path(cl: Any, body: str, problem: str) -> None:
    if cl is RoomComposition:
        body, problem = f'{{"data":{{"id":"a",{body[1:]}}}', f"data.{problem}"
    assert problems_of(body.encode(), cl) == [f"$.{problem}"]


def test_only_the_first_fifty_problems_of_a_list_are_named() -> None:
    problems = problems_of(b'{"data":[' + b",".join([b"1"] * 200_000) + b"]}", Page[Room])
    assert len(problems) == 50
    assert problems[-1] == "$.data[49]: expected object, got integer"


def test_wrong_value_is_not_shown() -> None:
    with pytest.raises(DecodeError) as caught:
        decode(b'{"data":{"id":["canary"],"created_at":"canary","max_participants":"canary"}}', Room)
    assert len(caught.value.args) == 3
    assert "canary" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


ROOM_A = b'{"data":{"id":"a"}}'
NOT_JSON: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "$: the body is empty"),
    "blank": (b" \r\n", "$: "),
    "byte order mark": (b"\xef\xbb\xbf", "$: "),
    "HTML": (b"<!doctype html><html></html>", "$: JSON is malformed"),
    "null": (b"null", "$: expected object, got null"),
    "list": (b"[]", "$: expected object, got array"),
    "truncated": (ROOM_A[:-1], "$: Input data was truncated"),
    "trailing text": (ROOM_A + b" x", "$: JSON is malformed"),
    "NaN": (b'{"data":{"id":"a","max_participants":NaN}}', "$: JSON is malformed"),
    "Infinity in an unknown field": (b'{"data":{"id":"a","x":Infinity}}', "$: JSON is malformed"),
    "5000 digits": (b'{"data":{"id":"a","max_participants":' + b"9" * 5000 + b"}}", "$: Integer value"),
    "lone surrogate": (b'{"data":{"id":"\\ud800 alone"}}', "$: "),
    "lone low surrogate": (b'{"data":{"id":"\\udc00 alone"}}', "$: "),
    "lone surrogate in an unknown field": (b'{"data":{"id":"a","x":"\\ud800 alone"}}', "$: "),
    "encoded surrogate": (b'{"data":{"id":"\xed\xa0\x80"}}', "$: "),
    "Latin-1": ('{"data":{"id":"Zoë"}}'.encode("latin-1"), "$: "),
    "UTF-16": (ROOM_A.decode().encode("utf-16"), "$: JSON is malformed"),
    "UTF-32": (ROOM_A.decode().encode("utf-32"), "$: "),
    "deep lists": (b"[" * 200_000, "$: nested too deep"),
    "deep objects": (b'{"data":' * 200_000, "$: nested too deep"),
    "deep unknown field": (
        b'{"data":{"id":"a","x":' + b"[" * 10**6 + b"]" * 10**6 + b"}}",
        "$: nested too deep",
    ),
}


@pytest.mark.parametrize(("body", "start"), NOT_JSON.values(), ids=NOT_JSON)
@pytest.mark.parametrize("cl", [Room, Page[Room]], ids=["room", "page"])
def test_body_that_is_no_json_object_is_one_short_problem(body: bytes, start: str, cl: Any) -> None:
    (problem,) = problems_of(body, cl)
    assert problem.startswith(start)
    assert len(problem) <= 200


# --- accepted values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + ROOM_A,
        b"\r\n\t " + ROOM_A + b"\r\n",
        b'{"data":{"id":7,"id":"a"}}',
        b'{"data":{"id":"b"},"data":{"id":"a"}}',
        b'{"data":{"id":"\\u0061"}}',
        b'{"data":{"id":"a","x":[1,{"y":null}]},"included":[]}',
        b'{"data":{"id":"a"},"meta":{"page_number":"x"}}',
    ],
    ids=["byte order mark", "white space", "key twice", "data twice", "escape", "unknown fields", "meta"],
)
def test_unusual_json_is_accepted(body: bytes) -> None:
    assert decode(body, Room) == Room(id="a")


def test_text_and_integers_are_exact() -> None:
    body = r'{"data":{"id":"Zo\u00eb 会议 \ud83d\ude00 😀 \u0000","max_participants":' + f"{10**29}}}}}"
    room = decode(body.encode(), Room)
    assert room.id == "Zoë 会议 😀 😀 \0"
    assert room.max_participants == 10**29


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        *((value, PageMeta()) for value in ("null", "[]", '"none"', "3", "{}")),
        *(
            (f'{{"page_number":{value},"total_pages":3}}', PageMeta(total_pages=3))
            for value in ("null", '"2"', "2.0", "true", "[2]")
        ),
        ('{"total_pages":0,"total_results":-1}', PageMeta(total_pages=0, total_results=-1)),
        ('{"total_pages":3,"next":"x"}', PageMeta(total_pages=3)),
    ],
)
def test_unusable_page_numbers_are_none(meta: str, expected: PageMeta) -> None:
    body = b'{"data":[{"id":"a"}],"meta":%s}' % meta.encode()
    assert decode(body, Page[Room]) == Page(data=(Room(id="a"),), meta=expected)


@both_paths
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-04-22T12:24:55Z", "2021-04-22T12:24:55Z"),
        ("2021-03-26T17:51:59.5Z", "2021-03-26T17:51:59.500000Z"),
        ("2022-03-02 04:47:29.980874Z", "2022-03-02T04:47:29.980874Z"),
        ("2022-03-02t04:47:29z", "2022-03-02T04:47:29Z"),
        ("2021-03-26T17:51:59-00:00", "2021-03-26T17:51:59Z"),
        ("2021-03-26T17:51:59.000001-05:30", "2021-03-26T23:21:59.000001Z"),
        ("2021-01-01T00:00:00+01:00", "2020-12-31T23:00:00Z"),
        ("2021-03-26 17:51:59.588408", "2021-03-26T17:51:59.588408Z"),
    ],
)
def test_times_are_structured_in_utc(text: str, expected: str, used: JsonConverter) -> None:
    participant = {"id": "c", "left_at": text}
    room = {"id": "a", "created_at": text, "sessions": [{"id": "b", "participants": [participant]}]}
    value = decode(encode_json({"data": room}), Room, used)
    for time in (value.created_at, value.sessions[0].participants[0].left_at):
        assert time == datetime.fromisoformat(expected)
        assert time.tzinfo is UTC
        assert converter.dumps(time) == f'"{expected}"'.encode()


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "2021-03-26", "17:51:59Z", "2021-13-26T17:51:59Z", "2021-02-30T17:51:59Z"),
        *("2021-03-26T24:51:59Z", "2021-03-26T17:51:59+25:00", "2021-03-26T17:51:59 UTC", "1616781119"),
        *("0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"),
    ],
)
def test_other_text_is_no_time(text: str) -> None:
    body = encode_json({"data": {"id": "a", "updated_at": text}})
    assert problems_of(body, Room) == [f"$.data.updated_at: {NOT_A_TIME}"]


@frozen(kw_only=True)
class File:
    size_mb: float | None


@both_paths
@pytest.mark.parametrize(
    ("text", "size"), [("10.5", 10.5), ("6", 6.0), ("-0.0", 0.0), ("1e3", 1000.0), ("null", None)]
)
def test_integer_is_accepted_for_a_float(text: str, size: float | None, used: JsonConverter) -> None:
    value = used.loads(b'{"size_mb":%s}' % text.encode(), File)
    assert value == File(size_mb=size)
    assert type(value.size_mb) is type(size)


# --- writing ----------------------------------------------------------------------------------------------


def test_models_are_written_in_the_order_of_their_fields() -> None:
    session = RoomSession(id="b", participants=(RoomParticipant(id="c"),))
    room = json.loads(converter.dumps(Room(id="a", sessions=(session,))))
    assert list(room) == list(attrs.fields_dict(Room))
    assert list(room["sessions"][0]) == list(attrs.fields_dict(RoomSession))
    assert list(room["sessions"][0]["participants"][0]) == list(attrs.fields_dict(RoomParticipant))
