"""A room's state out of its events, in whatever order they come."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import define, evolve, field
from hypothesis import given
from hypothesis import strategies as st

from telnyx_rooms_async import (
    CompositionCompletedPayload,
    Event,
    ParticipantJoinedPayload,
    ParticipantLeftPayload,
    RecordingCompletedPayload,
    RecordingStartedPayload,
    RoomCompositionCompleted,
    RoomParticipant,
    RoomParticipantJoined,
    RoomParticipantLeft,
    RoomRecording,
    RoomRecordingCompleted,
    RoomRecordingStarted,
    RoomSession,
    RoomSessionEnded,
    RoomSessionStarted,
    RoomTracker,
    SessionEndedPayload,
    SessionStartedPayload,
    UnknownEvent,
)

START = datetime(2021, 4, 25, 12, tzinfo=UTC)


@define
class Life:
    """Plays a room, notes what Telnyx would tell, and knows how it stands."""

    room_id: str = "room"
    now: datetime = START
    told: list[Event] = field(factory=list[Event])
    session: RoomSession | None = None
    people: dict[str, RoomParticipant] = field(factory=dict[str, RoomParticipant])
    recordings: dict[str, RoomRecording] = field(factory=dict[str, RoomRecording])
    _ids: "itertools.count[int]" = field(factory=lambda: itertools.count(1))

    def new_id(self, kind: str) -> str:
        """Make an id up."""
        return f"{self.room_id} {kind} {next(self._ids)}"

    def tell(self, kind: type[Any], payload: object) -> None:
        """Note an event; each takes a while, so that no two happen at once."""
        self.told.append(kind(id=self.new_id("event"), occurred_at=self.now, payload=payload))
        self.now += timedelta(milliseconds=1)

    def join(self) -> None:
        """Let one more in."""
        if self.session is None:
            self.session = RoomSession(
                id=self.new_id("session"), room_id=self.room_id, active=True, created_at=self.now
            )
            here = SessionStartedPayload(room_id=self.room_id, session_id=self.session.id)
            self.tell(RoomSessionStarted, here)
        who = RoomParticipant(
            id=self.new_id("person"), session_id=self.session.id, context="Alice", joined_at=self.now
        )
        self.people[who.id] = who
        where: dict[str, Any] = {
            "room_id": self.room_id,
            "session_id": self.session.id,
            "participant_id": who.id,
        }
        self.tell(RoomParticipantJoined, ParticipantJoinedPayload(**where, context="Alice"))
        recording = RoomRecording(
            id=self.new_id("recording"), **where, type="audio", status="processing", started_at=self.now
        )
        self.recordings[recording.id] = recording
        this = RecordingStartedPayload(**where, recording_id=recording.id, type="audio")
        self.tell(RoomRecordingStarted, this)

    def leave(self) -> None:
        """Let the one out who has been there longest; the last one ends the session."""
        if self.session is None:
            return
        where: dict[str, Any] = {"room_id": self.room_id, "session_id": self.session.id}
        who = self.people.pop(next(iter(self.people)))
        self.tell(RoomParticipantLeft, ParticipantLeftPayload(**where, participant_id=who.id))
        if not self.people:
            self.tell(RoomSessionEnded, SessionEndedPayload(**where))
            self.session = None

    def complete(self) -> None:
        """Complete the oldest recording. Its event has been seen without a type."""
        for recording in self.recordings.values():
            if recording.status == "processing":
                file: dict[str, Any] = {
                    "size_mb": 5.6,
                    "duration_secs": 9,
                    "codec": "opus",
                    "download_url": "https://example.com/file",
                }
                done = evolve(recording, status="completed", completed_at=self.now, **file)
                self.recordings[recording.id] = done
                this = RecordingCompletedPayload(
                    room_id=self.room_id,
                    session_id=recording.session_id,
                    recording_id=recording.id,
                    **file,
                )
                return self.tell(RoomRecordingCompleted, this)
        return None


def play(steps: list[str], room_id: str = "room") -> Life:
    """Play a life."""
    life = Life(room_id)
    for step in steps:
        getattr(life, step)()
    return life


def state_of(room_id: str, events: list[Event]) -> tuple[object, ...]:
    """Return what a new timeline makes of some events."""
    timeline = RoomTracker(room_id)
    for event in events:
        timeline.feed(event)
    return timeline.session, timeline.participants, timeline.recordings


LIVES = st.lists(st.sampled_from(["join", "join", "leave", "leave", "complete"]), max_size=30).map(play)


@given(LIVES, st.data())
def test_order_and_repetition_make_no_difference(life: Life, chosen: st.DataObject) -> None:
    """Shuffled, with a part of them twice and another room's among them, events come to the true state."""
    twice = chosen.draw(st.lists(st.sampled_from(life.told)) if life.told else st.just([]))
    others = play(["join", "leave", "join"], "another room").told
    events = chosen.draw(st.permutations([*life.told, *twice, *others]))
    people = tuple(life.people.values())
    recordings = tuple(life.recordings.values())
    assert state_of("room", events) == (life.session, people, recordings)


