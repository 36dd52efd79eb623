"""An asyncio client for the Telnyx Video Rooms API.

    async with RoomsClient() as client:
        room = await client.rooms.create("Weekly")
        async for session in client.rooms.sessions(room.id):
            print(session.created_at)

The client, its models and its errors are imported from here; other features from packages of their own:

- `telnyx_rooms_async.resources`: the operations, such as `client.rooms.create`
- `telnyx_rooms_async.batch`: many calls, and jobs that continue after a crash
- `telnyx_rooms_async.webhooks`: verified and typed events
- `telnyx_rooms_async.reports`: attendance and usage
- `telnyx_rooms_async.policies`: limits of sessions and rooms
- `telnyx_rooms_async.integrations`: web frameworks, OpenTelemetry, Dask
- `telnyx_rooms_async.emulator`: a stateful Telnyx for development and tests
- `telnyx_rooms_async.core`: the protocol without I/O

Guides: ``telnyx-rooms docs`` lists them. They are the README.md files of the packages.
"""

from telnyx_rooms_async.client import RoomsClient
from telnyx_rooms_async.core.http_messages import Request, Response
from telnyx_rooms_async.core.retry import RetryPolicy
from telnyx_rooms_async.core.validators import (
    UNSET,
    DateFilter,
    DurationFilter,
    RoomFields,
    RoomSettings,
    UnsetType,
)
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

__all__ = [  # noqa: RUF022 - in the order of the reference: client, models, lists, fields, errors
    "RoomsClient",
    "Settings",
    "RetryPolicy",
    "Clock",
    "Middleware",
    "CallNext",
    "Request",
    "Response",
    "APIResponse",
    "Room",
    "RoomSession",
    "RoomParticipant",
    "RoomRecording",
    "RecordingStatus",
    "RecordingType",
    "RoomComposition",
    "CompositionStatus",
    "VideoRegion",
    "ClientToken",
    "AccessToken",
    "AutoRefreshedToken",
    "DownloadedFile",
    "Listing",
    "Page",
    "PageMeta",
    "DateFilter",
    "DurationFilter",
    "RoomFields",
    "RoomSettings",
    "UNSET",
    "UnsetType",
    "Ensured",
    "Plan",
    "Change",
    "RateLimit",
    "Attempt",
    "ErrorDetail",
    "TelnyxRoomsError",
    "APIConnectionError",
    "APIResponseError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "ClientClosedError",
    "ConfigurationError",
    "ConflictError",
    "ConnectError",
    "ConnectionLostError",
    "EventClaimedError",
    "InternalServerError",
    "InvalidArgumentError",
    "JournalError",
    "MalformedResponseError",
    "NameTakenError",
    "NotFoundError",
    "NotReadyError",
    "OutcomeUnknownError",
    "PaginationError",
    "PermissionDeniedError",
    "ProxyAuthenticationError",
    "RateLimitError",
    "ReadOnlyError",
    "ResponseTooLargeError",
    "SessionEndedError",
    "TLSError",
    "UnexpectedCountError",
    "UnexpectedRedirectError",
    "UnprocessableEntityError",
    "WebhookError",
    "WebhookPayloadError",
    "WebhookSignatureError",
    "WrongEventLoopError",
    "__version__",
]
