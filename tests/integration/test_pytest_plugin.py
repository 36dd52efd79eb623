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
AUTO = ("-o", "asyncio_mode=auto", *STRICT[2:])
NO_PYTEST_ASYNCIO = ("-p", "no:asyncio")
ALLOW_DEPRECATED = (*STRICT, "-W", "ignore::pytest.PytestDeprecationWarning")
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
    ("options", "suites"),
    [
        (STRICT, (SUITE, MODULE_LOOP, ANYIO)),
        (AUTO, (UNMARKED, MODULE_LOOP, SUITE)),
        ((*STRICT, "-o", "asyncio_default_test_loop_scope=session"), (SUITE,)),
        (ALLOW_DEPRECATED, (DEPRECATED,)),
        (NO_PYTEST_ASYNCIO, (ANYIO,)),
    ],
    ids=["strict", "auto", "session loop", "deprecated argument", "anyio alone"],
)
def test_suite_of_the_guide_passes(options: tuple[str, ...], suites: tuple[str, ...], tmp_path: Path) -> None:
    output = run(tmp_path, options, *suites)
    assert f" {2 * len(suites)} passed in " in output, output


@pytest.mark.parametrize("options", [STRICT, AUTO], ids=["strict", "auto"])
def test_web_app_of_the_guide_receives_webhooks(options: tuple[str, ...], tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parents[1] / "docs" / "quickstart" / "app.py", tmp_path)
    output = run(tmp_path, options, WEB_APP_SUITE)
    assert " 1 passed in " in output, output


@pytest.mark.parametrize("source", [OLD_PYTEST_ASYNCIO, "fixture = None"], ids=["old", "other"])
def test_other_pytest_asyncio_fails_only_on_request(source: str, tmp_path: Path) -> None:
    package = tmp_path / "pytest_asyncio"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "plugin.py").write_text(source)
    output = run(tmp_path, (), "def test_it(): ...", "def test_fixture(rooms_client): ...")
    assert " 1 passed, 1 error in " in output, output
    assert "rooms_client needs pytest-asyncio 0.24 or newer" in output


@pytest.mark.parametrize(
    "options", [NO_PYTEST_ASYNCIO, (*NO_PYTEST_ASYNCIO, "-p", "no:anyio")], ids=["anyio", "neither"]
)
def test_no_plugin_is_needed_without_the_fixtures(options: tuple[str, ...], tmp_path: Path) -> None:
    output = run(tmp_path, options, "def test_it(): ...")
    assert " 1 passed in " in output, output


@pytest.mark.parametrize(
    ("suite", "message"),
    [
        (
            """
import pytest

@pytest.fixture
def anyio_backend(): return "trio"

def test_it(anyio_backend, rooms_client): ...
""",
            "rooms_client needs anyio's backend asyncio, not trio",
        ),
        (
            "def test_it(telnyx_emulator): ...",
            "telnyx_emulator needs pytest-asyncio 0.24 or newer, or a test marked with pytest.mark.anyio",
        ),
    ],
    ids=["trio", "no plugin"],
)
def test_missing_requirement_is_named(suite: str, message: str, tmp_path: Path) -> None:
    output = run(tmp_path, NO_PYTEST_ASYNCIO, suite)
    assert " 1 error in " in output, output
    assert message in output


def test_unused_fault_fails_the_test_and_own_emulator_is_used(tmp_path: Path) -> None:
    output = run(tmp_path, AUTO, UNUSED_FAULT, OWN_EMULATOR)
    assert " 3 passed, 1 error in " in output, output
    assert "too few requests arrived for these faults: Fault(" in output
