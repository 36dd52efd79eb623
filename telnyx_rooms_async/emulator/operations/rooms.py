"""Rooms: made, found, changed, deleted."""

from collections.abc import Mapping
from typing import Any, Final

from telnyx_rooms_async.emulator.bodies import ROOM, Body
from telnyx_rooms_async.emulator.operations.arrival import Arrival, Operation
from telnyx_rooms_async.emulator.views import View, page_view, room_view


def _list(told: Arrival) -> View:
    query = told.query
    created, updated = query.days("filter[date_created_at]"), query.days("filter[date_updated_at]")
    name, include = query.text("filter[unique_name]"), query.flag("include_sessions")
    found = [
        room
        for room in told.account.rooms.values()
        if created(room.created_at) and updated(room.updated_at) and name in (None, room.unique_name)
    ]
    return page_view(found, query, lambda room: room_view(room, include_sessions=bool(include)))


def _create(told: Arrival) -> View:
    return {"data": room_view(told.account.create_room(_fields(told)))}


def _view(told: Arrival) -> View:
    include = told.query.flag("include_sessions")
    told.query.refuse_if_wrong()
    return {"data": room_view(told.room, include_sessions=bool(include))}


def _update(told: Arrival) -> View:
    room = told.room
    told.account.update_room(room, _fields(told, room_id=room.id))
    return {"data": room_view(room)}


def _delete(told: Arrival) -> None:
    told.account.delete_room(told.room)


def _fields(told: Arrival, *, room_id: str | None = None) -> dict[str, Any]:
    body = Body.read(told.body)
    fields = body.take(ROOM)
    name = fields.get("unique_name")
    if isinstance(name, str) and not told.account.is_name_free(name, for_room=room_id):
        body.blame("unique_name", "10027", "Unprocessable Entity", "has already been taken")
    body.refuse_if_wrong()
    return fields


OPERATIONS: Final[Mapping[str, Operation]] = {
    "ListRooms": _list,
    "CreateRoom": _create,
    "ViewRoom": _view,
    "UpdateRoom": _update,
    "DeleteRoom": _delete,
}
