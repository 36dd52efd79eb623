"""``rooms delete``: one room, or all that filters select."""

from typing import Annotated, NamedTuple

import typer

from telnyx_rooms_async import DateFilter, Listing, Room, RoomsClient
from telnyx_rooms_async.cli.bulk.job import (
    CONCURRENCY,
    Concurrency,
    DryRun,
    StopAfter,
    Yes,
    agreed,
    follow,
    refuse_to_guess,
    summed_up,
)
from telnyx_rooms_async.cli.progress import Tally
from telnyx_rooms_async.cli.options import AsJson, BaseUrl, CreatedAt, OfName, UpdatedAt
from telnyx_rooms_async.cli.output import counted, show_done, show_list
from telnyx_rooms_async.cli.runner import run


def delete(
    room_id: Annotated[
        str | None, typer.Argument(metavar="ROOM_ID", help="The id that Telnyx gave the room.")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Delete all rooms that the filters select.")] = False,
    created_at: CreatedAt = None,
    updated_at: UpdatedAt = None,
    unique_name: OfName = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="In the place of a filter: really all rooms.")
    ] = False,
    expect: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Delete none unless it is so many.")
    ] = None,
    concurrency: Concurrency = CONCURRENCY,
    max_failures: StopAfter = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Delete a room, or with --all many.

    Whoever is in it is sent out, and its session ends.
    """
    filters = _Filters(created_at, updated_at, unique_name, everything)
    if not every:
        room_id = _one(room_id, filters.are_given or dry_run or expect is not None)
        run(
            lambda client: show_done(client.rooms.delete(room_id), f"deleted {room_id}", as_json=as_json),
            base_url,
        )
        return
    filters.check(room_id)
    if dry_run:
        run(lambda client: show_list(filters.list(client), Room, as_json=as_json), base_url)
        return
    refuse_to_guess(yes=yes)
    total = run(lambda client: filters.list(client).count(), base_url)
    if not yes:
        if total:
            agreed(f"delete {counted(total)}?")
        # Nobody has said yes to what was made since, nor to anything when there was nothing to ask about.
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


def _one(room_id: str | None, of_many: object) -> str:
    if of_many:
        raise typer.BadParameter("what selects rooms goes with --all")
    if room_id is None:
        raise typer.BadParameter("name a ROOM_ID, or --all with a filter")
    return room_id


class _Filters(NamedTuple):
    """Which rooms are meant."""

    created_at: DateFilter | None
    updated_at: DateFilter | None
    unique_name: str | None
    everything: bool

    @property
    def are_given(self) -> bool:
        """Whether anything is said of many rooms."""
        return self.everything or self._is_narrow

    @property
    def _is_narrow(self) -> bool:
        return (self.created_at, self.updated_at, self.unique_name) != (None, None, None)

    def check(self, room_id: str | None) -> None:
        """Refuse what contradicts itself.

        Raises:
            BadParameter: it does.
        """
        if room_id is not None:
            raise typer.BadParameter("ROOM_ID and --all contradict each other")
        if self.everything == self._is_narrow:
            raise typer.BadParameter("--all goes with a filter, or else with --everything")

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
    tally = Tally()

    async def job(client: RoomsClient) -> None:
        tally.rate_limit = lambda: client.rate_limit
        outcomes = client.rooms.delete_all(
            created_at=filters.created_at,
            updated_at=filters.updated_at,
            unique_name=filters.unique_name,
            everything=filters.everything,
            expect=expect,
            limit=concurrency,
            max_failures=max_failures,
        )
        await follow(outcomes, tally, total=total, name=lambda room: room.id)

    def sentence() -> str:
        return f"deleted {counted(tally.done)}{f', {tally.failed} failed' if tally.failed else ''}"

    with summed_up(
        tally,
        sentence,
        lambda: {"deleted": tally.done, "failed": tally.failed},
        as_json=as_json,
    ):
        run(job, base_url, on_attempt=tally.attempt)
