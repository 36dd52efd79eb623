"""``rooms export``: write all rooms, or those that match filters, to a table."""

from collections.abc import Mapping
from contextlib import aclosing
from typing import Annotated, Final

import typer

from telnyx_rooms_async import Room, RoomsClient
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.files import path_text, refuse_stdout_conflicts
from telnyx_rooms_async.cli.options import PAGE_SIZE, AsJson, BaseUrl, CreatedAt, OfName, PageSize, UpdatedAt
from telnyx_rooms_async.cli.output import counted
from telnyx_rooms_async.cli.progress import JobProgress
from telnyx_rooms_async.cli.runner import exit_codes, run
from telnyx_rooms_async.cli.tables.formats import STREAM, Format, FormatOption, format_of
from telnyx_rooms_async.cli.tables.output_table import holds_export, refuse_foreign, write_export
from telnyx_rooms_async.cli.tables.rows import COLUMNS

_PREFETCHED_PAGES: Final = 4


def export_rooms(
    target: Annotated[
        str,
        typer.Argument(metavar="TARGET", help="Path, or - for stdout. An earlier export there is replaced."),
    ],
    *,
    format_option: FormatOption = None,
    bom: Annotated[
        bool, typer.Option("--bom", help="Begin CSV with a byte-order mark, so that Excel reads it as UTF-8.")
    ] = False,
    created_at: CreatedAt = None,
    updated_at: UpdatedAt = None,
    unique_name: OfName = None,
    page_size: PageSize = PAGE_SIZE,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
) -> None:
    """Write the rooms of the account to a table.

    Formats are CSV, NDJSON and Parquet. The file appears under its name when it is complete. It can be
    imported and applied again; ids and times are then ignored.
    """
    table_format = format_of(target, format_option)
    if bom and table_format is not Format.CSV:
        raise typer.BadParameter("--bom can only be used with CSV")
    if table_format is Format.PARQUET or as_json:
        refuse_stdout_conflicts(target, as_json=as_json)
    if target != STREAM:
        with exit_codes():
            refuse_foreign(target, holds_export, "an export")
    progress = JobProgress("listing rooms")

    async def export(client: RoomsClient) -> None:
        progress.rate_limit = lambda: client.rate_limit
        listing = client.rooms.list(
            created_at=created_at, updated_at=updated_at, unique_name=unique_name, page_size=page_size
        ).prefetch(_PREFETCHED_PAGES)
        with write_export(target, table_format, bom=bom) as writer, progress.shown():
            async with aclosing(listing.pages()) as pages:
                async for page in pages:
                    writer.write(map(_record, page.data))
                    progress.total = page.meta.total_results
                    progress.add_done(len(page.data))

    run(export, base_url, on_attempt=progress.on_attempt)
    if (created_at, updated_at, unique_name) != (None, None, None):
        output.note("a partial export: it only has the rooms that match the filters; do not prune with it")
    if target != STREAM:
        sentence = f"exported {counted(progress.done)} to {target}"
        values = {"path": path_text(target), "rooms": progress.done}
        with exit_codes():
            output.write_result(sentence, values, as_json=as_json)


def _record(room: Room) -> Mapping[str, object]:
    return {name: getattr(room, name) for name in COLUMNS}
