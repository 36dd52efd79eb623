"""Whether a webhook comes from Telnyx, and what it says: Ed25519 over ``timestamp|body``. No I/O.

Only here cryptography is used, and only when something is verified: the extra ``webhooks``. Plain
functions: there is nothing that one could forget to await.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, Protocol, TypeAlias, cast

from attrs import evolve

from telnyx_rooms_async.core import codec
from telnyx_rooms_async.core.validators import is_quoted
from telnyx_rooms_async.errors import (
    ConfigurationError,
    InvalidArgumentError,
    WebhookPayloadError,
    WebhookSignatureError,
)
from telnyx_rooms_async.webhooks.events import EVENT_CLASSES, Event, UnknownEvent

SIGNATURE_HEADER: Final = "telnyx-signature-ed25519"
TIMESTAMP_HEADER: Final = "telnyx-timestamp"

Text: TypeAlias = str | bytes
PublicKey: TypeAlias = Text
"""Base64 (Telnyx's form), hex, PEM, or SPKI in base64 or DER."""
Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[Text, Text]]
"""A mapping, or pairs as ASGI has them. A multidict will do as well."""


class _Verifier(Protocol):
    def verify(self, signature: bytes, data: bytes) -> None: ...


# --- verify -------------------------------------------------------------------------------------------------

_SIGNATURE_SIZE: Final = 64
_TIMESTAMP: Final = re.compile("[0-9]{1,12}")


def verify(
    body: bytes,
    headers: Headers,
    public_key: PublicKey | Sequence[PublicKey],
    *,
    tolerance: float = 300,
    now: float,
) -> None:
    """Return if Telnyx signed this body, not long ago; raise otherwise.

    Args:
        body: as it arrived: bytes, and never JSON that was written anew.
        headers: of the request; their case does not matter.
        public_key: of the account, or several while it changes. All of them are always tried.
        tolerance: seconds that the timestamp may be away from `now`, in the past or in the future.
        now: seconds since the epoch.

    Raises:
        WebhookSignatureError: it is not signed, not with one of these keys, not now, or not legibly.
        ConfigurationError: a key is none, or the extra ``webhooks`` is not installed.
        InvalidArgumentError: the body is not bytes.
    """
    try:
        problem = _problem(body, headers, load_keys(public_key), tolerance, now)
    finally:
        # Tools that report an error show the locals of its frames.
        del body, headers, public_key
    if problem is not None:
        raise problem


def _problem(
    body: bytes, headers: Headers, verifiers: Sequence[_Verifier], tolerance: float, now: float
) -> WebhookSignatureError | InvalidArgumentError | None:
    """Return the error of a webhook that cannot be verified; its traceback holds no frame of this one."""
    if not isinstance(cast("object", body), bytes | bytearray | memoryview):
        return InvalidArgumentError((f"body must be bytes as they arrived, not {type(body).__name__}",))
    try:
        timestamp, signature = _signed(headers)
    except WebhookSignatureError as error:
        return error.with_traceback(None)
    signed = b"%b|%b" % (timestamp.encode(), body)
    # All are tried: how long it takes does not tell which key it was.
    if not sum(_holds(verifier, signature, signed) for verifier in verifiers):
        return WebhookSignatureError(("it was made with another key, or for other bytes",))
    # Said this way round, NaN is out of time too.
    if not abs(now - int(timestamp)) <= tolerance:
        return WebhookSignatureError((f"its timestamp is more than {tolerance:g} seconds away from now",))
    return None


def _signed(headers: Headers) -> tuple[str, bytes]:
    """Return the timestamp as it is written, and the bytes of the signature."""
    found: dict[str, str] = {}
    # Asked like this, as Werkzeug's and others' multidicts are no mappings.
    pairs = cast("Mapping[Text, Text]", headers).items() if hasattr(headers, "items") else headers
    for name, value in pairs:
        known = _text(name).lower()
        if known not in (SIGNATURE_HEADER, TIMESTAMP_HEADER):
            continue
        if known in found:
            raise WebhookSignatureError((f"there are two headers {known}",))
        found[known] = _text(value)
    for name in (SIGNATURE_HEADER, TIMESTAMP_HEADER):
        if name not in found:
            raise WebhookSignatureError((f"there is no header {name}",))
    if not _TIMESTAMP.fullmatch(found[TIMESTAMP_HEADER]):
        raise WebhookSignatureError((f"{TIMESTAMP_HEADER} must be 1 to 12 digits",))
    signature = _base64(found[SIGNATURE_HEADER])
    if signature is None or len(signature) != _SIGNATURE_SIZE:
        raise WebhookSignatureError((f"{SIGNATURE_HEADER} must be {_SIGNATURE_SIZE} bytes in base64",))
    return found[TIMESTAMP_HEADER], signature


