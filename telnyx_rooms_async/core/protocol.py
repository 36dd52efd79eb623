"""Three verbs: build a call, read its answer, turn to another page. No I/O."""

from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, Final, TypeVar, cast, get_origin

from attrs import AttrsInstance, evolve

from telnyx_rooms_async import errors
from telnyx_rooms_async.core.endpoints import END_SESSION, Endpoint
from telnyx_rooms_async.core.error_mapping import error_details
from telnyx_rooms_async.core.http_messages import (
    Attempt,
    Call,
    Failure,
    Reason,
    Request,
    Response,
    RetrySafety,
)
from telnyx_rooms_async.core.requests import PageQuery, body_fields, problems, query_pairs, secrets
from telnyx_rooms_async.core.retry import retry_after
from telnyx_rooms_async.core.validators import EXACT_IDS, is_id, one_id
from telnyx_rooms_async.errors import APIStatusError, SessionEndedError, status_class
from telnyx_rooms_async.models import Page
from telnyx_rooms_async.serialization import DecodeError, Envelope, converter, encode_json

T = TypeVar("T")

# --- build --------------------------------------------------------------------------------------------------


def build(
    endpoint: Endpoint[T],
    *,
    query: AttrsInstance | None = None,
    body: AttrsInstance | None = None,
    **ids: object,
) -> Call[T]:
    """Make the call of an operation: ``build(RETRIEVE_ROOM, room_id="0ccc7b54")``.

    Raises:
        InvalidArgumentError: with everything that is wrong with the ids, the query and the body.
    """
    if query is None and endpoint.is_list:
        query = PageQuery()
    wrong: list[str] = []
    for name in endpoint.ids:
        if name not in ids:
            wrong.append(f"{name} must be given")
            continue
        given = ids[name]
        if type(given) is str and is_id(given):
            continue
        ids[name] = exact = EXACT_IDS[name](given)
        if fault := one_id(exact):
            wrong.append(f"{name} {fault}")
    if query is not None:
        wrong.extend(problems(query))
    if body is not None:
        wrong.extend(problems(body))
    if wrong:
        raise errors.InvalidArgumentError(tuple(wrong))
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
        answer=endpoint.answer,
        repeat=endpoint.repeat,
        query=query,
        unique_name=_text_or_none(fields.get("unique_name")) if fields else None,
    )


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None


# --- read ---------------------------------------------------------------------------------------------------

# Telnyx documents no name: these have been seen in programs that talk to it.
_REQUEST_ID_HEADERS: Final = frozenset(
    {b"x-request-id", b"request-id", b"telnyx-request-id", b"x-telnyx-request-id"}
)
_CONNECTION_ERRORS: Final[Mapping[Reason, type[errors.APIConnectionError]]] = {
    Reason.CONNECT: errors.ConnectError,
    Reason.TLS: errors.TLSError,
    Reason.LOST: errors.ConnectionLostError,
}
_RESPONSE_ERRORS: Final[Mapping[Reason, type[errors.APIResponseError]]] = {
    Reason.MALFORMED: errors.MalformedResponseError,
    Reason.UNREADABLE: errors.APIResponseValidationError,
    Reason.TOO_LARGE: errors.ResponseTooLargeError,
}
_NOT_FOUND: Final = 404
_REQUEST_ID_LIMIT: Final = 100


def read(
    call: Call[T],
    outcome: Response | Failure,
    attempts: tuple[Attempt, ...] = (),
    *,
    now: float | None = None,
) -> T:
    """Return the answer that a response holds, or raise what the outcome comes to.

    Args:
        call: what was asked.
        outcome: what it came to.
        attempts: the record of all tries, this one included.
        now: seconds since the epoch, to read a date in ``Retry-After``; without it a date is no hint.

    Raises:
        APIConnectionError: no complete answer came.
        APIResponseError: the answer cannot be used.
        APIStatusError: Telnyx said no.
        OutcomeUnknownError: it may have been carried out, and must not be carried out twice.
    """
    if isinstance(outcome, Failure):
        if outcome.reason is Reason.TOO_LARGE:
            outcome = evolve(outcome, detail=outcome.detail + _size_advice(call))
        error, unknown = error_of(outcome, attempts, now=now), outcome.sent
    elif outcome.status < 300:  # noqa: PLR2004 - 2xx; the transport lets no 1xx through
        try:
            return structure(call, outcome)
        except DecodeError as misfit:
            error, unknown = _misfit(outcome, misfit.args, attempts), True
    elif _done_before(call, outcome, attempts):
        return cast("T", outcome if call.answer is Response else None)
    else:
        error, unknown = error_of(outcome, attempts, now=now), _is_ambiguous(outcome)
    if unknown and call.repeat is RetrySafety.IF_NOT_SENT:
        raise errors.OutcomeUnknownError(call.operation, call.unique_name, attempts) from error
    raise error


