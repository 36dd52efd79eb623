"""``rooms import``: a room for each row, checked before anything is sent."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from math import inf
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from attrs import evolve
from typer.testing import CliRunner, Result

from telnyx_rooms_async import Room
from telnyx_rooms_async.cli import app
from telnyx_rooms_async.cli.tables.csv_format import csv_header
from telnyx_rooms_async.cli.tables.rows import FAILURE_COLUMNS
from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.processes import INTERRUPTIBLE, count_creates

Run = Callable[..., Result]
Objects = Callable[..., list[Any]]
Terminal = Callable[..., str]
Start = Callable[..., subprocess.Popen[str]]

FORMATS = ["csv", "ndjson", "parquet"]


def settings(telnyx: Emulator) -> list[Room]:
    """Return the rooms without what is new in each life."""
    return sorted(
        (evolve(room, id="", created_at=None, updated_at=None) for room in telnyx.rooms),
        key=lambda room: (room.unique_name or "", repr(room)),
    )


def numbered(line: bytes, count: int) -> bytes:
    """Make a line for each number."""
    return b"".join(line % number for number in range(count))


@pytest.fixture
def sent_nothing(run: Run, telnyx: Emulator) -> Iterator[Run]:
    """Run commands, and see to it that nothing came of them."""
    yield run
    assert telnyx.requests == []


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Three rooms, two of which are new."""
    path = tmp_path / "rooms.csv"
    path.write_text("unique_name,max_participants\nA,5\nRoom 1,6\nB,\n")
    return path


# --- there and back -----------------------------------------------------------------------------------------

BODIES: list[dict[str, object]] = [
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
def test_there_and_back(run: Run, telnyx: Emulator, tmp_path: Path, kind: str) -> None:
    """Exported, deleted and imported, the rooms are the same but for ids and instants."""
    for body in BODIES:
        telnyx._state.create_room(dict(body))
    before = settings(telnyx)
    path = str(tmp_path / f"rooms.{kind}")
    assert run("rooms", "export", path).exit_code == 0
    assert run("rooms", "delete", "--all", "--everything", "--yes", "--expect", "9").exit_code == 0
    assert telnyx.rooms == ()
    result = run("rooms", "import", path)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "created 9 of 9 rooms\n", "")
    assert settings(telnyx) == before


