"""``telnyx-rooms tokens``: what is printed, where a secret comes from, and where none may be."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from telnyx_rooms_async import Room
from telnyx_rooms_async.cli import app
from telnyx_rooms_async.emulator import Emulator

Run = Callable[..., Result]
Table = Callable[..., list[list[str]]]
Objects = Callable[..., list[Any]]
Terminal = Callable[..., str]

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def room(telnyx: Emulator) -> Room:
    """One room."""
    telnyx.seed(1)
    return telnyx.rooms[0]


@pytest.fixture
def secret(objects: Objects, telnyx: Emulator, room: Room) -> str:
    """A refresh token of the room."""
    (token,) = objects("tokens", "create", room.id)
    telnyx.requests.clear()
    refresh_token = token["refresh_token"]
    assert isinstance(refresh_token, str)
    return refresh_token


# --- what is printed ----------------------------------------------------------------------------------------


def test_create(table: Table, objects: Objects, room: Room) -> None:
    """A token, its refresh token and when they expire are printed, as a table and as JSON."""
    token, expires, refresh_token, refresh_expires = table("tokens", "create", room.id)
    assert [token[0], refresh_token[0]] == ["token", "refresh_token"]
    assert len({token[1], refresh_token[1]}) == 2
    assert expires == ["token_expires_at", "2021-04-25T13:55:06Z"]
    assert refresh_expires == ["refresh_token_expires_at", "2021-04-25T14:45:06Z"]
    (in_json,) = objects("tokens", "create", room.id)
    assert list(in_json) == [
        "token",
        "token_expires_at",
        "refresh_token",
        "refresh_token_expires_at",
    ]


def test_refresh(table: Table, objects: Objects, room: Room, secret: str) -> None:
    """A refresh prints the next token, and not the refresh token."""
    token, expires = table("tokens", "refresh", room.id, TELNYX_REFRESH_TOKEN=secret)
    assert token[0] == "token"
    assert expires == ["token_expires_at", "2021-04-25T13:55:06Z"]
    (in_json,) = objects("tokens", "refresh", room.id, TELNYX_REFRESH_TOKEN=secret)
    assert list(in_json) == ["token", "token_expires_at"]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_token_is_printed_once(
    run: Run, room: Room, caplog: pytest.LogCaptureFixture, form: list[str]
) -> None:
    """The token stands on stdout once, and neither on stderr nor in the log."""
    caplog.set_level(logging.DEBUG)
    result = run("tokens", "create", room.id, *form)
    words = result.stdout.replace('"', " ").split()
    for secret in (word for word in words if len(word) > 60):
        assert result.stdout.count(secret) == 1
        assert secret not in result.stderr + caplog.text
    assert len([word for word in words if len(word) > 60]) == 2


def test_a_token_is_not_folded(at_terminal: Terminal, room: Room) -> None:
    """At a terminal each field is one line, however long: what is copied is whole."""
    shown = at_terminal("tokens", "create", room.id, columns=40, plain=False)
    assert [line.split()[0] for line in shown.splitlines()] == [
        "\x1b[1mtoken",
        "\x1b[1mtoken_expires_at",
        "\x1b[1mrefresh_token",
        "\x1b[1mrefresh_token_expires_at",
    ]


# --- what is sent -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "body"),
    [
        ([], {}),
        (["--token-ttl-secs", "60"], {"token_ttl_secs": 60}),
        (["--refresh-token-ttl-secs", "90"], {"refresh_token_ttl_secs": 90}),
    ],
)
def test_create_sends_what_is_given(
    run: Run, telnyx: Emulator, room: Room, options: list[str], body: dict[str, object]
) -> None:
    """A token is asked for with what is given, and with nothing else."""
    assert run("tokens", "create", room.id, *options).exit_code == 0
    (request,) = telnyx.requests
    assert request.path == f"/v2/rooms/{room.id}/actions/generate_join_client_token"
    assert request.json == body


@pytest.mark.parametrize(
    "given", [([], {}), (["--token-ttl-secs", "60"], {"token_ttl_secs": 60})], ids=["nothing", "a time"]
)
def test_refresh_sends_the_variable(
    run: Run, telnyx: Emulator, room: Room, secret: str, given: tuple[list[str], dict[str, object]]
) -> None:
    """The refresh token of the environment is sent with what is given."""
    options, body = given
    result = run("tokens", "refresh", room.id, *options, TELNYX_REFRESH_TOKEN=secret)
    assert result.exit_code == 0
    (request,) = telnyx.requests
    assert request.path == f"/v2/rooms/{room.id}/actions/refresh_client_token"
    assert request.json == {"refresh_token": secret, **body}


@pytest.mark.parametrize("end", ["\n", "", "\r\nmore\n"])
def test_refresh_sends_the_first_line_of_stdin(
    telnyx: Emulator, account: dict[str, str], room: Room, secret: str, end: str
) -> None:
    """With - the refresh token is the first line of stdin, before that of the environment."""
    env = {**account, "TELNYX_REFRESH_TOKEN": "another"}
    result = CliRunner().invoke(app, ["tokens", "refresh", room.id, "-"], input=secret + end, env=env)
    assert (result.exit_code, result.stderr) == (0, "")
    assert [request.json for request in telnyx.requests] == [{"refresh_token": secret}]


def test_refresh_asks_at_a_terminal(at_terminal: Terminal, telnyx: Emulator, room: Room, secret: str) -> None:
    """At a terminal the refresh token is asked for, and not shown as it is typed."""
    shown = at_terminal("tokens", "refresh", room.id, "-", typed=f"{secret}\n".encode())
    assert shown.startswith("Refresh token: \ntoken ")
    assert secret not in shown
    assert [request.json for request in telnyx.requests] == [{"refresh_token": secret}]


# --- errors -------------------------------------------------------------------------------------------------

ABSENT = "error: no refresh token: set TELNYX_REFRESH_TOKEN, or pass - and send it on stdin\n"


@pytest.mark.parametrize(("options", "variable"), [([], ""), (["-"], "set"), ([], " ")])
def test_no_refresh_token(run: Run, telnyx: Emulator, room: Room, options: list[str], variable: str) -> None:
    """Without a refresh token it is said where one belongs."""
    result = run("tokens", "refresh", room.id, *options, TELNYX_REFRESH_TOKEN=variable)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", ABSENT)
    assert telnyx.requests == []


def test_no_refresh_token_is_typed(at_terminal: Terminal, room: Room) -> None:
    """Ctrl-D at the prompt is no refresh token."""
    shown = at_terminal("tokens", "refresh", room.id, "-", columns=120, typed=b"\x04")
    assert shown.endswith(ABSENT)
    assert "Traceback" not in shown


def test_no_stdin_at_all(environment: dict[str, str], room: Room) -> None:
    """A program without a stdin has no refresh token there."""
    line = f"exec '{sys.executable}' -m telnyx_rooms_async tokens refresh {room.id} - <&-"
    result = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (1, ABSENT)


def test_a_refresh_token_on_the_command_line(run: Run, telnyx: Emulator, room: Room) -> None:
    """A refresh token on the command line is refused, and not repeated."""
    result = run("tokens", "refresh", room.id, "hunter2")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "a refresh token must not be an argument: set TELNYX_REFRESH_TOKEN, or pass -" in result.stderr
    assert "hunter2" not in result.stderr
    assert telnyx.requests == []


def test_a_refusal_does_not_show_the_refresh_token(run: Run, room: Room) -> None:
    """A refresh token that is refused appears nowhere."""
    result = run("tokens", "refresh", room.id, TELNYX_REFRESH_TOKEN="hunter2")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: 403 ")
    assert "hunter2" not in result.output


def test_a_refresh_token_that_is_no_text(start: Callable[..., subprocess.Popen[str]], room: Room) -> None:
    """Bytes that are no text are a wrong argument, and are not shown."""
    process = start("tokens", "refresh", room.id, TELNYX_REFRESH_TOKEN=os.fsdecode(b"hunter2\xff"))
    out, err = process.communicate()
    assert (process.returncode, out) == (2, "")
    assert err == "error: refresh_token must be a non-empty Unicode string\n"


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (["create", NOBODY], 1, "404 Resource not found"),
        (["create", NOBODY, "--token-ttl-secs", "9"], 2, "token_ttl_secs must be an int from 10 to 3600"),
        (
            ["create", NOBODY, "--refresh-token-ttl-secs", "59"],
            2,
            "refresh_token_ttl_secs must be an int from 60 to 86400",
        ),
        (["create", "../x"], 2, "room_id must be a Telnyx id"),
    ],
)
def test_a_token_that_cannot_be(run: Run, command: list[str], code: int, words: str) -> None:
    """What Telnyx or the library refuses is one line on stderr."""
    result = run("tokens", *command)
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith(f"error: {words}")
    assert result.stderr.count("\n") == 1
