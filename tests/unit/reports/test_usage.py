"""Usage: sums over rooms and days, across midnight and changes of clocks."""

import json
import tracemalloc
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it has no types
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from telnyx_rooms_async import (
    InvalidArgumentError,
    RoomComposition,
    RoomParticipant,
    RoomRecording,
    RoomSession,
)
from telnyx_rooms_async.reports import Prices, Usage, UsageMeter
from telnyx_rooms_async.reports import usage as usage_module
from telnyx_rooms_async.reports.usage import By

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 3, 28, tzinfo=UTC)  # a day before clocks change in Berlin
AS_OF = START + timedelta(days=9)


def stay(start: datetime, minutes: float, name: str = "Alice") -> RoomParticipant:
    left_at = start + timedelta(minutes=minutes)
    return RoomParticipant(id=f"{name} {start}", context=name, joined_at=start, left_at=left_at)


def usage_of(*sessions: RoomSession, by: By = "day", zone: ZoneInfo = BERLIN) -> Usage:
    meter = UsageMeter(by=by, zone=zone, as_of=AS_OF)
    for session in sessions:
        meter.add_session(session)
    return meter.usage()


CLOCK_CHANGES = [
    (BERLIN, datetime(2026, 3, 28, tzinfo=UTC)),
    (BERLIN, datetime(2026, 10, 24, tzinfo=UTC)),
    (ZoneInfo("America/St_Johns"), datetime(2010, 11, 6, tzinfo=UTC)),  # from 0:01 back to 23:01
    (ZoneInfo("America/Sao_Paulo"), datetime(2018, 11, 3, tzinfo=UTC)),  # from 0:00 to 1:00
    (ZoneInfo("America/Sao_Paulo"), datetime(2018, 2, 17, tzinfo=UTC)),  # from 0:00 back to 23:00
    (ZoneInfo("America/Havana"), datetime(2018, 11, 3, tzinfo=UTC)),  # from 1:00 back to 0:00
    (ZoneInfo("Australia/Lord_Howe"), datetime(2026, 4, 4, tzinfo=UTC)),  # by half an hour
    (ZoneInfo("Pacific/Apia"), datetime(2011, 12, 29, tzinfo=UTC)),  # without the 30th
]
"""Time zones, and a day before clocks change."""


@st.composite
def many_sessions(draw: st.DrawFn) -> tuple[ZoneInfo, list[RoomSession]]:
    """Generate sessions of up to two days around a change of clocks, whose participants come and go."""
    zone, day = draw(st.sampled_from(CLOCK_CHANGES))
    sessions = []
    for number in range(draw(st.integers(0, 4))):
        start = day + timedelta(seconds=draw(st.integers(0, 3 * 86400)))
        stays = [
            stay(
                start + timedelta(seconds=draw(st.integers(0, 86400))),
                draw(st.integers(0, 2880)) / draw(st.sampled_from([1, 7])),
                draw(st.sampled_from(["Alice", "Bob", "Zoë"])),
            )
            for _ in range(draw(st.integers(0, 4)))
        ]
        unique = {participant.id: participant for participant in stays}.values()
        room_id = draw(st.sampled_from(["one", "two"]))
        sessions.append(
            RoomSession(id=str(number), room_id=room_id, created_at=start, participants=tuple(unique))
        )
    return zone, sessions


@given(many_sessions(), st.integers(1, 3))
def test_sums_of_parts_equal_the_whole(
    zone_and_sessions: tuple[ZoneInfo, list[RoomSession]], count: int
) -> None:
    zone, sessions = zone_and_sessions
    meter = UsageMeter(by="day", zone=zone, as_of=AS_OF)
    for part in range(count):
        meter_of_part = UsageMeter(by="day", zone=zone, as_of=AS_OF)
        for session in sessions[part::count]:
            meter_of_part.add_session(session)
        meter.add_dict(json.loads(json.dumps(meter_of_part.to_dict())))
    assert meter.usage() == usage_of(*sessions, zone=zone)


