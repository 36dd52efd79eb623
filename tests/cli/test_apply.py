"""``rooms apply``: the rooms of the account become those of a table."""

import signal
import subprocess
import time
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from attrs import evolve
from typer.testing import CliRunner, Result

from telnyx_rooms_async.cli import app
from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.processes import INTERRUPTIBLE

Run = Callable[..., Result]
Objects = Callable[..., list[Any]]
Terminal = Callable[..., str]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def wanted(telnyx: Emulator, tmp_path: Path) -> str:
    """A table that keeps Room 1, changes Room 2, and adds one; Room 3 is not in it."""
    telnyx.seed(3)
    path = tmp_path / "rooms.csv"
    path.write_text("unique_name,max_participants,enable_recording\nRoom 1,10,\nRoom 2,5,true\nNew,,\n")
    return str(path)


def rooms(telnyx: Emulator) -> dict[str | None, tuple[int | None, bool | None]]:
    """Return what the table is about."""
    return {room.unique_name: (room.max_participants, room.enable_recording) for room in telnyx.rooms}


def writes(telnyx: Emulator) -> list[str]:
    """Return the methods of the requests that change something."""
    return sorted(request.method for request in telnyx.requests if request.method != "GET")


def test_it_comes_to_be(run: Run, telnyx: Emulator, wanted: str) -> None:
    """What is missing is made and what differs changed; the plan is shown, and a second run finds nothing."""
    result = run("rooms", "apply", wanted, "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    create, update, plan, done = result.stdout.splitlines()
    assert create.split() == ["create", "'New'"]
    assert update.split(maxsplit=3)[:3] == ["update", "'Room", "2'"]
    assert "max_participants: 10 -> 5" in update
    assert plan == "1 to create, 1 to update, 0 to delete, 1 unchanged"
    assert done == "created 1, updated 1"
    assert rooms(telnyx) == {
        "Room 1": (10, False),
        "Room 2": (5, True),
        "Room 3": (10, False),
        "New": (10, False),
    }
    telnyx.requests.clear()
    again = run("rooms", "apply", wanted, "--yes")
    assert (again.exit_code, again.stdout) == (0, "0 to create, 0 to update, 0 to delete, 3 unchanged\n")
    assert writes(telnyx) == []


def test_each_room_is_one_request(run: Run, telnyx: Emulator, tmp_path: Path) -> None:
    """100 rooms that are missing are one page of the list and 100 creations."""
    path = tmp_path / "rooms.csv"
    path.write_text("unique_name\n" + "".join(f"Ward {number}\n" for number in range(100)))
    assert run("rooms", "apply", str(path), "--yes").exit_code == 0
    assert sorted(request.method for request in telnyx.requests) == ["GET"] + ["POST"] * 100


def test_prune(objects: Objects, telnyx: Emulator, wanted: str) -> None:
    """With --prune what the table does not name is deleted; in JSON the counts are one value."""
    counts = {"created": 1, "updated": 1, "deleted": 1, "unchanged": 1, "failed": 0}
    assert objects("rooms", "apply", wanted, "--prune", "--yes") == [counts]
    assert list(rooms(telnyx)) == ["Room 1", "Room 2", "New"]
    nothing = {"created": 0, "updated": 0, "deleted": 0, "unchanged": 3, "failed": 0}
    assert objects("rooms", "apply", wanted, "--prune", "--yes") == [nothing]


@pytest.mark.parametrize("options", [(), ("--max-deletes", "3")])
def test_prune_of_many_rooms_needs_their_number(
    run: Run, telnyx: Emulator, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """More than half of the rooms are deleted only with --max-deletes, whatever else is said."""
    telnyx.seed(5)
    path = tmp_path / "rooms.csv"
    path.write_text("unique_name\nRoom 1\nNew\n")
    command = ("rooms", "apply", str(path), "--prune", *options)
    shown = run(*command, "--dry-run")
    assert shown.exit_code == 0
    assert shown.stderr.startswith("would be refused: the plan deletes 4 of 5 rooms, ")
    result = run(*command, "--yes")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: the plan deletes 4 of 5 rooms, ")
    assert writes(telnyx) == []
    assert run(*command, "--yes", "--max-deletes", "4").exit_code == 0
    assert list(rooms(telnyx)) == ["Room 1", "New"]


def test_prune_of_many_rooms_at_a_terminal(at_terminal: Terminal, telnyx: Emulator, wanted: str) -> None:
    """Nobody is asked about a plan that a yes could not carry out."""
    telnyx.seed(5)
    shown = at_terminal("rooms", "apply", wanted, "--prune", typed=b"y\n", columns=200)
    assert "more than half of them: nothing was changed; max_deletes=6 (--max-deletes 6) allows it" in shown
    assert "[y/N]" not in shown
    assert writes(telnyx) == []


def test_skip_invalid_and_prune(run: Run, telnyx: Emulator, wanted: str) -> None:
    """The rooms of rows that are left out are not deleted for that."""
    result = run("rooms", "apply", wanted, "--yes", "--skip-invalid", "--prune", "--dry-run")
    assert (result.exit_code, telnyx.requests) == (2, [])
    assert "--skip-invalid and --prune cannot be combined" in result.stderr


def test_max_deletes_goes_with_prune(run: Run, telnyx: Emulator, wanted: str) -> None:
    """Without --prune nothing is deleted, so a bound is a mistake."""
    result = run("rooms", "apply", wanted, "--yes", "--max-deletes", "1")
    assert (result.exit_code, telnyx.requests) == (2, [])
    assert "--max-deletes can only be used with --prune" in result.stderr


def test_a_dry_run(run: Run, objects: Objects, telnyx: Emulator, wanted: str) -> None:
    """A dry run shows the plan, and asks for no more than is read; in JSON it is a change a line."""
    shown = run("rooms", "apply", wanted, "--prune", "--dry-run").stdout
    assert shown.endswith("1 to create, 1 to update, 1 to delete, 1 unchanged\n")
    changes = objects("rooms", "apply", wanted, "--prune", "--dry-run")
    assert [(each["action"], each["unique_name"]) for each in changes] == [
        ("create", "New"),
        ("update", "Room 2"),
        ("delete", "Room 3"),
    ]
    assert writes(telnyx) == []


def test_an_export_is_applied(run: Run, telnyx: Emulator, wanted: str, tmp_path: Path) -> None:
    """An export brings back what was changed since."""
    before = rooms(telnyx)
    for kind in ("csv", "ndjson", "parquet"):
        backup = str(tmp_path / f"backup.{kind}")
        run("rooms", "export", backup)
        run("rooms", "apply", wanted, "--prune", "--yes")
        assert rooms(telnyx) != before
        assert run("rooms", "apply", backup, "--prune", "--yes").exit_code == 0
        assert rooms(telnyx) == before


def test_null_clears(run: Run, telnyx: Emulator, tmp_path: Path) -> None:
    """Null clears a setting, an empty cell leaves it alone."""
    run("rooms", "create", "--unique-name", "A", "--webhook-timeout-secs", "5")
    path = tmp_path / "rooms.csv"
    for cell, left in (("", 5), ("null", None)):
        path.write_text(f"unique_name,webhook_timeout_secs\nA,{cell}\n")
        assert run("rooms", "apply", str(path), "--yes").exit_code == 0
        assert telnyx.rooms[0].webhook_timeout_secs == left


@pytest.mark.parametrize(("typed", "changed"), [(b"y\n", 2), (b"n\n", 0)])
def test_at_a_terminal(
    at_terminal: Terminal, telnyx: Emulator, wanted: str, typed: bytes, changed: int
) -> None:
    """At a terminal the plan is shown, and then it is asked."""
    shown = at_terminal("rooms", "apply", wanted, typed=typed, columns=200)
    assert "0 to delete, 1 unchanged\nmake 2 changes? [y/N]: " in shown
    assert shown.endswith("created 1, updated 1\n" if changed else "nothing was changed\n")
    assert len(writes(telnyx)) == changed


def test_in_json_at_a_terminal(at_terminal: Terminal, telnyx: Emulator, wanted: str) -> None:
    """In JSON too, who is asked sees the plan; stdout has the counts only."""
    shown = at_terminal("rooms", "apply", wanted, "--json", typed=b"y\n", columns=200)
    assert "max_participants: 10 -> 5" in shown
    assert "0 to delete, 1 unchanged\nmake 2 changes? [y/N]: " in shown
    assert shown.endswith('{"created":1,"updated":1,"deleted":0,"unchanged":1,"failed":0}\n')
    assert len(writes(telnyx)) == 2


def test_a_place_for_failures_that_is_none(
    at_terminal: Terminal, telnyx: Emulator, wanted: str, tmp_path: Path
) -> None:
    """Where failures cannot be written is told before anything is asked for, and before anyone is asked."""
    nowhere = str(tmp_path / "no" / "where")
    shown = at_terminal("rooms", "apply", wanted, "--errors", nowhere, columns=200)
    assert shown.endswith(f"error: cannot write {nowhere}: No such file or directory\n")
    assert "[y/N]" not in shown
    assert telnyx.requests == []


@pytest.mark.parametrize("old", ["unique_name,max_participants,enable_recording,{}\nA,,,,,,422\n", None])
def test_failures_of_another_run(at_terminal: Terminal, wanted: str, tmp_path: Path, old: str | None) -> None:
    """Who says no keeps the failures of another run; when nothing has failed in the end there are none."""
    errors = tmp_path / "errors.csv"
    if old:
        old = old.format("webhook_event_url,webhook_event_failover_url,webhook_timeout_secs,error")
        errors.write_text(old)
    for typed, left in ((b"n\n", old), (b"y\n", None)):
        at_terminal("rooms", "apply", wanted, "--errors", str(errors), typed=typed)
        assert (errors.read_text() if errors.exists() else None) == left


def test_nobody_says_yes(run: Run, telnyx: Emulator, wanted: str) -> None:
    """Without a terminal nothing is done unless --yes is given."""
    result = run("rooms", "apply", wanted)
    assert result.exit_code == 2
    assert "there is no terminal to ask for confirmation: use --yes" in result.stderr
    assert telnyx.requests == []


def test_each_room_needs_its_name(run: Run, telnyx: Emulator, tmp_path: Path) -> None:
    """Rooms are known by their names."""
    path = tmp_path / "rooms.csv"
    path.write_text("unique_name,max_participants\nA,5\n,6\n")
    result = run("rooms", "apply", str(path), "--yes")
    assert result.exit_code == 2
    said = f"error: {path}, line 3, column unique_name: is missing: every room needs a name here\n"
    assert result.stderr == said
    assert telnyx.requests == []


def test_from_stdin(account: dict[str, str], telnyx: Emulator) -> None:
    """With - the table comes from stdin."""
    command = ["rooms", "apply", "-", "--format", "ndjson", "--yes"]
    result = CliRunner().invoke(app, command, env=account, input='{"unique_name":"A"}')
    assert (result.exit_code, list(rooms(telnyx))) == (0, ["A"])


def test_failures(run: Run, telnyx: Emulator, wanted: str, tmp_path: Path) -> None:
    """What fails is told and written as a table; the rest is done, and another run does what is left."""
    telnyx.script(Fault(status=422), operation="UpdateRoom")
    telnyx.script(Fault(status=409), operation="DeleteRoom")
    errors = tmp_path / "errors.ndjson"
    command = ["rooms", "apply", wanted, "--prune", "--yes"]
    result = run(*command, "--errors", str(errors), "--format", "csv")
    assert result.exit_code == 1
    assert result.stdout.endswith("\ncreated 1, 2 failed\n")
    assert "error: update 'Room 2': 422 " in result.stderr
    assert "error: delete 'Room 3': 409 " in result.stderr
    header, row = errors.read_text().splitlines()
    assert header.startswith("unique_name,max_participants,enable_recording,")
    assert row.startswith('Room 2,5,true,,,,"422 ')
    assert run(*command).stdout.endswith("\nupdated 1, deleted 1\n")


def test_failures_in_parquet(run: Run, telnyx: Emulator, tmp_path: Path) -> None:
    """Run again, what failed in Parquet is what the first table said, and clears nothing else."""
    table, errors = str(tmp_path / "in.parquet"), str(tmp_path / "errors.parquet")
    url = "https://example.com"
    settings = ("--webhook-timeout-secs", "5", "--webhook-event-failover-url", url)
    run("rooms", "create", "--unique-name", "A", *settings)
    before = telnyx.rooms[0]
    pq.write_table(
        pa.Table.from_pylist(
            [
                {"unique_name": "A", "max_participants": 7, "webhook_timeout_secs": 5},
                {"unique_name": "B", "max_participants": 8, "webhook_timeout_secs": None},
            ]
        ),
        table,
    )
    telnyx.script(Fault(status=422), operation="UpdateRoom")
    telnyx.script(Fault(status=422), operation="CreateRoom")
    result = run("rooms", "apply", table, "--yes", "--errors", errors)
    assert result.stdout.endswith("\n2 failed\n")
    failed = pq.read_table(errors).drop(["error"]).sort_by("unique_name")
    assert failed.to_pylist() == pq.read_table(table).to_pylist()
    telnyx.requests.clear()
    assert run("rooms", "apply", errors, "--yes").exit_code == 0
    sent = [request.json for request in telnyx.requests if request.method != "GET"]
    assert sorted(sent, key=len) == [
        {"max_participants": 7},
        {"unique_name": "B", "max_participants": 8, "webhook_timeout_secs": None},
    ]
    changed = evolve(before, max_participants=7, updated_at=telnyx.rooms[0].updated_at)
    assert telnyx.rooms[0] == changed


def test_ctrl_c(start: Start, telnyx: Emulator, wanted: str) -> None:
    """Ctrl-C ends it, and says what was done and how to go on."""
    telnyx.script(Fault(delay=inf), operation="UpdateRoom")
    command = ("rooms", "apply", wanted, "--yes", "--concurrency", "1")
    process = start(*command, program=INTERRUPTIBLE)
    deadline = time.monotonic() + 30
    while "PATCH" not in writes(telnyx) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert (process.returncode, err) == (130, "stopped: created 1; run the same command again to continue\n")


def test_a_plan_that_fails(run: Run, telnyx: Emulator, wanted: str) -> None:
    """When the rooms cannot be read, that is one line."""
    telnyx.script(Fault(status=403), times=None, operation="ListRooms")
    result = run("rooms", "apply", wanted, "--yes")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: 403 ")
    assert result.stderr.count("\n") == 1
    assert writes(telnyx) == []
