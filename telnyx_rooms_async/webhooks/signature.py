"""Ed25519 signatures of webhooks, over ``timestamp|body``: `Webhooks` verifies them. No I/O.

Only this module verifies with cryptography, which it imports when a key is loaded (extra ``webhooks``).
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from telnyx_rooms_async.core.secret import without_frames
from telnyx_rooms_async.core.validators import exact_text, is_quoted
from telnyx_rooms_async.errors import ConfigurationError, InvalidArgumentError, WebhookSignatureError
from telnyx_rooms_async.http.clock import Clock
from telnyx_rooms_async.settings import check_positive, find_public_key
from telnyx_rooms_async.webhooks.events import Event, parse_event

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SIGNATURE_HEADER: Final = "telnyx-signature-ed25519"
TIMESTAMP_HEADER: Final = "telnyx-timestamp"

PublicKey: TypeAlias = str | bytes
"""A public key in base64 (as Telnyx shows it), hex, PEM, or SubjectPublicKeyInfo in base64 or DER."""
Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]]
"""A mapping, a multidict, or pairs as in ASGI."""

_SIGNATURE_SIZE: Final = 64
_TIMESTAMP: Final = re.compile("[0-9]{1,12}")


class Webhooks:
    """Verifies the signatures of webhooks and parses their events. Needs the extra ``webhooks``.

    Args:
        public_key: public key of the account, in base64 as Telnyx shows it, hex, PEM or DER
            (SubjectPublicKeyInfo); or several, while the key changes. Default: the environment variable
            ``TELNYX_PUBLIC_KEY``. ``await client.public_key()`` returns the key of an account.
        tolerance: seconds that the timestamp may differ from the current time, in both directions.
        clock: source of the current time, for tests.

    Raises:
        ConfigurationError: there is no key, a key is not valid, the tolerance is not a positive number, or
            the extra is not installed. The message does not show the key.

    Example:
        >>> from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY, sign
        >>> body, headers = sign(RoomSessionEnded(id="1"))
        >>> Webhooks(PUBLIC_KEY).unwrap(body, headers).event_type
        'video.room.session.ended'
    """

    @without_frames  # a wrong key may be a secret
    def __init__(
        self,
        public_key: PublicKey | Sequence[PublicKey] | None = None,
        *,
        tolerance: float = 300,
        clock: Clock = Clock(),
    ) -> None:
        check_positive(tolerance=tolerance)
        keys = cast("object", find_public_key() if public_key is None else public_key)
        if isinstance(keys, str | bytes) or not isinstance(keys, Sequence):
            keys = (keys,)
        self._keys = tuple(map(_load_key, cast("Sequence[object]", keys)))
        if not self._keys:
            raise ConfigurationError("webhooks cannot be verified without a public key")
        self._tolerance, self._clock = tolerance, clock

    @without_frames  # a body may hold the URL of a recording
    def unwrap(self, body: bytes | str, headers: Headers) -> Event:
        """Verify the signature of a webhook and return its event. Not a coroutine function.

        Args:
            body: the body of the request as it arrived, not JSON that was encoded again. Text is encoded in
                UTF-8.
            headers: the headers of the request: a mapping or pairs; upper and lower case are equal.

        Raises:
            WebhookSignatureError: the signature is missing or not valid, or its timestamp is too far from
                the current time.
            WebhookPayloadError: the signature is valid, but the body is not an event.
            InvalidArgumentError: the body is neither bytes nor text.

        Example:
            >>> body, headers = sign(RoomSessionEnded(id="1"))
            >>> Webhooks(PUBLIC_KEY).unwrap(body, headers).event_type
            'video.room.session.ended'
        """
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - optional, loaded with the key

        hint = ""
        if isinstance(body, str):
            body = body.encode(errors="replace")
            hint = ": text must be the body as it was signed, not JSON encoded again"
        elif not isinstance(cast("object", body), bytes | bytearray | memoryview):
            raise InvalidArgumentError(
                (f"body must be the bytes or the text of the request, got a {type(body).__name__}",)
            )
        timestamp, signature = _signature_headers(headers)
        signed = b"%b|%b" % (timestamp.encode(), body)
        matches = 0
        for key in self._keys:  # every key is tried, so that the time does not reveal which key matched
            with suppress(InvalidSignature):
                key.verify(signature, signed)
                matches += 1
        if not matches:
            raise WebhookSignatureError((f"it was made with another key, or for another body{hint}",))
        # NaN is refused too.
        if not abs(self._clock.now() - int(timestamp)) <= self._tolerance:
            raise WebhookSignatureError(
                (f"its timestamp is more than {self._tolerance:g} seconds away from now",)
            )
        return parse_event(bytes(body))


def header_pairs(headers: Headers) -> list[tuple[str, str]]:
    """Return headers as text, with lower-case names."""
    # Multidicts of some frameworks, such as Werkzeug, are not mappings.
    pairs = cast("Mapping[str, str]", headers).items() if hasattr(headers, "items") else headers
    return [(_text(name).lower(), _text(value)) for name, value in pairs]


def _signature_headers(headers: Headers) -> tuple[str, bytes]:
    """Return the text of the timestamp and the bytes of the signature."""
    pairs = header_pairs(headers)
    encoded, timestamp = _only_header(pairs, SIGNATURE_HEADER), _only_header(pairs, TIMESTAMP_HEADER)
    if not _TIMESTAMP.fullmatch(timestamp):
        raise WebhookSignatureError((f"{TIMESTAMP_HEADER} must be 1 to 12 digits",))
    signature = _decode_base64(encoded)
    if signature is None or len(signature) != _SIGNATURE_SIZE:
        raise WebhookSignatureError((f"{SIGNATURE_HEADER} must be {_SIGNATURE_SIZE} bytes in base64",))
    return timestamp, signature


def _only_header(pairs: Iterable[tuple[str, str]], name: str) -> str:
    values = [value for other, value in pairs if other == name]
    if len(values) != 1:
        problem = f"there are several headers {name}" if values else f"there is no header {name}"
        raise WebhookSignatureError((problem,))
    return values[0]


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(exact_text(value))


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


def _load_key(key: object) -> "Ed25519PublicKey":
    try:
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - optional
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.serialization import load_der_public_key  # noqa: PLC0415 - an extra
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
    if not text:
        raise ConfigurationError(f"{_EXPECTED}, got an empty text")
    if is_quoted(text):
        raise ConfigurationError(f"{_EXPECTED}, without quotes around it")
    if _HEX.fullmatch(text):
        return bytes.fromhex(text)
    pem = _PEM.fullmatch(text)
    if pem and pem[1] != "PUBLIC KEY":
        raise ConfigurationError(f"{_EXPECTED}, got the PEM of a {pem[1]}")
    decoded = _decode_base64("".join((pem[2] if pem else text).split()))
    if not decoded:
        what = "an API key" if text.startswith("KEY") else "other text"
        raise ConfigurationError(f"{_EXPECTED}, got {what} of {len(text)} characters")
    return decoded
