"""One room at a time, the list of all, and the sessions held in one."""

from functools import partial

from telnyx_rooms_async.caller import Caller
from telnyx_rooms_async.core.endpoints import (
    DELETE_ROOM,
    LIST_ROOM_SESSIONS,
    LIST_ROOMS,
    RETRIEVE_ROOM,
    UPDATE_ROOM,
)
from telnyx_rooms_async.core.models import Room, RoomSession
from telnyx_rooms_async.core.params import (
    PAGE_SIZE_MAX,
    Days,
    RoomBody,
    RoomQuery,
    RoomSessionsQuery,
    RoomsQuery,
)
from telnyx_rooms_async.core.protocol import build
from telnyx_rooms_async.core.rules import UNSET, RoomId, UnsetType, exact_room_id
from telnyx_rooms_async.creating import OnUnknown, create
from telnyx_rooms_async.listing import Listing
from telnyx_rooms_async.waiting import wait_for


class SingleRooms:
    """What is done to one room."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def create(
        self,
        *,
        unique_name: str | UnsetType = UNSET,
        max_participants: int | UnsetType = UNSET,
        enable_recording: bool | UnsetType = UNSET,
        webhook_event_url: str | UnsetType = UNSET,
        webhook_event_failover_url: str | UnsetType | None = UNSET,
        webhook_timeout_secs: int | UnsetType | None = UNSET,
        on_unknown: OnUnknown = "adopt",
    ) -> Room:
        """Create a room.

        One request; repeated only when the server certainly did not act on the first. When its answer is
        lost, the room is looked for by its name 0.2, 0.7 and 1.7 s later, and returned if it is there: it
        was created within this call, by the server's own clock, with these settings. A look-up is one request
        for every 250 rooms that the server takes for a match. After a 503 with ``Retry-After`` the room is
        looked for when that time is over, and the request is sent once more if it is not there.

        Args:
            unique_name: unique within the account. A room without a name cannot be found again when
                the answer of its creation is lost: name what matters.
            max_participants: 2 to 50; Telnyx's default is 10.
            enable_recording: whether its sessions are recorded; Telnyx's default is no.
            webhook_event_url: where Telnyx sends what happens in the room, with its scheme.
            webhook_event_failover_url: where it sends that when the first fails; ``None`` for nowhere.
            webhook_timeout_secs: 0 to 30 seconds that it waits there; ``None`` for its default.
            on_unknown: when the answer is lost, ``"adopt"`` looks for the room, and raises when it is not
                there; ``"resend"`` then sends the request once more, as the name protects from a second
                room; ``"raise"`` raises without a look-up. An answer is also lost when the server closes a
                kept-alive connection at the moment that it is used again.

        Raises:
            InvalidArgumentError: a value is out of its bounds; nothing was sent.
            NameTakenError: another room has this name.
            UnprocessableEntityError: the server refuses another field.
            OutcomeUnknownError: the room may exist, and creating it again could make two.

        Telnyx operation: CreateRoom.
        """
        body = RoomBody(
            unique_name=unique_name,
            max_participants=max_participants,
            enable_recording=enable_recording,
            webhook_event_url=webhook_event_url,
            webhook_event_failover_url=webhook_event_failover_url,
            webhook_timeout_secs=webhook_timeout_secs,
        )
        return await create(self._caller, body, on_unknown)

    async def retrieve(self, room_id: RoomId, *, include_sessions: bool = False) -> Room:
        """Return one room.

        One request, repeated on failure.

        Args:
            room_id: the id that Telnyx gave the room, or the room.
            include_sessions: whether `Room.sessions` is filled, with the sessions of past and present.

        Raises:
            InvalidArgumentError: not an id; nothing was sent.
            NotFoundError: there is no such room, or no longer.

        Telnyx operation: ViewRoom.
        """
        query = None if include_sessions is False else RoomQuery(include_sessions=include_sessions)
        return await self._caller.ask(build(RETRIEVE_ROOM, room_id=room_id, query=query))

    async def update(
        self,
        room_id: RoomId,
        *,
        unique_name: str | UnsetType = UNSET,
        max_participants: int | UnsetType = UNSET,
        enable_recording: bool | UnsetType = UNSET,
        webhook_event_url: str | UnsetType = UNSET,
        webhook_event_failover_url: str | UnsetType | None = UNSET,
        webhook_timeout_secs: int | UnsetType | None = UNSET,
    ) -> Room:
        """Change the fields that are given, and return the room as it is then.

        One request, repeated on failure. `UNSET` leaves a field alone; ``None`` clears it, where the
        API allows that: the failover URL and the webhook timeout.

        Args:
            room_id: the id that Telnyx gave the room, or the room.
            unique_name: unique within the account.
            max_participants: 2 to 50.
            enable_recording: whether its sessions are recorded.
            webhook_event_url: where Telnyx sends what happens in the room, with its scheme.
            webhook_event_failover_url: where it sends that when the first fails; ``None`` for nowhere.
            webhook_timeout_secs: 0 to 30 seconds that it waits there; ``None`` for its default.

        Raises:
            InvalidArgumentError: a value is out of its bounds, or not an id; nothing was sent.
            NotFoundError: there is no such room, or no longer.
            NameTakenError: another room has this name.
            UnprocessableEntityError: the server refuses another field.

        Telnyx operation: UpdateRoom.
        """
        body = RoomBody(
            unique_name=unique_name,
            max_participants=max_participants,
            enable_recording=enable_recording,
            webhook_event_url=webhook_event_url,
            webhook_event_failover_url=webhook_event_failover_url,
            webhook_timeout_secs=webhook_timeout_secs,
        )
        return await self._caller.ask(build(UPDATE_ROOM, room_id=room_id, body=body))

    async def delete(self, room_id: RoomId) -> None:
        """Delete a room; whoever is in it is sent out, and its session ends.

        One request, repeated on failure: a second attempt that finds the room gone has succeeded.

        Raises:
            InvalidArgumentError: not an id; nothing was sent.
            NotFoundError: there was no such room at the first attempt.

        Telnyx operation: DeleteRoom.
        """
        await self._caller.ask(build(DELETE_ROOM, room_id=room_id))

    async def wait_for_session(self, room_id: RoomId, *, timeout: float = 600.0) -> RoomSession:
        """Return the session that is going on, or the next one that begins.

        One request at first and after each pause; pauses grow from 1 to 10 seconds.

        Args:
            room_id: the id that Telnyx gave the room, or the room.
            timeout: seconds to wait in all.

        Raises:
            InvalidArgumentError: not an id, or no positive time; nothing was sent.
            NotFoundError: there is no such room, or no longer.
            APITimeoutError: nobody came in time; ``.deadline`` is ``True``.

        Telnyx operation: RetrieveListRoomSessions.
        """
        ask = partial(self._active_session, self.sessions(room_id, active=True, page_size=1))
        what = f"no session started in room {exact_room_id(room_id)}"
        with self._caller.lifetime:
            return await wait_for(ask, seconds=timeout, clock=self._caller.clock, what=what)

    async def _active_session(self, active: Listing[RoomSession]) -> RoomSession | None:
        return next(iter((await active.page(1)).data), None)

    def sessions(
        self,
        room_id: RoomId,
        *,
        created_at: Days = None,
        updated_at: Days = None,
        ended_at: Days = None,
        active: bool | None = None,
        include_participants: bool = False,
        page_size: int = PAGE_SIZE_MAX,
    ) -> Listing[RoomSession]:
        """List the sessions of one room.

        Not awaited: nothing is sent before the listing is iterated; then one request a page, repeated
        on failure. Telnyx documents no order.

        Args:
            room_id: the id that Telnyx gave the room, or the room.
            created_at: a day, or a `DateFilter` with both ends included.
            updated_at: likewise.
            ended_at: likewise.
            active: only those going on, or only those that ended; ``None`` for both.
            include_participants: whether `RoomSession.participants` is filled.
            page_size: 1 to 250 sessions a request.

        Raises:
            InvalidArgumentError: a filter or the size is wrong, or not an id; nothing was sent.
            NotFoundError: while iterating: there is no such room, or no longer.

        Telnyx operation: RetrieveListRoomSessions.
        """
        query = RoomSessionsQuery(
            created_at=created_at,
            updated_at=updated_at,
            ended_at=ended_at,
            active=active,
            include_participants=include_participants,
            page_size=page_size,
        )
        return Listing(self._caller, build(LIST_ROOM_SESSIONS, room_id=room_id, query=query))

    def list(
        self,
        *,
        created_at: Days = None,
        updated_at: Days = None,
        unique_name: str | None = None,
        include_sessions: bool = False,
        page_size: int = PAGE_SIZE_MAX,
    ) -> Listing[Room]:
        """List the rooms of the account.

        Not awaited: nothing is sent before the listing is iterated; then one request a page, repeated
        on failure. Telnyx documents no order.

        Args:
            created_at: a day, or a `DateFilter` with both ends included.
            updated_at: likewise.
            unique_name: only rooms of that name.
            include_sessions: whether `Room.sessions` is filled.
            page_size: 1 to 250 rooms a request.

        Raises:
            InvalidArgumentError: a filter or the size is wrong; nothing was sent.

        Telnyx operation: ListRooms.
        """
        query = RoomsQuery(
            created_at=created_at,
            updated_at=updated_at,
            unique_name=unique_name,
            include_sessions=include_sessions,
            page_size=page_size,
        )
        return Listing(self._caller, build(LIST_ROOMS, query=query))
