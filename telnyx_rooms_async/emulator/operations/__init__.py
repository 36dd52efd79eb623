"""What the emulated Telnyx does for each operation: the rows of the endpoint table, carried out. No HTTP."""

from collections.abc import Mapping
from typing import Final

from telnyx_rooms_async.emulator.operations import (
    compositions,
    participants,
    recordings,
    rooms,
    sessions,
    tokens,
)
from telnyx_rooms_async.emulator.operations.arrival import Arrival, Operation

__all__ = ["OPERATIONS", "Arrival", "Operation"]

OPERATIONS: Final[Mapping[str, Operation]] = {
    **rooms.OPERATIONS,
    **tokens.OPERATIONS,
    **sessions.OPERATIONS,
    **participants.OPERATIONS,
    **recordings.OPERATIONS,
    **compositions.OPERATIONS,
}
