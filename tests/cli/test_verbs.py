"""All groups: a command for each verb of the client, an option for each parameter."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from telnyx_rooms_async import RoomFields, RoomsClient
from telnyx_rooms_async.cli import app

CLIENT = RoomsClient("KEY")
TYPERS: list[Any] = [group.typer_instance for group in app.registered_groups]
GROUPS = {group.info.name: group.registered_commands for group in TYPERS}

# What is of the command line: how it prints, and what an option of a verb is spelled with.
OURS = {"as_json", "base_url", "clear", "everyone", "limit", "silent"}
# What is the other way round, with the reason.
NO_OPTIONS = {
    "progress",  # a bar, at a terminal
    "max_bytes",  # for services that download what others record
    "audio_sources",  # --silent: Telnyx is known to take all or nothing
}
NO_COMMANDS = {
    ("tokens", "keep"),  # is a matter of hours
    ("recordings", "file_size"),  # export asks for it
    ("rooms", "create_many"),  # import
    ("rooms", "delete_all"),  # delete --all
    ("rooms", "delete_many"),
    ("rooms", "ensure"),  # apply
    ("rooms", "plan"),  # apply --dry-run
    ("rooms", "update_many"),  # apply
    ("sessions", "end_many"),
}
# Commands for many, and the verbs that they are made of.
JOBS = {
    ("rooms", "import"): {"create_many"},
    ("rooms", "export"): {"list"},
    ("rooms", "delete"): {"delete", "delete_all"},
    ("rooms", "apply"): {"plan", "apply"},
    ("recordings", "export"): {"list"},
}
# What such a verb takes and the command has by itself, or under another name.
NOT_OF_JOBS = {
    "bodies",  # the table
    "desired",  # the table
    "include_sessions",  # a table has no place for them
    "limit",  # --concurrency
    "ordered",  # nobody would see it
    "page_size",  # the largest there is
    "plan",  # made by the command
}


def commands() -> Iterator[Any]:
    """Find every command of a group."""
    for noun, group in GROUPS.items():
        for command in group:
            verb = command.name or command.callback.__name__
            yield pytest.param(noun, verb, command.callback, id=f"{noun}-{verb}")


def verbs(noun: str) -> set[str]:
    """Find the verbs of a resource."""
    return {name for name in dir(getattr(CLIENT, noun)) if not name.startswith("_")}


def test_every_verb_is_a_command() -> None:
    """Each resource of the client is a group, with its verbs and no other."""
    assert list(GROUPS) == ["rooms", "sessions", "participants", "recordings", "compositions", "tokens"]
    for noun, group in GROUPS.items():
        named = {command.name or command.callback.__name__ for command in group}
        jobs = {verb for other, verb in JOBS if other == noun}
        assert named == (verbs(noun) | jobs) - {verb for other, verb in NO_COMMANDS if other == noun}


@pytest.mark.parametrize(("noun", "verb", "command"), list(commands()))
def test_every_parameter_of_a_verb_is_an_option(noun: str, verb: str, command: Any) -> None:
    """A command takes what its verb takes, under the same names, and little more."""
    options = set(inspect.signature(command).parameters) - OURS
    if (noun, verb) in JOBS:
        assert _parameters(noun, JOBS[noun, verb]) - NOT_OF_JOBS <= options
    else:
        assert options == _parameters(noun, {verb}) - NO_OPTIONS


def _parameters(noun: str, names: set[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        for parameter in inspect.signature(getattr(getattr(CLIENT, noun), name)).parameters.values():
            is_fields = parameter.kind is inspect.Parameter.VAR_KEYWORD
            found |= set(RoomFields.__annotations__) if is_fields else {parameter.name}
    return found


@pytest.mark.parametrize(("noun", "verb", "command"), list(commands()))
def test_every_command_explains_itself(noun: str, verb: str, command: Any) -> None:
    """The help of a command fits 80 columns, shows whole names, and says something of each option."""
    words = CliRunner().invoke(app, [noun, verb.replace("_", "-"), "--help"], env={"COLUMNS": "80"})
    assert words.exit_code == 0
    assert max(map(len, words.stdout.splitlines())) <= 80
    assert "…" not in words.stdout
    assert "..." not in words.stdout.replace("]...", "")
    assert "--json" in words.stdout


def test_the_forms_of_a_range_are_in_the_help() -> None:
    """The help of a list shows each form that a filter by duration takes."""
    words = CliRunner().invoke(app, ["recordings", "list", "--help"]).stdout
    assert all(form in words for form in ("90,", "60..120", "60..,", "..120."))


def test_the_form_of_a_region_is_in_the_help() -> None:
    """The help of a composition shows two regions side by side."""
    words = CliRunner().invoke(app, ["compositions", "create", "--help"]).stdout
    assert "  --region left:width=640,height=720,sources=ID\n" in words
    assert "  --region right:x=640,width=640,height=720,sources=ID+ID\n" in words
