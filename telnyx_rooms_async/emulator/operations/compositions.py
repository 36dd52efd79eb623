"""Compositions: asked for, found, deleted."""

from collections.abc import Mapping
from typing import Any, Final

from telnyx_rooms_async.emulator.bodies import COMPOSITION, Body
from telnyx_rooms_async.emulator.checks import step, wrong
from telnyx_rooms_async.emulator.operations.arrival import Arrival, Operation
from telnyx_rooms_async.emulator.refusals import Entry, unprocessable, unprocessable_as_a_whole
from telnyx_rooms_async.emulator.states import CompositionState, SessionState
from telnyx_rooms_async.emulator.views import View, composition_view, page_view


def _list(told: Arrival) -> View:
    query = told.query
    session_id, created = query.text("filter[session_id]"), query.days("filter[date_created_at]")
    status = query.choice("filter[status]", "completed", "processing", "enqueued")
    found = [
        composition
        for composition in told.account.compositions.values()
        if session_id in (None, composition.session_id)
        and status in (None, composition.status(told.now))
        and created(composition.created_at)
    ]
    return page_view(found, query, lambda each: composition_view(each, told.now, told.link))


def _create(told: Arrival) -> View:
    body = Body.read(told.body)
    # The API reference requires no field at all, but nothing can be composed of no session.
    asked = body.take(COMPOSITION, required=["session_id"])
    body.refuse_if_wrong()
    session = told.account.sessions.get(asked["session_id"])
    if session is None:
        raise unprocessable([_unusable("session_id", "is the id of no session")])
    sources = _sources(told, session)
    if not sources:
        raise unprocessable_as_a_whole("The session has no video recording")
    layout: Mapping[str, Mapping[str, Any]] = asked.get("video_layout", {})
    strange = [
        _unusable(f"video_layout/{step(name)}/video_sources", "must be video recordings of the session")
        for name, region in layout.items()
        if not sources.issuperset(region.get("video_sources", []))
    ]
    if strange:
        raise unprocessable(strange)
    return _shown(told, told.account.compose(session, asked))


def _view(told: Arrival) -> View:
    return _shown(told, told.composition)


def _delete(told: Arrival) -> None:
    del told.account.compositions[told.composition.id]


def _shown(told: Arrival, composition: CompositionState) -> View:
    return {"data": composition_view(composition, told.now, told.link)}


def _sources(told: Arrival, session: SessionState) -> set[str]:
    """Tell what a region may show: the videos of a session and the star for all, or nothing."""
    recordings = told.account.recordings.values()
    videos = {each.id for each in recordings if (each.session_id, each.type) == (session.id, "video")}
    return videos and videos | {"*"}


def _unusable(at: str, detail: str) -> Entry:
    return wrong(f"/{at}", "10027", "Unprocessable Entity", detail)


OPERATIONS: Final[Mapping[str, Operation]] = {
    "ListRoomCompositions": _list,
    "CreateRoomComposition": _create,
    "ViewRoomComposition": _view,
    "DeleteRoomComposition": _delete,
}
