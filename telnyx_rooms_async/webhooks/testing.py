"""Signed webhooks for tests, without a server. Needs the extra ``webhooks``.

Each process generates its own key, so that a signature of a test is worthless elsewhere.
"""

import time
from base64 import b64encode
from typing import Final, NamedTuple

from telnyx_rooms_async.serialization import converter, encode_json
from telnyx_rooms_async.webhooks.events import Event
from telnyx_rooms_async.webhooks.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER

try:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
except ImportError as _error:
    raise ImportError("signing needs cryptography: pip install 'telnyx-rooms-async[webhooks]'") from _error

_KEY: Final = Ed25519PrivateKey.generate()
PUBLIC_KEY: Final = b64encode(_KEY.public_key().public_bytes_raw()).decode()
"""The key that verifies these webhooks: ``Webhooks(PUBLIC_KEY)``."""


class SignedWebhook(NamedTuple):
    """Body and headers of a webhook request.

    Example:
        >>> webhook = sign(RoomSessionEnded(id="1"))
        >>> event = Webhooks(PUBLIC_KEY).unwrap(webhook.body, webhook.headers)
    """

    body: bytes
    """Body, exactly as it was signed."""
    headers: dict[str, str]
    """Headers with the signature and its time."""


def sign(webhook: Event | bytes, *, timestamp: int | None = None) -> SignedWebhook:
    """Return a signed webhook.

    Args:
        webhook: the event to send, or a body of any bytes.
        timestamp: seconds since the epoch; default: the current time.

    Example:
        >>> body, headers = sign(RoomSessionEnded(id="1"))
        >>> Webhooks(PUBLIC_KEY).unwrap(body, headers).id
        '1'
    """
    if isinstance(webhook, Event):
        data = converter.unstructure(webhook)
        attempt = data.pop("attempt") or 1
        body = encode_json({"data": {"record_type": "event", **data}, "meta": {"attempt": attempt}})
    else:
        body = webhook
    moment = str(int(time.time()) if timestamp is None else timestamp)
    signature = b64encode(_KEY.sign(b"%b|%b" % (moment.encode(), body))).decode()
    headers = {
        "content-type": "application/json",
        "user-agent": "telnyx-webhooks",
        SIGNATURE_HEADER: signature,
        TIMESTAMP_HEADER: moment,
    }
    return SignedWebhook(body, headers)
