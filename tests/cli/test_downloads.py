"""``download`` of recordings and compositions: to a path, to stdout, and the bar at a terminal."""

import os
import re
from pathlib import Path

import pytest

from telnyx_rooms_async.emulator import Emulator
from tests.helpers.command_line import UNKNOWN_ID, Objects, Run, Shell, Terminal, Turn

LARGE = 30_000_000


@pytest.fixture(params=["recordings", "compositions"])
def command(
    request: pytest.FixtureRequest, objects: Objects, turn: Turn, ids: list[str]
) -> tuple[str, str, str]:
    """The command that downloads a completed recording or composition."""
    if request.param == "recordings":
        return "recordings", "download", ids[0]
    (session,) = objects("sessions", "list")
    (composition,) = objects("compositions", "create", session["id"])
    turn(10)
    return "compositions", "download", composition["id"]


@pytest.fixture
def video(ids: list[str]) -> tuple[str, str, str]:
    """The command that downloads a recording."""
    return "recordings", "download", ids[1]


def test_file_is_complete_and_alone(
    run: Run, objects: Objects, telnyx: Emulator, tmp_path: Path, command: tuple[str, str, str]
) -> None:
    target, file = tmp_path / "file", telnyx.media(command[-1])
    result = run(*command, str(target))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"downloaded {target} ({file.size} bytes)\n"
    target.write_text("an existing file is replaced")
    assert objects(*command, str(target)) == [
        {"path": str(target), "size": file.size, "content_type": file.content_type}
    ]
    assert target.read_bytes() == bytes(file)
    assert list(tmp_path.iterdir()) == [target]


def test_path_that_is_not_text(run: Run, tmp_path: Path, video: tuple[str, str, str]) -> None:
    target = os.fsdecode(bytes(tmp_path) + b"/\xff")
    result = run(*video, target, "--json")
    assert result.stdout.startswith(f'{{"path":"{tmp_path}/\ufffd"')
    assert [path.name for path in tmp_path.iterdir()] == ["\udcff"]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_path_that_cannot_be_written(
    run: Run, tmp_path: Path, video: tuple[str, str, str], form: list[str]
) -> None:
    result = run(*video, f"{tmp_path}/missing/file", *form)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"error: cannot write {tmp_path}/missing/file: No such file or directory\n"
    result = run(*video, str(tmp_path), *form)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: target must be a file, not a folder or a device: ")


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_failed_download_keeps_the_existing_file(
    run: Run, telnyx: Emulator, tmp_path: Path, video: tuple[str, str, str], form: list[str]
) -> None:
    target = tmp_path / "file"
    target.write_text("before")
    telnyx.media(video[-1]).cut_after = 0
    result = run(*video, str(target), *form)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("noun", ["recordings", "compositions"])
def test_unknown_file(run: Run, at_terminal: Terminal, telnyx: Emulator, tmp_path: Path, noun: str) -> None:
    assert "stdout is a terminal: use a path" in at_terminal(noun, "download", UNKNOWN_ID, "-")
    assert telnyx.requests == []
    result = run(noun, "download", UNKNOWN_ID, str(tmp_path / "file"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: 404 Resource not found")
    assert list(tmp_path.iterdir()) == []


def test_file_alone_is_written_to_stdout(run: Run, telnyx: Emulator, command: tuple[str, str, str]) -> None:
    result = run(*command, "-")
    assert result.stdout_bytes == bytes(telnyx.media(command[-1]))
    assert result.stderr == ""


def test_closed_pipe_ends_a_download_quietly(
    shell: Shell, telnyx: Emulator, video: tuple[str, str, str]
) -> None:
    telnyx.media(video[-1]).size = LARGE
    result = shell(f"$program {' '.join(video)} - | head -c 5 | wc -c", PYTHONUNBUFFERED="1")
    assert (result.stdout.strip(), result.stderr) == ("5", "")


def test_bar_at_a_terminal(
    at_terminal: Terminal, telnyx: Emulator, tmp_path: Path, video: tuple[str, str, str]
) -> None:
    file = telnyx.media(video[-1])
    file.size, file.cut_after = LARGE, LARGE // 2  # an interrupted download continues below the same bar
    shown = at_terminal(*video, str(tmp_path / "file"), plain=False)
    bars, last = re.split(r"(?=downloaded )", shown)
    assert "/30.0 MB" in bars
    assert re.search(r"[0-9.]+ [kMG]B/s", bars)
    assert re.search(r"[0-9]:[0-9]{2}:[0-9]{2}", bars)
    assert bars.endswith("\x1b[2K")
    assert last.replace("\n", "") == f"downloaded {tmp_path}/file ({LARGE} bytes)"
    assert (tmp_path / "file").stat().st_size == LARGE
