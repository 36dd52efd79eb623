"""``rooms export``: tables of all rooms, complete or not there."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from typer.testing import Result

from telnyx_rooms_async.cli.tables.rows import COLUMNS
from telnyx_rooms_async.emulator import Emulator, Fault

Run = Callable[..., Result]
Objects = Callable[..., list[Any]]
Terminal = Callable[..., str]
Start = Callable[..., subprocess.Popen[str]]

FORMATS = ["csv", "ndjson", "parquet"]


@pytest.fixture
def names(run: Run) -> list[str]:
    """Names that are hard to write down, each of a room."""
    hard = ['a,"b"', "two\nlines", "=1+1", "'=1", "ünï 漢 🎉", "null", " a "]
    for name in hard:
        assert run("rooms", "create", "--unique-name", name, "--webhook-timeout-secs", "5").exit_code == 0
    return hard


@pytest.mark.parametrize("kind", FORMATS)
def test_to_a_file(run: Run, telnyx: Emulator, tmp_path: Path, kind: str) -> None:
    """All rooms are in the file, alone in its folder, and it is told how many."""
    target = tmp_path / f"rooms.{kind}"
    telnyx.seed(1)
    run("rooms", "export", str(target))  # an earlier export is replaced
    telnyx._state.rooms.clear()
    telnyx.seed(600)
    result = run("rooms", "export", str(target))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"exported 600 rooms to {target}\n"
    assert list(tmp_path.iterdir()) == [target]
    if kind == "parquet":
        found = pq.read_table(target).to_pylist()
        assert [tuple(each) for each in found] == [COLUMNS] * 600
        assert [each["created_at"] for each in found] == [room.created_at for room in telnyx.rooms]
        written = [each["unique_name"] for each in found]
    elif kind == "ndjson":
        written = [json.loads(line)["unique_name"] for line in target.read_text().splitlines()]
    else:
        header, *rows = target.read_text().splitlines()
        assert header == ",".join(COLUMNS)
        written = [row.split(",")[1] for row in rows]
    assert written == [room.unique_name for room in telnyx.rooms]


def test_in_json(objects: Objects, telnyx: Emulator, tmp_path: Path) -> None:
    """In JSON the path and the number of rooms are one value."""
    telnyx.seed(3)
    target = str(tmp_path / "rooms")
    assert objects("rooms", "export", target, "--format", "csv") == [{"path": target, "rooms": 3}]


def test_a_path_of_any_bytes(objects: Objects, tmp_path: Path) -> None:
    """A path that is no UTF-8 is written to, and told as far as JSON can."""
    target = os.fsdecode(bytes(tmp_path) + b"/\xff.csv")
    assert objects("rooms", "export", target) == [{"path": f"{tmp_path}/\ufffd.csv", "rooms": 0}]
    assert Path(target).exists()


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_of_someone_else_stays(run: Run, telnyx: Emulator, tmp_path: Path, kind: str) -> None:
    """A file that is not an export is refused before anything is sent."""
    target, link = tmp_path / f"rooms.{kind}", tmp_path / f"link.{kind}"
    link.symlink_to(target)
    for foreign in ("what was there", "unique_name\nA\n", '{"unique_name":"A"}\n', "PAR1"):
        target.write_text(foreign)
        for path in (target, link):
            result = run("rooms", "export", str(path))
            assert (result.exit_code, result.stdout) == (1, "")
            assert result.stderr.startswith(f"error: cannot write {path}: it exists and is not an export of ")
        assert target.read_text() == foreign
    assert telnyx.requests == []


@pytest.mark.parametrize("target", ["rooms.csv", "-"])
def test_a_mark_for_excel(run: Run, telnyx: Emulator, tmp_path: Path, target: str) -> None:
    """With --bom CSV begins with a byte-order mark; it is replaced, and read again."""
    telnyx.seed(2)
    path = tmp_path / "rooms.csv"
    for _ in range(2):
        where = target if target == "-" else str(path)
        result = run("rooms", "export", where, "--format", "csv", "--bom")
        written = result.stdout_bytes if target == "-" else path.read_bytes()
        assert written.startswith(b"\xef\xbb\xbfid,unique_name,")
        assert written.count(b"\xef\xbb\xbf") == 1
    path.write_bytes(written)
    assert "2 unchanged" in run("rooms", "apply", str(path), "--yes").stdout
    assert run("rooms", "export", str(tmp_path / "rooms.ndjson"), "--bom").exit_code == 2


def test_filters(run: Run, telnyx: Emulator, tmp_path: Path) -> None:
    """Filters are those of the list; what they select is only a part, which is told."""
    telnyx.seed(3)
    target = str(tmp_path / "rooms.csv")
    for options, count in ((("--unique-name", "Room 2"), 1), (("--created-at", "..2021-04-24"), 0)):
        result = run("rooms", "export", target, *options, "--json")
        assert (result.exit_code, json.loads(result.stdout)) == (0, {"path": target, "rooms": count})
        assert result.stderr.startswith("a partial export: ")
    assert Path(target).read_text() == f"{','.join(COLUMNS)}\n"


def test_names_in_csv(run: Run, names: list[str]) -> None:
    """Names with commas, quotes and line breaks are quoted, and none is a formula."""
    out = run("rooms", "export", "-", "--format", "csv").stdout
    for cell in ('"a,""b"""', '"two\nlines"', "'=1+1", "''=1", "ünï 漢 🎉", "null", " a "):
        assert f',{cell},10,false,,"""""",5,,' in out


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_to_stdout(start: Start, telnyx: Emulator, kind: str) -> None:
    """With - the table is all that goes to stdout."""
    telnyx.seed(3)
    process = start("rooms", "export", "-", "--format", kind)
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert out.count("\n") == 3 + (kind == "csv")


