"""An asyncio client for the Telnyx Video Rooms API.

    async with RoomsClient() as client:
        room = await client.rooms.create("Weekly")
        async for session in client.rooms.sessions(room.id):
            print(session.created_at)

Everything public is imported from here; the emulator from `telnyx_rooms_async.emulator`; what a web app
needs from `telnyx_rooms_async.integrations`; the protocol without I/O from `telnyx_rooms_async.core`.

Guides: ``telnyx-rooms docs`` lists them. They are the README.md files of the packages.
"""

from telnyx_rooms_async.client import RoomsClient
from telnyx_rooms_async.core.http_messages import Request, Response
from telnyx_rooms_async.core.retry import RetryPolicy
from telnyx_rooms_async.core.validators import UNSET, DateFilter, DurationFilter, RoomFields, UnsetType
from telnyx_rooms_async.errors import (
    APIConnectionError,
    APIResponseError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    Attempt,
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    ConfigurationError,
    ConflictError,
    ConnectError,
    ConnectionLostError,
    EventClaimedError,
    InternalServerError,
    InvalidArgumentError,
    JournalError,
    MalformedResponseError,
    NameTakenError,
    NotFoundError,
    NotReadyError,
    OutcomeUnknownError,
    PaginationError,
    PermissionDeniedError,
    ProxyAuthenticationError,
    RateLimit,
    RateLimitError,
    ReadOnlyError,
    ResponseTooLargeError,
    SessionEndedError,
    TelnyxRoomsError,
    TLSError,
    UnexpectedCountError,
    UnexpectedRedirectError,
    UnprocessableEntityError,
    WebhookError,
    WebhookPayloadError,
    WebhookSignatureError,
    WrongEventLoopError,
)
from telnyx_rooms_async.http.clock import Clock
from telnyx_rooms_async.http.middleware import CallNext, Middleware
from telnyx_rooms_async.models import (
    AccessToken,
    ClientToken,
    CompositionStatus,
    ErrorDetail,
    Page,
    PageMeta,
    RecordingStatus,
    RecordingType,
    Room,
    RoomComposition,
    RoomParticipant,
    RoomRecording,
    RoomSession,
    VideoRegion,
)
from telnyx_rooms_async.pagination import Listing
from telnyx_rooms_async.resources.auto_refreshed_token import AutoRefreshedToken
from telnyx_rooms_async.resources.results import APIResponse, Change, DownloadedFile, Ensured, Plan
from telnyx_rooms_async.settings import Settings
from telnyx_rooms_async.version import __version__

__all__ = [
    "UNSET",
    "APIConnectionError",
    "APIResponse",
    "APIResponseError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AccessToken",
    "Attempt",
    "AuthenticationError",
    "AutoRefreshedToken",
    "BadRequestError",
    "CallNext",
    "Change",
    "ClientClosedError",
    "ClientToken",
    "Clock",
    "CompositionStatus",
    "ConfigurationError",
    "ConflictError",
    "ConnectError",
    "ConnectionLostError",
    "DateFilter",
    "DownloadedFile",
    "DurationFilter",
    "Ensured",
    "ErrorDetail",
    "EventClaimedError",
    "InternalServerError",
    "InvalidArgumentError",
    "JournalError",
    "Listing",
    "MalformedResponseError",
    "Middleware",
    "NameTakenError",
    "NotFoundError",
    "NotReadyError",
    "OutcomeUnknownError",
    "Page",
    "PageMeta",
    "PaginationError",
    "PermissionDeniedError",
    "Plan",
    "ProxyAuthenticationError",
    "RateLimit",
    "RateLimitError",
    "ReadOnlyError",
    "RecordingStatus",
    "RecordingType",
    "Request",
    "Response",
    "ResponseTooLargeError",
    "RetryPolicy",
    "Room",
    "RoomComposition",
    "RoomFields",
    "RoomParticipant",
    "RoomRecording",
    "RoomSession",
    "RoomsClient",
    "SessionEndedError",
    "Settings",
    "TLSError",
    "TelnyxRoomsError",
    "UnexpectedCountError",
    "UnexpectedRedirectError",
    "UnprocessableEntityError",
    "UnsetType",
    "VideoRegion",
    "WebhookError",
    "WebhookPayloadError",
    "WebhookSignatureError",
    "WrongEventLoopError",
    "__version__",
]
