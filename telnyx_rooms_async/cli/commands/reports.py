"""``telnyx-rooms reports``: the usage of the account, and ``attendance`` of sessions and rooms."""

from codecs import BOM_UTF8
from datetime import UTC, date, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, TypeAlias, TypedDict, Unpack
from zoneinfo import ZoneInfo

import typer

from telnyx_rooms_async import ConfigurationError, DateFilter, RoomsClient
from telnyx_rooms_async.cli import output
from telnyx_rooms_async.cli.options import RoomId, SessionId, flag, option
from telnyx_rooms_async.cli.runner import command, command_group
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


def _parse_zone(text: str) -> tzinfo:
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, LookupError):  # of a name, of a folder, of a name that is not known
        raise typer.BadParameter(f"must be a time zone such as Europe/Berlin, got {text!r}") from None


def _parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"must be YYYY-MM-DD, got {text!r}") from None


Since: TypeAlias = Annotated[
    date | None, option("DAY", "Sessions that started on this day or later: 2026-10-01.", parser=_parse_day)
]
Until: TypeAlias = Annotated[
    date | None, option("DAY", "Sessions that started on this day or earlier.", parser=_parse_day)
]
Identity: TypeAlias = Annotated[
    str | None,
    option("FIELD", "Recognise people by this field of their JSON context. Default: by the context."),
]


class Outputs(TypedDict, total=False):
    """Options for the form of a report."""

    zone: Annotated[tzinfo, option("NAME", "Time zone: Europe/Berlin. Default: UTC.", parser=_parse_zone)]
    csv: Annotated[bool, flag("--csv", "Print CSV.")]
    bom: Annotated[bool, flag("--bom", "With --csv: for Excel.")]
    parquet: Annotated[str, option("FILE", "Write a Parquet file, or replace it.")]
    chart: Annotated[str, option("FILE", "Write a picture, or replace it: FILE.svg or FILE.png.")]
    dark: Annotated[bool, flag("--dark", "With --chart: for a dark background.")]


# --- commands -----------------------------------------------------------------------------------------------


async def session_attendance(
    client: RoomsClient,
    session_id: SessionId,
    *,
    identity: Identity = None,
    **outputs: Unpack[Outputs],
) -> None:
    """Show the people in a session, and when they were present.

    A person has one line, however often it joined, and simultaneous stays count once.
    """
    _check(outputs)
    _write(await client.sessions.attendance(session_id, identity=identity), outputs)


async def room_attendance(
    client: RoomsClient,
    room_id: RoomId,
    *,
    since: Since = None,
    until: Until = None,
    identity: Identity = None,
    **outputs: Unpack[Outputs],
) -> None:
    """Show the people in the sessions of a room.

    The days of --since and --until are days of --zone.
    """
    _check(outputs)
    with output.status("reading sessions"):
        report = await client.rooms.attendance(
            room_id, created_at=_days(since, until), zone=outputs.get("zone", UTC), identity=identity
        )
    _write(report, outputs)


@command(app)
async def usage(
    client: RoomsClient,
    *,
    since: Since = None,
    until: Until = None,
    by: Annotated[By, typer.Option(help="What has a row.")] = By.DAY,
    identity: Identity = None,
    journal: Annotated[
        str | None,
        option("FILE", "Continue after an interruption: the same command with this file. Needs --since."),
    ] = None,
    price_per_minute: Annotated[str | None, option("PRICE", "Price of a participant minute: 0.002.")] = None,
    price_per_recorded_minute: Annotated[
        str | None, option("PRICE", "Price of a minute of a recording.")
    ] = None,
    price_per_composed_minute: Annotated[
        str | None, option("PRICE", "Price of a minute of a composition.")
    ] = None,
    **outputs: Unpack[Outputs],
) -> None:
    """Show sessions, people, participant minutes, recordings.

    All days, also those of --since and --until, are days of --zone. Minutes are rounded up for each
    participant and each file, as carriers bill them. Minutes after midnight count on the next day.
    """
    _check(outputs)
    has_prices = any((price_per_minute, price_per_recorded_minute, price_per_composed_minute))
    prices = Prices(
        participant_minute=price_per_minute or 0,
        recorded_minute=price_per_recorded_minute or 0,
        composed_minute=price_per_composed_minute or 0,
    )
    with output.session_bar() as on_progress:
        report = await client.reports.usage(
            created_at=_days(since, until),
            by=by.value,
            zone=outputs.get("zone", UTC),
            identity=identity,
            prices=prices if has_prices else None,
            journal=journal,
            progress=on_progress,
        )
    _write(report, outputs)


# --- output -------------------------------------------------------------------------------------------------


def _days(since: date | None, until: date | None) -> DateFilter | None:
    return None if since is None and until is None else DateFilter(gte=since, lte=until)


def _check(outputs: Outputs) -> None:
    """Check before a report is made that it can be written."""
    if outputs.get("csv") and output.is_json.get():
        raise typer.BadParameter("--csv and --json cannot be combined")
    if outputs.get("bom") and not outputs.get("csv"):
        raise typer.BadParameter("--bom can only be used with --csv")
    if outputs.get("dark") and "chart" not in outputs:
        raise typer.BadParameter("--dark can only be used with --chart")
    if "parquet" in outputs:
        import_pyarrow()
    if "chart" in outputs:
        from telnyx_rooms_async.reports import charts  # noqa: PLC0415 - the extra may be missing

        charts.check_name(outputs["chart"])
    for path in _files(outputs):
        if not Path(path).parent.is_dir():
            raise ConfigurationError(f"cannot write {path}: the folder does not exist")


def _files(outputs: Outputs) -> list[str]:
    return [path for path in (outputs.get("parquet"), outputs.get("chart")) if path is not None]


def _write(report: Attendance | Usage, outputs: Outputs) -> None:
    zone = outputs.get("zone", UTC)
    if "parquet" in outputs:
        with output.file_errors(outputs["parquet"]):
            report.write_parquet(outputs["parquet"])
    if "chart" in outputs:
        chart, dark = outputs["chart"], outputs.get("dark", False)
        with output.file_errors(chart):
            if isinstance(report, Attendance):
                report.write_chart(chart, zone=zone, dark=dark)
            else:
                report.write_chart(chart, dark=dark)
    if output.is_json.get():
        output.write_json(report.to_dict())
    elif outputs.get("csv"):
        output.Stdout().write((BOM_UTF8 if outputs.get("bom") else b"") + report.to_csv().encode())
    elif files := _files(outputs):
        output.write_line(f"wrote {' and '.join(files)}")
    else:
        output.write(AttendanceChart(report, zone) if isinstance(report, Attendance) else UsageChart(report))
