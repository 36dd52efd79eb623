"""A region of a composition as one argument: ``left:x=0,y=0,width=640,height=720,sources=ID+ID``.

No character of it needs quoting in a shell, except ``*`` for all sources, which is the default.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import typer

from telnyx_rooms_async import VideoRegion

SEPARATOR: Final = "+"
"""Separates ids: no id contains it."""

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
    """A region and its name in the composition."""

    name: str
    region: VideoRegion


def parse_region(text: str) -> NamedRegion:
    """Parse the name and the fields of a region. All fields are optional."""
    name, colon, rest = text.partition(":")
    if not name or not colon:
        raise typer.BadParameter(f"must be {_FORM}, got {text!r}")
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
                f"{key!r} is not a field of a region; the fields are {', '.join(_NUMBERS)}, sources"
            )
        if key in seen:
            raise typer.BadParameter(f"{key} is given twice")
        seen.add(key)
        yield key, value


def _number(key: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise typer.BadParameter(f"{key} must be a number, got {value!r}") from None


def format_region(name: str, region: VideoRegion) -> str:
    """Return a region as `parse_region` reads it."""
    numbers = [
        f"{key}={number}" for key, field in _NUMBERS.items() if (number := getattr(region, field)) is not None
    ]
    sources = [] if region.video_sources is None else [f"{_SOURCES}={SEPARATOR.join(region.video_sources)}"]
    return f"{name}:{','.join(numbers + sources)}"
