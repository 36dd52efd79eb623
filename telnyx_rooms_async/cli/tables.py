"""What people read: values as rows of text. Nothing is printed here."""

import inspect
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from telnyx_rooms_async import Room, RoomParticipant, RoomSession

Value: TypeAlias = Room | RoomSession | RoomParticipant

_GAP: Final = 2
_FOLDED: Final = 16


class Kind(NamedTuple):
    """How the values of one model stand in a table."""

    noun: str
    columns: tuple[str, ...]
    """Fields, those first that must be seen: where it is narrow, the last are left out."""
    folds: str | None = None
    """The column that may take several lines. Ids and instants never do."""
    inside: str | None = None
    """The field whose values get a table of their own."""


KINDS: Final[dict[type, Kind]] = {
    Room: Kind(
        "room",
        ("id", "unique_name", "created_at", "active_session_id", "max_participants", "enable_recording"),
        folds="unique_name",
        inside="sessions",
    ),
    RoomSession: Kind(
        "session",
        ("id", "created_at", "ended_at", "active", "updated_at"),
        inside="participants",
    ),
    RoomParticipant: Kind(
        "participant",
        ("id", "context", "joined_at", "left_at"),
        folds="context",
    ),
}


def table(model: type, values: Sequence[Value], width: int) -> tuple[Table, tuple[str, ...]]:
    """Make a row of each value, and tell which columns found no room."""
    kind = KINDS[model]
    cells = {name: [_spell(getattr(value, name)) for value in values] for name in kind.columns}
    shown = _fitting(kind, cells, width)
    grid = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    for name in shown:
        grid.add_column(name, no_wrap=name != kind.folds, overflow="fold")
    for row in zip(*(cells[name] for name in shown), strict=True):
        grid.add_row(*map(Text, row))
    return grid, kind.columns[len(shown) :]


def _fitting(kind: Kind, cells: dict[str, list[str]], width: int) -> tuple[str, ...]:
    """Choose as many columns as fit; the first always does."""
    used = -_GAP
    for number, name in enumerate(kind.columns):
        widest = max(map(cell_len, (name, *cells[name])))
        used += _GAP + (min(widest, _FOLDED) if name == kind.folds else widest)
        if number and used > width:
            return kind.columns[:number]
    return kind.columns


def record(value: Value) -> Table:
    """Make a row of each field."""
    grid = Table.grid(padding=(0, _GAP, 0, 0))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name in inspect.get_annotations(type(value)):
        if name != KINDS[type(value)].inside:
            grid.add_row(name, Text(_spell(getattr(value, name))))
    return grid


def inside(value: Value) -> tuple[str, Sequence[Value]] | None:
    """Return what stands inside a value, if it was asked for, with a title for its table."""
    kind = KINDS[type(value)]
    values = getattr(value, kind.inside) if kind.inside else None
    return None if values is None else (f"{kind.inside} of {kind.noun} {_spell(value.id)}", values)


def _spell(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%SZ}"
        case _:
            return "".join(map(_printable, str(value)))


def _printable(character: str) -> str:
    """Keep a name from moving the cursor or colouring the terminal."""
    return character if character.isprintable() else character.encode("unicode_escape").decode()
