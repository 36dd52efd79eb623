"""A request on its way to its operation, and what an operation is."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias, TypeVar

from attrs import field, frozen

from telnyx_rooms_async.emulator.account import Account
from telnyx_rooms_async.emulator.queries import Query
from telnyx_rooms_async.emulator.refusals import not_found
from telnyx_rooms_async.emulator.states import (
    CompositionState,
    ParticipantState,
    RecordingState,
    RoomState,
    SessionState,
)
from telnyx_rooms_async.emulator.views import Link, View

State = TypeVar("State")


@frozen(kw_only=True)
class Arrival:
    """A request that may be carried out: the ids of its path, its query and its body.

    A property raises `RefusalError`, a 404, when there is nothing of the id that the path names.
    """

    account: Account
    now: datetime
    ids: Mapping[str, str]
    query: Query
    body: bytes = field(repr=False)
    link: Link = field(repr=False)

    @property
    def room(self) -> RoomState:
        """The room that the path names."""
        return self._found(self.account.rooms, "room_id")

    @property
    def session(self) -> SessionState:
        """The session that the path names."""
        return self._found(self.account.sessions, "room_session_id")

    @property
    def participant(self) -> ParticipantState:
        """The participant that the path names."""
        return self._found(self.account.participants, "room_participant_id")

    @property
    def recording(self) -> RecordingState:
        """The recording that the path names."""
        return self._found(self.account.recordings, "room_recording_id")

    @property
    def composition(self) -> CompositionState:
        """The composition that the path names."""
        return self._found(self.account.compositions, "room_composition_id")

    def _found(self, states: Mapping[str, State], name: str) -> State:
        state = states.get(self.ids[name])
        if state is None:
            raise not_found()
        return state


Operation: TypeAlias = Callable[[Arrival], View | None]
"""Returns the body of a success, or ``None`` for none; raises `RefusalError`."""
