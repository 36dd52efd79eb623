"""Which signatures and public keys `Webhooks` accepts (signatures are made by libsodium), and its secrets."""

import base64
import math
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from freezegun import freeze_time
from hypothesis import example, given
from hypothesis import strategies as st
from multidict import CIMultiDict
from nacl.bindings import crypto_core_ed25519_is_valid_point

from telnyx_rooms_async import (
    APIResponseValidationError,
    ConfigurationError,
    InvalidArgumentError,
    RoomsClient,
    WebhookError,
    WebhookPayloadError,
    WebhookSignatureError,
)
from telnyx_rooms_async.webhooks import RoomSessionEnded, SessionEndedPayload, Webhooks
from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY, sign
from tests.helpers.clocks import FakeClock
from tests.helpers.error_reports import reported_texts
from tests.helpers.scripted_server import ScriptedServer
from tests.helpers.webhook_samples import NOW, WebhookSigner, event_body

SIGNER = WebhookSigner()
BODY = event_body("video.room.session.ended")
HEADERS = SIGNER.sign(BODY)
SIGNATURE, TIMESTAMP = "Telnyx-Signature-Ed25519", "Telnyx-Timestamp"


def unwrap(
    body: Any = BODY,
    headers: Any = HEADERS,
    key: Any = SIGNER.public_key,
    *,
    now: float = NOW,
    tolerance: float = 300,
) -> None:
    Webhooks(key, tolerance=tolerance, clock=FakeClock(now).clock).unwrap(body, headers)


def is_accepted(*args: Any, **options: Any) -> bool:
    try:
        unwrap(*args, **options)
    except WebhookSignatureError:
        return False
    except WebhookPayloadError:
        pass  # parsed only after its signature was accepted
    return True


@given(body=st.binary(), timestamp=st.integers(0, 10**12 - 1), seed=st.binary(min_size=32, max_size=32))
def test_signatures_of_libsodium_are_accepted(body: bytes, timestamp: int, seed: bytes) -> None:
    signer = WebhookSigner(seed)
    assert is_accepted(body, signer.sign(body, str(timestamp)), signer.public_key, now=timestamp)


def flip_bits(data: bytes, position: int, mask: int) -> bytes:
    changed = bytearray(data)
    changed[position % len(data)] ^= mask
    return bytes(changed)


@given(position=st.integers(0, 2**16), mask=st.integers(1, 255))
def test_changed_byte_of_body_signature_or_key_is_refused(position: int, mask: int) -> None:
    signature = flip_bits(base64.b64decode(HEADERS[SIGNATURE]), position, mask)
    assert not is_accepted(flip_bits(BODY, position, mask))
    assert not is_accepted(headers={**HEADERS, SIGNATURE: base64.b64encode(signature).decode()})
    assert not is_accepted(key=base64.b64encode(flip_bits(SIGNER.raw_key, position, mask)).decode())


def replace_character(text: str, position: int, character: str) -> str:
    return text[:position] + character + text[position + 1 :]


@given(position=st.integers(0, 87), character=st.characters(codec="latin-1"))
@example(position=85, character="z")
def test_changed_character_of_the_signature_is_refused(position: int, character: str) -> None:
    """Also one that differs in the unused bits of base64 only, of which the last character has four."""
    text = replace_character(HEADERS[SIGNATURE], position, character)
    assert is_accepted(headers={**HEADERS, SIGNATURE: text}) == (text == HEADERS[SIGNATURE])


@given(position=st.integers(0, len(str(NOW)) - 1), digit=st.sampled_from("0123456789"))
def test_changed_digit_of_the_timestamp_is_refused(position: int, digit: str) -> None:
    """The text of the timestamp is signed, not its value."""
    assert not is_accepted(headers={**HEADERS, TIMESTAMP: f"0{NOW}"})
    text = replace_character(str(NOW), position, digit)
    assert is_accepted(headers={**HEADERS, TIMESTAMP: text}, now=int(text)) == (text == str(NOW))


@pytest.mark.parametrize("tolerance", [10, 300])
@pytest.mark.parametrize(
    ("offset", "accepted"),
    [(0, True), (1, True), (1.001, False), (-1, True), (-1.001, False), (math.nan, False), (math.inf, False)],
)
def test_tolerance_is_exact_in_both_directions(tolerance: float, offset: float, *, accepted: bool) -> None:
    assert is_accepted(now=NOW + offset * tolerance, tolerance=tolerance) == accepted


