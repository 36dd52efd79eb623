"""Arguments and options that several commands have, and their parsers.

A `TypedDict` groups options that are passed to a method of the client together: a command takes them as
``**options: Unpack[...]``, and gets only those that are set.
"""

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final, NamedTuple, TypeAlias, TypedDict, TypeVar

import typer

from telnyx_rooms_async import DateFilter, DurationFilter, VideoRegion

T = TypeVar("T")


def argument(metavar: str, help_text: str) -> Any:  # noqa: ANN401 - Typer declares parameters as Any
    """Declare an argument."""
    return typer.Argument(metavar=metavar, help=help_text)


def option(metavar: str, help_text: str, *names: str, **settings: Any) -> Any:  # noqa: ANN401 - likewise
    """Declare an option that has a value, and by default the name of its parameter."""
    return typer.Option(*names, metavar=metavar, help=help_text, **settings)


def flag(name: str, help_text: str) -> Any:  # noqa: ANN401 - likewise
    """Declare an option without a value; the name ``--yes/--no`` declares its negation too."""
    return typer.Option(name, help=help_text)


# --- ranges -------------------------------------------------------------------------------------------------


def parse_days(text: str) -> DateFilter:
    """Parse a day, or a range of days: ``2021-04-01..2021-04-30``."""
    form = "YYYY-MM-DD or a range YYYY-MM-DD..YYYY-MM-DD"
    eq, gte, lte = _parse_range(text, date.fromisoformat, form)
    return DateFilter(eq=eq, gte=gte, lte=lte)


def parse_seconds(text: str) -> DurationFilter:
    """Parse a number of seconds, or a range: ``60..120``."""
    eq, gte, lte = _parse_range(text, int, "a number such as 90 or a range 60..120")
    return DurationFilter(eq=eq, gte=gte, lte=lte)


def _parse_range(text: str, parse: Callable[[str], T], form: str) -> tuple[T | None, T | None, T | None]:
    """Return the exact value, the first and the last value."""

    def parse_bound(bound: str) -> T:
        try:
            return parse(bound)
        except ValueError:
            raise typer.BadParameter(f"must be {form}, got {bound!r}") from None

    first, dots, last = text.partition("..")
    if not dots:
        return parse_bound(text), None, None
    if not first and not last:
        raise typer.BadParameter("a range needs a first or a last value")
    return None, parse_bound(first) if first else None, parse_bound(last) if last else None


# --- regions ------------------------------------------------------------------------------------------------

# No character of a region needs quoting in a shell, except `*` for all sources, which is the default.
SOURCE_SEPARATOR: Final = "+"
"""Separates ids: no id contains it."""
_REGION_NUMBERS: Final = {
    "x": "x_pos",
    "y": "y_pos",
    "z": "z_pos",
    "width": "width",
    "height": "height",
    "columns": "max_columns",
    "rows": "max_rows",
}
_REGION_FORM: Final = "NAME:x=N,y=N,z=N,width=N,height=N,columns=N,rows=N,sources=ID+ID"


class NamedRegion(NamedTuple):
    """A region and its name in the composition."""

    name: str
    region: VideoRegion


def parse_region(text: str) -> NamedRegion:
    """Parse a region of a composition: ``left:x=0,width=640,sources=ID+ID``. All fields are optional."""
    name, colon, rest = text.partition(":")
    if not name or not colon:
        raise typer.BadParameter(f"must be {_REGION_FORM}, got {text!r}")
    values: dict[str, str] = {}
    for pair in filter(None, rest.split(",")):
        key, _, value = pair.partition("=")
        if key not in (*_REGION_NUMBERS, "sources"):
            fields = ", ".join(_REGION_NUMBERS)
            raise typer.BadParameter(f"{key!r} is not a field of a region; the fields are {fields}, sources")
        if key in values:
            raise typer.BadParameter(f"{key} is given twice")
        values[key] = value
    sources = values.pop("sources", "*").split(SOURCE_SEPARATOR)
    numbers: dict[str, int] = {}
    for key, value in values.items():
        try:
            numbers[_REGION_NUMBERS[key]] = int(value)
        except ValueError:
            raise typer.BadParameter(f"{key} must be a number, got {value!r}") from None
    return NamedRegion(name, VideoRegion(**numbers, video_sources=tuple(sources)))


def format_region(name: str, region: VideoRegion) -> str:
    """Return a region as `parse_region` reads it."""
    numbers = {key: getattr(region, field) for key, field in _REGION_NUMBERS.items()}
    pairs = [f"{key}={number}" for key, number in numbers.items() if number is not None]
    if region.video_sources is not None:
        pairs.append(f"sources={SOURCE_SEPARATOR.join(region.video_sources)}")
    return f"{name}:{','.join(pairs)}"


# --- ids ----------------------------------------------------------------------------------------------------

RoomId: TypeAlias = Annotated[str, argument("ROOM_ID", "The id of the room.")]
SessionId: TypeAlias = Annotated[str, argument("SESSION_ID", "The id of the session.")]

# --- filters ------------------------------------------------------------------------------------------------

