"""The script of faults as it stands in a file of JSON. No HTTP."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, cast

from attrs import fields

from telnyx_rooms_async.core.codec import DecodeError, parse
from telnyx_rooms_async.emulator.faults import Fault
from telnyx_rooms_async.emulator.rates import RateWindow
from telnyx_rooms_async.emulator.script import Line
from telnyx_rooms_async.emulator.server import Emulator

_Entry: TypeAlias = Mapping[str, Any]
_Step: TypeAlias = Callable[[Emulator], None]

_OF_A_FAULT: Final = tuple(field.name for field in fields(Fault))
_OF_A_LINE: Final = ("operation", "times")
_OF_A_LIMIT: Final = ("requests", "seconds")


def load_script(telnyx: Emulator, raw: bytes) -> None:
    """Script an emulator with a JSON list, in its order.

    An entry is an object with the fields of a `Fault`, and ``operation`` and ``times`` if need be, as
    `Emulator.script` takes them; or ``{"limit": {"requests": 20, "seconds": 5}}``.

    Raises:
        ValueError: nothing was scripted; ``args`` names each entry that is wrong, and its field.
    """
    steps: list[_Step] = []
    problems: list[str] = []
    for number, entry in enumerate(_entries(raw), 1):
        try:
            steps.append(_step(entry))
        except ValueError as error:
            problems.append(f"entry {number}: {error}")
    if problems:
        raise ValueError(*problems)
    for step in steps:
        step(telnyx)


def _entries(raw: bytes) -> list[object]:
    try:
        told = parse(raw)
    except DecodeError as error:
        raise ValueError(f"it must be JSON: {error}") from None
    if not isinstance(told, list):
        raise ValueError("it must be a list of objects")  # noqa: TRY004 - what stands in a file is a value
    return cast("list[object]", told)


def _step(entry: object) -> _Step:
    told = _object(entry, "it")
    return _limit(told) if "limit" in told else _fault(told)


def _limit(told: _Entry) -> _Step:
    _refuse_unknown(told, "limit")
    limit = _object(told["limit"], "limit")
    _refuse_unknown(limit, *_OF_A_LIMIT)
    for name in _OF_A_LIMIT:
        if name not in limit:
            raise ValueError(f"{name} must be told")
    RateWindow(**limit)
    return lambda telnyx: telnyx.limit(**limit)


def _fault(told: _Entry) -> _Step:
    _refuse_unknown(told, *_OF_A_FAULT, *_OF_A_LINE)
    options = {name: told[name] for name in _OF_A_LINE if name in told}
    fault = Fault(**{name: told[name] for name in told.keys() - options.keys()})
    Line(fault=fault, **options)
    return lambda telnyx: telnyx.script(fault, **options)


def _object(value: object, name: str) -> _Entry:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be an object")  # noqa: TRY004 - as above
    return cast("_Entry", value)


def _refuse_unknown(told: _Entry, *known: str) -> None:
    unknown = ", ".join(sorted(told.keys() - set(known)))
    if unknown:
        raise ValueError(f"{unknown} is not known there")