ODD_TIMESTAMPS = ["", f" {NOW}", f"{NOW}\n", f"{NOW:_}", f"-{NOW}", f"{NOW}.0", "nan", "9" * 13, "१७००००००००"]


@pytest.mark.parametrize("timestamp", ODD_TIMESTAMPS)
def test_timestamp_must_be_ascii_digits(timestamp: str) -> None:
    with pytest.raises(WebhookSignatureError, match="telnyx-timestamp must be 1 to 12 digits"):
        unwrap(headers=SIGNER.sign(BODY, timestamp))


@pytest.mark.parametrize(
    "signature",
    [
        "",
        HEADERS[SIGNATURE].rstrip("="),
        HEADERS[SIGNATURE] + "\n",
        HEADERS[SIGNATURE] + "====",
        HEADERS[SIGNATURE].replace("+", "-").replace("/", "_") + "_",
        base64.b64encode(b"x" * 63).decode(),
        f"{HEADERS[SIGNATURE]}, {HEADERS[SIGNATURE]}",
        "é" * 88,
    ],
)
def test_signature_must_be_canonical_base64(signature: str) -> None:
    with pytest.raises(WebhookSignatureError, match="must be 64 bytes in base64"):
        unwrap(headers={**HEADERS, SIGNATURE: signature})


class WerkzeugHeaders:
    """Has `items` without being a mapping."""

    def items(self) -> Iterable[tuple[str, str]]:
        return HEADERS.items()


@given(st.data())
def test_case_and_type_of_headers_do_not_matter(data: st.DataObject) -> None:
    flags = st.lists(st.booleans(), min_size=30, max_size=30)

    def mixed_case(name: str) -> str:
        pairs = zip(name, data.draw(flags), strict=False)
        return "".join(letter.upper() if flag else letter.lower() for letter, flag in pairs)

    headers = {mixed_case(name): value for name, value in HEADERS.items()}
    assert is_accepted(headers=headers)
    assert is_accepted(headers=[(name.encode(), value.encode()) for name, value in headers.items()])
    assert is_accepted(headers=CIMultiDict(headers))
    assert is_accepted(headers=WerkzeugHeaders())


@pytest.mark.parametrize("name", [SIGNATURE, TIMESTAMP])
def test_missing_and_duplicate_headers_are_refused(name: str) -> None:
    with pytest.raises(WebhookSignatureError, match=f"there is no header {name.lower()}"):
        unwrap(headers={other: value for other, value in HEADERS.items() if other != name})
    twice = [*HEADERS.items(), (name.upper(), HEADERS[name])]
    for headers in (twice, CIMultiDict(twice)):
        with pytest.raises(WebhookSignatureError, match=f"there are several headers {name.lower()}"):
            unwrap(headers=headers)


def test_error_distinguishes_another_key_from_a_late_delivery() -> None:
    with pytest.raises(WebhookSignatureError, match="another key"):
        unwrap(b"{}", now=NOW + 301)
    with pytest.raises(WebhookSignatureError, match="more than 300 seconds away from now"):
        unwrap(now=NOW + 301)


@pytest.mark.parametrize("body", [bytearray(BODY), memoryview(BODY), BODY.decode()], ids=type)
def test_body_may_be_bytes_of_any_type_or_text(body: object) -> None:
    assert is_accepted(body)


@pytest.mark.parametrize("body", [{"data": {}}, None], ids=type)
def test_body_of_another_type_is_refused(body: object) -> None:
    with pytest.raises(InvalidArgumentError, match=type(body).__name__):
        unwrap(body)


def test_text_that_is_not_what_was_signed_is_refused_with_a_hint() -> None:
    body = event_body("video.room.session.ended", id="cafe").replace(b"cafe", "caf\u00e9".encode())
    headers = SIGNER.sign(body)
    assert is_accepted(body.decode(), headers)
    for text in (body.decode().replace(" ", ""), body.decode("latin-1"), "\ud800"):
        with pytest.raises(WebhookSignatureError, match="text must be the body as it was signed"):
            unwrap(text, headers)


