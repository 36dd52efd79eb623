"""An emulator in a thread, and ways to run a command: in this process, at a terminal, as a program."""

import asyncio
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from functools import partial
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner

from telnyx_rooms_async import Clock, Room, RoomParticipant, RoomsClient
from telnyx_rooms_async.cli import app
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock
from tests.helpers.command_line import Objects, Run, Shell, SmallDisk, Start, Table, Terminal, Turn

PROGRAM = (sys.executable, "-W", "error::ResourceWarning", "-m", "telnyx_rooms_async")
# Variables that change what a program prints, or how it sees its terminal.
DECORATION = {
    "COLUMNS",
    "FORCE_COLOR",
    "GITHUB_ACTIONS",
    "LINES",
    "NO_COLOR",
    "PY_COLORS",
    "PYTHONDEVMODE",
    "PYTHONIOENCODING",
    "PYTHONUNBUFFERED",
    "TERM",
    "TTY_COMPATIBLE",
}


@pytest.fixture
def watch() -> FakeClock:
    return FakeClock(datetime(2021, 4, 25, 13, 45, 6, 500_000, tzinfo=UTC).timestamp())


@pytest.fixture
def telnyx(watch: FakeClock) -> Iterator[Emulator]:
    """An emulator in a thread of its own: every command has its own event loop."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    emulator = Emulator(clock=watch)
    asyncio.run_coroutine_threadsafe(emulator.__aenter__(), loop).result()
    yield emulator
    asyncio.run_coroutine_threadsafe(emulator.__aexit__(None, None, None), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def turn(watch: FakeClock) -> Turn:
    return lambda seconds: watch.advance(seconds=seconds)


@pytest.fixture
def account(telnyx: Emulator) -> dict[str, str]:
    return {"TELNYX_API_KEY": telnyx.api_key, "TELNYX_BASE_URL": telnyx.url}


@pytest.fixture
def run(account: dict[str, str]) -> Run:
    return lambda *args, stdin=None, **env: CliRunner().invoke(
        app, args, input=stdin, env={**account, **env}, catch_exceptions=False
    )


@pytest.fixture
def table(run: Run) -> Table:
    def table(*args: str, **env: str) -> list[list[str]]:
        result = run(*args, **env)
        assert (result.exit_code, result.stderr) == (0, "")
        return [[cell.strip() for cell in line.split("  ") if cell] for line in result.stdout.splitlines()]

    return table


@pytest.fixture
def objects(run: Run) -> Objects:
    def objects(*args: str, **env: str) -> list[Any]:
        result = run(*args, "--json", **env)
        assert (result.exit_code, result.stderr) == (0, "")
        return [json.loads(line) for line in result.stdout.splitlines()]

    return objects


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries of commands in this process do not wait: the length of a pause is random."""
    create = partial(RoomsClient.from_settings, clock=Clock(random=lambda: 0.0))
    monkeypatch.setattr(RoomsClient, "from_settings", staticmethod(create))


# --- what is on the emulator --------------------------------------------------------------------------------


@pytest.fixture
def room(telnyx: Emulator) -> Room:
    telnyx.seed(1)
    return telnyx.rooms[0]


@pytest.fixture
def alice(telnyx: Emulator) -> RoomParticipant:
    """A participant of a session that is recorded."""
    room = telnyx.create_room("Room 1", enable_recording=True)
    return telnyx.join(room.id, context="Alice")


@pytest.fixture
def ids(objects: Objects, telnyx: Emulator, turn: Turn, alice: RoomParticipant) -> list[str]:
    """The ids of an audio and a video recording of one minute, completed."""
    turn(60)
    telnyx.leave(alice.id)
    turn(5)
    recordings = [recording["id"] for recording in objects("recordings", "list")]
    telnyx.requests.clear()
    return recordings


# --- terminals ----------------------------------------------------------------------------------------------


class _Terminal:
    """A pseudo-terminal. `typed` is sent at the first prompt."""

    def __init__(self, columns: int, typed: bytes) -> None:
        self._leader, self.follower = pty.openpty()
        fcntl.ioctl(self.follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        self._typed = typed
        self._shown = b""
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with suppress(OSError):  # Linux raises EIO when the other side is closed
            while piece := os.read(self._leader, 65536):
                self._shown += piece
                if self._typed and self._shown.endswith(b": "):
                    os.write(self._leader, self._typed)
                    self._typed = b""

    def close(self, *, plain: bool) -> str:
        """Close the terminal, and return what it shows, without styles if `plain`."""
        os.close(self.follower)
        self._reader.join()
        os.close(self._leader)
        text = self._shown.decode().replace("\r\n", "\n")
        return re.sub(r"\x1b\[[0-9;]*m", "", text) if plain else text


@pytest.fixture
def at_terminal(account: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    def run(*args: str, columns: int = 80, plain: bool = True, typed: bytes = b"", **env: str) -> str:
        terminal = _Terminal(columns, typed)
        variables = {**account, "TERM": "xterm-256color", "COLUMNS": str(columns), **env}
        with monkeypatch.context() as patch, ExitStack() as streams:
            for name in DECORATION:
                patch.delenv(name, raising=False)
            for name, value in variables.items():
                patch.setenv(name, value)
            for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
                stream = open(terminal.follower, mode, closefd=False, encoding="utf-8")  # noqa: SIM115 - closed later
                patch.setattr(sys, name, streams.enter_context(stream))
            with suppress(SystemExit):
                app(args)
        return terminal.close(plain=plain)

    return run


# --- the program --------------------------------------------------------------------------------------------


@pytest.fixture
def environment(account: dict[str, str]) -> dict[str, str]:
    """All variables of a program that uses the emulator."""
    return {name: value for name, value in os.environ.items() if name not in DECORATION} | account


@pytest.fixture
def program_at_terminal(environment: dict[str, str]) -> Terminal:
    """Run the program at a terminal of its own, which it can open as ``/dev/tty``."""

    def run(*args: str, typed: bytes = b"", **env: str) -> str:
        terminal = _Terminal(120, typed)
        variables = environment | {"TERM": "xterm-256color"} | env
        subprocess.run(
            [*PROGRAM, *args],
            stdin=terminal.follower,
            stdout=terminal.follower,
            stderr=terminal.follower,
            env=variables,
            start_new_session=True,
            check=False,
        )
        return terminal.close(plain=True)

    return run


@pytest.fixture
def shell(environment: dict[str, str]) -> Shell:
    """Run a line of a shell in which ``$program`` is the program."""

    def run(line: str, **env: str) -> subprocess.CompletedProcess[str]:
        variables = environment | {"python": sys.executable} | env
        line = line.replace("$program", '"$python" -m telnyx_rooms_async')
        return subprocess.run(["sh", "-c", line], env=variables, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def on_a_small_disk(environment: dict[str, str]) -> SmallDisk:
    """Run the program where no file grows beyond a number of blocks of 512 bytes."""

    def run(blocks: int, *args: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        command = ["sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh", *PROGRAM, *args]
        # The data files of coverage are larger.
        variables = {name: value for name, value in environment.items() if not name.startswith("COVERAGE")}
        return subprocess.run(
            command, env=variables, input=typed, capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Start]:
    """Start the program with pipes. It is killed at the end of the test."""
    processes: list[subprocess.Popen[str]] = []

    def start(*args: str, program: tuple[str, ...] = PROGRAM, **env: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*program, *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=environment | env,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()
