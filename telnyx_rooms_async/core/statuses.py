"""Telnyx said no: one error class a status, and the table that finds it."""

from collections.abc import Mapping
from typing import ClassVar, Final

from attrs import define

from telnyx_rooms_async.core.errors import TelnyxRoomsError, Tried, tries
from telnyx_rooms_async.core.messages import Attempt
from telnyx_rooms_async.core.models import ErrorDetail


@define(slots=False, repr=False)
class APIStatusError(Tried, TelnyxRoomsError):
    """Telnyx answered with an error status."""

    status: int
    errors: tuple[ErrorDetail, ...] = ()
    """The entries of the body, in any of its documented shapes; ``()`` when there are none to read."""
    request_id: str | None = None
    retry_after: float | None = None
    """Seconds that the server asked to wait, if it did."""
    attempts: tuple[Attempt, ...] = ()

    advice: ClassVar[str] = ""

    @property
    def _first(self) -> ErrorDetail:
        return self.errors[0] if self.errors else ErrorDetail()

    @property
    def code(self) -> str | None:
        """Telnyx's code in the first entry: ``"10005"``."""
        return self._first.code

    @property
    def title(self) -> str | None:
        """The title of the first entry: ``"Resource not found"``."""
        return self._first.title

    @property
    def detail(self) -> str | None:
        """The explanation in the first entry."""
        return self._first.detail

    @property
    def pointer(self) -> str | None:
        """The field of the body that the first entry means: ``"/unique_name"``."""
        return self._first.pointer

    @property
    def parameter(self) -> str | None:
        """The query parameter that the first entry means: ``"page[size]"``."""
        return self._first.parameter

    def _sentence(self) -> str:
        said = ": ".join(filter(None, (self.title, self.detail)))
        facts = (
            self.pointer or self.parameter,
            self.code and f"code {self.code}",
            self.request_id and f"request {self.request_id}",
            self.advice,
        )
        tail = ", ".join(filter(None, facts))
        head = f"{self.status} {said or 'without an explanation'}{tries(self.attempts)}"
        return f"{head} ({tail})" if tail else head


class BadRequestError(APIStatusError):
    """400: the request makes no sense to the server."""


class AuthenticationError(APIStatusError):
    """401: the key is missing, wrong or revoked."""

    advice: ClassVar[str] = "check the API key"


class PermissionDeniedError(APIStatusError):
    """403: the key is good, but not for this."""


class NotFoundError(APIStatusError):
    """404: there is no such thing, or no longer."""


class ConflictError(APIStatusError):
    """409: it is being changed by someone else."""


class UnprocessableEntityError(APIStatusError):
    """422: a field or a parameter has a value that the server refuses."""


class NameTakenError(UnprocessableEntityError):
    """422: another room of the account has this ``unique_name``."""


class SessionEndedError(UnprocessableEntityError):
    """422: the session is over already."""

    advice: ClassVar[str] = "the session has ended already"


class RateLimitError(APIStatusError):
    """429: too many requests.

    Without attempts nothing was sent: the server has said before that it would refuse, for longer than
    the call has time. ``.retry_after`` tells how long.
    """

    advice: ClassVar[str] = "make fewer requests at a time"


class InternalServerError(APIStatusError):
    """5xx: the server failed."""


_DUPLICATE_WORDS: Final = ("taken", "not_unique", "already", "duplicate")
_UNPROCESSABLE: Final = 422
_CLASSES: Final[Mapping[int, type[APIStatusError]]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    _UNPROCESSABLE: UnprocessableEntityError,
    429: RateLimitError,
} | dict.fromkeys(range(500, 600), InternalServerError)


def status_class(status: int, entries: tuple[ErrorDetail, ...] = ()) -> type[APIStatusError]:
    """Return the class for an error status; one without a class of its own is an `APIStatusError`."""
    if status == _UNPROCESSABLE and any(map(_is_name_taken, entries)):
        return NameTakenError
    if status == _UNPROCESSABLE and any(map(_is_session_over, entries)):
        return SessionEndedError
    return _CLASSES.get(status, APIStatusError)


def _is_name_taken(entry: ErrorDetail) -> bool:
    """Tell a duplicate name by its field and its words: Telnyx documents no code for it."""
    told = f"{entry.code} {entry.pointer} {entry.title} {entry.detail}".lower()
    return "unique_name" in told and any(word in told for word in _DUPLICATE_WORDS)


def _is_session_over(entry: ErrorDetail) -> bool:
    """Tell an ended session by the words that production has seen: "No private_ip for room"."""
    return "private_ip" in f"{entry.title} {entry.detail}".lower()
