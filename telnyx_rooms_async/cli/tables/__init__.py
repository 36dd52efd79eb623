"""Tables of rooms in CSV, NDJSON and Parquet: reading, validation and writing.

A table has one column per room setting. Columns that Telnyx sets by itself (``id``, ``created_at``, …) and
``error`` are ignored, so an export and a table of failures can be read again; any other column is an error.
Problems are reported with their file, line and column. Rows without any value are skipped.

===================  ========================  ===========================  ==================
value                CSV                       NDJSON                       Parquet
===================  ========================  ===========================  ==================
leave unchanged      an empty cell             no key                       no column
null                 ``null``                  ``null``                     null
empty text           ``""`` within the cell    ``""``                       empty text
===================  ========================  ===========================  ==================

Null and the empty text only have an effect on settings that can be cleared; the other settings stay
unchanged. In CSV, text that a spreadsheet would evaluate as a formula is prefixed with ``'``.
"""

from enum import StrEnum
from pathlib import PurePath
from typing import Annotated, Final, TypeAlias

import typer

from telnyx_rooms_async.cli.files import STREAM


class Format(StrEnum):
    """Formats of tables."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"


_SUFFIXES: Final = {
    ".csv": Format.CSV,
    ".ndjson": Format.NDJSON,
    ".jsonl": Format.NDJSON,
    ".parquet": Format.PARQUET,
}


def parse_delimiter(text: str) -> str:
    """Parse the option ``--delimiter``."""
    delimiter = {"tab": "\t", "\\t": "\t"}.get(text.lower(), text)
    if len(delimiter) != 1 or delimiter in '"\r\n\0 ':
        raise typer.BadParameter(f"must be one character such as , or ; or the word tab, got {text!r}")
    return delimiter


TableFile: TypeAlias = Annotated[
    str, typer.Argument(metavar="FILE", help="Path of the table, or - for stdin.")
]
FormatOption: TypeAlias = Annotated[
    Format | None,
    typer.Option(
        "--format",
        help="Format of the table. Default: by the file name: .csv, .ndjson, .jsonl or .parquet.",
        show_default=False,
    ),
]
Delimiter: TypeAlias = Annotated[
    str | None,
    typer.Option(
        parser=parse_delimiter,
        metavar="CHARACTER",
        help="Delimiter of CSV cells. Default: a comma, a semicolon or a tab, detected.",
    ),
]
SkipInvalid: TypeAlias = Annotated[
    bool,
    typer.Option("--skip-invalid", help="Skip invalid rows. They are written to --errors, if given."),
]
Errors: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Write failed rows and the reasons to this table, as input for another run.",
    ),
]


def format_of(path: str, option: Format | None, delimiter: str | None = None) -> Format:
    """Return the format of a table."""
    suffix = PurePath(path).suffix.lower()
    if option is None and suffix == ".gz":
        raise typer.BadParameter(f"{path} is compressed: decompress it first")
    table_format = option or _SUFFIXES.get(suffix)
    if table_format is None:
        name = "a stream" if path == STREAM else f"the name {path}"
        raise typer.BadParameter(f"{name} does not show the format: use --format {' or '.join(Format)}")
    if delimiter is not None and table_format is not Format.CSV:
        raise typer.BadParameter("--delimiter can only be used with CSV")
    return table_format
