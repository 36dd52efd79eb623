"""``rooms apply``: the rooms of the account match a table."""

import signal
from math import inf
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it has no types
import pytest
from attrs import evolve

from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.command_line import Objects, Run, Start, Terminal
from tests.helpers.processes import INTERRUPTIBLE, wait_until


@pytest.fixture
def table(telnyx: Emulator, tmp_path: Path) -> str:
    """A table that keeps Room 1, changes Room 2 and adds a room. Room 3 is not in it."""
    telnyx.seed(3)
    path = tmp_path / "rooms.csv"
    path.write_text("unique_name,max_participants,enable_recording\nRoom 1,10,\nRoom 2,5,true\nNew,,\n")
    return str(path)


def rooms(telnyx: Emulator) -> dict[str | None, tuple[int | None, bool | None]]:
    return {room.unique_name: (room.max_participants, room.enable_recording) for room in telnyx.rooms}


def writes(telnyx: Emulator) -> list[str]:
    """Return the methods of the requests that change something."""
    return sorted(request.method for request in telnyx.requests if request.method != "GET")


def test_plan_is_shown_and_carried_out(run: Run, telnyx: Emulator, table: str) -> None:
    result = run("rooms", "apply", table, "--yes")
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
    again = run("rooms", "apply", table, "--yes")
    assert (again.exit_code, again.stdout) == (0, "0 to create, 0 to update, 0 to delete, 3 unchanged\n")
    assert writes(telnyx) == []


