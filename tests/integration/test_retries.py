"""Retries as a caller sees them: how many requests, after which delays, and which error at the end."""

import pytest

from telnyx_rooms_async import (
    InternalServerError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    RetryPolicy,
    RoomsClient,
    TelnyxRoomsError,
)
from tests.helpers.clocks import FakeClock
from tests.helpers.scripted_server import Reply, ScriptedServer

http = ScriptedServer.http
OK = http(200, b'{"data":{"id":"a-room"}}')
CREATED = http(201, b'{"data":{"id":"a-room"}}')
LOST = ScriptedServer.raw(b"")


@pytest.fixture
def client(scripted_server: ScriptedServer, fake_clock: FakeClock) -> RoomsClient:
    """A client that does not sleep, and whose random numbers are all 0.5."""
    return RoomsClient("KEY", base_url=scripted_server.url, clock=fake_clock.clock)


@pytest.mark.parametrize(
    ("replies", "sleeps"),
    [
        ([http(500)], [0.25]),
        ([http(500), LOST], [0.25, 0.5]),
        ([http(429)], [0.5]),
        ([http(429, Retry_After="7")], [7.5]),
        ([http(429, retry_after_ms="1500", retry_after="9")], [2.0]),
        ([http(429, x_ratelimit_reset="4", x_ratelimit_remaining="0")], [4.5]),
        ([http(429, Retry_After="soon")], [0.5]),
    ],
    ids=["500", "500, lost", "429", "seconds", "milliseconds", "rate limit", "unreadable"],
)
async def test_read_is_retried_after_a_delay(
    client: RoomsClient,
    scripted_server: ScriptedServer,
    fake_clock: FakeClock,
    replies: list[Reply],
    sleeps: list[float],
) -> None:
    scripted_server.respond_with(*replies, OK)
    async with client:
        assert (await client.rooms.retrieve("a-room")).id == "a-room"
    assert fake_clock.sleeps == sleeps
    assert set(scripted_server.requests) == {scripted_server.requests[0]}
    assert len(scripted_server.requests) == len(replies) + 1


async def test_error_after_three_attempts_has_the_last_response_and_all_attempts(
    client: RoomsClient, scripted_server: ScriptedServer
) -> None:
    scripted_server.respond_with(http(500), http(502), http(503, x_request_id="the-last"))
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


async def test_error_is_the_last_response_when_later_attempts_are_lost(
    client: RoomsClient, scripted_server: ScriptedServer
) -> None:
    scripted_server.respond_with(http(503), LOST)
    async with client:
        with pytest.raises(InternalServerError) as caught:
            await client.rooms.retrieve("a-room")
    assert [attempt.status or attempt.failure for attempt in caught.value.attempts] == [503, "lost", "lost"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 501])
async def test_refusal_is_not_retried(
    client: RoomsClient, scripted_server: ScriptedServer, status: int
) -> None:
    scripted_server.respond_with(http(status), OK)
    async with client:
        with pytest.raises(TelnyxRoomsError, match=str(status)):
            await client.rooms.retrieve("a-room")
    assert len(scripted_server.requests) == 1


async def test_hint_of_an_hour_is_raised_at_once(
    client: RoomsClient, scripted_server: ScriptedServer, fake_clock: FakeClock
) -> None:
    scripted_server.respond_with(http(429, Retry_After="3600"), OK)
    async with client:
        with pytest.raises(RateLimitError) as caught:
            await client.rooms.retrieve("a-room")
    assert caught.value.retry_after == 3600
    assert (len(scripted_server.requests), fake_clock.sleeps) == (1, [])


async def test_throttled_create_is_retried_with_the_same_bytes(
    client: RoomsClient, scripted_server: ScriptedServer
) -> None:
    scripted_server.respond_with(http(429), CREATED)
    async with client:
        await client.rooms.create(unique_name="Weekly")
    first, second = scripted_server.requests
    assert first == second


@pytest.mark.parametrize(
    ("replies", "requests"),
    [([LOST], 1), ([http(429), LOST], 2), ([http(201, b"{")], 1)],
    ids=["lost", "throttled, then lost", "unreadable response"],
)
async def test_create_that_may_have_been_processed_is_not_retried(
    client: RoomsClient, scripted_server: ScriptedServer, replies: list[Reply], requests: int
) -> None:
    scripted_server.respond_with(*replies, CREATED)
    async with client:
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.rooms.create(unique_name="Weekly", on_lost_response="raise")
    assert len(scripted_server.requests) == len(caught.value.attempts) == requests


@pytest.mark.parametrize("first", [LOST, http(502)], ids=["lost", "502"])
async def test_retried_delete_succeeds_when_the_room_is_gone(
    client: RoomsClient, scripted_server: ScriptedServer, first: Reply
) -> None:
    scripted_server.respond_with(first, http(404))
    async with client:
        await client.rooms.delete("a-room")
    assert len(scripted_server.requests) == 2


@pytest.mark.parametrize("before", [[], [http(429)]], ids=["at once", "throttled"])
async def test_delete_of_a_missing_room_raises_not_found_error(
    client: RoomsClient, scripted_server: ScriptedServer, before: list[Reply]
) -> None:
    scripted_server.respond_with(*before, http(404))
    async with client:
        with pytest.raises(NotFoundError):
            await client.rooms.delete("a-room")


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
            with pytest.raises(InternalServerError):
                await used.rooms.retrieve("a-room")
            assert fake_clock.sleeps == sleeps
            assert len(scripted_server.requests) == len(sleeps) + 1


async def test_retry_is_a_warning_in_the_log_and_success_a_debug_line(
    client: RoomsClient, scripted_server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "telnyx_rooms_async")
    scripted_server.respond_with(http(503, x_request_id="req-7"), OK)
    async with client:
        await client.rooms.retrieve("a-room")
    first, second = caplog.records
    assert (first.levelname, second.levelname) == ("WARNING", "DEBUG")
    for part in ("GET /rooms/{room_id}", "503", "req-7", "0.250 s"):
        assert part in first.getMessage()
