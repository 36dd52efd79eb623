"""The README and the guides of the packages: their programs, fragments and commands run."""

import ast
import asyncio
import inspect
import os
import re
import shlex
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path
from string import Template
from typing import Any

import pytest
import trustme
from aiohttp import ClientSession, web
from typer.testing import CliRunner

import telnyx_rooms_async
from telnyx_rooms_async import RetryPolicy, RoomsClient, TelnyxRoomsError
from telnyx_rooms_async.cli import app
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.guides import GUIDES, README, ROOT, read_files, run
from tests.helpers.web_servers import run_aiohttp_app, run_asgi_app


def name(guide: Path) -> str:
    """Return the name of a guide for the ids of tests."""
    return guide.parent.name if guide.stem == "README" and guide != README else guide.stem


def blocks(*languages: str) -> list[Any]:
    """Return the code blocks of the guides in some languages, each with the place where it is."""
    return [
        pytest.param(match[2], id=f"{name(guide)}-{guide.read_text()[: match.start()].count(chr(10)) + 1}")
        for guide in GUIDES
        for match in re.finditer(r"^```(\w*)\n(.*?)^```$", guide.read_text(), re.MULTILINE | re.DOTALL)
        if match[1] in languages
    ]


def texts(*languages: str) -> list[str]:
    """Return the code blocks of the guides in some languages."""
    return [block.values[0] for block in blocks(*languages)]


FILES = read_files()  # tested by test_recipes.py and test_quickstart.py
PYTHON = [block for block in blocks("python") if block.values[0] not in FILES.values()]
PROGRAMS = [block for block in PYTHON if "asyncio.run(" in block.values[0]]
TESTS = [block for block in PYTHON if re.search(r"^(async )?def test_", block.values[0], re.MULTILINE)]
FRAGMENTS = [block for block in PYTHON if block not in PROGRAMS and block not in TESTS]


def test_every_block_is_executed_or_shown() -> None:
    fences = sum(guide.read_text().count("\n```") for guide in GUIDES)
    assert len(blocks("python", "sh", "console", "text", "toml", "yaml", "html")) == fences / 2
    assert len(GUIDES) >= 11


