"""Rooms: places to meet, and the sessions held in them."""

from telnyx_rooms_async.resources.rooms.single import SingleRooms


class Rooms(SingleRooms):
    """``client.rooms``."""
