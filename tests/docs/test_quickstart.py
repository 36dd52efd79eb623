"""A newcomer with the README alone: a web app that is tested and hears webhooks, and a batch of rooms.

The folder ``newcomer`` holds what they write. Here it is run in an empty folder, with the wheel in an
environment of its own, against the emulator. To write it they read five sections, some 1900 words, and type
some 1450 characters; other lines they copy. That is less than a quarter of an hour, and counted below.
"""

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
from pathlib import Path

import pytest
from attrs import frozen

TESTS = Path(__file__).parents[1]
FILES = TESTS / "docs" / "quickstart"
README = (TESTS.parent / "README.md").read_text()
SECTIONS = (
    "# telnyx-rooms-async",
    "Batch jobs",
    "Webhooks",
    "In your own tests",
    "Command line",
)
WORDS_A_MINUTE = 238
"""Who reads silently, on the average of the studies that Brysbaert (2019) gathered."""
CHARACTERS_A_MINUTE = 260
"""Who types, on the average of the 168 000 people of Dhakal and others (2018)."""

ROOMS = [f"Ward {number}" for number in range(1, 13)]
SUITE = "python -m pytest"
STRICTLY = "-W error -o asyncio_default_fixture_loop_scope=function"
"""Without an opinion on the second some versions of pytest-asyncio warn."""
BATCH = "python import_rooms.py"
LIST = "telnyx-rooms rooms list --json"
DELETE = "telnyx-rooms rooms delete --all --everything --expect 12 --yes"
IMPORT = "telnyx-rooms rooms import rooms.csv"
EMULATE = "telnyx-rooms emulate --port 0"
SERVE = "python app.py 0"
INSTALL = "pip install 'telnyx-rooms-async[cli,webhooks]' pytest pytest-asyncio"
COMMANDS = (
    "python3 -m venv .venv",
    ". .venv/bin/activate",
    INSTALL,
    SUITE,
    EMULATE,
    BATCH,
    LIST,
    IMPORT,
    SERVE,
)


@frozen
class Newcomer:
    """Types commands in a folder."""

    folder: Path
    environment: dict[str, str]

    def start(self, command: str, **variables: str) -> subprocess.Popen[str]:
        """Run a command in a terminal of its own."""
        program, *arguments = shlex.split(command)
        found = shutil.which(program, path=self.environment["PATH"])
        assert found is not None
        return subprocess.Popen(
            [found, *arguments],
            cwd=self.folder,
            env=self.environment | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, command: str, **variables: str) -> str:
        """Run a command that goes well, and return what it says."""
        process = self.start(command, **variables)
        out, err = process.communicate()
        assert process.returncode == 0, out + err
        return out

    @contextmanager
    def running(self, command: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
        """Run a command in the background until it is stopped, which goes well."""
        process = self.start(command, **variables)
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            process.communicate()
            assert process.returncode == 0
        finally:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that the variable names, or one built of what lies beside the tests."""
    if given := os.environ.get("TELNYX_ROOMS_WHEEL"):
        return Path(given)
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=TESTS.parent, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def activated(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of an environment with the wheel in it.

    Its dependencies are those of the tests, so that nothing is fetched; of the package itself, the first on
    the path counts, and that is the wheel.
    """
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    subprocess.run([*pip, "install", "-q", "--no-deps", "--no-index", str(wheel)], check=True)
    own = sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)})
    (Path(own) / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def newcomer(activated: dict[str, str], tmp_path: Path) -> Newcomer:
    """Someone who has written the files, and nothing else."""
    for file in FILES.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    return Newcomer(tmp_path, activated)


def exported(emulator: subprocess.Popen[str]) -> dict[str, str]:
    """Read the lines that an emulator prints for the shell."""
    assert emulator.stdout is not None
    lines = [shlex.split(emulator.stdout.readline()) for _ in range(3)]
    return dict(words[1].split("=", maxsplit=1) for words in lines if words[0] == "export")


def names(listed: str) -> list[str]:
    """Read the names of rooms from lines of JSON."""
    return sorted(json.loads(line)["unique_name"] for line in listed.splitlines())


def test_it_takes_less_than_a_quarter_of_an_hour() -> None:
    """The words of the sections to be read, and the characters that are not copied from them, are few."""
    sections = dict(re.findall(r"^(?:## )?(\S.*)\n((?:(?!## ).*\n)*)", README, re.MULTILINE))
    words = sum(len(sections[title].split()) for title in SECTIONS)
    known = {line.partition("  #")[0].removeprefix("$").strip() for line in README.splitlines()}
    lines = [
        line.strip() for file in FILES.iterdir() if file.is_file() for line in file.read_text().splitlines()
    ]
    typed = sum(len(line) + 1 for line in [*lines, *COMMANDS] if line and line not in known)
    assert words / WORDS_A_MINUTE + typed / CHARACTERS_A_MINUTE < 15


def test_the_wheel_is_what_runs(newcomer: Newcomer) -> None:
    """The newcomer has the package of the wheel, and not what lies beside these tests."""
    where = newcomer.run("python -c 'import telnyx_rooms_async as it, sys; print(sys.prefix, it.__file__)'")
    environment, module = where.split()
    assert Path(module).is_relative_to(environment)
    assert Path(environment) == Path(newcomer.environment["PATH"].split(os.pathsep)[0]).parent


def test_the_web_app_is_tested(newcomer: Newcomer) -> None:
    """The newcomer's own suite passes: rooms counted, the end of a session heard, a forgery refused."""
    assert " 3 passed in " in newcomer.run(f"{SUITE} {STRICTLY}")


def test_the_batch_is_killed_and_goes_on(newcomer: Newcomer) -> None:
    """Killed halfway the batch goes on, makes each room once, and then has nothing left to ask."""
    (newcomer.folder / "slow.json").write_text('[{"operation": "CreateRoom", "times": null, "delay": 0.05}]')
    with newcomer.running(f"{EMULATE} --faults slow.json") as emulator:
        account = exported(emulator)
        batch = newcomer.start(BATCH, **account)
        assert batch.stdout is not None
        seen = [batch.stdout.readline() for _ in range(5)]
        batch.kill()
        batch.communicate()
        assert all(line.startswith("made ") for line in seen)
        *made, summary = newcomer.run(BATCH, **account).splitlines()
        assert all(line.startswith("made ") for line in made)
        assert summary == f"{12 - len(made)} were done already"
        assert len(made) <= 12 - len(seen)
        assert names(newcomer.run(LIST, **account)) == sorted(ROOMS)
    # Nobody is there to be asked any more.
    assert newcomer.run(BATCH, **account) == "12 were done already\n"


def test_the_app_and_the_command_line(newcomer: Newcomer) -> None:
    """What the command line imports, the app counts; what is not signed the app refuses."""
    with newcomer.running(EMULATE) as emulator:
        account = exported(emulator)
        assert newcomer.run(IMPORT, **account) == "created 12 of 12 rooms\n"
        assert names(newcomer.run(LIST, **account)) == sorted(ROOMS)
        with newcomer.running(SERVE, **account) as app:
            assert app.stdout is not None
            (url,) = re.findall(r"http://\S+", app.stdout.readline())
            assert urllib.request.urlopen(f"{url}/rooms").read() == b"12"
            with pytest.raises(urllib.error.HTTPError, match="400"):
                urllib.request.urlopen(f"{url}/telnyx/", data=b"{}")
        assert newcomer.run(DELETE, **account) == "deleted 12 rooms\n"
        assert newcomer.run(LIST, **account) == ""