_RANGE_HELP: Final = "2021-04-25, or an inclusive range: 2021-04-01..2021-04-30, 2021-04-01.., ..2021-04-30."

OfRoom: TypeAlias = Annotated[str, option("ID", "Filter by room.")]
OfSession: TypeAlias = Annotated[str, option("ID", "Filter by session.")]
PageSize: TypeAlias = Annotated[int, option("N", "Number of items per request: 1 to 250. Default: 250.")]


def _days(help_text: str) -> Any:  # noqa: ANN401 - likewise
    return option("DAYS", help_text, parser=parse_days)


CreatedAt: TypeAlias = Annotated[DateFilter, _days(f"Created on {_RANGE_HELP}")]
UpdatedAt: TypeAlias = Annotated[DateFilter, _days("Updated on these days.")]
EndedAt: TypeAlias = Annotated[DateFilter, _days("Ended on these days.")]
IncludeParticipants: TypeAlias = Annotated[
    bool, flag("--include-participants", "Show the participants, past and present.")
]


class RoomFilters(TypedDict, total=False):
    """Options that select rooms."""

    created_at: CreatedAt
    updated_at: UpdatedAt
    unique_name: Annotated[str, option("NAME", "Filter by name.")]


class SessionQuery(TypedDict, total=False):
    """Options of a list of sessions."""

    created_at: CreatedAt
    updated_at: UpdatedAt
    ended_at: EndedAt
    active: Annotated[
        bool, flag("--active/--inactive", "Only active sessions, or only sessions that have ended.")
    ]
    include_participants: IncludeParticipants
    page_size: PageSize


class ParticipantQuery(TypedDict, total=False):
    """Options of a list of participants."""

    joined_at: Annotated[DateFilter, _days(f"Joined on {_RANGE_HELP}")]
    updated_at: UpdatedAt
    left_at: Annotated[DateFilter, _days("Left on these days.")]
    context: Annotated[str, option("TEXT", "Filter by the context that the client SDK sent, exactly.")]
    page_size: PageSize


class RecordingFilters(TypedDict, total=False):
    """Options that select recordings."""

    room_id: OfRoom
    session_id: OfSession
    participant_id: Annotated[str, option("ID", "Filter by participant.")]
    status: Annotated[str, option("STATUS", "Filter by status: completed or processing.")]
    type: Annotated[str, option("TYPE", "Filter by type: audio or video.")]
    started_at: Annotated[DateFilter, _days(f"Started on {_RANGE_HELP}")]
    ended_at: EndedAt
    duration_secs: Annotated[
        DurationFilter,
        option(
            "SECONDS",
            "Filter by duration: 90, or an inclusive range: 60..120, 60.., ..120.",
            parser=parse_seconds,
        ),
    ]


# --- fields that are sent -----------------------------------------------------------------------------------


class WebhookFields(TypedDict, total=False):
    """Options for the webhooks of a room or a composition."""

    webhook_event_url: Annotated[str, option("URL", "URL that Telnyx sends events to.")]
    webhook_event_failover_url: Annotated[
        str, option("URL", "URL for events that the first URL does not accept.")
    ]
    webhook_timeout_secs: Annotated[int, option("SECONDS", "Timeout of a webhook: 0 to 30.")]


class LostResponse(StrEnum):
    """What to do when the response to a create request is lost."""

    FIND = "find"
    FIND_THEN_RESEND = "find_then_resend"
    RAISE = "raise"


OnLostResponse: TypeAlias = Annotated[
    LostResponse,
    typer.Option(
        help="If the response is lost: find the room by name, find it or send the request again, or fail."
    ),
]

Target: TypeAlias = Annotated[
    str, argument("TARGET", "Path of the file, or - for stdout. An existing file is replaced.")
]

# --- many requests ------------------------------------------------------------------------------------------

Concurrency: TypeAlias = Annotated[int, option("N", "Number of requests at the same time.", min=1, max=1000)]
MaxFailures: TypeAlias = Annotated[int, option("N", "Stop after this number of failures.", min=1)]
Yes: TypeAlias = Annotated[bool, flag("--yes", "Do not ask for confirmation.")]
DryRun: TypeAlias = Annotated[bool, flag("--dry-run", "Show what would be done, and change nothing.")]


class Limits(TypedDict, total=False):
    """Options that limit a job of 32 requests at the same time."""

    concurrency: Annotated[
        int, option("N", "Number of requests at the same time. Default: 32.", min=1, max=1000)
    ]
    max_failures: MaxFailures


# --- all commands -------------------------------------------------------------------------------------------

Limit: TypeAlias = Annotated[int | None, option("N", "Show at most N. Default: all.", min=1)]
Timeout: TypeAlias = Annotated[float, option("SECONDS", "Maximum time to wait.")]
TIMEOUT: Final = 600.0
AsJson: TypeAlias = Annotated[bool, flag("--json", "Print JSON. A list is one object per line.")]
BaseUrl: TypeAlias = Annotated[
    str | None, option("URL", "Base URL of the API. Default: Telnyx.", envvar="TELNYX_BASE_URL")
]
