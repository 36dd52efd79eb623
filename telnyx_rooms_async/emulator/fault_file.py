"""Faults and rate limits from a JSON file. No HTTP."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, cast

from attrs import fields

from telnyx_rooms_async.emulator.control import EmulatorControl
from telnyx_rooms_async.emulator.faults import Fault, FaultRule
from telnyx_rooms_async.emulator.rate_limit import RateLimit
from telnyx_rooms_async.serialization import DecodeError, parse_json

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
    """
    steps: list[_Step] = []
    problems: list[str] = []
    for number, entry in enumerate(_parse_list(raw), 1):
        try:
            steps.append(_read_entry(entry))
        except ValueError as error:
            problems.append(f"entry {number}: {error}")
    if problems:
        raise ValueError(*problems)
    for step in steps:
        step(telnyx)


def _parse_list(raw: bytes) -> list[object]:
    try:
        value = parse_json(raw)
    except DecodeError as error:
        raise ValueError(f"the file must be JSON: {error}") from None
    if not isinstance(value, list):
        raise ValueError("the file must be a list of objects")  # noqa: TRY004 - the value of a file, not of a caller
    return cast("list[object]", value)


def _read_entry(value: object) -> _Step:
    entry = _object(value, "the entry")
    return _read_limit(entry) if "limit" in entry else _read_fault(entry)


def _read_limit(entry: _Entry) -> _Step:
    _refuse_unknown(entry, {"limit"})
    limit = _object(entry["limit"], "limit")
    _refuse_unknown(limit, set(_LIMIT_FIELDS))
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


def _object(value: object, name: str) -> _Entry:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be an object")  # noqa: TRY004 - the value of a file, not of a caller
    return cast("_Entry", value)


def _refuse_unknown(entry: _Entry, known: frozenset[str] | set[str]) -> None:
    unknown = ", ".join(sorted(entry.keys() - known))
    if unknown:
        raise ValueError(f"unknown field: {unknown}")
