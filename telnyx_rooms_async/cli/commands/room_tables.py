"""``rooms import``, ``rooms export`` and ``rooms apply``: many rooms from or to a table."""

import shlex
from collections import Counter
from contextlib import aclosing, nullcontext
from pathlib import Path
from typing import Annotated, Final, Unpack

import typer

from telnyx_rooms_async import Change, InvalidArgumentError, Plan, RoomsClient
from telnyx_rooms_async.batch import Journal
from telnyx_rooms_async.cli import options, output, tables
from telnyx_rooms_async.cli.bulk_job import RUN_AGAIN, JobProgress, confirm, require_confirmation, run_job
from telnyx_rooms_async.cli.display import Result, show
from telnyx_rooms_async.cli.options import (
    DryRun,
    Limits,
    LostResponse,
    OnLostResponse,
    argument,
    flag,
    option,
)
from telnyx_rooms_async.cli.output import STREAM, counted
from telnyx_rooms_async.cli.runner import refuse_stdout_conflicts, run
from telnyx_rooms_async.cli.tables import NAME, Format, output_table
from telnyx_rooms_async.cli.tables.input_table import InputTable, read_table

_PREFETCHED_PAGES: Final = 4
_PARTICIPLES: Final = {"create": "created", "update": "updated", "delete": "deleted"}


def import_rooms(
    file: tables.TableFile,
    *,
    format_option: tables.FormatOption = None,
    delimiter: tables.Delimiter = None,
    skip_invalid: tables.SkipInvalid = False,
    journal: Annotated[
        Path | None, option("FILE", "Record what is done, so that the same command can continue.")
    ] = None,
    key_rotated: Annotated[
        bool, flag("--key-rotated", "The account has a new API key since the journal was created.")
    ] = False,
    errors: tables.Errors = None,
    on_lost_response: OnLostResponse = LostResponse.FIND,
    dry_run: DryRun = False,
    **limits: Unpack[Limits],
) -> None:
    """Create a room for each row of a table.

    Formats are CSV, NDJSON and Parquet:

    \b
    unique_name,max_participants,enable_recording
    Weekly,25,true
    Daily,,

    An empty cell leaves a setting to Telnyx, null clears it. The table is validated before anything is sent.
    With a journal every room needs a name, and is created once, even if the command is killed and run again.
    """  # noqa: D301 - not a backslash, but Click's mark of lines that are not to be filled
    if key_rotated and journal is None:
        raise typer.BadParameter("--key-rotated can only be used with --journal")
    if journal is not None and file == STREAM:
        raise typer.BadParameter("--journal cannot be used with stdin, which cannot be read again")
    names_required = journal is not None
    table = read_table(
        file, format_option, delimiter, names_required=names_required, skip_invalid=skip_invalid
    )
    if dry_run:
        total = len(table.rooms)
        sentence = f"{table.source.name} would create {counted(total)}; nothing was sent"
        show(Result(sentence, {"rooms": total}))
        return
    opened = None if journal is None else Journal(journal, key_rotated=key_rotated)
    job = _Import(file, table, opened)
    # SQLite has two more files beside the journal.
    inputs = [file, *(f"{journal}{suffix}" for suffix in ("", "-wal", "-shm") if journal is not None)]
    with output_table.write_failures(errors, table, inputs) as write_failure:
        run_job(
            lambda client: client.rooms.create_many(
                table.rooms, on_lost_response=on_lost_response.value, journal=opened, **limits
            ),
            job.progress,
            label=lambda fields: repr(fields.get(NAME, "a room without a name")),
            on_failure=write_failure,
            summarize=job.summarize,
            advise=job.advise,
        )


class _Import:
    """What an import has done, and what to do next."""

    def __init__(self, file: str, table: InputTable, journal: Journal | None) -> None:
        self._file, self._table, self._journal = file, table, journal
        self.progress = JobProgress(
            total=len(table.rooms), skipped=lambda: 0 if journal is None else journal.skipped
        )

    def summarize(self) -> Result:
        total, done, skipped = len(self._table.rooms), self.progress.done, self.progress.skipped()
        if skipped == total:
            parts = [f"nothing to do: {counted(total)} created before"]
        else:
            parts = [f"created {done} of {counted(total)}", f"{skipped} created before" if skipped else ""]
        return self.progress.result(*parts, rooms=total, created=done, skipped=skipped)

    def advise(self) -> str:
        if self._journal is not None:
            return RUN_AGAIN
        if self._table.is_named and Path(self._file).is_file():  # a pipe cannot be read again
            return f"`rooms apply {shlex.quote(self._file)}` creates the missing rooms"
        return ""


