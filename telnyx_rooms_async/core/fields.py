"""Rooms as plain data, which may come from a file."""

from collections.abc import Mapping
from typing import TypedDict, cast

from telnyx_rooms_async.core.errors import InvalidArgumentError
from telnyx_rooms_async.core.params import RoomBody
from telnyx_rooms_async.core.rules import exact_text, show


class RoomFields(TypedDict, total=False):
    """What a room is created or updated with: ``{"unique_name": "Weekly", "max_participants": 25}``."""

    unique_name: str
    max_participants: int
    enable_recording: bool
    webhook_event_url: str
    webhook_event_failover_url: str | None
    webhook_timeout_secs: int | None


def room_body(fields: RoomFields) -> RoomBody:
    """Make a body of them.

    Raises:
        InvalidArgumentError: it is no mapping, or has a field that rooms do not have.
    """
    given = cast("object", fields)
    if not isinstance(given, Mapping):
        raise InvalidArgumentError((f"a room must be given by its fields, not {show(given)}",))
    try:
        exact = {exact_text(name): value for name, value in cast("Mapping[object, object]", given).items()}
    except Exception:  # noqa: BLE001 - a user's mapping can raise anything
        raise InvalidArgumentError((f"the fields of a room cannot be read from {show(fields)}",)) from None
    wrong = [name for name in exact if name not in RoomFields.__annotations__]
    if wrong:
        raise InvalidArgumentError(tuple(f"a room has no field {show(name)}" for name in wrong))
    return RoomBody(**cast("RoomFields", exact))
