"""An asyncio client for the Telnyx Video Rooms API.

    async with RoomsClient() as client:
        room = await client.rooms.create(unique_name="Weekly")
        async for session in client.rooms.sessions(room.id):
            print(session.created_at)

Everything public is imported from here; the emulator from `telnyx_rooms_async.emulator`; the protocol
without I/O from `telnyx_rooms_async.core`.
"""

from importlib.metadata import version

from telnyx_rooms_async.client import RoomsClient
from telnyx_rooms_async.clock import Clock
from telnyx_rooms_async.core.errors import (
    APIConnectionError,
    APIResponseError,
    APIResponseValidationError,
    APITimeoutError,
    ClientClosedError,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    InvalidArgumentError,
    MalformedResponseError,
    OutcomeUnknownError,
    PaginationError,
    ResponseTooLargeError,
    TelnyxRoomsError,
    TLSError,
    UnexpectedRedirectError,
    WrongEventLoopError,
)
from telnyx_rooms_async.core.messages import Attempt, Response
from telnyx_rooms_async.core.models import (
    ErrorDetail,
    Page,
    PageMeta,
    Room,
    RoomParticipant,
    RoomSession,
)
from telnyx_rooms_async.core.rules import UNSET, DateFilter, DurationFilter, UnsetType
from telnyx_rooms_async.core.retry import RetryPolicy
from telnyx_rooms_async.core.statuses import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NameTakenError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    UnprocessableEntityError,
)
from telnyx_rooms_async.listing import Listing

__all__ = [
    "UNSET",
    "APIConnectionError",
    "APIResponseError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "Attempt",
    "AuthenticationError",
    "BadRequestError",
    "ClientClosedError",
    "Clock",
    "ConfigurationError",
    "ConflictError",
    "ConnectError",
    "ConnectionLostError",
    "DateFilter",
    "ErrorDetail",
    "InternalServerError",
    "InvalidArgumentError",
    "Listing",
    "MalformedResponseError",
    "NameTakenError",
    "NotFoundError",
    "OutcomeUnknownError",
    "Page",
    "PageMeta",
    "PaginationError",
    "PermissionDeniedError",
    "RateLimitError",
    "Response",
    "ResponseTooLargeError",
    "RetryPolicy",
    "Room",
    "RoomParticipant",
    "RoomSession",
    "RoomsClient",
    "TLSError",
    "TelnyxRoomsError",
    "UnexpectedRedirectError",
    "UnprocessableEntityError",
    "UnsetType",
    "WrongEventLoopError",
]


def __getattr__(name: str) -> str:
    if name == "__version__":
        return version("telnyx-rooms-async")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
