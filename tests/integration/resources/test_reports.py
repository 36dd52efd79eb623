"""Attendance and usage of an account, from the emulator."""

import sqlite3
import stat
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from telnyx_rooms_async import (
    BadRequestError,
    DateFilter,
    InvalidArgumentError,
    JournalError,
    NotFoundError,
    Room,
    RoomComposition,
    RoomParticipant,
    RoomsClient,
)
from telnyx_rooms_async.emulator import Emulator, Fault
from telnyx_rooms_async.reports import Attendance, Prices
from telnyx_rooms_async.resources.usage_journal import open_usage_journal
from tests.helpers.clocks import FakeClock

START = datetime(2026, 3, 1, tzinfo=UTC)


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


def minutes_of(report: Attendance) -> dict[str, float]:
    return {attendee.identity: attendee.duration / timedelta(minutes=1) for attendee in report.attendees}


async def test_attendance_of_a_session(client: RoomsClient, telnyx: Emulator, time: FakeClock) -> None:
    room = await hold_meetings(client, telnyx, time, count=1)
    session = await client.rooms.sessions(room).first()
    assert session is not None
    report = await client.sessions.attendance(session)
    assert minutes_of(report) == {"Alice": 60, "Bob": 30}
    assert (report.peak, report.attendees[1].reconnects, report.sessions) == (2, 1, (session,))
    by_id = await client.sessions.attendance(session.id, identity=lambda participant: participant.id)
    assert len(by_id.attendees) == 3
    with pytest.raises(NotFoundError):
        await client.sessions.attendance("a-session")


async def test_attendance_of_a_session_that_goes_on(
    client: RoomsClient, telnyx: Emulator, time: FakeClock
) -> None:
    room = await client.rooms.create()
    session_id = telnyx.join(room.id, context='{"user": 7}').session_id
    assert session_id is not None
    time.advance(seconds=90)
    report = await client.sessions.attendance(session_id, identity="user")
    assert (minutes_of(report), report.attendees[0].is_present) == ({"7": 1.5}, True)
    later = await client.sessions.attendance(session_id, identity="user", as_of=time.now + timedelta(hours=1))
    assert minutes_of(later) == {"7": 61.5}


async def test_attendance_of_a_room_by_session_and_in_all(
    client: RoomsClient, telnyx: Emulator, time: FakeClock
) -> None:
    start = time.now.date()
    room = await hold_meetings(client, telnyx, time, count=3)
    attendance = client.rooms.attendance(room, created_at=DateFilter(gte=start + timedelta(days=1)))
    lessons = [lesson async for lesson in attendance]
    assert [minutes_of(lesson) for lesson in lessons] == [{"Alice": 60, "Bob": 30}] * 2
    total = await attendance
    assert minutes_of(total) == {"Alice": 120, "Bob": 60}
    assert [attendee.sessions for attendee in total.attendees] == [2, 2]
    assert total.sessions == tuple(session for lesson in lessons for session in lesson.sessions)
    with pytest.raises(NotFoundError):
        await client.rooms.attendance("a-room")


@pytest.mark.parametrize(("hours", "count"), [(0, 2), (13, 3), (-13, 1)])
async def test_days_of_an_attendance_are_those_of_the_zone(
    client: RoomsClient, telnyx: Emulator, time: FakeClock, hours: int, count: int
) -> None:
    day = DateFilter(gte=time.now.date() + timedelta(days=1))
    room = await hold_meetings(client, telnyx, time, count=3)
    attendance = client.rooms.attendance(room, created_at=day, zone=timezone(timedelta(hours=hours)))
    assert len((await attendance).sessions) == len([lesson async for lesson in attendance]) == count
    with pytest.raises(InvalidArgumentError, match="zone must be a tzinfo"):
        await client.rooms.attendance(room, zone=cast("tzinfo", "UTC"))


@pytest.mark.parametrize(
    "options", [{"as_of": START.replace(tzinfo=None)}, {"as_of": "2026-03-01"}, {"identity": 7}]
)
async def test_attendance_refuses_invalid_arguments(
    client: RoomsClient, telnyx: Emulator, options: Any
) -> None:
    with pytest.raises(InvalidArgumentError):
        await client.rooms.attendance("a-room", **options)
    with pytest.raises(InvalidArgumentError):
        await client.sessions.attendance("a-session", **options)
    assert telnyx.requests == []


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


async def test_composition_belongs_to_the_day_of_its_creation(
    client: RoomsClient, telnyx: Emulator, time: FakeClock
) -> None:
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    time.seconds = midnight.timestamp()
    composition = RoomComposition(
        id="a", created_at=midnight - timedelta(seconds=5), started_at=midnight, duration_secs=60
    )
    data = [composition.to_dict(), RoomComposition(id="without a time").to_dict()]
    body = {"data": data, "meta": {"total_pages": 1, "total_results": 2, "page_number": 1}}
    telnyx.inject(Fault(body=body), operation="ListRoomCompositions", times=None)
    for day, keys in ((date(2026, 3, 1), ["2026-03-01"]), (date(2026, 3, 2), [])):
        usage = await client.reports.usage(created_at=day)
        assert [row.key for row in usage.rows] == keys


