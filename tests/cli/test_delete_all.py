"""``rooms delete --all``: delete the rooms that match filters, after confirmation."""

import pytest

from telnyx_rooms_async.cli import output
from telnyx_rooms_async.emulator import Emulator, Fault
from tests.helpers.command_line import Objects, Run, Table, Terminal

ALL = ["rooms", "delete", "--all"]


@pytest.fixture(autouse=True)
def _three_rooms(telnyx: Emulator) -> None:
    telnyx.seed(3)


def names(telnyx: Emulator) -> list[str]:
    return sorted(room.unique_name or "" for room in telnyx.rooms)


def test_all_rooms_are_deleted(run: Run, telnyx: Emulator) -> None:
    result = run(*ALL, "--everything", "--yes")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "deleted 3 rooms\n", "")
    assert telnyx.rooms == ()


def test_only_matching_rooms_are_deleted(objects: Objects, telnyx: Emulator) -> None:
    assert objects(*ALL, "--created-at", "..2021-04-24", "--yes") == [{"deleted": 0, "failed": 0}]
    assert objects(*ALL, "--unique-name", "Room 2", "--yes") == [{"deleted": 1, "failed": 0}]
    assert names(telnyx) == ["Room 1", "Room 3"]


def test_nothing_is_deleted_if_the_number_differs(run: Run, telnyx: Emulator) -> None:
    result = run(*ALL, "--everything", "--expect", "2", "--yes")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: expected 2, found 3: nothing was deleted\n"
    assert run(*ALL, "--everything", "--expect", "3", "--yes").exit_code == 0
    assert telnyx.rooms == ()


def test_dry_run_lists_the_rooms(table: Table, telnyx: Emulator) -> None:
    header, *rows = table(*ALL, "--everything", "--dry-run")
    assert header[1] == "unique_name"
    assert sorted(row[1] for row in rows) == names(telnyx) == ["Room 1", "Room 2", "Room 3"]


def test_id_that_the_server_made_up_is_shown_without_control_characters(run: Run, telnyx: Emulator) -> None:
    body = b'{"data":[{"id":"r1\\u001b]0;title\\u0007\\u202e"}],"meta":{"total_results":1}}'
    telnyx.inject(Fault(status=200, body=body), operation="ListRooms", times=None)
    result = run(*ALL, "--everything", "--yes")
    assert result.exit_code == 1
    assert r"r1\x1b]0;title" in result.stderr
    assert result.stderr.replace("\n", "").isprintable()


@pytest.mark.parametrize(("typed", "rest"), [(b"y\n", 0), (b"\n", 3)])
def test_deletion_is_confirmed_at_a_terminal(
    at_terminal: Terminal, telnyx: Emulator, typed: bytes, rest: int
) -> None:
    shown = at_terminal(*ALL, "--everything", typed=typed)
    assert shown.startswith("delete 3 rooms? [y/N]: ")
    assert shown.endswith("nothing was changed\n" if rest else "deleted 3 rooms\n")
    assert len(telnyx.rooms) == rest


def test_room_that_was_created_after_the_question_is_not_deleted(
    run: Run, telnyx: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create_room(_: object) -> bool:
        if len(telnyx.requests) == 2:  # the rooms have been counted
            telnyx.create_room("Late")
        return False

    monkeypatch.setattr(output, "can_ask", lambda: True)
    telnyx.inject(Fault(), operation="ListRooms", times=None, when=create_room)
    result = run(*ALL, "--unique-name", "Late")
    assert (result.exit_code, result.stderr) == (1, "error: expected 0, found 1: nothing was deleted\n")
    assert "Late" in names(telnyx)


def test_failed_deletion_does_not_stop_the_others(run: Run, telnyx: Emulator) -> None:
    telnyx.inject(Fault(status=409), operation="DeleteRoom")
    result = run(*ALL, "--everything", "--yes", "--concurrency", "1")
    assert (result.exit_code, result.stdout) == (1, "deleted 2 rooms, 1 failed\n")
    assert result.stderr.startswith(f"error: {telnyx.rooms[0].id}: 409 ")
    assert result.stderr.endswith("\nrun the same command again to continue\n")
    assert len(telnyx.rooms) == 1
