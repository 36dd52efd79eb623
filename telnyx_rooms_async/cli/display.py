"""Results for people: a table with one row per value or per field, or a sentence. With ``--json``, JSON."""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias, TypeVar, cast

import attrs
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from telnyx_rooms_async import (
    AccessToken,
    Listing,
    Room,
    RoomComposition,
    RoomParticipant,
    RoomRecording,
    RoomSession,
    VideoRegion,
)
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.options import SOURCE_SEPARATOR, format_region
from telnyx_rooms_async.models import public_url

_GAP: Final = 2
_FOLDED_WIDTH: Final = 16


class Result(NamedTuple):
    """What a command has done."""

    sentence: str
    values: Mapping[str, object] | None = None
    """The same for ``--json``; None to print nothing there."""


Value: TypeAlias = Room | RoomSession | RoomParticipant | RoomRecording | RoomComposition
Shown: TypeAlias = Value | AccessToken | Result
Item = TypeVar("Item", bound=Value)


class _Layout(NamedTuple):
    """How the values of one model are shown."""

    noun: str
    columns: str
    """Fields in order of importance: a narrow terminal shows the first ones."""
    folded: str | None = None
    """The column that may be wrapped. Ids and times never are."""
    nested: str | None = None
    """The field whose values are shown in a table of their own."""


_LAYOUTS: Final[dict[type, _Layout]] = {
    Room: _Layout(
        "room",
        "id unique_name created_at active_session_id max_participants enable_recording",
        folded="unique_name",
        nested="sessions",
    ),
    RoomSession: _Layout(
        "session", "id created_at ended_at room_id active updated_at", nested="participants"
    ),
    RoomParticipant: _Layout("participant", "id context joined_at left_at session_id", folded="context"),
    RoomRecording: _Layout(
        "recording",
        "id type status duration_secs size_mb started_at download_url participant_id session_id room_id",
    ),
    RoomComposition: _Layout(
        "composition", "id status duration_secs size_mb resolution created_at download_url session_id"
    ),
}


def show(value: Shown) -> None:
    """Print a result on stdout: a sentence, one line per field, or one JSON object."""
    if output.is_json.get():
        data = value.values if isinstance(value, Result) else value
        if data is not None:
            output.write_json(data)
    elif isinstance(value, Result):
        output.write_line(value.sentence)
    elif isinstance(value, AccessToken):
        names = attrs.fields_dict(type(value))
        width = max(map(len, names)) + _GAP
        for name in names:  # a token is copied from the terminal, so it is not wrapped
            line = Text.assemble((name.ljust(width), "bold"), text_of(getattr(value, name)))
            output.write(line, soft_wrap=True)
    else:
        table = Table.grid(padding=(0, _GAP, 0, 0))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name in attrs.fields_dict(type(value)):
            if name != _LAYOUTS[type(value)].nested:
                table.add_row(name, Text(_field_text(value, name)))
        output.write(table)
        _write_nested(value, even_if_empty=True)


async def show_list(listing: Listing[Item], model: type[Item], *, omit: str | None = None) -> None:
    """Print a listing: a table at the end, or one JSON object per line as the pages arrive."""
    values: list[Item] = []
    async with aclosing(aiter(listing)) as items:
        async for item in items:
            if output.is_json.get():
                output.write_json(item)
            else:
                values.append(item)
    if output.is_json.get():
        return
    is_terminal = output.stdout().is_terminal
    table, hidden = _values_table(model, values, omit)
    if values or not is_terminal:
        output.write(table)
    for value in values:
        _write_nested(value, even_if_empty=False)
    if is_terminal:
        summary = output.counted(len(values), _LAYOUTS[model].noun, zero="no")
        more = f"; not shown: {', '.join(hidden)} (--json has all)" if values and hidden else ""
        output.note(f"{summary}{more}")


def _values_table(model: type, values: Sequence[Value], omit: str | None) -> tuple[Table, list[str]]:
    """Return a table with one row per value, and the columns that do not fit."""
    layout = _LAYOUTS[model]
    columns = [name for name in layout.columns.split() if name != omit]
    cells = {name: [_field_text(value, name) for value in values] for name in columns}
    shown: list[str] = []
    used = -_GAP
    for name in columns:
        widest = max(map(cell_len, (name, *cells[name])))
        used += _GAP + (min(widest, _FOLDED_WIDTH) if name == layout.folded else widest)
        if shown and used > output.stdout().width:
            break
        shown.append(name)
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    for name in shown:
        table.add_column(name, no_wrap=name != layout.folded, overflow="fold")
    for row in zip(*(cells[name] for name in shown), strict=True):
        table.add_row(*map(Text, row))
    return table, columns[len(shown) :]


def _write_nested(value: Value, *, even_if_empty: bool) -> None:
    """Print the values within a value, such as the sessions of a room, if they were requested."""
    layout = _LAYOUTS[type(value)]
    values: Sequence[Value] | None = getattr(value, layout.nested) if layout.nested else None
    if values is None or not (values or even_if_empty):
        return
    title = f"\n{layout.nested} of {layout.noun} {text_of(value.id)}"
    output.write(Text(title if values else f"{title}: none", style="bold"))
    if values:
        output.write(_values_table(type(values[0]), values, f"{layout.noun}_id")[0])


def _field_text(value: Value, name: str) -> str:
    content = getattr(value, name)
    if content and name in ("webhook_event_url", "webhook_event_failover_url"):
        return text_of(public_url(content))
    # The link is a secret: a table only shows whether there is one.
    return "ready" if content and name == "download_url" else text_of(content)


def text_of(value: object) -> str:
    """Return a value as printable text."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%SZ}"
        case tuple():
            return text_of(SOURCE_SEPARATOR.join(cast("tuple[str, ...]", value)))
        case Mapping():
            regions = cast("Mapping[str, VideoRegion]", value)
            return text_of(" ".join(format_region(name, region) for name, region in regions.items()))
        case _:
            return output.escaped(str(value))
