"""Rooms: single, in lists, in bulk, and declarative."""

from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, Unpack, cast

from attrs import fields as fields_of

from telnyx_rooms_async.core.endpoints import (
    DELETE_ROOM,
    LIST_ROOM_SESSIONS,
    LIST_ROOMS,
    RETRIEVE_ROOM,
    UPDATE_ROOM,
)
from telnyx_rooms_async.core.protocol import PAGE_SIZE_MAX, build
from telnyx_rooms_async.core.requests import (
    RoomBody,
    RoomQuery,
    RoomSessionsQuery,
    RoomsQuery,
    room_body,
)
from telnyx_rooms_async.core.validators import (
    UNSET,
    Days,
    RoomFields,
    RoomId,
    RoomSettings,
    UnsetType,
    checked_flag,
    checked_limit,
    exact_flag,
    exact_room_id,
    exact_text,
    short_repr,
)
from telnyx_rooms_async.errors import (
    InvalidArgumentError,
    NotFoundError,
    PaginationError,
    UnexpectedCountError,
)
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.models import Room, RoomSession
from telnyx_rooms_async.pagination import Listing
from telnyx_rooms_async.resources.polling import poll
from telnyx_rooms_async.resources.results import Change, Ensured, Plan
from telnyx_rooms_async.resources.room_creation import (
    OnLostResponse,
    check_on_lost_response,
    create_room,
)
from telnyx_rooms_async.resources.room_reconciliation import apply_change, compare, ensure_room, parse_desired

if TYPE_CHECKING:  # most programs have no bulk jobs, reports or policies, and do not import these
    from telnyx_rooms_async.batch.journal import Journal
    from telnyx_rooms_async.batch.operations import BatchJob, BatchProgress, BulkOperation
    from telnyx_rooms_async.policies import PolicyAction, RoomPolicy
    from telnyx_rooms_async.reports import Identity
    from telnyx_rooms_async.resources.reports import RoomAttendance
    from telnyx_rooms_async.resources.room_enforcement import BeforeAction, OnWarning
    from telnyx_rooms_async.webhooks import EventRouter, EventStore

RoomUpdate: TypeAlias = tuple[RoomId, Mapping[str, object]]
"""The id of a room and its new fields."""
Fields = TypeVar("Fields", bound=Mapping[str, object])
"""Fields of a room, which are checked before they are sent: `RoomFields`, or the dict of a table's row."""
Update = TypeVar("Update", bound=RoomUpdate)

_PREFETCH: Final = 8