def export_rooms(
    target: Annotated[str, argument("TARGET", "Path, or - for stdout. An earlier export there is replaced.")],
    *,
    format_option: tables.FormatOption = None,
    bom: Annotated[
        bool, flag("--bom", "Begin CSV with a byte-order mark, so that Excel reads it as UTF-8.")
    ] = False,
    page_size: options.PageSize = 250,
    **filters: Unpack[options.RoomFilters],
) -> None:
    """Write the rooms of the account to a table.

    Formats are CSV, NDJSON and Parquet. The file appears under its name when it is complete. It can be
    imported and applied again; ids and times are then ignored.
    """
    table_format = tables.format_of(target, format_option)
    if bom and table_format is not Format.CSV:
        raise typer.BadParameter("--bom can only be used with CSV")
    if table_format is Format.PARQUET or output.is_json.get():
        refuse_stdout_conflicts(target)
    if target != STREAM:
        output_table.refuse_foreign(target, output_table.holds_export, "an export")
    progress = JobProgress("listing rooms")
    shows_rows = target == STREAM and output.stdout().is_terminal  # a bar would be drawn between them

    async def export(client: RoomsClient) -> None:
        progress.client = client
        listing = client.rooms.list(page_size=page_size, **filters).prefetch(_PREFETCHED_PAGES)
        bar = nullcontext() if shows_rows else progress.bar()
        with output_table.write_export(target, table_format, bom=bom) as writer, bar:
            async with aclosing(listing.pages()) as pages:
                async for page in pages:
                    writer.write({name: getattr(room, name) for name in tables.COLUMNS} for room in page.data)
                    progress.total = page.meta.total_results
                    progress.done += len(page.data)

    run(export, on_attempt=progress.on_attempt)
    if filters:
        output.note("a partial export: it only has the rooms that match the filters; do not prune with it")
    if target != STREAM:
        sentence = f"exported {counted(progress.done)} to {target}"
        values = {"path": output.path_text(target), "rooms": progress.done}
        show(Result(sentence, values))


def apply(
    file: tables.TableFile,
    *,
    format_option: tables.FormatOption = None,
    delimiter: tables.Delimiter = None,
    skip_invalid: tables.SkipInvalid = False,
    prune: Annotated[bool, flag("--prune", "Delete rooms that are not in the table.")] = False,
    max_deletes: Annotated[
        int | None,
        option(
            "N",
            "Change nothing if --prune would delete more rooms. Required to delete over half of them.",
            min=0,
        ),
    ] = None,
    errors: tables.Errors = None,
    yes: options.Yes = False,
    dry_run: DryRun = False,
    **limits: Unpack[Limits],
) -> None:
    """Make the rooms of the account match a table.

    Rooms are identified by their names. Missing rooms are created, rooms that differ are updated. The table
    has the same form as for import; a setting without a value stays unchanged. The plan is shown first.
    """
    if skip_invalid and prune:
        raise typer.BadParameter(
            "--skip-invalid and --prune cannot be combined: the rooms of skipped rows would be deleted"
        )
    if max_deletes is not None and not prune:
        raise typer.BadParameter("--max-deletes can only be used with --prune")
    if not dry_run:
        require_confirmation(yes=yes)
    table = read_table(file, format_option, delimiter, names_required=True, skip_invalid=skip_invalid)
    # Opened before the question: a run that cannot start is not worth a confirmation.
    with output_table.write_failures(None if dry_run else errors, table, [file]) as write_failure:
        with output.status("comparing the table with the rooms of the account"):
            plan = run(lambda client: client.rooms.plan(table.rooms, prune=prune))
        _show_plan(plan, max_deletes, dry_run=dry_run, is_confirmed=yes)
        if dry_run or not plan:
            return
        _check_deletes(plan, max_deletes)  # confirmation does not lift the limit
        if not yes:
            confirm(f"make {counted(len(plan.changes), 'change')}?")
        _carry_out(plan, table, write_failure, max_deletes, limits)


def _carry_out(
    plan: Plan,
    table: InputTable,
    write_failure: output_table.FailureWriter,
    max_deletes: int | None,
    limits: Limits,
) -> None:
    progress = JobProgress(total=len(plan.changes))
    rows = {fields.get(NAME): fields for fields in table.rooms}
    done: Counter[str] = Counter()

    def on_failure(change: Change, error: Exception) -> None:
        # The row of the table: a change lacks the settings that the room has already.
        if change.action != "delete" and (fields := rows.get(change.unique_name)):
            write_failure(fields, error)

    run_job(
        lambda client: client.rooms.apply(plan, max_deletes=max_deletes, **limits),
        progress,
        label=lambda change: f"{change.action} {change.unique_name!r}",
        on_done=lambda change: done.update([change.action]),
        on_failure=on_failure,
        summarize=lambda: _summary(plan, done, progress),
    )


def _show_plan(plan: Plan, max_deletes: int | None, *, dry_run: bool, is_confirmed: bool) -> None:
    if not output.is_json.get():
        output.write_line(str(plan))
    elif dry_run:
        for change in plan.changes:
            output.write_json(change)
    elif not plan:
        show(_summary(plan, Counter(), JobProgress()))
    elif not is_confirmed:  # stdout is for the counts
        output.note(str(plan))
    if dry_run:
        try:
            _check_deletes(plan, max_deletes)
        except InvalidArgumentError as error:
            output.note(f"would be refused: {error}")


def _summary(plan: Plan, done: Counter[str], progress: JobProgress) -> Result:
    counts = {participle: done[action] for action, participle in _PARTICIPLES.items()}
    parts = [f"{participle} {count}" for participle, count in counts.items() if count]
    if not parts and not progress.failed:
        parts = ["nothing was done"]
    return progress.result(*parts, **counts, unchanged=plan.unchanged)


def _check_deletes(plan: Plan, max_deletes: int | None) -> None:
    """Check that the plan does not delete too many rooms. The error names the option."""
    try:
        plan.check_deletes(max_deletes)
    except InvalidArgumentError as error:
        raise InvalidArgumentError((error.message.replace("max_deletes=", "--max-deletes "),)) from None
