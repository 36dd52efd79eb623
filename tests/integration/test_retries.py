"""Retries as a caller sees them: delays, views with another policy, and log lines.

Which outcomes are retried is in tests/unit/core/test_retry.py and tests/faults.
"""

import pytest

from telnyx_rooms_async import InternalServerError, RetryPolicy, RoomsClient
from tests.helpers.clocks import FakeClock
from tests.helpers.scripted_server import Reply, ScriptedServer

http = ScriptedServer.http
OK = http(200, b'{"data":{"id":"a-room"}}')
LOST = ScriptedServer.raw(b"")


@pytest.mark.parametrize(
    ("replies", "sleeps"),
    [([http(500), LOST], [0.25, 0.5]), ([http(429)], [0.5]), ([http(429, Retry_After="7")], [7.5])],
    ids=["500, lost", "429", "seconds"],
)
async def test_read_is_retried_after_a_delay(
    scripted_server: ScriptedServer, fake_clock: FakeClock, replies: list[Reply], sleeps: list[float]
) -> None:
    scripted_server.respond_with(*replies, OK)
    async with RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock) as client:
        assert (await client.rooms.retrieve("a-room")).id == "a-room"
    assert fake_clock.sleeps == sleeps
    assert len(scripted_server.requests) == len(replies) + 1


async def test_policy_of_the_client_and_of_a_view_are_used(
    scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    policy = RetryPolicy(attempts=5, backoff_base=2.0, backoff_max=5.0)
    options = {"base_url": scripted_server.url, "clock": fake_clock.clock}
    async with RoomsClient("KEY", retry=policy, **options) as client:  # type: ignore[arg-type]  # of several types
        for used, sleeps in (
            (client, [1.0, 2.0, 2.5, 2.5]),
            (client.with_options(retry=RetryPolicy(attempts=1)), []),
        ):
            scripted_server.respond_with(http(500))
            fake_clock.sleeps.clear()
            with pytest.raises(InternalServerError) as caught:
                await used.rooms.retrieve("a-room")
            assert fake_clock.sleeps == sleeps
            assert [attempt.wait for attempt in caught.value.attempts] == [*sleeps, None]
            assert len(scripted_server.requests) == len(sleeps) + 1
        assert scripted_server.open_connections == 1


async def test_retry_is_a_warning_in_the_log_and_success_a_debug_line(
    scripted_server: ScriptedServer, fake_clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "telnyx_rooms_async")
    scripted_server.respond_with(http(503, x_request_id="req-7"), OK)
    async with RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock) as client:
        await client.rooms.retrieve("a-room")
    first, second = caplog.records
    assert (first.levelname, second.levelname) == ("WARNING", "DEBUG")
    for part in ("GET /rooms/{room_id}", "503", "req-7", "0.250 s"):
        assert part in first.getMessage()
