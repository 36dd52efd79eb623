"""Events as they come over the wire, after the documentation of Telnyx, made by none of our own code."""

import base64
import json
from typing import Any

from nacl.signing import SigningKey

ROOM = "0ccc7b54-4df3-4bca-a65a-35a1ecc777f0"
SESSION = "7b61621f-62e0-4aad-ab11-9fd19e272e73"
PERSON = "5ccc7b54-4df3-4bca-a65a-35a1ecc777f0"
RECORDING = "1ccc7b54-4df3-4bca-a65a-35a1ecc777f0"
COMPOSITION = "5970ce77-4aeb-4e18-ac8c-3effca0c145a"
NOW = 1_700_000_000

_HERE = {"room_id": ROOM, "session_id": SESSION}
PAYLOADS: dict[str, dict[str, Any]] = {
    "video.room.session.started": _HERE,
    "video.room.session.ended": {**_HERE, "duration_secs": 235, "ended_reason": "stale"},
    "video.room.participant.joined": {**_HERE, "participant_id": PERSON, "context": "Alice"},
    "video.room.participant.left": {
        **_HERE,
        "participant_id": PERSON,
        "context": "Alice",
        "duration_secs": 34,
        "left_reason": "kick",
    },
    "video.room.recording.started": {
        **_HERE,
        "participant_id": PERSON,
        "recording_id": RECORDING,
        "type": "audio",
    },
    "video.room.recording.completed": {
        **_HERE,
        "participant_id": PERSON,
        "recording_id": RECORDING,
        "type": "audio",
        "codec": "opus",
        "download_url": "https://www.example.com",
        "duration_secs": 3660,
        "size_mb": 5.6,
    },
    "video.room.composition.completed": {
        **_HERE,
        "composition_id": COMPOSITION,
        "download_url": "https://www.example.com",
        "duration_secs": 53,
        "format": "mp4",
        "resolution": "1280x720",
        "size_mb": 2.6,
    },
}
"""By the type of the event."""


def data(event_type: str, **changed: Any) -> dict[str, Any]:
    """Make what stands under ``data``."""
    return {
        "event_type": event_type,
        "id": "6b61621f-62e0-4aad-ab11-9fd19e272e73",
        "occurred_at": "2018-02-02T22:25:27.521992Z",
        "payload": PAYLOADS.get(event_type, {}),
        "record_type": "event",
        **changed,
    }


def body(event_type: str, **changed: Any) -> bytes:
    """Make the body of a webhook."""
    meta = {"attempt": 1, "delivered_to": "https://example.com/hook"}
    return json.dumps({"data": data(event_type, **changed), "meta": meta}).encode()


class Telnyx:
    """Signs as Telnyx does, with libsodium."""

    def __init__(self, seed: bytes = b"a seed of 32 bytes, as it must be") -> None:
        self._key = SigningKey(seed[:32])

    @property
    def raw_key(self) -> bytes:
        """The public key: 32 bytes."""
        return bytes(self._key.verify_key)

    @property
    def public_key(self) -> str:
        """The public key as Telnyx shows it."""
        return base64.b64encode(self.raw_key).decode()

    def sign(self, body: bytes, timestamp: str = str(NOW)) -> dict[str, str]:
        """Make the headers of a webhook."""
        signature = self._key.sign(timestamp.encode() + b"|" + body).signature
        return {
            "Telnyx-Signature-Ed25519": base64.b64encode(signature).decode(),
            "Telnyx-Timestamp": timestamp,
            "Content-Type": "application/json",
        }
