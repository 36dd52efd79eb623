"""What the emulated Telnyx accepts in the queries of requests, written from its API reference."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Final, TypeVar

from attrs import field, frozen

from telnyx_rooms_async.emulator.refusals import Entry, entry, unprocessable

_OPERATORS: Final = ("eq", "gte", "lte")
_Bound = TypeVar("_Bound", date, int)


@frozen
class Query:
    """The parameters of a URL, read one by one; what is wrong is kept until `refuse_if_wrong`."""

    _given: Mapping[str, str]
    _wrong: list[Entry] = field(factory=list[Entry], init=False)
    _read: set[str] = field(factory=set[str], init=False)

    @property
    def narrows(self) -> bool:
        """Whether a filter that was read so far had been given."""
        return any(name.startswith("filter[") for name in self._read)

    def text(self, name: str) -> str | None:
        """Read any text."""
        if name in self._given:
            self._read.add(name)
        return self._given.get(name)

    def choice(self, name: str, *options: str) -> str | None:
        """Read one of these words."""
        value = self.text(name)
        if value not in (None, *options):
            self._refuse(name, "10032", f"must be {' or '.join(options)}")
        return value

    def flag(self, name: str) -> bool | None:
        """Read ``true`` or ``false``."""
        value = self.choice(name, "true", "false")
        return None if value is None else value == "true"

    def number(self, name: str, default: int, high: int) -> int:
        """Read an integer from 1 to `high`."""
        value = self._given.get(name, str(default))
        if not re.fullmatch("[0-9]{1,18}", value) or not 1 <= int(value) <= high:
            self._refuse(name, "10033", f"must be an integer from 1 to {high}")
            return default
        return int(value)

    def days(self, name: str) -> Callable[[datetime | None], bool]:
        """Read a date filter with its operators, and return what it lets through."""
        lets_through = _within({operator: self._day(f"{name}[{operator}]") for operator in _OPERATORS})
        return lambda moment: lets_through(moment.date() if moment else None)

    def seconds(self, name: str) -> Callable[[int | None], bool]:
        """Read a filter of durations with its operators, and return what it lets through."""
        bounds = {operator: self._whole(f"{name}[{operator}]") for operator in _OPERATORS}
        # The API reference of today has no operators: one number, and what is as long or longer.
        flat = self._whole(name)
        return _within(bounds if flat is None else {**bounds, "gte": flat})

    def refuse_if_wrong(self) -> None:
        """Refuse what was wrong with the parameters read so far.

        Raises:
            RefusalError: 422, with an entry for each.
        """
        if self._wrong:
            raise unprocessable(self._wrong)

    def _day(self, name: str) -> date | None:
        value = self.text(name)
        try:
            return None if value is None else datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 - a day
        except ValueError:
            self._refuse(name, "10031", "must be a date: YYYY-MM-DD")
            return None

    def _whole(self, name: str) -> int | None:
        value = self.text(name)
        if value is None or re.fullmatch("[0-9]{1,18}", value):
            return None if value is None else int(value)
        self._refuse(name, "10031", "must be a whole number")
        return None

    def _refuse(self, name: str, code: str, detail: str) -> None:
        self._wrong.append(entry(code, "Invalid parameter", f"{name} {detail}", parameter=name))


def _within(bounds: Mapping[str, _Bound | None]) -> Callable[[_Bound | None], bool]:
    """Return what is within bounds, both ends included; nothing is not, unless there are none."""
    eq, gte, lte = (bounds[operator] for operator in _OPERATORS)

    def lets_through(value: _Bound | None) -> bool:
        if value is None:
            return eq is gte is lte is None
        return (eq is None or value == eq) and (gte is None or value >= gte) and (lte is None or value <= lte)

    return lets_through
