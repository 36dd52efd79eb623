"""Client tokens: JWTs that look like those of Telnyx. Their signature is verified, and none is stored."""

import base64
import hmac
import secrets
from datetime import UTC, datetime
from typing import Any, Final, Literal
from uuid import uuid4

from attrs import field, frozen

from telnyx_rooms_async.serialization import encode_json, parse_json

_ISSUER: Final = "telnyx_access_token"


@frozen
class TokenIssuer:
    """Issues the tokens of an account, and verifies them.

    The header of a token names Ed25519, as that of Telnyx does; the signature is an HMAC of the same length.
    """

    _user_id: str
    _key: bytes = field(factory=lambda: secrets.token_bytes(64), repr=False, init=False)

    def issue(
        self, token_type: Literal["access", "refresh"], room_id: str, now: datetime, seconds: int
    ) -> tuple[str, str]:
        """Return a token, and when it expires: in whole seconds, as in a JWT."""
        issued_at = int(now.timestamp())
        claims = {
            "aud": _ISSUER,
            "exp": issued_at + seconds,
            "grants": [
                {
                    "actions": ["join"],
                    "resources": [_resource(room_id)],
                    "subjects": [f"telnyx:users:{self._user_id}"],
                }
            ],
            "grants_version": "1.0.0",
            "iat": issued_at,
            "iss": _ISSUER,
            "jti": str(uuid4()),
            "nbf": issued_at - 1,
            "sub": "null",
            "typ": token_type,
        }
        parts = ({"alg": "Ed25519", "typ": "JWT"}, claims)
        signed = ".".join(_base64url(encode_json(part)) for part in parts)
        expires_at = datetime.fromtimestamp(issued_at + seconds, UTC)
        return f"{signed}.{self._sign(signed)}", expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")

    def is_refresh_token(self, token: str, room_id: str, now: datetime) -> bool:
        """Return whether a token was issued here to refresh those of a room, and has not expired."""
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(errors="replace"), self._sign(signed).encode()):
            return False
        claims: dict[str, Any] = parse_json(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))
        is_for_room: bool = claims["grants"][0]["resources"] == [_resource(room_id)]
        is_expired: bool = now.timestamp() >= claims["exp"]
        return claims["typ"] == "refresh" and is_for_room and not is_expired

    def _sign(self, signed: str) -> str:
        return _base64url(hmac.digest(self._key, signed.encode(errors="replace"), "sha512"))


def _resource(room_id: str) -> str:
    return f"telnyx:video:rooms:{room_id}"


def _base64url(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")
