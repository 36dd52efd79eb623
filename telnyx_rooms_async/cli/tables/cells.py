"""How a cell of CSV spells what it has no spelling for."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from telnyx_rooms_async.cli.tables.rows import exact_value

NULL: Final = "null"
EMPTY: Final = '""'
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes a formula by; the last four are the full-width forms of the first four."""
_QUOTE: Final = "'"


def spell(record: Mapping[str, object], name: str, *, nullable: bool) -> str:
    """Spell a field of a record; one that is absent is an empty cell."""
    match exact_value(name, record.get(name)):
        case None:
            return NULL if nullable and name in record else ""
        case bool() as flag:
            return "true" if flag else "false"
        case datetime() as moment:
            return moment.isoformat().replace("+00:00", "Z")
        case "":
            return EMPTY if nullable else ""
        case str() as text:
            return _escape(text)
        case value:
            return str(value)


def _escape(text: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    return _QUOTE + text if text.startswith(_FORMULA) or _is_escaped(text) else text


def unescape(cell: str) -> str:
    """Return the text that `spell` has spelled so."""
    return cell[1:] if _is_escaped(cell) else cell


def _is_escaped(cell: str) -> bool:
    return cell[:1] == _QUOTE and cell[1:].startswith((_QUOTE, *_FORMULA))