@given(many_sessions())
def test_minutes_of_days_equal_a_count_per_minute(
    zone_and_sessions: tuple[ZoneInfo, list[RoomSession]],
) -> None:
    zone, sessions = zone_and_sessions
    minutes: Counter[str] = Counter()
    whole_minutes: list[RoomSession] = []
    for session in sessions:
        stays: list[RoomParticipant] = []
        for participant in session.participants or ():
            assert participant.joined_at is not None
            assert participant.left_at is not None
            joined_at = participant.joined_at.replace(second=0)
            left_at = participant.left_at.replace(second=0, microsecond=0)
            stays.append(evolve(participant, joined_at=joined_at, left_at=left_at))
            for minute in range(max(0, (left_at - joined_at) // timedelta(minutes=1))):
                local = (joined_at + timedelta(minutes=minute)).astimezone(zone)
                # In St. John's, the last minutes of the 6th came again after the first minute of the 7th.
                is_second = local.fold and zone.key == "America/St_Johns"
                minutes[str((local + timedelta(hours=bool(is_second))).date())] += 1
        whole_minutes.append(evolve(session, participants=tuple(stays)))
    rows = usage_of(*whole_minutes, zone=zone).rows
    assert {row.key: row.billed_minutes for row in rows if row.billed_minutes} == minutes
    assert all(row.participant_time == timedelta(minutes=row.billed_minutes) for row in rows)


@given(many_sessions())
def test_sums_over_rooms_days_and_months_equal_the_whole(
    zone_and_sessions: tuple[ZoneInfo, list[RoomSession]],
) -> None:
    zone, sessions = zone_and_sessions
    by_room, by_day, by_month = (usage_of(*sessions, by=by, zone=zone) for by in ("room", "day", "month"))
    assert by_room.total == by_day.total == by_month.total
    for usage in (by_room, by_day, by_month):
        assert sum(row.sessions for row in usage.rows) == len(sessions)
        assert sum(row.billed_minutes for row in usage.rows) == usage.total.billed_minutes
        assert sum((row.participant_time for row in usage.rows), timedelta()) == usage.total.participant_time
    people = [person for session in sessions for person in session.participants or ()]
    durations = [
        person.left_at - person.joined_at for person in people if person.left_at and person.joined_at
    ]
    assert by_day.total.participant_time == sum(durations, timedelta())
    assert by_day.total.people == len({person.context for person in people})


@given(many_sessions(), st.data())
def test_order_and_duplicates_do_not_matter(
    zone_and_sessions: tuple[ZoneInfo, list[RoomSession]], data: st.DataObject
) -> None:
    zone, sessions = zone_and_sessions
    repeated = data.draw(st.permutations(sessions + sessions))
    assert usage_of(*sessions, zone=zone) == usage_of(*repeated, zone=zone)


def test_days_are_those_of_the_time_zone_although_clocks_change() -> None:
    started_at = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)  # 23:30 in Berlin
    session = RoomSession(id="a", created_at=started_at, participants=(stay(started_at, 25 * 60 + 0.5),))
    rows = usage_of(session).rows
    assert [(row.key, row.participant_time / timedelta(minutes=1), row.billed_minutes) for row in rows] == [
        ("2026-03-28", 30, 30),
        ("2026-03-29", 23 * 60, 23 * 60),
        ("2026-03-30", 90.5, 91),
    ]
    assert [row.sessions for row in rows] == [1, 0, 0]


@pytest.mark.parametrize(
    ("joined", "left", "minutes"),
    [(10, 5, 0), (10, 10, 0), (0, None, 45), (None, 20, 20), (0, 26 * 60, 26 * 60), (0, 0.01, 1)],
    ids=["left before joining", "no length", "never left", "no time of joining", "26 hours", "a moment"],
)
def test_awkward_stays_have_billed_minutes(joined: float | None, left: float | None, minutes: int) -> None:
    def at(minute: float | None) -> datetime | None:
        return None if minute is None else START + timedelta(minutes=minute)

    alice = RoomParticipant(id="a", joined_at=at(joined), left_at=at(left))
    session = RoomSession(id="s", created_at=START, ended_at=at(45), participants=(alice, alice))
    total = usage_of(session).total
    assert (total.billed_minutes, total.people, total.sessions) == (minutes, 1, 1)
    assert total.peak == bool(minutes)


def test_peak_counts_people_of_all_sessions_at_the_same_time() -> None:
    alice, bob = stay(START, 10), stay(START + timedelta(minutes=5), 10, "Bob")
    second_device = stay(START + timedelta(minutes=1), 2)
    zoe = stay(START + timedelta(minutes=10), 10, "Zoë")
    sessions = [
        RoomSession(id="a", room_id="one", participants=(alice, second_device)),
        RoomSession(id="b", room_id="two", participants=(bob, zoe)),
    ]
    usage = usage_of(*sessions, by="room")
    assert [(row.key, row.people, row.peak) for row in usage.rows] == [("one", 1, 1), ("two", 2, 2)]
    assert (usage.total.people, usage.total.peak, usage.total.billed_minutes) == (3, 2, 32)


def test_people_who_return_often_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage_module, "_CHUNK", 100)
    usage = usage_of(
        *(RoomSession(id=str(n), participants=(stay(START + timedelta(minutes=n), 1),)) for n in range(5000))
    )
    assert (usage.total.people, usage.total.sessions, usage.total.peak) == (1, 5000, 1)


