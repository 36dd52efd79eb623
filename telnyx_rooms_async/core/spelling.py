"""How a body or a query is checked, and spelled out as the API wants it."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from itertools import chain
from typing import Any, Final, cast

import attrs

from telnyx_rooms_async.core.validators import (
    UNSET,
    DateFilter,
    DurationFilter,
    hidden_text,
    url,
    url_or_none,
)
from telnyx_rooms_async.models import VideoRegion, secret_parts


def problems(params: attrs.AttrsInstance) -> Iterator[str]:
    """Tell everything that is wrong with a body or a query, one sentence a field."""
    for name, marks in _marks(type(params)):
        value = getattr(params, name)
        if value is marks["absent"] or (value is None and marks.get("nullable")):
            continue
        if wrong := marks["rule"](value):
            yield f"{name} {wrong}"


def body_fields(body: attrs.AttrsInstance) -> dict[str, object]:
    """Return the fields of a body that are to be sent; ``None`` is sent as null."""
    values = ((name, getattr(body, name)) for name, _ in _marks(type(body)))
    return {name: _plain(value) for name, value in values if value is not UNSET}


def secrets(body: attrs.AttrsInstance) -> tuple[str, ...]:
    """Return what of a body must never be shown: hidden fields, and parts of webhook URLs."""
    hidden, urls = _hidden(type(body))
    parts = (secret_parts(value) for name in urls if isinstance(value := getattr(body, name), str))
    return (*(getattr(body, name) for name in hidden), *chain.from_iterable(parts))


@cache
def _hidden(kind: type[attrs.AttrsInstance]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the hidden fields, and of those that are webhook URLs."""
    marks = _marks(kind)
    return (
        tuple(name for name, mark in marks if mark["rule"] is hidden_text),
        tuple(name for name, mark in marks if mark["rule"] in (url, url_or_none)),
    )


@cache
def _marks(kind: type[attrs.AttrsInstance]) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Return the name and the marks of each field: to ask attrs for them at each call doubles its time."""
    return tuple((field.name, field.metadata) for field in attrs.fields(kind))


_OF_JSON: Final = frozenset({str, int, bool, type(None)})


def _plain(value: object) -> object:
    """Turn what arguments are made of into what JSON is made of; an empty field of a region is left out."""
    if type(value) in _OF_JSON:  # as most are: a third of the time of the checks below
        return value
    if isinstance(value, str):  # a Secret: msgspec writes no subclass of str
        return str.__str__(value)
    if isinstance(value, VideoRegion):
        return {name: _plain(part) for name, part in attrs.asdict(value).items() if part is not None}
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in cast("Mapping[str, object]", value).items()}
    return [_plain(part) for part in cast("tuple[object, ...]", value)]  # no rule lets anything else through


def query_pairs(query: attrs.AttrsInstance) -> Iterator[tuple[str, str]]:
    """Spell a query out as the API wants it: ``filter[date_created_at][gte]``, ``2021-04-25``."""
    for name, marks in _marks(type(query)):
        wire, value = marks["wire"], getattr(query, name)
        if value is None:
            continue
        if isinstance(value, date):
            yield f"{wire}[eq]", str(value)
        elif isinstance(value, DateFilter | DurationFilter):
            bounds = attrs.asdict(value).items()
            yield from (
                (f"{wire}[{operator}]", str(bound)) for operator, bound in bounds if bound is not None
            )
        elif isinstance(value, bool):
            # An `include_...` is sent only when wanted; a filter is sent either way.
            if value or wire.startswith("filter["):
                yield wire, "true" if value else "false"
        else:
            yield wire, str(value)
