"""Webhook bodies and signatures after Telnyx's documentation, made without any code of the package."""

import base64
import json
from typing import Any

from nacl.signing import SigningKey

ROOM = "0ccc7b54-4df3-4bca-a65a-35a1ecc777f0"
SESSION = "7b61621f-62e0-4aad-ab11-9fd19e272e73"
PARTICIPANT = "5ccc7b54-4df3-4bca-a65a-35a1ecc777f0"
RECORDING = "1ccc7b54-4df3-4bca-a65a-35a1ecc777f0"
COMPOSITION = "5970ce77-4aeb-4e18-ac8c-3effca0c145a"
NOW = 1_700_000_000

_SESSION_IDS = {"room_id": ROOM, "session_id": SESSION}
PAYLOADS: dict[str, dict[str, Any]] = {
    "video.room.session.started": _SESSION_IDS,
    "video.room.session.ended": {**_SESSION_IDS, "duration_secs": 235, "ended_reason": "stale"},
    "video.room.participant.joined": {**_SESSION_IDS, "participant_id": PARTICIPANT, "context": "Alice"},
    "video.room.participant.left": {
        **_SESSION_IDS,
        "participant_id": PARTICIPANT,
        "context": "Alice",
        "duration_secs": 34,
        "left_reason": "kick",
    },
    "video.room.recording.started": {
        **_SESSION_IDS,
        "participant_id": PARTICIPANT,
        "recording_id": RECORDING,
        "type": "audio",
    },
    "video.room.recording.completed": {
        **_SESSION_IDS,
        "participant_id": PARTICIPANT,
        "recording_id": RECORDING,
        "type": "audio",
        "codec": "opus",
        "download_url": "https://www.example.com",
        "duration_secs": 3660,
        "size_mb": 5.6,
    },
    "video.room.composition.completed": {
        **_SESSION_IDS,
        "composition_id": COMPOSITION,
        "download_url": "https://www.example.com",
        "duration_secs": 53,
        "format": "mp4",
        "resolution": "1280x720",
        "size_mb": 2.6,
    },
}
"""By event type."""


def event_data(event_type: str, **changes: Any) -> dict[str, Any]:
    """Make the value of ``data``."""
    return {
        "event_type": event_type,
        "id": "6b61621f-62e0-4aad-ab11-9fd19e272e73",
        "occurred_at": "2018-02-02T22:25:27.521992Z",
        "payload": PAYLOADS.get(event_type, {}),
        "record_type": "event",
        **changes,
    }


def event_body(event_type: str, **changes: Any) -> bytes:
    """Make the body of a webhook."""
    meta = {"attempt": 1, "delivered_to": "https://example.com/hook"}
    return json.dumps({"data": event_data(event_type, **changes), "meta": meta}).encode()


class WebhookSigner:
    """Signs webhooks as Telnyx does, with libsodium."""

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
