"""Which format a table has: its ending says so, or an option."""

from enum import StrEnum
from pathlib import PurePath
from typing import Annotated, Final, TypeAlias

import typer

STREAM: Final = "-"


class Format(StrEnum):
    """The formats of tables."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"


FormatOption: TypeAlias = Annotated[
    Format | None,
    typer.Option(
        "--format",
        help="The format, unless the file ends in .csv, .ndjson, .jsonl or .parquet.",
        show_default=False,
    ),
]
SkipInvalid: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--skip-invalid", help="Go on without rows that are wrong; they are written to --errors, if given."
    ),
]


def parse_delimiter(text: str) -> str:
    """Read the character between cells."""
    found = {"tab": "\t", "\\t": "\t"}.get(text.lower(), text)
    if len(found) != 1 or found in '"\r\n\0 ':
        raise typer.BadParameter(f"{text!r} is not one character that can separate cells: say , or ; or tab")
    return found


Delimiter: TypeAlias = Annotated[
    str | None,
    typer.Option(
        parser=parse_delimiter,
        metavar="CHARACTER",
        help="What separates the cells of CSV: found by itself if it is a comma, a semicolon or a tab.",
    ),
]
TableFile: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="FILE", help="The table: a path, or - for stdin."),
]

_ENDINGS: Final = {
    ".csv": Format.CSV,
    ".ndjson": Format.NDJSON,
    ".jsonl": Format.NDJSON,
    ".parquet": Format.PARQUET,
}


def refuse_delimiter(form: Format, delimiter: str | None) -> None:
    """Refuse a delimiter where there is none.

    Raises:
        BadParameter: one is given, and the table is not CSV.
    """
    if delimiter is not None and form is not Format.CSV:
        raise typer.BadParameter("--delimiter goes with CSV only")


def format_of(path: str, given: Format | None) -> Format:
    """Return the format of a table.

    Raises:
        BadParameter: nothing tells.
    """
    ending = PurePath(path).suffix.lower()
    if given is None and ending == ".gz":
        raise typer.BadParameter(f"{path} is packed: unpack it first, as gunzip does")
    found = given or _ENDINGS.get(ending)
    if found is None:
        what = "a stream has" if path == STREAM else f"the name {path} has"
        raise typer.BadParameter(
            f"{what} no ending that tells its format: say --format {' or '.join(Format)}"
        )
    return found
