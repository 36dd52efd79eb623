"""``rooms import``: create a room for each row of a table."""

from pathlib import Path
from typing import Annotated

import typer

from telnyx_rooms_async import Journal
from telnyx_rooms_async.cli.bulk.job import (
    CONCURRENCY,
    RUN_AGAIN,
    Concurrency,
    DryRun,
    MaxFailures,
    run_job,
)
from telnyx_rooms_async.cli.files import STREAM
from telnyx_rooms_async.cli.options import AsJson, BaseUrl, LostResponse, OnLostResponse
from telnyx_rooms_async.cli.output import Result, counted, show
from telnyx_rooms_async.cli.progress import JobProgress
from telnyx_rooms_async.cli.runner import exit_codes
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


def import_rooms(
    file: TableFile,
    *,
    format_option: FormatOption = None,
    delimiter: Delimiter = None,
    skip_invalid: SkipInvalid = False,
    journal: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Record what is done, so that the same command can continue."),
    ] = None,
    key_rotated: Annotated[
        bool,
        typer.Option("--key-rotated", help="The account has a new API key since the journal was created."),
    ] = False,
    errors: Errors = None,
    concurrency: Concurrency = CONCURRENCY,
    max_failures: MaxFailures = None,
    on_lost_response: OnLostResponse = LostResponse.FIND,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
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
    table_format = format_of(file, format_option, delimiter=delimiter)
    if key_rotated and journal is None:
        raise typer.BadParameter("--key-rotated can only be used with --journal")
    if journal is not None and file == STREAM:
        raise typer.BadParameter("--journal cannot be used with stdin, which cannot be read again")
    with exit_codes():
        table = read_table(
            file,
            table_format,
            names_required=journal is not None,
            delimiter=delimiter,
            skip_invalid=skip_invalid,
        )
        total = len(table.rooms)
        if dry_run:
            sentence = f"{table.source.name} would create {counted(total)}; nothing was sent"
            show(Result(sentence, {"rooms": total}), as_json=as_json)
            return
        journal_file = None if journal is None else Journal(journal, key_rotated=key_rotated)
        progress = JobProgress(total=total)
        if journal_file is not None:
            progress.skipped = lambda: journal_file.skipped

        def summarize() -> Result:
            done, skipped, failed = progress.done, progress.skipped(), progress.failed
            if skipped == total:
                sentence = f"nothing to do: {counted(total)} created before"
            else:
                before = f", {skipped} created before" if skipped else ""
                failures = f", {failed} failed" if failed else ""
                sentence = f"created {done} of {counted(total)}{before}{failures}"
            return Result(sentence, {"rooms": total, "created": done, "skipped": skipped, "failed": failed})

        def advise() -> str:
            steps = [f"failed rows are in {errors}"] if errors and progress.failed else []
            if journal is not None:
                steps.append(RUN_AGAIN)
            elif table.is_named and Path(file).is_file():  # a pipe cannot be read again
                steps.append(f"`rooms apply {file}` creates the missing rooms")
            return "; ".join(steps)

        inputs = [file] if journal is None else [file, str(journal)]
        with write_failures(errors, table_format, table, inputs) as write_failure:
            run_job(
                lambda client: client.rooms.create_many(
                    table.rooms,
                    limit=concurrency,
                    max_failures=max_failures,
                    on_lost_response=on_lost_response.value,
                    journal=journal_file,
                ),
                progress,
                label=lambda fields: repr(fields.get(NAME, "a room without a name")),
                on_failed=lambda fields, error: write_failure({**fields, REASON: str(error)}),
                summarize=summarize,
                advise=advise,
                as_json=as_json,
                base_url=base_url,
            )
