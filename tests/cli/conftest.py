"""An emulator in a thread, and three ways to a command: in process, as a program, at a terminal."""

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
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from telnyx_rooms_async import RoomParticipant
from telnyx_rooms_async.cli import app
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.clocks import FakeClock

NOW = datetime(2021, 4, 25, 13, 45, 6, 500_000, tzinfo=UTC)
PROGRAM = (sys.executable, "-W", "error::ResourceWarning", "-m", "telnyx_rooms_async")
# What would change how a program sees its terminal or its pipes, or what it says there: Python that is being
# developed with has asyncio tell of each step that is slow.
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
    """The clock of the emulator."""
    return FakeClock(NOW.timestamp())


@pytest.fixture
def telnyx(watch: FakeClock) -> Iterator[Emulator]:
    """A Telnyx in a thread of its own: the commands bring their own loop, and a test waits for them."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)  # it must not outlive a test run that fails here
    thread.start()
    emulator = Emulator(clock=watch)
    asyncio.run_coroutine_threadsafe(emulator.__aenter__(), loop).result()
    yield emulator
    asyncio.run_coroutine_threadsafe(emulator.__aexit__(None, None, None), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def account(telnyx: Emulator) -> dict[str, str]:
    """The environment that leads to the emulator."""
    return {"TELNYX_API_KEY": telnyx.api_key, "TELNYX_BASE_URL": telnyx.url}


@pytest.fixture
def run(account: dict[str, str]) -> Callable[..., Result]:
    """Run a command in process."""
    return lambda *args, **env: CliRunner().invoke(app, args, env={**account, **env}, catch_exceptions=False)


@pytest.fixture
def table(run: Callable[..., Result]) -> Callable[..., list[list[str]]]:
    """Run a command that goes well, and read the table that it prints: columns stand two spaces apart."""

    def table(*args: str, **env: str) -> list[list[str]]:
        result = run(*args, **env)
        assert (result.exit_code, result.stderr) == (0, "")
        return [[cell.strip() for cell in line.split("  ") if cell] for line in result.stdout.splitlines()]

    return table


@pytest.fixture
def objects(run: Callable[..., Result]) -> Callable[..., list[Any]]:
    """Run a command that goes well with --json, and read one JSON value a line."""

    def objects(*args: str, **env: str) -> list[Any]:
        result = run(*args, "--json", **env)
        assert (result.exit_code, result.stderr) == (0, "")
        return [json.loads(line) for line in result.stdout.splitlines()]

    return objects


@pytest.fixture
def turn(watch: FakeClock) -> Callable[[float], None]:
    """Let so many seconds pass for the emulator."""
    return lambda seconds: watch.advance(seconds=seconds)


@pytest.fixture
def alice(objects: Callable[..., list[Any]], telnyx: Emulator) -> RoomParticipant:
    """Someone in a session that is recorded."""
    (room,) = objects("rooms", "create", "--enable-recording")
    return telnyx.join(room["id"], context="Alice")


@pytest.fixture
def ids(
    objects: Callable[..., list[Any]],
    telnyx: Emulator,
    turn: Callable[[float], None],
    alice: RoomParticipant,
) -> list[str]:
    """Her sound and her picture: a minute, and completed."""
    turn(60)
    telnyx.leave(alice.id)
    turn(5)
    found = [each["id"] for each in objects("recordings", "list")]
    telnyx.requests.clear()
    return found


@pytest.fixture
def environment(account: dict[str, str]) -> dict[str, str]:
    """The whole environment of a program that talks to the emulator."""
    return {name: value for name, value in os.environ.items() if name not in DECORATION} | account


@pytest.fixture
def on_a_small_disk(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the program where no file grows beyond so many blocks of 512 bytes."""

    def run(blocks: int, *args: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        command = ["sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh", *PROGRAM, *args]
        # The files of those who count what was covered grow further.
        own = {name: value for name, value in environment.items() if not name.startswith("COVERAGE")}
        return subprocess.run(command, env=own, input=typed, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the program with pipes; what still runs at the end of the test is killed."""
    with_pipes: list[subprocess.Popen[str]] = []

    def start(*args: str, program: tuple[str, ...] = PROGRAM, **env: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*program, *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=environment | env,
        )
        with_pipes.append(process)
        return process

    yield start
    for process in with_pipes:
        process.kill()
        process.communicate()


@pytest.fixture
def at_terminal(environment: dict[str, str]) -> Callable[..., str]:
    """Run the program at a terminal of so many columns, and return what stands there then.

    What is typed answers its first prompt.
    """

    def run(*args: str, columns: int = 80, plain: bool = True, typed: bytes = b"", **env: str) -> str:
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        settings = environment | {"TERM": "xterm-256color"} | env
        command = [*PROGRAM, *args]
        with subprocess.Popen(
            command,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env=settings,
            start_new_session=True,  # the terminal that the tests were started at is not for them
        ):
            os.close(follower)
            shown = b""
            while piece := _read(leader):
                shown += piece
                if typed and shown.endswith(b": "):
                    os.write(leader, typed)
                    typed = b""
        os.close(leader)
        text = shown.decode().replace("\r\n", "\n")
        return re.sub(r"\x1b\[[0-9;]*m", "", text) if plain else text

    return run


def _read(leader: int) -> bytes:
    try:
        return os.read(leader, 65536)
    except OSError:  # how Linux tells that the other side has closed
        return b""
