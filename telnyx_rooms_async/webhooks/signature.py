"""Ed25519 signatures of webhooks, over ``timestamp|body``. No I/O.

Only this module verifies with cryptography, which it imports when a key is loaded (extra ``webhooks``).
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from telnyx_rooms_async.core.validators import is_quoted
from telnyx_rooms_async.errors import ConfigurationError, InvalidArgumentError, WebhookSignatureError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SIGNATURE_HEADER: Final = "telnyx-signature-ed25519"
TIMESTAMP_HEADER: Final = "telnyx-timestamp"

Text: TypeAlias = str | bytes
PublicKey: TypeAlias = Text
"""A public key in base64 (as Telnyx shows it), hex, PEM, or SubjectPublicKeyInfo in base64 or DER."""
Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[Text, Text]]
"""A mapping, a multidict, or pairs as in ASGI."""

_SIGNATURE_SIZE: Final = 64
_TIMESTAMP: Final = re.compile("[0-9]{1,12}")


class SignatureVerifier:
    """Verifies that Telnyx signed a webhook recently.

    Args:
        public_key: the account's key, or several while it changes.
        tolerance: seconds that a timestamp may differ from the current time.

    Raises:
        ConfigurationError: there is no key, a key is not valid, or the extra ``webhooks`` is not installed.
    """

    def __init__(self, public_key: PublicKey | Sequence[PublicKey], *, tolerance: float) -> None:
        self._keys = _load_keys(public_key)
        self._tolerance = tolerance

    def verify(self, body: bytes, headers: Headers, *, now: float) -> None:
        """Return if the signature of a webhook is valid.

        Args:
            body: the bytes of the request.
            headers: the headers of the request.
            now: seconds since the epoch.

        Raises:
            WebhookSignatureError: a header is missing or malformed, the signature was not made with one of
                the keys, or the timestamp differs too much from `now`.
            InvalidArgumentError: the body is not bytes.
        """
        if not isinstance(cast("object", body), bytes | bytearray | memoryview):
            raise InvalidArgumentError(
                (f"body must be the bytes of the request, got a {type(body).__name__}",)
            )
        timestamp, signature = _signature_headers(headers)
        signed = b"%b|%b" % (timestamp.encode(), body)
        # Every key is tried, so that the time does not reveal which key matched.
        if not sum(_is_valid(key, signature, signed) for key in self._keys):
            raise WebhookSignatureError(("it was made with another key, or for another body",))
        # NaN is refused too.
        if not abs(now - int(timestamp)) <= self._tolerance:
            raise WebhookSignatureError(
                (f"its timestamp is more than {self._tolerance:g} seconds away from now",)
            )


def _signature_headers(headers: Headers) -> tuple[str, bytes]:
    """Return the text of the timestamp and the bytes of the signature."""
    values: dict[str, str] = {}
    # Multidicts of some frameworks, such as Werkzeug, are not mappings.
    pairs = cast("Mapping[Text, Text]", headers).items() if hasattr(headers, "items") else headers
    for name, value in pairs:
        lower = _text(name).lower()
        if lower not in (SIGNATURE_HEADER, TIMESTAMP_HEADER):
            continue
        if lower in values:
            raise WebhookSignatureError((f"there are two headers {lower}",))
        values[lower] = _text(value)
    for name in (SIGNATURE_HEADER, TIMESTAMP_HEADER):
        if name not in values:
            raise WebhookSignatureError((f"there is no header {name}",))
    if not _TIMESTAMP.fullmatch(values[TIMESTAMP_HEADER]):
        raise WebhookSignatureError((f"{TIMESTAMP_HEADER} must be 1 to 12 digits",))
    signature = _decode_base64(values[SIGNATURE_HEADER])
    if signature is None or len(signature) != _SIGNATURE_SIZE:
        raise WebhookSignatureError((f"{SIGNATURE_HEADER} must be {_SIGNATURE_SIZE} bytes in base64",))
    return values[TIMESTAMP_HEADER], signature


def _is_valid(key: "Ed25519PublicKey", signature: bytes, data: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - optional, loaded with the key

    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _decode_base64(text: str) -> bytes | None:
    """Decode canonical base64: the unused bits of the last character must be zero."""
    try:
        decoded = b64decode(text, validate=True)
    except ValueError:
        return None
    return decoded if b64encode(decoded).decode() == text else None


# --- public keys ------------------------------------------------------------------------------------------

_KEY_SIZE: Final = 32
_DER_PREFIX: Final = b"\x30\x2a"  # "0*": neither base64 nor hex has an asterisk
_HEX: Final = re.compile("[0-9A-Fa-f]{64}")
_PEM: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]*)-----END \1-----")
_ESCAPED_LINE_BREAK: Final = re.compile(r"\\+[nr]")
"""A line break as written in .env files; no key format contains a backslash."""
_EXPECTED: Final = "a public key must be 32 bytes in base64 or hex, PEM or DER"
_SMALL_ORDER_POINTS: Final = frozenset(
    bytes.fromhex(point)
    for point in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)
"""Points for which signatures exist that are valid for almost any message; the sign bit is cleared."""


def _load_keys(public_key: PublicKey | Sequence[PublicKey]) -> "tuple[Ed25519PublicKey, ...]":
    if isinstance(public_key, str | bytes) or not isinstance(cast("object", public_key), Sequence):
        public_key = (cast("PublicKey", public_key),)
    if not public_key:
        raise ConfigurationError("webhooks cannot be verified without a public key")
    return tuple(map(_load_key, public_key))


def _load_key(key: object) -> "Ed25519PublicKey":
    try:
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - optional
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import load_der_public_key  # noqa: PLC0415
    except ImportError:
        missing = "webhooks are verified with cryptography: pip install 'telnyx-rooms-async[webhooks]'"
        raise ConfigurationError(missing) from None
    encoded = _decode_key(key)
    try:
        is_raw = len(encoded) == _KEY_SIZE
        loaded = Ed25519PublicKey.from_public_bytes(encoded) if is_raw else load_der_public_key(encoded)
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError(f"{_EXPECTED}, got {len(encoded)} bytes") from None
    if not isinstance(loaded, Ed25519PublicKey):
        raise ConfigurationError(f"{_EXPECTED} of an Ed25519 key, got another type of key")
    raw = loaded.public_bytes_raw()
    if raw[:-1] + bytes([raw[-1] & 0x7F]) in _SMALL_ORDER_POINTS:
        raise ConfigurationError(
            "public key has small order and must not be used: any signature would verify"
        )
    return loaded


def _decode_key(key: object) -> bytes:
    """Return the bytes of a raw or DER key. An error does not show the key, which may be a secret."""
    if not isinstance(key, str | bytes):
        raise ConfigurationError(f"{_EXPECTED}, got a {type(key).__name__}")
    if isinstance(key, bytes) and key.startswith(_DER_PREFIX):
        return key
    text = _ESCAPED_LINE_BREAK.sub("\n", _text(key)).strip()
    if is_quoted(text):
        raise ConfigurationError(f"{_EXPECTED}, without quotes around it")
    if _HEX.fullmatch(text):
        return bytes.fromhex(text)
    pem = _PEM.fullmatch(text)
    if pem and pem[1] != "PUBLIC KEY":
        raise ConfigurationError(f"{_EXPECTED}, got the PEM of a {pem[1]}")
    decoded = _decode_base64("".join((pem[2] if pem else text).split()))
    if not decoded:
        raise ConfigurationError(f"{_EXPECTED}, got {_describe(text)}")
    return decoded


def _describe(text: str) -> str:
    if not text:
        return "an empty text"
    what = "an API key" if text.startswith("KEY") else "other text"
    return f"{what} of {len(text)} characters"
