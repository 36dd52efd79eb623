"""Attendance: checked against a count per second, and on awkward data."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from itertools import permutations
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it has no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_rooms_async import InvalidArgumentError, RoomParticipant, RoomSession
from telnyx_rooms_async.reports import Attendance, Identity, attendance_of
from telnyx_rooms_async.reports.table import csv_line

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
NAIVE = START.replace(tzinfo=None)
END = timedelta(seconds=60)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def stay(
    joined: float | None, left: float | None = None, context: str | None = "Alice", participant_id: str = ""
) -> RoomParticipant:
    return RoomParticipant(
        id=participant_id or f"{context}-{joined}-{left}",
        context=context,
        joined_at=None if joined is None else at(joined),
        left_at=None if left is None else at(left),
    )


def attendance(
    *participants: RoomParticipant, ended_at: datetime | None = None, identity: Identity = None
) -> Attendance:
    session = RoomSession(id="s", created_at=START, ended_at=ended_at, participants=participants)
    return attendance_of([session], as_of=at(60), identity=identity)


SECONDS = st.integers(0, 60)
STAYS: st.SearchStrategy[list[RoomParticipant]] = st.lists(
    st.builds(stay, SECONDS, SECONDS | st.none(), st.sampled_from(["Alice", "Bob", "Zoë", None])), max_size=8
)


@given(STAYS, SECONDS | st.none())
def test_seconds_and_curve_equal_a_count_per_second(stays: list[RoomParticipant], ended: int | None) -> None:
    report = attendance(*stays, ended_at=None if ended is None else at(ended))
    present: dict[str, set[int]] = {}
    for participant in stays:
        assert participant.joined_at is not None
        left_at = participant.left_at or at(60 if ended is None else ended)
        seconds = present.setdefault(participant.context or participant.id, set())
        seconds.update(second for second in range(60) if participant.joined_at <= at(second) < left_at)
    assert {attendee.identity: attendee.duration.total_seconds() for attendee in report.attendees} == {
        name: len(seconds) for name, seconds in present.items()
    }
    counts = [sum(second in seconds for seconds in present.values()) for second in range(60)]
    assert [len(report.present_at(at(second))) for second in range(60)] == counts
    assert report.peak == max(counts)
    curve = dict(report.concurrency)
    assert [curve.get(at(second)) for second in range(60)] == [
        count if count != before else None for before, count in zip([0, *counts], counts, strict=False)
    ]


@given(STAYS.flatmap(lambda stays: st.tuples(st.just(stays), st.permutations(stays + stays))))
def test_order_and_duplicates_do_not_matter(
    stays: tuple[list[RoomParticipant], Sequence[RoomParticipant]],
) -> None:
    assert attendance(*stays[0]) == attendance(*stays[1])


@pytest.mark.parametrize(
    ("stays", "seconds", "reconnects"),
    [
        ([stay(0, 20), stay(30, 40)], 30, 1),
        ([stay(0, 20), stay(20, 40)], 40, 1),
        ([stay(0, 30), stay(10, 20, participant_id="second device")], 30, 0),
        ([stay(0, 30), stay(10, 50), stay(55, 60)], 55, 1),
        ([stay(20, 10)], 0, 0),
        ([stay(20, 20)], 0, 0),
        ([stay(None, 10)], 10, 0),
        ([stay(50)], 10, 0),
        ([stay(0, 26 * 3600)], 26 * 3600, 0),
    ],
    ids=[
        "returned", "returned at once", "two devices", "overlapping", "left before joining", "no length",
        "no time of joining", "still present", "26 hours",
    ],
)  # fmt: skip
def test_time_present(stays: list[RoomParticipant], seconds: int, reconnects: int) -> None:
    (alice,) = attendance(*stays).attendees
    assert (alice.duration.total_seconds(), alice.reconnects) == (seconds, reconnects)


def test_participant_without_an_end_left_when_the_session_ended() -> None:
    (alice,) = attendance(stay(0), ended_at=at(45)).attendees
    assert (alice.last_left_at, alice.is_present) == (at(45), False)
    (alice,) = attendance(stay(0)).attendees
    assert (alice.last_left_at, alice.is_present, alice.intervals[-1].end) == (None, True, at(60))


def test_participants_that_joined_in_the_same_microsecond_are_ordered_by_name() -> None:
    names = ["🙂", "שלום", "b", "a"]
    report = attendance(*(stay(1, 2, name) for name in names))
    assert [attendee.identity for attendee in report.attendees] == sorted(names)
    assert report.peak == 4


def test_50_people_reconnect_500_times() -> None:
    stays = [stay(2 * n, 2 * n + 1, f"Person {person}") for person in range(50) for n in range(501)]
    report = attendance(*stays)
    for person in report.attendees:
        assert (person.reconnects, person.duration.total_seconds()) == (500, 501.0)
    assert report.peak == 50


@pytest.mark.parametrize(
    ("identity", "names"),
    [
        (None, ['{"user": 7, "name": "Al"}', "Alice", "d", "{", "\ud800"]),
        ("user", ["7", "a", "d", "e", "f"]),
        (lambda participant: participant.id.upper(), ["A", "B", "D", "E", "F"]),
    ],
    ids=["context", "field", "function"],
)
def test_people_are_recognised_by_an_identity(identity: Identity, names: list[str]) -> None:
    contexts = [("b", '{"user": 7, "name": "Al"}'), ("a", "Alice"), ("d", None), ("e", "{"), ("f", "\ud800")]
    stays = [stay(0, 1, context, participant_id=name) for name, context in contexts]
    report = attendance(*stays, identity=identity)
    assert [attendee.identity for attendee in report.attendees] == sorted(names)


@pytest.mark.parametrize(
    ("identity", "problem"),
    [
        (7, "identity must be a field of the context, a function or None, not 7"),
        ("", "identity must be a field of the context, a function or None, not ''"),
        (lambda _: 7, "identity must return text or None, not 7"),
    ],
)
def test_invalid_identities_are_refused(identity: Any, problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=problem):
        attendance(stay(0), identity=identity)


def test_elapsed_time_is_counted_when_clocks_change() -> None:
    winter, summer = timezone(timedelta(hours=1)), timezone(timedelta(hours=2))
    participant = RoomParticipant(
        id="a",
        joined_at=datetime(2026, 3, 29, 1, 30, tzinfo=winter),
        left_at=datetime(2026, 3, 29, 3, 30, tzinfo=summer),
    )
    assert attendance(participant).duration == timedelta(hours=1)


def test_time_present_is_not_that_of_the_clocks_on_the_wall() -> None:
    zone = ZoneInfo("Europe/Berlin")  # 2:50 in summer time is 20 minutes before 2:10 in winter time
    participant = RoomParticipant(
        id="a",
        joined_at=datetime(2026, 10, 25, 2, 50, tzinfo=zone),
        left_at=datetime(2026, 10, 25, 2, 10, fold=1, tzinfo=zone),
    )
    assert attendance(participant).duration == timedelta(minutes=20)


def test_several_sessions_are_added_up() -> None:
    sessions = [RoomSession(id=name, participants=(stay(n, n + 10),)) for n, name in ((30, "t"), (0, "s"))]
    report = attendance_of(sessions, as_of=at(60))
    (alice,) = report.attendees
    assert (alice.duration.total_seconds(), len(alice.participants), alice.sessions) == (20, 2, 2)
    assert alice.reconnects == 0  # to come to the next session is none
    assert [session.id for session in report.sessions] == ["s", "t"]


def test_newest_version_of_a_session_and_a_participant_counts() -> None:
    def version(minute: int, left: float | None, ended: float | None) -> RoomSession:
        updated_at = at(minute)
        alice = RoomParticipant(
            id="a", joined_at=at(0), left_at=None if left is None else at(left), updated_at=updated_at
        )
        ended_at = None if ended is None else at(ended)
        return RoomSession(id="s", participants=(alice,), updated_at=updated_at, ended_at=ended_at)

    for versions in permutations([version(0, None, None), version(1, 20, None), version(2, 20, 30)]):
        report = attendance_of(versions, as_of=at(60))
        assert [attendee.duration.total_seconds() for attendee in report.attendees] == [20]
        assert report.sessions[0].ended_at == at(30)


def test_session_that_is_not_active_ended_at_its_last_update() -> None:
    session = RoomSession(id="s", active=False, updated_at=at(30), participants=(stay(0),))
    (alice,) = attendance_of([session], as_of=at(60)).attendees
    assert (alice.last_left_at, alice.is_present) == (at(30), False)


@pytest.mark.parametrize(
    ("session", "as_of", "problem"),
    [
        (RoomSession(id="s"), START, "include_participants"),
        (RoomSession(id="s", participants=()), NAIVE, "as_of must be timezone-aware"),
        (
            RoomSession(id="s", participants=(RoomParticipant(id="a", joined_at=NAIVE),)),
            START,
            "timezone-aware",
        ),
        (RoomSession(id="s", participants=(), created_at=NAIVE), START, "timezone-aware"),
        (RoomSession(id="s", participants=(), ended_at=NAIVE), START, "timezone-aware"),
        (RoomSession(id="s", participants=(), updated_at=NAIVE), START, "timezone-aware"),
    ],
    ids=["without participants", "as_of", "joined_at", "created_at", "ended_at", "updated_at"],
)
def test_incomplete_input_is_refused(session: RoomSession, as_of: datetime, problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=problem):
        attendance_of([session], as_of=as_of)
    with pytest.raises(InvalidArgumentError, match="instant must be timezone-aware"):
        attendance(stay(0)).present_at(NAIVE)


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
)
def test_text_that_a_spreadsheet_takes_for_a_formula_is_quoted(start: str) -> None:
    (row,) = csv.DictReader(io.StringIO(attendance(stay(0, 20, f"{start}1+1")).to_csv(), newline=""))
    assert row["identity"] == f"'{start}1+1"


def test_report_as_tables(tmp_path: Path) -> None:
    report = attendance(stay(0, 20, "=1+1"), stay(5, None, "Zoë | Bär"))
    assert report.to_csv().splitlines() == [
        "identity,sessions,first_joined_at,last_left_at,seconds,joins,reconnects",
        "'=1+1,1,2026-03-01T09:00:00Z,2026-03-01T09:00:20Z,20.0,1,0",
        "Zoë | Bär,1,2026-03-01T09:00:05Z,,55.0,1,0",
    ]
    assert [json.loads(line) for line in report.to_ndjson().splitlines()] == report.to_rows()
    assert report.to_markdown().splitlines()[1:3] == [
        "| --- | --- | --- | --- | --- | --- | --- |",
        "| =1+1 | 1 | 2026-03-01T09:00:00Z | 2026-03-01T09:00:20Z | 20.0 | 1 | 0 |",
    ]
    assert "Zoë \\| Bär" in report.to_markdown()
    assert "\\<b>" in attendance(stay(0, 20, "<b>")).to_markdown()
    for table in (report, attendance(stay(0)), attendance()):
        table.write_parquet(tmp_path / "report.parquet")
        assert pq.read_table(tmp_path / "report.parquet").to_pylist() == table.records()
        assert pq.read_schema(tmp_path / "report.parquet").names == list(report.columns)
    assert json.loads(json.dumps(report.to_dict())) == report.to_dict()
    assert report.to_dict()["attendees"][0]["intervals"] == [
        {"start": "2026-03-01T09:00:00Z", "end": "2026-03-01T09:00:20Z"}
    ]


def test_rows_of_csv_can_be_written_at_the_same_time() -> None:
    """As by two threads: one row is begun, and another one written."""

    def cells() -> Iterator[str]:
        yield "a"
        assert csv_line(["x", "y"]) == "x,y\n"
        yield "b"

    assert csv_line(cells()) == "a,b\n"
