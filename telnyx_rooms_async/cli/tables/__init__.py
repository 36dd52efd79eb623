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
