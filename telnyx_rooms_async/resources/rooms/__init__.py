"""Rooms: places to meet, and the sessions held in them."""

from telnyx_rooms_async.resources.rooms.desired import DesiredRooms


class Rooms(DesiredRooms):
    """``client.rooms``."""
