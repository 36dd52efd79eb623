"""``sessions attendance``, ``rooms attendance`` and ``reports usage``."""

import csv
import json
import math
import sys
import time
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it has no types
import pytest

from telnyx_rooms_async import RoomParticipant, reports
from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.command_line import Run, Start, Terminal, Turn


@pytest.fixture
def session(telnyx: Emulator, alice: RoomParticipant, turn: Turn) -> str:
    """The id of a session of 30 minutes on 2021-04-25: Alice for all of it, Zoë for the first 10 minutes."""
    assert alice.session_id is not None
    (room,) = telnyx.rooms
    zoe = telnyx.join(room.id, context="Zoë")
    turn(600)
    telnyx.leave(zoe.id)
    turn(1200)
    telnyx.leave(alice.id)
    turn(5)  # the recordings are completed
    telnyx.requests.clear()
    return alice.session_id


@pytest.fixture
def commands(telnyx: Emulator, session: str) -> dict[str, tuple[str, ...]]:
    return {
        "session": ("sessions", "attendance", session),
        "room": ("rooms", "attendance", telnyx.rooms[0].id, "--since", "2021-04-25"),
        "usage": ("reports", "usage", "--since", "2021-04-25", "--price-per-minute", "0.002"),
    }


@pytest.mark.parametrize(
    ("days", "people"),
    [(("--since", "2021-04-26"), 2), (("--until", "2021-04-25"), 0)],
)
def test_days_of_an_attendance_are_those_of_the_zone(
    days: tuple[str, str], people: int, telnyx: Emulator, session: str, run: Run
) -> None:
    command = ("rooms", "attendance", telnyx.rooms[0].id, "--zone", "Pacific/Auckland", "--json")
    report = json.loads(run(*command, *days).stdout)  # 13:45 UTC is 1:45 on the next day
    assert (len(report["attendees"]), report["sessions"]) == (people, [session] * (people > 0))


@pytest.mark.parametrize("command", ["session", "room"])
def test_attendance_is_printed_in_each_form(
    command: str, commands: dict[str, tuple[str, ...]], run: Run
) -> None:
    result = run(*commands[command], "--zone", "Europe/Berlin")
    title, alice, zoe, _, axis = result.stdout.splitlines()
    assert title.startswith("2021-04-25 Europe/Berlin · 2 people · at most 2")
    assert (alice.split()[0], alice[-6:]) == ("Alice", "30 min")
    assert zoe.endswith("10 min")
    assert zoe.count("█") < alice.count("█")
    assert axis.split()[0] == "15:45"
    assert result.stderr == ""
    rows = list(csv.DictReader(run(*commands[command], "--csv").stdout.splitlines()))
    assert [(row["identity"], row["seconds"]) for row in rows] == [("Alice", "1800.0"), ("Zoë", "600.0")]
    report = json.loads(run(*commands[command], "--json").stdout)
    assert [one["seconds"] for one in report["attendees"]] == [1800, 600]
    assert run(*commands[command], "--csv", "--bom").stdout_bytes.startswith(b"\xef\xbb\xbfidentity,")


def test_usage_has_a_cost(commands: dict[str, tuple[str, ...]], run: Run) -> None:
    (day,) = run(*commands["usage"]).stdout.splitlines()[1:]
    assert (day.split()[0], day.split()[-1]) == ("2021-04-25", "0.080")
    (row, total) = csv.DictReader(run(*commands["usage"], "--by", "month", "--csv").stdout.splitlines())
    assert (row["key"], row["billed_minutes"], row["cost"]) == ("2021-04", "40", "0.080")
    assert total["recorded_minutes"] == "80"
    report = json.loads(run("reports", "usage", "--price-per-recorded-minute", "1", "--json").stdout)
    assert Decimal(report["total"]["cost"]) == 80
    assert json.loads(run("reports", "usage", "--json").stdout)["total"]["cost"] is None
    assert (
        run("reports", "usage", "--until", "2021-04-24", "--csv").stdout.splitlines()[1].startswith("total,0")
    )


