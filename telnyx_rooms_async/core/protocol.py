"""Functions without I/O: build a call, read its outcome, and go to another page of a list.

For other HTTP clients than aiohttp: send `Call.request`, make a `Response` or a `Failure` of what happens,
and `read` it.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import NoneType
from typing import Any, Final, TypeAlias, TypeVar, cast, get_origin

import attrs
from attrs import AttrsInstance, evolve, field, frozen

from telnyx_rooms_async.core.endpoints import END_SESSION, ENDPOINTS, Endpoint, RetrySafety
from telnyx_rooms_async.core.error_mapping import decode_error, error_details, error_of, status_class
from telnyx_rooms_async.core.http_messages import (
    Call,
    Failure,
    Request,
    Response,
    checked_headers,
    merged_headers,
)
from telnyx_rooms_async.core.validators import (
    EXACT_IDS,
    Rule,
    exact_flag,
    exact_integer,
    exact_text,
    exact_url,
    integer,
    is_id,
    is_text,
    one_id,
    short_repr,
)
from telnyx_rooms_async.errors import (
    Attempt,
    ConfigurationError,
    FailureKind,
    InvalidArgumentError,
    OutcomeUnknownError,
    SessionEndedError,
)
from telnyx_rooms_async.models import Page, secret_parts
from telnyx_rooms_async.serialization import DecodeError, Envelope, converter, encode_json, parse_json

T = TypeVar("T")
QueryValue: TypeAlias = str | int | bool

# --- requests ---------------------------------------------------------------------------------------------


def build(
    endpoint: Endpoint[T],
    *,
    query: AttrsInstance | None = None,
    body: AttrsInstance | None = None,
    **ids: object,
) -> Call[T]:
    """Build the call of an operation.

    Args:
        endpoint: a row of `core.endpoints`.
        query: the filter; for a list, the first page of 250 items by default.
        body: the body, for an operation with a body.
        ids: the ids in the path: text, a UUID or a model.

    Raises:
        InvalidArgumentError: with everything that is wrong with the ids, the query and the body.

    Example:
        >>> from telnyx_rooms_async.core.endpoints import RETRIEVE_ROOM
        >>> build(RETRIEVE_ROOM, room_id="0ccc7b54").request.path
        '/rooms/0ccc7b54'
    """
    if query is None and endpoint.is_list:
        query = PageQuery()
    invalid: list[str] = []
    path = endpoint.path
    for name in endpoint.ids:
        if name not in ids:
            invalid.append(f"{name} must be given")
            continue
        value: Any = ids[name]
        if not (type(value) is str and is_id(value)):
            value = EXACT_IDS[name](value)
            if problem := one_id(value):
                invalid.append(f"{name} {problem}")
                continue
        path = path.replace(f"{{{name}}}", value)
    if query is not None:
        invalid.extend(problems(query))
    if body is not None:
        invalid.extend(problems(body))
    if invalid:
        raise InvalidArgumentError(tuple(invalid))
    pairs = tuple(query_pairs(query)) if query is not None else ()
    if body is None:
        return Call(endpoint, Request(endpoint.method, path, pairs), query)
    request = Request(endpoint.method, path, pairs, converter.dumps(body), secrets(body))
    return Call(endpoint, request, query)


# --- pages of a list --------------------------------------------------------------------------------------

PAGE_SIZE_MAX: Final = 250


@frozen(kw_only=True, eq=False, repr=False)
class PageQuery:
    """Page of a list, and base class of the filters of lists."""

    page_number: int = field(
        default=1,
        converter=exact_integer,
        metadata={"rule": integer(1, 2**31 - 1), "wire": "page[number]"},
    )
    """The first page is 1."""
    page_size: int = field(
        default=PAGE_SIZE_MAX,
        converter=exact_integer,
        metadata={"rule": integer(1, PAGE_SIZE_MAX), "wire": "page[size]"},
    )
    """Items per page: 1 to 250."""


def at(call: Call[Page[T]], number: int, size: int | None = None) -> Call[Page[T]]:
    """Return the call for another page of the same list.

    Raises:
        InvalidArgumentError: the number is below 1, or the size is not from 1 to 250.
    """
    changes = {"page_number": number} if size is None else {"page_number": number, "page_size": size}
    query = evolve(cast("PageQuery", call.query), **changes)
    if invalid := tuple(problems(query)):
        raise InvalidArgumentError(invalid)
    request = evolve(call.request, query=tuple(query_pairs(query)))
    return call._replace(query=query, request=request)


def page_number(call: Call[Page[T]]) -> int:
    """Return the page number of a call for a list."""
    return cast("PageQuery", call.query).page_number


def page_size(call: Call[Page[T]]) -> int:
    """Return how many items a page of a list may hold."""
    return cast("PageQuery", call.query).page_size


# --- bodies and filters -------------------------------------------------------------------------------------


def problems(request: AttrsInstance) -> Iterator[str]:
    """Yield one sentence for each field of a body or filter that is wrong."""
    for name, rule, absent, is_nullable in _rules_of(type(request)):
        value = getattr(request, name)
        if value is absent or (is_nullable and value is None):
            continue
        if problem := rule(value):
            yield f"{name} {problem}"


@cache
def _rules_of(cls: type[AttrsInstance]) -> tuple[tuple[str, Rule, object, bool], ...]:
    """Return of each field its name, its rule, the value when it is absent, and whether it may be null."""
    return tuple(
        (
            field.name,
            field.metadata["rule"],
            field.default if "omit_default" in field.metadata else attrs.NOTHING,
            bool(field.metadata.get("nullable")),
        )
        for field in attrs.fields(cls)
        if field.metadata["rule"] is not None
    )


def body_fields(body: AttrsInstance) -> dict[str, object]:
    """Return the fields of a body that are sent; None is sent as null."""
    return cast("dict[str, object]", converter.unstructure(body))


def query_pairs(query: AttrsInstance) -> Iterator[tuple[str, str]]:
    """Yield the query parameters of a filter: ``("filter[date_created_at][gte]", "2021-04-25")``."""
    for name, value in cast("dict[str, object]", converter.unstructure(query)).items():
        if isinstance(value, dict):
            bounds = cast("dict[str, object]", value).items()
            yield from ((f"{name}[{operator}]", query_text(bound)) for operator, bound in bounds)
        else:
            yield name, query_text(value)


def query_text(value: object) -> str:
    """Return the text of a query parameter: ``true`` for True."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def secrets(body: AttrsInstance) -> tuple[str, ...]:
    """Return the parts of a body that must never be shown: hidden fields, and secrets in webhook URLs."""
    parts: list[str] = []
    for name, is_url in _secret_fields(type(body)):
        value = getattr(body, name)
        if not is_url:
            parts.append(value)
        elif isinstance(value, str):
            parts.extend(secret_parts(value))
    return tuple(parts)


