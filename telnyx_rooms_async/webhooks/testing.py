"""For tests of your own, without a server: webhooks as Telnyx would send them. Needs the extra ``webhooks``.

The key is made anew by each process, so that nothing which is signed here is ever worth anything elsewhere.
"""

import time
from base64 import b64encode
from typing import Final, NamedTuple

from attrs import asdict

from telnyx_rooms_async.core.codec import encode
from telnyx_rooms_async.webhooks.events import Event
from telnyx_rooms_async.webhooks.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER

try:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
except ImportError as _error:
    raise ImportError("signing needs cryptography: pip install 'telnyx-rooms-async[webhooks]'") from _error

_KEY: Final = Ed25519PrivateKey.generate()
PUBLIC_KEY: Final = b64encode(_KEY.public_key().public_bytes_raw()).decode()
"""What `signed` is verified with: ``Webhooks(PUBLIC_KEY)``."""


class SignedWebhook(NamedTuple):
    """A request, as far as it matters."""

    body: bytes
    headers: dict[str, str]


def signed(event: Event, *, timestamp: int | None = None) -> SignedWebhook:
    """Return the body and the headers of the webhook that tells of an event.

    Args:
        event: what it tells.
        timestamp: seconds since the epoch; now unless given.
    """
    data = asdict(event)
    attempt = data.pop("attempt")
    body = encode({"data": {"record_type": "event", **data}, "meta": {"attempt": attempt or 1}})
    return sign(body, timestamp=timestamp)


def sign(body: bytes, *, timestamp: int | None = None) -> SignedWebhook:
    """Return any body with the headers that make a webhook of it."""
    moment = str(int(time.time()) if timestamp is None else timestamp)
    signature = b64encode(_KEY.sign(b"%b|%b" % (moment.encode(), body))).decode()
    headers = {
        "content-type": "application/json",
        "user-agent": "telnyx-webhooks",
        SIGNATURE_HEADER: signature,
        TIMESTAMP_HEADER: moment,
    }
    return SignedWebhook(body, headers)