async def test_days_may_be_the_first_and_last_of_the_calendar(
    client: RoomsClient, telnyx: Emulator, time: FakeClock
) -> None:
    await hold_meetings(client, telnyx, time, count=1)
    usage = await client.reports.usage(created_at=DateFilter(gte=date.min, lte=date.max))
    assert usage.total.sessions == 1


async def test_progress_counts_sessions(client: RoomsClient, telnyx: Emulator, time: FakeClock) -> None:
    await hold_meetings(client, telnyx, time, count=3)
    calls: list[tuple[int, int]] = []
    await client.reports.usage(progress=lambda done, total: calls.append((done, total)))
    assert calls == [(3, 3)]


# --- journals -----------------------------------------------------------------------------------------------


async def test_killed_report_continues_with_the_missing_days(
    client: RoomsClient, telnyx: Emulator, time: FakeClock, tmp_path: Path
) -> None:
    first = time.now.date()
    await hold_meetings(client, telnyx, time, count=3)
    telnyx.join((await client.rooms.create()).id, context="Zoë")
    period = DateFilter(gte=first)
    zone = ZoneInfo("Europe/Berlin")
    complete = await client.reports.usage(created_at=period, zone=zone)
    journal = tmp_path / "usage.journal"
    third_day = str(first + timedelta(days=2))
    telnyx.inject(
        Fault(status=400),
        operation="ListRoomSessions",
        when=lambda request: dict(request.query).get("filter[date_created_at][eq]") == third_day,
    )
    with pytest.raises(BadRequestError):
        await client.reports.usage(created_at=period, zone=zone, journal=journal)
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    telnyx.requests.clear()
    time.advance(seconds=7200)
    calls: list[tuple[int, int]] = []
    usage = await client.reports.usage(
        created_at=period, zone=zone, journal=journal, progress=lambda *counts: calls.append(counts)
    )
    assert usage == complete  # as of the time of the first call
    assert calls[0][0] > 0
    assert calls[-1] == (4, 4)
    days = {dict(request.query).get("filter[date_created_at][eq]") for request in telnyx.requests}
    assert third_day in days
    assert str(first) not in days
    assert not journal.exists()


async def test_journal_with_another_identity_function_is_refused(
    client: RoomsClient, telnyx: Emulator, time: FakeClock, tmp_path: Path
) -> None:
    def field(name: str, participant: RoomParticipant) -> str | None:
        return str(getattr(participant, name))

    def progress(*_: int) -> None:
        raise KeyboardInterrupt

    await hold_meetings(client, telnyx, time, count=1)
    usage = partial(client.reports.usage, created_at=date(2021, 4, 25), journal=tmp_path / "journal")
    with pytest.raises(KeyboardInterrupt):
        await usage(identity=partial(field, "context"), progress=progress)
    with pytest.raises(JournalError, match="other arguments"):
        await usage(identity=partial(field, "id"))
    assert (await usage(identity=partial(field, "context"))).total.people == 2


async def test_journal_of_another_report_is_refused(
    client: RoomsClient, telnyx: Emulator, tmp_path: Path
) -> None:
    day, path = date(2026, 3, 1), tmp_path / "journal"
    async with open_usage_journal(path, {"by": "day"}, START) as journal:
        with pytest.raises(JournalError, match="another report is using it"):
            await client.reports.usage(created_at=day, journal=path)
        await journal.close()
        with pytest.raises(JournalError, match="other arguments"):
            await client.reports.usage(created_at=day, journal=path)
    path.write_text("no journal" * 100)
    with pytest.raises(JournalError, match="not a journal"):
        await client.reports.usage(created_at=day, journal=path)
    with closing(sqlite3.connect(tmp_path / "other")) as other:
        other.execute("CREATE TABLE t (a)")
    for name, problem in (("other", "not a journal of a report"), ("", "not a regular file")):
        with pytest.raises(JournalError, match=problem):
            await client.reports.usage(created_at=day, journal=tmp_path / name)


@pytest.mark.parametrize(
    "options",
    [
        {"by": "week"},
        {"zone": "Europe/Berlin"},
        {"identity": 7},
        {"prices": Decimal("0.01")},
        {"created_at": "yesterday"},
        {"created_at": DateFilter()},
        {"as_of": START.replace(tzinfo=None)},
        {"as_of": 0},
        {"progress": True},
        {"journal": "usage.journal"},
        {"journal": 5, "created_at": date(2026, 3, 1)},
        {"journal": "usage.journal", "created_at": DateFilter(lte=date(2026, 3, 1))},
        {"journal": "usage.journal", "created_at": date(2026, 3, 1), "identity": lambda person: person.id},
    ],
)
async def test_invalid_options_are_refused(client: RoomsClient, telnyx: Emulator, options: Any) -> None:
    with pytest.raises(InvalidArgumentError):
        await client.reports.usage(**options)
    assert telnyx.requests == []
