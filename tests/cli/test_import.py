"""``rooms import``: a room for each row, validated before anything is sent."""

import csv
import json
import os
import signal
from collections.abc import Iterator
from math import inf
from pathlib import Path
from threading import Thread
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it has no types
import pytest
from attrs import evolve
from typer.testing import CliRunner

from telnyx_rooms_async import Room, RoomFields
from telnyx_rooms_async.cli import app
from telnyx_rooms_async.cli.tables import FAILURE_COLUMNS
from telnyx_rooms_async.cli.tables.formats import csv_header
from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.command_line import Objects, Run, Shell, Start, Terminal
from tests.helpers.processes import INTERRUPTIBLE, count_creates, wait_until

FORMATS = ["csv", "ndjson", "parquet"]
FAILURES_BEFORE = csv_header(FAILURE_COLUMNS) + b"A,5,,,,,422\n"
"""A table of failures of an earlier run."""


def write_table(path: Path, rows: list[dict[str, Any]], kind: str) -> Path:
    """Write a table in any format."""
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif kind == "ndjson":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        with path.open("w") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return path


def numbered(path: Path, count: int) -> str:
    """Write a table with a number of rooms."""
    path.write_text("unique_name\n" + "".join(f"Room {number}\n" for number in range(1, count + 1)))
    return str(path)