@cache
def _secret_fields(cls: type[AttrsInstance]) -> tuple[tuple[str, bool], ...]:
    """Return the names of the fields that are not shown, and whether they are shown in part, as URLs are."""
    return tuple(
        (field.name, field.repr is not False) for field in attrs.fields(cls) if field.repr is not True
    )


# --- custom requests --------------------------------------------------------------------------------------

_PATH: Final = r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~!$&'()*+,;=:@-]+)+"
_COLLECTIONS: Final = frozenset(endpoint.path.split("/")[1] for endpoint in ENDPOINTS)
_METHODS_WITH_BODY: Final = ("PUT", "PATCH", "POST")
_METHODS: Final = ("GET", "HEAD", "DELETE", *_METHODS_WITH_BODY)


def build_custom(
    method: str, path: str, *, query: Mapping[str, QueryValue] | None = None, json: object = None
) -> Call[Response]:
    """Build a custom call: ``build_custom("GET", "/rooms", query={"page[size]": 1})``.

    Raises:
        InvalidArgumentError: the method is unknown, the path could leave the base URL, a query value is not a
            str, an int or a bool, or the body cannot be written as JSON.
    """
    method, path = exact_text(method), exact_text(path)
    invalid: list[str] = []
    if not (is_text(method) and method in _METHODS):
        invalid.append(f"method must be one of {', '.join(_METHODS)}, not {short_repr(method)}")
    if not (is_text(path) and re.fullmatch(_PATH, path)):
        invalid.append(f"path must be plain and absolute, below the base URL, not {short_repr(path)}")
    pairs = _query_pairs(query, invalid) if query is not None else ()
    body: bytes | None = None
    try:
        data = _exact_json(json)
        body = None if data is None else encode_json(data)
    except Exception as error:  # noqa: BLE001 - a user's mapping or sequence can raise anything
        invalid.append(f"json cannot be written: {error}")
    if invalid:
        raise InvalidArgumentError(tuple(invalid))
    template = _template(path)
    retry_safety = RetrySafety.IF_NOT_SENT if method == "POST" else RetrySafety.IDEMPOTENT
    return Call(
        Endpoint(f"{method} {template}", method, template, 200, Response, retry_safety),
        Request(method, path, pairs, body),
    )


