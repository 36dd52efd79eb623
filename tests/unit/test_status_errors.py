"""Telnyx said no: which class for which status, and what its message says."""

from pathlib import Path

import pytest

from telnyx_rooms_async.core.error_mapping import error_details
from telnyx_rooms_async.core.http_messages import Attempt
from telnyx_rooms_async.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NameTakenError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    SessionEndedError,
    UnprocessableEntityError,
    status_class,
)
from telnyx_rooms_async.models import ErrorDetail

SAMPLES = Path(__file__).parents[1] / "unit" / "samples" / "errors"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequestError),
        (401, AuthenticationError),
        (402, APIStatusError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (405, APIStatusError),
        (408, APIStatusError),
        (409, ConflictError),
        (410, APIStatusError),
        (418, APIStatusError),
        (422, UnprocessableEntityError),
        (428, APIStatusError),
        (429, RateLimitError),
        (499, APIStatusError),
        (500, InternalServerError),
        (501, InternalServerError),
        (502, InternalServerError),
        (503, InternalServerError),
        (504, InternalServerError),
        (520, InternalServerError),
        (599, InternalServerError),
        (600, APIStatusError),
        (999, APIStatusError),
    ],
)
def test_status_class(status: int, kind: type[APIStatusError]) -> None:
    """A status has its class, and one without is an APIStatusError."""
    assert status_class(status) is kind


TAKEN = ErrorDetail(
    code="10012", title="Duplicate resource", detail="has already been taken", pointer="/unique_name"
)


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param(error_details((SAMPLES / "a_name_taken.json").read_bytes()), id="pointer"),
        pytest.param(error_details((SAMPLES / "c_name_taken.json").read_bytes()), id="key"),
        pytest.param((ErrorDetail(code="unique_name_not_unique_for_user_id"),), id="key-alone"),
        pytest.param((ErrorDetail(code="unique_name", detail="has already been taken"),), id="field-as-key"),
        pytest.param((ErrorDetail(title="Name Already Taken", pointer="/unique_name"),), id="title"),
        pytest.param((ErrorDetail(detail="DUPLICATE", pointer="/data/unique_name"),), id="upper-case"),
        pytest.param((ErrorDetail(title="Other", pointer="/max_participants"), TAKEN), id="second-entry"),
    ],
)
def test_a_taken_name_has_its_own_class(entries: tuple[ErrorDetail, ...]) -> None:
    """A 422 that means the unique_name and says it is a duplicate is a NameTakenError."""
    assert status_class(422, entries) is NameTakenError


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param((), id="no-entries"),
        pytest.param((ErrorDetail(),), id="empty-entry"),
        pytest.param(
            (ErrorDetail(code="10025", title="Too long", pointer="/unique_name"),), id="other-fault"
        ),
        pytest.param((ErrorDetail(code="unique_name", detail="is too short"),), id="other-fault-as-key"),
        pytest.param((ErrorDetail(detail="already taken", pointer="/webhook_event_url"),), id="other-field"),
        pytest.param((ErrorDetail(code="10027", detail="session already ended"),), id="no-field"),
        pytest.param(
            (
                ErrorDetail(title="Too long", pointer="/unique_name"),
                ErrorDetail(title="Duplicate", pointer="/max_participants"),
            ),
            id="field-and-fault-in-two-entries",
        ),
    ],
)
def test_other_422_are_no_taken_names(entries: tuple[ErrorDetail, ...]) -> None:
    """A 422 about another field or another fault is a plain UnprocessableEntityError."""
    assert status_class(422, entries) is UnprocessableEntityError


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, BadRequestError), (409, ConflictError), (418, APIStatusError), (500, InternalServerError)],
)
def test_only_a_422_is_a_taken_name(status: int, kind: type[APIStatusError]) -> None:
    """The words of a taken name change nothing under another status."""
    assert status_class(status, (TAKEN,)) is kind


def attempt(number: int) -> Attempt:
    """Return the record of one try."""
    return Attempt(
        number=number, operation="ListRooms", method="GET", template="/rooms", sent=True, elapsed=0.1
    )


@pytest.mark.parametrize(
    ("error", "message"),
    [
        pytest.param(APIStatusError(418), "418 without an explanation", id="nothing-known"),
        pytest.param(
            AuthenticationError(401), "401 without an explanation (check the API key)", id="with-advice"
        ),
        pytest.param(
            NotFoundError(
                404,
                (ErrorDetail(code="10005", title="Resource not found", detail="There is no such room."),),
                "req-1",
            ),
            "404 Resource not found: There is no such room. (code 10005, request req-1)",
            id="code-and-request",
        ),
        pytest.param(
            UnprocessableEntityError(
                422, (ErrorDetail(code="10033", detail="is 51", pointer="/max_participants"),)
            ),
            "422 is 51 (/max_participants, code 10033)",
            id="pointer",
        ),
        pytest.param(
            BadRequestError(400, (ErrorDetail(title="Invalid filter", parameter="page[size]"),)),
            "400 Invalid filter (page[size])",
            id="parameter",
        ),
        pytest.param(
            RateLimitError(
                429,
                (ErrorDetail(code="10011", title="Too many requests"),),
                "req-2",
                2.5,
                (attempt(1), attempt(2), attempt(3)),
            ),
            "429 Too many requests after 3 attempts"
            " (code 10011, request req-2, make fewer requests at a time)",
            id="after-attempts",
        ),
        pytest.param(
            InternalServerError(500, (), None, None, (attempt(1),)),
            "500 without an explanation",
            id="one-attempt-is-not-counted-out",
        ),
        pytest.param(
            BadRequestError(400, (ErrorDetail(title="First"), ErrorDetail(title="Second"))),
            "400 First",
            id="first-of-several",
        ),
    ],
)
def test_message(error: APIStatusError, message: str) -> None:
    """The message says the status, what Telnyx said of it, how often it was tried, and what to do."""
    assert str(error) == message


def test_the_first_entry_is_at_hand() -> None:
    """The fields of the first entry are attributes of the error."""
    first = ErrorDetail(code="1", title="T", detail="D", pointer="/p", parameter="q")
    error = APIStatusError(422, (first, ErrorDetail(code="2", title="other")))
    assert (error.code, error.title, error.detail, error.pointer, error.parameter) == (
        "1",
        "T",
        "D",
        "/p",
        "q",
    )


def test_without_entries_all_of_it_is_none() -> None:
    """An error without entries has no code, no title, and so on."""
    error = APIStatusError(500)
    said = (error.code, error.title, error.detail, error.pointer, error.parameter)
    assert said == (None, None, None, None, None)
    assert (error.errors, error.request_id, error.retry_after, error.attempts) == ((), None, None, ())


def test_an_ended_session_has_a_class_of_its_own() -> None:
    """A 422 with the words that production has seen says that the session is over."""
    entries = (ErrorDetail(code="10027", detail="No private_ip for room"),)
    assert status_class(422, entries) is SessionEndedError
    assert status_class(404, entries) is NotFoundError
