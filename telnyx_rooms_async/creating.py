"""Create a room once: when the answer is lost, look for the room instead of making another."""

from typing import Final, Literal, TypeAlias, get_args

from attrs import evolve, frozen

from telnyx_rooms_async.attempts import logger
from telnyx_rooms_async.caller import Caller, Trail
from telnyx_rooms_async.core.adoption import PAUSES, is_ours, namesakes
from telnyx_rooms_async.core.endpoints import CREATE_ROOM, LIST_ROOMS
from telnyx_rooms_async.core.errors import (
    APIConnectionError,
    APIResponseError,
    InvalidArgumentError,
    OutcomeUnknownError,
)
from telnyx_rooms_async.core.messages import Call
from telnyx_rooms_async.core.models import Room
from telnyx_rooms_async.core.params import RoomBody, RoomsQuery
from telnyx_rooms_async.core.protocol import build
from telnyx_rooms_async.core.retry import RetryPolicy
from telnyx_rooms_async.core.rules import show
from telnyx_rooms_async.core.spelling import body_fields
from telnyx_rooms_async.core.statuses import APIStatusError, NameTakenError

OnUnknown: TypeAlias = Literal["adopt", "resend", "raise"]
"""What to do when a room may or may not have been created."""

_ONCE: Final = RetryPolicy(attempts=1)


def check_choice(on_unknown: OnUnknown) -> None:
    """Refuse what is no choice.

    Raises:
        InvalidArgumentError: it is none.
    """
    if on_unknown not in get_args(OnUnknown):
        choices = ", ".join(map(repr, get_args(OnUnknown)))
        raise InvalidArgumentError((f"on_unknown must be one of {choices}, not {show(on_unknown)}",))


async def create(caller: Caller, body: RoomBody, on_unknown: OnUnknown) -> Room:
    """Create a room; see `Rooms.create` for what is promised."""
    check_choice(on_unknown)
    began = caller.clock.now()

    async def steps(call: Call[Room], trail: Trail) -> Room:
        creation = _Creation(caller=caller, call=call, body=body, trail=trail, began=began)
        return await creation.run(on_unknown)

    return await caller.run(build(CREATE_ROOM, body=body), steps)


async def settle(caller: Caller, body: RoomBody, on_unknown: OnUnknown, since: float) -> Room:
    """Return the room that an earlier process may have created since then, or create it.

    Raises:
        NameTakenError: another room has the name, and was seen.
        OutcomeUnknownError: the name is taken, and no room of it was seen; or as for `create`.
    """
    build(CREATE_ROOM, body=body)  # nothing is looked for by what is wrong
    asked, unique_name = body_fields(body), str(body.unique_name)

    async def look() -> tuple[Room | None, bool]:
        page = await caller.ask(build(LIST_ROOMS, query=RoomsQuery(unique_name=unique_name)))
        rooms, now = namesakes(page.data, unique_name), caller.clock.now()
        ours = (room for room in rooms if is_ours(room, asked, began=since, now=now))
        return next(ours, None), bool(rooms)

    room, _ = await look()
    if room is not None:
        return room
    try:
        return await create(caller, body, on_unknown)
    except NameTakenError as taken:
        # The request of the earlier process may have been on its way until now.
        for pause in (0.0, *PAUSES):
            await caller.clock.sleep(pause)
            room, is_seen = await look()
            if room is not None:
                return room
            if is_seen:
                raise
        # Who has the name is not to be seen: it may be that very request.
        raise OutcomeUnknownError(CREATE_ROOM.operation, unique_name, taken.attempts) from taken


@frozen(kw_only=True, eq=False, repr=False)
class _Creation:
    """One room on its way."""

    caller: Caller
    call: Call[Room]
    body: RoomBody
    trail: Trail
    began: float

    async def run(self, on_unknown: OnUnknown) -> Room:
        """Ask for the room; when it is unknown whether it was made, find out.

        Raises:
            OutcomeUnknownError: it cannot be found out.
            NameTakenError: another room has the name.
        """
        try:
            return await self.caller.pursue(self.call, self.trail)
        except OutcomeUnknownError as error:
            unknown = error
        if on_unknown == "raise" or unknown.unique_name is None:
            raise unknown
        room = await self._find(unknown, unknown.unique_name)
        if room is not None:
            return room
        if on_unknown == "adopt":
            raise self._unknown(unknown, ()) from unknown.__cause__
        return await self._resend(unknown, unknown.unique_name)

    async def _resend(self, unknown: OutcomeUnknownError, unique_name: str) -> Room:
        """Ask once more: should the first room be there after all, its name is taken."""
        if self.caller.clock.monotonic() >= self.trail.deadline or not self._afford():
            raise self._unknown(unknown, ()) from unknown.__cause__
        taken: NameTakenError | None = None
        try:
            return await self.caller.pursue(self.call, self.trail)
        except NameTakenError as error:
            taken = error
        except OutcomeUnknownError as error:
            unknown = error
        except (APIConnectionError, APIResponseError, APIStatusError) as error:
            # It was not made by this request, which says nothing of the first.
            raise self._unknown(unknown, ()) from error
        room = await self._find(unknown, unique_name, taken)
        if room is not None:
            return room
        raise self._unknown(unknown, ()) from unknown.__cause__

    async def _find(
        self, unknown: OutcomeUnknownError, unique_name: str, taken: NameTakenError | None = None
    ) -> Room | None:
        """Look for the room a few times.

        Raises:
            OutcomeUnknownError: there are several that may be it.
            NameTakenError: the one that was given: another room of the name was seen.
        """
        logger.warning("POST /rooms: it is unknown whether the room was made; looking for it by its name")
        asked = body_fields(self.body)
        clock, is_seen = self.caller.clock, False
        for pause in PAUSES:
            if clock.monotonic() + pause >= self.trail.deadline:
                break
            await clock.sleep(pause)
            if not self._afford():
                break
            rooms = await self._look(unique_name)
            is_seen = is_seen or bool(rooms)
            ours = [room for room in rooms if is_ours(room, asked, began=self.began, now=clock.now())]
            if len(ours) > 1:
                raise self._unknown(unknown, tuple(room.id for room in ours)) from unknown.__cause__
            if ours:
                logger.warning("POST /rooms: the room was made, and is found")
                return ours[0]
        if is_seen and taken is not None:
            raise taken
        return None

    def _afford(self) -> bool:
        """Pay for another request as for a repetition: an outage is met with no more load."""
        caller = self.caller
        if caller.budget.take(caller.retry.retry_cost, caller.clock.monotonic()):
            self.trail.spent += caller.retry.retry_cost
            return True
        *before, last = self.trail.attempts
        self.trail.attempts = (*before, evolve(last, budget_exhausted=True))
        return False

    async def _look(self, unique_name: str) -> tuple[Room, ...]:
        """Look once: a look that fails is one that finds nothing, and is told by the attempts."""
        call = build(LIST_ROOMS, query=RoomsQuery(unique_name=unique_name))
        try:
            page = await evolve(self.caller, retry=_ONCE).pursue(call, self.trail)
        except (APIConnectionError, APIResponseError, APIStatusError):
            return ()
        return namesakes(page.data, unique_name)

    def _unknown(self, unknown: OutcomeUnknownError, room_ids: tuple[str, ...]) -> OutcomeUnknownError:
        return OutcomeUnknownError(unknown.operation, unknown.unique_name, self.trail.attempts, room_ids)
