"""What the emulated Telnyx accepts in bodies and queries, written from its API reference.

The rules stand here a second time on purpose: a client that checked itself against its own rules would
find itself always right.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Final, TypeAlias, cast

from attrs import field, frozen

from telnyx_rooms_async.core.codec import MisfitError, parse
from telnyx_rooms_async.emulator.account import Account
from telnyx_rooms_async.emulator.refusals import Entry, entry, not_json, unprocessable

_Wrong: TypeAlias = tuple[str, str, str]
"""Code, title and detail of what is wrong with a value."""


def _text(value: object) -> _Wrong | None:
    return None if isinstance(value, str) else ("10026", "Invalid type", "must be a string")


def _flag(value: object) -> _Wrong | None:
    return None if isinstance(value, bool) else ("10026", "Invalid type", "must be a boolean")


def _between(low: int, high: int) -> Callable[[object], _Wrong | None]:
    def check(value: object) -> _Wrong | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return "10026", "Invalid type", "must be an integer"
        return None if low <= value <= high else ("10033", "Out of range", f"must be from {low} to {high}")

    return check


def _url(value: object) -> _Wrong | None:
    if isinstance(value, str) and (not value or re.match(r"https?://[^/]", value)):
        return None
    return "10003", "Invalid URL", "must be a URL that includes the scheme"


@frozen
class _Field:
    check: Callable[[object], _Wrong | None]
    nullable: bool = False


_ROOM_FIELDS: Final = {
    "unique_name": _Field(_text, nullable=True),
    "max_participants": _Field(_between(2, 50)),
    "enable_recording": _Field(_flag),
    "webhook_event_url": _Field(_url, nullable=True),
    "webhook_event_failover_url": _Field(_url, nullable=True),
    "webhook_timeout_secs": _Field(_between(0, 30), nullable=True),
}


def room_fields(body: bytes, account: Account, *, room_id: str | None = None) -> dict[str, object]:
    """Read the fields of a room to create or update; unknown ones are passed over, as Telnyx does.

    Raises:
        RefusalError: 400 for what is no JSON object, 422 for each value that is not accepted.
    """
    told = _json_object(body)
    values = {name: told[name] for name in _ROOM_FIELDS if name in told}
    wrong = [_pointed(name, *found) for name, value in values.items() if (found := _judge(name, value))]
    name = values.get("unique_name")
    if isinstance(name, str) and not account.is_name_free(name, for_room=room_id):
        wrong.append(_pointed("unique_name", "10027", "Unprocessable Entity", "has already been taken"))
    if wrong:
        raise unprocessable(wrong)
    return values


def _judge(name: str, value: object) -> _Wrong | None:
    field = _ROOM_FIELDS[name]
    return None if value is None and field.nullable else field.check(value)


def _pointed(name: str, code: str, title: str, detail: str) -> Entry:
    return entry(code, title, f"{name} {detail}", pointer=f"/{name}")


def _json_object(body: bytes) -> Mapping[str, object]:
    try:
        told = parse(body or b"{}")
    except MisfitError:
        raise not_json() from None
    if not isinstance(told, dict):
        raise not_json()
    return cast("Mapping[str, object]", told)


@frozen
class Query:
    """The parameters of a URL, read one by one; what is wrong is kept until `refuse_if_wrong`."""

    _given: Mapping[str, str]
    _wrong: list[Entry] = field(factory=list[Entry], init=False)

    def text(self, name: str) -> str | None:
        """Read any text."""
        return self._given.get(name)

    def flag(self, name: str) -> bool | None:
        """Read ``true`` or ``false``."""
        value = self._given.get(name)
        if value not in (None, "true", "false"):
            self._refuse(name, "10032", "must be true or false")
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
        bounds = {operator: self._day(f"filter[{name}][{operator}]") for operator in ("eq", "gte", "lte")}

        def lets_through(moment: datetime | None) -> bool:
            if not any(bounds.values()):
                return True
            day = moment.date() if moment else None
            return day is not None and (
                (bounds["eq"] or day) == day
                and (bounds["gte"] or day) <= day
                and (bounds["lte"] or day) >= day
            )

        return lets_through

    def refuse_if_wrong(self) -> None:
        """Refuse what was wrong with the parameters read so far.

        Raises:
            RefusalError: 422, with an entry for each.
        """
        if self._wrong:
            raise unprocessable(self._wrong)

    def _day(self, name: str) -> date | None:
        value = self._given.get(name)
        try:
            return None if value is None else datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 - a day
        except ValueError:
            self._refuse(name, "10031", "must be a date: YYYY-MM-DD")
            return None

    def _refuse(self, name: str, code: str, detail: str) -> None:
        self._wrong.append(entry(code, "Invalid parameter", f"{name} {detail}", parameter=name))
