"""Tables for people: values of the API as rows of text. Nothing is printed here."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias, cast

import attrs
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from telnyx_rooms_async import (
    AccessToken,
    Room,
    RoomComposition,
    RoomParticipant,
    RoomRecording,
    RoomSession,
    VideoRegion,
)
from telnyx_rooms_async.cli.options import SOURCE_SEPARATOR, format_region
from telnyx_rooms_async.models import public_url

Value: TypeAlias = Room | RoomSession | RoomParticipant | RoomRecording | RoomComposition

_GAP: Final = 2
_FOLDED_WIDTH: Final = 16
_LINK: Final = "download_url"
_WEBHOOK_URLS: Final = ("webhook_event_url", "webhook_event_failover_url")


class Layout(NamedTuple):
    """How the values of one model are shown."""

    noun: str
    columns: tuple[str, ...]
    """Fields in order of importance: a narrow terminal shows the first ones."""
    folded: str | None = None
    """The column that may be wrapped. Ids and times never are."""
    nested: str | None = None
    """The field whose values are shown in a table of their own."""


LAYOUTS: Final[dict[type, Layout]] = {
    Room: Layout(
        "room",
        ("id", "unique_name", "created_at", "active_session_id", "max_participants", "enable_recording"),
        folded="unique_name",
        nested="sessions",
    ),
    RoomSession: Layout(
        "session",
        ("id", "created_at", "ended_at", "room_id", "active", "updated_at"),
        nested="participants",
    ),
    RoomParticipant: Layout(
        "participant",
        ("id", "context", "joined_at", "left_at", "session_id"),
        folded="context",
    ),
    RoomRecording: Layout(
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
    RoomComposition: Layout(
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


def values_table(
    model: type, values: Sequence[Value], width: int, *, omit: str | None = None
) -> tuple[Table, tuple[str, ...]]:
    """Return a table with one row per value, and the columns that do not fit.

    Args:
        model: class of the values.
        values: what to show.
        width: of the terminal.
        omit: a column that would have the same value in every row.
    """
    layout = LAYOUTS[model]
    columns = [name for name in layout.columns if name != omit]
    cells = {name: [_field_text(value, name) for value in values] for name in columns}
    shown: list[str] = []
    used = -_GAP
    for name in columns:
        widest = max(map(cell_len, (name, *cells[name])))
        used += _GAP + (min(widest, _FOLDED_WIDTH) if name == layout.folded else widest)
        if shown and used > width:
            break
        shown.append(name)
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    for name in shown:
        table.add_column(name, no_wrap=name != layout.folded, overflow="fold")
    for row in zip(*(cells[name] for name in shown), strict=True):
        table.add_row(*map(Text, row))
    return table, tuple(columns[len(shown) :])


def value_table(value: Value) -> Table:
    """Return a table with one row per field."""
    table = Table.grid(padding=(0, _GAP, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name in attrs.fields_dict(type(value)):
        if name != LAYOUTS[type(value)].nested:
            table.add_row(name, Text(_field_text(value, name)))
    return table


def token_lines(token: AccessToken) -> Iterator[Text]:
    """Yield one line per field. A token is copied from the terminal, so it is not wrapped."""
    names = list(attrs.fields_dict(type(token)))
    width = max(map(len, names)) + _GAP
    for name in names:
        yield Text.assemble((name.ljust(width), "bold"), _text(getattr(token, name)))


class Nested(NamedTuple):
    """Values within another value, such as the sessions of a room."""

    title: str
    values: Sequence[Value]
    parent_column: str
    """The column with the id of the outer value."""


def nested_values(value: Value) -> Nested | None:
    """Return the values within a value, if they were requested."""
    layout = LAYOUTS[type(value)]
    values = getattr(value, layout.nested) if layout.nested else None
    if values is None:
        return None
    return Nested(f"{layout.nested} of {layout.noun} {_text(value.id)}", values, f"{layout.noun}_id")


def _field_text(value: Value, name: str) -> str:
    content = getattr(value, name)
    if name in _WEBHOOK_URLS and content:
        return _text(public_url(content))
    # The link is a secret: a table only shows whether there is one.
    return "ready" if name == _LINK and content else _text(content)


def _text(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%SZ}"
        case tuple():
            return _text(SOURCE_SEPARATOR.join(cast("tuple[str, ...]", value)))
        case Mapping():
            regions = cast("Mapping[str, VideoRegion]", value)
            return _text(" ".join(format_region(name, region) for name, region in regions.items()))
        case _:
            # Other characters would move the cursor or colour the terminal.
            return "".join(
                character if character.isprintable() else character.encode("unicode_escape").decode()
                for character in str(value)
            )
