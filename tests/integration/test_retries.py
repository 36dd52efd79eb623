"""Retries as a caller sees them: how many requests, after which pauses, and which error at the end."""

import pytest

from telnyx_rooms_async import (
    InternalServerError,
    RetryPolicy,
    RoomsClient,
)
from tests.helpers.clocks import FakeClock
from tests.helpers.scripted_server import ScriptedServer

OK = ScriptedServer.http(200, b'{"data":{"id":"a-room"}}')


@pytest.fixture
def client(scripted_server: ScriptedServer, fake_clock: FakeClock) -> RoomsClient:
    """A client that never really sleeps."""
    return RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock)


async def test_the_last_response_is_raised_after_three_attempts(
    client: RoomsClient, scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    scripted_server.respond_with(
        ScriptedServer.http(500), ScriptedServer.http(502), ScriptedServer.http(503, x_request_id="the-last")
    )
    async with client:
        with pytest.raises(InternalServerError) as caught:
            await client.rooms.retrieve("a-room")
    error = caught.value
    assert (error.status, error.request_id) == (503, "the-last")
    assert [(attempt.number, attempt.status, attempt.wait) for attempt in error.attempts] == [
        (1, 500, 0.25),
        (2, 502, 0.5),
        (3, 503, None),
    ]
    assert str(error).startswith("503 without an explanation after 3 attempts")


async def test_a_custom_retry_policy_is_used(scripted_server: ScriptedServer, fake_clock: FakeClock) -> None:
    scripted_server.respond_with(ScriptedServer.http(500))
    policy = RetryPolicy(attempts=5, backoff_base=2.0, backoff_max=5.0)
    async with RoomsClient(
        "KEY", base_url=scripted_server.url, clock=fake_clock.clock, retry=policy
    ) as client:
        with pytest.raises(InternalServerError):
            await client.rooms.retrieve("a-room")
        assert fake_clock.sleeps == [1.0, 2.0, 2.5, 2.5]
        scripted_server.respond_with(ScriptedServer.http(500))
        with pytest.raises(InternalServerError):
            await client.with_options(retry=RetryPolicy(attempts=1)).rooms.retrieve("a-room")
        assert len(scripted_server.requests) == 1


async def test_a_retry_is_logged(
    client: RoomsClient, scripted_server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "telnyx_rooms_async")
    scripted_server.respond_with(ScriptedServer.http(503, x_request_id="req-7"), OK)
    async with client:
        await client.rooms.retrieve("a-room")
    first, second = caplog.records
    assert (first.levelname, second.levelname) == ("WARNING", "DEBUG")
    assert first.getMessage().startswith("GET /rooms/{room_id}: attempt 1 answered 503 in ")
    assert first.getMessage().endswith("(request req-7); trying again in 0.250 s")
    assert second.getMessage().endswith("; done")
