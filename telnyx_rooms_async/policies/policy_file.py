"""Policies in a TOML file."""

import re
import tomllib
from collections.abc import Mapping
from datetime import time, timedelta
from typing import Any, Final, cast

import attrs

from telnyx_rooms_async.core.validators import short_repr
from telnyx_rooms_async.errors import InvalidArgumentError
from telnyx_rooms_async.policies.policy import DURATIONS, AllowedHours, RoomPolicy

_DURATION: Final = re.compile(r"(?=\d)(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", re.ASCII)
_NO_KEYS: Final = {"predicate"}
"""Fields that only a program can set."""


def parse_policies(text: str) -> tuple[RoomPolicy, ...]:
    r"""Parse the policies of a TOML file: tables ``[[policies]]`` with the fields of `RoomPolicy`.

    Durations are texts such as ``"30s"``, ``"90m"``, ``"1h30m"`` or ``"7d"``, times of day ``"08:00"``.

    Raises:
        InvalidArgumentError: the text is not TOML, or a value is invalid; with the line, or the key.

    Example:
        >>> (policy,) = parse_policies('[[policies]]\nmax_duration = "2h"')
        >>> policy.max_duration
        datetime.timedelta(seconds=7200)
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidArgumentError((f"not TOML: {error}",)) from None
    problems = _unknown_keys("", document, {"policies"})
    tables: Any = document.get("policies")
    policies: list[RoomPolicy] = []
    if not isinstance(tables, list) or not tables:
        problems.append("policies: at least one table [[policies]] is required")
        tables = []
    for index, table in enumerate(cast("list[Any]", tables)):
        policy = _build(RoomPolicy, f"policies[{index}]", table, problems)
        if policy is not None:
            policies.append(policy)
    if problems:
        raise InvalidArgumentError(tuple(problems))
    return tuple(policies)


def _build(cls: Any, path: str, table: object, problems: list[str]) -> Any:  # noqa: ANN401 - a policy or hours
    """Return the value of a table, or None after adding its problems."""
    if not isinstance(table, dict):
        problems.append(f"{path} must be a table, not {short_repr(table)}")
        return None
    values = cast("dict[str, object]", table)
    known_problems = len(problems)
    problems += _unknown_keys(f"{path}.", values, attrs.fields_dict(cls).keys() - _NO_KEYS)
    required = [field.name for field in attrs.fields(cls) if field.default is attrs.NOTHING]
    problems += [f"{path}.{name} is missing" for name in required if name not in values]
    fields = {key: _parse(f"{path}.{key}", key, value, problems) for key, value in values.items()}
    if len(problems) > known_problems:
        return None
    try:
        return cls(**fields)
    except InvalidArgumentError as error:
        problems += [f"{path}.{problem}" for problem in error.problems]
        return None


def _parse(path: str, key: str, value: object, problems: list[str]) -> object:
    if key in DURATIONS:
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            problems.append(f'{path} must be a duration such as "90m" or "1h30m", not {short_repr(value)}')
            return None
        days, hours, minutes, seconds = (int(number or 0) for number in match.groups())
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if key == "allowed_hours":
        if not isinstance(value, list):
            return _build(AllowedHours, path, value, problems)
        return [
            _build(AllowedHours, f"{path}[{index}]", table, problems)
            for index, table in enumerate(cast("list[object]", value))
        ]
    if key in ("start", "end") and isinstance(value, str):
        try:
            return time.fromisoformat(value)
        except ValueError:
            problems.append(f'{path} must be a time of day such as "08:00", not {short_repr(value)}')
    return value


def _unknown_keys(path: str, table: Mapping[str, object], keys: set[str]) -> list[str]:
    return [
        f"{path}{key} is unknown; the keys are {', '.join(sorted(keys))}" for key in table if key not in keys
    ]
