"""``telnyx-rooms rooms``: one command per method of ``client.rooms``, one option per parameter."""

from collections.abc import Awaitable
from contextlib import aclosing
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Unpack, cast

import typer

from telnyx_rooms_async import InvalidArgumentError, Listing, Room, RoomFields, RoomsClient, RoomSession
from telnyx_rooms_async.cli import options, output
from telnyx_rooms_async.cli.bulk_job import JobProgress, confirm, require_confirmation, run_job
from telnyx_rooms_async.cli.commands import room_tables
from telnyx_rooms_async.cli.commands.reports import room_attendance
from telnyx_rooms_async.cli.display import Result, show, show_list
from telnyx_rooms_async.cli.options import LostResponse, OnLostResponse, RoomId, argument, flag, option
from telnyx_rooms_async.cli.runner import FAILED, command, command_group, run
from telnyx_rooms_async.policies import RoomPolicy, parse_policies

app: Final = command_group(help="Rooms and their sessions.")

IncludeSessions = Annotated[bool, flag("--include-sessions", "Show the sessions, past and present.")]


class Query(options.RoomFilters, total=False):
    """Options of a list of rooms."""

    include_sessions: IncludeSessions
    page_size: options.PageSize


class Clearable(StrEnum):
    """The fields of a room that may be null."""

    FAILOVER_URL = "webhook-event-failover-url"
    TIMEOUT_SECS = "webhook-timeout-secs"


class Fields(options.WebhookFields, total=False):
    """Options for the fields of a room."""

    unique_name: Annotated[str, option("NAME", "A name that is unique within the account.")]
    max_participants: Annotated[int, option("N", "Maximum number of participants: 2 to 50.")]
    enable_recording: Annotated[
        bool, flag("--enable-recording/--disable-recording", "Whether sessions are recorded.")
    ]


@command(app, "list")
def list_rooms(client: RoomsClient, **query: Unpack[Query]) -> Listing[Room]:
    """List the rooms of the account."""
    return client.rooms.list(**query)


@command(app)
def create(
    client: RoomsClient, *, on_lost_response: OnLostResponse = LostResponse.FIND, **fields: Unpack[Fields]
) -> Awaitable[Room]:
    """Create a room, and show it.

    A room without a name cannot be found if the response is lost.
    """
    return client.rooms.create(on_lost_response=on_lost_response.value, **fields)


@command(app)
def retrieve(
    client: RoomsClient, room_id: RoomId, *, include_sessions: IncludeSessions = False
) -> Awaitable[Room]:
    """Show one room, with all its fields."""
    return client.rooms.retrieve(room_id, include_sessions=include_sessions)


@command(app)
def update(
    client: RoomsClient,
    room_id: RoomId,
    *,
    clear: Annotated[
        list[Clearable] | None, option("FIELD", f"Set a field to null: {' or '.join(Clearable)}. Repeatable.")
    ] = None,
    **fields: Unpack[Fields],
) -> Awaitable[Room]:
    """Change fields of a room, and show the room.

    Fields without an option stay unchanged.
    """
    changes = dict(fields)
    for field in clear or ():
        name = field.replace("-", "_")
        if name in fields:
            raise typer.BadParameter(f"--{field} and --clear {field} cannot be combined")
        changes[name] = None
    if not changes:
        raise typer.BadParameter("pass at least one field to change")
    return client.rooms.update(room_id, **cast("RoomFields", changes))


@command(app, omit="room_id")
def sessions(
    client: RoomsClient, room_id: RoomId, **query: Unpack[options.SessionQuery]
) -> Listing[RoomSession]:
    """List the sessions of one room."""
    return client.rooms.sessions(room_id, **query)


@command(app)
def wait_for_session(
    client: RoomsClient, room_id: RoomId, *, timeout: options.Timeout = options.TIMEOUT
) -> Awaitable[RoomSession]:
    """Wait for a session in a room, and show it."""
    return client.rooms.wait_for_session(room_id, timeout=timeout)


class Selection(options.RoomFilters, options.Limits, total=False):
    """Options with ``--all``."""

    everything: Annotated[bool, flag("--everything", "Instead of a filter: all rooms of the account.")]
    expect: Annotated[int, option("N", "Delete nothing unless exactly N rooms match.", min=0)]