def test_a_list_in_json_is_a_table(run: Run, telnyx: Emulator, tmp_path: Path) -> None:
    """What list --json prints can be imported."""
    telnyx.seed(3)
    (tmp_path / "rooms.jsonl").write_text(run("rooms", "list", "--json").stdout)
    run("rooms", "delete", "--all", "--everything", "--yes")
    assert run("rooms", "import", str(tmp_path / "rooms.jsonl")).exit_code == 0
    assert [room.unique_name for room in telnyx.rooms] == ["Room 1", "Room 2", "Room 3"]


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
def test_from_stdin(account: dict[str, str], telnyx: Emulator, tmp_path: Path, kind: str) -> None:
    """With - the table comes from stdin, and is checked whole before anything is sent."""
    rows = [{"unique_name": f"Room {number}"} for number in range(5)]
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rooms")
        data = (tmp_path / "rooms").read_bytes()
    else:
        lines = [json.dumps(row) if kind == "ndjson" else row["unique_name"] for row in rows]
        data = "\n".join(["unique_name", *lines] if kind == "csv" else lines).encode()
    command = ["rooms", "import", "-", "--format", kind]
    result = CliRunner().invoke(app, command, env=account, input=data)
    assert (result.exit_code, result.stdout) == (0, "created 5 of 5 rooms\n")
    assert len(telnyx.rooms) == 5
    result = CliRunner().invoke(app, command, env=account, input=data[: len(data) // 2] + b"\xff")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: stdin")
    assert count_creates(telnyx) == 5


@pytest.mark.parametrize("kind", FORMATS)
def test_from_the_rest_of_stdin(
    environment: dict[str, str], telnyx: Emulator, tmp_path: Path, kind: str
) -> None:
    """What another one has read of stdin is no part of the table."""
    rows, path = [{"unique_name": "A"}, {"unique_name": "B"}], tmp_path / "rooms"
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
        data = path.read_bytes()
    else:
        data = b"unique_name\nA\nB\n" if kind == "csv" else "\n".join(map(json.dumps, rows)).encode()
    path.write_bytes(b"# skipped\n" + data)
    program = f"'{sys.executable}' -m telnyx_rooms_async"
    line = f"{{ read -r skipped; exec {program} rooms import - --format {kind}; }} < '{path}'"
    result = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == ("created 2 of 2 rooms\n", "")
    assert sorted(room.unique_name or "" for room in telnyx.rooms) == ["A", "B"]


def test_from_a_named_pipe(start: Start, telnyx: Emulator, tmp_path: Path) -> None:
    """What can be read only once is read once."""
    pipe = tmp_path / "rooms.csv"
    os.mkfifo(pipe)
    process = start("rooms", "import", str(pipe))
    pipe.write_text("unique_name\nA\nB\n")
    assert process.communicate() == ("created 2 of 2 rooms\n", "")


# --- what is wrong is told before anything is sent ----------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.csv", b"", " is empty: its first line must name the columns"),
        ("a.ndjson", b"", " is empty: it has no rows"),
        ("a.parquet", b"", " is not Parquet: "),
        ("a.parquet", b"unique_name\nA\n", " is not Parquet: "),
        ("a.csv", b"max_participants\n5\n", ", line 1: column unique_name is missing"),
        ("a.csv", b"unique_name,colour\nA,red\n", ", line 1, column 'colour': is not a room setting"),
        (
            "a.csv",
            b"unique_name,max_participants\n" + numbered(b"Room %d,5\n", 810) + b"A,99\n",
            ", line 812, column max_participants: must be an int from 2 to 50, not 99",
        ),
        (
            "a.ndjson",
            numbered(b'{"unique_name":"%d"}\n', 811) + b'{"max_participants":"x"}\n',
            ", line 812, column max_participants: must be an int from 2 to 50, not 'x'",
        ),
        ("a.ndjson", b'{"unique_name":"A"}\n{"unique_name', ", line 2: is not JSON: "),
        ("a.csv", b"unique_name\nA\n\xe4\n", ", line 3: is not UTF-8: byte 1 of the line is 0xe4"),
        (
            "a.csv",
            b"unique_name\nA\nB\nA\n",
            ", line 4, column unique_name: 'A' is already in line 2; names must be unique",
        ),
    ],
)
def test_a_table_that_is_wrong(sent_nothing: Run, tmp_path: Path, name: str, data: bytes, said: str) -> None:
    """A table that is wrong is one line with its file, line and column, and nothing is sent."""
    path = tmp_path / name
    path.write_bytes(data)
    commands = [["import"], ["import", "--dry-run"], ["import", "--errors", str(tmp_path / "errors")]]
    for command in [*commands, ["apply", "--yes"], ["apply", "--dry-run"]]:
        result = sent_nothing("rooms", *command, str(path))
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(f"error: {path}{said}")
        assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_parquet_table_that_is_wrong(run: Run, telnyx: Emulator, tmp_path: Path) -> None:
    """A wrong value in Parquet is told with its row; a number that gaps have made broken is none."""
    path = tmp_path / "rooms.parquet"
    rows = [{"unique_name": "A", "max_participants": 5.0}, {"unique_name": "B", "max_participants": None}]
    pq.write_table(pa.Table.from_pylist(rows), path)
    assert run("rooms", "import", str(path)).exit_code == 0
    pq.write_table(pa.Table.from_pylist([*rows, {"unique_name": "C", "max_participants": 5.5}]), path)
    result = run("rooms", "import", str(path))
    assert result.stderr == (
        f"error: {path}, row 3, column max_participants: must be an int from 2 to 50, not 5.5\n"
    )
    assert count_creates(telnyx) == 2


def test_a_parquet_table_that_is_damaged(run: Run, telnyx: Emulator, tmp_path: Path) -> None:
    """Damage within Parquet is told like any other, with the name of the file."""
    path = tmp_path / "rooms.parquet"
    pq.write_table(pa.Table.from_pylist([{"unique_name": f"Room {n}"} for n in range(1000)]), path)
    data = path.read_bytes()
    path.write_bytes(data[:4] + b"\xff" * 100 + data[104:])  # the first page; its end tells where all stands
    result = run("rooms", "import", str(path))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {path} is not Parquet: ")
    assert result.stderr.count("\n") == 1
    assert telnyx.requests == []


