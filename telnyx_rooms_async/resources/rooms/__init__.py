"""Rooms: places to meet, and the sessions held in them."""

from telnyx_rooms_async.resources.rooms.desired import DesiredRooms
from telnyx_rooms_async.resources.rooms.many import ManyRooms


class Rooms(ManyRooms, DesiredRooms):
    """``client.rooms``."""
