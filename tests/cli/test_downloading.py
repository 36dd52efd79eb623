"""``download`` of recordings and compositions: to a path, to stdout, and what is seen meanwhile."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from telnyx_rooms_async.emulator import Emulator

Run = Callable[..., Result]
Objects = Callable[..., list[Any]]
Terminal = Callable[..., str]
Start = Callable[..., subprocess.Popen[str]]
Turn = Callable[[float], None]

NOBODY = "00000000-0000-4000-8000-000000000000"
LARGE = 30_000_000


@pytest.fixture(params=["recordings", "compositions"])
def command(
    request: pytest.FixtureRequest, objects: Objects, turn: Turn, ids: list[str]
) -> tuple[str, str, str]:
    """The command that downloads what is completed: a recording, or a composition."""
    if request.param == "recordings":
        return "recordings", "download", ids[0]
    (recording,) = objects("recordings", "list", "--limit", "1")
    (made,) = objects("compositions", "create", recording["session_id"])
    turn(10)
    return "compositions", "download", str(made["id"])


@pytest.fixture
def picture(ids: list[str]) -> tuple[str, str, str]:
    """The command that downloads a recording."""
    return "recordings", "download", ids[1]


# --- to a path ----------------------------------------------------------------------------------------------


def test_to_a_path(run: Run, telnyx: Emulator, tmp_path: Path, command: tuple[str, str, str]) -> None:
    """The file is at its path, alone, and it is told where and how large."""
    target = tmp_path / "file"
    result = run(*command, str(target))
    whole = bytes(telnyx.media(command[-1]))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"downloaded {target} ({len(whole)} bytes)\n"
    assert target.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [target]


def test_to_a_path_in_json(
    objects: Objects, telnyx: Emulator, tmp_path: Path, command: tuple[str, str, str]
) -> None:
    """In JSON the path, the size and the type are one value."""
    target = tmp_path / "file"
    target.write_text("what was there")
    file = telnyx.media(command[-1])
    assert objects(*command, str(target)) == [
        {"path": str(target), "size": file.size, "content_type": file.content_type}
    ]
    assert target.read_bytes() == bytes(file)


def test_a_path_that_is_no_text(
    environment: dict[str, str], tmp_path: Path, picture: tuple[str, str, str]
) -> None:
    """A path of any bytes is written, and told as well as can be."""
    target = bytes(tmp_path) + b"/\xff"
    program = [sys.executable, "-m", "telnyx_rooms_async", *picture]
    for form, told in (([], b"downloaded "), ([b"--json"], b'{"path":"')):
        result = subprocess.run([*program, target, *form], env=environment, capture_output=True, check=True)
        assert result.stdout.startswith(told + bytes(tmp_path) + b"/")
        assert result.stderr == b""
    assert [bytes(path) for path in tmp_path.iterdir()] == [target]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_folder_that_is_not_there(
    run: Run, tmp_path: Path, picture: tuple[str, str, str], form: list[str]
) -> None:
    """A path that cannot be written is an error in one line, which names it."""
    result = run(*picture, f"{tmp_path}/nowhere/file", *form)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"error: cannot write {tmp_path}/nowhere/file: No such file or directory\n"


def test_a_folder_is_no_file(run: Run, tmp_path: Path, picture: tuple[str, str, str]) -> None:
    """A folder is a wrong argument."""
    result = run(*picture, str(tmp_path))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: target must be a file, not a folder or a device: ")


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_failure_leaves_nothing(
    run: Run, telnyx: Emulator, tmp_path: Path, picture: tuple[str, str, str], form: list[str]
) -> None:
    """A download that fails leaves what was there, and nothing beside it."""
    target = tmp_path / "file"
    target.write_text("what was there")
    telnyx.media(picture[-1]).cut_after = 0
    result = run(*picture, str(target), *form)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert target.read_text() == "what was there"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("noun", ["recordings", "compositions"])
def test_there_is_nothing_to_download(run: Run, tmp_path: Path, noun: str) -> None:
    """What is unknown is an error in one line, and leaves nothing."""
    result = run(noun, "download", NOBODY, str(tmp_path / "file"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: 404 Resource not found")
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_ready(run: Run, objects: Objects, telnyx: Emulator, tmp_path: Path) -> None:
    """A recording that is not completed has nothing to download, which is said."""
    (room,) = objects("rooms", "create", "--enable-recording")
    telnyx.join(room["id"])
    recording = objects("recordings", "list")[0]["id"]
    result = run("recordings", "download", recording, str(tmp_path / "file"))
    assert result.exit_code == 1
    assert result.stderr == f"error: {recording} is processing: there is no file to download yet\n"


# --- to stdout ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_to_stdout(
    environment: dict[str, str], telnyx: Emulator, command: tuple[str, str, str], unbuffered: str
) -> None:
    """With - nothing but the file goes to stdout."""
    result = subprocess.run(
        [sys.executable, "-m", "telnyx_rooms_async", *command, "-"],
        env=environment | {"PYTHONUNBUFFERED": unbuffered},
        capture_output=True,
        check=True,
    )
    assert result.stdout == bytes(telnyx.media(command[-1]))
    assert result.stderr == b""


def test_a_reader_that_has_enough(
    environment: dict[str, str], telnyx: Emulator, picture: tuple[str, str, str]
) -> None:
    """When the reader goes away, the download ends without a word."""
    telnyx.media(picture[-1]).size = LARGE
    line = f"'{sys.executable}' -m telnyx_rooms_async {' '.join(picture)} - | head -c 5 | wc -c"
    result = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True, check=True)
    assert (result.stdout.strip(), result.stderr) == ("5", "")


def test_a_full_disk(environment: dict[str, str], picture: tuple[str, str, str]) -> None:
    """A stdout that takes no more is an error in one line."""
    line = f"exec '{sys.executable}' -m telnyx_rooms_async {' '.join(picture)} - >/dev/full"
    result = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (1, "error: No space left on device\n")


def test_json_and_a_file_do_not_mix(run: Run, telnyx: Emulator) -> None:
    """With --json there is no room for a file on stdout."""
    result = run("recordings", "download", NOBODY, "-", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--json and the target - cannot be combined" in result.stderr
    assert telnyx.requests == []


@pytest.mark.parametrize("noun", ["recordings", "compositions"])
def test_a_terminal_is_no_file(at_terminal: Terminal, telnyx: Emulator, noun: str) -> None:
    """A file is not poured over a terminal."""
    assert "stdout is a terminal: use a path" in at_terminal(noun, "download", NOBODY, "-")
    assert telnyx.requests == []


# --- what is seen meanwhile ---------------------------------------------------------------------------------


def test_a_bar_at_a_terminal(
    at_terminal: Terminal, telnyx: Emulator, tmp_path: Path, picture: tuple[str, str, str]
) -> None:
    """At a terminal a bar tells how far it is, how fast and how long to go, and is wiped off in the end."""
    telnyx.media(picture[-1]).size = LARGE
    shown = at_terminal(*picture, str(tmp_path / "file"), plain=False)
    bars, last = re.split(r"(?=downloaded )", shown)
    assert "/30.0 MB" in bars
    assert re.search(r"[0-9.]+ [kMG]B/s", bars)
    assert re.search(r"[0-9]:[0-9]{2}:[0-9]{2}", bars)
    assert bars.endswith("\x1b[2K")
    assert last.replace("\n", "") == f"downloaded {tmp_path}/file ({LARGE} bytes)"


def test_a_cut(
    at_terminal: Terminal, telnyx: Emulator, tmp_path: Path, picture: tuple[str, str, str]
) -> None:
    """A download that is cut goes on where it was, below the same bar."""
    file = telnyx.media(picture[-1])
    file.size, file.cut_after = 200_000, 150_000
    shown = at_terminal(*picture, str(tmp_path / "file"), columns=200)
    assert shown.count("downloaded ") == 1
    assert (tmp_path / "file").read_bytes() == bytes(file)


def test_no_bar_in_a_pipe(start: Start, tmp_path: Path, picture: tuple[str, str, str]) -> None:
    """Without a terminal nothing is said until it is done."""
    process = start(*picture, str(tmp_path / "file"))
    out, err = process.communicate()
    assert process.returncode == 0
    assert out.startswith("downloaded ")
    assert err == ""
