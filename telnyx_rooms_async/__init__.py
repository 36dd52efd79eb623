"""An asyncio client for the Telnyx Video Rooms API.

    async with RoomsClient() as client:
        room = await client.rooms.create(unique_name="Weekly")
        async for session in client.rooms.sessions(room.id):
            print(session.created_at)

Everything public is imported from here; the emulator from `telnyx_rooms_async.emulator`; what a web app
needs from `telnyx_rooms_async.web`; the protocol without I/O from `telnyx_rooms_async.core`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # see `__getattr__`
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
        NotReadyError,
        OutcomeUnknownError,
        PaginationError,
        ResponseTooLargeError,
        TelnyxRoomsError,
        TLSError,
        UnexpectedRedirectError,
        WebhookError,
        WebhookPayloadError,
        WebhookSignatureError,
        WrongEventLoopError,
    )
    from telnyx_rooms_async.core.events import (
        CompositionCompletedPayload,
        Event,
        ParticipantJoinedPayload,
        ParticipantLeftPayload,
        RecordingCompletedPayload,
        RecordingStartedPayload,
        RoomCompositionCompleted,
        RoomParticipantJoined,
        RoomParticipantLeft,
        RoomRecordingCompleted,
        RoomRecordingStarted,
        RoomSessionEnded,
        RoomSessionStarted,
        SessionEndedPayload,
        SessionStartedPayload,
        UnknownEvent,
    )
    from telnyx_rooms_async.core.fields import RoomFields
    from telnyx_rooms_async.core.job_errors import JournalError, ReadOnlyError, UnexpectedCountError
    from telnyx_rooms_async.core.messages import Attempt, RateLimit, Response
    from telnyx_rooms_async.core.models import (
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
    from telnyx_rooms_async.core.plan import Change, Ensured, Plan
    from telnyx_rooms_async.core.retry import RetryPolicy
    from telnyx_rooms_async.core.rules import UNSET, DateFilter, DurationFilter, UnsetType
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
        SessionEndedError,
        UnprocessableEntityError,
    )
    from telnyx_rooms_async.core.timeline import RoomTimeline
    from telnyx_rooms_async.downloads import DownloadedFile
    from telnyx_rooms_async.journal import Journal
    from telnyx_rooms_async.listing import Listing
    from telnyx_rooms_async.resources.tokens import KeptToken
    from telnyx_rooms_async.router import EventRouter
    from telnyx_rooms_async.seen import SeenEvents, SeenInMemory
    from telnyx_rooms_async.settings import Settings
    from telnyx_rooms_async.version import __version__ as __version__
    from telnyx_rooms_async.webhooks import Webhooks

__all__ = [
    "UNSET",
    "APIConnectionError",
    "APIResponseError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AccessToken",
    "Attempt",
    "AuthenticationError",
    "BadRequestError",
    "Change",
    "ClientClosedError",
    "ClientToken",
    "Clock",
    "CompositionCompletedPayload",
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
    "Event",
    "EventRouter",
    "InternalServerError",
    "InvalidArgumentError",
    "Journal",
    "JournalError",
    "KeptToken",
    "Listing",
    "MalformedResponseError",
    "NameTakenError",
    "NotFoundError",
    "NotReadyError",
    "OutcomeUnknownError",
    "Page",
    "PageMeta",
    "PaginationError",
    "ParticipantJoinedPayload",
    "ParticipantLeftPayload",
    "PermissionDeniedError",
    "Plan",
    "RateLimit",
    "RateLimitError",
    "ReadOnlyError",
    "RecordingCompletedPayload",
    "RecordingStartedPayload",
    "RecordingStatus",
    "RecordingType",
    "Response",
    "ResponseTooLargeError",
    "RetryPolicy",
    "Room",
    "RoomComposition",
    "RoomCompositionCompleted",
    "RoomFields",
    "RoomParticipant",
    "RoomParticipantJoined",
    "RoomParticipantLeft",
    "RoomRecording",
    "RoomRecordingCompleted",
    "RoomRecordingStarted",
    "RoomSession",
    "RoomSessionEnded",
    "RoomSessionStarted",
    "RoomTimeline",
    "RoomsClient",
    "SeenEvents",
    "SeenInMemory",
    "SessionEndedError",
    "SessionEndedPayload",
    "SessionStartedPayload",
    "Settings",
    "TLSError",
    "TelnyxRoomsError",
    "UnexpectedCountError",
    "UnexpectedRedirectError",
    "UnknownEvent",
    "UnprocessableEntityError",
    "UnsetType",
    "VideoRegion",
    "WebhookError",
    "WebhookPayloadError",
    "WebhookSignatureError",
    "Webhooks",
    "WrongEventLoopError",
]

# Where each name is at home. It is imported when it is first asked for: pytest loads this package for the
# fixtures of `pytest_plugin`, wherever it is installed, and who plays no part in that must not pay for it.
_HOMES: Final = {
    "client": "RoomsClient",
    "clock": "Clock",
    "core.errors": (
        "APIConnectionError APIResponseError APIResponseValidationError APITimeoutError "
        "ClientClosedError ConfigurationError ConnectError ConnectionLostError InvalidArgumentError "
        "MalformedResponseError NotReadyError OutcomeUnknownError PaginationError "
        "ResponseTooLargeError TelnyxRoomsError TLSError UnexpectedRedirectError WebhookError "
        "WebhookPayloadError WebhookSignatureError WrongEventLoopError"
    ),
    "core.events": (
        "CompositionCompletedPayload Event ParticipantJoinedPayload ParticipantLeftPayload "
        "RecordingCompletedPayload RecordingStartedPayload RoomCompositionCompleted "
        "RoomParticipantJoined RoomParticipantLeft RoomRecordingCompleted RoomRecordingStarted "
        "RoomSessionEnded RoomSessionStarted SessionEndedPayload SessionStartedPayload UnknownEvent"
    ),
    "core.fields": "RoomFields",
    "core.job_errors": "JournalError ReadOnlyError UnexpectedCountError",
    "core.messages": "Attempt RateLimit Response",
    "core.models": (
        "AccessToken ClientToken CompositionStatus ErrorDetail Page PageMeta RecordingStatus "
        "RecordingType Room RoomComposition RoomParticipant RoomRecording RoomSession VideoRegion"
    ),
    "core.plan": "Change Ensured Plan",
    "core.retry": "RetryPolicy",
    "core.rules": "UNSET DateFilter DurationFilter UnsetType",
    "core.statuses": (
        "APIStatusError AuthenticationError BadRequestError ConflictError InternalServerError "
        "NameTakenError NotFoundError PermissionDeniedError RateLimitError SessionEndedError "
        "UnprocessableEntityError"
    ),
    "core.timeline": "RoomTimeline",
    "downloads": "DownloadedFile",
    "journal": "Journal",
    "listing": "Listing",
    "resources.tokens": "KeptToken",
    "router": "EventRouter",
    "seen": "SeenEvents SeenInMemory",
    "settings": "Settings",
    "version": "__version__",
    "webhooks": "Webhooks",
}
_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names.split()}


if not TYPE_CHECKING:  # else every name would be one

    def __getattr__(name: str) -> object:
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
        globals()[name] = value  # so that this is asked once
        return value


def __dir__() -> list[str]:
    return __all__
