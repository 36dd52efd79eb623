"""The options that groups have in common: one name and one spelling for one meaning."""

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Annotated, TypeAlias, TypeVar

import typer

from telnyx_rooms_async import UNSET, DateFilter, DurationFilter, UnsetType

T = TypeVar("T")

_DAY = "YYYY-MM-DD"


def parse_days(text: str) -> DateFilter:
    """Read a day, or the two ends of a range, either of which may be open."""
    eq, gte, lte = _parse_range(text, _parse_day)
    return DateFilter(eq=eq, gte=gte, lte=lte)


def parse_seconds(text: str) -> DurationFilter:
    """Read a number of seconds, or the two ends of a range, either of which may be open."""
    eq, gte, lte = _parse_range(text, _parse_whole)
    return DurationFilter(eq=eq, gte=gte, lte=lte)


def _parse_range(text: str, parse: Callable[[str], T]) -> tuple[T | None, T | None, T | None]:
    """Return what is meant exactly, or the least and the greatest."""
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
        raise typer.BadParameter(f"{text!r} is no day: write {_DAY}, or a range {_DAY}..{_DAY}") from None


def _parse_whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no number: write 90, or a range 60..120") from None


def given(value: T | None) -> T | UnsetType:
    """Turn an option that was not given into a field to leave alone."""
    return UNSET if value is None else value


# --- which one --------------------------------------------------------------------------------------------

RoomId: TypeAlias = Annotated[
    str, typer.Argument(metavar="ROOM_ID", help="The id that Telnyx gave the room.")
]
SessionId: TypeAlias = Annotated[
    str, typer.Argument(metavar="SESSION_ID", help="The id that Telnyx gave the session.")
]

# --- filters ----------------------------------------------------------------------------------------------

_RANGE_HELP = (
    "2021-04-25, or a range with both ends in it: 2021-04-01..2021-04-30, 2021-04-01.., ..2021-04-30."
)

OfRoom: TypeAlias = Annotated[str | None, typer.Option(metavar="ID", help="Only those of that room.")]
OfSession: TypeAlias = Annotated[str | None, typer.Option(metavar="ID", help="Only those of that session.")]
OfParticipant: TypeAlias = Annotated[
    str | None, typer.Option(metavar="ID", help="Only those of that participant.")
]
OfName: TypeAlias = Annotated[str | None, typer.Option(metavar="NAME", help="Only rooms of that name.")]
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
    typer.Option(parser=parse_days, metavar="DAYS", help="Updated then, likewise."),
]
EndedAt: TypeAlias = Annotated[
    DateFilter | None,
    typer.Option(parser=parse_days, metavar="DAYS", help="Ended then, likewise."),
]
LeftAt: TypeAlias = Annotated[
    DateFilter | None,
    typer.Option(parser=parse_days, metavar="DAYS", help="Left then, likewise."),
]
Active: TypeAlias = Annotated[
    bool | None,
    typer.Option("--active/--inactive", help="Only those going on, or only those that ended."),
]
Context: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="Only those whose client said exactly this of itself."),
]
IncludeParticipants: TypeAlias = Annotated[
    bool, typer.Option("--include-participants", help="Show who is and was in there.")
]

# --- lists ------------------------------------------------------------------------------------------------

Limit: TypeAlias = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Stop after so many; all come unless given.")
]
PageSize: TypeAlias = Annotated[
    int, typer.Option(metavar="N", help="How many to ask for in one request: 1 to 250.")
]
PAGE_SIZE = 250


def enough(page_size: int, limit: int | None) -> int:
    """Make a page no longer than what is wanted in all."""
    return min(page_size, limit or page_size)


# --- rooms ------------------------------------------------------------------------------------------------


class Clearable(StrEnum):
    """The fields of a room that may be null."""

    FAILOVER_URL = "webhook-event-failover-url"
    TIMEOUT_SECS = "webhook-timeout-secs"


UniqueName: TypeAlias = Annotated[
    str | None, typer.Option(metavar="NAME", help="A name, unique within the account.")
]
MaxParticipants: TypeAlias = Annotated[
    int | None, typer.Option(metavar="N", help="How many may be in at once: 2 to 50.")
]
EnableRecording: TypeAlias = Annotated[
    bool | None,
    typer.Option("--enable-recording/--disable-recording", help="Whether its sessions are recorded."),
]
IncludeSessions: TypeAlias = Annotated[
    bool, typer.Option("--include-sessions", help="Show the sessions, past and present.")
]
Clear: TypeAlias = Annotated[
    list[Clearable] | None,
    typer.Option(metavar="FIELD", help=f"Set a field to null: {' or '.join(Clearable)}. Repeatable."),
]


class UnknownOutcome(StrEnum):
    """What to do when a room may or may not have been created."""

    ADOPT = "find"
    RESEND = "find_then_resend"
    RAISE = "raise"


OnLostResponse: TypeAlias = Annotated[
    UnknownOutcome,
    typer.Option(
        help="When the answer is lost: look for the room by its name; that, and send once more; or fail."
    ),
]

# --- webhooks ---------------------------------------------------------------------------------------------

WebhookEventUrl: TypeAlias = Annotated[
    str | None, typer.Option(metavar="URL", help="Where Telnyx sends what happens.")
]
WebhookEventFailoverUrl: TypeAlias = Annotated[
    str | None, typer.Option(metavar="URL", help="Where it sends that when the first fails.")
]
WebhookTimeoutSecs: TypeAlias = Annotated[
    int | None, typer.Option(metavar="SECONDS", help="How long it waits there: 0 to 30.")
]

# --- every command ----------------------------------------------------------------------------------------

Timeout: TypeAlias = Annotated[float, typer.Option(metavar="SECONDS", help="How long to wait in all.")]
TIMEOUT = 600.0
AsJson: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print JSON: one value, or of a list one object a line.")
]
BaseUrl: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="URL", envvar="TELNYX_BASE_URL", help="Where the API is, unless at Telnyx."),
]
