"""How commands end: exit codes, one line for an error, and never a traceback."""

import errno
import logging
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import typer
from typer.testing import CliRunner, Result

import telnyx_rooms_async
from telnyx_rooms_async.cli import app
from telnyx_rooms_async.cli.runner import exit_codes
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.processes import INTERRUPTIBLE, MAIN

Run = Callable[..., Result]
Start = Callable[..., subprocess.Popen[str]]
Terminal = Callable[..., str]

NOBODY = "00000000-0000-4000-8000-000000000000"


# --- errors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["retrieve", NOBODY], "404 Resource not found"),
        (["update", NOBODY, "--max-participants", "3"], "404 Resource not found"),
        (["delete", NOBODY], "404 Resource not found"),
        (["delete", NOBODY, "--json"], "404 Resource not found"),
        (["sessions", NOBODY], "404 Resource not found"),
        (
            ["create", "--unique-name", "Room 1"],
            "422 Unprocessable Entity: unique_name has already been taken",
        ),
        (["list", "--base-url", "http://api.example.com"], "use https://"),
        (["list", "--base-url", ""], "must begin with https://"),
    ],
)
def test_a_refusal(run: Run, telnyx: Emulator, command: list[str], words: str) -> None:
    """What the library raises is one line on stderr and the exit code 1."""
    telnyx.seed(1)
    result = run("rooms", *command)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: ")
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["create", "--max-participants", "99"], "max_participants must be an int from 2 to 50, not 99"),
        (["create", "--webhook-event-url", "example.com"], "webhook_event_url must be a URL with its scheme"),
        (["update", NOBODY, "--unique-name", ""], "unique_name must be a non-empty"),
        (["retrieve", "../rooms"], "room_id must be a Telnyx id"),
        (["list", "--page-size", "251"], "page_size must be an int from 1 to 250"),
        (["list", "--created-at", "2021-05-01..2021-04-01"], "created_at matches nothing"),
    ],
)
def test_a_wrong_argument(run: Run, telnyx: Emulator, command: list[str], words: str) -> None:
    """A value out of its bounds is the exit code 2, and nothing is sent."""
    result = run("rooms", *command)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {words}")
    assert result.stderr.count("\n") == 1
    assert telnyx.requests == []


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            ["list", "--created-at", "yesterday"],
            "or a range YYYY-MM-DD..YYYY-MM-DD, got 'yesterday'",
        ),
        (["list", "--created-at", "2021-04-31"], "got '2021-04-31'"),
        (["list", "--created-at", "2021-04-01..soon"], "got 'soon'"),
        (["list", "--updated-at", ".."], "a range needs a first or a last value"),
        (["list", "--limit", "0"], "--limit"),
        (["list", "--colour"], "--colour"),
        (["retrieve"], "ROOM_ID"),
        (["update", NOBODY], "pass at least one field to change"),
        (["update", NOBODY, "--clear", "unique-name"], "'unique-name' is not one of"),
        (
            ["update", NOBODY, "--clear", "webhook-timeout-secs", "--webhook-timeout-secs", "5"],
            "--webhook-timeout-secs and --clear webhook-timeout-secs cannot be combined",
        ),
        (["dance"], "dance"),
    ],
)
def test_wrong_usage(run: Run, telnyx: Emulator, command: list[str], words: str) -> None:
    """A command line that makes no sense is the exit code 2, with a word on how to go on."""
    result = run("rooms", *command)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert "Usage: " in result.stderr
    assert telnyx.requests == []


def test_no_key() -> None:
    """Without a key it is said where one belongs, and where none is needed."""
    result = CliRunner().invoke(app, ["rooms", "list"])
    assert result.exit_code == 1
    assert result.stderr == "error: no API key: set TELNYX_API_KEY (`telnyx-rooms demo` needs none)\n"


def test_a_wrong_key_is_not_shown(run: Run) -> None:
    """A key that is refused appears nowhere."""
    result = run("rooms", "list", TELNYX_API_KEY="KEYsecret")
    assert result.exit_code == 1
    assert "401 Authentication failed" in result.stderr
    assert "KEYsecret" not in result.output


def test_no_option_takes_the_key(run: Run) -> None:
    """No command but emulate has an option for a key: a command line is no place for secrets."""
    assert run("rooms", "list", "--api-key", "KEY").exit_code == 2


# --- waiting ------------------------------------------------------------------------------------------------


