"""Arguments and options that several commands have, and their parsers."""

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, TypeAlias, TypeVar

import typer

from telnyx_rooms_async import UNSET, DateFilter, DurationFilter, UnsetType

T = TypeVar("T")

_DAY: Final = "YYYY-MM-DD"


def parse_days(text: str) -> DateFilter:
    """Parse a day, or a range of days: ``2021-04-01..2021-04-30``."""
    eq, gte, lte = _parse_range(text, _parse_day)
    return DateFilter(eq=eq, gte=gte, lte=lte)


def parse_seconds(text: str) -> DurationFilter:
    """Parse a number of seconds, or a range: ``60..120``."""
    eq, gte, lte = _parse_range(text, _parse_integer)
    return DurationFilter(eq=eq, gte=gte, lte=lte)


def _parse_range(text: str, parse: Callable[[str], T]) -> tuple[T | None, T | None, T | None]:
    """Return the exact value, the first and the last value."""
    first, dots, last = text.partition("..")
    if not dots:
        return parse(text), None, None
    if not first and not last:
        raise typer.BadParameter("a range needs a first or a last value")
    return None, parse(first) if first else None, parse(last) if last else None


def _parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"must be {_DAY} or a range {_DAY}..{_DAY}, got {text!r}") from None


def _parse_integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"must be a number such as 90 or a range 60..120, got {text!r}") from None


def unset_if_none(value: T | None) -> T | UnsetType:
    """Turn the absence of an option into a field that is not sent."""
    return UNSET if value is None else value


# --- ids ----------------------------------------------------------------------------------------------------

RoomId: TypeAlias = Annotated[str, typer.Argument(metavar="ROOM_ID", help="The id of the room.")]
SessionId: TypeAlias = Annotated[str, typer.Argument(metavar="SESSION_ID", help="The id of the session.")]

# --- filters ------------------------------------------------------------------------------------------------

_RANGE_HELP = "2021-04-25, or an inclusive range: 2021-04-01..2021-04-30, 2021-04-01.., ..2021-04-30."

OfRoom: TypeAlias = Annotated[str | None, typer.Option(metavar="ID", help="Filter by room.")]
OfSession: TypeAlias = Annotated[str | None, typer.Option(metavar="ID", help="Filter by session.")]
OfParticipant: TypeAlias = Annotated[str | None, typer.Option(metavar="ID", help="Filter by participant.")]
OfName: TypeAlias = Annotated[str | None, typer.Option(metavar="NAME", help="Filter by name.")]
CreatedAt: TypeAlias = Annotated[
    DateFilter | None,
    typer.Option(parser=parse_days, metavar="DAYS", help=f"Created on {_RANGE_HELP}"),
]
JoinedAt: TypeAlias = Annotated[
    DateFilter | None,
    typer.Option(parser=parse_days, metavar="DAYS", help=f"Joined on {_RANGE_HELP}"),
]
StartedAt: TypeAlias = Annotated[
    DateFilter | None,
    typer.Option(parser=parse_days, metavar="DAYS", help=f"Started on {_RANGE_HELP}"),
]
UpdatedAt: TypeAlias = Annotated[
    DateFilter | None,
    typer.Option(parser=parse_days, metavar="DAYS", help="Updated on these days."),
]
EndedAt: TypeAlias = Annotated[
    DateFilter | None,
    typer.Option(parser=parse_days, metavar="DAYS", help="Ended on these days."),
]
LeftAt: TypeAlias = Annotated[
    DateFilter | None,
    typer.Option(parser=parse_days, metavar="DAYS", help="Left on these days."),
]
Active: TypeAlias = Annotated[
    bool | None,
    typer.Option("--active/--inactive", help="Only active sessions, or only sessions that have ended."),
]
Context: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="Filter by the context that the client SDK sent, exactly."),
]
IncludeParticipants: TypeAlias = Annotated[
    bool, typer.Option("--include-participants", help="Show the participants, past and present.")
]

# --- lists --------------------------------------------------------------------------------------------------

Limit: TypeAlias = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Show at most N. Default: all.")
]
PageSize: TypeAlias = Annotated[int, typer.Option(metavar="N", help="Number of items per request: 1 to 250.")]
PAGE_SIZE = 250


def limited_page_size(page_size: int, limit: int | None) -> int:
    """Return a page size that does not exceed the number of items to show."""
    return min(page_size, limit or page_size)


# --- rooms --------------------------------------------------------------------------------------------------


class Clearable(StrEnum):
    """The fields of a room that may be null."""

    FAILOVER_URL = "webhook-event-failover-url"
    TIMEOUT_SECS = "webhook-timeout-secs"


class LostResponse(StrEnum):
    """What to do when the response to a create request is lost."""

    FIND = "find"
    FIND_THEN_RESEND = "find_then_resend"
    RAISE = "raise"


UniqueName: TypeAlias = Annotated[
    str | None, typer.Option(metavar="NAME", help="A name that is unique within the account.")
]
MaxParticipants: TypeAlias = Annotated[
    int | None, typer.Option(metavar="N", help="Maximum number of participants: 2 to 50.")
]
EnableRecording: TypeAlias = Annotated[
    bool | None,
    typer.Option("--enable-recording/--disable-recording", help="Whether sessions are recorded."),
]
IncludeSessions: TypeAlias = Annotated[
    bool, typer.Option("--include-sessions", help="Show the sessions, past and present.")
]
Clear: TypeAlias = Annotated[
    list[Clearable] | None,
    typer.Option(metavar="FIELD", help=f"Set a field to null: {' or '.join(Clearable)}. Repeatable."),
]
OnLostResponse: TypeAlias = Annotated[
    LostResponse,
    typer.Option(
        help="If the response is lost: find the room by name, find it or send the request again, or fail."
    ),
]

# --- webhooks -----------------------------------------------------------------------------------------------

WebhookEventUrl: TypeAlias = Annotated[
    str | None, typer.Option(metavar="URL", help="URL that Telnyx sends events to.")
]
WebhookEventFailoverUrl: TypeAlias = Annotated[
    str | None, typer.Option(metavar="URL", help="URL for events that the first URL does not accept.")
]
WebhookTimeoutSecs: TypeAlias = Annotated[
    int | None, typer.Option(metavar="SECONDS", help="Timeout of a webhook: 0 to 30.")
]

# --- all commands -------------------------------------------------------------------------------------------

Timeout: TypeAlias = Annotated[float, typer.Option(metavar="SECONDS", help="Maximum time to wait.")]
TIMEOUT = 600.0
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON. A list is one object per line.")]
BaseUrl: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="URL", envvar="TELNYX_BASE_URL", help="Base URL of the API. Default: Telnyx."),
]
