"""Client tokens that look like those of Telnyx, and the verification of refresh tokens. No HTTP."""

import base64
import hmac
import json
import secrets
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias
from uuid import uuid4

from telnyx_rooms_async.serialization import encode_json

TokenType: TypeAlias = Literal["access", "refresh"]

_HEADER: Final = {"alg": "Ed25519", "typ": "JWT"}
_ISSUER: Final = "telnyx_access_token"


class TokenIssuer:
    """Issues tokens as JWTs, and verifies refresh tokens by their signature, so that none is stored.

    The header names Ed25519, as that of Telnyx does; the signature is an HMAC of the same length.
    """

    def __init__(self, user_id: str) -> None:
        self._user_id = user_id
        self._key = secrets.token_bytes(64)

    def issue(self, token_type: TokenType, room_id: str, seconds: int, now: datetime) -> tuple[str, str]:
        """Return a token for a room, and the time at which it expires, in whole seconds as in a JWT."""
        issued_at = int(now.timestamp())
        user = f"telnyx:users:{self._user_id}"
        claims = {
            "aud": _ISSUER,
            "exp": issued_at + seconds,
            "grants": [{"actions": ["join"], "resources": [_resource(room_id)], "subjects": [user]}],
            "grants_version": "1.0.0",
            "iat": issued_at,
            "iss": _ISSUER,
            "jti": str(uuid4()),
            "nbf": issued_at - 1,
            "sub": "null",
            "typ": token_type,
        }
        signed = f"{_base64url(encode_json(_HEADER))}.{_base64url(encode_json(claims))}"
        expires_at = datetime.fromtimestamp(issued_at + seconds, UTC)
        return f"{signed}.{self._sign(signed)}", expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")

    def is_valid_refresh_token(self, token: str, room_id: str, now: datetime) -> bool:
        """Return whether a refresh token was issued here for a room, and has not expired."""
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(errors="replace"), self._sign(signed).encode()):
            return False
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))
        is_for_room = claims["grants"][0]["resources"] == [_resource(room_id)]
        return claims["typ"] == "refresh" and is_for_room and now.timestamp() < int(claims["exp"])

    def _sign(self, signed: str) -> str:
        return _base64url(hmac.digest(self._key, signed.encode(errors="replace"), "sha512"))


def _resource(room_id: str) -> str:
    return f"telnyx:video:rooms:{room_id}"


def _base64url(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")
