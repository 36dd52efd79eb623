"""What the emulated Telnyx does for each operation: the rows of the endpoint table, carried out. No HTTP."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from attrs import frozen

from telnyx_rooms_async.core import endpoints
from telnyx_rooms_async.emulator.account import Account, RoomState
from telnyx_rooms_async.emulator.checks import Query, room_fields
from telnyx_rooms_async.emulator.refusals import not_found
from telnyx_rooms_async.emulator.views import View, page_view, room_view, session_view


@frozen
class Arrival:
    """A request whose key was good: the ids of its path, its query and its body."""

    account: Account
    ids: Mapping[str, str]
    query: Query
    body: bytes

    @property
    def room(self) -> RoomState:
        """The room that the path names.

        Raises:
            RefusalError: 404, when there is none.
        """
        if room := self.account.rooms.get(self.ids["room_id"]):
            return room
        raise not_found()


Operation: TypeAlias = Callable[[Arrival], View | None]
"""Returns the body of a success, or ``None`` for none; raises `RefusalError`."""


def _list_rooms(told: Arrival) -> View:
    query = told.query
    created, updated = query.days("date_created_at"), query.days("date_updated_at")
    name, include = query.text("filter[unique_name]"), query.flag("include_sessions")
    found = [
        room
        for room in told.account.rooms.values()
        if created(room.created_at) and updated(room.updated_at) and name in (None, room.unique_name)
    ]
    return page_view(found, query, lambda room: room_view(room, include_sessions=bool(include)))


def _create_room(told: Arrival) -> View:
    fields = room_fields(told.body, told.account)
    return {"data": room_view(told.account.create_room(fields))}


def _view_room(told: Arrival) -> View:
    include = told.query.flag("include_sessions")
    told.query.refuse_if_wrong()
    return {"data": room_view(told.room, include_sessions=bool(include))}


def _update_room(told: Arrival) -> View:
    room = told.room
    told.account.update_room(room, room_fields(told.body, told.account, room_id=room.id))
    return {"data": room_view(room)}


def _delete_room(told: Arrival) -> None:
    told.account.delete_room(told.room)


def _list_room_sessions(told: Arrival) -> View:
    query = told.query
    created, updated, ended = map(query.days, ("date_created_at", "date_updated_at", "date_ended_at"))
    active, include = query.flag("filter[active]"), query.flag("include_participants")
    found = [
        session
        for session in told.room.sessions
        if created(session.created_at)
        and updated(session.updated_at)
        and ended(session.ended_at)
        and active in (None, session.active)
    ]
    return page_view(found, query, lambda each: session_view(each, include_participants=bool(include)))


OPERATIONS: Final[Mapping[str, Operation]] = {
    endpoints.LIST_ROOMS.operation: _list_rooms,
    endpoints.CREATE_ROOM.operation: _create_room,
    endpoints.RETRIEVE_ROOM.operation: _view_room,
    endpoints.UPDATE_ROOM.operation: _update_room,
    endpoints.DELETE_ROOM.operation: _delete_room,
    endpoints.LIST_ROOM_SESSIONS.operation: _list_room_sessions,
}
