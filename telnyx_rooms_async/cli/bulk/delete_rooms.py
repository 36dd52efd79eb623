"""``rooms delete``: delete one room, or all rooms that match filters."""

from typing import Annotated, NamedTuple

import typer

from telnyx_rooms_async import DateFilter, Listing, Room, RoomsClient
from telnyx_rooms_async.cli.bulk.job import (
    CONCURRENCY,
    BulkJob,
    Concurrency,
    DryRun,
    MaxFailures,
    Outcomes,
    Summary,
    Yes,
    confirm,
    require_confirmation,
)
from telnyx_rooms_async.cli.options import AsJson, BaseUrl, CreatedAt, OfName, UpdatedAt
from telnyx_rooms_async.cli.output import counted, show_done, show_list
from telnyx_rooms_async.cli.progress import JobProgress
from telnyx_rooms_async.cli.runner import run


def delete(
    room_id: Annotated[str | None, typer.Argument(metavar="ROOM_ID", help="The id of the room.")] = None,
    *,
    select_all: Annotated[
        bool, typer.Option("--all", help="Delete all rooms that match the filters.")
    ] = False,
    created_at: CreatedAt = None,
    updated_at: UpdatedAt = None,
    unique_name: OfName = None,
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
) -> None:
    """Delete a room, or with --all many rooms.

    Active sessions end, and their participants are disconnected.
    """
    filters = _Filters(created_at, updated_at, unique_name, everything)
    if not select_all:
        if filters != _Filters() or dry_run or expect is not None:
            raise typer.BadParameter("options that select rooms can only be used with --all")
        if room_id is None:
            raise typer.BadParameter("pass a ROOM_ID, or --all with a filter")
        deletion = f"deleted {room_id}"
        run(lambda client: show_done(client.rooms.delete(room_id), deletion, as_json=as_json), base_url)
        return
    if room_id is not None:
        raise typer.BadParameter("ROOM_ID and --all cannot be combined")
    if everything == (filters[:3] != (None, None, None)):
        raise typer.BadParameter("--all needs a filter, or else --everything")
    if dry_run:
        run(lambda client: show_list(filters.list(client), Room, as_json=as_json), base_url)
        return
    require_confirmation(yes=yes)
    total = run(lambda client: filters.list(client).count(), base_url)
    if not yes:
        if total:
            confirm(f"delete {counted(total)}?")
        # Rooms that were created since were not confirmed.
        expect = total if expect is None else expect
    _delete(
        filters,
        total,
        expect=expect,
        concurrency=concurrency,
        max_failures=max_failures,
        as_json=as_json,
        base_url=base_url,
    )


class _Filters(NamedTuple):
    """Options that select rooms."""

    created_at: DateFilter | None = None
    updated_at: DateFilter | None = None
    unique_name: str | None = None
    everything: bool = False

    def list(self, client: RoomsClient) -> Listing[Room]:
        """List the rooms."""
        return client.rooms.list(
            created_at=self.created_at, updated_at=self.updated_at, unique_name=self.unique_name
        )


def _delete(
    filters: _Filters,
    total: int,
    *,
    expect: int | None,
    concurrency: int,
    max_failures: int | None,
    as_json: bool,
    base_url: str | None,
) -> None:
    progress = JobProgress("collecting rooms", total=total)

    async def start(client: RoomsClient) -> Outcomes[Room, None]:
        return client.rooms.delete_all(
            created_at=filters.created_at,
            updated_at=filters.updated_at,
            unique_name=filters.unique_name,
            everything=filters.everything,
            expect=expect,
            limit=concurrency,
            max_failures=max_failures,
        )

    def summarize() -> Summary:
        failed = f", {progress.failed} failed" if progress.failed else ""
        counts = {"deleted": progress.done, "failed": progress.failed}
        return Summary(f"deleted {counted(progress.done)}{failed}", counts)

    BulkJob(progress=progress, start=start, label=lambda room: room.id, summarize=summarize).run(
        base_url, as_json=as_json
    )
