"""Bring a room to what it should be, and carry out a plan."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from functools import partial
from typing import Final, cast

from telnyx_rooms_async import batch
from telnyx_rooms_async.caller import Caller
from telnyx_rooms_async.core.adoption import PAUSES
from telnyx_rooms_async.core.endpoints import CREATE_ROOM, DELETE_ROOM, UPDATE_ROOM
from telnyx_rooms_async.core.errors import InvalidArgumentError
from telnyx_rooms_async.core.fields import RoomFields, room_body
from telnyx_rooms_async.core.models import Room
from telnyx_rooms_async.core.params import RoomBody
from telnyx_rooms_async.core.plan import Change, Ensured, Plan, differing
from telnyx_rooms_async.core.protocol import build
from telnyx_rooms_async.core.rules import show
from telnyx_rooms_async.core.spelling import body_fields
from telnyx_rooms_async.core.statuses import NameTakenError, NotFoundError
from telnyx_rooms_async.creating import create, rooms_named
from telnyx_rooms_async.jobs import Many

_ROUNDS: Final = 3


async def ensure(caller: Caller, body: RoomBody, *, is_missing: bool = False) -> Ensured:
    """Create or update a room, or find that it is right; see `Rooms.ensure` for what is promised.

    Args:
        caller: sends the requests.
        body: the fields of the room.
        is_missing: whether the room was not there a moment ago: then it is created without a look-up.
    """
    name = body.unique_name
    if not isinstance(name, str):
        raise InvalidArgumentError((f"unique_name must be text, not {show(name)}",))
    build(CREATE_ROOM, body=body)  # nothing is looked for by what is wrong
    with caller.lifetime:
        for _ in range(_ROUNDS - 1):
            with suppress(NotFoundError):  # deleted between two requests of ours
                return await _once(caller, name, body, is_missing=is_missing)
            is_missing = False
        return await _once(caller, name, body, is_missing=False)


async def _once(caller: Caller, name: str, body: RoomBody, *, is_missing: bool) -> Ensured:
    wanted = body_fields(body)
    room = None if is_missing else await _find(caller, name)
    if room is None:
        try:
            # "resend": the name protects from a second room.
            room = await create(caller, body, "resend")
            return Ensured(room=room, action="created", changed=tuple(wanted))
        except NameTakenError as error:
            room = await _find_taken(caller, name, error)
    after = differing(room, wanted)
    if not after:
        return Ensured(room=room, action="unchanged")
    return Ensured(room=await _set(caller, room.id, after), action="updated", changed=tuple(after))


async def _find(caller: Caller, name: str) -> Room | None:
    rooms = await rooms_named(name, caller.ask)
    return rooms[0] if rooms else None


async def _find_taken(caller: Caller, name: str, taken: NameTakenError) -> Room:
    """Look for a room that someone else has made just now: it may take a moment to show.

    Raises:
        NameTakenError: there is none of exactly this name.
    """
    for pause in (0.0, *PAUSES):
        if pause:
            await caller.clock.sleep(pause)
        if (room := await _find(caller, name)) is not None:
            return room
    raise taken


async def _set(caller: Caller, room_id: str, after: Mapping[str, object]) -> Room:
    return await caller.ask(build(UPDATE_ROOM, room_id=room_id, body=_body(after)))


def _body(fields: Mapping[str, object]) -> RoomBody:
    return room_body(cast("RoomFields", fields))


def carry_out(
    caller: Caller, plan: Plan, *, limit: int, stop_after: int | None, max_deletes: int | None
) -> AsyncGenerator[batch.Outcome[Change, Room | None], None]:
    """Carry out a plan; see `Rooms.apply` for what is promised."""
    if not isinstance(cast("object", plan), Plan):
        raise InvalidArgumentError((f"plan must be a Plan, not {show(plan)}",))
    plan.check_deletes(max_deletes)
    many = Many(name="apply", act=partial(_change, caller), caller=caller)
    return many.run(plan.changes, limit=limit, stop_after=stop_after)


async def _change(caller: Caller, change: Change, _: float | None) -> Room | None:
    if change.action == "create":
        body = _body({"unique_name": change.unique_name, **change.after})
        return (await ensure(caller, body, is_missing=True)).room
    room_id = change.room_id or ""
    if change.action == "update":
        return await _set(caller, room_id, change.after)
    try:
        await caller.ask(build(DELETE_ROOM, room_id=room_id))
    except NotFoundError:
        return None  # what was to be done is done
    return None
