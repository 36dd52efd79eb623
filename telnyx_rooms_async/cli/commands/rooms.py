"""``telnyx-rooms rooms``: one command per method of ``client.rooms``, one option per parameter."""

from collections.abc import Awaitable
from enum import StrEnum
from typing import Annotated, Final, Unpack, cast

import typer

from telnyx_rooms_async import Listing, Room, RoomFields, RoomsClient, RoomSession
from telnyx_rooms_async.cli.bulk_job import (
    CONCURRENCY,
    Concurrency,
    DryRun,
    JobProgress,
    MaxFailures,
    Yes,
    confirm,
    require_confirmation,
    run_job,
)
from telnyx_rooms_async.cli.display import Result, show, show_list
from telnyx_rooms_async.cli.options import (
    PAGE_SIZE,
    TIMEOUT,
    AsJson,
    BaseUrl,
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
from telnyx_rooms_async.cli.output import counted
from telnyx_rooms_async.cli.runner import api_command, grouped_options, run

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


@group.command()
@grouped_options
def delete(
    room_id: Annotated[str | None, typer.Argument(metavar="ROOM_ID", help="The id of the room.")] = None,
    *,
    select_all: Annotated[
        bool, typer.Option("--all", help="Delete all rooms that match the filters.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--everything", help="Instead of a filter: all rooms of the account.")
    ] = False,
    expect: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Delete nothing unless exactly N rooms match.")
    ] = None,
    concurrency: Concurrency = CONCURRENCY,
    max_failures: MaxFailures = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
    **filters: Unpack[RoomFilters],
) -> None:
    """Delete a room, or with --all many rooms.

    Active sessions end, and their participants are disconnected.
    """
    if not select_all:
        if filters or everything or dry_run or expect is not None:
            raise typer.BadParameter("options that select rooms can only be used with --all")
        if room_id is None:
            raise typer.BadParameter("pass a ROOM_ID, or --all with a filter")
        run(lambda client: _delete_one(client, room_id, as_json=as_json), base_url)
        return
    if room_id is not None:
        raise typer.BadParameter("ROOM_ID and --all cannot be combined")
    if everything == bool(filters):
        raise typer.BadParameter("--all needs a filter, or else --everything")
    if dry_run:
        run(lambda client: show_list(client.rooms.list(**filters), Room, as_json=as_json), base_url)
        return
    require_confirmation(yes=yes)
    total = run(lambda client: client.rooms.list(**filters).count(), base_url)
    if not yes:
        if total:
            confirm(f"delete {counted(total)}?")
        # Rooms that were created since were not confirmed.
        expect = total if expect is None else expect
    progress = JobProgress("collecting rooms", total=total)
    run_job(
        lambda client: client.rooms.delete_all(
            **filters,
            everything=everything,
            expect=expect,
            concurrency=concurrency,
            max_failures=max_failures,
        ),
        progress,
        label=lambda room: room.id,
        summarize=lambda: Result(
            ", ".join([f"deleted {counted(progress.done)}", *progress.failures]),
            {"deleted": progress.done, "failed": progress.failed},
        ),
        as_json=as_json,
        base_url=base_url,
    )


async def _delete_one(client: RoomsClient, room_id: str, *, as_json: bool) -> None:
    await client.rooms.delete(room_id)
    show(Result(f"deleted {room_id}"), as_json=as_json)
