"""An emulator in a thread, and three ways to a command: in process, as a program, at a terminal."""

import asyncio
import fcntl
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

import pytest
from typer.testing import CliRunner, Result

from telnyx_rooms_async.cli import app
from telnyx_rooms_async.emulator import Emulator

NOW = datetime(2021, 4, 25, 13, 45, 6, 500_000, tzinfo=UTC)
PROGRAM = (sys.executable, "-W", "error::ResourceWarning", "-m", "telnyx_rooms_async")
# What would change how a program sees its terminal or its pipes.
DECORATION = {
    "COLUMNS",
    "FORCE_COLOR",
    "GITHUB_ACTIONS",
    "LINES",
    "NO_COLOR",
    "PY_COLORS",
    "PYTHONIOENCODING",
    "PYTHONUNBUFFERED",
    "TERM",
    "TTY_COMPATIBLE",
}


@pytest.fixture
def telnyx() -> Iterator[Emulator]:
    """A Telnyx in a thread of its own: the commands bring their own loop, and a test waits for them."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    emulator = Emulator(clock=lambda: NOW)
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
    return lambda *args, **env: CliRunner().invoke(app, args, env={**account, **env})


@pytest.fixture
def environment(account: dict[str, str]) -> dict[str, str]:
    """The whole environment of a program that talks to the emulator."""
    return {name: value for name, value in os.environ.items() if name not in DECORATION} | account


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
    """Run the program at a terminal of so many columns, and return what stands there then."""

    def run(*args: str, columns: int = 80, plain: bool = True, **env: str) -> str:
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        settings = environment | {"TERM": "xterm-256color"} | env
        command = [*PROGRAM, *args]
        with subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=settings):
            os.close(follower)
            shown = b"".join(iter(lambda: _read(leader), b""))
        os.close(leader)
        text = shown.decode().replace("\r\n", "\n")
        return re.sub(r"\x1b\[[0-9;]*m", "", text) if plain else text

    return run


def _read(leader: int) -> bytes:
    try:
        return os.read(leader, 65536)
    except OSError:  # how Linux tells that the other side has closed
        return b""
