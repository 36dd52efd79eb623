"""One room at a time, the list of all, and the sessions held in one."""

from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from telnyx_rooms_async import batch
from telnyx_rooms_async.batch.journal import Journal
from telnyx_rooms_async.batch.operations import BulkOperation
from telnyx_rooms_async.core.endpoints import (
    CREATE_ROOM,
    DELETE_ROOM,
    LIST_ROOM_SESSIONS,
    LIST_ROOMS,
    RETRIEVE_ROOM,
    UPDATE_ROOM,
)
from telnyx_rooms_async.core.protocol import build
from telnyx_rooms_async.core.requests import (
    PAGE_SIZE_MAX,
    Days,
    RoomBody,
    RoomFields,
    RoomQuery,
    RoomSessionsQuery,
    RoomsQuery,
    room_body,
)
from telnyx_rooms_async.core.spelling import body_fields
from telnyx_rooms_async.core.validators import (
    UNSET,
    RoomId,
    UnsetType,
    exact_flag,
    exact_integer,
    exact_room_id,
    exact_text,
    flag,
    short_repr,
)
from telnyx_rooms_async.errors import (
    InvalidArgumentError,
    NameTakenError,
    NotFoundError,
    UnexpectedCountError,
)
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.models import Room, RoomSession
from telnyx_rooms_async.pagination import Listing
from telnyx_rooms_async.resources.polling import wait_for
from telnyx_rooms_async.resources.room_creation import (
    PAUSES,
    OnLostResponse,
    check_on_lost_response,
    create,
    namesakes,
    rooms_named,
    settle,
)
from telnyx_rooms_async.resources.room_reconciliation import Change, Ensured, Plan, differing


