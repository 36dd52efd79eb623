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


def format_of(path: str, given: Format | None) -> Format:
    """Return the format of a table.

    Raises:
        BadParameter: nothing tells.
    """
    found = given or _ENDINGS.get(PurePath(path).suffix.lower())
    if found is None:
        what = "a stream has" if path == STREAM else f"the name {path} has"
        raise typer.BadParameter(
            f"{what} no ending that tells its format: say --format {' or '.join(Format)}"
        )
    return found
