"""Whether a webhook comes from Telnyx. The signatures are libsodium's, the check is OpenSSL's."""

import base64
import math
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import example, given
from hypothesis import strategies as st
from multidict import CIMultiDict
from nacl.bindings import crypto_core_ed25519_is_valid_point

from telnyx_rooms_async.errors import (
    ConfigurationError,
    InvalidArgumentError,
    WebhookError,
    WebhookPayloadError,
    WebhookSignatureError,
)
from telnyx_rooms_async.webhooks.signature import load_keys, parse, verify
from tests.helpers.webhook_samples import NOW, WebhookSigner, event_body

TELNYX = WebhookSigner()
BODY = event_body("video.room.session.ended")
HEADERS = TELNYX.sign(BODY)
SIGNATURE, TIMESTAMP = "Telnyx-Signature-Ed25519", "Telnyx-Timestamp"


def holds(
    sent: bytes = BODY, headers: Any = HEADERS, key: Any = TELNYX.public_key, *, now: float = NOW
) -> bool:
    """Tell whether a webhook is taken for one of Telnyx."""
    try:
        verify(sent, headers, key, now=now)
    except WebhookSignatureError:
        return False
    return True


@given(sent=st.binary(), timestamp=st.integers(0, 10**12 - 1), seed=st.binary(min_size=32, max_size=32))
def test_signatures_of_others_hold(sent: bytes, timestamp: int, seed: bytes) -> None:
    """What libsodium signs with any key holds, whatever the bytes are."""
    telnyx = WebhookSigner(seed)
    assert holds(sent, telnyx.sign(sent, str(timestamp)), telnyx.public_key, now=timestamp)


def altered(text: str, position: int, mark: str) -> str:
    """Put another character at a place."""
    return text[:position] + mark + text[position + 1 :]


@given(position=st.integers(0, len(BODY) - 1), by=st.integers(1, 255))
def test_an_altered_byte_of_the_body_fails(position: int, by: int) -> None:
    """No byte of the body can be another one."""
    sent = bytearray(BODY)
    sent[position] ^= by
    assert not holds(bytes(sent))


@given(position=st.integers(0, 63), by=st.integers(1, 255))
def test_an_altered_byte_of_the_signature_fails(position: int, by: int) -> None:
    """No byte of the signature can be another one."""
    signature = bytearray(base64.b64decode(HEADERS[SIGNATURE]))
    signature[position] ^= by
    assert not holds(headers={**HEADERS, SIGNATURE: base64.b64encode(signature).decode()})


@given(position=st.integers(0, 87), mark=st.characters(codec="latin-1"))
@example(position=85, mark="z")
def test_an_altered_character_of_the_signature_fails(position: int, mark: str) -> None:
    """No character can be another one, though the last one holds bits that only pad it."""
    text = altered(HEADERS[SIGNATURE], position, mark)
    assert holds(headers={**HEADERS, SIGNATURE: text}) == (text == HEADERS[SIGNATURE])


