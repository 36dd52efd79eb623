"""Why a job does not begin or does not go on, and what a read-only client refuses."""

from attrs import define

from telnyx_rooms_async.core.errors import TelnyxRoomsError


@define(slots=False, repr=False)
class ReadOnlyError(TelnyxRoomsError, RuntimeError):
    """The client is read-only, and this would have changed something. Nothing was sent."""

    method: str
    path: str

    def _sentence(self) -> str:
        return f"the client is read-only: {self.method} {self.path} was not sent"


@define(slots=False, repr=False)
class UnexpectedCountError(TelnyxRoomsError):
    """There are more or fewer than expected, so nothing was deleted."""

    expected: int
    found: int

    def _sentence(self) -> str:
        return f"expected {self.expected}, found {self.found}: nothing was deleted"


@define(slots=False, repr=False)
class JournalError(TelnyxRoomsError):
    """A journal cannot be used: other input, another base URL or API key, in use, or the disk is full."""

    path: str
    problem: str

    def _sentence(self) -> str:
        return f"journal {self.path}: {self.problem}"
