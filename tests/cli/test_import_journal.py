"""``rooms import --journal``: each room once, whatever happens to the process."""

import signal
import subprocess
import time
from collections.abc import Callable
from math import inf
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import Result

from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.processes import INTERRUPTIBLE, count_creates, inject_random_faults

Run = Callable[..., Result]
Objects = Callable[..., list[Any]]
Start = Callable[..., subprocess.Popen[str]]
Disk = Callable[..., subprocess.CompletedProcess[str]]
Command = tuple[str, ...]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """The command that imports 150 rooms."""
    table = tmp_path / "rooms.csv"
    table.write_text("unique_name,max_participants\n" + "".join(f"Many {n},7\n" for n in range(150)))
    return "rooms", "import", str(table), "--journal", str(tmp_path / "rooms.journal")


def are_there_once(telnyx: Emulator, count: int = 150) -> bool:
    """Tell whether the rooms are there, each once."""
    names = sorted(room.unique_name or "" for room in telnyx.rooms)
    return names == sorted(f"Many {number}" for number in range(count))


def test_it_is_done_already(run: Run, objects: Objects, telnyx: Emulator, command: Command) -> None:
    """Run again over what is done, it sends nothing and says so."""
    result = run(*command)
    assert (result.exit_code, result.stdout) == (0, "created 150 of 150 rooms\n")
    telnyx.requests.clear()
    again = run(*command)
    assert (again.exit_code, again.stdout) == (0, "nothing to do: 150 rooms created before\n")
    assert objects(*command) == [{"rooms": 150, "created": 0, "skipped": 150, "failed": 0}]
    assert telnyx.requests == []


def test_what_failed_is_tried_again(run: Run, telnyx: Emulator, command: Command) -> None:
    """The same command goes on with what failed."""
    telnyx.script(Fault(status=422), times=2, operation="CreateRoom")
    result = run(*command)
    assert (result.exit_code, result.stdout) == (1, "created 148 of 150 rooms, 2 failed\n")
    assert result.stderr.endswith("\nrun the same command again to continue\n")
    again = run(*command)
    assert (again.exit_code, again.stdout) == (0, "created 2 of 150 rooms, 148 created before\n")
    assert are_there_once(telnyx)


def test_killed_at_any_moment(start: Start, telnyx: Emulator, command: Command) -> None:
    """Killed again and again amid lost answers and refusals, it makes each room once."""
    dice = Random(20)
    inject_random_faults(telnyx, dice, 0.02)
    for _ in range(3):
        process = start(*command)
        due = count_creates(telnyx) + dice.randrange(60)
        while process.poll() is None and count_creates(telnyx) < due:
            time.sleep(0.001)
        process.kill()
        process.communicate()
    telnyx.unscript()
    process = start(*command)
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert "150 rooms" in out
    assert are_there_once(telnyx)


def test_ctrl_c(start: Start, run: Run, telnyx: Emulator, command: Command) -> None:
    """Ctrl-C ends it, and run the same command again to continue."""
    telnyx.script(Fault(), times=40, operation="CreateRoom")
    telnyx.script(Fault(delay=inf), times=8, operation="CreateRoom")
    process = start(*command, "--concurrency", "8", program=INTERRUPTIBLE)
    deadline = time.monotonic() + 30
    while count_creates(telnyx) < 48 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert err == "stopped: created 40 of 150 rooms; run the same command again to continue\n"
    again = run(*command)
    assert (again.exit_code, again.stdout) == (0, "created 110 of 150 rooms, 40 created before\n")
    assert are_there_once(telnyx)


def test_a_full_disk(on_a_small_disk: Disk, run: Run, telnyx: Emulator, command: Command) -> None:
    """A disk that does not take the journal is one line; when it does again, the command continues."""
    result = on_a_small_disk(8, *command)
    assert (result.returncode, result.stdout) == (1, "")
    error, stopped = result.stderr.splitlines()
    assert error == f"error: journal {command[-1]}: it cannot be written: File too large"
    assert stopped.startswith("stopped: created ")
    assert 0 < len(telnyx.rooms) < 150
    assert run(*command).exit_code == 0
    assert are_there_once(telnyx)


def test_another_account(
    run: Run, telnyx: Emulator, command: Command, account: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal of another API key is refused, unless the account is said to be the same."""
    run(*command)
    telnyx.requests.clear()
    monkeypatch.setitem(account, "TELNYX_API_KEY", "KEY0123CANARYKEY")
    result = run(*command)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: journal {command[-1]}: it was begun at http://127.0.0.1:")
    assert "--key-rotated" in result.stderr
    assert "CANARY" not in result.stderr
    again = run(*command, "--key-rotated")
    assert (again.exit_code, again.stdout) == (0, "nothing to do: 150 rooms created before\n")
    assert run(*command[:3], "--key-rotated").exit_code == 2
    assert telnyx.requests == []


def test_another_table(run: Run, telnyx: Emulator, command: Command) -> None:
    """A journal of another table is refused, and nothing is sent."""
    run(*command)
    table = Path(command[2])
    table.write_text(table.read_text().replace("Many 0", "Few"))
    telnyx.requests.clear()
    result = run(*command)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: journal {command[-1]}: ")
    assert result.stderr.count("\n") == 1
    assert telnyx.requests == []


@pytest.mark.parametrize(
    ("journal", "said"),
    [("/dev/full", "it is no regular file"), ("rooms.csv", "it is no journal"), ("no/where", "it cannot be")],
)
def test_no_journal(run: Run, telnyx: Emulator, command: Command, journal: str, said: str) -> None:
    """What cannot be a journal is one line, and nothing is sent."""
    path = Path(command[2]).parent / journal
    before = Path(command[2]).read_text()
    result = run(*command[:-1], str(path))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: journal {path}: {said}")
    assert result.stderr.count("\n") == 1
    assert Path(command[2]).read_text() == before
    assert telnyx.requests == []


def test_each_room_needs_its_name(run: Run, telnyx: Emulator, command: Command) -> None:
    """With a journal, rooms are known by their names."""
    Path(command[2]).write_text("unique_name,max_participants\nA,5\n,6\n")
    result = run(*command)
    assert result.exit_code == 2
    assert f"{command[2]}, line 3, column unique_name: is missing: every room" in result.stderr
    assert telnyx.requests == []
    assert not Path(command[-1]).exists()


def test_errors_are_no_journal(run: Run, command: Command) -> None:
    """The table of failures is not written over the journal, nor made in its place, however it is spelled."""
    journal = Path(command[-1])
    assert run(*command, "--errors", f"{journal.parent}/./{journal.name}").exit_code == 2
    assert not journal.exists()
    run(*command)
    assert run(*command, "--errors", command[-1]).exit_code == 2
    assert run(*command).exit_code == 0