# --- keys -------------------------------------------------------------------------------------------------

_KEY = ed25519.Ed25519PublicKey.from_public_bytes(SIGNER.raw_key)
DER = _KEY.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
PEM = _KEY.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
FORMATS: dict[str, Any] = {
    "base64": SIGNER.public_key,
    "base64 as bytes": SIGNER.public_key.encode(),
    "hex": SIGNER.raw_key.hex(),
    "upper-case hex": SIGNER.raw_key.hex().upper(),
    "PEM": PEM,
    r"PEM with \r\n": PEM.replace("\n", r"\r\n"),
    r"PEM with \\n": PEM.replace("\n", r"\\n"),
    "PEM without line breaks": PEM.replace("\n", ""),
    r"base64 with \n": SIGNER.public_key + r"\n",
    "DER in base64": base64.b64encode(DER).decode(),
    "DER": DER,
}


@pytest.mark.parametrize("key", FORMATS.values(), ids=FORMATS)
def test_key_is_accepted_in_many_formats(key: str | bytes) -> None:
    assert is_accepted(key=key)


def test_one_of_several_keys_must_match() -> None:
    second, third = (WebhookSigner(letter * 32).public_key for letter in (b"b", b"c"))
    assert is_accepted(key=[second, SIGNER.public_key])
    assert is_accepted(key=(SIGNER.public_key, second))
    assert not is_accepted(key=[second, third])


PRIVATE_PEM = ed25519.Ed25519PrivateKey.generate().private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
)
X25519 = x25519.X25519PrivateKey.generate().public_key()
INVALID_KEYS: dict[str, tuple[Any, str]] = {
    "empty": ("", "got an empty text"),
    "a number": (7, "got a int"),
    "None among keys": ([SIGNER.public_key, None], "got a NoneType"),
    "an API key": ("KEY0123456789ABCDEF_secret", "got an API key of 26 characters"),
    "too short": (base64.b64encode(b"x" * 31).decode(), "got 31 bytes"),
    "a signature": (HEADERS[SIGNATURE], "got 64 bytes"),
    "url-safe base64": ("-_" * 21 + "A=", "got other text"),
    "short hex": ("ab" * 31, "got other text"),
    "a private key": (PRIVATE_PEM, "got the PEM of a PRIVATE KEY"),
    r"a private key with \n": (PRIVATE_PEM.replace(b"\n", rb"\n"), "got the PEM of a PRIVATE KEY"),
    "X25519": (
        X25519.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "another type of key",
    ),
    "quotes": (f'"{SIGNER.public_key}"', "without quotes"),
    "a quote at the end": (SIGNER.public_key + '"', "without quotes"),
    "curved quotes": (f"\u201c{SIGNER.public_key}\u201d", "without quotes"),
    "a truncated PEM": (PEM[:-30], "got other text"),
    "a truncated DER": (DER[:-1], "got 43 bytes"),
    "no key": ([], "without a public key"),
}


