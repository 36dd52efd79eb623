"""What stands at a terminal, in a pipe and in a closed one."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from telnyx_rooms_async.emulator import Emulator, Fault

Run = Callable[..., Result]
Start = Callable[..., subprocess.Popen[str]]
Terminal = Callable[..., str]

NOTHING_LEFT_OUT = [
    "id",
    "unique_name",
    "created_at",
    "active_session_id",
    "max_participants",
    "enable_recording",
]


def test_a_narrow_terminal_leaves_columns_out(at_terminal: Terminal, telnyx: Emulator) -> None:
    """Where it is narrow, ids stay whole, and a note tells which columns are missing."""
    telnyx.seed(2)
    header, *rows, note, more = at_terminal("rooms", "list").splitlines()
    assert header.split() == NOTHING_LEFT_OUT[:3]
    assert [row.split()[0] for row in rows] == [room.id for room in telnyx.rooms]
    assert note == "2 rooms; not shown: active_session_id, max_participants, enable_recording "[:79]
    assert more == "(--json has all)"


def test_a_wide_terminal_shows_more(at_terminal: Terminal, telnyx: Emulator) -> None:
    """Columns come back as the terminal grows."""
    telnyx.seed(1)
    telnyx.join(telnyx.rooms[0].id)

    def columns(width: int) -> list[str]:
        return at_terminal("rooms", "list", columns=width).splitlines()[0].split()

    assert columns(20) == NOTHING_LEFT_OUT[:1]
    assert columns(120) == NOTHING_LEFT_OUT[:4]
    assert columns(200) == NOTHING_LEFT_OUT
    assert at_terminal("rooms", "list", columns=200).splitlines()[-1] == "1 room"


def test_a_long_name_is_folded_at_a_terminal(at_terminal: Terminal, telnyx: Emulator) -> None:
    """A name that is too long takes several lines, and nothing of it is lost."""
    telnyx.seed(1)
    room = telnyx.rooms[0]
    telnyx._state.update_room(telnyx._state.rooms[room.id], {"unique_name": "z" * 50})
    shown = at_terminal("rooms", "list")
    assert shown.count("z") == 50
    assert max(map(len, shown.splitlines())) <= 80


def test_an_empty_list_at_a_terminal(at_terminal: Terminal) -> None:
    """A person is told that there is nothing."""
    assert at_terminal("rooms", "list") == "no rooms\n"


def test_colour_is_for_terminals(at_terminal: Terminal, start: Start, telnyx: Emulator) -> None:
    """A terminal gets styles; a pipe gets none, whatever the environment says, and no column is lost."""
    telnyx.seed(1)
    assert "\x1b[1m" in at_terminal("rooms", "list", plain=False)
    out, err = start("rooms", "list", FORCE_COLOR="1", COLUMNS="20").communicate()
    assert "\x1b" not in out + err
    assert out.splitlines()[0].split() == NOTHING_LEFT_OUT
    assert [line for line in out.splitlines() if line != line.rstrip()] == []


def test_json_at_a_terminal_is_json(at_terminal: Terminal, telnyx: Emulator) -> None:
    """JSON has no styles and no notes, wherever it is printed."""
    telnyx.seed(2)
    shown = at_terminal("rooms", "list", "--json", plain=False).splitlines()
    assert [line[0] + line[-1] for line in shown] == ["{}", "{}"]


@pytest.mark.parametrize("command", [["list"], ["retrieve"]])
def test_a_name_cannot_play_with_the_terminal(run: Run, telnyx: Emulator, command: list[str]) -> None:
    """Control characters of a name are spelled out; markup and letters of all kinds are left as they are."""
    telnyx.seed(1)
    room = telnyx.rooms[0]
    name = "\x1b[31m[red]日本\n🎹\u202e"
    telnyx._state.update_room(telnyx._state.rooms[room.id], {"unique_name": name})
    result = run("rooms", *command, *([room.id] if command == ["retrieve"] else []))
    assert r"\x1b[31m[red]日本\n🎹\u202e" in result.stdout


@pytest.mark.parametrize("command", [["rooms", "list", "--json"], ["tokens", "create", "{}", "--json"]])
def test_json_holds_no_character_that_a_terminal_obeys(
    run: Run, telnyx: Emulator, command: list[str]
) -> None:
    """Control characters and marks that reorder text are escaped, and JSON readers get what was sent."""
    name = "\x1b[31m\x7f\x9b31m\u202e\u2028Zoë 日本\U0001f3b9\U000e0001"
    token = {"data": {"token": name, "refresh_token": name}}
    telnyx.script(Fault(status=201, body=json.dumps(token).encode()), operation="CreateRoomClientToken")
    telnyx.seed(1)
    room = telnyx.rooms[0]
    telnyx._state.update_room(telnyx._state.rooms[room.id], {"unique_name": name})
    result = run(*(part.format(room.id) for part in command))
    assert result.stdout.removesuffix("\n").isprintable()
    assert "Zoë 日本🎹" in result.stdout
    told = json.loads(result.stdout)
    assert name in (told.get("unique_name"), told.get("token"))


def test_an_encoding_without_the_letters(start: Start, telnyx: Emulator) -> None:
    """A table replaces what the encoding of stdout lacks; JSON is UTF-8 in any case."""
    telnyx.seed(1)
    telnyx._state.update_room(telnyx._state.rooms[telnyx.rooms[0].id], {"unique_name": "日本"})
    table, _ = start("rooms", "list", PYTHONIOENCODING="ascii").communicate()
    assert "  ??" in table
    in_json, _ = start("rooms", "list", "--json", PYTHONIOENCODING="ascii").communicate()
    assert "日本" in in_json


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_reader_that_has_enough(
    start: Start, telnyx: Emulator, options: list[str], unbuffered: str
) -> None:
    """When the reader goes away, the program ends without a word, as other programs do."""
    telnyx.seed(1000)  # more than a pipe holds
    process = start("rooms", "list", *options, PYTHONUNBUFFERED=unbuffered)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 141


def test_nobody_reads_what_is_said(start: Start, telnyx: Emulator, tmp_path: Path) -> None:
    """When the reader of stderr goes away, the job is done all the same."""
    path = tmp_path / "rooms.csv"
    path.write_text("unique_name\n" + "".join(f"Room {number}\n" for number in range(100)))
    telnyx.script(Fault(status=422), times=5, operation="CreateRoom")
    process = start("rooms", "import", str(path))
    assert process.stdout is not None
    assert process.stderr is not None
    process.stderr.close()
    assert process.stdout.read() == "created 95 of 100 rooms, 5 failed\n"
    assert process.wait() == 1
    assert len(telnyx.rooms) == 95


@pytest.mark.parametrize("command", ["rooms list", "rooms list --json", "demo"])
def test_head(environment: dict[str, str], telnyx: Emulator, command: str) -> None:
    """A pipe to head shows the first line, and no traceback."""
    telnyx.seed(1000)
    line = f"'{sys.executable}' -m telnyx_rooms_async {command} | head -n 1"
    result = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.count("\n") == 1
    assert result.stderr == ""


@pytest.mark.parametrize("command", ["rooms list", "rooms list --json"])
def test_no_stdout_at_all(environment: dict[str, str], telnyx: Emulator, command: str) -> None:
    """A program without a stdout has nobody to print for, and ends well."""
    telnyx.seed(1)
    line = f"exec '{sys.executable}' -m telnyx_rooms_async {command} >&-"
    result = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True, check=True)
    assert result.stderr == ""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk(environment: dict[str, str], telnyx: Emulator, unbuffered: str) -> None:
    """What cannot be written is an error in one line."""
    telnyx.seed(1)
    line = f"exec '{sys.executable}' -m telnyx_rooms_async rooms list >/dev/full"
    settings = environment | {"PYTHONUNBUFFERED": unbuffered}
    result = subprocess.run(["sh", "-c", line], env=settings, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (1, "error: No space left on device\n")