@pytest.mark.parametrize("command", ["session", "room", "usage"])
def test_files_are_written(
    command: str, commands: dict[str, tuple[str, ...]], run: Run, tmp_path: Path
) -> None:
    chart, parquet = str(tmp_path / "a.svg"), str(tmp_path / "a.parquet")
    result = run(*commands[command], "--chart", chart, "--dark", "--parquet", parquet)
    assert (result.exit_code, result.stdout) == (0, f"wrote {parquet} and {chart}\n")
    assert "<svg" in Path(chart).read_text()
    rows = pq.read_table(parquet).to_pylist()
    assert rows[0]["identity" if command != "usage" else "key"]
    assert run(*commands[command], "--chart", chart, "--csv").stdout.count("\n") == len(rows) + 1


@pytest.mark.parametrize(
    ("options", "code", "problem"),
    [
        (("--csv", "--json"), 2, "--csv and --json"),
        (("--bom",), 2, "--bom can only be used with --csv"),
        (("--dark",), 2, "--dark can only be used with --chart"),
        (("--chart", "chart.pdf"), 2, ".svg or .png"),
        (("--chart", "nowhere/chart.svg"), 1, "the folder does not exist"),
        (("--zone", "Mars"), 2, "must be a time zone"),
        (("--zone", "/etc"), 2, "must be a time zone"),
    ],
)
def test_impossible_outputs_are_refused_before_a_request(
    options: tuple[str, ...], code: int, problem: str, run: Run, telnyx: Emulator
) -> None:
    for command in (("sessions", "attendance", "a"), ("rooms", "attendance", "a"), ("reports", "usage")):
        result = run(*command, *options)
        assert (result.exit_code, telnyx.requests) == (code, [])
        assert problem in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("option", "module", "extra"),
    [("--chart=a.svg", "matplotlib", "charts"), ("--parquet=a", "pyarrow", "parquet")],
)
def test_missing_extra_is_named_before_a_request(  # noqa: PLR0917 - the case, and where it runs
    option: str, module: str, extra: str, run: Run, telnyx: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(reports, "charts", raising=False)
    monkeypatch.delitem(sys.modules, "telnyx_rooms_async.reports.charts", raising=False)
    monkeypatch.setitem(sys.modules, module, None)  # it cannot be imported
    result = run("reports", "usage", option)
    assert (result.exit_code, telnyx.requests) == (1, [])
    assert f"telnyx-rooms-async[{extra}]" in result.stderr


def test_missing_session_is_an_error(run: Run) -> None:
    result = run("sessions", "attendance", "nowhere", "--csv")
    assert (result.exit_code, result.stdout) == (1, "")


@pytest.mark.usefixtures("session")
def test_usage_shows_its_progress_and_continues(at_terminal: Terminal, tmp_path: Path) -> None:
    journal = str(tmp_path / "journal")
    shown = at_terminal("reports", "usage", "--since", "2021-04-25", "--journal", journal)
    assert "reading sessions" in shown
    assert "40 min" in shown
    assert list(tmp_path.iterdir()) == []


def test_killed_report_is_continued_by_the_same_command(  # noqa: PLR0917 - fixtures
    start: Start, run: Run, telnyx: Emulator, turn: Turn, alice: RoomParticipant, tmp_path: Path
) -> None:
    room, journal = telnyx.rooms[0].id, str(tmp_path / "journal")
    for _ in range(9):
        turn(3600)
        telnyx.leave(alice.id)
        turn(82800)
        alice = telnyx.join(room, context="Alice")
    telnyx.leave(alice.id)
    turn(5)
    arguments = ("reports", "usage", "--since", "2021-04-25", "--by", "month", "--journal", journal, "--csv")
    complete = run("reports", "usage", "--since", "2021-04-25", "--by", "month", "--csv").stdout
    telnyx.inject(
        Fault(delay=math.inf),
        operation="ListRoomSessions",
        when=lambda request: ("filter[date_created_at][eq]", "2021-05-02") in request.query,
    )
    process = start(*arguments)
    # Another process has locked the file.
    while not Path(journal).exists() or b"2021-05-01" not in Path(journal).read_bytes():
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    telnyx.requests.clear()
    assert run(*arguments).stdout == complete
    days = [dict(request.query).get("filter[date_created_at][eq]") for request in telnyx.requests]
    assert "2021-05-02" in days
    assert "2021-04-30" not in days