def without_code(guide: Path) -> str:
    """Return the text of a guide without its code blocks."""
    return re.sub(r"^```.*?^```$", "", guide.read_text(), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("guide", GUIDES, ids=name)
def test_guides_are_short_and_their_paths_exist(guide: Path) -> None:
    text = guide.read_text()
    if guide == README:
        assert len(text.splitlines()) <= 230
        words = [word for word in without_code(guide).split() if any(map(str.isalnum, word))]
        assert len(words) <= 1100
    else:
        assert len(text.split()) < 900
    for path in re.findall(r"`((?:telnyx_rooms_async|benchmarks|\.github)/[\w./]+)`", without_code(guide)):
        assert (ROOT / path).exists() or not (ROOT / path.split("/")[0]).exists(), path


@pytest.mark.parametrize("guide", GUIDES, ids=name)
def test_links_lead_somewhere(guide: Path) -> None:
    text = without_code(guide)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in anchors, target
        elif not target.startswith("https://"):
            assert guide != README, f"PyPI has no {target}"
            assert (guide.parent / target).exists(), target


def prose(guide: Path) -> str:
    """Return the text of a guide without code blocks and tables, which also show other libraries."""
    return re.sub(r"^\|.*$", "", without_code(guide), flags=re.MULTILINE)


@pytest.mark.parametrize("guide", GUIDES, ids=name)
def test_names_of_methods_exist(guide: Path) -> None:
    for start, path in re.findall(r"`(?:await )?(client|telnyx)\.([a-z_.]+)\b", prose(guide)):
        value: object = RoomsClient("KEY") if start == "client" else Emulator()
        for attribute in path.rstrip(".").split("."):
            value = getattr(value, attribute)


@pytest.mark.parametrize("guide", GUIDES, ids=name)
def test_topics_are_those_of_the_docs_command(guide: Path) -> None:
    topics = {line.split()[0] for line in CliRunner().invoke(app, ["docs"]).stdout.splitlines()}
    named = re.findall(r"`telnyx-rooms docs ([a-z]+)`", guide.read_text())
    if guide == README:
        named += re.findall(r"\| `([a-z]+)` \|$", guide.read_text(), re.MULTILINE)
        assert len(named) >= len(topics)
    assert set(named) <= topics


def test_the_architecture_names_every_package() -> None:
    package = Path(telnyx_rooms_async.__file__).parent
    folders = {file.parent.relative_to(package).as_posix() for file in package.glob("*/__init__.py")}
    assert folders <= set(re.findall(r"`(\w+)/`", (package / "README.md").read_text()))


# --- the README ---------------------------------------------------------------------------------------------


def table(heading: str) -> dict[str, str]:
    """Return the rows of a table of the README by the code in their first cell."""
    _, _, rest = README.read_text().partition(heading)
    return dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", rest.partition("\n## ")[0], re.MULTILINE))


def test_the_readme_lists_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    development = {"bench", "lint", "mutate", "test"}
    assert table("| extra |").keys() == project["optional-dependencies"].keys() - development


def test_the_readme_states_the_defaults_of_the_client() -> None:
    parameters = inspect.signature(RoomsClient).parameters
    defaults = {name: parameter.default for name, parameter in parameters.items()}
    defaults["max_retries"] = RetryPolicy().max_attempts - 1
    stated = table("## Configuration")
    assert stated.keys() <= defaults.keys()
    for option, default in stated.items():
        if re.fullmatch(r"`False`|[\d.]+( s)?", default):
            assert ast.literal_eval(default.strip("` s")) == defaults[option], option


TASKS = re.findall(r"^\| [a-z][^|`]*? \| (`.*`) \| `[a-z]+` \|$", README.read_text(), re.MULTILINE)


@pytest.mark.parametrize("cell", TASKS)
def test_the_code_of_a_task_in_the_readme_is_valid(cell: str) -> None:
    for code in re.findall(r"`([^`]+)`", cell):
        if code.startswith("telnyx-rooms "):
            words = [word for word in shlex.split(code)[1:] if word.isalpha()]
            assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 0
        elif not code.startswith("pip "):
            head = "try: ...\n" if code.startswith("except") else ""
            body = " ..." if code.endswith(":") else "\nasync def f(): ..." if code.startswith("@") else ""
            text = head + code.replace("(…)", "()").replace("=…", "=...") + body
            compile(text, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


# --- programs and fragments ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("program", PROGRAMS)
async def test_programs_run(program: str, telnyx: Emulator) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-W", "error", "-c", program)
    assert await process.wait() == 0
    assert telnyx.rooms == ()


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("fragment", FRAGMENTS)
async def test_fragments_run(fragment: str, telnyx: Emulator, client: RoomsClient, tmp_path: Path) -> None:
    telnyx.seed(3)
    room = await client.rooms.create(unique_name="Recorded", enable_recording=True)
    person = telnyx.join(room.id, context="Alice")
    names: dict[str, object] = {"client": client, "telnyx": telnyx, "room": room}
    if "ca.pem" in fragment:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        certificate = authority.issue_cert("me@example.com")
        certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
    if "client.recordings" in fragment:
        telnyx.leave(person.id)
    await run(fragment, names)
    if "download" in fragment:
        assert [path.stat().st_size > 0 for path in tmp_path.iterdir()] == [True, True]
    if "\napp = " in fragment:
        await check_app(names["app"], telnyx)


def test_tests_pass_in_a_folder_of_their_own(tmp_path: Path) -> None:
    for number, test in enumerate(TESTS):
        (tmp_path / f"test_{number}.py").write_text(test.values[0])
    for file in ("main.py", "test_main.py"):
        (tmp_path / file).write_text(FILES[file])
    path = os.pathsep.join([str(ROOT), str(Path(__file__).parent / "quickstart")])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environment = os.environ | {"PYTHONPATH": path}
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_fragments_pass_in_a_strictly_typed_function(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    for fragment in FRAGMENTS + TESTS:
        (tmp_path / f"{fragment.id}.py".replace("-", "_")).write_text(in_function(fragment.values[0]))
    command = [sys.executable, "-m", "mypy", "--no-error-summary", *map(str, tmp_path.iterdir())]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == ("", "")


def in_function(fragment: str) -> str:
    """Return a fragment as the body of a function with the names that fragments may use."""
    code = compile(fragment, "guide", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST)
    assert isinstance(code, ast.Module)
    imports = [node for node in code.body if isinstance(node, ast.Import | ast.ImportFrom)]
    body = [node for node in code.body if node not in imports]
    types = "# mypy: disable-error-code=import-untyped"
    types += "\nfrom telnyx_rooms_async import Room as _Room, RoomsClient as _Client"
    types += "\nfrom telnyx_rooms_async.emulator import Emulator as _Emulator"
    head = "async def snippet(client: _Client, telnyx: _Emulator, room: _Room) -> None:"
    statements = textwrap.indent("\n".join(map(ast.unparse, body)), "    ")
    return "\n".join([*map(ast.unparse, imports), types, head, statements])


async def check_app(app: object, telnyx: Emulator) -> None:
    """Serve an app of a guide: it accepts an event, and its client counts the rooms."""
    serve = run_aiohttp_app(app) if isinstance(app, web.Application) else run_asgi_app(app)
    async with serve as url, ClientSession() as http, http.get(f"{url}/rooms") as response:
        assert await response.json() == len(telnyx.rooms)
        for event_type in ("video.room.session.ended", "video.room.recording.completed"):
            delivery = await telnyx.deliver(event_type, {"session_id": "1"}, url=f"{url}/telnyx/")
            assert delivery.status == 200


COMMANDS = sorted({line[2:] for text in texts("console") for line in text.splitlines()})


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("command", COMMANDS)
async def test_commands_run(command: str, telnyx: Emulator, tmp_path: Path) -> None:
    telnyx.seed(3)
    room_id = telnyx.rooms[0].id
    session_id = telnyx.join(room_id, context="Alice").session_id
    (tmp_path / "rooms.csv").write_text("unique_name\nWeekly\n")
    (tmp_path / "policies.toml").write_text("\n".join(texts("toml")))
    program, *arguments = shlex.split(Template(command).substitute(ROOM=room_id, SESSION=session_id))
    assert program == "telnyx-rooms"
    # In a thread: the command runs an event loop of its own.
    result = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    assert result.exit_code == 0, result.output


def test_the_compose_file_matches_the_options_of_the_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    (compose,) = texts("yaml")
    command = re.search(r"telnyx-rooms (emulate[^\"]+)", compose)
    assert command
    options = dict(re.findall(r"--([\w-]+)(?: ([^-\s]\S*))?", command[1]))
    words = CliRunner().invoke(app, ["emulate", "--help"], env={"COLUMNS": "200"}).stdout.split()
    assert {f"--{name}" for name in options} <= set(words)
    variables = dict(re.findall(r"(TELNYX_\w+): \"?([^\"\s]+)", compose))
    assert variables["TELNYX_API_KEY"] == options["api-key"]
    assert variables["TELNYX_BASE_URL"] == options["public-url"]
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert options["public-url"] in repr(RoomsClient())


def test_the_tree_of_errors_is_complete() -> None:
    (tree,) = (text for text in texts("text") if text.startswith("TelnyxRoomsError"))
    public = [getattr(telnyx_rooms_async, name) for name in telnyx_rooms_async.__all__]
    errors = [value for value in public if isinstance(value, type) and issubclass(value, TelnyxRoomsError)]
    assert {error.__name__ for error in errors} == set(re.findall(r"\w+Error\b", tree))
