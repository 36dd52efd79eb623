"""``rooms apply``: make the rooms of the account match a table."""

from collections import Counter
from typing import Annotated, Final

import typer

from telnyx_rooms_async import Change, InvalidArgumentError, Plan, Room
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.bulk.job import (
    CONCURRENCY,
    Concurrency,
    DryRun,
    MaxFailures,
    Yes,
    confirm,
    require_confirmation,
    run_job,
)
from telnyx_rooms_async.cli.options import AsJson, BaseUrl
from telnyx_rooms_async.cli.output import Result, counted
from telnyx_rooms_async.cli.progress import JobProgress, status
from telnyx_rooms_async.cli.runner import exit_codes, run
from telnyx_rooms_async.cli.tables.formats import (
    Delimiter,
    Errors,
    FormatOption,
    SkipInvalid,
    TableFile,
    format_of,
)
from telnyx_rooms_async.cli.tables.input_table import read_table
from telnyx_rooms_async.cli.tables.output_table import write_failures
from telnyx_rooms_async.cli.tables.rows import NAME, REASON

_PARTICIPLES: Final = {"create": "created", "update": "updated", "delete": "deleted"}


def apply(
    file: TableFile,
    *,
    format_option: FormatOption = None,
    delimiter: Delimiter = None,
    skip_invalid: SkipInvalid = False,
    prune: Annotated[bool, typer.Option("--prune", help="Delete rooms that are not in the table.")] = False,
    max_deletes: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Change nothing if --prune would delete more rooms. Required to delete over half of them.",
        ),
    ] = None,
    errors: Errors = None,
    concurrency: Concurrency = CONCURRENCY,
    max_failures: MaxFailures = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Make the rooms of the account match a table.

    Rooms are identified by their names. Missing rooms are created, rooms that differ are updated. The table
    has the same form as for import; a setting without a value stays unchanged. The plan is shown first.
    """
    table_format = format_of(file, format_option, delimiter=delimiter)
    if skip_invalid and prune:
        raise typer.BadParameter(
            "--skip-invalid and --prune cannot be combined: the rooms of skipped rows would be deleted"
        )
    if max_deletes is not None and not prune:
        raise typer.BadParameter("--max-deletes can only be used with --prune")
    if not dry_run:
        require_confirmation(yes=yes)
    with exit_codes():
        table = read_table(
            file, table_format, names_required=True, delimiter=delimiter, skip_invalid=skip_invalid
        )
        # Opened before the question: a run that cannot start is not worth a confirmation.
        with write_failures(None if dry_run else errors, table_format, table, [file]) as write_failure:
            with status("comparing the table with the rooms of the account"):
                plan = run(lambda client: client.rooms.plan(table.rooms, prune=prune), base_url)
            _show(plan, as_json=as_json, dry_run=dry_run, is_confirmed=yes)
            if dry_run:
                _note_refusal(plan, max_deletes)
                return
            if not plan:
                return
            plan.check_deletes(max_deletes)  # confirmation does not lift the limit
            if not yes:
                confirm(f"make {counted(len(plan.changes), 'change')}?")
            progress = JobProgress(total=len(plan.changes))
            rows = {fields.get(NAME): fields for fields in table.rooms}
            done: Counter[str] = Counter()

            def on_done(change: Change, _room: Room | None) -> None:
                done[change.action] += 1

            def on_failed(change: Change, error: Exception) -> None:
                # The row of the table: a change lacks the settings that the room has already.
                if change.action != "delete" and (fields := rows.get(change.unique_name)):
                    write_failure({**fields, REASON: str(error)})

            run_job(
                lambda client: client.rooms.apply(
                    plan, limit=concurrency, max_failures=max_failures, max_deletes=max_deletes
                ),
                progress,
                label=lambda change: f"{change.action} {change.unique_name!r}",
                summarize=lambda: _summary(plan, done, failed=progress.failed),
                on_done=on_done,
                on_failed=on_failed,
                as_json=as_json,
                base_url=base_url,
            )


def _show(plan: Plan, *, as_json: bool, dry_run: bool, is_confirmed: bool) -> None:
    if not as_json:
        output.write_line(str(plan))
    elif dry_run:
        for change in plan.changes:
            output.write_json(change)
    elif not plan:
        output.show(_summary(plan, Counter(), failed=0), as_json=True)
    elif not is_confirmed:  # stdout is for the counts
        output.note(str(plan))


def _note_refusal(plan: Plan, max_deletes: int | None) -> None:
    try:
        plan.check_deletes(max_deletes)
    except InvalidArgumentError as error:
        output.note(f"would be refused: {error}")


def _summary(plan: Plan, done: Counter[str], *, failed: int) -> Result:
    counts = {participle: done[action] for action, participle in _PARTICIPLES.items()}
    parts = [f"{participle} {count}" for participle, count in counts.items() if count]
    if failed:
        parts.append(f"{failed} failed")
    values = {**counts, "unchanged": plan.unchanged, "failed": failed}
    return Result(", ".join(parts) or "nothing was done", values)
