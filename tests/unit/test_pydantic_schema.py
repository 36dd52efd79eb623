"""Models as fields of pydantic models, and what pydantic documents of them."""

import inspect
from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from telnyx_rooms_async import ClientToken, Page, Room, RoomSession


class Booking(BaseModel):
    room: Room
    token: ClientToken | None = None


def test_field_is_validated_from_an_object_or_an_instance() -> None:
    room = Room(id="a", sessions=(RoomSession(id="b"),))
    assert Booking(room=room).room is room
    assert Booking.model_validate({"room": {"id": "a", "sessions": [{"id": "b"}], "new": 1}}).room == room


@pytest.mark.parametrize(
    ("room", "place"),
    [
        ({}, ("id",)),
        ({"id": 7}, ("id",)),
        ({"id": "a", "sessions": [{"id": "b", "active": 1}]}, ("sessions", 0, "active")),
    ],
)
def test_wrong_value_is_refused_with_its_place(room: dict[str, object], place: tuple[str | int, ...]) -> None:
    with pytest.raises(ValidationError) as caught:
        Booking.model_validate({"room": room})
    assert [error["loc"] for error in caught.value.errors()] == [("room", *place)]


@pytest.mark.parametrize(
    "created_at",
    [
        "2026-03-01T09:00:00+01:00",
        "2026-03-01T08:00:00",
        datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=1))),
    ],
)
def test_datetimes_are_in_utc(created_at: object) -> None:
    booking = Booking.model_validate({"room": {"id": "a", "created_at": created_at}})
    assert repr(booking.room.created_at) == repr(datetime(2026, 3, 1, 8, tzinfo=UTC))
    assert booking.model_dump(mode="json")["room"]["created_at"] == "2026-03-01T08:00:00Z"


def test_json_schema_names_and_describes_every_field() -> None:
    schemas = TypeAdapter(tuple[Page[Room], Page[RoomSession], ClientToken]).json_schema()["$defs"]
    assert {"Page_Room_", "Page_RoomSession_", "Room", "RoomSession", "ClientToken"} < schemas.keys()
    room, token = schemas["Room"]["properties"], schemas["ClientToken"]["properties"]
    assert schemas["Room"]["required"] == ["id"]
    assert schemas["Room"]["description"].startswith("A video room.")
    assert room["max_participants"]["anyOf"] == [{"type": "integer"}, {"type": "null"}]
    assert room["max_participants"]["description"].startswith("Participants at the same time: 2 to 50")
    assert room["created_at"]["anyOf"][0] == {"type": "string", "format": "date-time"}
    assert room["sessions"]["anyOf"][0] == {"type": "array", "items": {"$ref": "#/$defs/RoomSession"}}
    assert token["token"]["description"] == "A secret."


def test_application_without_source_files_has_a_schema_without_descriptions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_: object) -> str:
        raise OSError("could not get source code")

    monkeypatch.setattr(inspect, "getsource", fail)
    room = TypeAdapter(Room).json_schema()
    assert "description" not in room["properties"]["max_participants"]
