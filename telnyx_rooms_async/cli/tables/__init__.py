"""Rooms as tables, without a file: what CSV, NDJSON and Parquet have to say of them, and how it is spelled.

A table has a column for each setting of a room. Those that Telnyx sets by itself (``id``, ``created_at``, …)
and ``error`` are passed over, so an export and a list of failures can be read again; any other column is a
mistake. Whatever is wrong is told with its file, line and column. A row in which nothing is said, or only
blanks stand, makes no room.

=================  ========================  ===========================  ==================
a setting is       in CSV                    in NDJSON                    in Parquet
=================  ========================  ===========================  ==================
left alone         an empty cell             no key                       no column
null               ``null``                  ``null``                     null
the empty text     ``""`` within the cell    ``""``                       the empty text
=================  ========================  ===========================  ==================

Null and the empty text mean something only to the settings that can be cleared; with the others they leave
the setting alone. In CSV a text that a spreadsheet would take for a formula has a ``'`` before it.
"""

from telnyx_rooms_async.cli.tables.checking import Checked, check
from telnyx_rooms_async.cli.tables.csv_format import LONGEST_LINE, read_csv, read_ndjson, read_records
from telnyx_rooms_async.cli.tables.rows import NAME, REASON, SETTINGS, OnWrong, Row, WrongRow
from telnyx_rooms_async.cli.tables.writer import (
    BYTE_ORDER_MARK,
    COLUMNS,
    FAILED_COLUMNS,
    csv_header,
    csv_row,
    ndjson_row,
)
from telnyx_rooms_async.core.validators import is_blank

__all__ = [
    "BYTE_ORDER_MARK",
    "COLUMNS",
    "FAILED_COLUMNS",
    "LONGEST_LINE",
    "NAME",
    "REASON",
    "SETTINGS",
    "Checked",
    "OnWrong",
    "Row",
    "WrongRow",
    "check",
    "csv_header",
    "csv_row",
    "is_blank",
    "ndjson_row",
    "read_csv",
    "read_ndjson",
    "read_records",
]
