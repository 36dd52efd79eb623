"""The options that groups have in common: one name and one spelling for one meaning."""

from datetime import date
from typing import Annotated, TypeAlias, TypeVar

import typer

from telnyx_rooms_async import UNSET, DateFilter, UnsetType

T = TypeVar("T")

_DAY = "YYYY-MM-DD"


def parse_days(text: str) -> DateFilter:
    """Read a day, or the two ends of a range, either of which may be open."""
    first, dots, last = text.partition("..")
    if not dots:
        return DateFilter(eq=_parse_day(text))
    if not first and not last:
        raise typer.BadParameter("a range needs a first or a last day")
    return DateFilter(gte=_parse_day(first) if first else None, lte=_parse_day(last) if last else None)


def _parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day: write {_DAY}, or a range {_DAY}..{_DAY}") from None


def given(value: T | None) -> T | UnsetType:
    """Turn an option that was not given into a field to leave alone."""
    return UNSET if value is None else value


# --- filters ----------------------------------------------------------------------------------------------

_RANGE_HELP = (
    "2021-04-25, or a range with both ends in it: 2021-04-01..2021-04-30, 2021-04-01.., ..2021-04-30."
)

CreatedAt: TypeAlias = Annotated[
    DateFilter | None,
    typer.Option(parser=parse_days, metavar="DAYS", help=f"Created on {_RANGE_HELP}"),
]
UpdatedAt: TypeAlias = Annotated[
    DateFilter | None,
    typer.Option(parser=parse_days, metavar="DAYS", help="Updated then, likewise."),
]
EndedAt: TypeAlias = Annotated[
    DateFilter | None,
    typer.Option(parser=parse_days, metavar="DAYS", help="Ended then, likewise."),
]
Active: TypeAlias = Annotated[
    bool | None,
    typer.Option("--active/--inactive", help="Only those going on, or only those that ended."),
]

# --- lists ------------------------------------------------------------------------------------------------

Limit: TypeAlias = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Stop after so many; all come unless given.")
]
PageSize: TypeAlias = Annotated[
    int, typer.Option(metavar="N", help="How many to ask for in one request: 1 to 250.")
]
PAGE_SIZE = 250

# --- every command ----------------------------------------------------------------------------------------

AsJson: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print JSON: one value, or of a list one object a line.")
]
BaseUrl: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="URL", envvar="TELNYX_BASE_URL", help="Where the API is, unless at Telnyx."),
]
