"""``rooms export``: write all rooms, or those that match filters, to a table."""

from contextlib import aclosing
from typing import Annotated, Final, Unpack

import typer

from telnyx_rooms_async import RoomsClient
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.files import STREAM, path_text, refuse_stdout_conflicts
from telnyx_rooms_async.cli.options import PAGE_SIZE, AsJson, BaseUrl, PageSize, RoomFilters
from telnyx_rooms_async.cli.output import Result, counted
from telnyx_rooms_async.cli.progress import JobProgress
from telnyx_rooms_async.cli.runner import exit_codes, run
from telnyx_rooms_async.cli.tables.formats import Format, FormatOption, format_of
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
    page_size: PageSize = PAGE_SIZE,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
    **filters: Unpack[RoomFilters],
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
        progress.client = client
        listing = client.rooms.list(page_size=page_size, **filters).prefetch(_PREFETCHED_PAGES)
        with write_export(target, table_format, bom=bom) as writer, progress.bar():
            async with aclosing(listing.pages()) as pages:
                async for page in pages:
                    writer.write({name: getattr(room, name) for name in COLUMNS} for room in page.data)
                    progress.total = page.meta.total_results
                    progress.add_done(len(page.data))

    run(export, base_url, on_attempt=progress.on_attempt)
    if filters:
        output.note("a partial export: it only has the rooms that match the filters; do not prune with it")
    if target != STREAM:
        result = Result(
            f"exported {counted(progress.done)} to {target}",
            {"path": path_text(target), "rooms": progress.done},
        )
        with exit_codes():
            output.show(result, as_json=as_json)
