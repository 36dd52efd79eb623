"""Recordings: found, and deleted one by one or by filter."""

from collections.abc import Mapping
from typing import Final

from telnyx_rooms_async.emulator.operations.arrival import Arrival, Operation
from telnyx_rooms_async.emulator.refusals import unprocessable_as_a_whole
from telnyx_rooms_async.emulator.states import RecordingState
from telnyx_rooms_async.emulator.views import View, page_view, recording_view


def _list(told: Arrival) -> View:
    return page_view(_selected(told), told.query, lambda each: recording_view(each, told.now, told.link))


def _view(told: Arrival) -> View:
    return {"data": recording_view(told.recording, told.now, told.link)}


def _delete(told: Arrival) -> None:
    del told.account.recordings[told.recording.id]


def _delete_selected(told: Arrival) -> View:
    # Telnyx takes a page here and does not say what it does: here all that match are deleted.
    selected = _selected(told)
    told.query.refuse_if_wrong()
    if not told.query.narrows:
        # Telnyx does not say what this deletes: nothing, a page or all. Better a refusal than a guess.
        raise unprocessable_as_a_whole("at least one filter is required")
    for recording in selected:
        del told.account.recordings[recording.id]
    return {"data": {"room_recordings": len(selected)}}


def _selected(told: Arrival) -> list[RecordingState]:
    query, now = told.query, told.now
    words = {
        name: value
        for name in ("room_id", "session_id", "participant_id", "type")
        if (value := query.text(f"filter[{name}]")) is not None
    }
    status, lasts = query.text("filter[status]"), query.seconds("filter[duration_secs]")
    started, ended = query.days("filter[date_started_at]"), query.days("filter[date_ended_at]")
    return [
        recording
        for recording in told.account.recordings.values()
        if all(getattr(recording, name) == value for name, value in words.items())
        and status in (None, recording.status(now))
        and lasts(recording.duration_secs if recording.completed_at(now) else None)
        and started(recording.started_at)
        and ended(recording.ended_at)
    ]


OPERATIONS: Final[Mapping[str, Operation]] = {
    "ListRoomRecordings": _list,
    "ViewRoomRecording": _view,
    "DeleteRoomRecording": _delete,
    "DeleteRoomRecordings": _delete_selected,
}
