"""The key pair of an emulated account. Signing alone needs the extra ``webhooks``."""

import base64
from typing import Protocol

from attrs import field, frozen

_NEEDED = "signed webhooks need the extra \"webhooks\": pip install 'telnyx-rooms-async[webhooks]'"


class _PrivateKey(Protocol):
    def sign(self, data: bytes, /) -> bytes: ...


@frozen(kw_only=True)
class Signer:
    """Signs as Telnyx does: Ed25519 over the text of the timestamp, a bar, and the bytes of the body."""

    public_key: str
    """Base64 of its 32 bytes, as Telnyx shows it."""
    private_key: _PrivateKey = field(repr=False)

    def headers(self, timestamp: int, body: bytes) -> dict[str, str]:
        """Make the two headers that prove where a body comes from, and when it was sent."""
        signature = self.private_key.sign(b"%d|%b" % (timestamp, body))
        return {
            "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
            "telnyx-timestamp": str(timestamp),
        }


def new_signer() -> Signer:
    """Make a key pair.

    Raises:
        RuntimeError: the extra is missing.
    """
    try:
        # Here and not above: whoever has no webhooks need not install it.
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    except ImportError:
        raise RuntimeError(_NEEDED) from None
    key = Ed25519PrivateKey.generate()
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    return Signer(public_key=public, private_key=key)
