"""Know one's own room again, when the answer of its creation was lost. Time is an argument."""

from collections.abc import Iterable, Mapping
from typing import Final

from telnyx_rooms_async.core.models import Room

PAUSES: Final = (0.2, 0.5, 1.0)
"""Seconds before each look: a room may take a moment to show."""
_BLANK: Final = (None, "")


def namesakes(rooms: Iterable[Room], unique_name: str) -> tuple[Room, ...]:
    """Return the rooms of exactly this name: what else the server takes for a match is not documented."""
    return tuple(room for room in rooms if room.unique_name == unique_name)


def is_ours(room: Room, asked: Mapping[str, object], *, earliest: float, latest: float) -> bool:
    """Tell whether a namesake is what a creation has made.

    Args:
        room: it has the name that was asked for.
        asked: the body of the creation; every setting in it must be the room's.
        earliest: when the server may have made it, in seconds since the epoch, by the server's clock.
        latest: likewise.
    """
    if room.created_at is None:
        return False
    same = all(is_alike(getattr(room, name, None), wanted) for name, wanted in asked.items())
    return same and earliest <= room.created_at.timestamp() <= latest


def is_alike(had: object, wanted: object) -> bool:
    """Tell whether a room has a setting as it was asked for."""
    if isinstance(wanted, bool):
        return bool(had) is wanted
    # A URL that is not set comes as null or as an empty text; zero seconds are no null.
    return had == wanted or (had in _BLANK and wanted in _BLANK)