def test_every_change_is_one_request(run: Run, telnyx: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "rooms.csv"
    path.write_text("unique_name\n" + "".join(f"Ward {number}\n" for number in range(100)))
    assert run("rooms", "apply", str(path), "--yes").exit_code == 0
    assert sorted(request.method for request in telnyx.requests) == ["GET"] + ["POST"] * 100


def test_prune_deletes_rooms_that_are_not_in_the_table(
    objects: Objects, telnyx: Emulator, table: str
) -> None:
    counts = {"created": 1, "updated": 1, "deleted": 1, "unchanged": 1, "failed": 0}
    assert objects("rooms", "apply", table, "--prune", "--yes") == [counts]
    assert sorted(map(str, rooms(telnyx))) == ["New", "Room 1", "Room 2"]
    unchanged = {"created": 0, "updated": 0, "deleted": 0, "unchanged": 3, "failed": 0}
    assert objects("rooms", "apply", table, "--prune", "--yes") == [unchanged]


@pytest.mark.parametrize("options", [(), ("--max-deletes", "3")])
def test_prune_of_most_rooms_needs_their_number(
    run: Run, telnyx: Emulator, tmp_path: Path, options: tuple[str, ...]
) -> None:
    telnyx.seed(5)
    path = tmp_path / "rooms.csv"
    path.write_text("unique_name\nRoom 1\nNew\n")
    command = ("rooms", "apply", str(path), "--prune", *options)
    dry_run = run(*command, "--dry-run")
    assert dry_run.exit_code == 0
    assert dry_run.stderr.startswith("would be refused: the plan deletes 4 of 5 rooms")
    result = run(*command, "--yes")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: the plan deletes 4 of 5 rooms")
    assert writes(telnyx) == []
    assert run(*command, "--yes", "--max-deletes", "4").exit_code == 0
    assert sorted(map(str, rooms(telnyx))) == ["New", "Room 1"]


def test_dry_run_shows_the_plan(run: Run, objects: Objects, telnyx: Emulator, table: str) -> None:
    shown = run("rooms", "apply", table, "--prune", "--dry-run").stdout
    assert shown.endswith("1 to create, 1 to update, 1 to delete, 1 unchanged\n")
    changes = objects("rooms", "apply", table, "--prune", "--dry-run")
    assert [(change["action"], change["unique_name"]) for change in changes] == [
        ("create", "New"),
        ("update", "Room 2"),
        ("delete", "Room 3"),
    ]
    assert writes(telnyx) == []


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
def test_export_restores_rooms(run: Run, telnyx: Emulator, table: str, tmp_path: Path, kind: str) -> None:
    before, backup = rooms(telnyx), str(tmp_path / f"backup.{kind}")
    run("rooms", "export", backup)
    run("rooms", "apply", table, "--prune", "--yes")
    assert rooms(telnyx) != before
    assert run("rooms", "apply", backup, "--prune", "--yes").exit_code == 0
    assert rooms(telnyx) == before


def test_null_clears_a_setting(run: Run, telnyx: Emulator, tmp_path: Path) -> None:
    run("rooms", "create", "--unique-name", "A", "--webhook-timeout-secs", "5")
    path = tmp_path / "rooms.csv"
    for cell, seconds in (("", 5), ("null", None)):
        path.write_text(f"unique_name,webhook_timeout_secs\nA,{cell}\n")
        assert run("rooms", "apply", str(path), "--yes").exit_code == 0
        assert telnyx.rooms[0].webhook_timeout_secs == seconds


# --- terminals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("typed", "changes"), [(b"y\n", 2), (b"n\n", 0)])
def test_plan_is_confirmed_at_a_terminal(
    at_terminal: Terminal, telnyx: Emulator, table: str, typed: bytes, changes: int
) -> None:
    shown = at_terminal("rooms", "apply", table, typed=typed, columns=200)
    assert "0 to delete, 1 unchanged\nmake 2 changes? [y/N]: " in shown
    assert shown.endswith("created 1, updated 1\n" if changes else "nothing was changed\n")
    assert len(writes(telnyx)) == changes


def test_plan_is_also_shown_with_json(at_terminal: Terminal, telnyx: Emulator, table: str) -> None:
    shown = at_terminal("rooms", "apply", table, "--json", typed=b"y\n", columns=200)
    assert "max_participants: 10 -> 5" in shown
    assert "0 to delete, 1 unchanged\nmake 2 changes? [y/N]: " in shown
    assert shown.endswith('{"created":1,"updated":1,"deleted":0,"unchanged":1,"failed":0}\n')
    assert len(writes(telnyx)) == 2


def test_run_that_cannot_succeed_is_refused_before_the_question(
    at_terminal: Terminal, telnyx: Emulator, table: str, tmp_path: Path
) -> None:
    missing = str(tmp_path / "missing" / "errors.csv")
    shown = at_terminal("rooms", "apply", table, "--errors", missing, columns=200)
    assert shown.endswith(f"error: cannot write {missing}: No such file or directory\n")
    assert telnyx.requests == []
    telnyx.seed(5)
    shown += at_terminal("rooms", "apply", table, "--prune", typed=b"y\n", columns=200)
    assert "nothing was changed; --max-deletes 6 allows it" in shown
    assert "[y/N]" not in shown
    assert writes(telnyx) == []


@pytest.mark.parametrize("before", ["unique_name,max_participants,enable_recording,{}\nA,,,,,,422\n", None])
def test_failures_of_an_earlier_run_are_removed_only_after_confirmation(
    at_terminal: Terminal, table: str, tmp_path: Path, before: str | None
) -> None:
    errors = tmp_path / "errors.csv"
    if before:
        before = before.format("webhook_event_url,webhook_event_failover_url,webhook_timeout_secs,error")
        errors.write_text(before)
    for typed, after in ((b"n\n", before), (b"y\n", None)):
        at_terminal("rooms", "apply", table, "--errors", str(errors), typed=typed)
        assert (errors.read_text() if errors.exists() else None) == after


# --- failures -----------------------------------------------------------------------------------------------


def test_failed_changes_are_written_and_can_be_repeated(
    run: Run, telnyx: Emulator, table: str, tmp_path: Path
) -> None:
    telnyx.inject(Fault(status=422), operation="UpdateRoom")
    telnyx.inject(Fault(status=409), operation="DeleteRoom")
    errors = tmp_path / "errors.csv"
    command = ["rooms", "apply", table, "--prune", "--yes"]
    result = run(*command, "--errors", str(errors))
    assert result.exit_code == 1
    assert result.stdout.endswith("\ncreated 1, 2 failed\n")
    assert "error: update 'Room 2': 422 " in result.stderr
    assert "error: delete 'Room 3': 409 " in result.stderr
    header, row = errors.read_text().splitlines()
    assert header.startswith("unique_name,max_participants,enable_recording,")
    assert row.startswith('Room 2,5,true,,,,"422 ')
    assert run(*command).stdout.endswith("\nupdated 1, deleted 1\n")


def test_failures_in_parquet_are_the_rows_of_the_table(run: Run, telnyx: Emulator, tmp_path: Path) -> None:
    table, errors = str(tmp_path / "in.parquet"), str(tmp_path / "errors.parquet")
    url = ("--webhook-event-failover-url", "https://example.com")
    run("rooms", "create", "--unique-name", "A", "--webhook-timeout-secs", "5", *url)
    before = telnyx.rooms[0]
    rows = [
        {"unique_name": "A", "max_participants": 7, "webhook_timeout_secs": 5},
        {"unique_name": "B", "max_participants": 8, "webhook_timeout_secs": None},
    ]
    pq.write_table(pa.Table.from_pylist(rows), table)
    telnyx.inject(Fault(status=422), operation="UpdateRoom")
    telnyx.inject(Fault(status=422), operation="CreateRoom")
    result = run("rooms", "apply", table, "--yes", "--errors", errors)
    assert result.stdout.endswith("\n2 failed\n")
    failed = pq.read_table(errors).drop(["error"]).sort_by("unique_name")
    assert failed.to_pylist() == rows
    telnyx.requests.clear()
    assert run("rooms", "apply", errors, "--yes").exit_code == 0
    sent = [request.json for request in telnyx.requests if request.method != "GET"]
    assert sorted(sent, key=len) == [{"max_participants": 7}, rows[1]]
    assert telnyx.rooms[0] == evolve(before, max_participants=7, updated_at=telnyx.rooms[0].updated_at)


def test_ctrl_c_prints_what_was_done(start: Start, telnyx: Emulator, table: str) -> None:
    telnyx.inject(Fault(delay=inf), operation="UpdateRoom")
    process = start("rooms", "apply", table, "--yes", "--concurrency", "1", program=INTERRUPTIBLE)
    wait_until(lambda: "PATCH" in writes(telnyx))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    message = "stopped: created 1; run the same command again to continue\n"
    assert (process.returncode, err) == (130, message)


def test_plan_that_fails_is_one_line(run: Run, telnyx: Emulator, table: str) -> None:
    telnyx.inject(Fault(status=403), times=None, operation="ListRooms")
    result = run("rooms", "apply", table, "--yes")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith("error: 403 ")
    assert writes(telnyx) == []
