"""Errors: exit codes, one line on stderr, and never a traceback."""

import errno
import logging
import signal
import socket
import sys

import pytest
import typer
from typer.testing import CliRunner

from telnyx_rooms_async import cli
from telnyx_rooms_async.__main__ import main
from telnyx_rooms_async.cli import app
from telnyx_rooms_async.cli.runner import exit_codes
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.command_line import UNKNOWN_ID, Run, Start, Terminal
from tests.helpers.processes import INTERRUPTIBLE


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (f"rooms retrieve {UNKNOWN_ID}", "404 Resource not found"),
        (f"rooms delete {UNKNOWN_ID} --json", "404 Resource not found"),
        (f"rooms sessions {UNKNOWN_ID}", "404 Resource not found"),
        (f"sessions kick {UNKNOWN_ID} --all", "404 Resource not found"),
        (f"compositions wait {UNKNOWN_ID}", "404 Resource not found"),
        (f"tokens create {UNKNOWN_ID}", "404 Resource not found"),
        (f"compositions create {UNKNOWN_ID}", "422 "),
        ("rooms list --base-url http://api.example.com", ""),
    ],
)
def test_refused_call_is_one_line(run: Run, command: str, message: str) -> None:
    result = run(*command.split())
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: {message}")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("rooms create --max-participants 99", "max_participants must be an int from 2 to 50, not 99"),
        ("rooms retrieve ../rooms", "room_id must be a Telnyx id"),
        ("rooms list --page-size 251", "page_size must be an int from 1 to 250"),
        ("rooms list --created-at 2021-05-01..2021-04-01", "created_at matches nothing"),
        (f"rooms wait-for-session {UNKNOWN_ID} --timeout=-1", "timeout must"),
        (f"tokens create {UNKNOWN_ID} --token-ttl-secs 9", "token_ttl_secs must be an int from 10 to 3600"),
        ("recordings list --duration-secs 120..60", "duration_secs matches nothing"),
        ("recordings delete-matching", "at least one filter must be given"),
        ("reports usage --price-per-minute cheap", "a price must be 0 or more"),
        ("reports usage --journal file", "a journal needs the first day"),
        (f"compositions create {UNKNOWN_ID} --resolution 1281x720", "resolution must"),
        (f"compositions create {UNKNOWN_ID} --region left:sources=", "video_layout"),
    ],
)
def test_invalid_value_is_one_line_and_nothing_is_sent(
    run: Run, telnyx: Emulator, command: str, message: str
) -> None:
    result = run(*command.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {message}")
    assert result.stderr.count("\n") == 1
    assert telnyx.requests == []


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("rooms list --created-at yesterday", "or a range YYYY-MM-DD..YYYY-MM-DD, got 'yesterday'"),
        ("rooms list --created-at 2021-04-31", "got '2021-04-31'"),
        ("rooms list --created-at 2021-04-01..soon", "got 'soon'"),
        ("rooms list --updated-at ..", "a range needs a first or a last value"),
        ("rooms list --limit 0", "--limit"),
        ("rooms list --colour", "--colour"),
        ("rooms list --api-key KEY", "--api-key"),
        ("rooms retrieve", "ROOM_ID"),
        (f"rooms update {UNKNOWN_ID}", "pass at least one field to change"),
        (f"rooms update {UNKNOWN_ID} --clear unique-name", "'unique-name' is not one of"),
        (
            f"rooms update {UNKNOWN_ID} --clear webhook-timeout-secs --webhook-timeout-secs 5",
            "--webhook-timeout-secs and --clear webhook-timeout-secs cannot be combined",
        ),
        ("rooms dance", "dance"),
        (f"sessions kick {UNKNOWN_ID}", "pass ids of participants, or --all"),
        (f"sessions mute {UNKNOWN_ID} x --all", "ids of participants and --all cannot be combined"),
        (f"sessions unmute {UNKNOWN_ID} x --exclude y", "--exclude can only be used with --all"),
        (
            "recordings list --duration-secs long",
            "must be a number such as 90 or a range 60..120, got 'long'",
        ),
        ("recordings list --duration-secs 60..long", "got 'long'"),
        ("recordings list --duration-secs 1.5", "got '1.5'"),
        ("recordings list --duration-secs ..", "a range needs a first or a last value"),
        (f"compositions create {UNKNOWN_ID} --region left", "must be NAME:x=N,"),
        (f"compositions create {UNKNOWN_ID} --region :x=1", "got ':x=1'"),
        (f"compositions create {UNKNOWN_ID} --region left:x=wide", "x must be a number, got 'wide'"),
        (f"compositions create {UNKNOWN_ID} --region left:x", "x must be a number, got ''"),
        (f"compositions create {UNKNOWN_ID} --region left:colour=1", "'colour' is not a field of a region"),
        (f"compositions create {UNKNOWN_ID} --region left:x=1,x=2", "x is given twice"),
        (
            f"compositions create {UNKNOWN_ID} --region left:x=1 --region left:x=2",
            "two regions have the same name",
        ),
        (f"recordings download {UNKNOWN_ID} - --json", "--json and the target - cannot be combined"),
        ("reports usage --since yesterday", "must be YYYY-MM-DD, got 'yesterday'"),
        ("reports usage --by weekday", ": 'weekday' is not one of 'day', 'month', 'room'"),
        ("rooms export -", "a stream does not show the format"),
        (
            "rooms export rooms",
            "the name rooms does not show the format: use --format csv or",
        ),
        ("rooms export - --format csv --json", "--json and the target - cannot be combined"),
        ("rooms export rooms.ndjson --bom", "--bom can only be used with CSV"),
        ("rooms import -", "a stream does not show the format"),
        ("rooms import - --format csv --journal x", "--journal cannot be used with stdin"),
        ("rooms import rooms.csv --key-rotated", "--key-rotated can only be used with --journal"),
        ("rooms import rooms.csv --concurrency 0", "--concurrency"),
        ("rooms import rooms.csv --delimiter ab", "must be one character such as , or ;"),
        ('rooms import rooms.csv --delimiter "', "must be one character such as , or ;"),
        ("rooms import rooms.ndjson --delimiter ;", "--delimiter can only be used with CSV"),
        ("rooms import rooms.csv.gz", "is compressed: decompress it first"),
        (
            "rooms apply a.csv --skip-invalid --prune --dry-run",
            "--skip-invalid and --prune cannot be combined",
        ),
        ("rooms apply a.csv --yes --max-deletes 1", "--max-deletes can only be used with --prune"),
        ("rooms apply a.csv", "there is no terminal to ask for confirmation: use --yes"),
        ("rooms delete --all --everything", "there is no terminal to ask for confirmation: use --yes"),
        ("rooms delete --all --yes", "--all needs a filter, or else --everything"),
        ("rooms delete --all --yes --everything --unique-name x", "--all needs a filter, or else"),
        ("rooms delete x --all --everything --yes", "ROOM_ID and --all cannot be combined"),
        ("rooms delete x --everything", "options for many rooms can only be used with --all"),
        ("rooms delete x --concurrency 1", "options for many rooms can only be used with --all"),
        ("rooms delete x --expect 1", "options for many rooms can only be used with --all"),
        ("rooms delete --unique-name x --yes", "options for many rooms can only be used with --all"),
        ("rooms delete", "pass a ROOM_ID, or --all with a filter"),
    ],
)
def test_wrong_usage_shows_the_usage_and_nothing_is_sent(
    run: Run, telnyx: Emulator, command: str, message: str
) -> None:
    result = run(*command.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert "Usage: " in result.stderr
    assert telnyx.requests == []


def test_missing_key_is_explained() -> None:
    result = CliRunner().invoke(app, ["rooms", "list"])
    message = "error: no API key: set TELNYX_API_KEY (`telnyx-rooms demo` needs none)\n"
    assert (result.exit_code, result.stderr) == (1, message)


def test_refused_key_is_not_shown(run: Run) -> None:
    result = run("rooms", "list", TELNYX_API_KEY="KEYsecret")
    assert result.exit_code == 1
    assert "401 Authentication failed" in result.stderr
    assert "KEYsecret" not in result.output


# --- interruptions ------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> socket.socket:
    """A listening socket. The test writes its responses."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(120)
    return listening


def url_of(server: socket.socket) -> str:
    return f"http://127.0.0.1:{server.getsockname()[1]}"


def test_ctrl_c_ends_a_list_quietly_after_the_lines_of_its_first_page(
    start: Start, server: socket.socket
) -> None:
    process = start("rooms", "list", "--json", program=INTERRUPTIBLE, TELNYX_BASE_URL=url_of(server))
    with server, server.accept()[0] as connection:
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


def test_ctrl_c_while_starting_is_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", interrupt)
    with pytest.raises(SystemExit) as end:
        main()
    assert (end.value.code, *capsys.readouterr()) == (130, "", "")


@pytest.mark.parametrize("code", [0, 130])
def test_exit_code_of_an_interruption(code: int) -> None:
    with pytest.raises(typer.Exit) as end, exit_codes(interrupted=code):
        raise KeyboardInterrupt
    assert end.value.exit_code == code


def test_os_error_without_stdout_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(typer.Exit) as end, exit_codes():
        raise OSError(errno.EIO, "Input/output error")
    assert (end.value.exit_code, capsys.readouterr().err) == (1, "error: Input/output error\n")


def test_retries_are_printed_at_a_terminal_only(at_terminal: Terminal, run: Run) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # refuses connections, as it does not listen
        url = url_of(silent)
        *retries, last = at_terminal("rooms", "list", columns=200, TELNYX_BASE_URL=url).splitlines()
        assert len(retries) == 2
        assert all("GET /rooms: attempt" in line for line in retries)
        assert last.startswith("error: could not connect after 3 attempts")
        result = run("rooms", "list", TELNYX_BASE_URL=url)
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1)


def test_log_handlers_are_removed(run: Run) -> None:
    before = list(logging.getLogger("telnyx_rooms_async").handlers)
    run("rooms", "list")
    assert logging.getLogger("telnyx_rooms_async").handlers == before
