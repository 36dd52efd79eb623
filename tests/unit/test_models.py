"""Every answer that the API reference allows becomes a model: fields missing, null, or of new values."""

import json
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_rooms_async import models
from telnyx_rooms_async.models import Page
from telnyx_rooms_async.serialization import DecodeError, Envelope, converter

TEXT, WHOLE, NUMBER, FLAG = (
    st.text(max_size=20),
    st.integers(-(2**53), 2**53),
    st.floats(0, 1e6),
    st.booleans(),
)
ID = st.uuids().map(str)
INSTANT = st.datetimes().map(lambda moment: moment.isoformat() + "Z")
STATUS = st.sampled_from(["completed", "processing", "enqueued", "audio", "video", "never seen before"])
Schema = dict[str, st.SearchStrategy[Any]]


def instants(*names: str) -> Schema:
    """Name the fields that hold instants."""
    return dict.fromkeys((f"{name}_at" for name in names), INSTANT)


def thing(schema: Schema, *required: str) -> st.SearchStrategy[dict[str, Any]]:
    """Make objects of a schema: each field but the required may be missing or null, and there may be more."""
    optional = {name: st.none() | value for name, value in schema.items() if name not in required}
    known = st.fixed_dictionaries({name: schema[name] for name in required}, optional=optional)
    return st.builds(
        lambda more, told: {**more, **told}, st.fixed_dictionaries({}, optional={"new": TEXT}), known
    )


# The schemas of the API reference, field by field.
PARTICIPANT: Schema = {
    "id": ID, "session_id": ID, "context": TEXT, "record_type": TEXT, **instants("joined", "updated", "left"),
}  # fmt: skip
SESSION: Schema = {
    "id": ID, "room_id": ID, "active": FLAG, "record_type": TEXT, **instants("created", "updated", "ended"),
    "participants": st.lists(thing(PARTICIPANT, "id"), max_size=2),
}  # fmt: skip
ROOM: Schema = {
    "id": ID, "unique_name": TEXT, "max_participants": WHOLE, "enable_recording": FLAG,
    "active_session_id": ID, "webhook_event_url": TEXT, "webhook_event_failover_url": TEXT,
    "webhook_timeout_secs": WHOLE, "record_type": TEXT, **instants("created", "updated"),
    "sessions": st.lists(thing(SESSION, "id"), max_size=2),
}  # fmt: skip
RECORDING: Schema = {
    "id": ID, "room_id": ID, "session_id": ID, "participant_id": ID, "type": STATUS, "status": STATUS,
    "codec": TEXT, "duration_secs": WHOLE, "size_mb": NUMBER | WHOLE, "download_url": TEXT,
    "record_type": TEXT,
    **instants("created", "updated", "started", "ended", "completed"),
}  # fmt: skip
REGION: Schema = {
    "height": WHOLE, "width": WHOLE, "x_pos": WHOLE, "y_pos": WHOLE, "z_pos": WHOLE, "max_columns": WHOLE,
    "max_rows": WHOLE, "video_sources": st.lists(ID | st.just("*"), max_size=2),
}  # fmt: skip
COMPOSITION: Schema = {
    "id": ID, "room_id": ID, "session_id": ID, "user_id": ID, "status": STATUS, "format": TEXT,
    "resolution": TEXT, "duration_secs": WHOLE, "size_mb": NUMBER | WHOLE, "download_url": TEXT,
    "video_layout": st.dictionaries(TEXT, thing(REGION), max_size=2), "webhook_event_url": TEXT,
    "webhook_event_failover_url": TEXT, "webhook_timeout_secs": WHOLE, "record_type": TEXT,
    "audio_sources": st.lists(st.just("*"), max_size=1),
    **instants("created", "updated", "started", "ended", "completed"),
}  # fmt: skip
ACCESS: Schema = {"token": TEXT, **instants("token_expires")}
CLIENT: Schema = {**ACCESS, "refresh_token": TEXT, **instants("refresh_token_expires")}

SCHEMAS: dict[type[Any], tuple[Schema, tuple[str, ...]]] = {
    models.Room: (ROOM, ("id",)),
    models.RoomSession: (SESSION, ("id",)),
    models.RoomParticipant: (PARTICIPANT, ("id",)),
    models.RoomRecording: (RECORDING, ("id",)),
    models.RoomComposition: (COMPOSITION, ("id",)),
    models.AccessToken: (ACCESS, ("token",)),
    models.ClientToken: (CLIENT, ("token",)),
    models.ActionResult: ({"result": TEXT}, ()),
    models.DeletedRecordings: ({"room_recordings": WHOLE}, ()),
}
EVERY_MODEL = pytest.mark.parametrize("model", SCHEMAS, ids=lambda model: model.__name__)


