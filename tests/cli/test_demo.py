"""``telnyx-rooms demo``: what it says is what happened."""

import re
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from telnyx_rooms_async.cli import app
from telnyx_rooms_async.cli.commands import demo
from telnyx_rooms_async.emulator import Emulator

Terminal = Callable[..., str]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> list[Emulator]:
    """Keep the emulators that a demo starts."""
    started: list[Emulator] = []

    def start() -> Emulator:
        started.append(Emulator())
        return started[-1]

    monkeypatch.setattr(demo, "Emulator", start)
    return started


def play() -> Result:
    """Run the demo, without a key in the environment."""
    result = CliRunner().invoke(app, ["demo"])
    assert (result.exit_code, result.stderr) == (0, "")
    return result


def steps(shown: str) -> list[str]:
    """Take what is shown apart, at the titles."""
    return re.split(r"^\d\. ", shown, flags=re.MULTILINE)[1:]


def test_it_tells_the_requests_that_arrived(stage: list[Emulator]) -> None:
    """The requests of the steps and their sum are those that the emulator recorded."""
    shown = play().stdout
    (telnyx,) = stage
    counts = [int(count) for count in re.findall(r"^   (\d+) requests?$", shown, flags=re.MULTILINE)]
    assert sum(counts) == len(telnyx.requests) < 40
    assert f"\n{len(telnyx.requests)} requests in " in shown
    assert f"; {len(telnyx.rooms)} rooms left." in shown


def test_it_shows_the_main_job(stage: list[Emulator]) -> None:
    """Rooms are made, met in, listed over pages, changed, refused and deleted."""
    made, met, listed, looked, changed, refused, mistaken, deleted = steps(play().stdout)
    (telnyx,) = stage
    room_id = re.search(r"[0-9a-f-]{36}", made)
    assert room_id is not None
    assert "   7 rooms, the first one is" in made
    assert "POST /v2/rooms (7 times)" in made
    assert "Standup has a session: " in met
    assert [name for name in demo.NAMES if name in listed] == list(demo.NAMES)
    assert "   3 requests\n" in listed
    assert [f"GET /v2/rooms page[number]={page} page[size]=3" in listed for page in (1, 2, 3, 4)] == [
        1,
        1,
        1,
        0,
    ]
    assert "   Alice is in\n   Bob has left\n" in looked
    assert "include_participants=true" in looked
    (patch,) = (request for request in telnyx.requests if request.method == "PATCH")
    assert patch.json == {"max_participants": 25}
    assert f"PATCH /v2/rooms/{room_id[0]} {patch.body.decode()}\n" in changed
    assert "   10 -> 25\n" in changed
    assert "   NameTakenError - 422 " in refused
    assert "   InvalidArgumentError - max_participants must be" in mistaken
    assert "   no requests\n" in mistaken
    assert "   NotFoundError - 404 " in deleted
    assert f"DELETE /v2/rooms/{room_id[0]}\n" in deleted
    assert room_id[0] not in {room.id for room in telnyx.rooms}


@pytest.mark.usefixtures("stage")
def test_its_figures_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """With other rooms it says other figures."""
    monkeypatch.setattr(demo, "NAMES", ("One", "Two"))
    made, _, listed, *_, last = steps(play().stdout)
    assert "   2 rooms, the first one is" in made
    assert "   1 request\n" in listed
    assert "1 room left" in last


def test_the_code_it_shows_is_python() -> None:
    """What stands behind the prompts can be typed in: it compiles, and prints by print."""
    shown = play().stdout
    code = "\n".join(
        f"    {line[7:]}" for line in shown.splitlines() if line.startswith(("   >>> ", "   ... "))
    )
    compile(f"async def demo():\n{code}\n", "demo", "exec")
    assert "await client.rooms.update(room.id, max_participants=25)" in code
    assert "print(" in code
    assert "out(" not in shown


def test_it_fits_a_terminal(at_terminal: Terminal) -> None:
    """At 80 columns no line is cut, and the code stands as in a file."""
    lines = at_terminal("demo", TELNYX_API_KEY="").splitlines()
    assert max(map(len, lines)) <= 80
    code = [line for line in play().stdout.splitlines() if line.startswith(("   >>> ", "   ... "))]
    assert [line for line in lines if line.startswith(("   >>> ", "   ... "))] == code


def test_it_is_styled_at_a_terminal(at_terminal: Terminal) -> None:
    """At a terminal that can, titles and code stand out."""
    assert {"\x1b[1m", "\x1b[36m", "\x1b[2m"} <= set(
        re.findall(r"\x1b\[\d+m", at_terminal("demo", plain=False))
    )
