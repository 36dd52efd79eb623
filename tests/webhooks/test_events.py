"""Bodies of webhooks: the class of each event, and what is tolerated or refused."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import asdict, fields_dict
from hypothesis import given, settings
from hypothesis import strategies as st

from telnyx_rooms_async import WebhookPayloadError, webhooks
from telnyx_rooms_async.webhooks import Event, RoomRecordingCompleted, UnknownEvent, Webhooks
from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY, sign
from tests.helpers.webhook_samples import PAYLOADS, event_body, event_data

CLASSES: dict[str, Any] = {
    "video.room.session.started": webhooks.RoomSessionStarted,
    "video.room.session.ended": webhooks.RoomSessionEnded,
    "video.room.participant.joined": webhooks.RoomParticipantJoined,
    "video.room.participant.left": webhooks.RoomParticipantLeft,
    "video.room.recording.started": webhooks.RoomRecordingStarted,
    "video.room.recording.completed": webhooks.RoomRecordingCompleted,
    "video.room.composition.completed": webhooks.RoomCompositionCompleted,
}
every_type = pytest.mark.parametrize("event_type", CLASSES)
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
WEBHOOKS = Webhooks(PUBLIC_KEY)


def parse(body: bytes) -> Event:
    return WEBHOOKS.unwrap(*sign(body))


@every_type
def test_event_has_the_class_of_its_type(event_type: str) -> None:
    event = parse(event_body(event_type))
    assert type(event) is CLASSES[event_type]
    assert event.id == "6b61621f-62e0-4aad-ab11-9fd19e272e73"
    assert event.event_type == CLASSES[event_type](id="1").event_type == event_type
    assert event.occurred_at == datetime(2018, 2, 2, 22, 25, 27, 521992, tzinfo=UTC)
    assert asdict(event)["payload"] == PAYLOADS[event_type]
    # The examples of the API reference have no envelope.
    assert parse(json.dumps(event_data(event_type)).encode()) == event


@pytest.mark.parametrize("written", ["2022-03-02 04:47:29.980874Z", "2022-03-02T04:47:29.980874412Z"])
def test_formats_of_instants_in_the_api_reference_are_read(written: str) -> None:
    event = parse(event_body("video.room.composition.completed", occurred_at=written))
    assert event.occurred_at == datetime(2022, 3, 2, 4, 47, 29, 980874, tzinfo=UTC)


@settings(max_examples=40)
@given(event_type=st.sampled_from(sorted(CLASSES)), data=st.data())
def test_fields_can_be_missing_null_or_unknown(event_type: str, data: st.DataObject) -> None:
    payload = PAYLOADS[event_type]
    missing = data.draw(st.sets(st.sampled_from(sorted(payload))))
    nulls = data.draw(st.sets(st.sampled_from(sorted(payload))))
    known = fields_dict(type(getattr(parse(event_body(event_type)), "payload")))  # noqa: B009 - of no common type
    names = st.text().filter(lambda name: name not in known)
    unknown = data.draw(st.dictionaries(names, JSON_VALUES, max_size=3))
    sent = {name: None if name in nulls else value for name, value in payload.items() if name not in missing}
    event = parse(event_body(event_type, payload={**unknown, **sent}))
    assert asdict(event)["payload"] == {
        name: None if name in missing | nulls else value for name, value in payload.items()
    }


@every_type
def test_null_in_an_event_is_like_a_missing_field(event_type: str) -> None:
    nulls = {"payload": None, "occurred_at": None, "record_type": None}
    minimal = {"data": {"id": "1", "event_type": event_type}}
    expected = CLASSES[event_type](id="1")
    assert parse(event_body(event_type, **nulls, id="1")) == parse(json.dumps(minimal).encode()) == expected


@settings(max_examples=40)
@given(
    name=st.text().filter(lambda name: name not in CLASSES), payload=st.dictionaries(st.text(), JSON_VALUES)
)
def test_unknown_event_keeps_its_payload(name: str, payload: dict[str, Any]) -> None:
    try:
        event = parse(event_body(name, payload=payload))
    except WebhookPayloadError:
        return  # a lone surrogate, or a number beyond all limits
    assert type(event) is UnknownEvent
    assert event.event_type == name
    assert set(event.payload) == set(payload)


def test_attempt_does_not_take_part_in_comparisons() -> None:
    data = event_data("video.room.session.ended")

    def with_meta(meta: object) -> Event:
        return parse(json.dumps({"data": data, "meta": meta}).encode())

    assert [with_meta({"attempt": number}).attempt for number in (1, 2)] == [1, 2]
    assert with_meta({"attempt": 1}) == with_meta({"attempt": 2})
    assert parse(json.dumps({"data": {**data, "attempt": "x"}}).encode()).attempt is None
    odd: list[object] = [None, [], {}, {"attempt": "2"}, {"attempt": True}]
    assert [with_meta(meta).attempt for meta in odd] == [None] * 5


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "$: the body is empty"),
        (b"[]", "$: expected object, got array"),
        (b"{}", "$.data: missing"),
        (b'{"data": {"id": "1"}}', "$.data.event_type: missing"),
        (b'{"data": {"event_type": "video.room.session.ended"}}', "$.data.id: missing"),
        (b'{"data": {"event_type": "video.room.session.ended", "id": ""}}', "$.data.id: empty"),
        (b'{"data": {"event_type": ["x"], "id": "1"}}', "$.data.event_type: expected string, got array"),
        (
            b'{"data": {"event_type": "video.room.session.ended", "id": "1", "payload": {"room_id": 3}}}',
            "$.data.payload.room_id: expected string, got integer",
        ),
    ],
)
def test_malformed_event_is_refused_with_the_path(body: bytes, problem: str) -> None:
    with pytest.raises(WebhookPayloadError) as caught:
        parse(body)
    assert caught.value.problems == (problem,)


@given(st.binary() | JSON_VALUES.map(lambda data: json.dumps({"data": data}).encode()))
def test_any_bytes_are_an_event_or_a_payload_error(body: bytes) -> None:
    try:
        event = parse(body)
    except WebhookPayloadError:
        return
    assert event.id


def test_repr_does_not_show_download_urls() -> None:
    event = parse(event_body("video.room.recording.completed"))
    assert isinstance(event, RoomRecordingCompleted)
    assert event.payload.download_url == "https://www.example.com"
    unknown = parse(event_body("video.new", payload={"download_url": "https://example.com"}))
    assert "example.com" not in repr(event) + repr(unknown)


def test_stored_event_is_restored_by_its_type() -> None:
    unknown = UnknownEvent(id="a", event_type="video.new", payload={"x": 1})
    for event in (unknown, *(parse(event_body(event_type)) for event_type in CLASSES)):
        assert Event.from_dict(event.to_dict()) == event