@EVERY_MODEL
def test_every_field_of_the_schema_is_an_attribute(model: type[Any]) -> None:
    """A model has the fields of the API reference: no more and no less."""
    assert {field.name for field in attrs.fields(model)} == set(SCHEMAS[model][0])


def test_a_region_has_the_fields_of_its_schema() -> None:
    """So has what only stands inside a model."""
    assert {field.name for field in attrs.fields(models.VideoRegion)} == set(REGION)


@EVERY_MODEL
@given(st.data())
def test_every_valid_answer_is_read(model: type[Any], data: st.DataObject) -> None:
    """Whatever the schema allows is read, and each value arrives."""
    schema, required = SCHEMAS[model]
    told = data.draw(thing(schema, *required))
    body = json.dumps({"data": told}).encode()
    value = converter.loads(body, Envelope[model]).data  # type: ignore[valid-type]  # a type made at run time
    for name, given_value in told.items():
        if name != "new" and isinstance(given_value, str | int | float | None) and not name.endswith("_at"):
            assert getattr(value, name) == given_value
    page = json.dumps({"data": [told]}).encode()
    assert converter.loads(page, Page[model]).data == (value,)  # type: ignore[valid-type]  # a type made at run time


WRONG = {
    "a list for a layout": (
        {"id": "a", "video_layout": []},
        "$.data.video_layout: expected object, got array",
    ),
    "a number for a region": (
        {"id": "a", "video_layout": {"left": 7}},
        "$.data.video_layout['left']: expected object, got integer",
    ),
    "text for a size": ({"id": "a", "size_mb": "6"}, "$.data.size_mb: expected number, got string"),
    "text for sources": (
        {"id": "a", "audio_sources": "*"},
        "$.data.audio_sources: expected array, got string",
    ),
    "no id": ({"status": "completed"}, "$.data.id: missing"),
}


@pytest.mark.parametrize(("told", "misfit"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_told_with_its_path(told: object, misfit: str) -> None:
    """A composition of the wrong shape names the path of each misfit."""
    with pytest.raises(DecodeError) as caught:
        converter.loads(json.dumps({"data": told}).encode(), Envelope[models.RoomComposition])
    assert caught.value.args == (misfit,)


@pytest.mark.parametrize(
    ("expires", "left"),
    [("2021-04-25T12:00:10Z", 10.0), ("2021-04-25T11:59:59.5Z", -0.5), (None, None)],
)
def test_how_long_a_token_lasts(expires: str | None, left: float | None) -> None:
    """The seconds that are left are negative when there are none, and unknown when Telnyx does not say."""
    moment = None if expires is None else datetime.fromisoformat(expires)
    token = models.AccessToken(token="a-token", token_expires_at=moment)
    assert token.expires_in(datetime(2021, 4, 25, 12, tzinfo=UTC)) == left


HOSTS = st.sampled_from(["example.com", "localhost:8080", "[::1]", "127.0.0.1", "a-b.example"])
PATHS = st.sampled_from(["", "/", "/hook", "/hook/v1", "/@team/hook"])
SECRET = st.text(max_size=8).map(
    lambda text: f"CANARY{text.translate(dict.fromkeys(map(ord, '/?#@[]' + chr(92))))}CANARY"
)


@given(
    scheme=st.sampled_from(["https://", "http://", "HTTPS://", ""]),
    user=st.none() | SECRET | st.tuples(SECRET, SECRET).map(":".join),
    place=st.tuples(HOSTS, PATHS).map("".join),
    query=st.none() | SECRET,
    fragment=st.none() | SECRET,
)
def test_webhook_url_is_shown_without_its_secrets(
    scheme: str, user: str | None, place: str, query: str | None, fragment: str | None
) -> None:
    """Host and path tell which receiver it is; user, query and fragment are for the receiver alone."""
    mark = "?***" if query is not None else "#***" if fragment is not None else ""
    url = "".join(
        (
            scheme,
            "" if user is None else f"{user}@",
            place,
            "" if query is None else f"?{query}",
            "" if fragment is None else f"#{fragment}",
        )
    )
    assert models.public_url(url) == f"{scheme}{place}{mark}"
    hidden = models.secret_parts(url)
    assert all("CANARY" in part for part in hidden)
    assert len(hidden) == (user is not None) + bool(mark)


@pytest.mark.parametrize("model", [models.Room, models.RoomComposition])
def test_repr_shows_no_secret_of_a_webhook_url(model: type[models.Room]) -> None:
    """Whoever logs a room logs where its events go, and not who may send them there."""
    url = "https://user:CANARY@example.com/hook?token=CANARY"
    value = model(id="1", webhook_event_url=url, webhook_event_failover_url=url)
    assert repr(value).count("'https://example.com/hook?***'") == 2
    assert "CANARY" not in repr(value)
    assert value.webhook_event_url == url
