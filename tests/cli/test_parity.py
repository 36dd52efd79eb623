"""Parity with the client: a command for each method, an option for each parameter."""

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from telnyx_rooms_async import RoomFields, RoomsClient
from telnyx_rooms_async.cli import app

CLIENT = RoomsClient("KEY")
PROGRAM: Any = typer.main.get_command(app)
COMMANDS = {name: PROGRAM.get_command(None, name) for name in PROGRAM.list_commands(None)}
GROUPS = {name: command.commands for name, command in COMMANDS.items() if hasattr(command, "commands")}
RESOURCES = [name for name in GROUPS if name != "webhooks"]

# Options of the command line itself.
OWN_OPTIONS = {"as_json", "base_url", "clear", "everyone", "limit", "silent"}
# Parameters without an option, and methods without a command of the same name.
NO_OPTIONS = {
    "progress",  # shown as a bar
    "max_bytes",  # for services
    "audio_sources",  # --silent
}
NO_COMMANDS = {
    ("tokens", "auto_refresh"),  # long-running
    ("recordings", "file_size"),  # used by export
    ("rooms", "create_many"),  # import
    ("rooms", "delete_all"),  # delete --all
    ("rooms", "delete_many"),
    ("rooms", "ensure"),  # apply
    ("rooms", "plan"),  # apply --dry-run
    ("rooms", "update_many"),  # apply
    ("sessions", "end_many"),
}
# Commands that make many calls or have options of their own, and the methods that they use.
BULK = {
    ("rooms", "import"): {"create_many"},
    ("rooms", "export"): {"list"},
    ("rooms", "delete"): {"delete", "delete_all"},
    ("rooms", "apply"): {"plan", "apply"},
    ("rooms", "enforce"): {"enforce"},
    ("recordings", "export"): {"list"},
    ("rooms", "attendance"): {"attendance"},
    ("sessions", "attendance"): {"attendance"},
    ("reports", "usage"): {"usage"},
}
# Parameters of reports that have other names as options.
RENAMED = {"created_at": "since", "prices": "price_per_minute"}
# Parameters that these commands set themselves, or have under another name.
SET_BY_COMMANDS = {
    "as_of",  # now
    "before_action",  # for apps
    "bodies",  # the table
    "desired",  # the table
    "include_sessions",
    "concurrency",
    "on_warning",  # printed
    "ordered",
    "page_size",
    "plan",
    "policies",  # --policy
    "progress",  # the bar
    "router",  # for apps
    "store",  # for several instances
}


def commands(nouns: Iterable[str]) -> Iterator[Any]:
    for noun in nouns:
        for verb, command in GROUPS[noun].items():
            yield pytest.param(noun, verb.replace("-", "_"), command, id=f"{noun}-{verb}")


def methods(noun: str) -> set[str]:
    return {name for name in dir(getattr(CLIENT, noun)) if not name.startswith("_")}


def test_every_method_is_a_command() -> None:
    assert RESOURCES == [
        "rooms",
        "sessions",
        "participants",
        "recordings",
        "compositions",
        "tokens",
        "reports",
    ]
    for noun in RESOURCES:
        named = {verb.replace("-", "_") for verb in GROUPS[noun]}
        bulk = {verb for other, verb in BULK if other == noun}
        assert named == (methods(noun) | bulk) - {verb for other, verb in NO_COMMANDS if other == noun}


@pytest.mark.parametrize(("noun", "verb", "command"), list(commands(RESOURCES)))
def test_every_parameter_of_a_method_is_an_option(noun: str, verb: str, command: Any) -> None:
    options = {parameter.name for parameter in command.params} - OWN_OPTIONS
    if (noun, verb) in BULK:
        parameters = _parameters(noun, BULK[noun, verb]) - SET_BY_COMMANDS
        renamed = RENAMED if verb in ("attendance", "usage") else {}
        assert {renamed.get(name, name) for name in parameters} <= options
    else:
        assert options == _parameters(noun, {verb}) - NO_OPTIONS


def _parameters(noun: str, names: set[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        for parameter in inspect.signature(getattr(getattr(CLIENT, noun), name)).parameters.values():
            is_fields = parameter.kind is inspect.Parameter.VAR_KEYWORD
            found |= set(RoomFields.__annotations__) if is_fields else {parameter.name}
    return found


@pytest.mark.parametrize(("noun", "verb", "command"), list(commands(GROUPS)))
def test_help_of_every_command_fits_80_columns(noun: str, verb: str, command: Any) -> None:
    result = CliRunner().invoke(app, [noun, verb.replace("_", "-"), "--help"], env={"COLUMNS": "80"})
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "…" not in result.stdout
    assert "..." not in result.stdout.replace("]...", "")
    assert "--json" in result.stdout
