"""``telnyx-rooms demo``."""

import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner, Result

from telnyx_rooms_async.cli import app
from telnyx_rooms_async.cli.commands import demo
from telnyx_rooms_async.emulator import Emulator
from tests.helpers.command_line import Terminal


@pytest.fixture
def emulators(monkeypatch: pytest.MonkeyPatch) -> list[Emulator]:
    """The emulators that the demo starts."""
    started: list[Emulator] = []

    def start() -> Emulator:
        started.append(Emulator())
        return started[-1]

    monkeypatch.setattr(demo, "Emulator", start)
    return started


def run_demo() -> Result:
    """Run the demo, without a key in the environment."""
    result = CliRunner().invoke(app, ["demo"])
    assert (result.exit_code, result.stderr) == (0, "")
    return result


def steps(shown: str) -> list[str]:
    """Split the output at the titles."""
    return re.split(r"^\d\. ", shown, flags=re.MULTILINE)[1:]


def test_requests_are_those_that_the_emulator_received(emulators: list[Emulator]) -> None:
    shown = run_demo().stdout
    (telnyx,) = emulators
    counts = [int(count) for count in re.findall(r"^   (\d+) requests?$", shown, flags=re.MULTILINE)]
    assert sum(counts) == len(telnyx.requests) < 40
    assert f"\n{len(telnyx.requests)} requests in " in shown
    assert f"; {len(telnyx.rooms)} rooms left." in shown


def test_steps_show_their_results(emulators: list[Emulator]) -> None:
    created, joined, listed, participants, updated, refused, invalid, deleted = steps(run_demo().stdout)
    (telnyx,) = emulators
    room_id = re.search(r"[0-9a-f-]{36}", created)
    assert room_id is not None
    assert "   7 rooms, the first one is" in created
    assert "POST /v2/rooms (7 times)" in created
    assert "Standup has a session: " in joined
    assert [name for name in demo.NAMES if name in listed] == list(demo.NAMES)
    assert "   3 requests\n" in listed
    assert [f"GET /v2/rooms page[number]={page} page[size]=3" in listed for page in (1, 2, 3, 4)] == [
        1,
        1,
        1,
        0,
    ]
    assert "   Alice is in\n   Bob has left\n" in participants
    assert "include_participants=true" in participants
    (patch,) = (request for request in telnyx.requests if request.method == "PATCH")
    assert patch.json == {"max_participants": 25}
    assert f"PATCH /v2/rooms/{room_id[0]} {patch.body.decode()}\n" in updated
    assert "   10 -> 25\n" in updated
    assert "   NameTakenError - 422 " in refused
    assert "   InvalidArgumentError - max_participants must be" in invalid
    assert "   no requests\n" in invalid
    assert "   NotFoundError - 404 " in deleted
    assert f"DELETE /v2/rooms/{room_id[0]}\n" in deleted
    assert room_id[0] not in {room.id for room in telnyx.rooms}


def test_output_fits_a_terminal(at_terminal: Terminal) -> None:
    lines = at_terminal("demo", TELNYX_API_KEY="").splitlines()
    assert max(map(len, lines)) <= 80
    code = [line for line in run_demo().stdout.splitlines() if line.startswith(("   >>> ", "   ... "))]
    assert [line for line in lines if line.startswith(("   >>> ", "   ... "))] == code


@pytest.mark.skipif(sys.version_info < (3, 15), reason="lazy imports are new in Python 3.15")
def test_demo_runs_with_lazy_imports() -> None:
    command = [sys.executable, "-X", "lazy_imports=all", "-m", "telnyx_rooms_async", "demo"]
    assert "requests in" in subprocess.run(command, check=True, capture_output=True, text=True).stdout
