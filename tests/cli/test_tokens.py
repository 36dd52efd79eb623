"""``telnyx-rooms tokens``: what is printed, and where the refresh token is read from."""

import logging
import sys

import pytest

from telnyx_rooms_async import Room
from telnyx_rooms_async.cli import app
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.command_line import Objects, Run, Table, Terminal

MISSING = "error: no refresh token: set TELNYX_REFRESH_TOKEN, or pass - and send it on stdin\n"


@pytest.fixture
def secret(objects: Objects, telnyx: Emulator, room: Room) -> str:
    """A refresh token of the room."""
    (token,) = objects("tokens", "create", room.id)
    telnyx.requests.clear()
    return str(token["refresh_token"])


def test_create(table: Table, objects: Objects, room: Room) -> None:
    token, expires, refresh_token, refresh_expires = table("tokens", "create", room.id)
    assert [token[0], refresh_token[0]] == ["token", "refresh_token"]
    assert token[1] != refresh_token[1]
    assert expires == ["token_expires_at", "2021-04-25T13:55:06Z"]
    assert refresh_expires == ["refresh_token_expires_at", "2021-04-25T14:45:06Z"]
    (in_json,) = objects("tokens", "create", room.id)
    assert list(in_json) == ["token", "token_expires_at", "refresh_token", "refresh_token_expires_at"]


def test_refresh(table: Table, objects: Objects, room: Room, secret: str) -> None:
    token, expires = table("tokens", "refresh", room.id, TELNYX_REFRESH_TOKEN=secret)
    assert token[0] == "token"
    assert expires == ["token_expires_at", "2021-04-25T13:55:06Z"]
    (in_json,) = objects("tokens", "refresh", room.id, TELNYX_REFRESH_TOKEN=secret)
    assert list(in_json) == ["token", "token_expires_at"]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_token_is_printed_once_and_not_logged(
    run: Run, room: Room, caplog: pytest.LogCaptureFixture, form: list[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    result = run("tokens", "create", room.id, *form)
    tokens = [word for word in result.stdout.replace('"', " ").split() if len(word) > 60]
    assert len(tokens) == 2
    for token in tokens:
        assert result.stdout.count(token) == 1
        assert token not in result.stderr + caplog.text


def test_token_is_not_wrapped_at_a_terminal(at_terminal: Terminal, room: Room) -> None:
    shown = at_terminal("tokens", "create", room.id, columns=40, plain=False)
    assert [line.split()[0] for line in shown.splitlines()] == [
        "\x1b[1mtoken",
        "\x1b[1mtoken_expires_at",
        "\x1b[1mrefresh_token",
        "\x1b[1mrefresh_token_expires_at",
    ]


@pytest.mark.parametrize(
    ("options", "body"), [([], {}), (["--token-ttl-secs", "60"], {"token_ttl_secs": 60})]
)
def test_refresh_token_is_read_from_the_environment(  # noqa: PLR0917 - the fixtures and one case
    run: Run, telnyx: Emulator, room: Room, secret: str, options: list[str], body: dict[str, object]
) -> None:
    assert run("tokens", "refresh", room.id, *options, TELNYX_REFRESH_TOKEN=secret).exit_code == 0
    (request,) = telnyx.requests
    assert request.path == f"/v2/rooms/{room.id}/actions/refresh_client_token"
    assert request.json == {"refresh_token": secret, **body}


@pytest.mark.parametrize("end", ["\n", "", "\r\nmore\n"])
def test_refresh_token_is_read_from_the_first_line_of_stdin(
    run: Run, telnyx: Emulator, room: Room, secret: str, end: str
) -> None:
    result = run("tokens", "refresh", room.id, "-", stdin=secret + end, TELNYX_REFRESH_TOKEN="another")
    assert (result.exit_code, result.stderr) == (0, "")
    assert [request.json for request in telnyx.requests] == [{"refresh_token": secret}]


def test_refresh_token_is_typed_unseen_at_a_terminal(
    program_at_terminal: Terminal, telnyx: Emulator, room: Room, secret: str
) -> None:
    shown = program_at_terminal("tokens", "refresh", room.id, "-", typed=f"{secret}\n".encode())
    assert shown.startswith("Refresh token: \ntoken ")
    assert secret not in shown
    assert [request.json for request in telnyx.requests] == [{"refresh_token": secret}]


@pytest.mark.parametrize(("options", "variable"), [([], ""), (["-"], "set"), ([], " ")])
def test_missing_refresh_token(
    run: Run, telnyx: Emulator, room: Room, options: list[str], variable: str
) -> None:
    result = run("tokens", "refresh", room.id, *options, TELNYX_REFRESH_TOKEN=variable)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", MISSING)
    assert telnyx.requests == []


def test_missing_refresh_token_at_a_prompt(program_at_terminal: Terminal, room: Room) -> None:
    shown = program_at_terminal("tokens", "refresh", room.id, "-", typed=b"\x04")  # Ctrl-D
    assert shown.endswith(MISSING)
    assert "Traceback" not in shown


def test_missing_refresh_token_on_a_closed_stdin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(SystemExit) as end:
        app(["tokens", "refresh", "room", "-"])
    assert (end.value.code, capsys.readouterr().err) == (1, MISSING)


def test_refresh_token_is_refused_as_an_argument(run: Run, telnyx: Emulator, room: Room) -> None:
    result = run("tokens", "refresh", room.id, "hunter2")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "a refresh token must not be an argument: set TELNYX_REFRESH_TOKEN, or pass -" in result.stderr
    assert "hunter2" not in result.stderr
    assert telnyx.requests == []


def test_refused_refresh_token_is_not_shown(run: Run, room: Room) -> None:
    result = run("tokens", "refresh", room.id, TELNYX_REFRESH_TOKEN="hunter2")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: 403 ")
    assert "hunter2" not in result.output