@pytest.mark.parametrize(("key", "message"), INVALID_KEYS.values(), ids=INVALID_KEYS)
def test_invalid_key_is_described(key: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Webhooks(key)


POINTS = [number.to_bytes(32, "little") for number in (0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18)]
POINTS += [bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")]
POINTS += [bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")]


@pytest.mark.parametrize("point", [*POINTS, *(point[:-1] + bytes([point[-1] | 0x80]) for point in POINTS)])
def test_key_of_small_order_is_refused(point: bytes) -> None:
    assert not crypto_core_ed25519_is_valid_point(point)
    for prefix in (b"", DER[:-32]):
        with pytest.raises(ConfigurationError, match="small order"):
            Webhooks(base64.b64encode(prefix + point).decode())


# --- arguments, secrets, and the helpers for tests -------------------------------------------------------


CLOCK = FakeClock(float(NOW)).clock


@pytest.mark.parametrize("tolerance", [0, float("nan"), "300", True, None])
def test_tolerance_must_be_positive(tolerance: Any) -> None:
    with pytest.raises(ConfigurationError, match="tolerance must be a positive number"):
        Webhooks(PUBLIC_KEY, tolerance=tolerance)


def test_key_is_read_from_the_environment_unless_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="pass public_key, or set TELNYX_PUBLIC_KEY"):
        Webhooks()
    monkeypatch.setenv("TELNYX_PUBLIC_KEY", SIGNER.public_key)
    event = Webhooks(clock=CLOCK).unwrap(BODY, HEADERS)
    assert isinstance(event, RoomSessionEnded)
    assert event.payload.ended_reason == "stale"
    with pytest.raises(WebhookSignatureError):
        Webhooks(PUBLIC_KEY, clock=CLOCK).unwrap(BODY, HEADERS)


SECRETS = ["KEY0123456789-CANARY", '"KEY-CANARY"', b"CANARY", "CANARY" * 20, [SIGNER.public_key, "CANARY"]]


@pytest.mark.parametrize("key", SECRETS, ids=repr)
@pytest.mark.parametrize("tolerance", [300, -1])
def test_error_report_does_not_show_a_wrong_key(key: Any, tolerance: float) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Webhooks(key, tolerance=tolerance)
    assert "CANARY" not in "".join(reported_texts(caught.value))


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (BODY.replace(b"stale", b"CANARY"), HEADERS),
        (b'{"data": {"id": 1, "payload": "CANARY"}}', {}),
        (b'{"data": {"id": ["CANARY"], "event_type": "CANARY"}}', {}),
        (b"CANARY", {}),
        (BODY, {"Telnyx-Signature-Ed25519": "CANARY"}),
        (BODY, {"Telnyx-Timestamp": "CANARY"}),
    ],
)
def test_error_report_does_not_show_body_or_signature(body: bytes, changed: dict[str, str]) -> None:
    headers = {**SIGNER.sign(body), **changed}
    with pytest.raises(WebhookError) as caught:
        Webhooks(SIGNER.public_key, clock=CLOCK).unwrap(body, headers)
    report = "".join(reported_texts(caught.value))
    assert "CANARY" not in report
    assert headers["Telnyx-Signature-Ed25519"] not in report


def test_signed_event_is_unwrapped_to_an_equal_event() -> None:
    event = RoomSessionEnded(id="1", payload=SessionEndedPayload(session_id="s", duration_secs=3))
    body, headers = sign(event)
    unwrapped = Webhooks(PUBLIC_KEY).unwrap(body, headers)
    assert unwrapped == event
    assert unwrapped.attempt == 1
    assert Webhooks(PUBLIC_KEY).unwrap(*sign(body)) == event


@pytest.mark.parametrize(
    "freeze",
    [freeze_time, lambda moment: time_machine.travel(moment, tick=False)],
    ids=["freezegun", "time-machine"],
)
def test_frozen_time_applies_to_signing_and_verifying(freeze: Callable[[str], Any]) -> None:
    event = RoomSessionEnded(id="1")
    created_before = Webhooks(PUBLIC_KEY)
    recorded = sign(event, timestamp=1_619_308_800)
    with freeze("2021-04-25"):
        for webhooks in (created_before, Webhooks(PUBLIC_KEY)):
            assert webhooks.unwrap(*sign(event)) == webhooks.unwrap(*recorded) == event
        late = sign(event)
    with pytest.raises(WebhookSignatureError, match="away from now"):
        created_before.unwrap(*late)


def test_key_for_tests_differs_in_each_process() -> None:
    program = "from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY; print(PUBLIC_KEY)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert len(result.stdout.strip()) == len(PUBLIC_KEY)
    assert result.stdout.strip() != PUBLIC_KEY


async def test_public_key_of_the_account_is_fetched(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    body = b'{"data": {"organization_id": "o", "public": "%b", "record_type": "public_key"}}'
    http = ScriptedServer.http
    scripted_server.respond_with(
        http(500), http(200, body % SIGNER.public_key.encode()), http(200, b'{"data": {}}')
    )
    async with RoomsClient("KEY0123", base_url=scripted_server.url, clock=fake_clock.clock) as client:
        assert await client.public_key() == SIGNER.public_key
        with pytest.raises(APIResponseValidationError, match=r"\$\.data\.public: missing"):
            await client.public_key()
    assert scripted_server.requests[0].startswith(b"GET /v2/public_key HTTP/1.1\r\n")
