"""Bytes to values and back: the only room that knows msgspec and cattrs.

The fast lane decodes typed, straight from bytes. What it refuses goes down the careful lane, which
parses first and then structures: that one forgives what Telnyx has been seen to vary (a byte-order mark,
odd page numbers, zones other than UTC) and names the path of every misfit. Where both succeed they agree.
The fast lane passes unknown fields over unread; the careful lane has to parse them, and is not even
imported before it is needed.
"""

from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime
from functools import cache
from operator import attrgetter
from types import NoneType
from typing import Any, Generic, TypeAlias, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec
from attrs import AttrsInstance, asdict, frozen, has

from telnyx_rooms_async.core.codec.plain import NOT_JSON, DecodeError, is_tuple, parse
from telnyx_rooms_async.models import Page

__all__ = ["DecodeError", "decode", "encode", "parse"]

T = TypeVar("T")
_Getter: TypeAlias = Callable[[Any], Any]


def decode(body: bytes, answer: type[T]) -> T:
    """Read the body of a success: a `Page`, one thing under ``data``, or nothing for ``NoneType``.

    Raises:
        DecodeError: with the path of everything that does not fit.
    """
    if answer is NoneType:
        return cast("T", None)
    envelope = _envelope(cast("Hashable", answer))
    try:
        whole = envelope.fast(body)
    except (*NOT_JSON, RecursionError):
        whole = _careful(body, envelope.whole)
    else:
        # msgspec leaves each zone as it came, and an instant without one naive.
        if not _all_in_utc(envelope.kind, envelope.items(whole)):
            whole = _careful(body, envelope.whole)
    told: T = envelope.answer(whole)
    return told


def encode(value: object) -> bytes:
    """Write plain data or a model as JSON, a model's fields in the order of its class."""
    is_model = not isinstance(value, dict) and has(type(value))
    return msgspec.json.encode(asdict(cast("AttrsInstance", value)) if is_model else value)


# --- what stands around an answer -------------------------------------------------------------------------


@frozen(kw_only=True, eq=False, repr=False)
class _One(Generic[T]):
    """The envelope of a single thing."""

    data: T


@frozen(kw_only=True, eq=False, repr=False)
class _Envelope:
    """How a whole body is decoded, and how to reach what is in it."""

    whole: Any
    kind: Any
    fast: Callable[[bytes], Any]
    answer: _Getter
    items: _Getter


@cache
def _envelope(answer: Any) -> _Envelope:  # noqa: ANN401 - a generic alias is of no common type
    def page(whole: Any) -> Any:  # noqa: ANN401
        return whole

    paged = get_origin(answer) is Page
    whole = answer if paged else _One[answer]
    return _Envelope(
        whole=whole,
        kind=get_args(answer)[0] if paged else answer,
        fast=msgspec.json.Decoder(whole).decode,
        answer=page if paged else attrgetter("data"),
        items=attrgetter("data") if paged else lambda one: (one.data,),
    )


# --- the fast lane's one check ----------------------------------------------------------------------------


def _all_in_utc(kind: Any, items: Sequence[Any]) -> bool:  # noqa: ANN401 - any model
    """Tell whether all instants in `items` are in UTC: column by column, cheaper than object by object."""
    instants, nested = _columns(kind)
    for column in instants:
        for moment in map(column, items):
            if moment is not None and moment.tzinfo is not UTC:
                return False
    for column, inner in nested:
        below = [each for many in map(column, items) if many for each in many]
        if below and not _all_in_utc(inner, below):
            return False
    return True


@cache
def _columns(kind: Any) -> tuple[list[_Getter], list[tuple[_Getter, Any]]]:  # noqa: ANN401
    """Return how to reach the instants of a model, and the tuples of models in it with their kinds."""
    hints = get_type_hints(kind).items()
    options = [(name, option) for name, hint in hints for option in get_args(hint) or (hint,)]
    return (
        [attrgetter(name) for name, option in options if option is datetime],
        [(attrgetter(name), get_args(option)[0]) for name, option in options if is_tuple(option)],
    )


def _careful(body: bytes, whole: Any) -> Any:  # noqa: ANN401 - any envelope
    from telnyx_rooms_async.core.codec.careful import structure  # noqa: PLC0415 - cattrs takes as long to import as all of us

    return structure(body, whole)
