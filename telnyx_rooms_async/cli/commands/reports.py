"""``telnyx-rooms reports``: the usage of the account, and ``attendance`` of sessions and rooms."""

from codecs import BOM_UTF8
from collections.abc import Awaitable, Callable
from datetime import UTC, date, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias, TypedDict, Unpack
from zoneinfo import ZoneInfo

import typer

from telnyx_rooms_async import ConfigurationError, DateFilter, RoomsClient
from telnyx_rooms_async.cli.display import Result, show
from telnyx_rooms_async.cli.options import AsJson, BaseUrl, RoomId, SessionId
from telnyx_rooms_async.cli.output import Stdout, file_errors, session_bar, status, write, write_json
from telnyx_rooms_async.cli.runner import command_group, grouped_options, run
from telnyx_rooms_async.reports import Attendance, Prices, Usage
from telnyx_rooms_async.reports.table import import_pyarrow
from telnyx_rooms_async.reports.terminal import AttendanceChart, UsageChart

app: Final = command_group()


@app.callback()
def _group() -> None:  # without it, Typer would omit the name of the only command
    """What the account has used."""


# --- options ------------------------------------------------------------------------------------------------


class By(StrEnum):
    """What has a row in a report of usage."""

    DAY = "day"
    MONTH = "month"
    ROOM = "room"


def _price(help_text: str) -> Any:  # noqa: ANN401 - Typer declares options as Any
    return typer.Option(metavar="PRICE", help=help_text)


def _parse_zone(text: str) -> tzinfo:
    """Parse the name of a time zone."""
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, LookupError):  # of a name, of a folder, of a name that is not known
        raise typer.BadParameter(f"must be a time zone such as Europe/Berlin, got {text!r}") from None