@pytest.mark.parametrize(
    ("name", "said"), [("nowhere.csv", "No such file or directory"), (".", "Is a directory")]
)
def test_a_file_that_cannot_be_read(run: Run, tmp_path: Path, name: str, said: str) -> None:
    """A file that is not there is an error in one line, which names it."""
    path = str(tmp_path / name)
    result = run("rooms", "import", path, "--format", "csv")
    assert (result.exit_code, result.stderr) == (1, f"error: cannot read {path}: {said}\n")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["-"], "a stream does not show the format"),
        (["-", "--format", "csv", "--journal", "x"], "--journal cannot be used with stdin"),
        (["rooms.csv", "--concurrency", "0"], "--concurrency"),
        (["rooms.csv", "--errors", "rooms.csv"], "would overwrite another file of this command"),
    ],
)
def test_wrong_usage(sent_nothing: Run, table: Path, options: list[str], words: str) -> None:
    """Options that make no sense are the exit code 2, and nothing is sent."""
    result = sent_nothing("rooms", "import", *(str(table) if it == table.name else it for it in options))
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_dry_run(run: Run, telnyx: Emulator, table: Path) -> None:
    """A dry run reads the table, and needs neither key nor network."""
    result = CliRunner().invoke(app, ["rooms", "import", str(table), "--dry-run"])
    assert (result.exit_code, result.stdout) == (0, f"{table} would create 3 rooms; nothing was sent\n")
    assert run("rooms", "import", str(table), "--dry-run", "--json").stdout == '{"rooms":3}\n'
    assert telnyx.requests == []


# --- what fails ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FORMATS)
def test_failures_are_a_table(run: Run, telnyx: Emulator, table: Path, tmp_path: Path, kind: str) -> None:
    """What fails is told and written, with its reason, as a table that can be imported."""
    telnyx.seed(1)
    path, errors = tmp_path / f"in.{kind}", tmp_path / f"errors.{kind}"
    rows = [{"unique_name": "A", "max_participants": 5}, {"unique_name": "Room 1", "max_participants": 6}]
    if kind == "csv":
        path = table
    elif kind == "ndjson":
        path.write_text("\n".join(map(json.dumps, [*rows, {"unique_name": "B"}])))
    else:
        pq.write_table(pa.Table.from_pylist([*rows, {"unique_name": "B"}]), path)
    result = run("rooms", "import", str(path), "--errors", str(errors))
    assert (result.exit_code, result.stdout) == (1, "created 2 of 3 rooms, 1 failed\n")
    taken = "422 Unprocessable Entity: unique_name has already been taken"
    assert result.stderr.startswith(f"error: 'Room 1': {taken}")
    assert result.stderr.endswith(
        f"failed rows are in {errors}; `rooms apply {path}` creates the missing rooms\n"
    )
    if kind == "parquet":
        (failed,) = pq.read_table(errors).to_pylist()
        assert (failed["max_participants"], failed["error"][: len(taken)]) == (6, taken)
    elif kind == "ndjson":
        failed = json.loads(errors.read_text())
        assert failed.pop("error").startswith(taken)
        assert failed == {"unique_name": "Room 1", "max_participants": 6}
    else:
        header, row = errors.read_text().splitlines()
        assert header.endswith(",error")
        assert row.startswith(f'Room 1,6,,,,,"{taken}')
    telnyx._state.delete_room(next(iter(telnyx._state.rooms)))
    assert run("rooms", "import", str(errors)).exit_code == 0
    assert telnyx.rooms[-1].max_participants == 6


def test_failures_in_parquet_clear_nothing(run: Run, telnyx: Emulator, tmp_path: Path) -> None:
    """Run again, what failed in Parquet sends what the first table says, and null for nothing else."""
    path, errors = tmp_path / "in.parquet", tmp_path / "errors.parquet"
    row = {"unique_name": "A", "max_participants": 5, "webhook_timeout_secs": None}
    pq.write_table(pa.Table.from_pylist([row]), path)
    telnyx.script(Fault(status=422), operation="CreateRoom")
    assert run("rooms", "import", str(path), "--errors", str(errors)).exit_code == 1
    assert run("rooms", "import", str(errors)).exit_code == 0
    assert [request.json for request in telnyx.requests] == [row, row]


