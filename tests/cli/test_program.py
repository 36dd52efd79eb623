"""The program as a process: its extras, its help, and the streams that it writes to."""

import json
import sys
from inspect import signature
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import telnyx_rooms_async
from telnyx_rooms_async.__main__ import main
from telnyx_rooms_async.cli import app
from telnyx_rooms_async.emulator import Emulator, Fault
from telnyx_rooms_async.serialization import encode_json
from tests.helpers.command_line import ROOM_COLUMNS, Run, Shell, Start, Terminal


@pytest.fixture
def renamed(telnyx: Emulator) -> str:
    """The id of a room whose name has characters that a terminal obeys."""
    name = "\x1b[31m[red]\x7f\x9b31m\u202e\u2028Zoë 日本\n🎹\U000e0001"
    telnyx.create_room(name)
    return telnyx.rooms[0].id


# --- the program --------------------------------------------------------------------------------------------


def test_package_runs_as_a_program_and_closes_what_it_opened(start: Start, telnyx: Emulator) -> None:
    telnyx.seed(3)
    process = start("rooms", "list", "--json")
    out, err = process.communicate()
    assert (process.returncode, err, len(out.splitlines())) == (0, "", 3)


@pytest.mark.parametrize("missing", ["typer", "rich", "telnyx_rooms_async.serialization"])
def test_missing_extra_is_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    for name in [
        name for name in sys.modules if f"{name}.".startswith((f"{missing}.", "telnyx_rooms_async.cli."))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)  # it cannot be imported
    with pytest.raises((SystemExit, ModuleNotFoundError)) as end:
        main()
    if missing in {"typer", "rich"}:
        message = "the command line needs the extra \"cli\": pip install 'telnyx-rooms-async[cli]'\n"
        assert (end.value.args, capsys.readouterr().err) == ((2,), message)
    else:
        assert missing in str(end.value)


def test_only_what_is_needed_is_imported(start: Start) -> None:
    code = """if 1:
        import sys, telnyx_rooms_async, telnyx_rooms_async.emulator
        library = {"typer", "rich"} & set(sys.modules)
        del sys.modules["telnyx_rooms_async.emulator"]
        from telnyx_rooms_async.cli import app
        app(["rooms", "list"], standalone_mode=False)
        unused = {"telnyx_rooms_async.emulator", "cryptography", "matplotlib", "pyarrow"}
        print(library, unused & set(sys.modules))
    """
    out, _ = start(program=(sys.executable, "-c", code)).communicate()
    assert out.splitlines()[-1] == "set() set()"


@pytest.mark.skipif(
    "suggest_commands" not in signature(typer.Typer).parameters, reason="this Typer suggests no commands"
)
@pytest.mark.parametrize(("words", "command"), [(("roms",), "rooms"), (("rooms", "lst"), "list")])
def test_similar_command_is_suggested(run: Run, words: tuple[str, ...], command: str) -> None:
    result = run(*words)
    assert (result.exit_code, f"Did you mean '{command}'?" in result.stderr) == (2, True)


def test_options_before_the_command_are_those_of_the_client(run: Run, telnyx: Emulator) -> None:
    telnyx.inject(Fault(status=503))
    headers = ("--header", "X-Team: Video", "--header", "X-Region:eu")
    result = run(*headers, "--max-retries", "0", "rooms", "list")
    assert (result.exit_code, len(telnyx.requests)) == (1, 1)
    sent = telnyx.requests[0].headers
    assert (sent["x-team"], sent["x-region"]) == ("Video", "eu")


@pytest.mark.parametrize(
    ("header", "exit_code"), [("CANARY", 2), ("Authorization: CANARY", 1), ("X Team: CANARY", 1)]
)
def test_header_that_cannot_be_sent_is_refused_and_not_shown(
    run: Run, telnyx: Emulator, header: str, exit_code: int
) -> None:
    result = run("--header", header, "rooms", "list")
    assert (result.exit_code, telnyx.requests) == (exit_code, [])
    assert "header" in result.stderr
    assert "CANARY" not in result.stderr