def test_recordings_and_compositions_have_a_cost() -> None:
    meter = UsageMeter(by="month", as_of=AS_OF)
    for name, size in (("a", 0.1), ("b", 0.2), ("c", None), ("c", None)):
        meter.add_recording(RoomRecording(id=name, started_at=START, duration_secs=61, size_mb=size))
    for _ in range(2):
        meter.add_composition(RoomComposition(id="a", created_at=START, duration_secs=60))
    meter.add_session(RoomSession(id="a", created_at=START, participants=(stay(START, 9.5),)))
    prices = Prices(
        participant_minute=Decimal("0.002"), recorded_minute=Decimal("0.01"), composed_minute=Decimal(1)
    )
    row, total = meter.usage(prices).to_rows()
    assert row == {
        "key": "2026-03", "sessions": 1, "people": 1, "participant_minutes": 9.5, "billed_minutes": 10,
        "peak": 1, "recorded_minutes": 6, "recorded_megabytes": "0.300000", "composed_minutes": 1,
        "cost": "1.080",
    }  # fmt: skip
    assert total == row | {"key": "total"}
    assert meter.usage().to_rows()[0]["cost"] is None


def test_what_has_no_time_counts_when_the_report_is_made() -> None:
    meter = UsageMeter(by="day", as_of=AS_OF)
    meter.add_recording(RoomRecording(id="a"))
    meter.add_composition(RoomComposition(id="a"))
    meter.add_session(RoomSession(id="a", participants=()))
    assert [(row.key, row.sessions) for row in meter.usage().rows] == [(AS_OF.date().isoformat(), 1)]


def test_each_hour_is_on_one_day_although_the_last_minutes_of_a_day_come_twice() -> None:
    zone = ZoneInfo("America/St_Johns")  # in 2010, clocks went back from 0:01 to 23:01
    minutes = [datetime(2010, 11, 7, 2, tzinfo=UTC) + timedelta(minutes=minute) for minute in range(180)]
    sessions = [RoomSession(id=str(at), participants=(stay(at, 1),)) for at in minutes]
    usage = usage_of(*sessions, zone=zone)
    pairs = zip(sessions[:30], sessions[30:60], strict=True)
    alternating = [session for pair in pairs for session in pair]
    assert usage == usage_of(*alternating, *sessions[60:], zone=zone)
    assert [(row.key, row.billed_minutes) for row in usage.rows] == [("2010-11-06", 30), ("2010-11-07", 150)]


