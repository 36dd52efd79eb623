"""A region of a composition as one argument: ``left:x=0,y=0,width=640,height=720,sources=ID+ID``.

Nothing in it needs quoting in a shell, but the ``*`` for all, which is meant when no sources are named.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import typer

from telnyx_rooms_async import VideoRegion

SEPARATOR: Final = "+"
"""Stands between ids: none has it inside."""

_SOURCES: Final = "sources"
_NUMBERS: Final = {
    "x": "x_pos",
    "y": "y_pos",
    "z": "z_pos",
    "width": "width",
    "height": "height",
    "columns": "max_columns",
    "rows": "max_rows",
}
_FORM: Final = "NAME:x=N,y=N,z=N,width=N,height=N,columns=N,rows=N,sources=ID+ID"


class NamedRegion(NamedTuple):
    """A region under the name that the composition has for it."""

    name: str
    region: VideoRegion


def parse_region(text: str) -> NamedRegion:
    """Read a name and its region, none of whose fields must be given."""
    name, colon, rest = text.partition(":")
    if not name or not colon:
        raise typer.BadParameter(f"{text!r} is no region: write {_FORM}")
    numbers: dict[str, int] = {}
    sources = "*"
    for key, value in _pairs(rest):
        if key == _SOURCES:
            sources = value
        else:
            numbers[_NUMBERS[key]] = _number(key, value)
    return NamedRegion(name, VideoRegion(**numbers, video_sources=tuple(sources.split(SEPARATOR))))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for pair in filter(None, text.split(",")):
        key, _, value = pair.partition("=")
        if key != _SOURCES and key not in _NUMBERS:
            raise typer.BadParameter(
                f"{key!r} is no field of a region: there are {', '.join(_NUMBERS)}, sources"
            )
        if key in seen:
            raise typer.BadParameter(f"{key} is given twice")
        seen.add(key)
        yield key, value


def _number(key: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise typer.BadParameter(f"{key} must be a number, not {value!r}") from None


def spell_region(name: str, region: VideoRegion) -> str:
    """Spell a region as it would be given."""
    numbers = [
        f"{key}={number}" for key, field in _NUMBERS.items() if (number := getattr(region, field)) is not None
    ]
    sources = [] if region.video_sources is None else [f"{_SOURCES}={SEPARATOR.join(region.video_sources)}"]
    return f"{name}:{','.join(numbers + sources)}"