def test_version(run: Run) -> None:
    assert run("--version").stdout == f"telnyx-rooms {telnyx_rooms_async.__version__}\n"


@pytest.mark.parametrize("command", [[], ["rooms"], ["recordings"], ["compositions"], ["demo"], ["emulate"]])
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_fits_80_columns(run: Run, command: list[str], option: str) -> None:
    result = run(*command, option, COLUMNS="80")
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "…" not in result.stdout
    assert "..." not in result.stdout.replace("[ARGS]...", "")


@pytest.mark.parametrize(
    ("words", "completions"),
    [
        ("ro", ["rooms"]),
        ("rooms im", ["import"]),
        ("rooms import --jo", ["--journal"]),
        ("rooms create --on-lost-response f", ["find", "find_then_resend"]),
    ],
)
def test_shell_completes_commands_and_options(shell: Shell, words: str, completions: list[str]) -> None:
    code = "import sys; sys.argv[0] = 'telnyx-rooms'; from telnyx_rooms_async.__main__ import main; main()"
    variables = {"COMP_WORDS": f"telnyx-rooms {words}", "COMP_CWORD": str(len(words.split()))}
    result = shell('"$python" -c "$code"', code=code, _TELNYX_ROOMS_COMPLETE="complete_bash", **variables)
    assert (result.stdout.splitlines(), result.stderr) == (completions, "")


# --- terminals ----------------------------------------------------------------------------------------------


def test_table_fits_the_terminal(at_terminal: Terminal, telnyx: Emulator) -> None:
    telnyx.seed(2)
    telnyx.join(telnyx.rooms[0].id)
    header, *rows, note, more = at_terminal("rooms", "list").splitlines()
    assert header.split() == ROOM_COLUMNS[:3]
    assert [row.split()[0] for row in rows] == [room.id for room in telnyx.rooms]
    assert note == "2 rooms; not shown: active_session_id, max_participants, enable_recording "[:79]
    assert more == "(--json has all)"
    for width, count in ((20, 1), (120, 4), (200, 6)):
        shown = at_terminal("rooms", "list", columns=width).splitlines()
        assert shown[0].split() == ROOM_COLUMNS[:count]
    assert shown[-1] == "2 rooms"


def test_long_name_is_wrapped_at_a_terminal(at_terminal: Terminal, telnyx: Emulator) -> None:
    telnyx.create_room("z" * 50)
    shown = at_terminal("rooms", "list")
    assert shown.count("z") == 50
    assert max(map(len, shown.splitlines())) <= 80


def test_empty_list_at_a_terminal(at_terminal: Terminal) -> None:
    assert at_terminal("rooms", "list") == "no rooms\n"


def test_styles_are_for_terminals(at_terminal: Terminal, run: Run, telnyx: Emulator) -> None:
    telnyx.seed(1)
    assert "\x1b[1m" in at_terminal("rooms", "list", plain=False)
    in_json = at_terminal("rooms", "list", "--json", plain=False).splitlines()
    assert [line[0] + line[-1] for line in in_json] == ["{}"]
    result = run("rooms", "list", FORCE_COLOR="1", COLUMNS="20")
    assert "\x1b" not in result.output
    assert result.stdout.splitlines()[0].split() == ROOM_COLUMNS
    assert [line for line in result.stdout.splitlines() if line != line.rstrip()] == []


