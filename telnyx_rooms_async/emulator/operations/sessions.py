"""Sessions: found, ended, and what is done to those who are in one."""

from collections.abc import Iterable, Mapping
from typing import Final

from telnyx_rooms_async.emulator.bodies import PARTICIPANTS, Body
from telnyx_rooms_async.emulator.operations.arrival import Arrival, Operation
from telnyx_rooms_async.emulator.refusals import unprocessable_as_a_whole
from telnyx_rooms_async.emulator.states import ParticipantState, SessionState
from telnyx_rooms_async.emulator.views import View, page_view, session_view

_OK: Final = {"data": {"result": "ok"}}


def _list_of_room(told: Arrival) -> View:
    return _page(told, told.room.sessions)


def _list(told: Arrival) -> View:
    room_id = told.query.text("filter[room_id]")
    sessions = told.account.sessions.values()
    return _page(told, (session for session in sessions if room_id in (None, session.room_id)))


def _page(told: Arrival, sessions: Iterable[SessionState]) -> View:
    query = told.query
    created, updated = query.days("filter[date_created_at]"), query.days("filter[date_updated_at]")
    ended, active = query.days("filter[date_ended_at]"), query.flag("filter[active]")
    include = query.flag("include_participants")
    found = [
        session
        for session in sessions
        if created(session.created_at)
        and updated(session.updated_at)
        and ended(session.ended_at)
        and active in (None, session.active)
    ]
    return page_view(found, query, lambda each: session_view(each, include_participants=bool(include)))


def _view(told: Arrival) -> View:
    include = told.query.flag("include_participants")
    told.query.refuse_if_wrong()
    return {"data": session_view(told.session, include_participants=bool(include))}


def _end(told: Arrival) -> View:
    told.account.end(_going_on(told))
    return _OK


def _kick(told: Arrival) -> View:
    told.account.kick(told.session, _meant(told))
    return _OK


def _mute(told: Arrival) -> View:
    for person in _meant(told):
        person.muted = True
    return _OK


def _unmute(told: Arrival) -> View:
    for person in _meant(told):
        person.muted = False
    return _OK


def _meant(told: Arrival) -> list[ParticipantState]:
    """Tell who of those present an action is for.

    Whoever is not there is passed over: people leave between the listing and the acting. Without
    ``participants`` the action is refused: Telnyx does not say whom it would be for.
    """
    session, body = told.session, Body.read(told.body)
    asked = body.take(PARTICIPANTS, required=["participants"])
    body.refuse_if_wrong()
    chosen, exclude = asked["participants"], asked.get("exclude", [])
    _going_on(told)
    return [
        each for each in session.present if (chosen == "all" or each.id in chosen) and each.id not in exclude
    ]


def _going_on(told: Arrival) -> SessionState:
    session = told.session
    if not session.active:
        # What production has seen for `end`; no server holds the session any more, so for the rest too.
        raise unprocessable_as_a_whole("No private_ip for room")
    return session


OPERATIONS: Final[Mapping[str, Operation]] = {
    "RetrieveListRoomSessions": _list_of_room,
    "ListRoomSessions": _list,
    "ViewRoomSession": _view,
    "EndSession": _end,
    "KickParticipantInSession": _kick,
    "MuteParticipantInSession": _mute,
    "UnmuteParticipantInSession": _unmute,
}
