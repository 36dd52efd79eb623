"""The arithmetic of the benchmarks, their server and their results in the README."""

import pytest

from benchmarks.cases import CASES
from benchmarks.measuring import Sample
from benchmarks.responses import page
from benchmarks.results import guides, implausible, read, standings
from telnyx_rooms_async import Page, Room
from telnyx_rooms_async.serialization import converter

CASE = CASES["retrieve-32"]


def rounds(*cpu: float) -> list[Sample]:
    """Make a contender's rounds: the seconds of each."""
    return [Sample(units=1 if seconds else 0, wall=seconds, cpu=seconds) for seconds in cpu]


def test_a_ratio_compares_runs_of_one_round() -> None:
    _, ours = standings(CASE, {"bare": rounds(1, 1, 10), "ours": rounds(2, 2, 20)})
    assert ours.cpu_ratio is not None
    assert (ours.cpu_ratio.low, ours.cpu_ratio.median, ours.cpu_ratio.high) == (2, 2, 2)


def test_a_failed_round_is_reported_and_has_no_times() -> None:
    failed = Sample(units=0, wall=0, cpu=0, failures=1, failure="not finished in 60 s")
    _, ours = standings(CASE, {"bare": rounds(1), "ours": [failed]})
    assert ours.cpu is None
    assert ours.cpu_ratio is None
    assert list(implausible({CASE.name: [ours]})) == ["retrieve-32: ours: 1 failures: not finished in 60 s"]


def test_a_ratio_above_the_limit_fails_the_smoke_run() -> None:
    results = {CASE.name: standings(CASE, {"bare": rounds(1), "ours": rounds(9)})}
    assert list(implausible(results)) == ["retrieve-32: 9.0 times the CPU of the reference, over 5.0"]


@pytest.mark.parametrize("sessions", [True, False])
def test_the_server_s_pages_contain_every_room_once(*, sessions: bool) -> None:
    bodies = [page(number, 250, 600, sessions=sessions) for number in (1, 2, 3)]
    pages = [converter.loads(body, Page[Room]) for body in bodies]
    assert [len(one.data) for one in pages] == [250, 250, 100]
    assert len({room.id for one in pages for room in one.data}) == 600
    assert pages[0].meta.total_pages == 3


def test_the_guides_show_the_stored_results() -> None:
    for path, text in guides(read()).items():
        assert path.read_text("utf-8") == text
        assert path.parent.name == "benchmarks" or "Retrieving a room takes" in text


def test_results_of_a_single_case_can_be_published() -> None:
    stored = read()
    stored |= {"cases": {CASE.name: stored["cases"][CASE.name]}, "instructions": {}}
    readme, guide = guides(stored).values()
    row = f"| {CASE.title}: CPU a call | "
    assert readme.count(row) == guide.count(row) == 1
    assert "A page of 250" not in guide
