"""A stateful Telnyx on this machine, to develop and test against.

    async with Emulator() as telnyx:
        async with RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
            room = await client.rooms.create(unique_name="Weekly")
            alice = telnyx.join(room.id, context="Alice")
            telnyx.leave(alice.id)

It is the endpoint table read backwards: it checks the key, validates, pages, filters and refuses as the
Telnyx API reference says, over real HTTP. People who join a room with ``enable_recording`` are recorded;
the links to their recordings lead back here. What happens is told to the webhook URLs of rooms and
compositions, signed. What must go wrong is scripted: requests meet faults, events mishaps.
"""

from telnyx_rooms_async.emulator.deliveries import Delivery
from telnyx_rooms_async.emulator.faults import Fault
from telnyx_rooms_async.emulator.media import MediaFile
from telnyx_rooms_async.emulator.mishaps import WebhookFault
from telnyx_rooms_async.emulator.recorded import RecordedRequest
from telnyx_rooms_async.emulator.script_file import load_script
from telnyx_rooms_async.emulator.server import Emulator
from telnyx_rooms_async.emulator.shorthand import Faults
from telnyx_rooms_async.emulator.webhooks import WebhookEvent

__all__ = [
    "Delivery",
    "Emulator",
    "Fault",
    "Faults",
    "MediaFile",
    "RecordedRequest",
    "WebhookEvent",
    "WebhookFault",
    "load_script",
]
