"""Options and output of reports: a chart in the terminal, JSON, CSV, and files."""

from datetime import UTC, date, tzinfo
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias, TypedDict, Unpack
from zoneinfo import ZoneInfo

import typer

from telnyx_rooms_async import ConfigurationError, DateFilter
from telnyx_rooms_async.cli.display import Result, show
from telnyx_rooms_async.cli.output import file_errors, put, write, write_json
from telnyx_rooms_async.reports import Attendance, Usage
from telnyx_rooms_async.reports.table import import_pyarrow
from telnyx_rooms_async.reports.terminal import AttendanceChart, UsageChart

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def parse_zone(text: str) -> tzinfo:
    """Parse the name of a time zone."""
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, LookupError):  # of a name, of a folder, of a name that is not known
        raise typer.BadParameter(f"must be a time zone such as Europe/Berlin, got {text!r}") from None


def parse_day(text: str) -> date:
    """Parse a day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"must be YYYY-MM-DD, got {text!r}") from None


def _day(help_text: str) -> Any:  # noqa: ANN401 - Typer declares options as Any
    return typer.Option(parser=parse_day, metavar="DAY", help=help_text)


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
    typer.Option(parser=parse_zone, metavar="NAME", help="Time zone: Europe/Berlin. Default: UTC."),
]


class Outputs(TypedDict, total=False):
    """Options for the form of a report."""

    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")]
    bom: Annotated[bool, typer.Option("--bom", help="With --csv: for Excel.")]
    parquet: Annotated[str, typer.Option(metavar="FILE", help="Write a Parquet file.")]
    chart: Annotated[str, typer.Option(metavar="FILE", help="Write a picture: FILE.svg or FILE.png.")]
    dark: Annotated[bool, typer.Option("--dark", help="With --chart: for a dark background.")]


def days(since: date | None, until: date | None) -> DateFilter | None:
    """Return the filter of the days of a report."""
    return None if since is None and until is None else DateFilter(gte=since, lte=until)


def check_outputs(*, as_json: bool, **outputs: Unpack[Outputs]) -> None:
    """Check before a report is made that it can be written.

    Raises:
        BadParameter: options cannot be combined.
        ConfigurationError: an extra is not installed, or a folder does not exist.
        InvalidArgumentError: the name of the chart is invalid.
    """
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


def show_report(
    report: Attendance | Usage, *, as_json: bool, zone: tzinfo = UTC, **outputs: Unpack[Outputs]
) -> None:
    """Write the files of a report, and print it in the form that the options ask for."""
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
        put((_BYTE_ORDER_MARK if outputs.get("bom") else b"") + report.to_csv().encode())
    elif files:
        show(Result(f"wrote {' and '.join(files)}"), as_json=False)
    else:
        write(AttendanceChart(report, zone) if isinstance(report, Attendance) else UsageChart(report))
