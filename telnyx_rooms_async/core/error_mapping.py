"""The shapes in which Telnyx and what stands before it say no, read into one.

::

A  {"errors": [{"code", "title", "detail", "source", "meta"}]}     documented for 422 and 429
B  {"code", "title", "detail", "source", "meta"}                   documented for 403 and 404
C  {"errors": {"unique_name_not_unique_for_user_id": ["…"]}}       seen for a duplicate name
D  {"message": "Error", "success": false}                          documented for lists and actions
E  nothing                                                         documented for 401
F  {"data": {"message": "…"}}                                      seen in Telnyx's own programs
G  HTML or text                                                    a proxy on the way
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, cast

from telnyx_rooms_async.models import ErrorDetail
from telnyx_rooms_async.serialization import DecodeError, parse_json

_TEXT_LIMIT: Final = 1000
_ENTRIES_LIMIT: Final = 50
_LEVELS_LIMIT: Final = 10


def error_details(body: bytes) -> tuple[ErrorDetail, ...]:
    """Read the entries of an error body, whatever its shape; ``()`` when there are none to read."""
    try:
        told = parse_json(body)
    except DecodeError:
        return ()
    readable = (entry for entry in _entries(told) if entry.code or entry.title or entry.detail)
    return tuple(islice(readable, _ENTRIES_LIMIT))


def _entries(told: object) -> Iterator[ErrorDetail]:
    body = _fields(told)
    listed = body.get("errors")
    message = body.get("message") or _fields(body.get("data")).get("message")
    if by_key := _fields(listed):
        for key, messages in by_key.items():
            texts = map(_text, _items(messages, (messages,)))
            yield from (ErrorDetail(code=_text(key), detail=text) for text in texts)
    elif listed:
        yield from map(_entry, _items(listed, (listed,)))
    elif message:
        yield ErrorDetail(title=_text(message))
    else:
        yield _entry(body)


def _entry(entry: object) -> ErrorDetail:
    told = _fields(entry)
    where, meta = _fields(told.get("source")), _fields(told.get("meta"))
    return ErrorDetail(
        code=_text(told.get("code")),
        title=_text(told.get("title") or (entry if isinstance(entry, str) else None)),
        detail=_text(told.get("detail") or told.get("description")),
        pointer=_text(where.get("pointer")),
        parameter=_text(where.get("parameter")),
        meta={key: value for key, value in meta.items() if _is_shallow(value)} or None,
    )


def _is_shallow(value: object, levels: int = _LEVELS_LIMIT) -> bool:
    """Tell whether a value can be copied and pickled without running out of stack."""
    inside = (*_fields(value).values(), *_items(value))
    return levels > 0 and all(_is_shallow(each, levels - 1) for each in inside)


def _fields(value: object) -> Mapping[str, object]:
    """Return an object's fields; what is no object has none."""
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def _items(value: object, otherwise: Sequence[object] = ()) -> Sequence[object]:
    """Return a list's items; what is no list has none, unless said otherwise."""
    return cast("Sequence[object]", value) if isinstance(value, list) else otherwise


def _text(value: object) -> str | None:
    """Keep a text, spell a number out, cut what is endless, and drop the rest."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value)[:_TEXT_LIMIT]
