"""Rooms as they should be, beside rooms as they are: what there is to do. Rooms are known by their names."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal, TypeAlias, cast

from attrs import field, fields, frozen

from telnyx_rooms_async.core.requests import RoomBody, RoomFields, room_body
from telnyx_rooms_async.core.spelling import body_fields, problems
from telnyx_rooms_async.core.validators import UNSET, integer, short_repr
from telnyx_rooms_async.errors import InvalidArgumentError, one_line
from telnyx_rooms_async.models import Room, public_url_repr
from telnyx_rooms_async.resources.room_creation import is_alike

Desired: TypeAlias = Mapping[str, Mapping[str, object]]
"""The settings that are asked for, under the name of their room."""

_TOLD: Final = 50
"""So many mistakes are told at once."""
_SETTINGS: Final = tuple(field.name for field in fields(RoomBody) if field.name != "unique_name")
_WIDEST: Final = 40
_BLANK: Final = (None, "")
_count_rule: Final = integer(0, 2**63 - 1)


def _setting_repr(name: str, value: object) -> str:
    return public_url_repr(value) if name.endswith("_url") else repr(value)


def _settings_repr(settings: Mapping[str, object]) -> str:
    return f"{{{', '.join(f'{name!r}: {_setting_repr(name, value)}' for name, value in settings.items())}}}"


@frozen(kw_only=True)
class Ensured:
    """A room as it should be, and what it took."""

    room: Room
    action: Literal["created", "updated", "unchanged"]
    changed: tuple[str, ...] = ()
    """The fields that were set: of a new room all that were asked for."""


@frozen(kw_only=True)
class Change:
    """One thing to do."""

    action: Literal["create", "update", "delete"]
    unique_name: str | None = None
    room_id: str | None = None
    """``None`` for a room that is to be created."""
    before: Mapping[str, object] = field(default={}, repr=_settings_repr)
    """The settings that are to change as they are; of a room that is to be deleted all that it has."""
    after: Mapping[str, object] = field(default={}, repr=_settings_repr)
    """The settings that are to change as they should be; of a new room all that were asked for."""

    def __str__(self) -> str:
        return self.line()

    def line(self, width: int = 0) -> str:
        """Return the change as a line, its details in a column behind names of this width."""
        return f"{self.action}  {self.name:{width}}  {self._details()}".rstrip()

    @property
    def name(self) -> str:
        """The name of the room in quotes, and with nothing in it that does not print."""
        return "without a name" if self.unique_name is None else repr(self.unique_name)

    def _details(self) -> str:
        if self.action == "update":
            told = (
                f"{name}: {_setting_repr(name, self.before.get(name))} -> {_setting_repr(name, to)}"
                for name, to in self.after.items()
            )
            return ", ".join(told)
        if self.action == "create":
            return ", ".join(f"{name}: {_setting_repr(name, value)}" for name, value in self.after.items())
        return one_line(self.room_id or "")


@frozen(kw_only=True)
class Plan:
    """What there is to do; as text a table, and false when there is nothing."""

    changes: tuple[Change, ...] = ()
    """Creations first, then updates, then deletions."""
    unchanged: int = 0
    """How many rooms are as they should be."""

    @property
    def creates(self) -> int:
        """How many rooms are missing."""
        return self._count("create")

    @property
    def updates(self) -> int:
        """How many rooms differ."""
        return self._count("update")

    @property
    def deletes(self) -> int:
        """How many rooms should not be there."""
        return self._count("delete")

    @property
    def rooms(self) -> int:
        """How many existing rooms the plan covers: without `prune` only those that are asked for."""
        return self.unchanged + self.updates + self.deletes

    def check_deletes(self, max_deletes: int | None = None) -> None:
        """Check that the plan does not delete too many rooms.

        Args:
            max_deletes: the most rooms that may be deleted; ``None`` allows half of the rooms.

        Raises:
            InvalidArgumentError: the plan deletes more, or `max_deletes` is not a whole number from 0.
        """
        if max_deletes is not None and (wrong := _count_rule(max_deletes)):
            raise InvalidArgumentError((f"max_deletes {wrong}",))
        deletes = self.deletes
        told = f"the plan deletes {deletes} of {self.rooms} rooms"
        if max_deletes is None and deletes * 2 > self.rooms:
            allow = f"max_deletes={deletes} (--max-deletes {deletes}) allows it"
            raise InvalidArgumentError((f"{told}, more than half of them: nothing was changed; {allow}",))
        if max_deletes is not None and deletes > max_deletes:
            raise InvalidArgumentError((f"{told}, and max_deletes is {max_deletes}: nothing was changed",))

    def _count(self, action: str) -> int:
        return sum(change.action == action for change in self.changes)

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __str__(self) -> str:
        to_do = f"{self.creates} to create, {self.updates} to update, {self.deletes} to delete"
        width = min(_WIDEST, max((len(change.name) for change in self.changes), default=0))
        lines = (change.line(width) for change in self.changes)
        return "\n".join([*lines, f"{to_do}, {self.unchanged} unchanged"])


def read_desired(rooms: Iterable[RoomFields]) -> Desired:
    """Read what is asked for.

    Raises:
        InvalidArgumentError: a room has no name, or that of another, or a field that is wrong: all of it. Or
            the rooms are no iterable.
    """
    if isinstance(cast("object", rooms), str | bytes | Mapping):
        raise _not_rooms(rooms)
    try:
        source = iter(rooms)
    except Exception as error:
        raise _not_rooms(rooms) from error
    desired: dict[str, Mapping[str, object]] = {}
    wrong: list[str] = []
    names = Counter[str]()
    for index, given in enumerate(source):
        try:
            body = room_body(given)
        except InvalidArgumentError as error:
            wrong += (f"room {index}: {problem}" for problem in error.problems)
            continue
        found = [f"room {index}: {problem}" for problem in _problems(body)]
        wrong += found
        if not found:
            settings = body_fields(body)
            name = str(settings.pop("unique_name"))
            names[name] += 1
            desired[name] = settings
    wrong += (
        f"unique_name {short_repr(name)} is asked for {count} times"
        for name, count in names.items()
        if count > 1
    )
    if wrong:
        more = [f"and {len(wrong) - _TOLD} more"] if len(wrong) > _TOLD else []
        raise InvalidArgumentError((*wrong[:_TOLD], *more))
    return desired


def _not_rooms(given: object) -> InvalidArgumentError:
    return InvalidArgumentError((f"desired must be an iterable of rooms, not {short_repr(given)}",))


def _problems(body: RoomBody) -> Iterator[str]:
    if body.unique_name is UNSET:
        yield "unique_name must be given: rooms are known by it"
    yield from problems(body)


def compare(desired: Desired, rooms: Iterable[Room], *, prune: bool) -> Plan:
    """Make the plan that leads from the rooms that there are to those that are asked for."""
    missing = dict(desired)
    updates: list[Change] = []
    deletes: list[Change] = []
    unchanged = 0
    for room in rooms:
        wanted = desired.get(room.unique_name or "")
        if wanted is None:
            deletes.append(_deletion(room))
        elif missing.pop(room.unique_name or "", None) is None:
            continue  # the server has two of this name: the first one is it
        elif after := differing(room, wanted):
            updates.append(_update(room, after))
        else:
            unchanged += 1
    creates = (Change(action="create", unique_name=name, after=after) for name, after in missing.items())
    return Plan(changes=(*creates, *updates, *(deletes if prune else ())), unchanged=unchanged)


def differing(room: Room, wanted: Mapping[str, object]) -> dict[str, object]:
    """Return the settings that are asked for and that the room does not have."""
    return {name: to for name, to in wanted.items() if not is_alike(getattr(room, name), to)}


def _update(room: Room, after: Mapping[str, object]) -> Change:
    before = {name: getattr(room, name) for name in after}
    return Change(action="update", unique_name=room.unique_name, room_id=room.id, before=before, after=after)


def _deletion(room: Room) -> Change:
    before = {name: had for name in _SETTINGS if (had := getattr(room, name)) not in _BLANK}
    return Change(action="delete", unique_name=room.unique_name, room_id=room.id, before=before)