def test_control_characters_are_escaped(run: Run, telnyx: Emulator, renamed: str) -> None:
    for command in (("rooms", "list"), ("rooms", "retrieve", renamed)):
        assert r"\x1b[31m[red]\x7f\x9b31m\u202e\u2028Zoë 日本\n🎹" in run(*command).stdout
    name = telnyx.rooms[0].unique_name
    token = json.dumps({"data": {"token": name, "refresh_token": name}}).encode()
    telnyx.inject(Fault(status=201, body=token), operation="CreateRoomClientToken")
    for command, field in ((("rooms", "list"), "unique_name"), (("tokens", "create", renamed), "token")):
        out = run(*command, "--json").stdout
        assert out.removesuffix("\n").isprintable()
        assert "Zoë 日本" in out
        assert json.loads(out)[field] == name


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_exported_names_are_escaped_only_at_a_terminal(
    run: Run, at_terminal: Terminal, telnyx: Emulator, renamed: str, kind: str
) -> None:
    command = ("rooms", "export", "-", "--format", kind)
    shown = at_terminal(*command, plain=False)
    assert renamed in shown
    assert r"\u001b[31m[red]\u007f\u009b31m\u202e\u2028Zoë 日本" in shown
    assert shown.replace("\n", "").isprintable()  # no bar either
    name = str(telnyx.rooms[0].unique_name)
    exact = encode_json(name).decode() if kind == "ndjson" else name
    assert exact in run(*command).stdout_bytes.decode()


def test_people_are_escaped_in_csv_only_at_a_terminal(
    run: Run, at_terminal: Terminal, telnyx: Emulator
) -> None:
    telnyx.seed(1)
    person = telnyx.join(telnyx.rooms[0].id, context="Mal\x1b[2Jlory\x9b")
    command = ("sessions", "attendance", str(person.session_id), "--csv")
    assert r"Mal\u001b[2Jlory\u009b" in at_terminal(*command, plain=False)
    assert "Mal\x1b[2Jlory\x9b" in run(*command).stdout


def test_file_name_is_escaped(at_terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("\x1b[2J.csv").write_text("unique_name\nDaily\n")
    shown = at_terminal("rooms", "import", "\x1b[2J.csv", "--dry-run", plain=False)
    assert r"checking \x1b[2J.csv" in shown
    assert r"\x1b[2J.csv would create 1 room" in shown
    assert "\x1b[2J" not in shown


# --- other streams ------------------------------------------------------------------------------------------


def test_stdout_without_the_characters_of_a_name(telnyx: Emulator, account: dict[str, str]) -> None:
    telnyx.create_room("日本")
    runner = CliRunner(charset="ascii", env=account)
    assert b"  ??" in runner.invoke(app, ["rooms", "list"]).stdout_bytes
    assert "日本".encode() in runner.invoke(app, ["rooms", "list", "--json"]).stdout_bytes


def test_closed_pipe_ends_the_program_quietly(shell: Shell, telnyx: Emulator) -> None:
    telnyx.seed(1000)  # more than a pipe holds
    result = shell('{ $program rooms list; echo "code $?" >&2; } | head -n 1')
    assert (result.stdout.count("\n"), result.stderr) == (1, "code 141\n")


def test_closed_stderr_does_not_end_a_job(start: Start, telnyx: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "rooms.csv"
    path.write_text("unique_name\n" + "".join(f"Room {number}\n" for number in range(100)))
    telnyx.inject(Fault(status=422), times=5, operation="CreateRoom")
    process = start("rooms", "import", str(path))
    assert process.stdout is not None
    assert process.stderr is not None
    process.stderr.close()
    assert process.stdout.read() == "created 95 of 100 rooms, 5 failed\n"
    assert process.wait() == 1
    assert len(telnyx.rooms) == 95


def test_program_without_stdout_succeeds(shell: Shell, telnyx: Emulator) -> None:
    telnyx.seed(1)
    result = shell("exec $program rooms list >&-")
    assert (result.returncode, result.stderr, len(telnyx.requests)) == (0, "", 1)


@pytest.mark.parametrize("command", ["--help", "--version", "rooms --help", "docs"])
def test_full_disk_behind_help_is_one_line(shell: Shell, command: str) -> None:
    result = shell(f"exec $program {command} >/dev/full")
    assert (result.returncode, result.stderr) == (1, "error: No space left on device\n")


def test_full_disk_behind_stdout_is_one_line(shell: Shell, telnyx: Emulator, tmp_path: Path) -> None:
    telnyx.seed(1)
    target = tmp_path / "rooms.csv"
    result = shell(f"exec $program rooms export {target} >/dev/full")
    assert (result.returncode, result.stderr) == (1, "error: No space left on device\n")
    assert target.exists()  # only its report could not be written