def _query_pairs(query: Mapping[str, QueryValue], invalid: list[str]) -> tuple[tuple[str, str], ...]:
    """Return the query parameters of a mapping as text, and add what is wrong with them to `invalid`."""
    pairs: list[tuple[str, str]] = []
    try:
        for name, argument in query.items():
            value = exact_integer(exact_flag(exact_url(argument)))
            is_integer = isinstance(value, int) and abs(value) < 2**63
            if is_text(name) and (is_text(value) or is_integer):
                pairs.append((exact_text(name), query_text(value)))
            else:
                invalid.append(
                    f"query {short_repr(name)} must be a str, an int or a bool, not {short_repr(value)}"
                )
    except Exception:  # noqa: BLE001 - a user's mapping can raise anything, and other objects have no items
        invalid.append(f"query must be a mapping that can be read, not {short_repr(query)}")
    return tuple(pairs)


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
        is_word = re.fullmatch("[a-z_]+", segment) and before not in _COLLECTIONS
        is_version = not before and re.fullmatch("v[0-9]{1,2}", segment)
        shown.append(segment if is_word or is_version else "{id}")
        before = segment
    return "/".join(shown)


# --- additions to all requests ----------------------------------------------------------------------------


@frozen(kw_only=True, eq=False, repr=False)
class Extras:
    """What a client adds to each request."""

    headers: Mapping[str, str] = {}
    """They replace those of the same name in any case."""
    query: tuple[tuple[str, str], ...] = ()
    """Names and values, not yet encoded."""
    body: Mapping[str, object] = {}
    """Members of the JSON body of every POST, PUT and PATCH."""


def extend_extras(
    extras: Extras | None,
    *,
    headers: Mapping[str, str] | None,
    query: Mapping[str, QueryValue] | None,
    body: Mapping[str, object] | None,
) -> Extras | None:
    """Return additions with further ones, which replace those of the same name.

    Raises:
        ConfigurationError: an addition cannot be sent, or is a header that the client itself sets.
    """
    if headers is None and query is None and body is None:
        return extras
    before, invalid = extras or Extras(), list[str]()
    all_headers, all_query, all_members = before.headers, before.query, before.body
    if headers is not None:
        all_headers = merged_headers(before.headers, checked_headers(headers))
    if query is not None:
        all_query = tuple((dict(before.query) | dict(_query_pairs(query, invalid))).items())
    if body is not None:
        all_members = {**before.body, **_members(body, invalid)}
    if invalid:
        raise ConfigurationError("; ".join(invalid))
    return Extras(headers=all_headers, query=all_query, body=all_members)


def _members(body: Mapping[str, object], invalid: list[str]) -> dict[str, object]:
    """Return the members of a JSON object, and add what is wrong with them to `invalid`."""
    members: object = None
    try:
        members = _exact_json(body)
        encode_json(members)
    except Exception as error:  # noqa: BLE001 - a user's mapping or sequence can raise anything
        invalid.append(f"body cannot be written: {error}")
        return {}
    if not isinstance(members, dict) or not all(map(is_text, cast("dict[object, object]", members))):
        invalid.append("body must be a mapping of names to JSON values")
        return {}
    return cast("dict[str, object]", members)


def check_extras(call: Call[object], extras: Extras) -> None:
    """Check that a call sends by itself none of the query parameters and members that are added to it.

    Raises:
        InvalidArgumentError: it does, or its body takes no members.
    """
    sent = dict(call.request.query)
    invalid = [
        f"query {name} is sent by {call.endpoint.operation} itself"
        for name, _ in extras.query
        if name in sent
    ]
    if extras.body and call.request.body is not None:
        fields = parse_json(call.request.body)
        if isinstance(fields, dict):
            taken = [name for name in extras.body if name in fields]
            invalid += [
                f"member {name} of the body is sent by {call.endpoint.operation} itself" for name in taken
            ]
        else:
            invalid.append(
                f"the body of {call.endpoint.operation} is no JSON object, and takes no further members"
            )
    if invalid:
        raise InvalidArgumentError(tuple(invalid))