class Rooms:
    """The rooms of the account: ``client.rooms``.

    Invalid arguments raise `InvalidArgumentError` before anything is sent. Unless it says otherwise, a method
    is one request, repeated on failure.

    Example:
        >>> room = await client.rooms.create("Retro", max_participants=25)
        >>> token = await client.tokens.create(room)
    """

    def __init__(self, api: ApiSession) -> None:
        self._api = api

    # --- one room -----------------------------------------------------------------------------------------

    async def create(
        self,
        unique_name: str | UnsetType = UNSET,
        *,
        on_lost_response: OnLostResponse = "find",
        **settings: Unpack[RoomSettings],
    ) -> Room:
        """Create a room.

        One request, repeated only if the server certainly did not process it. If its response is lost, the
        room is looked up by name 0.2, 0.7 and 1.7 s later, and returned if it was created within this call,
        by the server's clock, with these settings. A look-up is one request per 250 rooms that match the
        name filter of the server. After a 503 with ``Retry-After`` the room is looked up when that time is
        over, and the request is sent once more if it is not found.

        Args:
            unique_name: unique within the account. A room without a name cannot be found if its response is
                lost.
            on_lost_response: if the response is lost, ``"find"`` looks the room up, and raises if it is not
                found; ``"find_then_resend"`` then sends the request once more, as the name prevents a second
                room; ``"raise"`` raises without a look-up. A response is also lost when the server closes a
                kept-alive connection at the moment when it is used again.
            **settings: `RoomSettings`, all optional: ``max_participants`` (2 to 50, Telnyx's default is 10),
                ``enable_recording`` (default False), ``webhook_event_url`` and
                ``webhook_event_failover_url`` (with scheme), ``webhook_timeout_secs`` (0 to 30).

        Raises:
            NameTakenError: another room has this name.
            UnprocessableEntityError: the server rejects another field.
            OutcomeUnknownError: the room may exist, and another request could create a second one.

        Example:
            >>> room = await client.rooms.create("Retro", enable_recording=True)
            >>> room.max_participants
            10

        Telnyx operation: CreateRoom.
        """
        choice = check_on_lost_response(on_lost_response)
        try:
            body = RoomBody(unique_name=unique_name, **settings)
        except TypeError:
            raise _unknown_field("create", settings) from None
        return await create_room(self._api, body, choice)

    async def retrieve(self, room_id: RoomId, *, include_sessions: bool = False) -> Room:
        """Return one room.

        Args:
            room_id: a `Room` or its id.
            include_sessions: whether `Room.sessions` is filled, with present and past sessions.

        Raises:
            NotFoundError: there is no such room.

        Example:
            >>> room = await client.rooms.retrieve(room_id, include_sessions=True)
            >>> [session.active for session in room.sessions]
            [True]

        Telnyx operation: ViewRoom.
        """
        query = None if include_sessions is False else RoomQuery(include_sessions=include_sessions)
        return await self._api.call(build(RETRIEVE_ROOM, room_id=room_id, query=query))

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

        Not awaited: the listing makes one request per page while it is iterated. Telnyx documents no order.

        Args:
            created_at: a day, or a `DateFilter` with inclusive bounds.
            updated_at: a day, or a `DateFilter` with inclusive bounds.
            unique_name: only rooms with this name; Telnyx does not say whether it must be the whole name.
            include_sessions: whether `Room.sessions` is filled.
            page_size: 1 to 250 rooms per request.

        Example:
            >>> [room.unique_name async for room in client.rooms.list()]
            ['Daily', 'Weekly']

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

    async def update(self, room_id: RoomId, **fields: Unpack[RoomFields]) -> Room:
        """Change fields of a room, and return the changed room.

        Args:
            room_id: a `Room` or its id.
            **fields: `RoomFields`, as for `create`. Missing fields and `UNSET` stay as they are; None clears
                ``webhook_event_failover_url`` and ``webhook_timeout_secs``.

        Raises:
            NotFoundError: there is no such room.
            NameTakenError: another room has this name.
            UnprocessableEntityError: the server rejects another field.

        Example:
            >>> room = await client.rooms.update(room_id, max_participants=25)
            >>> room.max_participants
            25

        Telnyx operation: UpdateRoom.
        """
        try:
            body = RoomBody(**fields)
        except TypeError:
            raise _unknown_field("update", fields) from None
        return await self._api.call(build(UPDATE_ROOM, room_id=room_id, body=body))

    async def delete(self, room_id: RoomId) -> None:
        """Delete a room. Its session ends for all participants.

        A repeated request that finds the room gone has succeeded.

        Raises:
            NotFoundError: there was no such room at the first attempt.

        Example:
            >>> await client.rooms.delete(room_id)

        Telnyx operation: DeleteRoom.
        """
        await self._api.call(build(DELETE_ROOM, room_id=room_id))

    # --- sessions of a room -------------------------------------------------------------------------------

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

        Not awaited: the listing makes one request per page while it is iterated. Telnyx documents no order.

        Args:
            room_id: a `Room` or its id.
            created_at: a day, or a `DateFilter` with inclusive bounds.
            updated_at: a day, or a `DateFilter` with inclusive bounds.
            ended_at: a day, or a `DateFilter` with inclusive bounds.
            active: True for active sessions only, False for ended ones; None for both.
            include_participants: whether `RoomSession.participants` is filled.
            page_size: 1 to 250 sessions per request.

        Raises:
            NotFoundError: while iterating: there is no such room.

        Example:
            >>> async for session in client.rooms.sessions(room_id, include_participants=True):
            ...     print([person.context for person in session.participants or ()])
            ['Alice']

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

    def attendance(
        self,
        room_id: RoomId,
        *,
        created_at: Days = None,
        zone: tzinfo | None = None,
        identity: "Identity" = None,
        as_of: datetime | None = None,
    ) -> "RoomAttendance":
        """Return the attendance of a room: iterate over it for each session, or await it for all together.

        One request for every 250 sessions, up to eight at a time.

        Args:
            room_id: a `Room` or its id.
            created_at: only sessions that started on this day, or within a `DateFilter`.
            zone: time zone of these days: ``ZoneInfo("Europe/Berlin")``; default: as Telnyx counts days.
            identity: how people are recognised: by default by the ``context`` of their participants; a text
                such as ``"user_id"`` names a field of a JSON ``context``; or a function of the participant.
            as_of: timezone-aware: the time until which people that have not left are present; default: now,
                by the server's clock.

        Raises:
            InvalidArgumentError: an argument is invalid.
            NotFoundError: while iterating or awaiting: there is no such room.

        Example:
            >>> async for attendance in client.rooms.attendance(room_id):
            ...     print(attendance.peak)
            1
            >>> (await client.rooms.attendance(room_id)).peak
            1

        Telnyx operation: RetrieveListRoomSessions.
        """
        from telnyx_rooms_async.reports.attendance import check_arguments
        from telnyx_rooms_async.resources.reports import RoomAttendance, ZoneDays

        check_arguments(as_of, identity)
        included = None if zone is None else ZoneDays.of(created_at, zone)

        def now() -> datetime:
            return as_of or datetime.fromtimestamp(self._api.server_now(), UTC)

        window = created_at if included is None else included.wider_filter()
        listing = self.sessions(room_id, created_at=window, include_participants=True)
        return RoomAttendance(listing.prefetch(_PREFETCH), identity, now, included)

    async def wait_for_session(self, room_id: RoomId, *, timeout: float = 600.0) -> RoomSession:
        """Return the active session of a room, or the next one that starts.

        Polls: one request at first and after each pause. Pauses grow from 1 to 10 seconds.

        Args:
            room_id: a `Room` or its id.
            timeout: seconds in all.

        Raises:
            NotFoundError: there is no such room.
            APITimeoutError: no session started in time; ``.deadline`` is True.

        Example:
            >>> session = await client.rooms.wait_for_session(room_id, timeout=60)
            >>> session.active
            True

        Telnyx operation: RetrieveListRoomSessions.
        """
        active = self.sessions(room_id, active=True, page_size=1)

        async def active_session() -> RoomSession | None:
            return next(iter((await active.page(1)).data), None)

        failure = f"no session started in room {exact_room_id(room_id)}"
        return await poll(self._api, active_session, timeout=timeout, failure=failure)

    # --- declarative rooms --------------------------------------------------------------------------------

    async def ensure(self, unique_name: str, **settings: Unpack[RoomSettings]) -> Ensured:
        """Create a room of this name, or update it to these settings, unless it has them already.

        One request if nothing changes, else two. Idempotent. If several clients ensure a room at the same
        time, there is one room, with the settings of the last of them.

        Args:
            unique_name: identifies the room; compared exactly.
            **settings: `RoomSettings`, as for `create`. Missing settings stay as they are.

        Raises:
            NameTakenError: the server rejects the name, but lists no room of exactly this name.
            NotFoundError: other clients delete the room as often as it is found.
            OutcomeUnknownError: it is unknown whether the room was created; call again.

        Example:
            >>> ensured = await client.rooms.ensure("Weekly", max_participants=12)
            >>> ensured.action, ensured.changed
            ('updated', ('max_participants',))

        Telnyx operations: ListRooms, CreateRoom and UpdateRoom.
        """
        try:
            body = RoomBody(unique_name=unique_name, **settings)
        except TypeError:
            raise _unknown_field("ensure", settings) from None
        return await ensure_room(self._api, body)

    async def plan(self, desired: Iterable[Mapping[str, object]], *, prune: bool = False) -> Plan:
        """Compare desired rooms with the existing ones, without changing anything.

        One request per 250 rooms of the account. ``print(plan)`` shows what `apply` would do.

        Args:
            desired: name and settings of each room, as for `create`: `RoomFields`, or any mapping. Missing
                settings stay as they are.
            prune: whether all other rooms are to be deleted, including rooms without a name.

        Raises:
            InvalidArgumentError: a field is invalid, a name is missing or used twice: all problems at once,
                with the index of the room; nothing was sent.

        Example:
            >>> plan = await client.rooms.plan([{"unique_name": "Weekly"}, {"unique_name": "Retro"}])
            >>> plan.creates, plan.updates, plan.deletes, plan.unchanged
            (1, 0, 0, 1)

        Telnyx operation: ListRooms.
        """
        prune = checked_flag("prune", prune)
        rooms = parse_desired(desired)
        return compare(rooms, [room async for room in self.list().prefetch(_PREFETCH)], prune=prune)

    def apply(
        self,
        plan: Plan,
        *,
        concurrency: int = 32,
        max_failures: int | None = None,
        max_deletes: int | None = None,
        progress: "BatchProgress | None" = None,
    ) -> "BatchJob[Change, Room | None]":
        """Apply a plan, and yield the outcome of each change: the room, or None for a deletion.

        Nothing is sent before the job is iterated or awaited: then one request per change. Deletions start
        last. Changes by other clients since the plan was made do no harm: a room that exists by now gets its
        settings, and a room that is gone counts as deleted. The update of a room that is gone fails. To apply
        a plan again, or to continue after a crash, make a new plan.

        Args:
            plan: from `plan`.
            concurrency: the number of concurrent changes.
            max_failures: the number of failures after which an `ExceptionGroup` is raised.
            max_deletes: the largest number of rooms that may be deleted; required if the plan deletes more
                than half of the rooms.
            progress: called after each item with the numbers of items that are done and that failed.

        Raises:
            InvalidArgumentError: at the call: an argument is invalid, or the plan deletes too many rooms.

        Example:
            >>> plan = await client.rooms.plan([{"unique_name": "Retro"}])
            >>> result = await client.rooms.apply(plan)
            >>> [outcome.value.unique_name for outcome in result.done]
            ['Retro']

        Telnyx operations: CreateRoom, UpdateRoom and DeleteRoom.
        """
        if not isinstance(cast("object", plan), Plan):
            raise InvalidArgumentError((f"plan must be a Plan, not {short_repr(plan)}",))
        plan.check_deletes(max_deletes)
        from telnyx_rooms_async.batch.operations import BulkOperation

        operation = BulkOperation(name="apply", apply=partial(apply_change, self._api), api=self._api)
        return operation.run(
            plan.changes, concurrency=concurrency, max_failures=max_failures, progress=progress
        )

    def enforce(
        self,
        policies: "Iterable[RoomPolicy]",
        *,
        dry_run: bool = False,
        once: bool = False,
        interval: float = 60.0,
        router: "EventRouter | None" = None,
        store: "EventStore | None" = None,
        before_action: "BeforeAction | None" = None,
        on_warning: "OnWarning | None" = None,
        concurrency: int = 32,
    ) -> "AsyncGenerator[PolicyAction, None]":
        """Carry out policies, and yield each warning, each end of a session and each deletion of a room.

        Runs until it is closed or cancelled; ``contextlib.aclosing`` closes it at once after a ``break``. It
        reads the rooms and the active sessions every `interval` seconds, by one request for every 250 of
        them, and acts when an action is due. The session, its participants and its room are read again before
        each action, by up to three requests. Nothing has to be kept for a restart: what is due follows from
        the state that the API returns.

        Several instances of an app act once if they share a `store`, which also prevents a second warning
        after a restart. A claim in the store must last longer than `before_action` and `on_warning` take.

        An action that fails is yielded with its error. A reading that fails because the API is not available
        is logged, except the first one, which raises. Both are repeated after a minute, or after `interval`
        seconds if they are fewer.

        Args:
            policies: the first one that is for a room applies to the room.
            dry_run: whether actions are only yielded, as ``"planned"``, each once. Nothing is called then.
            once: whether to stop when everything is done that is due now.
            interval: seconds between two readings.
            router: whose events show changes at once. Readings find the changes whose events were lost.
            store: of the actions that are done, such as a `RedisEventStore`. It may be that of the router.
            before_action: async function that is called with an action just before it. False vetoes the
                action, and a `timedelta` postpones it, by a second or more; both are forgotten at a restart.
            on_warning: async function that is called with a warning. If it fails, it is called again.
            concurrency: the number of concurrent actions.

        Raises:
            InvalidArgumentError: at the call: an argument is invalid.

        Example:
            >>> async def main(client):
            ...     policies = [RoomPolicy(prefix="clinic-", max_duration=timedelta(hours=2))]
            ...     async for action in client.rooms.enforce(policies):
            ...         print(action)

        Telnyx operations: ListRooms, ListRoomSessions, ViewRoom, ViewRoomSession,
        RetrieveListRoomParticipants, EndSession and DeleteRoom.
        """
        from telnyx_rooms_async.resources.room_enforcement import Enforcer

        enforcer = Enforcer(
            self._api,
            policies,
            dry_run=dry_run,
            interval=interval,
            router=router,
            store=store,
            before_action=before_action,
            on_warning=on_warning,
            concurrency=concurrency,
        )
        return enforcer.run(once=checked_flag("once", once))

    # --- many rooms ---------------------------------------------------------------------------------------

    def create_many(
        self,
        bodies: Iterable[Fields] | AsyncIterable[Fields],
        *,
        concurrency: int = 32,
        ordered: bool = False,
        max_failures: int | None = None,
        on_lost_response: OnLostResponse = "find",
        journal: "Journal | None" = None,
        progress: "BatchProgress | None" = None,
    ) -> "BatchJob[Fields, Room]":
        """Create rooms, and yield the outcome of each: `batch.Done` with the room, or `batch.Failed`.

        Nothing is sent before the job is iterated or awaited: then one request per room, as by `create`.

        Args:
            bodies: fields of each room, as for `create`: `RoomFields`, or any mapping, such as
                ``{"unique_name": "Weekly"}``. A room whose fields are invalid is a failure.
            concurrency: the number of concurrent creations.
            ordered: whether outcomes come in the order of the bodies.
            max_failures: the number of failures after which an `ExceptionGroup` is raised.
            on_lost_response: as for `create`.
            journal: records what is done, so that another run can resume. Every room then needs a name: a
                room that was in flight when a run died is looked up by name.
            progress: called after each item with the numbers of items that are done and that failed.

        Raises:
            JournalError: while iterating: the journal cannot be used.

        Example:
            >>> bodies = [{"unique_name": "Retro"}, {"unique_name": "Standup"}]
            >>> async for outcome in client.rooms.create_many(bodies):
            ...     assert outcome.ok, outcome.error

        Telnyx operation: CreateRoom.
        """
        return bulk_create(self._api, on_lost_response, must_be_named=journal is not None).run(
            bodies,
            concurrency=concurrency,
            ordered=ordered,
            max_failures=max_failures,
            journal=journal,
            progress=progress,
        )

    def update_many(
        self,
        changes: Iterable[Update] | AsyncIterable[Update],
        *,
        concurrency: int = 32,
        ordered: bool = False,
        max_failures: int | None = None,
        journal: "Journal | None" = None,
        progress: "BatchProgress | None" = None,
    ) -> "BatchJob[Update, Room]":
        """Update rooms, and yield the outcome of each, with the options and errors of `create_many`.

        `changes` are pairs of a room and its new fields: ``(room_id, {"max_participants": 25})``. One request
        per room, as by `update`.

        Example:
            >>> result = await client.rooms.update_many([(room_id, {"max_participants": 25})])
            >>> len(result.done), len(result.failed)
            (1, 0)

        Telnyx operation: UpdateRoom.
        """
        return bulk_update(self._api).run(
            changes,
            concurrency=concurrency,
            ordered=ordered,
            max_failures=max_failures,
            journal=journal,
            progress=progress,
        )

    def delete_many(
        self,
        ids: Iterable[RoomId] | AsyncIterable[RoomId],
        *,
        concurrency: int = 32,
        ordered: bool = False,
        max_failures: int | None = None,
        journal: "Journal | None" = None,
        progress: "BatchProgress | None" = None,
    ) -> "BatchJob[RoomId, None]":
        """Delete rooms, and yield the outcome of each, with the options and errors of `create_many`.

        `ids` are rooms or their ids. One request per room, as by `delete`. A room that was in flight when a
        run with a journal died, and is gone, counts as deleted.

        Example:
            >>> result = await client.rooms.delete_many([room_id])
            >>> len(result.done), len(result.failed)
            (1, 0)

        Telnyx operation: DeleteRoom.
        """
        return bulk_delete(self._api).run(
            ids,
            concurrency=concurrency,
            ordered=ordered,
            max_failures=max_failures,
            journal=journal,
            progress=progress,
        )

    def delete_all(
        self,
        *,
        created_at: Days = None,
        updated_at: Days = None,
        unique_name: str | None = None,
        everything: bool = False,
        expect: int | None = None,
        concurrency: int = 32,
        max_failures: int | None = None,
        progress: "BatchProgress | None" = None,
    ) -> "BatchJob[Room, None]":
        """Delete all rooms that match the filters, and yield the outcome of each.

        Nothing is sent before the job is iterated or awaited. The rooms are collected first, by
        `Listing.snapshot`, then deleted: one request per room. On an account that keeps changing, where no
        snapshot is possible, the rooms of a single pass are deleted. A room that another client deletes
        meanwhile counts as deleted.

        Args:
            created_at: a day, or a `DateFilter` with inclusive bounds.
            updated_at: a day, or a `DateFilter` with inclusive bounds.
            unique_name: only the room of exactly this name.
            everything: True to delete without a filter, and not allowed with one.
            expect: the number of rooms that must match. Then a snapshot is required.
            concurrency: the number of concurrent deletions.
            max_failures: the number of failures after which an `ExceptionGroup` is raised.
            progress: called after each item with the numbers of items that are done and that failed.

        Raises:
            InvalidArgumentError: at the call: an argument is invalid, or there is neither a filter nor
                `everything`.
            UnexpectedCountError: while iterating: more or fewer rooms match; none was deleted.
            PaginationError: while iterating: the list kept changing; none was deleted.

        Example:
            >>> result = await client.rooms.delete_all(unique_name="Weekly", expect=1)
            >>> [outcome.item.unique_name for outcome in result.done]
            ['Weekly']

        Telnyx operation: DeleteRoom.
        """
        is_filtered = any(value is not None for value in (created_at, updated_at, unique_name))
        selects_all = exact_flag(everything)
        if type(selects_all) is not bool or selects_all == is_filtered:
            raise InvalidArgumentError(("delete_all needs either a filter or everything=True",))
        expect = checked_limit("expect", expect, minimum=0)
        listing = self.list(created_at=created_at, updated_at=updated_at, unique_name=unique_name)
        rooms = _collect(listing, exact_text(unique_name), expect)

        async def delete(room: Room, _: float | None) -> None:
            with suppress(NotFoundError):
                await self.delete(room.id)

        from telnyx_rooms_async.batch.operations import BulkOperation

        operation = BulkOperation(name="delete_all", apply=delete, api=self._api)
        return operation.run(rooms, concurrency=concurrency, max_failures=max_failures, progress=progress)


