"""``telnyx-rooms rooms``: one command per method of ``client.rooms``, one option per parameter."""

from collections.abc import Awaitable
from enum import StrEnum
from typing import Annotated, Final, Unpack, cast

import typer

from telnyx_rooms_async import Listing, Room, RoomFields, RoomsClient, RoomSession
from telnyx_rooms_async.cli.options import (
    PAGE_SIZE,
    TIMEOUT,
    IncludeParticipants,
    LostResponse,
    OnLostResponse,
    PageSize,
    RoomFilters,
    RoomId,
    SessionFilters,
    Timeout,
    WebhookFields,
)
from telnyx_rooms_async.cli.runner import api_command

group: Final = typer.Typer(name="rooms", no_args_is_help=True, help="Rooms and their sessions.")

IncludeSessions = Annotated[
    bool, typer.Option("--include-sessions", help="Show the sessions, past and present.")
]


class Clearable(StrEnum):
    """The fields of a room that may be null."""

    FAILOVER_URL = "webhook-event-failover-url"
    TIMEOUT_SECS = "webhook-timeout-secs"


class Fields(WebhookFields, total=False):
    """Options for the fields of a room."""

    unique_name: Annotated[
        str, typer.Option(metavar="NAME", help="A name that is unique within the account.")
    ]
    max_participants: Annotated[
        int, typer.Option(metavar="N", help="Maximum number of participants: 2 to 50.")
    ]
    enable_recording: Annotated[
        bool, typer.Option("--enable-recording/--disable-recording", help="Whether sessions are recorded.")
    ]


@api_command(group, "list")
def list_rooms(
    client: RoomsClient,
    *,
    include_sessions: IncludeSessions = False,
    page_size: PageSize = PAGE_SIZE,
    **filters: Unpack[RoomFilters],
) -> Listing[Room]:
    """List the rooms of the account."""
    return client.rooms.list(include_sessions=include_sessions, page_size=page_size, **filters)


@api_command(group)
def create(
    client: RoomsClient, *, on_lost_response: OnLostResponse = LostResponse.FIND, **fields: Unpack[Fields]
) -> Awaitable[Room]:
    """Create a room, and show it.

    A room without a name cannot be found if the response is lost.
    """
    return client.rooms.create(on_lost_response=on_lost_response.value, **fields)


@api_command(group)
def retrieve(
    client: RoomsClient, room_id: RoomId, *, include_sessions: IncludeSessions = False
) -> Awaitable[Room]:
    """Show one room, with all its fields."""
    return client.rooms.retrieve(room_id, include_sessions=include_sessions)


@api_command(group)
def update(
    client: RoomsClient,
    room_id: RoomId,
    *,
    clear: Annotated[
        list[Clearable] | None,
        typer.Option(metavar="FIELD", help=f"Set a field to null: {' or '.join(Clearable)}. Repeatable."),
    ] = None,
    **fields: Unpack[Fields],
) -> Awaitable[Room]:
    """Change fields of a room, and show the room.

    Fields without an option stay unchanged.
    """
    changes = dict(fields)
    for option in clear or ():
        name = option.replace("-", "_")
        if name in fields:
            raise typer.BadParameter(f"--{option} and --clear {option} cannot be combined")
        changes[name] = None
    if not changes:
        raise typer.BadParameter("pass at least one field to change")
    return client.rooms.update(room_id, **cast("RoomFields", changes))


@api_command(group, omit="room_id")
def sessions(
    client: RoomsClient,
    room_id: RoomId,
    *,
    include_participants: IncludeParticipants = False,
    page_size: PageSize = PAGE_SIZE,
    **filters: Unpack[SessionFilters],
) -> Listing[RoomSession]:
    """List the sessions of one room."""
    return client.rooms.sessions(
        room_id, include_participants=include_participants, page_size=page_size, **filters
    )


@api_command(group)
def wait_for_session(
    client: RoomsClient, room_id: RoomId, *, timeout: Timeout = TIMEOUT
) -> Awaitable[RoomSession]:
    """Wait for a session in a room, and show it."""
    return client.rooms.wait_for_session(room_id, timeout=timeout)