@command(app)
def delete(
    room_id: Annotated[str | None, argument("ROOM_ID", "The id of the room.")] = None,
    *,
    select_all: Annotated[bool, flag("--all", "Delete all rooms that match the filters.")] = False,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    **selection: Unpack[Selection],
) -> None:
    """Delete a room, or with --all many rooms.

    Active sessions end, and their participants are disconnected.
    """
    if select_all:
        if room_id is not None:
            raise typer.BadParameter("ROOM_ID and --all cannot be combined")
        _delete_all(selection, yes=yes, dry_run=dry_run)
        return
    if selection or dry_run:
        raise typer.BadParameter("options for many rooms can only be used with --all")
    if room_id is None:
        raise typer.BadParameter("pass a ROOM_ID, or --all with a filter")
    run(lambda client: client.rooms.delete(room_id))
    show(Result(f"deleted {room_id}"))


def _delete_all(selection: Selection, *, yes: bool, dry_run: bool) -> None:
    """Delete the rooms that match the filters, after confirmation."""
    names = options.RoomFilters.__annotations__
    filters = cast("options.RoomFilters", {name: value for name, value in selection.items() if name in names})
    if selection.get("everything", False) == bool(filters):
        raise typer.BadParameter("--all needs a filter, or else --everything")
    if dry_run:
        run(lambda client: show_list(client.rooms.list(**filters), Room))
        return
    require_confirmation(yes=yes)
    total = run(lambda client: client.rooms.list(**filters).count())
    if not yes:
        if total:
            confirm(f"delete {output.counted(total)}?")
        selection.setdefault("expect", total)  # rooms that were created since were not confirmed
    progress = JobProgress("collecting rooms", total=total)
    run_job(
        lambda client: client.rooms.delete_all(**selection),
        progress,
        label=lambda room: room.id,
        summarize=lambda: progress.result(f"deleted {output.counted(progress.done)}", deleted=progress.done),
    )


@command(app)
async def enforce(
    client: RoomsClient,
    *,
    policy: Annotated[Path, option("FILE", "Policies in TOML: see above.")],
    dry_run: options.DryRun = False,
    once: Annotated[bool, flag("--once", "Stop when everything is done that is due now.")] = False,
    interval: Annotated[float, option("SECONDS", "Time between two readings of all rooms.")] = 60.0,
    concurrency: options.Concurrency = 32,
) -> None:
    """End sessions and delete rooms that reach a limit.

    Every action is printed. An action that fails is tried again; with --once, the exit code is 1 instead.

    FILE has a table for each policy. The first one that is for a room applies.

    \b
    [[policies]]
    prefix = "clinic-"     # or names = ["Weekly", "Daily"]; default: all rooms
    max_duration = "2h"    # a session ends at this age,
    alone_timeout = "15m"  # when one person has been alone for so long,
    empty_timeout = "5m"   # or when there was no participant for so long
    warn_before = "5m"     # prints a warning before a session ends
    max_rooms_age = "30d"  # a room is deleted at this age, when it has no session
    [policies.allowed_hours]
    start = "08:00"
    end = "18:00"
    zone = "Europe/Berlin"
    weekdays = ["mon", "tue", "wed", "thu", "fri"]
    """  # noqa: D301 - not a backslash, but Click's mark of lines that are not to be filled
    actions = client.rooms.enforce(
        _read_policies(policy), dry_run=dry_run, once=once, interval=interval, concurrency=concurrency
    )
    failures = 0
    async with aclosing(actions):
        async for action in actions:
            failures += action.status == "failed"
            if output.is_json.get():
                output.write_json(action.to_dict())
            else:
                output.write_line(str(action))
    if failures:
        raise typer.Exit(FAILED)


def _read_policies(path: Path) -> tuple[RoomPolicy, ...]:
    try:
        with output.file_errors(str(path), "read"):
            return parse_policies(path.read_text("utf-8"))
    except UnicodeDecodeError:
        raise InvalidArgumentError((f"{path}: not UTF-8",)) from None
    except InvalidArgumentError as error:
        raise InvalidArgumentError(tuple(f"{path}: {problem}" for problem in error.problems)) from None


# Their modules have no group of their own.
command(app, "import")(room_tables.import_rooms)
command(app, "export")(room_tables.export_rooms)
command(app)(room_tables.apply)
command(app, "attendance")(room_attendance)
