"""`Webhooks`: its arguments, its secrets, and the helpers for tests."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from freezegun import freeze_time

from telnyx_rooms_async import (
    APIResponseValidationError,
    ConfigurationError,
    RoomsClient,
    WebhookError,
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