class SingleRooms:
    """What is done to one room."""

    def __init__(self, api: ApiSession) -> None:
        self._api = api

    async def create(
        self,
        *,
        unique_name: str | UnsetType = UNSET,
        max_participants: int | UnsetType = UNSET,
        enable_recording: bool | UnsetType = UNSET,
        webhook_event_url: str | UnsetType = UNSET,
        webhook_event_failover_url: str | UnsetType | None = UNSET,
        webhook_timeout_secs: int | UnsetType | None = UNSET,
        on_lost_response: OnLostResponse = "find",
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
            on_lost_response: when the answer is lost, ``"find"`` looks for the room, and raises when it is not
                there; ``"find_then_resend"`` then sends the request once more, as the name protects from a second
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
        return await create(self._api, body, on_lost_response)

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
        return await self._api.call(build(RETRIEVE_ROOM, room_id=room_id, query=query))

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
        return await self._api.call(build(UPDATE_ROOM, room_id=room_id, body=body))

    async def delete(self, room_id: RoomId) -> None:
        """Delete a room; whoever is in it is sent out, and its session ends.

        One request, repeated on failure: a second attempt that finds the room gone has succeeded.

        Raises:
            InvalidArgumentError: not an id; nothing was sent.
            NotFoundError: there was no such room at the first attempt.

        Telnyx operation: DeleteRoom.
        """
        await self._api.call(build(DELETE_ROOM, room_id=room_id))

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
        with self._api.in_flight_calls:
            return await wait_for(ask, seconds=timeout, clock=self._api.clock, what=what)

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
        return Listing(self._api, build(LIST_ROOM_SESSIONS, room_id=room_id, query=query))

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
        return Listing(self._api, build(LIST_ROOMS, query=query))


RoomUpdate: TypeAlias = tuple[RoomId, RoomFields]
"""A room's id and its new fields."""


class ManyRooms(SingleRooms):
    """What is done to many rooms."""

    def create_many(
        self,
        bodies: Iterable[RoomFields] | AsyncIterable[RoomFields],
        *,
        limit: int = 32,
        ordered: bool = False,
        max_failures: int | None = None,
        on_lost_response: OnLostResponse = "find",
        journal: Journal | None = None,
    ) -> AsyncGenerator[batch.Outcome[RoomFields, Room], None]:
        """Create rooms, and yield what came of each: ``{"unique_name": "Weekly"}`` is one.

        Not awaited: nothing is sent before it is iterated. One request a room, under the promises of
        `create`; what `create` would raise is in a `batch.Failed`. See `batch.stream` for the rest.

        Args:
            bodies: the fields of each room, named as those of `create`.
            limit: how many are under way at once.
            ordered: whether outcomes come in the order of the bodies.
            max_failures: so many failures end it, with an `ExceptionGroup`.
            on_lost_response: as for `create`.
            journal: remembers what is done, for another run. Every room then needs a name: one that was
                in flight when a run died is looked for by it.

        Raises:
            InvalidArgumentError: at the call: an option is wrong.
            JournalError: while iterating: the journal cannot be used.

        Telnyx operation: CreateRoom.
        """
        many = bulk_create(self._api, on_lost_response, must_be_named=journal is not None)
        return many.run(bodies, limit=limit, ordered=ordered, max_failures=max_failures, journal=journal)

    def update_many(
        self,
        changes: Iterable[RoomUpdate] | AsyncIterable[RoomUpdate],
        *,
        limit: int = 32,
        ordered: bool = False,
        max_failures: int | None = None,
        journal: Journal | None = None,
    ) -> AsyncGenerator[batch.Outcome[RoomUpdate, Room], None]:
        """Change rooms, and yield what came of each: ``(room_id, {"max_participants": 25})`` is one.

        Not awaited; one request a room, repeated on failure.
        Arguments and errors are those of `create_many` and of `update`.

        Telnyx operation: UpdateRoom.
        """
        many = bulk_update(self._api)
        return many.run(changes, limit=limit, ordered=ordered, max_failures=max_failures, journal=journal)

    def delete_many(
        self,
        ids: Iterable[RoomId] | AsyncIterable[RoomId],
        *,
        limit: int = 32,
        ordered: bool = False,
        max_failures: int | None = None,
        journal: Journal | None = None,
    ) -> AsyncGenerator[batch.Outcome[RoomId, None], None]:
        """Delete rooms, and yield what came of each.

        Not awaited; one request a room, repeated on failure. With a journal, a room that was in flight
        when a run died and is gone has been deleted. Arguments and errors are those of `create_many` and
        of `delete`.

        Telnyx operation: DeleteRoom.
        """
        many = bulk_delete(self._api)
        return many.run(ids, limit=limit, ordered=ordered, max_failures=max_failures, journal=journal)

    def delete_all(
        self,
        *,
        created_at: Days = None,
        updated_at: Days = None,
        unique_name: str | None = None,
        everything: bool = False,
        expect: int | None = None,
        limit: int = 32,
        max_failures: int | None = None,
    ) -> AsyncGenerator[batch.Outcome[Room, None], None]:
        """Delete all rooms that the filters select, and yield what came of each.

        Not awaited. First they are collected, see `Listing.snapshot`; then they are deleted, one request
        a room. A room that somebody else deletes meanwhile counts as deleted.

        Args:
            created_at: a day, or a `DateFilter` with both ends included.
            updated_at: likewise.
            unique_name: only the room of exactly that name.
            everything: must be ``True`` to delete without a filter, and stands beside none.
            expect: how many rooms there must be.
            limit: how many deletions are under way at once.
            max_failures: so many failures end it, with an `ExceptionGroup`.

        Raises:
            InvalidArgumentError: at the call: there is neither a filter nor `everything`, or one is wrong.
            UnexpectedCountError: while iterating: there are more rooms or fewer; none was deleted.
            PaginationError: likewise: the list did not stand still.

        Telnyx operation: DeleteRoom.
        """
        is_filtered = any(value is not None for value in (created_at, updated_at, unique_name))
        if exact_flag(everything) is not (not is_filtered):
            raise InvalidArgumentError(("delete_all needs either a filter or everything=True",))
        count = exact_integer(expect)
        if not (count is None or (isinstance(count, int) and type(count) is int and count >= 0)):
            raise InvalidArgumentError((f"expect must be an integer, 0 or more, not {short_repr(expect)}",))
        listing = self.list(created_at=created_at, updated_at=updated_at, unique_name=unique_name)

        async def one(room: Room, _: float | None) -> None:
            try:
                await self.delete(room.id)
            except NotFoundError:
                return

        many = BulkOperation(name="delete_all", act=one, api=self._api)
        rooms = _collected(listing, exact_text(unique_name), count)
        return many.run(rooms, limit=limit, max_failures=max_failures)


def bulk_create(
    api: ApiSession, on_lost_response: OnLostResponse, *, must_be_named: bool
) -> BulkOperation[RoomFields, Room]:
    """Say how one of many rooms is created.

    Raises:
        InvalidArgumentError: `on_lost_response` is no choice.
    """
    choice = check_on_lost_response(on_lost_response)

    async def one(fields: RoomFields, since: float | None) -> Room:
        body = room_body(fields)
        if must_be_named and not body.unique_name:
            raise InvalidArgumentError(
                ("unique_name must be given: a job that is resumed finds rooms by it",)
            )
        if since is None:
            return await create(api, body, choice)
        return await settle(api, body, choice, since)

    return BulkOperation(name="create_many", act=one, api=api)


def bulk_update(api: ApiSession) -> BulkOperation[RoomUpdate, Room]:
    """Say how one of many rooms is updated."""

    async def one(change: RoomUpdate, _: float | None) -> Room:
        room_id, fields = _pair(change)
        return await api.call(build(UPDATE_ROOM, room_id=room_id, body=room_body(fields)))

    return BulkOperation(name="update_many", act=one, api=api)


def bulk_delete(api: ApiSession) -> BulkOperation[RoomId, None]:
    """Say how one of many rooms is deleted."""

    async def one(room_id: RoomId, since: float | None) -> None:
        try:
            await api.call(build(DELETE_ROOM, room_id=room_id))
        except NotFoundError:
            if since is None:
                raise

    return BulkOperation(name="delete_many", act=one, api=api)


async def _collected(
    listing: Listing[Room], unique_name: str | None, expect: int | None
) -> AsyncGenerator[Room, None]:
    """Yield the rooms of one moment, if there are as many as there should be."""
    rooms = await listing.snapshot()
    if unique_name is not None:
        rooms = list(namesakes(rooms, unique_name))
    if expect is not None and len(rooms) != expect:
        raise UnexpectedCountError(expect, len(rooms))
    for room in rooms:
        yield room


def _pair(change: RoomUpdate) -> RoomUpdate:
    """Take a change apart: it may come from a file.

    Raises:
        InvalidArgumentError: it is none.
    """
    given = cast("object", change)
    if not isinstance(given, tuple) or len(cast("tuple[object, ...]", given)) != 2:  # noqa: PLR2004 - a pair
        raise InvalidArgumentError(
            (f"a change must be a room's id and its new fields, not {short_repr(change)}",)
        )
    return change


if TYPE_CHECKING:  # who never plans does not pay for it: the methods import what they need
    from telnyx_rooms_async.batch import Outcome
    from telnyx_rooms_async.models import Room
    from telnyx_rooms_async.resources.room_reconciliation import Change, Ensured, Plan

_PAGES_AT_ONCE: Final = 8


class DesiredRooms(SingleRooms):
    """What makes rooms as they should be."""

    async def ensure(
        self,
        unique_name: str,
        *,
        max_participants: int | UnsetType = UNSET,
        enable_recording: bool | UnsetType = UNSET,
        webhook_event_url: str | UnsetType = UNSET,
        webhook_event_failover_url: str | UnsetType | None = UNSET,
        webhook_timeout_secs: int | UnsetType | None = UNSET,
    ) -> "Ensured":
        """Make sure that there is a room of this name with these settings, and return it.

        One request when there is, two when it has to be created or updated; again and again it comes to
        the same. Fields that are not given are left alone. When others do the same at the same time, there
        is one room; who comes last leaves its settings.

        Args:
            unique_name: by this the room is known, to the letter.
            max_participants: 2 to 50.
            enable_recording: whether its sessions are recorded.
            webhook_event_url: where Telnyx sends what happens in the room, with its scheme.
            webhook_event_failover_url: where it sends that when the first fails; ``None`` for nowhere.
            webhook_timeout_secs: 0 to 30 seconds that it waits there; ``None`` for its default.

        Raises:
            InvalidArgumentError: a value is out of its bounds; nothing was sent.
            NameTakenError: the server refuses the name, and has no room of exactly this name.
            NotFoundError: others delete the room as often as it is found.
            OutcomeUnknownError: it cannot be found out whether the room was created; do it again.

        Telnyx operations: ListRooms, CreateRoom and UpdateRoom.
        """
        body = RoomBody(
            unique_name=unique_name,
            max_participants=max_participants,
            enable_recording=enable_recording,
            webhook_event_url=webhook_event_url,
            webhook_event_failover_url=webhook_event_failover_url,
            webhook_timeout_secs=webhook_timeout_secs,
        )
        return await ensure(self._api, body)

    async def plan(self, desired: Iterable[RoomFields], *, prune: bool = False) -> "Plan":
        """Compare the rooms that there should be with those that there are; nothing is changed.

        One request for every 250 rooms of the account. ``print(plan)`` shows what `apply` would do.

        Args:
            desired: the fields of each room, named as those of `create`: ``{"unique_name": "Weekly"}``. The
                name is needed; a field that is not given is left alone.
            prune: whether rooms that are not named are to be deleted, those without a name too.

        Raises:
            InvalidArgumentError: rooms have fields that are wrong, no name, or the same name: all of that
                at once, with the index of the room; nothing was sent.

        Telnyx operation: ListRooms.
        """
        from telnyx_rooms_async.resources.room_reconciliation import compare, read_desired  # noqa: PLC0415 - see above

        prune = cast("bool", exact_flag(prune))
        if wrong := flag(prune):
            raise InvalidArgumentError((f"prune {wrong}",))
        wanted = read_desired(desired)
        return compare(wanted, [room async for room in self.list().prefetch(_PAGES_AT_ONCE)], prune=prune)

    def apply(
        self,
        plan: "Plan",
        *,
        limit: int = 32,
        max_failures: int | None = None,
        max_deletes: int | None = None,
    ) -> "AsyncGenerator[Outcome[Change, Room | None], None]":
        """Carry out a plan, and yield what came of each change; of a deletion ``None``.

        Not awaited: nothing is sent before it is iterated. One request a change; a room is looked for only
        when the answer of its creation was lost. Deletions begin last. What others have done since the plan
        was made does no harm: a room that is there by now gets its settings, one that is gone need not be
        deleted. An update of a room that is gone fails: make a new plan. To apply a plan
        twice, or to go on after a crash, is to make a new one.

        Args:
            plan: what `plan` returned.
            limit: how many changes are under way at once.
            max_failures: so many failures end it, with an `ExceptionGroup`; see `batch.stream`.
            max_deletes: the most rooms that the plan may delete. It must be given when the plan deletes more
                than half of the rooms.

        Raises:
            InvalidArgumentError: at the call: it is no plan, or it deletes too many rooms, or a number is not
                a whole one from 1 (`max_deletes`: from 0). Nothing was sent.

        Telnyx operations: CreateRoom, UpdateRoom and DeleteRoom.
        """
        return carry_out(self._api, plan, limit=limit, max_failures=max_failures, max_deletes=max_deletes)


_ROUNDS: Final = 3


async def ensure(api: ApiSession, body: RoomBody, *, is_missing: bool = False) -> Ensured:
    """Create or update a room, or find that it is right; see `Rooms.ensure` for what is promised.

    Args:
        caller: sends the requests.
        body: the fields of the room.
        is_missing: whether the room was not there a moment ago: then it is created without a look-up.
    """
    name = body.unique_name
    if not isinstance(name, str):
        raise InvalidArgumentError((f"unique_name must be text, not {short_repr(name)}",))
    build(CREATE_ROOM, body=body)  # nothing is looked for by what is wrong
    with api.in_flight_calls:
        for _ in range(_ROUNDS - 1):
            with suppress(NotFoundError):  # deleted between two requests of ours
                return await _once(api, name, body, is_missing=is_missing)
            is_missing = False
        return await _once(api, name, body, is_missing=False)


async def _once(api: ApiSession, name: str, body: RoomBody, *, is_missing: bool) -> Ensured:
    wanted = body_fields(body)
    room = None if is_missing else await _find(api, name)
    if room is None:
        try:
            # "find_then_resend": the name protects from a second room.
            room = await create(api, body, "find_then_resend")
            return Ensured(room=room, action="created", changed=tuple(wanted))
        except NameTakenError as error:
            room = await _find_taken(api, name, error)
    after = differing(room, wanted)
    if not after:
        return Ensured(room=room, action="unchanged")
    return Ensured(room=await _set(api, room.id, after), action="updated", changed=tuple(after))


async def _find(api: ApiSession, name: str) -> Room | None:
    rooms = await rooms_named(name, api.call)
    return rooms[0] if rooms else None


async def _find_taken(api: ApiSession, name: str, taken: NameTakenError) -> Room:
    """Look for a room that someone else has made just now: it may take a moment to show.

    Raises:
        NameTakenError: there is none of exactly this name.
    """
    for pause in (0.0, *PAUSES):
        if pause:
            await api.clock.sleep(pause)
        if (room := await _find(api, name)) is not None:
            return room
    raise taken


async def _set(api: ApiSession, room_id: str, after: Mapping[str, object]) -> Room:
    return await api.call(build(UPDATE_ROOM, room_id=room_id, body=_body(after)))


def _body(fields: Mapping[str, object]) -> RoomBody:
    return room_body(cast("RoomFields", fields))


def carry_out(
    api: ApiSession, plan: Plan, *, limit: int, max_failures: int | None, max_deletes: int | None
) -> AsyncGenerator[batch.Outcome[Change, Room | None], None]:
    """Carry out a plan; see `Rooms.apply` for what is promised."""
    if not isinstance(cast("object", plan), Plan):
        raise InvalidArgumentError((f"plan must be a Plan, not {short_repr(plan)}",))
    plan.check_deletes(max_deletes)
    many = BulkOperation(name="apply", act=partial(_change, api), api=api)
    return many.run(plan.changes, limit=limit, max_failures=max_failures)


async def _change(api: ApiSession, change: Change, _: float | None) -> Room | None:
    if change.action == "create":
        body = _body({"unique_name": change.unique_name, **change.after})
        return (await ensure(api, body, is_missing=True)).room
    room_id = change.room_id or ""
    if change.action == "update":
        return await _set(api, room_id, change.after)
    try:
        await api.call(build(DELETE_ROOM, room_id=room_id))
    except NotFoundError:
        return None  # what was to be done is done
    return None


class Rooms(ManyRooms, DesiredRooms):
    """``client.rooms``."""