def _holds(verifier: _Verifier, signature: bytes, data: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - the extra, loaded by now

    try:
        verifier.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _base64(text: str) -> bytes | None:
    """Decode base64 in its one true form: each bit counts, those that pad the last character too."""
    try:
        decoded = b64decode(text, validate=True)
    except ValueError:
        return None
    return decoded if b64encode(decoded).decode() == text else None


# --- keys ---------------------------------------------------------------------------------------------------

_KEY_SIZE: Final = 32
_SPKI: Final = bytes.fromhex("302a300506032b6570032100")
"""What stands before an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410)."""
_PEM: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]*)-----END \1-----")
_ESCAPED_LINE_BREAK: Final = re.compile(r"\\+[nr]")
"""A line break as files of settings spell it: no form of a key has a backslash of its own."""
_WANTED: Final = "a public key must be 32 bytes in base64 (Telnyx's form) or hex, a PEM or an SPKI"
# Points of small order: there are signatures that fit such a "key" and more or less any body.
_WEAK: Final = frozenset(
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


def load_keys(public_key: PublicKey | Sequence[PublicKey]) -> tuple[_Verifier, ...]:
    """Make ready what a signature is verified with.

    Raises:
        ConfigurationError: there is no key, one of them is none, or the extra ``webhooks`` is not installed.
    """
    try:
        return _load(public_key)
    except ConfigurationError as error:
        # A wrong key may be a secret: this error's traceback holds no frame that has it.
        problem = error.problem
    finally:
        del public_key
    raise ConfigurationError(problem)


def _load(given: object) -> tuple[_Verifier, ...]:
    if isinstance(given, str | bytes) or not isinstance(given, Sequence):
        return (_load_one(given),)
    if not given:
        raise ConfigurationError("webhooks cannot be verified without a public key")
    return tuple(map(_load_one, cast("Sequence[object]", given)))


def _load_one(key: object) -> _Verifier:
    if not isinstance(key, str | bytes):
        raise ConfigurationError(f"{_WANTED}, not {type(key).__name__}")
    return _loaded(key)


@lru_cache(maxsize=64)
def _loaded(key: PublicKey) -> _Verifier:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - an extra
            Ed25519PublicKey,
        )
    except ImportError:
        missing = "webhooks are verified with cryptography: pip install 'telnyx-rooms-async[webhooks]'"
        raise ConfigurationError(missing) from None
    return Ed25519PublicKey.from_public_bytes(_raw(key))


def _raw(key: PublicKey) -> bytes:
    told = _decoded(key)
    raw = told.removeprefix(_SPKI)
    if len(raw) != _KEY_SIZE:
        raise ConfigurationError(f"{_WANTED}, not {len(told)} bytes")
    if raw[:-1] + bytes([raw[-1] & 0x7F]) in _WEAK:
        raise ConfigurationError("this public key is none: anybody can sign for it")
    return raw


def _decoded(key: PublicKey) -> bytes:
    """Return the bytes that a key is written with. What is none is not shown: it may be a secret."""
    if isinstance(key, bytes) and key.startswith(_SPKI):
        return key
    text = _ESCAPED_LINE_BREAK.sub("\n", _text(key)).strip()
    if is_quoted(text):
        raise ConfigurationError(f"{_WANTED}, without the quotes around it")
    if re.fullmatch("[0-9A-Fa-f]{64}", text):
        return bytes.fromhex(text)
    pem = _PEM.fullmatch(text)
    if pem and pem[1] != "PUBLIC KEY":
        raise ConfigurationError(f"{_WANTED}, not a PEM of a {pem[1]}")
    decoded = _base64("".join((pem[2] if pem else text).split()))
    if not decoded:
        raise ConfigurationError(f"{_WANTED}, not {_described(text)}")
    return decoded


def _described(text: str) -> str:
    kind = "an API key" if text.startswith("KEY") else "other text"
    return f"{kind} of {len(text)} characters" if text else "an empty one"


# --- parse --------------------------------------------------------------------------------------------------


def parse(body: bytes) -> Event:
    """Read the body of a webhook that is verified: an event of a room, or an `UnknownEvent`.

    Raises:
        WebhookPayloadError: it is not JSON, or not of the shape of an event.
    """
    try:
        return _read(bytes(body))
    except codec.DecodeError as misfit:
        # The frames of this error hold the body, which may hold a link to a file: it is not chained.
        problems = misfit.args
    finally:
        del body
    raise WebhookPayloadError(problems)


def _read(body: bytes) -> Event:
    whole = _object(codec.parse(body))
    # The API reference shows events bare; they come under `data`.
    bare = "event_type" in whole
    data = whole if bare else _object(whole.get("data"))
    if bare or None in data.values():
        kept = {name: value for name, value in data.items() if value is not None}
        body = codec.encode({"data": kept})
    event = codec.decode(body, _class_of(data))
    if not event.id:
        raise codec.DecodeError("$.data.id: empty")
    attempt = _attempt(whole.get("meta"))
    return event if attempt is None else evolve(event, attempt=attempt)


def _object(told: object) -> dict[str, object]:
    return cast("dict[str, object]", told) if isinstance(told, dict) else {}


def _class_of(data: object) -> type[Event]:
    match data:
        case {"event_type": str(name)}:
            return EVENT_CLASSES.get(name, UnknownEvent)
        case _:
            return UnknownEvent


def _attempt(meta: object) -> int | None:
    match meta:
        case {"attempt": int(number)} if not isinstance(number, bool):
            return number
        case _:
            return None
