"""Emulator of the Telnyx Video API for development and tests: a stateful HTTP server on this machine.

    async with Emulator() as telnyx:
        async with RoomsClient(telnyx.api_key, base_url=telnyx.url) as client:
            room = await client.rooms.create("Weekly")
            alice = telnyx.join(room.id, context="Alice")
            telnyx.leave(alice.id)

It checks the API key, validates, pages and filters as the API reference says, for all 25 operations.
Participants of a room with ``enable_recording`` are recorded, and the links of their recordings work. Events
are sent, signed, to the webhook URLs of rooms and compositions. Faults can be injected into requests and
webhooks.

Guide: ``telnyx-rooms docs emulator``, or the README.md of this folder.
"""

from telnyx_rooms_async.emulator.events import WebhookEvent
from telnyx_rooms_async.emulator.fault_shorthands import Faults, load_faults
from telnyx_rooms_async.emulator.faults import Fault, WebhookFault
from telnyx_rooms_async.emulator.media import MediaFile
from telnyx_rooms_async.emulator.messages import RecordedRequest
from telnyx_rooms_async.emulator.server import Emulator
from telnyx_rooms_async.emulator.threaded import ThreadedEmulator
from telnyx_rooms_async.emulator.webhooks import Delivery

__all__ = [
    "Delivery",
    "Emulator",
    "Fault",
    "Faults",
    "MediaFile",
    "RecordedRequest",
    "ThreadedEmulator",
    "WebhookEvent",
    "WebhookFault",
    "load_faults",
]
