"""The tokens that clients join rooms with: made to look like Telnyx's, signed with nothing. No HTTP."""

import base64
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from attrs import field, frozen

from telnyx_rooms_async.core.codec import encode

_HEADER: Final = {"alg": "Ed25519", "typ": "JWT"}
_ISSUER: Final = "telnyx_access_token"


@frozen(kw_only=True)
class Grant:
    """The right to join a room, or to go on joining it."""

    room_id: str
    token: str = field(repr=False)
    expires_at: datetime
    """In whole seconds, as in a JWT."""


class Grants:
    """Makes tokens, and remembers those that can be refreshed with."""

    def __init__(self, user_id: str) -> None:
        self._user_id = user_id
        self._refreshing: dict[str, Grant] = {}

    def access(self, room_id: str, seconds: int, now: datetime) -> Grant:
        """Make the token that a client joins with."""
        return self._make("access", room_id, seconds, now)

    def refreshing(self, room_id: str, seconds: int, now: datetime) -> Grant:
        """Make the token that gets the next one."""
        grant = self._make("refresh", room_id, seconds, now)
        self._refreshing[grant.token] = grant
        return grant

    def can_refresh(self, token: str, room_id: str, now: datetime) -> bool:
        """Tell whether a token was made here to get the next one, for this room, and has not expired."""
        grant = self._refreshing.get(token)
        return grant is not None and grant.room_id == room_id and now < grant.expires_at

    def _make(self, kind: str, room_id: str, seconds: int, now: datetime) -> Grant:
        issued = int(now.timestamp())
        claims = {
            "aud": _ISSUER,
            "exp": issued + seconds,
            "grants": [
                {
                    "actions": ["join"],
                    "resources": [f"telnyx:video:rooms:{room_id}"],
                    "subjects": [f"telnyx:users:{self._user_id}"],
                }
            ],
            "grants_version": "1.0.0",
            "iat": issued,
            "iss": _ISSUER,
            "jti": str(uuid4()),
            "nbf": issued - 1,
            "sub": "null",
            "typ": kind,
        }
        parts = encode(_HEADER), encode(claims), secrets.token_bytes(64)
        expires_at = datetime.fromtimestamp(issued, UTC) + timedelta(seconds=seconds)
        return Grant(room_id=room_id, token=".".join(map(_base64url, parts)), expires_at=expires_at)


def _base64url(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")
