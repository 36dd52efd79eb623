"""RoomTracker: the state of a room from events in any order."""

import itertools
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import define, evolve, field
from hypothesis import given
from hypothesis import strategies as st

from telnyx_rooms_async import RoomParticipant, RoomRecording, RoomSession
from telnyx_rooms_async.webhooks import (
    CompositionCompletedPayload,
    Event,
    ParticipantJoinedPayload,
    ParticipantLeftPayload,
    RecordingCompletedPayload,
    RecordingStartedPayload,
    RoomCompositionCompleted,
    RoomParticipantJoined,
    RoomParticipantLeft,
    RoomRecordingCompleted,
    RoomRecordingStarted,
    RoomSessionEnded,
    RoomSessionStarted,
    RoomTracker,
    SessionEndedPayload,
    SessionStartedPayload,
    UnknownEvent,
)

START = datetime(2021, 4, 25, 12, tzinfo=UTC)


@define
class RoomModel:
    """A room with its true state, and the events that Telnyx would send. No two have the same time."""

    room_id: str = "room"
    now: datetime = START
    events: list[Event] = field(factory=list[Event])
    session: RoomSession | None = None
    participants: dict[str, RoomParticipant] = field(factory=dict[str, RoomParticipant])
    recordings: dict[str, RoomRecording] = field(factory=dict[str, RoomRecording])
    _ids: "itertools.count[int]" = field(factory=lambda: itertools.count(1))

    def _new_id(self, noun: str) -> str:
        return f"{self.room_id} {noun} {next(self._ids)}"

    def _send(self, event_class: type[Any], payload: object) -> None:
        self.events.append(event_class(id=self._new_id("event"), occurred_at=self.now, payload=payload))
        self.now += timedelta(milliseconds=1)

    def join(self) -> None:
        if self.session is None:
            self.session = RoomSession(
                id=self._new_id("session"), room_id=self.room_id, active=True, created_at=self.now
            )
            started = SessionStartedPayload(room_id=self.room_id, session_id=self.session.id)
            self._send(RoomSessionStarted, started)
        participant = RoomParticipant(
            id=self._new_id("person"), session_id=self.session.id, context="Alice", joined_at=self.now
        )
        self.participants[participant.id] = participant
        ids: dict[str, Any] = {
            "room_id": self.room_id,
            "session_id": self.session.id,
            "participant_id": participant.id,
        }
        self._send(RoomParticipantJoined, ParticipantJoinedPayload(**ids, context="Alice"))
        recording = RoomRecording(
            id=self._new_id("recording"), **ids, type="audio", status="processing", started_at=self.now
        )
        self.recordings[recording.id] = recording
        self._send(
            RoomRecordingStarted, RecordingStartedPayload(**ids, recording_id=recording.id, type="audio")
        )

    def leave(self) -> None:
        """Remove the participant who joined first; the last one ends the session."""
        if self.session is None:
            return
        ids: dict[str, Any] = {"room_id": self.room_id, "session_id": self.session.id}
        participant = self.participants.pop(next(iter(self.participants)))
        self._send(RoomParticipantLeft, ParticipantLeftPayload(**ids, participant_id=participant.id))
        if not self.participants:
            self._send(RoomSessionEnded, SessionEndedPayload(**ids))
            self.session = None

    def complete(self) -> None:
        """Complete the oldest recording. Its event has no type, as was observed."""
        pending = (it for it in self.recordings.values() if it.status == "processing")
        if (recording := next(pending, None)) is None:
            return
        file: dict[str, Any] = {
            "size_mb": 5.6,
            "duration_secs": 9,
            "codec": "opus",
            "download_url": "https://example.com/file",
        }
        self.recordings[recording.id] = evolve(recording, status="completed", completed_at=self.now, **file)
        payload = RecordingCompletedPayload(
            room_id=self.room_id, session_id=recording.session_id, recording_id=recording.id, **file
        )
        self._send(RoomRecordingCompleted, payload)


def simulate(steps: Iterable[str], room_id: str = "room") -> RoomModel:
    model = RoomModel(room_id)
    for step in steps:
        getattr(model, step)()
    return model


def state_of(events: Iterable[Event]) -> tuple[Any, Any, Any]:
    tracker = RoomTracker("room")
    for event in events:
        tracker.feed(event)
    return tracker.session, tracker.participants, tracker.recordings


MODELS = st.lists(st.sampled_from(["join", "join", "leave", "leave", "complete"]), max_size=30).map(simulate)


@given(MODELS, st.data())
def test_shuffled_and_repeated_events_lead_to_the_true_state(model: RoomModel, data: st.DataObject) -> None:
    repeated = data.draw(st.lists(st.sampled_from(model.events)) if model.events else st.just([]))
    others = simulate(["join", "leave", "join"], "another room").events
    events = data.draw(st.permutations([*model.events, *repeated, *others]))
    expected = model.session, tuple(model.participants.values()), tuple(model.recordings.values())
    assert state_of(events) == expected


