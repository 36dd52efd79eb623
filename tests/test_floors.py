"""The law of the house: a module imports only lower floors, and only the outsiders of its own."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

import telnyx_rooms_async

HOUSE = Path(telnyx_rooms_async.__file__).parent

# A folder's floor holds for its rooms. Beside the house: 10 and up, where only the core is below.
FLOORS = {
    "core": 0,
    "core.events": 0,
    "core.messages": 0,
    "core.models": 0,
    "core.secret": 0,
    "version": 0,
    "core.codec": 1,
    "core.endpoints": 1,
    "core.errors": 1,
    "core.rules": 1,
    "core.error_bodies": 2,
    "core.fields": 3,
    "core.frames": 2,
    "core.journal": 3,
    "core.job_errors": 2,
    "core.timeline": 2,
    "core.webhooks": 2,
    "core.params": 2,
    "core.spelling": 2,
    "core.retry": 2,
    "core.statuses": 2,
    "core.protocol": 3,
    "core.raw": 3,
    "core.tables": 4,
    "batch": 2,
    "journal": 2,
    "jobs": 6,
    "journaled": 5,
    "journaling": 4,
    "clock": 2,
    "core.adoption": 1,
    "core.paging": 2,
    "core.plan": 4,
    "core.ratelimit": 1,
    "core.server_clock": 3,
    "core.sharing": 2,
    "atomic_write": 1,
    "attempts": 4,
    "gate": 3,
    "lifetime": 2,
    "targets": 2,
    "uninterrupted": 2,
    "settings": 3,
    "seen": 4,
    "webhooks": 4,
    "router": 5,
    "transport": 3,
    "caller": 5,
    "waiting": 5,
    "creating": 6,
    "downloads": 6,
    "listing": 6,
    "resources": 7,
    "client": 8,
    "": 9,
    "otel": 9,
    "fleet": 9,
    "redis": 9,
    "testing": 9,
    "web": 9,
    "emulator": 9,
    "cli": 10,
    "pytest_plugin": 10,
    "__main__": 11,
}
# What a room may import besides the standard library and lower floors.
OUTSIDERS = {
    "core.codec": {"attrs", "cattrs", "msgspec"},
    "core.webhooks": {"attrs", "cryptography"},
    "core": {"attrs"},
    "core.rules": {"attrs", "yarl"},
    "transport": {"aiohttp", "multidict", "yarl"},
    "caller": {"attrs"},
    "creating": {"attrs"},
    "batch": {"attrs"},
    "gate": {"attrs"},
    "jobs": {"attrs"},
    "journaled": {"attrs"},
    "journaling": {"attrs"},
    "listing": {"attrs"},
    "clock": {"attrs"},
    "downloads": {"attrs"},
    "settings": {"attrs"},
    "resources.sessions": {"attrs"},
    "resources.tokens": {"attrs"},
    "targets": {"attrs"},
    "client": {"attrs"},
    "otel": {"attrs", "opentelemetry"},
    "redis": {"redis"},
    "fleet": {"attrs"},
    "fleet.engine": {"distributed"},
    "testing": {"attrs", "cryptography"},
    "web": {"aiohttp", "attrs"},
    "emulator": {"aiohttp", "attrs", "yarl"},
    "emulator.signing": {"attrs", "cryptography"},
    "cli": {"rich", "typer"},
    "cli.jobs.parquet": {"pyarrow"},
    "pytest_plugin": {"pytest", "pytest_asyncio"},
}
# What a room may import from the package at all, where its floor says too little: the doors of others.
DOORS = {"cli": {"", "atomic_write", "batch", "core.codec", "core.models", "core.tables", "emulator"}}
# What nobody below the shell may know of: no I/O, no clock, no dice, no environment.
FORBIDDEN_IN_CORE = {
    "asyncio",
    "io",
    "logging",
    "os",
    "pathlib",
    "random",
    "secrets",
    "socket",
    "ssl",
    "time",
}


def name_of(path: Path) -> str:
    """Name a module below the package: ``core.codec``."""
    return ".".join(path.relative_to(HOUSE).with_suffix("").parts).removesuffix("__init__").rstrip(".")


def rules_for(name: str, table: dict[str, object]) -> object:
    """Find a module's row, or that of the nearest folder that has one."""
    while name not in table and "." in name:
        name = name.rpartition(".")[0]
    return table.get(name)


def imports_of(source: str) -> Iterator[str]:
    """List every module that a source imports, in any block of it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            # `from package import module` imports the module.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_for(name: str, target: str, imported: str) -> bool:
    """Tell whether a module may know of the target, and imports from its door, not from a room behind it."""
    doors = rules_for(name, dict(DOORS))
    if doors is None:
        return True
    return target in cast("set[str]", doors) and imported.removeprefix(target).count(".") <= 1


def breaches(name: str, source: str) -> Iterator[str]:
    """Tell each import that a module of this name must not have."""
    floor = rules_for(name, dict(FLOORS))
    assert isinstance(floor, int), f"{name} stands on no floor"
    for imported in imports_of(source):
        top, _, rest = imported.partition(".")
        if top == "telnyx_rooms_async":
            known = [part for part in FLOORS if rest == part or rest.startswith(f"{part}.")]
            target = max(known, key=len, default="")
            same_room = target not in ("", "core") and f"{name}.".startswith(f"{target}.")
            if FLOORS[target] >= floor and not same_room:
                yield f"{name} (floor {floor}) imports {imported} (floor {FLOORS[target]})"
            elif not same_room and not is_for(name, target, rest):
                yield f"{name} imports {imported}, which is not for it to know"
        elif top in sys.stdlib_module_names:
            if name.startswith("core") and top in FORBIDDEN_IN_CORE:
                yield f"{name} imports {top}: the core performs no I/O"
        elif top not in set(rules_for(name, dict(OUTSIDERS)) or ()):  # type: ignore[call-overload]  # a set, by the table above
            yield f"{name} imports the outsider {top}"


@pytest.mark.parametrize("path", sorted(HOUSE.rglob("*.py")), ids=name_of)
def test_every_import_leads_to_a_lower_floor(path: Path) -> None:
    """No module knows of the floors above it, nor of outsiders that are not its own."""
    assert list(breaches(name_of(path), path.read_text())) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("core.messages", "from telnyx_rooms_async.errors import TLSError"),
        ("core.codec", "from telnyx_rooms_async.core import errors"),
        ("transport", "import telnyx_rooms_async"),
        ("caller", "from telnyx_rooms_async.pagination import Listing"),
        ("core.retry", "import random"),
        ("core.retry", "def f():\n    import msgspec"),
        ("resources.rooms", "import aiohttp"),
        ("emulator.server", "from telnyx_rooms_async import RoomsClient"),
        ("cli.rooms", "from telnyx_rooms_async import resources"),
        ("cli.output", "from telnyx_rooms_async.errors import TLSError"),
        ("cli.jobs.sinks", "from telnyx_rooms_async.cli.tables.writing import csv_row"),
        ("cli.demo", "from telnyx_rooms_async.emulator.store import Store"),
    ],
)
def test_the_law_can_be_broken(name: str, source: str) -> None:
    """An import of a higher floor, or of a forbidden outsider, is found."""
    assert len(list(breaches(name, source))) == 1
