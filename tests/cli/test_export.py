"""``rooms export``: a table of all rooms, complete or not there."""

import errno
import json
import os
import sys
from pathlib import Path

import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it has no types
import pytest

from telnyx_rooms_async.cli.tables import COLUMNS, formats
from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.command_line import Objects, Run, Terminal

FORMATS = ["csv", "ndjson", "parquet"]
NAMES = ['a,"b"', "two\nlines", "=1+1", "'=1", "ünï 漢 🎉", "null", " a "]


@pytest.mark.parametrize("kind", FORMATS)
def test_all_rooms_are_written(
    run: Run, telnyx: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(formats, "_GROUP_ROWS", 250)
    target = tmp_path / f"rooms.{kind}"
    telnyx.seed(1)
    run("rooms", "export", str(target))
    run("rooms", "delete", "--all", "--everything", "--yes")
    telnyx.seed(600)
    result = run("rooms", "export", str(target))  # replaces the earlier export
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"exported 600 rooms to {target}\n"
    assert list(tmp_path.iterdir()) == [target]
    if kind == "parquet":
        rows = pq.read_table(target).to_pylist()
        assert [tuple(row) for row in rows] == [COLUMNS] * 600
        assert [row["created_at"] for row in rows] == [room.created_at for room in telnyx.rooms]
        names = [row["unique_name"] for row in rows]
    elif kind == "ndjson":
        names = [json.loads(line)["unique_name"] for line in target.read_text().splitlines()]
    else:
        header, *lines = target.read_text().splitlines()
        assert header == ",".join(COLUMNS)
        names = [line.split(",")[1] for line in lines]
    assert names == [room.unique_name for room in telnyx.rooms]


def test_path_is_printed_in_json(objects: Objects, telnyx: Emulator, tmp_path: Path) -> None:
    telnyx.seed(3)
    target = str(tmp_path / "rooms")
    assert objects("rooms", "export", target, "--format", "csv") == [{"path": target, "rooms": 3}]
    target = os.fsdecode(bytes(tmp_path) + b"/\xff.csv")
    assert objects("rooms", "export", target) == [{"path": f"{tmp_path}/\ufffd.csv", "rooms": 3}]
    assert Path(target).exists()


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("content", ["some text", "[1]", "unique_name\nA\n", '{"unique_name":"A"}\n', "PAR1"])
def test_file_that_is_not_an_export_is_kept(
    run: Run, telnyx: Emulator, tmp_path: Path, kind: str, content: str
) -> None:
    target, link = tmp_path / f"rooms.{kind}", tmp_path / f"link.{kind}"
    target.write_text(content)
    link.symlink_to(target)
    for path in (target, link):
        result = run("rooms", "export", str(path))
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith(f"error: cannot write {path}: it exists and is not an export of ")
    assert target.read_text() == content
    assert telnyx.requests == []


@pytest.mark.parametrize("to_stdout", [True, False])
def test_byte_order_mark_for_excel(run: Run, telnyx: Emulator, tmp_path: Path, *, to_stdout: bool) -> None:
    telnyx.seed(2)
    path = tmp_path / "rooms.csv"
    for _ in range(2):  # the second export replaces the first one
        target = "-" if to_stdout else str(path)
        result = run("rooms", "export", target, "--format", "csv", "--bom")
        written = result.stdout_bytes if to_stdout else path.read_bytes()
        assert written.startswith(b"\xef\xbb\xbfid,unique_name,")
        assert written.count(b"\xef\xbb\xbf") == 1
    path.write_bytes(written)
    assert "2 unchanged" in run("rooms", "apply", str(path), "--yes").stdout
    assert run("rooms", "export", str(tmp_path / "rooms.ndjson"), "--bom").exit_code == 2


def test_partial_export_is_announced(run: Run, telnyx: Emulator, tmp_path: Path) -> None:
    telnyx.seed(3)
    target = tmp_path / "rooms.csv"
    for options, count in ((("--unique-name", "Room 2"), 1), (("--created-at", "..2021-04-24"), 0)):
        result = run("rooms", "export", str(target), *options, "--json")
        assert (result.exit_code, json.loads(result.stdout)) == (0, {"path": str(target), "rooms": count})
        assert result.stderr.startswith("a partial export: ")
    assert target.read_text() == f"{','.join(COLUMNS)}\n"


@pytest.mark.parametrize("kind", FORMATS)
def test_stdout_has_the_table_alone(run: Run, telnyx: Emulator, tmp_path: Path, kind: str) -> None:
    for name in NAMES:
        telnyx.create_room(name, webhook_timeout_secs=5)
    result = run("rooms", "export", "-", "--format", kind)
    assert (result.exit_code, result.stderr) == (0, "")
    if kind == "parquet":
        (tmp_path / "rooms").write_bytes(result.stdout_bytes)
        assert pq.read_table(tmp_path / "rooms")["unique_name"].to_pylist() == NAMES
    elif kind == "ndjson":
        assert [json.loads(line)["unique_name"] for line in result.stdout.splitlines()] == NAMES
    else:
        for cell in ('"a,""b"""', '"two\nlines"', "'=1+1", "''=1", "ünï 漢 🎉", "null", " a "):
            assert f',{cell},10,false,,"""""",5,,' in result.stdout


def test_missing_extra_is_explained(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # it cannot be imported
    result = run("rooms", "export", str(tmp_path / "rooms.parquet"))
    message = "error: Parquet needs the extra \"parquet\": pip install 'telnyx-rooms-async[parquet]'\n"
    assert (result.exit_code, result.output) == (1, message)
    assert run("rooms", "export", str(tmp_path / "rooms.csv")).exit_code == 0
    assert list(tmp_path.iterdir()) == [tmp_path / "rooms.csv"]


# --- failures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FORMATS)
def test_failed_export_keeps_the_earlier_one(run: Run, telnyx: Emulator, tmp_path: Path, kind: str) -> None:
    telnyx.seed(3)
    target = tmp_path / f"rooms.{kind}"
    run("rooms", "export", str(target))
    before = target.read_bytes()
    telnyx.inject(Fault(), times=2, operation="ListRooms")
    telnyx.inject(Fault(status=403), times=None, operation="ListRooms")
    result = run("rooms", "export", str(target), "--page-size", "1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: 403 ")
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("missing/rooms", "No such file or directory"),
        (".", "Is a directory"),
        ("/dev/full", "No space left on device"),
    ],
)
@pytest.mark.parametrize("kind", FORMATS)
def test_path_that_cannot_be_written(  # noqa: PLR0917 - the case, and where it runs
    run: Run, telnyx: Emulator, tmp_path: Path, target: str, reason: str, kind: str
) -> None:
    telnyx.seed(3)
    path = f"{tmp_path / target}"
    result = run("rooms", "export", path, "--format", kind)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"error: cannot write {path}: {reason}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", FORMATS)
