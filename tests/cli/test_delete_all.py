"""``rooms delete --all``: what filters select, counted and agreed on first."""

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from telnyx_rooms_async.cli import output
from telnyx_rooms_async.emulator import Emulator, Fault

Run = Callable[..., Result]
Objects = Callable[..., list[Any]]
Terminal = Callable[..., str]

ALL = ["rooms", "delete", "--all"]


@pytest.fixture(autouse=True)
def _three(telnyx: Emulator) -> None:
    telnyx.seed(3)


def left(telnyx: Emulator) -> list[str | None]:
    """Return the names of the rooms that are left."""
    return [room.unique_name for room in telnyx.rooms]


def test_everything(run: Run, telnyx: Emulator) -> None:
    """All rooms are deleted, and counted."""
    result = run(*ALL, "--everything", "--yes")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "deleted 3 rooms\n", "")
    assert telnyx.rooms == ()


def test_a_filter(objects: Objects, telnyx: Emulator) -> None:
    """Filters are those of the list."""
    assert objects(*ALL, "--created-at", "..2021-04-24", "--yes") == [{"deleted": 0, "failed": 0}]
    assert objects(*ALL, "--unique-name", "Room 2", "--yes") == [{"deleted": 1, "failed": 0}]
    assert left(telnyx) == ["Room 1", "Room 3"]


def test_another_number_than_expected(run: Run, telnyx: Emulator) -> None:
    """When there are more or fewer than expected, none is deleted."""
    result = run(*ALL, "--everything", "--expect", "2", "--yes")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: expected 2, found 3: nothing was deleted\n"
    assert run(*ALL, "--everything", "--expect", "3", "--yes").exit_code == 0
    assert telnyx.rooms == ()


def test_a_dry_run(table: Callable[..., list[list[str]]], telnyx: Emulator) -> None:
    """A dry run shows the rooms that would be deleted, and asks nothing."""
    header, *rows = table(*ALL, "--everything", "--dry-run")
    assert header[1] == "unique_name"
    assert [row[1] for row in rows] == left(telnyx)


@pytest.mark.parametrize(("typed", "rest"), [(b"y\n", 0), (b"\n", 3)])
def test_at_a_terminal(at_terminal: Terminal, telnyx: Emulator, typed: bytes, rest: int) -> None:
    """At a terminal it is asked, and only a yes is one."""
    shown = at_terminal(*ALL, "--everything", typed=typed)
    assert shown.startswith("delete 3 rooms? [y/N]: ")
    assert shown.endswith("nothing was changed\n" if rest else "deleted 3 rooms\n")
    assert len(telnyx.rooms) == rest


def test_what_is_made_meanwhile(run: Run, telnyx: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there was nothing to ask about, nobody has said yes to a room that was made since."""

    def make_one(_: object) -> bool:
        if len(telnyx.requests) == 2:  # the rooms have been counted
            telnyx._state.create_room({"unique_name": "Late"})
        return False

    monkeypatch.setattr(output, "can_ask", lambda: True)
    telnyx.script(Fault(), operation="ListRooms", times=None, when=make_one)
    result = run(*ALL, "--unique-name", "Late")
    assert (result.exit_code, result.stderr) == (1, "error: expected 0, found 1: nothing was deleted\n")
    assert "Late" in left(telnyx)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--all", "--everything"], "there is no terminal to ask for confirmation: use --yes"),
        (["--all", "--yes"], "--all needs a filter, or else --everything"),
        (["--all", "--yes", "--everything", "--unique-name", "x"], "--all needs a filter, or else"),
        (["x", "--all", "--everything", "--yes"], "ROOM_ID and --all cannot be combined"),
        (["x", "--everything"], "options that select rooms can only be used with --all"),
        (["x", "--expect", "1"], "options that select rooms can only be used with --all"),
        (["--unique-name", "x", "--yes"], "options that select rooms can only be used with --all"),
        ([], "pass a ROOM_ID, or --all with a filter"),
    ],
)
def test_wrong_usage(run: Run, telnyx: Emulator, options: list[str], words: str) -> None:
    """Nothing is deleted by a command that is not clear."""
    result = run("rooms", "delete", *options)
    assert result.exit_code == 2
    assert words in result.stderr
    assert telnyx.requests == []


def test_failures(run: Run, telnyx: Emulator) -> None:
    """What cannot be deleted is told; the rest is."""
    telnyx.script(Fault(status=409), operation="DeleteRoom")
    result = run(*ALL, "--everything", "--yes", "--concurrency", "1")
    assert (result.exit_code, result.stdout) == (1, "deleted 2 rooms, 1 failed\n")
    assert result.stderr.startswith(f"error: {telnyx.rooms[0].id}: 409 ")
    assert result.stderr.endswith("\nrun the same command again to continue\n")
    assert left(telnyx) == ["Room 1"]
