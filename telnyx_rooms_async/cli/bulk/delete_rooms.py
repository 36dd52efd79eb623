"""``rooms delete``: delete one room, or all rooms that match filters."""

from collections.abc import Callable
from typing import Annotated, Unpack

import typer

from telnyx_rooms_async import Room, RoomsClient
from telnyx_rooms_async.cli.bulk.job import (
    CONCURRENCY,
    Concurrency,
    DryRun,
    MaxFailures,
    Outcomes,
    Yes,
    confirm,
    require_confirmation,
    run_job,
)
from telnyx_rooms_async.cli.options import AsJson, BaseUrl, RoomFilters
from telnyx_rooms_async.cli.output import Result, counted, show, show_list
from telnyx_rooms_async.cli.progress import JobProgress
from telnyx_rooms_async.cli.runner import run


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
    _delete_all(
        lambda client: client.rooms.delete_all(
            **filters, everything=everything, expect=expect, limit=concurrency, max_failures=max_failures
        ),
        total,
        as_json=as_json,
        base_url=base_url,
    )


async def _delete_one(client: RoomsClient, room_id: str, *, as_json: bool) -> None:
    await client.rooms.delete(room_id)
    show(Result(f"deleted {room_id}"), as_json=as_json)


def _delete_all(
    start: Callable[[RoomsClient], Outcomes[Room, None]], total: int, *, as_json: bool, base_url: str | None
) -> None:
    progress = JobProgress("collecting rooms", total=total)

    def summarize() -> Result:
        failures = f", {progress.failed} failed" if progress.failed else ""
        counts = {"deleted": progress.done, "failed": progress.failed}
        return Result(f"deleted {counted(progress.done)}{failures}", counts)

    run_job(
        start,
        progress,
        label=lambda room: room.id,
        summarize=summarize,
        as_json=as_json,
        base_url=base_url,
    )