@given(MODELS, st.data())
def test_order_does_not_matter_when_events_are_missing(model: RoomModel, data: st.DataObject) -> None:
    part = data.draw(st.lists(st.sampled_from(model.events), unique_by=id) if model.events else st.just([]))
    assert state_of(part) == state_of(data.draw(st.permutations(part)))


def test_participants_of_an_ended_session_are_gone() -> None:
    model = simulate(["join", "join", "leave", "leave"])
    without_left = [event for event in model.events if not isinstance(event, RoomParticipantLeft)]
    for events in (without_left, reversed(without_left)):
        assert state_of(events)[:2] == (None, ())


def test_later_session_ends_the_one_before() -> None:
    model = simulate(["join", "leave", "join"])
    assert state_of(e for e in model.events if not isinstance(e, RoomSessionEnded))[0] == model.session
    model.leave()
    first_end = next(event for event in model.events if isinstance(event, RoomSessionEnded))
    assert state_of(event for event in model.events if event is not first_end)[0] is None


def test_session_without_a_start_event_is_known_by_its_participants() -> None:
    model = simulate(["join"])
    session, participants, _ = state_of([model.events[1]])
    assert session == RoomSession(id="room session 1", room_id="room", active=True)
    assert participants == tuple(model.participants.values())


@pytest.mark.parametrize(("seconds", "present"), [(-1, False), (0, False), (1, True)])
def test_newest_of_joining_and_leaving_counts(seconds: float, *, present: bool) -> None:
    ids: dict[str, Any] = {"room_id": "room", "session_id": "session", "participant_id": "Alice"}

    def joined(offset: float) -> Event:
        occurred_at = START + timedelta(seconds=offset)
        return RoomParticipantJoined(
            id=f"+{offset}", occurred_at=occurred_at, payload=ParticipantJoinedPayload(**ids)
        )

    left = RoomParticipantLeft(id="-", occurred_at=START, payload=ParticipantLeftPayload(**ids))
    for events in itertools.permutations([joined(-2), joined(seconds), left]):
        assert len(state_of(events)[1]) == present


def test_event_without_a_time_is_tracked() -> None:
    payload = ParticipantJoinedPayload(room_id="room", session_id="session", participant_id="Alice")
    assert len(state_of([RoomParticipantJoined(id="1", payload=payload)])[1]) == 1


def test_events_of_other_types_and_without_ids_are_ignored() -> None:
    events: list[Event] = [
        UnknownEvent(id="1", event_type="call.initiated", payload={"room_id": "room"}),
        RoomCompositionCompleted(id="2", payload=CompositionCompletedPayload(session_id="session")),
        RoomSessionStarted(id="3"),
        RoomSessionStarted(id="4", payload=SessionStartedPayload(room_id="room")),
        RoomParticipantJoined(id="5", payload=ParticipantJoinedPayload(room_id="room", session_id="session")),
    ]
    assert state_of(events) == (None, (), ())


def test_event_without_a_room_counts_once_its_session_is_known() -> None:
    model = simulate(["join"])
    tracked: list[Any] = model.events[1:]
    events = [evolve(event, payload=evolve(event.payload, room_id=None)) for event in tracked]
    assert state_of(events) == (None, (), ())
    expected = model.session, tuple(model.participants.values()), tuple(model.recordings.values())
    assert state_of([*events, model.events[0]]) == expected
    assert state_of([model.events[0], *events]) == expected


def test_oldest_ended_session_is_forgotten_and_does_not_come_back() -> None:
    model = simulate(["join", "leave"] * 5 + ["join"])
    tracker = RoomTracker("room", limit=2)
    for event in [*model.events, model.events[1], model.events[0]]:
        tracker.feed(event)
    assert repr(tracker) == "<RoomTracker of room: 2 sessions>"
    assert tracker.session == model.session
    assert tracker.participants == tuple(model.participants.values())
    assert tracker.recordings == tuple(model.recordings.values())[-2:]


def test_cost_of_an_event_does_not_depend_on_the_number_of_sessions() -> None:
    events = simulate(["join", "leave"] * 600).events

    def calls_for_the_last_events(limit: int) -> int:
        tracker, calls = RoomTracker("room", limit=limit), 0
        for event in events[:-50]:
            tracker.feed(event)

        def count(*_: object) -> None:
            nonlocal calls
            calls += 1

        sys.setprofile(count)
        try:
            for event in events[-50:]:
                tracker.feed(event)
                tracker.session, tracker.participants, tracker.recordings  # noqa: B018 - reads them
        finally:
            sys.setprofile(None)
        return calls

    assert calls_for_the_last_events(500) < 1.2 * calls_for_the_last_events(20)