def add_extras(call: Call[T], extras: Extras) -> Call[T]:
    """Return a call with additions; query parameters and members of its own have precedence.

    The call of a user sends none of the additions by itself (`check_extras`), but a look-up within it may.
    """
    request = call.request.with_headers(extras.headers)
    names = {name for name, _ in request.query}
    query = (*request.query, *(pair for pair in extras.query if pair[0] not in names))
    body = request.body
    if extras.body and request.method in _METHODS_WITH_BODY:
        fields: dict[str, object] = {} if body is None else parse_json(body)  # an object: `check_extras`
        body = encode_json({**extras.body, **fields})
    return call._replace(request=evolve(request, query=query, body=body))


# --- outcomes ---------------------------------------------------------------------------------------------


def read(
    call: Call[T],
    outcome: Response | Failure,
    attempts: tuple[Attempt, ...] = (),
    *,
    now: float | None = None,
) -> T:
    """Return the value in a response, or raise the error that an outcome stands for.

    Args:
        call: the call.
        outcome: the outcome of its last attempt.
        attempts: the records of all attempts, the last one included.
        now: seconds since the epoch, to read a date in ``Retry-After`` of a response without ``Date``.

    Raises:
        APIConnectionError: there is no complete response.
        APIResponseError: the response cannot be used.
        APIStatusError: the response has an error status.
        OutcomeUnknownError: the server may have processed a request that must not be sent again.

    Example:
        >>> from telnyx_rooms_async.core.endpoints import RETRIEVE_ROOM
        >>> call = build(RETRIEVE_ROOM, room_id="0ccc7b54")
        >>> from telnyx_rooms_async import Response
        >>> read(call, Response(status=200, body=b'{"data": {"id": "0ccc7b54"}}')).id
        '0ccc7b54'
    """
    if isinstance(outcome, Failure):
        is_unknown = outcome.sent
        if outcome.reason is FailureKind.TOO_LARGE:
            names = dict(call.request.query)
            advice = ["with a smaller page_size"] if names.get("page[size]", "1") != "1" else []
            advice += [f"without {name}" for name in names if name.startswith("include_")]
            if advice:
                outcome = evolve(outcome, detail=f"{outcome.detail}; ask {' or '.join(advice)}")
        error = error_of(outcome, attempts, now=now, secrets=call.request.secrets)
    elif outcome.status < 300:  # noqa: PLR2004 - 2xx; the transport passes no 1xx
        try:
            return structure(call, outcome)
        except DecodeError as problem:
            error = decode_error(outcome, problem.args, attempts, call.request.secrets)
            is_unknown = True
    elif _was_done_by_an_earlier_attempt(call, outcome, attempts):
        return cast("T", outcome if call.endpoint.response_type is Response else None)
    else:
        error = error_of(outcome, attempts, now=now, secrets=call.request.secrets)
        # The server may have processed the request in spite of these, but not of 501, for "not implemented".
        is_unknown = outcome.status == 408 or (outcome.status >= 500 and outcome.status != 501)  # noqa: PLR2004 - statuses
    if is_unknown and call.endpoint.retry_safety is RetrySafety.IF_NOT_SENT:
        raise OutcomeUnknownError(call.endpoint.operation, call.unique_name, attempts) from error
    raise error


def structure(call: Call[T], response: Response) -> T:
    """Return the value in a successful response.

    Raises:
        DecodeError: the body does not fit; `read` raises an error of the library for it.
    """
    response_type: Any = call.endpoint.response_type
    value: T = _reader(response_type)(response)
    return value


@cache
def _reader(response_type: Any) -> Callable[[Response], Any]:  # noqa: ANN401 - any type of `Endpoint`
    """Return the function that reads the value of a type from a response."""
    if response_type is Response:
        return lambda response: response
    if response_type is NoneType:
        return lambda _: None
    if get_origin(response_type) is Page:
        load_page = converter.loader(response_type)
        return lambda response: load_page(response.body)
    load = converter.loader(Envelope[response_type])
    return lambda response: load(response.body).data


def _was_done_by_an_earlier_attempt(call: Call[T], response: Response, attempts: tuple[Attempt, ...]) -> bool:
    """Return whether an earlier attempt of the same call deleted the object, or ended the session."""
    is_end = call.endpoint.operation == END_SESSION.operation
    if not (is_end or call.request.method == "DELETE") or not any(attempt.sent for attempt in attempts[:-1]):
        return False
    if is_end and status_class(response.status, error_details(response.body)) is SessionEndedError:
        return True
    return response.status == 404  # noqa: PLR2004 - not found
