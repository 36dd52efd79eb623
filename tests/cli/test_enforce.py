"""``telnyx-rooms rooms enforce``."""

import math
import signal
from pathlib import Path

import pytest

from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.command_line import Objects, Run, Start, Turn
from tests.helpers.processes import INTERRUPTIBLE, wait_until

POLICY = """
[[policies]]
max_duration = "1h"
warn_before = "5m"
"""


@pytest.fixture
def policy(tmp_path: Path) -> str:
    path = tmp_path / "policies.toml"
    path.write_text(POLICY)
    return str(path)


@pytest.fixture
def session_ids(telnyx: Emulator, turn: Turn) -> list[str | None]:
    """Three sessions that have lasted for more than an hour."""
    telnyx.seed(3)
    ids = [telnyx.join(room.id).session_id for room in telnyx.rooms]
    turn(3601)
    return ids


def ends(telnyx: Emulator) -> list[str]:
    """Return the ids of the sessions that requests would end."""
    return [request.path.split("/")[-3] for request in telnyx.requests if request.method == "POST"]


def active(telnyx: Emulator) -> int:
    return sum(room.active_session_id is not None for room in telnyx.rooms)


def test_due_sessions_are_ended_and_printed(
    run: Run, telnyx: Emulator, policy: str, session_ids: list[str | None]
) -> None:
    result = run("rooms", "enforce", "--policy", policy, "--once")
    assert result.exit_code == 0
    assert sorted(result.stdout.splitlines()) == sorted(
        f"done: end session {session_id} of room Room {number}, max_duration at 2021-04-25T14:45:06Z"
        for number, session_id in enumerate(session_ids, 1)
    )
    assert active(telnyx) == 0


def test_dry_run_prints_actions_as_json_and_changes_nothing(
    objects: Objects, telnyx: Emulator, policy: str, session_ids: list[str | None]
) -> None:
    actions = objects("rooms", "enforce", "--policy", policy, "--once", "--dry-run")
    assert {(action["type"], action["status"]) for action in actions} == {("end_session", "planned")}
    assert {action["session_id"] for action in actions} == set(session_ids)
    assert active(telnyx) == 3


@pytest.mark.usefixtures("session_ids")
def test_failed_action_is_printed_and_changes_the_exit_code(run: Run, telnyx: Emulator, policy: str) -> None:
    telnyx.inject(Fault(status=403), operation="EndSession")
    result = run("rooms", "enforce", "--policy", policy, "--once")
    assert result.exit_code == 1
    assert [line.split(":")[0] for line in result.stdout.splitlines()].count("failed") == 1
    assert active(telnyx) == 1


@pytest.mark.parametrize(
    ("text", "code", "problem"),
    [
        ('[[policies]]\nmax_duration = "2 hours"', 2, "policies[0].max_duration must be a duration such as"),
        ("policies", 2, "not TOML: Expected '=' after a key in a key/value pair"),
        ("\udcff", 2, "not UTF-8"),
        (None, 1, "No such file or directory"),
    ],
)
def test_problem_of_the_file_is_printed_with_its_name(  # noqa: PLR0917 - the case, and where it runs
    run: Run, telnyx: Emulator, tmp_path: Path, text: str | None, code: int, problem: str
) -> None:
    path = tmp_path / "policies.toml"
    if text is not None:
        path.write_text(text, "utf-8", errors="surrogateescape")
    result = run("rooms", "enforce", "--policy", str(path))
    assert result.exit_code == code
    assert problem in result.stderr
    assert str(path) in result.stderr
    assert telnyx.requests == []


def test_invalid_interval_is_refused(run: Run, policy: str) -> None:
    result = run("rooms", "enforce", "--policy", policy, "--interval", "0")
    assert (result.exit_code, "interval must be a positive number" in result.stderr) == (2, True)


def test_enforcing_continues_until_it_is_interrupted(
    start: Start, telnyx: Emulator, turn: Turn, policy: str
) -> None:
    telnyx.seed(1)
    telnyx.join(telnyx.rooms[0].id)
    program = start("rooms", "enforce", "--policy", policy, "--interval", "0.05", program=INTERRUPTIBLE)
    wait_until(lambda: len(telnyx.requests) > 4)
    turn(3601)
    assert program.stdout is not None
    assert program.stdout.readline().startswith("done: end session ")
    program.send_signal(signal.SIGINT)
    assert program.wait() == 130


def test_killed_program_continues_where_it_was(
    run: Run, start: Start, telnyx: Emulator, policy: str, session_ids: list[str | None]
) -> None:
    # The session is ended, but the program never gets the response.
    telnyx.inject(Fault(delay=math.inf, after=True), operation="EndSession")
    program = start("rooms", "enforce", "--policy", policy, "--concurrency", "1")
    wait_until(lambda: active(telnyx) == 2)
    program.kill()
    program.wait()
    assert run("rooms", "enforce", "--policy", policy, "--once").stdout.count("done: end session") == 2
    assert sorted(ends(telnyx)) == sorted(map(str, session_ids))
