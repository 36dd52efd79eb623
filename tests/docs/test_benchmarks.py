"""What the benchmarks say must be so: their arithmetic, and a server that tells the truth."""

import json
from pathlib import Path

import pytest

from benchmarks import summary
from benchmarks.answers import page
from benchmarks.cases import CASES
from benchmarks.contenders import ENTRANTS
from benchmarks.figures import standings
from benchmarks.measuring import Sample
from benchmarks.race import Row
from benchmarks.sanity import faults
from benchmarks.server import answer_to
from telnyx_rooms_async import Page, Room
from telnyx_rooms_async.serialization import converter

BARE, OURS = Row("asyncio", "bare"), Row("asyncio", "ours")
CASE = CASES["retrieve-32"]


def rounds(*cpu: float) -> list[Sample]:
    """Make a contender's rounds: the seconds of each."""
    return [Sample(units=1 if seconds else 0, wall=seconds, cpu=seconds) for seconds in cpu]


def test_ratios_are_taken_within_a_round() -> None:
    """A machine that slows down in the middle changes the figures, and not the ratio."""
    _, ours = standings(CASE, {BARE: rounds(1, 1, 10), OURS: rounds(2, 2, 20)})
    assert ours.cpu_ratio is not None
    assert (ours.cpu_ratio.low, ours.cpu_ratio.median, ours.cpu_ratio.high) == (2, 2, 2)


def test_a_round_that_failed_counts_as_a_failure_and_not_as_time() -> None:
    """Who did not finish has no figures, and is told of."""
    failed = Sample(units=0, wall=0, cpu=0, failures=1, failure="not done after 60 s")
    _, ours = standings(CASE, {BARE: rounds(1), OURS: [failed]})
    assert ours.cpu is None
    assert ours.cpu_ratio is None
    assert list(faults({CASE.name: [ours]})) == ["retrieve-32: ours: 1 failures: not done after 60 s"]


def test_a_ratio_beyond_reason_is_no_sane_result() -> None:
    """A smoke test fails when a call costs many times that of bare aiohttp."""
    results = {CASE.name: standings(CASE, {BARE: rounds(1), OURS: rounds(9)})}
    assert list(faults(results)) == ["retrieve-32: 9.0 times the CPU of the reference, over 5.0"]


@pytest.mark.parametrize("sessions", [True, False])
def test_the_pages_hold_each_room_once(*, sessions: bool) -> None:
    """Pages of any size add up to all rooms, and are what this library reads."""
    bodies = [page(number, 250, 600, sessions=sessions) for number in (1, 2, 3)]
    pages = [converter.loads(body, Page[Room]) for body in bodies]
    assert [len(one.data) for one in pages] == [250, 250, 100]
    assert len({room.id for one in pages for room in one.data}) == 600
    assert pages[0].meta.total_pages == 3


def test_the_server_reads_the_page_from_either_spelling() -> None:
    """Brackets may come quoted or not."""
    plain = answer_to(b"GET /600/50/v2/rooms?page[number]=3&page[size]=250 HTTP/1.1")
    quoted = answer_to(b"GET /600/50/v2/rooms?page%5Bnumber%5D=3&page%5Bsize%5D=250 HTTP/1.1")
    assert plain == quoted
    assert plain[0] == 0.05
    assert plain[1].endswith(page(3, 250, 600, sessions=False))


def test_every_case_names_who_exists() -> None:
    """A case runs entrants of the table, its reference among them."""
    for case in CASES.values():
        assert set(case.entrants) <= ENTRANTS.keys()
        assert case.reference in case.entrants
        assert case.reference in case.small.entrants


def test_the_readme_shows_the_kept_figures() -> None:
    """The table of the README is that of the results that are kept here, line by line."""
    house = Path(__file__).parents[2]
    kept = json.loads((house / "benchmarks/results/results.json").read_text())
    table = "\n".join(summary.lines(kept))
    assert f"\n{table}\n" in (house / "README.md").read_text()