def test_parquet_to_stdout(environment: dict[str, str], telnyx: Emulator, tmp_path: Path) -> None:
    """Parquet goes down a pipe too."""
    telnyx.seed(3)
    command = [sys.executable, "-m", "telnyx_rooms_async", "rooms", "export", "-", "--format", "parquet"]
    with (tmp_path / "rooms.parquet").open("wb") as file:
        subprocess.run(command, env=environment, stdout=file, check=True)
    assert pq.read_table(tmp_path / "rooms.parquet").num_rows == 3


def test_parquet_is_nothing_for_a_terminal(at_terminal: Terminal, telnyx: Emulator) -> None:
    """Bytes are not poured over a terminal."""
    assert "stdout is a terminal: use a path" in at_terminal("rooms", "export", "-", "--format", "parquet")
    assert telnyx.requests == []


@pytest.mark.parametrize(
    ("target", "words"),
    [("-", "a stream does not show the format"), ("rooms", "the name rooms does not show the format")],
)
def test_the_format_is_not_guessed(run: Run, telnyx: Emulator, target: str, words: str) -> None:
    """Without an ending that tells, the format must be said."""
    result = run("rooms", "export", target)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "use --format csv or ndjson or parquet" in result.stderr
    assert telnyx.requests == []


def test_the_extra_is_missing(start: Start, tmp_path: Path) -> None:
    """Without the extra, one line says what Parquet needs, and nothing else needs it."""
    hide = "import sys; sys.modules['pyarrow'] = None; from telnyx_rooms_async.__main__ import main; main()"
    program = (sys.executable, "-c", hide)
    process = start("rooms", "export", str(tmp_path / "rooms.parquet"), program=program)
    assert process.communicate() == (
        "",
        "error: Parquet needs the extra \"parquet\": pip install 'telnyx-rooms-async[parquet]'\n",
    )
    assert process.returncode == 1
    assert list(tmp_path.iterdir()) == []
    assert start("rooms", "export", str(tmp_path / "rooms.csv"), program=program).wait() == 0


@pytest.mark.parametrize("kind", FORMATS)
def test_a_failure_leaves_what_was_there(run: Run, telnyx: Emulator, tmp_path: Path, kind: str) -> None:
    """An export that fails amid the pages leaves what was there, and nothing beside it."""
    telnyx.seed(3)
    target = tmp_path / f"rooms.{kind}"
    run("rooms", "export", str(target))
    before = target.read_bytes()
    telnyx.script(Fault(), times=2, operation="ListRooms")
    telnyx.script(Fault(status=403), times=None, operation="ListRooms")
    result = run("rooms", "export", str(target), "--page-size", "1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: 403 ")
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("nowhere/rooms.csv", "No such file or directory"),
        ("nowhere/rooms.parquet", "No such file or directory"),
        (".", "Is a directory"),
        ("/dev/full", "No space left on device"),
    ],
)
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.usefixtures("names")
def test_a_file_that_cannot_be_written(run: Run, tmp_path: Path, target: str, said: str, kind: str) -> None:
    """A folder that is not there, a folder, and a full disk are errors in one line, which name the file."""
    path = f"{tmp_path / target}"
    result = run("rooms", "export", path, "--format", kind)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"error: cannot write {path}: {said}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", FORMATS)