def structure(call: Call[T], response: Response) -> T:
    """Return the value in a successful response.

    Raises:
        DecodeError: the body does not fit; `read` raises an error of the library for it.
    """
    if call.answer is Response:
        return cast("T", response)
    if call.answer is NoneType:
        return cast("T", None)
    if get_origin(call.answer) is Page:
        return converter.loads(response.body, call.answer)
    envelope: Any = Envelope
    return converter.loads(response.body, cast("type[Envelope[T]]", envelope[call.answer])).data


def error_of(
    outcome: Response | Failure, attempts: tuple[Attempt, ...], *, now: float | None
) -> errors.TelnyxRoomsError:
    """Return the error that a failure or an error status comes to."""
    return _failed(outcome, attempts) if isinstance(outcome, Failure) else _refused(outcome, attempts, now)


def request_id(response: Response) -> str | None:
    """Return the id of the request, under any of the header names that Telnyx may use."""
    found = (value for name, value in response.raw_headers if name.lower() in _REQUEST_ID_HEADERS)
    return next((errors.one_line(value.decode("latin-1"), _REQUEST_ID_LIMIT) for value in found), None)


def _failed(failure: Failure, attempts: tuple[Attempt, ...]) -> errors.TelnyxRoomsError:
    if failure.reason is Reason.TIMEOUT:
        return errors.APITimeoutError(failure.detail, failure.sent, attempts, failure.deadline)
    if unreached := _CONNECTION_ERRORS.get(failure.reason):
        return unreached(failure.detail, failure.sent, attempts)
    return _RESPONSE_ERRORS[failure.reason](failure.detail, None, None, attempts)


def _size_advice(call: Call[object]) -> str:
    """Return which arguments of a call make its answer smaller."""
    query = dict(call.request.query)
    included = [f"without {name}" for name in query if name.startswith("include_")]
    smaller = ["with a smaller page_size"] if query.get("page[size]", "1") != "1" else []
    return f"; ask {' or '.join(smaller + included)}" if smaller or included else ""


def _misfit(
    response: Response, misfits: Sequence[str], attempts: tuple[Attempt, ...]
) -> errors.APIResponseValidationError:
    more = f"; and {len(misfits) - 1} more" if len(misfits) > 1 else ""
    return errors.APIResponseValidationError(
        f"{misfits[0]}{more}", response.status, request_id(response), attempts, tuple(misfits[:50])
    )


def _refused(
    response: Response, attempts: tuple[Attempt, ...], now: float | None
) -> APIStatusError | errors.UnexpectedRedirectError:
    if response.status < 400:  # noqa: PLR2004 - 3xx
        detail = "the API itself never redirects"
        return errors.UnexpectedRedirectError(detail, response.status, request_id(response), attempts)
    entries = error_details(response.body)
    kind = status_class(response.status, entries)
    return kind(response.status, entries, request_id(response), retry_after(response, now), attempts)


def _done_before(call: Call[T], response: Response, attempts: tuple[Attempt, ...]) -> bool:
    """Tell whether a refusal means that an earlier attempt of this very call has deleted it, or ended it."""
    ends = call.operation == END_SESSION.operation
    if not (ends or call.request.method == "DELETE") or not any(attempt.sent for attempt in attempts[:-1]):
        return False
    over = ends and status_class(response.status, error_details(response.body)) is SessionEndedError
    return over or response.status == _NOT_FOUND


def _is_ambiguous(response: Response) -> bool:
    """Tell whether an error status leaves open that the request was carried out."""
    not_implemented = 501
    if response.status == not_implemented:
        return False
    return response.status == 408 or response.status >= 500  # noqa: PLR2004 - 5xx


# --- turn pages ---------------------------------------------------------------------------------------------


def at(call: Call[Page[T]], number: int, size: int | None = None) -> Call[Page[T]]:
    """Return the call for another page of the same list.

    Raises:
        InvalidArgumentError: the number is below 1, or the size is not from 1 to 250.
    """
    changes = {"page_number": number} if size is None else {"page_number": number, "page_size": size}
    query = evolve(cast("PageQuery", call.query), **changes)
    if wrong := tuple(problems(query)):
        raise errors.InvalidArgumentError(wrong)
    request = evolve(call.request, query=tuple(query_pairs(query)))
    return evolve(call, query=query, request=request)


def page_number(call: Call[Page[T]]) -> int:
    """Return which page of a list is asked for."""
    return cast("PageQuery", call.query).page_number


def page_size(call: Call[Page[T]]) -> int:
    """Return how many items a page of this list is asked to hold."""
    return cast("PageQuery", call.query).page_size