@pytest.fixture
def deaf() -> Iterator[socket.socket]:
    """A listening socket that answers what the test makes it answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        yield server


def address_of(server: socket.socket) -> str:
    """Return the base URL of a listening socket."""
    return f"http://127.0.0.1:{server.getsockname()[1]}"


def test_ctrl_c_after_the_first_page(start: Start, deaf: socket.socket) -> None:
    """JSON lines arrive with their page, while the next is waited for; Ctrl-C then ends it quietly."""
    process = start("rooms", "list", "--json", program=INTERRUPTIBLE, TELNYX_BASE_URL=address_of(deaf))
    connection, _ = deaf.accept()
    with connection:
        connection.recv(65536)
        meta = b'{"page_number":1,"page_size":1,"total_pages":2,"total_results":2}'
        page = b'{"data":[{"id":"one"}],"meta":%s}' % meta
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page))
        connection.recv(65536)
        assert process.stdout is not None
        assert '"id":"one"' in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out, err) == (130, "", "")


def test_retries_are_told_at_a_terminal(at_terminal: Terminal, start: Start, deaf: socket.socket) -> None:
    """Who waits at a terminal is told why; a script reads the error only."""
    address = address_of(deaf)
    deaf.close()
    *waiting, last = at_terminal("rooms", "list", columns=200, TELNYX_BASE_URL=address).splitlines()
    assert len(waiting) == 2
    assert all("GET /rooms: attempt" in line for line in waiting)
    assert last.startswith("error: could not connect after 3 attempts")
    process = start("rooms", "list", TELNYX_BASE_URL=address)
    _, err = process.communicate()
    assert process.returncode == 1
    assert err.count("\n") == 1


def test_logging_is_left_as_it_was(run: Run) -> None:
    """A command run in process takes its log handler away again."""
    handlers = list(logging.getLogger("telnyx_rooms_async").handlers)
    run("rooms", "list")
    assert logging.getLogger("telnyx_rooms_async").handlers == handlers


@pytest.mark.parametrize("code", [0, 130])
def test_an_interrupt_has_the_exit_code_that_its_command_says(code: int) -> None:
    """Ctrl-C is an early end for most commands, and the normal one for some."""
    with pytest.raises(typer.Exit) as end, exit_codes(interrupted=code):
        raise KeyboardInterrupt
    assert end.value.exit_code == code


def test_no_stdout_to_give_up(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the system is one line also for a program without a stdout."""
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(typer.Exit) as end, exit_codes():
        raise OSError(errno.EIO, "Input/output error")
    assert (end.value.exit_code, capsys.readouterr().err) == (1, "error: Input/output error\n")


def test_an_interrupt_while_starting(start: Start) -> None:
    """Ctrl-C before any command runs is as quiet as later."""
    code = f"import telnyx_rooms_async.cli as cli\ndef app(): raise KeyboardInterrupt\ncli.app = app\n{MAIN}"
    process = start(program=(sys.executable, "-c", code))
    out, err = process.communicate()
    assert (process.returncode, out, err) == (130, "", "")


# --- the program --------------------------------------------------------------------------------------------


def test_python_m(start: Start, telnyx: Emulator) -> None:
    """The package runs as a program, and closes all it opened."""
    telnyx.seed(3)
    process = start("rooms", "list", "--json")
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert len(out.splitlines()) == 3


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_the_extra_is_missing(start: Start, missing: str) -> None:
    """Without the extra, one line says what to install."""
    process = start(program=(sys.executable, "-c", f"import sys; sys.modules[{missing!r}] = None; {MAIN}"))
    out, err = process.communicate()
    assert (process.returncode, out) == (2, "")
    assert err == "the command line needs the extra \"cli\": pip install 'telnyx-rooms-async[cli]'\n"


def test_something_else_is_missing(start: Start) -> None:
    """Another missing module is not blamed on the extra."""
    code = f"import sys; sys.modules['telnyx_rooms_async.emulator'] = None; {MAIN}"
    process = start(program=(sys.executable, "-c", code))
    _, err = process.communicate()
    assert process.returncode == 1
    assert "telnyx_rooms_async.emulator" in err
    assert "pip install" not in err


def test_the_library_needs_no_extra(start: Start) -> None:
    """Importing the library and the emulator imports neither typer nor rich."""
    imports = "import sys, telnyx_rooms_async, telnyx_rooms_async.emulator"
    code = f"{imports}; print({{'typer', 'rich'}} & set(sys.modules))"
    out, _ = start(program=(sys.executable, "-c", code)).communicate()
    assert out == "set()\n"


def test_version(run: Run) -> None:
    """The version is that of the package."""
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"telnyx-rooms {telnyx_rooms_async.__version__}\n")


@pytest.mark.parametrize(
    "command", [[], ["rooms"], ["rooms", "list"], ["rooms", "update"], ["demo"], ["emulate"]]
)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(run: Run, command: list[str], option: str) -> None:
    """Every command explains itself, within 80 columns and with the whole names of its options."""
    result = run(*command, option, COLUMNS="80")
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "…" not in result.stdout
    assert "..." not in result.stdout.replace("[ARGS]...", "")


def test_the_forms_of_a_date_filter_are_in_the_help(run: Run) -> None:
    """The help of a list shows each form that a date filter takes."""
    words = run("rooms", "list", "--help").stdout
    assert all(
        form in words for form in ("2021-04-25,", "2021-04-01..2021-04-30", "2021-04-01..,", "..2021-04-30.")
    )
