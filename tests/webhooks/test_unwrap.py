"""From a request to an event, with a key that is found and a clock that ticks; and the account's own key."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from freezegun import freeze_time

from telnyx_rooms_async import (
    APIResponseValidationError,
    AuthenticationError,
    ConfigurationError,
    RoomsClient,
    RoomSessionEnded,
    SessionEndedPayload,
    WebhookError,
    Webhooks,
    WebhookSignatureError,
)
from telnyx_rooms_async.webhooks.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER
from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY, sign, signed
from tests.helpers.clocks import FakeClock
from tests.helpers.error_reports import reported_texts
from tests.helpers.scripted_server import ScriptedServer
from tests.helpers.webhook_samples import NOW, WebhookSigner, event_body

TELNYX = WebhookSigner()
BODY = event_body("video.room.session.ended")
HEADERS = {name.lower(): value for name, value in TELNYX.sign(BODY).items()}


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an argument the key is that of TELNYX_PUBLIC_KEY; an argument goes before it."""
    fake_clock = FakeClock(float(NOW))
    monkeypatch.setenv("TELNYX_PUBLIC_KEY", TELNYX.public_key)
    event = Webhooks(clock=fake_clock.clock).unwrap(BODY, TELNYX.sign(BODY))
    assert isinstance(event, RoomSessionEnded)
    assert event.payload.ended_reason == "stale"
    with pytest.raises(WebhookSignatureError):
        Webhooks(PUBLIC_KEY, clock=fake_clock.clock).unwrap(BODY, TELNYX.sign(BODY))
    both = Webhooks([PUBLIC_KEY, TELNYX.public_key], clock=fake_clock.clock)
    assert both.unwrap(BODY, TELNYX.sign(BODY)) == event


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_key_there_is_no_receiver(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """When there is no key nothing is made; the error tells both ways to give one."""
    monkeypatch.delenv("TELNYX_PUBLIC_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("TELNYX_PUBLIC_KEY", value)
    with pytest.raises(ConfigurationError, match="pass public_key, or set TELNYX_PUBLIC_KEY"):
        Webhooks()


def test_a_bad_key_is_told_at_once() -> None:
    """A key that is none is found when the receiver is made, not when the first event comes."""
    with pytest.raises(ConfigurationError, match="a public key must be 32 bytes"):
        Webhooks("KEY0123")
    with pytest.raises(ConfigurationError, match="without a public key"):
        Webhooks([])


SECRETS = ["KEY0123456789-CANARY", '"KEY-CANARY"', b"CANARY", "CANARY" * 20, [TELNYX.public_key, "CANARY"]]


@pytest.mark.parametrize("key", SECRETS, ids=repr)
@pytest.mark.parametrize(
    "use",
    [
        Webhooks,
        lambda key: Webhooks(key, tolerance=-1),
        load_keys,
        lambda key: verify(BODY, HEADERS, key, now=NOW),
    ],
    ids=["Webhooks", "Webhooks with two mistakes", "load_keys", "verify"],
)
def test_wrong_key_is_in_no_frame_of_its_error(key: Any, use: Callable[[Any], object]) -> None:
    """A key of another kind may be a secret: no message, chain, local variable or attribute holds it."""
    with pytest.raises(ConfigurationError) as caught:
        use(key)
    assert "CANARY" not in "".join(reported_texts(caught.value))


@pytest.mark.parametrize(
    ("sent", "headers"),
    [
        (BODY.replace(b"stale", b"CANARY"), HEADERS),
        (b'{"data": {"id": 1, "payload": "CANARY"}}', None),
        (b"CANARY", None),
        (BODY, {**HEADERS, SIGNATURE_HEADER: "CANARY"}),
        (BODY, {**HEADERS, TIMESTAMP_HEADER: "CANARY"}),
    ],
)
def test_body_and_signature_are_in_no_frame_of_an_error(sent: bytes, headers: dict[str, str] | None) -> None:
    """A body may hold a link to a recording: whoever prints local variables does not see it."""
    webhooks = Webhooks(TELNYX.public_key, clock=FakeClock(float(NOW)).clock)
    with pytest.raises(WebhookError) as caught:
        webhooks.unwrap(sent, TELNYX.sign(sent) if headers is None else headers)
    assert "CANARY" not in "".join(reported_texts(caught.value))


@pytest.mark.parametrize("tolerance", [0, -1, float("nan"), float("inf"), "300", True, None])
def test_a_bad_tolerance_is_refused(tolerance: Any) -> None:
    """The tolerance cannot be switched off."""
    with pytest.raises(ConfigurationError, match="tolerance must be a positive number"):
        Webhooks(PUBLIC_KEY, tolerance=tolerance)


def test_time_is_injected() -> None:
    """The tolerance counts from the clock's now, in both directions."""
    fake_clock = FakeClock(NOW + 60.0)
    webhooks = Webhooks(TELNYX.public_key, tolerance=60, clock=fake_clock.clock)
    webhooks.unwrap(BODY, TELNYX.sign(BODY))
    for seconds in (NOW + 60.5, NOW - 60.5):
        fake_clock.seconds = seconds
        with pytest.raises(WebhookSignatureError, match="more than 60 seconds away"):
            webhooks.unwrap(BODY, TELNYX.sign(BODY))


def test_events_are_signed_for_tests() -> None:
    """What is signed for a test is unwrapped to the same event, once its key is the right one."""
    event = RoomSessionEnded(id="1", payload=SessionEndedPayload(session_id="s", duration_secs=3))
    signed_body, headers = signed(event)
    again = Webhooks(PUBLIC_KEY).unwrap(signed_body, headers)
    assert again == event
    assert again.attempt == 1
    assert Webhooks(PUBLIC_KEY).unwrap(*sign(signed_body)) == event
    with pytest.raises(WebhookSignatureError, match="away from now"):
        Webhooks(PUBLIC_KEY).unwrap(*signed(event, timestamp=NOW))
    with pytest.raises(WebhookSignatureError, match="another key"):
        Webhooks(TELNYX.public_key).unwrap(signed_body, headers)


@pytest.mark.parametrize(
    "freeze",
    [freeze_time, lambda moment: time_machine.travel(moment, tick=False)],
    ids=["freezegun", "time-machine"],
)
def test_signing_and_verifying_agree_while_time_is_frozen(freeze: Callable[[str], Any]) -> None:
    """Tools that set the time of a test set it for both sides, whenever the receiver was made."""
    before = Webhooks(PUBLIC_KEY)
    recorded = signed(RoomSessionEnded(id="1"), timestamp=1_619_308_800)
    with freeze("2021-04-25"):
        for webhooks in (before, Webhooks(PUBLIC_KEY)):
            assert webhooks.unwrap(*signed(RoomSessionEnded(id="1"))).id == "1"
            assert webhooks.unwrap(*recorded).id == "1"
        late = signed(RoomSessionEnded(id="1"))
    with pytest.raises(WebhookSignatureError, match="away from now"):
        before.unwrap(*late)


def test_the_key_for_tests_is_of_this_process_only() -> None:
    """Another process has another key: nobody can have it in production, nor sign for it."""
    program = "from telnyx_rooms_async.webhooks.testing import PUBLIC_KEY; print(PUBLIC_KEY)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert len(told.strip()) == len(PUBLIC_KEY)
    assert told.strip() != PUBLIC_KEY


def test_without_the_extra_signing_says_so() -> None:
    """Without cryptography the error names the extra."""
    program = "import sys; sys.modules['cryptography'] = None; import telnyx_rooms_async.webhooks.testing"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (
        "ImportError: signing needs cryptography: pip install 'telnyx-rooms-async[webhooks]'" in told.stderr
    )


async def test_the_public_key_is_fetched(scripted_server: ScriptedServer) -> None:
    """The account's key is one GET away, and good for a receiver."""
    answer = b'{"data": {"organization_id": "o", "public": "%b", "record_type": "public_key"}}'
    scripted_server.respond_with(ScriptedServer.http(200, answer % TELNYX.public_key.encode()))
    async with RoomsClient("KEY0123", base_url=scripted_server.url) as client:
        key = await client.public_key()
    assert key == TELNYX.public_key
    assert scripted_server.requests[0].startswith(b"GET /v2/public_key HTTP/1.1\r\n")
    assert isinstance(Webhooks(key), Webhooks)


async def test_fetching_the_public_key_fails_like_every_call(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    """It is repeated like a read, and its errors are those of any call."""
    scripted_server.respond_with(
        ScriptedServer.http(500), ScriptedServer.http(200, b'{"data": {}}'), ScriptedServer.http(401)
    )
    async with RoomsClient("KEY0123", base_url=scripted_server.url, clock=fake_clock.clock) as client:
        with pytest.raises(APIResponseValidationError, match=r"\$\.data\.public: missing"):
            await client.public_key()
        with pytest.raises(AuthenticationError):
            await client.public_key()
    assert len(scripted_server.requests) == 3
