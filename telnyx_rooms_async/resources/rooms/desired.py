"""Rooms as they should be: one that is made sure of, or a plan for all."""

from collections.abc import AsyncGenerator, Iterable
from typing import TYPE_CHECKING, Final, cast

from telnyx_rooms_async.core.errors import InvalidArgumentError
from telnyx_rooms_async.core.fields import RoomFields
from telnyx_rooms_async.core.params import RoomBody
from telnyx_rooms_async.core.rules import UNSET, UnsetType, exact_flag, flag
from telnyx_rooms_async.resources.rooms.single import SingleRooms

if TYPE_CHECKING:  # who never plans does not pay for it: the methods import what they need
    from telnyx_rooms_async.batch import Outcome
    from telnyx_rooms_async.core.models import Room
    from telnyx_rooms_async.core.plan import Change, Ensured, Plan

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
        from telnyx_rooms_async.resources.rooms.ensuring import ensure  # noqa: PLC0415 - see above

        body = RoomBody(
            unique_name=unique_name,
            max_participants=max_participants,
            enable_recording=enable_recording,
            webhook_event_url=webhook_event_url,
            webhook_event_failover_url=webhook_event_failover_url,
            webhook_timeout_secs=webhook_timeout_secs,
        )
        return await ensure(self._caller, body)

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
        from telnyx_rooms_async.core.plan import compare, read_desired  # noqa: PLC0415 - see above

        prune = cast("bool", exact_flag(prune))
        if wrong := flag(prune):
            raise InvalidArgumentError((f"prune {wrong}",))
        wanted = read_desired(desired)
        return compare(wanted, [room async for room in self.list().concurrently(_PAGES_AT_ONCE)], prune=prune)

    def apply(
        self,
        plan: "Plan",
        *,
        limit: int = 32,
        stop_after: int | None = None,
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
            stop_after: so many failures end it, with an `ExceptionGroup`; see `batch.stream`.
            max_deletes: the most rooms that the plan may delete. It must be given when the plan deletes more
                than half of the rooms.

        Raises:
            InvalidArgumentError: at the call: it is no plan, or it deletes too many rooms, or a number is not
                a whole one from 1 (`max_deletes`: from 0). Nothing was sent.

        Telnyx operations: CreateRoom, UpdateRoom and DeleteRoom.
        """
        from telnyx_rooms_async.resources.rooms.ensuring import carry_out  # noqa: PLC0415 - see above

        return carry_out(self._caller, plan, limit=limit, stop_after=stop_after, max_deletes=max_deletes)
