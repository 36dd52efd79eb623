"""What is printed: values on stdout, as a table or as JSON; everything said about them on stderr."""

import json
import logging
import os
import sys
from collections.abc import Awaitable, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias, TypeVar

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from telnyx_rooms_async import Listing, Room, RoomParticipant, RoomSession
from telnyx_rooms_async.core.codec import encode

Value: TypeAlias = Room | RoomSession | RoomParticipant
Item = TypeVar("Item", Room, RoomSession, RoomParticipant)

_GAP: Final = 2
_FOLDED: Final = 16
_ENDLESS: Final = 100_000


class Kind(NamedTuple):
    """How values of one model stand in a table."""

    noun: str
    columns: tuple[str, ...]
    """The fields to show, those first that must be seen: a narrow terminal leaves out the last."""
    folds: str | None = None
    """The column that may take several lines; ids and instants never do."""
    inside: str | None = None
    """The field that holds values with tables of their own."""


KINDS: Final[dict[type, Kind]] = {
    Room: Kind(
        noun="room",
        columns=(
            "id",
            "unique_name",
            "created_at",
            "active_session_id",
            "max_participants",
            "enable_recording",
        ),
        folds="unique_name",
        inside="sessions",
    ),
    RoomSession: Kind(
        noun="session",
        columns=("id", "created_at", "ended_at", "active", "room_id"),
        inside="participants",
    ),
    RoomParticipant: Kind(
        noun="participant",
        columns=("id", "context", "joined_at", "left_at"),
        folds="context",
    ),
}


# --- one value, many values -------------------------------------------------------------------------------


async def show_one(answer: Awaitable[Value], *, as_json: bool) -> None:
    """Print what is answered: all its fields, one a line, or one JSON object."""
    value = await answer
    if as_json:
        _write_json(value)
    else:
        write(_record(value))
        _write_inside(value)


async def show_list(listing: Listing[Item], *, limit: int | None, as_json: bool) -> None:
    """Print a list: a table when it is complete, or one JSON object a line as the pages arrive."""
    values: list[Item] = []
    async with aclosing(aiter(listing)) as arriving:
        async for value in arriving:
            values.append(value)
            if as_json:
                _write_json(value)
            if len(values) == limit:
                break
    if not as_json:
        write(_table(values))
