"""Reconciliation of rooms with the settings that they should have: ensure, plan and apply.

Rooms are identified by their names.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final, TypeAlias, cast

from attrs import fields

from telnyx_rooms_async.core.endpoints import CREATE_ROOM, DELETE_ROOM, UPDATE_ROOM
from telnyx_rooms_async.core.protocol import body_fields, build, problems
from telnyx_rooms_async.core.requests import RoomBody, room_body
from telnyx_rooms_async.core.validators import UNSET, short_repr
from telnyx_rooms_async.errors import InvalidArgumentError, NameTakenError, NotFoundError
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.models import Room
from telnyx_rooms_async.resources.results import Change, Ensured, Plan
from telnyx_rooms_async.resources.room_creation import (
    LOOK_UP_DELAYS,
    create_room,
    find_rooms,
    is_same_setting,
)

DesiredRooms: TypeAlias = Mapping[str, Mapping[str, object]]
"""The wanted settings of each room, by its name."""

_MAX_PROBLEMS: Final = 50
_ENSURE_ATTEMPTS: Final = 3
_SETTINGS: Final = tuple(field.name for field in fields(RoomBody) if field.name != "unique_name")


# --- ensure -----------------------------------------------------------------------------------------------


async def ensure_room(api: ApiSession, body: RoomBody, *, is_missing: bool = False) -> Ensured:
    """Create or update a room if needed, as `Rooms.ensure` documents it.

    A room that is missing, because it did not exist a moment ago, is created without a look-up.
    """
    name = body.unique_name
    if not isinstance(name, str):
        raise InvalidArgumentError((f"unique_name must be text, not {short_repr(name)}",))
    build(CREATE_ROOM, body=body)  # validates the body before a look-up
    with api.in_flight_calls:
        for _ in range(_ENSURE_ATTEMPTS - 1):
            with suppress(NotFoundError):  # another client deleted it between two of our requests
                return await _ensure_once(api, name, body, is_missing=is_missing)
            is_missing = False
        return await _ensure_once(api, name, body, is_missing=False)


async def _ensure_once(api: ApiSession, name: str, body: RoomBody, *, is_missing: bool) -> Ensured:
    settings = body_fields(body)
    rooms = () if is_missing else await find_rooms(name, api.call)
    if not rooms:
        try:
            room = await create_room(api, body, "find_then_resend")
            return Ensured(room=room, action="created", changed=tuple(settings))
        except NameTakenError as error:
            name_taken = error  # another client has created it just now
        for delay in (0.0, *LOOK_UP_DELAYS):
            await api.clock.sleep(delay)
            if rooms := await find_rooms(name, api.call):
                break
        else:
            raise name_taken
    room = rooms[0]
    if not (changes := _differences(room, settings)):
        return Ensured(room=room, action="unchanged")
    return Ensured(room=await _update(api, room.id, changes), action="updated", changed=tuple(changes))


async def _update(api: ApiSession, room_id: str, settings: Mapping[str, object]) -> Room:
    return await api.call(build(UPDATE_ROOM, room_id=room_id, body=room_body(settings)))


# --- plan -------------------------------------------------------------------------------------------------


def parse_desired(rooms: Iterable[Mapping[str, object]]) -> DesiredRooms:
    """Validate the desired rooms; an `InvalidArgumentError` lists the problems of all of them."""
    try:
        if isinstance(cast("object", rooms), str | bytes | Mapping):
            raise TypeError  # noqa: TRY301 - as of an object that is not iterable
        items = iter(rooms)
    except Exception as error:  # the __iter__ of a user's class can raise anything
        message = f"desired must be an iterable of rooms, not {short_repr(rooms)}"
        raise InvalidArgumentError((message,)) from error
    desired: dict[str, Mapping[str, object]] = {}
    wrong: list[str] = []
    names = Counter[str]()
    for index, room in enumerate(items):
        try:
            settings = _checked_fields(room)
        except InvalidArgumentError as error:
            wrong += (f"room {index}: {problem}" for problem in error.problems)
            continue
        name = str(settings.pop("unique_name"))
        names[name] += 1
        desired[name] = settings
    wrong += (
        f"unique_name {short_repr(name)} is used {count} times" for name, count in names.items() if count > 1
    )
    if wrong:
        more = [f"and {len(wrong) - _MAX_PROBLEMS} more"] if len(wrong) > _MAX_PROBLEMS else []
        raise InvalidArgumentError((*wrong[:_MAX_PROBLEMS], *more))
    return desired


def _checked_fields(room: Mapping[str, object]) -> dict[str, object]:
    body = room_body(room)
    wrong = ["unique_name must be given: it identifies the room"] if body.unique_name is UNSET else []
    wrong += problems(body)
    if wrong:
        raise InvalidArgumentError(tuple(wrong))
    return body_fields(body)


def compare(desired: DesiredRooms, rooms: Iterable[Room], *, prune: bool) -> Plan:
    """Return the plan that makes the existing rooms as desired."""
    missing = dict(desired)
    updates: list[Change] = []
    deletes: list[Change] = []
    unchanged = 0
    for room in rooms:
        settings = desired.get(room.unique_name or "")
        if settings is None:
            before = {name: value for name in _SETTINGS if (value := getattr(room, name)) not in (None, "")}
            change = Change(action="delete", unique_name=room.unique_name, room_id=room.id, before=before)
            deletes.append(change)
        elif missing.pop(room.unique_name or "", None) is None:
            continue  # the server lists two rooms of this name: the first one counts
        elif after := _differences(room, settings):
            before = {name: getattr(room, name) for name in after}
            change = Change(
                action="update", unique_name=room.unique_name, room_id=room.id, before=before, after=after
            )
            updates.append(change)
        else:
            unchanged += 1
    creates = (Change(action="create", unique_name=name, after=after) for name, after in missing.items())
    return Plan(changes=(*creates, *updates, *(deletes if prune else ())), unchanged=unchanged)


def _differences(room: Room, settings: Mapping[str, object]) -> dict[str, object]:
    """Return the settings that the room does not have."""
    return {
        name: value for name, value in settings.items() if not is_same_setting(getattr(room, name), value)
    }


# --- apply ------------------------------------------------------------------------------------------------


async def apply_change(api: ApiSession, change: Change, _: float | None) -> Room | None:
    """Apply one change of a plan, as `Rooms.apply` documents it."""
    if change.action == "create":
        body = room_body({"unique_name": change.unique_name, **change.after})
        return (await ensure_room(api, body, is_missing=True)).room
    room_id = change.room_id or ""
    if change.action == "update":
        return await _update(api, room_id, change.after)
    if change.action != "delete":
        problem = f"the action must be create, update or delete, not {short_repr(change.action)}"
        raise InvalidArgumentError((problem,))
    with suppress(NotFoundError):  # another client has deleted it
        await api.call(build(DELETE_ROOM, room_id=room_id))
    return None
