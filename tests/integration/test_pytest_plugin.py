"""The pytest fixtures, in test suites of users that run in a process of their own."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from telnyx_rooms_async import emulator

GUIDE = (Path(emulator.__file__).parent / "README.md").read_text()
SUITE, WEB_APP_SUITE = re.findall(r"^```python\n(import pytest\n.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
STRICT = ("-o", "asyncio_mode=strict", "-o", "asyncio_default_fixture_loop_scope=function")
AUTO = (
    *("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=session"),
    *("-o", "asyncio_default_test_loop_scope=session"),
    *("-W", "ignore::pytest.PytestDeprecationWarning"),  # of DEPRECATED
)
MODULE_LOOP = SUITE.replace("@pytest.mark.asyncio\n", '@pytest.mark.asyncio(loop_scope="module")\n')
DEPRECATED = MODULE_LOOP.replace("loop_scope", "scope")
UNMARKED = SUITE.replace("@pytest.mark.asyncio\n", "")
ANYIO = (
    SUITE.replace("mark.asyncio", "mark.anyio")
    + """
@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
"""
)
UNUSED_FAULT = """
async def test_too_few_requests(rooms_client, telnyx_faults):
    telnyx_faults.drop_request("DeleteRoom", times=2)
    await rooms_client.rooms.create(unique_name="Weekly")

async def test_fault_for_all_requests(telnyx_faults):
    telnyx_faults.delay(0.01, times=None)
"""
OWN_EMULATOR = """
import pytest
from telnyx_rooms_async.emulator import Emulator

@pytest.fixture
async def telnyx_emulator():
    async with Emulator(api_key="KEY0of0the0user") as telnyx:
        telnyx.seed(3)
        yield telnyx

async def test_it(rooms_client, telnyx_faults):
    telnyx_faults.respond(429, "ListRooms", retry_after=0)
    assert await rooms_client.rooms.list().count() == 3
"""
OLD_PYTEST_ASYNCIO = """
import pytest

def fixture(fixture_function=None, **kwargs):
    return pytest.fixture(fixture_function, **kwargs) if fixture_function else pytest.fixture(**kwargs)
"""


TRIO = """
import pytest

@pytest.fixture
def anyio_backend(): return "trio"

def test_it(anyio_backend, rooms_client): ...
"""


def run(folder: Path, options: tuple[str, ...], *suites: str) -> str:
    """Run test suites in a folder without configuration, and return the output of pytest."""
    for number, suite in enumerate(suites):
        (folder / f"test_{number}.py").write_text(suite)
    command = [sys.executable, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:cov"]
    result = subprocess.run(
        [*command, *options],
        cwd=folder,
        env=os.environ | {"TELNYX_BASE_URL": "http://127.0.0.1:9"},  # refuses connections
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout + result.stderr


@pytest.mark.parametrize(
    ("options", "suites", "result"),
    [
        (STRICT, (SUITE, MODULE_LOOP, ANYIO), "7 passed"),
        (AUTO, (UNMARKED, SUITE, MODULE_LOOP, DEPRECATED, UNUSED_FAULT, OWN_EMULATOR), "12 passed, 1 error"),
    ],
    ids=["strict", "auto, session loop"],
)
def test_fixtures_work_in_each_mode_and_loop(
    options: tuple[str, ...], suites: tuple[str, ...], result: str, tmp_path: Path
) -> None:
    shutil.copy(Path(__file__).parents[1] / "docs" / "quickstart" / "app.py", tmp_path)
    output = run(tmp_path, options, *suites, WEB_APP_SUITE)
    assert f" {result} in " in output, output
    if UNUSED_FAULT in suites:
        assert "too few requests arrived for these faults: Fault(" in output


@pytest.mark.parametrize("source", [OLD_PYTEST_ASYNCIO, "fixture = None"], ids=["old", "other"])
def test_other_pytest_asyncio_fails_only_on_request(source: str, tmp_path: Path) -> None:
    package = tmp_path / "pytest_asyncio"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "plugin.py").write_text(source)
    output = run(tmp_path, (), "def test_it(): ...", "def test_fixture(rooms_client): ...")
    assert " 1 passed, 1 error in " in output, output
    assert "rooms_client needs pytest-asyncio 0.24 or newer" in output


def test_anyio_is_enough_and_missing_requirements_are_named(tmp_path: Path) -> None:
    output = run(tmp_path, ("-p", "no:asyncio"), ANYIO, TRIO, "def test_it(telnyx_emulator): ...")
    assert " 2 passed, 2 errors in " in output, output
    assert "rooms_client needs anyio's backend asyncio, not trio" in output
    message = "telnyx_emulator needs pytest-asyncio 0.24 or newer, or a test marked with pytest.mark.anyio"
    assert message in output


def test_no_plugin_is_needed_without_the_fixtures(tmp_path: Path) -> None:
    output = run(tmp_path, ("-p", "no:asyncio", "-p", "no:anyio"), "def test_it(): ...")
    assert " 1 passed in " in output, output
