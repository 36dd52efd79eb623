"""Statuses and error bodies, as a caller meets them."""

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

ROOMS_URL = "https://api.telnyx.com/v2/rooms"
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
BODIES: dict[str, tuple[str, tuple[ErrorDetail, ...]]] = {
    "list of entries": (json.dumps({"errors": [ENTRY]}), (DETAIL,)),
    "bare entry": (json.dumps(ENTRY), (DETAIL,)),
    "messages by key": (
        json.dumps({"errors": {"max_participants": ["too many", "too dear"]}}),
        (
            ErrorDetail(code="max_participants", detail="too many"),
            ErrorDetail(code="max_participants", detail="too dear"),
        ),
    ),
    "message": (json.dumps({"message": "Error", "success": False}), (ErrorDetail(title="Error"),)),
    "empty": ("", ()),
    "message under data": (json.dumps({"data": {"message": "Error"}}), (ErrorDetail(title="Error"),)),
    "HTML": ("<html>Bad gateway</html>", ()),
}


async def error_of(status: int, body: str = "", **headers: str) -> APIStatusError:
    """Return the error with which the retrieval of a room is refused."""
    with aioresponses() as server:
        server.get(f"{ROOMS_URL}/a-room", status=status, body=body, headers=headers)
        async with RoomsClient("KEY", retry=RetryPolicy(attempts=1)) as client:
            with pytest.raises(APIStatusError) as caught:
                await client.rooms.retrieve("a-room")
    return caught.value


@pytest.mark.parametrize(("status", "cl"), [(404, NotFoundError), (422, UnprocessableEntityError)])
@pytest.mark.parametrize(("body", "details"), BODIES.values(), ids=BODIES)
async def test_error_has_the_details_of_its_body(
    status: int, cl: type[APIStatusError], body: str, details: tuple[ErrorDetail, ...]
) -> None:
    error = await error_of(status, body)
    unpickled = pickle.loads(pickle.dumps(error))
    for each in (error, unpickled):
        assert type(each) is cl
        assert each.errors == details
        assert (each.code, each.detail) == ((details[0].code, details[0].detail) if details else (None, None))


@pytest.mark.parametrize(
    ("status", "cl"),
    [
        (400, BadRequestError),
        (401, AuthenticationError),
        (402, APIStatusError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (409, ConflictError),
        (410, APIStatusError),
        (422, UnprocessableEntityError),
        (429, RateLimitError),
        (500, InternalServerError),
        (501, InternalServerError),
        (520, InternalServerError),
    ],
)
async def test_error_has_the_class_of_its_status(status: int, cl: type[APIStatusError]) -> None:
    error = await error_of(status, **{"Retry-After": "7", "x-request-id": "req-7"})
    assert type(error) is cl
    assert (error.status, error.retry_after, error.request_id) == (status, 7.0, "req-7")
    (attempt,) = error.attempts
    assert (attempt.operation, attempt.template, attempt.status) == ("ViewRoom", "/rooms/{room_id}", status)


TAKEN = {"detail": "has been taken", "source": {"pointer": "/unique_name"}}


@pytest.mark.parametrize(
    "errors", [[TAKEN], {"unique_name_not_unique_for_user_id": ["has been taken"]}], ids=["list", "object"]
)
async def test_create_with_a_taken_name_raises_name_taken_error(errors: object) -> None:
    with aioresponses() as server:
        server.post(ROOMS_URL, status=422, body=json.dumps({"errors": errors}))
        async with RoomsClient("KEY") as client:
            with pytest.raises(NameTakenError):
                await client.rooms.create(unique_name="Weekly")


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 520])
async def test_nameless_create_that_failed_on_the_server_has_an_unknown_outcome(status: int) -> None:
    with aioresponses() as server:
        server.post(ROOMS_URL, status=status)
        async with RoomsClient("KEY") as client:
            with pytest.raises(OutcomeUnknownError) as caught:
                await client.rooms.create()
    assert isinstance(caught.value.__cause__, APIStatusError)
    assert caught.value.__cause__.status == status
