"""Statuses and their error bodies, as a caller meets them. A wire stub is enough for these."""

import json
import pickle

import pytest
from aioresponses import aioresponses

from telnyx_rooms_async import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ErrorDetail,
    InternalServerError,
    NameTakenError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitError,
    RetryPolicy,
    RoomsClient,
    UnprocessableEntityError,
)

pytestmark = pytest.mark.usefixtures("patched_aioresponses")

URL = "https://api.telnyx.com/v2/rooms/a-room"
ENTRY = {
    "code": "10027",
    "title": "Unprocessable Entity",
    "detail": "webhook_event_url must be a URL",
    "source": {"pointer": "/webhook_event_url"},
    "meta": {"url": "https://example.com/10027"},
}
DETAIL = ErrorDetail(
    code="10027",
    title="Unprocessable Entity",
    detail="webhook_event_url must be a URL",
    pointer="/webhook_event_url",
    meta={"url": "https://example.com/10027"},
)
SHAPES: dict[str, tuple[str, tuple[ErrorDetail, ...]]] = {
    "A: a list of entries": (json.dumps({"errors": [ENTRY]}), (DETAIL,)),
    "B: one bare entry": (json.dumps(ENTRY), (DETAIL,)),
    "C: messages by key": (
        json.dumps({"errors": {"max_participants": ["too many", "too dear"]}}),
        (
            ErrorDetail(code="max_participants", detail="too many"),
            ErrorDetail(code="max_participants", detail="too dear"),
        ),
    ),
    "D: a message": (json.dumps({"message": "Error", "success": False}), (ErrorDetail(title="Error"),)),
    "E: nothing": ("", ()),
    "F: a message under data": (json.dumps({"data": {"message": "Error"}}), (ErrorDetail(title="Error"),)),
    "G: a web page": ("<html>Bad gateway</html>", ()),
}


async def refused(status: int, body: str = "", **headers: str) -> APIStatusError:
    """Let the server refuse the retrieval of a room."""
    with aioresponses() as scripted_server:
        scripted_server.get(URL, status=status, body=body, headers=headers)
        async with RoomsClient("KEY", retry=RetryPolicy(attempts=1)) as client:
            with pytest.raises(APIStatusError) as caught:
                await client.rooms.retrieve("a-room")
    return caught.value


@pytest.mark.parametrize("status", [404, 422])
@pytest.mark.parametrize(("body", "errors"), SHAPES.values(), ids=SHAPES)
async def test_every_shape_of_an_error_body_is_read(
    status: int, body: str, errors: tuple[ErrorDetail, ...]
) -> None:
    """404 and 422 are typed by their status, and filled from any of the seven shapes."""
    error = await refused(status, body)
    assert type(error) is {404: NotFoundError, 422: UnprocessableEntityError}[status]
    assert error.errors == errors
    first = errors[0] if errors else ErrorDetail()
    assert (error.code, error.title, error.detail, error.pointer) == (
        first.code,
        first.title,
        first.detail,
        first.pointer,
    )
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.errors, str(again)) == (type(error), errors, str(error))


STATUSES = {
    400: BadRequestError,
    401: AuthenticationError,
    402: APIStatusError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: APIStatusError,
    409: ConflictError,
    410: APIStatusError,
    422: UnprocessableEntityError,
    429: RateLimitError,
    500: InternalServerError,
    501: InternalServerError,
    520: InternalServerError,
}


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
async def test_every_status_has_its_class(status: int, kind: type[APIStatusError]) -> None:
    """The class of the error follows from the status alone."""
    error = await refused(status, x_request_id="req-7")
    assert type(error) is kind
    assert error.status == status


async def test_the_facts_of_an_error() -> None:
    """An error tells the server's wish to wait, the id of the request, and what was tried."""
    error = await refused(429, **{"Retry-After": "7", "x-request-id": "req-7"})
    assert isinstance(error, RateLimitError)
    assert (error.retry_after, error.request_id) == (7.0, "req-7")
    (attempt,) = error.attempts
    assert (attempt.operation, attempt.template, attempt.status) == ("ViewRoom", "/rooms/{room_id}", 429)


TAKEN = {
    "a list of entries": {
        "errors": [
            {"code": "10027", "title": "x", "detail": "has been taken", "source": {"pointer": "/unique_name"}}
        ]
    },
    "messages by key": {"errors": {"unique_name_not_unique_for_user_id": ["has been taken"]}},
}


@pytest.mark.parametrize("body", TAKEN.values(), ids=TAKEN)
async def test_a_taken_name_has_a_class_of_its_own(body: object) -> None:
    """A duplicate name is told from the other reasons of a 422, in both shapes that have been seen."""
    with aioresponses() as scripted_server:
        scripted_server.post("https://api.telnyx.com/v2/rooms", status=422, body=json.dumps(body))
        async with RoomsClient("KEY") as client:
            with pytest.raises(NameTakenError):
                await client.rooms.create(unique_name="Weekly")


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 520])
async def test_a_create_that_failed_on_the_server_is_an_unknown_outcome(status: int) -> None:
    """After a status that leaves open what was done, a create is not repeated but told as unknown."""
    with aioresponses() as scripted_server:
        scripted_server.post("https://api.telnyx.com/v2/rooms", status=status)
        async with RoomsClient("KEY") as client:
            with pytest.raises(OutcomeUnknownError) as caught:
                await client.rooms.create()
    assert isinstance(caught.value.__cause__, APIStatusError)
    assert caught.value.__cause__.status == status
    assert caught.value.unique_name is None
