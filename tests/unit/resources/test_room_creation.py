"""Which room is accepted as the result of a create request whose response was lost."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from telnyx_rooms_async.models import Room
from telnyx_rooms_async.resources.room_creation import is_created_room

STARTED = datetime(2021, 4, 25, 12, tzinfo=UTC)
EARLIEST, LATEST = STARTED - timedelta(seconds=5), STARTED + timedelta(seconds=7)
URL, OTHER_URL = "https://example.com/a", "https://example.com/b"

REQUEST: dict[str, Any] = {
    "unique_name": "Weekly",
    "max_participants": 7,
    "enable_recording": True,
    "webhook_event_url": URL,
    "webhook_event_failover_url": URL,
    "webhook_timeout_secs": 9,
}
CREATED = Room(id="a-room", created_at=STARTED, **REQUEST)


def is_accepted(room: Room, request: dict[str, Any] | None = None) -> bool:
    fields = REQUEST if request is None else request
    return is_created_room(room, fields, EARLIEST.timestamp(), LATEST.timestamp())


@pytest.mark.parametrize(
    ("created_at", "accepted"),
    [
        (EARLIEST - timedelta(microseconds=1), False),
        (EARLIEST, True),
        (STARTED.astimezone(tz=None), True),
        (LATEST, True),
        (LATEST + timedelta(microseconds=1), False),
        (None, False),
    ],
    ids=["too early", "earliest", "other zone", "latest", "too late", "no date"],
)
def test_creation_date_must_be_within_the_period(created_at: datetime | None, accepted: bool) -> None:  # noqa: FBT001 - a column
    assert is_accepted(evolve(CREATED, created_at=created_at)) is accepted


def test_other_settings_of_the_room_do_not_matter() -> None:
    assert is_accepted(CREATED, {"unique_name": "Weekly"})
    assert is_accepted(evolve(CREATED, active_session_id="a-session", updated_at=LATEST))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unique_name", "weekly"),
        ("max_participants", 8),
        ("enable_recording", False),
        ("webhook_event_url", OTHER_URL),
        ("webhook_event_failover_url", OTHER_URL),
        ("webhook_timeout_secs", 10),
    ],
)
def test_every_requested_setting_must_match(name: str, value: Any) -> None:
    for other in (value, None):
        change: dict[str, Any] = {name: other}
        room = evolve(CREATED, **change)
        assert not is_accepted(room)
        assert is_accepted(room, {key: wanted for key, wanted in REQUEST.items() if key != name})


def test_unknown_setting_is_not_accepted() -> None:
    assert not is_accepted(CREATED, {**REQUEST, "colour": "red"})


@pytest.mark.parametrize(
    ("name", "wanted", "actual", "accepted"),
    [
        *(("webhook_event_url", wanted, actual, True) for wanted in (None, "") for actual in (None, "")),
        ("webhook_event_url", None, URL, False),
        ("webhook_event_url", "", URL, False),
        ("enable_recording", False, None, True),
        ("enable_recording", False, True, False),
        ("webhook_timeout_secs", 0, None, False),
        ("webhook_timeout_secs", None, 0, False),
        ("webhook_timeout_secs", 0, 0, True),
    ],
)
def test_null_is_no_url_and_no_recording_but_not_zero(
    name: str,
    wanted: object,
    actual: object,
    accepted: bool,  # noqa: FBT001 - a column
) -> None:
    change: dict[str, Any] = {name: actual}
    assert is_accepted(evolve(CREATED, **change), {**REQUEST, name: wanted}) is accepted
