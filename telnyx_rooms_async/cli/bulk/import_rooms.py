"""``rooms import``: create a room for each row of a table."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from telnyx_rooms_async import Journal, Room, RoomFields, RoomsClient
from telnyx_rooms_async.cli.bulk.job import (
    CONCURRENCY,
    RUN_AGAIN,
    BulkJob,
    Concurrency,
    DryRun,
    MaxFailures,
    Outcomes,
    Summary,
)
from telnyx_rooms_async.cli.options import AsJson, BaseUrl, LostResponse, OnLostResponse
from telnyx_rooms_async.cli.output import counted, write_result
from telnyx_rooms_async.cli.progress import JobProgress
from telnyx_rooms_async.cli.runner import exit_codes
from telnyx_rooms_async.cli.tables.formats import (
    STREAM,
    Delimiter,
    FormatOption,
    SkipInvalid,
    TableFile,
    format_of,
)
from telnyx_rooms_async.cli.tables.input_table import InputTable, read_table
from telnyx_rooms_async.cli.tables.output_table import Errors, write_failures
from telnyx_rooms_async.cli.tables.rows import NAME, REASON

_JournalFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Record what is done, so that the same command can continue."),
]
_KeyRotated: TypeAlias = Annotated[
    bool,
    typer.Option("--key-rotated", help="The account has a new API key since the journal was created."),
]


def import_rooms(
    file: TableFile,
    *,
    format_option: FormatOption = None,
    delimiter: Delimiter = None,
    skip_invalid: SkipInvalid = False,
    journal: _JournalFile = None,
    key_rotated: _KeyRotated = False,
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
        if dry_run:
            sentence = f"{table.source} would create {counted(len(table.rooms))}; nothing was sent"
            write_result(sentence, {"rooms": len(table.rooms)}, as_json=as_json)
            return
        other_files = [path for path in (file, journal and str(journal)) if path and path != STREAM]
        with write_failures(errors, table_format, table, other_files=other_files) as write_failure:
            _create(
                table,
                write_failure,
                open_journal=None if journal is None else Journal(journal, key_rotated=key_rotated),
                concurrency=concurrency,
                max_failures=max_failures,
                on_lost_response=on_lost_response,
                advice=partial(_advice, file, journal, errors, table),
                as_json=as_json,
                base_url=base_url,
            )


def _create(
    table: InputTable,
    write_failure: Callable[[Mapping[str, object]], object],
    *,
    open_journal: Journal | None,
    concurrency: int,
    max_failures: int | None,
    on_lost_response: LostResponse,
    advice: Callable[[JobProgress], str],
    as_json: bool,
    base_url: str | None,
) -> None:
    progress = JobProgress(total=len(table.rooms))
    if open_journal is not None:
        progress.skipped = lambda: open_journal.skipped

    async def start(client: RoomsClient) -> Outcomes[RoomFields, Room]:
        return client.rooms.create_many(
            table.rooms,
            limit=concurrency,
            max_failures=max_failures,
            on_lost_response=on_lost_response.value,
            journal=open_journal,
        )

    BulkJob(
        progress=progress,
        start=start,
        label=lambda fields: repr(fields.get(NAME, "a room without a name")),
        on_failed=lambda fields, error: write_failure({**fields, REASON: str(error)}),
        summarize=lambda: _summary(progress),
        advice=lambda: advice(progress),
    ).run(base_url, as_json=as_json)


def _advice(
    file: str, journal: Path | None, errors: str | None, table: InputTable, progress: JobProgress
) -> str:
    """Return what to do next."""
    steps = [f"failed rows are in {errors}"] if errors and progress.failed else []
    if journal is not None:
        steps.append(RUN_AGAIN)
    elif table.is_named and Path(file).is_file():  # a pipe cannot be read again
        steps.append(f"`rooms apply {file}` creates the missing rooms")
    return "; ".join(steps)


def _summary(progress: JobProgress) -> Summary:
    count, skipped = progress.total or 0, progress.skipped()
    if skipped == count:
        sentence = f"nothing to do: {counted(count)} created before"
    else:
        before = f", {skipped} created before" if skipped else ""
        failed = f", {progress.failed} failed" if progress.failed else ""
        sentence = f"created {progress.done} of {counted(count)}{before}{failed}"
    counts = {"rooms": count, "created": progress.done, "skipped": skipped, "failed": progress.failed}
    return Summary(sentence, counts)