def test_file_is_private_and_may_have_a_long_name(run: Run, tmp_path: Path, kind: str) -> None:
    target = tmp_path / f"{'ä' * 123}.{kind}"
    assert run("rooms", "export", str(target), "--format", kind).exit_code == 0
    assert list(tmp_path.iterdir()) == [target]
    assert target.stat().st_mode & 0o777 == 0o600


def test_export_is_on_the_disk_before_it_has_its_name(
    run: Run, telnyx: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_links_are_followed(run: Run, tmp_path: Path) -> None:
    path, target, loop = tmp_path / "rooms.csv", tmp_path / "target.csv", tmp_path / "loop.csv"
    path.symlink_to(target)
    for _ in range(2):
        assert run("rooms", "export", str(path)).exit_code == 0
        assert path.is_symlink()
        assert target.read_text() == f"{','.join(COLUMNS)}\n"
    loop.symlink_to(loop)
    result = run("rooms", "export", str(loop))
    message = f"error: cannot write {loop}: Too many levels of symbolic links\n"
    assert (result.exit_code, result.stderr) == (1, message)
    assert loop.is_symlink()


# --- terminals ----------------------------------------------------------------------------------------------


def test_parquet_is_not_written_to_a_terminal(at_terminal: Terminal, telnyx: Emulator) -> None:
    assert "stdout is a terminal: use a path" in at_terminal("rooms", "export", "-", "--format", "parquet")
    assert telnyx.requests == []


def test_bar_at_a_terminal(at_terminal: Terminal, telnyx: Emulator, tmp_path: Path) -> None:
    telnyx.seed(600)
    shown = at_terminal("rooms", "export", str(tmp_path / "rooms.csv"), plain=False, columns=120)
    assert "600/600" in shown
    assert "0 failed, 0 waits" in shown
    assert shown.replace("\n", "").endswith(f"\x1b[2Kexported 600 rooms to {tmp_path}/rooms.csv")