@pytest.fixture
def sent_nothing(run: Run, telnyx: Emulator) -> Iterator[Run]:
    """Run commands that must not send anything."""
    yield run
    assert telnyx.requests == []


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Three rooms."""
    path = tmp_path / "rooms.csv"
    path.write_text("unique_name,max_participants\nA,5\nRoom 1,6\nB,\n")
    return path


# --- sources ------------------------------------------------------------------------------------------------

ROOMS: list[RoomFields] = [
    {},
    {"unique_name": 'a,"b"', "max_participants": 2, "enable_recording": True},
    {"unique_name": "two\nlines\r\nand\rmore", "webhook_event_url": "https://example.com/a?b=c,d"},
    {"unique_name": "=HYPERLINK(1)", "webhook_timeout_secs": 0},
    {"unique_name": "'=1", "webhook_event_failover_url": "https://example.com"},
    {"unique_name": "ünï 漢 🎉 \u202e", "webhook_event_failover_url": None},
    {"unique_name": "null", "webhook_event_failover_url": ""},
    {"unique_name": "\uff1d1+1", "webhook_timeout_secs": 30},
    {"unique_name": "007"},
]


@pytest.mark.parametrize("kind", FORMATS)
def test_export_can_be_imported(run: Run, telnyx: Emulator, tmp_path: Path, kind: str) -> None:
    def settings() -> list[Room]:
        return sorted(
            (evolve(room, id="", created_at=None, updated_at=None) for room in telnyx.rooms), key=repr
        )

    for body in ROOMS:
        telnyx.create_room(**body)
    before = settings()
    path = str(tmp_path / f"rooms.{kind}")
    assert run("rooms", "export", path).exit_code == 0
    assert run("rooms", "delete", "--all", "--everything", "--yes", "--expect", "9").exit_code == 0
    result = run("rooms", "import", path)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "created 9 of 9 rooms\n", "")
    assert settings() == before


def test_json_of_a_list_can_be_imported(run: Run, telnyx: Emulator, tmp_path: Path) -> None:
    telnyx.seed(3)
    (tmp_path / "rooms.jsonl").write_text(run("rooms", "list", "--json").stdout)
    run("rooms", "delete", "--all", "--everything", "--yes")
    assert run("rooms", "import", str(tmp_path / "rooms.jsonl")).exit_code == 0
    assert sorted(room.unique_name or "" for room in telnyx.rooms) == ["Room 1", "Room 2", "Room 3"]


@pytest.mark.parametrize("kind", FORMATS)
def test_table_is_read_from_stdin(run: Run, telnyx: Emulator, tmp_path: Path, kind: str) -> None:
    rows = [{"unique_name": f"Room {number}"} for number in range(5)]
    data = write_table(tmp_path / "rooms", rows, kind).read_bytes()
    command = ["rooms", "import", "-", "--format", kind]
    result = run(*command, stdin=data)
    assert (result.exit_code, result.stdout) == (0, "created 5 of 5 rooms\n")
    result = run(*command, stdin=data[: len(data) // 2] + b"\xff")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: stdin")
    assert count_creates(telnyx) == 5


def test_beginning_of_stdin_that_was_read_before_is_not_part_of_the_table(
    shell: Shell, telnyx: Emulator, tmp_path: Path
) -> None:
    path = tmp_path / "rooms.csv"
    path.write_text("# skipped\nunique_name\nA\nB\n")
    result = shell(f"{{ read -r skipped; exec $program rooms import - --format csv; }} < '{path}'")
    assert (result.stdout, result.stderr) == ("created 2 of 2 rooms\n", "")
    assert sorted(room.unique_name or "" for room in telnyx.rooms) == ["A", "B"]


def test_table_is_read_from_a_named_pipe(run: Run, tmp_path: Path) -> None:
    pipe = tmp_path / "rooms.csv"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_text, args=["unique_name\nA\nB\n"])
    writer.start()
    assert run("rooms", "import", str(pipe)).output == "created 2 of 2 rooms\n"
    writer.join()


def test_delimiter_option(run: Run, telnyx: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "rooms.csv"
    path.write_text("unique_name|max_participants\nA|5\n")
    options = (str(path), "--delimiter", "|")
    assert run("rooms", "import", *options).exit_code == 0
    assert [(room.unique_name, room.max_participants) for room in telnyx.rooms] == [("A", 5)]
    assert "1 unchanged" in run("rooms", "apply", "--yes", *options).stdout


# --- validation ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("a.csv", b"", " is empty: its first line must name the columns"),
        ("a.csv", b"unique_name\n", " is empty: it has no rows"),
        ("a.parquet", b"", " is not Parquet: "),
        (
            "a.csv",
            b"unique_name,max_participants\nA,99\n",
            ", line 2, column max_participants: must be an int",
        ),
        ("a.ndjson", b'{"unique_name":"A"}\n{"unique_name', ", line 2: is not JSON: "),
    ],
)
@pytest.mark.parametrize("command", ["import", "import --dry-run", "apply --yes", "apply --dry-run"])
def test_invalid_table_is_one_line_and_nothing_is_sent(  # noqa: PLR0917 - the case, and where it runs
    sent_nothing: Run, tmp_path: Path, name: str, data: bytes, problem: str, command: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    result = sent_nothing("rooms", *command.split(), str(path), "--errors", str(tmp_path / "errors"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {path}{problem}")
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("command", [("import", "--journal", "journal"), ("apply", "--yes")])
def test_every_room_needs_a_name_in_a_journal_and_a_plan(
    sent_nothing: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rooms.csv").write_text("unique_name,max_participants\nA,5\n,6\n")
    result = sent_nothing("rooms", *command, "rooms.csv")
    message = "error: rooms.csv, line 3, column unique_name: is missing: every room needs a name here\n"
    assert (result.exit_code, result.stderr) == (2, message)
    assert not Path("journal").exists()


def test_integral_floats_of_parquet_are_integers(run: Run, telnyx: Emulator, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"unique_name": "A", "max_participants": 5.0},
        {"unique_name": "B", "max_participants": None},
        {"unique_name": None, "max_participants": None},
    ]
    path = write_table(tmp_path / "rooms.parquet", rows, "parquet")
    assert run("rooms", "import", str(path)).exit_code == 0
    assert [room.max_participants for room in telnyx.rooms] == [5, 10]
    write_table(path, [*rows, {"unique_name": "A", "max_participants": 5.5}], "parquet")
    problem = "row 4, column max_participants: must be an int from 2 to 50, not 5.5"
    assert run("rooms", "import", str(path)).stderr == f"error: {path}, {problem}\n"
    write_table(path, [*rows, rows[0]], "parquet")
    problem = "row 4, column unique_name: 'A' is already in row 1; names must be unique"
    assert run("rooms", "import", str(path)).stderr == f"error: {path}, {problem}\n"
    write_table(path, rows[2:], "parquet")
    assert run("rooms", "import", str(path)).stderr == f"error: {path} is empty: it has no rows\n"
    write_table(path, [{"id": "x"}], "parquet")
    problem = "row 1: column unique_name is missing"
    assert run("rooms", "import", str(path)).stderr == f"error: {path}, {problem}\n"
    assert count_creates(telnyx) == 2


def test_damaged_parquet_is_one_line(sent_nothing: Run, tmp_path: Path) -> None:
    rows = [{"unique_name": f"Room {number}"} for number in range(1000)]
    path = write_table(tmp_path / "rooms.parquet", rows, "parquet")
    data = path.read_bytes()
    path.write_bytes(data[:4] + b"\xff" * 100 + data[104:])  # the first page
    result = sent_nothing("rooms", "import", str(path))
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert result.stderr.startswith(f"error: {path} is not Parquet: ")


@pytest.mark.parametrize(
    ("name", "reason"), [("missing.csv", "No such file or directory"), (".", "Is a directory")]
)
def test_file_that_cannot_be_read(sent_nothing: Run, tmp_path: Path, name: str, reason: str) -> None:
    path = str(tmp_path / name)
    result = sent_nothing("rooms", "import", path, "--format", "csv")
    assert (result.exit_code, result.stderr) == (1, f"error: cannot read {path}: {reason}\n")


def test_dry_run_needs_neither_key_nor_network(sent_nothing: Run, table: Path) -> None:
    result = CliRunner().invoke(app, ["rooms", "import", str(table), "--dry-run"])
    assert (result.exit_code, result.stdout) == (0, f"{table} would create 3 rooms; nothing was sent\n")
    assert sent_nothing("rooms", "import", str(table), "--dry-run", "--json").stdout == '{"rooms":3}\n'


# --- invalid rows -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("command", [("import",), ("import", "--journal"), ("apply", "--yes")])
def test_skipped_rows_are_written_with_their_reasons(
    run: Run, telnyx: Emulator, tmp_path: Path, kind: str, command: tuple[str, ...]
) -> None:
    path, errors = tmp_path / f"in.{kind}", tmp_path / f"errors.{kind}"
    rows: list[dict[str, Any]] = [
        {"unique_name": "A", "max_participants": 5.0},
        {"unique_name": "B", "max_participants": 99.0},
        {"unique_name": "A", "max_participants": 6.0},
        {"unique_name": "C", "max_participants": 5.5},
        {"unique_name": "D", "max_participants": None},
    ]
    write_table(path, rows, kind)
    if kind != "parquet":
        path.write_text(path.read_text() + ("not JSON\n" if kind == "ndjson" else "x,y,z\n"))
    options = [*command, str(tmp_path / "journal")] if command[-1] == "--journal" else list(command)
    assert run("rooms", *options, str(path)).exit_code == 2
    assert telnyx.requests == []
    result = run("rooms", *options, str(path), "--skip-invalid", "--errors", str(errors))
    assert result.exit_code == 0
    assert result.stderr.count("error: ") == (3 if kind == "parquet" else 4)
    assert "skipped" in result.stderr
    assert sorted(room.unique_name or "" for room in telnyx.rooms) == ["A", "D"]
    if kind == "parquet":
        skipped = pq.read_table(errors).to_pylist()
    elif kind == "ndjson":
        skipped = [json.loads(line) for line in errors.read_text().splitlines()]
        assert skipped.pop()["error"].endswith(": not JSON")
    else:
        *skipped, last = csv.DictReader(errors.read_text().splitlines())
        assert last["error"].endswith("has 3 cells, but the header has 2: 'x,y,z'")
        assert last["unique_name"] == ""
    assert [(row["unique_name"], float(row["max_participants"])) for row in skipped] == [
        ("B", 99),
        ("A", 6),
        ("C", 5.5),
    ]
    assert "must be an int from 2 to 50, not 99" in skipped[0]["error"]
    assert "'A' is already in" in skipped[1]["error"]
    refused = run("rooms", "import", str(errors))
    assert (refused.exit_code, len(telnyx.rooms)) == (2, 2)


def test_skip_invalid_writes_nothing_without_a_valid_row_or_in_a_dry_run(
    sent_nothing: Run, tmp_path: Path
) -> None:
    path, errors = tmp_path / "rooms.csv", tmp_path / "errors.csv"
    command = ("rooms", "import", str(path), "--skip-invalid", "--errors", str(errors))
    path.write_text("unique_name,max_participants\nA,99\n")
    assert sent_nothing(*command).exit_code == 2
    path.write_text("unique_name,max_participants\nA,99\nB,5\n")
    result = sent_nothing(*command, "--dry-run")
    assert result.stdout == f"{path} would create 1 room; nothing was sent\n"
    assert result.stderr.endswith("not 99\n1 line skipped\n")
    assert not errors.exists()


# --- failures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FORMATS)
def test_failed_rows_are_written_as_a_table_that_can_be_imported(
    run: Run, telnyx: Emulator, tmp_path: Path, kind: str
) -> None:
    telnyx.seed(1)
    errors, link = tmp_path / f"errors.{kind}", tmp_path / "link"
    link.symlink_to(errors)
    rows = [
        {"unique_name": "A", "max_participants": 5},
        {"unique_name": "Room 1", "max_participants": 6},
        {"unique_name": "B", "max_participants": 7},
    ]
    path = write_table(tmp_path / f"in.{kind}", rows, kind)
    result = run("rooms", "import", str(path), "--errors", str(link))
    assert (result.exit_code, result.stdout) == (1, "created 2 of 3 rooms, 1 failed\n")
    taken = "422 Unprocessable Entity: unique_name has already been taken"
    assert result.stderr.startswith(f"error: 'Room 1': {taken}")
    assert result.stderr.endswith(
        f"\n`rooms apply {path}` creates the missing rooms\nfailed rows are in {link}\n"
    )
    if kind == "parquet":
        (failed,) = pq.read_table(errors).to_pylist()
    elif kind == "ndjson":
        failed = json.loads(errors.read_text())
    else:
        (failed,) = csv.DictReader(errors.read_text().splitlines())
    assert (failed["unique_name"], int(failed["max_participants"])) == ("Room 1", 6)
    assert failed["error"].startswith(taken)
    # The next run replaces the failures, and removes the file when nothing has failed.
    telnyx.inject(Fault(status=422), times=2, operation="CreateRoom")
    run("rooms", "delete", "--all", "--everything", "--yes")
    assert run("rooms", "import", str(path), "--errors", str(link)).exit_code == 1
    assert run("rooms", "import", str(errors)).exit_code == 0
    run("rooms", "delete", "--all", "--everything", "--yes")
    assert run("rooms", "import", str(path), "--errors", str(link)).exit_code == 0
    assert not errors.exists()
    assert link.is_symlink()


FOREIGN = {
    "text": "name,phone\nAda,1\n",
    "a table": "unique_name,error\nA,422\n",
    "a log": '{"error":"boom"}\n{"error":"bang"}\n',
    "another log": '{"unique_name":"A","error":"boom","at":1}\n',
    "damaged Parquet": "PAR1",
}


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("link", ["", "symbolic", "hard"])
def test_file_that_is_not_a_table_of_failures_is_kept(
    sent_nothing: Run, table: Path, tmp_path: Path, foreign: str, link: str
) -> None:
    file, errors = tmp_path / "customers.csv", tmp_path / ("errors.csv" if link else "customers.csv")
    file.write_text(foreign)
    if link:
        (errors.symlink_to if link == "symbolic" else errors.hardlink_to)(file)
    result = sent_nothing("rooms", "import", str(table), "--errors", str(errors))
    assert (result.exit_code, result.stdout) == (1, "")
    reason = "it exists and is not a table of failures of an earlier run; remove it or use another path"
    assert result.stderr == f"error: cannot write {errors}: {reason}\n"
    assert file.read_text() == foreign
    assert errors.is_symlink() == (link == "symbolic")


def test_empty_file_for_failures_is_kept(run: Run, table: Path, tmp_path: Path) -> None:
    errors = tmp_path / "errors.csv"
    errors.touch()  # as mktemp does
    assert run("rooms", "import", str(table), "--errors", str(errors)).exit_code == 0
    assert errors.read_bytes() == b""


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_failures_do_not_overwrite_the_table(
    sent_nothing: Run, table: Path, tmp_path: Path, link: str
) -> None:
    table.write_bytes(FAILURES_BEFORE)
    errors = tmp_path / "errors.csv"
    getattr(errors, link)(table)
    result = sent_nothing("rooms", "import", str(table), "--errors", str(errors))
    assert result.exit_code == 2
    assert "would overwrite another file of this command" in result.stderr
    assert table.read_bytes() == FAILURES_BEFORE


@pytest.mark.parametrize("redirection", ["<", ">>"])
def test_failures_do_not_overwrite_a_redirected_stream(
    shell: Shell, telnyx: Emulator, table: Path, redirection: str
) -> None:
    file = table.with_name("stream.csv")
    file.write_bytes(FAILURES_BEFORE)
    source = "- --format csv" if redirection == "<" else f"'{table}'"
    result = shell(f"exec $program rooms import {source} --errors '{file}' {redirection} '{file}'")
    assert result.returncode == 2
    assert "would overwrite another file of this command" in result.stderr
    assert file.read_bytes() == FAILURES_BEFORE
    assert telnyx.requests == []


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_failures_that_cannot_be_written(run: Run, telnyx: Emulator, tmp_path: Path, kind: str) -> None:
    telnyx.seed(1)
    path = write_table(tmp_path / f"in.{kind}", [{"unique_name": "Room 1"}], kind)
    missing = str(tmp_path / "missing" / "errors.csv")
    result = run("rooms", "import", str(path), "--errors", missing)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"error: cannot write {missing}: No such file or directory\n"
    assert telnyx.requests == []
    result = run("rooms", "import", str(path), "--errors", "/dev/full")
    assert result.exit_code == 1
    assert result.stderr.count("error: cannot write /dev/full: No space left on device\n") == 1
    assert "failed rows are in" not in result.stderr
    assert Path("/dev/full").exists()


def test_counts_in_json(objects: Objects, table: Path) -> None:
    assert objects("rooms", "import", str(table)) == [{"rooms": 3, "created": 3, "skipped": 0, "failed": 0}]


def test_only_the_first_failures_are_printed(run: Run, telnyx: Emulator, tmp_path: Path) -> None:
    telnyx.seed(30)
    result = run("rooms", "import", numbered(tmp_path / "rooms.csv", 30))
    assert (result.exit_code, result.stdout) == (1, "created 0 of 30 rooms, 30 failed\n")
    assert result.stderr.count("error: ") == 10
    assert "more failures are counted, but not printed" in result.stderr


def test_import_stops_after_max_failures(run: Run, telnyx: Emulator, table: Path) -> None:
    telnyx.inject(Fault(status=422), times=None, operation="CreateRoom")
    result = run("rooms", "import", str(table), "--max-failures", "2", "--concurrency", "1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "error: stopped after 2 failures\n" in result.stderr
    assert "stopped: created 0 of 3 rooms, 2 failed; `rooms apply" in result.stderr
    assert count_creates(telnyx) == 2


@pytest.mark.parametrize(
    ("file", "rows", "advice"),
    [
        ("in.csv", "A\nB\nC\n", "; `rooms apply in.csv` creates the missing rooms"),
        ("in 2.csv", "A\nB\nC\n", "; `rooms apply 'in 2.csv'` creates the missing rooms"),
        ("in.csv", "A,\nB,\n,5\n", ""),
        ("-", "A\nB\nC\n", ""),
    ],
    ids=["file", "quoted file", "room without a name", "stdin"],
)
def test_refused_key_stops_the_import_with_advice(  # noqa: PLR0917 - the case, and where it runs
    run: Run,
    telnyx: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    rows: str,
    advice: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    data = f"unique_name{',max_participants' * (',' in rows)}\n{rows}"
    if file != "-":
        Path(file).write_text(data)
    telnyx.inject(Fault(), times=2, operation="CreateRoom")
    telnyx.inject(Fault(status=401), operation="CreateRoom")
    options = ["--format", "csv", "--concurrency", "1", "--errors", "errors.csv"]
    result = run("rooms", "import", file, *options, stdin=data)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines()[1:] == [f"stopped: created 2 of 3 rooms{advice}"]
    assert not Path("errors.csv").exists()


# --- progress and interruptions -----------------------------------------------------------------------------


def test_bar_at_a_terminal(at_terminal: Terminal, telnyx: Emulator, tmp_path: Path) -> None:
    telnyx.inject(Fault(status=429, retry_after=0), times=3, operation="CreateRoom")
    telnyx.inject(Fault(status=422), operation="CreateRoom")
    shown = at_terminal("rooms", "import", numbered(tmp_path / "rooms.csv", 300))
    assert "300/300" in shown
    assert "1 failed, 3 waits" in shown
    assert "attempt" not in shown
    assert "created 299 of 300 rooms, 1 failed\n" in shown


def test_ctrl_c_keeps_the_failures_and_prints_what_was_done(
    start: Start, telnyx: Emulator, tmp_path: Path
) -> None:
    telnyx.inject(Fault(status=422), operation="CreateRoom")
    telnyx.inject(Fault(), times=4, operation="CreateRoom")
    telnyx.inject(Fault(delay=inf), times=None, operation="CreateRoom")
    path, errors = numbered(tmp_path / "rooms.csv", 100), tmp_path / "errors.csv"
    command = ("rooms", "import", path, "--errors", str(errors), "--concurrency", "1")
    process = start(*command, program=INTERRUPTIBLE)
    wait_until(lambda: count_creates(telnyx) >= 6)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-2:] == [
        f"stopped: created 4 of 100 rooms, 1 failed; `rooms apply {path}` creates the missing rooms",
        f"failed rows are in {errors}",
    ]
    assert errors.read_text().count("\n") == 2