def test_no_failure_no_file(run: Run, table: Path, tmp_path: Path) -> None:
    """When nothing failed there is no table of failures, not even an old one."""
    errors = tmp_path / "errors.csv"
    errors.write_bytes(csv_header(FAILURE_COLUMNS))
    assert run("rooms", "import", str(table), "--errors", str(errors)).exit_code == 0
    assert not errors.exists()


FOREIGN = {
    "text": "name,phone\nAda,1\n",
    "a table": "unique_name,error\nA,422\n",
    "a log": '{"error":"boom"}\n{"error":"bang"}\n',
    "a log of more": '{"unique_name":"A","error":"boom","at":1}\n',
    "parts of Parquet": "PAR1",
}


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("link", ["", "symbolic", "hard"])
def test_errors_keep_a_file_of_someone_else(
    sent_nothing: Run, table: Path, tmp_path: Path, foreign: str, link: str
) -> None:
    """A file that holds something else is refused before anything is sent, and stays, links included."""
    file, errors = tmp_path / "customers.csv", tmp_path / ("errors.csv" if link else "customers.csv")
    file.write_text(foreign)
    if link:
        (errors.symlink_to if link == "symbolic" else errors.hardlink_to)(file)
    result = sent_nothing("rooms", "import", str(table), "--errors", str(errors))
    assert (result.exit_code, result.stdout) == (1, "")
    said = "it exists and is not a table of failures of an earlier run; remove it or use another path"
    assert result.stderr == f"error: cannot write {errors}: {said}\n"
    assert file.read_text() == foreign
    assert errors.is_symlink() == (link == "symbolic")


@pytest.mark.parametrize("kind", FORMATS)
def test_errors_of_an_earlier_run_are_replaced(run: Run, telnyx: Emulator, tmp_path: Path, kind: str) -> None:
    """The same command replaces what it has written, through a link too, and removes it in the end."""
    path, errors, link = tmp_path / f"in.{kind}", tmp_path / f"errors.{kind}", tmp_path / "link"
    link.symlink_to(errors)
    rows = [{"unique_name": "A"}, {"unique_name": "B"}]
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("unique_name\nA\nB\n" if kind == "csv" else "\n".join(map(json.dumps, rows)))
    for failing in (2, 1):
        telnyx.script(Fault(status=422), times=failing, operation="CreateRoom")
        assert run("rooms", "import", str(path), "--errors", str(link)).exit_code == 1
        assert errors.stat().st_size > 0
        run("rooms", "delete", "--all", "--everything", "--yes")
    assert run("rooms", "import", str(path), "--errors", str(link)).exit_code == 0
    assert not errors.exists()
    assert link.is_symlink()


def test_an_empty_file_for_errors_stays(run: Run, table: Path, tmp_path: Path) -> None:
    """A file that was made for the failures, as mktemp does, is written, and not removed."""
    errors = tmp_path / "errors.csv"
    errors.touch()
    assert run("rooms", "import", str(table), "--errors", str(errors)).exit_code == 0
    assert errors.read_bytes() == b""


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_errors_are_not_the_table_itself(sent_nothing: Run, table: Path, tmp_path: Path, link: str) -> None:
    """Another name of the table is refused, whatever it holds."""
    table.write_bytes(csv_header(FAILURE_COLUMNS) + b"A,5,,,,,422\n")
    before, other = table.read_bytes(), tmp_path / "other.csv"
    getattr(other, link)(table)
    result = sent_nothing("rooms", "import", str(table), "--errors", str(other))
    assert result.exit_code == 2
    assert "would overwrite another file of this command" in result.stderr
    assert table.read_bytes() == before


@pytest.mark.parametrize("redirect", ["<", ">>"])
def test_errors_are_not_what_a_stream_leads_to(
    environment: dict[str, str], telnyx: Emulator, table: Path, redirect: str
) -> None:
    """The file that stdin comes from, or stdout goes to, is no place for failures."""
    file = table.with_name("stream.csv")
    file.write_bytes(csv_header(FAILURE_COLUMNS) + b"A,5,,,,,422\n")
    before = file.read_bytes()
    source = "- --format csv" if redirect == "<" else f"'{table}'"
    command = f"'{sys.executable}' -m telnyx_rooms_async rooms import {source} --errors '{file}'"
    line = f"exec {command} {redirect} '{file}'"
    result = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "would overwrite another file of this command" in result.stderr
    assert file.read_bytes() == before
    assert telnyx.requests == []