def test_the_padding_of_base64_is_checked() -> None:
    """All 16 spellings of the last character decode to the same bytes; one of them is right."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    texts = [altered(HEADERS[SIGNATURE], 85, mark) for mark in alphabet]
    decoded = [base64.b64decode(text) for text in texts]
    assert decoded.count(base64.b64decode(HEADERS[SIGNATURE])) == 16
    assert sum(holds(headers={**HEADERS, SIGNATURE: text}) for text in texts) == 1


@given(position=st.integers(0, len(str(NOW)) - 1), mark=st.sampled_from("0123456789"))
def test_an_altered_digit_of_the_timestamp_fails(position: int, mark: str) -> None:
    """No digit of the timestamp can be another one, even while it is in time."""
    text = altered(str(NOW), position, mark)
    assert holds(headers={**HEADERS, TIMESTAMP: text}, now=int(text)) == (text == str(NOW))


@pytest.mark.parametrize("other", [f"0{NOW}", f"{NOW}0"])
def test_a_longer_timestamp_fails(other: str) -> None:
    """The text of the timestamp is signed, not its value."""
    assert not holds(headers={**HEADERS, TIMESTAMP: other}, now=int(other))


@given(position=st.integers(0, 31), by=st.integers(1, 255))
def test_an_altered_byte_of_the_key_fails(position: int, by: int) -> None:
    """No byte of the key can be another one."""
    key = bytearray(TELNYX.raw_key)
    key[position] ^= by
    assert not holds(key=base64.b64encode(key).decode())


@pytest.mark.parametrize(
    ("away", "expected"),
    [
        (-301, False),
        (-300.001, False),
        (-300, True),
        (0, True),
        (300, True),
        (300.001, False),
        (301, False),
        (math.nan, False),
        (math.inf, False),
    ],
)
def test_the_boundary_is_exact(away: float, expected: bool) -> None:  # noqa: FBT001 - a row of a table
    """A timestamp holds for 300 seconds in both directions, and not a moment longer."""
    assert holds(now=NOW + away) == expected


def test_the_tolerance_is_chosen() -> None:
    """Another tolerance is as exact, and one that is no number holds nothing."""
    verify(BODY, HEADERS, TELNYX.public_key, tolerance=10, now=NOW + 10)
    for tolerance in (9.5, math.nan, -1):
        with pytest.raises(WebhookSignatureError, match=r"more than .* seconds away from now"):
            verify(BODY, HEADERS, TELNYX.public_key, tolerance=tolerance, now=NOW + 10)


ODD_TIMESTAMPS = ["", " ", f" {NOW}", f"{NOW} ", f"{NOW}\n", f"{NOW:_}", f"+{NOW}", f"-{NOW}", f"{NOW}.0"]
ODD_TIMESTAMPS += ["1.7e9", "0x65538800", "nan", "inf", "9" * 13, "१७००००००००", "１７００００００００", "²"]  # noqa: RUF001 - such digits


@pytest.mark.parametrize("timestamp", ODD_TIMESTAMPS)
def test_odd_timestamps_are_refused(timestamp: str) -> None:
    """A timestamp is 1 to 12 digits of ASCII, though Python would read others, and though it was signed."""
    with pytest.raises(WebhookSignatureError, match="telnyx-timestamp must be 1 to 12 digits"):
        verify(BODY, TELNYX.sign(BODY, timestamp), TELNYX.public_key, now=NOW)


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "not base64",
        HEADERS[SIGNATURE].rstrip("="),
        HEADERS[SIGNATURE] + "\n",
        " " + HEADERS[SIGNATURE],
        HEADERS[SIGNATURE] + "====",
        HEADERS[SIGNATURE].replace("+", "-").replace("/", "_") + "_",
        base64.b64encode(b"x" * 63).decode(),
        base64.b64encode(b"x" * 65).decode(),
        base64.b64decode(HEADERS[SIGNATURE]).hex(),
        f"{HEADERS[SIGNATURE]}, {HEADERS[SIGNATURE]}",
        "é" * 88,
    ],
)
def test_odd_signatures_are_refused(signature: str) -> None:
    """A signature is 64 bytes in base64, in its one form."""
    with pytest.raises(WebhookSignatureError, match="must be 64 bytes in base64"):
        verify(BODY, {**HEADERS, SIGNATURE: signature}, TELNYX.public_key, now=NOW)


@given(st.data())
def test_the_case_of_headers_does_not_matter(chosen: st.DataObject) -> None:
    """Any mixture of capital and small letters will do, in text or bytes, among other headers."""
    upper = st.lists(st.booleans(), min_size=30, max_size=30)

    def mixed(name: str) -> str:
        marks = zip(name, chosen.draw(upper), strict=False)
        return "".join(mark.upper() if big else mark.lower() for mark, big in marks)

    headers = {mixed(name): value for name, value in HEADERS.items()}
    assert holds(headers=headers)
    assert holds(headers=[(name.encode(), value.encode()) for name, value in headers.items()])
    assert holds(headers=CIMultiDict(headers))


class Pairs:
    """A multidict that is no mapping, as Werkzeug's."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Return all pairs."""
        return HEADERS.items()


def test_anything_with_items_will_do() -> None:
    """Headers need not be a mapping."""
    assert holds(headers=Pairs())


@pytest.mark.parametrize("name", [SIGNATURE, TIMESTAMP])
@pytest.mark.parametrize("again", [str.lower, str.upper, str])
def test_duplicate_headers_are_refused(name: str, again: type[str]) -> None:
    """Two headers of a name are refused, even when they agree."""
    twice = [*HEADERS.items(), (again(name), HEADERS[name])]
    both: list[Iterable[tuple[str, str]] | Mapping[str, str]] = [twice, CIMultiDict(twice)]
    for headers in both:
        with pytest.raises(WebhookSignatureError, match=f"there are two headers {name.lower()}"):
            verify(BODY, headers, TELNYX.public_key, now=NOW)


