"""Custom requests: any method, path, query and JSON below the base URL, validated before they are sent."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias, cast

from telnyx_rooms_async.core.endpoints import ENDPOINTS
from telnyx_rooms_async.core.http_messages import Call, Request, Response, RetrySafety
from telnyx_rooms_async.core.requests import query_text
from telnyx_rooms_async.core.validators import (
    exact_flag,
    exact_integer,
    exact_text,
    exact_url,
    is_text,
    short_repr,
)
from telnyx_rooms_async.errors import InvalidArgumentError
from telnyx_rooms_async.models import AccountKey
from telnyx_rooms_async.serialization import encode_json

QueryValue: TypeAlias = str | int | bool

_PATH: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~!$&'()*+,;=:@-]+)+")
_WORD: Final = re.compile("[a-z_]+")
_VERSION: Final = re.compile("v[0-9]{1,2}")
_COLLECTIONS: Final = frozenset(endpoint.path.split("/")[1] for endpoint in ENDPOINTS)
_METHODS: Final = {
    "GET": RetrySafety.IDEMPOTENT,
    "HEAD": RetrySafety.IDEMPOTENT,
    "PUT": RetrySafety.IDEMPOTENT,
    "PATCH": RetrySafety.IDEMPOTENT,
    "DELETE": RetrySafety.IDEMPOTENT,
    "POST": RetrySafety.IF_NOT_SENT,
}

ACCOUNT_KEY: Final = Call(
    operation="GET /public_key",
    template="/public_key",
    request=Request(method="GET", path="/public_key"),
    response_type=AccountKey,
    retry_safety=RetrySafety.IDEMPOTENT,
)
"""Not an operation of the Video API, so it is not in the table of endpoints."""


def build_custom(
    method: str, path: str, *, query: Mapping[str, QueryValue] | None = None, json: object = None
) -> Call[Response]:
    """Build a custom call: ``build_custom("GET", "/rooms", query={"page[size]": 1})``.

    Raises:
        InvalidArgumentError: the method is unknown, the path could leave the base URL, a query value is not a
            str, an int or a bool, or the body cannot be written as JSON.
    """
    method, path, values = exact_text(method), exact_text(path), _exact_query(query)
    if wrong := tuple(_problems(method, path, values)):
        raise InvalidArgumentError(wrong)
    try:
        data = _exact_json(json)
        body = None if data is None else encode_json(data)
    except Exception as error:  # noqa: BLE001 - a user's mapping or sequence can raise anything
        raise InvalidArgumentError((f"json cannot be written: {error}",)) from None
    pairs = tuple((name, query_text(value)) for name, value in cast("dict[str, QueryValue]", values).items())
    return Call(
        operation=f"{method} {(template := _template(path))}",
        template=template,
        request=Request(method=method, path=path, query=pairs, body=body),
        response_type=Response,
        retry_safety=_METHODS[method],
        unique_name=_unique_name(data),
    )


def _unique_name(data: object) -> str | None:
    match data:
        case {"unique_name": str(name)}:
            return name
        case _:
            return None


def _exact_query(query: object) -> object:
    """Return the query with exact names and values; anything but a mapping is returned unchanged."""
    if query is None:
        return {}
    if not issubclass(type(query), Mapping):
        return query
    try:
        pairs = list(cast("Mapping[object, object]", query).items())
    except Exception:  # noqa: BLE001 - a user's mapping can raise anything
        raise InvalidArgumentError(("query must be a mapping that can be read",)) from None
    return {exact_text(name): exact_integer(exact_flag(exact_url(value))) for name, value in pairs}


def _exact_json(value: object) -> object:
    """Return JSON data made of the builtin types; msgspec refuses all other types.

    Raises:
        ValueError: it contains NaN or an infinite number, which JSON does not have.
    """
    text = exact_text(value)
    if text is None or isinstance(text, str | bool):
        return text
    if isinstance(text, float):
        if not math.isfinite(text):
            raise ValueError(f"JSON has no number {float.__repr__(text)}")
        return float.__float__(text)
    if isinstance(text, Mapping):
        items = cast("Mapping[object, object]", text).items()
        return {exact_text(name): _exact_json(part) for name, part in items}
    if isinstance(text, list | tuple):
        return [_exact_json(part) for part in cast("list[object]", text)]
    plain = exact_integer(exact_flag(text))
    return plain if plain is text else _exact_json(plain)


def _template(path: str) -> str:
    """Return a path with ``{id}`` for each segment that may be an id, because logs show no ids.

    Lower-case words are not ids, except behind a collection of this API, nor is a version at the start.
    """
    shown, before = [""], ""
    for segment in path.split("/")[1:]:
        is_word = _WORD.fullmatch(segment) and before not in _COLLECTIONS
        is_version = not before and _VERSION.fullmatch(segment)
        shown.append(segment if is_word or is_version else "{id}")
        before = segment
    return "/".join(shown)


def _problems(method: object, path: object, query: object) -> Iterator[str]:
    if not isinstance(method, str) or method not in _METHODS:
        yield f"method must be one of {', '.join(_METHODS)}, not {short_repr(method)}"
    if not (isinstance(path, str) and _PATH.fullmatch(path)):
        yield f"path must be plain and absolute, below the base URL, not {short_repr(path)}"
    if not isinstance(query, dict):
        yield f"query must be a mapping, not {short_repr(query)}"
        return
    for name, value in cast("Mapping[object, object]", query).items():
        if not is_text(name) or not (is_text(value) or _is_printable_int(value)):
            yield f"query {short_repr(name)} must be a str, an int or a bool, not {short_repr(value)}"


def _is_printable_int(value: object) -> bool:
    return isinstance(value, int) and abs(value) < 2**63