# --- rows that are wrong ------------------------------------------------------------------------------------


def test_faulty_rows_are_named(sent_nothing: Run, tmp_path: Path) -> None:
    """All of them are, each in a line: the first 20, and how many more there are."""
    path = tmp_path / "rooms.csv"
    path.write_text("unique_name,max_participants\n" + "".join(f"A{n},99\n" for n in range(25)) + "B,5\n")
    result = sent_nothing("rooms", "import", str(path))
    *named, rest = result.stderr.splitlines()
    assert (result.exit_code, result.stdout) == (2, "")
    assert named == [
        f"error: {path}, line {n}, column max_participants: must be an int from 2 to 50, not 99"
        for n in range(2, 22)
    ]
    assert rest == "error: 5 more lines are invalid"


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("command", [("import",), ("import", "--journal"), ("apply", "--yes")])
def test_invalid_rows_are_skipped(
    run: Run, telnyx: Emulator, tmp_path: Path, kind: str, command: tuple[str, ...]
) -> None:
    """With --skip-invalid the others are made, and those are written as they are, with the reason."""
    path, errors = tmp_path / f"in.{kind}", tmp_path / f"errors.{kind}"
    rows = [
        {"unique_name": "A", "max_participants": 5.0},
        {"unique_name": "B", "max_participants": 99.0},
        {"unique_name": "A", "max_participants": 6.0},
        {"unique_name": "C", "max_participants": 5.5},
        {"unique_name": "D", "max_participants": None},
    ]
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif kind == "ndjson":
        path.write_text("\n".join(map(json.dumps, rows)) + "\nnot JSON\n")
    else:
        path.write_text("unique_name,max_participants\nA,5\nB,99\nA,6\nC,5.5\nD,\nx,y,z\n")
    options = [*command, str(tmp_path / "journal")] if command[-1] == "--journal" else list(command)
    again = ["rooms", *options, str(path), "--skip-invalid", "--errors", str(errors)]
    assert run("rooms", *options, str(path)).exit_code == 2
    assert telnyx.requests == []
    result = run(*again)
    assert result.exit_code == 0
    assert result.stderr.count("error: ") == (3 if kind == "parquet" else 4)
    assert "skipped" in result.stderr
    assert [room.unique_name for room in telnyx.rooms] == ["A", "D"]
    if kind == "parquet":
        found = pq.read_table(errors).to_pylist()
    elif kind == "ndjson":
        found = [json.loads(line) for line in errors.read_text().splitlines()]
        assert found.pop()["error"].endswith(": not JSON")
    else:
        *found, last = csv.DictReader(errors.read_text().splitlines())
        assert last["error"].endswith("has 3 cells, but the header has 2: 'x,y,z'")
        assert last["unique_name"] == ""
    assert [(row["unique_name"], float(row["max_participants"])) for row in found] == [
        ("B", 99),
        ("A", 6),
        ("C", 5.5),
    ]
    assert "must be an int from 2 to 50, not 99" in found[0]["error"]
    assert "'A' is already in" in found[1]["error"]
    # They are still wrong, and nothing of them is made by a second run.
    refused = run("rooms", "import", str(errors))
    assert (refused.exit_code, len(telnyx.rooms)) == (2, 2)


def test_skip_invalid_without_a_valid_row(sent_nothing: Run, tmp_path: Path) -> None:
    """When no row is right there is nothing to go on with."""
    path, errors = tmp_path / "rooms.csv", tmp_path / "errors.csv"
    path.write_text("unique_name,max_participants\nA,99\n")
    result = sent_nothing("rooms", "import", str(path), "--skip-invalid", "--errors", str(errors))
    assert (result.exit_code, errors.exists()) == (2, False)


