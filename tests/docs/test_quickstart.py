"""The quickstart of the README, run in an empty folder against the wheel and the emulator."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO

import pytest
from attrs import frozen

from telnyx_rooms_async.emulator import Fault, ThreadedEmulator
from tests.helpers.guides import read_files

TESTS = Path(__file__).parents[1]
FILES = TESTS / "docs" / "quickstart"

SUITE = "python -m pytest"
STRICTLY = "-W error -o asyncio_default_fixture_loop_scope=function"
"""Some versions of pytest-asyncio warn without the second option."""
PROGRAMS = {
    "main.py": "python -m uvicorn main:make_app --factory --port 0",
    "hooks.py": "python -m aiohttp.web hooks:make_app --hostname 127.0.0.1 --port 0",
    "import_rooms.py": "python import_rooms.py",
    "attendance.py": "python attendance.py",
}
"""The files of the guides with which a user starts, and the commands that run them."""


@frozen
class Shell:
    """Runs commands in a folder."""

    folder: Path
    environment: dict[str, str]

    def start(self, command: str, **variables: str) -> subprocess.Popen[str]:
        """Start a command."""
        program, *arguments = shlex.split(command)
        executable = shutil.which(program, path=self.environment["PATH"])
        assert executable is not None
        return subprocess.Popen(
            [executable, *arguments],
            cwd=self.folder,
            env=self.environment | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, command: str, **variables: str) -> str:
        """Run a command that succeeds; return its output."""
        process = self.start(command, **variables)
        out, err = process.communicate()
        assert process.returncode == 0, out + err
        return out

    @contextmanager
    def running(self, command: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
        """Run a command in the background; stop it with SIGTERM."""
        process = self.start(command, **variables)
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            process.communicate()
            assert process.returncode in (0, -signal.SIGTERM)  # uvicorn raises the signal again
        finally:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel in TELNYX_ROOMS_WHEEL, or one built from the working copy."""
    if path := os.environ.get("TELNYX_ROOMS_WHEEL"):
        return Path(path)
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=TESTS.parent, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of an environment with the wheel; the dependencies are those of the tests."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    subprocess.run([*pip, "install", "-q", "--no-deps", "--no-index", str(wheel)], check=True)
    own = sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)})
    (Path(own) / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def shell(environment: dict[str, str], tmp_path: Path) -> Shell:
    """A folder with the files of the quickstart."""
    for file in FILES.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    for name in PROGRAMS:
        (tmp_path / name).write_text(read_files()[name])
    return Shell(tmp_path, environment)


def test_the_installed_wheel_is_imported(shell: Shell) -> None:
    where = shell.run(
        "python -c 'import telnyx_rooms_async as package, sys; print(sys.prefix, package.__file__)'"
    )
    environment, module = where.split()
    assert Path(module).is_relative_to(environment)
    assert Path(environment) == Path(shell.environment["PATH"].split(os.pathsep)[0]).parent


def test_the_suite_of_the_web_app_passes(shell: Shell) -> None:
    assert " 3 passed in " in shell.run(f"{SUITE} {STRICTLY}")


def test_the_app_counts_rooms_that_the_command_line_imported(shell: Shell) -> None:
    with shell.running("telnyx-rooms emulate --port 0") as emulator:
        account = read_exports(emulator)
        assert shell.run("telnyx-rooms rooms import rooms.csv", **account) == "created 12 of 12 rooms\n"
        with shell.running("python app.py 0", **account) as app:
            url = read_url(app.stdout)
            assert urllib.request.urlopen(f"{url}/rooms").read() == b"12"
            with pytest.raises(urllib.error.HTTPError, match="400") as refused:
                urllib.request.urlopen(f"{url}/telnyx/", data=b"{}")
            refused.value.close()
        delete = "telnyx-rooms rooms delete --all --everything --expect 12 --yes"
        assert shell.run(delete, **account) == "deleted 12 rooms\n"
        assert shell.run("telnyx-rooms rooms list --json", **account) == ""


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_first_programs_are_short(name: str) -> None:
    lines = [line for line in read_files()[name].splitlines() if line and not line.startswith("#")]
    assert len(lines) <= 15


def test_a_killed_batch_resumes(shell: Shell, telnyx_emulator_server: ThreadedEmulator) -> None:
    account = read_account(telnyx_emulator_server)
    batch = PROGRAMS["import_rooms.py"]
    telnyx_emulator_server.inject(Fault(delay=0.05), operation="CreateRoom", times=None)
    process = shell.start(batch, **account)
    assert process.stdout is not None
    seen = [process.stdout.readline() for _ in range(5)]
    process.kill()
    process.communicate()
    *made, summary = shell.run(batch, **account).splitlines()
    assert all(line.startswith("created ") for line in seen + made)
    assert summary == f"{12 - len(made)} created before"
    assert len(made) <= 12 - len(seen)
    created = sorted(room.unique_name for room in telnyx_emulator_server.rooms)
    assert created == sorted(f"Ward {number}" for number in range(1, 13))
    telnyx_emulator_server.clear_faults()
    requests = len(telnyx_emulator_server.requests)
    assert shell.run(batch, **account) == "12 created before\n"
    assert len(telnyx_emulator_server.requests) == requests


def test_fastapi_returns_rooms(shell: Shell, telnyx_emulator_server: ThreadedEmulator) -> None:
    telnyx_emulator_server.seed(3)
    with shell.running(PROGRAMS["main.py"], **read_account(telnyx_emulator_server)) as app:
        rooms = json.load(urllib.request.urlopen(f"{read_url(app.stderr)}/rooms"))
    assert rooms == [room.to_dict() for room in telnyx_emulator_server.rooms]


def test_a_verified_webhook_is_handled(shell: Shell, telnyx_emulator_server: ThreadedEmulator) -> None:
    account = read_account(telnyx_emulator_server)
    with shell.running(PROGRAMS["hooks.py"], **account) as app:
        hook = f"{read_url(app.stdout)}/telnyx/"
        shell.run(f"telnyx-rooms rooms create --unique-name Weekly --webhook-event-url {hook}", **account)
        alice = telnyx_emulator_server.join(telnyx_emulator_server.rooms[0].id, context="Alice")
        telnyx_emulator_server.leave(alice.id)
        assert app.stdout is not None
        (line,) = islice((line for line in app.stdout if "ended" in line), 1)
        assert re.fullmatch(rf"{alice.session_id} ended after \d+ s\n", line)


def test_the_attendance_of_a_room_is_printed(shell: Shell, telnyx_emulator_server: ThreadedEmulator) -> None:
    telnyx_emulator_server.seed(1)
    room_id = telnyx_emulator_server.rooms[0].id
    for context in ("Alice", "Bob"):
        telnyx_emulator_server.join(room_id, context=context)
    account = read_account(telnyx_emulator_server)
    rows = shell.run(f"{PROGRAMS['attendance.py']} {room_id}", **account).splitlines()
    people = [row.split("|")[1].strip() for row in rows if "|" in row]
    assert [person for person in people if person in ("Alice", "Bob")] == ["Alice", "Bob"]


def read_exports(emulator: subprocess.Popen[str]) -> dict[str, str]:
    """Read the exported variables that an emulator prints."""
    assert emulator.stdout is not None
    lines = [shlex.split(emulator.stdout.readline()) for _ in range(3)]
    return dict(words[1].split("=", maxsplit=1) for words in lines if words[0] == "export")


def read_account(emulator: ThreadedEmulator) -> dict[str, str]:
    """Return the variables of programs that use an emulator of this process."""
    return {
        "TELNYX_API_KEY": emulator.api_key,
        "TELNYX_BASE_URL": emulator.url,
        "TELNYX_PUBLIC_KEY": emulator.public_key,
    }


def read_url(output: IO[str] | None) -> str:
    """Read the output of a server up to the line with its URL."""
    assert output is not None
    for line in output:
        if url := re.search(r"http://[\w.:]+", line):
            return url[0]
    raise AssertionError("the server did not start")
