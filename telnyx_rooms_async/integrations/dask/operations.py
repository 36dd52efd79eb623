"""Bulk operations in a form that pickles, for the workers of a cluster."""

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
class DaskOperation(Generic[Item, Value]):
    """Description of a `BulkOperation`, which a worker creates with its own client."""

    name: str
    """Start of the names of its tasks on the dashboard."""
    endpoint: Endpoint[Any]
    factory: Callable[[ApiSession], BulkOperation[Item, Value]]
    """A function that pickles."""

    def bind(self, client: RoomsClient) -> BulkOperation[Item, Value]:
        """Return the operation of a client."""
        return self.factory(client._api)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - of this package


def create_rooms(on_lost_response: OnLostResponse) -> DaskOperation[RoomFields, Room]:
    """Return the operation of `create_many`. Rooms must be named, to be found when a partition runs again.

    Raises:
        InvalidArgumentError: `on_lost_response` is not valid.
    """
    check_on_lost_response(on_lost_response)
    factory = partial(bulk_create, on_lost_response=on_lost_response, must_be_named=True)
    return DaskOperation(name="create_many", endpoint=CREATE_ROOM, factory=factory)


UPDATE_ROOMS: Final[DaskOperation[RoomUpdate, Room]] = DaskOperation(
    name="update_many", endpoint=UPDATE_ROOM, factory=bulk_update
)
DELETE_ROOMS: Final[DaskOperation[RoomId, None]] = DaskOperation(
    name="delete_many", endpoint=DELETE_ROOM, factory=bulk_delete
)
END_SESSIONS: Final[DaskOperation[SessionId, None]] = DaskOperation(
    name="end_many", endpoint=END_SESSION, factory=bulk_end
)