@given(LIVES, st.data())
def test_a_part_of_the_events_has_one_state_too(life: Life, chosen: st.DataObject) -> None:
    """Whichever events are missing, the others come to the same state in every order."""
    part = chosen.draw(st.lists(st.sampled_from(life.told), unique_by=id) if life.told else st.just([]))
    again = chosen.draw(st.permutations(part))
    assert state_of("room", part) == state_of("room", again)


def test_who_is_told_of_late_does_not_come_back() -> None:
    """The end of a session is the end of it for everybody, though their leaving was not told."""
    life = play(["join", "join"])
    joined = [event for event in life.told if isinstance(event, RoomParticipantJoined)]
    life.leave()
    life.leave()
    (ended,) = (event for event in life.told if isinstance(event, RoomSessionEnded))
    assert state_of("room", [ended, *joined])[:2] == (None, ())


def test_a_later_session_is_the_end_of_the_one_before() -> None:
    """A session whose end was never told is over when another one has started."""
    life = play(["join", "leave", "join"])
    assert state_of("room", [e for e in life.told if not isinstance(e, RoomSessionEnded)])[0] == life.session
    life.leave()
    (first, second) = (e for e in life.told if isinstance(e, RoomSessionEnded))
    assert state_of("room", [e for e in life.told if e is not first])[0] is None
    assert second in life.told


def test_a_session_is_known_by_its_people() -> None:
    """While the start of a session is not told, it goes on nevertheless; since when is not known."""
    joined = play(["join"]).told[1]
    session, people, _ = state_of("room", [joined])
    assert session == RoomSession(id="room session 1", room_id="room", active=True)
    assert people == tuple(play(["join"]).people.values())


def test_one_who_comes_again_is_there() -> None:
    """The newest of joining and leaving counts; at the same instant, leaving; without one, joining."""
    where: dict[str, Any] = {"room_id": "room", "session_id": "session", "participant_id": "Alice"}

    def joined(seconds: float | None) -> Event:
        moment = None if seconds is None else START + timedelta(seconds=seconds)
        return RoomParticipantJoined(
            id=f"+{seconds}", occurred_at=moment, payload=ParticipantJoinedPayload(**where)
        )

    left = RoomParticipantLeft(id="-", occurred_at=START, payload=ParticipantLeftPayload(**where))
    for seconds, present in ((-1, 0), (0, 0), (1, 1)):
        for events in itertools.permutations([joined(-2), joined(seconds), left]):
            people = state_of("room", list(events))[1]
            assert isinstance(people, tuple)
            assert len(people) == present
    assert len(RoomTracker("room").participants) == 0
    assert state_of("room", [joined(None)])[1] != ()


def test_what_belongs_nowhere_is_passed_over() -> None:
    """Events of other types, or that do not say what they are about, change nothing."""
    odd: list[Event] = [
        UnknownEvent(id="1", event_type="call.initiated", payload={"room_id": "room"}),
        RoomCompositionCompleted(id="2", payload=CompositionCompletedPayload(session_id="session")),
        RoomSessionStarted(id="3"),
        RoomSessionStarted(id="4", payload=SessionStartedPayload(room_id="room")),
        RoomParticipantJoined(id="5", payload=ParticipantJoinedPayload(room_id="room", session_id="session")),
    ]
    assert state_of("room", odd) == (None, (), ())


def test_an_event_without_a_room_belongs_to_its_session() -> None:
    """An event that does not name its room counts as soon as its session is known to be there."""
    life = play(["join"])
    start, joined, _ = life.told
    assert isinstance(joined, RoomParticipantJoined)
    lost = evolve(joined, payload=evolve(joined.payload, room_id=None))
    assert state_of("room", [lost]) == (None, (), ())
    assert state_of("room", [lost, start])[1] == tuple(life.people.values())
    assert state_of("room", [start, lost])[1] == tuple(life.people.values())


def test_old_sessions_are_forgotten() -> None:
    """Beyond the limit the oldest that ended are forgotten, and do not come back with a late event."""
    life = play(["join", "leave"] * 5 + ["join"])
    timeline = RoomTracker("room", limit=2)
    for event in [*life.told, life.told[1], life.told[0]]:
        timeline.feed(event)
    assert repr(timeline) == "<RoomTracker of room: 2 sessions>"
    assert timeline.session == life.session
    assert timeline.participants == tuple(life.people.values())
    assert timeline.recordings == tuple(life.recordings.values())[-2:]
