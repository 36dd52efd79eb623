"""``rooms apply``: make the rooms of the account those of a table; the plan is shown first."""

from collections import Counter
from typing import Annotated, Final

import typer

from telnyx_rooms_async import Change, InvalidArgumentError, Plan, Room, RoomFields, RoomsClient
from telnyx_rooms_async.cli import output
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
from telnyx_rooms_async.cli.tables.formats import (
    STREAM,
    Delimiter,
    FormatOption,
    SkipInvalid,
    TableFile,
    format_of,
    refuse_delimiter,
)
from telnyx_rooms_async.cli.progress import Tally
from telnyx_rooms_async.cli.tables.output_table import Errors, Rows, failures
from telnyx_rooms_async.cli.tables.input_table import CheckedTable, opened
from telnyx_rooms_async.cli.options import AsJson, BaseUrl
from telnyx_rooms_async.cli.output import counted
from telnyx_rooms_async.cli.runner import ending, run
from telnyx_rooms_async.cli.tables import NAME, REASON

_DONE: Final = {"create": "created", "update": "updated", "delete": "deleted"}


def apply(
    file: TableFile,
    *,
    kind: FormatOption = None,
    delimiter: Delimiter = None,
    skip_invalid: SkipInvalid = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete the rooms that the table does not name.")
    ] = False,
    max_deletes: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Change nothing if --prune would delete more rooms; needed for more than half of them.",
        ),
    ] = None,
    errors: Errors = None,
    concurrency: Concurrency = CONCURRENCY,
    max_failures: StopAfter = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Make the rooms of the account those of a table.

    Rooms are known by their names. Those that are missing are created, those that differ are updated, others
    are left alone. The table is read as by import; a setting that it leaves alone is not changed. The plan
    is shown first.
    """
    form = format_of(file, kind)
    refuse_delimiter(form, delimiter)
    if skip_invalid and prune:
        raise typer.BadParameter(
            "--skip-invalid and --prune contradict each other: rooms of rows left out would be deleted"
        )
    if max_deletes is not None and not prune:
        raise typer.BadParameter("--max-deletes goes with --prune")
    if not dry_run:
        refuse_to_guess(yes=yes)
    with ending(), opened(file, form, named=True, delimiter=delimiter) as table:
        checked = table.check(skip_invalid=skip_invalid)
        keep = [file] if file != STREAM else []
        # Before it is asked: whoever says yes should not hear then that the file cannot be.
        with failures(
            None if dry_run else errors, form, table.failed_columns, keep=keep, types=table.types
        ) as rows:
            if rows is not None:
                checked.write_faulty(rows.write)
            plan = run(lambda client: _plan(client, checked, prune=prune), base_url)
            _show(plan, as_json=as_json, dry_run=dry_run, asked=not yes)
            if dry_run:
                _note_too_many(plan, max_deletes)
                return
            if not plan:
                return
            plan.check_deletes(max_deletes)  # before the question: a yes does not lift the bound
            if not yes:
                agreed(f"make {counted(len(plan.changes), 'change')}?")
            _apply(
                plan,
                _FailedRows(rows, checked, plan) if rows is not None else None,
                concurrency=concurrency,
                max_failures=max_failures,
                max_deletes=max_deletes,
                as_json=as_json,
                base_url=base_url,
            )


def _note_too_many(plan: Plan, max_deletes: int | None) -> None:
    try:
        plan.check_deletes(max_deletes)
    except InvalidArgumentError as error:
        output.note(f"would be refused: {error}")


async def _plan(client: RoomsClient, table: CheckedTable, *, prune: bool) -> Plan:
    return await client.rooms.plan((row.fields for row in table.rows()), prune=prune)


def _show(plan: Plan, *, as_json: bool, dry_run: bool, asked: bool) -> None:
    if not as_json:
        output.write_line(str(plan))
    elif dry_run:
        for change in plan.changes:
            output.write_json(change)
    elif not plan:
        output.write_json(_counts(Counter(), plan, failed=0))
    elif asked:  # stdout is for the counts
        output.note(str(plan))


class _FailedRows:
    """Writes what failed as it stands in the table: a change leaves out what the room has already."""

    def __init__(self, rows: Rows, table: CheckedTable, plan: Plan) -> None:
        self._rows = rows
        updated = {change.unique_name for change in plan.changes if change.action == "update"}
        self._asked: dict[str | None, RoomFields] = {}
        if updated:
            found = (row.fields for row in table.rows())
            self._asked = {name: fields for fields in found if (name := fields.get(NAME)) in updated}

    def write(self, change: Change, error: Exception) -> None:
        """Write one; a room that is not in the table is left out."""
        if change.action != "delete":
            asked = self._asked.get(change.unique_name, change.after)
            self._rows.write([{NAME: change.unique_name, **asked, REASON: str(error)}])


def _counts(done: Counter[str], plan: Plan, *, failed: int) -> dict[str, int]:
    return {
        **{word: done[action] for action, word in _DONE.items()},
        "unchanged": plan.unchanged,
        "failed": failed,
    }


def _apply(
    plan: Plan,
    failed: _FailedRows | None,
    *,
    concurrency: int,
    max_failures: int | None,
    max_deletes: int | None,
    as_json: bool,
    base_url: str | None,
) -> None:
    tally = Tally()
    done: Counter[str] = Counter()

    def note(change: Change, _room: Room | None) -> None:
        done[change.action] += 1

    def keep(change: Change, error: Exception) -> None:
        if failed is not None:
            failed.write(change, error)

    async def job(client: RoomsClient) -> None:
        tally.rate_limit = lambda: client.rate_limit
        outcomes = client.rooms.apply(
            plan, limit=concurrency, max_failures=max_failures, max_deletes=max_deletes
        )
        await follow(outcomes, tally, total=len(plan.changes), name=_name, done=note, failed=keep)

    def sentence() -> str:
        said = [f"{word} {done[action]}" for action, word in _DONE.items() if done[action]]
        failed = [f"{tally.failed} failed"] if tally.failed else []
        return ", ".join([*said, *failed]) or "nothing was done"

    with summed_up(
        tally,
        sentence,
        lambda: _counts(done, plan, failed=tally.failed),
        as_json=as_json,
    ):
        run(job, base_url, on_attempt=tally.attempt)


def _name(change: Change) -> str:
    return f"{change.action} {change.unique_name!r}"
