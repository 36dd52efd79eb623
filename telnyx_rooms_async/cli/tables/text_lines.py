"""Lines of a text file in UTF-8 or UTF-16."""

import codecs
import io
import re
from collections.abc import Iterator
from typing import BinaryIO, Final, Self

from telnyx_rooms_async.cli.tables.rows import TableName
from telnyx_rooms_async.errors import InvalidArgumentError

BYTE_ORDER_MARK: Final = codecs.BOM_UTF8
"""Excel reads CSV as UTF-8 only if it begins with this."""
LONGEST_LINE: Final = 1_000_000
"""In characters. A longer line is an error, so that a file without line ends does not fill the memory."""
_OTHER_FORMATS: Final = {
    b"\x1f\x8b": "is compressed with gzip: decompress it first",
    b"PK\x03\x04": "is an Excel workbook or a zip archive, not text: save the sheet as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook, not text: save the sheet as CSV UTF-8",
    b"PAR1": "is a Parquet file: use --format parquet",
    codecs.BOM_UTF32_LE: "is UTF-32: save it as UTF-8",
    codecs.BOM_UTF32_BE: "is UTF-32: save it as UTF-8",
}
_UTF_16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UNDECODED: Final = re.compile("[\udc80-\udcff]")
"""What ``surrogateescape`` makes of a byte that is not UTF-8."""


class TextLines:
    """Iterator over the lines of a file, with their line ends (LF, CR LF or CR). Context manager.

    A line that is not UTF-8 is recorded in `undecodable` instead of raising, so that its row can be skipped.

    Args:
        file: seekable, at its beginning.
        table: name of the table, for error messages.

    Raises:
        InvalidArgumentError: the file is of another format.
    """

    def __init__(self, file: BinaryIO, table: TableName) -> None:
        self._table = table
        encoding = _encoding(file, table)
        errors = "strict" if encoding.startswith("utf-16") else "surrogateescape"
        self._text = io.TextIOWrapper(file, encoding=encoding, errors=errors, newline="")
        self.number: int = 0
        """Number of the current line, counted from 1."""
        self.undecodable: str = ""
        """The problem of the last lines, if they are not UTF-8. The reader resets it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._text.detach()  # the file stays open

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            line = self._text.readline(LONGEST_LINE + 1)
        except UnicodeDecodeError:
            problem = f"{self._table.name} begins like UTF-16 but is not UTF-16: save it as UTF-8"
            raise InvalidArgumentError((problem,)) from None
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) > LONGEST_LINE:
            raise self._table.error(self.number, f"is longer than {LONGEST_LINE} characters")
        if not line.isascii() and not self.undecodable and (wrong := _UNDECODED.search(line)):
            position = len(line[: wrong.start()].encode(errors="surrogateescape")) + 1
            byte = ord(wrong[0]) - 0xDC00
            self.undecodable = f"is not UTF-8: byte {position} of the line is 0x{byte:02x}"
        return line


def _encoding(file: BinaryIO, table: TableName) -> str:
    head = file.read(4)
    file.seek(0)
    for magic, problem in _OTHER_FORMATS.items():
        if head.startswith(magic):
            raise InvalidArgumentError((f"{table.name} {problem}",))
    if head[:2] in _UTF_16_MARKS:
        return "utf-16"
    # ASCII text in UTF-16 without a mark: every other byte is zero.
    if head[1:2] == b"\0" != head[:1]:
        return "utf-16-le"
    if head[:1] == b"\0" != head[1:2]:
        return "utf-16-be"
    return "utf-8-sig"
