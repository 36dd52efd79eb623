"""History of an account: sessions on past working days, with participants, recordings and compositions."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import count
from operator import attrgetter
from random import Random
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

from attrs import define, evolve, field

from telnyx_rooms_async.emulator.models import (
    CompositionState,
    ParticipantState,
    RecordingState,
    RoomState,
    SessionState,
)
from telnyx_rooms_async.emulator.state import State

_FIRST_NAMES: Final = "Alice Bob Chloé Dmitri Emeka Fatima Giulia Hiroshi Inès Jürgen 李娜 محمد נועה 🎧Max"
_LAST_NAMES: Final = "Abe Brown Costa Dubois Evans Fischer García Haddad Ivanova Jones Kim Lévy Müller"
_PEOPLE: Final = [f"{first} {last}" for first in _FIRST_NAMES.split() for last in _LAST_NAMES.split()]
_OPENING, _OPEN_TIME, _MAX_LENGTH = timedelta(hours=8), timedelta(hours=10), timedelta(minutes=90)
_FRIDAY: Final = 4
_WEIGHTS: Final = (82, 10, 5, 3)


class _Stay(NamedTuple):
    context: str
    joined_at: datetime
    left_at: datetime | None


_Meeting: TypeAlias = tuple[RoomState, list[_Stay]]


@define
class HistoryWriter:
    """Writes a history, which follows from the current time and the random numbers, ids included."""

    _state: State
    _random: Random
    _meeting_numbers: Iterator[int] = field(factory=count, init=False)

    def write(self, names: Iterable[str], days: int, sessions: int | None) -> None:
        """Create rooms with sessions on every working day; see `Emulator.seed_history`."""
        now = self._state.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        past = [midnight - timedelta(days=number) for number in range(days, 0, -1)]
        workdays = [day for day in past if day.weekday() <= _FRIDAY] or past
        rooms = [self._add_room(name, past[0], is_recorded=i % 10 == 0) for i, name in enumerate(names)]
        fewest, extra = divmod(sessions or 0, len(rooms) * len(workdays))
        for number, day in enumerate(workdays):
            meetings: list[_Meeting] = []
            for position, room in enumerate(rooms, number * len(rooms)):
                amount = self._random.randint(1, 5) if sessions is None else fewest + (position < extra)
                meetings += ((room, stays) for stays in self._meetings_of(day, amount, now))
            self._add(meetings)
        for room in rooms[::10]:
            first, *others = self._stays(now - timedelta(minutes=50), timedelta(minutes=45))
            self._add([(room, [first, *(stay._replace(left_at=None) for stay in others)])], are_ended=False)

    def _meetings_of(self, day: datetime, amount: int, now: datetime) -> Iterator[list[_Stay]]:
        """Yield the stays of the meetings of a room on a day, which follow each other. Some are unusual."""
        for number in range(amount):
            start = day + _OPENING + number * (_OPEN_TIME / amount)
            length = min(_OPEN_TIME / amount, _MAX_LENGTH)
            variant = next(self._meeting_numbers) % 40
            is_last = number == amount - 1 and day.weekday() == _FRIDAY and now - day > timedelta(days=3)
            stays = self._stays(start, timedelta(hours=28) if is_last and variant % 2 else length)
            first = stays[0]
            match variant:
                case 0:  # all join in the same microsecond
                    stays = [stay._replace(joined_at=start) for stay in stays]
                case 10:  # by clock skew
                    stays[0] = first._replace(left_at=first.joined_at - timedelta(seconds=2))
                case 20:  # the session ends, but Telnyx does not say when this participant left
                    stays[0] = first._replace(left_at=None)
                case 30:
                    stays[0] = first._replace(left_at=first.joined_at)
                case _:
                    pass
            yield stays

    def _stays(self, start: datetime, length: timedelta) -> list[_Stay]:
        """Return the stays of two to eight people, two of some of them."""
        uniform = self._random.uniform
        stays: list[_Stay] = []
        for person in self._random.sample(_PEOPLE, self._random.randint(2, 8)):
            joined_at, left_at = start + length * uniform(0, 0.1), start + length * uniform(0.8, 0.95)
            middle = start + length * uniform(0.2, 0.7)
            match self._random.choices(("usual", "reconnects", "second device", "no context"), _WEIGHTS)[0]:
                case "reconnects":
                    stays += (_Stay(person, joined_at, middle), _Stay(person, middle + length / 50, left_at))
                case "second device":
                    stays += (_Stay(person, joined_at, left_at), _Stay(person, middle, left_at))
                case behaviour:
                    stays.append(_Stay("" if behaviour == "no context" else person, joined_at, left_at))
        return stays

    # --- records --------------------------------------------------------------------------------------------

    def _id(self) -> str:
        # An earlier history of the same random numbers has the same ids.
        ids = (str(UUID(int=self._random.getrandbits(128), version=4)) for _ in count())
        return next(new_id for new_id in ids if not self._state.has_record(new_id))

    def _add_room(self, name: str, now: datetime, *, is_recorded: bool) -> RoomState:
        room = RoomState(
            id=self._id(),
            unique_name=name,
            max_participants=50,
            enable_recording=is_recorded,
            created_at=now,
            updated_at=now,
        )
        self._state.rooms.add(room)
        return room

    def _add(self, meetings: list[_Meeting], *, are_ended: bool = True) -> None:
        """Add the sessions and participants of meetings in the order in which they started and joined."""
        participants: list[ParticipantState] = []
        for room, stays in sorted(meetings, key=lambda meeting: min(stay.joined_at for stay in meeting[1])):
            session_id = self._id()
            times = [time for stay in stays for time in (stay.joined_at, stay.left_at) if time is not None]
            people = [
                ParticipantState(
                    id=self._id(),
                    session_id=session_id,
                    context=context,
                    joined_at=joined_at,
                    updated_at=left_at or joined_at,
                    left_at=left_at,
                )
                for context, joined_at, left_at in stays
            ]
            session = SessionState(
                id=session_id,
                room_id=room.id,
                active=not are_ended,
                created_at=min(stay.joined_at for stay in stays),
                updated_at=max(times),
                ended_at=max(times) if are_ended else None,
                present=() if are_ended else tuple(person.id for person in people if person.left_at is None),
            )
            self._state.sessions.add(session)
            if session.active:
                self._state.rooms.update(room.id, active_session_id=session_id)
            if room.enable_recording:
                self._record(session, people)
            participants += people
        for participant in sorted(participants, key=attrgetter("joined_at")):
            self._state.participants.add(participant)

    def _record(self, session: SessionState, participants: list[ParticipantState]) -> None:
        """Add recordings of all participants, and a composition of one session in four."""
        for participant in participants:
            ended_at = participant.left_at or session.ended_at
            for started in RecordingState.of_participant(participant, session.room_id):
                recording = evolve(started, id=self._id())
                self._state.recordings.add(
                    recording if ended_at is None else recording.end(max(ended_at, participant.joined_at))
                )
        if session.ended_at is not None and not self._random.randrange(4):
            created_at = session.ended_at + timedelta(minutes=1)
            composition = CompositionState.of_session(
                session, self._id(), created_at, self._state.user_id, {}
            )
            self._state.compositions.add(composition)