def _unknown_field(method: str, fields: Mapping[str, object]) -> TypeError:
    """Return the error for keyword arguments of a method, of which one is no field of a room."""
    known = tuple(field.name for field in fields_of(RoomBody))
    unknown = ", ".join(repr(name) for name in fields if name not in known)
    return TypeError(f"Rooms.{method}() has no argument {unknown}; a room has the fields {', '.join(known)}")


async def _collect(
    listing: Listing[Room], unique_name: str | None, expect: int | None
) -> AsyncGenerator[Room, None]:
    """Yield the rooms of a listing after all of them were read, if there are as many as expected."""
    try:
        rooms = await listing.snapshot()
    except PaginationError:
        if expect is not None:
            raise
        rooms = [room async for room in listing.prefetch(_PREFETCH)]
    if unique_name is not None:  # the server may match other names, too
        rooms = [room for room in rooms if room.unique_name == unique_name]
    if expect is not None and len(rooms) != expect:
        raise UnexpectedCountError(expect, len(rooms))
    for room in rooms:
        yield room


# --- bulk operations, also of `integrations.dask` -----------------------------------------------------------


def bulk_create(
    api: ApiSession, on_lost_response: OnLostResponse, *, must_be_named: bool
) -> "BulkOperation[Any, Room]":
    """Return the operation of `Rooms.create_many`, whose items are checked when they are sent."""
    from telnyx_rooms_async.batch.operations import BulkOperation

    choice = check_on_lost_response(on_lost_response)

    async def create(fields: Mapping[str, object], since: float | None) -> Room:
        body = room_body(fields)
        if must_be_named and not body.unique_name:
            raise InvalidArgumentError(("unique_name must be given: a resumed job finds rooms by name",))
        return await create_room(api, body, choice, since)

    return BulkOperation(name="create_many", apply=create, api=api)


def bulk_update(api: ApiSession) -> "BulkOperation[Any, Room]":
    """Return the operation of `Rooms.update_many`, whose items are checked when they are sent."""
    from telnyx_rooms_async.batch.operations import BulkOperation

    async def update(change: RoomUpdate, _: float | None) -> Room:
        pair = cast("object", change)  # it may come from a file
        if not isinstance(pair, tuple) or len(cast("tuple[object, ...]", pair)) != 2:  # noqa: PLR2004 - a pair
            raise InvalidArgumentError(
                (f"a change must be a pair of a room's id and its new fields, not {short_repr(change)}",)
            )
        room_id, fields = change
        return await api.call(build(UPDATE_ROOM, room_id=room_id, body=room_body(fields)))

    return BulkOperation(name="update_many", apply=update, api=api)


def bulk_delete(api: ApiSession) -> "BulkOperation[RoomId, None]":
    """Return the operation of `Rooms.delete_many`."""
    from telnyx_rooms_async.batch.operations import BulkOperation

    async def delete(room_id: RoomId, since: float | None) -> None:
        try:
            await api.call(build(DELETE_ROOM, room_id=room_id))
        except NotFoundError:
            if since is None:
                raise

    return BulkOperation(name="delete_many", apply=delete, api=api)
