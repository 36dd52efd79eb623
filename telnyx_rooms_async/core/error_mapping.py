"""From a failed outcome to an exception: error bodies in all their shapes, status codes, failures.

The shapes of error bodies::

    A  {"errors": [{"code", "title", "detail", "source", "meta"}]}     documented for 422 and 429
    B  {"code", "title", "detail", "source", "meta"}                   documented for 403 and 404
    C  {"errors": {"unique_name_not_unique_for_user_id": ["…"]}}       seen for a duplicate name
    D  {"message": "Error", "success": false}                          documented for lists and actions
    E  no body                                                         documented for 401
    F  {"data": {"message": "…"}}                                      seen in programs of Telnyx
    G  HTML or text                                                    from a proxy
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, cast

from telnyx_rooms_async import errors
from telnyx_rooms_async.core.http_messages import Failure, Headers, RawHeaders, Response
from telnyx_rooms_async.core.retry import retry_after
from telnyx_rooms_async.core.secret import written_forms
from telnyx_rooms_async.errors import Attempt, FailureKind
from telnyx_rooms_async.models import ErrorDetail, public_url
from telnyx_rooms_async.serialization import DecodeError, parse_json

_MAX_TEXT: Final = 1000
_MAX_DETAILS: Final = 50
_MAX_DEPTH: Final = 10
_MAX_PROBLEMS: Final = 50
_UNPROCESSABLE: Final = 422
_DUPLICATE_WORDS: Final = ("taken", "not_unique", "already", "duplicate")

_CONNECTION_ERRORS: Final[Mapping[FailureKind, type[errors.APIConnectionError]]] = {
    FailureKind.CONNECT: errors.ConnectError,
    FailureKind.TLS: errors.TLSError,
    FailureKind.PROXY_AUTHENTICATION: errors.ProxyAuthenticationError,
    FailureKind.LOST: errors.ConnectionLostError,
}
_RESPONSE_ERRORS: Final[Mapping[FailureKind, type[errors.APIResponseError]]] = {
    FailureKind.MALFORMED: errors.MalformedResponseError,
    FailureKind.UNREADABLE: errors.APIResponseValidationError,
    FailureKind.TOO_LARGE: errors.ResponseTooLargeError,
}
_STATUS_ERRORS: Final[Mapping[int, type[errors.APIStatusError]]] = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    _UNPROCESSABLE: errors.UnprocessableEntityError,
    429: errors.RateLimitError,
} | dict.fromkeys(range(500, 600), errors.InternalServerError)


# --- exceptions -------------------------------------------------------------------------------------------


def error_of(
    outcome: Response | Failure,
    attempts: tuple[Attempt, ...],
    *,
    now: float | None,
    secrets: tuple[str, ...] = (),
) -> errors.TelnyxRoomsError:
    """Return the exception for a failure or an error status, without the secrets of the request."""
    if isinstance(outcome, Failure):
        if outcome.reason is FailureKind.TIMEOUT:
            return errors.APITimeoutError(outcome.detail, outcome.sent, attempts, outcome.deadline)
        if connection_error := _CONNECTION_ERRORS.get(outcome.reason):
            return connection_error(outcome.detail, outcome.sent, attempts)
        return _RESPONSE_ERRORS[outcome.reason](outcome.detail, None, None, attempts)
    headers = Headers(redacted_headers(outcome.raw_headers, secrets))
    if outcome.status < 400:  # noqa: PLR2004 - 3xx
        detail = "the API itself never redirects"
        return errors.UnexpectedRedirectError(detail, outcome.status, outcome.request_id, attempts, headers)
    details = error_details(outcome.body, secrets)
    return status_class(outcome.status, details)(
        outcome.status,
        details,
        outcome.request_id,
        retry_after(outcome, now),
        attempts,
        headers,
    )


def decode_error(
    response: Response,
    problems: Sequence[str],
    attempts: tuple[Attempt, ...],
    secrets: tuple[str, ...] = (),
) -> errors.APIResponseValidationError:
    """Return the exception for a successful response whose body does not fit."""
    detail = problems[0] + (f"; and {len(problems) - 1} more" if len(problems) > 1 else "")
    problems = tuple(problems[:_MAX_PROBLEMS])
    headers = Headers(redacted_headers(response.raw_headers, secrets))
    content_type = headers.get("Content-Type", "")
    if content_type and "json" not in content_type.lower():
        detail += f"; the response is {errors.one_line(content_type, 60)}, not JSON: check the base URL"
    return errors.APIResponseValidationError(
        detail, response.status, response.request_id, attempts, headers, problems
    )


def status_class(status: int, details: tuple[ErrorDetail, ...] = ()) -> type[errors.APIStatusError]:
    """Return the exception class for an error status; `APIStatusError` for a status without its own class.

    Telnyx documents no codes for a duplicate name and for an ended session, so the words seen in production
    decide.
    """
    for detail in details if status == _UNPROCESSABLE else ():
        text = f"{detail.code} {detail.pointer} {detail.title} {detail.detail}".lower()
        if "unique_name" in text and any(word in text for word in _DUPLICATE_WORDS):
            return errors.NameTakenError
        if "private_ip" in text:  # "No private_ip for room"
            return errors.SessionEndedError
    return _STATUS_ERRORS.get(status, errors.APIStatusError)


def redacted_headers(raw_headers: RawHeaders, secrets: tuple[str, ...]) -> RawHeaders:
    """Return headers for an error: without secrets, cookies, and the query and the user in a location."""
    forms = [re.escape(form.encode()) for secret in secrets if secret for form in written_forms(secret)]
    pattern = re.compile(b"|".join(forms)) if forms else None

    def redact(name: bytes, value: bytes) -> bytes:
        if name.lower() == b"set-cookie":
            return b"***"
        if name.lower() == b"location":
            value = public_url(value.decode("latin-1")).encode("latin-1")
        return value if pattern is None else pattern.sub(b"***", value)

    return tuple((name, redact(name, value)) for name, value in raw_headers)


# --- error bodies -----------------------------------------------------------------------------------------


def error_details(body: bytes, secrets: tuple[str, ...] = ()) -> tuple[ErrorDetail, ...]:
    """Read the entries of an error body of any shape, without secrets; ``()`` if there are none."""
    try:
        data = parse_json(body)
    except DecodeError:
        return ()
    if secrets:
        data = _redacted(data, [form for secret in secrets if secret for form in written_forms(secret)])
    details = (detail for detail in _details(data) if detail.code or detail.title or detail.detail)
    return tuple(islice(details, _MAX_DETAILS))


def _details(data: object) -> Iterator[ErrorDetail]:
    body = _fields(data)
    entries = body.get("errors")
    message = body.get("message") or _fields(body.get("data")).get("message")
    if by_code := _fields(entries):
        for code, messages in by_code.items():
            texts = map(_text, _items(messages, (messages,)))
            yield from (ErrorDetail(code=_text(code), detail=text) for text in texts)
    elif entries:
        yield from map(_detail, _items(entries, (entries,)))
    elif message:
        yield ErrorDetail(title=_text(message))
    else:
        yield _detail(body)


def _detail(entry: object) -> ErrorDetail:
    fields = _fields(entry)
    source, meta = _fields(fields.get("source")), _fields(fields.get("meta"))
    return ErrorDetail(
        code=_text(fields.get("code")),
        title=_text(fields.get("title") or (entry if isinstance(entry, str) else None)),
        detail=_text(fields.get("detail") or fields.get("description")),
        pointer=_text(source.get("pointer")),
        parameter=_text(source.get("parameter")),
        meta={key: value for key, value in meta.items() if _is_shallow(value)} or None,
    )


def _redacted(value: object, secrets: Sequence[str], depth: int = 2 * _MAX_DEPTH) -> object:
    """Return JSON without secrets, which a server may repeat in any text; without parts that are too deep."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "***")
        return value
    if depth == 0:
        return None
    if isinstance(value, dict):
        fields = _fields(cast("object", value)).items()
        return {str(_redacted(key, secrets)): _redacted(item, secrets, depth - 1) for key, item in fields}
    if isinstance(value, list):
        return [_redacted(item, secrets, depth - 1) for item in _items(cast("object", value))]
    return value


def _is_shallow(value: object, depth: int = _MAX_DEPTH) -> bool:
    """Return whether a value can be copied and pickled without exhausting the stack."""
    children = (*_fields(value).values(), *_items(value))
    return depth > 0 and all(_is_shallow(child, depth - 1) for child in children)


def _fields(value: object) -> Mapping[str, object]:
    """Return the fields of a JSON object; none for any other value."""
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def _items(value: object, default: Sequence[object] = ()) -> Sequence[object]:
    """Return the items of a JSON array; the default for any other value."""
    return cast("Sequence[object]", value) if isinstance(value, list) else default


def _text(value: object) -> str | None:
    """Return a string or an integer as text of limited length; None for any other value."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value)[:_MAX_TEXT]
