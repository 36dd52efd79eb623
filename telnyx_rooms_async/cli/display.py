"""What people read: values as rows of text. Nothing is printed here."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias, cast

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from telnyx_rooms_async import (
    AccessToken,
    ClientToken,
    Room,
    RoomComposition,
    RoomParticipant,
    RoomRecording,
    RoomSession,
    VideoRegion,
)
from telnyx_rooms_async.cli.regions import SEPARATOR, spell_region
from telnyx_rooms_async.models import public_url

Value: TypeAlias = Room | RoomSession | RoomParticipant | RoomRecording | RoomComposition
Token: TypeAlias = AccessToken | ClientToken

_GAP: Final = 2
_FOLDED: Final = 16
_LINK: Final = "download_url"
_HOOKS: Final = ("webhook_event_url", "webhook_event_failover_url")


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
        ("id", "created_at", "ended_at", "room_id", "active", "updated_at"),
        inside="participants",
    ),
    RoomParticipant: Kind(
        "participant",
        ("id", "context", "joined_at", "left_at", "session_id"),
        folds="context",
    ),
    RoomRecording: Kind(
        "recording",
        (
            "id",
            "type",
            "status",
            "duration_secs",
            "size_mb",
            "started_at",
            "download_url",
            "participant_id",
            "session_id",
            "room_id",
        ),
    ),
    RoomComposition: Kind(
        "composition",
        (
            "id",
            "status",
            "duration_secs",
            "size_mb",
            "resolution",
            "created_at",
            "download_url",
            "session_id",
        ),
    ),
}


def table(
    model: type, values: Sequence[Value], width: int, *, of: str | None = None
) -> tuple[Table, tuple[str, ...]]:
    """Make a row of each value, and tell which columns found no room.

    Args:
        model: the class of the values.
        values: what to show.
        width: of the terminal.
        of: a column that would say the same in each row, and is not wanted.
    """
    kind = KINDS[model]
    wanted = [name for name in kind.columns if name != of]
    cells = {name: [_spell_field(value, name) for value in values] for name in wanted}
    shown = _fitting(kind, cells, width)
    grid = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    for name in shown:
        grid.add_column(name, no_wrap=name != kind.folds, overflow="fold")
    for row in zip(*(cells[name] for name in shown), strict=True):
        grid.add_row(*map(Text, row))
    return grid, tuple(wanted[len(shown) :])


def _fitting(kind: Kind, cells: Mapping[str, Sequence[str]], width: int) -> tuple[str, ...]:
    """Choose as many columns as fit; the first always does."""
    used = -_GAP
    for number, (name, column) in enumerate(cells.items()):
        widest = max(map(cell_len, (name, *column)))
        used += _GAP + (min(widest, _FOLDED) if name == kind.folds else widest)
        if number and used > width:
            return tuple(cells)[:number]
    return tuple(cells)


def record(value: Value) -> Table:
    """Make a row of each field."""
    grid = Table.grid(padding=(0, _GAP, 0, 0))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name in inspect.get_annotations(type(value)):
        if name != KINDS[type(value)].inside:
            grid.add_row(name, Text(_spell_field(value, name)))
    return grid


def token_lines(token: Token) -> Iterator[Text]:
    """Make a line of each field: what is to be copied must not be folded."""
    # The fields of a `ClientToken` are those of an `AccessToken`, and two more.
    names = [name for each in reversed(type(token).__mro__) for name in inspect.get_annotations(each)]
    width = max(map(len, names)) + _GAP
    for name in names:
        yield Text.assemble((name.ljust(width), "bold"), _spell(getattr(token, name)))


class Inside(NamedTuple):
    """What stands inside a value."""

    title: str
    values: Sequence[Value]
    of: str
    """The column that would name the value they stand in."""


def inside(value: Value) -> Inside | None:
    """Return what stands inside a value, if it was asked for."""
    kind = KINDS[type(value)]
    values = getattr(value, kind.inside) if kind.inside else None
    if values is None:
        return None
    return Inside(f"{kind.inside} of {kind.noun} {_spell(value.id)}", values, f"{kind.noun}_id")


def _spell_field(value: Value, name: str) -> str:
    found = getattr(value, name)
    if name in _HOOKS and found:
        return _spell(public_url(found))
    # A secret: here it is told only that there is one.
    return "ready" if name == _LINK and found else _spell(found)


def _spell(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%SZ}"
        case tuple():
            return _spell(SEPARATOR.join(cast("tuple[str, ...]", value)))
        case Mapping():
            regions = cast("Mapping[str, VideoRegion]", value)
            return _spell(" ".join(spell_region(name, region) for name, region in regions.items()))
        case _:
            return "".join(map(_printable, str(value)))


def _printable(character: str) -> str:
    """Keep a name from moving the cursor or colouring the terminal."""
    return character if character.isprintable() else character.encode("unicode_escape").decode()
