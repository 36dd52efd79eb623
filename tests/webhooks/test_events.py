"""What a webhook says: each event to its class, and nothing refused that may come."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import asdict, fields_dict
from hypothesis import given
from hypothesis import strategies as st

from telnyx_rooms_async.errors import WebhookPayloadError
from telnyx_rooms_async.webhooks import events
from telnyx_rooms_async.webhooks.events import EVENT_CLASSES, Event, RoomRecordingCompleted, UnknownEvent
from telnyx_rooms_async.webhooks.signature import parse
from tests.helpers.webhook_samples import PAYLOADS, event_body, event_data

CLASSES = {
    "video.room.session.started": events.RoomSessionStarted,
    "video.room.session.ended": events.RoomSessionEnded,
    "video.room.participant.joined": events.RoomParticipantJoined,
    "video.room.participant.left": events.RoomParticipantLeft,
    "video.room.recording.started": events.RoomRecordingStarted,
    "video.room.recording.completed": events.RoomRecordingCompleted,
    "video.room.composition.completed": events.RoomCompositionCompleted,
}
TYPES = pytest.mark.parametrize("event_type", CLASSES)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@TYPES
def test_each_type_has_its_class(event_type: str) -> None:
    """An event of a documented type becomes its class, with every field of its payload."""
    event = parse(event_body(event_type))
    assert type(event) is CLASSES[event_type] is EVENT_CLASSES[event_type]
    assert event.id == "6b61621f-62e0-4aad-ab11-9fd19e272e73"
    assert event.event_type == event_type
    assert event.occurred_at == datetime(2018, 2, 2, 22, 25, 27, 521992, tzinfo=UTC)
    assert asdict(event)["payload"] == PAYLOADS[event_type]


@TYPES
def test_a_class_knows_its_type(event_type: str) -> None:
    """An event that is made by hand has the type of its class."""
    assert CLASSES[event_type](id="1").event_type == event_type


@pytest.mark.parametrize("written", ["2022-03-02 04:47:29.980874Z", "2022-03-02T04:47:29.980874412Z"])
def test_instants_are_read_as_they_come(written: str) -> None:
    """The reference shows an instant with a space in it, and others have nine digits of a second."""
    event = parse(event_body("video.room.composition.completed", occurred_at=written))
    assert event.occurred_at == datetime(2022, 3, 2, 4, 47, 29, 980874, tzinfo=UTC)


@TYPES
def test_an_event_may_come_bare(event_type: str) -> None:
    """The examples of the reference have no envelope: they are read as well."""
    assert parse(json.dumps(event_data(event_type)).encode()) == parse(event_body(event_type))


@given(event_type=st.sampled_from(sorted(CLASSES)), chosen=st.data())
def test_missing_null_and_unknown_fields_pass(event_type: str, chosen: st.DataObject) -> None:
    """Any field of a payload may be missing or null, and others may be there."""
    payload = PAYLOADS[event_type]
    missing = chosen.draw(st.sets(st.sampled_from(sorted(payload))))
    nulls = chosen.draw(st.sets(st.sampled_from(sorted(payload))))
    known = fields_dict(type(getattr(parse(event_body(event_type)), "payload")))  # noqa: B009 - of no common type
    names = st.text().filter(lambda name: name not in known)
    unknown = chosen.draw(st.dictionaries(names, ANYTHING, max_size=3))
    told = {name: None if name in nulls else value for name, value in payload.items() if name not in missing}
    event = parse(event_body(event_type, payload={**unknown, **told}))
    gone = missing | nulls
    assert asdict(event)["payload"] == {
        name: None if name in gone else value for name, value in payload.items()
    }


@TYPES
@pytest.mark.parametrize("changed", [{"payload": None}, {"occurred_at": None}, {"record_type": None}])
def test_an_event_may_be_nearly_empty(event_type: str, changed: dict[str, Any]) -> None:
    """Null in the place of a whole payload, or of the instant, is as good as nothing."""
    event = parse(event_body(event_type, **changed))
    assert type(event) is CLASSES[event_type]
    bare = json.dumps({"data": {"id": "1", "event_type": event_type}}).encode()
    assert parse(bare) == CLASSES[event_type](id="1")


@given(name=st.text().filter(lambda name: name not in CLASSES), payload=st.dictionaries(st.text(), ANYTHING))
def test_the_rest_are_unknown_events(name: str, payload: dict[str, Any]) -> None:
    """An event of any other type keeps its payload as it came."""
    try:
        event = parse(event_body(name, payload=payload))
    except WebhookPayloadError:
        return  # a lone surrogate, or a number of no size
    assert type(event) is UnknownEvent
    assert event.event_type == name
    assert set(event.payload) == set(payload)


def test_the_attempt_tells_no_event_from_another() -> None:
    """An event that is delivered again is equal to the first one; odd meta data do not refuse it."""
    told = event_data("video.room.session.ended")

    def with_meta(meta: object) -> Event:
        return parse(json.dumps({"data": told, "meta": meta}).encode())

    assert [with_meta({"attempt": number}).attempt for number in (1, 2)] == [1, 2]
    assert with_meta({"attempt": 1}) == with_meta({"attempt": 2})
    odd: list[object] = [None, [], {}, {"attempt": "2"}, {"attempt": True}]
    assert [with_meta(meta).attempt for meta in odd] == [None] * 5


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (b"", "$: the body is empty"),
        (b"<html>", "$: JSON is malformed: invalid character (byte 0)"),
        (b"[]", "$: expected object, got array"),
        (b"null", "$: expected object, got null"),
        (b"{}", "$.data: missing"),
        (b'{"data": null}', "$.data: expected object, got null"),
        (b'{"data": {"id": "1"}}', "$.data.event_type: missing"),
        (b'{"data": {"event_type": "video.room.session.ended"}}', "$.data.id: missing"),
        (b'{"data": {"event_type": "video.room.session.ended", "id": null}}', "$.data.id: missing"),
        (b'{"data": {"event_type": "video.room.session.ended", "id": ""}}', "$.data.id: empty"),
        (b'{"data": {"event_type": "other", "id": 1}}', "$.data.id: expected string, got integer"),
        (b'{"data": {"event_type": ["x"], "id": "1"}}', "$.data.event_type: expected string, got array"),
        (
            b'{"data": {"event_type": "video.room.session.ended", "id": "1", "payload": {"room_id": 3}}}',
            "$.data.payload.room_id: expected string, got integer",
        ),
    ],
)
def test_what_is_no_event_names_what_is_wrong(sent: bytes, problem: str) -> None:
    """A body that is no event is refused with the path of the misfit, and without the value."""
    with pytest.raises(WebhookPayloadError) as caught:
        parse(sent)
    assert caught.value.problems == (problem,)


@given(st.binary() | ANYTHING.map(lambda it: json.dumps({"data": it}).encode()))
def test_no_bytes_break_it(sent: bytes) -> None:
    """Whatever the bytes, they are an event or an error of ours."""
    try:
        event = parse(sent)
    except WebhookPayloadError:
        return
    assert event.id


def test_secrets_are_not_shown() -> None:
    """A download link is in no repr, nor is the payload of an unknown event."""
    event = parse(event_body("video.room.recording.completed"))
    assert isinstance(event, RoomRecordingCompleted)
    assert event.payload.download_url == "https://www.example.com"
    assert "example.com" not in repr(event)
    assert "example.com" not in repr(
        parse(event_body("video.new", payload={"download_url": "https://example.com"}))
    )
