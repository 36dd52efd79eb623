"""``rooms import``: a room for each row of a table, once, however often it is begun."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from telnyx_rooms_async import Journal, RoomFields, RoomsClient
from telnyx_rooms_async.cli.bulk.job import (
    CONCURRENCY,
    THE_SAME,
    Concurrency,
    DryRun,
    StopAfter,
    follow,
    summed_up,
    tell,
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
from telnyx_rooms_async.cli.options import AsJson, BaseUrl, OnLostResponse, UnknownOutcome
from telnyx_rooms_async.cli.output import counted
from telnyx_rooms_async.cli.runner import ending, run
from telnyx_rooms_async.cli.tables import REASON

_JournalFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Keep there what is done: the same command goes on where it ended."),
]
_KeyRotated: TypeAlias = Annotated[
    bool,
    typer.Option("--key-rotated", help="The account has a new API key since the journal was begun."),
]


def import_rooms(
    file: TableFile,
    *,
    kind: FormatOption = None,
    delimiter: Delimiter = None,
    skip_invalid: SkipInvalid = False,
    journal: _JournalFile = None,
    key_rotated: _KeyRotated = False,
    errors: Errors = None,
    concurrency: Concurrency = CONCURRENCY,
    max_failures: StopAfter = None,
    on_lost_response: OnLostResponse = UnknownOutcome.ADOPT,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Create a room for each row of a table.

    That is CSV, NDJSON or Parquet:

    \b
    unique_name,max_participants,enable_recording
    Weekly,25,true
    Daily,,

    An empty cell leaves a setting to Telnyx, null clears it. All is checked before anything is sent. With a
    journal each room needs a name, and is made once, however often the command is killed and begun again.
    """  # noqa: D301 - not a backslash, but Click's mark of lines that are not to be filled
    form = format_of(file, kind)
    refuse_delimiter(form, delimiter)
    if key_rotated and journal is None:
        raise typer.BadParameter("--key-rotated goes with --journal")
    if journal is not None and file == STREAM:
        raise typer.BadParameter("a journal goes with a file: stdin cannot be read again")
    keep = [path for path in (file, journal and str(journal)) if path and path != STREAM]
    with ending(), opened(file, form, named=journal is not None, delimiter=delimiter) as table:
        checked = table.check(skip_invalid=skip_invalid)
        count, is_named = checked.checked.rooms, checked.checked.is_named
        if dry_run:
            sentence = f"{table.source} would create {counted(count)}; nothing was sent"
            tell(sentence, {"rooms": count}, as_json=as_json)
            return
        with failures(errors, form, table.failed_columns, keep=keep, types=table.types) as rows:
            if rows is not None:
                checked.write_faulty(rows.write)
            _create(
                checked,
                count,
                rows,
                book=None if journal is None else Journal(journal, key_rotated=key_rotated),
                concurrency=concurrency,
                max_failures=max_failures,
                on_lost_response=on_lost_response,
                go_on=partial(_go_on, file, journal, errors, is_named=is_named),
                as_json=as_json,
                base_url=base_url,
            )


def _go_on(file: str, journal: Path | None, errors: str | None, failed: int, *, is_named: bool) -> str:
    """Say what to do next, as far as anything would do."""
    advice = [f"what failed is in {errors}"] if errors and failed else []
    if journal is not None:
        advice.append(THE_SAME)
    elif is_named and Path(file).is_file():  # what came down a pipe is gone, and so is what has no name
        advice.append(f"`rooms apply {file}` makes what is missing")
    return "; ".join(advice)


def _create(
    table: CheckedTable,
    count: int,
    rows: Rows | None,
    *,
    book: Journal | None,
    concurrency: int,
    max_failures: int | None,
    on_lost_response: UnknownOutcome,
    go_on: Callable[[int], str],
    as_json: bool,
    base_url: str | None,
) -> None:
    tally = Tally()
    if book is not None:
        tally.skipped = lambda: book.skipped

    def keep(fields: RoomFields, error: Exception) -> None:
        if rows is not None:
            rows.write([{**fields, REASON: str(error)}])

    async def job(client: RoomsClient) -> None:
        tally.rate_limit = lambda: client.rate_limit
        outcomes = client.rooms.create_many(
            (row.fields for row in table.rows()),
            limit=concurrency,
            max_failures=max_failures,
            on_lost_response=on_lost_response.value,
            journal=book,
        )
        await follow(outcomes, tally, total=count, name=_name, failed=keep)

    def counts() -> dict[str, int]:
        return {
            "rooms": count,
            "created": tally.done,
            "skipped": tally.skipped(),
            "failed": tally.failed,
        }

    def advice() -> str:
        return go_on(tally.failed)

    with summed_up(tally, lambda: _sentence(tally, count), counts, as_json=as_json, go_on=advice):
        run(job, base_url, on_attempt=tally.attempt)


def _name(fields: RoomFields) -> str:
    return repr(fields.get("unique_name", "a room without a name"))


def _sentence(tally: Tally, count: int) -> str:
    skipped = tally.skipped()
    if skipped == count:
        return f"nothing to do: {counted(count)} created before"
    before = f", {skipped} created before" if skipped else ""
    failed = f", {tally.failed} failed" if tally.failed else ""
    return f"created {tally.done} of {counted(count)}{before}{failed}"
