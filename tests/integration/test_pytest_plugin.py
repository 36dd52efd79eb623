"""The fixtures for users' tests, in suites of users that pytest runs for itself."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text()
SUITE, OF_A_WEB_APP = re.findall(r"^```python\n(import pytest\n.*?)^```$", README, re.MULTILINE | re.DOTALL)
STRICT = ("-o", "asyncio_mode=strict", "-o", "asyncio_default_fixture_loop_scope=function")
AUTO = ("-o", "asyncio_mode=auto", *STRICT[2:])
ALONE = ("-p", "no:asyncio")
SHARED = SUITE.replace("@pytest.mark.asyncio\n", '@pytest.mark.asyncio(loop_scope="module")\n')
# What pytest-asyncio once called it, and still takes with a warning.
OF_OLD = SHARED.replace("loop_scope", "scope")
FORGIVING = (*STRICT, "-W", "ignore::pytest.PytestDeprecationWarning")
UNMARKED = SUITE.replace("@pytest.mark.asyncio\n", "")
ANYIO = (
    SUITE.replace("mark.asyncio", "mark.anyio")
    + """
@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
"""
)
FORGETFUL = """
async def test_forgotten(rooms_client, telnyx_faults):
    telnyx_faults.drop("DeleteRoom", times=2)
    await rooms_client.rooms.create(unique_name="Weekly")

async def test_for_all(telnyx_faults):
    telnyx_faults.delay(0.01, times=None)
"""
OF_ITS_OWN = """
import pytest
from telnyx_rooms_async.emulator import Emulator

@pytest.fixture
async def telnyx_emulator():
    async with Emulator(api_key="KEY0of0the0user") as telnyx:
        telnyx.seed(3)
        yield telnyx

async def test_it(rooms_client, telnyx_faults):
    telnyx_faults.refuse(429, "ListRooms", retry_after=0)
    assert await rooms_client.rooms.list().count() == 3
"""


# The decorator of pytest-asyncio before 0.24, and what is no pytest-asyncio at all.
OLDER = """
import pytest

def fixture(fixture_function=None, **kwargs):
    return pytest.fixture(fixture_function, **kwargs) if fixture_function else pytest.fixture(**kwargs)
"""
STRANGER = "fixture = None"


def put_asyncio_plugin(folder: Path, source: str) -> None:
    """Put a module before the pytest-asyncio that is installed."""
    package = folder / "pytest_asyncio"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "plugin.py").write_text(source)


def run(folder: Path, options: tuple[str, ...], *suites: str) -> str:
    """Run suites of a user where nothing of ours is set up, and return what pytest says."""
    for number, suite in enumerate(suites):
        (folder / f"test_{number}.py").write_text(suite)
    command = [sys.executable, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:cov"]
    done = subprocess.run(
        [*command, *options],
        cwd=folder,
        env=os.environ | {"TELNYX_BASE_URL": "http://127.0.0.1:9"},  # where nobody listens
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def ends_with(said: str, summary: str) -> bool:
    """Tell whether so many tests ended so."""
    return any(f" {summary} in " in line for line in said.splitlines())


@pytest.mark.parametrize(
    ("options", "suites"),
    [
        (STRICT, (SUITE, SHARED, ANYIO)),
        (AUTO, (UNMARKED, SHARED, SUITE)),
        ((*STRICT, "-o", "asyncio_default_test_loop_scope=session"), (SUITE,)),
        (FORGIVING, (OF_OLD,)),
        (ALONE, (ANYIO,)),
    ],
    ids=["strict", "auto", "one loop for all", "the older keyword", "anyio alone"],
)
def test_the_suite_of_the_readme_passes(
    options: tuple[str, ...], suites: tuple[str, ...], tmp_path: Path
) -> None:
    """The tests that the README shows pass, whoever runs them and in whatever loop, and warn of nothing."""
    said = run(tmp_path, options, *suites)
    assert ends_with(said, f"{3 * len(suites)} passed"), said


@pytest.mark.parametrize("options", [STRICT, AUTO], ids=["strict", "auto"])
def test_the_web_app_of_the_readme_hears(options: tuple[str, ...], tmp_path: Path) -> None:
    """The test of a web app that the README shows passes, whoever runs it."""
    shutil.copy(Path(__file__).parents[1] / "docs" / "quickstart" / "app.py", tmp_path)
    said = run(tmp_path, options, OF_A_WEB_APP)
    assert ends_with(said, "1 passed"), said


@pytest.mark.parametrize("source", [OLDER, STRANGER], ids=["an older one", "a stranger"])
def test_a_run_without_our_fixtures_passes_with_any_pytest_asyncio(source: str, tmp_path: Path) -> None:
    """A run without our fixtures is not broken; a fixture says what it needs when requested."""
    put_asyncio_plugin(tmp_path, source)
    said = run(tmp_path, (), "def test_it(): ...", "def test_ours(rooms_client): ...")
    assert ends_with(said, "1 passed, 1 error"), said
    assert "rooms_client needs pytest-asyncio 0.24 or newer" in said


@pytest.mark.parametrize("options", [ALONE, (*ALONE, "-p", "no:anyio")], ids=["anyio", "neither"])
def test_a_run_without_pytest_asyncio_passes(options: tuple[str, ...], tmp_path: Path) -> None:
    """Nothing is needed before a fixture is requested."""
    said = run(tmp_path, options, "def test_it(): ...")
    assert ends_with(said, "1 passed"), said


def test_on_trio_it_says_what_it_needs(tmp_path: Path) -> None:
    """The library is for asyncio: whoever runs on another backend is told, before anything is started."""
    suite = "def test_it(anyio_backend, rooms_client): ..."
    backend = 'import pytest\n@pytest.fixture\ndef anyio_backend(): return "trio"\n'
    said = run(tmp_path, ALONE, backend + suite)
    assert ends_with(said, "1 error"), said
    assert "rooms_client needs anyio's backend asyncio, not trio" in said


def test_the_faults_are_those_of_the_emulator_and_are_met(tmp_path: Path) -> None:
    """Faults that not enough requests met fail the test; a `telnyx_emulator` of one's own serves as well."""
    said = run(tmp_path, AUTO, FORGETFUL, OF_ITS_OWN)
    assert ends_with(said, "3 passed, 1 error"), said
    assert "scripted, but not met by as many requests: Fault(" in said


def test_without_a_plugin_for_coroutines_it_says_what_is_missing(tmp_path: Path) -> None:
    """A test that nobody could await is told which plugins do."""
    said = run(tmp_path, ALONE, "def test_it(telnyx_emulator): ...")
    assert ends_with(said, "1 error"), said
    assert "telnyx_emulator needs pytest-asyncio, or anyio and its mark on the test" in said


def test_the_fixtures_are_told_of(tmp_path: Path) -> None:
    """``pytest --fixtures`` explains the three fixtures, and shows no other of ours."""
    said = run(tmp_path, (*STRICT, "--fixtures"))
    assert re.findall(r"^(\w*(?:telnyx|rooms)_\w+) ", said, re.MULTILINE) == [
        "telnyx_emulator",
        "rooms_client",
        "telnyx_faults",
    ]
    assert "A stateful Telnyx on this machine" in said
