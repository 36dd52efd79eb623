"""Usage: sums over rooms and days, across midnight and changes of clocks."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_rooms_async import RoomComposition, RoomParticipant, RoomRecording, RoomSession
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


@st.composite
def many_sessions(draw: st.DrawFn) -> list[RoomSession]:
    """Generate sessions of up to two days, with participants who come and go meanwhile."""
    sessions = []
    for number in range(draw(st.integers(0, 4))):
        start = START + timedelta(seconds=draw(st.integers(0, 3 * 86400)))
        stays = [
            stay(
                start + timedelta(seconds=draw(st.integers(0, 86400))),
                draw(st.integers(0, 2880)) / draw(st.sampled_from([1, 7])),
                draw(st.sampled_from(["Alice", "Bob", "Zoë"])),
            )
            for _ in range(draw(st.integers(0, 4)))
        ]
        room_id = draw(st.sampled_from(["one", "two"]))
        sessions.append(
            RoomSession(id=str(number), room_id=room_id, created_at=start, participants=tuple(stays))
        )
    return sessions


@given(many_sessions(), st.sampled_from([BERLIN, ZoneInfo("America/St_Johns"), ZoneInfo("Pacific/Apia")]))
def test_sums_over_rooms_days_and_months_equal_the_whole(sessions: list[RoomSession], zone: ZoneInfo) -> None:
    by_room, by_day, by_month = (usage_of(*sessions, by=by, zone=zone) for by in ("room", "day", "month"))
    assert by_room.total == by_day.total == by_month.total
    for usage in (by_room, by_day, by_month):
        assert sum(row.sessions for row in usage.rows) == len(sessions)
        assert sum(row.billed_minutes for row in usage.rows) == usage.total.billed_minutes
        assert sum((row.participant_time for row in usage.rows), timedelta()) == usage.total.participant_time
    stays = [
        one for session in sessions for one in {one.id: one for one in session.participants or ()}.values()
    ]
    durations = [one.left_at - one.joined_at for one in stays if one.left_at and one.joined_at]
    assert by_day.total.participant_time == sum(durations, timedelta())
    assert by_day.total.people == len({one.context for one in stays})


@given(
    many_sessions().flatmap(
        lambda sessions: st.tuples(st.just(sessions), st.permutations(sessions + sessions))
    )
)
def test_order_and_duplicates_do_not_matter(
    sessions: tuple[list[RoomSession], Sequence[RoomSession]],
) -> None:
    assert usage_of(*sessions[0]) == usage_of(*sessions[1])


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
    for size in (0.1, 0.2, None):
        meter.add_recording(RoomRecording(id="a", started_at=START, duration_secs=61, size_mb=size))
    meter.add_composition(RoomComposition(id="a", created_at=START, duration_secs=60))
    meter.add_session(RoomSession(id="a", created_at=START, participants=(stay(START, 9.5),)))
    prices = Prices(
        participant_minute=Decimal("0.002"), recorded_minute=Decimal("0.01"), composed_minute=Decimal(1)
    )
    row, total = meter.usage(prices).to_rows()
    assert row == {
        "key": "2026-03", "sessions": 1, "people": 1, "participant_minutes": 9.5, "billed_minutes": 10,
        "peak": 1, "recorded_minutes": 6, "recorded_megabytes": "0.3", "composed_minutes": 1, "cost": "1.080",
    }  # fmt: skip
    assert total == row | {"key": "total"}
    assert meter.usage().to_rows()[0]["cost"] is None


def test_what_has_no_time_counts_when_the_report_is_made() -> None:
    meter = UsageMeter(by="day", as_of=AS_OF)
    meter.add_recording(RoomRecording(id="a"))
    meter.add_composition(RoomComposition(id="a"))
    meter.add_session(RoomSession(id="a"))
    assert [(row.key, row.sessions) for row in meter.usage().rows] == [(AS_OF.date().isoformat(), 1)]


@pytest.mark.parametrize("zone", [BERLIN, ZoneInfo("America/Sao_Paulo")])
def test_midnight_that_does_not_exist_splits_too(zone: ZoneInfo) -> None:
    # In São Paulo, the next day begins at 1:00.
    started_at = datetime(2018, 11, 3, 12, tzinfo=zone).astimezone(UTC)
    session = RoomSession(id="a", created_at=started_at, participants=(stay(started_at, 24 * 60),))
    rows = usage_of(session, zone=zone).rows
    assert [row.key for row in rows] == ["2018-11-03", "2018-11-04"]
    assert sum((row.participant_time for row in rows), timedelta()) == timedelta(days=1)
