"""A stateful Telnyx on this machine, to develop and test against.

    async with Emulator() as telnyx:
        async with RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
            room = await client.rooms.create(unique_name="Weekly")
            telnyx.join(room.id, context="Alice")

It is the endpoint table read backwards: it checks the key, validates, pages, filters and refuses as the
Telnyx API reference says, over real HTTP.
"""

from telnyx_rooms_async.emulator.server import Emulator, RecordedRequest

__all__ = ["Emulator", "RecordedRequest"]
