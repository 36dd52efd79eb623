"""``rooms export``: all rooms, or those that filters select, as a table."""

from collections.abc import Mapping
from contextlib import aclosing
from typing import Annotated, Final

import typer

from telnyx_rooms_async import Room, RoomsClient
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.files import refuse_muddle
from telnyx_rooms_async.cli.bulk.job import tell
from telnyx_rooms_async.cli.tables.formats import STREAM, Format, FormatOption, format_of
from telnyx_rooms_async.cli.tables.owned import holds_export, refuse_foreign
from telnyx_rooms_async.cli.progress import Tally, shown
from telnyx_rooms_async.cli.tables.output_table import writing
from telnyx_rooms_async.cli.options import PAGE_SIZE, AsJson, BaseUrl, CreatedAt, OfName, PageSize, UpdatedAt
from telnyx_rooms_async.cli.output import counted
from telnyx_rooms_async.cli.paths import text_of
from telnyx_rooms_async.cli.runner import ending, run
from telnyx_rooms_async.cli.tables import COLUMNS

_PAGES: Final = 4
"""At once."""


def export_rooms(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET", help="Where to: a path, or - for stdout. An earlier export there is replaced."
        ),
    ],
    *,
    kind: FormatOption = None,
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

    That is CSV, NDJSON or Parquet. The file is complete or not there: until then it has another name. What is
    written can be imported and applied again: ids and instants are then passed over.
    """
    form = format_of(target, kind)
    if bom and form is not Format.CSV:
        raise typer.BadParameter("--bom goes with CSV only")
    if form is Format.PARQUET or as_json:
        refuse_muddle(target, as_json=as_json)
    if target != STREAM:
        with ending():
            refuse_foreign(target, holds_export, "an export")
    tally = Tally()

    async def job(client: RoomsClient) -> None:
        tally.rate_limit = lambda: client.rate_limit
        listing = client.rooms.list(
            created_at=created_at, updated_at=updated_at, unique_name=unique_name, page_size=page_size
        ).prefetch(_PAGES)
        with writing(target, form, COLUMNS, bom=bom) as rows, shown(tally) as show:
            async with aclosing(listing.pages()) as pages:
                async for page in pages:
                    rows.write(map(_record, page.data))
                    tally.done += len(page.data)
                    show(page.meta.total_results)

    run(job, base_url, on_attempt=tally.attempt)
    if (created_at, updated_at, unique_name) != (None, None, None):
        output.note("a partial export: it holds only the rooms that the filters select; do not prune by it")
    if target != STREAM:
        tell(
            f"exported {counted(tally.done)} to {target}",
            {"path": text_of(target), "rooms": tally.done},
            as_json=as_json,
        )


def _record(room: Room) -> Mapping[str, object]:
    return {name: getattr(room, name) for name in COLUMNS}
