"""Three functions without I/O: build a call, read its outcome, and go to another page of a list.

For other HTTP clients than aiohttp: send `Call.request`, make a `Response` or a `Failure` of what happens,
and `read` it.
"""

from collections.abc import Hashable
from functools import cache
from types import NoneType
from typing import Any, Final, TypeVar, cast, get_origin

from attrs import AttrsInstance, evolve

from telnyx_rooms_async.core.endpoints import END_SESSION, Endpoint
from telnyx_rooms_async.core.error_mapping import decode_error, error_details, error_of, status_class
from telnyx_rooms_async.core.http_messages import Call, Failure, Request, Response, RetrySafety
from telnyx_rooms_async.core.requests import PageQuery, body_fields, problems, query_pairs, secrets
from telnyx_rooms_async.core.validators import EXACT_IDS, is_id, one_id
from telnyx_rooms_async.errors import (
    Attempt,
    FailureKind,
    InvalidArgumentError,
    OutcomeUnknownError,
    SessionEndedError,
)
from telnyx_rooms_async.models import Page
from telnyx_rooms_async.serialization import DecodeError, Envelope, converter, encode_json

T = TypeVar("T")

_NOT_FOUND: Final = 404
_NOT_IMPLEMENTED: Final = 501

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
    for name in endpoint.ids:
        if name not in ids:
            invalid.append(f"{name} must be given")
            continue
        value = ids[name]
        if type(value) is str and is_id(value):
            continue
        ids[name] = exact = EXACT_IDS[name](value)
        if problem := one_id(exact):
            invalid.append(f"{name} {problem}")
    if query is not None:
        invalid.extend(problems(query))
    if body is not None:
        invalid.extend(problems(body))
    if invalid:
        raise InvalidArgumentError(tuple(invalid))
    fields = body_fields(body) if body is not None else None
    return Call(
        operation=endpoint.operation,
        template=endpoint.path,
        request=Request(
            method=endpoint.method,
            path=endpoint.path.format_map(ids) if ids else endpoint.path,
            query=tuple(query_pairs(query)) if query is not None else (),
            body=encode_json(fields) if fields is not None else None,
            secrets=secrets(body) if body is not None else (),
        ),
        response_type=endpoint.response_type,
        retry_safety=endpoint.retry_safety,
        query=query,
        unique_name=_text_or_none(fields.get("unique_name")) if fields else None,
    )


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None


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
    return evolve(call, query=query, request=request)


def page_number(call: Call[Page[T]]) -> int:
    """Return the page number of a call for a list."""
    return cast("PageQuery", call.query).page_number


def page_size(call: Call[Page[T]]) -> int:
    """Return how many items a page of a list may hold."""
    return cast("PageQuery", call.query).page_size


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
        now: seconds since the epoch, to read a date in ``Retry-After``, which is ignored without it.

    Raises:
        APIConnectionError: there is no complete response.
        APIResponseError: the response cannot be used.
        APIStatusError: the response has an error status.
        OutcomeUnknownError: the server may have processed a request that must not be sent again.
    """
    if isinstance(outcome, Failure):
        if outcome.reason is FailureKind.TOO_LARGE:
            outcome = evolve(outcome, detail=outcome.detail + _size_advice(call))
        error, is_unknown = error_of(outcome, attempts, now=now), outcome.sent
    elif outcome.status < 300:  # noqa: PLR2004 - 2xx; the transport passes no 1xx
        try:
            return structure(call, outcome)
        except DecodeError as problem:
            error, is_unknown = decode_error(outcome, problem.args, attempts), True
    elif _was_done_by_an_earlier_attempt(call, outcome, attempts):
        return cast("T", outcome if call.response_type is Response else None)
    else:
        error, is_unknown = error_of(outcome, attempts, now=now), _is_ambiguous(outcome)
    if is_unknown and call.retry_safety is RetrySafety.IF_NOT_SENT:
        raise OutcomeUnknownError(call.operation, call.unique_name, attempts) from error
    raise error


def structure(call: Call[T], response: Response) -> T:
    """Return the value in a successful response.

    Raises:
        DecodeError: the body does not fit; `read` raises an error of the library for it.
    """
    if call.response_type is Response:
        return cast("T", response)
    if call.response_type is NoneType:
        return cast("T", None)
    body_type, is_envelope = _body_type(cast("Hashable", call.response_type))
    body = converter.loads(response.body, body_type)
    return cast("T", body.data if is_envelope else body)


@cache
def _body_type(answer: Any) -> tuple[Any, bool]:  # noqa: ANN401 - a model, or a page of models
    """Return the type of a whole response body, and whether the value is its ``data``."""
    return (answer, False) if get_origin(answer) is Page else (Envelope[answer], True)


def _size_advice(call: Call[object]) -> str:
    """Return which arguments of a call make its response smaller."""
    query = dict(call.request.query)
    included = [f"without {name}" for name in query if name.startswith("include_")]
    smaller = ["with a smaller page_size"] if query.get("page[size]", "1") != "1" else []
    return f"; ask {' or '.join(smaller + included)}" if smaller or included else ""


def _was_done_by_an_earlier_attempt(call: Call[T], response: Response, attempts: tuple[Attempt, ...]) -> bool:
    """Return whether an earlier attempt of the same call deleted the object, or ended the session."""
    is_end = call.operation == END_SESSION.operation
    if not (is_end or call.request.method == "DELETE") or not any(attempt.sent for attempt in attempts[:-1]):
        return False
    if is_end and status_class(response.status, error_details(response.body)) is SessionEndedError:
        return True
    return response.status == _NOT_FOUND


def _is_ambiguous(response: Response) -> bool:
    """Return whether the server may have processed a request in spite of an error status."""
    if response.status == _NOT_IMPLEMENTED:
        return False
    return response.status == 408 or response.status >= 500  # noqa: PLR2004 - 5xx