@pytest.mark.parametrize("name", [SIGNATURE, TIMESTAMP])
def test_missing_headers_are_told(name: str) -> None:
    """A header that is not there is named."""
    headers = {other: value for other, value in HEADERS.items() if other != name}
    with pytest.raises(WebhookSignatureError, match=f"there is no header {name.lower()}"):
        verify(BODY, headers, TELNYX.public_key, now=NOW)


def test_one_of_several_keys_is_enough() -> None:
    """While a key changes both hold, whichever comes first; two wrong ones do not."""
    other, third = (WebhookSigner(letter * 32).public_key for letter in (b"b", b"c"))
    assert holds(key=[other, TELNYX.public_key])
    assert holds(key=(TELNYX.public_key, other))
    assert not holds(key=[other, third])


DER = ed25519.Ed25519PublicKey.from_public_bytes(TELNYX.raw_key).public_bytes(
    Encoding.DER, PublicFormat.SubjectPublicKeyInfo
)
PEM = ed25519.Ed25519PublicKey.from_public_bytes(TELNYX.raw_key).public_bytes(
    Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
)
FORMS = {
    "base64": TELNYX.public_key,
    "base64 with a line break": TELNYX.public_key + "\n",
    "base64 as bytes": TELNYX.public_key.encode(),
    "hex": TELNYX.raw_key.hex(),
    "capital hex": TELNYX.raw_key.hex().upper(),
    "PEM": PEM.decode(),
    "PEM as bytes": PEM,
    "PEM of Windows": PEM.replace(b"\n", b"\r\n"),
    "PEM with line breaks as two characters": PEM.decode().replace("\n", r"\n"),
    "PEM of Windows with line breaks as four characters": PEM.decode().replace("\n", r"\r\n"),
    "PEM with line breaks escaped twice": PEM.decode().replace("\n", r"\\n"),
    "PEM in one line": PEM.decode().replace("\n", " "),
    "PEM without line breaks": PEM.decode().replace("\n", ""),
    "base64 with a line break as two characters": TELNYX.public_key + r"\n",
    "SPKI in base64": base64.b64encode(DER).decode(),
    "SPKI in DER": DER,
}


@pytest.mark.parametrize("key", FORMS.values(), ids=FORMS)
def test_keys_have_many_forms(key: str | bytes) -> None:
    """A key is taken in every form in which people have it."""
    assert holds(key=key)


_PRIVATE = ed25519.Ed25519PrivateKey.generate()
_X25519 = x25519.X25519PrivateKey.generate().public_key()
NO_KEYS = {
    "nothing": ("", "not an empty one"),
    "no text": (None, "not NoneType"),
    "a number": (7, "not int"),
    "no text among keys": ([TELNYX.public_key, None], "not NoneType"),
    "an API key": ("KEY0123456789ABCDEF_secret", "not an API key of 26 characters"),
    "words": ("my public key", "not other text of 13 characters"),
    "too short": (base64.b64encode(b"x" * 31).decode(), "not 31 bytes"),
    "a signature": (HEADERS[SIGNATURE], "not 64 bytes"),
    "odd padding": (TELNYX.public_key[:-2] + "9=", "not other text of 44 characters"),
    "url-safe base64": ("-_" * 21 + "A=", "not other text of 44 characters"),
    "short hex": ("ab" * 31, "not other text of 62 characters"),
    "a private key": (
        _PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "not a PEM of a PRIVATE KEY",
    ),
    "a key of another kind": (
        _X25519.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "not 44 bytes",
    ),
    "a private key with line breaks as two characters": (
        _PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).replace(b"\n", rb"\n"),
        "not a PEM of a PRIVATE KEY",
    ),
    "a key in quotes": (f'"{TELNYX.public_key}"', "without the quotes around it"),
    "a key in single quotes": (f" '{TELNYX.public_key}'\n", "without the quotes around it"),
    "a PEM in quotes": (f'"{PEM.decode()}"', "without the quotes around it"),
    "a key with a quote at its end": (TELNYX.public_key + '"', "without the quotes around it"),
    "a key in curved quotes": (f"\u201c{TELNYX.public_key}\u201d", "without the quotes around it"),
    "a PEM cut short": (PEM[:-30], "not other text of"),
    "an SPKI cut short": (DER[:-1], "not 43 bytes"),
}


