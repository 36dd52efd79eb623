"""Many rooms at once: an outcome for each, whatever becomes of the others."""

from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from typing import TypeAlias, cast

from telnyx_rooms_async import batch
from telnyx_rooms_async.caller import Caller
from telnyx_rooms_async.core.adoption import namesakes
from telnyx_rooms_async.core.endpoints import DELETE_ROOM, UPDATE_ROOM
from telnyx_rooms_async.core.errors import InvalidArgumentError
from telnyx_rooms_async.core.fields import RoomFields, room_body
from telnyx_rooms_async.core.job_errors import UnexpectedCountError
from telnyx_rooms_async.core.models import Room
from telnyx_rooms_async.core.params import Days
from telnyx_rooms_async.core.protocol import build
from telnyx_rooms_async.core.rules import RoomId, exact_flag, exact_integer, exact_text, show
from telnyx_rooms_async.core.statuses import NotFoundError
from telnyx_rooms_async.creating import OnUnknown, check_choice, create, settle
from telnyx_rooms_async.jobs import Many
from telnyx_rooms_async.journal import Journal
from telnyx_rooms_async.listing import Listing
from telnyx_rooms_async.resources.rooms.single import SingleRooms

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
        stop_after: int | None = None,
        on_unknown: OnUnknown = "adopt",
        journal: Journal | None = None,
    ) -> AsyncGenerator[batch.Outcome[RoomFields, Room], None]:
        """Create rooms, and yield what came of each: ``{"unique_name": "Weekly"}`` is one.

        Not awaited: nothing is sent before it is iterated. One request a room, under the promises of
        `create`; what `create` would raise is in a `batch.Failed`. See `batch.stream` for the rest.

        Args:
            bodies: the fields of each room, named as those of `create`.
            limit: how many are under way at once.
            ordered: whether outcomes come in the order of the bodies.
            stop_after: so many failures end it, with an `ExceptionGroup`.
            on_unknown: as for `create`.
            journal: remembers what is done, for another run. Every room then needs a name: one that was
                in flight when a run died is looked for by it.

        Raises:
            InvalidArgumentError: at the call: an option is wrong.
            JournalError: while iterating: the journal cannot be used.

        Telnyx operation: CreateRoom.
        """
        many = creations(self._caller, on_unknown, must_be_named=journal is not None)
        return many.run(bodies, limit=limit, ordered=ordered, stop_after=stop_after, journal=journal)

    def update_many(
        self,
        changes: Iterable[RoomUpdate] | AsyncIterable[RoomUpdate],
        *,
        limit: int = 32,
        ordered: bool = False,
        stop_after: int | None = None,
        journal: Journal | None = None,
    ) -> AsyncGenerator[batch.Outcome[RoomUpdate, Room], None]:
        """Change rooms, and yield what came of each: ``(room_id, {"max_participants": 25})`` is one.

        Not awaited; one request a room, repeated on failure.
        Arguments and errors are those of `create_many` and of `update`.

        Telnyx operation: UpdateRoom.
        """
        many = updates(self._caller)
        return many.run(changes, limit=limit, ordered=ordered, stop_after=stop_after, journal=journal)

    def delete_many(
        self,
        ids: Iterable[RoomId] | AsyncIterable[RoomId],
        *,
        limit: int = 32,
        ordered: bool = False,
        stop_after: int | None = None,
        journal: Journal | None = None,
    ) -> AsyncGenerator[batch.Outcome[RoomId, None], None]:
        """Delete rooms, and yield what came of each.

        Not awaited; one request a room, repeated on failure. With a journal, a room that was in flight
        when a run died and is gone has been deleted. Arguments and errors are those of `create_many` and
        of `delete`.

        Telnyx operation: DeleteRoom.
        """
        many = deletions(self._caller)
        return many.run(ids, limit=limit, ordered=ordered, stop_after=stop_after, journal=journal)

    def delete_all(
        self,
        *,
        created_at: Days = None,
        updated_at: Days = None,
        unique_name: str | None = None,
        everything: bool = False,
        expect: int | None = None,
        limit: int = 32,
        stop_after: int | None = None,
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
            stop_after: so many failures end it, with an `ExceptionGroup`.

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
            raise InvalidArgumentError((f"expect must be an integer, 0 or more, not {show(expect)}",))
        listing = self.list(created_at=created_at, updated_at=updated_at, unique_name=unique_name)

        async def one(room: Room, _: float | None) -> None:
            try:
                await self.delete(room.id)
            except NotFoundError:
                return

        many = Many(name="delete_all", act=one, caller=self._caller)
        rooms = _collected(listing, exact_text(unique_name), count)
        return many.run(rooms, limit=limit, stop_after=stop_after)


def creations(caller: Caller, on_unknown: OnUnknown, *, must_be_named: bool) -> Many[RoomFields, Room]:
    """Say how one of many rooms is created.

    Raises:
        InvalidArgumentError: `on_unknown` is no choice.
    """
    choice = check_choice(on_unknown)

    async def one(fields: RoomFields, since: float | None) -> Room:
        body = room_body(fields)
        if must_be_named and not body.unique_name:
            raise InvalidArgumentError(
                ("unique_name must be given: a job that is resumed finds rooms by it",)
            )
        if since is None:
            return await create(caller, body, choice)
        return await settle(caller, body, choice, since)

    return Many(name="create_many", act=one, caller=caller)


def updates(caller: Caller) -> Many[RoomUpdate, Room]:
    """Say how one of many rooms is updated."""

    async def one(change: RoomUpdate, _: float | None) -> Room:
        room_id, fields = _pair(change)
        return await caller.ask(build(UPDATE_ROOM, room_id=room_id, body=room_body(fields)))

    return Many(name="update_many", act=one, caller=caller)


def deletions(caller: Caller) -> Many[RoomId, None]:
    """Say how one of many rooms is deleted."""

    async def one(room_id: RoomId, since: float | None) -> None:
        try:
            await caller.ask(build(DELETE_ROOM, room_id=room_id))
        except NotFoundError:
            if since is None:
                raise

    return Many(name="delete_many", act=one, caller=caller)


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
        raise InvalidArgumentError((f"a change must be a room's id and its new fields, not {show(change)}",))
    return change
