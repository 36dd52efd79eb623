"""Participants: who is or was in a session."""

from collections.abc import Iterable, Mapping
from typing import Final

from telnyx_rooms_async.emulator.operations.arrival import Arrival, Operation
from telnyx_rooms_async.emulator.states import ParticipantState
from telnyx_rooms_async.emulator.views import View, page_view, participant_view


def _list_of_session(told: Arrival) -> View:
    return _page(told, told.session.participants)


def _list(told: Arrival) -> View:
    session_id = told.query.text("filter[session_id]")
    people = told.account.participants.values()
    return _page(told, (person for person in people if session_id in (None, person.session_id)))


def _page(told: Arrival, people: Iterable[ParticipantState]) -> View:
    query = told.query
    joined, updated = query.days("filter[date_joined_at]"), query.days("filter[date_updated_at]")
    left, context = query.days("filter[date_left_at]"), query.text("filter[context]")
    found = [
        person
        for person in people
        if joined(person.joined_at)
        and updated(person.updated_at)
        and left(person.left_at)
        and context in (None, person.context)
    ]
    return page_view(found, query, participant_view)


def _view(told: Arrival) -> View:
    return {"data": participant_view(told.participant)}


OPERATIONS: Final[Mapping[str, Operation]] = {
    "RetrieveListRoomParticipants": _list_of_session,
    "ListRoomParticipants": _list,
    "ViewRoomParticipant": _view,
}