def _parse_day(text: str) -> date:
    """Parse a day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"must be YYYY-MM-DD, got {text!r}") from None


def _day(help_text: str) -> Any:  # noqa: ANN401 - Typer declares options as Any
    return typer.Option(parser=_parse_day, metavar="DAY", help=help_text)


Since: TypeAlias = Annotated[date | None, _day("Sessions that started on this day or later: 2026-10-01.")]
Until: TypeAlias = Annotated[date | None, _day("Sessions that started on this day or earlier.")]
Identity: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="FIELD",
        help="Recognise people by this field of their JSON context. Default: by the context.",
    ),
]
Zone: TypeAlias = Annotated[
    tzinfo | None,
    typer.Option(parser=_parse_zone, metavar="NAME", help="Time zone: Europe/Berlin. Default: UTC."),
]


class Outputs(TypedDict, total=False):
    """Options for the form of a report."""

    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")]
    bom: Annotated[bool, typer.Option("--bom", help="With --csv: for Excel.")]
    parquet: Annotated[str, typer.Option(metavar="FILE", help="Write a Parquet file, or replace it.")]
    chart: Annotated[
        str, typer.Option(metavar="FILE", help="Write a picture, or replace it: FILE.svg or FILE.png.")
    ]
    dark: Annotated[bool, typer.Option("--dark", help="With --chart: for a dark background.")]


# --- commands -----------------------------------------------------------------------------------------------


@grouped_options
def session_attendance(
    session_id: SessionId,
    *,
    identity: Identity = None,
    zone: Zone = None,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
    **outputs: Unpack[Outputs],
) -> None:
    """Show the people in a session, and when they were present.

    A person has one line, however often it joined, and simultaneous stays count once.
    """

    async def read(client: RoomsClient) -> Attendance:
        return await client.sessions.attendance(session_id, identity=identity)

    _report(read, base_url, as_json=as_json, zone=zone or UTC, **outputs)


@grouped_options
def room_attendance(
    room_id: RoomId,
    *,
    since: Since = None,
    until: Until = None,
    identity: Identity = None,
    zone: Zone = None,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
    **outputs: Unpack[Outputs],
) -> None:
    """Show the people in the sessions of a room.

    The days of --since and --until are days of --zone.
    """

    async def read(client: RoomsClient) -> Attendance:
        with status("reading sessions"):
            return await client.rooms.attendance(
                room_id, created_at=_days(since, until), zone=zone or UTC, identity=identity
            )

    _report(read, base_url, as_json=as_json, zone=zone or UTC, **outputs)


@app.command()
@grouped_options
def usage(
    *,
    since: Since = None,
    until: Until = None,
    by: Annotated[By, typer.Option(help="What has a row.")] = By.DAY,
    zone: Zone = None,
    identity: Identity = None,
    journal: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Continue after an interruption: the same command with this file. Needs --since.",
        ),
    ] = None,
    price_per_minute: Annotated[str | None, _price("Price of a participant minute: 0.002.")] = None,
    price_per_recorded_minute: Annotated[str | None, _price("Price of a minute of a recording.")] = None,
    price_per_composed_minute: Annotated[str | None, _price("Price of a minute of a composition.")] = None,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
    **outputs: Unpack[Outputs],
) -> None:
    """Show sessions, people, participant minutes, recordings.

    All days, also those of --since and --until, are days of --zone. Minutes are rounded up for each
    participant and each file, as carriers bill them. Minutes after midnight count on the next day.
    """
    has_prices = (price_per_minute, price_per_recorded_minute, price_per_composed_minute) != (None,) * 3
    prices = Prices(
        participant_minute=price_per_minute or 0,
        recorded_minute=price_per_recorded_minute or 0,
        composed_minute=price_per_composed_minute or 0,
    )

    async def read(client: RoomsClient) -> Usage:
        with session_bar() as on_progress:
            return await client.reports.usage(
                created_at=_days(since, until),
                by=by.value,
                zone=zone or UTC,
                identity=identity,
                prices=prices if has_prices else None,
                journal=journal,
                progress=on_progress,
            )

    _report(read, base_url, as_json=as_json, zone=zone or UTC, **outputs)


# --- output -------------------------------------------------------------------------------------------------


def _days(since: date | None, until: date | None) -> DateFilter | None:
    """Return the filter of the days of a report."""
    return None if since is None and until is None else DateFilter(gte=since, lte=until)


def _check_outputs(*, as_json: bool, **outputs: Unpack[Outputs]) -> None:
    """Check before a report is made that it can be written."""
    parquet, chart = outputs.get("parquet"), outputs.get("chart")
    if outputs.get("csv") and as_json:
        raise typer.BadParameter("--csv and --json cannot be combined")
    if outputs.get("bom") and not outputs.get("csv"):
        raise typer.BadParameter("--bom can only be used with --csv")
    if outputs.get("dark") and chart is None:
        raise typer.BadParameter("--dark can only be used with --chart")
    if parquet is not None:
        import_pyarrow()
    if chart is not None:
        from telnyx_rooms_async.reports import charts  # noqa: PLC0415 - the extra may be missing

        charts.check_name(chart)
    for path in filter(None, (parquet, chart)):
        if not Path(path).parent.is_dir():
            raise ConfigurationError(f"cannot write {path}: the folder does not exist")


def _report(
    read: Callable[[RoomsClient], Awaitable[Attendance | Usage]],
    base_url: str | None,
    *,
    as_json: bool,
    zone: tzinfo,
    **outputs: Unpack[Outputs],
) -> None:
    """Make a report, and write it in the forms that the options ask for."""
    _check_outputs(as_json=as_json, **outputs)
    report = run(read, base_url)
    parquet, chart, dark = outputs.get("parquet"), outputs.get("chart"), outputs.get("dark", False)
    if parquet is not None:
        with file_errors(parquet):
            report.write_parquet(parquet)
    if chart is not None:
        with file_errors(chart):
            if isinstance(report, Attendance):
                report.write_chart(chart, zone=zone, dark=dark)
            else:
                report.write_chart(chart, dark=dark)
    files = [path for path in (parquet, chart) if path is not None]
    if as_json:
        write_json(report.to_dict())
    elif outputs.get("csv"):
        Stdout().write((BOM_UTF8 if outputs.get("bom") else b"") + report.to_csv().encode())
    elif files:
        show(Result(f"wrote {' and '.join(files)}"), as_json=False)
    else:
        write(AttendanceChart(report, zone) if isinstance(report, Attendance) else UsageChart(report))