def test_skip_invalid_dry_run(sent_nothing: Run, tmp_path: Path) -> None:
    """A dry run names the rows that would be left out, and writes nothing."""
    path, errors = tmp_path / "rooms.csv", tmp_path / "errors.csv"
    path.write_text("unique_name,max_participants\nA,99\nB,5\n")
    options = ("--skip-invalid", "--errors", str(errors), "--dry-run")
    result = sent_nothing("rooms", "import", str(path), *options)
    assert result.stdout == f"{path} would create 1 room; nothing was sent\n"
    assert result.stderr.endswith("not 99\n1 line skipped\n")
    assert not errors.exists()


# --- how tables are saved -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (b"unique_name;max_participants\r\nA;5\r\n;\r\n", ()),
        (b"unique_name\tmax_participants\rA\t5\r", ()),
        (b"unique_name|max_participants\nA|5\n", ("--delimiter", "|")),
        (b"unique_name\tmax_participants\nA\t5\n", ("--delimiter", "tab")),
        ("sep=;\r\nunique_name;max_participants\r\nA;5\r\n".encode("utf-16"), ()),
        (b'#TYPE Room\r\n"unique_name","max_participants"\r\n"A","5"\r\n', ()),
    ],
)
def test_tables_of_other_programs(
    run: Run, telnyx: Emulator, tmp_path: Path, data: bytes, options: tuple[str, ...]
) -> None:
    """Tables are read as spreadsheets and PowerShell save them."""
    path = tmp_path / "rooms.csv"
    path.write_bytes(data)
    assert run("rooms", "import", str(path), *options).exit_code == 0
    assert [(room.unique_name, room.max_participants) for room in telnyx.rooms] == [("A", 5)]
    assert "1 unchanged" in run("rooms", "apply", str(path), "--yes", *options).stdout


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("a.csv", ("--delimiter", "ab"), "must be one character such as , or ;"),
        ("a.csv", ("--delimiter", '"'), "must be one character such as , or ;"),
        ("a.ndjson", ("--delimiter", ";"), "--delimiter can only be used with CSV"),
        ("a.csv.gz", (), "is compressed: decompress it first"),
        ("a.csv", (), "is compressed with gzip: decompress it first"),
    ],
)
def test_tables_that_cannot_be_read(
    sent_nothing: Run, tmp_path: Path, name: str, options: tuple[str, ...], said: str
) -> None:
    """What is not understood is told, and how to save it."""
    path = tmp_path / name
    path.write_bytes(b"\x1f\x8b\x08\x00")
    result = sent_nothing("rooms", "import", str(path), *options)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("\u2502", " ").split())


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_failures_that_cannot_be_written(
    run: Run, telnyx: Emulator, table: Path, tmp_path: Path, kind: str
) -> None:
    """A place for failures that is none is told before anything is sent, and a full disk when it is met."""
    telnyx.seed(1)
    nowhere = str(tmp_path / "nowhere" / "errors.csv")
    result = run("rooms", "import", str(table), "--errors", nowhere)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"error: cannot write {nowhere}: No such file or directory\n"
    assert telnyx.requests == []
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist([{"unique_name": "Room 1"}]), tmp_path / "in.parquet")
        table = tmp_path / "in.parquet"
    result = run("rooms", "import", str(table), "--errors", "/dev/full")
    assert result.exit_code == 1
    assert "error: cannot write /dev/full: No space left on device\n" in result.stderr
    assert Path("/dev/full").exists()


def test_in_json(objects: Objects, table: Path) -> None:
    """In JSON the counts are one value."""
    assert objects("rooms", "import", str(table)) == [{"rooms": 3, "created": 3, "skipped": 0, "failed": 0}]


def test_many_failures(run: Run, telnyx: Emulator, tmp_path: Path) -> None:
    """Ten failures are told, the others counted."""
    telnyx.seed(30)
    (tmp_path / "rooms.csv").write_text("unique_name\n" + "".join(f"Room {n}\n" for n in range(1, 31)))
    result = run("rooms", "import", str(tmp_path / "rooms.csv"))
    assert (result.exit_code, result.stdout) == (1, "created 0 of 30 rooms, 30 failed\n")
    assert result.stderr.count("error: ") == 10
    assert "more failures are counted, but not printed" in result.stderr


