"""What a fleet can do to many things: the jobs of a client, found by name in another process."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Generic, TypeVar

from attrs import frozen

from telnyx_rooms_async.batch.operations import BulkOperation
from telnyx_rooms_async.client import RoomsClient
from telnyx_rooms_async.core.endpoints import CREATE_ROOM, DELETE_ROOM, END_SESSION, UPDATE_ROOM, Endpoint
from telnyx_rooms_async.core.requests import RoomFields
from telnyx_rooms_async.core.validators import RoomId, SessionId
from telnyx_rooms_async.http.api_session import ApiSession
from telnyx_rooms_async.models import Room
from telnyx_rooms_async.resources.room_creation import OnLostResponse, check_on_lost_response
from telnyx_rooms_async.resources.rooms import RoomUpdate, bulk_create, bulk_delete, bulk_update
from telnyx_rooms_async.resources.sessions import bulk_end

Item = TypeVar("Item")
Value = TypeVar("Value")


@frozen(kw_only=True)
class Kind(Generic[Item, Value]):
    """A kind of job, as it is sent to the workers."""

    name: str
    """Dask shows its tasks under it."""
    operation: str
    """In the Telnyx API reference."""
    make: Callable[[ApiSession], BulkOperation[Item, Value]]
    """A function that pickles."""

    def of(self, client: RoomsClient) -> BulkOperation[Item, Value]:
        """Do it by a client."""
        return self.make(client._api)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - one of us


def _kind(
    name: str, endpoint: Endpoint[Any], make: Callable[[ApiSession], BulkOperation[Item, Value]]
) -> Kind[Item, Value]:
    return Kind(name=name, operation=endpoint.operation, make=make)


def creating(on_lost_response: OnLostResponse) -> Kind[RoomFields, Room]:
    """Create rooms, all of them named: a partition that is run again finds them by their names.

    Raises:
        InvalidArgumentError: it is no choice.
    """
    check_on_lost_response(on_lost_response)
    return _kind(
        "create_many",
        CREATE_ROOM,
        partial(bulk_create, on_lost_response=on_lost_response, must_be_named=True),
    )


UPDATING: Final[Kind[RoomUpdate, Room]] = _kind("update_many", UPDATE_ROOM, bulk_update)
DELETING: Final[Kind[RoomId, None]] = _kind("delete_many", DELETE_ROOM, bulk_delete)
ENDING: Final[Kind[SessionId, None]] = _kind("end_many", END_SESSION, bulk_end)