def test_a_long_name_and_a_private_file(run: Run, tmp_path: Path, kind: str) -> None:
    """A name may be as long as the file system allows, and only the owner can read the rooms."""
    target = tmp_path / f"{'ä' * 123}.{kind}"
    assert run("rooms", "export", str(target), "--format", kind).exit_code == 0
    assert list(tmp_path.iterdir()) == [target]
    assert target.stat().st_mode & 0o777 == 0o600


def test_an_export_is_on_the_disk_before_it_has_its_name(
    run: Run, telnyx: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk fails at the end, what was there stays, and nothing is beside it."""
    target = tmp_path / "rooms.csv"
    run("rooms", "export", str(target))
    before = target.read_bytes()
    telnyx.seed(1)

    def fsync(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fsync)
    result = run("rooms", "export", str(target))
    assert (result.exit_code, result.stderr) == (1, f"error: cannot write {target}: Input/output error\n")
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


def test_a_name_that_cannot_be(run: Run, tmp_path: Path) -> None:
    """A path that the system does not even look up is named like any other."""
    result = run("rooms", "export", f"{tmp_path}/{'x' * 300}.csv")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: cannot write {tmp_path}/xxx")
    assert result.stderr.count("\n") == 1


def test_a_circle_of_links(run: Run, tmp_path: Path) -> None:
    """Links that lead to themselves are an error in one line, and stay."""
    path = tmp_path / "rooms.csv"
    path.symlink_to(path)
    result = run("rooms", "export", str(path))
    said = f"error: cannot write {path}: Too many levels of symbolic links\n"
    assert (result.exit_code, result.stderr) == (1, said)
    assert list(tmp_path.iterdir()) == [path]


def test_a_link(run: Run, tmp_path: Path) -> None:
    """A link stays one: what it leads to is written, also when it is not there yet."""
    path, target = tmp_path / "rooms.csv", tmp_path / "behind.csv"
    path.symlink_to(target)
    for _ in range(2):
        assert run("rooms", "export", str(path)).exit_code == 0
        assert path.is_symlink()
        assert target.read_text() == f"{','.join(COLUMNS)}\n"


def test_a_reader_that_has_enough(environment: dict[str, str], telnyx: Emulator) -> None:
    """When the reader goes away, the export ends without a word."""
    telnyx.seed(2000)
    line = f"'{sys.executable}' -m telnyx_rooms_async rooms export - --format csv --page-size 100 | head -n 1"
    result = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == (f"{','.join(COLUMNS)}\n", "")


def test_a_full_disk_behind_stdout(environment: dict[str, str], telnyx: Emulator) -> None:
    """A stdout that takes no more is an error in one line."""
    line = f"exec '{sys.executable}' -m telnyx_rooms_async rooms export - --format csv >/dev/full"
    result = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (1, "error: No space left on device\n")


def test_a_bar_at_a_terminal(at_terminal: Terminal, telnyx: Emulator, tmp_path: Path) -> None:
    """At a terminal a bar tells how far it is, and is wiped off in the end."""
    telnyx.seed(600)
    shown = at_terminal("rooms", "export", str(tmp_path / "rooms.csv"), plain=False, columns=120)
    assert "600/600" in shown
    assert "0 failed, 0 waits" in shown
    assert shown.replace("\n", "").endswith(f"\x1b[2Kexported 600 rooms to {tmp_path}/rooms.csv")


def test_nobody_reads_what_was_done(environment: dict[str, str], telnyx: Emulator, tmp_path: Path) -> None:
    """A stdout that takes no more is an error in one line, also after the work; the work stays done."""
    target = tmp_path / "rooms.csv"
    line = f"exec '{sys.executable}' -m telnyx_rooms_async rooms export {target} >/dev/full"
    result = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (1, "error: No space left on device\n")
    assert target.exists()