def test_stop_after(run: Run, telnyx: Emulator, table: Path) -> None:
    """After so many failures the rest is left, which is said."""
    telnyx.script(Fault(status=422), times=None, operation="CreateRoom")
    result = run("rooms", "import", str(table), "--max-failures", "2", "--concurrency", "1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "error: stopped after 2 failures\n" in result.stderr
    assert "stopped: created 0 of 3 rooms, 2 failed; `rooms apply" in result.stderr
    assert count_creates(telnyx) == 2


@pytest.mark.parametrize(
    ("file", "rows", "advice"),
    [
        ("in.csv", "A\nB\nC\n", "; `rooms apply in.csv` creates the missing rooms"),
        ("in.csv", "A\nB\n,5\n", ""),
        ("-", "A\nB\nC\n", ""),
    ],
    ids=["a file", "a room without a name", "stdin"],
)
def test_how_to_go_on(  # noqa: PLR0917 - the case, and where it is played
    account: dict[str, str],
    telnyx: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    rows: str,
    advice: str,
) -> None:
    """When it is stopped it is told what makes the rest, if anything does; where failures are, if any are."""
    monkeypatch.chdir(tmp_path)
    data = f"unique_name{',max_participants' * (',' in rows)}\n{rows}".replace("A\nB\n,", "A,\nB,\n,")
    Path("in.csv").write_text(data)
    telnyx.script(Fault(), times=2, operation="CreateRoom")
    telnyx.script(Fault(status=401), operation="CreateRoom")
    options = ["--format", "csv", "--concurrency", "1", "--errors", "errors.csv"]
    command = ["rooms", "import", file, *options]
    result = CliRunner().invoke(app, command, env=account, input=data)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines()[1:] == [f"stopped: created 2 of 3 rooms{advice}"]
    assert not Path("errors.csv").exists()


def test_a_wrong_key(run: Run, telnyx: Emulator, table: Path) -> None:
    """A key that is refused ends it: it would be refused for each room."""
    result = run("rooms", "import", str(table), "--concurrency", "1", TELNYX_API_KEY="KEYwrong")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: 401 Authentication failed")
    assert result.stderr.count("\n") == 1
    assert len(telnyx.requests) <= 2


# --- what is seen meanwhile, and the end --------------------------------------------------------------------


def many(path: Path, count: int) -> str:
    """Write a table of so many rooms."""
    path.write_text("unique_name\n" + "".join(f"Many {number}\n" for number in range(count)))
    return str(path)


def test_a_bar_at_a_terminal(at_terminal: Terminal, telnyx: Emulator, tmp_path: Path) -> None:
    """At a terminal a bar tells how far it is, what failed and what was waited for; failures stand above."""
    telnyx.script(Fault(status=429, retry_after=0), times=3, operation="CreateRoom")
    telnyx.script(Fault(status=422), operation="CreateRoom")
    shown = at_terminal("rooms", "import", many(tmp_path / "rooms.csv", 300), columns=80)
    assert "300/300" in shown
    assert "1 failed, 3 waits" in shown
    assert "attempt" not in shown
    assert "created 299 of 300 rooms, 1 failed\n" in shown


def test_no_bar_in_a_pipe(start: Start, tmp_path: Path) -> None:
    """Without a terminal nothing is said until it is done."""
    process = start("rooms", "import", many(tmp_path / "rooms.csv", 300))
    assert process.communicate() == ("created 300 of 300 rooms\n", "")


def test_ctrl_c(start: Start, telnyx: Emulator, tmp_path: Path) -> None:
    """Ctrl-C ends it, says what was done and how to go on; what failed until then is kept."""
    telnyx.script(Fault(status=422), operation="CreateRoom")
    telnyx.script(Fault(), times=4, operation="CreateRoom")
    telnyx.script(Fault(delay=inf), times=None, operation="CreateRoom")
    path, errors = many(tmp_path / "rooms.csv", 100), tmp_path / "errors.csv"
    command = ("rooms", "import", path, "--errors", str(errors), "--concurrency", "1")
    process = start(*command, program=INTERRUPTIBLE)
    deadline = time.monotonic() + 30
    while count_creates(telnyx) < 6 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    *_, last = err.splitlines()
    said = f"failed rows are in {errors}; `rooms apply {path}` creates the missing rooms"
    assert last == f"stopped: created 4 of 100 rooms, 1 failed; {said}"
    assert errors.read_text().count("\n") == 2