@pytest.mark.parametrize(("key", "told"), NO_KEYS.values(), ids=NO_KEYS)
def test_what_is_no_key_is_described_and_not_shown(key: Any, told: str) -> None:
    """Anything else is a mistake that says what it got, and does not repeat it: it may be a secret."""
    with pytest.raises(ConfigurationError) as caught:
        verify(BODY, HEADERS, key, now=NOW)
    assert told in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_forgery_is_told_from_a_late_delivery() -> None:
    """Whether the key or the time was wrong is told, the key first: a forged time proves nothing."""
    for now in (NOW, NOW + 301):
        with pytest.raises(WebhookSignatureError) as caught:
            verify(b"{}", HEADERS, TELNYX.public_key, now=now)
        assert caught.value.problems == ("it was made with another key, or for other bytes",)
    with pytest.raises(WebhookSignatureError) as caught:
        verify(BODY, HEADERS, TELNYX.public_key, now=NOW + 301)
    assert caught.value.problems == ("its timestamp is more than 300 seconds away from now",)


@pytest.mark.parametrize("keys", [[], ()])
def test_without_a_key_nothing_is_verified(keys: list[str]) -> None:
    """No key at all is a mistake, not a signature that holds."""
    with pytest.raises(ConfigurationError, match=r"^webhooks cannot be verified without a public key$"):
        verify(BODY, HEADERS, keys, now=NOW)


POINTS = [0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18]
WEAK = [number.to_bytes(32, "little") for number in POINTS]
WEAK += [bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")]
WEAK += [bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")]


@pytest.mark.parametrize("point", [*WEAK, *(point[:-1] + bytes([point[-1] | 0x80]) for point in WEAK)])
def test_keys_for_which_anybody_can_sign_are_refused(point: bytes) -> None:
    """A point of small order, all zeros among them, is no key: libsodium thinks so too."""
    assert not crypto_core_ed25519_is_valid_point(point)
    with pytest.raises(ConfigurationError, match=r"^this public key is none: anybody can sign for it$"):
        load_keys(base64.b64encode(point).decode())


@pytest.mark.parametrize("sent", [BODY.decode(), {"data": {}}, None])
def test_a_body_that_is_no_bytes_is_a_mistake(sent: Any) -> None:
    """A body that was decoded already cannot be verified, and is not taken for a forgery."""
    told = f"^body must be bytes as they arrived, not {type(sent).__name__}$"
    with pytest.raises(InvalidArgumentError, match=told):
        verify(sent, HEADERS, TELNYX.public_key, now=NOW)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_other_bytes_will_do(kind: Any) -> None:
    """A bytearray or a view is as good as bytes."""
    assert holds(kind(BODY))
    assert parse(kind(BODY)) == parse(BODY)


def test_no_failure_shows_what_came() -> None:
    """No error repeats the body, the signature or the key."""
    secret = b'{"download_url": "secret"}'
    failures: list[WebhookError] = []
    for headers in (
        HEADERS,
        TELNYX.sign(secret, "1"),
        {**HEADERS, SIGNATURE: "secret"},
        {**HEADERS, TIMESTAMP: "secret"},
    ):
        with pytest.raises(WebhookSignatureError) as caught:
            verify(secret, headers, TELNYX.public_key, now=NOW)
        failures.append(caught.value)
    for sent in (secret, b'{"data": {"id": ["secret"], "event_type": "secret"}}', b"secret"):
        with pytest.raises(WebhookPayloadError) as unreadable:
            parse(sent)
        failures.append(unreadable.value)
    told = "".join(
        f"{error} {error!r} {vars(error)} {error.__cause__} {error.__context__}" for error in failures
    )
    assert "secret" not in told.replace("download_url", "")
    assert HEADERS[SIGNATURE] not in told


def test_without_the_extra_nothing_is_verified() -> None:
    """Without cryptography there is an error that names the extra, never an event."""
    program = textwrap.dedent(f"""
        import sys
        sys.modules["cryptography"] = None
        from telnyx_rooms_async import ConfigurationError, Webhooks
        from telnyx_rooms_async.webhooks.signature import verify
        for attempt in (
            lambda: Webhooks({TELNYX.public_key!r}),
            lambda: verify({BODY!r}, {HEADERS!r}, {TELNYX.public_key!r}, now={NOW}),
        ):
            try:
                attempt()
            except ConfigurationError as error:
                print(error)
    """)
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    hint = "webhooks are verified with cryptography: pip install 'telnyx-rooms-async[webhooks]'"
    assert told.splitlines() == [hint, hint]
