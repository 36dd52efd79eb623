"""``rooms import --journal``."""

import re
import signal
from math import inf
from pathlib import Path

import pytest

from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.command_line import Objects, Run, SmallDisk, Start
from tests.helpers.processes import INTERRUPTIBLE, count_creates, wait_until

Command = tuple[str, ...]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Return the command that imports 150 rooms."""
    table = tmp_path / "rooms.csv"
    table.write_text("unique_name,max_participants\n" + "".join(f"Many {n},7\n" for n in range(150)))
    return "rooms", "import", str(table), "--journal", str(tmp_path / "rooms.journal")


def assert_each_room_exists_once(telnyx: Emulator) -> None:
    names = sorted(room.unique_name or "" for room in telnyx.rooms)
    assert names == sorted(f"Many {number}" for number in range(150))


def test_second_run_has_nothing_to_do(run: Run, objects: Objects, telnyx: Emulator, command: Command) -> None:
    result = run(*command)
    assert (result.exit_code, result.stdout) == (0, "created 150 of 150 rooms\n")
    telnyx.requests.clear()
    again = run(*command)
    assert (again.exit_code, again.stdout) == (0, "nothing to do: 150 rooms created before\n")
    assert objects(*command) == [{"rooms": 150, "created": 0, "skipped": 150, "failed": 0}]
    assert telnyx.requests == []


def test_failed_rooms_are_retried(run: Run, telnyx: Emulator, command: Command) -> None:
    telnyx.inject(Fault(status=422), times=2, operation="CreateRoom")
    result = run(*command)
    assert (result.exit_code, result.stdout) == (1, "created 148 of 150 rooms, 2 failed\n")
    assert result.stderr.endswith("\nrun the same command again to continue\n")
    again = run(*command)
    assert (again.exit_code, again.stdout) == (0, "created 2 of 150 rooms, 148 created before\n")
    assert_each_room_exists_once(telnyx)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_import_is_resumed(
    start: Start, run: Run, telnyx: Emulator, command: Command, number: signal.Signals
) -> None:
    telnyx.inject(Fault(), times=40, operation="CreateRoom")
    telnyx.inject(Fault(delay=inf), times=8, operation="CreateRoom")
    process = start(*command, "--concurrency", "8", program=INTERRUPTIBLE)
    wait_until(lambda: count_creates(telnyx) >= 48)
    process.send_signal(number)
    out, err = process.communicate()
    assert out == ""
    if number is signal.SIGINT:
        assert process.returncode == 130
        assert re.fullmatch(
            r"stopped: created \d+ of 150 rooms; run the same command again to continue\n", err
        )
    again = run(*command)
    assert (again.exit_code, again.stdout) == (0, "created 110 of 150 rooms, 40 created before\n")
    assert_each_room_exists_once(telnyx)


def test_full_disk_is_one_line(
    on_a_small_disk: SmallDisk, run: Run, telnyx: Emulator, command: Command
) -> None:
    result = on_a_small_disk(100, *command)
    assert (result.returncode, result.stdout) == (1, "")
    error, stopped = result.stderr.splitlines()
    assert error == f"error: journal {command[-1]}: it cannot be written: disk I/O error"
    assert stopped.startswith("stopped: created ")
    assert 0 < len(telnyx.rooms) < 150
    assert run(*command).exit_code == 0
    assert_each_room_exists_once(telnyx)


def test_other_key_is_refused_unless_it_was_rotated(
    run: Run, telnyx: Emulator, command: Command, account: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(*command)
    telnyx.requests.clear()
    monkeypatch.setitem(account, "TELNYX_API_KEY", "KEY0123CANARYKEY")
    result = run(*command)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "or --key-rotated if" in result.stderr
    assert "CANARY" not in result.stderr
    again = run(*command, "--key-rotated")
    assert (again.exit_code, again.stdout) == (0, "nothing to do: 150 rooms created before\n")
    assert run(*command[:3], "--key-rotated").exit_code == 2
    assert telnyx.requests == []


@pytest.mark.parametrize("problem", ["other table", "/dev/full", "rooms.csv", "no/where"])
def test_unusable_journal_is_one_line(run: Run, telnyx: Emulator, command: Command, problem: str) -> None:
    table = Path(command[2])
    if problem == "other table":
        run(*command)
        table.write_text(table.read_text().replace("Many 149", "Few"))
        telnyx.requests.clear()
        journal = Path(command[-1])
    else:
        journal = table.parent / problem
    content = table.read_text()
    result = run(*command[:-1], str(journal))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: journal {journal}: it")
    assert result.stderr.count("\n") == 1
    assert table.read_text() == content
    assert telnyx.requests == []


def test_errors_file_must_not_be_the_journal(run: Run, command: Command) -> None:
    journal = Path(command[-1])
    assert run(*command, "--errors", f"{journal.parent}/./{journal.name}").exit_code == 2
    assert not journal.exists()
    run(*command)
    assert run(*command, "--errors", command[-1]).exit_code == 2
    assert run(*command).exit_code == 0