def test_months_are_those_of_the_time_zone() -> None:
    started_at = datetime(2026, 3, 31, 21, 30, tzinfo=UTC)  # 23:30 in Berlin
    session = RoomSession(id="a", created_at=started_at, participants=(stay(started_at, 60),))
    rows = usage_of(session, by="month").rows
    assert [(row.key, row.billed_minutes) for row in rows] == [("2026-03", 30), ("2026-04", 30)]


@pytest.mark.parametrize(
    "price", [0.002, True, "cheap", "NaN", "sNaN", "-1", "0.0000000000001", "1e16", None]
)
def test_prices_are_exact(price: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="price"):
        Prices(participant_minute=price)
    assert Prices(participant_minute="0.002") == Prices(participant_minute=Decimal("0.002"))


def test_usage_as_tables(tmp_path: Path) -> None:
    usage = usage_of(RoomSession(id="a", participants=(stay(START, 1.5),)))
    assert usage.to_dict() == {"by": "day", "rows": usage.to_rows()[:1], "total": usage.to_rows()[1]}
    assert json.loads(json.dumps(usage.to_dict())) == usage.to_dict()
    usage.write_parquet(tmp_path / "usage.parquet")
    assert pq.read_table(tmp_path / "usage.parquet").to_pylist() == usage.records()


def test_times_without_a_zone_are_refused() -> None:
    meter, naive = UsageMeter(by="day", as_of=AS_OF), START.replace(tzinfo=None)
    with pytest.raises(InvalidArgumentError, match="timezone-aware"):
        meter.add_session(RoomSession(id="a", created_at=naive, participants=()))
    with pytest.raises(InvalidArgumentError, match="timezone-aware"):
        meter.add_recording(RoomRecording(id="a", started_at=naive))
    with pytest.raises(InvalidArgumentError, match="timezone-aware"):
        meter.add_composition(RoomComposition(id="a", created_at=naive))
    assert meter.usage().rows == ()


def test_session_that_was_refused_is_not_counted() -> None:
    def identity(participant: RoomParticipant) -> str:
        if not is_ready:
            raise LookupError
        return participant.id

    meter = UsageMeter(by="day", as_of=AS_OF, identity=identity)
    session = RoomSession(id="a", participants=(stay(START, 5),))
    is_ready = False
    with pytest.raises(LookupError):
        meter.add_session(session)
    is_ready = True
    meter.add_session(session)
    assert meter.usage().total.billed_minutes == 5


@pytest.mark.parametrize(
    "options",
    [{"by": "week"}, {"as_of": START.replace(tzinfo=None)}, {"zone": "Europe/Berlin"}, {"identity": 7}],
)
def test_invalid_meters_are_refused(options: Any) -> None:
    with pytest.raises(InvalidArgumentError):
        UsageMeter(**{"by": "day", "as_of": AS_OF} | options)
    with pytest.raises(InvalidArgumentError, match="include_participants"):
        UsageMeter(by="day", as_of=AS_OF).add_session(RoomSession(id="a"))


def test_meter_keeps_at_most_300_bytes_for_a_session_of_5_people() -> None:
    def meter_of(sessions: int) -> UsageMeter:
        meter = UsageMeter(by="day", as_of=AS_OF)
        for number in range(sessions):
            start = START + timedelta(minutes=number)
            stays = tuple(stay(start, 30, f"Person {(number + person) % 99}") for person in range(5))
            meter.add_session(RoomSession(id=str(number), created_at=start, participants=stays))
        return meter

    meter_of(100)  # so that no cache grows while memory is measured
    tracemalloc.start()
    try:
        meter = meter_of(5000)
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert meter.usage().total.people == 99
    assert size < 5000 * 300
