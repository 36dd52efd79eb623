"""Faults and rate limits from a JSON file. No HTTP."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, TypeAlias, cast

from attrs import fields

from telnyx_rooms_async.emulator.control import EmulatorControl
from telnyx_rooms_async.emulator.faults import Fault, FaultRule
from telnyx_rooms_async.emulator.rate_limit import RateLimit
from telnyx_rooms_async.serialization import DecodeError, converter

_Entry: TypeAlias = Mapping[str, Any]
_Step: TypeAlias = Callable[[EmulatorControl], None]

_FAULT_FIELDS: Final = frozenset(attribute.name for attribute in fields(Fault))
_RULE_FIELDS: Final = frozenset({"operation", "times"})
_LIMIT_FIELDS: Final = ("requests", "seconds")


def load_script(telnyx: EmulatorControl, raw: bytes) -> None:
    """Inject the faults of a JSON list into an emulator, in order.

    An entry is an object with the fields of a `Fault`, and optionally ``operation`` and ``times`` as in
    `Emulator.script`; or ``{"limit": {"requests": 20, "seconds": 5}}``.

    Args:
        telnyx: the emulator.
        raw: the content of the file.

    Raises:
        ValueError: an entry is not valid, and nothing was injected; ``args`` has one message for each.

    Example:
        ``load_script(telnyx, b'[{"operation": "CreateRoom", "status": 503}]')``
    """
    steps: list[_Step] = []
    problems: list[str] = []
    for number, entry in enumerate(_read_entries(raw), 1):
        try:
            steps.append(_read_limit(entry) if "limit" in entry else _read_fault(entry))
        except ValueError as error:
            problems.append(f"entry {number}: {error}")
    if problems:
        raise ValueError(*problems)
    for step in steps:
        step(telnyx)


def _read_entries(raw: bytes) -> tuple[_Entry, ...]:
    try:
        return converter.loads(raw, tuple[dict[str, object], ...])
    except DecodeError as error:
        raise ValueError(f"the file must be a JSON list of objects: {'; '.join(error.args)}") from None


def _read_limit(entry: _Entry) -> _Step:
    _refuse_unknown(entry, {"limit"})
    if not isinstance(entry["limit"], dict):
        raise ValueError("limit must be an object")  # noqa: TRY004 - a value in a file
    limit = cast("dict[str, Any]", entry["limit"])
    _refuse_unknown(limit, _LIMIT_FIELDS)
    for name in _LIMIT_FIELDS:
        if name not in limit:
            raise ValueError(f"{name} is required")
    RateLimit(**limit)
    return lambda telnyx: telnyx.limit(**limit)


def _read_fault(entry: _Entry) -> _Step:
    _refuse_unknown(entry, _FAULT_FIELDS | _RULE_FIELDS)
    fault = Fault(**{name: value for name, value in entry.items() if name in _FAULT_FIELDS})
    options = {name: value for name, value in entry.items() if name in _RULE_FIELDS}
    FaultRule(fault=fault, **options)
    return lambda telnyx: telnyx.script(fault, **options)


def _refuse_unknown(entry: _Entry, known: Collection[str]) -> None:
    unknown = ", ".join(sorted(entry.keys() - known))
    if unknown:
        raise ValueError(f"unknown field: {unknown}")
