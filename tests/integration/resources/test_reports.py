"""Attendance and usage of an account, from the emulator."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from telnyx_rooms_async import DateFilter, InvalidArgumentError, NotFoundError, Room, RoomsClient
from telnyx_rooms_async.emulator import Emulator
from telnyx_rooms_async.reports import Prices
from tests.helpers.clocks import FakeClock


async def hold_meetings(client: RoomsClient, telnyx: Emulator, time: FakeClock, *, count: int) -> Room:
    """Hold meetings of an hour, one per day: Alice for all of it, Bob twice, for 20 and 10 minutes."""
    room = await client.rooms.create(unique_name="Weekly", enable_recording=True)
    for _ in range(count):
        alice, bob = telnyx.join(room.id, context="Alice"), telnyx.join(room.id, context="Bob")
        time.advance(seconds=20 * 60)
        telnyx.leave(bob.id)
        time.advance(seconds=10 * 60)
        bob = telnyx.join(room.id, context="Bob")
        time.advance(seconds=10 * 60)
        telnyx.leave(bob.id)
        time.advance(seconds=20 * 60)
        telnyx.leave(alice.id)
        time.advance(seconds=23 * 3600)
    return room


async def test_attendance_of_a_session_and_of_a_room(
    client: RoomsClient, telnyx: Emulator, time: FakeClock
) -> None:
    room = await hold_meetings(client, telnyx, time, count=2)
    session = await client.rooms.sessions(room).first()
    assert session is not None
    of_session = await client.reports.session_attendance(session)
    of_room = await client.reports.room_attendance(room)
    assert [(one.identity, one.duration / timedelta(minutes=1)) for one in of_session.attendees] == [
        ("Alice", 60),
        ("Bob", 30),
    ]
    assert [(one.identity, one.duration / timedelta(minutes=1)) for one in of_room.attendees] == [
        ("Alice", 120),
        ("Bob", 60),
    ]
    assert (of_session.peak, of_room.attendees[1].reconnects) == (2, 3)
    with pytest.raises(NotFoundError):
        await client.reports.session_attendance("a-session")


async def test_usage_by_day_and_room(client: RoomsClient, telnyx: Emulator, time: FakeClock) -> None:
    start = time.now.date()
    room = await hold_meetings(client, telnyx, time, count=3)
    by_room = await client.reports.usage(by="room", prices=Prices(participant_minute=Decimal("0.01")))
    assert [(row.key, row.sessions, row.people, row.billed_minutes) for row in by_room.rows] == [
        (room.id, 3, 2, 270)
    ]
    assert by_room.to_rows()[0]["cost"] == "2.70"
    by_day = await client.reports.usage(created_at=DateFilter(gte=start + timedelta(days=1)))
    assert [(row.key, row.sessions) for row in by_day.rows] == [
        ((start + timedelta(days=days)).isoformat(), 1) for days in (1, 2)
    ]
    assert by_day.total.recorded_minutes > 0


async def test_days_are_those_of_the_zone(client: RoomsClient, telnyx: Emulator, time: FakeClock) -> None:
    time.seconds = datetime(2026, 3, 1, 23, 30, tzinfo=UTC).timestamp()
    await hold_meetings(client, telnyx, time, count=1)
    for day, sessions in ((date(2026, 3, 1), 0), (date(2026, 3, 2), 1)):
        usage = await client.reports.usage(created_at=day, zone=ZoneInfo("Europe/Berlin"))
        assert usage.total.sessions == sessions


@pytest.mark.parametrize(
    "options", [{"by": "week"}, {"created_at": "yesterday"}, {"created_at": DateFilter()}]
)
async def test_invalid_options_are_refused(client: RoomsClient, telnyx: Emulator, options: Any) -> None:
    with pytest.raises(InvalidArgumentError):
        await client.reports.usage(**options)
    assert telnyx.requests == []
