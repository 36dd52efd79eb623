"""Progress of commands that make many calls."""

from pathlib import Path

import pytest
from rich.console import Console

from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.bulk_job import JobProgress
from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.command_line import Run, Terminal


def test_rate_and_time_left_count_this_run_only(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(output, "stderr", lambda: Console(get_time=lambda: now))
    progress = JobProgress(total=1000, skipped=lambda: 700)
    bar = progress.bar()

    def draw() -> tuple[str, str]:
        bar.get_renderables()
        return bar.tasks[0].fields["rate"], bar.tasks[0].fields["left"]

    assert draw() == ("", "-:--:--")
    progress.done = 1
    assert draw() == ("", "-:--:--")
    now += 10
    progress.done = 21
    assert draw() == ("2/s", "0:02:19")
    assert (bar.tasks[0].completed, bar.tasks[0].total) == (721, 1000)


def test_bar_counts_items_of_an_earlier_run_while_they_are_skipped(
    at_terminal: Terminal, run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "rooms.csv"
    path.write_text("unique_name\n" + "".join(f"Room {number}\n" for number in range(50)))
    command = ("rooms", "import", str(path), "--journal", f"{tmp_path}/journal")
    assert run(*command).exit_code == 0
    shown = at_terminal(*command)
    assert "50/50" in shown
    assert shown.endswith("nothing to do: 50 rooms created before\n")


def test_phase_is_shown_until_the_first_result(at_terminal: Terminal, telnyx: Emulator) -> None:
    telnyx.seed(3)
    telnyx.inject(Fault(delay=0.3), operation="DeleteRoom", times=None)
    shown = at_terminal("rooms", "delete", "--all", "--everything", "--yes", columns=120)
    assert "collecting rooms" in shown
    assert "3/3" in shown


def test_plan_is_announced_while_it_is_made(at_terminal: Terminal, telnyx: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "rooms.csv"
    path.write_text("unique_name\nA\n")
    telnyx.inject(Fault(delay=0.2), operation="ListRooms")
    shown = at_terminal("rooms", "apply", str(path), "--yes", columns=120)
    assert "comparing the table with the rooms of the account" in shown
